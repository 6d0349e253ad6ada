import Foundation
import Synchronization

/// A time-sorted 63-bit identifier of an entity of one kind.
///
/// Layout, high to low: 41 bits milliseconds since 2024-01-01T00:00:00Z (69 years), 10 bits node (leased from the
/// database, so that several processes never make the same one), 12 bits sequence. It is stored as BIGINT and leaves
/// the product as a decimal string, because JavaScript cannot hold 63 bits.
package struct ID<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The stored value, 1...2^63-1.
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// Parses the external decimal form; `nil` for anything but 1...19 digits of a positive number.
    package init?(_ text: some StringProtocol) {
        guard let value = IDText.value(String(text)) else { return nil }
        rawValue = value
    }

    /// An id for something that happened before it was written down (history that is taken over), so that it sorts by its own
    /// time and lies in the month it belongs to.
    /// - Parameters:
    ///   - instant: from `IDGenerator.epoch` on; earlier ones count as the epoch.
    ///   - tail: the low 22 bits, which `next` fills with node and sequence. They have to tell apart whatever has one
    ///     instant within one key, `(customer_id, id)`: no other process takes care of that.
    package init(at instant: Instant, tail: Int) {
        let milliseconds = max(0, instant.milliseconds - IDGenerator.epoch)
        rawValue = max(1, milliseconds << 22 | Int64(tail & 0x3F_FFFF))
    }

    package var description: String { String(rawValue) }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// The instant at which the id was made, to the millisecond.
    package var madeAt: Instant { Instant(milliseconds: (rawValue >> 22) + IDGenerator.epoch) }
}

extension ID: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = IDText.value(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an id"))
        }
        self.init(value)
    }
    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        try box.encode(description)
    }
}

/// Reads the external form of ids: not generic, because events bring thousands of them.
private enum IDText {
    static func value(_ text: String) -> Int64? {
        guard (1...19).contains(text.utf8.count) else { return nil }
        var value: Int64 = 0
        for byte in text.utf8 {
            guard (48...57).contains(byte) else { return nil }
            let (tens, isTooMany) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooMuch) = tens.addingReportingOverflow(Int64(byte - 48))
            if isTooMany || isTooMuch { return nil }
            value = sum
        }
        return value > 0 ? value : nil
    }
}

/// Kinds of entity, used only as the phantom parameter of `ID`.
package enum PartyKind {}
package enum SubscriptionKind {}
package enum UserKind {}
package enum JobKind {}
package enum EventKind {}
package enum AuditKind {}
package enum ImportRunKind {}
package enum ModelKind {}
package enum AnyKind {}

package typealias PartyID = ID<PartyKind>
/// A customer shares its party's id.
package typealias CustomerID = ID<PartyKind>
package typealias SubscriptionID = ID<SubscriptionKind>
package typealias UserID = ID<UserKind>
package typealias JobID = ID<JobKind>
package typealias EventID = ID<EventKind>
package typealias AuditID = ID<AuditKind>
package typealias ImportRunID = ID<ImportRunKind>
package typealias ModelID = ID<ModelKind>

/// Makes ids for one process. Strictly increasing even when the wall clock goes back: it then continues from the last
/// millisecond it used.
///
/// A node number is leased for a time, and whoever leases it afterwards begins behind that time. So an id is made only
/// from the milliseconds of its own lease, whatever the clock says: a process that slept through the end of its lease (or
/// could not renew it) goes on with what it had not used up, and never makes an id that another process can make.
package final class IDGenerator: Sendable {
    /// 2024-01-01T00:00:00Z in epoch milliseconds.
    package static let epoch: Int64 = 1_704_067_200_000
    /// The last milliseconds of a lease, kept for ids that are asked for after its end: 4,096 ids each.
    package static let reserveMilliseconds: Int64 = 60_000

    private struct State {
        var node: Int64
        var lastMillisecond: Int64 = 0
        var sequence: Int64 = 0
        /// First millisecond that is no longer ours.
        var end = Int64.max
    }
    private let state: Mutex<State>
    private let clock: any WallClock

    /// - Parameters:
    ///   - node: 0...1023, leased from the database (`NodeLease`).
    ///   - lease: its begin and end; `nil` = for ever.
    package init(node: Int, clock: any WallClock, lease: Range<Instant>? = nil) {
        state = Mutex(Self.start(node, lease, after: 0))
        self.clock = clock
    }

    private static func start(_ node: Int, _ lease: Range<Instant>?, after last: Int64) -> State {
        precondition((0...1023).contains(node), "a node number has 10 bits")
        guard let lease else { return State(node: Int64(node)) }
        let begin = max(last + 1, lease.lowerBound.milliseconds - epoch)
        return State(
            node: Int64(node), lastMillisecond: begin, sequence: -1, end: lease.upperBound.milliseconds - epoch)
    }

    /// The next id of the kind the caller asks for.
    /// - Precondition: the lease has not been used up, which takes 245 million ids after its end.
    package func next<Kind>(_ kind: Kind.Type = Kind.self) -> ID<Kind> {
        state.withLock { state in
            var now = clock.now().milliseconds - Self.epoch
            if state.end != Int64.max { now = min(now, state.end - Self.reserveMilliseconds) }
            if now > state.lastMillisecond {
                state.lastMillisecond = now
                state.sequence = 0
            } else {
                state.sequence += 1
                if state.sequence > 4095 {
                    state.lastMillisecond += 1
                    state.sequence = 0
                }
            }
            precondition(state.lastMillisecond < state.end, "the node number is another process's now")
            return ID<Kind>(state.lastMillisecond << 22 | state.node << 12 | state.sequence)
        }
    }

    /// The number in use.
    package var node: Int { state.withLock { Int($0.node) } }

    /// Whether the lease is so near to its end that nothing may be written before it was renewed.
    package var isExpired: Bool {
        let now = clock.now().milliseconds - Self.epoch
        return state.withLock { $0.end != Int64.max && now >= $0.end - Self.reserveMilliseconds }
    }

    /// The last millisecond an id was made from.
    package var lastUsed: Instant { Instant(milliseconds: state.withLock { $0.lastMillisecond } + Self.epoch) }

    /// The lease of the same number was renewed.
    package func extend(until: Instant) {
        state.withLock { $0.end = max($0.end, until.milliseconds - Self.epoch) }
    }

    /// Another number was leased: ids go on with it.
    package func move(to node: Int, lease: Range<Instant>) {
        state.withLock { $0 = Self.start(node, lease, after: $0.lastMillisecond) }
    }
}
