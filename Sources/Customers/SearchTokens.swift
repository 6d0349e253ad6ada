import Kernel

/// The rows of `customers_search`: references, which are looked for by their beginning, and as long as the index is being filled
/// (`SearchStep`) all else a customer is found by, as prefixes of stored tokens. One token for a number (reversed, so that
/// a tail of any length is a prefix), one for each suffix of a word of the name: of a Chinese one down to the last
/// character, of a Latin one down to three letters, so that any part of three letters or more is a prefix.
enum SearchTokens {
    enum Kind: Int64, Sendable, CaseIterable { case name = 1, number = 2, reference = 3, document = 4, sim = 5 }

    struct Token: Hashable, Sendable {
        let kind: Kind
        let text: String
    }

    /// Longer names are cut: what nobody types need not be stored.
    static let tokensMax = 48
    static let latinPartMin = 3
    /// Of a longer Latin word only the beginning has parts; migration 0003 has the same bound.
    static let latinPartsMax = 21

    /// - Parameter step: what is written of it by now.
    static func all(_ record: CustomerRecord, _ step: SearchStep) -> Set<Token> {
        var result = references(record)
        guard step.writesRows else { return result }
        for text in name(Folding.fold(record.party.displayName)) { result.insert(Token(kind: .name, text: text)) }
        for contact in record.contacts where contact.kind == .phone {
            result.insert(Token(kind: .number, text: reversedDigits(contact.value)))
        }
        for line in record.subscriptions {
            if let msisdn = line.msisdn { result.insert(Token(kind: .number, text: reversedDigits(msisdn))) }
            for number in [line.iccid, line.imsi, line.imei] {
                if let number { result.insert(Token(kind: .sim, text: simToken(number))) }
            }
        }
        for document in record.documents {
            result.insert(Token(kind: .document, text: Folding.fold(document.number)))
        }
        return result
    }

    private static func references(_ record: CustomerRecord) -> Set<Token> {
        var result: Set<Token> = []
        if let reference = record.customer.reference {
            result.insert(Token(kind: .reference, text: Folding.fold(reference)))
        }
        for number in record.sourceIDs.values {
            result.insert(Token(kind: .reference, text: Folding.fold(number)))
        }
        return result
    }

    /// Whole words first, so that a long name loses parts and no word.
    /// - Parameter folded: a name through `Folding.fold`.
    static func name(_ folded: String) -> [String] {
        // In ASCII and ideographs each scalar is a character; to look for the others' ends costs more than all the rest.
        let isPlain = folded.utf8.allSatisfy { $0 < 0xC0 || (0xE4...0xE9).contains($0) }
        return isPlain
            ? parts(folded.unicodeScalars.split(separator: " ")) { String($0) }
            : parts(folded.split(separator: " ")) { String($0) }
    }

    private static func parts<Word: Collection>(_ all: [Word], _ text: (Word) -> String) -> [String]
    where Word.SubSequence == Word {
        let words = all.prefix(tokensMax)
        var result = words.map(text)
        for (word, whole) in zip(words, result) {
            let isChinese = whole.unicodeScalars.contains(where: isHan)
            let least = isChinese ? 1 : latinPartMin
            var rest = word.dropFirst()
            var parts = isChinese ? tokensMax : latinPartsMax
            while rest.count >= least, parts > 0, result.count < tokensMax {
                result.append(text(rest))
                rest = rest.dropFirst()
                parts -= 1
            }
        }
        return result
    }

    /// Whether nothing changed that tokens are made of.
    static func areSame(_ a: CustomerRecord, _ b: CustomerRecord) -> Bool {
        a.party.displayName == b.party.displayName && a.customer.reference == b.customer.reference
            && a.sourceIDs == b.sourceIDs && a.contacts == b.contacts && a.documents == b.documents
            && a.subscriptions.elementsEqual(b.subscriptions) {
                $0.msisdn == $1.msisdn && $0.iccid == $1.iccid && $0.imsi == $1.imsi && $0.imei == $1.imei && $0.device == $1.device
            }
    }

    /// An ICCID, IMSI or IMEI as it is looked up: letters and digits only.
    static func simToken(_ number: String) -> String {
        String(Folding.fold(number).unicodeScalars.filter { ("0"..."9").contains($0) || ("a"..."z").contains($0) })
    }

    static func reversedDigits(_ number: String) -> String {
        guard number.utf8.allSatisfy({ $0 < 0x80 }) else { return String(Folding.digits(number).reversed()) }
        return String(decoding: number.utf8.reversed().filter { (48...57).contains($0) }, as: UTF8.self)
    }

    /// CJK ideographs, with extensions and the compatibility block.
    static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF: true
        default: false
        }
    }
}
