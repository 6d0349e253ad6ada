import Kernel
import Platform
import Storage
import Web

/// The pages that belong to no one domain: home, search, jobs, health.
struct Console: Sendable {
    let modules: [any Module]
    let metrics: Metrics
    let thresholds: WarningThresholds
    let ready: @Sendable () async throws -> Readiness

    /// Whether this process can serve, and what somebody should look at.
    struct Readiness: Sendable {
        var problems: [String] = []
        var warnings: [String] = []
    }

    static let seeHome = Permission("console.home.view")
    static let seeJobs = Permission("console.jobs.view")
    static let manageJobs = Permission("console.jobs.manage")
    static let manageFaults = Permission("console.faults.manage")

    static let grants: [PermissionGrant] = [
        PermissionGrant(
            seeHome, Words(en: "See the home page", zh: "查看首页"),
            roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
        PermissionGrant(
            seeJobs, Words(en: "See background jobs", zh: "查看后台任务"), roles: [.supervisor, .analyst, .administrator]),
        PermissionGrant(
            manageJobs, Words(en: "Stop background jobs", zh: "停止后台任务"), roles: [.supervisor, .analyst, .administrator]),
        PermissionGrant(
            manageFaults,
            Words(en: "See, retry and dismiss jobs and events that failed", zh: "查看、重试和忽略失败的任务与事件"),
            roles: [.administrator]),
    ]

    static let navigation = [
        NavigationEntry(key: "nav.home", icon: "home", path: "/", permission: seeHome, order: 0),
        NavigationEntry(key: "nav.jobs", icon: "jobs", path: "/jobs", permission: seeJobs, order: 50),
        NavigationEntry(
            key: "interface.title", icon: "link", path: "/interface", permission: Permission("identity.client.view"), order: 68),
    ]

    func endpoints() -> [Endpoint] {
        [
            Endpoint(.get, "/", .authenticated, trace: .none) { try await home($0) },
            Endpoint(.get, "/jobs", .permission(Self.seeJobs), trace: .none, purpose: .administration) {
                try await jobs($0)
            },
            Endpoint(.get, "/jobs/{id}/progress", .permission(Self.seeJobs), trace: .none, purpose: .administration) {
                try await progress($0)
            },
            Endpoint(
                .post, "/jobs/{id}/cancellation", .permission(Self.manageJobs), body: .form(["return"]), trace: .change,
                purpose: .administration, effect: .acts
            ) { try await cancel($0) },
        ] + searchEndpoints() + faultEndpoints()
    }

    /// What machines ask. No tenant is opened and nobody's session looked up for it.
    func probeRoutes() -> [Route] {
        [
            Route(.get, "/healthz", .anonymous, trace: .none, isProbe: true) { _ in .text("ok\n") },
            Route(.get, "/readyz", .anonymous, trace: .none, isProbe: true) { _ in try await readiness() },
            Route(.get, "/metrics", .anonymous, trace: .none, isProbe: true) { request in
                // Figures of the business are for the operator's own machine or its scraper behind the proxy.
                guard request.address.hasPrefix("127.") || request.address == "::1" else { throw CRMError.notFound }
                return .text(metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
            },
        ]
    }

    func readiness() async throws -> WebResponse {
        let state = try await ready()
        let lines = (state.problems.isEmpty ? ["ready"] : state.problems) + state.warnings
        return .text(
            lines.joined(separator: "\n") + "\n", status: state.problems.isEmpty ? .ok : .serviceUnavailable)
    }

    // MARK: Home

    private func home(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        guard principal.may(Self.seeHome) else {
            // The security administrator and the auditor have no home: they go where they work.
            let first = call.site.navigation.first { principal.may($0.permission) }
            return .redirect(first?.path ?? "/me")
        }
        let cards = modules.flatMap { $0.dashboard(call.tenant) }
            .filter { principal.may($0.permission) }.sorted { $0.order < $1.order }
        let request = try call.panelRequest()
        let shown = try await call.readRecent { session in
            try cards.compactMap { card in try card.load(request, session).map { (card, $0) } }
        }
        let views = shown.map { card, content in
            content.view.merging([
                "template": .text(content.template), "cardTitle": .text(call.text(card.title)),
                "wide": .bool(card.wide),
                "cardName": .text(card.name),
            ])
        }
        return call.page(
            "app/home", title: call.text("nav.home"), active: "/",
            ["cards": .list(views), "empty": .bool(views.isEmpty)])
    }

    // MARK: Jobs

    /// What the product does by itself, time and again; its success is no news.
    private var routine: [String] { ["schedule"] + modules.map { $0.name.lowercased() } }

    private func jobs(_ call: Call) async throws -> WebResponse {
        let before = call.request.query["before"].flatMap { JobID($0) }
        let all = call.request.query["all"] == "1"
        let tenant = call.tenant
        let principal = try call.principal()
        let hiding = all ? [] : routine
        let mayRepair = principal.may(Self.manageFaults)
        let (jobs, state) = try await call.read { session in
            (
                try tenant.jobs.recent(before: before, limit: Limits.pageSize + 1, hiding: hiding, session),
                mayRepair ? try WorkState.load(tenant, session) : WorkState(faults: 0, lateSeconds: 0)
            )
        }
        let manage = principal.may(Self.manageJobs)
        return call.page(
            "app/jobs", title: call.text("nav.jobs"), active: "/jobs",
            [
                "none": .bool(jobs.isEmpty), "all": .bool(all), "mayRepair": .bool(mayRepair),
                "faults": .text(state.faults >= thresholds.faults ? String(state.faults) : nil),
                "late": .text(thresholds.isLate(state) ? String(max(1, state.lateSeconds / 60)) : nil),
                "jobs": .list(jobs.prefix(Limits.pageSize).map { row($0, call, manage: manage) }),
                "next": .text(jobs.count > Limits.pageSize ? jobs[Limits.pageSize - 1].id.description : nil),
            ])
    }

    private func row(_ job: Job, _ call: Call, manage: Bool) -> View {
        // The last report comes before the last rows; what is done is done wholly.
        let done = job.status == .succeeded ? job.total : job.done
        return [
            "id": .text(job.id.description), "kind": .text(call.text("job." + job.kind)),
            "state": .text(call.text("job.state." + job.status.rawValue)),
            "tone": .text(
                job.status == .succeeded
                    ? "ok" : job.status == .failed ? "bad" : job.status == .running ? "info" : "plain"),
            "done": .text(String(job.done)), "total": .text(String(max(job.total, 1))), "known": .bool(job.total > 0),
            "doneText": .text(Self.grouped(done)), "totalText": .text(Self.grouped(job.total)),
            "message": .text(job.message[call.language]),
            "createdBy": .text(routine.contains(job.createdBy) ? call.text("jobs.system") : job.createdBy),
            "createdAt": .text(call.time(job.createdAt)), "running": .bool(!job.isFinished),
            "mayCancel": .bool(manage && !job.isFinished),
        ]
    }

    /// `7,043`.
    private static func grouped(_ count: Int64) -> String { Money(minor: count, currency: "JPY").amountText }

    private func progress(_ call: Call) async throws -> WebResponse {
        let id: JobID = try call.request.id("id")
        let tenant = call.tenant
        guard let job = try await call.read({ try tenant.jobs.job(id, $0) }) else { throw CRMError.notFound }
        return .json(
            .object([
                "state": .string(job.status.rawValue),
                "stateText": .string(call.text("job.state." + job.status.rawValue)),
                "done": .int(job.done), "total": job.total > 0 ? .int(job.total) : .null,
                "message": .string(job.message[call.language]), "finished": .bool(job.isFinished),
            ]))
    }

    private func cancel(_ call: Call) async throws -> WebResponse {
        let id: JobID = try call.request.id("id")
        let tenant = call.tenant
        return try await call.change { session in
            guard try tenant.jobs.job(id, session) != nil else { throw CRMError.notFound }
            try tenant.jobs.cancel(id, session)
            try call.record(
                AuditEntry("console.job.cancel", [AuditSubject(kind: "job", id: id.rawValue)]), session)
            return .redirect(call.request.localReturn(call.form["return"], fallback: "/jobs")).flash("job.cancelled")
        }
    }
}
