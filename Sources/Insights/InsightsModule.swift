import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum InsightsPermissions {
    static let riskView = Permission("insights.risk.view")
    static let riskWork = Permission("insights.risk.work")
    static let modelsView = Permission("insights.models.view")
    static let modelsTrain = Permission("insights.models.train")
    static let recommend = Permission("insights.recommendation.ask")
}

/// Who will leave, and why: models, scores, reasons, whom to call.
package struct InsightsModule: TMFModule {
    private let customers: any CustomerReading
    private let masks: ColumnMasks
    private let unscored: UnscoredCount
    private let takenBack: TakenBackCount
    private let titles = TitleCache()
    private let consents: (any ConsentReading)?
    /// What programs reach (TMF680).
    package private(set) var resources: [TMFResource] = []

    /// - Parameters:
    ///   - masks: how values of custom attributes are hidden in reasons; without labels all of them are.
    ///   - unscored: counts customers in service without a score.
    ///   - takenBack: counts imports that were taken back since a time.
    package init(
        customers: any CustomerReading, masks: ColumnMasks = ColumnMasks(), unscored: UnscoredCount = UnscoredCount(),
        takenBack: TakenBackCount = TakenBackCount()
    ) {
        self.takenBack = takenBack
        self.unscored = unscored
        self.customers = customers
        self.masks = masks
        consents = nil
    }

    /// With what programs reach.
    /// - Parameter consents: who does not want to be profiled.
    package init(
        customers: any CustomerReading, masks: ColumnMasks, unscored: UnscoredCount, takenBack: TakenBackCount = TakenBackCount(),
        consents: any ConsentReading, schemas: TMFSchemas
    ) throws {
        self.takenBack = takenBack
        self.unscored = unscored
        self.customers = customers
        self.masks = masks
        self.consents = consents
        let titles = self.titles
        resources = [
            Recommendations.resource(try schemas.schema(Recommendations.api.number)) {
                RecommendationStore($0.name, customers, consents, masks, titles)
            }
        ]
    }

    package var name: String { "Insights" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                InsightsPermissions.riskView, Words(en: "See risk of leaving and reasons", zh: "查看离网风险与原因"),
                roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
            PermissionGrant(
                InsightsPermissions.riskWork, Words(en: "Record contacts with customers at risk", zh: "登记风险客户联系结果"),
                roles: [.agent, .supervisor]),
            PermissionGrant(
                InsightsPermissions.modelsView, Words(en: "See models", zh: "查看模型"),
                roles: [.analyst, .supervisor, .administrator]),
            PermissionGrant(
                InsightsPermissions.modelsTrain, Words(en: "Train and switch models", zh: "训练与切换模型"),
                roles: [.analyst, .administrator]),
            PermissionGrant(
                InsightsPermissions.recommend, Words(en: "Ask what could be offered to a customer", zh: "查询客户推荐"),
                roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Recommendations.api, Words(en: "recommendations", zh: "推荐"), view: InsightsPermissions.recommend,
            edit: InsightsPermissions.recommend)
    }

    package var navigation: [NavigationEntry] {
        [
            NavigationEntry(
                key: "nav.risk", icon: "risk", path: "/risk", permission: InsightsPermissions.riskView, order: 20),
            NavigationEntry(
                key: "nav.models", icon: "model", path: "/models", permission: InsightsPermissions.modelsView, order: 40
            ),
        ]
    }

    package var labels: [TableLabels] { InsightsLabels.all }
    package var layouts: [TableLayout] { InsightsLayouts.all }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        RiskPages(customers: customers, masks: masks, titles: titles).endpoints() + ModelPages(takenBack: takenBack).endpoints()
            + resources.flatMap(\.endpoints)
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] {
        InsightsJobs(tenant: tenant, customers: customers).handlers()
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let upkeep = ScoreUpkeep(tenant: tenant.name, customers: customers)
        let recommendations = consents.map { RecommendationStore(tenant.name, customers, $0, masks, titles) }
        return [
            EventHandler(name: "insights.recommendations.removed", CustomersChanged.self) { event, session in
                if event.kind == .removed { try recommendations?.forget(event.ids, session) }
            },
            EventHandler(name: "insights.scores.upkeep", CustomersChanged.self) { event, session in
                try upkeep.handle(event, session)
            }
        ]
    }

    package var schedules: [Schedule] {
        [Schedule(name: "insights.score.daily", jobKind: ChurnScoring.jobKind, everySeconds: NextPass.everySeconds)]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [
            RiskPanel(masks: masks, tenant: tenant, titles: titles).panel(),
            RecommendationPanel(masks: masks, titles: titles, tenant: tenant).panel(),
        ]
    }

    /// What this domain adds to the timeline of the customer page.
    package var timeline: any TimelineSource { ContactTimeline() }

    package func dashboard(_ tenant: Tenant) -> [DashboardCard] {
        DashboardCards(tenant: tenant, unscored: unscored).cards()
    }

    /// The seeding's memory does not grow with the base, and an invented one has nothing more to tell.
    private static let seedRowsMax = 100_000

    /// Learns from the generated customers, so that the demonstration shows risk and reasons. A base too small to learn
    /// from is left unscored.
    package func seed(_ seed: SeedRequest, _ tenant: Tenant) async throws {
        guard seed.learns else { return }
        let principal = Principal.system(tenant: tenant.name, "seed").with(purpose: .analysis)
        do {
            _ = try await train(rowsMax: Self.seedRowsMax, tenant: tenant, principal: principal) { done, total, words in
                seed.progress(Int(done), Int(total), words)
            }
        } catch let error as CRMError {
            tenant.logger.warning("insights.seed.untrained", metadata: ["code": "\(error.code)"])
        }
    }

    // MARK: Commands

    /// Learns a new version and, when it takes over, scores the base; in this process, without the queue.
    /// - Parameter rowsMax: of more customers a random sample is learned from.
    /// - Throws: `CRMError` for a base that cannot be learned from; what `report` throws.
    package func train(
        _ request: TrainingRequest = TrainingRequest(), rowsMax: Int = LearningBase.rowsMax, tenant: Tenant,
        principal: Principal,
        report: @escaping RunReport = { _, _, _ in }
    ) async throws -> (training: TrainingSummary, scoring: ScoringSummary?) {
        let training = try await ChurnTraining(tenant: tenant, customers: customers, rowsMax: rowsMax).run(
            request, by: principal, startedBy: principal.userName, job: nil, report: report)
        guard training.isActive else { return (training, nil) }
        return (training, try await score(tenant: tenant, principal: principal, report: report))
    }

    /// Scores the base with the active model; in this process, without the queue.
    package func score(
        tenant: Tenant, principal: Principal, report: @escaping RunReport = { _, _, _ in }
    ) async throws -> ScoringSummary {
        try await ChurnScoring(tenant: tenant, customers: customers).run(by: principal, job: nil, report: report)
    }
}
