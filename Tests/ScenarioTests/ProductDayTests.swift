import Foundation
import Kernel
import Platform
import TMF
import TestSupport
import Testing
import Web

/// Lines begin on days, products of orders at instants: lists find both by one condition, without looking into documents.
@Suite("Products by when they began and ended")
struct ProductDayTests {
    private static let path = "/tmf-api/productInventory/v4/product"

    @Test("every comparison finds what the documents say, in zones east and west", arguments: [480, -330, 0])
    func compared(zone: Int) async throws {
        let world = try await ContractWorld(try await Scenario.start(customers: 30) { $0.timeZoneOffsetMinutes = zone })
        let party: JSONValue = ["id": .string(world.customers[0].description), "role": "customer", "@referredType": "Customer"]
        for (start, end) in [
            ("2024-03-04T05:06:07.089Z", "2025-03-04T05:06:07Z"), ("2024-03-04T00:00:00+08:00", "2025-03-04T00:00:00-05:30"),
            ("2024-03-04T00:00:00Z", "2025-03-04T23:59:59.999Z"),
        ] {
            let made = try world.send(
                "POST", Self.path,
                [
                    "name": "own", "status": "terminated", "startDate": .string(start), "terminationDate": .string(end), "relatedParty": [party],
                    "productCharacteristic": [], "productOffering": ["id": "o", "href": "https://other.example/o"],
                ])
            #expect(made.status == 201, "\(made.text)")
        }
        let all = try world.send("GET", Self.path + "?limit=1000").items
        let columns = try Contract.resource("product", world).store(world.scenario.tenant).table.columns.map(\.path.description)
        var compared = 0
        for name in ["startDate", "terminationDate"] {
            #expect(columns.contains(name))
            let texts = all.compactMap { $0[name]?.string }
            #expect(Set(texts).count > 3, "\(name): \(texts)")
            var values = Set(Set(texts).sorted().prefix(6))
            for text in values {
                let day = String(text.prefix(10))
                values.formUnion([day, day + "T12:30:00Z", day + "T00:00:00.001" + text.suffix(text.hasSuffix("Z") ? 1 : 6)])
            }
            for value in values.sorted() {
                let moment = try #require(TMFTime(value)).milliseconds
                for (sign, meets) in [
                    ("eq", { $0 == moment }), ("gt", { $0 > moment }), ("gte", { $0 >= moment }), ("lt", { $0 < moment }), ("lte", { $0 <= moment }),
                ] as [(String, (Int64) -> Bool)] {
                    let expected = all.filter { $0[name]?.string.flatMap { TMFTime($0) }.map { meets($0.milliseconds) } ?? false }
                    let answer = try world.send("GET", "\(Self.path)?\(name).\(sign)=\(ContractWorld.encoded(value))&limit=1000&fields=none")
                    let found = Set(answer.items.compactMap { $0["id"]?.string })
                    #expect(found == Set(expected.compactMap { $0["id"]?.string }), "\(name).\(sign)=\(value): \(answer.text.prefix(200))")
                    compared += 1
                }
            }
        }
        #expect(compared > 60)
    }
}
