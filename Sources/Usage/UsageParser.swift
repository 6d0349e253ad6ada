import Foundation
import Kernel
import Tabular
import Web

/// An event that was not taken, and why. Of what it held its id is kept, by which its source knows it.
package struct UsageReject: Sendable, Equatable {
    /// Physical line, from 1.
    package let line: Int
    /// Name of the column at fault; empty = the whole row.
    package let column: String
    package let code: String
    /// As the source wrote it, cut to `Bounds.idBytesMax`; `nil` = it has none, or the row cannot be read.
    package let id: String?
    package init(line: Int, column: String, code: String, id: String? = nil) {
        self.id = id
        self.line = line
        self.column = column
        self.code = code
    }
}

/// The ids of the events of a chunk, in their order, in one array: few are ever asked for.
package struct UsageEventIDs: Sendable, Equatable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    package init() {}

    mutating func add(_ id: some Collection<UInt8>) {
        bytes.append(contentsOf: id)
        ends.append(bytes.count)
    }

    /// - Returns: `nil` where the ids of this chunk are not kept.
    subscript(place: Int) -> String? {
        guard ends.indices.contains(place) else { return nil }
        return String(decoding: bytes[(place > 0 ? ends[place - 1] : 0)..<ends[place]], as: UTF8.self)
    }
}

