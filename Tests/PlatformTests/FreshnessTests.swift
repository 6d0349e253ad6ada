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

/// Notes how fresh each read had to be.
private final class NotingDatabase: Database {
    private let base: any Database
    private let notes = Mutex<[Freshness]>([])
    var asked: [Freshness] { notes.withLock { $0 } }
    init(_ base: any Database) { self.base = base }

    var dialect: Dialect { base.dialect }
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await read(.fresh, body)
    }
    func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        notes.withLock { $0.append(freshness) }
        return try await base.read(freshness, body)
    }
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await base.write(body)
    }
    func close() async throws { try await base.close() }
}

/// Who reads data that may be some seconds old, and who does not.
@Suite("Freshness of what is read")
struct FreshnessTests {
    private struct World {
        let test: TestTenant
        let database: NotingDatabase
        let tenant: Tenant

        init() async throws {
            test = try await TestTenant()
            database = NotingDatabase(test.tenant.database)
            tenant = Tenant(
                name: "default",
                database: try await LeasedDatabase(database, clock: test.clock, logger: test.tenant.logger),
                ids: test.tenant.ids, clock: test.clock, blobs: test.tenant.blobs, keys: test.tenant.keys,
                logger: test.tenant.logger)
        }

        /// What the handler's read asked for, and whether the answer sets the cookie.
        func ask(
            _ user: Int64 = 99, cookie: Bool = false, _ handler: @escaping @Sendable (Call) async throws -> Void
        ) async throws -> (freshness: Freshness?, setsCookie: Bool) {
            let tests = EndpointTests()
            let endpoint = Endpoint(.get, "/a", .permission(Permission("a.view")), trace: .none) { call in
                try await handler(call)
                return .text("ok")
            }
            let tenant = self.tenant
            let route = endpoint.route(tenants: { _ in tenant }, site: try tests.site())
            let before = database.asked.count
            let answer = try await route.handler(
                tests.request(
                    principal: TestTenant.principal([Permission("a.view")], userID: UserID(user)),
                    headers: cookie ? [.cookie: "\(WebCookie.wrote)=1"] : [:]))
            let cookies = answer.headers[values: .setCookie].filter { $0.hasPrefix(WebCookie.wrote) }
            #expect(cookies.allSatisfy { $0.hasSuffix("; Max-Age=\(Limits.staleReadSeconds)") })
            return (database.asked.dropFirst(before).last, !cookies.isEmpty)
        }
    }

    private static let list: @Sendable (Call) async throws -> Void = { call in
        _ = try await call.readRecent { try $0.count("SELECT 1") }
    }

    @Test("a list may be some seconds old; a record is fresh; neither says that anything was changed")
    func plain() async throws {
        let world = try await World()
        let list = try await world.ask(1, Self.list)
        #expect(list.freshness == .recent && !list.setsCookie)
        let record = try await world.ask(1) { call in _ = try await call.read { try $0.count("SELECT 1") } }
        #expect(record.freshness == .fresh && !record.setsCookie)
        #expect(Freshness.recent == .within(seconds: 5))
    }

    @Test(
        "who has changed something reads it: in the same answer, with the cookie at any process, without it at this one"
    )
    func ownWrites() async throws {
        let world = try await World()
        let change = try await world.ask(1) { call in
            try await call.write { try call.record(AuditEntry("demo.thing.change"), $0) }
            try await Self.list(call)
        }
        #expect(change.freshness == .fresh && change.setsCookie)
        #expect(try await world.ask(2, cookie: true, Self.list).freshness == .fresh)
        #expect(try await world.ask(1, Self.list).freshness == .fresh)
        // Everybody else may wait some seconds.
        #expect(try await world.ask(2, Self.list).freshness == .recent)
    }

    @Test("a change made past the call, and one whose handler failed afterwards, count too")
    func otherWrites() async throws {
        let world = try await World()
        let change = try await world.ask(1) { call in
            try await call.tenant.database.write { try call.record(AuditEntry("demo.thing.change"), $0) }
        }
        #expect(change.setsCookie)
        await #expect(throws: CRMError.self) {
            _ = try await world.ask(3) { call in
                try await call.write { try call.record(AuditEntry("demo.thing.change"), $0) }
                throw CRMError.notFound
            }
        }
        #expect(try await world.ask(3, Self.list).freshness == .fresh)
    }

    @Test("the record of a view is no change: who only looks keeps reading from replicas")
    func views() async throws {
        let world = try await World()
        let view = try await world.ask(1) { call in
            try await Self.list(call)
            try await call.recordView(AuditEntry("demo.thing.view", [.customer(CustomerID(1))]))
        }
        #expect(view.freshness == .recent && !view.setsCookie)
        #expect(try await world.ask(1, Self.list).freshness == .recent)
        #expect(try await world.test.auditCount("demo.thing.view") == 1)
    }
}
