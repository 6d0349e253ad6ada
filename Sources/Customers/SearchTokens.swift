import Kernel

/// What the search box can find a customer by, as prefixes of stored tokens. One token for a number (reversed, so that
/// a tail of any length is a prefix), one for a Latin word, one for each suffix of a Chinese name.
enum SearchTokens {
    enum Kind: Int64, Sendable { case name = 1, number = 2, reference = 3, document = 4 }

    struct Token: Hashable, Sendable {
        let kind: Kind
        let text: String
    }

    /// Longer names are cut: what nobody types need not be stored.
    static let tokensMax = 24

    static func all(_ record: CustomerRecord) -> Set<Token> {
        var result: Set<Token> = []
        for text in name(NameFolding.fold(record.party.displayName)) { result.insert(Token(kind: .name, text: text)) }
        if let reference = record.customer.reference {
            result.insert(Token(kind: .reference, text: Folding.fold(reference)))
        }
        for number in record.sourceIDs.values {
            result.insert(Token(kind: .reference, text: Folding.fold(number)))
        }
        for contact in record.contacts where contact.kind == .phone {
            result.insert(Token(kind: .number, text: reversedDigits(contact.value)))
        }
        for line in record.subscriptions {
            if let msisdn = line.msisdn { result.insert(Token(kind: .number, text: reversedDigits(msisdn))) }
        }
        for document in record.documents {
            result.insert(Token(kind: .document, text: Folding.fold(document.number)))
        }
        return result
    }

    /// - Parameter folded: a name through `Folding.fold`.
    static func name(_ folded: String) -> [String] {
        var result: [String] = []
        for word in folded.split(separator: " ") {
            if word.unicodeScalars.contains(where: isHan) {
                var rest = word
                while !rest.isEmpty, result.count < tokensMax {
                    result.append(String(rest))
                    rest = rest.dropFirst()
                }
            } else if result.count < tokensMax {
                result.append(String(word))
            }
        }
        return result
    }

    static func reversedDigits(_ number: String) -> String { String(Folding.digits(number).reversed()) }

    /// CJK ideographs, with extensions and the compatibility block.
    static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF: true
        default: false
        }
    }
}

/// `Folding.fold` for names, with a short way for the common ones: ASCII and ideographs need neither a transliterator
/// nor Unicode folding, which cost more than writing the row.
enum NameFolding {
    static func fold(_ name: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count)
        var pendingSpace = false
        var rest = 0
        for byte in name.utf8 {
            if rest > 0 {
                rest -= 1
                bytes.append(byte)
                continue
            }
            if byte == 32 || (9...13).contains(byte) {
                pendingSpace = !bytes.isEmpty
                continue
            }
            if pendingSpace {
                bytes.append(32)
                pendingSpace = false
            }
            switch byte {
            case 65...90: bytes.append(byte + 32)
            case ..<0x80: bytes.append(byte)
            // Three bytes of U+4000...U+9FFF: ideographs, which have no case, no accents and one width.
            case 0xE4...0xE9:
                bytes.append(byte)
                rest = 2
            default: return Folding.fold(name)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
