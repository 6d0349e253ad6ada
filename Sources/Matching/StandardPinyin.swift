/// The vowel ü of pinyin: 吕 is `Lv` or `Lyu` in a passport, `Lu` in most other places and by the table of `Han`.
package enum PinyinUmlaut {
    private static let l = UInt8(ascii: "l"), n = UInt8(ascii: "n"), u = UInt8(ascii: "u")
    private static let v = UInt8(ascii: "v"), y = UInt8(ascii: "y")

    /// Each word with `lu` for `lv` and `lyu`, and `nu` for `nv` and `nyu`, when all of it can be read as pinyin then:
    /// Calvin and Lyudmila stay as they are.
    /// - Parameter latin: small letters, words apart by a space.
    /// - Returns: nil when nothing is written otherwise.
    static func plain(_ latin: [UInt8]) -> [UInt8]? {
        guard places(latin[...]) else { return nil }
        var result: [UInt8] = [], isOther = false
        result.reserveCapacity(latin.count)
        for word in latin.split(separator: 32) {
            if !result.isEmpty { result.append(32) }
            if places(word) {
                let read = typed(word)
                if isWhole(word), read.count >= 2, Slip.isPinyin(read[...]) {
                    result += read
                    isOther = true
                    continue
                }
            }
            result += word
        }
        return isOther ? result : nil
    }

    /// One word as it is typed, with `u` for the vowel.
    package static func typed(_ word: some Collection<UInt8>) -> [UInt8] {
        let letters = Array(word)
        var result: [UInt8] = []
        result.reserveCapacity(letters.count)
        for (place, letter) in letters.enumerated() {
            if letter == v, place > 0, letters[place - 1] == l || letters[place - 1] == n {
                result.append(u)
            } else if !isGlide(letters[...], place) {
                result.append(letter)
            }
        }
        return result
    }

    private static func places(_ text: ArraySlice<UInt8>) -> Bool {
        text.indices.dropFirst().contains { place in
            let before = text[place - 1]
            return (text[place] == v && (before == l || before == n)) || isGlide(text, place)
        }
    }

    /// The `y` of `lyu`. An `n` ends syllables too, so only the first letter of a word counts: `xinyu` is 新宇.
    private static func isGlide(_ text: ArraySlice<UInt8>, _ place: Int) -> Bool {
        guard text[place] == y, place > text.startIndex, place + 1 < text.endIndex, text[place + 1] == u else {
            return false
        }
        let before = text[place - 1]
        return before == l || (before == n && (place - 1 == text.startIndex || text[place - 2] == 32))
    }

    /// Whether the vowel is followed as it is in pinyin: by nothing, a consonant or an `e`. Silvan is not si-lü-an.
    private static func isWhole(_ word: ArraySlice<UInt8>) -> Bool {
        !word.indices.contains { place in
            let isVowel =
                place > word.startIndex
                && (word[place] == v || (word[place] == u && place - 1 > word.startIndex && isGlide(word, place - 1)))
            guard isVowel, place + 1 < word.endIndex else { return false }
            return "aiouv".utf8.contains(word[place + 1])
        }
    }
}
