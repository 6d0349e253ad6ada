import Crypto
import Foundation
import HTTPTypes
import Kernel
import Logging
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Platform
@testable import Web

/// Retried requests have one effect (G70).
@Suite("Keys of requests")
struct RequestKeyTests {
    /// A database whose next write loses its answer, after its commit or before it.
    private final class Unsure: Database {
        enum Loss { case none, afterCommit, beforeCommit }
        let base: any Database
        let loss = Mutex(Loss.none)
        init(_ base: any Database) { self.base = base }
        var dialect: Dialect { base.dialect }
        func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
            try await base.read(body)
        }
        func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
            let now = loss.withLock { loss in
                defer { loss = .none }
                return loss
            }
            let unknown = StorageError(.outcomeUnknown, "test")
            switch now {
            case .none: return try await base.write(body)
            case .afterCommit:
                _ = try await base.write(body)
                throw unknown
            case .beforeCommit: throw unknown
            }
        }
        func close() async throws {}
    }

    /// One process: a tenant over the database that all share, and a route that makes a thing.
    private struct Process: Sendable {
        let tenant: Tenant
        let table: RouteTable

        func post(
            _ path: String = "/things", _ body: WebRequest.RequestContent = .form(Form([("name", "a")])),
            _ headers: [(String, String)] = [], user: Int64 = 99
        ) async throws -> WebResponse {
            guard case .route(let route, let parameters) = table.match(.post, path: path) else { throw CRMError.notFound }
            var fields = HTTPFields()
            for (name, value) in headers {
                fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
            }
            let principal = TestTenant.principal([Permission("a.view")], userID: UserID(user))
            return try await route.handler(
                WebRequest(
                    method: .post, path: path, query: Form([]), headers: fields, parameters: parameters,
                    tenant: "default", requestID: "r", address: "127.0.0.1", language: .en, theme: "auto",
                    session: SessionState(principal: principal, language: nil, theme: nil), csrfToken: "c",
                    cookieToken: "c", nonce: "n", purpose: route.purpose, body: body))
        }

        func status(
            _ path: String = "/things", _ body: WebRequest.RequestContent = .form(Form([("name", "a")])),
            _ headers: [(String, String)] = [], user: Int64 = 99
        ) async throws -> (Int, String) {
            do {
                return (try await post(path, body, headers, user: user).status.code, "")
            } catch let error as CRMError { return (error.status, error.code) }
        }
    }

    private static let insert: SQL = "INSERT INTO thing (name) VALUES ($1)"
    private static let key = [("Idempotency-Key", "\"a-key-of-a-test\"")]

    private static func form(_ name: String, key: String? = nil, revision: String? = nil) -> WebRequest.RequestContent {
        .form(
            Form(
                [("name", name)] + (key.map { [("_key", $0)] } ?? [])
                    + (revision.map { [("revision", $0)] } ?? [])))
    }

    @Test("a password is no part of what is kept of a request")
    func passwords() throws {
        func digest(_ fields: [(String, String)]) throws -> String {
            let form = Form([("_key", "a-key-of-a-form")] + fields.map { (name: $0.0, value: $0.1) })
            let request = WebRequest(
                method: .post, path: "/x", query: Form([]), headers: [:], parameters: [:], tenant: "default",
                requestID: "r", address: "127.0.0.1", language: .en, theme: "auto",
                session: SessionState(principal: TestTenant.principal([]), language: nil, theme: nil), csrfToken: "c",
                cookieToken: "c", nonce: "n", purpose: .service, body: .form(form))
            return try #require(try RequestKey.of(request)).digest
        }
        #expect(try digest([("name", "a"), ("current", "one")]) == digest([("name", "a"), ("current", "two")]))
        #expect(try digest([("name", "a"), ("current", "one")]) != digest([("name", "b"), ("current", "one")]))
    }

    /// - Parameter meanwhile: called by the handler before it writes.
    private func world(
        meanwhile: @escaping @Sendable () async -> Void = {}
    ) async throws -> (test: TestTenant, database: Unsure, process: @Sendable (Int) throws -> Process) {
        let test = try await TestTenant()
        try await test.tenant.database.write { _ = try $0.execute("CREATE TABLE thing (name TEXT NOT NULL)") }
        let database = Unsure(test.tenant.database)
        let site = SiteInfo(
            pages: try Pages(share: Checkout.share), assets: "/assets/0", navigation: [], permissions: [], version: "1")
        let access = Route.Access.permission(Permission("a.view"))
        let endpoints = [
            Endpoint(.post, "/things", access, body: .form(["name"]), trace: .change, effect: .adds) { call in
                let name = try call.form.text("name")
                await meanwhile()
                return try await call.change { session in
                    try session.execute(Self.insert, [.text(name)])
                    try call.record(AuditEntry("demo.thing.make"), session)
                    if name == "refused" { throw CRMError.invalid("name", "refused", Words(en: "no", zh: "否")) }
                    return .redirect("/things/1").flash("saved").tagged("7")
                }
            },
            Endpoint(.post, "/json", access, body: .json, trace: .change, effect: .asSent) { call in
                return try await call.change { session in
                    try session.execute(Self.insert, [.text("json")])
                    try call.record(AuditEntry("demo.thing.make"), session)
                    let count = try session.count("SELECT COUNT(*) FROM thing")
                    return .json(.object(["things": .int(Int64(count))]), status: .created)
                }
            },
            Endpoint(.post, "/things/{id}", access, body: .form(["name", "revision"]), trace: .change) { call in
                try await call.change { session in
                    try call.checkVersion("\(try session.count("SELECT COUNT(*) FROM thing"))")
                    try session.execute(Self.insert, [.text("changed")])
                    try call.record(AuditEntry("demo.thing.change"), session)
                    return .redirect("/things/1")
                }
            },
            Endpoint(.post, "/forgets-key", access, trace: .change, effect: .acts) { call in
                try await call.write { try call.record(AuditEntry("demo.thing.make"), $0) }
                return .redirect("/")
            },
            Endpoint(.post, "/forgets-version", access, trace: .change) { call in
                try await call.change { session in
                    try call.record(AuditEntry("demo.thing.make"), session)
                    return .redirect("/")
                }
            },
        ]
        return (
            test, database,
            { node in
                let tenant = Tenant(
                    name: "default", database: database, ids: IDGenerator(node: node, clock: test.clock),
                    clock: test.clock, blobs: test.tenant.blobs, keys: test.tenant.keys, logger: test.tenant.logger)
                return Process(
                    tenant: tenant, table: RouteTable(endpoints.map { $0.route(tenants: { _ in tenant }, site: site) }))
            }
        )
    }

    private func things(_ test: TestTenant) async throws -> Int {
        try await test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM thing") }
    }

    @Test("what is sent again has one effect and gets the same answer, which stands in the audit; so it does after a restart")
    func again() async throws {
        let (test, _, process) = try await world()
        // Another process, or this one after its end: nothing is remembered but what is stored.
        let (one, two) = (try process(1), try process(2))
        let first = try await one.post("/things", Self.form("a"), Self.key)
        let second = try await two.post("/things", Self.form("a"), [("Idempotency-Key", "a-key-of-a-test")])
        for answer in [first, second] {
            #expect(answer.status == .seeOther && answer.headers[.location] == "/things/1" && answer.flashKey == "saved")
            #expect(answer.headers[.eTag] == "\"7\"")
        }
        #expect(try await things(test) == 1)
        #expect(try await test.auditCount("demo.thing.make") == 1)
        #expect(try await test.auditCount("console.request.repeat") == 1)
        let json = WebRequest.RequestContent.json(.object(["x": .int(1)]))
        let third = try await one.post("/json", json, [("Idempotency-Key", "another-key")])
        let fourth = try await two.post("/json", json, [("Idempotency-Key", "another-key")])
        #expect(third.status == .created && fourth.status == .created)
        #expect(try await third.collectedBody() == fourth.collectedBody())
        #expect(fourth.headers[.contentType] == third.headers[.contentType])
        #expect(try await things(test) == 2)
        // Optional there: without a key each is a request of its own.
        _ = try await one.post("/json", json)
        _ = try await one.post("/json", json)
        #expect(try await things(test) == 4)
    }

    @Test("a key stands for one request: other content or another route is refused, another caller has keys of their own")
    func reused() async throws {
        let (test, _, process) = try await world()
        let one = try process(1)
        #expect(try await one.status("/things", Self.form("a"), Self.key).0 == 303)
        #expect(try await one.status("/things", Self.form("b"), Self.key) == (422, "idempotency_key_reused"))
        #expect(try await one.status("/json", .json(.null), Self.key) == (422, "idempotency_key_reused"))
        #expect(try await one.status("/things", Self.form("a"), Self.key, user: 98).0 == 303)
        #expect(try await things(test) == 2)
        // The forms of a page share its key: there the address tells them apart.
        #expect(try await one.status("/things", Self.form("a", key: "key-of-a-page")).0 == 303)
        #expect(try await one.status("/things/1", Self.form("a", key: "key-of-a-page", revision: "3")).0 == 303)
        #expect(try await one.status("/things", Self.form("b", key: "key-of-a-page")) == (422, "idempotency_key_reused"))
        #expect(try await things(test) == 4)
    }

    @Test("without a key where one is required 400, without a version 428, with a stale one 412; nothing is changed")
    func missing() async throws {
        let (test, _, process) = try await world()
        let one = try process(1)
        #expect(try await one.status() == (400, "idempotency_key_required"))
        for bad in ["short", String(repeating: "x", count: 201), "with a blank", "with\"quotes", "ключ-ключ"] {
            #expect(
                try await one.status("/things", Self.form("a"), [("Idempotency-Key", bad)]).1
                    == "idempotency_key_invalid", "\(bad)")
        }
        #expect(
            try await one.status("/things", Self.form("a"), Self.key + Self.key) == (400, "idempotency_key_invalid"))
        #expect(try await one.status("/things/1", Self.form("a"), Self.key) == (428, "version_required"))
        for (tag, code) in [("*", "version_required"), ("0", "if_match_invalid"), ("W/\"0\"", "changed_meanwhile"), ("W/0", "if_match_invalid"),
            ("\"8\", \"1\"", "changed_meanwhile"), ("\"0\" \"1\"", "if_match_invalid"), ("\"0\", 1", "if_match_invalid"),
            ("*, \"0\"", "if_match_invalid"), ("\"9\"", "changed_meanwhile")]
        {
            #expect(try await one.status("/things/1", Self.form("a"), Self.key + [("If-Match", tag)]).1 == code, "\(tag)")
        }
        #expect(try await things(test) == 0)
        // Two writes with one version: the second is told.
        let seen = [("If-Match", "W/\"7\", \"0\" ,\"a,b\"")]
        #expect(try await one.status("/things/1", Self.form("a"), [("Idempotency-Key", "first-of-two")] + seen).0 == 303)
        #expect(
            try await one.status("/things/1", Self.form("a"), [("Idempotency-Key", "second-of-two")] + seen)
                == (412, "changed_meanwhile"))
        // The first sent again is not: it happened.
        #expect(try await one.status("/things/1", Self.form("a"), [("Idempotency-Key", "first-of-two")] + seen).0 == 303)
        #expect(try await things(test) == 1)
    }

    @Test("a change that was refused leaves its key free")
    func refused() async throws {
        let (test, _, process) = try await world()
        let one = try process(1)
        #expect(try await one.status("/things", Self.form("refused"), Self.key) == (422, "refused"))
        #expect(try await one.status("/things", Self.form("corrected"), Self.key).0 == 303)
        #expect(try await things(test) == 1)
    }

    @Test(
        "while a request is at work a program that sends it again is told 409, and the second click of a form waits",
        .timeLimit(.minutes(1)))
    func inFlight() async throws {
        let (arrived, arrive) = AsyncStream.makeStream(of: Void.self)
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let gate = Mutex<AsyncStream<Void>.Iterator?>(opened.makeAsyncIterator())
        let (test, _, process) = try await world {
            arrive.yield()
            // Only the first waits.
            guard var iterator = gate.withLock({ held in
                defer { held = nil }
                return held
            }) else { return }
            await iterator.next()
        }
        let one = try process(1)
        let form = Self.form("a", key: "key-of-a-page")
        async let first = one.status("/things", form)
        var arrivals = arrived.makeAsyncIterator()
        await arrivals.next()
        async let second = one.status("/things", form)
        async let programFirst = one.status("/things", Self.form("b"), Self.key)
        _ = try await programFirst
        open.yield()
        #expect(try await first.0 == 303)
        #expect(try await second.0 == 303)
        #expect(try await things(test) == 2)
    }

    @Test("a program that asks again while its request is at work is told so, with Retry-After", .timeLimit(.minutes(1)))
    func toldAtOnce() async throws {
        let (arrived, arrive) = AsyncStream.makeStream(of: Void.self)
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let gate = Mutex<AsyncStream<Void>.Iterator?>(opened.makeAsyncIterator())
        let (test, _, process) = try await world {
            arrive.yield()
            guard var iterator = gate.withLock({ held in
                defer { held = nil }
                return held
            }) else { return }
            await iterator.next()
        }
        let one = try process(1)
        async let first = one.status("/things", Self.form("a"), Self.key)
        var arrivals = arrived.makeAsyncIterator()
        await arrivals.next()
        let error = await #expect(throws: CRMError.self) { try await one.post("/things", Self.form("a"), Self.key) }
        #expect(error?.status == 409 && error?.code == "in_flight" && error?.retryAfterSeconds == 1)
        open.yield()
        #expect(try await first.0 == 303)
        #expect(try await one.status("/things", Self.form("a"), Self.key).0 == 303)
        #expect(try await things(test) == 1)
    }

    @Test("fifty copies at four processes have one effect, and all that are answered get the same answer")
    func fifty() async throws {
        let (test, _, process) = try await world()
        let processes = try (1...4).map { try process($0) }
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<50 {
                group.addTask { try await processes[number % 4].status("/things", Self.form("a"), Self.key) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await things(test) == 1)
        #expect(answers.allSatisfy { $0.0 == 303 || $0 == (409, "in_flight") }, "\(answers)")
        #expect(answers.contains { $0.0 == 303 })
    }

    @Test(
        "a key is kept for a day; then it may stand for another request, whether or not it was cleared away",
        arguments: [true, false])
    func unknown(happened: Bool) async throws {
        let (test, database, process) = try await world()
        let one = try process(1)
        database.loss.withLock { $0 = happened ? .afterCommit : .beforeCommit }
        let error = await #expect(throws: CRMError.self) { try await one.post("/things", Self.form("a"), Self.key) }
        #expect(error?.status == 503 && error?.code == "outcome_unknown" && error?.retryAfterSeconds != nil)
        #expect(error?.message.en.contains("under the same key") == true)
        #expect(try await things(test) == (happened ? 1 : 0))
        #expect(try await one.status("/things", Self.form("a"), Self.key).0 == 303)
        #expect(try await things(test) == 1)
        #expect(try await test.auditCount("console.request.repeat") == (happened ? 1 : 0))
    }

    @Test("a key is kept for a day; then it may stand for another request, whether or not it was cleared away", arguments: [true, false])
    func expiry(purged: Bool) async throws {
        let (test, _, process) = try await world()
        let one = try process(1)
        #expect(try await one.status("/things", Self.form("a"), Self.key).0 == 303)
        test.clock.advance(seconds: 86_399)
        try await one.tenant.requests.purge(test.tenant.database)
        #expect(try await one.status("/things", Self.form("a"), Self.key).0 == 303)
        #expect(try await things(test) == 1)
        test.clock.advance(seconds: 1)
        if purged {
            try await one.tenant.requests.purge(test.tenant.database)
            let left = try await test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM platform_request") }
            #expect(left == 0)
        }
        #expect(try await one.status("/things", Self.form("b"), Self.key).0 == 303)
        #expect(try await things(test) == 2)
    }

    @Test("a route that forgets its key or never looks at the version is a defect that shows at once")
    func unguarded() async throws {
        let (_, _, process) = try await world()
        let one = try process(1)
        #expect(try await one.status("/forgets-key", .none, Self.key) == (500, "change_unguarded"))
        #expect(
            try await one.status("/forgets-version", .none, Self.key + [("If-Match", "\"1\"")])
                == (500, "change_unguarded"))
    }

    @Test("keys are not kept as they were sent, and the digest tells parts from one another")
    func stored() async throws {
        let (test, _, process) = try await world()
        _ = try await process(1).post("/things", Self.form("a"), Self.key)
        let row = try await test.tenant.database.read {
            try $0.first("SELECT id, digest FROM platform_request") { $0.text(0) + $0.text(1) }
        }
        #expect(row?.utf8.count == 128 && row?.contains("a-key") == false)
        #expect(RequestKey.digest(["ab", "c"]) != RequestKey.digest(["a", "bc"]))
        #expect(RequestKey.digest(["a", ""]) != RequestKey.digest(["a"]))
    }
}
