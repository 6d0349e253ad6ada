import App
import Foundation
import Ingest
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Three systems that know one customer, each a little wrong, through HTTP only.
@Suite("One customer from three sources")
struct ResolutionStoryTests {
    private static let number = "+8613812345678"

    /// Brings a file through the wizard, with matching on.
    private func bring(_ scenario: Scenario, _ visitor: Visitor, _ source: String, _ header: [String], _ rows: [String])
        async throws -> String
    {
        let csv = ([header.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
        let run = try #require(
            try visitor.upload(
                "/imports", fields: [("source", source)], file: (name: source + ".csv", content: Array(csv.utf8))
            ).header("location"))
        let fields = header.enumerated().map { ("to.\($0)", $1) }
        let answer = try visitor.fill(
            run, run + "/mapping",
            fields + [
                ("match_key", "source_id"), ("creates", "1"), ("updates", "1"), ("matches", "1"), ("then", "dry_run"),
            ])
        #expect(answer.status == 303, "\(answer.text.prefix(300))")
        try await scenario.drain()
        #expect(try visitor.post(run + "/start").status == 303)
        try await scenario.drain()
        #expect(try visitor.get(run + "/progress").text.contains(#""state":"succeeded""#))
        return run
    }

    private func customer(_ scenario: Scenario, _ number: String) async throws -> String {
        let found = try await scenario.tenant.database.read {
            try $0.first("SELECT id FROM customers_customer WHERE reference = $1", [.text(number)]) { $0.int(0) }
        }
        return String(try #require(found, "\(number)"))
    }

    @Test("billing, care and retail become one customer on the page, and come apart again with a reason")
    func story() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let agent = try await scenario.user("agent", [.agent])
        try supervisor.post("/preferences", [("language", "en")])
        _ = try await bring(
            scenario, supervisor, "billing", ["source_id", "full_name", "msisdn", "plan", "monthly_charge"],
            ["B1,王小明,\(Self.number),5G-199,199.00", "B2,李四,+8613900000002,4G-59,59.00"])
        let care = try await bring(
            scenario, supervisor, "care", ["source_id", "full_name", "phone", "email", "birth_date"],
            ["C7,Wang Xiaoming,\(Self.number),xm.wang@example.com,1990-01-01"])
        let retail = try await bring(
            scenario, supervisor, "retail", ["source_id", "full_name", "email", "birth_date", "segment"],
            ["R3,王小明,XM.Wang@example.com,1990-01-01,family"])
        for run in [care, retail] {
            let page = try supervisor.get(run).text
            #expect(page.contains("data-count=\"linked\">1<"), "the report counts what was joined")
        }
        let (b, c, r) = (
            try await customer(scenario, "B1"), try await customer(scenario, "C7"), try await customer(scenario, "R3")
        )
        // Whichever record is opened, it is one customer: name of one, e-mail of another.
        for id in [b, c, r] {
            let page = try supervisor.get("/customers/\(id)").text
            #expect(page.contains("<h1>王小明</h1>") && page.contains("5G-199"), "\(id)")
            #expect(page.contains("id=\"panel-joined\"") && page.contains("xm.wang@example.com"))
            #expect(page.contains("Wang Xiaoming"), "what another source says is told too")
            #expect(page.contains("id=\"joined\"") && page.contains("Joined from 3 records:") && page.contains("billing B1"))
        }
        #expect(try agent.get("/customers/\(c)").text.contains("/separation") == false, "an agent takes nothing apart")
        // Four records are two customers, in the list as in what a search finds; each leads to the same page.
        let list = try supervisor.get("/customers").text
        #expect([b, c, r].count { list.contains("/customers/\($0)\"") } == 1)
        let answer = try supervisor.post("/search", [("q", "xiaoming")])
        let found = try supervisor.get(try #require(answer.header("location")))
        #expect([b, c, r].contains { found.header("location") == "/customers/\($0)" }, "one hit leads to its page")
        #expect(
            try agent.post("/customers/\(c)/separation", [("left", b), ("right", c), ("reason", "x")]).status == 403)

        // Without a reason nothing comes apart; with one, two customers are there again.
        #expect(try supervisor.post("/customers/\(b)/separation", [("left", b), ("right", c)]).status == 422)
        #expect(
            try supervisor.post("/customers/\(b)/separation", [("left", b), ("right", c), ("reason", "two people")])
                .status
                == 303)
        let alone = try supervisor.get("/customers/\(b)").text
        #expect(!alone.contains("panel-joined") && !alone.contains("xm.wang@") && alone.contains("5G-199"))
        let other = try supervisor.get("/customers/\(r)").text
        #expect(other.contains("panel-joined") && !other.contains("5G-199"))

        // A person thinks again: what was decided is shown and stays, until it is reopened; joins, takes it back, keeps apart.
        let location = try #require(
            try supervisor.post("/customers/\(b)/duplicates", [("other", "C7")]).header("location"))
        let decided = try supervisor.get(location).text
        #expect(decided.contains("two people") && decided.contains("data-key=\"r\"") && !decided.contains("data-key=\"l\""))
        #expect(try supervisor.post("/duplicates/\(b)/\(c)/reopening").status == 303)
        let side = try supervisor.get(location).text
        for text in ["data-key=\"l\"", "data-key=\"a\"", "Bills and payments", "Cases", "sounds the same"] {
            #expect(side.contains(text), "\(text)")
        }
        let pair = "/duplicates/\(b)/\(c)"
        let joined = try supervisor.post(pair + "/joining")
        #expect(joined.status == 303)
        #expect(try supervisor.get("/customers/\(b)").text.contains("panel-joined"))
        #expect(try supervisor.post(pair + "/joining").status == 409, "decided already")
        let undo = try supervisor.get(try #require(joined.header("location"))).text
        #expect(undo.contains("data-key=\"u\"") && undo.contains(pair + "/reopening"))
        #expect(try supervisor.post(pair + "/reopening").status == 303)
        #expect(try !supervisor.get("/customers/\(b)").text.contains("panel-joined"))
        let waiting = try supervisor.get("/customers/\(b)").text
        #expect(waiting.contains("id=\"panel-similar\"") && waiting.contains("/duplicates?pair=\(b)-\(c)"))
        #expect(try !agent.get("/customers/\(b)").text.contains("panel-similar"), "who decides no pairs is not asked")
        #expect(try supervisor.post(pair + "/separation").status == 303)
        #expect(try !supervisor.get("/customers/\(b)").text.contains("panel-similar"))
        #expect(try supervisor.get("/duplicates").text.contains("Nothing waits"))
        #expect(try agent.get("/duplicates").status == 403)

        // Taking an import back takes its record out of the customer.
        #expect(try supervisor.post(retail + "/reversal").status == 303)
        try await scenario.drain()
        #expect(try !supervisor.get("/customers/\(c)").text.contains("panel-joined"))
        #expect(try supervisor.get("/customers/\(r)").status == 404)
    }