/// Reads events out of the records of one file.
package struct UsageParser: Sendable {
    package enum Parsed: Sendable {
        case event(UsageEvent)
        case reject(UsageReject)
    }

    /// What every event must keep to, whatever it came from.
    package struct Bounds: Sendable {
        /// The last day an event may have begun on: clocks of machines differ.
        package let lastDay: Int32
        /// 2000-01-01.
        package static let firstDay: Int32 = 10_957
        /// No call lasts longer than a week.
        package static let voiceMsMax: Int64 = 7 * 86_400_000
        /// 16 TB.
        package static let bytesMax: Int64 = 1 << 44
        package static let countMax: Int64 = 10_000
        /// 100 Gbit/s.
        package static let speedMax: Int64 = 100_000_000
        package static let idBytesMax = 200
        package static let lineBytesMax = 100

        package init(today: Int32) { lastDay = today + 1 }
    }

    package let mapping: UsageMapping
    private let print: UsagePrint
    private let bounds: Bounds
    private let zone: Int
    private let home: [[UInt8]]
    private let names: [String]
    private let id: Int, line: Int, start: Int, kind: Int
    private let seconds: Int, minutes: Int, milliseconds: Int
    private let bytes: Int, kilobytes: Int, megabytes: Int, gigabytes: Int
    private let count: Int, version: Int, cancel: Int, roaming: Int, country: Int, dropped: Int, speed: Int, cell: Int

    /// - Parameters:
    ///   - zone: minutes east of UTC, for times that name none and for the days of those that do.
    ///   - home: what the country column says of the operator's own country.
    package init(
        _ mapping: UsageMapping, header: [String], print: UsagePrint, bounds: Bounds, zone: Int, home: Set<String>
    ) {
        self.mapping = mapping
        self.print = print
        self.bounds = bounds
        self.zone = zone
        self.home = home.sorted().map { Array($0.utf8) }
        names = header
        func index(_ field: UsageMapping.Field) -> Int {
            mapping.columns[field].flatMap { header.firstIndex(of: $0) } ?? -1
        }
        id = index(.id)
        line = index(.number) >= 0 ? index(.number) : index(.line)
        start = index(.start)
        kind = index(.kind)
        seconds = index(.seconds)
        minutes = index(.minutes)
        milliseconds = index(.milliseconds)
        bytes = index(.bytes)
        kilobytes = index(.kilobytes)
        megabytes = index(.megabytes)
        gigabytes = index(.gigabytes)
        count = index(.count)
        version = index(.version)
        cancel = index(.cancel)
        roaming = index(.roaming)
        country = index(.country)
        dropped = index(.dropped)
        speed = index(.speed)
        cell = index(.cell)
    }

    /// Names of the operator's own country, for a country code.
    package static func home(_ countryCode: String) -> Set<String> {
        countryCode == "86" ? ["86", "+86", "cn", "chn", "460", "中国"] : [countryCode, "+" + countryCode]
    }

    /// What went wrong in a record, on the way out.
    private struct Fault: Error {
        let column: Int
        let code: String
    }

    package func parse(_ record: Record) -> Parsed {
        do throws(Fault) {
            return .event(try event(record))
        } catch {
            let column = names.indices.contains(error.column) ? names[error.column] : ""
            return .reject(UsageReject(line: record.position.line, column: column, code: error.code, id: eventID(record)))
        }
    }

    private func eventID(_ record: Record) -> String? {
        guard id >= 0 else { return nil }
        let text = record.withBytes(id) { String(decoding: Self.trimmed($0).prefix(Bounds.idBytesMax), as: UTF8.self) }
        return text.isEmpty ? nil : text
    }

    /// Adds the id of a record that is an event.
    func noteID(_ record: Record, in ids: inout UsageEventIDs) {
        record.withBytes(id) { ids.add(Self.trimmed($0)) }
    }

    private func event(_ record: Record) throws(Fault) -> UsageEvent {
        guard let kind = self.kind < 0 ? mapping.kind : record.withBytes(self.kind, Self.kind) else {
            throw Fault(column: self.kind, code: "unknown_kind")
        }
        let print = record.withBytes(id) { raw -> UInt64? in
            let text = Self.trimmed(raw)
            return text.isEmpty || text.count > Bounds.idBytesMax ? nil : self.print.of(kind, text)
        }
        guard let print else { throw Fault(column: id, code: "bad_id") }
        let name = record.withBytes(line) { raw -> String? in
            let text = Self.trimmed(raw)
            return text.isEmpty || text.count > Bounds.lineBytesMax ? nil : String(decoding: text, as: UTF8.self)
        }
        guard let name else { throw Fault(column: line, code: "no_line") }
        var event = UsageEvent(
            fingerprint: print, line: name, day: 0, amount: UsageAmount(kind), at: record.position.line)
        if version >= 0 {
            let read = record.withBytes(version) { UsageNumber($0) }
            if let read {
                guard read.micros == 0, read.whole >= 0, read.whole <= UInt32.max else {
                    throw Fault(column: version, code: "bad_version")
                }
                event.version = UInt32(read.whole)
            } else if !isMissing(record, version) {
                throw Fault(column: version, code: "bad_version")
            }
        }
        if cancel >= 0 { event.isCancelled = try flag(record, cancel) }
        event.day = try day(record)
        // A cancellation takes back what was; how much it says does not matter.
        if event.isCancelled { return event }
        event.amount.quantity = try quantity(record, kind)
        if roaming >= 0 { event.amount.isRoaming = try flag(record, roaming) }
        if country >= 0, !event.amount.isRoaming {
            event.amount.isRoaming = record.withBytes(country) { raw in
                let text = Self.trimmed(raw)
                return !text.isEmpty && !home.contains { Self.same(text, $0) }
            }
        }
        if dropped >= 0 { event.amount.isDropped = try flag(record, dropped) }
        if speed >= 0, let read = try number(record, speed) {
            // Mbit/s with three decimals.
            guard let value = read.scaled(1_000), value <= Bounds.speedMax else {
                throw Fault(column: speed, code: "out_of_range")
            }
            event.amount.speed = value
        }
        if cell >= 0 {
            event.amount.cell = record.withBytes(cell) { raw in
                let text = Self.trimmed(raw)
                return text.isEmpty ? nil : UsagePrint.cell(text) & 63
            }
        }
        return event
    }

    private func quantity(_ record: Record, _ kind: UsageKind) throws(Fault) -> Int64 {
        let choices: [(Int, Int64)]
        let max: Int64
        switch kind {
        case .voice:
            if seconds >= 0, let value = try scaled(record, seconds, 1_000, Bounds.voiceMsMax) { return value }
            if minutes >= 0, let value = try scaled(record, minutes, 60_000, Bounds.voiceMsMax) { return value }
            (choices, max) = ([(milliseconds, 1)], Bounds.voiceMsMax)
        case .data:
            if megabytes >= 0, let value = try scaled(record, megabytes, 1 << 20, Bounds.bytesMax) { return value }
            if bytes >= 0, let value = try scaled(record, bytes, 1, Bounds.bytesMax) { return value }
            (choices, max) = ([(kilobytes, 1 << 10), (gigabytes, 1 << 30)], Bounds.bytesMax)
        case .sms:
            return count >= 0 ? try scaled(record, count, 1, Bounds.countMax) ?? 1 : 1
        case .sample: return 0
        }
        for (column, scale) in choices where column >= 0 {
            if let value = try scaled(record, column, scale, max) { return value }
        }
        throw Fault(column: -1, code: "no_quantity")
    }

    private func scaled(_ record: Record, _ column: Int, _ scale: Int64, _ max: Int64) throws(Fault) -> Int64? {
        guard let read = try number(record, column) else { return nil }
        guard let value = read.scaled(scale), value <= max else { throw Fault(column: column, code: "out_of_range") }
        return value
    }

    private func number(_ record: Record, _ column: Int) throws(Fault) -> UsageNumber? {
        if let read = record.withBytes(column, { UsageNumber($0) }) {
            guard read.whole >= 0 else { throw Fault(column: column, code: "out_of_range") }
            return read
        }
        guard isMissing(record, column) else { throw Fault(column: column, code: "not_a_number") }
        return nil
    }

    private func isMissing(_ record: Record, _ column: Int) -> Bool {
        record.withBytes(column) { Self.trimmed($0).isEmpty }
    }

    private func flag(_ record: Record, _ column: Int) throws(Fault) -> Bool {
        let short = record.withBytes(column) { raw -> Bool? in
            let text = Self.trimmed(raw)
            guard let first = text.first else { return false }
            guard text.count == 1 else { return nil }
            // 0 f n, 1 t y.
            return [0x30, 0x66, 0x6E].contains(first | 0x20) ? false : [0x31, 0x74, 0x79].contains(first | 0x20) ? true : nil
        }
        if let short { return short }
        switch record.field(column).trimmed.lowercased() {
        case "", "0", "false", "no", "n", "f", "否": return false
        case "1", "true", "yes", "y", "t", "是", "cancel", "cancelled", "canceled", "dropped", "作废": return true
        default: throw Fault(column: column, code: "not_a_boolean")
        }
    }

    private func day(_ record: Record) throws(Fault) -> Int32 {
        let read = record.withBytes(start) { UsageTime.day(Self.trimmed($0), mapping.dateOrder, zone: zone) }
        switch read {
        case .day(let day):
            guard day >= Bounds.firstDay else { throw Fault(column: start, code: "too_old") }
            guard day <= bounds.lastDay else { throw Fault(column: start, code: "in_the_future") }
            return day
        case .fault(let code): throw Fault(column: start, code: code)
        }
    }

    private static func kind(_ raw: UnsafeBufferPointer<UInt8>) -> UsageKind? {
        let text = trimmed(raw)
        for kind in UsageKind.allCases where same(text, kind.bytes) { return kind }
        return UsageKind(name: String(decoding: text, as: UTF8.self))
    }

    /// Whether a text is this one, ASCII capitals apart.
    private static func same(_ text: UnsafeBufferPointer<UInt8>, _ lower: [UInt8]) -> Bool {
        guard text.count == lower.count else { return false }
        for index in lower.indices {
            let byte = text[index]
            guard byte == lower[index] || byte &- 0x41 < 26 && byte | 0x20 == lower[index] else { return false }
        }
        return true
    }

    static func trimmed(_ raw: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var low = 0, high = raw.count
        while low < high, raw[low] <= 32 { low += 1 }
        while low < high, raw[high - 1] <= 32 { high -= 1 }
        return UnsafeBufferPointer(rebasing: raw[low..<high])
    }
}

