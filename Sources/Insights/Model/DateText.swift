/// Calendar dates as they appear in extracts, as days since 1970-01-01. Times of day are read over.
package enum DateText {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// The day number of a date text.
    ///
    /// Understood: 2024-01-31, 2024/1/31, 2024.01.31, 2024年1月31日, 20240131 (when `allowsCompact`), 31/01/2024 or
    /// 01/31/2024 by `dayFirst`, 31-Jan-2024, Jan 31, 2024; a time after a space or T is ignored.
    package static func day(_ text: String, dayFirst: Bool, allowsCompact: Bool = false) -> Int? {
        guard let parts = parts(text, allowsCompact: allowsCompact) else { return nil }
        switch parts {
        case .yearFirst(let year, let month, let day): return number(year, month, day)
        case .yearLast(let first, let second, let year):
            return dayFirst ? number(year, second, first) : number(year, first, second)
        }
    }

    /// Whether dates like 03/04/2024 put the day first: true when some first part exceeds 12, false when some second
    /// part does, and by default the day first, as in most of the world.
    package static func isDayFirst(_ texts: [String]) -> Bool {
        for text in texts {
            guard case .yearLast(let first, let second, _)? = parts(text, allowsCompact: false) else { continue }
            if first > 12 { return true }
            if second > 12 { return false }
        }
        return true
    }

    private enum Parts {
        case yearFirst(Int, Int, Int)
        case yearLast(Int, Int, Int)
    }

    private static func parts(_ text: String, allowsCompact: Bool) -> Parts? {
        guard text.utf8.count >= 8, text.utf8.count <= 40 else { return nil }
        if allowsCompact, text.utf8.count == 8, let packed = Int(text) {
            return .yearFirst(packed / 10_000, packed / 100 % 100, packed % 100)
        }
        var fields: [Substring] = []
        for field in text.split(whereSeparator: { "-/. ,T年月日".contains($0) }) {
            // A clock time ends the date.
            if field.contains(":") { break }
            fields.append(field)
            if fields.count == 3 { break }
        }
        guard fields.count == 3 else { return nil }
        if let month = monthNumber(fields[1]), let day = Int(fields[0]), let year = year(fields[2]) {
            return .yearFirst(year, month, day)
        }
        if let month = monthNumber(fields[0]), let day = Int(fields[1]), let year = year(fields[2]) {
            return .yearFirst(year, month, day)
        }
        guard let first = Int(fields[0]), let second = Int(fields[1]), let third = Int(fields[2]),
            fields.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } })
        else { return nil }
        if fields[0].utf8.count == 4 { return .yearFirst(first, second, third) }
        if fields[2].utf8.count == 4 { return .yearLast(first, second, third) }
        return nil
    }

    private static func monthNumber(_ text: Substring) -> Int? {
        guard text.utf8.count >= 3, text.utf8.count <= 9, let first = text.first, first.isLetter else { return nil }
        return months.firstIndex(of: String(text.prefix(3)).lowercased()).map { $0 + 1 }
    }

    private static func year(_ text: Substring) -> Int? {
        guard let value = Int(text) else { return nil }
        switch text.utf8.count {
        case 4: return value
        case 2: return value < 70 ? 2000 + value : 1900 + value
        default: return nil
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
    package static func number(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        guard (1800...9999).contains(year), (1...12).contains(month), day >= 1, day <= length(year, month) else {
            return nil
        }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
