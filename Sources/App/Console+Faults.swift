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

    /// How many there are, as many as the page shows at most.
    static func count(_ tenant: Tenant, _ session: any SQLSession) throws -> Int {
        let faults = try load(tenant, session)
        return faults.jobs.count + faults.events.count
    }
}

extension Console {
    func faultEndpoints() -> [Endpoint] {
        [
            Endpoint(.get, "/jobs/faults", .permission(Self.manageFaults), trace: .none, purpose: .administration) {
                try await faults($0)
            },
            Endpoint(
                .post, "/jobs/{id}/restart", .permission(Self.manageFaults), body: .form([]), trace: .change,
                purpose: .administration
            ) { try await restart($0) },
            Endpoint(
                .post, "/events/{id}/redelivery", .permission(Self.manageFaults), body: .form([]), trace: .change,
                purpose: .administration
            ) { try await redeliver($0) },
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
        try await call.write { session in
            guard try tenant.jobs.restart(id, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry("console.job.restart", [AuditSubject(kind: "job", id: id.rawValue)]), session)
        }
        return .redirect("/jobs/faults").flash("faults.restarted")
    }

    private func redeliver(_ call: Call) async throws -> WebResponse {
        let id: EventID = try call.request.id("id")
        let tenant = call.tenant
        let now = tenant.clock.now()
        try await call.write { session in
            guard try OutboxDispatcher.redeliver(id, now: now, session) else { throw CRMError.notFound }
            try call.record(
                AuditEntry("console.event.redeliver", [AuditSubject(kind: "event", id: id.rawValue)]), session)
            session.afterCommit { tenant.wake.signal() }
        }
        return .redirect("/jobs/faults").flash("faults.redelivered")
    }
}
