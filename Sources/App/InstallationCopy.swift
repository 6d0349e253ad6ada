import Crypto
import Foundation
import Kernel
import Platform
import Storage
import StoragePostgres

/// Moves the tenants of an installation, databases and files, to another place: the way up when one machine is outgrown.
package struct InstallationCopy: Sendable {
    private let source: DatabaseAddress
    private let target: DatabaseAddress
    private let configuration: Configuration
    private let migrator: Migrator
    private let layouts: [TableLayout]
    private let clock: any WallClock

    /// What was brought over of one tenant.
    package struct Result: Sendable {
        package let tenant: String
        package let tables: [DatabaseCopy.Table]
        package let files: Int
        /// When it was done, if it was done before; nothing was copied now, and tables and files are not known.
        package var finishedBefore: Instant?
        package var rows: Int64 { tables.reduce(0) { $0 + $1.rows } }
    }

    /// - Throws: `CRMError` when source and target are the same place.
    package init(
        from source: DatabaseAddress, to target: DatabaseAddress, _ configuration: Configuration,
        clock: any WallClock = SystemClock()
    ) throws {
        guard source != target else {
            throw CRMError(
                "copy_same", status: 409,
                Words(en: "Source and target are the same place.", zh: "源与目标是同一位置。"))
        }
        self.source = source
        self.target = target
        self.configuration = configuration
        self.clock = clock
        let share = try ShareFolder.locate(configuration.share)
        let modules = try Modules(
            share: share, clock: clock, passwordProfile: configuration.passwordProfile,
            timeZoneOffsetMinutes: configuration.timeZoneOffsetMinutes)
        layouts = modules.layouts
        migrator = Migrator(share: share, modules: modules.migrationOrder, clock: clock)
    }

    /// The tenants at the source: folders of a data folder; on a server the default one and those of the configuration.
    /// - Throws: `CRMError` when a data folder holds none.
    package func tenants() throws -> [String] {
        guard case .sqlite(let folder) = source else {
            return Set(["default"] + configuration.tenants.values.filter(Tenants.isName)).sorted()
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/tenants")) ?? []
        let found = names.filter {
            Tenants.isName($0)
                && FileManager.default.fileExists(atPath: "\(folder)/tenants/\($0)/switchboard.sqlite")
        }
        guard !found.isEmpty else {
            throw CRMError(
                "copy_nothing", status: 404,
                Words(en: "There are no tenants under \(folder)/tenants.", zh: "\(folder)/tenants 下没有租户。"))
        }
        return found.sorted()
    }

    /// Copies one tenant and verifies every table and file. Interrupted, it goes on where it ended when it is run again.
    /// - Parameters:
    ///   - force: also when a process seems to use the source or the target.
    ///   - progress: what is copied, done, in all.
    /// - Throws: `CRMError` "copy_in_use" and those of `DatabaseCopy.run`.
    package func run(
        tenant: String, force: Bool = false, progress: @Sendable (String, Int64, Int64) -> Void
    ) async throws -> Result {
        // Nothing is made at the target before the source has been looked at, nor anything changed where somebody works.
        guard try await exists(tenant, at: source) else {
            throw CRMError(
                "copy_nothing", status: 404,
                Words(
                    en: "There is no tenant \(tenant) at the source, \(source.place). Nothing was changed.",
                    zh: "源 \(source.place) 中没有租户 \(tenant)，未做任何更改。"))
        }
        let from = try await TenantStorage.open(
            tenant: tenant, at: source, configuration, clock: clock, setting: "--from")
        let to: TenantStorage
        do {
            try await check(from.database, source, isSource: true, force: force)
            try await migrator.migrate(from.database)
            to = try await TenantStorage.open(tenant: tenant, at: target, configuration, clock: clock, setting: "--to")
        } catch {
            try? await from.database.close()
            throw error
        }
        do {
            let copy = DatabaseCopy(
                from: from.database, to: to.database, leavingOut: ["platform_blob", "platform_blob_part"], clock: clock)
            if let at = try await copy.finishedAt() {
                try await from.database.close()
                try await to.database.close()
                return Result(tenant: tenant, tables: [], files: 0, finishedBefore: at)
            }
            try await check(to.database, target, isSource: false, force: force)
            try await migrator.migrate(to.database)
            // Months of the past are there before their rows come.
            if to.database is PostgresDatabase {
                _ = try await PostgresMonths(layouts, clock: clock).keep(to.database)
            }
            try await copy.begin()
            // Files first: the copy of the tables ends with the verdict on the whole.
            let files = try await copyFiles(from.blobs, to.blobs, progress)
            let tables = try await copy.run(progress: progress)
            try await from.database.close()
            try await to.database.close()
            return Result(tenant: tenant, tables: tables, files: files)
        } catch {
            try? await from.database.close()
            try? await to.database.close()
            throw error
        }
    }

    private func exists(_ tenant: String, at address: DatabaseAddress) async throws -> Bool {
        switch address {
        case .sqlite(let folder):
            return FileManager.default.fileExists(atPath: "\(folder)/tenants/\(tenant)/switchboard.sqlite")
        case .postgres(let server):
            return try await PostgresServer.has(try DatabaseAddress.postgres(server, tenant: tenant))
        }
    }

    /// Before anything is changed in it. What is written during a copy would be missing, or be there twice; what a newer
    /// version keeps, this one would leave behind.
    private func check(_ database: any Database, _ address: DatabaseAddress, isSource: Bool, force: Bool) async throws {
        let (en, zh) = isSource ? ("source", "源") : ("target", "目标")
        let unknown = try await migrator.unknown(database)
        guard unknown.isEmpty else {
            throw CRMError(
                "copy_versions", status: 409,
                Words(
                    en: "The \(en), \(address.place), was made by a newer version (\(unknown[0])). Copy it with that one.",
                    zh: "\(zh) \(address.place) 由更新的版本创建（\(unknown[0])），请使用该版本复制。"))
        }
        let now = clock.now()
        let users = force ? [] : try await database.read { session in
            try Migrator.hasSchema(session) ? try NodeLease.live(at: now, session) : []
        }
        guard users.isEmpty else {
            let who = Set(users.map(LeaseHolder.words)).sorted().joined(separator: ", ")
            throw CRMError(
                "copy_in_use", status: 409,
                Words(
                    en: "Somebody is using the \(en), \(address.place): \(who). Stop it (one that was killed on another "
                        + "machine is forgotten after five minutes), or give --force.",
                    zh: "\(zh) \(address.place) 正被使用：\(who)。请先停止（在其他机器上被强制结束的进程五分钟后失效），或使用 --force。"))
        }
    }

    private func copyFiles(
        _ from: any BlobStore, _ to: any BlobStore, _ progress: @Sendable (String, Int64, Int64) -> Void
    ) async throws -> Int {
        // Reading and writing files blocks: not on the cooperative pool.
        let all = try await OwnThread.run { try from.ids() }
        let there = Set(try await OwnThread.run { try to.ids() })
        var done: Int64 = 0
        for id in all {
            if !there.contains(id) {
                try await OwnThread.run { try Self.copyFile(id, from, to) }
            }
            done += 1
            progress("files", done, Int64(all.count))
        }
        return all.count
    }

    private static func copyFile(_ id: String, _ from: any BlobStore, _ to: any BlobStore) throws {
        let writer = try to.writer(id: id)
        let written: Blob
        do {
            let reader = try from.reader(id, offset: 0)
            while let bytes = try reader.read(262_144) { try writer.write(bytes) }
            written = try writer.finish()
        } catch {
            writer.discard()
            throw error
        }
        var hash = SHA256()
        let reader = try to.reader(id, offset: 0)
        while let bytes = try reader.read(262_144) { hash.update(data: bytes) }
        let digest = hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        guard digest == written.digest else {
            try? to.delete(id)
            throw CRMError(
                "copy_mismatch", status: 500,
                Words(en: "The file \(id) arrived damaged and was removed.", zh: "文件 \(id) 复制后损坏，已删除。"))
        }
    }
}
