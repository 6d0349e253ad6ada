import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Two operators in one process, told apart by host name: nothing of one is to be had at the other (G22, G23), and both
/// get their work done.
@Suite("Several tenants")
struct TenantTests {
    private static let host = "b.example"

    /// The default tenant is A; B is `beta`.
    private struct Two {
        let scenario: Scenario
        let beta: Tenant
        var place: (tenant: Tenant, host: String) { (beta, TenantTests.host) }
    }

    private func two(customers: Int = 0, workers: Bool = false) async throws -> Two {
        let scenario = try await Scenario.start(workers: workers) { $0.tenants = [Self.host: "beta"] }
        let beta = try await scenario.runtime.tenants.tenant("beta")
        if customers > 0 {
            try await scenario.runtime.seed(SeedRequest(customers: customers, seed: 11) { _, _, _ in }, beta)
        }
        return Two(scenario: scenario, beta: beta)
    }

    /// Status and body without what differs from request to request.
    private func normal(_ answer: RawHTTP.Answer) -> String {
        let body = answer.text
            .replacing(/"request":"[0-9a-f]+"/, with: "").replacing(/[0-9a-f]{16}/, with: "")
            .replacing(/name="csrf-token" content="[^"]*"/, with: "")
            .replacing(/name="_(?:csrf|key)" value="[^"]*"/, with: "")
            .replacing(/nonce="[^"]*"/, with: "").replacing(/\d{15,19}/, with: "ID")
            .replacing(/\/bootstrap\/[^"<\s]+/, with: "LINK")
        return "\(answer.status) \(body)"
    }

    @Test("a session, a link and a password of B are worth nothing at A, and A does not tell that they exist")
    func foreignKeys() async throws {
        let two = try await two()
        let (scenario, http) = (two.scenario, two.scenario.http)
        let bob = try await scenario.user("bob", [.supervisor], at: two.place)
        #expect(try bob.get("/customers").status == 200)
        // The session.
        let cookie = try #require(bob.cookies.first { $0.key == WebCookie.session })
        let other = String(cookie.value.map { $0 == "A" ? "B" : $0.isLetter ? "A" : $0 })
        for path in ["/customers", "/me", "/jobs"] {
            let foreign = try Visitor(http: http, cookies: bob.cookies).get(
                path, headers: [("Accept", "application/json")])
            let random = try Visitor(http: http, cookies: [cookie.key: other]).get(
                path, headers: [("Accept", "application/json")])
            #expect(foreign.status == 401)
            #expect(normal(foreign) == normal(random))
        }
        // The one-time link.
        let link = try await scenario.runtime.modules.users.issueBootstrap(role: .administrator, two.beta).path
        let token = link.split(separator: "/").last.map(String.init) ?? ""
        let invented = "/bootstrap/" + String(token.reversed())
        let stranger = scenario.stranger()
        let (foreign, random) = (try stranger.get(link), try stranger.get(invented))
        #expect([404, 410].contains(foreign.status))
        #expect(normal(foreign) == normal(random))
        let fields = [("name", "thief"), ("password", Scenario.password), ("again", Scenario.password)]
        try stranger.get("/login")
        let (posted, guessed) = (try stranger.post(link, fields), try stranger.post(invented, fields))
        #expect([404, 410].contains(posted.status))
        #expect(normal(posted) == normal(guessed))
        #expect(try scenario.stranger(host: Self.host).get(link).status == 200, "at home the link still works")
        // The password.
        let login = scenario.stranger()
        try login.get("/login")
        let known = try login.post("/login", [("name", "bob"), ("password", Scenario.password)])
        let unknown = try login.post("/login", [("name", "nobody"), ("password", Scenario.password)])
        #expect(known.status == 401 && unknown.status == 401)
        // A host nobody configured is served nothing.
        #expect(try scenario.stranger(host: "c.example").get("/login").status == 404)
    }

    @Test("every id of B is answered at A as an id that exists nowhere, on every route")
    func foreignIDs() async throws {
        let two = try await two(customers: 300)
        let (scenario, beta) = (two.scenario, two.beta)
        let bob = try await scenario.user("bob", [.supervisor], at: two.place)
        let csv = Array("source_id,name\n1,甲\n2,\n".utf8)
        #expect(try bob.upload("/imports", file: (name: "b.csv", content: csv)).status == 303)
        try bob.post("/customers/views", [("name", "mine"), ("filter", "band=high")])
        let bea = try await scenario.user("bea", [.administrator], at: two.place)
        try bea.post(
            "/clients", [("name", "theirs"), ("scope", "usage:write"), ("rate", "5"), ("days", "30")])
        try bob.post(
            "/me/tokens",
            [("name", "theirs"), ("scope", "usage:write"), ("days", "30"), ("current", Scenario.password)])
        try bea.post("/counters", [("name", "theirs"), ("title_en", "Theirs"), ("kind", "app.login")])
        _ = try await beta.database.write { try beta.jobs.enqueue("nobody.knows", payload: "{}", by: "test", $0) }
        try await Workers.drain(beta, scenario.runtime.modules.all, logger: scenario.runtime.logger)
        let parked: EventID = beta.ids.next()
        try await beta.database.write { session in
            _ = try session.execute(
                """
                INSERT INTO storage_outbox_event (id, type, payload, created_at, status, attempts, next_attempt_at)
                VALUES ($1, 'test.parked', '{}', 0, 'parked', 8, 0)
                """, [.id(parked)])
        }
        let model = SQLValue.int(beta.ids.next(PartyKind.self).rawValue)
        try await beta.database.write { session in
            _ = try session.execute(
                """
                INSERT INTO customers_match_model (id, made_at, made_by, customers, pairs, model)
                VALUES ($1, 0, 'test', 0, 0, '{}')
                """, [model])
        }
        try bob.post("/sources", [("key", "theirs"), ("kind", "care")])
        let held = SQLValue.int(beta.ids.next(PartyKind.self).rawValue)
        try await beta.database.write { session in
            _ = try session.execute(
                """
                INSERT INTO ingest_quarantine (id, run_id, record, line, entity, source, rule, field, findings, cells,
                  match_key, state, revision, created_at, decided_by_name, reason)
                SELECT $1, MIN(id), 0, 3, 'customer', 'theirs', 'birth', 'birth_date', '[]', '[]', '', 'open', 1, 0, '', ''
                FROM ingest_run
                """, [held])
            _ = try session.execute(
                """
                INSERT INTO ingest_rule (key, name_en, name_zh, source, entity, fields, kind, dimension, severity, parameters,
                  is_on, revision, updated_at, updated_by_name)
                VALUES ('900001', 'Theirs', 'T', '', 'customer', 'city', 'required', 'completeness', 'warn', '{}', $1, 1, 0, '')
                """, [.bool(true)])
        }
        let (hub, told): (ID<TraceWorld.TestHub>, ID<TraceWorld.TestHub>) = (beta.ids.next(), beta.ids.next())
        try await beta.database.write { session in
            _ = try session.execute(TraceWorld.hubSubscription, [.id(hub), .text("theirs"), .text("active")])
            _ = try session.execute(TraceWorld.hubDelivery, [.id(told), .id(hub)])
        }
        let usage = SQLValue.int(beta.ids.next(PartyKind.self).rawValue)
        try await beta.database.write { session in
            _ = try session.execute(
                """
                INSERT INTO usage_run (id, source_id, name, digest, size, mapping, state, worker, chunk, records, taken, duplicate,
                  corrected, cancelled, unmatched, rejected, created_at, touched_at, created_by_name)
                VALUES ($1, 1, 'b.csv', '', 0, '{}', 'succeeded', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')
                """, [usage])
        }
        // Whose ids the routes of a path take.
        let tables: [(prefix: String, sql: SQL)] = [
            ("/usage/runs/", "SELECT id FROM usage_run"), ("/cases/", "SELECT id FROM servicedesk_case"),
            ("/customers/views/", "SELECT id FROM customers_saved_view"),
            ("/customers/", "SELECT id FROM customers_customer"),
            ("/matching/models/", "SELECT id FROM customers_match_model"),
            ("/counters/", "SELECT id FROM profiles_counter WHERE id > 100"),
            ("/quarantine/", "SELECT id FROM ingest_quarantine"),
            ("/rules/", "SELECT CAST(key AS BIGINT) FROM ingest_rule WHERE key = '900001'"),
            ("/sources/", "SELECT id FROM ingest_source WHERE key = 'theirs'"),
            ("/attributes/", "SELECT id FROM customers_attribute"), ("/imports/", "SELECT id FROM ingest_run"),
            ("/jobs/", "SELECT id FROM storage_job WHERE kind = 'nobody.knows'"),
            ("/events/", "SELECT id FROM storage_outbox_event WHERE status = 'parked'"),
            ("/tmf-api/", "SELECT id FROM tmf_hub"), ("/hub/deliveries/", "SELECT id FROM tmf_hub_delivery"), ("/hub/", "SELECT id FROM tmf_hub"),
            ("/clients/", "SELECT id FROM identity_client"),
            ("/me/tokens/", "SELECT id FROM identity_token"),
            ("/me/sessions/", "SELECT id FROM identity_session"),
            ("/models/", "SELECT id FROM insights_model WHERE blob_id IS NOT NULL"),
            ("/risk/", "SELECT customer_id FROM insights_churn_score"),
            ("/users/", "SELECT id FROM identity_user"),
        ]
        var visitors: [Role: Visitor] = [:]
        for role in Role.allCases { visitors[role] = try await scenario.user("at-a-\(role.rawValue)", [role]) }
        let theirWorld = try await ContractWorld(scenario, at: two.place)
        var walked = 0
        for route in scenario.runtime.routes where route.pattern.contains("{id}") {
            let foreign: String
            if let resource = scenario.runtime.modules.resources.first(where: { route.pattern.hasPrefix($0.path + "/") }) {
                var context = SampleContext(withoutLines: true)
                foreign = resource.verbs.contains(.create)
                    ? try Contract.make(resource.name, theirWorld, &context).id
                    : try theirWorld.send("GET", resource.path).items.first?["id"]?.string ?? ""
                try #require(!foreign.isEmpty, "\(route.name)")
            } else {
                let table = try #require(
                    tables.first { route.pattern.hasPrefix($0.prefix) }, "whose ids does \(route.name) take?")
                let id = try await beta.database.read { try $0.first(table.sql) { $0.int(0) } }
                foreign = String(try #require(id, "\(route.name)"))
            }
            let invented = String((Int64(foreign) ?? 0) ^ 0x5A5A_5A5A)
            // Every role that may call it, so that no right opens another tenant.
            for (role, visitor) in visitors {
                if case .permission(let permission) = route.access {
                    let held = scenario.runtime.site.permissions.contains {
                        $0.permission == permission && $0.roles.contains(role)
                    }
                    guard held else { continue }
                }
                func ask(_ id: String) throws -> RawHTTP.Answer {
                    let path = route.pattern.replacing("{id}", with: id)
                    let fields = (TraceWorld.fields[route.name] ?? []).map { ($0.0, $0.1) }
                    if route.method == .patch || route.method == .delete { return try visitor.send(route.method.rawValue, path, json: route.method == .patch ? "{}" : "") }
                    return route.method == .get
                        ? try visitor.get(path, headers: [("Accept", "application/json")])
                        : try visitor.post(path, fields, headers: [("Accept", "application/json")])
                }
                let (theirs, nobodys) = (try ask(foreign), try ask(invented))
                #expect(
                    normal(theirs) == normal(nobodys),
                    "\(route.name) as \(role.rawValue): \(normal(theirs).prefix(200)) / \(normal(nobodys).prefix(200))")
                #expect(theirs.status == 404, "\(route.name) as \(role.rawValue) answered \(theirs.status)")
                #expect(theirs.header("etag") == nil)
                walked += 1
            }
        }
        #expect(walked > 40)
        #expect(try scenario.http.send("GET", "/metrics").text.contains("beta") == false)
    }

    @Test("what is queued at B is done, and its events are delivered, by the workers of the one process")
    func work() async throws {
        let two = try await two(workers: true)
        let bob = try await two.scenario.user("bob", [.supervisor], at: two.place)
        let csv = Array("source_id,name,phone\n1,甲乙,13900000001\n2,丙丁,13900000002\n".utf8)
        let run = try #require(
            try bob.upload("/imports", fields: [("source", "crm")], file: (name: "b.csv", content: csv))
                .header("location"))
        try bob.fill(
            run, run + "/mapping",
            [
                ("to.0", "source_id"), ("to.1", "full_name"), ("to.2", "phone"), ("match_key", "source_id"),
                ("creates", "1"), ("updates", "1"),
            ])
        #expect(try bob.post(run + "/start").status == 303)
        #expect(
            try await eventually { try bob.get(run + "/progress").text.contains(#""state":"succeeded""#) })
        let beta = two.beta
        #expect(
            try await eventually {
                try await beta.database.read {
                    try $0.count("SELECT COUNT(*) FROM storage_outbox_event WHERE status <> 'done'") == 0
                }
            })
        #expect(try bob.get("/customers").text.contains("甲乙"))
        #expect(try await two.scenario.runtime.modules.isEmpty(two.scenario.tenant))
    }

    @Test("workers that are given a tenant by name do that one's work only, and stop when they are told to")
    func narrowed() async throws {
        let two = try await two()
        let runtime = two.scenario.runtime
        var jobs: [(Tenant, JobID)] = []
        for tenant in [two.scenario.tenant, two.beta] {
            let job = try await tenant.database.write {
                try tenant.jobs.enqueue("nobody.knows", payload: "{}", by: "test", $0)
            }
            jobs.append((tenant, job))
        }
        let workers = Workers(
            names: ["beta"], modules: runtime.modules.all, tenants: runtime.tenants, count: 1, metrics: runtime.metrics,
            logger: runtime.logger)
        let task = Task { try await workers.run() }
        let (beta, theirs) = jobs[1]
        #expect(
            try await eventually { try await beta.database.read { try beta.jobs.job(theirs, $0)?.isFinished } == true })
        task.cancel()
        try await task.value
        let (alpha, ours) = jobs[0]
        #expect(try await alpha.database.read { try alpha.jobs.job(ours, $0)?.status } == .queued)
    }
}

/// Waits for a condition instead of a time; `false` when it did not come about.
func eventually(seconds: Double = 30, _ condition: @Sendable () async throws -> Bool) async rethrows -> Bool {
    let limit = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < limit {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}
