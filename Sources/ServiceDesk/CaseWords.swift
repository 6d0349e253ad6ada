import Kernel

/// Words of a text, stored or typed, as they compare: in one width and case, without accents, simplified; Chinese characters apart
/// from letters. Long numbers are no words: they may be somebody's (`FreeText`).
struct CaseWords: Sendable {
    struct Word: Sendable, Hashable {
        let text: String
        let isHan: Bool
        var scalars: String.UnicodeScalarView { text.unicodeScalars }
    }

    /// Of a longer text the beginning is looked for.
    static let wordsMax = 200
    static let wordBytesMax = 60
    /// So many words of what was typed count.
    static let typedMax = 8
    /// From so many letters on, what was typed may be the beginning of a word.
    static let prefixMin = 3

    let words: [Word]

    init(_ text: String) {
        var words: [Word] = []
        var word = String.UnicodeScalarView()
        var isHan = false
        func end() {
            if !word.isEmpty, words.count < Self.wordsMax { words.append(Word(text: Self.cut(word), isHan: isHan)) }
            word = .init()
        }
        for scalar in Folding.fold(FreeText.withoutNumbers(text)).unicodeScalars {
            if Self.isHan(scalar) {
                if !isHan { end() }
                isHan = true
                word.append(Han.simplified(scalar))
            } else if Self.isKept(scalar) {
                if isHan { end() }
                isHan = false
                word.append(scalar)
            } else {
                end()
            }
        }
        end()
        self.words = words
    }

    /// The text in the index: `w` and a word of letters and digits, `c` and a Chinese character or two that follow each other.
    static func tokens(_ texts: [String?]) -> String {
        var seen: Set<String> = []
        var result: [String] = []
        func add(_ token: String) { if seen.insert(token).inserted { result.append(token) } }
        for text in texts {
            for word in text.map({ CaseWords($0).words }) ?? [] {
                if word.isHan {
                    let letters = word.scalars.map { String($0) }
                    for letter in letters { add("c" + letter) }
                    for (one, next) in zip(letters, letters.dropFirst()) { add("c" + one + next) }
                } else {
                    add("w" + word.text)
                }
            }
        }
        return result.joined(separator: " ")
    }

    /// What the index is asked, all of it; `nil` = it says too little to look for: two Chinese characters or a word of two letters it
    /// must have.
    var asked: [CaseIndex.Term]? {
        let typed = words.prefix(Self.typedMax)
        guard typed.contains(where: { $0.scalars.count >= 2 }),
            typed.contains(where: { word in word.scalars.contains { $0.properties.isAlphabetic } })
        else { return nil }
        return typed.flatMap { word -> [CaseIndex.Term] in
            if word.isHan {
                let letters = word.scalars.map { String($0) }
                if letters.count == 1 { return [CaseIndex.Term("c" + letters[0])] }
                return zip(letters, letters.dropFirst()).map { CaseIndex.Term("c" + $0 + $1) }
            }
            return [CaseIndex.Term("w" + word.text, isPrefix: word.scalars.count >= Self.prefixMin)]
        }
    }

    /// Whether every word that was typed stands in it: the index knows pairs of characters only.
    func holds(_ typed: CaseWords) -> Bool {
        typed.words.prefix(Self.typedMax).allSatisfy { one in
            words.contains { word in
                guard word.isHan == one.isHan else { return false }
                if one.isHan { return word.text.contains(one.text) }
                return word.text == one.text || (one.scalars.count >= Self.prefixMin && word.text.hasPrefix(one.text))
            }
        }
    }

    private static func cut(_ word: String.UnicodeScalarView) -> String {
        guard String(word).utf8.count > wordBytesMax else { return String(word) }
        var result = String.UnicodeScalarView()
        var left = wordBytesMax
        for scalar in word {
            left -= UTF8.width(scalar)
            guard left >= 0 else { break }
            result.append(scalar)
        }
        return String(result)
    }

    /// CJK ideographs, with extensions and the compatibility block.
    private static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF: true
        default: false
        }
    }

    /// Letters and digits of every script.
    static func isKept(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 48...57, 97...122: true
        case ..<0x80: false
        default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }
}
