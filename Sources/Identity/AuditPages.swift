import Kernel
import Platform
import Storage
import Web

/// The audit log for the auditor. Reading it is recorded, one event a request (G58).
struct AuditPages: Sendable {
    let customers: CustomerNumbers

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/audit", .permission(PlatformGrants.readAudit), trace: .view, purpose: .security, handler: show)
        ]
    }

    /// What the filter form holds; codes, ids, customer numbers and dates only.
    private struct Query: Sendable {
        let action: String?
        let actor: UserID?
        /// As it was typed: an id or a customer number.
        let customerText: String?
        /// Whom that means.
        var customer: CustomerID?
        let from: LocalDate?
        let until: LocalDate?
        let refused: Bool
        let before: AuditID?
        /// Text keys of what could not be read; the form stays and says so.
        var problems: [String] = []

        init(_ form: Form) {
            var problems: [String] = []
            func value(_ name: String) -> String? {
                do { return try form.optionalText(name, max: 100) } catch {
                    problems.append("audit.unreadable.long")
                    return nil
                }
            }
            func read<T>(_ name: String, _ key: String, _ make: (String) -> T?) -> T? {
                guard let text = value(name) else { return nil }
                let made = make(text)
                if made == nil { problems.append(key) }
                return made
            }
            action = value("action")
            actor = read("actor", "audit.unreadable.actor") { UserID($0) }
            customerText = value("customer")
            from = read("from", "audit.unreadable.date") { LocalDate($0) }
            until = read("until", "audit.unreadable.date") { LocalDate($0) }
            refused = value("refused") != nil
            before = read("before", "audit.unreadable.page") { AuditID($0) }
            self.problems = problems
        }

        /// Finds whom the typed text means: the customer of that number, else of that id.
        mutating func resolve(_ customers: CustomerNumbers, _ session: any SQLSession) throws {
            guard let customerText else { return }
            let found = try customers.find(customerText, session)
            if found.count > 1 {
                problems.append("audit.unreadable.many")
            } else if let id = found.first ?? CustomerID(customerText) {
                customer = id
            } else {
                problems.append("audit.unreadable.customer")
            }
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
                ("action", action), ("actor", actor?.description), ("customer", customerText),
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

    /// What is shown, read on one snapshot.
    private struct Loaded: Sendable {
        let query: Query
        let page: Page<AuditRecord>
        let subjects: [AuditID: [AuditSubject]]
        /// Names of the accounts that events are about.
        let names: [Int64: String]
        let staff: [User]
    }

    @Sendable private func show(_ call: Call) async throws -> WebResponse {
        let asked = Query(call.request.query)
        let (customers, offset) = (customers, call.tenant.timeZoneOffsetMinutes)
        let loaded = try await call.read { session in
            var query = asked
            try query.resolve(customers, session)
            let reader = AuditReader()
            let page =
                query.problems.isEmpty
                ? try reader.page(query.filter(offsetMinutes: offset), before: query.before, session)
                : Page(items: [], next: nil)
            let subjects = try reader.subjects(of: page.items.map(\.id), session)
            let users = Set(subjects.values.flatMap { $0 }.filter { $0.kind == "user" }.map(\.id))
            return Loaded(
                query: query, page: page, subjects: subjects,
                names: try UserStore().names(users.map { UserID($0) }, session),
                staff: try UserStore().page(limit: Limits.pageSizeMax, session).items)
        }
        let (query, page) = (loaded.query, loaded.page)
        if query.problems.isEmpty {
            try await call.recordView(
                AuditEntry("audit.log.view", query.customer.map { [.customer($0)] } ?? [], facts: query.facts))
        } else {
            call.showsOnlyWhatWasTyped()
        }
        return call.page(
            "identity/audit", title: call.text("nav.audit"), active: "/audit",
            [
                "actions": .list(Self.actions(call, chosen: query.action)),
                "problems": .list(query.problems.map { ["problem": .text(call.text($0))] }),
                "actors": .list(
                    loaded.staff.map {
                        [
                            "value": .text($0.id.description), "label": .text($0.name),
                            "selected": .bool($0.id == query.actor),
                        ]
                    }),
                "customer": .text(query.customerText ?? ""), "from": .text(query.from?.description ?? ""),
                "until": .text(query.until?.description ?? ""), "refused": .bool(query.refused),
                "isFiltered": .bool(!query.pairs.isEmpty),
                "filterCount": .text(query.pairs.isEmpty ? nil : String(query.pairs.count)),
                "isEmpty": .bool(page.items.isEmpty && query.problems.isEmpty),
                "any": .bool(!page.items.isEmpty),
                "events": .list(page.items.map { Self.row($0, loaded.subjects[$0.id] ?? [], loaded.names, call) }),
                "next": .text(page.next.map { "/audit?before=\($0)\(query.encoded)" }),
            ], status: query.problems.isEmpty ? .ok : .unprocessableContent)
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

    private static func row(
        _ event: AuditRecord, _ subjects: [AuditSubject], _ names: [Int64: String], _ call: Call
    ) -> View {
        let words = AuditWords(call.site.pages.texts, call.language)
        return [
            "id": .text(event.id.description), "at": .text(call.time(event.at)), "actor": .text(event.actorName),
            "roles": .text(event.roles.map { call.text("role.\($0)") }.joined(separator: ", ").nilIfEmpty),
            "action": .text(words.action(event.action, refused: event.refused)),
            "code": .text(event.action), "refused": .bool(event.refused),
            "purpose": .text(call.text("audit.purpose.\(event.purpose)")), "address": .text(event.address),
            "request": .text(event.requestID), "unmasked": .text(words.names(event.unmasked).nilIfEmpty),
            "unmaskedCodes": .text(event.unmasked.joined(separator: ", ").nilIfEmpty),
            "facts": .text(words.facts(event.facts).nilIfEmpty), "factCodes": .text(AuditWords.codes(event.facts)),
            "subjects": .list(
                subjects.prefix(subjectsShown).map {
                    [
                        "kind": .text(words.kind($0.kind)),
                        "id": .text(String($0.id)), "named": .text($0.kind == "user" ? names[$0.id] : nil),
                    ]
                }),
            "more": .text(subjects.count > subjectsShown ? "+\(subjects.count - subjectsShown)" : nil),
        ]
    }
}

/// Finds customers by the number their source gave them; injected, because customers are another domain's.
package struct CustomerNumbers: Sendable {
    let find: @Sendable (_ number: String, any SQLSession) throws -> [CustomerID]

    package init(find: @escaping @Sendable (_ number: String, any SQLSession) throws -> [CustomerID] = { _, _ in [] }) {
        self.find = find
    }
}
