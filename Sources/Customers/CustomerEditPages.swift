import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The form for a customer's master data: new ones and changes. What a person may not see whole is not filled in and
/// stays as it is unless something is typed.
enum CustomerEditPages {
    static func endpoints() -> [Endpoint] {
        let edit = Route.Access.permission(CustomerPermissions.edit)
        return [
            Endpoint(.get, "/customers/new", edit, trace: .none) { call in
                try await form(call, record: nil, typed: nil, error: nil, status: .ok)
            },
            Endpoint(.post, "/customers", edit, body: .form(["f_*"]), trace: .change, handler: create),
            Endpoint(.get, "/customers/{id}/edit", edit, trace: .view, handler: open),
            Endpoint(
                .post, "/customers/{id}/edit", edit, body: .form(["revision", "f_*"]), trace: .change, handler: save),
        ]
    }

    /// Sections of the form: text key and fields.
    static let sections: [(title: String, keys: [String])] = [
        (
            "customers.edit.who",
            [
                "full_name", "kind", "family_name", "given_name", "gender", "birth_date", "language", "industry",
                "size_tier", "document_number", "document_kind",
            ]
        ),
        ("customers.edit.contact", ["phone", "email", "address", "city", "region", "postcode", "country"]),
        (
            "customers.edit.customer",
            ["status", "status_reason", "segment", "payment_method", "paperless", "start_date"]
        ),
        ("customers.edit.line", ["msisdn", "service", "plan", "contract_term", "contract_end", "monthly_charge"]),
    ]

    // MARK: Handlers

    static func open(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let record = try await call.read { try store.read(id, principal, $0) }
        let masking = try call.masking()
        let shown = sections.flatMap(\.keys).filter { key in
            CustomerFields.byKey[key].map { $0.mask != .none && masking.shows($0.mask) } ?? false
        }
        try await call.recordView(AuditEntry("customers.customer.view", [.customer(id)], unmasked: shown))
        return try await form(call, record: record, typed: nil, error: nil, status: .ok)
    }

    static func create(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let typed = try await parse(call, record: nil)
        do {
            try typed.refuseErrors()
            let record = try await call.write { session in
                try store.create(typed.values, by: principal, record: { try call.record($0, session) }, session)
            }
            return .redirect("/customers/\(record.id)").flash("customers.created")
        } catch let error as CRMError where error.status == 422 || error.status == 409 {
            return try await form(call, record: nil, typed: typed, error: error, status: .init(code: error.status))
        }
    }

    static func save(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let record = try await call.read { try store.read(id, principal, $0) }
        guard let revision = call.form["revision"].flatMap({ Int64($0) }) else {
            throw CRMError.badRequest("revision", Words(en: "The revision is missing.", zh: "缺少版本号。"))
        }
        let typed = try await parse(call, record: record)
        do {
            try typed.refuseErrors()
            try await call.write { session in
                _ = try store.update(
                    id, revision: revision, typed.values, by: principal, record: { try call.record($0, session) },
                    session)
            }
            return .redirect("/customers/\(id)").flash("customers.saved")
        } catch let error as CRMError where error.status == 422 || error.status == 409 {
            let present = try await call.read { try store.read(id, principal, $0) }
            return try await form(call, record: present, typed: typed, error: error, status: .init(code: error.status))
        }
    }

    // MARK: What was typed

    struct Typed: Sendable {
        var values: CustomerStore.Changes = [:]
        /// Field key -> the text as it was typed.
        var texts: [String: String] = [:]
        var errors: [CRMError.FieldError] = []

        func refuseErrors() throws {
            guard !errors.isEmpty else { return }
            throw CRMError(
                "invalid", status: 422,
                Words(en: "\(errors.count) fields need correction.", zh: "有 \(errors.count) 项需要更正。"), fields: errors)
        }
    }

    private static func parse(_ call: Call, record: CustomerRecord?) async throws -> Typed {
        let masking = try call.masking()
        let attributes = try await call.read { try AttributeStore.all($0) }.filter { masking.shows($0.mask) }
        var typed = Typed()
        var fields = sections.flatMap(\.keys).compactMap { CustomerFields.byKey[$0] }
            .map { ($0.key, $0.kind, masking.shows($0.mask)) }
        fields += attributes.map { ($0.fieldKey, $0.importKind, true) }
        for (key, kind, visible) in fields {
            guard let text = call.form["f_" + key] else { continue }
            typed.texts[key] = text
            // Blank where the value could not be seen: leave it.
            if !visible, text.trimmed.isEmpty { continue }
            do throws(FieldRefusal) {
                let value = try FieldText.value(
                    text, kind, countryCode: call.tenant.countryCode, currency: call.tenant.currency)
                if record != nil || value != .null { typed.values[key] = value }
            } catch {
                typed.errors.append(CRMError.FieldError(field: key, code: error.code, message: error.words))
            }
        }
        return typed
    }

