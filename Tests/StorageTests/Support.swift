import Foundation
import Kernel
import StoragePostgres
import StorageSQLite
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// The engines this suite runs on. A new driver adds a case and a line in `Bench`; every test takes the engine as its
/// argument, so that nothing else changes.
enum TestEngine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgres
    /// PostgreSQL only beside `bin/with-postgres`.
    static var allCases: [TestEngine] { TestDatabases.server == nil ? [.sqlite] : [.sqlite, .postgres] }
    var testDescription: String { rawValue }
}

/// An empty database of its own for one test, with Storage's tables in it.
final class Bench: Sendable {
    let database: any Database
    let clock: FrozenClock
    let ids: IDGenerator
    let wake = WakeSignal()
    let outbox: Outbox
    let jobs: JobQueue
    let folder: String
    var path: String { folder + "/test.sqlite" }

    init(
        _ engine: TestEngine, migrated: Bool = true, durability: SQLiteDatabase.Durability = .normal
    ) async throws {
        folder = try Self.temporaryFolder()
        clock = FrozenClock()
        switch engine {
        case .sqlite: database = try SQLiteDatabase(path: folder + "/test.sqlite", durability: durability)
        case .postgres: database = PostgresDatabase(try await TestDatabases.empty())
        }
        ids = IDGenerator(node: 1, clock: clock)
        outbox = Outbox(ids: ids, clock: clock, wake: wake)
        jobs = JobQueue(database: database, ids: ids, clock: clock, wake: wake)
        if migrated {
            try await Migrator(share: Checkout.share, modules: ["Storage"], clock: clock).migrate(database)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
        if let database = database as? PostgresDatabase { TestDatabases.drop(database.settings) }
    }

    static func temporaryFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "switchboard-storage-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Runs one DDL statement in the portable spelling of the migrations.
    func create(_ statement: StaticString) async throws {
        let text = Migrator.adapted(statement.description, to: database.dialect)
        try await database.write { session in _ = try session.execute(SQL(trusted: text)) }
    }

    func count(_ sql: SQL, _ arguments: [SQLValue] = []) async throws -> Int {
        try await database.read { try $0.count(sql, arguments) }
    }

    /// Runs `bodies` as writes that certainly wait together: the writer is held until all of them have been handed over.
    /// Returns each one's error, `nil` = it was acknowledged.
    func writeTogether(
        _ bodies: [@Sendable (any SQLSession) throws -> Void]
    ) async throws -> [(any Error)?] {
        let handedOver = Tally()
        let holding = Tally()
        let database = self.database
        async let holder: Void = database.write { _ in
            holding.add()
            let limit = Date().addingTimeInterval(10)
            while handedOver.count < bodies.count, Date() < limit { Thread.sleep(forTimeInterval: 0.001) }
            // Each caller counts itself just before it is queued.
            Thread.sleep(forTimeInterval: 0.05)
        }
        #expect(await eventually { holding.count == 1 })
        let outcomes = await withTaskGroup(of: (Int, (any Error)?).self) { group in
            for (offset, body) in bodies.enumerated() {
                group.addTask {
                    handedOver.add()
                    do {
                        try await database.write(body)
                        return (offset, nil)
                    } catch {
                        return (offset, error)
                    }
                }
            }
            var outcomes = [(any Error)?](repeating: nil, count: bodies.count)
            for await (offset, error) in group { outcomes[offset] = error }
            return outcomes
        }
        try await holder
        return outcomes
    }
}

/// What tests throw on purpose.
struct Deliberate: Error, Equatable {
    let number: Int
    init(_ number: Int = 0) { self.number = number }
}

/// A number several tasks count on.
final class Tally: Sendable {
    private let value = Mutex(0)
    func add(_ amount: Int = 1) { value.withLock { $0 += amount } }
    var count: Int { value.withLock { $0 } }
}

/// Waits for a condition instead of a time; `false` when it did not come about.
func eventually(seconds: Double = 20, _ condition: @Sendable () async throws -> Bool) async rethrows -> Bool {
    let limit = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < limit {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
