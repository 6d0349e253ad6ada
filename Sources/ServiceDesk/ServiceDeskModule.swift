import Contracts
import Kernel
import Platform
import Storage
import Web

/// The rights of this domain.
enum ServiceDeskPermissions {
    static let viewCases = Permission("servicedesk.case.view")
    static let viewInteractions = Permission("servicedesk.interaction.view")
}

/// What customers came with and what became of it: cases and contacts.
package struct ServiceDeskModule: Module {
    /// `nil` = cases are not looked for.
    private let customers: (any CustomerReading)?

    /// - Parameter customers: who the customers of found cases are.
    package init(customers: (any CustomerReading)? = nil) { self.customers = customers }

    package var name: String { "ServiceDesk" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ServiceDeskPermissions.viewCases, Words(en: "See customers' cases", zh: "查看客户工单"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.viewInteractions, Words(en: "See contacts with customers", zh: "查看客户接触记录"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
        ]
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
                "case_id": .plain, "note": .name, "survey": .plain, "score": .profile,
            ]),
        TableLabels(
            "servicedesk_record_key",
            ["kind": .plain, "source": .plain, "value": .identity, "customer_id": .plain, "record_id": .plain]),
        TableLabels(
            "servicedesk_case",
            [
                "customer_id": .plain, "id": .plain, "number": .plain, "kind": .profile, "topic": .profile,
                "status": .profile, "priority": .profile, "opened_at": .profile, "resolved_at": .profile,
                "closed_at": .profile, "subject": .name,
            ]),
        .plain("servicedesk_case_number", ["number", "customer_id", "case_id"]),
    ]
}