/// A decimal number without exponent, exact to six decimals.
package struct UsageNumber: Equatable {
    package let whole: Int64
    package let micros: Int64

    /// Nil for anything else; a negative one has a negative `whole` (-1 for `-0.5`).
    package init?(_ raw: UnsafeBufferPointer<UInt8>) {
        let text = UsageParser.trimmed(raw)
        var at = 0
        let isNegative = text.first == 0x2D
        if isNegative || text.first == 0x2B { at = 1 }
        guard at < text.count, text.count - at <= 25 else { return nil }
        var whole: Int64 = 0, micros: Int64 = 0, unit: Int64 = 100_000
        var digits = 0, places = 0
        while at < text.count, text[at] != 0x2E {
            let digit = text[at] &- 0x30
            guard digit < 10 else { return nil }
            digits += 1
            guard digits <= 17 else { return nil }
            whole = whole * 10 + Int64(digit)
            at += 1
        }
        if at < text.count {
            at += 1
            while at < text.count {
                let digit = text[at] &- 0x30
                guard digit < 10 else { return nil }
                micros += Int64(digit) * unit
                unit /= 10
                places += 1
                at += 1
            }
        }
        guard digits + places > 0 else { return nil }
        self.whole = isNegative && (whole > 0 || micros > 0) ? -max(1, whole) : whole
        self.micros = micros
    }

    /// The number times `scale`, rounded; `nil` when it does not fit.
    package func scaled(_ scale: Int64) -> Int64? {
        let (high, overflow) = whole.multipliedReportingOverflow(by: scale)
        let (sum, more) = high.addingReportingOverflow((micros * scale + 500_000) / 1_000_000)
        return overflow || more ? nil : sum
    }
}

