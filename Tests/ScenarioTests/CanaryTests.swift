import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// One canary of each class of data is planted, and everything that leaves the product is searched for it (G25, G59).
@Suite("Canaries")
struct CanaryTests {
    private struct Canary {
        let name: String
        let value: String
        /// Who may see it whole; `nil` = nobody, ever.
        let right: Permission?
    }

    private static let canaries = [
        Canary(name: "name", value: "Zephyrine Quillfeather", right: Masking.seeNames),
        Canary(name: "surname", value: "Quillfeather", right: Masking.seeNames),
        Canary(name: "phone", value: "13877665544", right: Masking.seeContacts),
        Canary(name: "e-mail", value: "zephyrine.q@canary.example", right: Masking.seeContacts),
        Canary(name: "address", value: "77 Kingfisher Mews", right: Masking.seeContacts),
        Canary(name: "birth date", value: "1961-07-13", right: Masking.seeIdentity),
        Canary(name: "document", value: "110101196107131239", right: Masking.seeIdentity),
        Canary(name: "free text", value: "prefers the heron gate", right: Masking.seeUnlabelled),
        Canary(name: "rejected row", value: "Ottoline Featherquill", right: Masking.seeUnlabelled),
        Canary(name: "password", value: Scenario.password, right: nil),
    ]

    /// A route's whole answers for one person: status and text.
    private struct Output {
        let place: String
        let text: String
    }

    @Test("no value is shown, whole or in part of an answer, to who lacks the right to it; secrets and logs show none")
    func planted() async throws {
        let scenario = try await Scenario.start(customers: 30)
        let supervisor = try await scenario.user("keeper", [.supervisor])
        let run = try await plant(scenario, supervisor)
        let ids = try await Self.ids(scenario, run: run)
        var tokens = [supervisor.cookies[WebCookie.session] ?? ""]
        var seenBySupervisor = ""
        for role in Role.allCases {
            let visitor = role == .supervisor ? supervisor : try await scenario.user("c-\(role.rawValue)", [role])
            tokens.append(visitor.cookies[WebCookie.session] ?? "")
            let held = Set(scenario.runtime.site.permissions.filter { $0.roles.contains(role) }.map(\.permission))
            let outputs = try outputs(scenario, visitor, held, ids)
            #expect(outputs.count > 20)
            for output in outputs {
                if role == .supervisor { seenBySupervisor += output.text }
                for canary in Self.canaries where canary.right.map({ !held.contains($0) }) ?? true {
                    #expect(
                        !output.text.contains(canary.value),
                        "\(role.rawValue) got the \(canary.name) from \(output.place)")
                }
                for token in tokens { #expect(!output.text.contains(token), "a session's token is in \(output.place)") }
            }
        }
        // The birds are there: who has the rights sees each of them.
        for canary in Self.canaries where canary.right != nil {
            #expect(seenBySupervisor.contains(canary.value), "the \(canary.name) was not planted")
        }
        // What nobody is meant to read people in.
        let metrics = try scenario.http.send("GET", "/metrics").text
        let kept = try await Self.kept(scenario)
        for place in [("log", scenario.log.text), ("/metrics", metrics), ("audit, events and jobs", kept)] {
            for canary in Self.canaries {
                #expect(!place.1.contains(canary.value), "the \(canary.name) is in \(place.0)")
            }
            for token in tokens { #expect(!token.isEmpty && !place.1.contains(token), "a token is in \(place.0)") }
        }
    }

    @Test("an error repeats nothing of what made it to a log, a metric or another person")
    func errors() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("keeper", [.supervisor])
        let secret = "canary-7b1f secret"
        let json = [("Accept", "application/json")]
        let answers = [
            try supervisor.post("/login", [("name", secret), ("password", secret)], headers: json),
            try supervisor.post(
                "/me/password", [("current", secret), ("new", secret), ("again", secret + "x")], headers: json),
            try supervisor.get("/customers/" + "canary-7b1f", headers: json),
            try supervisor.get("/customers?token=" + "canary-7b1f", headers: json),
            try supervisor.postJSON("/search/suggest", #"{"q":"x","canary-7b1f":1}"#),
            try supervisor.postJSON("/search/suggest", #"{"q":"canary-7b1f"#),
            try supervisor.post("/search", [("q", String(repeating: "canary-7b1f", count: 30))], headers: json),
            try supervisor.post(
                "/customers", [("f_full_name", "x"), ("f_email", "canary-7b1f@"), ("canary-7b1f", "1")], headers: json),
        ]
        for answer in answers {
            #expect((400..<500).contains(answer.status), "\(answer.status): \(answer.text.prefix(200))")
            #expect(!answer.text.contains("canary-7b1f secret"))
        }
        #expect(!scenario.log.text.contains("canary-7b1f"))
        #expect(try !scenario.http.send("GET", "/metrics").text.contains("canary-7b1f"))
        #expect(try await !Self.kept(scenario).contains("canary-7b1f"))
    }

    // MARK: Planting

    /// A customer typed in and a file imported. Returns the path of the import.
    private func plant(_ scenario: Scenario, _ supervisor: Visitor) async throws -> String {
        let header = "source_id,name,phone,email,address,birth_date,document_number,memo\n"
        let bird =
            "C1,Zephyrine Quillfeather,13877665544,zephyrine.q@canary.example,77 Kingfisher Mews,1961-07-13,"
            + "110101196107131239,prefers the heron gate\n"
        let bad = "C2,Ottoline Featherquill,no number,,1 Road,1970-01-01,X,nothing\n"
        let run = try #require(
            try supervisor.upload(
                "/imports", fields: [("source", "birds")],
                file: (name: "birds.csv", content: Array((header + bird + bad).utf8))
            )
            .header("location"))
        try supervisor.get(run)
        let fields = [
            "source_id", "full_name", "phone", "email", "address", "birth_date", "document_number", "attribute:text",
        ]
        #expect(
            try supervisor.fill(
                run, run + "/mapping",
                fields.enumerated().map { ("to.\($0.offset)", $0.element) }
                    + [("match_key", "source_id"), ("creates", "1"), ("updates", "1"), ("then", "dry_run")]
            ).status == 303)
        try await scenario.drain()
        #expect(try supervisor.post(run + "/start").status == 303)
        try await scenario.drain()
        #expect(try supervisor.get(run + "/progress").text.contains("succeeded"))
        return run
    }

