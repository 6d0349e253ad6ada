import Testing

@testable import Tabular

@Suite("Profile of a file, and repair of its text")
struct FileProfileTests {
    private static func profile(_ text: String, name: String = "f.csv") throws -> FileProfile {
        var reader = TabularReader(options: TabularOptions(name: name), bytes: Array(text.utf8))
        var profiler = FileProfiler()
        return try profiler.profile(&reader, name: name, bytes: text.utf8.count, unpacked: nil)
    }

    @Test("numbers: quantiles, outliers with their lines, likely keys and repeated rows")
    func numbers() throws {
        var text = "id,amount,plan\n"
        for row in 1...100 { text += "K\(row),\(row),\(row % 2 == 0 ? "A" : "B")\n" }
        text += "K7,7,B\nK101,9000,A\n"
        let profile = try Self.profile(text)
        #expect(profile.rows == 102)
        #expect(profile.duplicateRows == 1)
        let (id, amount, plan) = (profile.columns[0], profile.columns[1], profile.columns[2])
        #expect(id.isLikelyKey)
        #expect(id.keyDuplicates == 1)
        #expect(id.shapes.first == .init(value: "A99", count: 90))
        #expect(amount.quantiles?[2] == 50.5)
        #expect(amount.outliers?.count == 1)
        #expect(amount.outliers?.examples == [.init(line: 103, value: "9000")])
        #expect(plan.top == [.init(value: "A", count: 51), .init(value: "B", count: 51)])
        #expect(!plan.isLikelyKey)
    }

    @Test("more different values than are counted are estimated within 5 %, and frequent ones are still found")
    func many() throws {
        var text = "v,w\n"
        for row in 0..<60_000 { text += "x\(row),\(row % 3 == 0 ? "often" : "r\(row)")\n" }
        let profile = try Self.profile(text)
        #expect(profile.columns[0].isDistinctEstimate)
        #expect(abs(profile.columns[0].distinct - 60_000) < 3_000, "\(profile.columns[0].distinct)")
        #expect(profile.columns[1].top.first?.value == "often")
        let low = profile.columns[1].top.first?.count ?? 0
        #expect(low <= 20_000)
        #expect(low + profile.columns[1].topShortfall >= 20_000)
    }

    @Test("HyperLogLog is within 5 % from 10 to a million", arguments: [10, 1_000, 5_000, 20_000, 1_000_000])
    func sketch(count: Int) {
        var sketch = HyperLogLog()
        for value in 0..<count { for _ in 0..<2 { sketch.add(ValueProfiler.mixed(UInt64(value))) } }
        #expect(abs(sketch.estimate - count) * 20 <= count, "\(sketch.estimate)")
    }

    @Test("personal columns are known by their values or their name")
    func personal() throws {
        let profile = try Self.profile(
            "a,b,客户姓名,c,plan_name,surname\n13800138000,x@y.org,张伟,11010519491231002X,Gold,Li\n"
                + "13900139000,z@y.org,李娜,110105194912310038,Gold,Wu\n")
        #expect(profile.columns.map(\.personal) == ["phone", "email", "name", "identity", "name", "name"])
    }

    @Test("identity numbers are told by the government that gives them out, and those with a wrong check digit by their lines")
    func identities() throws {
        let profile = try Self.profile(
            "证件号码,ref,a\nA123456789,C000012345,11010519491231002X\nA123456788,C000012346,110105194912310021\n"
                + "A123456(3),C000012348,11010519491231002X\n1234567(8),C000012351,11010519491231002X\n护照 E1,C000012352,\n")
        let found = profile.columns[0].identities
        #expect(found?.kinds.map { "\($0.value) \($0.count)" } == ["hong_kong 1", "macau 1", "taiwan 1"])
        #expect(found?.wrong == 1 && found?.wrongLines == [3])
        #expect(profile.columns[0].personal == "identity")
        #expect(profile.columns[1].personal == nil && profile.columns[1].identities == nil, "customer numbers look like that too")
        #expect(profile.columns[2].personal == "identity" && profile.columns[2].identities?.kinds.map(\.count) == [3])
        #expect(profile.columns[2].identities?.wrongLines == [3])
        // Lines and counts are nobody's values.
        #expect(profile.masked().columns[0].identities == found)
    }

