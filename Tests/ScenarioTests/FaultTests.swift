import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What failed stands where the administrator sees it, and can be tried again (architecture.md, events and jobs).
@Suite("Failed jobs and parked events")
struct FaultTests {
    @Test("the administrator sees what failed and why, in both languages, and has it tried again; others do not")
    func page() async throws {
        let world = try await TraceWorld.make(customers: 0)
        let tenant = world.scenario.tenant
        let admin = world.administrator
        #expect(try admin.get("/jobs/faults").text.contains("Nothing has failed"))
        let (job, event) = (try await world.failedJob(), try await world.parkedEvent())
        let jobs = try admin.get("/jobs").text
        #expect(jobs.contains("href=\"/jobs/faults\"") && jobs.contains("<span class=\"badge bad\">2</span>"))
        #expect(try !world.analyst.get("/jobs").text.contains("/jobs/faults"))
        for visitor in [world.supervisor, world.analyst, world.auditor] {
            #expect(try visitor.get("/jobs/faults").status == 403)
            #expect(try visitor.post("/jobs/\(job)/restart").status == 403)
            #expect(try visitor.post("/events/\(event)/redelivery").status == 403)
        }
        for (language, words) in [
            ("zh", ["失败与搁置", "未送达的事件", "没有模块可执行"]), ("en", ["Failed and parked", "No module runs"]),
        ] {
            try admin.post("/preferences", [("language", language)])
            let page = try admin.get("/jobs/faults").text
            for word in words + ["test.parked", "handler: Broken", job, event] {
                #expect(page.contains(word), "\(language): \(word)")
            }
        }
        #expect(try admin.post("/jobs/\(job)/restart").status == 303)
        #expect(try admin.post("/events/\(event)/redelivery").status == 303)
        #expect(try admin.post("/jobs/\(job)/restart").status == 404)
        #expect(try admin.post("/events/\(event)/redelivery").status == 404)
        try await world.scenario.drain()
        let states = try await tenant.database.read { session in
            (
                try session.first("SELECT status FROM storage_outbox_event WHERE id = $1", [.int(Int64(event))]) {
                    $0.text(0)
                },
                try AuditReader().page(AuditReader.Filter(), session).items.map(\.action)
            )
        }
        #expect(states.0 == "done")
        #expect(states.1.contains("console.job.restart") && states.1.contains("console.event.redeliver"))
        // It failed again, as it must.
        #expect(try admin.get("/jobs/faults").text.contains(job))
    }

    @Test("the administrator lays aside what needs not be done, with a reason that the audit keeps; others do not")
    func dismissed() async throws {
        let world = try await TraceWorld.make(customers: 0)
        let tenant = world.scenario.tenant
        let admin = world.administrator
        let (job, event) = (try await world.failedJob(), try await world.parkedEvent())
        let paths = ["/jobs/\(job)/dismissal", "/events/\(event)/dismissal"]
        for (language, word) in [("zh", "忽略"), ("en", "Dismiss")] {
            try admin.post("/preferences", [("language", language)])
            let page = try admin.get("/jobs/faults").text
            for path in paths { #expect(page.contains("action=\"\(path)\"") && page.contains(word), "\(path)") }
        }
        for path in paths {
            #expect(try world.supervisor.post(path, [("reason", "x")]).status == 403)
            for reason in ["", "  ", String(repeating: "x", count: 201)] {
                #expect(try admin.post(path, [("reason", reason)]).status == 422)
            }
            #expect(try admin.post(path, []).status == 422)
        }
        #expect(try admin.get("/jobs").text.contains("<span class=\"badge bad\">2</span>"))
        for path in paths {
            #expect(try admin.post(path, [("reason", "sent by hand, ticket 77")]).status == 303)
            #expect(try admin.post(path, [("reason", "again")]).status == 404)
        }
        #expect(try admin.get("/jobs/faults").text.contains("Nothing has failed"))
        #expect(try !admin.get("/jobs").text.contains("badge bad"))
        #expect(try admin.get("/jobs").text.contains("Dismissed"), "the job stays in the list")
        // Nothing brings it back.
        #expect(try admin.post("/jobs/\(job)/restart").status == 404)
        #expect(try admin.post("/events/\(event)/redelivery").status == 404)
        try await world.scenario.drain()
        let kept = try await tenant.database.read { session in
            (
                try session.query("SELECT status FROM storage_outbox_event WHERE id = $1", [.int(Int64(event) ?? 0)]) {
                    $0.text(0)
                },
                try session.query(
                    """
                    SELECT action, facts FROM platform_audit_event
                    WHERE action IN ('console.job.dismiss', 'console.event.dismiss') ORDER BY id
                    """
                ) { "\($0.text(0)) \($0.text(1))" }
            )
        }
        #expect(kept.0 == ["dismissed"])
        #expect(
            kept.1 == [
                #"console.job.dismiss {"reason":"sent by hand, ticket 77"}"#,
                #"console.event.dismiss {"reason":"sent by hand, ticket 77"}"#,
            ])
    }

