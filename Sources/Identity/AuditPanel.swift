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
            let reader = AuditReader()
            var events: [AuditRecord] = []
            for customer in request.customers {
                var filter = AuditReader.Filter()
                filter.customer = customer
                events += try reader.page(filter, limit: shown, session).items
            }
            events.sort { $0.id > $1.id }
            let words = AuditWords(texts, request.language)
            return PanelContent(
                template: "identity/panel-audit",
                view: [
                    "isEmpty": .bool(events.isEmpty), "assets": .text(request.assets),
                    "events": .list(events.prefix(shown).map { row($0, words, tenant) }),
                ])
        }
    }

    private static func row(_ event: AuditRecord, _ words: AuditWords, _ tenant: Tenant) -> View {
        let verb = event.action.split(separator: ".").last ?? ""
        let sees = ["view", "list", "search", "suggest"].contains(verb)
        return [
            "actor": .text(event.actorName), "action": .text(words.action(event.action, refused: event.refused)),
            "code": .text(event.action), "sees": .bool(sees),
            "at": .text(event.at.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes)),
            "unmasked": .text(words.names(event.unmasked).nilIfEmpty),
            "unmaskedCodes": .text(event.unmasked.joined(separator: ", ").nilIfEmpty),
            "refused": .bool(event.refused),
        ]
    }
}
