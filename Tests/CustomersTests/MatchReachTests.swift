import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Pairs that an import has to find although the name or the number is missing or wrong, and those that it must leave to people.
@Suite("Match reach")
struct MatchReachTests {
    /// What an import makes of the second when the first is known.
    private func brought(_ first: [String: String], _ second: [String: String]) async throws -> MatchPair? {
        let desk = try await MatchDesk()
        let a = try await desk.bring("a", [first.merging(["source_id": "1"]) { $1 }]).ids[0]
        let b = try await desk.bring("b", [second.merging(["source_id": "2"]) { $1 }]).ids[0]
        return try await desk.pair(a, b)
    }

    private static let place = "深圳市南山区东风路55号6栋2347室"
    private static let jie = [
        "full_name": "周杰", "birth_date": "1974-10-13", "phone": "+8613527864425", "email": "zhoujie22@exmple.com", "address": place,
    ]

    @Test("without a name: birth date, address and a slip in the e-mail are one; birth date and e-mail alone are at least looked at")
    func nameless() async throws {
        let pair = try await brought(
            Self.jie, ["birth_date": "1974-10-13", "email": "zhoujie22@example.com", "address": "深圳市南山区东风路55號6-2347"])
        #expect(pair?.state == .linked && pair?.evidence.rule == .several)
        #expect(
            try await brought(Self.jie, ["birth_date": "1974-10-13", "email": "zhoujie22@example.com", "phone": "+8613522864415"]) != nil)
        #expect(try await brought(Self.jie, ["birth_date": "1974-10-13", "address": Self.place, "phone": "+8613911112222"]) != nil)
    }

    @Test("one name: a birth date a year off and an e-mail with a slip behind the @ make one, and so do number and address that agree nearly")
    func named() async throws {
        #expect(
            try await brought(
                ["full_name": "吴晓", "birth_date": "1956-03-18", "email": "wuxiao78@exmple.com"],
                ["full_name": "Xiao Wu", "birth_date": "1957-03-18", "email": "wuxiao78@example.com"])?.state == .linked)
        #expect(
            try await brought(
                ["full_name": "周晓", "phone": "+8615054728038", "address": Self.place],
                ["full_name": "周曉", "phone": "+8615054738038", "address": Self.place])?.evidence.rule == .several)
    }

    @Test("name and birth date are one person's where nothing speaks against it; with another number, or elsewhere, a person looks")
    func nameAndBirth() async throws {
        let one = ["full_name": "郭明", "birth_date": "1992-06-26", "phone": "+8613913446510"]
        let other = ["full_name": "Guo Ming", "birth_date": "1992-06-26", "phone": "+8613522419823"]
        let number = try await brought(one, other)
        #expect(number?.state == .open && number?.evidence.rule == .namesake)
        let bare = try await brought(one, other.filter { $0.key != "phone" })
        #expect(bare?.state == .linked && bare?.evidence.rule == .nameAndBirth)
        // Some words of two addresses are the same in every city.
        let wei = ["full_name": "黄伟", "birth_date": "1987-05-02"]
        let namesakes = try await brought(
            wei.merging(["address": "北京市解放路223号9幢1198室"]) { $1 }, wei.merging(["address": "南京市和平路218号2幢2324室"]) { $1 })
        #expect(namesakes?.state == .open && namesakes?.evidence.rule == .namesake)
        let moved = try await brought(
            one.merging(["address": Self.place]) { $1 }, other.merging(["address": "北京市海淀区人民路229号"]) { $1 })
        #expect(moved?.state == .open)
    }

    @Test("a name that many customers have does not make one of two with one birth date, in a dry run either")
    func manyNamesakes() async throws {
        let desk = try await MatchDesk()
        let rows = (0...Namesakes.most).map { number in
            ["source_id": "N\(number)", "full_name": "王伟", "birth_date": "19\(50 + number % 45)-0\(1 + number % 9)-11"]
        }
        _ = try await desk.bring("a", rows)
        let known = try await desk.bring("b", [["source_id": "K", "full_name": "王伟", "birth_date": "1999-12-24", "phone": "+8613913446510"]])
        let later = try await desk.bring("c", [["source_id": "L", "full_name": "王伟", "birth_date": "1999-12-24"]])
        let pair = try await desk.pair(known.ids[0], later.ids[0])
        #expect(pair?.state == .open && pair?.evidence.rule == .namesake)
        #expect(later.matches.linked == 0 && later.matches.review == 1)
    }

    @Test("e-mail and address are a household's: without a name, or with a name that is nearly the same, a person looks")
    func sharedMail() async throws {
        let home = ["email": "yuma2753@qq.com", "address": "北京市朝阳街168号23幢2500室"]
        func one(_ values: [String: String]) -> [String: String] { home.merging(values) { $1 } }
        let nameless = try await brought(
            one(["full_name": "李华", "phone": "+8615023904435"]), one(["phone": "+8613851022963", "birth_date": "1993-01-06"]))
        #expect(nameless?.state == .open)
        let son = try await brought(
            one(["full_name": "赵强", "phone": "+8613900003333", "birth_date": "1970-01-02"]), one(["full_name": "赵小强", "phone": "+8613900004444"]))
        #expect(son?.state == .open)
    }

    @Test("one word of a name is a household's; other birth dates are two people's; a sister shares number and e-mail")
    func partNames() async throws {
        let home = ["phone": "+8613527864425", "address": Self.place]
        #expect(
            try await brought(
                home.merging(["full_name": "Davis"]) { $1 }, home.merging(["full_name": "Davis", "birth_date": "1991-10-14"]) { $1 })?
                .state == .open)
        let mail = ["email": "ppetrov74@example.com"]
        let father = try await brought(
            mail.merging(["full_name": "Piotr Petrov", "birth_date": "1951-06-27"]) { $1 },
            mail.merging(["full_name": "Piotr Petrov", "birth_date": "1980-11-01"]) { $1 })
        #expect(father?.state != .linked)
        let shared = ["phone": "+8613527864425", "email": "home20@example.com"]
        #expect(
            try await brought(
                shared.merging(["full_name": "罗佳宇"]) { $1 }, shared.merging(["full_name": "Luo Jiayi"]) { $1 })?.state != .linked)
        #expect(
            try await brought(
                shared.merging(["full_name": "Michael Thomas"]) { $1 }, shared.merging(["full_name": "M Thomas"]) { $1 })?.state
                == .linked)
    }

    @Test("a sign of an e-mail that went astray is a slip, another digit before the @ is another person")
    func slipsOfAddresses() async throws {
        let one = ["full_name": "谢玉", "birth_date": "1980-11-23", "email": "xieyu84@163.com"]
        for (email, level) in [
            ("xieyu8@4163.com", "one_edit"), ("xieyu84@16.3com", "one_edit"), ("xieyu84@13.com", "one_edit"),
            ("xieyu87@163.com", "different"),
        ] {
            let pair = try await brought(one, ["full_name": "謝玉", "birth_date": "1980-11-23", "email": email])
            #expect(pair?.evidence.fields.first { $0.name == "email" }?.level == level, "\(email)")
        }
    }

    @Test("learned weights are tried beside those in use: by what people decided, and by documents that are hidden from them")
    func trial() {
        func card(_ id: Int64, _ name: String, _ birth: String, document: String = "", phone: String = "") -> MatchTrial.Subject {
            var card = MatchCard(encoded: Array(repeating: "", count: 10).joined(separator: "\u{1F}"))!
            (card.kind, card.name, card.birthDate) = (.individual, name, birth)
            card.documents = document.isEmpty ? [] : [document]
            card.phones = phone.isEmpty ? [] : [phone]
            return .init(id: CustomerID(id), card: card)
        }
        let sample = [
            card(1, "郭明", "1992-06-26"), card(2, "郭明", "1992-06-26"),
            card(3, "高超", "1950-05-04", document: MatchDesk.identity(1, born: "19500504"), phone: "+8613911035419"),
            card(4, "高超", "1950-05-04", document: MatchDesk.identity(2, born: "19500504"), phone: "+8613911035419"),
            card(5, "陈洋", "1988-07-06", document: MatchDesk.identity(3)), card(6, "陈洋", "1988-07-06", document: MatchDesk.identity(3)),
        ]
        let shipped = LinkageModel.shipped(MatchCard.fields)
        let (learned, _) = LinkageModel.learned(
            MatchCard.fields, MatchCard.fields.map { field in sample.map { field.name == "gender" ? nil : $0.card.name } })
        for model in [shipped, learned] {
            let trial = MatchTrial.of(
                model, beside: shipped, sample, among: 6, countryCode: "86", decisions: [PairStore.Key(CustomerID(1), CustomerID(2)): true])
            #expect(trial.compared == 3)
            #expect(trial.known == 3)
            // Two namesakes of one day who share a number: only their documents say that they are two.
            #expect(trial.inUse == .init(links: 3, right: 2, wrong: 1))
            if model.records == shipped.records { #expect(trial.learned == trial.inUse && !trial.isBetter) }
            #expect(MatchTrial(stored: (try? trial.encoded()) ?? "") == trial)
        }
        var trial = MatchTrial(compared: 9)
        (trial.inUse, trial.learned) = (.init(links: 5, right: 3, wrong: 2), .init(links: 7, right: 3, wrong: 2))
        #expect(!trial.isBetter, "what it links more may be wrong")
        trial.learned.right = 4
        #expect(trial.isBetter)
        trial.learned.wrong = 3
        #expect(!trial.isBetter)
        trial.learned = .init(links: 5, right: 3, wrong: 1)
        #expect(trial.isBetter)
        trial.learned = .init(links: 4, right: 2, wrong: 0)
        #expect(!trial.isBetter && trial.words.en.contains("4 pairs") && trial.words.zh.contains("4 对"))
    }

    @Test("number and address say which home, not who: a person decides; so about twins; households and verified people stay apart")
    func homes() async throws {
        let home = try await brought(
            ["phone": "+8613527864425", "address": Self.place],
            ["birth_date": "1974-10-13", "phone": "+8613527864425", "address": Self.place])
        #expect(home?.state == .open && home?.evidence.rule == .home)
        var twin = Self.jie
        twin["full_name"] = "周勇"
        twin["email"] = nil
        #expect(try await brought(Self.jie, twin)?.state == .open)
        twin["birth_date"] = "1977-02-01"
        #expect(try await brought(Self.jie, twin) == nil)
        let two = try await brought(
            Self.jie.merging(["document_number": MatchDesk.identity(1, born: "19741013")]) { $1 },
            Self.jie.merging(["document_number": MatchDesk.identity(2, born: "19741013")]) { $1 })
        #expect(two == nil || two?.state == .apart)
        var other = Self.jie
        other["full_name"] = nil
        other["gender"] = "female"
        let against = try await brought(Self.jie.merging(["gender": "male"]) { $1 }, other)
        #expect(against?.evidence.rule != .several, "who is of another sex is not linked for that")
    }

    @Test("companies are one but for legal form and letters; one within the other, or taken for a person, is put before a person")
    func companies() async throws {
        let acme = ["full_name": "Acme Telecom Ltd.", "kind": "organisation", "phone": "+8675588886666", "address": "科技路8号"]
        func with(_ name: String, _ kind: String? = "organisation", phone: String = "+8675588886666", at: String = "科技路8号") -> [String: String] {
            var row = ["full_name": name, "phone": phone, "address": at]
            row["kind"] = kind
            return row
        }
        #expect(try await brought(acme, with("ACME TELECOM LIMITED"))?.state == .linked)
        #expect(try await brought(acme, with("Acme Telecom", nil))?.state == .open)
        #expect(try await brought(acme, with("Apex Telecom Ltd"))?.state != .linked)
        let named = with("深圳市华强电子有限公司", nil)
        let pair = try await brought(named, with("华强电子", nil))
        #expect(pair?.state == .open && pair?.evidence.rule == .company)
        #expect(try await brought(named, with("华强电子", nil, at: "人民路1号")) == nil)
        var person = with("华强", nil)
        person["birth_date"] = "1980-01-02"
        #expect(try await brought(named, person) == nil)
        #expect(OrganisationName.core("北京博雅商贸有限責任公司（海淀）") == "北京博雅商贸" && OrganisationName.core("Acme Co., Ltd.") == "acme")
    }

    @Test("father and son of one name, number and address are not joined; the same with a slip in the year are one")
    func generations() async throws {
        let home = ["full_name": "高明", "phone": "+8613812340001", "address": Self.place]
        for (one, other) in [("1970-01-01", "2001-01-01"), ("1970-05-06", "2001-05-06"), ("1970-01-01", "1981-01-01")] {
            let pair = try await brought(home.merging(["birth_date": one]) { $1 }, home.merging(["birth_date": other]) { $1 })
            #expect(pair?.state != .linked, "\(one) \(other)")
            #expect(pair == nil || pair?.evidence.rule == .otherBirth)
            #expect(
                try await brought(
                    ["full_name": "高明", "phone": "+8613812340001", "birth_date": one, "email": "gm@example.com"],
                    ["full_name": "高明", "phone": "+8613812340001", "birth_date": other, "email": "gm2@example.com"])?.state != .linked)
        }
        let slip = try await brought(home.merging(["birth_date": "1970-05-06"]) { $1 }, home.merging(["birth_date": "1980-05-06"]) { $1 })
        #expect(slip?.state == .linked)
    }

    @Test("a record that knows little does not join two people of other birth dates, in one import or in three", arguments: [true, false])
    func chains(_ isOne: Bool) async throws {
        let place = ["full_name": "王静", "address": "体育西路1号2栋3"]
        let rows = [
            ["source_id": "3", "phone": "+8613812350003", "birth_date": "1954-10-20", "email": "wj21@qq.com"],
            ["source_id": "4", "email": "wj21@qq.com"],
            ["source_id": "5", "phone": "+8613898978357", "birth_date": "2003-05-14", "email": "wj76@qq.com"],
            ["source_id": "6", "phone": "+8613898978357"],
        ].map { $0.merging(place) { $1 } }
        let desk = try await MatchDesk()
        var ids: [CustomerID] = []
        for part in isOne ? [rows] : rows.map({ [$0] }) { ids += try await desk.bring("a", part).ids }
        #expect(try await desk.set(ids[0]).contains(ids[1]), "who shares name, e-mail and address is one")
        #expect(try await desk.set(ids[0]).isDisjoint(with: try await desk.set(ids[2])))
    }

    @Test("a number one digit off is for a person to look at, in words that are true; with birth date or address it is a slip")
    func neighbours() async throws {
        let one = ["full_name": "Gao Ming", "phone": "+8613812340001"], other = ["full_name": "高明", "phone": "+8613812360001"]
        let pair = try await brought(one, other)
        #expect(pair?.state == .open && pair?.evidence.rule == .nearContact)
        #expect(MatchWords.of(.nearContact).en.contains("one character off") && MatchWords.of(.nearContact).zh.contains("相差一个字符"))
        let born = ["birth_date": "1970-05-06"]
        #expect(try await brought(one.merging(born) { $1 }, other.merging(born) { $1 })?.state == .linked)
    }

    @Test("a pair that is all but sure says why it waits")
    func reasons() {
        func pair(_ rule: MatchVerdict.Rule, _ name: String, _ bits: Double, _ state: MatchPair.State = .open) -> MatchPair {
            let evidence = PairEvidence(rule: rule, fields: [.init(name: "full_name", level: name, bits: 1)])
            return MatchPair(
                left: CustomerID(1), right: CustomerID(2), state: state, bits: bits, evidence: evidence,
                madeAt: Instant(milliseconds: 0), decidedBy: "", reason: "")
        }
        for language in Language.allCases {
            let usual = MatchWords.of(.weights)[language]
            #expect(MatchWords.reason(pair(.weights, "similar", 3))[language] == usual)
            #expect(MatchWords.reason(pair(.weights, "missing", 13))[language] == MatchWords.of(.unnamed)[language])
            #expect(MatchWords.reason(pair(.weights, "same", 13))[language] != usual)
            #expect(MatchWords.reason(pair(.sameContact, "same", 2))[language] != MatchWords.of(.sameContact)[language])
            #expect(MatchWords.reason(pair(.sameContact, "same", 2, .linked))[language] == MatchWords.of(.sameContact)[language])
        }
    }
}
