import Kernel
import Platform
import Storage
import Web

/// What stands aside because it failed again and again: the newest failed jobs, the oldest parked events.
struct Faults: Sendable {
    let jobs: [Job]
    let events: [OutboxDispatcher.Parked]

    static func load(_ tenant: Tenant, _ session: any SQLSession) throws -> Faults {
        Faults(
            jobs: try tenant.jobs.failed(limit: Limits.pageSizeMax, session),
            events: try OutboxDispatcher.parked(limit: Limits.pageSizeMax, session))
    }
}

/// How a tenant's background work stands.
package struct WorkState: Sendable {
    /// Failed jobs and parked events that nobody has dealt with.
    let faults: Int
    /// How long the job or event that waits the longest is beyond its time.
    let lateSeconds: Int64

    package static func load(_ tenant: Tenant, _ session: any SQLSession) throws -> WorkState {
        try load(tenant.jobs, tenant.clock.now(), session)
    }

    static func load(_ jobs: JobQueue, _ now: Instant, _ session: any SQLSession) throws -> WorkState {
        let due = [try jobs.oldestDue(session), try OutboxDispatcher.oldestDue(session)].compactMap { $0 }
        let late = due.map { (now.milliseconds - $0.milliseconds) / 1_000 }.max() ?? 0
        return WorkState(
            faults: try jobs.failedCount(session) + OutboxDispatcher.parkedCount(session),
            lateSeconds: max(0, late))
    }
}

/// From where on pages, `/readyz` and `switchboard doctor` warn.
package struct WarningThresholds: Sendable {
    let faults: Int
    let waitingSeconds: Int64

    package init(_ configuration: Configuration) {
        faults = configuration.faultsWarnAt
        waitingSeconds = Int64(configuration.waitingWarnSeconds)
    }

    /// How many, not which: anybody may ask.
    package func warnings(_ state: WorkState) -> [Words] {
        (state.faults >= faults
            ? [
                Words(
                    en: "warning: \(state.faults) failed jobs and parked events",
                    zh: "警告：有 \(state.faults) 个失败的任务和搁置的事件")
            ] : [])
            + (isLate(state)
                ? [
                    Words(
                        en: "warning: a job or event is \(state.lateSeconds) s late",
                        zh: "警告：有任务或事件延迟 \(state.lateSeconds) 秒")
                ] : [])
    }

    func isLate(_ state: WorkState) -> Bool { state.lateSeconds >= waitingSeconds }
}

extension Console {
    func faultEndpoints() -> [Endpoint] {
        [
            Endpoint(.get, "/jobs/faults", .permission(Self.manageFaults), trace: .none, purpose: .administration) {
                try await faults($0)
            },
            Endpoint(
                .post, "/jobs/{id}/restart", .permission(Self.manageFaults), body: .form([]), trace: .change,
                purpose: .administration, effect: .acts
            ) { try await restart($0) },
            Endpoint(
                .post, "/events/{id}/redelivery", .permission(Self.manageFaults), body: .form([]), trace: .change,
                purpose: .administration, effect: .acts
            ) { try await redeliver($0) },
            Endpoint(
                .post, "/jobs/{id}/dismissal", .permission(Self.manageFaults), body: .form(["reason"]), trace: .change,
                purpose: .administration, effect: .acts
            ) { try await dismissJob($0) },
            Endpoint(
                .post, "/events/{id}/dismissal", .permission(Self.manageFaults), body: .form(["reason"]),
                trace: .change, purpose: .administration, effect: .acts
            ) { try await dismissEvent($0) },
        ]
    }

    private func faults(_ call: Call) async throws -> WebResponse {
        let tenant = call.tenant
        let faults = try await call.read { try Faults.load(tenant, $0) }
        return call.page(
            "app/faults", title: call.text("faults.title"), active: "/jobs",
            [
                "none": .bool(faults.jobs.isEmpty && faults.events.isEmpty), "hasJobs": .bool(!faults.jobs.isEmpty),
                "hasEvents": .bool(!faults.events.isEmpty),
                "jobs": .list(
                    faults.jobs.map {
                        [
                            "id": .text($0.id.description), "kind": .text(call.text("job." + $0.kind)),
                            "message": .text($0.message[call.language]), "createdBy": .text($0.createdBy),
                            "at": .text(call.time($0.finishedAt ?? $0.createdAt)),
                        ]
                    }),
                "events": .list(
                    faults.events.map {
                        [
                            "id": .text($0.id.description), "type": .text($0.type), "reason": .text($0.reason),
                            "attempts": .text(String($0.attempts)), "at": .text(call.time($0.createdAt)),
                        ]
                    }),
            ])
    }

    private func restart(_ call: Call) async throws -> WebResponse {
        let id: JobID = try call.request.id("id")
        let tenant = call.tenant
        return try await call.change { session in
            guard try tenant.jobs.restart(id, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry("console.job.restart", [AuditSubject(kind: "job", id: id.rawValue)]), session)
            return .redirect("/jobs/faults").flash("faults.restarted")
        }
    }

    private func redeliver(_ call: Call) async throws -> WebResponse {
        let id: EventID = try call.request.id("id")
        let tenant = call.tenant
        let now = tenant.clock.now()
        return try await call.change { session in
            guard try OutboxDispatcher.redeliver(id, now: now, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry("console.event.redeliver", [AuditSubject(kind: "event", id: id.rawValue)]), session)
            session.afterCommit { tenant.wake.signal() }
            return .redirect("/jobs/faults").flash("faults.redelivered")
        }
    }

    /// Why something is laid aside: kept in the audit, for it is not tried again.
    private static let dismissalReasonMax = 200

    private func dismissJob(_ call: Call) async throws -> WebResponse {
        let id: JobID = try call.request.id("id")
        let reason = try call.form.text("reason", max: Self.dismissalReasonMax)
        let tenant = call.tenant
        return try await call.change { session in
            guard try tenant.jobs.dismiss(id, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry(
                    "console.job.dismiss", [AuditSubject(kind: "job", id: id.rawValue)],
                    facts: ["reason": .string(reason)]), session)
            return .redirect("/jobs/faults").flash("faults.dismissed")
        }
    }

    private func dismissEvent(_ call: Call) async throws -> WebResponse {
        let id: EventID = try call.request.id("id")
        let reason = try call.form.text("reason", max: Self.dismissalReasonMax)
        return try await call.change { session in
            guard try OutboxDispatcher.dismiss(id, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry(
                    "console.event.dismiss", [AuditSubject(kind: "event", id: id.rawValue)],
                    facts: ["reason": .string(reason)]), session)
            return .redirect("/jobs/faults").flash("faults.dismissed")
        }
    }
}
