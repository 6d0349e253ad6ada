import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// Keys of the installation: files of 32 random bytes, mode 0400, outside the database (G4, G65).
package enum Keys {
    /// Reads the key, or makes it when the folder is new.
    /// - Throws: `CRMError` when the file is readable by others, has another length or is all zero.
    package static func load(_ name: String, folder: String) throws -> SymmetricKey {
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = folder + "/" + name
        if !files.fileExists(atPath: path) {
            try make(path, folder: folder)
        }
        let attributes = try files.attributesOfItem(atPath: path)
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 == 0 else {
            throw failure(
                path, "readable by others (mode \(String(mode, radix: 8))); run chmod 400", "可被其他用户读取，请执行 chmod 400")
        }
        guard let data = files.contents(atPath: path), data.count == 32, data.contains(where: { $0 != 0 }) else {
            throw failure(path, "not a key of 32 bytes", "不是 32 字节的密钥")
        }
        return SymmetricKey(data: data)
    }

    /// The key as it is there; none is made.
    /// - Throws: `CRMError` when there is none, or as `load`.
    static func existing(_ name: String, folder: String) throws -> SymmetricKey {
        guard FileManager.default.fileExists(atPath: folder + "/" + name) else {
            throw failure(folder + "/" + name, "missing", "缺失")
        }
        return try load(name, folder: folder)
    }

    /// Whether a database was made with these keys; `nil` = it was not opened with any yet. Nothing is written.
    static func fit(_ keys: TenantKeys, _ database: any Database) async throws -> Bool? {
        let known = try await database.read { session in
            try Migrator.hasSchema(session) ? try Mark.value(mark, session) : nil
        }
        return known.map { $0 == code(keys) }
    }

    /// Whether a database was opened with keys before: others will not do then.
    static func isBound(_ database: any Database) async throws -> Bool {
        try await database.read { try Migrator.hasSchema($0) && Mark.value(mark, $0) != nil }
    }

    private static func code(_ keys: TenantKeys) -> String {
        HMAC<SHA256>.authenticationCode(for: Data("switchboard key check".utf8), using: keys.pepper)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// The keys of the tenants of this installation.
    static func tenant(folder: String) throws -> TenantKeys { TenantKeys(pepper: try load("pepper", folder: folder)) }

    /// Signs the forms of every process of this installation: derived (HKDF, RFC 5869), so that there is one file to bring.
    static func forms(folder: String) throws -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: try load("pepper", folder: folder), info: Data("forms".utf8), outputByteCount: 32)
    }

    private static let mark = "key.pepper"

    /// A database remembers which key it was made with (a keyed hash of a constant says nothing about the key): a process
    /// with another one would refuse every password and could not tell why.
    /// - Throws: `CRMError` "key_mismatch" that says which folder has to be brought.
    static func check(_ keys: TenantKeys, of database: any Database, at now: Instant) async throws {
        let text = code(keys)
        var kept = try await database.read { try Mark.value(mark, $0) }
        if kept == nil {
            kept = try await database.write { session in
                // Another process that starts with this one may have been faster.
                if let other = try Mark.value(mark, session) { return other }
                try Mark.set(mark, text, at: now, session)
                return text
            }
        }
        guard kept == text else { throw mismatch }
    }

    static let mismatch = CRMError(
        "key_mismatch", status: 500,
        Words(
            en:
                "The folder keys/ in the data folder is not the one this database was made with. Bring that folder from the first machine (or from the backup) and start again.",
            zh: "数据目录中的 keys/ 与创建该数据库时所用的不同，请从原机器（或备份）复制该目录后重新启动。"))

    /// Writes a fresh key beside its place and links it there: the name appears with its whole content, and of two
    /// processes that start together the first link wins and both read that key. The folder is written through: a key
    /// that a power cut takes away again would make everything under it unreadable.
    private static func make(_ path: String, folder: String) throws {
        let draft = path + "." + RandomText.hex(8)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o400)
        guard descriptor >= 0 else { throw failure(path, "not writable: \(String(cString: strerror(errno)))", "不可写入") }
        defer { unlink(draft) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) })
        try handle.synchronize()
        try handle.close()
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw failure(path, "not writable: \(String(cString: strerror(errno)))", "不可写入")
        }
        let directory = open(folder, O_RDONLY)
        guard directory >= 0 else { return }
        defer { close(directory) }
        guard fsync(directory) == 0 else {
            throw failure(path, "not written through: \(String(cString: strerror(errno)))", "未能写入磁盘")
        }
    }

    private static func failure(_ path: String, _ en: String, _ zh: String) -> CRMError {
        CRMError("key", status: 500, Words(en: "Key file \(path) is \(en).", zh: "密钥文件 \(path) \(zh)。"))
    }
}
