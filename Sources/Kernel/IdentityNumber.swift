/// A number that a government gave to one person, in its standard form, its check digit right.
///
/// - Mainland China, GB 11643-1999: 17 digits and a check character by ISO 7064 MOD 11-2; before 1999 15 digits, without
///   century and check character.
/// - Taiwan: a letter, 1 (male) or 2 (female) and 8 digits, the last a check digit; residents of other nationality have 8 or
///   9 for the sex since 2021 and had a second letter (A to D) before.
/// - Hong Kong: one or two letters, six digits and a check character (0 to 9, A) in brackets.
/// - Macau: seven digits, the first 1, 5 or 7, and a check digit in brackets or behind slashes. How that digit is worked out
///   was never published, so the shape alone is known.
package struct IdentityNumber: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case mainland, taiwan
        case taiwanResident = "taiwan_resident"
        case taiwanResidentBefore2021 = "taiwan_resident_before_2021"
        case hongKong = "hong_kong"
        case macau
    }

    package enum Sex: String, Hashable, Sendable { case male, female }

    package let kind: Kind
    /// As cards show it: `11010519491231002X`, `A123456789`, `A123456(3)`, `1234567(8)`.
    package let text: String
    /// Of mainland numbers only.
    package let birthDate: LocalDate?
    /// Of mainland numbers and those of Taiwan.
    package let sex: Sex?

    /// Whether a check digit that anybody can work out is right.
    package var isChecked: Bool { kind != .macau }
    /// Letters and digits alone.
    package var compact: String { text.filter { $0 != "(" && $0 != ")" } }

    /// - Returns: `nil` unless the text has the shape of one of the kinds, and the check character and the date in it are right.
    package init?(_ written: some StringProtocol) {
        guard let signs = Signs(written) else { return nil }
        let found = Self.mainland(signs) ?? Self.taiwan(signs) ?? Self.hongKong(signs) ?? Self.macau(signs)
        guard let found else { return nil }
        self = found
    }

    private init(_ kind: Kind, _ text: some Sequence<UInt8>, birthDate: LocalDate? = nil, sex: Sex? = nil) {
        self.kind = kind
        self.text = String(decoding: Array(text), as: UTF8.self)
        (self.birthDate, self.sex) = (birthDate, sex)
    }

    /// A text without width, case, spaces and dashes.
    private struct Signs {
        /// Letters in upper case and digits.
        var plain: [UInt8] = []
        /// How many of them stand before the check character that is in brackets, or before and behind slashes.
        var bracket: Int?
        var slashes: [Int] = []
        private static let mostRead = 40

        init?(_ written: some StringProtocol) {
            var isOpen = false, isClosed = false
            for (place, scalar) in written.unicodeScalars.enumerated() {
                let value = (0xFF01...0xFF5E).contains(scalar.value) ? scalar.value - 0xFEE0 : scalar.value
                guard place < Self.mostRead else { return nil }
                switch value {
                case 0x20, 0x2D, 0x3000: continue
                case 0x30...0x39, 0x41...0x5A:
                    if isClosed { return nil }
                    plain.append(UInt8(value))
                case 0x61...0x7A:
                    if isClosed { return nil }
                    plain.append(UInt8(value - 32))
                case 0x28 where !isOpen: (isOpen, bracket) = (true, plain.count)
                case 0x29 where isOpen && !isClosed: isClosed = true
                case 0x2F: slashes.append(plain.count)
                default: return nil
                }
            }
            if isOpen, !isClosed || bracket != plain.count - 1 { return nil }
        }

        var isBare: Bool { bracket == nil && slashes.isEmpty }
        func areDigits(_ range: Range<Int>) -> Bool { plain[range].allSatisfy(IdentityNumber.isDigit) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    // MARK: Mainland

    private static func mainland(_ signs: Signs) -> Self? {
        var digits = signs.plain
        guard signs.isBare else { return nil }
        if digits.count == 15, signs.areDigits(0..<15) {
            digits.insert(contentsOf: [49, 57], at: 6)
            digits.append(check(digits))
        }
        guard digits.count == 18, digits[..<17].allSatisfy(isDigit), digits[17] == check(Array(digits[..<17])),
            digits[0] != 48
        else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1 - 48) } }
        guard let date = LocalDate(year: number(6..<10), month: number(10..<12), day: number(12..<14)),
            (1850...2100).contains(date.year)
        else { return nil }
        return Self(.mainland, digits, birthDate: date, sex: digits[16] % 2 == 1 ? .male : .female)
    }

    /// The check character of the first 17 digits.
    static func check(_ digits: [UInt8]) -> UInt8 {
        var weight = 1, sum = 0
        // From the right the weights are 2, 4, 8, 5, 10, 9, ... (powers of two modulo 11).
        for digit in digits.reversed() {
            weight = weight * 2 % 11
            sum += Int(digit - 48) * weight
        }
        return [49, 48, 88, 57, 56, 55, 54, 53, 52, 51, 50][sum % 11]
    }

    // MARK: Taiwan

    /// What a letter stands for, A to Z: the places that had offices in 1965 in the order of that time.
    private static let taiwanLetters = [
        10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33,
    ]

    private static func taiwan(_ signs: Signs) -> Self? {
        let text = signs.plain
        guard signs.isBare, text.count == 10, !isDigit(text[0]), signs.areDigits(2..<10) else { return nil }
        let kind: Kind, isMale: Bool
        var second = Int(text[1]) - 48
        switch text[1] {
        case 49, 50: (kind, isMale) = (.taiwan, text[1] == 49)
        case 56, 57: (kind, isMale) = (.taiwanResident, text[1] == 56)
        // A and C were for men, B and D for women.
        case 65...68:
            (kind, isMale) = (.taiwanResidentBefore2021, text[1] % 2 == 1)
            second = taiwanLetters[Int(text[1]) - 65] % 10
        default: return nil
        }
        let first = taiwanLetters[Int(text[0]) - 65]
        var sum = first / 10 + first % 10 * 9 + second * 8
        for (place, digit) in text[2..<9].enumerated() { sum += Int(digit - 48) * (7 - place) }
        guard (sum + Int(text[9] - 48)) % 10 == 0 else { return nil }
        return Self(kind, text, sex: isMale ? .male : .female)
    }

    // MARK: Hong Kong, Macau

    private static func hongKong(_ signs: Signs) -> Self? {
        let text = signs.plain
        guard signs.slashes.isEmpty else { return nil }
        // Two letters and seven digits without brackets are a passport of the mainland.
        let letters = text.prefix { !isDigit($0) }.count
        guard letters == 1 || (letters == 2 && signs.bracket != nil), text.count == letters + 7,
            signs.areDigits(letters..<letters + 6), let last = text.last, isDigit(last) || last == 65
        else { return nil }
        func value(_ byte: UInt8) -> Int { isDigit(byte) ? Int(byte) - 48 : Int(byte) - 55 }
        // A missing first letter counts 36.
        var sum = letters == 1 ? 36 * 9 : 0
        for (place, byte) in text.enumerated() { sum += value(byte) * (text.count - place) }
        guard sum % 11 == 0 else { return nil }
        return Self(.hongKong, text.dropLast() + [40, last, 41])
    }

    private static func macau(_ signs: Signs) -> Self? {
        let text = signs.plain
        guard text.count == 8, signs.areDigits(0..<8), [49, 53, 55].contains(text[0]), let last = text.last,
            signs.bracket == 7 && (signs.slashes.isEmpty || signs.slashes == [1])
                || signs.bracket == nil && signs.slashes == [1, 7]
        else { return nil }
        return Self(.macau, text.dropLast() + [40, last, 41])
    }
}
