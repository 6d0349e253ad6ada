import Foundation
import Kernel
import Outgoing
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// A source `crm` with a drop folder.
struct IntakeDesk {
    let bench: Bench
    let intake: IntakeService
    let folder: DropFolder
    var tenant: Tenant { bench.tenant }

    init(url: String? = nil, hosts: Set<String> = [], secret: PullSecret? = nil) async throws {
        bench = try await Bench()
        let settings = IntakeSettings(inbox: bench.test.folder + "/inbox", hosts: hosts)
        intake = IntakeService(imports: bench.service, settings: settings)
        folder = DropFolder(path: bench.test.folder + "/inbox/default/crm")
        try folder.prepare()
        let (now, actor) = (bench.tenant.clock.now(), RunActor(bench.principal))
        let sealed = try secret?.sealed(bench.tenant, source: "crm", url: url ?? "")
        try await bench.tenant.database.write { session in
            try IntakeStore.save(
                Intake(
                    source: "crm", entity: "customer", enabled: true, settleSeconds: 60, url: url, secret: sealed,
                    everyMinutes: 60,
                    nextPullAt: now, etag: nil, modified: nil, pulledAt: nil, lookedAt: nil,
                    message: Words(en: "", zh: ""), pullMessage: Words(en: "", zh: ""), actor: actor, updatedAt: now,
                    updatedByName: "tester"), at: now, by: "tester", session)
        }
    }

    /// - Parameter age: seconds since it was written last; `nil` = it is marked instead.
    func drop(_ name: String, _ text: String, age: Double? = nil) throws {
        let path = folder.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        if let age {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(tenant.clock.now().milliseconds) / 1_000 - age)],
                ofItemAtPath: path)
        } else {
            try Data().write(to: URL(fileURLWithPath: path + ".done"))
        }
    }

    func files() async throws -> [IntakeFile] {
        try await tenant.database.read {
            try $0.query(IntakeStore.recent, [.text("crm"), .int(100)]) { IntakeStore.file($0) }
        }.reversed()
    }

    /// As a person does it once: with these columns, from this source.
    func teach() async throws {
        _ = try await bench.service.importFile(
            try bench.file("first.csv", sampleCSV(rows: 2, from: 900)), source: "crm", principal: bench.principal)
    }

    func names(_ place: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + (place.isEmpty ? "" : "/" + place))
            .filter { !["taken", "done", "failed"].contains($0) }
            .map { $0.replacing(/^[0-9]+-/, with: "") }.sorted()
    }

    /// Looks, imports what is started, looks again.
    func round() async throws {
        _ = try await intake.look()
        try await bench.test.drain(jobs: bench.service.jobs)
        _ = try await intake.look()
    }
}

@Suite("Incoming files")
struct IntakeTests {
    @Test("settled and marked files are taken, unfinished, hidden, fresh and linked ones are not")
    func settled() async throws {
        let desk = try await IntakeDesk()
        try desk.drop("old.csv", "a\n1\n", age: 100)
        try desk.drop("fresh.csv", "a\n1\n", age: 0)
        try desk.drop("marked.csv", "a\n1\n")
        try desk.drop("half.csv.part", "a\n", age: 100)
        try desk.drop(".hidden.csv", "a\n", age: 100)
        try FileManager.default.createSymbolicLink(
            atPath: desk.folder.path + "/link.csv", withDestinationPath: "/etc/hostname")
        let found = try desk.folder.settled(seconds: 60, at: desk.tenant.clock.now())
        #expect(found.map(\.name) == ["old.csv", "marked.csv"] && found.map(\.isMarked) == [false, true])
        #expect(try desk.folder.settled(seconds: 1_000, at: desk.tenant.clock.now()).map(\.name) == ["marked.csv"])
    }

