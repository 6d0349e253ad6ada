import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("Resolution")
struct ResolutionTests {
    @Test("each step of each field has a name of its own in both languages", arguments: ColumnKind.allCases)
    func levelNames(_ kind: ColumnKind) {
        let levels = Comparison.names(of: kind)
        for language in Language.allCases {
            let names = levels.map { MatchWords.level($0)[language] }
            #expect(Set(names).count == levels.count, "\(kind) \(names)")
            #expect(!names.contains(MatchWords.level("missing")[language]), "a level has words: \(kind) \(names)")
        }
    }

    static let billing = [
        "source_id": "B1", "full_name": "王小明", "msisdn": "+8613812345678", "city": "杭州",
        "document_number": MatchDesk.identity(7),
    ]
    static let care = [
        "source_id": "C7", "full_name": "Wang Xiaoming", "phone": "+8613812345678", "email": "xm.wang@example.com",
        "birth_date": "1990-01-01",
    ]
    static let retail = [
        "source_id": "R3", "full_name": "王小明", "email": "XM.Wang@example.com", "birth_date": "1990-01-01",
        "city": "杭州市", "segment": "family",
    ]

    @Test("three sources, each a little wrong, become one customer; taken apart again, every row is as it was")
    func threeSources() async throws {
        let desk = try await MatchDesk()
        let first = try await desk.bring("billing", [Self.billing])
        let second = try await desk.bring("care", [Self.care])
        let third = try await desk.bring("retail", [Self.retail])
        #expect(first.matches == ImportMatches())
        #expect(second.matches.linked == 1 && third.matches.linked == 1, "\(second.matches) \(third.matches)")
        let (a, b, c) = (first.ids[0], second.ids[0], third.ids[0])
        #expect(try await desk.set(b) == [a, b, c])
        let golden = try await desk.tenant.database.read { try GoldenRecord.load([a, b, c], $0) }
        #expect(golden.choice("full_name")?.value == "王小明" && golden.choice("full_name")?.rule == "verified")
        #expect(golden.choice("full_name")?.others.map(\.value) == ["Wang Xiaoming"])
        #expect(golden.choice("birth_date")?.value == "1990-01-01")
        #expect(
            golden.choice("segment")
                == GoldenRecord.Choice(
                    field: "segment", value: "family", from: c, source: "retail", rule: "only", others: []))

        let before = try await desk.records()
        let found = try await desk.tenant.database.read { try PairStore.pairs(among: [a, b, c], $0) }
        let pairs = found.filter { $0.state == .linked }
        #expect(pairs.count == 2 && pairs.allSatisfy { $0.decidedBy == "import" && !$0.evidence.fields.isEmpty })
        for pair in pairs { try await desk.separate(pair.left, pair.right) }
        for id in [a, b, c] { #expect(try await desk.set(id) == [id]) }
        #expect(try await desk.records() == before, "nothing of a customer was moved")
    }

    @Test("two people with different valid identity numbers are never joined, however alike they are")
    func verified() async throws {
        let desk = try await MatchDesk()
        let one = try await desk.bring("billing", [Self.billing])
        var other = Self.billing
        other["source_id"] = "C1"
        other["msisdn"] = nil
        other["phone"] = "+8613812345678"
        other["document_number"] = MatchDesk.identity(8)
        let two = try await desk.bring("care", [other])
        #expect(two.matches == ImportMatches())
        #expect(try await desk.set(one.ids[0]) == [one.ids[0]])
        // Nor over a third who knows no number: whose it is a person decides, about both.
        let third = try await desk.bring(
            "retail", [["source_id": "R1", "full_name": "王小明", "phone": "+8613812345678"]])
        #expect(third.matches.linked == 0 && third.matches.review == 1)
        let states = [try await desk.pair(one.ids[0], third.ids[0])?.state, try await desk.pair(two.ids[0], third.ids[0])?.state]
        #expect(states == [.open, .open])
        #expect(try await desk.pair(one.ids[0], third.ids[0])?.evidence.rule == .setConflict)
        #expect(try await desk.set(third.ids[0]) == [third.ids[0]])
        let sets = [try await desk.set(one.ids[0]), try await desk.set(two.ids[0])]
        #expect(sets[0].isDisjoint(with: sets[1]), "\(sets)")
        // A number of its own says whose it is; and of one verified person there is nothing to ask.
        let known = try await desk.bring(
            "shop",
            [["source_id": "S1", "full_name": "王小明", "phone": "+8613812345678", "document_number": MatchDesk.identity(8)]])
        #expect(known.matches.linked == 1)
        #expect(try await desk.set(known.ids[0]) == [known.ids[0], two.ids[0]])
    }

