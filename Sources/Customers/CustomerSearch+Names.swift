import Kernel
import Matching
import Platform
import Storage

/// How names are looked for, in characters, as they are read, in letters and mistyped.
extension IndexedSearch {
    /// Every word must occur: Chinese characters in their order, of Latin words their beginning, or that of what is left of
    /// them from the second letter on.
    mutating func lookForNames(_ name: SearchName) throws {
        let words = name.words.prefix(FormerSearch.wordsMax)
        guard let first = words.first else { return }
        let han = words.filter { $0.script == .han }
        let letters = words.filter { $0.script == .letters }
        let terms = han.map(Self.term)
        try look(.token(.name, name.compact), .name)
        if letters.isEmpty {
            if let start = first.scalars.first {
                try lookForHan(.all([.token(.first, String(start))] + terms), Array(han))
            }
            try lookForHan(.all(terms), Array(han))
            if found.isEmpty, han.count == 1 { try lookForGaps(han[0]) }
            return
        }
        try lookForHan(.all(terms + letters.map { .token(.word, $0.text) }), Array(han))
        if letters.allSatisfy(\.isPlain) { try lookForReadings(Array(letters), Array(han), terms) }
        if han.count == 1, letters.count == 1, letters[0].isPlain { try lookForNextInitial(letters[0], han[0]) }
        // A single letter alone would be nearly everybody.
        if words.count > 1 || first.scalars.count > 1 {
            try lookForHan(.all(terms + letters.map { .prefix(.word, $0.text) }), Array(han))
        }
        guard found.isEmpty else { return }
        if letters.count == 1, han.isEmpty, let slipped = SearchPinyin.Slipped(letters[0].text) {
            try lookAtNames(slipped.term) { slipped.matches($0) }
        }
        try lookForMistyped(Array(letters), Array(han), terms)
    }

    /// `深圳华强` of 深圳市华强电子有限公司: the characters in their order, with others between.
    private mutating func lookForGaps(_ han: SearchName.Word) throws {
        guard han.scalars.count >= 3 else { return }
        let characters = Set(han.scalars.prefix(SearchText.hanMax)).sorted().map { SearchTerm.token(.character, String($0)) }
        try lookAtNames(.all(characters)) { name in
            name.words.contains { word in
                guard word.script == .han else { return false }
                var wanted = han.scalars[...]
                for scalar in word.scalars where scalar == wanted.first { wanted = wanted.dropFirst() }
                return wanted.isEmpty
            }
        }
    }

    /// Whether every word that was typed is one of the name: characters of it, the beginning of a word, or how it is read.
    static func isCalled(_ name: SearchName, _ typed: SearchName) -> Bool {
        let han = typed.words.filter { $0.script == .han }
        return holds(name, Array(han))
            && typed.words.filter { $0.script == .letters }.allSatisfy { word in
                name.words.contains { $0.script == .letters && $0.text.hasPrefix(word.text) }
                    || SearchPinyin.word(word.text, isAlone: false).map { SearchPinyin.matches(name, $0) } ?? false
            }
    }

    /// `张w`: characters, and the first letter of the next one. Of two letters and more the index has the initials.
    private mutating func lookForNextInitial(_ letter: SearchName.Word, _ han: SearchName.Word) throws {
        guard let last = han.scalars.last, letter.scalars.count == 1, let initial = letter.text.utf8.first else { return }
        let starts = Set(Han.readings(last, isFirst: han.scalars.count == 1).compactMap(\.first)).sorted()
        guard !starts.isEmpty else { return }
        let pairs = starts.map { SearchTerm.prefix(.initials, String(decoding: [$0, initial], as: UTF8.self)) }
        try lookAtNames(.all([Self.term(han), .any(pairs)])) { name in
            name.words.contains { $0.script == .han && Self.goesOn($0, after: han.scalars, with: initial) }
        }
    }

    private static func goesOn(_ word: SearchName.Word, after part: [Unicode.Scalar], with initial: UInt8) -> Bool {
        guard word.scalars.count > part.count else { return false }
        let readings = word.readings
        return (0..<word.scalars.count - part.count).contains { start in
            Array(word.scalars[start..<start + part.count]) == part
                && readings[start + part.count].contains { $0.first == initial }
        }
    }

