import Kernel
import Matching
import Storage

/// The words of names in Latin letters, for what was mistyped: one edit in words of four letters and more, two in those of
/// eight and more. An edit is a letter too many, too few or another one, or two that changed places.
///
/// Two words that are so near have a word in common that is left when each loses as many letters as edits are allowed, so each
/// word is kept under the hashes of all that may be left of it.
enum SearchWords {
    static let lettersMin = 4
    static let twoEditsFrom = 8
    /// Of longer words all that is left would be too much: they bear one edit.
    static let twoEditsTo = 16
    static let lettersMax = 32
    /// Near words that are looked for at most, nearest first.
    static let nearMax = 16

    /// Nobody's word is taken out again: it tells nothing of whose it was.
    static let insert: SQL = """
        INSERT INTO customers_search_word (variant, word) VALUES ($1, $2) ON CONFLICT (variant, word) DO NOTHING
        """
    static let words: SQL = "SELECT DISTINCT word FROM customers_search_word WHERE TRUE"

    /// The words of a name that are kept.
    static func words(_ name: String) -> [String] {
        // Most names of a Chinese base have no letters at all.
        guard name.utf8.contains(where: { (65...122).contains($0) || (0xC3...0xE2).contains($0) || $0 > 0xE9 }) else { return [] }
        return SearchName(name).words.filter { isKept($0) }.map(\.text)
    }

    private static func isKept(_ word: SearchName.Word) -> Bool {
        word.script == .letters && (lettersMin...lettersMax).contains(word.scalars.count) && word.isPlain
    }

    /// Keeps the words of these customers' names.
    static func note(_ records: [CustomerRecord], _ session: any SQLSession) throws {
        try note(Set(records.flatMap { words($0.party.displayName) }), session)
    }

    /// Keeps what is not kept yet.
    static func note(_ found: Set<String>, _ session: any SQLSession) throws {
        for chunk in found.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(words)
            builder.appendIn("AND variant", chunk.map { .int(hash(Array($0.utf8))) })
            let known = Set(try session.query(builder) { $0.text(0) })
            let rows = chunk.filter { !known.contains($0) }.flatMap { word in
                left(of: Array(word.utf8)).map { [SQLValue.int($0), .text(word)] }
            }
            try session.executeMany(insert, rows)
        }
    }

    /// Kept words that are near what was typed, nearest first, itself apart.
    static func near(_ typed: String, _ session: any SQLSession) throws -> [String] {
        let letters = Array(typed.utf8)
        guard (lettersMin...lettersMax).contains(letters.count), letters.allSatisfy({ (97...122).contains($0) }) else {
            return []
        }
        var builder = SQLBuilder(words)
        builder.appendIn("AND variant", left(of: letters).map { .int($0) })
        let candidates = try session.query(builder) { $0.text(0) }
        let found = candidates.compactMap { word -> (edits: Int, word: String)? in
            let other = Array(word.utf8)
            let edits = edits(letters, other)
            return edits > 0 && edits <= allowed(min(letters.count, other.count)) ? (edits, word) : nil
        }
        return found.sorted { ($0.edits, $0.word) < ($1.edits, $1.word) }.prefix(nearMax).map(\.word)
    }

    static func allowed(_ letters: Int) -> Int {
        letters < lettersMin ? 0 : (twoEditsFrom...twoEditsTo).contains(letters) ? 2 : 1
    }

    /// Whether one of two words, of which one is too short to be kept, is the other with one letter more, less or another one, or
    /// with two that changed places. Of two letters only the places may be wrong: one letter of two is another word.
    static func isSlip(_ typed: String, _ word: String) -> Bool {
        let (a, b) = (Array(typed.utf8), Array(word.utf8))
        guard a.count + b.count > 4 else { return a.count == b.count && a.sorted() == b.sorted() }
        return abs(a.count - b.count) <= 1 && edits(a, b) <= 1
    }

    /// All that such a word may have been meant as, for the index to be asked: itself is among them.
    static func slips(of typed: String) -> [String] {
        let letters = Array(typed.utf8), alphabet = UInt8(ascii: "a")...UInt8(ascii: "z")
        var found: Set<[UInt8]> = [letters]
        for place in letters.indices.dropLast() {
            var other = letters
            other.swapAt(place, place + 1)
            found.insert(other)
        }
        if letters.count > 2 {
            for place in letters.indices {
                var rest = letters
                rest.remove(at: place)
                found.insert(rest)
                for letter in alphabet {
                    var other = letters
                    other[place] = letter
                    found.insert(other)
                }
            }
            for place in 0...letters.count {
                for letter in alphabet {
                    var longer = letters
                    longer.insert(letter, at: place)
                    found.insert(longer)
                }
            }
        }
        return found.map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// Hashes of the word and of all that is left of it without the allowed number of letters; each once, sorted.
    static func left(of word: [UInt8]) -> [Int64] {
        var all: Set<[UInt8]> = [word]
        var last: Set<[UInt8]> = [word]
        for _ in 0..<allowed(word.count) {
            last = Set(
                last.flatMap { text in
                    text.indices.map { place in
                        var rest = text
                        rest.remove(at: place)
                        return rest
                    }
                })
            all.formUnion(last)
        }
        return Set(all.map(hash)).sorted()
    }

    private static func hash(_ word: [UInt8]) -> Int64 { Int64(bitPattern: StableHash.of(word)) }

    /// The distance of Damerau and Levenshtein in which no part is changed twice (optimal string alignment).
    static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var older = [Int](repeating: 0, count: b.count + 1)
        var old = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], older[j - 2] + 1) }
            }
            (older, old) = (old, row)
        }
        return old[b.count]
    }
}
