import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TestSupport
import Testing

@testable import Ingest

@Suite("Rules")
struct RuleTests {
    // MARK: Patterns

    @Test(
        "a pattern takes the whole text and nothing else",
        arguments: [
            ("a", "a", true), ("a", "aa", false), ("a+", "aaa", true), ("a*", "", true), ("a?b", "b", true),
            ("[a-c]{2,3}", "abc", true), ("[a-c]{2,3}", "a", false), ("[a-c]{2,3}", "abca", false),
            ("[^0-9]+", "abc", true), ("[^0-9]+", "ab1", false), (#"\d{6}"#, "100000", true),
            (#"\d{6}"#, "10000", false),
            ("(ab|cd)+e", "abcde", true), ("(ab|cd)+e", "abe", true), ("(ab|cd)+e", "e", false),
            (#"\w+@\w+\.com"#, "a@b.com", true), ("[一-龥]+", "王伟", true), ("[一-龥]+", "Wang", false),
            ("^x$", "x", true), ("(a*)*b", "aaab", true), ("a{0}b", "b", true), ("a{2,}", "aaaa", true),
            ("a|", "", true), (#"\."#, ".", true), (#"[\d-]+"#, "1-2", true), (".", "👍", true),
        ])
    func patterns(pattern: String, text: String, expected: Bool) throws {
        #expect(try SafePattern(pattern).matches(text) == expected, "\(pattern) \(text)")
    }

    @Test(
        "a pattern that is none says what is wrong with it",
        arguments: [
            "", "(", ")", "[", "[]", "a{3,2}", "a{", "*", "(?=a)", #"\p"#, "a{101}", "((((a{50}){50}){50}))", "[b-a]",
            "\\",
        ])
    func badPatterns(pattern: String) {
        let error = #expect(throws: SafePattern.Invalid.self) { _ = try SafePattern(pattern) }
        #expect(error.map { !$0.words.en.isEmpty && !$0.words.zh.isEmpty } ?? false)
    }

    @Test("patterns that make a backtracking engine stand still take steps by length times states")
    func linear() throws {
        // 2^1000 ways for an engine that tries them one after another: this test would not end.
        for pattern in ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)*x", "((a*)*)*b", "(a?){50}a{50}b"] {
            #expect(try !SafePattern(pattern).matches(String(repeating: "a", count: 1_000)), "\(pattern)")
        }
        #expect(try !SafePattern("a*").matches(String(repeating: "a", count: SafePattern.textMax + 1)))
    }

    @Test("a pattern agrees with a plain matcher on random patterns", arguments: [1, 2, 3, 4] as [UInt64])
    func oracle(seed: UInt64) throws {
        var random = SplitMix(seed)
        func pattern(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 0 ? 7 : 3), using: &random) {
            case 0: "a"
            case 1: "b"
            case 2: "[ab]"
            case 3: "(" + pattern(depth - 1) + "|" + pattern(depth - 1) + ")"
            case 4: "(" + pattern(depth - 1) + ")*"
            case 5: "(" + pattern(depth - 1) + "){1,2}"
            default: pattern(depth - 1) + pattern(depth - 1)
            }
        }
        for _ in 0..<150 {
            let source = pattern(3)
            guard let mine = try? SafePattern(source) else { continue }
            let regex = try Regex(source)
            for _ in 0..<8 {
                let text = String(
                    (0..<Int.random(in: 0...6, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
                #expect(
                    mine.matches(text) == (try regex.wholeMatch(in: text) != nil), "seed \(seed) \(source) “\(text)”")
            }
        }
    }

    // MARK: Parameters

    @Test(
        "parameters are read strictly",
        arguments: [
            ("range", "warn", #"{"min": 1, "max": 2}"#, true), ("range", "warn", #"{"min": 2, "max": 1}"#, false),
            ("range", "warn", "{}", false), ("range", "warn", #"{"min": "today-120y"}"#, true),
            ("range", "warn", #"{"min": "yesterday"}"#, false),
            ("range", "warn", #"{"min": 1, "max": "today"}"#, false),
            ("range", "warn", #"{"min": 1, "least": 2}"#, false), ("range", "warn", #"{"min": true}"#, false),
            ("required", "reject", #"{"any": true}"#, true), ("required", "reject", #"{"any": 1}"#, false),
            ("required", "reject", "", true), ("required", "reject", "[]", false), ("required", "reject", "{", false),
            ("required", "reject", #"{"any": true, "any": true}"#, false),
            ("pattern", "warn", #"{"regex": "a+"}"#, true), ("pattern", "warn", #"{"regex": "("}"#, false),
            ("pattern", "warn", #"{"format": "e164"}"#, true), ("pattern", "warn", #"{"format": "zebra"}"#, false),
            ("pattern", "warn", #"{"regex": "a", "format": "e164"}"#, false),
            ("pattern", "fix", #"{"format": "tidy"}"#, false),
            ("pattern", "fix", #"{"format": "tidy", "repair": "trim"}"#, true),
            ("pattern", "fix", #"{"format": "tidy", "repair": "trim", "else": "reject"}"#, true),
            ("pattern", "fix", #"{"format": "tidy", "repair": "trim", "else": "fix"}"#, false),
            ("pattern", "fix", #"{"format": "tidy", "repair": "date_order"}"#, false),
            ("pattern", "warn", #"{"format": "tidy", "repair": "trim"}"#, false),
            ("code", "warn", #"{"values": ["a"]}"#, true), ("code", "warn", #"{"values": []}"#, false),
            ("code", "warn", #"{"values": [1]}"#, false), ("reference", "warn", #"{"to": "source_id"}"#, true),
            ("reference", "warn", #"{"to": "shoe_size"}"#, false),
            ("cross", "warn", #"{"op": "<=", "with": "left_on"}"#, true),
            ("cross", "warn", #"{"op": "~", "with": "left_on"}"#, false), ("cross", "warn", #"{"op": "<"}"#, false),
            ("fresh", "warn", #"{"days": 30}"#, true), ("fresh", "warn", #"{"days": 0}"#, false),
            ("fresh", "warn", #"{"days": 1.5}"#, false), ("unique", "warn", "{}", true),
            ("unique", "warn", #"{"when": {"field": "kind", "in": ["a"]}}"#, true),
            ("unique", "warn", #"{"when": {"field": "kind"}}"#, false),
            ("unique", "warn", #"{"when": {"field": "kind", "in": ["a"], "not": 1}}"#, false),
        ])
    func parameters(kind: String, severity: String, text: String, isGood: Bool) throws {
        let (kind, severity) = (try #require(RuleKind(rawValue: kind)), try #require(RuleSeverity(rawValue: severity)))
        guard isGood else {
            let error = #expect(throws: CRMError.self) { _ = try RuleParameters.parse(text, kind, severity) }
            #expect(error?.status == 422 && error?.fields.first?.field == "parameters")
            return
        }
        let read = try RuleParameters.parse(text, kind, severity)
        #expect(try RuleParameters.parse(read.encoded(kind, severity), kind, severity) == read)
    }

    @Test(
        "what is written of parameters is read as the same, and noise never as anything",
        arguments: [21, 22, 23] as [UInt64])
    func properties(seed: UInt64) throws {
        var random = SplitMix(seed)
        func bound() -> RuleBound {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .number(Double(Int.random(in: -9_999...9_999, using: &random)) / 4)
            case 1:
                .today(
                    years: Int.random(in: -200...200, using: &random), days: Int.random(in: -400...400, using: &random))
            default: .date(LocalDate(daysSinceEpoch: Int.random(in: -20_000...40_000, using: &random)))
            }
        }
        for _ in 0..<400 {
            let kind = try #require(RuleKind.allCases.randomElement(using: &random))
            var parameters = RuleParameters()
            switch kind {
            case .required: parameters.any = Bool.random(using: &random)
            case .type, .unique: break
            case .range: if Bool.random(using: &random) { parameters.min = bound() } else { parameters.max = bound() }
            case .pattern: parameters.format = RuleFormat.allCases.randomElement(using: &random)
            case .code:
                parameters.values = (0...Int.random(in: 0...5, using: &random)).map { "值\"\\\n\($0)" }
                parameters.ignoresCase = Bool.random(using: &random)
            case .reference: parameters.to = RuleParameters.references.randomElement(using: &random)
            case .cross:
                parameters.op = RuleComparison.allCases.randomElement(using: &random)
                parameters.with = "left_on"
            case .fresh: parameters.days = Int.random(in: 1...36_500, using: &random)
            }
            if Bool.random(using: &random) { parameters.condition = RuleCondition(field: "kind", values: ["个人", "b"]) }
            var severity = try #require(RuleSeverity.allCases.filter { $0 != .fix }.randomElement(using: &random))
            if kind == .pattern, Bool.random(using: &random) {
                severity = .fix
                parameters.repair = [.trim, .halfWidth, .mojibake].randomElement(using: &random)
                parameters.otherwise = [.warn, .quarantine, .reject].randomElement(using: &random) ?? .warn
            }
            let text = parameters.encoded(kind, severity)
            #expect(try RuleParameters.parse(text, kind, severity) == parameters, "seed \(seed) \(kind) \(text)")
            // One byte changed is refused or means something that is written back as it is read.
            var bytes = Array(text.utf8)
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 32...126, using: &random)
            if let other = try? RuleParameters.parse(String(decoding: bytes, as: UTF8.self), kind, severity) {
                #expect(
                    try RuleParameters.parse(other.encoded(kind, severity), kind, severity) == other, "seed \(seed)")
            }
        }
    }

    // MARK: Formats and repairs

    @Test(
        "formats know good from bad",
        arguments: [
            ("e164", "+8613800138000", true), ("e164", "13800138000", false), ("e164", "+0123456789", false),
            ("e164", "+12", false), ("email", "a.b@example.com", true), ("email", "a@b", false),
            ("email", "a@-b.com", false),
            ("email", "a b@c.com", false), ("email", "a@b..com", false), ("email", "王@例子.公司", true),
            ("identity_number", "11010519491231002X", true), ("identity_number", "110105194912310021", false),
            ("identity_number", "110105194913310029", false), ("identity_number", "A123456789", true),
            ("identity_number", "914403001922038216", true), ("identity_number", "914403001922038217", false),
            ("identity_number", "A123456788", false), ("identity_number", "A123456(3)", true), ("identity_number", "A123456(4)", false),
            ("identity_number", "1234567(8)", true), ("identity_number", "A800000014", true), ("imei", "490154203237518", true),
            ("imei", "490154203237519", false), ("iccid", "8986011234567890123", false),
            ("iccid", "89860112345678901234", true),
            ("iccid", "12345678901234567890", false), ("readable", "王伟", true), ("readable", "çŽ‹ä¼Ÿ", false),
            ("readable", "锟斤拷", false), ("readable", "Zoë Müller", true), ("readable", "鐜嬩紵", false),
            ("readable", "a\u{FFFD}b", false), ("readable", "联通公司", true), ("narrow", "A-1", true),
            ("narrow", "Ａ１", false),
            ("tidy", "John Smith", true), ("tidy", "John  Smith", false), ("tidy", "John\nSmith", false),
        ])
    func formats(format: String, text: String, expected: Bool) throws {
        #expect(try #require(RuleFormat(rawValue: format)).matches(text) == expected, "\(format) \(text)")
    }

    @Test(
        "repairs give what was meant, or nothing",
        arguments: [
            ("trim", "  John \n Smith ", "John Smith"), ("trim", "John", nil), ("half_width", "Ａ－１２＠ｂ", "A-12@b"),
            ("half_width", "A", nil), ("mojibake", "çŽ‹ä¼Ÿ", "王伟"), ("mojibake", "ZoÃ«", "Zoë"),
            ("mojibake", "Zoë", nil),
            ("mojibake", "王伟", nil), ("mojibake", "ÍõÐ¡Ã÷", "王小明"), ("mojibake", "鐜嬩紵", "王伟"), ("mojibake", "plain", nil),
            ("phone", "tel:138 0013 8000", "138 0013 8000"), ("phone", "13800138000 ext. 5", "13800138000"),
            ("phone", "13800138000/13900139000", "13800138000"), ("phone", "none", nil),
        ] as [(String, String, String?)])
    func repairs(repair: String, text: String, expected: String?) throws {
        #expect(try #require(RuleRepair(rawValue: repair)).repaired(text) == expected)
    }

    @Test("no repair touches an ordinary Chinese or Western name, and what it makes it leaves alone")
    func repairsAreCareful() {
        let names = ["王小明", "欧阳娜娜", "阿依古丽·买买提", "José Ñúñez", "Zoë", "Łukasz", "李 雷", "中国联通", "张三", "Ångström", "丽丽", "Þórður Æð", "Anaïs Noël", "Größe"]
        for name in names {
            #expect(Mojibake.repaired(name) == nil, "\(name)")
            let broken = String(
                decoding: Array(name.utf8).flatMap { Array(String(UnicodeScalar($0)).utf8) }, as: UTF8.self)
            #expect(Mojibake.repaired(broken) == name, "\(broken)")
        }
    }

    @Test(
        "a Chinese text read as GBK or Windows-1252 comes back, one read rightly stays",
        arguments: [41, 42, 43] as [UInt64])
    func mojibakeOracle(seed: UInt64) throws {
        var random = SplitMix(seed)
        let gb18030 = String.Encoding(rawValue: 0x8000_0632)
        let common = Array("王李张刘陈杨赵黄周吴伟芳娜敏静丽强磊军洋小明晓燕志欣怡北京上海广州市区路号楼单元幸福花园建设街")
        var damaged = 0
        for _ in 0..<500 {
            let text = String(
                (0..<Int.random(in: 2...12, using: &random)).map { _ in common.randomElement(using: &random) ?? "王" })
            #expect(!Mojibake.isSuspect(text), "seed \(seed) \(text)")
            // An odd number of bytes leaves half a character, which no reader gets through whole.
            guard text.utf8.count % 2 == 0, let read = String(data: Data(text.utf8), encoding: gb18030),
                !read.unicodeScalars.contains(where: { $0.value < 0x4E00 || $0.value > 0x9FA5 })
            else { continue }
            damaged += 1
            #expect(Mojibake.isSuspect(read) && Mojibake.repaired(read) == text, "seed \(seed) \(text) \(read)")
        }
        #expect(damaged > 20, "seed \(seed)")
    }

    @Test("day and month that are exchanged are read in the only order there is, others in that of the file")
    func dateOrders() {
        let field = ImportField("birth_date", Words(en: "Birth", zh: "生日"), .date)
        func reader(_ order: DateOrder?) -> ValueReader {
            ValueReader(
                field: field, column: .init(column: "b", target: .field("birth_date"), dateOrder: order), profile: nil,
                countryCode: "86", places: 2, offsetMinutes: 480)
        }
        #expect(reader(.dayMonthYear).date("12/25/1990", inOrder: nil) == .text("1990-12-25"))
        #expect(reader(nil).date("03/05/1990", inOrder: .dayMonthYear) == .text("1990-05-03"))
        #expect(reader(nil).date("03/05/1990", inOrder: nil) == nil)
        #expect(reader(.dayMonthYear).date("40/40/1990", inOrder: .dayMonthYear) == nil)
    }

    // MARK: Evaluation, case by case

    private static let fields = FakeTarget(ids: IDGenerator(node: 1, clock: FrozenClock())).fields

    private func rule(
        _ kind: RuleKind, _ fields: [String], _ severity: RuleSeverity, _ parameters: String = "{}", key: String = "r"
    ) throws -> QualityRule {
        QualityRule(
            key: key, name: Words(en: "R", zh: "规"), source: "", entity: "customer", fields: fields, kind: kind,
            dimension: .accuracy, severity: severity, parameters: try RuleParameters.parse(parameters, kind, severity))
    }

    private func compiled(_ rules: [QualityRule]) throws -> CompiledRules {
        CompiledRules(
            rules, Self.fields.enumerated().map { .init(index: $0.offset, name: $0.element.key, field: $0.element) },
            today: try #require(LocalDate("2026-03-01")), places: 2)
    }

    private func slots(_ values: [String: SQLValue]) -> [SQLValue?] { Self.fields.map { values[$0.key] } }

    struct Golden: Sendable, CustomStringConvertible {
        let kind: RuleKind
        let fields: [String]
        let parameters: String
        let values: [String: SQLValue]
        /// Looked at, found fault with.
        let checked: Int
        let failed: Int
        init(
            _ kind: RuleKind, _ fields: [String], _ parameters: String, _ values: [String: SQLValue], _ checked: Int,
            _ failed: Int
        ) {
            (self.kind, self.fields, self.parameters) = (kind, fields, parameters)
            (self.values, self.checked, self.failed) = (values, checked, failed)
        }
        var description: String { "\(kind) \(fields) \(parameters) \(values)" }
    }

    @Test(
        "golden cases of every kind",
        arguments: [
            Golden(.required, ["name"], "{}", ["name": .text("a")], 1, 0), Golden(.required, ["name"], "{}", [:], 1, 1),
            Golden(.required, ["name", "phone"], "{}", ["name": .text("a")], 2, 1),
            Golden(.required, ["name", "phone"], #"{"any":true}"#, ["phone": .text("+1")], 1, 0),
            Golden(.required, ["gone"], "{}", [:], 0, 0),
            Golden(
                .range, ["birth_date"], #"{"min":"today-120y","max":"today"}"#, ["birth_date": .text("1990-01-01")], 1,
                0),
            Golden(
                .range, ["birth_date"], #"{"min":"today-120y","max":"today"}"#, ["birth_date": .text("1900-01-01")], 1,
                1),
            Golden(
                .range, ["birth_date"], #"{"min":"today-120y","max":"today"}"#, ["birth_date": .text("2026-03-02")], 1,
                1),
            Golden(
                .range, ["birth_date"], #"{"min":"today-120y","max":"today"}"#, ["birth_date": .text("2026-03-01")], 1,
                0),
            Golden(.range, ["birth_date"], #"{"min":"today-120y"}"#, [:], 0, 0),
            Golden(.range, ["monthly_charge"], #"{"min":0,"max":100.5}"#, ["monthly_charge": .int(10_050)], 1, 0),
            Golden(.range, ["monthly_charge"], #"{"min":0,"max":100.5}"#, ["monthly_charge": .int(10_051)], 1, 1),
            Golden(.range, ["monthly_charge"], #"{"min":0}"#, ["monthly_charge": .int(-1)], 1, 1),
            Golden(.range, ["tenure_months"], #"{"max":1200}"#, ["tenure_months": .int(1_200)], 1, 0),
            Golden(.range, ["latitude"], #"{"min":-90,"max":90}"#, ["latitude": .double(91)], 1, 1),
            Golden(
                .range, ["latitude", "tenure_months"], #"{"min":0}"#,
                ["latitude": .double(1), "tenure_months": .int(-1)], 2, 1),
            Golden(.pattern, ["source_id"], #"{"regex":"[A-Z]\\d+"}"#, ["source_id": .text("A12")], 1, 0),
            Golden(.pattern, ["source_id"], #"{"regex":"[A-Z]\\d+"}"#, ["source_id": .text("12")], 1, 1),
            Golden(.pattern, ["phone"], #"{"format":"e164"}"#, ["phone": .text("+8613800138000")], 1, 0),
            Golden(.code, ["contract"], #"{"values":["monthly"]}"#, ["contract": .text("one_year")], 1, 1),
            Golden(
                .code, ["contract"], #"{"values":["MONTHLY"],"ignore_case":true}"#, ["contract": .text("monthly")], 1, 0
            ),
            Golden(
                .cross, ["tenure_months"], #"{"op":"<=","with":"latitude"}"#,
                ["tenure_months": .int(2), "latitude": .double(1)], 1, 1),
            Golden(.cross, ["tenure_months"], #"{"op":"<=","with":"latitude"}"#, ["tenure_months": .int(2)], 0, 0),
            Golden(.cross, ["tenure_months"], #"{"op":"<=","with":"gone"}"#, ["tenure_months": .int(2)], 0, 0),
            Golden(.fresh, ["birth_date"], #"{"days":30}"#, ["birth_date": .text("2026-01-29")], 1, 1),
            Golden(.fresh, ["birth_date"], #"{"days":30}"#, ["birth_date": .text("2026-01-30")], 1, 0),
            Golden(
                .range, ["tenure_months"], #"{"max":1,"when":{"field":"contract","in":["monthly"]}}"#,
                ["tenure_months": .int(2), "contract": .text("monthly")], 1, 1),
            Golden(
                .range, ["tenure_months"], #"{"max":1,"when":{"field":"contract","in":["monthly"]}}"#,
                ["tenure_months": .int(2), "contract": .text("one_year")], 0, 0),
            Golden(
                .range, ["tenure_months"], #"{"max":1,"when":{"field":"gone","in":["x"]}}"#, ["tenure_months": .int(2)],
                0, 0),
        ])
    func golden(case golden: Golden) throws {
        let rules = try compiled([try rule(golden.kind, golden.fields, .quarantine, golden.parameters)])
        rules.begin()
        rules.judge(slots(golden.values), line: 2)
        let counts = rules.takeCounts()
        #expect(counts.reduce(0) { $0 + $1.checked } == golden.checked)
        #expect(counts.reduce(0) { $0 + $1.failed } == golden.failed)
        #expect(rules.worst == (golden.failed > 0 ? .quarantine : nil))
        #expect(rules.findings.count == golden.failed)
        #expect(rules.takeCounts().isEmpty, "counts are handed over once")
    }

    @Test("every shipped rule holds together, has a key of its own and words in both languages")
    func shipped() throws {
        let all = ShippedRules.customers + ShippedRules.records
        #expect(Set(all.map(\.key)).count == all.count && ShippedRules.records.count > 20)
        for rule in all {
            try rule.check()
            let again = try RuleParameters.parse(
                rule.parameters.encoded(rule.kind, rule.severity), rule.kind, rule.severity)
            #expect(again == rule.parameters, "\(rule.key): its page shows it as it is")
            #expect(!rule.name.en.isEmpty && rule.name.zh.unicodeScalars.contains { $0.value > 0x4E00 }, "\(rule.key)")
        }
        for entity in ["accounts", "lines", "bills", "payments", "cases", "interactions"] {
            #expect(!ShippedRules.of(entity).isEmpty, "\(entity)")
        }
    }

    @Test("the worst of a row decides, and a later row of the same value is not unique")
    func worst() throws {
        let rules = try compiled([
            try rule(.required, ["name"], .warn, key: "a"),
            try rule(.range, ["tenure_months"], .reject, #"{"max":1}"#, key: "b"),
            try rule(.unique, ["source_id", "contract"], .quarantine, key: "c"),
        ])
        func judge(_ values: [String: SQLValue], line: Int) -> RuleSeverity? {
            rules.begin()
            rules.judge(slots(values), line: line)
            return rules.worst
        }
        #expect(judge([:], line: 2) == .warn)
        #expect(judge(["tenure_months": .int(3)], line: 3) == .reject)
        let pair: [String: SQLValue] = ["name": .text("a"), "source_id": .text("1"), "contract": .text("monthly")]
        #expect(judge(pair, line: 4) == nil)
        #expect(judge(pair, line: 4) == nil, "the same line again is a chunk that is read a second time")
        #expect(judge(pair, line: 5) == .quarantine)
        #expect(judge(pair.merging(["contract": .text("one_year")]) { $1 }, line: 6) == nil)
    }
}
