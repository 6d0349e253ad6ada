/// A unified social credit code of the mainland (GB 32100-2015), which stands on the licence of every company and organisation:
/// 17 digits and letters and a check character by ISO 7064 MOD 31-3. Some are of digits alone and look like identity cards.
package struct CreditCode: Hashable, Sendable {
    package let text: String
    /// Without I, O, S, V and Z.
    private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
    private static let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    private static let length = 18

    /// - Returns: `nil` unless the text has the shape of one and its check character is right.
    package init?(_ written: some StringProtocol) {
        let signs = written.uppercased().utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
        guard signs.count == Self.length else { return nil }
        let values = signs.compactMap { Self.alphabet.firstIndex(of: $0) }
        guard values.count == Self.length else { return nil }
        let sum = zip(values, Self.weights).reduce(0) { $0 + $1.0 * $1.1 }
        guard values[Self.length - 1] == (31 - sum % 31) % 31 else { return nil }
        text = String(decoding: signs, as: UTF8.self)
    }
}
