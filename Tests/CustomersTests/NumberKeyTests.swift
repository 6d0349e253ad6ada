import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("rows found by a number, and regions of many spellings")
struct NumberKeyTests {
    private static let owner: [String: SQLValue] = [
        "source_id": .text("PL5"), "full_name": .text("陈国华"), "msisdn": .text("+8613877770005"),
        "document_number": .text("110101199001017758"), "region": .text("北京"),
    ]

    @Test(
        "a number with another person's name changes nobody, and says which two fields do not go together",
        arguments: [("msisdn", "+8613877770005"), ("document_number", "110101199001017758")])
    func otherPerson(field: String, value: String) async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.owner], source: "pl").first?.customer)
        let before = try await bench.record(id)
        let row: [String: SQLValue] = [field: .text(value), "full_name": .text("赵子龙"), "city": .text("苏州")]
        #expect(try await bench.plan([row], match: field).map(\.name) == ["rejected \(field) other_person"])
        let outcomes = try await bench.apply([row], match: field, source: "other")
        #expect(outcomes.map(\.name) == ["rejected \(field) other_person"])
        #expect(try await bench.record(id) == before)
        guard case .rejected(_, _, let words) = outcomes[0] else { return }
        let fields = [CustomerFields.byKey[field]?.words, CustomerFields.byKey["full_name"]?.words].compactMap { $0 }
        #expect(fields.count == 2 && fields.allSatisfy { words.en.contains($0.en) && words.zh.contains($0.zh) })
        #expect(!words.en.contains("赵") && !words.zh.contains("陈"), "values stand in the reject file")
        // The parts of a name are a name.
        let parts: [String: SQLValue] = [field: .text(value), "family_name": .text("Smith"), "given_name": .text("Ann")]
        #expect(try await bench.apply([parts], match: field, source: "other").map(\.name) == ["rejected \(field) other_person"])
    }

    @Test("the same name in another script, or none, finds them", arguments: ["陈国华", "陳國華", "Chen Guohua", ""])
    func sameName(name: String) async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.owner], source: "pl").first?.customer)
        var row: [String: SQLValue] = ["msisdn": .text("+8613877770005"), "city": .text("海淀")]
        if !name.isEmpty { row["full_name"] = .text(name) }
        #expect(try await bench.apply([row], match: "msisdn", source: "other").map(\.customer) == [id])
        #expect(try await bench.record(id)?.customer.city == "海淀")
    }

    @Test("a company that is called otherwise now keeps its number")
    func company() async throws {
        let bench = try await ImportBench()
        let row: [String: SQLValue] = [
            "msisdn": .text("+8613877770009"), "full_name": .text("深圳市华强电子有限公司"), "kind": .text("organisation"),
        ]
        let made = try await bench.apply([row], match: "msisdn")
        let renamed = row.merging(["full_name": .text("明日科技股份有限公司")]) { $1 }
        #expect(try await bench.apply([renamed], match: "msisdn").map(\.customer) == made.map(\.customer))
    }

    // MARK: Regions

    private static func row(_ number: String, _ region: String) -> [String: SQLValue] {
        ["source_id": .text(number), "full_name": .text("客户\(number)"), "region": .text(region)]
    }

    @Test("an import and an edit keep the spelling that is there")
    func oneSpelling() async throws {
        let bench = try await ImportBench()
        let first = try await bench.apply([Self.row("1", "北京"), Self.row("2", "臺北市"), Self.row("3", "East Bay")])
        let later = try await bench.apply([
            Self.row("4", "北京市"), Self.row("5", "Beijing"), Self.row("6", "台北市"), Self.row("7", "ＥＡＳＴ  bay"), Self.row("8", "吉林市"),
            Self.row("9", "吉林省"),
        ])
        let ids = (first + later).compactMap(\.customer)
        var regions: [String?] = []
        for id in ids { regions.append(try await bench.record(id)?.customer.region) }
        #expect(regions == ["北京", "臺北市", "East Bay", "北京", "北京", "臺北市", "East Bay", "吉林市", "吉林省"])
        let (store, clerk) = (CustomerStore(tenant: bench.test.tenant), bench.principal)
        let id = ids[7]
        try await bench.test.tenant.database.write { session in
            let now = try #require(try CustomerLoader.record(id, session))
            _ = try store.update(
                id, edition: now.customer.edition, ["region": .text("BEIJING SHI")], by: clerk, record: { _ in }, session)
        }
        #expect(try await bench.record(ids[7])?.customer.region == "北京")
    }

    @Test(
        "whoever is kept to a region reaches all its spellings, and no other region",
        arguments: [
            ("北京", ["北京", "北京市", "Beijing", "beijing"], ["北海", "Beihai"]), ("台北", ["臺北市", "台北市", "Taipei"], ["新北市", "台中市"]),
            ("吉林省", ["吉林", "Jilin"], ["吉林市"]), ("吉林市", ["吉林市"], ["吉林", "吉林省"]), ("新竹市", ["新竹市"], ["新竹縣", "新竹县"]), ("華北", ["华北", "華北"], ["华南"]),
            ("Shanxi", ["山西", "山西省"], ["陕西", "Shaanxi"]),
        ])
    func scope(region: String, within: [String], without: [String]) async throws {
        let bench = try await ImportBench()
        var ids: [String: CustomerID] = [:]
        // As they stood before there was one spelling: each written without the others being known.
        for (place, name) in (within + without).enumerated() {
            let id = try #require(try await bench.apply([Self.row("\(place)", "x\(place)")]).first?.customer)
            ids[name] = id
            try await bench.test.tenant.database.write { session in
                try session.execute("UPDATE customers_listing SET region = $2 WHERE customer_id = $1", [.id(id), .text(name)])
            }
        }
        let agent = TestTenant.principal([CustomerPermissions.view], roles: [.agent], regions: [region])
        let all = Array(ids.values)
        let reached = try await bench.test.tenant.database.read { try CustomerScope.reachable(all, agent, $0) }
        #expect(reached == Set(within.compactMap { ids[$0] }))
        for name in within { #expect(CustomerScope.allows(name, agent)) }
        for name in without { #expect(!CustomerScope.allows(name, agent)) }
    }

    // MARK: Words

    @Test("words of systems for a line are its choices")
    func vocabulary() {
        func code(_ field: String, _ word: String) -> String? {
            guard case .choice(let all)? = LineImportTarget.fields.first(where: { $0.key == field })?.kind else { return nil }
            return all.first { ([$0.code, $0.words.en, $0.words.zh] + $0.synonyms).contains(word) }?.code
        }
        #expect(["正常", "停机保号", "拆机"].map { code("status", $0) } == ["active", "suspended", "terminated"])
        #expect(["手机", "手机号码业务", "宽带", "固话"].map { code("service", $0) } == ["mobile", "mobile", "broadband", "fixed_voice"])
        #expect(["实体", "虚拟卡"].map { code("sim_kind", $0) } == ["physical", "esim"])
    }
}
