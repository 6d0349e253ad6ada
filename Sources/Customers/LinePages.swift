import Kernel
import Platform
import Storage
import Web

/// Lines of a customer, each with a form of its own: a company may have thousands.
enum LinePages {
    static func endpoints() -> [Endpoint] {
        let edit = Route.Access.permission(CustomerPermissions.edit)
        let body = Route.Body.form(CustomerForm.sent)
        return [
            Endpoint(.get, "/customers/{id}/lines/new", edit, trace: .view) { try await show($0, nil, nil) },
            Endpoint(
                .post, "/customers/{id}/lines", edit, body: body, trace: .change, effect: .overwrites, handler: create),
            Endpoint(.get, "/customers/{id}/lines/{line}/edit", edit, trace: .view) { call in
                try await show(call, try call.request.id("line"), nil)
            },
            Endpoint(
                .post, "/customers/{id}/lines/{line}", edit, body: body, trace: .change, effect: .overwrites,
                handler: save),
            Endpoint(
                .post, "/customers/{id}/lines/{line}/termination", edit, body: body, trace: .change,
                effect: .overwrites, handler: end),
        ]
    }

    private static let sections: [(title: String, keys: [String])] = [
        ("customers.line.what", ["service", "technology", "plan", "status", "started_on"]),
        ("customers.line.number", ["msisdn", "sim_kind", "iccid", "imsi", "imei", "device"]),
        ("customers.line.contract", ["contract_term", "contract_end", "monthly_charge"]),
    ]
    /// Names that are no fields of `LineFields`: add-ons are ticked, the reason goes into the history.
    private static let besides: Set<String> = ["addon", "addons", "reason", "ended_on"]
    private static let reasonMax = 200
    private static let shownMax = 12

    // MARK: Handlers

    private static func create(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let line: SubscriptionID = call.tenant.ids.next()
        let act = CustomerStore.Act(
            action: "customers.subscription.create", cause: "line", facts: ["line": .string(line.description)])
        return try await change(call, id, nil, act, "customers.line.created") { typed, context, record in
            guard record.customer.hasLeft != true else { throw left }
            var new = Subscription(
                id: line, service: .other, startedOn: context.today, currency: record.customer.currency)
            guard typed.values["service"] != nil else {
                throw CRMError.invalid("service", "required", Words(en: "Please choose the service.", zh: "请选择业务类型。"))
            }
            try apply(typed, call.form, to: &new, context)
            record.subscriptions.append(new)
        }
    }

    private static func save(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let line: SubscriptionID = try call.request.id("line")
        let act = CustomerStore.Act(
            action: "customers.subscription.update", cause: "line",
            reason: try call.form.optionalText("f_reason", max: reasonMax), facts: ["line": .string(line.description)])
        return try await change(call, id, line, act, "customers.line.saved") { typed, context, record in
            guard let place = record.subscriptions.firstIndex(where: { $0.id == line }) else { throw CRMError.notFound }
            var changed = record.subscriptions[place]
            try apply(typed, call.form, to: &changed, context)
            if changed.status != .terminated, record.subscriptions[place].status == .terminated,
                record.customer.hasLeft == true
            {
                throw left
            }
            if changed.status == .terminated, record.subscriptions[place].status != .terminated {
                changed.endedOn = context.today
            }
            record.subscriptions[place] = changed
        }
    }

    private static func end(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let line: SubscriptionID = try call.request.id("line")
        let act = CustomerStore.Act(
            action: "customers.subscription.end", cause: "line",
            reason: try call.form.optionalText("f_reason", max: reasonMax), facts: ["line": .string(line.description)])
        return try await change(call, id, line, act, "customers.line.ended") { _, context, record in
            guard let place = record.subscriptions.firstIndex(where: { $0.id == line }) else { throw CRMError.notFound }
            let text = call.form["f_ended_on"]?.trimmed ?? ""
            guard let date = text.isEmpty ? context.today : LocalDate(text) else {
                throw CRMError.invalid(
                    "ended_on", "date", Words(en: "A date is expected, such as 2026-01-31.", zh: "请输入日期，例如 2026-01-31。")
                )
            }
            guard date <= context.today, record.subscriptions[place].startedOn.map({ date >= $0 }) ?? true else {
                throw CRMError.invalid(
                    "ended_on", "ended_on",
                    Words(en: "The end must lie between the start and today.", zh: "终止日期须在开通日期与今天之间。"))
            }
            record.subscriptions[place].status = .terminated
            record.subscriptions[place].endedOn = date
        }
    }

