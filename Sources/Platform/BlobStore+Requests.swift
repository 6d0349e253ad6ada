import Kernel

/// Files in the hands of requests. A store may wait for its database, up to ten seconds while a server hands over, so none
/// of its calls is made on a thread that answers requests: they go to `OwnThread`.
extension BlobStore {
    /// Removes a file that nothing leads to any more; that it could not be removed is no reason to refuse anything.
    package func deleteLater(_ id: String) async {
        await OwnThread.perform { try? delete(id) }
    }
}

extension Blob {
    /// What is read or written at once.
    package static let pieceBytes = 262_144
}

/// Reads a file piece by piece for an answer that is made while it is sent. Used by one task.
package final class RequestReader {
    private let blobs: any BlobStore
    private let id: String
    private var opened: Opened?
    /// One task uses it, from one thread after the other.
    private struct Opened: @unchecked Sendable { let reader: any BlobReader }

    package init(_ blobs: any BlobStore, _ id: String) {
        self.blobs = blobs
        self.id = id
    }

    /// The next bytes; `nil` at the end.
    /// - Throws: `CRMError.notFound` for an unknown id.
    package func next() async throws -> [UInt8]? {
        let (blobs, id, known) = (blobs, id, opened)
        let (now, piece) = try await OwnThread.run {
            let now = try known ?? Opened(reader: blobs.reader(id, offset: 0))
            return (now, try now.reader.read(Blob.pieceBytes))
        }
        opened = now
        return piece
    }
}
