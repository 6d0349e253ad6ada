import Kernel
import Storage
import Web

/// What a person typed into a form, as a value of a field's kind.
enum FieldText {
    /// - Returns: `.null` for a blank.
    /// - Throws: `FieldRefusal` in words for the person.
    static func value(_ text: String, _ kind: ImportFieldKind, countryCode: String, currency: String)
        throws(FieldRefusal) -> SQLValue
    {
        let text = text.trimmed
        guard !text.isEmpty else { return .null }
        switch kind {
        case .text(let max):
            guard text.unicodeScalars.count <= max else {
                throw FieldRefusal("too_long", en: "At most \(max) characters.", zh: "最多 \(max) 个字符。")
            }
            guard !text.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\n" && $0 != "\r" && $0 != "\t" })
            else {
                throw FieldRefusal("control", en: "Control characters are not allowed.", zh: "不允许控制字符。")
            }
            return .text(text)
        case .integer:
            guard let int = Int64(text.replacing(",", with: "")) else {
                throw FieldRefusal("integer", en: "A whole number is expected.", zh: "请输入整数。")
            }
            return .int(int)
        case .decimal:
            guard let double = Double(text.replacing(",", with: "")), double.isFinite else {
                throw FieldRefusal("decimal", en: "A number is expected.", zh: "请输入数字。")
            }
            return .double(double)
        case .money:
            guard let minor = minorUnits(text, currency) else {
                throw FieldRefusal("money", en: "An amount is expected, such as 199.00.", zh: "请输入金额，例如 199.00。")
            }
            return .int(minor)
        case .boolean:
            switch Folding.fold(text) {
            case "yes", "true", "1", "是": return .bool(true)
            case "no", "false", "0", "否": return .bool(false)
            default: throw FieldRefusal("boolean", en: "Yes or no is expected.", zh: "请选择是或否。")
            }
        case .date:
            guard let date = LocalDate(text) else {
                throw FieldRefusal("date", en: "A date is expected, such as 2026-01-31.", zh: "请输入日期，例如 2026-01-31。")
            }
            return .text(date.description)
        case .time:
            throw FieldRefusal("time", en: "Times come with imports only.", zh: "时间只能通过导入写入。")
        case .phone:
            guard let number = PhoneNumber(text, defaultCountryCode: countryCode) else {
                throw FieldRefusal("phone", en: "This is not a telephone number.", zh: "电话号码格式不正确。")
            }
            return .text(number.e164)
        case .email:
            guard text.utf8.count <= 254 else {
                throw FieldRefusal("email", en: "This is not an e-mail address.", zh: "邮箱格式不正确。")
            }
            return .text(text)
        case .choice(let choices):
            guard let choice = choices.first(where: { $0.code == text }) else {
                throw FieldRefusal("choice", en: "Please choose one of the list.", zh: "请从列表中选择。")
            }
            return .text(choice.code)
        }
    }

    /// Whole units of an amount that a person may write.
    private static let wholeRange: ClosedRange<Int64> = -999_999_999_999...999_999_999_999

    /// `1,234.5` in minor units; `nil` for what is no amount or has more decimals than the currency.
    static func minorUnits(_ text: String, _ currency: String) -> Int64? {
        let places = Money.exponent(of: currency)
        let parts = text.replacing(",", with: "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]), wholeRange.contains(whole) else { return nil }
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        guard parts.count == 2 else { return whole * scale }
        guard parts[1].utf8.count <= places, parts[1].utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let fraction = Int64(parts[1] + String(repeating: "0", count: places - parts[1].utf8.count)) ?? 0
        return whole * scale + (parts[0].hasPrefix("-") ? -fraction : fraction)
    }

    /// A stored value as a form shows it.
    static func text(_ value: SQLValue, _ kind: ImportFieldKind, currency: String) -> String {
        switch (kind, value) {
        case (_, .null), (_, .bytes): ""
        case (.boolean, _): value.asBool.map { $0 ? "yes" : "no" } ?? ""
        case (.money, .int(let minor)): Money(minor: minor, currency: currency).amountText.replacing(",", with: "")
        case (.phone, .text(let number)): PhoneNumber(number)?.national() ?? number
        case (_, .text(let text)): text
        case (_, .int(let int)): String(int)
        case (_, .double(let double)):
            double == double.rounded() && abs(double) < 1e15 ? String(Int64(double)) : String(double)
        case (_, .bool(let bool)): bool ? "yes" : "no"
        }
    }
}