    @Test("a number of another government is another document and not another person; two of one government are two people")
    func governments() async throws {
        func bring(_ document: String) async throws -> (matches: ImportMatches, together: Int) {
            let desk = try await MatchDesk()
            var taiwan = Self.billing
            taiwan["document_number"] = "A123456789"
            let one = try await desk.bring("billing", [taiwan])
            var other = Self.billing
            other["source_id"] = "X"
            other["msisdn"] = nil
            other["phone"] = "+8613812345678"
            other["document_number"] = document
            let brought = try await desk.bring("care", [other])
            return (brought.matches, try await desk.set(one.ids[0]).count)
        }
        let another = try await bring("B234567894")
        #expect(another.matches == ImportMatches() && another.together == 1, "\(another)")
        let mainland = try await bring(MatchDesk.identity(8))
        #expect(mainland.matches.linked == 1 && mainland.together == 2, "\(mainland)")
    }

    @Test("what a linked record has is not another customer's, what an unlinked one has is, and what nobody has is free")
    func claims() async throws {
        let desk = try await MatchDesk()
        let one = try await desk.bring("billing", [Self.billing])
        var other = Self.billing
        other["source_id"] = "C1"
        other["msisdn"] = nil
        other["phone"] = Self.billing["msisdn"]
        let two = try await desk.bring("care", [other, ["source_id": "C2", "full_name": "赵六"]])
        try #require(two.matches.linked == 1, "\(two.matches)")
        #expect(try await desk.set(one.ids[0]).contains(two.ids[0]))
        let number = try #require(Self.billing["msisdn"])
        func taken(_ keys: [String?], _ value: String, by field: String = "msisdn", key: String? = "source_id") async throws -> [Bool]? {
            try await desk.tenant.database.read { [target = desk.bench.target] session in
                try target.areTaken(
                    keys.map { ImportClaim(key: $0, value: value) }, by: field, matchKey: key, source: "care", session)
            }
        }
        #expect(try await taken(["C1", "C2", "C3", nil], number) == [false, true, true, true])
        #expect(try await taken(["C1", "C2", "C3", nil], "+8613900000000") == [false, false, false, false])
        #expect(try await taken([nil], number, key: nil) == [true], "every row is new")
        #expect(try await taken(["C1"], "C1", by: "source_id") == [false])
        #expect(try await taken(["C1"], "x", by: "email") == nil)
        #expect(try await taken(["C1"], number, key: "email") == nil, "whom the row is about is not known")
    }

    @Test("a household is not a person: one telephone and one address, but other names")
    func household() async throws {
        let desk = try await MatchDesk()
        let home = ["phone": "+8657188886666", "address": "文三路 12 号 3 单元 501", "city": "杭州"]
        let people = [
            ["full_name": "王建国", "birth_date": "1962-03-04"], ["full_name": "王小明", "birth_date": "1990-01-01"],
            ["full_name": "李梅"], ["full_name": "王薇"],
        ]
        let brought = try await desk.bring(
            "billing",
            people.enumerated().map { index, person in
                home.merging(person) { $1 }.merging(["source_id": "H\(index)"]) { $1 }
            })
        #expect(brought.matches == ImportMatches(), "\(brought.matches)")
        // The father again, from another system: he, and nobody else of the home.
        let again = try await desk.bring(
            "care", [home.merging(["source_id": "F", "full_name": "王建国", "birth_date": "1962-03-04"]) { $1 }])
        #expect(again.matches.linked == 1)
        #expect(try await desk.set(again.ids[0]) == [again.ids[0], brought.ids[0]])
    }

    @Test("neighbouring telephone numbers say nothing: operators hand them out in blocks")
    func neighbours() async throws {
        let desk = try await MatchDesk()
        func person(_ id: String, _ phone: String, _ address: String) -> [String: String] {
            ["source_id": id, "full_name": "张伟", "birth_date": "1985-03-01", "phone": phone, "address": address]
        }
        let known = try await desk.bring("billing", [person("1", "+8613801230010", "望京西园四区 410 号 3 单元 502")])
        let other = try await desk.bring("care", [person("1", "+8613801230011", "金融大街 7 号")])
        #expect(other.matches.linked == 0)
        #expect(try await desk.set(known.ids[0]).count == 1)
        let pair = try #require(try await desk.pair(known.ids[0], other.ids[0]))
        #expect(pair.state == .open)
        #expect(pair.evidence.fields.first { $0.name == "phone" } == .init(name: "phone", level: "no_evidence", bits: 0))
    }

