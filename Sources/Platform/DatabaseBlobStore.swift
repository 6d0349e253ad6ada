import Crypto
import Foundation
import Kernel
import Storage
import Synchronization

/// Files in the tenant's database: whichever process of whichever machine answers, the upload is there. A file is known
/// once it is finished; pieces of one that never was are removed by `sweep`.
package struct DatabaseBlobStore: BlobStore {
    private let database: any BlockingDatabase
    private let clock: any WallClock
    static let partBytes = 262_144

    package init(database: any BlockingDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    static let begin: SQL = """
        INSERT INTO platform_blob (id, size, digest, finished, created_at) VALUES ($1, 0, '', $2, $3)
        """
    static let addPart: SQL = "INSERT INTO platform_blob_part (blob_id, part, data) VALUES ($1, $2, $3)"
    static let end: SQL = "UPDATE platform_blob SET size = $2, digest = $3, finished = $4 WHERE id = $1"
    static let sizeOf: SQL = "SELECT size FROM platform_blob WHERE id = $1 AND finished"
    static let all: SQL = "SELECT id FROM platform_blob WHERE finished ORDER BY id"
    static let part: SQL = "SELECT data FROM platform_blob_part WHERE blob_id = $1 AND part = $2"
    static let remove: SQL = "DELETE FROM platform_blob WHERE id = $1"
    static let removeParts: SQL = "DELETE FROM platform_blob_part WHERE blob_id = $1"
    static let unfinished: SQL = """
        SELECT id FROM platform_blob WHERE NOT finished AND created_at < $1 ORDER BY created_at LIMIT 500
        """

    package func writer(id: String?) throws -> any BlobWriter {
        if let id {
            guard Blob.isID(id) else { throw CRMError.notFound }
            // What an interrupted copy left of it.
            if try database.blocking({ try !$0.exists(Self.sizeOf, [.text(id)]) }) { try delete(id) }
        }
        return try DatabaseBlobWriter(database, id ?? RandomName.hexadecimal(16), clock.now())
    }

    package func ids() throws -> [String] {
        try database.blocking { try $0.query(Self.all) { $0.text(0) } }
    }

    package func reader(_ id: String, offset: Int64) throws -> any BlobReader {
        DatabaseBlobReader(database, id, size: try size(id), offset: max(0, offset))
    }

    package func size(_ id: String) throws -> Int64 {
        guard Blob.isID(id) else { throw CRMError.notFound }
        let size = try database.blocking { try $0.first(Self.sizeOf, [.text(id)]) { $0.int(0) } }
        guard let size else { throw CRMError.notFound }
        return size
    }

    package func delete(_ id: String) throws {
        guard Blob.isID(id) else { return }
        try database.blocking { session in
            try session.execute(Self.remove, [.text(id)])
            try session.execute(Self.removeParts, [.text(id)])
        }
    }

    /// Removes what was begun more than a day ago and never finished. Returns how many.
    @discardableResult
    package func sweep() throws -> Int {
        let before = clock.now().adding(days: -1)
        let stale = try database.blocking { try $0.query(Self.unfinished, [.time(before)]) { $0.text(0) } }
        for id in stale { try delete(id) }
        return stale.count
    }
}

/// Used by one task at a time. Each full piece is committed on its own, so that a large upload is no large transaction.
private final class DatabaseBlobWriter: BlobWriter, @unchecked Sendable {
    private let database: any BlockingDatabase
    private let id: String
    private var pending: [UInt8] = []
    private var part: Int64 = 0
    private var hash = SHA256()
    private var size: Int64 = 0

    init(_ database: any BlockingDatabase, _ id: String, _ now: Instant) throws {
        self.database = database
        self.id = id
        try database.blocking { session in
            _ = try session.execute(DatabaseBlobStore.begin, [.text(id), .bool(false), .time(now)])
        }
    }

    func write(_ bytes: [UInt8]) throws {
        hash.update(data: bytes)
        size += Int64(bytes.count)
        pending += bytes
        while pending.count >= DatabaseBlobStore.partBytes { try flush(DatabaseBlobStore.partBytes) }
    }

    private func flush(_ count: Int) throws {
        let data = Array(pending.prefix(count))
        try database.blocking { session in
            _ = try session.execute(DatabaseBlobStore.addPart, [.text(id), .int(part), .bytes(data)])
        }
        pending.removeFirst(count)
        part += 1
    }

    func finish() throws -> Blob {
        if !pending.isEmpty { try flush(pending.count) }
        let digest = Hex.text(hash.finalize())
        try database.blocking { session in
            _ = try session.execute(DatabaseBlobStore.end, [.text(id), .int(size), .text(digest), .bool(true)])
        }
        return Blob(id: id, size: size, digest: digest)
    }

    func discard() {
        try? database.blocking { session in
            try session.execute(DatabaseBlobStore.remove, [.text(id)])
            try session.execute(DatabaseBlobStore.removeParts, [.text(id)])
        }
    }
}

private final class DatabaseBlobReader: BlobReader {
    private let database: any BlockingDatabase
    private let id: String
    private let size: Int64
    private var offset: Int64
    /// The piece that was read last, and its number.
    private var held: (part: Int64, data: [UInt8])?

    init(_ database: any BlockingDatabase, _ id: String, size: Int64, offset: Int64) {
        self.database = database
        self.id = id
        self.size = size
        self.offset = offset
    }

    func read(_ max: Int) throws -> [UInt8]? {
        guard offset < size else { return nil }
        let part = offset / Int64(DatabaseBlobStore.partBytes)
        if held?.part != part {
            let data = try database.blocking { session in
                try session.first(DatabaseBlobStore.part, [.text(id), .int(part)]) { $0.bytes(0) }
            }
            // Deleted while it was read.
            guard let data else { throw CRMError.notFound }
            held = (part, data)
        }
        let start = Int(offset - part * Int64(DatabaseBlobStore.partBytes))
        guard let data = held?.data, start < data.count else { throw CRMError.notFound }
        let piece = Array(data[start..<min(data.count, start + max)])
        offset += Int64(piece.count)
        return piece
    }
}

/// Names that nobody can guess.
enum RandomName {
    /// `count` random bytes as hexadecimal digits.
    static func hexadecimal(_ count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.text((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