    @Test("page and health endpoint warn from the configured numbers on; a warning does not take the process out")
    func thresholds() async throws {
        let scenario = try await Scenario.start {
            $0.faultsWarnAt = 2
            $0.waitingWarnSeconds = 60
        }
        let tenant = scenario.tenant
        let admin = try await scenario.user("admin.warn", [.administrator])
        try await scenario.drain()
        func readiness() throws -> String {
            let answer = try scenario.http.send("GET", "/readyz")
            #expect(answer.status == 200)
            return answer.text
        }
        func park(_ id: Int64) async throws {
            try await tenant.database.write { session in
                _ = try session.execute(
                    """
                    INSERT INTO storage_outbox_event (id, type, payload, created_at, status, attempts, next_attempt_at)
                    VALUES ($1, 'test.parked', '{}', 0, 'parked', 8, 0)
                    """, [.int(id)])
            }
        }
        try await park(1)
        #expect(try readiness() == "ready\n")
        #expect(try !admin.get("/jobs").text.contains("badge bad"))
        try await park(2)
        #expect(try readiness() == "ready\nwarning: 2 failed jobs and parked events\n")
        #expect(try admin.get("/jobs").text.contains("<span class=\"badge bad\">2</span>"))
        #expect(try admin.post("/events/1/dismissal", [("reason", "x")]).status == 303)
        #expect(try readiness() == "ready\n")
        let now = tenant.clock.now()
        for (seconds, late) in [(59, false), (61, true)] {
            try await tenant.database.write { session in
                _ = try tenant.jobs.enqueue(
                    "nobody.knows", payload: "{}", by: "test", runAt: now.adding(seconds: Int64(-seconds)), session)
            }
            let words = try readiness()
            let page = try admin.get("/jobs").text
            #expect(words.contains(" s late") == late, "\(words)")
            #expect(page.contains("alert warn") == late)
        }
    }

    @Test("the list of jobs shows news; routine upkeep that went well is one click away")
    func routine() async throws {
        let world = try await TraceWorld.make(customers: 0)
        let tenant = world.scenario.tenant
        _ = try await tenant.jobs.runSchedule("identity.purge", kind: "identity.purge", everySeconds: 3_600)
        try await world.scenario.drain()
        #expect(try !world.analyst.get("/jobs").text.contains("Forget ended sessions"))
        #expect(try world.analyst.get("/jobs?all=1").text.contains("Forget ended sessions"))
        _ = try await world.failedJob()
        #expect(try world.analyst.get("/jobs").text.contains("nobody.knows"))
    }

    @Test("every kind of job has a name in both languages")
    func names() async throws {
        let scenario = try await Scenario.start()
        let kinds = scenario.runtime.modules.all.flatMap { $0.jobs(scenario.tenant) }.map(\.kind)
        #expect(kinds.count >= 7)
        for kind in kinds {
            for language in Language.allCases {
                let key = "job." + kind
                #expect(scenario.runtime.site.pages.texts.text(key, language) != key, "\(key) \(language)")
            }
        }
    }

    @Test("a gauge goes back to zero when no job is in its state any more")
    func gauges() async throws {
        let world = try await TraceWorld.make(customers: 0)
        let (scenario, tenant) = (world.scenario, world.scenario.tenant)
        let job = try await world.waitingJob()
        await scenario.runtime.measure(tenant)
        #expect(try world.stranger.get("/metrics").text.contains("switchboard_jobs{status=\"queued\"} 1.0"))
        #expect(try world.analyst.post("/jobs/\(job)/cancellation").status == 303)
        await scenario.runtime.measure(tenant)
        let after = try world.stranger.get("/metrics").text
        #expect(after.contains("switchboard_jobs{status=\"queued\"} 0.0"))
        #expect(after.contains("switchboard_jobs{status=\"cancelled\"} 1.0"))
        #expect(after.contains("switchboard_jobs{status=\"failed\"} 0.0"))
    }
}