    @Test("who is joined with the one and who is joined with the other may be two verified people: that is said before they are joined")
    func setsOfTwo() async throws {
        let desk = try await MatchDesk()
        let one = try await desk.bring(
            "billing", [["source_id": "1", "full_name": "张伟", "document_number": MatchDesk.identity(1), "phone": "+8613801230004"]])
        let between = try await desk.bring("retail", [["source_id": "1", "full_name": "张伟", "phone": "+8613801230004"]])
        #expect(between.matches.linked == 1)
        let two = try await desk.bring(
            "care", [["source_id": "1", "full_name": "张伟", "document_number": MatchDesk.identity(2), "phone": "+8613901234444"]])
        let (joining, who) = (Joining(tenant: desk.tenant), desk.decider)
        _ = try await desk.tenant.database.write {
            try joining.propose(two.ids[0], between.ids[0], by: who, $0)
        }
        let pair = try #require(try await desk.pair(two.ids[0], between.ids[0]))
        #expect(try await desk.tenant.database.read { try PairPages.joinsTwoPeople(pair, $0) })
        try await desk.separate(one.ids[0], between.ids[0])
        #expect(try await desk.tenant.database.read { try !PairPages.joinsTwoPeople(pair, $0) })
    }

    @Test("two names of one sound at one number are for a person to decide, not for the machine")
    func oneSound() async throws {
        let desk = try await MatchDesk()
        let father = try await desk.bring(
            "billing", [["source_id": "1", "full_name": "张伟", "phone": "+8657188880000", "city": "杭州"]])
        let daughter = try await desk.bring(
            "care", [["source_id": "1", "full_name": "张薇", "phone": "+8657188880000", "city": "杭州"]])
        #expect(daughter.matches.linked == 0)
        #expect(try await desk.set(father.ids[0]).count == 1)
    }

    @Test("evidence about numbers stands with the numbers that were compared")
    func comparedNumbers() async throws {
        let desk = try await MatchDesk()
        let ids = try await desk.bring(
            "billing",
            [
                ["source_id": "1", "full_name": "甲", "phone": "+8613812345678", "msisdn": "+8613700000001"],
                ["source_id": "2", "full_name": "乙", "phone": "+8613812345679"],
                ["source_id": "3", "full_name": "丙", "msisdn": "+8613812345670"],
                ["source_id": "4", "full_name": "丁", "msisdn": "+8613812345671"],
            ]).ids
        let records = try await desk.tenant.database.read { try CustomerLoader.records(ids, $0) }
        func row(_ a: Int, _ b: Int) -> [String] {
            let found = PairView.comparedNumbers([records[a], records[b]])
            return [found.row, "\(found.areMixed)"]
        }
        #expect(row(0, 1) == ["phone", "false"] && row(0, 2) == ["phone", "true"] && row(2, 3) == ["msisdn", "false"])
        let field = PairEvidence.Field(name: "phone", level: "one_edit", bits: 12)
        let pair = MatchPair(
            left: ids[0], right: ids[2], state: .open, bits: 1, evidence: PairEvidence(rule: .weights, fields: [field]),
            madeAt: desk.tenant.clock.now(), decidedBy: "import", reason: "")
        for (language, word) in [(Language.en, "number of a line"), (.zh, "服务号码相比")] {
            let rows = PairView.rows([records[0], records[2]], pair, Masking(desk.decider), language)
            func shown(_ key: String) -> String { rows.first { $0.key == key }.map { "\($0.view)" } ?? "" }
            #expect(shown("phone").contains(word))
            let line = shown("msisdn")
            #expect(!line.isEmpty && !line.contains(word))
        }
    }

    @Test("taking an import back takes its links and pairs with it, and the index is as before")
    func revert() async throws {
        let desk = try await MatchDesk()
        _ = try await desk.bring("billing", [Self.billing])
        let before = try await desk.bench.dump()
        let second = try await desk.bring("care", [Self.care, Self.retail])
        #expect(second.matches.linked == 2)
        #expect(try await desk.bench.revert([second.outcomes]).isEmpty)
        #expect(try await desk.bench.dump() == before)
    }

