import Kernel

/// How well two values agree: a level, 0 for the same and upwards for less. Levels are few, so that their weights
/// can be
/// learned from few matches.
package enum Comparison {
    /// One of the two is missing: no evidence either way.
    package static let missing: UInt8 = 255

    /// What the levels of a kind are called, best first; the last is "they differ".
    package static func names(of kind: ColumnKind) -> [String] {
        switch kind {
        case .givenName, .surname, .fullName: ["same", "same_sound", "close", "swapped", "similar", "different"]
        case .street, .suburb, .text: ["same", "very_close", "close", "some", "different"]
        case .phone, .email, .identityNumber: ["same", "one_edit", "two_edits", "different"]
        case .birthDate, .date: ["same", "one_slip", "partly", "different"]
        case .number: ["same", "within_2_percent", "within_10_percent", "different"]
        case .houseNumber, .postcode, .code: ["same", "one_edit", "different"]
        case .category: ["same", "different"]
        case .nothing: ["different"]
        }
    }

    static func levels(of kind: ColumnKind) -> Int {
        switch kind {
        case .givenName, .surname, .fullName: 6
        case .street, .suburb, .text: 5
        case .phone, .email, .identityNumber, .birthDate, .date, .number: 4
        case .houseNumber, .postcode, .code: 3
        case .category: 2
        case .nothing: 1
        }
    }

    static let swapped: UInt8 = 3

    /// Whether two telephone numbers differ in the last three digits only. Operators hand numbers out in blocks, so that is no
    /// slip of the pen of one who has both, and says nothing.
    static func areNeighbours(_ a: MatchValue, _ b: MatchValue) -> Bool {
        let (x, y) = (a.compact, b.compact)
        return x.count == y.count && x.count > 6 && x != y && x.dropLast(3) == y.dropLast(3)
    }

    /// The level of two values of one kind. Symmetric.
    static func level(_ kind: ColumnKind, _ a: MatchValue, _ b: MatchValue) -> UInt8 {
        if a.native == b.native { return 0 }
        switch kind {
        case .givenName, .surname: return name(a, b)
        case .fullName: return fullName(a, b)
        case .street: return lowered(text(a, b), a, b)
        case .suburb, .text: return text(a, b)
        case .phone, .email, .identityNumber:
            if let x = a.identity, let y = b.identity, x != y { return missing }
            let edits = Similarity.edits(a.compact, b.compact, limit: 2)
            if edits == 0 { return 0 }
            // `john.smith57@` and `john.smith87@` are two people of one name.
            if kind == .email, edits <= 2, letters(a.compact) == letters(b.compact) {
                return isSlipOfAddress(a.compact, b.compact) ? 1 : 3
            }
            return min(3, UInt8(edits))
        case .birthDate, .date: return date(a, b)
        case .number: return number(a, b)
        case .houseNumber, .postcode, .code:
            let edits = Similarity.edits(a.compact, b.compact, limit: 1)
            // One digit of a two-digit number is half of it.
            return edits == 0 ? 0 : edits == 1 && max(a.compact.count, b.compact.count) >= 3 ? 1 : 2
        case .category, .nothing: return a.compact == b.compact ? 0 : UInt8(levels(of: kind) - 1)
        }
    }

    /// Whether two addresses of the same letters are one with a slip: a sign between the digits went astray (`li9@1.63com`), or only
    /// the digits behind the @ differ by one (`li9@13.com`).
    private static func isSlipOfAddress(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let digits = { (bytes: [UInt8]) in bytes.filter { $0 >= 48 && $0 <= 57 } }
        if digits(a) == digits(b) { return true }
        let x = a.split(separator: 64, maxSplits: 1), y = b.split(separator: 64, maxSplits: 1)
        return x.count == 2 && y.count == 2 && x[0] == y[0] && x[1].count != y[1].count
            && Similarity.edits(Array(x[1]), Array(y[1]), limit: 1) <= 1
    }

    private static func letters(_ bytes: [UInt8]) -> [UInt8] { bytes.filter { $0 < 48 || $0 > 57 } }

    private static func name(_ a: MatchValue, _ b: MatchValue) -> UInt8 {
        if a.compact == b.compact { return 1 }
        if a.isCalled(b) { return 2 }
        let shorter = min(a.compact.count, b.compact.count)
        // `j` and `john`.
        if shorter == 1 { return a.compact[0] == b.compact[0] ? 4 : 5 }
        if a.sharedLetters(b) <= 0.5 { return 5 }
        let similarity = Similarity.jaroWinkler(a.compact, b.compact)
        // One letter of four is another name: `mary`, `mark`.
        if similarity >= 0.92 || (shorter >= 5 && Similarity.edits(a.compact, b.compact, limit: 1) <= 1) { return 2 }
        if a.letters == b.letters, Slip.isExchange(a.compact[...], b.compact[...]) { return 2 }
        if areTwoHanNames(a, b) { return 5 }
        if similarity >= 0.82 && isSlip(a.compact, b.compact) || (shorter >= 3 && isPrefix(a.compact, b.compact)) { return 4 }
        return 5
    }

    /// `carol` and `charles` sound alike in the measure and are two names: a slip of the pen is of a letter or two.
    private static func isSlip(_ a: [UInt8], _ b: [UInt8]) -> Bool { Similarity.edits(a, b, limit: 2) <= 2 }

    /// Names of a few Chinese characters, as many on either side, that are not read the same: 宋平建 and 宋平强 are two people
    /// however near `jian` and `qiang` are. In names of companies a character may be a slip.
    private static func areTwoHanNames(_ a: MatchValue, _ b: MatchValue) -> Bool {
        guard !a.isLatin, !b.isLatin else { return false }
        let count = a.latin.count { $0 == 32 }
        return count < 4 && count == b.latin.count { $0 == 32 }
    }

    private static func isPrefix(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count < b.count ? b.starts(with: a) : a.starts(with: b)
    }

    private static func fullName(_ a: MatchValue, _ b: MatchValue) -> UInt8 {
        if a.compact == b.compact { return 1 }
        let isCalled = a.isCalled(b)
        if !isCalled, a.sharedLetters(b) < 0.5 || a.sharedNeighbours(b) < 0.2 { return 5 }
        let x = a.latin.split(separator: 32), y = b.latin.split(separator: 32)
        // `wang xiaomnig` and 王小明: their words are cut otherwise, so the slip is looked for in the whole.
        if a.letters == b.letters, a.compact.count == b.compact.count,
            Slip.isExchange(a.compact[...], b.compact[...]) || Slip.isExchange(rotated(x)[...], b.compact[...])
                || Slip.isExchange(a.compact[...], rotated(y)[...])
        {
            return 2
        }
        if sorted(x) == sorted(y) || rotated(x) == b.compact || rotated(y) == a.compact { return 1 }
        if areTwoHanNames(a, b) { return 5 }
        if Similarity.jaroWinkler(a.compact, b.compact) >= 0.94, x.count == y.count, x.count < 2 { return 2 }
        // The same from both sides: of equally many words, those that sort first.
        let isInOrder = x.count != y.count ? x.count < y.count : a.latin.lexicographicallyPrecedes(b.latin)
        let (few, many) = isInOrder ? (x, y) : (y, x)
        let (ofFew, ofMany) = isInOrder ? (a, b) : (b, a)
        var used = 0, whole = 0, partly = 0
        for (number, word) in few.enumerated() {
            var best = -1, quality = 0
            for (index, other) in many.enumerated().prefix(60) where used & (1 << index) == 0 {
                let found = isCalled && ofFew.isCalled(number, ofMany, index) ? 2 : wordQuality(word, other)
                if found > quality { (best, quality) = (index, found) }
            }
            if best >= 0 { used |= 1 << best }
            if quality == 2 { whole += 1 } else if quality == 1 { partly += 1 }
        }
        // `james jones` is not `susan j jones`: an initial does not stand for a name that is there in full.
        let isLeftOver = many.enumerated().prefix(60).contains { used & (1 << $0.offset) == 0 && $0.element.count > 1 }
        if whole == few.count { return few.count >= 2 || many.count == 1 ? 2 : 4 }
        if whole + partly == few.count, whole > 0, few.count >= 2, !isLeftOver { return 4 }
        return Similarity.dice(a.compact, b.compact) >= 0.8 || isNearlyRead(few, many, ofFew.compact, ofMany.compact)
            ? 4 : 5
    }

    /// A name of three or four Chinese characters, and one in pinyin that is one letter off: 罗佳宇 and `Lu Jiayu`. Of
    /// shorter names one letter makes another name (`wang li`, `wang lei`).
    private static func isNearlyRead(
        _ few: [ArraySlice<UInt8>], _ many: [ArraySlice<UInt8>], _ short: [UInt8], _ whole: [UInt8]
    ) -> Bool {
        guard few.count < many.count, (3...4).contains(many.count), min(short.count, whole.count) >= 7 else {
            return false
        }
        return (Similarity.edits(short, whole, limit: 1) <= 1 || Similarity.edits(rotated(few), whole, limit: 1) <= 1)
            && many.allSatisfy { Han.syllables.contains(Array($0)) } && few.allSatisfy(Slip.isPinyin)
    }

    /// 2 the same but for a slip of the pen, 1 an initial, a beginning or much alike, 0 another word.
    private static func wordQuality(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
        if a == b { return 2 }
        if min(a.count, b.count) == 1 { return a.first == b.first ? 1 : 0 }
        let (x, y) = (Array(a), Array(b))
        guard min(x.count, y.count) >= 3 else { return 0 }
        if Slip.isExchange(a, b) { return 2 }
        let similarity = Similarity.jaroWinkler(x, y)
        if min(x.count, y.count) >= 5, similarity >= 0.92 || Similarity.edits(x, y, limit: 1) <= 1 { return 2 }
        return similarity >= 0.78 && isSlip(x, y) || isPrefix(x, y) ? 1 : 0
    }

    private static func sorted(_ words: [ArraySlice<UInt8>]) -> [UInt8] {
        Array(words.sorted { $0.lexicographicallyPrecedes($1) }.joined())
    }

    /// The first word last: `wang xiaoming` and `xiaoming wang`.
    private static func rotated(_ words: [ArraySlice<UInt8>]) -> [UInt8] {
        guard let first = words.first else { return [] }
        return Array(words.dropFirst().joined()) + first
    }

    private static func text(_ a: MatchValue, _ b: MatchValue) -> UInt8 {
        if a.compact == b.compact { return 0 }
        if a.sharedNeighbours(b) < 0.3 { return 4 }
        let shorter = min(a.compact.count, b.compact.count)
        if shorter >= 4, Similarity.edits(a.compact, b.compact, limit: 1) <= 1 { return 1 }
        let dice = Similarity.dice(a.compact, b.compact)
        if dice >= 0.82 { return 1 }
        if dice >= 0.62 { return 2 }
        if shorter <= 14, Similarity.jaroWinkler(a.compact, b.compact) >= 0.92 { return 2 }
        let shared = sharedWords(a.latin, b.latin)
        if shared >= 0.99 { return 2 }
        if dice >= 0.42 || shared >= 0.5 { return 3 }
        return 4
    }

    /// The share of the shorter text's words that are in the longer.
    private static func sharedWords(_ a: [UInt8], _ b: [UInt8]) -> Double {
        guard a.contains(32) || b.contains(32) else { return 0 }
        let x = a.split(separator: 32), y = b.split(separator: 32)
        let (few, many) = x.count <= y.count ? (x, y) : (y, x)
        guard few.reduce(0, { $0 + $1.count }) >= 4 else { return 0 }
        return Double(min(few.count { many.contains($0) }, many.count { few.contains($0) })) / Double(few.count)
    }

    /// A street with another house number is another house.
    private static func lowered(_ level: UInt8, _ a: MatchValue, _ b: MatchValue) -> UInt8 {
        guard level < 3 else { return level }
        let x = a.latin.split { !(48...57).contains($0) }, y = b.latin.split { !(48...57).contains($0) }
        guard !x.isEmpty, !y.isEmpty else { return level }
        return x.contains { y.contains($0) } ? level : level + 1
    }

    private static func date(_ a: MatchValue, _ b: MatchValue) -> UInt8 {
        guard a.number > 0, b.number > 0 else {
            return Similarity.edits(a.compact, b.compact, limit: 1) <= 1 ? 1 : 3
        }
        let (y1, m1, d1) = (a.number / 10_000, a.number / 100 % 100, a.number % 100)
        let (y2, m2, d2) = (b.number / 10_000, b.number / 100 % 100, b.number % 100)
        if y1 == y2, m1 == d2, m2 == d1 { return 1 }
        // Systems write the first of January for a day nobody knows: that it agrees says nothing, and a year with a slip says little.
        if m1 == 1, d1 == 1, m2 == 1, d2 == 1 { return isSlipOfYear(y1, y2) ? 2 : 3 }
        if areGenerations(a, b) { return 3 }
        if Similarity.edits(a.compact, b.compact, limit: 1) <= 1 { return 1 }
        let same = (y1 == y2 ? 1 : 0) + (m1 == m2 ? 1 : 0) + (d1 == d2 ? 1 : 0)
        return same == 2 ? 2 : 3
    }

    /// So many years lie between parents and children.
    private static let generationYears: Int64 = 12

    /// Whether two birth dates are those of two people by their years alone: father and son, who may have all else in common. A year
    /// with one digit mistyped, or two that changed places, is a slip where month and day are the same.
    static func areGenerations(_ a: MatchValue, _ b: MatchValue) -> Bool {
        let (x, y) = (a.number / 10_000, b.number / 10_000)
        guard x > 0, y > 0, abs(x - y) >= generationYears else { return false }
        return a.number % 10_000 != b.number % 10_000 || !isSlipOfYear(x, y)
    }

    /// Whether only the year differs: somebody wrote another (`1924`, `2024`). A first of January is every unknown day.
    static func isSameDayOfYear(_ a: MatchValue, _ b: MatchValue) -> Bool {
        a.number % 10_000 == b.number % 10_000 && a.number % 10_000 != 101
    }

    private static func isSlipOfYear(_ a: Int64, _ b: Int64) -> Bool {
        let (x, y) = (Array(String(a).utf8), Array(String(b).utf8))
        guard x.count == y.count else { return false }
        let other = x.indices.filter { x[$0] != y[$0] }
        return other.count == 1 || other.count == 2 && x[other[0]] == y[other[1]] && x[other[1]] == y[other[0]]
    }

    /// Whether two birth dates have nothing of each other: those of two people, and not one with a slip.
    package static func areOtherBirths(_ a: MatchValue, _ b: MatchValue) -> Bool { level(.birthDate, a, b) == 3 }

    private static func number(_ a: MatchValue, _ b: MatchValue) -> UInt8 {
        let difference = Double(abs(a.number - b.number)), size = Double(max(abs(a.number), abs(b.number), 1))
        return difference == 0 ? 0 : difference <= 0.02 * size ? 1 : difference <= 0.1 * size ? 2 : 3
    }
}
