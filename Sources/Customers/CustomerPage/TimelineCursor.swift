import Kernel
import Storage

extension TimelineReader {
    /// Where the events come from. Of one day those of an earlier source stand above.
    enum Source: Int, CaseIterable {
        case outcome, history, start, paidBill, payment, bill
        // From here on with a time of day; the sources of other domains come after.
        case change, touched, record

        var kind: TimelineKind {
            switch self {
            case .outcome: .outcome
            case .history, .start: .line
            case .paidBill, .payment: .payment
            case .bill: .bill
            case .change, .touched, .record: .record
            }
        }

        static let firstTimed = Source.change.rawValue
    }

    /// The last event of a page: its day or its time, its source, its row.
    struct Cursor: Sendable, Equatable {
        enum Time: Sendable, Equatable {
            case day(LocalDate)
            case instant(Instant)
        }

        let time: Time
        let source: Int
        let key: String

        init(_ time: Time, _ source: Int, _ key: String) {
            self.time = time
            self.source = source
            self.key = key
        }

        /// `2026-01-31.5.7311`, of what has a time `1769817600000.6.7311`; `nil` for anything else.
        init?(_ text: String) {
            let parts = text.split(separator: ".", maxSplits: 2)
            guard parts.count == 3, let source = Int(parts[1]) else { return nil }
            if source < Source.firstTimed {
                guard let on = LocalDate(parts[0]), Int64(parts[2]) != nil else { return nil }
                self.init(.day(on), source, String(parts[2]))
            } else {
                guard let at = Int64(parts[0]), (0...Self.lastMillisecond).contains(at),
                    source > Source.record.rawValue || Int64(parts[2]) != nil
                else { return nil }
                self.init(.instant(Instant(milliseconds: at)), source, String(parts[2]))
            }
        }

        /// The end of the year 9999.
        private static let lastMillisecond: Int64 = 253_402_300_799_999

        var text: String {
            switch time {
            case .day(let on): "\(on).\(source).\(key)"
            case .instant(let at): "\(at.milliseconds).\(source).\(key)"
            }
        }

        var id: Int64 { Int64(key) ?? 0 }
    }
}
