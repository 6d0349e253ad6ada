import Kernel
import Matching

extension SearchPinyin {
    /// A whole name in letters with one slip of the pen: `zhangwie` for 张伟. Two neighbours changed places, or a letter is one
    /// too many; what has to be guessed would be half of all names.
    struct Slipped: Sendable {
        private let ways: [[[UInt8]]]
        private static let lettersMin = 6
        private static let waysMax = 8
        private static let syllablesMax = 4

        /// - Returns: `nil` when no slip makes syllables of the letters.
        init?(_ text: String) {
            let letters = PinyinUmlaut.typed(text.utf8)
            guard (Slipped.lettersMin...SearchText.latinMax).contains(letters.count) else { return nil }
            var ways: [[[UInt8]]] = []
            for meant in Slipped.meant(letters) {
                for way in Slipped.read(meant) where !ways.contains(way) && ways.count < Slipped.waysMax { ways.append(way) }
            }
            guard !ways.isEmpty else { return nil }
            self.ways = ways
        }

        private static func meant(_ letters: [UInt8]) -> [[UInt8]] {
            var result: [[UInt8]] = []
            for place in 1..<letters.count where letters[place] != letters[place - 1] {
                var other = letters
                other.swapAt(place - 1, place)
                result.append(other)
            }
            for place in letters.indices where place == 0 || letters[place] != letters[place - 1] {
                var other = letters
                other.remove(at: place)
                result.append(other)
            }
            return result
        }

        /// All ways to read the letters as two to four whole syllables.
        private static func read(_ letters: [UInt8]) -> [[[UInt8]]] {
            var ways: [[[UInt8]]] = []
            func read(from start: Int, _ before: [[UInt8]]) {
                if start == letters.count {
                    if before.count > 1 { ways.append(before) }
                    return
                }
                guard before.count < Slipped.syllablesMax else { return }
                for count in stride(from: min(6, letters.count - start), to: 0, by: -1) {
                    let piece = Array(letters[start..<start + count])
                    if Han.syllables.contains(piece) { read(from: start + count, before + [piece]) }
                }
            }
            read(from: 0, [])
            return ways
        }

        /// Whoever has these syllables, in whatever order.
        var term: SearchTerm {
            .any(ways.map { way in .all(way.map { .token(.syllable, String(decoding: $0, as: UTF8.self)) }) })
        }

        /// Whether the whole name is read so.
        func matches(_ name: SearchName) -> Bool {
            name.words.contains { word in
                guard word.script == .han else { return false }
                let readings = word.readings
                return ways.contains { way in
                    way.count == readings.count && zip(way, readings).allSatisfy { $1.contains($0) }
                }
            }
        }
    }
}
