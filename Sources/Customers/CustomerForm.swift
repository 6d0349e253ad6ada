import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// One field of a form: what it is called, what it holds now, and who may see it.
struct FormField: Sendable {
    let key: String
    let words: Words
    let kind: ImportFieldKind
    /// Who may see the value, and with it, who may replace it.
    let mask: MaskKind
    /// How it is written for those who may not see it; SIM numbers have the right of a contact and the look of an
    /// identity number.
    let look: MaskKind
    /// As the form shows it; empty when there is none.
    let stored: String
    var required = false
    /// Whether nothing may be chosen.
    var blank = true

    init(
        _ key: String, _ words: Words, _ kind: ImportFieldKind, mask: MaskKind = .none, look: MaskKind? = nil,
        stored: SQLValue, currency: String
    ) {
        self.key = key
        self.words = words
        self.mask = mask
        self.look = look ?? mask
        self.stored = FieldText.text(stored, kind, currency: currency)
        self.kind = Self.offered(key, kind, self.stored)
    }

    /// People choose among words where imports may write anything; what stands there stays among the choices.
    private static func offered(_ key: String, _ kind: ImportFieldKind, _ stored: String) -> ImportFieldKind {
        guard case .text = kind else { return kind }
        var choices: [ImportChoice]
        switch key {
        case "service": choices = ServiceCode.allCases.map { ImportChoice($0.rawValue, PageWords.of($0)) }
        case "payment_method":
            choices = PageWords.paymentMethods.map { ImportChoice($0, PageWords.open[$0] ?? Words(en: $0, zh: $0)) }
        case "contract_term": choices = [0, 12, 24, 36].map { ImportChoice(String($0), PageWords.term(months: $0)) }
        default: return kind
        }
        if !stored.isEmpty, !choices.contains(where: { $0.code == stored }) {
            let words = key == "contract_term" ? Int(stored).map { PageWords.term(months: $0) } : nil
            choices.append(ImportChoice(stored, words ?? Words(en: stored, zh: stored)))
        }
        return .choice(choices)
    }

    /// What those see who may not see the whole.
    var hidden: String { Masking.masked(look, stored) }
}

/// A form under headings, as the edit pages show it.
struct FormBlock: Sendable {
    /// Text key.
    let title: String
    let fields: [FormField]
}

/// What a person typed.
struct TypedForm: Sendable {
    var values: [String: SQLValue] = [:]
    /// Field key -> the text as it was typed.
    var texts: [String: String] = [:]
    var errors: [CRMError.FieldError] = []

    func refuseErrors() throws {
        guard !errors.isEmpty else { return }
        throw CRMError(
            "invalid", status: 422,
            Self.correction(errors.count), fields: errors)
    }

    static func correction(_ count: Int) -> Words {
        Words(
            en: count == 1 ? "One field needs correction." : "\(count) fields need correction.",
            zh: "有 \(count) 项需要更正。")
    }

    mutating func refuse(_ field: String, _ error: FieldRefusal) {
        errors.append(CRMError.FieldError(field: field, code: error.code, message: error.words))
    }
}

