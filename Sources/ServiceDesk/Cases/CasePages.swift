import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// All cases, also those of nobody: a ticket that a program opens without naming a customer lands here.
struct CasePages: Sendable {
    /// TMF621: the same documents, rights and rules as programs have.
    let resource: TMFResource
    let customers: any CustomerReading

    static let nobodys: SQL = "SELECT id FROM servicedesk_case WHERE customer_id = 0 AND id < $1 ORDER BY id DESC LIMIT $2"

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/cases", .permission(ServiceDeskPermissions.viewCases), trace: .view, handler: list),
            Endpoint(.get, "/cases/{id}", .permission(ServiceDeskPermissions.viewCases), trace: .view, handler: page),
            Endpoint(
                .post, "/cases/{id}/status", .permission(ServiceDeskPermissions.editCases),
                body: .form(["revision", "status", "reason"]), trace: .change, effect: .overwrites, handler: move),
        ]
    }

    var navigation: NavigationEntry {
        NavigationEntry(
            key: "servicedesk.panel.cases", icon: "bell", path: "/cases", permission: ServiceDeskPermissions.viewCases, order: 12)
    }

    // MARK: The list

    private enum Shown: String, CaseIterable {
        case open, ended, all, nobody
        var statuses: [String]? {
            switch self {
            case .open: ["acknowledged", "inProgress", "pending", "held"]
            case .ended: ["resolved", "closed", "rejected", "cancelled"]
            case .all, .nobody: nil
            }
        }
    }

    private struct Listed {
        var documents: [JSONObject] = []
        var next: String?
        /// More than can be looked through for one who sees some regions only.
        var isTooMuch = false
    }

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let shown = call.request.query["show"].flatMap(Shown.init) ?? .open
        let after = call.request.query["after"]
        let principal = try call.principal()
        let desk = TMFDesk(resource: resource, tenant: call.tenant)
        let resource = resource
        let (found, cards) = try await call.readRecent { [customers] session in
            var found = Listed()
            if shown == .nobody {
                let last = after.flatMap { Int64($0) } ?? .max
                let ids = try session.query(Self.nobodys, [.int(last), .int(Limits.pageSize + 1)]) { $0.int(0) }
                found.documents = try ids.prefix(Limits.pageSize).compactMap { try desk.find($0, principal, session) }
                if ids.count > Limits.pageSize { found.next = ids.dropLast().last.map { String($0) } }
            } else {
                var form: [(name: String, value: String)] = [("sort", "-creationDate"), ("limit", String(Limits.pageSize))]
                if let statuses = shown.statuses { form.append(("status", statuses.joined(separator: ","))) }
                if let after { form.append(("after", after)) }
                let query = try TMFQuery(Form(form), schema: resource.schema, type: resource.type)
                do {
                    let listing = try desk.list(query, principal, session)
                    found = Listed(documents: listing.documents, next: listing.next)
                } catch let error as CRMError where error.code == "not_indexed" {
                    found.isTooMuch = true
                }
            }
            let ids = Set(found.documents.compactMap(Self.customer)).sorted { $0.rawValue < $1.rawValue }
            return (found, try customers.cards(ids, for: principal, session))
        }
        let names = Dictionary(cards.map { ($0.id, $0.displayName) }, uniquingKeysWith: { first, _ in first })
        let masking = Masking(principal)
        try await call.recordView(
            AuditEntry(
                "servicedesk.case.list", found.documents.flatMap(Self.subjects),
                facts: ["count": .int(Int64(found.documents.count))],
                unmasked: masking.shows(.name) && !found.documents.isEmpty ? ["subject"] : []))
        return call.page(
            "servicedesk/cases", title: call.text("servicedesk.panel.cases"), active: "/cases",
            [
                "isEmpty": .bool(found.documents.isEmpty && !found.isTooMuch), "isTooMuch": .bool(found.isTooMuch),
                "tabs": .list(
                    Shown.allCases.map { one in
                        [
                            "path": .text("/cases?show=\(one.rawValue)"), "label": .text(call.text("servicedesk.cases.show.\(one.rawValue)")),
                            "current": .bool(one == shown),
                        ]
                    }),
                "cases": .list(found.documents.map { row($0, names, masking, call) }),
                "next": .text(found.next.map { "/cases?show=\(shown.rawValue)&after=\($0)" }),
            ])
    }

    /// The customer a document is about.
    private static func customer(_ document: JSONObject) -> CustomerID? {
        (document["relatedParty"]?.array ?? []).lazy.filter { $0["@referredType"]?.string == "Customer" }
            .compactMap { $0["id"]?.string.flatMap { CustomerID($0) } }.first
    }

    private static func subjects(_ document: JSONObject) -> [AuditSubject] {
        let id = document["id"]?.string.flatMap { Int64($0) } ?? 0
        return [AuditSubject(kind: "case", id: id)] + (customer(document).map { [.customer($0)] } ?? [])
    }

    private func row(_ document: JSONObject, _ names: [CustomerID: String], _ masking: Masking, _ call: Call) -> View {
        let language = call.language
        func text(_ name: String) -> String { document[name]?.string ?? "" }
        let status = Self.status(text("status"))
        let priority = CasePriority(any: text("priority"))
        let customer = Self.customer(document)
        let isUrgent = (priority == .urgent || priority == .high) && status?.isEnd == false
        let subject = FreeText.shown(document["name"]?.string ?? document["description"]?.string, masking)
        return [
            "id": .text(text("id")), "number": .text(text("externalId")),
            "kind": .text((CaseKind(rawValue: text("ticketType"))?.words ?? .code(text("ticketType")))[language]),
            "topic": .text((DeskTopic(rawValue: text("topic"))?.words ?? .code(text("topic")))[language]),
            "status": .text((status?.words ?? .code(text("status")))[language]), "badge": .text(status?.badge ?? ""),
            "priority": .text((priority?.words ?? .code(text("priority")))[language]), "isUrgent": .bool(isUrgent),
            "subject": .text(FreeText.excerpt(subject)),
            "opened": .text(Self.time(document["creationDate"], call)), "customer": .text(customer?.description),
            "customerName": .text(customer.flatMap { names[$0] }),
        ]
    }

    private static func status(_ word: String) -> CaseStatus? { CaseStatus(rawValue: Tickets.statuses[word] ?? word) }

    private static func time(_ value: JSONValue?, _ call: Call) -> String? {
        value?.string.flatMap { TMFTime($0) }.map { call.time(Instant(milliseconds: $0.milliseconds)) }
    }

    // MARK: One case

    @Sendable private func page(_ call: Call) async throws -> WebResponse { try await page(call, error: nil) }

    private func page(_ call: Call, error: CRMError?) async throws -> WebResponse {
        let id: CaseID = try call.request.id("id")
        let principal = try call.principal()
        let desk = TMFDesk(resource: resource, tenant: call.tenant)
        let (document, cards) = try await call.read { [customers] session in
            let document = try desk.document(id.rawValue, principal, session)
            let ids = Self.customer(document).map { [$0] } ?? []
            return (document, try customers.cards(ids, for: principal, session))
        }
        let masking = Masking(principal)
        try await call.recordView(
            AuditEntry("servicedesk.case.view", Self.subjects(document), unmasked: masking.shows(.name) ? ["subject"] : []))
        let names = Dictionary(cards.map { ($0.id, $0.displayName) }, uniquingKeysWith: { first, _ in first })
        var view = row(document, names, masking, call)
        let language = call.language
        view["subject"] = .text(FreeText.shown(document["name"]?.string, masking))
        view["description"] = .text(FreeText.shown(document["description"]?.string, masking))
        view["updated"] = .text(Self.time(document["lastUpdate"], call))
        view["resolved"] = .text(Self.time(document["resolutionDate"], call))
        view["expected"] = .text(Self.time(document["expectedResolutionDate"], call))
        view["notes"] = .list(
            Self.objects(document["note"]).map { note in
                [
                    "text": .text(FreeText.shown(note["text"]?.string, masking)), "author": .text(note["author"]?.string),
                    "at": .text(Self.time(note["date"], call)),
                ]
            })
        view["steps"] = .list(
            Self.objects(document["statusChange"]).map { step in
                let word = step["status"]?.string ?? ""
                return [
                    "status": .text((Self.status(word)?.words ?? .code(word))[language]), "badge": .text(Self.status(word)?.badge ?? ""),
                    "at": .text(Self.time(step["changeDate"], call)),
                    "reason": .text(FreeText.shown(step["changeReason"]?.string, masking)),
                ]
            })
        view["entities"] = .list(
            Self.objects(document["relatedEntity"]).map { entity in
                [
                    "type": .text(entity["@referredType"]?.string ?? entity["role"]?.string), "name": .text(entity["name"]?.string),
                    "entity": .text(entity["id"]?.string),
                ]
            })
        view["parties"] = .list(
            Self.objects(document["relatedParty"]).filter { $0["@referredType"]?.string != "Customer" }.map { party in
                [
                    "role": .text(party["role"]?.string), "name": .text(party["name"]?.string ?? party["id"]?.string),
                ]
            })
        let next = principal.may(ServiceDeskPermissions.editCases) ? Tickets.states.next[document["status"]?.string ?? ""] ?? [] : []
        view["mayMove"] = .bool(!next.isEmpty)
        view["moves"] = .list(
            next.map { word in
                ["value": .text(word), "label": .text((Self.status(word)?.words ?? .code(word))[language])]
            })
        let version = TMFDesk.version(document)
        view["revision"] = .text(version)
        view["error"] = .text(error.map { $0.message[language] })
        view["typed"] = .text(error == nil ? nil : call.form["reason"])
        let number = document["externalId"]?.string ?? id.description
        return call.page("servicedesk/case", title: number, active: "/cases", view, status: error.map { .init(code: $0.status) } ?? .ok)
            .tagged(version)
    }

    private static func objects(_ value: JSONValue?) -> [JSONObject] { (value?.array ?? []).compactMap(\.object) }

    @Sendable private func move(_ call: Call) async throws -> WebResponse {
        let id: CaseID = try call.request.id("id")
        let principal = try call.principal()
        let status = call.form["status"]?.trimmed ?? ""
        let reason = call.form["reason"]?.trimmed ?? ""
        let desk = TMFDesk(resource: resource, tenant: call.tenant)
        let context = TMFContext(tenant: call.tenant, principal: principal, now: call.tenant.clock.now())
        do {
            let seen = try call.seenVersion()
            return try await call.change { session in
                let change: JSONObject = ["status": .string(status), "statusChangeReason": reason.isEmpty ? .null : .string(reason)]
                let patch = try TMFPatch("application/merge-patch+json", .object(change))
                let document = try desk.change(id.rawValue, patch, seen: [seen], context, session)
                try call.record(
                    AuditEntry("servicedesk.case.move", Self.subjects(document), facts: ["status": .string(status)]), session)
                return .redirect("/cases/\(id)").flash("servicedesk.case.moved")
            }
        } catch let error as CRMError where [400, 409, 412, 422].contains(error.status) {
            return try await page(call, error: error)
        }
    }
}
