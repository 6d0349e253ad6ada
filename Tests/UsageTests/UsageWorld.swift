import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers
@testable import Usage

/// A tenant with customers who have lines, and the service over it.
struct UsageWorld {
    let test: TestTenant
    let tenant: Tenant
    let faulty: FaultyDatabase
    let service: UsageService
    static let principal = TestTenant.principal(
        [UsageService.permission, UsageModule.view, CustomerPermissions.view, CustomerPermissions.edit], roles: [.supervisor])

    init() async throws {
        test = try await TestTenant(["Identity", "Customers", "Usage"])
        faulty = FaultyDatabase(test.tenant.database)
        let sound = test.tenant
        tenant = Tenant(
            name: sound.name, database: faulty, ids: sound.ids, clock: sound.clock, blobs: sound.blobs, keys: sound.keys,
            logger: sound.logger)
        service = UsageService(tenant: tenant, base: CustomerUsage())
    }

    /// A customer with one mobile line.
    @discardableResult
    func customer(_ number: String) async throws -> CustomerID {
        let sound = test.tenant
        let store = CustomerStore(tenant: sound)
        return try await sound.database.write { session in
            try store.create(
                ["full_name": .text("N \(number)"), "kind": .text("individual"), "msisdn": .text(number)],
                by: Self.principal, record: { try sound.audit.record($0, by: Self.principal, session) }, session
            ).id
        }
    }

    func write(_ name: String, _ text: String) throws -> String {
        let path = test.folder + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    func take(_ path: String, source: String = "s", chunk: Int = 50_000, stopAfter: Int = .max) async throws -> UsageReport {
        var options = UsageFileOptions(source: source)
        options.chunkMax = chunk
        let chunks = Counter()
        return try await service.importFile(path, options, principal: Self.principal) { _, _, _ in
            if chunks.next() >= stopAfter { throw JobCancelled() }
        }
    }

    /// Day by day what is stored: `2026-01-05 calls voice_ms billed sms bytes`.
    func days() async throws -> [String] {
        try await test.tenant.database.read { session in
            try session.query(
                """
                SELECT day, calls, voice_ms, billed_minutes, sms, data_bytes FROM usage_day WHERE events <> 0
                ORDER BY customer_id, subscription_id, day
                """
            ) { row in "\(row.text(0)) \(row.int(1)) \(row.int(2)) \(row.int(3)) \(row.int(4)) \(row.int(5))" }
        }
    }

    /// Whether each month of the customers' table is the sum of its days.
    func checkMonths(_ words: String = "") async throws {
        let off = try await test.tenant.database.read { session in
            try session.query(
                """
                SELECT d.customer_id, d.month, d.minutes, m.voice_min, d.sms, m.sms, d.calls, m.calls
                FROM (SELECT customer_id, subscription_id, SUBSTR(day, 1, 7) AS month, CAST(SUM(billed_minutes) AS BIGINT) AS minutes,
                  CAST(SUM(sms) AS BIGINT) AS sms, CAST(SUM(calls) AS BIGINT) AS calls
                  FROM usage_day GROUP BY customer_id, subscription_id, SUBSTR(day, 1, 7)) d
                LEFT JOIN customers_usage_month m ON m.customer_id = d.customer_id AND m.subscription_id = d.subscription_id
                  AND m.month = d.month
                WHERE m.voice_min IS NULL OR m.voice_min <> d.minutes OR m.sms <> d.sms OR m.calls <> d.calls
                """
            ) { "\($0.text(1)) \($0.int(2)) \($0.int(3))" }
        }
        #expect(off.isEmpty, "\(words): \(off)")
    }

    func count(_ sql: SQL) async throws -> Int { try await test.tenant.database.read { try $0.count(sql) } }
}

final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0
    func next() -> Int {
        lock.withLock {
            number += 1
            return number
        }
    }
}