    private static func term(_ word: SearchName.Word) -> SearchTerm {
        let characters = word.scalars.prefix(SearchText.hanMax).map { String($0) }
        if characters.count == 1 { return .token(.character, characters[0]) }
        return .all(zip(characters, characters.dropFirst()).map { .token(.character, $0 + $1) })
    }

    /// Pairs of characters are in the index; of three and more the name has the last word.
    private mutating func lookForHan(_ term: SearchTerm, _ han: [SearchName.Word]) throws {
        guard han.contains(where: { $0.scalars.count > 2 }) else { return try look(term, .name) }
        try lookAtNames(term) { Self.holds($0, han) }
    }

    private static func holds(_ name: SearchName, _ han: [SearchName.Word]) -> Bool {
        let words = name.words.filter { $0.script == .han }.map(\.whole)
        return han.allSatisfy { part in words.contains { $0.contains(part.whole) } }
    }

    private mutating func lookForReadings(
        _ letters: [SearchName.Word], _ han: [SearchName.Word], _ terms: [SearchTerm]
    ) throws {
        if letters.count == 1, (2...Self.initialsMax).contains(letters[0].scalars.count) {
            try lookForHan(.all(terms + [.prefix(.initials, letters[0].text)]), han)
        }
        let readings = letters.compactMap { SearchPinyin.word($0.text, isAlone: letters.count == 1 && han.isEmpty) }
        if readings.count == letters.count, letters.contains(where: { $0.scalars.count > 1 }) {
            try lookAtNames(.all(terms + readings.map(SearchPinyin.term))) { name in
                readings.allSatisfy { SearchPinyin.matches(name, $0) } && Self.holds(name, han)
            }
        }
        if found.isEmpty, han.isEmpty { try lookForShortened(letters) }
    }

    /// `liujj`: the surname as it is read, and of the given name the first letters only. Of 刘娟娟, and of a name that is
    /// stored in letters.
    private mutating func lookForShortened(_ letters: [SearchName.Word]) throws {
        guard let short = SearchPinyin.Shortened(letters.map(\.text).joined()) else { return }
        try lookAtNames(short.term) { short.matches($0) }
        if found.isEmpty { try lookAtNames(short.termOfLetters) { short.isSpelled($0) } }
    }

    private mutating func lookForMistyped(
        _ letters: [SearchName.Word], _ han: [SearchName.Word], _ terms: [SearchTerm]
    ) throws {
        var isNear = false
        let near = try letters.map { word -> SearchTerm in
            let others = try SearchWords.near(word.text, session)
            isNear = isNear || !others.isEmpty
            return .any([.prefix(.word, word.text)] + others.map { .token(.word, $0) })
        }
        if isNear { try lookForHan(.all(terms + near), han) }
        // Words of two and three letters are not kept, but what they may have been meant as is soon told. The index holds ends
        // of words too, so the stored name decides.
        let isShort = letters.map { (2..<SearchWords.lettersMin).contains($0.scalars.count) && $0.isPlain }
        let long = zip(near, isShort).filter { !$0.1 }.map(\.0)
        guard found.isEmpty, isShort.contains(true), !long.isEmpty else { return }
        let short = zip(letters, isShort).filter(\.1).map(\.0.text)
        let meant = short.map { typed in SearchTerm.any(SearchWords.slips(of: typed).map { .token(.word, $0) }) }
        try lookAtNames(.all(terms + long + meant)) { name in
            let words = name.words.filter { $0.script == .letters }.map(\.whole)
            return Self.holds(name, han) && short.allSatisfy { typed in words.contains { SearchWords.isSlip(typed, $0) } }
        }
    }

    private mutating func lookAtNames(_ term: SearchTerm, _ isMeant: (SearchName) -> Bool) throws {
        let session = session
        try look(term) { ids in
            var result: [(CustomerID, SearchMatch.Way)] = []
            for chunk in ids.chunked(Limits.sqlListChunk) {
                let names = try CardStore.names(chunk, session)
                result += chunk.filter { id in names[id].map { isMeant(SearchName($0.displayName)) } ?? false }
                    .map { ($0, .name) }
            }
            return result
        }
    }
}
