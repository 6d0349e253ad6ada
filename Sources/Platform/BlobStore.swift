import Crypto
import Foundation
import Kernel

/// A stored file: an upload, a reject file, a model.
package struct Blob: Sendable, Hashable {
    /// 32 hexadecimal characters.
    package let id: String
    package let size: Int64
    /// SHA-256 of the content, hexadecimal.
    package let digest: String

    /// Whether a text can be the id of a file: anything else leads nowhere.
    static func isID(_ id: String) -> Bool {
        id.utf8.count == 32 && id.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}

/// Where a tenant's files are kept.
package protocol BlobStore: Sendable {
    /// Starts a new file; it exists for others only after `finish`.
    /// - Parameter id: the id it had in another store; `nil` = a fresh one that nobody can guess.
    func writer(id: String?) throws -> any BlobWriter
    /// The ids of all finished files.
    func ids() throws -> [String]
    /// Opens a file for reading from `offset` bytes.
    /// - Throws: `CRMError.notFound` for an unknown id.
    func reader(_ id: String, offset: Int64) throws -> any BlobReader
    func size(_ id: String) throws -> Int64
    func delete(_ id: String) throws
}

extension BlobStore {
    /// Starts a new file under a fresh id.
    package func writer() throws -> any BlobWriter { try writer(id: nil) }
}

package protocol BlobWriter: AnyObject, Sendable {
    func write(_ bytes: [UInt8]) throws
    /// Makes it durable and known.
    func finish() throws -> Blob
    func discard()
}

package protocol BlobReader: AnyObject {
    /// The next bytes, at most `max`; `nil` at the end.
    func read(_ max: Int) throws -> [UInt8]?
}

/// Files in a folder. Several processes of one machine, or a shared mount, may use it together.
package struct FileBlobStore: BlobStore {
    private let folder: String

    /// Creates the folder when it is missing, for its owner only.
    package init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private func path(_ id: String) throws -> String {
        guard Blob.isID(id) else { throw CRMError.notFound }
        return folder + "/" + id
    }

    package func writer(id: String?) throws -> any BlobWriter {
        if let id { _ = try path(id) }
        return try FileBlobWriter(folder: folder, id: id ?? RandomName.hexadecimal(16))
    }

    package func ids() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter(Blob.isID).sorted()
    }

    package func reader(_ id: String, offset: Int64) throws -> any BlobReader {
        guard let handle = FileHandle(forReadingAtPath: try path(id)) else { throw CRMError.notFound }
        try handle.seek(toOffset: UInt64(max(0, offset)))
        return FileBlobReader(handle)
    }

    package func size(_ id: String) throws -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: try path(id))
        guard let size = attributes?[.size] as? NSNumber else { throw CRMError.notFound }
        return size.int64Value
    }

    package func delete(_ id: String) throws { try? FileManager.default.removeItem(atPath: try path(id)) }
}

/// Used by one task at a time.
private final class FileBlobWriter: BlobWriter, @unchecked Sendable {
    private let id: String
    private let folder: String
    private let handle: FileHandle
    private var hash = SHA256()
    private var size: Int64 = 0

    init(folder: String, id: String) throws {
        self.id = id
        self.folder = folder
        let part = folder + "/" + id + ".part"
        guard FileManager.default.createFile(atPath: part, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: part)
        else {
            throw CRMError.unavailable(
                "storage_unavailable", Words(en: "A file cannot be written to \(folder).", zh: "无法在 \(folder) 写入文件。"))
        }
        self.handle = handle
    }

    func write(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw CRMError.unavailable(
                "storage_unavailable",
                Words(en: "The file could not be written (disk full?).", zh: "文件无法写入（磁盘已满？）。"))
        }
        hash.update(data: bytes)
        size += Int64(bytes.count)
    }

    func finish() throws -> Blob {
        try handle.synchronize()
        try handle.close()
        try FileManager.default.moveItem(atPath: folder + "/" + id + ".part", toPath: folder + "/" + id)
        // The name is durable when the folder is: after a power cut the file must not be a `.part` again.
        let directory = open(folder, O_RDONLY)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
        let digest = Hex.text(hash.finalize())
        return Blob(id: id, size: size, digest: digest)
    }

    func discard() {
        try? handle.close()
        try? FileManager.default.removeItem(atPath: folder + "/" + id + ".part")
    }
}

private final class FileBlobReader: BlobReader {
    private let handle: FileHandle
    init(_ handle: FileHandle) { self.handle = handle }
    deinit { try? handle.close() }
    func read(_ max: Int) throws -> [UInt8]? {
        guard let data = try handle.read(upToCount: max), !data.isEmpty else { return nil }
        return [UInt8](data)
    }
}
