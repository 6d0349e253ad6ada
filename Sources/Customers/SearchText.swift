import Kernel
import Matching

/// What a word of the index is, told by its first letter. Who may not see a kind of thing does not look for it (G25).
enum SearchKind: UInt8, Sendable {
    /// A word of the name in letters, and what is left of it from the second letter on (three letters at least).
    case word = 0x77  // w
    /// The whole name without spaces.
    case name = 0x65  // e
    /// The first Chinese character of a name: the surname, where it is a person's.
    case first = 0x62  // b
    /// A Chinese character, simplified; and two that follow each other.
    case character = 0x63  // c
    /// The reading of a Chinese character.
    case syllable = 0x79  // y
    /// The first letters of the readings, from each character on.
    case initials = 0x69  // i
    /// A whole telephone number: the digits of its E.164 form.
    case number = 0x70  // p
    /// Its last four digits.
    case tail = 0x74  // t
    /// Four digits that follow each other in it.
    case digits = 0x64  // d
    /// An ICCID, IMSI or IMEI.
    case card = 0x6D  // m
    /// Four characters that follow each other in one; in the index of numbers, in the number of a bill or an account.
    case piece = 0x67  // g
    case document = 0x6F  // o
    /// A word of what a device is called: brand, model, model and what follows.
    case device = 0x76  // v
    case email = 0x61  // a
    /// Where the customer is: narrows what others are looked for with.
    case region = 0x72  // r
}

/// The text of a customer in the index: words with a space between, each of letters and digits only.
struct SearchText {
    private var bytes: [UInt8] = []
    /// Longer words are cut: what nobody types need not be stored.
    static let wordMax = 64
    static let hanMax = 24
    static let latinMax = 32
    static let initialsMax = 12
    static let gram = 4

    static func of(_ record: CustomerRecord) -> String {
        var text = SearchText()
        text.bytes.reserveCapacity(320)
        text.add(SearchName(record.party.displayName))
        for digits in numbers(record) { text.addNumber(digits) }
        for line in record.subscriptions {
            for card in [line.iccid, line.imsi, line.imei] {
                guard let card else { continue }
                let token = SearchTokens.simToken(card)
                text.add(.card, token.utf8)
                for piece in pieces(token) { text.add(.piece, piece.utf8) }
            }
        }
        for word in devices(record) { text.add(.device, word.utf8) }
        for document in record.documents { text.add(.document, compact(document.number).utf8) }
        for contact in record.contacts where contact.kind == .email { text.add(.email, compact(contact.value).utf8) }
        if let region = record.customer.region { text.add(.region, compact(region).utf8) }
        return String(decoding: text.bytes, as: UTF8.self)
    }

    /// The text of a number by itself.
    static func of(number: String, region: String?) -> String {
        var text = SearchText()
        let whole = compact(number)
        for piece in pieces(whole) { text.add(.piece, piece.utf8) }
        // Too short to have parts: it is looked for as a whole.
        if whole.unicodeScalars.count < gram { text.add(.piece, whole.utf8) }
        if let region { text.add(.region, compact(region).utf8) }
        return String(decoding: text.bytes, as: UTF8.self)
    }

