/// A form of a value under which two records are brought together for comparison.
package struct BlockingAtom: Sendable, Codable, Hashable {
    package enum Form: String, Sendable, Codable {
        case whole
        /// Consonants by sound.
        case sound
        /// The first three letters.
        case start
        case firstHalf = "first_half"
        case secondHalf = "second_half"
        /// Each word that is not common.
        case words
        /// A whole name as it stands, and one in Latin letters also with its last word first: `Lunhao Chen` meets 陈伦浩.
        case turned
        /// The same digits in any order.
        case digits
        /// The digits of a text, in order: house and room of a street.
        case numbers
        case year
        case monthDay = "month_day"
        /// What stands before the @ of an address of e-mail: slips are as often behind it.
        case local
    }

    /// Index into the model's fields.
    package let field: Int
    package let form: Form
}

/// One way two records can meet: all its atoms are the same.
package struct BlockingPass: Sendable, Codable, Hashable {
    package let atoms: [BlockingAtom]
}

/// The keys of records. Two records are compared when they share a key.
package struct Blocking: Sendable, Codable {
    package let passes: [BlockingPass]
    /// Kinds of the fields.
    let kinds: [ColumnKind]
    /// Words of a field that are too common to be a key of their own, sorted.
    let commonWords: [[UInt64]]
    /// Atoms of all passes, each computed once a record.
    private let atoms: [BlockingAtom]
    private let parts: [[Int]]

    init(passes: [BlockingPass], kinds: [ColumnKind], commonWords: [[UInt64]]) {
        (self.passes, self.kinds, self.commonWords) = (passes, kinds, commonWords)
        var index: [BlockingAtom: Int] = [:]
        var atoms: [BlockingAtom] = []
        parts = passes.map { pass in
            pass.atoms.map { atom in
                if let known = index[atom] { return known }
                index[atom] = atoms.count
                atoms.append(atom)
                return atoms.count - 1
            }
        }
        self.atoms = atoms
    }

    /// The keys of a record as texts of up to 13 characters, the same in every run, to be stored in an indexed table.
    package func keys(_ record: MatchRecord) -> [String] {
        var hashes: [UInt64] = []
        addKeys(record.values, &hashes)
        return hashes.map { String($0, radix: 36) }
    }

    func addKeys(_ values: [MatchValue?], _ keys: inout [UInt64]) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(1, atoms.count * Self.wordsMax)) { hashes in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: max(1, atoms.count)) { counts in
                for (index, atom) in atoms.enumerated() {
                    counts[index] = 0
                    guard let value = values[atom.field] else { continue }
                    let start = index * Self.wordsMax
                    if atom.form == .words || atom.form == .turned {
                        for hash in Self.hashes(
                            value, atom.form, salt: salt(atom), common: commonWords[atom.field])
                        {
                            hashes[start + counts[index]] = hash
                            counts[index] += 1
                        }
                    } else if let hash = Self.hash(value, atom.form, salt: salt(atom)) {
                        hashes[start] = hash
                        counts[index] = 1
                    }
                }
                for (number, part) in parts.enumerated() {
                    let own = UInt64(number + 1) &* 0x9e37_79b9
                    let first = part[0] * Self.wordsMax
                    for i in 0..<counts[part[0]] {
                        guard part.count > 1 else {
                            keys.append(StableHash.combined(hashes[first + i], own))
                            continue
                        }
                        // A sum: given name and surname meet in either order.
                        for j in 0..<counts[part[1]] {
                            keys.append(
                                StableHash.combined(hashes[first + i] &+ hashes[part[1] * Self.wordsMax + j], own))
                        }
                    }
                }
            }
        }
    }

    /// Names share a space, so that they meet when they changed places.
    @inline(__always) private func salt(_ atom: BlockingAtom) -> UInt64 {
        let kind = kinds[atom.field]
        return kind == .givenName || kind == .surname ? 99 : UInt64(atom.field)
    }

    /// All hashes of a value under a form.
    static func hashes(_ value: MatchValue, _ form: BlockingAtom.Form, salt: UInt64, common: [UInt64]) -> [UInt64] {
        switch form {
        case .words: words(value, salt: salt, common: common)
        case .turned: turned(value, salt: salt)
        default: hash(value, form, salt: salt).map { [$0] } ?? []
        }
    }

    /// The first is that of `.whole`; where `lv` was read as `lu`, that of the text as it was written is there too, so
    /// that keys stored before are among them.
    private static func turned(_ value: MatchValue, salt: UInt64) -> [UInt64] {
        var found = [StableHash.of(value.compact, salt: salt)]
        func add(_ text: [UInt8]) {
            let hash = StableHash.of(text, salt: salt)
            if !found.contains(hash) { found.append(hash) }
        }
        if !value.written.isEmpty { add(value.written) }
        if value.isLatin, let space = value.latin.lastIndex(of: 32) {
            add(value.latin[(space + 1)...] + value.latin[..<space].filter { $0 != 32 })
        }
        return found
    }

    private static func hash(_ value: MatchValue, _ form: BlockingAtom.Form, salt: UInt64) -> UInt64? {
        let text = value.compact
        switch form {
        case .words, .turned: return nil
        case .whole: return StableHash.of(text, salt: salt)
        case .sound:
            let code = sound(text)
            return code == 0 ? nil : StableHash.combined(code, salt &+ 1_000)
        case .start: return text.count < 3 ? nil : StableHash.of(text[..<3], salt: salt &+ 2_000)
        case .firstHalf:
            return text.count < 4 ? nil : StableHash.of(text[..<((text.count + 1) / 2)], salt: salt &+ 3_000)
        case .secondHalf: return text.count < 4 ? nil : StableHash.of(text[(text.count / 2)...], salt: salt &+ 4_000)
        case .digits:
            let sum = text.reduce(UInt64(0)) { $0 &+ StableHash.combined(UInt64($1), 17) }
            return StableHash.combined(sum, salt &+ 6_000)
        case .numbers:
            let digits = text.filter { $0 >= 48 && $0 <= 57 }
            return digits.isEmpty ? nil : StableHash.of(digits, salt: salt &+ 9_000)
        case .local:
            guard let at = text.firstIndex(of: 64), at >= localMin else { return nil }
            return StableHash.of(text[..<at], salt: salt &+ 10_000)
        case .year:
            let year = value.number / 10_000
            return year > 0 ? StableHash.combined(UInt64(bitPattern: year), salt &+ 7_000) : nil
        case .monthDay:
            // In either order.
            let (month, day) = (value.number / 100 % 100, value.number % 100)
            guard value.number > 0 else { return nil }
            return StableHash.combined(UInt64(bitPattern: min(month, day) * 100 + max(month, day)), salt &+ 8_000)
        }
    }

    static let wordsMax = 5
    /// `info` and `me` are everybody's.
    private static let localMin = 5

    private static func words(_ value: MatchValue, salt: UInt64, common: [UInt64]) -> [UInt64] {
        var found: [(hash: UInt64, length: Int)] = []
        for word in value.latin.split(separator: 32) where word.count >= 2 {
            let hash = StableHash.of(word, salt: salt &+ 5_000)
            if !contains(common, hash), !found.contains(where: { $0.hash == hash }) { found.append((hash, word.count)) }
        }
        if found.count > wordsMax { found.sort { $0.length > $1.length } }
        return found.prefix(wordsMax).map(\.hash)
    }

    private static func contains(_ sorted: [UInt64], _ hash: UInt64) -> Bool {
        var low = 0, high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == hash
    }

    /// Consonants by where they are spoken, as Soundex has them, the first letter included, vowels left out, four at
    /// most.
    /// `ph` is `f`; a final `g` behind `n` is not heard in names written in pinyin.
    /// - Returns: up to four codes, packed; 0 when nothing is heard.
    static func sound(_ text: [UInt8]) -> UInt64 {
        var code: UInt64 = 0, count = 0
        var last: UInt8 = 0
        func add(_ group: UInt8) {
            code = code << 8 | UInt64(group)
            count += 1
        }
        for (index, letter) in text.enumerated() {
            var group = letter >= 97 && letter <= 122 ? groups[Int(letter - 97)] : letter
            if letter == 112, index + 1 < text.count, text[index + 1] == 104 { group = 49 }
            if letter == 103, index > 0, text[index - 1] == 110 { continue }
            if group == 48 {
                if index == 0 { add(97) }
                if letter != 104, letter != 119 { last = 0 }
                continue
            }
            if group != last { add(group) }
            last = group
            if count == 4 { break }
        }
        return code
    }

    /// a...z.
    private static let groups: [UInt8] = Array("01230120022455012623010202".utf8)
}
