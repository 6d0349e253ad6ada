/// A number as people write it: sign, currency sign, grouped digits, decimals, exponent.
struct NumberText {
    private(set) var isNegative = false
    /// All digits as one integer, without the decimal point; nil beyond 19 digits.
    private(set) var digits: UInt64? = 0
    /// Digits after the decimal point.
    private(set) var scale = 0
    private(set) var integerDigits = 0
    private(set) var exponent: Int?
    private(set) var hasLeadingZero = false
    private(set) var isGrouped = false
    private(set) var currency: Currency?

    enum Currency: CaseIterable {
        case yuan, dollar, euro, pound

        /// Signs before or behind the amount, longest first.
        static let signs: [(bytes: [UInt8], currency: Currency)] = [
            (Array("US$".utf8), .dollar), (Array("HK$".utf8), .dollar), (Array("NT$".utf8), .dollar),
            (Array("RMB".utf8), .yuan), (Array("CNY".utf8), .yuan), (Array("￥".utf8), .yuan), (Array("元".utf8), .yuan),
            (Array("€".utf8), .euro), (Array("¥".utf8), .yuan), (Array("£".utf8), .pound), (Array("$".utf8), .dollar),
        ]
    }

    var isInteger: Bool { scale == 0 && exponent == nil }

    /// - Parameters:
    ///   - text: trimmed.
    ///   - decimal: `.` or `,`; the other one may group digits by three.
    init?(_ text: Bytes, decimal: UInt8 = Ascii.dot) {
        var at = 0, end = text.count
        takeSign(text, &at, end)
        takeCurrency(text, &at, &end)
        if !isNegative { takeSign(text, &at, end) }
        guard at < end, takeDigits(text, &at, end, decimal), takeExponent(text, &at, end), at == end else { return nil }
    }

    /// Digits, maybe grouped, an optional sign, point and exponent, nothing else: what a spreadsheet reads as a number.
    static func isSigned(_ text: Bytes) -> Bool {
        guard let number = NumberText(text) else { return false }
        return number.currency == nil
    }

    /// The value; exact rounding of the decimal text.
    func value(_ text: Bytes, decimal: UInt8 = Ascii.dot) -> Double? {
        if let digits, digits <= 1 << 53, scale <= 22, exponent == nil {
            let magnitude = Double(digits) / NumberText.powers[scale]
            return isNegative ? -magnitude : magnitude
        }
        let kept = text.compactMap { byte -> UInt8? in
            switch byte {
            case decimal: Ascii.dot
            case Ascii.zero...Ascii.nine, Ascii.plus, Ascii.minus, UInt8(ascii: "e"), UInt8(ascii: "E"): byte
            default: nil
            }
        }
        let cleaned = String(decoding: currency == nil ? kept : kept.filter { $0 < 0x40 }, as: UTF8.self)
        return Double(cleaned).flatMap { $0.isFinite ? $0 : nil }
    }

    /// The value in units of 10^-`places`, exactly; nil when decimals would be lost or Int64 is too small.
    func scaled(places: Int) -> Result<Int64, ValueFailure> {
        guard var magnitude = digits else { return .failure(.outOfRange) }
        var shift = places - scale + (exponent ?? 0)
        if magnitude == 0 { return .success(0) }
        while shift > 0 {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            if overflow { return .failure(.outOfRange) }
            magnitude = product
            shift -= 1
        }
        while shift < 0 {
            guard magnitude % 10 == 0 else { return .failure(places == 0 ? .notAnInteger : .tooManyDecimals) }
            magnitude /= 10
            shift += 1
        }
        if isNegative, magnitude == UInt64(Int64.max) + 1 { return .success(.min) }
        guard let value = Int64(exactly: magnitude) else { return .failure(.outOfRange) }
        return .success(isNegative ? -value : value)
    }

    private static let powers: [Double] = (0...22).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

    private mutating func takeSign(_ text: Bytes, _ at: inout Int, _ end: Int) {
        guard at < end, text[at] == Ascii.minus || (text[at] == Ascii.plus && currency == nil) else { return }
        isNegative = text[at] == Ascii.minus
        at += 1
    }

    private mutating func takeCurrency(_ text: Bytes, _ at: inout Int, _ end: inout Int) {
        guard at < end, !Ascii.isDigit(text[at]) || !Ascii.isDigit(text[end - 1]) else { return }
        for (sign, found) in Currency.signs where end - at > sign.count {
            if text[at] == sign[0], text[at..<at + sign.count].elementsEqual(sign) {
                at += sign.count
                currency = found
            } else if text[end - 1] == sign[sign.count - 1], text[(end - sign.count)..<end].elementsEqual(sign) {
                end -= sign.count
                currency = found
            } else {
                continue
            }
            while at < end, text[at] == Ascii.space { at += 1 }
            while end > at, text[end - 1] == Ascii.space { end -= 1 }
            return
        }
    }

    private mutating func takeDigits(_ text: Bytes, _ at: inout Int, _ end: Int, _ decimal: UInt8) -> Bool {
        let group = decimal == Ascii.dot ? Ascii.comma : Ascii.dot
        var inGroup = 0
        let first = at
        while at < end {
            let byte = text[at]
            if Ascii.isDigit(byte) {
                take(byte)
                inGroup += 1
                integerDigits += 1
            } else if byte == group, inGroup > 0, isGrouped ? inGroup == 3 : inGroup <= 3 {
                isGrouped = true
                inGroup = 0
            } else {
                break
            }
            at += 1
        }
        if isGrouped, inGroup != 3 { return false }
        hasLeadingZero = integerDigits > 1 && text[first] == Ascii.zero
        guard at < end, text[at] == decimal else { return integerDigits > 0 }
        at += 1
        while at < end, Ascii.isDigit(text[at]) {
            take(text[at])
            scale += 1
            at += 1
        }
        return integerDigits + scale > 0
    }

    private mutating func takeExponent(_ text: Bytes, _ at: inout Int, _ end: Int) -> Bool {
        guard at < end, text[at] | 0x20 == UInt8(ascii: "e") else { return true }
        at += 1
        let isMinus = at < end && text[at] == Ascii.minus
        if at < end, isMinus || text[at] == Ascii.plus { at += 1 }
        let start = at
        var value = 0
        while at < end, Ascii.isDigit(text[at]) {
            value = min(9_999, value * 10 + Int(text[at] - Ascii.zero))
            at += 1
        }
        exponent = isMinus ? -value : value
        return at > start
    }

    private mutating func take(_ byte: UInt8) {
        guard let known = digits else { return }
        let (tens, overflow) = known.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - Ascii.zero))
        digits = overflow || carry ? nil : sum
    }
}
