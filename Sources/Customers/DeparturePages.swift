import Kernel
import Platform
import Storage
import Web

/// That a customer left, when and why; and that they came back.
enum DeparturePages {
    static func endpoints() -> [Endpoint] {
        let edit = Route.Access.permission(CustomerPermissions.edit)
        return [
            Endpoint(.get, "/customers/{id}/departure", edit, trace: .view) { try await show($0, nil, nil) },
            Endpoint(
                .post, "/customers/{id}/departure", edit, body: .form(CustomerForm.sent), trace: .change,
                effect: .overwrites, handler: depart),
            Endpoint(
                .post, "/customers/{id}/return", edit, body: .form(["revision", "how"]), trace: .change,
                effect: .overwrites, handler: comeBack),
        ]
    }

    // MARK: Handlers

    private static func depart(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let edition = try CustomerForm.edition(call)
        let record = try await call.read { try store.read(id, principal, $0) }
        let typed = try CustomerForm.typed(call, fields(record, store.context), isNew: false)
        do {
            try typed.refuseErrors()
            let departure = try departure(typed, record, store.context)
            let act = CustomerStore.Act(
                action: "customers.customer.leave", cause: "departure", reason: departure.reason.rawValue,
                facts: ["reason": .string(departure.reason.rawValue), "left_on": .string(departure.on.description)])
            return try await call.change { session in
                let after = try store.change(
                    id, edition: edition, by: principal, as: act, record: { try call.record($0, session) }, session
                ) { _, after in after.depart(departure, typed.values, store.context) }
                return .redirect("/customers/\(id)").flash("customers.departure.saved")
                    .tagged("\(after.customer.edition)")
            }
        } catch let error as CRMError where CustomerForm.isShown(error) {
            return try await show(call, typed, error)
        }
    }

    private static func comeBack(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let edition = try CustomerForm.edition(call)
        do {
            guard let how = call.form["how"].flatMap(Return.init) else {
                throw CRMError.invalid("how", "choice", Words(en: "Please choose one of the list.", zh: "请从列表中选择。"))
            }
            let act = CustomerStore.Act(
                action: "customers.customer.return", cause: "return", reason: how.rawValue,
                facts: ["how": .string(how.rawValue)])
            return try await call.change { session in
                let after = try store.change(
                    id, edition: edition, by: principal, as: act, record: { try call.record($0, session) }, session
                ) { before, after in
                    guard before.customer.hasLeft == true || before.customer.status == .churned else {
                        throw CRMError.conflict("not_left", Words(en: "This customer has not left.", zh: "该客户并未离网。"))
                    }
                    after.setLeft(false, store.context)
                    if how == .wonBack {
                        after.customer.status = .wonBack
                    } else if after.customer.status == .churned {
                        after.customer.status = .active
                    }
                }
                return .redirect("/customers/\(id)").flash("customers.return.saved")
                    .tagged("\(after.customer.edition)")
            }
        } catch let error as CRMError where CustomerForm.isShown(error) {
            return try await show(call, nil, error)
        }
    }

    /// `won_back`: they left and are here again. `mistake`: they never left.
    private enum Return: String, CaseIterable {
        case wonBack = "won_back"
        case mistake
    }

    private static func departure(_ typed: TypedForm, _ record: CustomerRecord, _ context: FieldContext) throws
        -> Departure
    {
        guard let on = typed.values["left_on"]?.asDate else {
            throw CRMError.invalid("left_on", "required", Words(en: "Please fill in the day.", zh: "请填写离网日期。"))
        }
        guard on <= context.today, record.customer.since.map({ on >= $0 }) ?? true else {
            throw CRMError.invalid(
                "left_on", "left_on",
                Words(
                    en: "The day must lie between the start of the contract and today.", zh: "离网日期须在入网日期与今天之间。"))
        }
        guard let reason = typed.values["reason"]?.asText.flatMap(LeaveReason.init) else {
            throw CRMError.invalid("reason", "required", Words(en: "Please choose the reason.", zh: "请选择离网原因。"))
        }
        return Departure(on: on, reason: reason)
    }

