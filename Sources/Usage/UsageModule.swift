import Contracts
import Kernel
import Platform
import Storage
import Synchronization
import TMF
import Web

/// Calls, messages and data as they were used: events in, days and months out (A9).
package struct UsageModule: TMFModule {
    static let view = Permission("usage.view")

    package let name = "Usage"
    private let base: any UsageBase
    private let services = Services()
    /// What programs reach (TMF635, TMF677).
    package let resources: [TMFResource]
    private let records: UsageRecords?
    private let consumption: (@Sendable (Tenant) -> ConsumptionStore)?

    /// - Parameter base: the customers' lines and months; App injects it.
    package init(base: any UsageBase) {
        self.base = base
        resources = []
        records = nil
        consumption = nil
    }

    /// With what programs reach.
    /// - Parameter products: the numbers of products in the inventory.
    package init(
        base: any UsageBase, customers: any CustomerReading, products: ProductNumbers = .none, schemas: TMFSchemas
    ) throws {
        self.base = base
        let store = UsageRecordStore(base, customers, products)
        let consumption: @Sendable (Tenant) -> ConsumptionStore = {
            ConsumptionStore(base, customers, products, zone: $0.timeZoneOffsetMinutes)
        }
        records = UsageRecords(store: store)
        self.consumption = consumption
        let schema = try schemas.schema(UsageManagement.api.number)
        resources = [
            UsageManagement.resource(schema, store), UsageManagement.specifications(schema, UsageSpecificationStore()),
            UsageConsumption.resource(try schemas.schema(UsageConsumption.api.number), consumption),
        ]
    }

    /// One a tenant, so that what is in memory of its ids is there once.
    private final class Services: Sendable {
        private let known = Mutex<[ObjectIdentifier: UsageService]>([:])
        func service(_ tenant: Tenant, _ base: any UsageBase, _ records: UsageRecords?) -> UsageService {
            known.withLock { known in
                if let service = known[ObjectIdentifier(tenant)], service.tenant === tenant { return service }
                let made = UsageService(tenant: tenant, base: base, records: records)
                known[ObjectIdentifier(tenant)] = made
                return made
            }
        }
    }

    package func service(_ tenant: Tenant) -> UsageService { services.service(tenant, base, records) }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                UsageService.permission, Words(en: "Bring in usage events", zh: "导入使用事件"),
                roles: [.administrator, .supervisor]),
            PermissionGrant(
                Self.view, Words(en: "See customers' usage day by day", zh: "查看客户每日使用情况"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                TariffPages.manage, Words(en: "Keep tariffs and rate months of usage", zh: "维护资费并对月度用量批价"),
                roles: [.administrator, .supervisor]),
        ]
    }

    package var scopes: [APIScope] {
        [
            APIScope(
                "usage:write", Words(en: "Send usage events", zh: "发送使用事件"), permissions: [UsageService.permission])
        ]
            + TMFAccess.scopes(
                UsageManagement.api, Words(en: "usages one by one", zh: "逐条用量"), view: Self.view, edit: UsageService.permission)
            + TMFAccess.scopes(
                UsageConsumption.api, Words(en: "what is used of allowances", zh: "套餐用量查询"), view: Self.view, edit: Self.view)
    }

    /// What can be imported into this domain through the wizard.
    package func importTargets(_ tenant: Tenant) -> [any ImportTarget] {
        [NetworkImportTarget(service: service(tenant))]
    }

    package var labels: [TableLabels] { UsageLabels.all + UsageProgramTables.labels }

    package var layouts: [TableLayout] {
        [
            TableLayout(
                "usage_day", .customer(key: "customer_id"),
                growth: Growth(by: .month("day"), .kept, monthsAhead: 1, monthsBehind: 30)),
            // Asked for by its source; a source's blocks lie together.
            TableLayout("usage_block", .lookUp(key: "source_id")),
            TableLayout("usage_block_bytes", .lookUp(key: "id")),
            TableLayout("usage_unmatched", .lookUp(key: "source_id")),
            TableLayout("usage_waiting", .lookUp(key: "source_id")),
        ] + TableLayout.all(["usage_source", "usage_run", "usage_reject", "usage_tariff"], .local) + UsageProgramTables.layouts
    }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        UsageEndpoints(service: service).endpoints + UsagePages().endpoints
            + TariffPages(service: service).endpoints + TMFResource.endpoints(of: resources)
    }

    package var navigation: [NavigationEntry] {
        [NavigationEntry(key: "nav.usage", icon: "phone", path: UsagePages.path, permission: UsageService.permission, order: 35)]
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let service = service(tenant)
        let consumption = consumption?(tenant)
        return [
            EventHandler(name: "usage.customers.changed", CustomersChanged.self) { event, session in
                try service.customersChanged(event, session)
                if event.kind == .removed { try consumption?.forget(event.ids, session) }
            }
        ]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] { service(tenant).jobs }

    package var schedules: [Schedule] {
        [Schedule(name: "usage.upkeep", jobKind: UsageService.upkeepJob, everySeconds: 900)]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [UsageDaysPanel(zone: tenant.timeZoneOffsetMinutes).panel()]
    }
}

/// How much somebody used is said about a person; a line by its number is a number.
enum UsageLabels {
    private static let measures = [
        "events", "calls", "voice_ms", "billed_minutes", "dropped_calls", "sms", "sessions", "data_bytes", "roaming_bytes",
        "roaming_ms", "roaming_sms", "speed_sum", "speed_count", "cells",
    ]

    static let all: [TableLabels] = [
        .plain("usage_source", ["id", "name", "created_at", "revision", "waiting"]),
        TableLabels(
            "usage_run",
            [
                "id": .plain, "source_id": .plain, "name": .plain, "digest": .plain, "size": .plain, "mapping": .plain,
                "state": .plain, "worker": .plain, "chunk": .plain, "records": .plain, "taken": .plain,
                "duplicate": .plain, "corrected": .plain, "cancelled": .plain, "unmatched": .plain, "rejected": .plain,
                "created_at": .plain, "touched_at": .plain, "finished_at": .plain, "created_by_name": .name,
            ]),
        TableLabels(
            "usage_tariff",
            [
                "name": .plain, "valid_from": .plain, "plans": .plain, "currency": .plain, "fee": .plain, "minutes": .plain,
                "messages": .plain, "megabytes": .plain, "per_minute": .plain, "per_message": .plain, "per_gigabyte": .plain,
                "voice_rounding": .plain, "data_step_mb": .plain, "changed_at": .plain, "changed_by_name": .name,
            ]),
        TableLabels(
            "usage_reject",
            ["run_id": .plain, "line": .plain, "column_name": .plain, "code": .plain, "event_id": .phone]),
        TableLabels(
            "usage_block",
            [
                "source_id": .plain, "id": .plain, "arrived_week": .plain, "level": .plain, "slot": .plain,
                "entries": .plain,
            ]),
        TableLabels("usage_block_bytes", ["id": .plain, "bloom": .plain, "prints": .plain, "payload": .profile]),
        TableLabels(
            "usage_unmatched",
            [
                "source_id": .plain, "fingerprint": .plain, "naming": .plain, "line": .phone, "event": .profile,
                "arrived_at": .plain, "run_id": .plain,
            ]),
        TableLabels(
            "usage_waiting", ["source_id": .plain, "naming": .plain, "line": .phone, "events": .plain]),
        TableLabels(
            "usage_day",
            Dictionary(
                ["customer_id", "day", "subscription_id"].map { ($0, ColumnLabel.plain) }
                    + measures.map { ($0, ColumnLabel.profile) }, uniquingKeysWith: { first, _ in first })),
    ]
}
