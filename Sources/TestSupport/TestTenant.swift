import Crypto
import Foundation
import Kernel
import Logging
import Platform
import Storage
import StoragePostgres
import StorageSQLite
import Web

/// The checkout the tests run in.
package enum Checkout {
    /// The repository's root folder.
    package static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }()
    package static let share = ShareFolder(root: root + "/Sources")
    /// `../shared/data`, when the machine has it.
    package static func sharedData(_ path: String) -> String? {
        let full = URL(fileURLWithPath: root).deletingLastPathComponent().appendingPathComponent("shared/data/" + path)
            .path
        return FileManager.default.fileExists(atPath: full) ? full : nil
    }
}

/// A tenant with a database of its own in a temporary folder, which is removed with it.
package final class TestTenant: Sendable {
    package let tenant: Tenant
    package let clock: FrozenClock
    package let folder: String

    /// - Parameter modules: names of the targets whose migrations are applied after Storage's and Platform's.
    package init(_ modules: [String] = [], clock: FrozenClock = FrozenClock()) async throws {
        folder = NSTemporaryDirectory() + "switchboard-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let database = try await TestDatabases.make(["Storage", "Platform", "TMF"] + modules, folder: folder, clock: clock)
        self.clock = clock
        tenant = Tenant(
            name: "default", database: database, ids: IDGenerator(node: 1, clock: clock), clock: clock,
            blobs: try FileBlobStore(folder: folder + "/blobs"),
            keys: TenantKeys(pepper: SymmetricKey(data: [UInt8](repeating: 7, count: 32))),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
        if let database = tenant.database as? PostgresDatabase { TestDatabases.drop(database.settings) }
    }

    /// The same database, opened anew: what a restarted process sees.
    package func reopened() throws -> any Database {
        if let database = tenant.database as? PostgresDatabase { return PostgresDatabase(database.settings) }
        return try SQLiteDatabase(path: folder + "/test.sqlite", durability: .normal)
    }

    /// Delivers events and runs jobs until nothing is due.
    package func drain(handlers: [EventHandler] = [], jobs: [JobHandler] = []) async throws {
        let dispatcher = OutboxDispatcher(database: tenant.database, handlers: handlers, clock: clock)
        let worker = JobWorker(
            queue: tenant.jobs, handlers: jobs, wake: tenant.wake, owner: "test", logger: tenant.logger)
        while true {
            let events = try await dispatcher.deliverBatch()
            let job = try await worker.runOne()
            if events == 0, !job { return }
        }
    }

    /// A principal with the given rights.
    package static func principal(
        _ permissions: [Permission], roles: [Role] = [.agent], regions: [String]? = nil, userID: UserID? = UserID(99)
    ) -> Principal {
        Principal(
            tenant: "default", userID: userID, userName: "tester", roles: roles, permissions: Set(permissions),
            scope: RecordScope(regions: regions), purpose: .service, address: "127.0.0.1", requestID: "test")
    }

    /// How many audit events have this action.
    package func auditCount(_ action: String) async throws -> Int {
        try await tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM platform_audit_event WHERE action = $1", [.text(action)])
        }
    }
}
