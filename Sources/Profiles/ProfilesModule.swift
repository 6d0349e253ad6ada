import Contracts
import Kernel
import Platform
import Storage
import Web

/// Counters of what happens with a customer, over the last days (A7).
package struct ProfilesModule: Module {
    static let view = Permission("profiles.view")
    static let manage = Permission("profiles.counter.manage")

    /// What this product's own domains tell of customers.
    static let ownKinds = [
        "crm.contact", "crm.customer.changed", "crm.customer.left", "crm.churn.scored", "crm.case.opened",
        "crm.case.closed", "crm.bill.issued", "crm.bill.paid", "crm.bill.overdue",
    ]

    package let name = "Profiles"
    private let names: any CustomerNames
    private let measures: [any DayMeasures]

    /// - Parameters:
    ///   - names: who the customers of events are; App injects it.
    ///   - measures: days that other domains sum already.
    package init(names: any CustomerNames, measures: [any DayMeasures]) {
        self.names = names
        self.measures = measures
    }

    package func service(_ tenant: Tenant) -> ProfileService { ProfileService(tenant: tenant, names: names) }

    /// Values of counters for other domains.
    package func reader(zone: Int) -> ProfileReader { ProfileReader(zone: zone, measures: measures) }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ProfileService.send, Words(en: "Send events about customers", zh: "发送客户事件"),
                roles: [.administrator, .supervisor]),
            PermissionGrant(
                Self.view, Words(en: "See customers' live profile", zh: "查看客户实时画像"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                Self.manage, Words(en: "Say what the live profile counts", zh: "设置实时画像的计数器"),
                roles: [.analyst, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        [
            APIScope(
                "events:write", Words(en: "Send events about customers as they happen", zh: "实时发送客户事件"),
                permissions: [ProfileService.send])
        ]
    }

    package var labels: [TableLabels] { ProfileLabels.all }

    package var layouts: [TableLayout] {
        [
            TableLayout("profiles_bucket", .customer(key: "customer_id")),
            TableLayout("profiles_told", .customer(key: "customer_id")),
            // Asked for by its source.
            TableLayout("profiles_seen", .lookUp(key: "source_id")),
            TableLayout("profiles_waiting", .lookUp(key: "source_id")),
        ] + TableLayout.all(["profiles_counter", "profiles_source"], .local)
    }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        EventEndpoints(service: service).endpoints + CounterPages(measures: measures.flatMap(\.measures)).endpoints
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let service = service(tenant)
        return [
            EventHandler(name: "profiles.customers.changed", CustomersChanged.self) { event, at, session in
                try service.customersChanged(event, at: at, session)
            },
            EventHandler(name: "profiles.contact", RetentionContacted.self) { event, at, session in
                try service.happened("crm.contact", [(event.customer, ["outcome": .text(event.outcome)])], at: at, session)
            },
            EventHandler(name: "profiles.bills", BillsMoved.self) { event, at, session in
                let told = event.bills.compactMap { bill in
                    service.noon(bill.on).map { on in
                        ProfileService.Told(
                            key: "\(bill.customer)/\(bill.id)", customer: bill.customer, at: on,
                            attributes: ["amount": .number(Thousandths.of(bill.amount, bill.currency))])
                    }
                }
                try service.happenedOnce("crm.bill.\(event.step.rawValue)", told, arrived: at, session)
            },
            EventHandler(name: "profiles.cases", CasesMoved.self) { event, at, session in
                let told = event.cases.map {
                    ProfileService.Told(
                        key: "\($0.customer)/\($0.id)", customer: $0.customer, at: $0.at,
                        attributes: ["kind": .text($0.kind), "topic": .text($0.topic)])
                }
                try service.happenedOnce("crm.case.\(event.step.rawValue)", told, arrived: at, session)
            },
            EventHandler(name: "profiles.bills.withdrawn", BillsWithdrawn.self) { event, session in
                try service.withdrawn(
                    "crm.bill.\(event.step.rawValue)", event.bills.map { ($0.customer, "\($0.customer)/\($0.id)") }, session)
            },
            EventHandler(name: "profiles.cases.withdrawn", CasesWithdrawn.self) { event, session in
                try service.withdrawn(
                    "crm.case.\(event.step.rawValue)", event.cases.map { ($0.customer, "\($0.customer)/\($0.id)") }, session)
            },
            EventHandler(name: "profiles.departures.withdrawn", DeparturesWithdrawn.self) { event, session in
                try service.withdrawn(
                    "crm.customer.left", event.departures.map { ($0.customer, "\($0.customer)/\($0.on)") }, session)
            },
            EventHandler(name: "profiles.customers.left", CustomersLeft.self) { event, at, session in
                let told = event.departures.compactMap { departure in
                    service.noon(departure.on).map {
                        ProfileService.Told(
                            key: "\(departure.customer)/\(departure.on)", customer: departure.customer, at: $0)
                    }
                }
                try service.happenedOnce("crm.customer.left", told, arrived: at, session)
            },
            EventHandler(name: "profiles.churn.scored", ChurnScored.self) { event, at, session in
                let all = event.scores.map { score -> (customer: CustomerID, attributes: [String: AttributeValue]) in
                    let probability = AttributeValue.number(Thousandths.of(score.probability) ?? 0)
                    return (score.customer, ["band": .text(score.band), "probability": probability])
                }
                try service.happened("crm.churn.scored", all, at: event.scoredAt ?? at, session)
            },
        ]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] { service(tenant).jobs }

    package var schedules: [Schedule] {
        [Schedule(name: "profiles.upkeep", jobKind: ProfileService.upkeepJob, everySeconds: 900)]
    }

    package var navigation: [NavigationEntry] {
        [NavigationEntry(key: "nav.counters", icon: "chart", path: "/counters", permission: Self.manage, order: 42)]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [LiveProfilePanel(reader: reader(zone: tenant.timeZoneOffsetMinutes)).panel()]
    }
}

/// How often somebody did what is said about a person; whom a source means by a name is a number or an id.
enum ProfileLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "profiles_counter",
            [
                "id": .plain, "name": .plain, "series_id": .plain, "title_en": .plain, "title_zh": .plain, "kind": .plain,
                "conditions": .plain, "sum_field": .plain, "distinct_field": .plain, "unit": .plain,
                "started_at": .plain, "changed_at": .plain, "changed_by_name": .name,
            ]),
        .plain(
            "profiles_source",
            [
                "id", "name", "created_at", "revision", "counted", "unused", "duplicate", "waited", "rejected", "last_at",
            ]),
        .plain("profiles_seen", ["source_id", "fingerprint", "arrived_day"]),
        TableLabels(
            "profiles_waiting",
            [
                "source_id": .plain, "fingerprint": .plain, "naming": .plain, "customer_name": .phone, "event": .profile,
                "arrived_at": .plain,
            ]),
        TableLabels(
            "profiles_told",
            [
                "customer_id": .plain, "fingerprint": .plain, "kind": .profile, "day": .profile, "event": .profile,
                "arrived_at": .plain,
            ]),
        TableLabels(
            "profiles_bucket",
            [
                "customer_id": .plain, "series_id": .plain, "day": .plain, "events": .profile, "amount": .profile,
                "last_at": .profile, "last_amount": .profile, "sketch": .profile,
            ]),
    ]
}