/// The day of a moment as sources write it.
package enum UsageTime {
    package enum Read: Equatable {
        case day(Int32)
        case fault(String)
    }

    /// - Parameter zone: minutes east of UTC.
    package static func day(_ text: UnsafeBufferPointer<UInt8>, _ order: DateOrder?, zone: Int) -> Read {
        if text.count >= 10, text[4] == 0x2D || text[4] == 0x2F, text[7] == text[4],
            let year = digits(text, 0, 4), let month = digits(text, 5, 2), let day = digits(text, 8, 2)
        {
            guard let date = LocalDate(year: year, month: month, day: day)?.daysSinceEpoch else { return .fault("no_such_day") }
            if text.count == 10 { return .day(Int32(date)) }
            if let moved = time(text, from: 10, zone: zone) { return .day(Int32(date + moved)) }
        } else if text.count == 10, text[2] == 0x2F || text[2] == 0x2E || text[2] == 0x2D, text[5] == text[2],
            let first = digits(text, 0, 2), let second = digits(text, 3, 2), let year = digits(text, 6, 4)
        {
            return ordered(first, second, year, order)
        } else if text.count == 13 || text.count == 10, let number = digits(text, 0, text.count) {
            let seconds = text.count == 13 ? number / 1_000 : number
            return .day(Int32((seconds + zone * 60) / 86_400))
        }
        return slow(text, order, zone: zone)
    }

    private static func ordered(_ first: Int, _ second: Int, _ year: Int, _ order: DateOrder?) -> Read {
        var order = order
        if order == nil, first > 12 || first == second { order = .dayMonthYear }
        if order == nil, second > 12 { order = .monthDayYear }
        guard let order else { return .fault("ambiguous_date") }
        let (day, month) = order == .dayMonthYear ? (first, second) : (second, first)
        guard let date = LocalDate(year: year, month: month, day: day) else { return .fault("no_such_day") }
        return .day(Int32(date.daysSinceEpoch))
    }

    /// Behind the date: ` 12:30`, `T12:30:05.123+08:00`. How many days the zone moves it by; `nil` = not of this form.
    private static func time(_ text: UnsafeBufferPointer<UInt8>, from: Int, zone: Int) -> Int? {
        guard text.count >= from + 6, text[from] == 0x54 || text[from] == 0x20 || text[from] == 0x74,
            let hour = digits(text, from + 1, 2), hour < 24, text[from + 3] == 0x3A,
            let minute = digits(text, from + 4, 2), minute < 60
        else { return nil }
        var at = from + 6
        if at < text.count, text[at] == 0x3A {
            guard let second = digits(text, at + 1, 2), second < 60 else { return nil }
            at += 3
            if at < text.count, text[at] == 0x2E {
                at += 1
                while at < text.count, text[at] &- 0x30 < 10 { at += 1 }
            }
        }
        if at == text.count { return 0 }
        var offset = 0
        if text[at] == 0x5A || text[at] == 0x7A {
            guard at + 1 == text.count else { return nil }
        } else {
            guard text[at] == 0x2B || text[at] == 0x2D, let hours = digits(text, at + 1, 2), hours <= 14 else { return nil }
            var end = at + 3
            if end < text.count, text[end] == 0x3A { end += 1 }
            let minutes = end < text.count ? digits(text, end, 2) : 0
            guard let minutes, minutes < 60, end == text.count || end + 2 == text.count else { return nil }
            offset = (hours * 60 + minutes) * (text[at] == 0x2D ? -1 : 1)
        }
        let local = hour * 60 + minute - offset + zone
        return local < 0 ? -((1_439 - local) / 1_440) : local / 1_440
    }

    private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ from: Int, _ count: Int) -> Int? {
        guard from + count <= text.count else { return nil }
        var value = 0
        for index in from..<(from + count) {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// Other ways of writing it.
    private static func slow(_ text: UnsafeBufferPointer<UInt8>, _ order: DateOrder?, zone: Int) -> Read {
        let parser = ValueParser(dateOrder: order, utcOffset_min: zone)
        do throws(ValueFailure) {
            guard let moment = try parser.instant(String(decoding: text, as: UTF8.self)) else { return .fault("no_start") }
            return .day(Int32(clamping: Instant(milliseconds: moment).date(offsetMinutes: zone).daysSinceEpoch))
        } catch {
            return .fault(error.rawValue)
        }
    }
}