    // MARK: View

    private static func fields(_ record: CustomerRecord, _ context: FieldContext) -> [FormField] {
        let currency = record.customer.currency
        let outcome = record.outcome
        func field(_ key: String, _ words: Words, _ kind: ImportFieldKind, mask: MaskKind = .none, _ stored: SQLValue)
            -> FormField
        {
            FormField(key, words, kind, mask: mask, stored: stored, currency: currency)
        }
        func words(_ key: String) -> Words { PageWords.field(key) }
        var left = field("left_on", words("left_on"), .date, .date(outcome?.leftOn ?? context.today))
        left.required = true
        var reason = field(
            "reason", words("leave_reason"),
            .choice(LeaveReason.allCases.map { ImportChoice($0.rawValue, PageWords.of($0)) }),
            .text(outcome?.reasonCode))
        reason.required = true
        return [
            left, reason,
            // What somebody wrote about a person may name them: it is seen by those who see names.
            field(
                "reason_text", Words(en: "In the customer’s words", zh: "客户原话"), .text(200), mask: .name,
                .text(outcome?.reasonText)),
            field("competitor", words("competitor"), .text(100), .text(outcome?.competitor)),
        ]
    }

    private static func show(_ call: Call, _ typed: TypedForm?, _ error: CRMError?) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let masking = try call.masking()
        let store = CustomerStore(tenant: call.tenant)
        let record = try await call.read { try store.read(id, principal, $0) }
        let fields = fields(record, store.context)
        let names = masking.names && !record.party.displayName.isEmpty ? ["full_name"] : []
        try await call.recordView(
            AuditEntry(
                "customers.customer.view", [.customer(id)], facts: error.map { ["error": .string($0.code)] } ?? [:],
                unmasked: names + CustomerForm.unmasked(fields, masking)))
        let hasLeft = record.customer.hasLeft == true
        let path = "/customers/\(id)"
        return try CustomerForm.page(
            call,
            CustomerForm.Frame(
                title: call.text(hasLeft ? "customers.departure.correct" : "customers.departure"),
                action: path + "/departure", cancel: path, submit: "customers.departure.submit",
                edition: record.customer.edition, path: path + "/departure", customerName: record.name(masking),
                customerPath: path),
            [FormBlock(title: "customers.departure.what", fields: fields)], typed: typed, error: error,
            more: hasLeft || record.customer.status == .churned
                ? ["coming": .view(["path": .text(path + "/return")])] : [:])
    }

    /// The way here from the edit page.
    static func link(_ record: CustomerRecord, _ call: Call) -> View {
        let hasLeft = record.customer.hasLeft == true || record.customer.status == .churned
        let reason = record.outcome?.reasonCode.map { PageWords.reason($0, call.language) }
        return [
            "leaving": .view([
                "path": .text("/customers/\(record.id)/departure"), "hasLeft": .bool(hasLeft),
                "about": .text(
                    [record.outcome?.leftOn?.description, reason].compactMap { $0 }.joined(separator: " · ")),
            ])
        ]
    }
}

/// When and why a customer left.
struct Departure: Sendable {
    let on: LocalDate
    let reason: LeaveReason
}

extension CustomerRecord {
    /// Leaves, or corrects when and why: lines that ended with the leaving end on its day.
    mutating func depart(_ departure: Departure, _ values: [String: SQLValue], _ context: FieldContext) {
        if customer.hasLeft == true, let before = outcome {
            for index in subscriptions.indices
            where subscriptions[index].status == .terminated && subscriptions[index].endedOn == before.leftOn {
                subscriptions[index].endedOn = departure.on
            }
            outcome?.leftOn = departure.on
        } else {
            outcome = Outcome(id: context.ids.next(), leftOn: departure.on, recordedOn: context.today)
            setLeft(true, context)
        }
        outcome?.reasonCode = departure.reason.rawValue
        if let text = values["reason_text"] { outcome?.reasonText = text.asText }
        if let competitor = values["competitor"] { outcome?.competitor = competitor.asText }
    }
}
