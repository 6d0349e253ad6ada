import Crypto
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Platform

@Suite("Blob store")
struct BlobStoreTests {
    private final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "switchboard-blobs-" + UUID().uuidString
        deinit { try? FileManager.default.removeItem(atPath: path) }
        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    }

    private func all(_ store: FileBlobStore, _ id: String, offset: Int64 = 0, piece: Int = 7) throws -> [UInt8] {
        let reader = try store.reader(id, offset: offset)
        var bytes: [UInt8] = []
        while let more = try reader.read(piece) {
            #expect((1...piece).contains(more.count))
            bytes += more
        }
        return bytes
    }

    @Test("what is written in pieces is read back in pieces, with its size and SHA-256")
    func roundTrip() throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let writer = try store.writer()
        try writer.write(Array("hello ".utf8))
        try writer.write([])
        try writer.write(Array("world".utf8))
        let blob = try writer.finish()
        #expect(blob.size == 11 && blob.id.count == 32)
        #expect(blob.digest == "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")
        #expect(try all(store, blob.id) == Array("hello world".utf8))
        #expect(try store.size(blob.id) == 11)
        let empty = try store.writer().finish()
        #expect(empty.size == 0 && empty.id != blob.id)
        #expect(try all(store, empty.id).isEmpty)
    }

    @Test(
        "reading begins at the offset asked for",
        arguments: [(0, "hello world"), (6, "world"), (10, "d"), (11, ""), (5_000, ""), (-3, "hello world")])
    func offset(offset: Int64, expected: String) throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let writer = try store.writer()
        try writer.write(Array("hello world".utf8))
        let blob = try writer.finish()
        #expect(try all(store, blob.id, offset: offset, piece: 3) == Array(expected.utf8))
    }

    @Test("a file is nobody's before it is finished, and nothing is left of one that was given up")
    func parts() throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let writer = try store.writer()
        try writer.write([1, 2, 3])
        let part = try #require(folder.names.first)
        #expect(folder.names.count == 1 && part.hasSuffix(".part"))
        let id = String(part.dropLast(5))
        for name in [id, part] {
            #expect(throws: CRMError.self) { try store.reader(name, offset: 0) }
            #expect(throws: CRMError.self) { try store.size(name) }
        }
        writer.discard()
        #expect(folder.names.isEmpty)
    }

    @Test(
        "an id that is none leads nowhere, above all not out of the folder",
        arguments: [
            "", ".", "..", "../secret", "../../etc/passwd", "/etc/passwd", "a/b", "ABCDEF00112233445566778899AABBCC",
            "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0", "0123456789abcdef0123456789abcdeg",
            "0123456789abcdef/../0123456789ab", "0123456789abcdef0123456789abcde\u{0}",
            "0123456789abcdef0123456789abcdé",
            "0123456789abcdef0123456789abcdef",
        ])
    func hostileIDs(id: String) throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        for error in [
            #expect(throws: CRMError.self) { try store.reader(id, offset: 0) },
            #expect(throws: CRMError.self) { try store.size(id) },
        ] { #expect(error?.status == 404) }
        try? store.delete(id)
        #expect(FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("deleting takes the file away; once more is no error")
    func delete() throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let blob = try store.writer().finish()
        try store.delete(blob.id)
        try store.delete(blob.id)
        #expect(throws: CRMError.self) { try store.size(blob.id) }
        #expect(folder.names.isEmpty)
    }

    @Test("folder and files are their owner's only")
    func permissions() throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let blob = try store.writer().finish()
        func mode(_ path: String) throws -> Int {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? -1
        }
        #expect(try mode(folder.path) == 0o700)
        #expect(try mode(folder.path + "/" + blob.id) == 0o600)
    }

    @Test("ids cannot be guessed from one another")
    func ids() throws {
        let folder = Folder()
        let store = try FileBlobStore(folder: folder.path)
        let ids = try (0..<50).map { _ in try store.writer().finish().id }
        #expect(Set(ids.map { $0.prefix(8) }).count == 50)
    }
}
