/// The words of a column name, for rules that go by names.
package struct ColumnName: Sendable {
    /// Lower-case words of Latin letters and digits, split at other characters and at camel-case humps.
    package let words: [String]
    /// The name in lower case with nothing but letters and digits left, Chinese included.
    package let folded: String

    package init(_ full: String) {
        // What stands before the key of an attribute says nothing about it.
        let name = full.hasPrefix(ColumnNames.attributePrefix) ? String(full.dropFirst(5)) : full
        var words: [String] = []
        var word = ""
        var previous: Character = " "
        for character in name {
            let isLatin = character.isASCII && (character.isLetter || character.isNumber)
            // A hump starts a word: `monthlyCharges`; digits stay with the letters before them.
            let startsWord = character.isUppercase && (previous.isLowercase || previous.isNumber)
            if !isLatin || startsWord {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if isLatin { word += character.lowercased() }
            previous = character
        }
        if !word.isEmpty { words.append(word) }
        self.words = words
        folded = name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// Whether one of the words is one of `candidates`.
    package func has(_ candidates: Set<String>) -> Bool {
        words.contains { candidates.contains($0) }
    }

    /// Whether one of the words begins with one of `stems`.
    package func has(stems: [String]) -> Bool {
        words.contains { word in stems.contains { word.hasPrefix($0) } }
    }

    /// Whether one of the words ends with one of `endings`: keys of attributes have lost their humps (`churnscore`).
    package func ends(with endings: Set<String>) -> Bool {
        words.contains { word in endings.contains { word.hasSuffix($0) } }
    }

    /// Whether the folded name contains one of `parts`; meant for Chinese, where words are not set apart.
    package func contains(_ parts: [String]) -> Bool {
        parts.contains { folded.contains($0) }
    }
}
