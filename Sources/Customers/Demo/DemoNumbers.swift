import Kernel

/// Numbers that look right, pass their check digits, and can belong to nobody: the identity numbers use a region code
/// that GB/T 2260 does not assign, the telephone numbers a prefix that is given to no network.
enum DemoNumbers {
    /// None of these is a province of GB/T 2260; the second is for persons beyond five million.
    static let regions = ["99", "98", "97", "96"]
    static let region = regions[0]
    /// Neither 142 nor 143 is an assigned mobile prefix of China.
    static let mobilePrefixes = ["142", "143"]

    private static let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    private static let checks = Array("10X98765432".utf8)

    /// An 18-character citizen identity number (GB 11643-1999; check character by ISO 7064 MOD 11-2).
    /// - Parameter index: after 20,000,000 persons the numbers may meet again. The order digit is odd for men and even
    ///   for women, as the standard wants.
    static func identity(birth: LocalDate, index: Int, female: Bool) -> String {
        let order = index % 500 * 2 + (female ? 0 : 1)
        let day = birth.description.filter { $0 != "-" }
        let head = regions[index / 5_000_000 % regions.count] + padded(index / 500 % 10_000, 4) + day + padded(order, 3)
        return head + String(UnicodeScalar(checkCharacter(head)))
    }

    /// The check character of 17 digits.
    static func checkCharacter(_ head: String) -> UInt8 {
        var sum = 0
        for (weight, byte) in zip(weights, head.utf8) { sum += weight * Int(byte - 48) }
        return checks[sum % 11]
    }

    private static let creditAlphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
    private static let creditWeights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]

    /// A unified social credit identifier (GB 32100-2015, check character by MOD 31) in the unassigned region.
    static func credit(_ number: Int) -> String {
        let head = "91" + region + "0000" + padded(number % 1_000_000_000, 9)
        var sum = 0
        for (weight, byte) in zip(creditWeights, head.utf8) {
            sum += weight * (creditAlphabet.firstIndex(of: byte) ?? 0)
        }
        return head + String(UnicodeScalar(creditAlphabet[(31 - sum % 31) % 31]))
    }

    /// The `index`-th mobile number, E.164: a one-to-one scramble of 0..<200,000,000, so no two lines share one.
    static func msisdn(_ index: Int) -> String {
        // 73,939,133 is odd and no multiple of 5, so the map is a permutation of 10^8.
        let block = index / 100_000_000
        let scrambled = (index % 100_000_000 * 73_939_133 + 41_718_293) % 100_000_000
        return "+86" + mobilePrefixes[block % mobilePrefixes.count] + padded(scrambled, 8)
    }

    /// A 20-digit ICCID with its Luhn digit (ITU-T E.118), in a range of no issuer.
    static func iccid(_ index: Int) -> String {
        let head = "898699" + padded(index, 13)
        return head + String(luhn(head))
    }

    /// A 15-digit IMSI with the test network's code (MCC 001, MNC 01; ITU-T E.212).
    static func imsi(_ index: Int) -> String { "00101" + padded(index, 10) }

    /// A 15-digit IMEI with its Luhn digit, in the range of test devices (reporting body 00; GSMA TS.06).
    static func imei(_ index: Int) -> String {
        let head = "0010" + padded(index, 10)
        return head + String(luhn(head))
    }

    static func luhn(_ digits: String) -> Int {
        var sum = 0
        for (offset, byte) in digits.utf8.reversed().enumerated() {
            let digit = Int(byte - 48) * (offset % 2 == 0 ? 2 : 1)
            sum += digit > 9 ? digit - 9 : digit
        }
        return (10 - sum % 10) % 10
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
