import Kernel

/// The People's Republic's citizen identity number, GB 11643-1999: 17 digits and a check character by ISO 7064 MOD
/// 11-2;
/// before 1999 15 digits, without century and check character.
package struct IdentityNumber: Hashable, Sendable {
    /// 18 characters, the check character in upper case.
    package let text: String
    package let birthDate: LocalDate

    /// - Returns: `nil` unless the number has the right length, a birth date that exists and the right check character.
    package init?(_ written: some StringProtocol) {
        var digits: [UInt8] = []
        for scalar in written.unicodeScalars {
            switch scalar.value {
            case 48...57: digits.append(UInt8(scalar.value))
            case 0xFF10...0xFF19: digits.append(UInt8(scalar.value - 0xFF10 + 48))
            case 0x58, 0x78, 0xFF38, 0xFF58: digits.append(88)
            case 0x20, 0x2D, 0x3000: continue
            default: return nil
            }
        }
        if digits.count == 15, !digits.contains(88) {
            digits.insert(contentsOf: [49, 57], at: 6)
            digits.append(Self.check(digits))
        }
        guard digits.count == 18, !digits[..<17].contains(88), digits[17] == Self.check(Array(digits[..<17])),
            digits[0] != 48
        else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1 - 48) } }
        guard let date = LocalDate(year: number(6..<10), month: number(10..<12), day: number(12..<14)),
            (1850...2100).contains(date.year)
        else { return nil }
        text = String(decoding: digits, as: UTF8.self)
        birthDate = date
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
}
