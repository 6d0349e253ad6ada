/// Text on a terminal, where Chinese characters take two columns and combining marks none.
package enum TerminalText {
    /// - Parameter limit: columns, with the sign that something was cut.
    package static func cut(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        var (result, used) = ("", 1)
        for character in text {
            used += width(String(character))
            if used > limit { break }
            result.append(character)
        }
        return result + "…"
    }

    package static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6, 0x20000...0x3FFFD:
                sum + 2
            default: scalar.properties.canonicalCombiningClass == .notReordered ? sum + 1 : sum
            }
        }
    }
}
