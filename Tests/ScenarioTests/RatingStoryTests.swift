import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Months rated by whoever works for the operator: on the page, on the customer's page of usage, and by command.
@Suite("Rating a month")
struct RatingStoryTests {
    private static let tariffs = "name,plans,currency,monthly_fee,minutes_included,gb_included,per_minute,per_gb\nBasic,*,CNY,39,1,1,0.15,5\n"

    @Test("a supervisor keeps tariffs, rates a month and takes it as a file; an agent sees on the customer's page how it came about")
    func story() async throws {
        let scenario = try await Scenario.start(customers: 30)
        let supervisor = try await scenario.user("super", [.supervisor])
        let agent = try await scenario.user("agent", [.agent])
        let line = try await scenario.tenant.database.read { session in
            try session.first(
                """
                SELECT s.customer_id, s.msisdn FROM customers_subscription s JOIN customers_identifier i
                  ON i.kind = 'msisdn' AND i.value = s.msisdn AND i.customer_id = s.customer_id
                WHERE s.msisdn IS NOT NULL AND s.status = 'active' ORDER BY s.customer_id LIMIT 1
                """
            ) { (customer: $0.int(0), number: $0.text(1)) }
        }
        let (customer, number) = try #require(line)
        let page = "/customers/\(customer)/usage?year=2025"
        let events = """
            {"id":"a","line":"\(number)","kind":"voice","start":"2025-11-03T10:00:00+08:00","duration_s":61}
            {"id":"b","line":"\(number)","kind":"voice","start":"2025-11-04T10:00:00+08:00","duration_s":61}
            {"id":"c","line":"\(number)","kind":"data","start":"2025-11-05T11:00:00+08:00","bytes":1600000000}
            """
        #expect(try supervisor.postLines("/api/usage/events?source=switch", events).text.contains(#""taken":3"#))
        #expect(try !agent.get(page).text.contains("How it came about"), "nobody has told a tariff")
        // What cannot be read is said with its place, and what was typed stays.
        let bad = try supervisor.post("/usage/tariffs", [("tariffs", "name,monthly_fee\nBasic,cheap\n")])
        #expect(bad.status == 422 && bad.text.contains("Row 2, column “monthly_fee”") && bad.text.contains("Basic,cheap"))
        #expect(try supervisor.post("/usage/tariffs", [("tariffs", Self.tariffs)]).status == 303)
        let rated = try supervisor.get("/usage/tariffs?month=2025-11").text
        // 4 minutes, 1 free, 3 × 0.15; 1.49 GB rounded up to 2, 1 free, 1 × 5.00; 39.00.
        for word in ["Basic", "of which only the sums of the month were sent", "each call up to minutes", "every other plan", "/usage/tariffs/rated?month=2025-11"] {
            #expect(rated.contains(word), "\(word)")
        }
        #expect(supervisor.isClean(rated))
        let shown = try agent.get(page).text
        for word in [
            "¥44.45", "Fee 39.00", "Calls: 4 min (each call rounded up), 1 included, 3 beyond × 0.15 = 0.45",
            "Data: 1,526 MB, the month rounded up to 2 GB, 1 GB included, 1 GB beyond × 5.00/GB = 5.00",
        ] {
            #expect(shown.contains(word), "\(word)")
        }
        #expect(agent.isClean(shown))
        try agent.post("/preferences", [("language", "zh")])
        #expect(try agent.get(page).text.contains("通话：4 分钟（每通向上取整），套内 1，超出 3 × 0.15 = 0.45"))
        // The file: a row a line, numbers masked for those who may not see them, recorded.
        func file(_ visitor: Visitor) throws -> [String] {
            let answer = try visitor.get("/usage/tariffs/rated?month=2025-11")
            #expect(answer.status == 200 && answer.header("content-type") == "text/csv; charset=utf-8")
            return answer.text.split(whereSeparator: \.isNewline).map(String.init)
        }
        let rows = try file(supervisor)
        let mine = try #require(rows.first { $0.contains(String(customer)) })
        #expect(rows[0].contains("month,customer,reference,line,number,plan,tariff") && mine.hasPrefix("2025-11,"))
        #expect(mine.contains(",Basic,CNY,39.00,4,1,3,0.45,0,0,0,0.00,1525.879,2048,1024,1024,5.00,44.45,"), "\(mine)")
        #expect(mine.contains(number) || mine.contains(number.dropFirst()))
        let hidden = try file(try await scenario.user("admin", [.administrator]))
        #expect(!hidden.joined().contains(number.suffix(10)), "an administrator sees no numbers")
        let recorded = try await scenario.tenant.database.read { try $0.count("SELECT COUNT(*) FROM platform_audit_event WHERE action = 'usage.month.rate'") }
        #expect(recorded == 2)
        // Who may not, may not; a month that is none is said.
        for visitor in [agent, try await scenario.user("ana", [.analyst])] {
            #expect(try visitor.get("/usage/tariffs").status == 403 && visitor.get("/usage/tariffs/rated?month=2025-11").status == 403)
            #expect(try visitor.post("/usage/tariffs", [("tariffs", Self.tariffs)]).status == 403)
        }
        #expect(try supervisor.get("/usage/tariffs?month=soon").text.contains("Months are written 2026-01"))
        #expect(try supervisor.get("/usage/tariffs/rated?month=2025-13").status == 422)
        #expect(try supervisor.post("/usage/tariffs/removal", [("name", "Basic"), ("valid_from", "")]).status == 303)
        #expect(try supervisor.post("/usage/tariffs/removal", [("name", "Basic"), ("valid_from", "")]).status == 404)
        #expect(try !agent.get(page).text.contains("¥44.45"))
    }

