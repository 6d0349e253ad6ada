import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The domain Customers: master data, subscriptions, the list, search and what imports fill.
package struct CustomersModule: TMFModule {
    private let timeline: [any TimelineSource]
    private let followers: [any DemoFollower]
    private let counts: [CustomerCount]
    /// What programs reach (TMF629, TMF632).
    package let resources: [TMFResource]

    /// - Parameters:
    ///   - timeline: what other domains add to the timeline of the customer page.
    ///   - followers: other domains that give invented customers rows of their own.
    ///   - counts: what other domains have of customers, told before two are joined.
    package init(
        timeline: [any TimelineSource] = [], followers: [any DemoFollower] = [], counts: [CustomerCount] = [],
        resources: [TMFResource] = []
    ) {
        self.resources = resources
        self.counts = counts
        self.timeline = timeline
        self.followers = followers
    }

    package var name: String { "Customers" }
    package var permissions: [PermissionGrant] { CustomerPermissions.grants }
    package var scopes: [APIScope] { resources.isEmpty ? [] : CustomerResources.scopes }

    /// What programs reach of customers and parties.
    /// - Parameters:
    ///   - holds: what keeps a customer from being removed.
    ///   - accounts: what keeps an account from being removed.
    package static func resources(
        _ schemas: TMFSchemas, holds: [CustomerHold], accounts: [AccountHold] = []
    ) throws -> [TMFResource] {
        try CustomerResources.all(schemas, holds, accounts)
    }
    package var news: [TMFNews] { resources.isEmpty ? [] : CustomerNews.all }

    /// What programs have given customers that no import brings.
    package static var hold: CustomerHold { PartyRoles.hold }
    package var labels: [TableLabels] { CustomerLabels.all }
    package var layouts: [TableLayout] { CustomerLayouts.all }

    /// The customer page itself is put together by App from the panels of all modules (`CustomerPages.endpoints`).
    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        CustomerListPages.endpoints() + CustomerEditPages.endpoints() + LinePages.endpoints()
            + DeparturePages.endpoints() + AttributePages.endpoints() + PairPages(counts: counts).endpoints()
            + MatchingPages.endpoints() + TMFResource.endpoints(of: resources)
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        [
            EventHandler(name: "customers.listing.risk", ChurnScored.self) { event, session in
                try ValueStore.apply(event, session)
                try ValueStore.requestComputation(tenant, session)
            },
            EventHandler(name: "customers.listing.tiers", CustomersChanged.self) { _, session in
                try ValueStore.requestComputation(tenant, session)
            },
        ]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] {
        [
            ValueStore.job(tenant), SearchFill.job(tenant), MatchFill.job(tenant), MatchLearning.job(tenant),
            OverdueWatch.job(tenant),
        ]
    }

    package var schedules: [Schedule] {
        [
            Schedule(
                name: "customers.search.hourly", jobKind: SearchFill.jobKind, everySeconds: SearchFill.everySeconds),
            Schedule(name: "customers.bills.overdue", jobKind: OverdueWatch.jobKind, everySeconds: 3_600),
        ]
    }

    package var navigation: [NavigationEntry] {
        [
            NavigationEntry(
                key: "customers.title", icon: "customers", path: "/customers", permission: CustomerPermissions.view,
                order: 10),
            NavigationEntry(
                key: "customers.pairs.title", icon: "link", path: "/duplicates",
                permission: CustomerPermissions.decidePairs, order: 15),
            NavigationEntry(
                key: "customers.matching.title", icon: "model", path: "/matching",
                permission: CustomerPermissions.manageMatching, order: 63),
            NavigationEntry(
                key: "customers.attributes", icon: "settings", path: "/attributes",
                permission: CustomerPermissions.manageAttributes, order: 62),
        ]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] { CustomerPanels.all(tenant, timeline) }
    package func dashboard(_ tenant: Tenant) -> [DashboardCard] { CustomerDashboard.cards(tenant) }
    package func search(_ tenant: Tenant) -> [SearchSource] { [CustomerSearch.source(countryCode: tenant.countryCode)] }
    package func seed(_ seed: SeedRequest, _ tenant: Tenant) async throws {
        try await DemoOperator.seed(request: seed, tenant: tenant, followers: followers)
    }
}
