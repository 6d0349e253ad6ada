import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest
@testable import Web

/// A store of files may wait for its database, up to ten seconds while a server hands over: no request waits with it on a
/// thread that other requests need.
@Suite("Files in the hands of requests")
struct RequestThreadTests {
    /// Notes each call that was not made on a thread of its own.
    private final class Watched: BlobStore, BlobWriter, BlobReader, @unchecked Sendable {
        private let base: any BlobStore
        private let writer: (any BlobWriter)?
        private let reader: (any BlobReader)?
        private let notes: Notes

        final class Notes: Sendable {
            let calls = Mutex<[String]>([])
            let elsewhere = Mutex<[String]>([])
            func note(_ call: String) {
                calls.withLock { $0.append(call) }
                if !OwnThread.isCurrent { elsewhere.withLock { $0.append(call) } }
            }
        }

        init(
            _ base: any BlobStore, _ notes: Notes, writer: (any BlobWriter)? = nil, reader: (any BlobReader)? = nil
        ) {
            (self.base, self.notes, self.writer, self.reader) = (base, notes, writer, reader)
        }

        func writer(id: String?) throws -> any BlobWriter {
            notes.note("writer")
            return Watched(base, notes, writer: try base.writer(id: id))
        }
        func ids() throws -> [String] { try base.ids() }
        func reader(_ id: String, offset: Int64) throws -> any BlobReader {
            notes.note("reader")
            return Watched(base, notes, reader: try base.reader(id, offset: offset))
        }
        func size(_ id: String) throws -> Int64 {
            notes.note("size")
            return try base.size(id)
        }
        func delete(_ id: String) throws {
            notes.note("delete")
            try base.delete(id)
        }
        func write(_ bytes: [UInt8]) throws {
            notes.note("write")
            try writer?.write(bytes)
        }
        func finish() throws -> Blob {
            notes.note("finish")
            guard let writer else { throw CRMError.notFound }
            return try writer.finish()
        }
        func discard() {
            notes.note("discard")
            writer?.discard()
        }
        func read(_ max: Int) throws -> [UInt8]? {
            notes.note("read")
            return try reader?.read(max)
        }
    }

    private struct Desk {
        let bench: Bench
        let tenant: Tenant
        let notes = Watched.Notes()
        let site: SiteInfo
        let endpoints: [Endpoint]

        init() async throws {
            bench = try await Bench()
            let (base, target) = (bench.tenant, bench.target)
            tenant = Tenant(
                name: "default", database: base.database, ids: base.ids, clock: base.clock,
                blobs: Watched(base.blobs, notes), keys: base.keys, logger: base.logger)
            let module = IngestModule(share: Checkout.share) { _ in target }
            site = SiteInfo(
                pages: try Pages(share: Checkout.share), assets: "/assets/x", navigation: module.navigation,
                permissions: module.permissions, version: "test")
            endpoints = module.endpoints(site)
        }

        func call(_ method: HTTPRequest.Method, _ pattern: String, _ run: String? = nil, file: String? = nil)
            async throws -> WebResponse
        {
            let endpoint = try #require(endpoints.first { $0.method == method && $0.pattern == pattern })
            let text =
                "--b\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\ntoken\r\n--b\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\(file ?? "")\r\n--b--\r\n"
            let request = WebRequest(
                method: method, path: pattern, query: Form([]),
                headers: [.contentType: "multipart/form-data; boundary=b"],
                parameters: run.map { ["id": $0] } ?? [:], tenant: "default", requestID: "r", address: "127.0.0.1",
                language: .en, theme: "light",
                session: SessionState(principal: bench.principal, language: .en, theme: nil), csrfToken: "token",
                cookieToken: "cookie", nonce: "nonce", purpose: .administration,
                body: file == nil ? .none : .upload(RequestBody(buffer: ByteBuffer(string: text))))
            return try await endpoint.handler(Call(request: request, tenant: tenant, site: site))
        }
    }

    @Test("a file is taken in, refused and given out without its store being asked on a thread of requests")
    func upload() async throws {
        let desk = try await Desk()
        // More than one piece.
        let rows = (1...40_000).map { "K\($0),Name \($0)\n" }.joined()
        let good = try await desk.call(.post, "/imports", file: "Customer ID,Name\n" + rows)
        #expect(good.status == .seeOther)
        let none = try await desk.call(.post, "/imports", file: "")
        #expect(none.status.code == 422)
        let calls = desk.notes.calls.withLock { Set($0) }
        #expect(calls.isSuperset(of: ["writer", "write", "finish", "reader", "read", "delete"]), "\(calls)")
        #expect(desk.notes.elsewhere.withLock { $0 } == [])
    }

    @Test("the file of rejected rows is sent without its store being asked on a thread of requests")
    func rejects() async throws {
        let desk = try await Desk()
        let report = try await desk.bench.importText("Customer ID,Name\nK1,One\n,Nobody\n", matchKey: "source_id")
        #expect(report.rejected == 1)
        let run = try await desk.bench.tenant.database.read { session in
            try session.first("SELECT id FROM ingest_run ORDER BY id DESC LIMIT 1") { "\($0.int(0))" } ?? ""
        }
        let answer = try await desk.call(.get, "/imports/{id}/rejects", run)
        #expect(try await String(decoding: answer.collectedBody(), as: UTF8.self).contains("Nobody"))
        #expect(desk.notes.calls.withLock { Set($0) } == ["size", "reader", "read"])
        #expect(desk.notes.elsewhere.withLock { $0 } == [])
    }
}
