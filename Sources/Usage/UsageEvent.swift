import Kernel
import Storage

/// What an event tells of. Voice, messages, data and samples number their events apart: an id is one within its source and
/// kind (ADR 0032).
package enum UsageKind: UInt8, Sendable, CaseIterable, Codable {
    case voice = 0
    case sms = 1
    case data = 2
    /// A measurement of the network as the customer had it: speed and cell, nothing used.
    case sample = 3

    package var name: String {
        switch self {
        case .voice: "voice"
        case .sms: "sms"
        case .data: "data"
        case .sample: "sample"
        }
    }

    private static let names = allCases.map { Array($0.name.utf8) }
    var bytes: [UInt8] { Self.names[Int(rawValue)] }

    package init?(name: String) {
        switch name.lowercased() {
        case "voice", "call", "calls", "moc", "mtc", "语音", "通话": self = .voice
        case "sms", "message", "messages", "mms", "短信": self = .sms
        case "data", "internet", "gprs", "session", "流量", "上网": self = .data
        case "sample", "experience", "network", "测速": self = .sample
        default: return nil
        }
    }
}

/// How much of what: an event without its identity, as it is added to a day and taken back from it.
package struct UsageAmount: Sendable, Hashable {
    package var kind: UsageKind
    package var isRoaming = false
    package var isDropped = false
    /// Voice: milliseconds; data: bytes; messages: how many.
    package var quantity: Int64 = 0
    /// kbit/s; 0 = not told.
    package var speed: Int64 = 0
    /// Where the cell stands among the 64 places of `DayUsage.cells`; `nil` = not told.
    package var cell: UInt8?

    package init(
        _ kind: UsageKind, quantity: Int64 = 0, isRoaming: Bool = false, isDropped: Bool = false, speed: Int64 = 0,
        cell: UInt8? = nil
    ) {
        self.kind = kind
        self.quantity = quantity
        self.isRoaming = isRoaming
        self.isDropped = isDropped
        self.speed = speed
        self.cell = cell
    }

    /// Minutes as they are billed: each call is rounded up by itself. A call of no length costs nothing.
    package var billedMinutes: Int64 { kind == .voice ? (quantity + 59_999) / 60_000 : 0 }
}

/// An event after parsing.
package struct UsageEvent: Sendable, Equatable {
    /// Of source, kind and id (`UsagePrint`).
    package var fingerprint: UInt64
    /// A corrected event has the id of the first and a higher version.
    package var version: UInt32 = 0
    /// The event of this id and version, and all before it, never happened.
    package var isCancelled = false
    /// The number or the source's own id of the line, as the source writes it.
    package var line: String
    /// Days since 1970-01-01 in the tenant's zone.
    package var day: Int32
    package var amount: UsageAmount
    /// Line of the file it came from.
    package var at = 0

    package init(
        fingerprint: UInt64, version: UInt32 = 0, isCancelled: Bool = false, line: String, day: Int32,
        amount: UsageAmount, at: Int = 0
    ) {
        self.fingerprint = fingerprint
        self.version = version
        self.isCancelled = isCancelled
        self.line = line
        self.day = day
        self.amount = amount
        self.at = at
    }
}

/// Where an amount is counted.
package struct UsagePlace: Hashable, Sendable {
    package let line: LineRef
    package let day: Int32
    package init(_ line: LineRef, day: Int32) {
        self.line = line
        self.day = day
    }
}

/// One day of a subscription. Everything in it is a sum, so that order does not matter and an event can be taken back.
package struct DayUsage: Sendable, Equatable {
    package var events: Int64 = 0
    package var calls: Int64 = 0
    package var voiceMs: Int64 = 0
    package var billedMinutes: Int64 = 0
    package var droppedCalls: Int64 = 0
    package var sms: Int64 = 0
    package var sessions: Int64 = 0
    package var dataBytes: Int64 = 0
    package var roamingBytes: Int64 = 0
    package var roamingMs: Int64 = 0
    package var roamingSMS: Int64 = 0
    package var speedSum: Int64 = 0
    package var speedCount: Int64 = 0
    /// Cells, each in one of 64 places by its hash. Not a sum: a cell that was told stays told when its event is corrected.
    package var cells: UInt64 = 0

    package init() {}

    /// - Parameter sign: 1 adds the event, -1 takes it back.
    package mutating func add(_ amount: UsageAmount, _ sign: Int64 = 1) {
        events += sign
        switch amount.kind {
        case .voice:
            calls += sign
            voiceMs += sign * amount.quantity
            billedMinutes += sign * amount.billedMinutes
            if amount.isDropped { droppedCalls += sign }
            if amount.isRoaming { roamingMs += sign * amount.quantity }
        case .sms:
            sms += sign * amount.quantity
            if amount.isRoaming { roamingSMS += sign * amount.quantity }
        case .data:
            sessions += sign
            dataBytes += sign * amount.quantity
            if amount.isRoaming { roamingBytes += sign * amount.quantity }
        case .sample: break
        }
        if amount.speed > 0 {
            speedSum += sign * amount.speed
            speedCount += sign
        }
        if sign > 0, let cell = amount.cell { cells |= 1 << UInt64(cell & 63) }
    }

    /// The same day told in another place.
    package mutating func add(_ other: DayUsage) {
        events += other.events
        calls += other.calls
        voiceMs += other.voiceMs
        billedMinutes += other.billedMinutes
        droppedCalls += other.droppedCalls
        sms += other.sms
        sessions += other.sessions
        dataBytes += other.dataBytes
        roamingBytes += other.roamingBytes
        roamingMs += other.roamingMs
        roamingSMS += other.roamingSMS
        speedSum += other.speedSum
        speedCount += other.speedCount
        cells |= other.cells
    }

    package var isNothing: Bool { self == DayUsage() }

    /// How many different cells, as linear counting tells it (Whang, Vander-Zanden and Taylor 1990): exact for few, an
    /// estimate for many, and never more than 64 places' worth.
    package static func cellCount(_ cells: UInt64) -> Int {
        let free = 64 - cells.nonzeroBitCount
        guard free > 0 else { return 267 }
        return Int((-64 * UsageMath.log(Double(free) / 64)).rounded())
    }
}
