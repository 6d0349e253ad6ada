import Kernel
import Matching

extension SearchPinyin {
    /// A name of which the beginning is written as it is read and the rest by first letters: `liujj`, `ouyangxy`, `zhangsh`.
    struct Shortened: Sendable {
        /// Of each character what was typed of its reading; the first `whole` of them whole.
        private struct Way {
            let pieces: [[UInt8]]
            let whole: Int
            var syllables: [[UInt8]] { Array(pieces.prefix(whole)) }
            var initials: [[UInt8]] { Array(pieces.dropFirst(whole)) }
        }

        private let ways: [Way]
        private static let wholeMax = 3
        private static let waysMax = 8
        /// More are no given name, and English words would be taken for names.
        private static let initialsMax = 4
        /// What syllables begin with: letters, and `zh`, `ch`, `sh`.
        private static let beginnings: Set<[UInt8]> = {
            var found = Set(Han.syllables.compactMap { $0.first.map { [$0] } })
            for pair in ["zh", "ch", "sh"] { found.insert(Array(pair.utf8)) }
            return found
        }()

        /// - Returns: `nil` when the letters are nothing of the kind. With one first letter it is an unfinished syllable, which
        ///   `Word` reads.
        init?(_ text: String) {
            let letters = PinyinUmlaut.typed(text.utf8)
            guard (4...SearchText.latinMax).contains(letters.count) else { return nil }
            var ways: [Way] = []
            func read(from start: Int, _ syllables: [[UInt8]]) {
                if !syllables.isEmpty {
                    for rest in Self.initials(letters[start...]) where ways.count < Shortened.waysMax {
                        ways.append(Way(pieces: syllables + rest, whole: syllables.count))
                    }
                }
                guard syllables.count < Shortened.wholeMax else { return }
                for count in stride(from: min(6, letters.count - start), to: 0, by: -1) {
                    let piece = Array(letters[start..<start + count])
                    if Han.syllables.contains(piece) { read(from: start + count, syllables + [piece]) }
                }
            }
            read(from: 0, [])
            guard !ways.isEmpty else { return nil }
            self.ways = ways
        }

        /// The letters as two and more first letters: one each, and with `zh`, `ch`, `sh` as one.
        private static func initials(_ letters: ArraySlice<UInt8>) -> [[[UInt8]]] {
            guard (2...initialsMax).contains(letters.count) else { return [] }
            let single = letters.map { [$0] }
            guard single.allSatisfy(beginnings.contains) else { return [] }
            var joined: [[UInt8]] = []
            for letter in letters {
                if let last = joined.last, beginnings.contains(last + [letter]) {
                    joined[joined.count - 1].append(letter)
                } else {
                    joined.append([letter])
                }
            }
            return joined.count == single.count ? [single] : joined.count < 2 ? [single] : [single, joined]
        }

        /// Whoever has these syllables, and these first letters behind each other.
        var term: SearchTerm {
            .any(
                ways.map { way in
                    .all(
                        way.syllables.map { .token(.syllable, String(decoding: $0, as: UTF8.self)) } + [
                            .prefix(.initials, String(decoding: way.pieces.compactMap(\.first), as: UTF8.self))
                        ])
                })
        }

        /// Whether characters of the name that follow each other are read so.
        func matches(_ name: SearchName) -> Bool {
            name.words.contains { word in
                guard word.script == .han else { return false }
                let readings = word.readings
                return ways.contains { way in
                    guard readings.count >= way.pieces.count else { return false }
                    return (0...readings.count - way.pieces.count).contains { start in
                        way.pieces.enumerated().allSatisfy { offset, piece in
                            readings[start + offset].contains {
                                offset < way.whole ? $0 == piece : $0.starts(with: piece)
                            }
                        }
                    }
                }
            }
        }

        // MARK: Names that are stored in letters

        /// The surname as a word and another that is read as the given name begins, or both as one word. Of the given name two
        /// characters are told: all words that begin with one letter or two would be a large part of a base of European names.
        var termOfLetters: SearchTerm {
            .any(
                ways.flatMap { way -> [SearchTerm] in
                    let surname = way.syllables.joined(), next = way.initials[1]
                    func text(_ letters: some Sequence<UInt8>) -> String { String(decoding: Array(letters), as: UTF8.self) }
                    let firsts = Han.syllables.filter { $0.starts(with: way.initials[0]) }.map { text($0) }.sorted()
                    return [
                        .any(firsts.map { .prefix(.word, text(surname) + $0 + text(next)) }),
                        .all([
                            .token(.word, text(surname)),
                            .any(firsts.flatMap { [.token(.word, $0), .prefix(.word, $0 + text(next))] }),
                        ]),
                    ]
                })
        }

        /// Whether the words of the name, the surname first or last, are read so.
        func isSpelled(_ name: SearchName) -> Bool {
            let words = name.words.filter { $0.script == .letters && $0.isPlain }.map { Array($0.whole.utf8) }
            guard let first = words.first, let last = words.last else { return false }
            let orders = [Array(words.joined()), last + words.dropLast().joined(), Array(words.dropFirst().joined()) + first]
            return orders.contains { letters in
                ways.contains { Self.reads(PinyinUmlaut.typed(letters)[...], $0, 0) }
            }
        }

        private static func reads(_ letters: ArraySlice<UInt8>, _ way: Way, _ place: Int) -> Bool {
            guard place < way.pieces.count else { return true }
            let piece = way.pieces[place]
            return (1...6).contains { count in
                let own = letters.prefix(count)
                guard own.count == count, Han.syllables.contains(Array(own)) else { return false }
                return (place < way.whole ? Array(own) == piece : own.starts(with: piece))
                    && reads(letters.dropFirst(count), way, place + 1)
            }
        }
    }
}
