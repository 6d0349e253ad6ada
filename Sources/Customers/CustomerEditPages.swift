import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The form for a customer's master data: new ones and changes. Lines and leaving have forms of their own
/// (`LinePages`, `DeparturePages`); this page leads to them.
enum CustomerEditPages {
    static func endpoints() -> [Endpoint] {
        let edit = Route.Access.permission(CustomerPermissions.edit)
        return [
            Endpoint(.get, "/customers/new", edit, trace: .none) { call in
                let (fields, _) = try await blocks(call, nil)
                return try page(call, nil, fields, typed: nil, error: nil)
            },
            Endpoint(
                .post, "/customers", edit, body: .form(["f_*"]), trace: .change, effect: .adds, handler: create),
            Endpoint(.get, "/customers/{id}/edit", edit, trace: .view, handler: open),
            Endpoint(
                .post, "/customers/{id}/edit", edit, body: .form(CustomerForm.sent), trace: .change,
                effect: .overwrites, handler: save),
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
        (
            "customers.edit.contact",
            ["phone", "email", "address", "city", "region", "postcode", "country", "latitude", "longitude"]
        ),
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
        return try await shown(call, record, typed: nil, error: nil)
    }

    static func create(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let (blocks, outside) = try await blocks(call, nil)
        let typed = try CustomerForm.typed(call, blocks.flatMap(\.fields), outside: outside, isNew: true)
        do {
            try typed.refuseErrors()
            return try await call.change { session in
                let record = try store.create(
                    typed.values, by: principal, record: { try call.record($0, session) }, session)
                return .redirect("/customers/\(record.id)").flash("customers.created")
            }
        } catch let error as CRMError where error.status == 422 || error.status == 409 {
            try await call.recordView(
                AuditEntry("customers.customer.create", facts: ["error": .string(error.code)], refused: true))
            return try page(call, nil, blocks, typed: typed, error: error)
        }
    }

    static func save(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let record = try await call.read { try store.read(id, principal, $0) }
        let edition = try CustomerForm.edition(call)
        let (blocks, outside) = try await blocks(call, record)
        let typed = try CustomerForm.typed(call, blocks.flatMap(\.fields), outside: outside, isNew: false)
        do {
            try typed.refuseErrors()
            return try await call.change { session in
                let after = try store.update(
                    id, edition: edition, typed.values, by: principal, record: { try call.record($0, session) },
                    session)
                return .redirect("/customers/\(id)").flash("customers.saved").tagged("\(after.customer.edition)")
            }
        } catch let error as CRMError where CustomerForm.isShown(error) {
            let present = try await call.read { try store.read(id, principal, $0) }
            return try await shown(call, present, typed: typed, error: error)
        }
    }

    // MARK: View

    /// The filled form. It shows the record, whatever the status of the answer: that is told to the audit.
    private static func shown(_ call: Call, _ record: CustomerRecord, typed: TypedForm?, error: CRMError?) async throws
        -> WebResponse
    {
        let (blocks, _) = try await blocks(call, record)
        let unmasked = CustomerForm.unmasked(blocks.flatMap(\.fields), try call.masking())
        try await call.recordView(
            AuditEntry(
                "customers.customer.view", [.customer(record.id)],
                facts: error.map { ["error": .string($0.code)] } ?? [:], unmasked: unmasked))
        return try page(call, record, blocks, typed: typed, error: error).tagged("\(record.customer.edition)")
    }

    private static func page(
        _ call: Call, _ record: CustomerRecord?, _ blocks: [FormBlock], typed: TypedForm?, error: CRMError?
    ) throws -> WebResponse {
        let masking = try call.masking()
        let path = record.map { "/customers/\($0.id)" }
        return try CustomerForm.page(
            call,
            CustomerForm.Frame(
                title: call.text(record == nil ? "customers.new" : "customers.edit"),
                action: path.map { $0 + "/edit" } ?? "/customers", cancel: path ?? "/customers",
                submit: record == nil ? "customers.create" : "customers.save", edition: record?.customer.edition,
                path: path.map { $0 + "/edit" } ?? "/customers/new",
                customerName: record?.name(masking), customerPath: path),
            blocks, typed: typed, error: error,
            more: record.map { LinePages.sections($0, call, masking).merging(DeparturePages.link($0, call)) } ?? [:])
    }

    /// The form's fields for this caller, and the attributes that are not for them.
    private static func blocks(_ call: Call, _ record: CustomerRecord?) async throws -> (
        shown: [FormBlock], outside: [FormField]
    ) {
        let masking = try call.masking()
        let currency = record?.customer.currency ?? call.tenant.currency
        let context = CustomerStore(tenant: call.tenant).context
        var blocks = sections.map { title, keys in
            FormBlock(
                title: title,
                fields: keys.compactMap { CustomerFields.byKey[$0] }.map { field in
                    var shown = FormField(
                        field.key, field.words, kind(of: field, record), mask: field.mask,
                        stored: record.map { field.get($0, context) } ?? .null, currency: currency)
                    shown.required = field.key == "full_name"
                    shown.blank = field.key != "kind" && field.key != "status"
                    return shown
                })
        }
        let attributes = try await call.read { try AttributeStore.all($0) }.map { attribute in
            FormField(
                attribute.fieldKey, attribute.title, attribute.importKind, mask: attribute.mask,
                stored: CustomAttribute.value(record?.attributes[attribute.id]), currency: currency)
        }
        let visible = attributes.filter { masking.shows($0.mask) }
        if !visible.isEmpty { blocks.append(FormBlock(title: "customers.edit.attributes", fields: visible)) }
        return (blocks, attributes.filter { !masking.shows($0.mask) })
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

extension CustomerRecord {
    /// The name as the caller may see it, else the number that stands for it.
    func name(_ masking: Masking) -> String {
        party.displayName.isEmpty ? title : masking.apply(.name, party.displayName)
    }
}
