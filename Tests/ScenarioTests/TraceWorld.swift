import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// A small operator in which every route has something to do, and a request for each of them that succeeds.
struct TraceWorld: Sendable {
    typealias Shot = @Sendable () throws -> RawHTTP.Answer
    /// Prepares a request; what the preparing leaves behind is not counted.
    typealias Maker = @Sendable (TraceWorld) async throws -> Shot

    let scenario: Scenario
    let supervisor: Visitor
    let administrator: Visitor
    let analyst: Visitor
    let auditor: Visitor
    let stranger: Visitor

    static func make(customers: Int = 300) async throws -> TraceWorld {
        let scenario = try await Scenario.start(customers: customers)
        return TraceWorld(
            scenario: scenario, supervisor: try await scenario.user("super", [.supervisor]),
            administrator: try await scenario.user("admin", [.administrator]),
            analyst: try await scenario.user("analyst", [.analyst]),
            auditor: try await scenario.user("auditor", [.auditor]), stranger: scenario.stranger())
    }

    // MARK: What is in the database

    struct State: Sendable {
        let events: Int
        /// Table -> digest of its rows; without the audit log itself.
        let rows: [String: Int]
        func difference(_ other: State) -> [String] { rows.keys.filter { rows[$0] != other.rows[$0] }.sorted() }
    }

    func state() async throws -> State {
        let tables = try await TestSchema(scenario.tenant.database).tables()
        return try await scenario.tenant.database.read { session in
            var rows: [String: Int] = [:]
            // Neither the audit nor a request's key is the change; servers come and go.
            for table in tables
            where !table.hasPrefix("platform_audit") && !["platform_request", "storage_server"].contains(table) {
                // A sum: the order of the rows is nobody's promise. PostgreSQL makes it itself, or half the time of the walk would go
                // into bringing rows over.
                if session.dialect == .postgres {
                    let text = try session.first(
                        SQL(trusted: "SELECT CAST(COALESCE(SUM(hashtextextended(CAST(t AS TEXT), 0)), 0) AS TEXT) FROM \(table) t"), []
                    ) { $0.text(0) }
                    rows[table] = text.hashValue
                    continue
                }
                var sum = 0
                try session.forEach(SQL(trusted: "SELECT * FROM \(table)"), []) { row in
                    var hasher = Hasher()
                    for column in 0..<row.reader.columnCount { hasher.combine(row.value(column)) }
                    sum &+= hasher.finalize()
                    return true
                }
                rows[table] = sum
            }
            return State(events: try session.count("SELECT COUNT(*) FROM platform_audit_event"), rows: rows)
        }
    }

