import Foundation
import Kernel
import Synchronization
import Web

/// Which passwords are accepted, and for how long (G1, G2, G3). A value: tests and profiles make their own.
package struct PasswordPolicy: Sendable {
    /// Code points after canonical composition. 15 while the password is the only factor (NIST SP 800-63B-4, 3.1.1.1).
    package let lengthMin: Int
    package let lengthMax: Int
    /// How many of {lower case, upper case, digit, other} must occur; 0 = no composition rule.
    package let classesMin: Int
    /// Days after which a password must be changed; `nil` = never.
    package let daysMax: Int?
    private let words: CommonPasswords
    private var common: Set<String> { words.all }

    package init(lengthMin: Int, lengthMax: Int = 128, classesMin: Int, daysMax: Int?, common: CommonPasswords) {
        self.lengthMin = lengthMin
        self.lengthMax = lengthMax
        self.classesMin = classesMin
        self.daysMax = daysMax
        words = common
    }

    /// NIST SP 800-63B-4: long, any characters, no composition, no expiry.
    package static func standard(common: CommonPasswords) -> PasswordPolicy {
        PasswordPolicy(lengthMin: 15, classesMin: 0, daysMax: nil, common: common)
    }

    /// GB/T 22239-2019 level 3, 8.1.4.1 a): complexity and regular change, for operators who are graded under it.
    package static func dengbaoL3(common: CommonPasswords) -> PasswordPolicy {
        PasswordPolicy(lengthMin: 15, classesMin: 3, daysMax: 90, common: common)
    }

    /// The profile of a setting: `nist` or `dengbao-l3`.
    /// - Throws: `CRMError` for an unknown name.
    package static func profile(_ name: String, share: ShareFolder) throws -> PasswordPolicy {
        let common = try commonPasswords(share)
        switch name {
        case "nist": return standard(common: common)
        case "dengbao-l3": return dengbaoL3(common: common)
        default:
            throw CRMError.badRequest(
                "unknown_profile",
                Words(
                    en: "There is no password profile “\(name)”; known are nist, dengbao-l3.",
                    zh: "没有名为“\(name)”的密码策略，可用：nist、dengbao-l3。"))
        }
    }

    /// Published passwords in the order of their use, and our own list of words, phrases and what people put behind them.
    static let lists = ["top-passwords.txt", "common-passwords.txt"]

    /// The lists; lines that begin with `#!` are comments.
    package static func commonPasswords(_ share: ShareFolder) throws -> CommonPasswords {
        CommonPasswords(lists: try lists.map { try share.text("Identity", "Data", $0) })
    }

    static func lines(_ list: String, _ share: ShareFolder) throws -> [String] {
        CommonPasswords.lines(try share.text("Identity", "Data", list))
    }

    /// Refuses a password that is too easy to guess.
    /// - Parameter field: the form field that the error names.
    /// - Throws: 422 `too_short`, `too_long`, `invalid_text`, `needs_classes`, `too_common`, `repeated`, `sequence`,
    ///   `contains_name`, `contains_tenant`, `contains_product`.
    package func check(
        _ password: String, userName: String, displayName: String = "", tenant: String, field: String = "password"
    ) throws {
        if let problem = problem(password, names: [userName, displayName], tenant: tenant) {
            throw CRMError.invalid(field, problem.rawValue, problem.words(self))
        }
    }

    /// Whether a password set at `changedAt` may no longer be used to log in.
    package func isExpired(changedAt: Instant, now: Instant) -> Bool {
        daysMax.map { now >= changedAt.adding(days: Int64($0)) } ?? false
    }

    /// The first rule that is broken.
    func problem(_ password: String, names: [String], tenant: String) -> PasswordProblem? {
        let normal = password.precomposedStringWithCanonicalMapping
        let length = normal.unicodeScalars.count
        if length < lengthMin { return .tooShort }
        if length > lengthMax { return .tooLong }
        if normal.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) { return .invalidText }
        if Self.classes(normal) < classesMin { return .needsClasses }
        let folded = Self.reduced(normal)
        if common.contains(folded) { return .tooCommon }
        if PasswordShape.isRepetition(folded) { return .repeated }
        if PasswordShape.surprises(folded) < 6 { return .sequence }
        // A common word dressed up at its ends: "sunshine!!!!!!!!2025". Six unforeseeable characters more would do.
        let core = String(folded.drop { !$0.isLetter }.reversed().drop { !$0.isLetter }.reversed())
        if common.contains(core), PasswordShape.surprises(folded) - PasswordShape.surprises(core) < 6 {
            return .tooCommon
        }
        if PasswordShape.pieces(folded, common) < Self.piecesMin { return .tooCommon }
        if names.contains(where: { Self.mentionsName(normal, folded, $0) }) { return .containsName }
        if Self.mentions(folded, tenant) { return .containsTenant }
        if Self.mentions(folded, "switchboard") { return .containsProduct }
        return nil
    }

    private static let joining: Set<Unicode.Scalar> = [" ", "-", "_", ".", ",", "'"]

    /// The form in which passwords are compared with words: folded, without spaces and joining punctuation.
    static func reduced(_ text: String) -> String {
        var result = ""
        for scalar in Folding.fold(text).unicodeScalars where !joining.contains(scalar) {
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// Three common words, or as much of anything else.
    private static let piecesMin = 9

    private static func isShort(_ word: String) -> Bool {
        word.count < (word.unicodeScalars.contains { $0.value >= 0x2E80 } ? 2 : 4)
    }

    private static func mentions(_ folded: String, _ word: String) -> Bool {
        let word = reduced(word)
        return !isShort(word) && folded.contains(word)
    }

    /// A name as a whole, or any word of it. Short Latin names are parts of ordinary words, “eve” of “seven”: they count
    /// when they stand by themselves.
    private static func mentionsName(_ password: String, _ folded: String, _ name: String) -> Bool {
        if mentions(folded, name) { return true }
        let words = runs(name)
        if words.contains(where: { mentions(folded, $0) }) { return true }
        let short = Set(words.map { reduced($0) }.filter { $0.count >= 2 && isShort($0) })
        return !short.isEmpty && runs(password).contains { short.contains(reduced($0)) }
    }

    /// The runs of letters.
    private static func runs(_ text: String) -> [String] {
        Folding.fold(text).split { !$0.isLetter }.map(String.init)
    }

    private static func classes(_ text: String) -> Int {
        var seen: Set<Int> = []
        for character in text {
            seen.insert(character.isLowercase ? 0 : character.isUppercase ? 1 : character.isNumber ? 2 : 3)
        }
        return seen.count
    }
}

/// Why a password is refused; the raw value is part of the API.
package enum PasswordProblem: String, Sendable, CaseIterable {
    case tooShort = "too_short"
    case tooLong = "too_long"
    case invalidText = "invalid_text"
    case needsClasses = "needs_classes"
    case tooCommon = "too_common"
    case repeated
    case sequence
    case containsName = "contains_name"
    case containsTenant = "contains_tenant"
    case containsProduct = "contains_product"

    func words(_ policy: PasswordPolicy) -> Words {
        switch self {
        case .tooShort:
            Words(
                en: "At least \(policy.lengthMin) characters, please; a sentence is easy to remember.",
                zh: "密码至少 \(policy.lengthMin) 个字符，用一句话最容易记住。")
        case .tooLong:
            Words(en: "At most \(policy.lengthMax) characters, please.", zh: "密码最多 \(policy.lengthMax) 个字符。")
        case .invalidText: Words(en: "A password cannot hold control characters.", zh: "密码不能包含控制字符。")
        case .needsClasses:
            Words(
                en: "Use at least \(policy.classesMin) of: lower case, upper case, digits, other characters.",
                zh: "小写字母、大写字母、数字、其他字符中至少包含 \(policy.classesMin) 类。")
        case .tooCommon:
            Words(
                en: "Many people use this password, or it is little more than common words; it is guessed first.",
                zh: "这是常见密码，或几乎只由常见词组成，最容易被猜中，请换一个。")
        case .repeated:
            Words(en: "The password repeats one piece over and over.", zh: "密码只是同一段内容的重复，请换一个。")
        case .sequence:
            Words(
                en: "The password is a row of the keyboard, the alphabet or the digits.", zh: "密码是键盘、字母或数字的连续序列，请换一个。")
        case .containsName: Words(en: "The password contains the user's name.", zh: "密码包含用户名或姓名，请换一个。")
        case .containsTenant: Words(en: "The password contains the operator's name.", zh: "密码包含运营商名称，请换一个。")
        case .containsProduct: Words(en: "The password contains the product's name.", zh: "密码包含产品名称，请换一个。")
        }
    }
}

/// Patterns that make a long password a short one.
enum PasswordShape {
    /// Whether the text is one piece of at most half its length, over and over; the last piece may be cut off:
    /// `abcabcabcabcabc`, `hunter2hunter2hun`.
    static func isRepetition(_ text: String) -> Bool {
        let characters = Array(text)
        guard characters.count > 1 else { return true }
        for period in 1...(characters.count / 2) {
            if (period..<characters.count).allSatisfy({ characters[$0] == characters[$0 - period] }) { return true }
        }
        return false
    }

    /// How many characters do not simply follow from the one before: the same again, the next or previous letter or
    /// digit, the neighbour on a keyboard row.
    static func surprises(_ text: String) -> Int {
        var count = 0
        var previous: Character?
        for character in text {
            if let before = previous, follows(character, before) {
                previous = character
                continue
            }
            count += 1
            previous = character
        }
        return count
    }

    /// What one has to guess to build the text: 3 for a common word, 1 for each surprise elsewhere, nothing for a run of
    /// letters, digits or marks that was there before.
    static func pieces(_ folded: String, _ common: Set<String>) -> Int {
        var seen: Set<String> = []
        var count = 0
        var rest = Array(folded)[...]
        while let first = rest.first {
            let kind = kind(first)
            let run = rest.prefix { self.kind($0) == kind }
            rest = rest.dropFirst(run.count)
            guard seen.insert(String(run)).inserted else { continue }
            count += kind == 0 ? words(Array(run), common) : surprises(String(run))
        }
        return count
    }

    private static func kind(_ character: Character) -> Int { character.isLetter ? 0 : character.isNumber ? 1 : 2 }

    private static let wordLengths = 4...24

    /// The cheapest way to build a run of letters.
    private static func words(_ letters: [Character], _ common: Set<String>) -> Int {
        var costs = [0]
        for end in 1...letters.count {
            let isSurprise = end == 1 || !follows(letters[end - 1], letters[end - 2])
            var cost = costs[end - 1] + (isSurprise ? 1 : 0)
            for length in wordLengths where length <= end && costs[end - length] + 3 < cost {
                if common.contains(String(letters[end - length..<end])) { cost = costs[end - length] + 3 }
            }
            costs.append(cost)
        }
        return costs[letters.count]
    }

    private static let rows = [
        "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    ]
    private static let neighbours: Set<String> = {
        var pairs: Set<String> = ["90", "09", "az", "za"]
        for row in rows {
            let keys = Array(row)
            for (a, b) in zip(keys, keys.dropFirst()) {
                pairs.insert("\(a)\(b)")
                pairs.insert("\(b)\(a)")
            }
        }
        return pairs
    }()

    private static func follows(_ character: Character, _ before: Character) -> Bool {
        if character == before || neighbours.contains("\(before)\(character)") { return true }
        guard let a = before.unicodeScalars.first?.value, let b = character.unicodeScalars.first?.value,
            character.isLetter || character.isNumber, before.isLetter || before.isNumber
        else { return false }
        return a.distance(to: b).magnitude == 1
    }
}

/// Words that everybody chooses, folded when a password is checked for the first time: most commands never check one.
package final class CommonPasswords: Sendable, ExpressibleByArrayLiteral {
    private enum State {
        case lists([String])
        case folded(Set<String>)
    }

    private let state: Mutex<State>

    /// - Parameter lists: texts of a word a line.
    package init(lists: [String]) { state = Mutex(.lists(lists)) }
    package convenience init(arrayLiteral elements: String...) { self.init(lists: elements) }

    package var all: Set<String> {
        state.withLock { state in
            switch state {
            case .folded(let words): return words
            case .lists(let lists):
                var words: Set<String> = []
                for list in lists {
                    for line in Self.lines(list) { words.insert(PasswordPolicy.reduced(line)) }
                }
                words.remove("")
                state = .folded(words)
                return words
            }
        }
    }

    static func lines(_ list: String) -> [String] {
        list.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }.filter { !$0.hasPrefix("#!") }
    }
}