    @Test("a file with new columns waits for a person; one like it then starts by itself, its rejects beside it")
    func flow() async throws {
        let desk = try await IntakeDesk()
        try desk.drop("one.csv", sampleCSV(rows: 3))
        try await desk.round()
        var files = try await desk.files()
        #expect(files.map(\.state) == [.waiting])
        #expect(try desk.names("taken") == ["one.csv"] && desk.names("").isEmpty)
        let run = try #require(files[0].run)
        // The person looks at the mapping and starts it.
        try await desk.bench.enqueue(.start, run)
        try await desk.bench.test.drain(jobs: desk.bench.service.jobs)
        try await desk.round()
        files = try await desk.files()
        #expect(try files.map(\.state) == [.done] && desk.names("done") == ["one.csv"])
        try desk.drop("two.csv", sampleCSV(rows: 3, from: 10) + "K99,Name,no number,1.00,x\n")
        try await desk.round()
        files = try await desk.files()
        #expect(files.map(\.state) == [.done, .done])
        #expect(try desk.names("done") == ["one.csv", "two.csv", "two.csv.rejects.csv"])
        #expect(try await desk.bench.contents().count == 6)
        desk.bench.test.clock.advance(days: 80)
        _ = try await desk.intake.look()
        #expect(try desk.names("done").count == 3)
        desk.bench.test.clock.advance(days: 11)
        _ = try await desk.intake.look()
        #expect(try desk.names("done").isEmpty, "what holds people's rows is not kept for ever")
        let second = try await desk.bench.service.run(try #require(files[1].run)).run
        #expect(second.counts.numbers == [4, 3, 0, 0, 1])
    }

    @Test("a file that a person brought before and no key finds again waits, though its columns are known")
    func broughtByHand() async throws {
        let desk = try await IntakeDesk()
        let text = "Full Name,Segment,Email\nAnn,a,a@b.example\nBob,b,b@b.example\n"
        let first = try await desk.bench.service.importFile(
            try desk.bench.file("hand.csv", text), source: "crm", principal: desk.bench.principal)
        #expect(first.created == 2 && first.matchKey == nil)
        try desk.drop("same.csv", text)
        try desk.drop("other.csv", text.replacing("Ann", with: "Carl"))
        try await desk.round()
        let files = try await desk.files()
        let states = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.state) })
        #expect(states == ["same.csv": .waiting, "other.csv": .done], "\(states)")
        #expect(files.first { $0.name == "same.csv" }?.message.en.contains("import \(first.run)") == true)
        #expect(try await desk.bench.contents().count == 4)
    }

    @Test("the same bytes again do nothing, what cannot be read fails with the reason, and both leave the folder")
    func odd() async throws {
        let desk = try await IntakeDesk()
        try await desk.teach()
        try desk.drop("a.csv", sampleCSV(rows: 3))
        try await desk.round()
        try desk.drop("b.csv", sampleCSV(rows: 3))
        try desk.drop("empty.csv", "")
        try await desk.round()
        let files = try await desk.files()
        #expect(Set(files.map { "\($0.name) \($0.state.rawValue)" }) == ["a.csv done", "b.csv done", "empty.csv failed"])
        #expect(files.first { $0.name == "b.csv" }?.message.en.contains("taken in before") == true)
        #expect(files.first { $0.name == "empty.csv" }?.message.en.contains("is empty") == true)
        #expect(try desk.names("failed") == ["empty.csv", "empty.csv.reason.txt"] && desk.names("taken").isEmpty)
        let folder = desk.folder.path + "/failed/"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".reason.txt") })
        let reason = try String(contentsOfFile: folder + name, encoding: .utf8)
        #expect(reason.hasPrefix("empty.csv\n") && reason.contains("is empty") && reason.contains("空文件"), "\(reason)")
        desk.bench.test.clock.advance(days: ImportService.keptDays + 1)
        _ = try await desk.intake.look()
        #expect(try desk.names("failed").isEmpty, "the reason goes with the file")
        #expect(try await desk.bench.contents().count == 5)
    }

    @Test("an import that fails says why in a file beside the one it could not take")
    func failedReason() async throws {
        let desk = try await IntakeDesk()
        try await desk.teach()
        try desk.drop("bad.csv", "Customer ID,Full Name,Mobile,Monthly Charges,Segment\nK1,A,13800000001,1.38E+10,x\n")
        try await desk.round()
        let names = try desk.names("failed")
        #expect(names == ["bad.csv", "bad.csv.reason.txt", "bad.csv.rejects.csv"], "\(names)")
        let file = try #require(try await desk.files().first)
        let reason = try String(contentsOfFile: desk.folder.place(file, .failed) + DropFolder.reason, encoding: .utf8)
        #expect(reason.contains("\(try #require(file.run))") && reason.contains("rows read were rejected"), "\(reason)")
    }

    @Test("a process that dies between any two steps leaves nothing undone and does nothing twice")
    func crashes() async throws {
        let desk = try await IntakeDesk()
        try await desk.teach()
        func row(_ name: String) async throws -> IntakeFile {
            let id: IntakeFileID = desk.tenant.ids.next()
            let now = desk.tenant.clock.now()
            try await desk.tenant.database.write { session in
                _ = try session.execute(
                    IntakeStore.insertFile,
                    [.id(id), .text("crm"), .text(name), .text("folder"), .int(1), .time(now)])
            }
            return try #require(try await desk.files().first { $0.id == id })
        }
        // The row is there, the file is not taken yet.
        try desk.drop("a.csv", sampleCSV(rows: 2, from: 1))
        _ = try await row("a.csv")
        // Taken, but nothing read in.
        try desk.drop("b.csv", sampleCSV(rows: 2, from: 11))
        #expect(try desk.folder.take(try await row("b.csv")))
        // The row is there and the file is gone.
        _ = try await row("c.csv")
        // The run is there and not started.
        try desk.drop("d.csv", sampleCSV(rows: 2, from: 31))
        let draft = try await desk.bench.draft(sampleCSV(rows: 2, from: 31), name: "d.csv", source: "crm")
        let taken = try await row("d.csv")
        #expect(try desk.folder.take(taken))
        try await desk.tenant.database.write { session in
            _ = try session.execute(IntakeStore.bring, [.id(taken.id), .id(draft.run), .text("digest")])
        }
        try await desk.round()
        let files = try await desk.files()
        #expect(
            Dictionary(files.map { ($0.name, $0.state) }, uniquingKeysWith: { $1 }) == [
                "a.csv": .done, "b.csv": .done, "c.csv": .failed, "d.csv": .done,
            ])
        #expect(try desk.names("done") == ["a.csv", "b.csv", "d.csv"] && desk.names("").isEmpty)
        #expect(try await desk.bench.contents().count == 8)
        // Done, and the process died before the file was moved: the next look has nothing to import.
        try await desk.round()
        #expect(try await desk.files().count == 4)
    }

    @Test("several processes that look at once take each file once")
    func together() async throws {
        let desk = try await IntakeDesk()
        try await desk.teach()
        for number in 1...6 { try desk.drop("f\(number).csv", sampleCSV(rows: 2, from: number * 10)) }
        let intake = desk.intake
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await intake.look() } }
            try await group.waitForAll()
        }
        try await desk.round()
        let files = try await desk.files()
        #expect(files.count == 6 && files.allSatisfy { $0.state == .done }, "\(files.map { "\($0.name) \($0.state)" })")
        #expect(Set(files.compactMap(\.run)).count == 6)
        let runs = try await desk.tenant.database.read { try $0.count("SELECT COUNT(*) FROM ingest_run") }
        #expect(runs == 7, "the taught one and six")
        #expect(try await desk.bench.contents().count == 14)
    }

    @Test("a process that still holds a file for one to take changes nothing, wherever the others are with it")
    func late() async throws {
        let desk = try await IntakeDesk()
        try await desk.teach()
        try desk.drop("late.csv", sampleCSV(rows: 2))
        _ = try await desk.intake.look()
        let intake = try #require(try await desk.tenant.database.read { try IntakeStore.intake("crm", $0) })
        let first = try #require(try await desk.files().first)
        let stale = IntakeFile(
            id: first.id, source: first.source, name: first.name, origin: first.origin, state: .taking, size: first.size,
            digest: "", run: nil, message: Words(en: "", zh: ""), takenAt: first.takenAt, finishedAt: nil)
        var counts = IntakeService.Counts()
        try await desk.intake.bring(stale, intake, desk.folder, &counts)
        #expect(try await desk.files().map(\.state) == [.running], "while it is being imported")
        try await desk.round()
        try await desk.intake.bring(stale, intake, desk.folder, &counts)
        let last = try await desk.files()
        #expect(last.map(\.state) == [.done] && last.map(\.run) == [first.run])
        #expect(try desk.names("done") == ["late.csv"] && desk.names("failed") == [])
        #expect(try await desk.bench.contents().count == 4)
        #expect(counts == IntakeService.Counts())
    }

    @Test("names of sources are names of folders and nothing else")
    func keys() {
        for text in ["billing", "care_2", "x-1"] { #expect(IntakeSettings.isKey(text)) }
        for text in ["", "..", "a/b", "A", "-x", "a.b", "a b", String(repeating: "a", count: 41), "数据"] {
            #expect(!IntakeSettings.isKey(text), "\(text)")
        }
    }

    @Test("private, odd and insecure addresses are refused, whatever way they are written")
    func guarded() throws {
        let shut = AddressGuard.pull([])
        for text in [
            "http://example.com/x.csv", "https://127.0.0.1/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/x",
            "https://169.254.169.254/latest", "https://10.1.2.3/x", "https://[fc00::1]/x", "https://2130706433/x",
            "https://0177.0.0.1/x", "https://localhost/x", "https://user:pw@example.com/x", "https://192.168.1.1:443/x",
            "https://100.64.0.1/x", "ftp://example.com/x", "file:///etc/passwd", "https:///x", "https://1.1.1.1:22/x",
            "https://1.1.1.1/x#y",
        ] {
            let error = #expect(throws: CRMError.self, "\(text)") { try shut.check(text) }
            #expect(error?.status == 422, "\(text)")
        }
        #expect(throws: Never.self) { try shut.check("https://1.1.1.1/x.csv") }
        #expect(throws: Never.self) { try AddressGuard.pull(["127.0.0.1"]).check("http://127.0.0.1:8080/x.csv") }
        #expect(throws: CRMError.self) { try AddressGuard.pull(["billing"]).check("http://billing/x.csv") }
    }

    @Test("credentials are sent to their host, and nowhere else; they stand nowhere in clear")
    func secret() async throws {
        let server = try TinyServer()
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/bills.csv"
        for (secret, header) in [
            (try PullSecret(kind: .basic, name: "crm", value: "pass:wört"), "Authorization: Basic \(Data("crm:pass:wört".utf8).base64EncodedString())"),
            (try PullSecret(kind: .header, name: "X-Api-Key", value: "t0ken-zebra"), "X-Api-Key: t0ken-zebra"),
        ] {
            let desk = try await IntakeDesk(url: url, hosts: ["127.0.0.1"], secret: secret)
            server.answer = .init(200, [], sampleCSV(rows: 3))
            #expect(try await desk.intake.pull() == 1)
            #expect(server.asked.last?.contains(header) == true)
            let stored = try await desk.tenant.database.read { try IntakeStore.intake("crm", $0)?.secret ?? "" }
            #expect(!stored.contains(secret.value) && !stored.contains(Data(secret.value.utf8).base64EncodedString()))
            #expect(try PullSecret.open(stored, desk.tenant, source: "crm", url: url) == secret)
            for (source, other) in [("crm2", url), ("crm", "https://evil.example/x"), ("crm", "http://127.0.0.1:1/bills.csv")] {
                #expect(throws: CRMError.self) { try PullSecret.open(stored, desk.tenant, source: source, url: other) }
            }
            #expect(throws: CRMError.self) { try PullSecret.open(String(stored.reversed()), desk.tenant, source: "crm", url: url) }
            desk.bench.test.clock.advance(seconds: 3_601)
            server.answer = .init(401, ["WWW-Authenticate: Basic realm=x"], "")
            #expect(try await desk.intake.pull() == 0)
            let said = try await desk.tenant.database.read { try IntakeStore.intake("crm", $0)?.pullMessage.en ?? "" }
            #expect(said.contains("credentials") && !said.contains(secret.value), "\(said)")
        }
    }

    @Test(
        "credentials that could change the request are refused, without being told back",
        arguments: [
            (PullSecret.Kind.header, "Host", "zebra1"), (.header, "X Y", "zebra1"), (.header, "X:", "zebra1"), (.header, "", "zebra1"),
            (.header, "X-Key", "zebra1\r\nHost: x"), (.header, "X-Key", "zebra1é"), (.header, "Transfer-Encoding", "zebra1"), (.basic, "a:b", "zebra1"),
            (.basic, "", "zebra1"), (.basic, "a", ""), (.basic, "a", "zebra1\n"), (.header, "X-Key", String(repeating: "zebra1", count: 1_000)),
        ])
    func refusedSecret(_ kind: PullSecret.Kind, _ name: String, _ value: String) {
        let error = #expect(throws: CRMError.self) { try PullSecret(kind: kind, name: name, value: value) }
        #expect(error?.status == 422 && error?.message.en.contains("zebra") == false)
    }

    @Test("a file is fetched when it is new, once, through the drop folder; redirects and errors are told")
    func pull() async throws {
        let server = try TinyServer()
        defer { server.stop() }
        let desk = try await IntakeDesk(
            url: "http://127.0.0.1:\(server.port)/bills.csv", hosts: ["127.0.0.1"])
        try await desk.teach()
        server.answer = .init(200, ["ETag: \"v1\""], sampleCSV(rows: 3))
        #expect(try await desk.intake.pull() == 1)
        #expect(try await desk.intake.pull() == 0, "it is not due yet")
        try await desk.round()
        #expect(try await desk.bench.contents().count == 5)
        #expect(try await desk.files().map(\.origin) == ["pull"])
        desk.bench.test.clock.advance(seconds: 3_601)
        server.answer = .init(304, [], "")
        #expect(try await desk.intake.pull() == 0)
        #expect(server.asked.last?.contains("If-None-Match: \"v1\"") == true)
        func said() async throws -> String {
            try await desk.tenant.database.read { try IntakeStore.intake("crm", $0)?.pullMessage.en ?? "" }
        }
        let quiet = try await said()
        #expect(quiet == "Nothing new.")
        for (answer, words) in [
            (TinyServer.Answer(302, ["Location: http://169.254.169.254/"], ""), "which is not followed"),
            (TinyServer.Answer(503, [], "busy"), "status 503"),
            (TinyServer.Answer(200, ["Content-Length: 999999"], "short"), "broke off"),
        ] {
            desk.bench.test.clock.advance(seconds: 3_601)
            server.answer = answer
            #expect(try await desk.intake.pull() == 0)
            let told = try await said()
            #expect(told.contains(words), "\(told)")
        }
        #expect(try desk.names("").isEmpty && desk.names("taken").isEmpty)
        let part = desk.folder.path + "/x.part"
        server.answer = .init(200, [], String(repeating: "x", count: 5_000))
        let url = try AddressGuard.pull(["127.0.0.1"]).check("http://127.0.0.1:\(server.port)/big")
        await #expect(throws: CRMError.self) {
            _ = try await PullTask.fetch(url, etag: nil, modified: nil, into: part, bytesMax: 1_000)
        }
    }
}

