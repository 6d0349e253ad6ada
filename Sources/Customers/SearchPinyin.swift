import Kernel
import Matching

/// Chinese names typed in Latin letters: `wang xiaoming`, `wangxiaom`, `xiaoming`.
enum SearchPinyin {
    /// The letters typed so far, read as syllables of which the last may be unfinished.
    struct Word: Sendable {
        let letters: [UInt8]
        /// `xian` is one syllable or two.
        let ways: [[[UInt8]]]
        /// The last syllable is finished too.
        var isWhole = false
    }

    private static let syllableMax = 6
    private static let waysMax = 16
    /// What a syllable may begin with -> the syllables. They are looked for one by one: an engine walks their lists as far as is
    /// asked, while those of a prefix it first merges whole.
    private static let beginnings: [[UInt8]: [SearchTerm]] = {
        var result: [[UInt8]: [SearchTerm]] = [:]
        for syllable in Han.syllables.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let term = SearchTerm.token(.syllable, String(decoding: syllable, as: UTF8.self))
            for count in 1...syllable.count { result[Array(syllable.prefix(count)), default: []].append(term) }
        }
        return result
    }()

    /// - Parameter isAlone: nothing else was typed. Two letters are a syllable then: all that begins with them would be a fifth of
    ///   the base (`zh`), which one engine has to collect before it gives the first.
    /// - Returns: `nil` when the letters are no syllables.
    static func word(_ text: String, isAlone: Bool) -> Word? {
        let letters = PinyinUmlaut.typed(text.utf8)
        if isAlone, letters.count <= 2 {
            return Han.syllables.contains(letters) ? Word(letters: letters, ways: [[letters]], isWhole: true) : nil
        }
        var ways: [[[UInt8]]] = []
        // From where nothing can be read to the end: without it, what is nearly syllables would be tried in every way.
        var dead: Set<Int> = []
        func read(from start: Int, _ before: [[UInt8]]) {
            guard ways.count < waysMax, !dead.contains(start) else { return }
            let had = ways.count
            let rest = letters.count - start
            for count in stride(from: min(syllableMax, rest), to: 0, by: -1) {
                let piece = Array(letters[start..<start + count])
                if count == rest {
                    if beginnings[piece] != nil { ways.append(before + [piece]) }
                } else if Han.syllables.contains(piece) {
                    read(from: start + count, before + [piece])
                }
            }
            if ways.count == had { dead.insert(start) }
        }
        if !letters.isEmpty { read(from: 0, []) }
        return ways.isEmpty ? nil : Word(letters: letters, ways: ways)
    }

    /// The syllables that letters are made of; `nil` when they are no pinyin.
    static func syllables(_ text: String) -> [String]? {
        guard text.utf8.count >= 2, let word = word(text, isAlone: false) else { return nil }
        return word.ways.filter { way in way.last.map(Han.syllables.contains) ?? false }.min { $0.count < $1.count }?
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whoever has these syllables, in whatever order.
    static func term(_ word: Word) -> SearchTerm {
        .any(
            word.ways.map { way in
                .all(
                    way.enumerated().map { offset, piece in
                        offset == way.count - 1 && !word.isWhole
                            ? .any(beginnings[piece] ?? [])
                            : .token(.syllable, String(decoding: piece, as: UTF8.self))
                    })
            })
    }

    /// Whether some characters of the name that follow each other are read so.
    static func matches(_ name: SearchName, _ word: Word) -> Bool {
        name.words.contains { part in
            guard part.script == .han else { return false }
            let readings = part.readings
            if word.isWhole { return readings.contains { $0.contains(word.letters) } }
            return readings.indices.contains { begins(readings[$0...], word.letters[...]) }
        }
    }

    private static func begins(_ readings: ArraySlice<[[UInt8]]>, _ letters: ArraySlice<UInt8>) -> Bool {
        guard let first = readings.first else { return false }
        return first.contains { reading in
            if reading.starts(with: letters) { return true }
            guard letters.starts(with: reading) else { return false }
            return begins(readings.dropFirst(), letters.dropFirst(reading.count))
        }
    }
}
