import Kernel

/// Two neighbouring letters exchanged, as a quick hand does it.
enum Slip {
    /// Whether one text is the other with two neighbouring letters exchanged, and is no other name for that: `zhnag` is a
    /// slip of `zhang`, `wie` of `wei`, but 安 `an` and 娜 `na` are two names. A name in pinyin that is exchanged into
    /// another name in pinyin tells nothing. Symmetric.
    static func isExchange(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
        guard a.count == b.count, a.count >= 3 else { return false }
        var at = 0
        while at < a.count, a[a.startIndex + at] == b[b.startIndex + at] { at += 1 }
        guard at + 1 < a.count else { return false }
        let (i, j) = (a.startIndex + at, b.startIndex + at)
        guard a[i] == b[j + 1], a[i + 1] == b[j], a[(i + 2)...].elementsEqual(b[(j + 2)...]) else { return false }
        return !(isPinyin(a) && isPinyin(b))
    }

    /// With those of a single letter, and those without a vowel, anything would be pinyin: `xi o a ming`.
    private static let syllables = Han.syllables.filter { syllable in
        syllable.count >= 2 && syllable.contains { "aeiou".utf8.contains($0) }
    }

    /// Whether the letters can be read as syllables one behind the other.
    static func isPinyin(_ letters: ArraySlice<UInt8>) -> Bool {
        // Which lengths from the start can be cut into syllables.
        var reached = [Bool](repeating: false, count: letters.count + 1)
        reached[0] = true
        for start in 0..<letters.count where reached[start] {
            for length in 1...min(6, letters.count - start) {
                let from = letters.startIndex + start
                if syllables.contains(Array(letters[from..<from + length])) { reached[start + length] = true }
            }
        }
        return reached[letters.count]
    }
}
