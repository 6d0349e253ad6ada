import Foundation
import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("search index")
struct SearchIndexTests {
    static let people: [(name: String, phone: String)] = [
        ("王小明", "+8613812345678"), ("王芳", "+8613999995678"), ("欧阳小燕", "+8618600001111"), ("曾国强", "+8613500010002"),
        ("劉德華", "+85291234567"), ("吕布", "+8613700020003"), ("John Smith", "+14155550123"), ("Ann Johnson", "+14155559999"),
        ("Zoë O'Neil-Jones", "+14155557777"), ("Wang Xiaoling", "+8613600030004"), ("杭州星海科技有限公司", "+8657188886666"),
    ]

    static func base() async throws -> (ImportBench, [CustomerID: String]) {
        let bench = try await ImportBench()
        let outcomes = try await bench.apply(
            people.enumerated().map { offset, person in
                [
                    "source_id": .text("REF-\(100 + offset)"), "full_name": .text(person.name),
                    "msisdn": .text(person.phone), "region": .text(offset % 2 == 0 ? "浙江" : "江苏"),
                    "email": .text("user\(offset).mail@example.com"),
                ]
            })
        var names: [CustomerID: String] = [:]
        for (outcome, person) in zip(outcomes, people) { names[try #require(outcome.customer)] = person.name }
        return (bench, names)
    }

    @Test(
        "a customer is found by what people type",
        arguments: [
            // One character of a surname, in either script and width.
            ("王", ["王小明", "王芳"]), ("刘", ["劉德華"]), ("劉德华", ["劉德華"]), ("刘德華", ["劉德華"]), ("歐陽", ["欧阳小燕"]),
            // Pinyin, in pieces, unfinished, and the initials.
            ("wang xiaoming", ["王小明"]), ("wangxiaoming", ["王小明"]), ("Wang Xiao Ming", ["王小明"]),
            ("xiaoming", ["王小明"]), ("wangxiaom", ["王小明"]), ("wxm", ["王小明"]), ("WXM", ["王小明"]), ("ｗｘｍ", ["王小明"]),
            ("oyxy", ["欧阳小燕"]), ("wang", ["王小明", "王芳", "Wang Xiaoling"]), ("ldh", ["劉德華"]), ("hzxh", ["杭州星海科技有限公司"]),
            ("xinghaikeji", ["杭州星海科技有限公司"]),
            // Surnames of two readings, and how an umlaut is typed.
            ("zengguoqiang", ["曾国强"]), ("cengguoqiang", ["曾国强"]), ("zgq", ["曾国强"]), ("cgq", ["曾国强"]), ("lvbu", ["吕布"]), ("lyubu", ["吕布"]),
            ("lubu", ["吕布"]), ("lv", ["吕布"]), ("bu", ["吕布"]), ("xiao", ["王小明", "欧阳小燕", "Wang Xiaoling"]), ("zh", []), ("wang x", ["王小明", "Wang Xiaoling"]),
            // Four digits of a number, wherever, in any width.
            ("1234", ["王小明", "劉德華"]), ("２３４５", ["王小明", "劉德華"]), ("0000", ["欧阳小燕"]), ("138 1234", ["王小明"]), ("123", []),
            // Letters: beginnings, parts, accents, signs within, and what was mistyped.
            ("joh", ["John Smith", "Ann Johnson"]), ("zoe", ["Zoë O'Neil-Jones"]), ("oneil", ["Zoë O'Neil-Jones"]),
            ("o’neil jones", ["Zoë O'Neil-Jones"]), ("Jonson", ["Ann Johnson"]), ("jhonson ann", ["Ann Johnson"]),
            ("Smiht", ["John Smith"]), ("smyth", ["John Smith"]), ("xaioling", ["Wang Xiaoling"]), ("smxyz", []),
            // A surname as it is read and first letters of the rest, of names in characters and in letters; unfinished too.
            ("wangxm", ["王小明"]), ("ouyangxy", ["欧阳小燕"]), ("OuYang XY", ["欧阳小燕"]), ("zenggq", ["曾国强"]), ("cenggq", ["曾国强"]),
            ("liudh", ["劉德華"]), ("wangxl", ["Wang Xiaoling"]), ("wang xl", ["Wang Xiaoling"]), ("hangzhouxh", ["杭州星海科技有限公司"]),
            ("wangxq", []), ("lidh", []),
            // Slips in two words at once, and in a word too short to be kept.
            ("Jhon Smiht", ["John Smith"]), ("smyth jonh", ["John Smith"]), ("wnag xiaoilng", ["Wang Xiaoling"]),
            ("Anm Jonhson", ["Ann Johnson"]), ("Ojhnson Ann", ["Ann Johnson"]), ("Zeo Jnoes", ["Zoë O'Neil-Jones"]), ("Ben Jonhson", []),
            // The rest.
            ("ref-10", Array(people.map(\.name).prefix(10))), ("REF-103", ["曾国强"]), ("user3.mail@example", ["曾国强"]),
            ("小明王", []), ("王 xiaoming", ["王小明"]), ("明 wang", ["王小明"]),
        ] as [(String, [String])])
    func golden(query: String, expected: [String]) async throws {
        let (bench, names) = try await Self.base()
        let found = try await SearchBench.find(query, bench).compactMap { names[$0] }
        #expect(Set(found) == Set(expected), "\(found)")
        #expect(found.count == Set(found).count)
    }

    @Test("who begins with what was typed comes first, and a whole name before all")
    func order() async throws {
        let bench = try await ImportBench()
        let names = ["李小王", "王小", "张王", "王"]
        let ids = try await bench.apply(names.enumerated().map { ["source_id": .text("O\($0)"), "full_name": .text($1)] })
            .compactMap(\.customer)
        let found = try await SearchBench.find("王", bench)
        #expect(found.map { names[ids.firstIndex(of: $0) ?? 0] } == ["王", "王小", "李小王", "张王"])
    }

    @Test("what the caller may not see finds nobody: middles of numbers, names in any spelling, e-mail")
    func masks() async throws {
        let (bench, names) = try await Self.base()
        let analyst = TestTenant.principal([CustomerPermissions.view], roles: [.analyst])
        for query in [
            "1234", "81234567", "王", "wang", "wxm", "wangxiaoming", "john", "Jonson", "user3.mail@example.com", "曾国强",
        ] {
            #expect(try await SearchBench.find(query, bench, analyst).isEmpty, "\(query)")
        }
        #expect(try await SearchBench.find("5678", bench, analyst).count == 2)
        #expect(try await SearchBench.find("13812345678", bench, analyst).compactMap { names[$0] } == ["王小明"])
        let agent = TestTenant.principal([CustomerPermissions.view, Masking.seeNames])
        #expect(try await SearchBench.find("wxm", bench, agent).count == 1)
        #expect(try await SearchBench.find("8123", bench, agent).isEmpty)
        let clerk = TestTenant.principal(
            [CustomerPermissions.view, Masking.seeNames, Masking.seeContacts], regions: ["江苏", "Nowhere"])
        #expect(try await SearchBench.find("wang", bench, clerk).compactMap { names[$0] } == ["Wang Xiaoling", "王芳"])
        #expect(try await SearchBench.find("1234", bench, clerk).isEmpty)
        let nobody = TestTenant.principal(
            [CustomerPermissions.view, Masking.seeNames, Masking.seeContacts], regions: [])
        #expect(try await SearchBench.find("wang", bench, nobody).isEmpty)
    }

    @Test("signs of the engines' own query languages are letters to look for, or nothing")
    func signs() async throws {
        let (bench, _) = try await Self.base()
        for query in [
            "\"", "'", "wang\"", "' | 'x", "a* OR b", "王 AND 芳", "NEAR(王)", "(", ":*", "\\", "&", "!wang", "-wang", "w:ang", "%", "_",
            "王\u{0}", String(repeating: "王", count: 200), String(repeating: "wxyz ", count: 40), "\u{1F600}", "｀",
        ] {
            _ = try await SearchBench.find(query, bench)
        }
        #expect(try await SearchBench.find("\"王芳\"", bench).count == 1)
        #expect(try await SearchBench.find("joh*", bench).count == 2)
    }

    @Test("a change is found by its new words at once and by its old ones no more")
    func changes() async throws {
        let (bench, _) = try await Self.base()
        let database = bench.test.tenant.database
        let id = try #require(try await SearchBench.find("wxm", bench).first)
        _ = try await bench.apply([
            ["source_id": .text("REF-100"), "full_name": .text("赵子龙"), "msisdn": .text("+8613100007531")]
        ])
        for query in ["王小明", "wxm", "wangxiaoming"] {
            #expect(try await !SearchBench.find(query, bench).contains(id), "\(query)")
        }
        for query in ["赵", "zhaozilong", "zzl", "7531"] {
            #expect(try await SearchBench.find(query, bench) == [id], "\(query)")
        }
        try await SearchBench.requireSound(database)
        try await database.write { [ids = bench.test.tenant.ids] session in
            let record = try #require(try CustomerLoader.record(id, session))
            try CustomerWriter(ids: ids, session).remove([record], session)
        }
        #expect(try await SearchBench.find("赵", bench).isEmpty)
        try await SearchBench.requireSound(database)
    }

    @Test("a search reads the index and never the whole table")
    func plans() async throws {
        let (bench, _) = try await Self.base()
        let short = try #require(SearchPinyin.Shortened("liujj"))
        let terms = [
            SearchTerm.all([.token(.character, "王"), .any([.prefix(.syllable, "xia"), .token(.word, "x")])]), short.term,
            short.termOfLetters,
        ]
        let clerk = TestTenant.principal([CustomerPermissions.view], regions: ["浙江"])
        try await bench.test.tenant.database.read { session in
            for (principal, term) in [SearchTests.everybody, clerk].flatMap({ who in terms.map { (who, $0) } }) {
                let builder = SearchIndex.statement(term, limit: 20, principal, session.dialect)
                if session.dialect == .postgres {
                    try session.execute("SET LOCAL enable_seqscan = off")
                    let plan = try session.query(SQL(trusted: "EXPLAIN " + builder.text), builder.arguments) { $0.text(0) }
                        .joined(separator: "; ")
                    #expect(plan.contains("customers_search_text_tokens") && !plan.contains("Seq Scan"), "\(plan)")
                } else {
                    let plan = try session.query(
                        SQL(trusted: "EXPLAIN QUERY PLAN " + builder.text), builder.arguments
                    ) { $0.text(3) }
                    #expect(plan.first?.hasPrefix("SCAN s VIRTUAL TABLE INDEX 0:M") == true, "\(plan)")
                    #expect(plan.dropFirst().allSatisfy { $0.hasPrefix("SEARCH l USING INTEGER PRIMARY KEY") }, "\(plan)")
                }
            }
        }
    }

    // MARK: Words that were mistyped

    @Test("words that are near by counting edits are found near, and no others")
    func nearWords() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("near words: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        func word(_ count: Int) -> String {
            String((0..<count).map { _ in "abcd".randomElement(using: &random) ?? "a" })
        }
        let bench = try await ImportBench()
        let words = Set((0..<300).map { _ in word(Int.random(in: 4...11, using: &random)) })
        let asked = (0..<60).map { _ in word(Int.random(in: 4...11, using: &random)) }
        let database = bench.test.tenant.database
        try await database.write { try SearchWords.note(words, $0) }
        try await database.write { try SearchWords.note(words, $0) }
        for typed in asked {
            let expected = words.filter { other in
                let edits = SearchWords.edits(Array(typed.utf8), Array(other.utf8))
                return edits > 0 && edits <= (min(typed.utf8.count, other.utf8.count) >= 8 ? 2 : 1)
            }
            let found = try await database.read { try SearchWords.near(typed, $0) }
            #expect(found.count == min(expected.count, SearchWords.nearMax), "\(typed) seed \(seed)")
            #expect(Set(found).isSubset(of: expected), "\(typed) seed \(seed)")
        }
    }

    @Test(
        "an edit is a letter more, less or another one, or two that changed places",
        arguments: [
            ("johnson", "jonson", 1), ("smith", "smiht", 1), ("smith", "smyth", 1), ("smith", "smiths", 1), ("ab", "ba", 1),
            ("kitten", "sitting", 3), ("", "abc", 3), ("same", "same", 0), ("ca", "abc", 3),
        ])
    func edits(a: String, b: String, expected: Int) {
        #expect(SearchWords.edits(Array(a.utf8), Array(b.utf8)) == expected)
        #expect(SearchWords.edits(Array(b.utf8), Array(a.utf8)) == expected)
    }

    // MARK: Older bases

    @Test("an older base is searched by its rows until the job has filled the index, and by the index from then on")
    func fill() async throws {
        let bench = try await SearchBench.older()
        let database = bench.test.tenant.database
        let rows: [[String: SQLValue]] = Self.people.enumerated().map {
            ["source_id": .text("F\($0)"), "full_name": .text($1.name), "msisdn": .text($1.phone)]
        }
        let ids = try await bench.apply(rows).compactMap(\.customer)
        try await database.write { try SearchBench.forget(ids, $0) }
        #expect(try await SearchBench.find("王小明", bench) == [ids[0]])
        #expect(try await SearchBench.find("wxm", bench).isEmpty, "the rows know no initials")
        let fill = SearchFill(database: database, clock: bench.test.clock)
        #expect(try await fill.run() == ids.count)
        #expect(try await SearchBench.find("wxm", bench) == [ids[0]])
        #expect(try await SearchBench.find("Jonson", bench) == [ids[7]])
        try await SearchBench.requireSound(database)
        // Rows are still written, for processes of before; what those write is caught up with.
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search WHERE kind = 1") > 0)
        bench.test.clock.advance(seconds: 3_600)
        _ = try await bench.apply([["source_id": .text("F1"), "full_name": .text("赵子龙")]])
        try await database.write { session in
            try SearchIndex.put([[.id(ids[1]), .text("e王芳")]], session)
        }
        #expect(try await fill.run() == 1)
        #expect(try await SearchBench.find("zzl", bench) == [ids[1]])
        try await SearchBench.requireSound(database)
    }

    @Test("a day later the rows of before go, references stay, and what an older process still writes is taken up")
    func contract() async throws {
        let bench = try await SearchBench.older()
        let database = bench.test.tenant.database
        let ids = try await bench.apply([
            ["source_id": .text("F-1"), "full_name": .text("王小明"), "msisdn": .text("+8613812345678")],
            ["source_id": .text("F-2"), "full_name": .text("Ann Lee")],
        ]).compactMap(\.customer)
        let fill = SearchFill(database: database, clock: bench.test.clock)
        try await fill.run()
        #expect(try await database.read { try SearchStep.now($0) } == .full)
        bench.test.clock.advance(seconds: SearchFill.fullMinutes * 60 - 1)
        try await fill.run()
        #expect(try await database.read { try SearchStep.now($0) } == .full)
        bench.test.clock.advance(seconds: 1)
        try await fill.run()
        #expect(try await database.read { try SearchStep.now($0) } == .done)
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search WHERE kind <> 3") == 0)
        #expect(try await SearchBench.find("f-2", bench) == [ids[1]])
        #expect(try await SearchBench.find("5678", bench) == [ids[0]])
        _ = try await bench.apply([["source_id": .text("F-3"), "full_name": .text("李四")]])
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search WHERE kind <> 3") == 0, "not written any more")
        // Somebody whom a process of before made.
        try await database.write { session in
            try SearchBench.forget([ids[1]], session)
            try session.execute(
                "INSERT INTO customers_search (kind, token, customer_id) VALUES (1, 'ann', $1)", [.id(ids[1])])
        }
        #expect(try await SearchBench.find("ann", bench).isEmpty)
        #expect(try await fill.run() == 1)
        #expect(try await SearchBench.find("ann", bench) == [ids[1]])
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search WHERE kind <> 3") == 0)
        try await SearchBench.requireSound(database)
    }

    @Test(
        "migration 0031 has texts of before made anew, in whatever step a base is",
        arguments: [nil, 3, 2, 1, 0] as [Int64?])
    func initialsOfLetters(step: Int64?) async throws {
        let bench = try await ImportBench()
        let database = bench.test.tenant.database
        let ids = try await bench.apply([
            ["source_id": .text("F-1"), "full_name": .text("Zhang Wei")],
            ["source_id": .text("F-2"), "full_name": .text("王小明")],
        ]).compactMap(\.customer)
        bench.test.clock.advance(seconds: 30 * 86_400)
        let seen = bench.test.clock.now()
        try await database.write { session in
            let texts = try session.query("SELECT customer_id, tokens FROM customers_search_text") {
                ($0.int(0), $0.text(1))
            }
            let before = texts.map { id, text in
                [
                    SQLValue.int(id),
                    .text(text.split(separator: " ").filter { $0 != "izw" && $0 != "iwz" }.joined(separator: " ")),
                ]
            }
            try SearchIndex.put(before, session)
            if let step {
                try session.execute(
                    "INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (1, $1, $2, $2)",
                    [.int(step), .time(seen)])
            }
        }
        if step != 0 { #expect(try await SearchBench.find("zw", bench).isEmpty) }
        let path = Checkout.root + "/Sources/Customers/Migrations/0031_initials_of_letters.sql"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter {
            !$0.hasPrefix("--")
        }
        let statements = lines.joined(separator: " ").split(separator: ";").filter { !$0.allSatisfy(\.isWhitespace) }
        try await database.write { session in
            for statement in statements { try session.execute(SQL(trusted: String(statement))) }
        }
        try await SearchFill(database: database, clock: bench.test.clock).run()
        #expect(try await SearchBench.find("zw", bench) == [ids[0]])
        #expect(try await database.read { try SearchStep.now($0) } == (step == 0 || step == 1 ? .full : .done))
        try await SearchBench.requireSound(database)
    }

    @Test("a new base has nothing to fill and writes no rows but references")
    func fresh() async throws {
        let (bench, _) = try await Self.base()
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search_state") == 0)
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_search WHERE kind <> 3") == 0)
        #expect(
            try await SearchFill(database: bench.test.tenant.database, clock: bench.test.clock).run() == 0)
    }
}

@Suite("search by a surname and first letters")
struct SearchShortenedTests {
    @Test(
        "letters are syllables and then two first letters or more, or nothing of the kind",
        arguments: [
            ("liujj", true), ("ouyangxy", true), ("zhangsh", true), ("wangfang", true), ("marryjonse", false), ("liuj", false), ("liuju", false),
            ("ljj", false), ("liujju", false), ("jjliu", false), ("", false), ("1234", false), ("xyzxyz", false),
            (String(repeating: "li", count: 40) + "jj", false),
        ])
    func shape(text: String, isShort: Bool) {
        #expect((SearchPinyin.Shortened(text) != nil) == isShort, "\(text)")
    }

