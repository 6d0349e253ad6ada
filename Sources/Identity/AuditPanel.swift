import Kernel
import Platform
import Storage
import Web

/// On the customer's page: who viewed or changed this customer (G48).
enum AuditPanel {
    private static let shown = 12

    static func panel(_ tenant: Tenant, _ texts: Texts) -> CustomerPanel {
        CustomerPanel(
            name: "audit", title: "identity.panel.audit", place: .side, order: 90,
            permission: PlatformGrants.readCustomerAudit
        ) { request, session in
            let pages = try request.customers.map { customer in
                var filter = AuditReader.Filter()
                filter.customer = customer
                return try AuditReader().asking(filter, limit: shown, session)
            }
            return Asked {
                let events = try pages.flatMap { try $0.value().items }.sorted { $0.id > $1.id }
                var rows = Rows(words: AuditWords(texts, request.language), tenant: tenant)
                return PanelContent(
                    template: "identity/panel-audit",
                    view: [
                        "isEmpty": .bool(events.isEmpty), "assets": .text(request.assets),
                        "events": .list(events.prefix(shown).map { rows.view($0) }),
                    ])
            }.staged
        }
    }

    /// Most events of one customer tell of the same action and fields: their words are put together once.
    private struct Rows {
        let words: AuditWords
        let tenant: Tenant
        private var fields: [String: (words: ViewValue, codes: ViewValue)] = [:]
        private var actions: [String: (words: ViewValue, sees: ViewValue)] = [:]

        init(words: AuditWords, tenant: Tenant) {
            self.words = words
            self.tenant = tenant
        }

        mutating func view(_ event: AuditRecord) -> View {
            let (action, sees) = told(event.action, refused: event.refused)
            let (unmasked, codes) = shown(event)
            return [
                "actor": .text(event.actorName), "action": action, "code": .text(event.action), "sees": sees,
                "at": .text(event.at.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes)), "unmasked": unmasked,
                "unmaskedCodes": codes, "refused": .bool(event.refused),
            ]
        }

        private mutating func told(_ code: String, refused: Bool) -> (ViewValue, ViewValue) {
            let key = refused ? "refused " + code : code
            if let known = actions[key] { return known }
            let verb = code.split(separator: ".").last ?? ""
            let sees = ["view", "list", "search", "suggest"].contains(verb)
            let made = (words: ViewValue.text(words.action(code, refused: refused)), sees: ViewValue.bool(sees))
            actions[key] = made
            return made
        }

        private mutating func shown(_ event: AuditRecord) -> (ViewValue, ViewValue) {
            if let known = fields[event.unmaskedText] { return known }
            let names = event.unmasked
            let made = (
                words: ViewValue.text(words.names(names).nilIfEmpty),
                codes: ViewValue.text(names.joined(separator: ", ").nilIfEmpty)
            )
            fields[event.unmaskedText] = made
            return made
        }
    }
}
