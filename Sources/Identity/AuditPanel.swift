import Kernel
import Platform
import Storage
import Web

/// On the customer's page: who viewed or changed this customer (G48). What one person did on one day is one entry: who works
/// with a customer looks again and again.
enum AuditPanel {
    /// Events that are looked at, the newest.
    static let readMax = 48
    /// Entries that are shown at once; the others are behind "more".
    static let shown = 5

    static func panel(_ tenant: Tenant, _ texts: Texts) -> CustomerPanel {
        CustomerPanel(
            name: "audit", title: "identity.panel.audit", place: .side, order: 90,
            permission: PlatformGrants.readCustomerAudit
        ) { request, session in
            let pages = try request.customers.map { customer in
                var filter = AuditReader.Filter()
                filter.customer = customer
                return try AuditReader().asking(filter, limit: readMax, session)
            }
            return Asked {
                let pages = try pages.map { try $0.value() }
                // What was done with two customers that are shown as one stands in the log of each.
                var seen: Set<AuditID> = []
                let events = pages.flatMap(\.items).sorted { $0.id > $1.id }.filter { seen.insert($0.id).inserted }
                    .prefix(readMax)
                let groups = AuditGroup.of(Array(events), zone: tenant.timeZoneOffsetMinutes)
                var rows = Rows(words: AuditWords(texts, request.language), tenant: tenant)
                let views = groups.map { rows.view($0) }
                let hasOlder = pages.contains { $0.next != nil } || seen.count > readMax
                return PanelContent(
                    template: "identity/panel-audit",
                    view: [
                        "isEmpty": .bool(events.isEmpty), "assets": .text(request.assets),
                        "groups": .list(Array(views.prefix(shown))), "more": .list(Array(views.dropFirst(shown))),
                        "hasMore": .bool(views.count > shown), "moreCount": .int(max(0, views.count - shown)),
                        "log": .text(
                            hasOlder && request.principal.may(PlatformGrants.readAudit)
                                ? request.customers.first.map { "/audit?customer=\($0)" } : nil),
                    ])
            }.staged
        }
    }

    /// Most events of one customer tell of the same action and fields: their words are put together once.
    private struct Rows {
        let words: AuditWords
        let tenant: Tenant
        private var actions: [String: (words: ViewValue, sees: Bool)] = [:]

        init(words: AuditWords, tenant: Tenant) {
            self.words = words
            self.tenant = tenant
        }

        mutating func view(_ group: AuditGroup) -> View {
            var isSeen = true
            var done: [View] = []
            for (place, action) in group.actions.enumerated() {
                let (told, sees) = told(action.code, refused: action.refused)
                isSeen = isSeen && sees
                done.append([
                    "action": told, "code": .text(action.code), "refused": .bool(action.refused),
                    "times": .text(action.times > 1 ? String(action.times) : nil), "follows": .bool(place > 0),
                ])
            }
            let zone = tenant.timeZoneOffsetMinutes
            let last = group.last.displayed(offsetMinutes: zone)
            let first = group.first.displayed(offsetMinutes: zone)
            return [
                "actor": .text(group.actor), "sees": .bool(isSeen), "actions": .list(done),
                "at": .text(first == last ? last : "\(first)–\(last.suffix(5))"),
                "unmasked": .text(words.names(group.unmasked).nilIfEmpty),
                "unmaskedCodes": .text(group.unmasked.joined(separator: ", ").nilIfEmpty),
            ]
        }

        private mutating func told(_ code: String, refused: Bool) -> (ViewValue, Bool) {
            let key = refused ? "refused " + code : code
            if let known = actions[key] { return known }
            let verb = code.split(separator: ".").last ?? ""
            let sees = ["view", "list", "search", "suggest"].contains(verb)
            let made = (words: ViewValue.text(words.action(code, refused: refused)), sees: sees)
            actions[key] = made
            return made
        }
    }
}

/// What one person did with a customer on one day.
struct AuditGroup: Sendable {
    struct Action: Sendable {
        let code: String
        let refused: Bool
        var times = 1
    }
    let actor: String
    var first: Instant
    let last: Instant
    /// In the order of their newest event.
    private(set) var actions: [Action]
    /// Fields that were shown without a mask by any of them.
    private(set) var unmasked: [String]

    /// - Parameter events: the newest first; so are the groups.
    static func of(_ events: [AuditRecord], zone: Int) -> [AuditGroup] {
        var groups: [AuditGroup] = []
        var places: [Key: Int] = [:]
        for event in events {
            // A command has no account: its name tells it.
            let key = Key(
                actor: event.actor, name: event.actorName, day: event.at.date(offsetMinutes: zone).daysSinceEpoch)
            if let place = places[key] {
                groups[place].add(event)
            } else {
                places[key] = groups.count
                groups.append(AuditGroup(event))
            }
        }
        return groups
    }

    private struct Key: Hashable {
        let actor: UserID?
        let name: String
        let day: Int
    }

    private init(_ event: AuditRecord) {
        actor = event.actorName
        first = event.at
        last = event.at
        actions = [Action(code: event.action, refused: event.refused)]
        unmasked = event.unmasked
    }

    private mutating func add(_ event: AuditRecord) {
        first = min(first, event.at)
        if let place = actions.firstIndex(where: { $0.code == event.action && $0.refused == event.refused }) {
            actions[place].times += 1
        } else {
            actions.append(Action(code: event.action, refused: event.refused))
        }
        for name in event.unmasked where !unmasked.contains(name) { unmasked.append(name) }
    }
}
