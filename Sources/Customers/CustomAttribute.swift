import Kernel
import Platform
import Storage

/// A typed attribute that people or imports defined while the product runs (A1).
struct CustomAttribute: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable { case text, integer, decimal, boolean, date, code }

    struct Code: Sendable, Equatable {
        let code: String
        let words: Words
    }

    let id: AttributeID
    /// `partner`, `cltv`: stable, unique.
    let key: String
    let title: Words
    let kind: Kind
    let codes: [Code]
    /// How values are hidden from those who may not see them; `full` until it is labelled.
    let mask: MaskKind
    let labelled: Bool

    var fieldKey: String { "attr." + key }

    var importKind: ImportFieldKind {
        switch kind {
        case .text: .text(Limits.textFieldMax)
        case .integer: .integer
        case .decimal: .decimal
        case .boolean: .boolean
        case .date: .date
        case .code: .choice(codes.map { ImportChoice($0.code, $0.words) })
        }
    }

    var importField: ImportField {
        ImportField(fieldKey, title, importKind, synonyms: title.en == title.zh ? [title.en] : [title.en, title.zh])
    }

    /// A value as the import and the edit page bring it, or as a change list keeps it.
    func content(_ value: SQLValue) -> AttributeContent? {
        switch kind {
        case .text, .date, .code: value.asText.map { .text($0) }
        case .integer: value.asInt.map { .integer($0) }
        case .boolean: value.asBool.map { .integer($0 ? 1 : 0) }
        case .decimal: value.asDouble.map { .decimal($0) }
        }
    }

    static func value(_ content: AttributeContent?) -> SQLValue {
        switch content {
        case .text(let text): .text(text)
        case .integer(let int): .int(int)
        case .decimal(let double): .double(double)
        case nil: .null
        }
    }

    /// For people: `Yes`, a code's words, the number as it is. Not masked.
    func displayed(_ content: AttributeContent, _ language: Language) -> String {
        switch content {
        case .text(let text):
            return codes.first { $0.code == text }?.words[language] ?? text
        case .integer(let int):
            guard kind == .boolean else { return String(int) }
            return int != 0 ? Words(en: "Yes", zh: "是")[language] : Words(en: "No", zh: "否")[language]
        case .decimal(let double):
            return double == double.rounded() && abs(double) < 1e15 ? String(Int64(double)) : String(double)
        }
    }

    /// For models: `yes`/`no`, codes and numbers as they are.
    func raw(_ content: AttributeContent) -> String {
        if kind == .boolean, case .integer(let int) = content { return int != 0 ? "yes" : "no" }
        switch content {
        case .text(let text): return text
        case .integer(let int): return String(int)
        case .decimal(let double): return String(double)
        }
    }

    /// `Zip Code` -> `zip_code`, `客户等级` -> `客户等级`.
    static func key(for title: String) -> String {
        var result = ""
        for character in Folding.fold(title) {
            if character.isLetter || character.isNumber {
                result.append(character)
            } else if !result.isEmpty, result.last != "_" {
                result.append("_")
            }
        }
        while result.last == "_" { result.removeLast() }
        return String((result.isEmpty ? "attribute" : result).prefix(60))
    }
}
