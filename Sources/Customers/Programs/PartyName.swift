import Matching

extension Party {
    /// Gives somebody another whole name. The parts of a person's name that are known follow: what of them stands in the new name stays as
    /// it is, the rest is the other part; a name that has neither is taken apart as one of which nothing is known.
    mutating func call(_ name: String) {
        let old = self
        displayName = name
        guard kind == .individual, old.familyName != nil || old.givenName != nil, name != old.composedName else { return }
        let parts = Self.parts(of: name, like: old)
        familyName = parts.family.isEmpty ? nil : parts.family
        givenName = parts.given.isEmpty ? nil : parts.given
    }

    private static func parts(of name: String, like old: Party) -> (family: String, given: String) {
        let words = name.split(whereSeparator: \.isWhitespace).map(String.init)
        let isHan = name.unicodeScalars.first.map(SearchTokens.isHan) ?? false
        // 欧阳娜 has no space: its letters are what words are elsewhere.
        let isLetters = isHan && words.count == 1
        let pieces = isLetters ? name.map(String.init) : words
        func split(_ text: String?) -> [String] {
            isLetters ? (text ?? "").map(String.init) : (text ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        }
        func joined(_ pieces: some Sequence<String>) -> String { pieces.joined(separator: isLetters ? "" : " ") }
        func isSame(_ a: some Sequence<String>, _ b: [String]) -> Bool { a.map { $0.lowercased() } == b.map { $0.lowercased() } }
        let (family, given) = (split(old.familyName), split(old.givenName))
        if !family.isEmpty, pieces.count > family.count {
            let rest = pieces.count - family.count
            // 王芳 begins with the family, Fang Wang ends with it.
            let places = isHan ? [false, true] : [true, false]
            for isLast in places {
                let head = isLast ? pieces.suffix(family.count) : pieces.prefix(family.count)
                let tail = isLast ? pieces.prefix(rest) : pieces.suffix(rest)
                if isSame(head, family) { return (joined(head), joined(tail)) }
            }
        }
        if !given.isEmpty, pieces.count > given.count {
            let rest = pieces.count - given.count
            for isLast in isHan ? [true, false] : [false, true] {
                let head = isLast ? pieces.suffix(given.count) : pieces.prefix(given.count)
                let tail = isLast ? pieces.prefix(rest) : pieces.suffix(rest)
                if isSame(head, given) { return (joined(tail), joined(head)) }
            }
        }
        return PartyDocument.names(Party(kind: .individual, displayName: name))
    }
}
