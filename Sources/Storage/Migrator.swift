import Foundation
import Kernel

/// Applies the numbered SQL files of the modules, forward only, each file in one transaction with its record in
/// `schema_migration` (module, number, name, checksum, applied_at).
package struct Migrator: Sendable {
    /// One file: `NNNN_name.sql`, or `NNNN_name.sqlite.sql` / `NNNN_name.postgres.sql` for one engine.
    package struct Migration: Sendable {
        package let module: String
        package let number: Int
        package let name: String
        package let text: String
        /// FNV-1a 64 of the text, in hexadecimal.
        package let checksum: String
    }

    private let share: ShareFolder
    private let modules: [String]
    private let clock: any WallClock

    /// - Parameter modules: target names in the order their migrations run; `Storage` and `Platform` first.
    package init(share: ShareFolder, modules: [String], clock: any WallClock) {
        self.share = share
        self.modules = modules
        self.clock = clock
    }

    static let createTable: SQL = """
        CREATE TABLE IF NOT EXISTS schema_migration (
          module TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
          applied_at BIGINT NOT NULL, PRIMARY KEY (module, number))
        """
    /// The level of the schema that this binary understands. A migration that an older binary could not bear (a column it
    /// reads is gone, a rule it does not know must be kept) ends with `INSERT INTO storage_mark ... 'schema.level'` of a
    /// level higher, and the binary that brings it has that level here. All others only add, and older binaries go on
    /// beside newer ones (ADR 0018).
    package static let level = 1
    package static let levelMark = "schema.level"

    static let applied: SQL = "SELECT module, number, checksum FROM schema_migration"
    static let appliedOne: SQL = "SELECT checksum FROM schema_migration WHERE module = $1 AND number = $2"
    static let record: SQL = """
        INSERT INTO schema_migration (module, number, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)
        """

    /// All migrations for an engine, in order.
    /// - Throws: `CRMError` for a file name that is not `NNNN_name.sql` and for a number used twice.
    package func migrations(for dialect: Dialect) throws -> [Migration] {
        var result: [Migration] = []
        for module in modules {
            var seen: Set<Int> = []
            for file in share.names(module, "Migrations", suffix: ".sql") {
                let parts = file.split(separator: ".").map(String.init)
                let misnamed = CRMError(
                    "migration_name", status: 500,
                    Words(
                        en: "Migration \(module)/\(file) has no number of its own.",
                        zh: "迁移文件 \(module)/\(file) 编号无效或重复。"))
                // A file for one engine whose name nobody knows would otherwise never run anywhere.
                guard parts.count == 2 || (parts.count == 3 && Dialect(rawValue: parts[1]) != nil) else {
                    throw misnamed
                }
                if parts.count == 3, parts[1] != dialect.rawValue { continue }
                guard let number = Int(parts[0].prefix(4)), number >= 0, parts[0].dropFirst(4).hasPrefix("_"),
                    seen.insert(number).inserted
                else { throw misnamed }
                let text = try share.text(module, "Migrations", file)
                result.append(
                    Migration(
                        module: module, number: number, name: String(parts[0].dropFirst(5)), text: text,
                        checksum: Self.checksum(text)))
            }
        }
        return result
    }

    /// Applies what is missing and returns it. Several processes may do it at once: each file is applied by one of them.
    /// What a newer version has applied is left alone.
    /// - Throws: `CRMError` "migration_changed" when an applied file was edited afterwards, "schema_newer" when a newer
    ///   version has made the schema one that this binary does not understand.
    @discardableResult
    package func migrate(_ database: any Database) async throws -> [Migration] {
        let dialect = database.dialect
        let known = try await known(database)
        let checksums = Dictionary(known, uniquingKeysWith: { first, _ in first })
        // The table of marks came with the second file.
        if checksums["Storage/2"] != nil { try await checkLevel(database) }
        var done: [Migration] = []
        for migration in try migrations(for: dialect) {
            if let checksum = checksums["\(migration.module)/\(migration.number)"] {
                try Self.check(checksum, migration)
                continue
            }
            let now = clock.now()
            let applied = try await database.write { session in
                try Self.lock(session)
                // Another process that started with this one may have been faster.
                let key: [SQLValue] = [.text(migration.module), .int(migration.number)]
                if let checksum = try session.first(Self.appliedOne, key, { $0.text(0) }) {
                    try Self.check(checksum, migration)
                    return false
                }
                for statement in Self.statements(migration.text) {
                    try session.execute(SQL(trusted: Self.adapted(statement, to: dialect)))
                }
                try session.execute(
                    Self.record, key + [.text(migration.name), .text(migration.checksum), .time(now)])
                return true
            }
            if applied { done.append(migration) }
        }
        return done
    }

    /// What was applied, with checksums; the table is made when it is not there yet. A role that may not make tables can ask.
    private func known(_ database: any Database) async throws -> [(String, String)] {
        let read: @Sendable (any SQLSession) throws -> [(String, String)] = { session in
            try session.query(Self.applied) { ("\($0.text(0))/\($0.integer(1))", $0.text(2)) }
        }
        if try await !database.read({ try StoredSchema.isMigrated($0) }) { try await createTable(database) }
        return try await database.read(read)
    }

    private func checkLevel(_ database: any Database) async throws {
        let needed = try await database.read { try Mark.value(Self.levelMark, $0) }.flatMap { Int($0) } ?? Self.level
        guard needed <= Self.level else {
            throw CRMError(
                "schema_newer", status: 500,
                Words(
                    en:
                        "A newer version has changed the database so that this one cannot work with it (it needs level \(needed), this is \(Self.level)). Start the newer version, or restore the backup made before it.",
                    zh: "数据库已被更新的版本修改，本版本无法使用（需要级别 \(needed)，当前为 \(Self.level)）。请启动新版本，或恢复升级前的备份。"))
        }
    }

    /// Two processes that make the same table at the same moment: PostgreSQL's IF NOT EXISTS fails for one of them.
    private func createTable(_ database: any Database) async throws {
        do { try await database.write { _ = try $0.execute(Self.createTable) } } catch let error as StorageError
            where error.kind == .uniqueViolation || error.kind == .statement
        {
            try await database.write { _ = try $0.execute(Self.createTable) }
        }
    }

    static let noLimits: SQL = "SET LOCAL statement_timeout = 0"
    static let noLockLimit: SQL = "SET LOCAL lock_timeout = 0"
    static let lockTable: SQL = "LOCK TABLE schema_migration IN EXCLUSIVE MODE"

    /// PostgreSQL: one process migrates at a time, the others wait, however long it takes. LOCK is the first statement that
    /// counts: the snapshot of the transaction is taken after it, so that what the other process applied is seen.
    private static func lock(_ session: any SQLSession) throws {
        guard session.dialect == .postgres else { return }
        try session.execute(noLimits)
        try session.execute(noLockLimit)
        try session.execute(lockTable)
    }

    private static func check(_ checksum: String, _ migration: Migration) throws {
        guard checksum == migration.checksum else {
            throw CRMError(
                "migration_changed", status: 500,
                Words(
                    en: "Migration \(migration.module)/\(migration.number) was changed after it had been applied.",
                    zh: "迁移 \(migration.module)/\(migration.number) 在应用后被修改。"))
        }
    }

    /// Number of files not yet applied; for `readyz` and `doctor`.
    package func pending(_ database: any Database) async throws -> Int {
        let known = try await database.read { session in
            try session.query(Self.applied) { "\($0.text(0))/\($0.integer(1))" }
        }
        return try migrations(for: database.dialect).count { !known.contains("\($0.module)/\($0.number)") }
    }

    /// How many are not applied yet, asked of a database that may hold nothing: nothing is made or changed.
    /// - Throws: as `migrate`, for files that were edited and databases of versions that this one does not understand.
    package func waiting(_ database: any Database) async throws -> Int {
        let applied: [(String, String)] = try await database.read { session in
            guard try Self.hasSchema(session) else { return [] }
            return try session.query(Self.applied) { ("\($0.text(0))/\($0.integer(1))", $0.text(2)) }
        }
        let checksums = Dictionary(applied, uniquingKeysWith: { first, _ in first })
        if checksums["Storage/2"] != nil { try await checkLevel(database) }
        return try migrations(for: database.dialect).count { migration in
            guard let checksum = checksums["\(migration.module)/\(migration.number)"] else { return true }
            try Self.check(checksum, migration)
            return false
        }
    }

    /// Whether migrations were ever applied.
    package static func hasSchema(_ session: any SQLSession) throws -> Bool { try StoredSchema.isMigrated(session) }

    /// Migrations of the database that a newer version brought and this one does not know.
    package func unknown(_ database: any Database) async throws -> [String] {
        let known = Set(try migrations(for: database.dialect).map { "\($0.module)/\($0.number)" })
        let applied: [String] = try await database.read { session in
            guard try Self.hasSchema(session) else { return [] }
            return try session.query(Self.applied) { "\($0.text(0))/\($0.integer(1))" }
        }
        return applied.filter { !known.contains($0) }
    }

    /// Splits a file at `;` before a line end; lines that begin with `--` are dropped.
    static func statements(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.drop(while: { $0 == " " }).hasPrefix("--") }
        return (lines.joined(separator: "\n") + "\n").components(separatedBy: ";\n")
            .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
            .filter { !$0.isEmpty }
    }

    /// What the engines name differently in DDL. On SQLite a single BIGINT key becomes the rowid, a table with a
    /// composite key becomes clustered by it (WITHOUT ROWID, as a distributed engine would place it), BYTEA is BLOB.
    static func adapted(_ statement: String, to dialect: Dialect) -> String {
        guard dialect == .sqlite else { return statement }
        var text =
            statement
            .replacingOccurrences(of: "BIGINT NOT NULL PRIMARY KEY", with: "INTEGER PRIMARY KEY")
            .replacingOccurrences(of: "BYTEA", with: "BLOB")
        if text.hasPrefix("CREATE TABLE"), text.contains("PRIMARY KEY ("), !text.contains("WITHOUT ROWID") {
            text += " WITHOUT ROWID"
        }
        return text
    }

    static func checksum(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
