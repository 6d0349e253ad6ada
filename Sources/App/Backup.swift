import Crypto
import Foundation
import Kernel
import Platform
import Storage
import StorageSQLite

/// A consistent copy of an installation on SQLite, made while it is in use, and the way back. PostgreSQL has tools of its
/// own for it (docs/runbooks/backup.md).
package struct Backup: Sendable {
    /// Which file belongs to a backup, so that a damaged or incomplete one is found before anything is replaced.
    struct Manifest: Codable, Sendable {
        struct File: Codable, Sendable {
            /// Below the folder, `tenants/default/switchboard.sqlite`.
            let path: String
            let size: Int64
            /// SHA-256, hexadecimal.
            let digest: String
        }
        var version: String
        var madeAt: Int64
        var files: [File]
    }

    private static let manifest = "manifest.json"

    /// Writes tenants (and, when asked, keys) below a new folder.
    /// - Parameters:
    ///   - data: the data folder.
    ///   - folder: must not exist yet, or be empty.
    ///   - withKeys: also the key files: whoever has both can test passwords offline, so keep such a backup as you keep keys.
    ///   - progress: what is written, done, in all.
    /// - Returns: number of files and their bytes.
    package static func make(
        of data: String, to folder: String, withKeys: Bool, at now: Instant,
        progress: @escaping @Sendable (String, Int64, Int64) -> Void
    ) async throws -> (files: Int, bytes: Int64) {
        let files = FileManager.default
        guard (try? files.contentsOfDirectory(atPath: folder))?.isEmpty ?? true else {
            throw failure("backup_not_empty", "The folder \(folder) is not empty.", "目录 \(folder) 不为空。")
        }
        let tenants = ((try? files.contentsOfDirectory(atPath: data + "/tenants")) ?? []).filter {
            Tenants.isName($0) && files.fileExists(atPath: "\(data)/tenants/\($0)/switchboard.sqlite")
        }.sorted()
        guard !tenants.isEmpty else {
            throw failure(
                "backup_nothing", "There are no SQLite tenants under \(data)/tenants.", "\(data)/tenants 下没有 SQLite 租户。"
            )
        }
        var paths: [String] = []
        for tenant in tenants {
            let place = "tenants/\(tenant)"
            try files.createDirectory(
                atPath: "\(folder)/\(place)/blobs", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            progress(tenant, 0, 0)
            let database = try SQLiteDatabase(path: "\(data)/\(place)/switchboard.sqlite")
            try await database.backup(to: "\(folder)/\(place)/switchboard.sqlite")
            try await database.close()
            paths.append("\(place)/switchboard.sqlite")
            // After the database: a file is there before a row names it.
            let blobs = try FileBlobStore(folder: "\(data)/\(place)/blobs").ids().map { "\(place)/blobs/\($0)" }
            for (offset, path) in blobs.enumerated() {
                // Routine upkeep may just have deleted it; no row of the copy will be asked for it for long either.
                if copied("\(data)/\(path)", "\(folder)/\(path)") { paths.append(path) }
                progress("\(tenant): files", Int64(offset + 1), Int64(blobs.count))
            }
        }
        if withKeys {
            try files.createDirectory(
                atPath: folder + "/keys", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in try files.contentsOfDirectory(atPath: data + "/keys") where !name.contains(".") {
                try files.copyItem(atPath: "\(data)/keys/\(name)", toPath: "\(folder)/keys/\(name)")
                paths.append("keys/\(name)")
            }
        }
        let listed = paths
        return try await OwnThread.run {
            let entries = try listed.map { try entry($0, folder) }
            let list = Manifest(version: Version.text, madeAt: now.milliseconds, files: entries)
            // Last: a folder without it is no backup.
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(list).write(to: URL(fileURLWithPath: "\(folder)/\(manifest)"), options: .atomic)
            try synchronise(listed.map { "\(folder)/\($0)" } + ["\(folder)/\(manifest)", folder])
            return (entries.count, entries.reduce(0) { $0 + $1.size })
        }
    }

    /// Puts a backup into a data folder that holds no tenants.
    /// - Returns: number of files, and whether keys were among them.
    /// - Throws: `CRMError` naming the first file that is missing or damaged; nothing was changed then.
    package static func restore(_ folder: String, into data: String) async throws -> (files: Int, hasKeys: Bool) {
        let files = FileManager.default
        guard let content = files.contents(atPath: "\(folder)/\(manifest)"),
            let list = try? JSONDecoder().decode(Manifest.self, from: content)
        else {
            throw failure(
                "backup_unknown", "\(folder) holds no backup (no readable \(manifest)).",
                "\(folder) 不是备份（缺少可读的 \(manifest)）。")
        }
        guard (try? files.contentsOfDirectory(atPath: data + "/tenants"))?.isEmpty ?? true else {
            throw failure(
                "restore_not_empty",
                "\(data) already holds tenants. Restore into another folder, or move this one away first.",
                "\(data) 中已有租户，请恢复到其他目录，或先移走该目录。")
        }
        guard list.files.contains(where: { $0.path == "keys/pepper" }) || files.fileExists(atPath: data + "/keys/pepper")
        else {
            throw failure(
                "restore_keyless",
                "This backup was made without --keys, and nobody could log in without the keys it was made with. "
                    + "Copy the folder keys/ of the first installation to \(data)/keys (the file pepper in it, mode 400), "
                    + "then restore again; nothing was changed.",
                "此备份不含密钥（创建时未用 --keys），没有原密钥任何人都无法登录。请将原安装的 keys/ 目录复制到 \(data)/keys"
                    + "（其中的 pepper 文件权限须为 400），然后重新恢复；未做任何更改。")
        }
        let draft = data + "/restoring"
        let keys = list.files.filter { $0.path.hasPrefix("keys/") }
        try await OwnThread.run {
            for file in list.files {
                guard isBelow(file.path), let found = try? entry(file.path, folder), found.digest == file.digest else {
                    throw failure(
                        "backup_damaged", "\(file.path) of the backup is missing or damaged; nothing was changed.",
                        "备份中的 \(file.path) 缺失或损坏，未做任何更改。")
                }
            }
            try refuseOtherKeys(keys, folder, data)
            // Beside its place first: an interrupted restore leaves no half of an installation.
            try? files.removeItem(atPath: draft)
            for file in list.files where !file.path.hasPrefix("keys/") {
                try place(file, folder, draft)
            }
        }
        // Before anything is where it would be used: what the keys do not fit cannot be opened.
        do { try await checkKeys(folder: keys.isEmpty ? data + "/keys" : folder + "/keys", draft: draft) } catch {
            try? files.removeItem(atPath: draft)
            // Made for the draft alone; does nothing to a folder that holds anything.
            rmdir(data)
            throw error
        }
        return try await OwnThread.run {
            for file in keys where !files.fileExists(atPath: "\(data)/\(file.path)") {
                try place(file, folder, data)
            }
            try? files.removeItem(atPath: data + "/tenants")
            try files.moveItem(atPath: draft + "/tenants", toPath: data + "/tenants")
            try? files.removeItem(atPath: draft)
            try synchronise([data])
            return (list.files.count, !keys.isEmpty)
        }
    }

    /// Keys that are there are never written over: something else may need them.
    private static func refuseOtherKeys(_ keys: [Manifest.File], _ folder: String, _ data: String) throws {
        let files = FileManager.default
        for file in keys where files.fileExists(atPath: "\(data)/\(file.path)") {
            guard files.contentsEqual(atPath: "\(data)/\(file.path)", andPath: "\(folder)/\(file.path)") else {
                throw failure(
                    "restore_other_keys",
                    "\(data)/\(file.path) is another key than the one in the backup. Move \(data)/keys away (what was made with "
                        + "it needs it), or restore into another folder; nothing was changed.",
                    "\(data)/\(file.path) 与备份中的密钥不同。请移走 \(data)/keys（用它创建的数据仍需要它），或恢复到其他目录；未做任何更改。")
            }
        }
    }

    /// - Throws: `CRMError` "restore_foreign_keys" when a tenant's database was made with other keys.
    private static func checkKeys(folder: String, draft: String) async throws {
        let keys = TenantKeys(pepper: try Keys.existing("pepper", folder: folder))
        let tenants = (try? FileManager.default.contentsOfDirectory(atPath: draft + "/tenants")) ?? []
        for tenant in tenants.sorted() {
            let path = "\(draft)/tenants/\(tenant)/switchboard.sqlite"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let database = try SQLiteDatabase(path: path)
            let fits: Bool?
            do { fits = try await Keys.fit(keys, database) } catch {
                try? await database.close()
                throw error
            }
            try await database.close()
            guard fits ?? true else {
                throw failure(
                    "restore_foreign_keys",
                    "The keys in \(folder) are not those the backup was made with (tenant \(tenant)). Copy the folder keys/ of "
                        + "the installation that was backed up there, then restore again; nothing was changed.",
                    "\(folder) 中的密钥与创建备份的安装（租户 \(tenant)）不符。请将该安装的 keys/ 目录复制到此处后重新恢复；未做任何更改。")
            }
        }
    }

    private static func place(_ file: Manifest.File, _ folder: String, _ target: String) throws {
        let path = "\(target)/\(file.path)"
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try FileManager.default.copyItem(atPath: "\(folder)/\(file.path)", toPath: path)
        try synchronise([path])
    }

    private static func copied(_ from: String, _ to: String) -> Bool {
        (try? FileManager.default.copyItem(atPath: from, toPath: to)) != nil
    }

    /// A manifest comes with the backup: it must not lead anywhere else.
    private static func isBelow(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return ["tenants", "keys"].contains(parts.first.map(String.init) ?? "")
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    private static func entry(_ path: String, _ folder: String) throws -> Manifest.File {
        guard let handle = FileHandle(forReadingAtPath: "\(folder)/\(path)") else { throw CRMError.notFound }
        defer { try? handle.close() }
        var (hash, size) = (SHA256(), Int64(0))
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            hash.update(data: data)
            size += Int64(data.count)
        }
        let digest = hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return Manifest.File(path: path, size: size, digest: digest)
    }

    private static func synchronise(_ paths: [String]) throws {
        for path in paths {
            let descriptor = open(path, O_RDONLY)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else {
                throw failure(
                    "backup_not_written", "\(path) could not be written through: \(String(cString: strerror(errno))).",
                    "\(path) 未能写入磁盘。")
            }
        }
    }

    private static func failure(_ code: String, _ en: String, _ zh: String) -> CRMError {
        CRMError(code, status: 409, Words(en: en, zh: zh))
    }
}