    static let left = CRMError.conflict(
        "customer_left",
        Words(
            en: "This customer has left. Record first that the customer came back.", zh: "该客户已离网，请先登记客户回网。"))

    /// Checks and writes what was typed, or shows the form again.
    private static func change(
        _ call: Call, _ id: CustomerID, _ line: SubscriptionID?, _ act: CustomerStore.Act, _ done: String,
        _ body: @escaping @Sendable (TypedForm, FieldContext, inout CustomerRecord) throws -> Void
    ) async throws -> WebResponse {
        let principal = try call.principal()
        let store = CustomerStore(tenant: call.tenant)
        let edition = try CustomerForm.edition(call)
        let record = try await call.read { try store.read(id, principal, $0) }
        let fields = try blocks(call, record, line).flatMap(\.fields)
        let typed = try CustomerForm.typed(call, fields, besides: besides, isNew: line == nil)
        do {
            try typed.refuseErrors()
            return try await call.change { session in
                let after = try store.change(
                    id, edition: edition, by: principal, as: act, record: { try call.record($0, session) }, session
                ) { _, after in try body(typed, store.context, &after) }
                return .redirect("/customers/\(id)").flash(done).tagged("\(after.customer.edition)")
            }
        } catch let error as CRMError where CustomerForm.isShown(error) {
            return try await show(call, line, typed, error)
        }
    }

    private static func apply(_ typed: TypedForm, _ form: Form, to line: inout Subscription, _ context: FieldContext)
        throws
    {
        var errors: [CRMError.FieldError] = []
        for field in LineFields.all {
            guard let value = typed.values[field.key] else { continue }
            do throws(FieldRefusal) { try field.set(&line, value, context) } catch {
                errors.append(CRMError.FieldError(field: field.key, code: error.code, message: error.words))
            }
        }
        // Told by a field of its own, because unticked boxes are not sent.
        if form["f_addons"] != nil {
            let present = line.addons
            let wanted = form.all("f_addon")
            line.addons = present.filter { wanted.contains($0.code) }
            for code in wanted where !present.contains(where: { $0.code == code }) {
                guard AddonCode(rawValue: code) != nil else {
                    errors.append(
                        CRMError.FieldError(
                            field: "addon", code: "choice",
                            message: Words(en: "Please choose one of the list.", zh: "请从列表中选择。")))
                    continue
                }
                if !line.addons.contains(where: { $0.code == code }) { line.addons.append(Addon(code: code)) }
            }
            line.addons.sort { $0.code < $1.code }
        }
        guard errors.isEmpty else {
            throw CRMError(
                "invalid", status: 422,
                TypedForm.correction(errors.count), fields: errors)
        }
    }

    // MARK: View

