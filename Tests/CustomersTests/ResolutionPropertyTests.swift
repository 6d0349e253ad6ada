import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Whatever is written, joined and taken apart at random.
@Suite("Resolution, at random")
struct ResolutionPropertyTests {
    @Test(
        "keys and records of the index are those of the customers as they are, whatever was written",
        arguments: [3, 11])
    func inStep(seed: UInt64) async throws {
        let desk = try await MatchDesk()
        var random = SeededGenerator(seed: seed)
        let names = ["王小明", "李四", "Anna Schmidt", "Bob Jones", "欧阳修", "Xiaoming Wang", "Lv Jia"]
        for round in 0..<4 {
            let rows = (0..<8).map { index -> [String: String] in
                var row = [
                    "source_id": "S\(Int.random(in: 0..<12, using: &random))-\(index)",
                    "full_name": names.randomElement(using: &random) ?? "",
                ]
                if Bool.random(using: &random) {
                    row["phone"] = "+86138000000\(Int.random(in: 10..<30, using: &random))"
                }
                if Bool.random(using: &random) {
                    row["email"] = "m\(Int.random(in: 0..<5, using: &random))@example.com"
                }
                if Bool.random(using: &random) {
                    row["birth_date"] = "1980-05-1\(Int.random(in: 0..<9, using: &random))"
                }
                if Bool.random(using: &random) {
                    row["document_number"] = MatchDesk.identity(Int.random(in: 1..<9, using: &random))
                }
                return row
            }
            let brought = try await desk.bring("crm", rows)
            if round == 2 { _ = try await desk.bench.revert([brought.outcomes]) }
            let (stored, wanted) = try await desk.tenant.database.read { session -> (Set<String>, Set<String>) in
                let ids = try session.query("SELECT id FROM customers_customer") { $0.id(0, PartyKind.self) }
                let keys = MatchKeys(countryCode: "86")
                var wanted: Set<String> = []
                for record in try CustomerLoader.records(ids, session) {
                    wanted.insert("\(record.id) \(MatchCard(record).encoded)")
                    for key in keys.keys(MatchCard(record)) { wanted.insert("\(key) \(record.id)") }
                }
                var stored = Set(
                    try session.query("SELECT key, customer_id FROM customers_match_key") {
                        "\($0.int(0)) \($0.int(1))"
                    })
                stored.formUnion(
                    try session.query("SELECT customer_id, record FROM customers_match_record") {
                        "\($0.int(0)) \($0.text(1))"
                    })
                return (stored, wanted)
            }
            #expect(stored == wanted, "seed \(seed), round \(round)")
        }
    }

    @Test("joining and taking apart in any order gives what a set of links gives", arguments: [1, 2, 3])
    func oracle(seed: UInt64) async throws {
        let desk = try await MatchDesk()
        var random = SeededGenerator(seed: seed)
        let ids = try await desk.bring("crm", (0..<7).map { ["source_id": "\($0)", "full_name": "N\($0)"] }).ids
        let before = try await desk.records()
        var links: Set<[CustomerID]> = []
        func part(_ id: CustomerID) -> Set<CustomerID> {
            var result: Set<CustomerID> = [id]
            while true {
                let more = links.filter { !result.isDisjoint(with: $0) }.reduce(into: result) { $0.formUnion($1) }
                if more == result { return result }
                result = more
            }
        }
        for step in 0..<40 {
            if let link = links.randomElement(using: &random), Bool.random(using: &random) {
                try await desk.separate(link[0], link[1])
                links.remove(link)
                let (one, other) = (part(link[0]), part(link[1]))
                for a in one { for b in other { #expect(try await desk.pair(a, b)?.state == .apart) } }
            } else {
                let pair = Array(ids.shuffled(using: &random).prefix(2)).sorted()
                if part(pair[0]).contains(pair[1]) {
                    await #expect(throws: CRMError.self) { try await desk.join(pair[0], pair[1]) }
                } else {
                    try await desk.join(pair[0], pair[1])
                    links.insert(pair)
                }
            }
            let listed = try await desk.tenant.database.read {
                try $0.query("SELECT customer_id FROM customers_listing WHERE NOT behind") { $0.id(0, PartyKind.self) }
            }
            #expect(listed.count == Set(ids.map(part)).count && Set(listed.map(part)).count == listed.count)
            for id in ids {
                let set = try await desk.set(id)
                #expect(set == part(id), "seed \(seed), step \(step)")
                let shown = try await desk.tenant.database.read { try PageStore.linked(id, $0) }
                #expect(shown.first == set.min(), "whoever is asked, the same comes first")
            }
        }
        #expect(try await desk.records() == before)
    }
}