    @Test("months of several lines are one row with their sum, the lines fold out beneath")
    func severalLines() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let supervisor = try await scenario.user("super", [.supervisor])
        let lines = try await scenario.tenant.database.read { session in
            try session.query(
                """
                SELECT s.customer_id, s.msisdn FROM customers_subscription s WHERE s.msisdn IS NOT NULL AND s.status = 'active'
                  AND (SELECT COUNT(*) FROM customers_subscription o WHERE o.customer_id = s.customer_id
                       AND o.status = 'active' AND o.msisdn IS NOT NULL) = 2 ORDER BY s.customer_id LIMIT 2
                """
            ) { (customer: $0.int(0), number: $0.text(1)) }
        }
        try #require(lines.count == 2 && lines[0].customer == lines[1].customer)
        let events = lines.enumerated().map { place, line in
            #"{"id":"m\#(place)","line":"\#(line.number)","kind":"voice","start":"2024-03-0\#(place + 1)T10:00:00+08:00","duration_s":121}"#
        }
        #expect(try supervisor.postLines("/api/usage/events?source=switch", events.joined(separator: "\n")).text.contains(#""taken":2"#))
        #expect(try supervisor.post("/usage/tariffs", [("tariffs", Self.tariffs)]).status == 303)
        let page = try supervisor.get("/customers/\(lines[0].customer)/usage?year=2024").text
        // Each: 39.00, 3 minutes, 1 free, 2 × 0.15.
        for word in ["¥78.60", "2 lines", "Each line", "¥39.30", "3 min (each call rounded up), 1 included, 2 beyond"] {
            #expect(page.contains(word), "\(word)")
        }
        #expect(page.components(separatedBy: "March 2024").count <= 3 && supervisor.isClean(page))
        #expect(!page.contains("more lines than are shown"))
    }

    @Test("minutes mean the same under Usage, by year and in the live profile: each call rounded up, and say so")
    func minutes() async throws {
        let scenario = try await Scenario.start(customers: 30)
        let supervisor = try await scenario.user("super", [.supervisor])
        let line = try await scenario.tenant.database.read { session in
            try session.first(
                "SELECT customer_id, value FROM customers_identifier WHERE kind = 'msisdn' ORDER BY customer_id LIMIT 1"
            ) { (customer: $0.int(0), number: $0.text(1)) }
        }
        let (customer, number) = try #require(line)
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        let event = #"{"id":"a","line":"\#(number)","kind":"voice","start":"\#(day)T10:00:00+08:00","duration_s":61}"#
        #expect(try supervisor.postLines("/api/usage/events?source=switch", event).text.contains(#""taken":1"#))
        let page = try supervisor.get("/customers/\(customer)").text
        let live = try #require(page.components(separatedBy: "id=\"panel-live-profile\"").last?.components(separatedBy: "</section>").first)
        #expect(live.contains("Billed minutes") && live.contains("2 min<small>1 ×"), "\(live)")
        let days = try #require(page.components(separatedBy: "id=\"panel-usage-days\"").last?.components(separatedBy: "</section>").first)
        #expect(days.contains("61 seconds are 2") && days.contains(#"data-label="Billed minutes">2<"#), "\(days)")
        #expect(try supervisor.get("/customers/\(customer)/usage").text.contains(#"data-label="Billed minutes">"#))
    }

    @Test("usage rate: 0 all lines rated, 2 some plans have no tariff, 1 no tariff of that name or file, 64 asked wrongly")
    func command() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let base = try bench.file(
            "base.csv", "source_id,name,msisdn,plan\n1,甲乙,13800138000,surf\n2,丙丁,13800138001,Ultimate\n3,戊己,13800138002,none\n")
        try bench.expect(0, ["import", base, "--source", "crm", "--match-key", "source_id", "--ignore-unmapped"])
        let calls = try bench.file(
            "cdr.csv",
            "id,number,kind,start,seconds,megabytes\n1,13800138000,voice,2026-01-03 10:00:00,61,\n2,13800138001,data,2026-01-03 11:00:00,,1025\n")
        try bench.expect(0, ["usage", "import", calls, "--source", "switch"])
        let plans = try bench.file(
            "plans.csv", "plan_name,usd_monthly_pay,minutes_included,usd_per_minute,usd_per_gb\nSurf,20,0,0.03,10\nultimate,70,3000,0.01,7\n")
        let out = bench.folder + "/rated.csv"
        let first = try bench.expect(0, ["usage", "rate", "--month", "2026-01", "--plan", plans, "--out", out])
        #expect(first.out.contains("Surf: 1 months of lines, 20.06 USD, mean 20.06"), "\(first.out)")
        #expect(first.out.contains("ultimate: 1 months of lines, 84.00 USD, mean 84.00"), "\(first.out)")
        let written = try String(contentsOfFile: out, encoding: .utf8)
        #expect(written.contains(",surf,Surf,USD,20.00,2,0,2,0.06,") && written.contains(",1025,2048,0,2048,14.00,84.00,"), "\(written)")
        // Nothing was kept by that.
        try bench.expect(1, ["usage", "rate", "--month", "2026-01"])
        let report = try CommandBench.object(try bench.expect(0, ["usage", "rate", "--month", "2026-01", "--plan", plans, "--json"]).out)
        #expect(report["rated"] == .int(2) && report["tariffs"]?.array?.first?.object?["total"] == .int(2_006))
        #expect(try bench.expect(0, ["usage", "tariff", "set", try bench.file("one.csv", "name,monthly_fee\nSurf,10\n")]).out.contains("1 tariffs saved"))
        let titled = try bench.file("titled.csv", "x\ny\nname,monthly_fee\nSurf,10\n")
        #expect(try bench.expect(0, ["usage", "tariff", "set", titled, "--skip-rows", "2"]).out.contains("1 tariffs saved"))
        try bench.expect(0, ["usage", "rate", "--month", "2025-01", "--plan", titled, "--skip-rows", "2"])
        try bench.expect(1, ["usage", "tariff", "set", titled, "--sheet", "1"])
        try bench.expect(64, ["usage", "rate", "--month", "2026-01", "--plan", "Surf", "--sheet", "1"])
        #expect(try bench.expect(0, ["usage", "tariff", "list"]).out.contains("Surf: 10.00 CNY a month"))
        let partly = try bench.expect(2, ["usage", "rate", "--month", "2026-01"])
        #expect(partly.out.contains("not rated: 1 months of lines of the plan “Ultimate”"), "\(partly.out)")
        #expect(try bench.expect(0, ["usage", "rate", "--month", "2026-01", "--plan", "surf"]).out.contains("2 months of lines, 20.00 CNY"))
        #expect(try bench.expect(0, ["usage", "rate", "--month", "2025-01", "--lang", "zh"]).out.contains("没有用量"))
        for wrong in [["--plan", "nobody"], ["--plan", bench.folder + "/absent.csv"], ["--plan", base]] {
            try bench.expect(1, ["usage", "rate", "--month", "2026-01"] + wrong)
        }
        for wrong in [["--month", "January"], [], ["--month", "2026-02", "--through", "2026-01"]] {
            try bench.expect(64, ["usage", "rate"] + wrong)
        }
        try bench.expect(0, ["usage", "tariff", "remove", "Surf"])
        try bench.expect(1, ["usage", "tariff", "remove", "Surf"])
    }
}