    /// Each run of four characters, once.
    static func pieces(_ compact: String) -> [String] {
        let scalars = Array(compact.unicodeScalars)
        guard scalars.count >= gram else { return [] }
        var seen: Set<String> = [], result: [String] = []
        for start in 0...(scalars.count - gram) {
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: scalars[start..<start + gram])
            if seen.insert(String(piece)).inserted { result.append(String(piece)) }
        }
        return result
    }

    /// Runs of four that cover a text between them: what is looked for. Fewer lists are merged than with all of them, and
    /// those of common beginnings are the longest; the stored number decides.
    static func cover(_ compact: String) -> [String] {
        let scalars = Array(compact.unicodeScalars)
        guard scalars.count >= gram else { return [] }
        let starts = Array(stride(from: scalars.count - gram, through: 0, by: -gram))
        return ((starts.last ?? 0) > 0 ? starts + [0] : starts).map { start in
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: scalars[start..<start + gram])
            return String(piece)
        }
    }

    /// Whether nothing changed that the text is made of.
    static func areSame(_ a: CustomerRecord, _ b: CustomerRecord) -> Bool {
        SearchTokens.areSame(a, b) && a.customer.region == b.customer.region
    }

    /// A value as it stands in the index: folded, letters and digits only.
    static func compact(_ text: String) -> String {
        let folded = Folding.fold(text)
        var result = String.UnicodeScalarView()
        for scalar in folded.unicodeScalars where SearchName.isKept(scalar) {
            result.append(SearchTokens.isHan(scalar) ? Han.simplified(scalar) : scalar)
        }
        return cut(String(result))
    }

    /// At most `wordMax` bytes, whole characters.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > wordMax - 1 else { return text }
        var result = String.UnicodeScalarView()
        var left = wordMax - 1
        for scalar in text.unicodeScalars {
            left -= UTF8.width(scalar)
            guard left >= 0 else { break }
            result.append(scalar)
        }
        return String(result)
    }

    /// Digits of the customer's telephone numbers, each once.
    static func numbers(_ record: CustomerRecord) -> [[UInt8]] {
        var result: [[UInt8]] = []
        func add(_ number: String) {
            let digits = Self.digits(number)
            if !digits.isEmpty, !result.contains(digits) { result.append(digits) }
        }
        for contact in record.contacts where contact.kind == .phone { add(contact.value) }
        for line in record.subscriptions { if let msisdn = line.msisdn { add(msisdn) } }
        return result
    }

    static func digits(_ number: String) -> [UInt8] {
        let ascii = number.utf8.filter { (48...57).contains($0) }
        return number.utf8.allSatisfy { $0 < 0x80 } ? ascii : Array(Folding.digits(number).utf8)
    }

    // MARK: Words

    private mutating func add(_ kind: SearchKind, _ text: some Collection<UInt8>) {
        guard !text.isEmpty else { return }
        if !bytes.isEmpty { bytes.append(32) }
        bytes.append(kind.rawValue)
        bytes.append(contentsOf: text)
    }

    private mutating func addNumber(_ digits: [UInt8]) {
        add(.number, digits.prefix(Self.wordMax - 1))
        add(.tail, digits.suffix(Self.gram))
        guard digits.count >= Self.gram else { return }
        for start in 0...(digits.count - Self.gram) { add(.digits, digits[start..<start + Self.gram]) }
    }

    private mutating func add(_ name: SearchName) {
        guard !name.words.isEmpty else { return }
        add(.name, name.compact.utf8)
        var isFirst = true
        var left = SearchTokens.tokensMax
        for word in name.words where left > 0 {
            switch word.script {
            case .han:
                addHan(word, isFirst: isFirst)
                left -= word.scalars.count
            case .letters:
                left -= addLetters(word, left)
            }
            isFirst = false
        }
        addInitials(ofLetters: name.words)
    }

    /// `zw` of Zhang Wei, `oyxw` of Ouyang Xiuwen: the first letters of the words, and of the syllables where all are pinyin; also with
    /// the last word first.
    private mutating func addInitials(ofLetters words: [SearchName.Word]) {
        guard words.count <= Self.initialWordsMax, words.allSatisfy({ $0.script == .letters && $0.isPlain }) else {
            return
        }
        var ways = [words.map { [$0.text] }]
        let read = words.compactMap { SearchPinyin.syllables($0.text) }
        if read.count == words.count { ways.append(read) }
        var made: [[UInt8]] = []
        for way in ways {
            for order in way.count > 1 ? [way, way.suffix(1) + way.dropLast()] : [way] {
                let letters = order.joined().compactMap(\.utf8.first)
                if letters.count > 1, letters.count <= Self.initialsMax, !made.contains(letters) {
                    made.append(letters)
                }
            }
        }
        for letters in made { add(.initials, letters) }
    }

    private static let initialWordsMax = 4

    /// - Returns: how many words it made.
    private mutating func addLetters(_ word: SearchName.Word, _ max: Int) -> Int {
        let pieces = word.scalars.prefix(Self.latinMax).map { Array(String($0).utf8) }
        let last = min(pieces.count - SearchTokens.latinPartMin, SearchTokens.latinPartsMax, max - 1)
        for start in 0...Swift.max(0, last) { add(.word, Array(pieces[start...].joined().prefix(Self.wordMax - 1))) }
        return Swift.max(1, last + 1)
    }

    private mutating func addHan(_ word: SearchName.Word, isFirst: Bool) {
        let characters = word.scalars.prefix(Self.hanMax).map { Array(String($0).utf8) }
        if isFirst { add(.first, characters[0]) }
        for (offset, character) in characters.enumerated() {
            add(.character, character)
            if offset + 1 < characters.count { add(.character, character + characters[offset + 1]) }
        }
        let readings = word.readings
        for one in readings.prefix(Self.hanMax) { for reading in one { add(.syllable, reading) } }
        // One word of first letters for each reading of the surname.
        let letters = readings.prefix(Self.hanMax).map { $0.first?.first }
        var starts = [letters.first ?? nil]
        for reading in readings.first ?? [] where !starts.contains(reading.first) { starts.append(reading.first) }
        for (place, start) in starts.enumerated() {
            var all = letters
            if !all.isEmpty { all[0] = start }
            for begin in all.indices where all.count - begin >= 2 && (place == 0 || begin == 0) {
                add(.initials, all[begin...].compactMap { $0 }.prefix(Self.initialsMax))
            }
        }
    }
}

