import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum ServiceDeskPermissions {
    static let viewCases = Permission("servicedesk.case.view")
    static let viewInteractions = Permission("servicedesk.interaction.view")
    static let editCases = Permission("servicedesk.case.edit")
    static let editInteractions = Permission("servicedesk.interaction.edit")
}

/// What customers came with and what became of it: cases and contacts.
package struct ServiceDeskModule: TMFModule {
    /// `nil` = cases are not looked for.
    private let customers: (any CustomerReading)?

    /// What programs reach (TMF621, TMF683).
    package let resources: [TMFResource]

    /// Without search and without routes for programs.
    package init(customers: (any CustomerReading)? = nil) {
        self.customers = customers
        resources = []
    }

    /// - Parameters:
    ///   - customers: who the customers of found cases are.
    ///   - schemas: of what programs reach.
    package init(customers: any CustomerReading, schemas: TMFSchemas) throws {
        self.customers = customers
        resources = [
            Tickets.resource(try schemas.schema(Tickets.api.number), customers),
            Interactions.resource(try schemas.schema(Interactions.api.number), customers),
        ]
    }

    package var name: String { "ServiceDesk" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ServiceDeskPermissions.viewCases, Words(en: "See customers' cases", zh: "查看客户工单"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.viewInteractions, Words(en: "See contacts with customers", zh: "查看客户接触记录"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.editCases, Words(en: "Open and change cases", zh: "新建和修改工单"),
                roles: [.agent, .supervisor, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.editInteractions, Words(en: "Write down contacts", zh: "登记客户接触"),
                roles: [.agent, .supervisor, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Tickets.api, Words(en: "trouble tickets", zh: "故障工单"), view: ServiceDeskPermissions.viewCases,
            edit: ServiceDeskPermissions.editCases)
            + TMFAccess.scopes(
                Interactions.api, Words(en: "contacts with customers", zh: "客户接触记录"),
                view: ServiceDeskPermissions.viewInteractions, edit: ServiceDeskPermissions.editInteractions)
    }

    /// What imports change of cases and contacts.
    package var news: [TMFNews] {
        guard !resources.isEmpty else { return [] }
        return [
            TMFNews("cases", RecordsChanged.self, of: [Tickets.api.number]) { event, _ in
                event.entity == DeskRecords.cases.entity ? TMFChanged.records(Tickets.api.number, "troubleTicket", event) : []
            },
            TMFNews("interactions", RecordsChanged.self, of: [Interactions.api.number]) { event, _ in
                let kinds = [DeskRecords.contacts.entity, DeskRecords.answers.entity]
                return kinds.contains(event.entity) ? TMFChanged.records(Interactions.api.number, "partyInteraction", event) : []
            },
        ]
    }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        TMFResource.endpoints(of: resources) + (pages?.endpoints ?? [])
    }

    package var navigation: [NavigationEntry] { pages.map { [$0.navigation] } ?? [] }

    private var pages: CasePages? {
        guard let customers, let tickets = resources.first(where: { $0.api == Tickets.api }) else { return nil }
        return CasePages(resource: tickets, customers: customers)
    }

    package var labels: [TableLabels] { ServiceDeskLabels.all }

    package var layouts: [TableLayout] {
        [
            // What operators bring along reaches back two years and more.
            TableLayout(
                "servicedesk_interaction", .customer(key: "customer_id"),
                growth: Growth(by: .id("id"), .kept, monthsBehind: 30)),
            TableLayout("servicedesk_case", .customer(key: "customer_id")),
            TableLayout("servicedesk_case_number", .lookUp(key: "number")),
            TableLayout("servicedesk_record_key", .lookUp(key: "value")),
        ]
            + TableLayout.all(
                [
                    "servicedesk_case_party", "servicedesk_case_entity", "servicedesk_case_note", "servicedesk_case_step",
                    "servicedesk_interaction_party", "servicedesk_interaction_note",
                ], .customer(key: "customer_id"))
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        [
            EventHandler(name: "servicedesk.customers.removed", CustomersChanged.self) { event, session in
                if event.kind == .removed { try ServiceDeskStore.forget(event.ids, session) }
            }
        ]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [
            CasesPanel(zone: tenant.timeZoneOffsetMinutes).panel(),
            InteractionsPanel(zone: tenant.timeZoneOffsetMinutes).panel(),
        ]
    }

    package func search(_ tenant: Tenant) -> [SearchSource] {
        customers.map { [CaseSearch(customers: $0).source()] } ?? []
    }

    /// What this domain adds to the timeline of the customer page.
    package var timeline: [any TimelineSource] { [CaseTimeline(), InteractionTimeline()] }

    /// Cases and contacts keep their customer when the import that made it is taken back.
    package var hold: CustomerHold {
        CustomerHold(Words(en: "cases or contacts", zh: "工单或接触记录")) { ids, session in
            var result: Set<CustomerID> = []
            for statement in [ServiceDeskStore.withCases, ServiceDeskStore.withInteractions] {
                for chunk in ids.chunked(Limits.sqlListChunk) {
                    var builder = SQLBuilder(statement)
                    builder.appendIn("AND customer_id", chunk.map { .id($0) })
                    result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
                }
            }
            return result
        }
    }

    /// The cases of customers, for those who think of joining them.
    package var caseCount: CustomerCount {
        CustomerCount(Words(en: "Cases", zh: "工单"), permission: ServiceDeskPermissions.viewCases) { ids, session in
            var builder = SQLBuilder(ServiceDeskStore.countCases)
            builder.appendIn("AND customer_id", ids.map { .id($0) })
            return try session.count(builder.sql, builder.arguments)
        }
    }

    /// What can be imported into this domain.
    package static func importTargets(_ tenant: Tenant, naming: any CustomerFinding) -> [any ImportTarget] {
        DeskRecords.all(tenant, naming)
    }

    /// Gives invented customers the cases and contacts that go with their lives.
    package var follower: any DemoFollower { DemoDesk() }
}

/// A label for every column (G31). That and why somebody called is said about a person, and what was said even more.
enum ServiceDeskLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "servicedesk_interaction",
            [
                "customer_id": .plain, "id": .plain, "happened_at": .profile, "channel": .profile,
                "direction": .profile, "topic": .profile, "outcome": .profile, "language": .profile,
                "case_id": .plain, "note": .name, "survey": .plain, "score": .profile, "ended_at": .profile,
                "created_at": .plain, "status": .profile, "status_changed_at": .plain,
            ]),
        TableLabels(
            "servicedesk_record_key",
            ["kind": .plain, "source": .plain, "value": .identity, "customer_id": .plain, "record_id": .plain]),
        TableLabels(
            "servicedesk_case",
            [
                "customer_id": .plain, "id": .plain, "number": .plain, "kind": .profile, "topic": .profile,
                "status": .profile, "priority": .profile, "opened_at": .profile, "resolved_at": .profile,
                "closed_at": .profile, "subject": .name, "title": .name, "severity": .profile, "updated_at": .plain,
                "status_changed_at": .plain, "status_reason": .name, "expected_at": .plain, "requested_at": .plain,
                "channel_id": .plain, "channel_name": .plain,
            ]),
        parties("servicedesk_case_party"), notes("servicedesk_case_note"), parties("servicedesk_interaction_party"),
        notes("servicedesk_interaction_note"),
        TableLabels(
            "servicedesk_case_entity",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "entity_id": .identity, "role": .plain,
                "name": .plain, "referred_type": .plain,
            ]),
        TableLabels(
            "servicedesk_case_step",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "status": .profile, "changed_at": .plain,
                "reason": .name,
            ]),
        .plain("servicedesk_case_number", ["number", "customer_id", "case_id"]),
    ]

    private static func parties(_ table: String) -> TableLabels {
        TableLabels(
            table,
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain, "name": .name,
                "referred_type": .plain,
            ])
    }

    private static func notes(_ table: String) -> TableLabels {
        TableLabels(
            table,
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "note_id": .plain, "author": .name,
                "written_at": .plain, "text": .name,
            ])
    }
}