    @Test("an address that two sources write in two scripts stands once on the page, with the other form as a note")
    func oneAddress() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let agent = try await scenario.user("agent", [.agent])
        try supervisor.post("/preferences", [("language", "en")])
        let header = ["source_id", "full_name", "email", "birth_date", "address"]
        _ = try await bring(scenario, supervisor, "billing", header, ["B1,王海涛,ht@example.com,1990-01-01,深圳市南山区科技园路252号"])
        _ = try await bring(scenario, supervisor, "retail", header, ["R1,王海濤,ht@example.com,1990-01-01,深圳市南山區科技園路252號"])
        let b = try await customer(scenario, "B1")
        let page = try supervisor.get("/customers/\(b)").text
        #expect(page.contains("panel-joined") && page.components(separatedBy: "<dt>Street address</dt>").count == 2)
        #expect(page.contains("also written 深圳市南山區科技園路252號"))
        #expect(try !agent.get("/customers/\(b)").text.contains("科技園路252"), "who does not see the address does not see the note")
    }

    @Test("the contact number of a joined record leads to the file, line and column that brought it, and says why it is one")
    func contactNumber() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        try supervisor.post("/preferences", [("language", "en")])
        _ = try await bring(scenario, supervisor, "billing", ["source_id", "full_name", "msisdn"], ["B1,王小明,\(Self.number)"])
        let care = ["source_id", "full_name", "msisdn", "birth_date"]
        _ = try await bring(scenario, supervisor, "care", care, ["C7,王小明,\(Self.number),1990-01-01", "C8,李四,,1991-01-01"])
        let (c, other) = (try await customer(scenario, "C7"), try await customer(scenario, "C8"))
        func number(_ id: String) throws -> String? {
            try supervisor.get("/customers/\(id)/lineage").text.components(separatedBy: "<section").first { $0.contains("care.csv") }?
                .components(separatedBy: "<tr>").first { $0.contains(">Contact phone<") }
        }
        let row = try #require(try number(c))
        #expect(row.contains("care.csv") && row.contains("Line 2") && row.contains("msisdn") && row.contains("Mapping v1"), "\(row)")
        #expect(row.contains("kept as a contact number") && !row.contains("follows from"))
        // The same when a later delivery of the source brings it.
        _ = try await bring(scenario, supervisor, "care", care, ["C8,李四,\(Self.number),1991-01-01"])
        let later = try #require(try number(other))
        #expect(later.contains("care.csv") && later.contains("msisdn") && later.contains("kept as a contact number"), "\(later)")
    }

    @Test("a dry run says how many would be joined, as the import then does; taking it back says what goes with it")
    func foretold() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        try supervisor.post("/preferences", [("language", "en")])
        let header = ["source_id", "full_name", "phone", "city"]
        _ = try await bring(
            scenario, supervisor, "billing", header,
            ["1,张伟,+8657188880000,杭州", "2,李四,\(Self.number),宁波", "3,王芳,+8613900000003,温州"])
        // One is known, one sounds like a known one, one is new, and one comes twice in the file.
        let rows = [
            "11,李四,\(Self.number),宁波", "12,张薇,+8657188880000,杭州", "13,赵六,+8613700000013,台州",
            "14,孙七,+8613600000014,绍兴", "15,孙七,+8613600000014,绍兴",
        ]
        let csv = ([header.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
        let path = NSTemporaryDirectory() + "care-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: path))
        let service = scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
        let principal = scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name)
        let dry = try await service.importFile(
            path, source: "care", matchKey: "source_id", dryRun: true, matches: true, principal: principal)
        #expect([dry.created, dry.linked, dry.review, dry.apart] == [5, 2, 1, 2], "\(dry)")
        // It names whom.
        let pairs = try #require(dry.pairs)
        #expect(pairs.map(\.outcome).sorted() == ["link", "link", "review"], "\(pairs)")
        let known = try #require(pairs.first { $0.customerName == "李四" })
        #expect(known.outcome == "link" && known.line == 2 && known.name == "李四" && known.references == ["billing 2"])
        let twice = try #require(pairs.first { $0.otherLine != nil })
        #expect(twice.line == 6 && twice.otherLine == 5 && pairs.allSatisfy { !$0.why_zh.isEmpty })
        let hidden = dry.masked().pairs ?? []
        #expect(hidden.count == 3 && !hidden.contains { $0.name.contains("李四") || $0.customerName == "李四" })
        let planned = try await service.run(try #require(ImportRunID(dry.run))).run
        #expect(planned.plan?.pairs?.count == 3)
        let wizard = try supervisor.get("/imports/\(dry.run)").text
        #expect(wizard.contains("id=\"link-pairs\"") && wizard.contains("id=\"ask-pairs\"") && wizard.contains("billing 2"))
        let admin = try await scenario.user("ada", [.administrator])
        let masked = try admin.get("/imports/\(dry.run)").text
        #expect(masked.contains("id=\"link-pairs\"") && !masked.contains("李四"), "who sees no names is told none")
        let run = try await bring(scenario, supervisor, "care", header, rows)
        let page = try supervisor.get(run).text
        #expect(page.contains("data-count=\"linked\">2<") && page.contains("data-count=\"review\">1<"))
        let (li, other) = (try await customer(scenario, "2"), try await customer(scenario, "13"))
        let pair = try #require(
            try supervisor.post("/customers/\(li)/duplicates", [("other", "13")]).header("location"))
        #expect(try supervisor.get(pair).status == 200)
        #expect(try supervisor.post("/duplicates/\(li)/\(other)/separation").status == 303)
        // Two links, one decision of a person, and the pair that still waits.
        let told = "2 links to other customers, 1 decision of a person about a pair, 1 pair that waited for a person"
        #expect(try supervisor.get(run).text.contains(told))
        let id = try #require(ImportRunID(String(run.split(separator: "/").last ?? "")))
        let result = try supervisor.get(run).text
        #expect(result.contains("id=\"forecast\"") && result.contains("5 of the records it created go."), "\(result.suffix(3_000))")
        let preview = try await service.previewRevert(id, principal)
        #expect(preview.removed == 5 && preview.kept == 0 && preview.byOthers == 0 && preview.later.isEmpty)
        #expect(preview.ties.links == 2 && preview.ties.decisions == 1 && preview.ties.waiting == 1)
        // Whoever stays keeps what was decided.
        let changing: SQL = "UPDATE customers_customer SET revision = revision + $2 WHERE id = $1"
        try await scenario.tenant.database.write { session in _ = try session.execute(changing, [.int(Int64(other) ?? 0), .int(1)]) }
        let staying = try await service.previewRevert(id, principal)
        #expect(staying.removed == 4 && staying.kept == 1 && staying.ties.decisions == 0 && staying.ties.links == 2)
        try await scenario.tenant.database.write { session in _ = try session.execute(changing, [.int(Int64(other) ?? 0), .int(-1)]) }
        #expect(try supervisor.post(run + "/reversal").status == 303)
        try await scenario.drain()
        #expect(try supervisor.get(run).text.contains("With its customers went " + told))
        #expect(try await service.run(id).run.undone == preview.ties)
    }

    @Test("a doubtful pair waits in the queue in both languages, masked for who may not see names")
    func queue() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        _ = try await bring(
            scenario, supervisor, "billing", ["source_id", "full_name", "phone", "city"], ["1,张伟,+8657188880000,杭州"])
        let run = try await bring(
            scenario, supervisor, "care", ["source_id", "full_name", "phone", "city"], ["2,张薇,+8657188880000,杭州"])
        #expect(try supervisor.get(run).text.contains("data-count=\"review\">1<"))
        for (language, word) in [("en", "sounds the same"), ("zh", "读音一致")] {
            try supervisor.post("/preferences", [("language", language)])
            let page = try supervisor.get("/duplicates").text
            #expect(page.contains(word) && page.contains("张伟") && page.contains("张薇"), "\(language)")
        }
    }
}
