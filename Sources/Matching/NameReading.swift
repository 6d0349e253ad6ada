/// Whether two names are one name, written otherwise: 陳國華 and `Chen Guohua`, `GUOHUA CHEN`.
package enum NameReading {
    private static let standardiser = Standardiser(kind: .fullName)

    package static func isSame(_ a: String, _ b: String) -> Bool {
        guard let x = standardiser.value(a), let y = standardiser.value(b) else { return false }
        return Comparison.level(.fullName, x, y) <= sound
    }

    /// `same_sound` of `Comparison.names`.
    private static let sound: UInt8 = 1
}