    @Test("a column of e-mail addresses tells those that are none, with their lines; a name or a text is not asked")
    func wrongEmails() throws {
        let profile = try Self.profile(
            "email,note\na@x.org,one\nwangfang@@bad,two@x\nb@x,three\nc@y.org,four\n,five\nd@z.cn,six\ne f@z.cn,seven\n")
        let found = profile.columns[0].wrongEmails
        #expect(found?.count == 3)
        #expect(found?.examples.map(\.line) == [3, 4, 8] && found?.examples.first?.value == "wangfang@@bad")
        #expect(profile.columns[1].wrongEmails == nil)
        #expect(profile.masked().columns[0].wrongEmails?.examples.first?.value == "w*******")
    }

    @Test("a key that comes twice is told in a small file too, where its heading calls it one")
    func keyTwice() throws {
        let profile = try Self.profile("客户编号,customer_id,mobile number,city\nC1,A,1,x\nC2,B,1,y\nC1,C,2,x\nC4,C,3,z\nC5,D,4,w\n")
        #expect(profile.columns.map(\.isLikelyKey) == [true, true, false, false])
        #expect(profile.columns.map(\.keyDuplicates) == [1, 1, nil, nil])
        #expect(profile.columns[0].top.first == .init(value: "C1", count: 2))
        let many = try Self.profile("id\n" + (0..<30).map { "K\($0 % 10)\n" }.joined())
        #expect(!many.columns[0].isLikelyKey, "what comes three times names no record")
    }

    @Test(
        "numbers that stand for a missing value are told: below zero where nothing else is, far above all others",
        arguments: [
            ("20 31 -99 45 -99", ["-99 2"]), ("20 31 -99 45", ["-99 1"]), ("20 -31 -99 45", []), ("1 2 -1 3", []),
            ("1 2 -1 3 -1 -1", ["-1 3"]), ("20 31 999 45 999 999", ["999 3"]), ("20 31 999 45", []),
            ("200 310 999 450 999 999", []), ("-99 -99", []), ("1.5 2.5 -9999", ["-9999 1"]),
        ])
    func missingCodes(values: String, expected: [String]) throws {
        let text = "n,x\n" + values.split(separator: " ").map { "\($0),a\n" }.joined()
        #expect(try Self.profile(text).columns[0].missingCodes.map { "\($0.value) \($0.count)" } == expected, "\(values)")
    }

    @Test("orders of dates: mixed, swapped by a program, and which lines are ambiguous")
    func dates() throws {
        let mixed = try Self.profile("d\n13/05/2024\n05/14/2024\n03/04/2024\n").columns[0].dates
        #expect(mixed?.verdict == .mixed)
        #expect(mixed?.ambiguousLines == [4])
        #expect(try Self.profile("d\n13/05/2024\n03/04/2024\n").columns[0].dates?.verdict == .dayFirst)
        #expect(try Self.profile("d\n03/04/2024\n05/06/2024\n").columns[0].dates?.verdict == .unknown)
        #expect(try Self.profile("d\n2024-03-04\n2024-03-24\n").columns[0].dates?.verdict == .clear)
        let swapped = try Self.profile("d\n22-04-15\n2015-04-08\n18-04-15\n2015-05-06\n").columns[0].dates
        #expect(swapped?.verdict == .swapped)
        #expect(swapped?.ambiguousLines == [3, 5])
    }