/// A name, stored or typed, as words that compare: in one width and case, without accents, simplified, Chinese characters
/// apart from letters.
struct SearchName: Sendable {
    enum Script: Sendable { case han, letters }

    struct Word: Sendable {
        let script: Script
        let scalars: [Unicode.Scalar]
        /// Whether it begins the name, so that its first character may be a surname.
        let isFirst: Bool

        /// As it stands in the index.
        var text: String { SearchText.cut(whole) }

        /// Uncut, to compare with.
        var whole: String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }

        /// Of each Chinese character the readings it may have.
        var readings: [[[UInt8]]] {
            scalars.enumerated().map { Han.readings($1, isFirst: isFirst && $0 == 0) }
        }

        var isPlain: Bool { scalars.allSatisfy { (97...122).contains($0.value) } }
    }

    let words: [Word]

    init(_ name: String) {
        var words: [Word] = []
        var word: [Unicode.Scalar] = []
        var script = Script.letters
        func end() {
            if !word.isEmpty { words.append(Word(script: script, scalars: word, isFirst: words.isEmpty)) }
            word = []
        }
        for scalar in Folding.fold(name).unicodeScalars {
            if SearchTokens.isHan(scalar) {
                if script != .han { end() }
                script = .han
                word.append(Han.simplified(scalar))
            } else if Self.isKept(scalar) {
                if script != .letters { end() }
                script = .letters
                word.append(scalar)
            } else if !Self.joins(scalar) {
                end()
            }
        }
        end()
        self.words = words
    }

    /// Without spaces, cut to what the index holds.
    var compact: String {
        var view = String.UnicodeScalarView()
        for word in words { view.append(contentsOf: word.scalars) }
        return SearchText.cut(String(view))
    }

    /// Letters and digits of every script.
    static func isKept(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 48...57, 97...122: return true
        case ..<0x80: return false
        default: return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    /// What stands inside a word and is no part of it: `o'neil` is `oneil`.
    private static func joins(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x27, 0x60, 0x2018, 0x2019, 0x2BC: true
        default: scalar.value >= 0x80 && scalar.properties.generalCategory == .nonspacingMark
        }
    }
}
