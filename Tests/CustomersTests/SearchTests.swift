import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("customer search")
struct SearchTests {
    static let everybody = TestTenant.principal([
        CustomerPermissions.view, Masking.seeNames, Masking.seeContacts, Masking.seeIdentity,
    ])

    /// A few people with known names and numbers; returns names by id.
    static func base() async throws -> (ImportBench, [CustomerID: String]) {
        let bench = try await ImportBench()
        let people: [(String, String, String)] = [
            ("王小明", "+8613812345678", "浙江"), ("王芳", "+8613999995678", "江苏"), ("欧阳小燕", "+8618600001111", "浙江"),
            ("John Smith", "+14155550123", "California"), ("Joan Smithers", "+14155559999", "California"),
            ("杭州星海科技有限公司", "+8657188886666", "浙江"),
        ]
        let outcomes = try await bench.apply(
            people.enumerated().map { offset, person in
                [
                    "source_id": .text("7590-AB\(offset)"), "full_name": .text(person.0), "msisdn": .text(person.1),
                    "region": .text(person.2), "document_number": .text("33010119900101\(offset)758"),
                ]
            })
        var names: [CustomerID: String] = [:]
        for (outcome, person) in zip(outcomes, people) { names[try #require(outcome.customer)] = person.0 }
        return (bench, names)
    }

    static func find(
        _ query: String, _ bench: ImportBench, _ names: [CustomerID: String], _ principal: Principal = everybody,
        limit: Int = 20
    ) async throws -> Set<String> {
        let ids = try await bench.test.tenant.database.read {
            try CustomerSearch.find(query, limit: limit, principal, $0)
        }
        #expect(Set(ids).count == ids.count)
        return Set(ids.compactMap { names[$0] })
    }

    @Test(
        "names in letters are found by their initials, of words and of syllables, in either order",
        arguments: [
            ("zw", ["Zhang Wei"]), ("wz", ["Zhang Wei"]), ("OYXW", ["OUYANG Xiuwen"]), ("xwoy", ["OUYANG Xiuwen"]),
            ("oyx", ["OUYANG Xiuwen"]),
            ("js", ["John Smith", "Joan Smithers"]), ("sj", ["John Smith", "Joan Smithers"]), ("oyw", []),
        ] as [(String, [String])])
    func latinInitials(query: String, expected: [String]) async throws {
        let bench = try await ImportBench()
        let all = ["Zhang Wei", "OUYANG Xiuwen", "John Smith", "Joan Smithers", "王小明"]
        let outcomes = try await bench.apply(
            all.enumerated().map { ["source_id": .text("L\($0)"), "full_name": .text($1)] })
        let names = Dictionary(zip(outcomes.compactMap(\.customer), all), uniquingKeysWith: { first, _ in first })
        #expect(try await Self.find(query, bench, names) == Set(expected))
    }

    @Test(
        "names in letters are found by the surname and first letters, however the given name is written",
        arguments: [
            ("liujj", ["Liu Juanjuan", "Juan-Juan Liu", "Liujuanjuan", "Liu Jia Jie"]), ("liu xg", ["Liu Xiaoguang"]), ("zhangxa", ["Zhang Xian"]),
            ("ouyangzw", ["Ouyang Zhiwen"]), ("ouyangzhw", ["Ouyang Zhiwen"]), ("linqq", []), ("abqq", []),
        ] as [(String, [String])])
    func surnameAndInitials(query: String, expected: [String]) async throws {
        let bench = try await ImportBench()
        let all = [
            "Liu Juanjuan", "Juan-Juan Liu", "Liujuanjuan", "Liu Jia Jie", "Liu Xiaoguang", "Ouyang Zhiwen", "Zhang Xian", "Liu Juan", "John Liu",
            "Lin Quentin",
        ]
        let outcomes = try await bench.apply(
            all.enumerated().map { ["source_id": .text("L\($0)"), "full_name": .text($1)] })
        let names = Dictionary(zip(outcomes.compactMap(\.customer), all), uniquingKeysWith: { first, _ in first })
        #expect(try await Self.find(query, bench, names) == Set(expected))
    }

    @Test("who may not look for something is told so by the form of what was typed, not by whether it is there")
    func refusals() {
        let agent = TestTenant.principal([CustomerPermissions.view, Masking.seeNames])
        let identity = MatchDesk.identity(7)
        #expect(CustomerSearch.refusal(identity, agent)?.en.contains("See whole identity numbers") == true)
        #expect(CustomerSearch.refusal(identity, agent)?.zh.contains("查看完整证件号码") == true)
        #expect(CustomerSearch.refusal("wei@example.com", agent)?.en.contains("e-mail") == true)
        for text in ["王小明", "13812345678", "wei@", "110101199001010000", ""] {
            #expect(CustomerSearch.refusal(text, agent) == nil, "\(text)")
        }
        #expect(
            CustomerSearch.refusal(identity, Self.everybody) == nil
                && CustomerSearch.refusal("wei@example.com", Self.everybody) == nil)
    }

    @Test(
        "names are found by one character, a part, a word and the whole",
        arguments: [
            ("王", ["王小明", "王芳"]), ("小", ["王小明", "欧阳小燕"]), ("小燕", ["欧阳小燕"]), ("欧阳小燕", ["欧阳小燕"]),
            ("星海", ["杭州星海科技有限公司"]), ("smith", ["John Smith", "Joan Smithers"]),
            ("JO", ["John Smith", "Joan Smithers"]),
            ("john sm", ["John Smith"]), ("smith joan", ["Joan Smithers"]), ("mith", ["John Smith", "Joan Smithers"]),
            ("MITHER", ["Joan Smithers"]), ("oan", ["Joan Smithers"]), ("mith oh", ["John Smith"]), ("ohn her", []),
            ("小明王", []), ("明 王", ["王小明"]), ("王 燕", []), ("杭州星科", ["杭州星海科技有限公司"]), ("星海公司", ["杭州星海科技有限公司"]),
            ("公司星海", []), ("欧小燕", ["欧阳小燕"]),
            ("ｊｏｈｎ", ["John Smith"]),
        ] as [(String, [String])])
    func names(query: String, expected: [String]) async throws {
        let (bench, names) = try await Self.base()
        #expect(try await Self.find(query, bench, names) == Set(expected))
    }

    @Test(
        "numbers are found whole, in any spelling, and by a tail of four digits or more",
        arguments: [
            ("13812345678", ["王小明"]), ("+86 138 1234 5678", ["王小明"]), ("8613812345678", ["王小明"]),
            ("5678", ["王小明", "王芳"]), ("95678", ["王芳"]), ("678", []), ("1234", ["王小明"]), ("3812", ["王小明"]),
            ("86138", ["王小明"]), ("8138-1234", []), ("99999", ["王芳"]), ("9999", ["王芳", "Joan Smithers"]), ("0571 8888", ["杭州星海科技有限公司"]), ("(0571) 8888-6666", ["杭州星海科技有限公司"]),
            ("１３８１２３４５６７８", ["王小明"]), ("王小明 13812345678", ["王小明"]), ("5678 王", ["王小明", "王芳"]), ("wang 5678", ["王小明", "王芳"]),
            ("王芳 138 1234 5678", []), ("john 0123", ["John Smith"]), ("xiaoming 5678", ["王小明"]),
        ] as [(String, [String])])
    func numbers(query: String, expected: [String]) async throws {
        let (bench, names) = try await Self.base()
        #expect(try await Self.find(query, bench, names) == Set(expected))
    }

    @Test("a source's number is found by its beginning, and so is a document from six characters on")
    func identifiers() async throws {
        let (bench, names) = try await Self.base()
        #expect(try await Self.find("7590-ab3", bench, names) == ["John Smith"])
        #expect(try await Self.find("7590", bench, names).count == 6)
        #expect(try await Self.find("330101199001013758", bench, names) == ["John Smith"])
        #expect(try await Self.find("330101199001013", bench, names) == ["John Smith"])
        #expect(try await Self.find("33010119900101", bench, names).count == 6)
        #expect(try await Self.find("330101", bench, names).count == 6)
        #expect(try await Self.find("33010", bench, names).isEmpty)
        #expect(try await Self.find("3010119900101", bench, names).isEmpty, "the beginning, not any part")
        let clerk = TestTenant.principal([CustomerPermissions.view, Masking.seeNames, Masking.seeContacts])
        #expect(try await Self.find("33010119900101", bench, names, clerk).isEmpty, "only for who may see it")
        #expect(try await Self.find("330101199001013758", bench, names, clerk).isEmpty)
    }

    @Test(
        "a character and the first letter of the next one, and pinyin in one word with a slip of the pen",
        arguments: [
            ("王x", ["王小明"]), ("王f", ["王芳"]), ("王m", []), ("小m", ["王小明"]), ("王小m", ["王小明"]), ("王小y", []), ("欧阳x", ["欧阳小燕"]),
            ("wangxiaomign", ["王小明"]), ("wagnfang", ["王芳"]), ("wanggfang", ["王芳"]), ("ouyangxiaoyna", ["欧阳小燕"]), ("wangxiaomnga", []),
            ("wagnf", []),
        ] as [(String, [String])])
    func initialsAndSlips(query: String, expected: [String]) async throws {
        let (bench, names) = try await Self.base()
        #expect(try await Self.find(query, bench, names) == Set(expected))
        let blind = TestTenant.principal([CustomerPermissions.view, Masking.seeContacts])
        #expect(try await Self.find(query, bench, names, blind).isEmpty, "names are found by who sees them")
    }

    @Test("customers of other regions are not found")
    func scope() async throws {
        let (bench, names) = try await Self.base()
        let clerk = TestTenant.principal(
            [CustomerPermissions.view, Masking.seeNames, Masking.seeContacts], regions: ["浙江"])
        #expect(try await Self.find("王", bench, names, clerk) == ["王小明"])
        #expect(try await Self.find("13999995678", bench, names, clerk).isEmpty)
        #expect(try await Self.find("7590-ab3", bench, names, clerk).isEmpty)
    }

    @Test("what is masked cannot be searched for: part numbers, names and documents are for those who see them")
    func maskHolds() async throws {
        let (bench, names) = try await Self.base()
        let analyst = TestTenant.principal([CustomerPermissions.view], roles: [.analyst])
        for query in [
            "95678", "345678", "2345678", "38123456", "王", "王小明", "smith", "John Smith", "330101199001013758",
        ] {
            #expect(try await Self.find(query, bench, names, analyst).isEmpty, "\(query)")
        }
        for query in ["13812345678", "+86 138 1234 5678", "8613812345678", "138-1234-5678"] {
            #expect(try await Self.find(query, bench, names, analyst) == ["王小明"], "\(query)")
        }
        #expect(try await Self.find("+1 415 555 0123", bench, names, analyst) == ["John Smith"])
        #expect(try await Self.find("5678", bench, names, analyst) == ["王小明", "王芳"])
        #expect(try await Self.find("7590-ab3", bench, names, analyst) == ["John Smith"])
        let agent = TestTenant.principal([CustomerPermissions.view, Masking.seeNames], roles: [.agent])
        #expect(try await Self.find("smith", bench, names, agent).count == 2)
        #expect(try await Self.find("95678", bench, names, agent).isEmpty)
        #expect(try await Self.find("330101199001013758", bench, names, agent).isEmpty)
    }

    @Test("two words meet however many names hold each of them")
    func manyNames() async throws {
        let bench = try await ImportBench()
        for start in stride(from: 0, to: 2_400, by: 400) {
            _ = try await bench.apply(
                (start..<start + 400).map { index in
                    [
                        "source_id": .text("N\(index)"),
                        "full_name": .text(
                            index == 2_399 ? "Zoe Johnson" : index % 2 == 0 ? "Ann Johnson" : "Zoe Miller"),
                    ]
                })
        }
        let ids = try await bench.test.tenant.database.read {
            try CustomerSearch.find("zoe johnson", limit: 5, Self.everybody, $0)
        }
        #expect(ids.count == 1)
    }

    @Test("hits are masked by role and name the customer for the audit")
    func masked() async throws {
        let (bench, _) = try await Self.base()
        let analyst = TestTenant.principal([CustomerPermissions.view], roles: [.analyst])
        let request = PanelRequest(
            customers: [], principal: analyst, masking: Masking(analyst), language: .zh,
            now: bench.test.clock.now(), assets: "")
        let hits = try await bench.test.tenant.database.read { session in
            try CustomerSearch.source().find("13812345678", 5, request, session)
        }
        #expect(hits.map(\.title) == ["王**"])
        #expect(hits.first?.subtitle.contains("138****5678") == true)
        #expect(hits.first?.subject?.kind == "customer")
        #expect(hits.first?.path.contains("138") == false)
    }

    @Test(
        "tokens of a Chinese name are its suffixes, of others its words and their suffixes of three letters and more",
        arguments: [
            ("王小明", ["王小明", "小明", "明"]), ("john smith", ["john", "smith", "ohn", "mith", "ith"]),
            ("5g公司 ltd", ["5g公司", "ltd", "g公司", "公司", "司"]),
        ] as [(String, [String])])
    func tokens(name: String, expected: [String]) {
        #expect(SearchTokens.name(name) == expected)
    }

    @Test("parts of a name are the same, whether its scalars or its characters are walked")
    func parts() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("name parts: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let pieces = ["王", "龍", "鿿", "䷀", "john", " ", " ", "o'neil", "x", "9", "ж", "ö", "e\u{301}", "👩‍👧", "ab"]
        for _ in 0..<300 {
            let drawn = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let name = drawn.joined()
            var expected = name.split(separator: " ").map(String.init)
            for word in expected {
                let isChinese = word.unicodeScalars.contains(where: SearchTokens.isHan)
                let least = isChinese ? 1 : SearchTokens.latinPartMin
                var rest = word.dropFirst()
                var left = isChinese ? SearchTokens.tokensMax : SearchTokens.latinPartsMax
                while rest.count >= least, left > 0, expected.count < SearchTokens.tokensMax {
                    expected.append(String(rest))
                    rest = rest.dropFirst()
                    left -= 1
                }
            }
            #expect(SearchTokens.name(name) == expected, "\(name) seed \(seed)")
        }
        #expect(SearchTokens.reversedDigits("+86 138-0013") == "3100831" + "68")
        #expect(SearchTokens.reversedDigits("１３8") == "831")
    }
}