    @Test("dates in several orders with some that do not exist are told with lines, though the column is a text")
    func severalOrders() throws {
        let text = "when\n13/05/2024\n05/14/2024\n03/04/2024\n31/02/2024\n45/13/2024\n2024-01-05\n2024-02-30\n"
        let column = try Self.profile(text).columns[0]
        #expect(column.type == .text)
        let dates = try #require(column.dates)
        #expect(dates.verdict == .mixed && [dates.dayFirst, dates.monthFirst, dates.yearFirst] == [1, 1, 1])
        #expect(dates.impossible == 3 && dates.ambiguousLines == [4])
        #expect(
            dates.impossibleExamples == [
                .init(line: 5, value: "31/02/2024"), .init(line: 6, value: "45/13/2024"),
                .init(line: 8, value: "2024-02-30"),
            ])
        #expect(column.notices.contains { $0.value == "impossible_dates" && $0.count == 3 })
        #expect(try Self.profile("ssn\n45-67-8901\n46-68-8902\n").columns[0].dates == nil, "numbers are no dates")
    }

    @Test("values that do not fit are told with their line")
    func exceptionLines() throws {
        let text = "n\n" + (0..<99).map { "\($0)\n" }.joined() + "x\n"
        #expect(try Self.profile(text).columns[0].exceptions == [.init(line: 101, value: "x")])
    }

    @Test("the complaints' Date column mixes two orders, and the other date column does not")
    func comcast() throws {
        guard let bytes = sharedData("complaints-comcast/Comcast_telecom_complaints_data.csv") else { return }
        var reader = TabularReader(options: TabularOptions(name: "c.csv"), bytes: bytes)
        var profiler = FileProfiler()
        let profile = try profiler.profile(&reader, name: "c.csv", bytes: bytes.count, unpacked: nil)
        #expect(profile.rows == 2_224)
        let date = try #require(profile.columns.first { $0.name == "Date" })
        #expect(date.dates?.verdict == .swapped)
        // Rows whose day is 12 or less, by the column that names the month.
        let table = try TableData.read(options: TabularOptions(name: "c.csv"), bytes: bytes)
        let safe = table.cells[try #require(table.index(of: "Date_month_year"))]
        let low = safe.count { Int($0?.prefix(2) ?? "") ?? 99 <= 12 }
        #expect(date.dates?.ambiguous == low)
        #expect(profile.columns.first { $0.name == "Date_month_year" }?.dates == nil)
    }

    @Test("broken text is repaired where nothing is lost, refused where it is, and good text is left alone")
    func repair() throws {
        func latin(_ bytes: [UInt8]) -> String {
            var out: [UInt8] = []
            var transcoder = Transcoder(encoding: .windows1252, onUndecodable: .replace)
            try? transcoder.decode(bytes, into: &out)
            return String(decoding: out, as: UTF8.self)
        }
        func asGBK(_ bytes: [UInt8]) -> String {
            var out: [UInt8] = []
            var transcoder = Transcoder(encoding: .gb18030, onUndecodable: .replace)
            try? transcoder.decode(bytes, into: &out)
            try? transcoder.finish(into: &out)
            return String(decoding: out, as: UTF8.self)
        }
        #expect(TextRepair.judge(latin(Array("Café Zürich".utf8))) == .repaired("Café Zürich", .utf8AsLatin))
        #expect(TextRepair.judge(latin(try bytes("北京市客户", .gb18030))) == .repaired("北京市客户", .gbkAsLatin))
        #expect(TextRepair.judge(asGBK(Array("客户姓名电话".utf8))) == .repaired("客户姓名电话", .utf8AsGBK))
        #expect(TextRepair.judge("张\u{FFFD}") == .refused(.lost))
        #expect(TextRepair.judge("锟斤拷锟斤拷") == .refused(.lost))
        for good in [
            "Müller", "Søren Kierkegård", "naïve café", "张伟", "北京市海淀区中关村大街1号", "聯通電信", "龘靐齉", "Ωμέγα", "Привет",
            "日本語テキスト", "한국어", "£5 – “quote”", "😀", "20 °C ±2", "联通", "魑魅魍魉", "鳄鱼", "饕餮",
        ] { #expect(TextRepair.judge(good) == .fine, "\(good)") }
        let long = try Self.profile("n\n" + String(repeating: "客户", count: 1_500) + "\n")
        #expect(long.columns[0].mojibake == nil, "a long text is not cut within a character")
        let profile = try Self.profile("n\nMÃ¼ller\nMeier\nZ\u{FFFD}rich\n")
        #expect(profile.columns[0].mojibake?.repairable == 1)
        #expect(profile.columns[0].mojibake?.lost == 1)
        #expect(profile.columns[0].mojibake?.repaired == "Müller")
        #expect(profile.columns[0].mojibake?.examples.map(\.line) == [2, 4])
    }

    @Test("no real Chinese or English of the shared files is taken for broken text", arguments: [
        "complaints-citizen-zh/附件2.xlsx", "satisfaction-beijing-mobile/附件1语音业务用户满意度数据.xlsx",
        "intents-bitext-20k/TrainingdatasetBitextsample.csv",
    ])
    func noFalseAlarm(file: String) throws {
        guard let bytes = sharedData(file) else { return }
        let read = try Unwrapped(bytes, name: file)
        var wrong: [String] = []
        for row in read.rows {
            for cell in row where TextRepair.judge(cell) != .fine { wrong.append(String(cell.prefix(40))) }
        }
        #expect(wrong.count * 1_000 <= read.rows.count, "\(wrong.count): \(wrong.prefix(5))")
    }

    @Test("whatever bytes a file holds, its profile has every row")
    func anyBytes() throws {
        var generator = seeded("profile bytes")
        for _ in 0..<200 {
            let text = "a,b\n" + String(decoding: (0..<400).map { _ in UInt8.random(in: 0...255, using: &generator) }, as: UTF8.self)
            guard let profile = try? Self.profile(text) else { continue }
            #expect(profile.columns.allSatisfy { $0.total == profile.rows })
        }
    }
}
