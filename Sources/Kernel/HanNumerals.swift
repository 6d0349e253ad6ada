/// Chinese numerals as they stand in dates: 七十八 is 78, 一百零三 is 103, 一九八九 is 1989.
package enum HanNumerals {
    private static let digits: [Unicode.Scalar: Int] = [
        "〇": 0, "零": 0, "○": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
    ]
    private static let tens: [Unicode.Scalar: Int] = ["十": 10, "廿": 20, "卅": 30]

    /// Whether the character is part of such a number: a digit, 十, 廿, 卅 or 百.
    package static func contains(_ scalar: Unicode.Scalar) -> Bool {
        digits[scalar] != nil || tens[scalar] != nil || scalar == "百"
    }

    /// A run of numerals in decimal digits.
    /// - Returns: nil when they do not make a number (三二十), or more digits than a year has.
    package static func decimal(_ run: [Unicode.Scalar]) -> String? {
        guard !run.isEmpty, run.count <= 6 else { return nil }
        if run.allSatisfy({ digits[$0] != nil }) { return run.compactMap { digits[$0].map(String.init) }.joined() }
        var total = 0, one: Int?
        for scalar in run {
            if let digit = digits[scalar] {
                guard one == nil || one == 0 else { return nil }
                one = digit
            } else if scalar == "百" {
                guard total == 0 else { return nil }
                (total, one) = (100 * (one ?? 1), nil)
            } else if let ten = tens[scalar] {
                guard total % 100 == 0, ten == 10 || one == nil else { return nil }
                (total, one) = (total + (ten == 10 ? 10 * max(1, one ?? 1) : ten), nil)
            } else {
                return nil
            }
        }
        return String(total + (one ?? 0))
    }

    /// The text of a date with its numerals in decimal digits; 元 of 元年 is 1. A text without 年 stays as it is, and so
    /// does what makes no number.
    package static func inDigits(_ text: String) -> String {
        guard text.contains("年") else { return text }
        var out = String.UnicodeScalarView(), run: [Unicode.Scalar] = []
        func close() {
            out.append(contentsOf: decimal(run)?.unicodeScalars ?? String.UnicodeScalarView(run))
            run.removeAll()
        }
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            if contains(scalar) {
                run.append(scalar)
                continue
            }
            close()
            out.append(scalar == "元" && rest.first == "年" ? "1" : scalar)
        }
        close()
        return String(out)
    }
}
