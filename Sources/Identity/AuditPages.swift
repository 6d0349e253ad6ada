import Kernel
import Platform
import Storage
import Web

/// The audit log for the auditor. Reading it is recorded, one event a request (G58).
enum AuditPages {
    static let endpoints = [
        Endpoint(.get, "/audit", .permission(PlatformGrants.readAudit), trace: .view, purpose: .security, handler: show)
    ]

    /// What the filter form holds; codes, ids and dates only.
    private struct Query {
        let action: String?
        let actor: UserID?
        let customer: CustomerID?
        let from: LocalDate?
        let until: LocalDate?
        let refused: Bool
        let before: AuditID?

        /// - Throws: 422 for an id or a date that is none.
        init(_ form: Form) throws {
            func value(_ name: String) throws -> String? { try form.optionalText(name, max: 100) }
            func id<K>(_ name: String, _ kind: K.Type) throws -> ID<K>? {
                guard let text = try value(name) else { return nil }
                guard let id = ID<K>(text) else {
                    throw CRMError.invalid(name, "invalid_id", Words(en: "This is not an id.", zh: "编号无效。"))
                }
                return id
            }
            func date(_ name: String) throws -> LocalDate? {
                guard let text = try value(name) else { return nil }
                guard let date = LocalDate(text) else {
                    throw CRMError.invalid(
                        name, "invalid_date", Words(en: "A date is YYYY-MM-DD.", zh: "日期格式为 YYYY-MM-DD。"))
                }
                return date
            }
            action = try value("action")
            actor = try id("actor", UserKind.self)
            customer = try id("customer", PartyKind.self)
            from = try date("from")
            until = try date("until")
            refused = try value("refused") != nil
            before = try id("before", AuditKind.self)
        }

        func filter(offsetMinutes: Int) -> AuditReader.Filter {
            func start(_ date: LocalDate) -> Instant {
                Instant(milliseconds: (Int64(date.daysSinceEpoch) * 1_440 - Int64(offsetMinutes)) * 60_000)
            }
            var filter = AuditReader.Filter()
            filter.action = action
            filter.actor = actor
            filter.customer = customer
            filter.from = from.map(start)
            filter.until = until.map { start($0.adding(days: 1)) }
            filter.refusedOnly = refused
            return filter
        }

        /// What is narrowed, as it is repeated in the address of the next page.
        var pairs: [(name: String, value: String)] {
            let all = [
                ("action", action), ("actor", actor?.description), ("customer", customer?.description),
                ("from", from?.description), ("until", until?.description), ("refused", refused ? "1" : nil),
            ]
            return all.compactMap { name, value in value.map { (name: name, value: $0) } }
        }

        var encoded: String { pairs.map { "&\($0.name)=\(Form.encode($0.value))" }.joined() }

        var facts: [String: JSONValue] {
            let all: [String: JSONValue] = [
                "action": .text(action), "actor": .text(actor?.description), "from": .text(from?.description),
                "until": .text(until?.description),
            ]
            return all.filter { $0.value != .null }
        }
    }

    @Sendable private static func show(_ call: Call) async throws -> WebResponse {
        let query = try Query(call.request.query)
        let filter = query.filter(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        let reader = AuditReader()
        let (page, subjects, staff) = try await call.read { session in
            let page = try reader.page(filter, before: query.before, session)
            let subjects = try reader.subjects(of: page.items.map(\.id), session)
            let staff = try UserStore().page(limit: Limits.pageSizeMax, session).items
            return (page, subjects, staff)
        }
        try await call.recordView(
            AuditEntry("audit.log.view", query.customer.map { [.customer($0)] } ?? [], facts: query.facts))
        return call.page(
            "identity/audit", title: call.text("nav.audit"), active: "/audit",
            [
                "actions": .list(actions(call, chosen: query.action)),
                "actors": .list(
                    staff.map {
                        [
                            "value": .text($0.id.description), "label": .text($0.name),
                            "selected": .bool($0.id == query.actor),
                        ]
                    }),
                "customer": .text(query.customer?.description ?? ""), "from": .text(query.from?.description ?? ""),
                "until": .text(query.until?.description ?? ""), "refused": .bool(query.refused),
                "isFiltered": .bool(!query.pairs.isEmpty),
                "filterCount": .text(query.pairs.isEmpty ? nil : String(query.pairs.count)),
                "isEmpty": .bool(page.items.isEmpty),
                "events": .list(page.items.map { row($0, subjects[$0.id] ?? [], call) }),
                "next": .text(page.next.map { "/audit?before=\($0)\(query.encoded)" }),
            ])
    }

    /// The actions the texts know, by their words: `audit.action.identity.user.create`.
    private static func actions(_ call: Call, chosen: String?) -> [View] {
        let prefix = "audit.action."
        return call.site.pages.texts.words
            .filter { $0.key.hasPrefix(prefix) }
            .map { (code: String($0.key.dropFirst(prefix.count)), words: $0.value[call.language]) }
            .sorted { ($0.words, $0.code) < ($1.words, $1.code) }
            .map { ["value": .text($0.code), "label": .text($0.words), "selected": .bool($0.code == chosen)] }
    }

    private static let subjectsShown = 2

    private static func row(_ event: AuditRecord, _ subjects: [AuditSubject], _ call: Call) -> View {
        let words = AuditWords(call.site.pages.texts, call.language)
        return [
            "id": .text(event.id.description), "at": .text(call.time(event.at)), "actor": .text(event.actorName),
            "roles": .text(event.roles.map { call.text("role.\($0)") }.joined(separator: ", ").nilIfEmpty),
            "action": .text(words.action(event.action)),
            "code": .text(event.action), "refused": .bool(event.refused),
            "purpose": .text(call.text("audit.purpose.\(event.purpose)")), "address": .text(event.address),
            "request": .text(event.requestID), "unmasked": .text(words.names(event.unmasked).nilIfEmpty),
            "unmaskedCodes": .text(event.unmasked.joined(separator: ", ").nilIfEmpty),
            "facts": .text(words.facts(event.facts).nilIfEmpty), "factCodes": .text(AuditWords.codes(event.facts)),
            "subjects": .list(
                subjects.prefix(subjectsShown).map {
                    [
                        "kind": .text(words.kind($0.kind)),
                        "id": .text(String($0.id)),
                    ]
                }),
            "more": .text(subjects.count > subjectsShown ? "+\(subjects.count - subjectsShown)" : nil),
        ]
    }
}