    private static func show(
        _ call: Call, _ line: SubscriptionID?, _ typed: TypedForm?, _ error: CRMError? = nil
    ) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let masking = try call.masking()
        let store = CustomerStore(tenant: call.tenant)
        let record = try await call.read { try store.read(id, principal, $0) }
        let blocks = try blocks(call, record, line)
        let found = record.subscriptions.first { $0.id == line }
        var facts: [String: JSONValue] = line.map { ["line": .string($0.description)] } ?? [:]
        if let error { facts["error"] = .string(error.code) }
        let names = masking.names && !record.party.displayName.isEmpty ? ["full_name"] : []
        try await call.recordView(
            AuditEntry(
                "customers.subscription.view", [.customer(id)], facts: facts,
                unmasked: names + CustomerForm.unmasked(blocks.flatMap(\.fields), masking)))
        let path = "/customers/\(id)"
        var more: View = [
            "hasChecks": true, "checks": .list(checks(found, error == nil ? nil : call.form, call.language)),
        ]
        if let found, found.status != .terminated {
            more["ending"] = .view([
                "path": .text("\(path)/lines/\(found.id)/termination"), "today": .text(store.context.today.description),
            ])
        }
        return try CustomerForm.page(
            call,
            CustomerForm.Frame(
                title: call.text(line == nil ? "customers.line.new" : "customers.line.edit"),
                action: line.map { "\(path)/lines/\($0)" } ?? "\(path)/lines", cancel: path,
                submit: line == nil ? "customers.create" : "customers.save", edition: record.customer.edition,
                path: line.map { "\(path)/lines/\($0)/edit" } ?? "\(path)/lines/new",
                customerName: record.name(masking), customerPath: path),
            blocks, typed: typed, error: error, more: more
        ).tagged("\(record.customer.edition)")
    }

    /// - Throws: `CRMError.notFound` for a line that is not this customer's.
    private static func blocks(_ call: Call, _ record: CustomerRecord, _ line: SubscriptionID?) throws -> [FormBlock] {
        let context = CustomerStore(tenant: call.tenant).context
        let found = record.subscriptions.first { $0.id == line }
        guard line == nil || found != nil else { throw CRMError.notFound }
        var blocks = sections.map { title, keys in
            FormBlock(
                title: title,
                fields: keys.compactMap { LineFields.byKey[$0] }.map { field in
                    var shown = FormField(
                        field.key, field.words, kind(of: field, found), mask: field.mask, look: field.look,
                        stored: value(of: field, found, context), currency: record.customer.currency)
                    shown.required = field.key == "service"
                    shown.blank = field.key != "status" && (field.key != "service" || found == nil)
                    return shown
                })
        }
        if found != nil {
            let reason = FormField(
                "reason", Words(en: "Reason for a change of status", zh: "状态变更原因"), .text(reasonMax), stored: .null,
                currency: record.customer.currency)
            blocks[0] = FormBlock(title: blocks[0].title, fields: blocks[0].fields + [reason])
        }
        return blocks
    }

    private static func value(of field: LineField, _ line: Subscription?, _ context: FieldContext) -> SQLValue {
        if let line { return field.get(line, context) }
        switch field.key {
        case "status": return .text(SubscriptionStatus.active.rawValue)
        case "started_on": return .date(context.today)
        default: return .null
        }
    }

    /// Lines are ended by a form of their own, which asks for the day.
    private static func kind(of field: LineField, _ line: Subscription?) -> ImportFieldKind {
        guard field.key == "status", case .choice(let choices) = field.kind else { return field.kind }
        return .choice(choices.filter { $0.code != "terminated" || line?.status == .terminated })
    }

    private static func checks(_ line: Subscription?, _ form: Form?, _ language: Language) -> [View] {
        let present = line?.addons.map(\.code) ?? []
        let ticked = form?.all("f_addon") ?? present
        let codes = AddonCode.allCases.map(\.rawValue)
        return (codes + present.filter { !codes.contains($0) }).map { code in
            [
                "code": .text(code), "label": .text(PageWords.addon(code, language)),
                "checked": .bool(ticked.contains(code)),
            ]
        }
    }

    /// The lines on the customer's edit page.
    static func sections(_ record: CustomerRecord, _ call: Call, _ masking: Masking) -> View {
        let path = "/customers/\(record.id)"
        let language = call.language
        return [
            "hasLines": true,
            "lines": .list(
                record.subscriptions.prefix(shownMax).map { line in
                    [
                        "path": .text("\(path)/lines/\(line.id)/edit"),
                        "plan": .text(line.plan ?? PageWords.of(line.service)[language]),
                        "number": .text(line.msisdn.map { PanelParts.phone($0, masking) } ?? ""),
                        "status": .text(PageWords.of(line.status)[language]),
                        "badge": .text(PanelParts.badge(line.status)),
                    ]
                }),
            "linesMore": .text(record.subscriptions.count > shownMax ? "\(path)/subscriptions" : nil),
            "newLine": .text(record.customer.hasLeft == true ? nil : "\(path)/lines/new"),
        ]
    }
}