    func id(_ sql: SQL, _ arguments: [SQLValue] = []) async throws -> String {
        let found = try await scenario.tenant.database.read { try $0.first(sql, arguments) { $0.int(0) } }
        return String(try #require(found, "\(sql.text)"))
    }

    // MARK: Things to act on

    func customer() async throws -> String {
        try await id("SELECT customer_id FROM insights_churn_score ORDER BY customer_id LIMIT 1")
    }

    /// Another account, fresh for each request.
    func user() async throws -> String {
        let name = "u" + UUID().uuidString.prefix(8).lowercased()
        let made = try await scenario.runtime.modules.users.createUser(
            name: name, roles: [.agent], password: Scenario.password, scenario.tenant)
        return made.description
    }

    /// A log-in of its own, for what ends it.
    func guest() async throws -> (visitor: Visitor, name: String) {
        let name = "g" + UUID().uuidString.prefix(8).lowercased()
        return (try await scenario.user(name, [.agent]), name)
    }

    func location(_ answer: RawHTTP.Answer) throws -> String {
        try #require(answer.header("location"), "\(answer.status): \(answer.text.prefix(300))")
    }

    /// `/imports/ID` of a fresh import: 3 good rows and a bad one.
    func draft() throws -> String {
        let tag = UUID().uuidString.prefix(6)
        let csv =
            "source_id,name,phone,email\n"
            + (1...3).map { "\(tag)\($0),客户\($0),1390000000\($0),c\($0)@example.com\n" }.joined()
            + "\(tag)4,,no number,c4@example.com\n"
        return try location(
            try supervisor.upload(
                "/imports", fields: [("source", "crm\(tag)")], file: (name: "t\(tag).csv", content: Array(csv.utf8))))
    }

    func mapped(then: String = "") throws -> String {
        let run = try draft()
        let page = try supervisor.get(run)
        #expect(page.status == 200)
        let answer = try supervisor.fill(run, run + "/mapping", Self.mapping + [("then", then)])
        #expect(answer.status == 303, "\(answer.text.prefix(300))")
        return run
    }

    static let mapping = [
        ("to.0", "source_id"), ("to.1", "full_name"), ("to.2", "phone"), ("to.3", "email"), ("match_key", "source_id"),
        ("creates", "1"), ("updates", "1"),
    ]

    /// An import whose dry run is done.
    func planned() async throws -> String {
        let run = try mapped(then: "dry_run")
        try await scenario.drain()
        return run
    }

    /// An import that was run.
    func imported() async throws -> String {
        let run = try await planned()
        try supervisor.post(run + "/start")
        try await scenario.drain()
        return run
    }

    /// An import that was taken back while a customer of it had been changed.
    func reverted() async throws -> String {
        let run = try await imported()
        let created = try await id("SELECT id FROM customers_customer ORDER BY id DESC LIMIT 1")
        let edit = try supervisor.get("/customers/\(created)/edit").text
        let revision = String(try #require(edit.firstMatch(of: /name="revision" value="(\d+)"/)).1)
        #expect(
            try supervisor.post("/customers/\(created)/edit", [("revision", revision), ("f_segment", "kept")]).status
                == 303)
        #expect(try supervisor.post(run + "/reversal").status == 303)
        try await scenario.drain()
        return run
    }

    /// A job that failed for good.
    func failedJob() async throws -> String {
        let tenant = scenario.tenant
        let job = try await tenant.database.write {
            try tenant.jobs.enqueue("nobody.knows", payload: "{}", by: "test", $0)
        }
        try await scenario.drain()
        return job.description
    }

    /// A job that waits.
    func waitingJob() async throws -> String {
        let tenant = scenario.tenant
        let later = tenant.clock.now().adding(days: 1)
        return try await tenant.database.write {
            try tenant.jobs.enqueue("nobody.knows", payload: "{}", by: "test", runAt: later, $0)
        }.description
    }

    func parkedEvent() async throws -> String {
        let event: EventID = scenario.tenant.ids.next()
        try await scenario.tenant.database.write { session in
            _ = try session.execute(
                """
                INSERT INTO storage_outbox_event (id, type, payload, created_at, status, attempts, next_attempt_at, last_error)
                VALUES ($1, 'test.parked', '{}', 0, 'parked', 8, 0, 'handler: Broken')
                """, [.id(event)])
        }
        return event.description
    }

    /// A version of the model that is not in use.
    func idleModel() async throws -> String {
        try await activeModel()
        let model = try await id("SELECT id FROM insights_model WHERE state = 'active'")
        #expect(try analyst.post("/models/\(model)/retirement").status == 303)
        return model
    }

    /// Sees to it that a version is in use.
    @discardableResult
    func activeModel() async throws -> String {
        let model = try await id("SELECT id FROM insights_model WHERE blob_id IS NOT NULL ORDER BY id LIMIT 1")
        let active = try await scenario.tenant.database.read {
            try $0.exists("SELECT 1 FROM insights_model WHERE state = 'active'")
        }
        if !active { #expect(try analyst.post("/models/\(model)/activation").status == 303) }
        return model
    }

    func link(_ role: Role = .administrator) async throws -> String {
        try await scenario.runtime.modules.users.issueBootstrap(role: role, scenario.tenant).path
    }
}
