import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// The steward's day, through HTTP only: bad rows come, wait, are repaired, brought again and are customers, whose values
/// lead back to the file and line they came from.
@Suite("Rows in quarantine")
struct QualityStoryTests {
    private static let header = ["source_id", "full_name", "msisdn", "birth_date", "monthly_charge", "internal_note"]

    private func bring(_ scenario: Scenario, _ visitor: Visitor, _ source: String, _ rows: [String]) async throws
        -> String
    {
        let csv = ([Self.header.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
        let run = try #require(
            try visitor.upload(
                "/imports", fields: [("source", source)], file: (name: source + ".csv", content: Array(csv.utf8))
            ).header("location"))
        let fields = Self.header.dropLast().enumerated().map { ("to.\($0)", $1) } + [("to.5", "ignore")]
        let answer = try visitor.fill(
            run, run + "/mapping",
            fields + [("match_key", "source_id"), ("creates", "1"), ("updates", "1"), ("then", "dry_run")])
        #expect(answer.status == 303, "\(answer.text.prefix(300))")
        try await scenario.drain()
        let plan = try visitor.get(run).text
        #expect(try visitor.post(run + "/start").status == 303, "\(plan.prefix(2_000))")
        try await scenario.drain()
        return run
    }

    private func count(_ page: String, _ name: String) -> Int? {
        page.firstMatch(of: try! Regex("data-count=\"\(name)\">([0-9,]+)<", as: (Substring, Substring).self)).flatMap {
            Int($0.1.replacing(",", with: ""))
        }
    }

    @Test("the steward repairs what was held back, and the customer's values lead back to file, line and rule")
    func story() async throws {
        let scenario = try await Scenario.start()
        let steward = try await scenario.user("steward", [.supervisor])
        let agent = try await scenario.user("agent", [.agent])
        let administrator = try await scenario.user("boss", [.administrator])
        try steward.post("/preferences", [("language", "en")])
        try agent.post("/preferences", [("language", "en")])
        try administrator.post("/preferences", [("language", "en")])
        let rows = [
            "B1,王小明,13812345678,1990-01-01,199.00,secret note one",
            "B2,李四,13900000002,2990-01-01,59.00,secret note two",
            "B3,çŽ‹ä¼Ÿ,tel:13900000003,1985-05-05,59.00,",
            "B4,赵六,13900000004,1980-01-01,5900000,",
        ]
        let run = try await bring(scenario, steward, "billing", rows)
        let result = try steward.get(run).text
        #expect(count(result, "read") == 4 && count(result, "created") == 2 && count(result, "quarantined") == 2)
        #expect(result.contains("id=\"findings\"") && result.contains("Names and places are readable"))

        // The queue: reasons and values, masked for who may not see them; nothing for an agent.
        let queue = try steward.get("/quarantine").text
        #expect(queue.contains("Birth date is past") && queue.contains("2990-01-01") && queue.contains("billing.csv"))
        #expect(try agent.get("/quarantine").status == 403)
        let masked = try administrator.get("/quarantine").text
        #expect(masked.contains("2990-**-**") && !masked.contains("2990-01-01"))
        let narrowed = try steward.get("/quarantine?rule=amounts&source=billing").text
        #expect(narrowed.contains("5900000") && !narrowed.contains("2990-01-01"))
        #expect(try steward.get("/quarantine?days=7").text.contains("Nothing waits"))

        let ids = queue.matches(of: /name="id" value="(\d+)"/).map { String($0.1) }
        #expect(ids.count == 2)
        let row = try steward.get("/quarantine/\(ids[0])").text
        #expect(row.contains("secret note two") && row.contains("李四"))
        let veiled = try administrator.get("/quarantine/\(ids[0])").text
        #expect(!veiled.contains("secret note two") && !veiled.contains("李四"), "who may not see values sees masks")
        let version = try administrator.version("/quarantine/\(ids[0])")
        #expect(
            try administrator.post("/quarantine/\(ids[0])/repair", [("revision", version), ("cell.1", "张三")]).status
                == 403,
            "nobody replaces what they do not see")

        // Repaired and brought again: an import of its own, and a customer.
        let repaired = try steward.fill(
            "/quarantine/\(ids[0])", "/quarantine/\(ids[0])/repair", [("cell.3", "1992-02-02"), ("then", "replay")])
        let replay = try #require(repaired.header("location"))
        #expect(replay.hasPrefix("/imports/"), "\(repaired.text.prefix(300))")
        try await scenario.drain()
        let again = try steward.get(replay).text
        #expect(count(again, "read") == 1 && count(again, "created") == 1)
        #expect(try steward.get("/quarantine/\(ids[0])").text.contains("Brought again"))
        #expect(
            try steward.post("/quarantine/replay", [("id", ids[0])]).status == 409,
            "what was brought is not brought twice")