/// Reads and shows the forms of the edit pages. A field is written by those who see it (G24): what is hidden can be
/// filled in while there is none, its unchanged mask is not a change, and anything else is refused with 403. A name that
/// is no field of the form is refused with 422 (G26).
enum CustomerForm {
    /// - Parameter besides: further names, without their `f_`, that the caller reads itself.
    /// - Parameter outside: fields there are, but not for this role.
    /// - Parameter isNew: a blank in a new record is nothing; in an old one it takes the value away.
    static func typed(
        _ call: Call, _ fields: [FormField], besides: Set<String> = [], outside: [FormField] = [], isNew: Bool
    ) throws -> TypedForm {
        let masking = try call.masking()
        let known = Dictionary(fields.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var typed = TypedForm()
        for (name, text) in call.form.fields where name.hasPrefix("f_") {
            let key = String(name.dropFirst(2))
            if besides.contains(key) {
                typed.texts[key] = text
                continue
            }
            guard let field = known[key] else {
                if let other = outside.first(where: { $0.key == key }) { throw forbidden(other.mask) }
                throw CRMError.invalid(
                    String(name.prefix(60)), "unknown_field",
                    Words(en: "There is no field of this name.", zh: "没有该字段。"))
            }
            // The first of several counts, as everywhere in forms.
            guard typed.texts[key] == nil else { continue }
            typed.texts[key] = text
            if !masking.shows(field.mask) {
                let untouched = text.trimmed.isEmpty || (!field.stored.isEmpty && text.trimmed == field.hidden)
                if untouched { continue }
                guard field.stored.isEmpty else { throw forbidden(field.mask) }
            }
            do throws(FieldRefusal) {
                let value = try FieldText.value(
                    text, field.kind, countryCode: call.tenant.countryCode, currency: call.tenant.currency)
                if !isNew || value != .null { typed.values[key] = value }
            } catch {
                typed.refuse(key, error)
            }
        }
        return typed
    }

    private static func forbidden(_ mask: MaskKind) -> CRMError {
        switch mask {
        case .name: .forbidden(Masking.seeNames)
        case .phone, .email, .address: .forbidden(Masking.seeContacts)
        case .identity, .date: .forbidden(Masking.seeIdentity)
        case .none, .full: .forbidden(Masking.seeUnlabelled)
        }
    }

    /// The edition of the record that the person saw. What is no number is no edition there ever was.
    static func edition(_ call: Call) throws -> Int64 { Int64(try call.seenVersion()) ?? -1 }

    /// Whether the form is shown again, with what was typed, instead of a page of the error alone.
    static func isShown(_ error: CRMError) -> Bool { [409, 412, 422].contains(error.status) }

    /// What a form of a record sends: its edition, the fields, and what stood in them (`w_*`), so that after a conflict only
    /// what the person changed is told as theirs.
    static let sent = ["revision", "f_*", "w_*"]

    /// Names of personal fields that a form shows whole, for the audit.
    static func unmasked(_ fields: [FormField], _ masking: Masking) -> [String] {
        fields.filter { $0.mask != .none && !$0.stored.isEmpty && masking.shows($0.mask) }.map(\.key)
    }

    /// What comes with a form besides its fields.
    struct Frame: Sendable {
        /// Already in the caller's language.
        let title: String
        let action: String
        let cancel: String
        /// Text key.
        var submit = "customers.save"
        var edition: Int64?
        /// Where the empty form is; where the language switch comes back to after an error.
        let path: String
        /// The customer's name as the caller may see it; `nil` = a new one.
        var customerName: String?
        var customerPath: String?
    }

    static func page(
        _ call: Call, _ frame: Frame, _ blocks: [FormBlock], typed: TypedForm?, error: CRMError?, more: View = [:]
    ) throws -> WebResponse {
        let masking = try call.masking()
        let language = call.language
        let conflict = error?.code == CustomerStore.changedMeanwhile.code
        let shown = blocks.map { block -> View in
            let fields = block.fields.map { field in
                EditField(
                    field: field, visible: masking.shows(field.mask), typed: typed?.texts[field.key],
                    seen: call.form["w_" + field.key], conflict: conflict,
                    error: error?.fields.first { $0.field == field.key }?.message[language]
                ).view(language, call)
            }
            return ["heading": .text(call.text(block.title)), "fields": .list(fields)]
        }
        let labels = Dictionary(
            blocks.flatMap(\.fields).map { ($0.key, $0.words[language] + (language == .zh ? "：" : ": ")) },
            uniquingKeysWith: { first, _ in first })
        let empty: View = [
            "checks": .absent, "hasChecks": false, "hasLines": false, "lines": .list([]), "linesMore": .absent,
            "newLine": .absent,
            "ending": .absent, "leaving": .absent, "coming": .absent,
        ]
        let view: View = [
            "heading": .text(frame.title), "customerName": .text(frame.customerName),
            "customerPath": .text(frame.customerPath ?? frame.cancel), "action": .text(frame.action),
            "path": .text(error == nil ? call.request.path : frame.path),
            "cancel": .text(frame.cancel), "submit": .text(call.text(frame.submit)),
            "revision": .text(frame.edition.map { String($0) }), "blocks": .list(shown),
            "problem": .text(error?.message[language]),
            "problems": .list(
                (error?.fields ?? []).map {
                    ["field": .text($0.field), "text": .text((labels[$0.field] ?? "") + $0.message[language])]
                }),
        ]
        return call.page(
            "customers/customer-edit", title: frame.title, active: "/customers",
            more.merging(view).merging(empty),
            status: error.map { HTTPResponse.Status(code: $0.status) } ?? .ok)
    }
}

/// One field as the template shows it.
private struct EditField {
    let field: FormField
    let visible: Bool
    let typed: String?
    /// What stood in the field when the person began; `nil` = nothing, or a client that does not tell.
    let seen: String?
    let conflict: Bool
    let error: String?

    func view(_ language: Language, _ call: Call) -> View {
        let stored = field.stored
        // What is hidden stands there as its mask and is not sent.
        let locked = !visible && !stored.isEmpty
        // After a conflict the present value stands and one's own is told beside it; after an error one's own stands.
        let value = locked ? field.hidden : conflict || typed == nil ? (visible ? stored : "") : typed ?? ""
        let yours =
            !locked && conflict && typed != nil && typed?.trimmed != stored && !(typed?.trimmed.isEmpty ?? true)
                && typed?.trimmed != seen?.trimmed
            ? typed : nil
        var options: [(String, String)] = []
        switch field.kind {
        case .choice(let choices): options = choices.map { ($0.code, $0.words[language]) }
        case .boolean: options = [("yes", call.text("customers.yes")), ("no", call.text("customers.no"))]
        default: break
        }
        let type =
            switch field.kind {
            case _ where locked: "text"
            case .date: "date"
            case .email: "email"
            case .phone: "tel"
            default: "text"
            }
        return [
            "key": .text(field.key), "label": .text(field.words[language]), "locked": .bool(locked),
            "required": .bool(field.required && stored.isEmpty), "isSelect": .bool(!options.isEmpty && !locked),
            "blank": .bool(field.blank), "type": .text(type), "value": .text(value), "yours": .text(yours),
            "seen": .text(visible ? stored : nil),
            "error": .text(error), "invalid": .bool(error != nil),
            // A code in a field of free text is told in words.
            "meaning": .text(options.isEmpty && visible ? PageWords.open[stored]?[language] : nil),
            "options": .list(
                options.map { code, label in
                    ["code": .text(code), "label": .text(label), "selected": .bool(code == value)]
                }),
        ]
    }
}