    // MARK: View

    private static func form(
        _ call: Call, record: CustomerRecord?, typed: Typed?, error: CRMError?, status: HTTPResponse.Status
    ) async throws -> WebResponse {
        let masking = try call.masking()
        let attributes = try await call.read { try AttributeStore.all($0) }.filter { masking.shows($0.mask) }
        let language = call.language
        let context = CustomerStore(tenant: call.tenant).context
        let conflict = error?.code == CustomerStore.changedMeanwhile.code
        func shown(_ key: String, _ words: Words, _ kind: ImportFieldKind, _ stored: SQLValue, _ mask: MaskKind) -> View
        {
            EditField(
                key: key, words: words, kind: kind, required: key == "full_name",
                stored: FieldText.text(stored, kind, currency: call.tenant.currency), mask: mask,
                visible: masking.shows(mask), typed: typed?.texts[key], conflict: conflict,
                error: error?.fields.first { $0.field == key }?.message[language]
            ).view(language, call)
        }
        var blocks: [View] = sections.map { title, keys in
            let fields = keys.compactMap { CustomerFields.byKey[$0] }.map { field in
                shown(
                    field.key, field.words, kind(of: field, record), record.map { field.get($0, context) } ?? .null,
                    field.mask)
            }
            return ["heading": .text(call.text(title)), "fields": .list(fields)]
        }
        if !attributes.isEmpty {
            let fields = attributes.map { attribute in
                shown(
                    attribute.fieldKey, attribute.title, attribute.importKind,
                    CustomAttribute.value(record?.attributes[attribute.id]), attribute.mask)
            }
            blocks.append(["heading": .text(call.text("customers.edit.attributes")), "fields": .list(fields)])
        }
        let name = record.map { $0.party.displayName.isEmpty ? $0.title : masking.apply(.name, $0.party.displayName) }
        let title = call.text(record == nil ? "customers.new" : "customers.edit")
        return call.page(
            "customers/customer-edit", title: title, active: "/customers",
            [
                "heading": .text(title), "isNew": .bool(record == nil), "customerName": .text(name),
                "action": .text(record.map { "/customers/\($0.id)/edit" } ?? "/customers"),
                "cancel": .text(record.map { "/customers/\($0.id)" } ?? "/customers"),
                "revision": .text(record.map { String($0.customer.revision) }), "blocks": .list(blocks),
                "problem": .text(error?.message[language]),
                "problems": .list(
                    (error?.fields ?? []).map { ["field": .text($0.field), "text": .text($0.message[language])] }),
            ], status: status)
    }

    /// The states a person can choose are those the customer may go to from here.
    private static func kind(of field: CustomerField, _ record: CustomerRecord?) -> ImportFieldKind {
        guard field.key == "status", case .choice(let choices) = field.kind else { return field.kind }
        guard let status = record?.customer.status else {
            return .choice(choices.filter { ["prospect", "onboarding", "active"].contains($0.code) })
        }
        let open = [status.rawValue] + status.next.map(\.rawValue)
        return .choice(choices.filter { open.contains($0.code) })
    }
}

/// One field of the form.
private struct EditField {
    let key: String
    let words: Words
    let kind: ImportFieldKind
    let required: Bool
    let stored: String
    let mask: MaskKind
    let visible: Bool
    let typed: String?
    let conflict: Bool
    let error: String?

    func view(_ language: Language, _ call: Call) -> View {
        // After a conflict the present value stands and one's own is told beside it; after an error one's own stands.
        let value = conflict || typed == nil ? (visible ? stored : "") : typed ?? ""
        let yours =
            conflict && typed != nil && typed?.trimmed != stored && !(typed?.trimmed.isEmpty ?? true) ? typed : nil
        var options: [(String, String)] = []
        switch kind {
        case .choice(let choices): options = choices.map { ($0.code, $0.words[language]) }
        case .boolean: options = [("yes", call.text("customers.yes")), ("no", call.text("customers.no"))]
        default: break
        }
        let type =
            switch kind {
            case .date: "date"
            case .email: "email"
            case .phone: "tel"
            default: "text"
            }
        return [
            "key": .text(key), "label": .text(words[language]), "required": .bool(required && stored.isEmpty),
            "isSelect": .bool(!options.isEmpty), "blank": .bool(key != "kind" && key != "status"),
            "type": .text(type), "value": .text(value),
            "hidden": .text(!visible && !stored.isEmpty ? Masking.masked(mask, stored) : nil),
            "yours": .text(yours), "error": .text(error), "invalid": .bool(error != nil),
            "options": .list(
                options.map { code, label in
                    ["code": .text(code), "label": .text(label), "selected": .bool(code == value)]
                }),
        ]
    }
}
