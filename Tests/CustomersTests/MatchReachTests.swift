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