    /// Pattern's beginning -> the id that leads to the canary.
    private static func ids(_ scenario: Scenario, run: String) async throws -> [(prefix: String, id: String)] {
        let found = try await scenario.tenant.database.read { session in
            func first(_ sql: SQL) throws -> String { try session.first(sql) { String($0.int(0)) } ?? "1" }
            return [
                ("/customers/", try first("SELECT id FROM customers_customer ORDER BY id DESC LIMIT 1")),
                ("/users/", try first("SELECT id FROM identity_user LIMIT 1")),
                ("/jobs/", try first("SELECT id FROM storage_job ORDER BY id DESC LIMIT 1")),
                ("/models/", try first("SELECT id FROM insights_model LIMIT 1")),
            ]
        }
        return found + [("/imports/", String(run.split(separator: "/").last ?? ""))]
    }

    // MARK: Searching

    /// Every page and download this role can reach, and what the search says.
    private func outputs(
        _ scenario: Scenario, _ visitor: Visitor, _ held: Set<Permission>, _ ids: [(prefix: String, id: String)]
    ) throws -> [Output] {
        var result: [Output] = []
        func keep(_ place: String, _ answer: RawHTTP.Answer) {
            #expect(answer.status < 500, "\(place): \(answer.text.prefix(200))")
            let headers = answer.headers.filter { $0.name != "set-cookie" }.map(\.value).joined(separator: "\n")
            result.append(Output(place: place, text: headers + "\n" + answer.text))
        }
        for route in scenario.runtime.routes where route.method == .get && route.pattern != "/bootstrap/{token}" {
            guard let path = Self.path(route.pattern, ids) else { continue }
            keep(route.name, try visitor.get(path))
            keep(route.name + " as JSON", try visitor.get(path, headers: [("Accept", "application/json")]))
        }
        // What is typed comes back in the page of results, so only parts are typed.
        for part in ["5544", "Zeph", "Quill", "1239", "C1", "heron", "zephyrine.q"] {
            let sealed = try visitor.post("/search", [("q", part)])
            keep("POST /search", sealed)
            if let path = sealed.header("location") { keep("GET /search", try visitor.get(path)) }
            let suggestions = try visitor.postJSON("/search/suggest", "{\"q\":\"\(part)\"}")
            keep("POST /search/suggest", suggestions)
        }
        keep("POST /customers/export", try visitor.post("/customers/export", [("scope", "matching"), ("filter", "")]))
        for query in ["sort=name", "sort=-name", "status=active"] {
            keep("GET /customers?\(query)", try visitor.get("/customers?\(query)"))
        }
        return result
    }

    private static func path(_ pattern: String, _ ids: [(prefix: String, id: String)]) -> String? {
        guard pattern.contains("{") else { return pattern }
        return ids.first { pattern.hasPrefix($0.prefix) }.map { pattern.replacing("{id}", with: $0.id) }
    }

    /// What is kept about people's doings: it names ids and fields, not values.
    private static func kept(_ scenario: Scenario) async throws -> String {
        try await scenario.tenant.database.read { session in
            var text = ""
            for table in [
                "platform_audit_event", "platform_audit_subject", "storage_outbox_event", "storage_job", "storage_mark",
                "identity_throttle",
            ] {
                try session.forEach(SQL(trusted: "SELECT * FROM \(table)"), []) { row in
                    for column in 0..<row.reader.columnCount { text += "\(row.value(column)) " }
                    return true
                }
            }
            return text
        }
    }
}
