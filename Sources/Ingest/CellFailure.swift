import Kernel
import Tabular

/// Why a cell was not taken: a stable code and words without the value.
struct CellFailure: Error {
    let code: String
    let words: Words
    /// Half of the column cannot be read for this reason: how the whole column is read has to be told, and repairing each row would be
    /// of no use.
    var isOfColumn = false

    init(_ reason: (String, Words)) { (code, words) = reason }
    init(_ failure: ValueFailure, places: Int = 2) {
        code = failure.rawValue
        words = RejectWords.words(failure, places: places)
    }

    /// The value says something that cannot be understood, and the row is whole without it: a person can say what is meant (ADR 0074).
    var mayBeSaid: Bool { Self.sayable.contains(code) && !isOfColumn }
    /// Of a number whose digits a spreadsheet dropped nobody knows what was meant.
    private static let sayable: Set<String> =
        Set(ValueFailure.allCases.map(\.rawValue)).subtracting([lostDigits]).union([RejectWords.noChoice, RejectWords.notAnEmail.0])
    private static let lostDigits = ValueFailure.scientificNotation.rawValue

    /// What concerns the whole of a column, by what was found in it.
    static func ofColumn(_ profile: ColumnInfo?) -> Set<String> {
        var result: Set<String> = [lostDigits, ValueFailure.swappedDate.rawValue]
        guard let profile else { return result }
        func isHalf(_ notice: String) -> Bool {
            profile.notices.contains { $0.code == notice && $0.count * 2 >= profile.total - profile.missing }
        }
        let isUnclear = isHalf("ambiguous_date_order")
        if isUnclear { result.insert(ValueFailure.ambiguousDate.rawValue) }
        if isUnclear || profile.dateOrder == .dayMonthYear || profile.dateOrder == .monthDayYear {
            result.insert(ValueFailure.yearNotFirst.rawValue)
        }
        // The profile speaks of it only where the heading is that of a date.
        let open = profile.samples.count(where: isOpen)
        if isHalf("ambiguous_calendar") || open > 0 && open * 2 >= profile.samples.count {
            result.insert(ValueFailure.ambiguousCalendar.rawValue)
        }
        if profile.type == .integer || profile.type == .decimal {
            result.formUnion([ValueFailure.excelSerialDate, .ambiguousCalendar].map(\.rawValue))
        }
        return result
    }

    private static func isOpen(_ text: String) -> Bool {
        do throws(ValueFailure) {
            _ = try ValueParser().date(text)
            return false
        } catch {
            return error == .ambiguousCalendar
        }
    }
}