        // The other is discarded, with a reason.
        #expect(try steward.post("/quarantine/discard", [("id", ids[1])]).status == 422)
        #expect(try steward.post("/quarantine/discard", [("id", ids[1]), ("reason", "cents for yuan")]).status == 303)
        #expect(try steward.get("/quarantine").text.contains("Nothing waits"))
        #expect(try steward.get("/quarantine?state=discarded").text.contains("cents for yuan"))

        // From the shown value back to the file, the line and the rule.
        func customer(_ number: String) async throws -> String {
            let found = try await scenario.tenant.database.read {
                try $0.first("SELECT id FROM customers_customer WHERE reference = $1", [.text(number)]) { $0.int(0) }
            }
            return String(try #require(found))
        }
        let (b1, b2, b3) = (try await customer("B1"), try await customer("B2"), try await customer("B3"))
        #expect(try steward.get("/customers/\(b1)").text.contains("/customers/\(b1)/lineage"))
        let fixed = try steward.get("/customers/\(b3)/lineage").text
        #expect(
            fixed.contains("王伟") && fixed.contains("billing.csv") && fixed.contains("line 4")
                || fixed.contains("Line 4"))
        #expect(fixed.contains("Names and places are readable") && fixed.contains("Mapping v1"))
        let second = try steward.get("/customers/\(b2)/lineage").text
        #expect(
            second.contains("repaired in quarantine") && second.contains("1992-02-02") && second.contains("billing.csv")
        )
        func times(_ text: String, _ page: String) -> Int { page.components(separatedBy: text).count - 1 }
        #expect(
            times("repaired in quarantine", second) == 1 && times("brought again from quarantine", second) >= 3,
            "only what the steward changed was repaired")
        try steward.post("/preferences", [("language", "zh")])
        let chinese = try steward.get("/customers/\(b2)/lineage").text
        #expect(times("经隔离区修复", chinese) == 1 && chinese.contains("从隔离区重新导入"))
        try steward.post("/preferences", [("language", "en")])
        // The cells are let go with time; what was repaired is known longer.
        let held = try #require(Int64(ids[0]))
        try await scenario.tenant.database.write {
            _ = try $0.execute("UPDATE ingest_quarantine SET cells = '', repaired = NULL WHERE id = $1", [.int(held)])
        }
        #expect(try times("repaired in quarantine", steward.get("/customers/\(b2)/lineage").text) == 1)
        let byAgent = try agent.get("/customers/\(b2)/lineage").text
        #expect(
            byAgent.contains("1992-**-**") && !byAgent.contains("1992-02-02") && !byAgent.contains("href=\"/imports/"))

        // The next delivery changes a charge; a person changes the name: both are told, with what was before.
        _ = try await bring(scenario, steward, "billing", ["B1,王小明,13812345678,1990-01-01,299.00,"])
        let page = try steward.get("/customers/\(b1)/edit").text
        let revision = String(try #require(page.firstMatch(of: /name="revision" value="(\d+)"/)).1)
        #expect(
            try steward.post("/customers/\(b1)/edit", [("revision", revision), ("f_full_name", "王晓明")]).status == 303)
        let changed = try steward.get("/customers/\(b1)/lineage").text
        #expect(changed.contains("299.00") && changed.contains("<del>"), "the earlier charge is struck out")
        #expect(changed.contains("changed by hand by steward"))

        // Scores: two of the checks of birth dates failed or held, by field and source.
        let quality = try steward.get("/quality").text
        #expect(
            quality.contains("id=\"worst\"") && quality.contains("Birth date")
                && quality.contains("data-chart=\"line\""))
        let sources = try steward.get("/sources").text
        #expect(sources.contains("billing"))
    }

    @Test("a source is registered with its first import, and what was agreed with it is held against the next file")
    func registry() async throws {
        let scenario = try await Scenario.start()
        let steward = try await scenario.user("steward", [.supervisor])
        try steward.post("/preferences", [("language", "en")])
        _ = try await bring(scenario, steward, "care", ["C1,王小明,13812345678,1990-01-01,10.00,x"])
        let list = try steward.get("/sources").text
        let path = String(try #require(list.firstMatch(of: /href="(\/sources\/\d+)"/)).1)
        let page = try steward.get(path).text
        #expect(page.contains("care.csv") && page.contains("v1"), "its imports and the version of their mapping")
        let good = [
            ("name", "Care desk"), ("kind", "care"), ("owner", "Team Care"), ("fresh_hours", "24"), ("priority", "1"),
            ("encoding", ""), ("delimiter", ""), ("sheet", ""),
            ("fields", "source_id | text | | none\nfull_name | text\nmsisdn | phone\nstatus_code | code | A, B | none"),
        ]
        #expect(
            try steward.fill(path, path, good.map { $0.0 == "fields" ? ("fields", "a | zebra") : $0 }).status == 422)
        #expect(try steward.fill(path, path, good).status == 303)
        let edited = try steward.get(path).text
        #expect(edited.contains("Care desk") && edited.contains("On time") && edited.contains("status_code"))
        let trust = try await scenario.tenant.database.read {
            try $0.first("SELECT survivorship FROM customers_match_setting") { $0.text(0) }
        }
        #expect(trust?.contains("\"sources\":[\"care\"]") == true, "\(trust ?? "")")
        let stale = try steward.post(path, [("revision", "1")] + good)
        #expect(stale.status == 412)
        // The same columns come: two that were agreed are missing, others are not agreed.
        let csv = Self.header.joined(separator: ",") + "\nC2,李四,13812345679,1990-01-01,10.00,x\n"
        let run = try #require(
            try steward.upload(
                "/imports", fields: [("source", "care")], file: (name: "care2.csv", content: Array(csv.utf8))
            ).header("location"))
        let draft = try steward.get(run).text
        #expect(draft.contains("not as agreed") && draft.contains("status_code") && draft.contains("Team Care"))
        // A year later it is late.
        try await scenario.tenant.database.write {
            try $0.execute("UPDATE ingest_run SET finished_at = finished_at - 9000000000")
        }
        #expect(try steward.get("/sources").text.contains("Late"))
    }

    @Test("a steward fills a rule in without knowing a key or JSON: each kind, kept as it was typed", arguments: ["en", "zh"])
    func ruleForm(language: String) async throws {
        let scenario = try await Scenario.start()
        let steward = try await scenario.user("steward", [.supervisor])
        try steward.post("/preferences", [("language", language)])
        let base = [
            ("by_parts", "1"), ("name_en", "Mine"), ("name_zh", "我的"), ("dimension", "accuracy"), ("is_on", "1"),
        ]
        func stored() async throws -> String {
            try await scenario.tenant.database.read { session in
                try session.first(
                    "SELECT fields, kind, severity, parameters FROM ingest_rule WHERE key LIKE 'own-%' ORDER BY key DESC LIMIT 1"
                ) { "\($0.text(0)) \($0.text(1)) \($0.text(2)) \($0.text(3))" }
            } ?? ""
        }
        func parameters(_ text: String) -> String { String(text.drop { $0 != "{" }) }
        let cases: [(kind: String, severity: String, typed: [(String, String)], json: String)] = [
            ("required", "warn", [("f.email", "1"), ("f.msisdn", "1"), ("p.any", "1")], #"{"any":true}"#),
            ("range", "quarantine",
             [("f.birth_date", "1"), ("p.min.is", "today"), ("p.min.years", "-120"), ("p.min.days", "1"), ("p.max.is", "today")],
             #"{"max":"today","min":"today-120y+1d"}"#),
            ("range", "reject", [("f.monthly_charge", "1"), ("p.min.is", "value"), ("p.min", "0"), ("p.max.is", "value"), ("p.max", "1,000.5")],
             #"{"max":1000.5,"min":0}"#),
            ("pattern", "quarantine", [("f.msisdn", "1"), ("p.format", "e164")], #"{"format":"e164"}"#),
            ("pattern", "warn", [("f.plan", "1"), ("p.format", "own"), ("p.regex", "[A-Z]{2}")], #"{"regex":"[A-Z]{2}"}"#),
            ("code", "warn", [("f.city", "1"), ("p.values", "杭州\n宁波"), ("p.ignore_case", "1")],
             #"{"ignore_case":true,"values":["杭州","宁波"]}"#),
            ("reference", "warn", [("f.source_id", "1"), ("p.to", "source_id")], #"{"to":"source_id"}"#),
            ("cross", "warn",
             [("f.start_date", "1"), ("p.op", "<="), ("p.with", "left_on"), ("p.when", "kind"), ("p.when.in", "individual, company"),
              ("p.or_missing", "1")],
             #"{"op":"<=","when":{"field":"kind","in":["individual","company"],"or_missing":true},"with":"left_on"}"#),
            ("fresh", "warn", [("f.start_date", "1"), ("p.days", "400")], #"{"days":400}"#),
            ("type", "fix", [("f.msisdn", "1"), ("p.repair", "phone"), ("p.else", "reject")], #"{"else":"reject","repair":"phone"}"#),
        ]
        for item in cases {
            let answer = try steward.post("/rules", base + [("kind", item.kind), ("severity", item.severity)] + item.typed)
            #expect(answer.status == 303, "\(item.kind): \(answer.text.suffix(2_000))")
            let rule = try await stored()
            #expect(try JSONValue.parse(Array(parameters(rule).utf8)) == JSONValue.parse(Array(item.json.utf8)), "\(rule)")
            for (name, _) in item.typed where name.hasPrefix("f.") { #expect(rule.contains(String(name.dropFirst(2))), "\(rule)") }
            // Its page shows it, and saved as it is shown it is the same.
            let all = try steward.get("/rules").text.matches(of: /href="(\/rules\/own-\d+)"/).map { String($0.1) }
            let path = try #require(all.max())
            let page = try steward.get(path).text
            for (name, value) in item.typed where name.hasPrefix("f.") || name == "p.any" {
                #expect(page.contains("name=\"\(name)\" value=\"\(value)\" checked"), "\(item.kind) \(name)")
            }
            #expect(try steward.fill(path, path, base + [("kind", item.kind), ("severity", item.severity)] + item.typed).status == 303)
            #expect(parameters(try await stored()) == parameters(rule))
            #expect(try steward.get(path + "?as=json").text.contains("id=\"r-parameters\""), "and as JSON, as before")
        }
        // What is missing is told by its label, and what was typed stands there still.
        let bad: [(String, [(String, String)], String, String)] = [
            ("range", [("f.birth_date", "1")], "lower or an upper limit", "下限或上限"),
            ("code", [("f.city", "1")], "List the codes", "请列出代码"), ("fresh", [("f.start_date", "1"), ("p.days", "x")], "the days", "天数"),
            ("cross", [("f.start_date", "1")], "compare with", "要比较的字段"), ("pattern", [("f.plan", "1"), ("p.format", "own")], "a pattern", "表达式"),
            ("required", [], "different fields", "不同的字段"),
        ]
        for (kind, typed, en, zh) in bad {
            let answer = try steward.post("/rules", base + [("kind", kind), ("severity", "warn")] + typed)
            #expect(answer.status == 422 && answer.text.contains(language == "en" ? en : zh), "\(kind)")
            #expect(answer.text.contains("name=\"by_parts\""))
            for (name, _) in typed where name.hasPrefix("f.") { #expect(answer.text.contains("name=\"\(name)\" value=\"1\" checked")) }
        }
    }

    @Test("rules are changed on their page: strictly, for everybody, and as shipped again", arguments: ["en", "zh"])
    func rules(language: String) async throws {
        let scenario = try await Scenario.start()
        let steward = try await scenario.user("steward", [.supervisor])
        let analyst = try await scenario.user("analyst", [.analyst])
        try steward.post("/preferences", [("language", language)])
        #expect(try analyst.get("/rules").status == 403)
        let fields = [
            ("name_en", "Short names"), ("name_zh", "姓名不过长"), ("source", ""), ("fields", "full_name"),
            ("kind", "pattern"), ("dimension", "accuracy"), ("severity", "quarantine"), ("is_on", "1"),
        ]
        let bad = try steward.post("/rules", fields + [("parameters", #"{"regex": "("}"#)])
        #expect(bad.status == 422 && bad.text.contains(language == "en" ? "bracket" : "括号"))
        #expect(bad.text.contains("姓名不过长"), "what was typed stands there still")
        #expect(
            try steward.post(
                "/rules",
                fields.map { $0.0 == "fields" ? ("fields", "shoe_size") : $0 } + [("parameters", #"{"regex": "."}"#)]
            )
            .status == 422)
        #expect(try steward.post("/rules", fields + [("parameters", #"{"regex": ".{1,4}"}"#)]).status == 303)
        let run = try await bring(scenario, steward, "retail", ["R1,王小明,,1990-01-01,1,", "R2,司马欧阳相如,,1990-01-01,1,"])
        #expect(count(try steward.get(run).text, "quarantined") == 1)
        // The rule is switched off, and all that it held is brought again at once.
        let own = String(try #require(try steward.get("/rules").text.firstMatch(of: /href="(\/rules\/own-\d+)"/)).1)
        #expect(
            try steward.fill(own, own, fields.filter { $0.0 != "is_on" } + [("parameters", #"{"regex": ".{1,4}"}"#)])
                .status
                == 303)
        let key = String(own.dropFirst("/rules/".count))
        #expect(
            try steward.post("/quarantine/replay", [("scope", "matching"), ("rule", "another")]).status == 409,
            "nothing matches")
        let all = try steward.post("/quarantine/replay", [("scope", "matching"), ("rule", key)])
        #expect(all.status == 303)
        try await scenario.drain()
        #expect(count(try steward.get(try #require(all.header("location"))).text, "created") == 1)
        // A shipped one is switched off, and is on again as shipped.
        let birth = [
            ("name_en", "Birth"), ("name_zh", "出生"), ("source", ""), ("fields", "birth_date"), ("kind", "range"),
            ("dimension", "accuracy"), ("severity", "warn"), ("parameters", #"{"max":"today"}"#),
        ]
        #expect(try steward.fill("/rules/birth", "/rules/birth", birth).status == 303)
        let list = try steward.get("/rules").text
        #expect(list.contains(language == "en" ? "changed" : "已修改"))
        #expect(try steward.post("/rules/birth/removal").status == 303)
        #expect(try steward.get("/rules/birth").text.contains("today-120y"))
        #expect(try steward.get("/rules/none").status == 404)
    }
}
