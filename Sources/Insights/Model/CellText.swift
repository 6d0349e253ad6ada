import Foundation

/// Reading single cells: missing markers, numbers, yes and no.
package enum CellText {
    /// Texts that stand for "no value".
    static let missingMarkers: Set<String> = [
        "", "NA", "N/A", "n/a", "na", "#N/A", "null", "NULL", "Null", "\\N", "-", "--", "?", "NaN", "nan",
    ]

    /// The text without outer white space (full-width spaces and byte order marks included).
    package static func trimmed(_ text: String) -> String {
        // Nearly every cell is clean, and looking at two bytes is much cheaper than building a new string.
        if let first = text.utf8.first, let last = text.utf8.last, isClean(first), isClean(last) { return text }
        return text.trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "\u{feff}")))
    }

    /// A visible ASCII character.
    private static func isClean(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

    /// The trimmed text, or nil when it is a missing marker.
    package static func present(_ text: String) -> String? {
        let text = trimmed(text)
        return text.utf8.count <= 4 && missingMarkers.contains(text) ? nil : text
    }

    /// The number a cell shows: plain, with thousands separators (1,234.5 or 1.234,5), decimal comma, currency sign,
    /// percent sign, or in parentheses for negative. nil when it is not a finite number.
    package static func number(_ text: String) -> Double? {
        if let plain = plainNumber(text) { return plain }
        var body = text[...]
        var sign = 1.0
        if body.hasPrefix("("), body.hasSuffix(")") {
            sign = -1
            body = body.dropFirst().dropLast()
        }
        for mark in ["$", "€", "£", "¥", "￥", "US$", "RMB", "CNY", "+"] where body.hasPrefix(mark) {
            body = body.dropFirst(mark.count)
        }
        for mark in ["%", "％", "元", "$", "€"] where body.hasSuffix(mark) { body = body.dropLast(mark.count) }
        let digits = trimmed(String(body))
        if let plain = plainNumber(digits) { return sign * plain }
        guard let joined = withoutSeparators(digits), let value = plainNumber(joined) else { return nil }
        return sign * value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func plainNumber(_ text: String) -> Double? {
        // `Double` also takes hexadecimal, "nan" and "infinity", which are never numbers in an extract.
        guard let first = text.utf8.first, first < 0x3a, text.utf8.count <= 40,
            text.utf8.allSatisfy({ isDigit($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e || $0 | 0x20 == 0x65 }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// The digits with "." as decimal point, when commas and points are placed as separators are.
    private static func withoutSeparators(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ isDigit($0) || $0 == 0x2c || $0 == 0x2e || $0 == 0x2d }) else { return nil }
        let lastComma = text.lastIndex(of: ",")
        let lastPoint = text.lastIndex(of: ".")
        guard let lastComma else { return nil }
        let commaIsDecimal: Bool
        if let lastPoint {
            commaIsDecimal = lastComma > lastPoint
        } else {
            // One comma without three digits behind it is a decimal comma: 12,5.
            let behind = text.distance(from: lastComma, to: text.endIndex) - 1
            commaIsDecimal = text.filter { $0 == "," }.count == 1 && behind != 3
        }
        let separator: Character = commaIsDecimal ? "." : ","
        let decimal: Character = commaIsDecimal ? "," : "."
        let parts = text.split(separator: decimal, omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return nil }
        let groups = parts[0].split(separator: separator, omittingEmptySubsequences: false)
        guard groups.dropFirst().allSatisfy({ $0.count == 3 }), (1...4).contains(groups[0].count) else { return nil }
        return groups.joined() + (parts.count == 2 ? "." + parts[1] : "")
    }

    private static let yesWords: Set<String> = ["yes", "y", "true", "t", "1", "1.0", "是", "有", "真"]
    private static let noWords: Set<String> = ["no", "n", "false", "f", "0", "0.0", "否", "无", "没有", "假"]

    /// Whether a cell says yes or no; nil for anything else.
    package static func boolean(_ text: String) -> Bool? {
        guard text.utf8.count <= 12 else { return nil }
        let word = text.lowercased()
        if yesWords.contains(word) { return true }
        return noWords.contains(word) ? false : nil
    }

    /// Two numbers "latitude, longitude" within their ranges.
    package static func coordinates(_ text: String) -> (latitude: Double, longitude: Double)? {
        let parts = text.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == " " })
        guard parts.count == 2, let latitude = Double(parts[0]), let longitude = Double(parts[1]),
            abs(latitude) <= 90, abs(longitude) <= 180, text.contains(".")
        else { return nil }
        return (latitude, longitude)
    }
}