    @Test(
        "the stored name decides: the surname whole, the first letters in their order, and names in letters either way round",
        arguments: [
            ("liujj", "刘娟娟", true), ("liujj", "刘家杰", true), ("liujj", "刘杰", false), ("liujj", "娟娟刘", false), ("liujj", "李娟娟", false),
            ("zhangsh", "张少华", true), ("zhangsh", "张三宏", true), ("zhangsh", "张少", false), ("zhangszh", "张少振", true),
            ("liujj", "Liu Juanjuan", true), ("liujj", "Juan-Juan Liu", true), ("liujj", "Liujuanjuan", true), ("liujj", "Liu Juan", false),
            ("liujj", "Lius Jajaj", false), ("liujj", "John Liu", false), ("lvyy", "吕莹莹", true),
        ])
    func names(text: String, name: String, isMeant: Bool) throws {
        let short = try #require(SearchPinyin.Shortened(text))
        let stored = SearchName(name)
        #expect((short.matches(stored) || short.isSpelled(stored)) == isMeant, "\(text) \(name)")
    }

    @Test(
        "one slip is borne in words too short to be kept, and two letters are another word",
        arguments: [
            ("anm", "ann", true), ("zeo", "zoe", true), ("lui", "liu", true), ("an", "na", true), ("an", "am", false), ("li", "lee", false),
            ("ben", "ann", false), ("jo", "john", false), ("bob", "bo", true), ("bob", "boob", true), ("ann", "ann", true),
        ])
    func slips(typed: String, word: String, isSlip: Bool) {
        #expect(SearchWords.isSlip(typed, word) == isSlip, "\(typed) \(word)")
        #expect(SearchWords.slips(of: typed).contains(word) == isSlip, "\(typed) \(word)")
    }
}
