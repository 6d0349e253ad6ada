import Foundation
import Kernel
import Storage
import StoragePostgres
import StorageSQLite

/// The engines a test can run on, and databases on them. `bin/with-postgres` starts a private PostgreSQL and tells its
/// address in `SWITCHBOARD_TEST_POSTGRES`; `SWITCHBOARD_TEST_ENGINE=postgres` runs on it whatever asks for no engine by name.
package enum TestDatabases {
    /// The private server; `nil` where it was not started.
    package static let server: PostgresSettings? = ProcessInfo.processInfo.environment["SWITCHBOARD_TEST_POSTGRES"]
        .flatMap { $0.isEmpty ? nil : PostgresSettings(url: $0) }

    /// The engine for tests that ask for none by name.
    package static let dialect: Dialect =
        ProcessInfo.processInfo.environment["SWITCHBOARD_TEST_ENGINE"] == "postgres" && server != nil
        ? .postgres : .sqlite

    private static let templates = TemplateNames()

    /// A migrated database of its own on the engine under test; `drop` removes a PostgreSQL one.
    /// - Parameters:
    ///   - folder: where an SQLite file is put.
    ///   - modules: targets whose migrations are applied, in order.
    package static func make(_ modules: [String], folder: String, clock: any WallClock) async throws -> any Database {
        switch dialect {
        case .sqlite:
            let database = try SQLiteDatabase(path: folder + "/test.sqlite", durability: .normal)
            try await Migrator(share: Checkout.share, modules: modules, clock: clock).migrate(database)
            return database
        case .postgres:
            // Applied once, copied for every test: CREATE DATABASE ... TEMPLATE copies files.
            let template = try await templates.name(modules) { name in
                let database = PostgresDatabase(try await empty(name))
                try await Migrator(share: Checkout.share, modules: modules, clock: clock).migrate(database)
                try await database.close()
            }
            return PostgresDatabase(try await empty(template: template))
        }
    }

    /// The address of the database of a whole installation whose data folder is `folder`; `nil` on SQLite, where it lives in
    /// that folder.
    package static func url(data folder: String) -> String? {
        guard dialect == .postgres, let server else { return nil }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in folder.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return server.database(named: "d_" + String(hash, radix: 16)).url
    }

    /// The default tenant's database of a process that runs, or ran, on `folder`.
    package static func open(data folder: String) throws -> any Database {
        if let url = url(data: folder) { return PostgresDatabase(PostgresSettings(url: url)) }
        return try SQLiteDatabase(path: folder + "/tenants/default/switchboard.sqlite", durability: .normal)
    }

    /// Removes what `url(data:)` names.
    package static func drop(data folder: String) {
        if let url = url(data: folder) { drop(PostgresSettings(url: url)) }
    }

    /// An empty PostgreSQL database (or a copy of `template`) on the private server.
    package static func empty(_ name: String? = nil, template: String = "template0") async throws -> PostgresSettings {
        guard let server else { throw StorageError(.connection, "SWITCHBOARD_TEST_POSTGRES is not set") }
        let name = name ?? "t_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        // Copying waits until nobody is connected to the template: the migrating connections have just been closed.
        for attempt in 1... {
            do {
                try await PostgresServer.run(SQL(trusted: "CREATE DATABASE \(name) TEMPLATE \(template)"), server)
                break
            } catch let error as StorageError where error.detail.contains("being accessed") && attempt < 100 {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return server.database(named: name)
    }

    /// Removes a database made here, in the background; its connections are ended.
    package static func drop(_ settings: PostgresSettings) {
        guard let server else { return }
        Task {
            try? await PostgresServer.run(
                SQL(trusted: "DROP DATABASE IF EXISTS \(settings.databaseName) WITH (FORCE)"), server)
        }
    }
}

/// Makes each template once, also when two tests want it at the same time.
private actor TemplateNames {
    private var made: [[String]: Task<String, any Error>] = [:]

    func name(_ modules: [String], _ make: @escaping @Sendable (String) async throws -> Void) async throws -> String {
        if let task = made[modules] { return try await task.value }
        let name = "template_\(made.count)_\(ProcessInfo.processInfo.processIdentifier)"
        let task = Task {
            try await make(name)
            return name
        }
        made[modules] = task
        return try await task.value
    }
}
