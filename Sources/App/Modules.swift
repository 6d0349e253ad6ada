import Catalog
import Channels
import Customers
import Identity
import Ingest
import Insights
import Kernel
import Orders
import Platform
import Privacy
import Profiles
import Sales
import ServiceDesk
import Storage
import TMF
import Usage
import Web

/// The modules of the product: the only list to edit when a domain is born.
package struct Modules: Sendable {
    package let all: [any Module]
    package let users: IdentityAdmin
    package let clients: ClientAdmin
    package let insights: InsightsModule
    private let usage: UsageModule
    private let timeline: [any TimelineSource]
    /// What keeps a customer when the import that made it is taken back.
    private let holds: [CustomerHold]
    /// Every right: of the platform, the console and the modules.
    package let grants: [PermissionGrant]
    /// What tokens can be given.
    package let scopes: [APIScope]
    private let memory = TokenMemory()

    /// - Throws: `CRMError` when the list of common passwords is missing.
    package init(
        share: ShareFolder, clock: any WallClock, passwordProfile: String, timeZoneOffsetMinutes: Int = 480,
        intake: IntakeSettings = .none, outgoing: OutgoingSettings = .log, hub: HubSettings = HubSettings()
    ) throws {
        let hasher = PasswordHasher()
        let policy = try PasswordPolicy.profile(passwordProfile, share: share)
        users = IdentityAdmin(hasher: hasher, policy: policy)
        let reading = CustomerReader(clock: clock, timeZoneOffsetMinutes: timeZoneOffsetMinutes)
        let schemas = TMFSchemas(share: share)
        let desk = try ServiceDeskModule(customers: reading, schemas: schemas)
        let privacy = try PrivacyModule(customers: reading, schemas: schemas)
        let channels = try ChannelsModule(
            customers: reading, consents: privacy.consents,
            numbers: NumberOwners { numbers, session in
                let named = try CustomerFinder().customers(
                    named: Set(numbers.map { .msisdn($0) }), for: .system(tenant: "", "numbers"), session)
                return named.reduce(into: [:]) { found, one in
                    if case .msisdn(let number) = one.key { found[number] = one.value.id }
                }
            }, schemas: schemas, adapter: { outgoing.adapter($0) })
        insights = try InsightsModule(
            customers: reading,
            masks: ColumnMasks(
                labels: { try reading.attributeMasks($0, $1) }, titles: { try reading.attributeTitles($0, $1) }),
            unscored: UnscoredCount { try reading.unscoredCount($0, $1) },
            takenBack: TakenBackCount { try IngestModule.takenBack(after: $0, $1) }, consents: privacy.consents, schemas: schemas)
        let lines = LineBook()
        let orders = try OrdersModule(
            customers: reading, catalog: CatalogReader(), lines: lines, schemas: schemas)
        let catalog = try CatalogModule(
            schemas: schemas,
            hold: CatalogHold { try OrdersModule.users(ofOffering: $0, $1) },
            specifications: CatalogHold { try OrdersModule.users(ofSpecification: $0, $1) })
        let holds = [desk.hold, orders.hold, privacy.hold]
        self.holds = holds + [CustomersModule.hold]
        usage = try UsageModule(
            base: CustomerUsage(), customers: reading,
            products: ProductNumbers { try OrdersModule.numbers(ofProduct: $0, lines: lines, $1) },
            schemas: schemas)
        timeline = [insights.timeline] + desk.timeline + orders.timeline + [channels.timeline]
        let domains: [any Module] = [
            IdentityModule(
                hasher: hasher, policy: policy, texts: try Texts(share: share),
                customers: CustomerNumbers { try reading.customers(numbered: $0, $1) }, memory: memory),
            CustomersModule(timeline: timeline, followers: [desk.follower], counts: [desk.caseCount],
                resources: try CustomersModule.resources(
                    schemas, holds: holds,
                    accounts: [AccountHold { try OrdersModule.users(ofAccount: $0, $1) }])),
            desk,
            catalog,
            orders,
            privacy,
            channels,
            try SalesModule(customers: reading, schemas: schemas),
            usage,
            ProfilesModule(names: CustomerNameLookup(), measures: [UsageMeasures()]),
            IngestModule(
                share: share, intake: intake,
                order: SourceOrder(read: { try SourcePriority.read($0) }, write: { try SourcePriority.write($0, $1) }),
                customers: LineageCustomers(
                    records: { id, tenant, principal, session in
                        try CustomerLineage.records(id, tenant, principal, session).map {
                            LineageRecord(id: $0.id, name: $0.name, source: $0.source, values: $0.values)
                        }
                    }, fields: { try CustomerLineage.fields($0) },
                    told: { CustomerLineage.told($0, $1) }), others: Self.importTargets(usage)
            ) { CustomerImportTarget($0, holds: holds + [CustomersModule.hold]) },
            insights,
        ]
        scopes = domains.flatMap(\.scopes)
        let clients = ClientAdmin(scopes: scopes, memory: memory)
        self.clients = clients
        let reached = domains.compactMap { $0 as? any TMFModule }
        schemas.directory.fill(
            reached.flatMap(\.resources),
            others: [.init(of: "Product") { try CustomerFinder().lines($0, for: $1, $2) }])
        all = domains + [
            HubModule(
                resources: reached.flatMap(\.resources), news: reached.flatMap(\.news),
                clients: HubClients { try clients.principal(actor: $0, $1, $2) }, settings: hub)
        ]
        grants = PlatformGrants.all + Console.grants + all.flatMap(\.permissions)
    }

    /// What can be imported besides customers, in the order in which it is offered.
    private static func importTargets(_ usage: UsageModule) -> @Sendable (Tenant) -> [any ImportTarget] {
        { tenant in
            CustomersModule.importTargets(tenant) + ServiceDeskModule.importTargets(tenant, naming: CustomerFinder())
                + usage.importTargets(tenant)
        }
    }

    /// Targets with migrations, in the order they run.
    package var migrationOrder: [String] { ["Storage", "Platform", "TMF"] + all.map(\.name).filter { $0 != "TMF" } }

    /// All that programs reach through the TM Forum interface.
    package var resources: [TMFResource] { all.compactMap { $0 as? any TMFModule }.flatMap(\.resources) }

    /// Where every table lies on PostgreSQL; the storage layer's and the platform's first.
    package var layouts: [TableLayout] { StorageLayouts.all + PlatformLayouts.all + TMFTables.layouts + all.flatMap(\.layouts) }

    func sessions(_ tenants: @escaping @Sendable (String) async throws -> Tenant) -> any SessionStore {
        IdentitySessions(roles: RolePermissions(grants), tenants: tenants)
    }

    func programs(_ tenants: @escaping @Sendable (String) async throws -> Tenant) -> any TokenStore {
        ProgramCallers(roles: RolePermissions(grants), scopes: scopes, memory: memory, tenants: tenants)
    }

    /// The customer page shows panels of every module, so it is put together here.
    func pageEndpoints(_ site: SiteInfo) -> [Endpoint] {
        let modules = all
        return CustomerPages.endpoints(
            timeline: timeline, rating: UsageMonthRating(base: CustomerUsage()),
            panels: { tenant in modules.flatMap { $0.panels(tenant) } })
    }

    /// Imports for commands.
    package func imports(_ tenant: Tenant, _ share: ShareFolder) -> ImportService {
        ImportService(
            tenant: tenant, target: CustomerImportTarget(tenant, holds: holds), others: Self.importTargets(usage)(tenant), share: share)
    }

    /// Usage for commands.
    package func usage(_ tenant: Tenant) -> UsageService { usage.service(tenant) }

    /// Whether the tenant has no customers yet.
    package func isEmpty(_ tenant: Tenant) async throws -> Bool {
        try await customerCount(tenant) == 0
    }

    package func customerCount(_ tenant: Tenant) async throws -> Int {
        try await tenant.database.read { try CustomerReader().customerCount($0) }
    }
}
