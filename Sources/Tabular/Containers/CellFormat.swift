/// How a workbook shows a number: the same digits are a date, a time, a padded code or just a number.
enum CellFormat: Equatable {
    case general, date, dateTime, time, elapsed
    /// `00000`: leading zeros belong to the value.
    case padded(Int)

    /// The formats Excel has without writing them into the file (ECMA-376 18.8.30; 27 to 36 and 50 to 58 in East Asia).
    init(builtIn id: Int) {
        switch id {
        case 14...17, 27...31, 34...36, 50...54, 57, 58: self = .date
        case 22: self = .dateTime
        case 18...21, 32, 33, 45, 47, 55, 56: self = .time
        case 46: self = .elapsed
        default: self = .general
        }
    }

    init(code: String) {
        var letters = Set<Character>(), hasElapsed = false, isOnlyZeros = !code.isEmpty
        var rest = code.split(separator: ";", omittingEmptySubsequences: false).first.map { $0[...] } ?? ""
        while let character = rest.popFirst() {
            if character != "0" { isOnlyZeros = false }
            switch character {
            case "\"": rest = rest.drop { $0 != "\"" }.dropFirst()
            case "\\", "_", "*": rest = rest.dropFirst()
            case "[":
                let inside = rest.prefix { $0 != "]" }.lowercased()
                rest = rest.drop { $0 != "]" }.dropFirst()
                if !inside.isEmpty, inside.allSatisfy({ "hms".contains($0) }) { hasElapsed = true }
            case "y", "Y", "d", "D", "e", "b": letters.insert("d")
            case "h", "H", "s", "S": letters.insert("h")
            case "m", "M": letters.insert("m")
            case "年", "月", "日": letters.insert("d")
            case "0", "#", "?":
                // `0.00E+00` and `0"days"` are numbers; `ss.00` is a time with a fraction.
                if letters.isEmpty { letters.insert("n") }
            case "G" where rest.lowercased().hasPrefix("eneral"):
                self = .general
                return
            default: break
            }
        }
        if isOnlyZeros, (2...32).contains(code.count) {
            self = .padded(code.count)
        } else if hasElapsed {
            self = .elapsed
        } else if letters.contains("n") {
            self = .general
        } else if letters.contains("d") || letters == ["m"] {
            self = letters.contains("h") ? .dateTime : .date
        } else {
            self = letters.contains("h") ? .time : .general
        }
    }

    /// The value as text a person would write: dates as `YYYY-MM-DD`, numbers without an exponent as far as exact.
    func text(_ raw: String, is1904: Bool) -> String {
        guard let value = Double(raw), value.isFinite else { return raw }
        switch self {
        case .general: return Self.plain(raw, value)
        case .padded(let width):
            let plain = Self.plain(raw, value)
            guard value >= 0, !plain.contains("."), plain.count < width else { return plain }
            return String(repeating: "0", count: width - plain.count) + plain
        case .elapsed:
            let seconds = (abs(value) * 86_400).rounded()
            guard seconds < 1e12 else { return Self.plain(raw, value) }
            let sign = value < 0 && seconds > 0 ? "-" : ""
            return sign + "\(Int(seconds) / 3_600):" + Self.two(Int(seconds) / 60 % 60) + ":" + Self.two(Int(seconds) % 60)
        case .date, .dateTime, .time: return moment(value, is1904: is1904) ?? Self.plain(raw, value)
        }
    }

    /// What is written of a number of more than 15 digits, which a spreadsheet does not keep: in the notation by which
    /// lost digits are known everywhere, never as digits that look right. Programs that write workbooks may have kept
    /// them; the next one that opens the file does not, and nobody could tell.
    /// - Returns: `nil` when there are no more than 15 digits before the point, or the cell shows a date.
    func withLostDigits(_ raw: String) -> String? {
        switch self {
        case .general, .padded: break
        default: return nil
        }
        guard let value = Double(raw), value.isFinite, abs(value) >= 1e15 else { return nil }
        let text = "\(abs(value))"
        let sign = value < 0 ? "-" : ""
        if let e = text.firstIndex(of: "e") { return sign + text[..<e] + "E" + text[text.index(after: e)...] }
        let digits = text.prefix { $0 != "." }
        return sign + digits.prefix(1) + "." + digits.dropFirst() + "E+\(digits.count - 1)"
    }

    private func moment(_ value: Double, is1904: Bool) -> String? {
        guard value >= 0, value < 2_958_466 else { return nil }
        var day = Int(value.rounded(.down))
        var ms = Int(((value - Double(day)) * 86_400_000).rounded())
        // A serial has about a microsecond of precision: whole seconds are meant.
        if ms % 1_000 < 3 { ms -= ms % 1_000 } else if ms % 1_000 > 997 { ms += 1_000 - ms % 1_000 }
        if ms >= 86_400_000 {
            day += 1
            ms -= 86_400_000
        }
        let clock = Self.two(ms / 3_600_000) + ":" + Self.two(ms / 60_000 % 60) + ":" + Self.two(ms / 1_000 % 60)
        let time = ms % 1_000 == 0 ? clock : clock + "." + String(1_000 + ms % 1_000).dropFirst()
        if self == .time, day == 0 { return time }
        let date: String
        if is1904 {
            guard let found = CalendarDay(daysSinceEpoch: day - 24_107) else { return nil }
            date = found.text
        } else if day == 60 {
            // Lotus thought 1900 a leap year, and Excel keeps that day.
            date = "1900-02-29"
        } else {
            guard day > 0, let found = CalendarDay(daysSinceEpoch: day < 60 ? day - 25_568 : day - 25_569) else {
                return day == 0 && ms > 0 ? time : nil
            }
            date = found.text
        }
        return ms == 0 && self != .dateTime ? date : date + " " + time
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Excel writes 17 digits where 15 are meant: the shortest text of the same number, without an exponent.
    private static func plain(_ raw: String, _ value: Double) -> String {
        if raw.utf8.count <= 15, raw.utf8.allSatisfy({ Ascii.isDigit($0) || $0 == Ascii.minus }) { return raw }
        if value == value.rounded(), abs(value) < 1e18 { return "\(Int64(value))" }
        let text = "\(value)"
        return text.contains("e") && abs(value) < 1e18 ? expanded(text) : text
    }

    /// `1.5e-05` -> `0.000015`.
    private static func expanded(_ text: String) -> String {
        let parts = text.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]), exponent < 0, exponent > -40 else { return text }
        let isNegative = parts[0].hasPrefix("-")
        let digits = parts[0].filter(\.isNumber)
        let trimmed = digits.count > 1 && digits.hasSuffix("0") && parts[0].hasSuffix(".0") ? digits.dropLast() : digits[...]
        return (isNegative ? "-" : "") + "0." + String(repeating: "0", count: -exponent - 1) + trimmed
    }
}
