import Kernel
import Tabular
import Testing

@testable import Usage

@Suite("Reading usage events")
struct ParserTests {
    private static let bounds = UsageParser.Bounds(today: 20_600)

    private func read(
        _ csv: String, kind: UsageKind? = nil, declared: [UsageMapping.Field: String] = [:], order: DateOrder? = nil
    ) throws -> (UsageMapping, [UsageParser.Parsed]) {
        var reader = TabularReader(options: TabularOptions(name: "x.csv"), bytes: Array(csv.utf8))
        let header = try #require(try reader.header())
        var rows: [Record] = []
        while let event = try reader.next() { if case .record(let row) = event { rows.append(row) } }
        let mapping = try UsageMapping.guess(header.names, rows: rows, declared: declared, kind: kind, dateOrder: order)
        let parser = UsageParser(
            mapping, header: header.names, print: UsagePrint(source: "s"), bounds: Self.bounds, zone: 480,
            home: UsageParser.home("86"))
        return (mapping, rows.map(parser.parse))
    }

    private func event(_ parsed: UsageParser.Parsed) throws -> UsageEvent {
        guard case .event(let event) = parsed else { throw CRMError.notFound }
        return event
    }

    private func code(_ parsed: UsageParser.Parsed) -> String {
        if case .reject(let reject) = parsed { "\(reject.column) \(reject.code)" } else { "" }
    }

    @Test("the megaline files are understood without help: minutes with decimals, megabytes, day first, one message a row")
    func megaline() throws {
        let (calls, rows) = try read("id,user_id,call_date,duration\n1000_93,1000,27/12/2018,8.52\n1000_94,1000,05/12/2018,0\n")
        #expect(calls.kind == .voice && calls.columns[.minutes] == "duration" && calls.dateOrder == .dayMonthYear)
        let call = try event(rows[0])
        #expect(call.amount == UsageAmount(.voice, quantity: 511_200) && call.line == "1000" && call.day == 17_892)
        #expect(try event(rows[1]).day == 17_870)
        let (data, sessions) = try read("id,user_id,session_date,mb_used\n1_1,1000,29/12/2018,89.86\n")
        #expect(data.kind == .data)
        #expect(try event(sessions[0]).amount.quantity == 94_225_039)
        let (sms, messages) = try read("id,user_id,message_date\n1000_125,1000,27/12/2018\n")
        #expect(sms.kind == .sms)
        #expect(try event(messages[0]).amount == UsageAmount(.sms, quantity: 1))
    }

    @Test("a file of every kind tells kind, roaming, drops, speed and cell row by row, also in Chinese")
    func mixed() throws {
        let (_, rows) = try read(
            """
            话单号,手机号,类型,开始时间,通话时长,流量MB,国家,掉话,速率,小区,版本,作废
            a,13800138000,语音,2026-01-31 23:59:59,61,,CN,是,,c1,,
            b,13800138000,data,2026-01-31T16:30:00Z,,1.5,JP,,42.5,c2,3,否
            c,13800138000,短信,2026/02/01 08:00,,,,,,,,是

            """)
        let voice = try event(rows[0])
        #expect(voice.amount.isDropped && !voice.amount.isRoaming && voice.amount.quantity == 61_000 && voice.amount.cell != nil)
        let data = try event(rows[1])
        #expect(data.amount.isRoaming && data.amount.speed == 42_500 && data.version == 3 && data.amount.quantity == 1_572_864)
        // 16:30 in UTC is the next day in UTC+8.
        #expect(data.day == voice.day + 1)
        #expect(try event(rows[2]).isCancelled)
    }

    @Test("what is wrong with a row is said with its column")
    func rejects() throws {
        let (_, rows) = try read(
            """
            id,msisdn,start,seconds,version
            ,1,2026-01-01,1,
            a,,2026-01-01,1,
            a,1,2026-02-30,1,
            a,1,1999-12-31,1,
            a,1,2031-01-01,1,
            a,1,2026-01-01,x,
            a,1,2026-01-01,-1,
            a,1,2026-01-01,700000,
            a,1,2026-01-01,,
            a,1,soon,1,
            a,1,2026-01-01,1,1.5
            a,1,2026-01-01,1e5,
            """)
        let expected: [String] = [
                "id bad_id", "msisdn no_line", "start no_such_day", "start too_old", "start in_the_future",
                "seconds not_a_number", "seconds out_of_range", "seconds out_of_range", " no_quantity", "start not_an_instant",
                "version bad_version", "seconds not_a_number",
            ]
        #expect(rows.map(code) == expected)
    }

    @Test("days that could be months are refused until somebody says which, and one day past the twelfth settles it for all")
    func order() throws {
        let rows = "id,msisdn,start,seconds\na,1,03/05/2024,1\n"
        #expect(code(try read(rows).1[0]) == "start ambiguous_date")
        #expect(try event(try read(rows, order: .monthDayYear).1[0]).day == 19_787)
        #expect(try event(try read(rows + "b,1,25/05/2024,1\n").1[0]).day == 19_846)
    }

    @Test("a file may have the names that events over HTTP have")
    func namesOfHTTP() throws {
        let header = ["id", "line", "kind", "start", "duration_s", "bytes", "count", "version", "cancel", "roaming"]
        let mapping = try UsageMapping.guess(header, rows: [])
        #expect(mapping.columns[.number] == "line" && mapping.columns[.seconds] == "duration_s" && mapping.columns[.kind] == "kind")
        #expect(mapping.naming(source: "x") == .number)
        let both = try UsageMapping.guess(["id", "line", "msisdn", "start", "seconds"], rows: [])
        #expect(both.columns[.number] == "msisdn")
    }

    @Test("without a column for the id, the line or the start nothing is read, and the error says what to name")
    func missing() {
        for header in ["msisdn,start,seconds", "id,start,seconds", "id,msisdn,seconds"] {
            #expect(throws: CRMError.self) { _ = try read(header + "\n1,2,3\n") }
        }
        #expect(throws: CRMError.self) { _ = try read("id,msisdn,start,seconds,mb\n1,2,2026-01-01,1,1\n") }
        #expect(throws: Never.self) {
            _ = try read("a,b,c,d\n1,2,2026-01-01,4\n", declared: [.id: "a", .number: "b", .start: "c", .seconds: "d"])
        }
        #expect(throws: CRMError.self) { _ = try read("id,msisdn,start\n1,2,3\n", declared: [.seconds: "nowhere"]) }
    }
}
