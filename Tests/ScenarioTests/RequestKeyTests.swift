import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Retried requests have one effect, over HTTP and through the death of the process (G70).
@Suite("Requests sent again")
struct RequestKeyTests {
    static let customers: SQL = "SELECT COUNT(*) FROM customers_customer"
    static let named: SQL = "SELECT COUNT(*) FROM customers_party WHERE display_name = $1"

    private func count(_ sql: SQL, _ database: any Database, _ arguments: [SQLValue] = []) async throws -> Int {
        try await database.read { try $0.count(sql, arguments) }
    }

    /// The key of the form of `action` on a page.
    private func key(_ html: String) throws -> String {
        String(try #require(html.firstMatch(of: /name="_key" value="([^"]+)" autocomplete="off"/)).1)
    }

    /// A request that is sent again as long as it is told to come later.
    private func patient(_ send: @Sendable () async throws -> RawHTTP.Answer) async throws -> RawHTTP.Answer {
        while true {
            let answer = try await send()
            guard answer.status == 429 || answer.status == 409 else { return answer }
            #expect(answer.header("retry-after") != nil)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("fifty clicks on one form make one customer, and each that is answered is led to it", arguments: [true, false])
    func fifty(asForm: Bool) async throws {
        let scenario = try await Scenario.start()
        let mei = try await scenario.user("mei", [.supervisor])
        let page = try mei.get("/customers/new").text
        let key = try key(page)
        let fields = [("_csrf", mei.csrf), ("f_full_name", "只此一位"), ("f_kind", "individual")]
        let form = Form((fields + (asForm ? [("_key", key)] : [])).map { (name: $0.0, value: $0.1) })
        let headers =
            [("Cookie", mei.cookieHeader), ("Content-Type", "application/x-www-form-urlencoded")]
            + (asForm ? [] : [("Idempotency-Key", "\"\(key)\"")])
        let http = scenario.http
        let answers = try await withThrowingTaskGroup(of: RawHTTP.Answer.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await patient {
                        try await http.ask("POST", "/customers", headers: headers, body: Array(form.encoded.utf8))
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 50 && answers.allSatisfy { $0.status == 303 })
        #expect(Set(answers.map { $0.header("location") ?? "-" }).count == 1)
        #expect(try await count(Self.named, scenario.tenant.database, [.text("只此一位")]) == 1)
        #expect(answers.filter { $0.header("idempotency-replayed") == "true" }.count == 49)
    }

    @Test("two writes with one ETag: the first is made, the second is told 412 and keeps what was typed; without a version 428")
    func oneETag() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let (mei, ana) = (try await scenario.user("mei", [.supervisor]), try await scenario.user("ana", [.supervisor]))
        let id = try await scenario.tenant.database.read { session in
            try session.first("SELECT id FROM customers_customer ORDER BY id LIMIT 1") { "\($0.int(0))" } ?? ""
        }
        let seen = try #require(try mei.get("/customers/\(id)/edit").header("etag"))
        try ana.get("/customers/\(id)/edit")
        let path = "/customers/\(id)/edit"
        let first = try mei.post(path, [("f_city", "杭州")], headers: [("If-Match", seen)])
        let second = try ana.post(path, [("f_city", "宁波")], headers: [("If-Match", seen)])
        #expect(first.status == 303 && first.header("etag") != seen)
        #expect(second.status == 412 && second.text.contains("杭州") && second.text.contains("宁波"))
        let third = try ana.post(path, [("f_city", "宁波")], headers: [("If-Match", second.header("etag") ?? "")])
        #expect(third.status == 303)
        #expect(try ana.post(path, [("f_city", "宁波")]).status == 428)
    }

    @Test("accounts and attributes are not overwritten by who saw an older state")
    func otherRecords() async throws {
        let scenario = try await Scenario.start()
        let (one, two) = (
            try await scenario.user("root", [.administrator]), try await scenario.user("ruth", [.administrator])
        )
        try await scenario.user("mei", [.agent])
        let mei = try await scenario.tenant.database.read { session in
            try session.first("SELECT id FROM identity_user WHERE name = 'mei'") { "\($0.int(0))" } ?? ""
        }
        let page = "/users/\(mei)"
        let (mine, theirs) = (try one.version(page), try two.version(page))
        #expect(try one.post(page + "/roles", [("role", "supervisor"), ("revision", mine)]).status == 303)
        let late = try two.post(page + "/roles", [("role", "marketer"), ("revision", theirs)])
        #expect(late.status == 412 && late.text.contains("Somebody changed this"))
        #expect(try two.post(page + "/status", [("status", "disabled"), ("revision", theirs)]).status == 412)
        #expect(try two.fill(page, page + "/status", [("status", "disabled")]).status == 303)

        #expect(try one.post("/attributes", [("title_en", "Pet"), ("kind", "text"), ("mask", "none")]).status == 303)
        let old = try one.version("/attributes")
        let path = try #require(try one.get("/attributes").text.firstMatch(of: /action="(\/attributes\/\d+\/label)"/)).1
        #expect(try one.post(String(path), [("title_en", "Cat"), ("mask", "full"), ("revision", old)]).status == 303)
        #expect(try two.get("/attributes").status == 200)
        #expect(try two.post(String(path), [("title_en", "Dog"), ("mask", "none"), ("revision", old)]).status == 412)
        #expect(try one.get("/attributes").text.contains("value=\"Cat\""))
    }

    @Test("a file sent twice is one import; another file under its key is refused, and nothing of either copy is left over")
    func upload() async throws {
        let scenario = try await Scenario.start()
        let mei = try await scenario.user("mei", [.supervisor])
        let page = try mei.get("/imports/new").text
        let action = String(try #require(page.firstMatch(of: /action="(\/imports\?_key=[^"]+)"/)).1)
        let file = (name: "x.csv", content: Array("source_id,name\n1,甲\n".utf8))
        let first = try mei.upload(action, file: file)
        let again = try mei.upload(action, file: file)
        #expect(first.status == 303 && again.status == 303)
        #expect(first.header("location") == again.header("location"))
        let other = try mei.upload(action, file: (name: "x.csv", content: Array("source_id,name\n2,乙\n".utf8)))
        #expect(other.status == 422 && other.text.contains("sent before"))
        #expect(try await count("SELECT COUNT(*) FROM ingest_run", scenario.tenant.database) == 1)
        #expect(try scenario.tenant.blobs.ids().count == 1)
        #expect(try mei.upload("/imports?x=1", file: file).status == 400)
    }

    @Test("an account made twice by two clicks is one; its link is shown once and never kept")
    func account() async throws {
        let scenario = try await Scenario.start()
        let root = try await scenario.user("root", [.administrator])
        let form = [("name", "lin"), ("role", "agent"), ("_key", "two-clicks-on-one-form")]
        let first = try root.post("/users", form)
        #expect(first.status == 200)
        let link = String(try #require(first.text.firstMatch(of: /\/bootstrap\/([A-Za-z0-9_-]+)/)).1)
        let second = try root.post("/users", form)
        #expect(second.status == 303 && second.header("location")?.hasPrefix("/users/") == true)
        #expect(try await count("SELECT COUNT(*) FROM identity_user WHERE name = 'lin'", scenario.tenant.database) == 1)
        let kept = try await scenario.tenant.database.read { session in
            try session.query("SELECT COALESCE(location, '') || COALESCE(body, '') FROM platform_request") { $0.text(0) }
        }
        #expect(!kept.isEmpty && !kept.contains { $0.contains(link) })
    }

    @Test("a server killed after the change and before the answer: the same form sent again has no second effect")
    func killed() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        // The folder goes with the last of them.
        var servers = [try ServerProcess()]
        let data = servers[0].data
        let made = try ServerProcess.run(
            ["user", "create", "mei", "--role", "supervisor", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        try #require(made.code == 0, "\(made)")
        for round in 0..<6 {
            let server = servers[round]
            let mei = Visitor(http: server.http)
            try mei.get("/login")
            #expect(try mei.post("/login", [("name", "mei"), ("password", Scenario.password)]).status == 303)
            try mei.get("/customers/new")
            let name = "客户\(round)"
            let form = Form([
                ("_csrf", mei.csrf), ("_key", "a-key-of-round-\(round)"), ("f_full_name", name),
                ("f_kind", "individual"),
            ])
            let body = Array(form.encoded.utf8)
            let head =
                "POST /customers HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nCookie: \(mei.cookieHeader)\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(body.count)\r\n\r\n"
            let socket = try server.http.connect(seconds: 60)
            let bytes = Array(head.utf8) + body
            #expect(send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
            // In half of the rounds it dies as soon as the change is there, else at any moment.
            let database = try TestDatabases.open(data: data)
            if round % 2 == 0 {
                #expect(try await eventually { try await count(Self.named, database, [.text(name)]) == 1 })
            } else {
                try await Task.sleep(for: .microseconds(Int.random(in: 0...20_000, using: &generator)))
            }
            server.kill()
            close(socket)
            let before = try await count(Self.named, database, [.text(name)])
            try await database.close()
            let next = try ServerProcess(data: data)
            servers.append(next)
            let again = Visitor(http: next.http, cookies: mei.cookies)
            try again.get("/customers/new")
            let answer = try again.post(
                "/customers", [("_key", "a-key-of-round-\(round)"), ("f_full_name", name), ("f_kind", "individual")])
            #expect(answer.status == 303, "seed \(seed), round \(round): \(answer.text.prefix(300))")
            #expect((answer.header("idempotency-replayed") != nil) == (before == 1), "seed \(seed), round \(round)")
            let after = try TestDatabases.open(data: data)
            #expect(try await count(Self.named, after, [.text(name)]) == 1, "seed \(seed), round \(round)")
            try await after.close()
        }
    }
}