    @Test("records of one file that are one person are joined too")
    func withinAFile() async throws {
        let desk = try await MatchDesk()
        var twin = Self.care
        twin["source_id"] = "C8"
        let brought = try await desk.bring("care", [Self.care, twin, ["source_id": "C9", "full_name": "李四"]])
        #expect(brought.matches.linked == 1)
        #expect(try await desk.set(brought.ids[0]) == Set(brought.ids.prefix(2)))
    }

    @Test("whoever a person enters or changes is put beside those they may be; nobody is joined, and it is asked once")
    func byHand() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.billing]).ids[0]
        let (store, clerk) = (CustomerStore(tenant: desk.tenant), desk.bench.principal)
        let made = try await desk.tenant.database.write { session in
            try store.create(
                ["full_name": .text("王小明"), "phone": .text("+8613812345678")], by: clerk, record: { _ in }, session)
        }
        let pair = try await desk.pair(known, made.id)
        #expect(pair?.state == .open && pair?.evidence.rule == .sameContact)
        #expect(try await desk.set(made.id) == [made.id])
        let other = try await desk.tenant.database.write { session in
            try store.create(["full_name": .text("王晓明")], by: clerk, record: { _ in }, session)
        }
        #expect(try await desk.pair(known, other.id) == nil)
        let changed = try await desk.tenant.database.write { session in
            try store.update(
                other.id, edition: other.customer.edition, ["full_name": .text("王小明"), "phone": .text("+8613812345678")],
                by: clerk, record: { _ in }, session)
        }
        #expect(try await desk.pair(known, other.id)?.state == .open)
        let (joining, who) = (Joining(tenant: desk.tenant), desk.decider)
        try await desk.tenant.database.write { try joining.keepApart(known, other.id, by: who, $0) }
        _ = try await desk.tenant.database.write { session in
            try store.update(
                other.id, edition: changed.customer.edition, ["email": .text("xm@example.com")], by: clerk,
                record: { _ in }, session)
        }
        #expect(try await desk.pair(known, other.id)?.state == .apart, "what a person decided stays")
    }

    @Test("a number that is another's line leads to that person and refuses nobody; without matching it does refuse")
    func sharedNumber() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.billing]).ids[0]
        let row = ["source_id": "C1", "full_name": "王小明", "msisdn": "+8613812345678", "birth_date": "1990-01-01"]
        let wife = ["source_id": "C2", "full_name": "李梅", "msisdn": "+8613812345678", "birth_date": "1991-03-04"]
        let brought = try await desk.bring("care", [row, wife])
        #expect(brought.outcomes.map(\.name) == ["created", "created"] && brought.matches.linked == 1)
        #expect(try await desk.set(known) == [known, brought.ids[0]])
        #expect(try await desk.set(brought.ids[1]) == [brought.ids[1]], "a household is not a person")
        let lines = try await desk.bench.count("SELECT COUNT(*) FROM customers_subscription WHERE msisdn IS NOT NULL")
        #expect(lines == 1, "the line stays whose it is")
        #expect(try await desk.bring("care", [row, wife]).outcomes.map(\.name) == ["unchanged", "unchanged"])
        let plain = try await desk.bench.apply(
            [["source_id": .text("D1"), "full_name": .text("王小明"), "msisdn": .text("+8613812345678")]], source: "retail")
        #expect(plain.map(\.name) == ["rejected msisdn taken"])
    }

    @Test("a newcomer joins two sets that nobody speaks against, and leaves two that a person kept apart")
    func bridge() async throws {
        let desk = try await MatchDesk()
        let phone = try await desk.bring(
            "billing", [["source_id": "B1", "full_name": "欧阳修文", "phone": "+8613711112222", "city": "杭州"]]
        ).ids[0]
        let mail = try await desk.bring(
            "retail", [["source_id": "R1", "full_name": "欧阳修文", "email": "ouyang@example.com"]]
        ).ids[0]
        #expect(try await desk.set(phone) == [phone])
        let both = [
            "source_id": "C1", "full_name": "欧阳修文", "phone": "+8613711112222", "email": "ouyang@example.com",
        ]
        let bridge = try await desk.bring("care", [both])
        #expect(bridge.matches.linked == 1 && bridge.matches.review == 0)
        #expect(try await desk.set(mail) == [phone, mail, bridge.ids[0]])
        // Taken apart, kept apart: the next one that knows both is put before a person.
        try await desk.separate(phone, bridge.ids[0])
        let next = try await desk.bring("partner", [both.merging(["source_id": "P1"]) { $1 }])
        #expect(next.matches.linked == 1 && next.matches.review == 0)
        #expect(try await desk.bench.count("SELECT COUNT(*) FROM customers_match_pair WHERE state = 'open'") == 1)
        #expect(try await desk.set(phone).isDisjoint(with: [mail]))
    }

    @Test("people of one name in one house meet without a number or a birth date")
    func houseNumber() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring(
            "billing",
            [["source_id": "B1", "full_name": "诸葛思远", "address": "北京市朝阳区建国路88号2单元", "birth_date": "1980-02-03"]]
        ).ids[0]
        let other = try await desk.bring(
            "care", [["source_id": "C1", "full_name": "诸葛思远", "address": "朝阳区建国路88号2单元"]])
        #expect(other.matches.linked + other.matches.review == 1)
        #expect(try await desk.pair(known, other.ids[0]) != nil)
    }

    @Test("a changed row of an import that matches is put before a person, not joined")
    func changedByImport() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.billing]).ids[0]
        var row = ["source_id": "C1", "full_name": "王小明"]
        let first = try await desk.bring("care", [row])
        #expect(first.matches == ImportMatches())
        row["phone"] = "+8613812345678"
        let second = try await desk.bring("care", [row])
        #expect(second.matches.linked == 0 && second.matches.review == 1)
        #expect(try await desk.pair(known, first.ids[0])?.state == .open)
        #expect(try await desk.set(known) == [known])
        // Nothing that is compared has changed: nobody is looked for.
        row["city"] = "杭州"
        _ = try await desk.bring("care", [row])
        #expect(try await desk.bring("care", [row]).matches == ImportMatches())
    }

    @Test("who is kept to some regions joins nobody of others")
    func scope() async throws {
        let desk = try await MatchDesk()
        var far = Self.billing
        far["region"] = "浙江"
        _ = try await desk.bring("billing", [far])
        var near = Self.care
        near["region"] = "上海"
        let who = TestTenant.principal([CustomerPermissions.view], roles: [.supervisor], regions: ["上海"])
        #expect(try await desk.bring("care", [near], as: who).matches == ImportMatches())
    }

    @Test("weights are learned from the base, kept as a version, and can decide")
    func learning() async throws {
        let desk = try await MatchDesk()
        var random = SeededGenerator(seed: 5)
        let family = Array("王李张刘陈杨黄赵吴周徐孙"), given = Array("伟芳娜敏静丽强磊军洋勇艳杰涛明超霞平刚桂英")
        let people = (0..<300).map { index -> [String: String] in
            func character(_ list: [Character]) -> String {
                list.randomElement(using: &random).map { String($0) } ?? ""
            }
            return [
                "source_id": "B\(index)", "full_name": character(family) + character(given) + character(given),
                "phone": "+86139" + String(10_000_000 + index * 7_919), "email": "p\(index)@example.com",
                "birth_date": "19\(60 + index % 40)-0\(1 + index % 9)-1\(index % 10)",
            ]
        }
        _ = try await desk.bring("billing", people)
        let again = people.prefix(150).map { person -> [String: String] in
            var copy = person
            copy["source_id"] = "C" + (person["source_id"] ?? "")
            if Bool.random(using: &random) { copy["email"] = nil } else { copy["phone"] = nil }
            return copy
        }
        let brought = try await desk.bring("care", Array(again))
        #expect(brought.matches.linked == 150, "\(brought.matches)")
        let job = MatchLearning.job(desk.tenant)
        try await desk.tenant.database.write { [tenant = desk.tenant] in
            try tenant.jobs.enqueue(MatchLearning.jobKind, payload: #"{"by":"ann"}"#, by: "ann", $0)
        }
        try await desk.bench.test.drain(jobs: [job, MatchFill.job(desk.tenant)])
        let (id, text) = try #require(
            try await desk.tenant.database.read { session in
                try session.first("SELECT id, model FROM customers_match_model WHERE made_by = 'ann'") {
                    ($0.id(0, AnyKind.self), $0.text(1))
                }
            })
        #expect(text.contains("full_name"))
        try await desk.tenant.database.write { try $0.execute(MatchStore.useModel, [.id(id), .bool(true)]) }
        let model = try await desk.tenant.database.read { try MatchStore.model(try MatchStore.setting($0), $0) }
        let email = try #require(model.weights.first { $0.field.name == "email" })
        #expect((email.bits.first ?? 0) > 3 && (email.bits.last ?? 0) <= 0, "\(email.bits)")
        let late = try await desk.bring("retail", [people[200].merging(["source_id": "R"]) { $1 }])
        #expect(late.matches.linked == 1)
    }
}