/// Answers every request of this machine with one canned answer, on a thread of its own.
final class TinyServer: @unchecked Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: [String]
        let body: String
        init(_ status: Int, _ headers: [String], _ body: String) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }
    private struct State {
        var answer = Answer(404, [], "")
        var asked: [String] = []
    }
    private let state = Mutex(State())
    private let listening: Int32
    let port: Int

    var answer: Answer {
        get { state.withLock { $0.answer } }
        set { state.withLock { $0.answer = newValue } }
    }
    var asked: [String] { state.withLock { $0.asked } }

    init() throws {
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listening
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard bind(socket, pointer, length) == 0, listen(socket, 16) == 0 else { return -1 }
                return getsockname(socket, pointer, &length)
            }
        }
        guard bound == 0 else { throw CRMError.notFound }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(socket, nil, nil)
                guard client >= 0 else { return }
                self?.serve(client)
                close(client)
            }
        }
    }

    private func serve(_ client: Int32) {
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = recv(client, &bytes, bytes.count, 0)
        guard count > 0 else { return }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let answer = state.withLock { state in
            state.asked.append(text)
            return state.answer
        }
        var head = "HTTP/1.1 \(answer.status) X\r\nConnection: close\r\n"
        for line in answer.headers { head += line + "\r\n" }
        if !answer.headers.contains(where: { $0.hasPrefix("Content-Length") }) {
            head += "Content-Length: \(answer.body.utf8.count)\r\n"
        }
        let all = Array((head + "\r\n" + answer.body).utf8)
        _ = send(client, all, all.count, Int32(MSG_NOSIGNAL))
    }

    func stop() { shutdown(listening, Int32(SHUT_RDWR)) }
}
