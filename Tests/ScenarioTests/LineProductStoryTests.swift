import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// Lines and products are one thing: what is ordered with a number is the customer's line, and every line is a product.
@Suite("Lines are products and products with a number are lines")
struct LineProductStoryTests {
    private static let products = "/tmf-api/productInventory/v4/product"
    private static let orders = "/tmf-api/productOrderingManagement/v4/productOrder"

    private struct World {
        let contract: ContractWorld
        var scenario: Scenario { contract.scenario }
        let offering: String
        let other: String

        init() async throws {
            let contract = try await ContractWorld(customers: 0)
            self.contract = contract
            func offer(_ name: String, _ amount: Int64) throws -> String {
                let price = try LineProductStoryTests.made(
                    contract, "/tmf-api/productCatalogManagement/v4/productOfferingPrice",
                    [
                        "name": .string("\(name) a month"), "priceType": "recurring", "price": ["unit": "CNY", "value": .int(amount)],
                        "recurringChargePeriodType": "month", "recurringChargePeriodLength": 1,
                    ])
                return try LineProductStoryTests.made(
                    contract, "/tmf-api/productCatalogManagement/v4/productOffering",
                    ["name": .string(name), "lifecycleStatus": "Active", "productOfferingPrice": [["id": .string(price)]]])
            }
            offering = try offer("Mobile S", 59)
            other = try offer("Mobile L", 129)
            try await imported(
                "customer",
                "source_id,full_name,msisdn,plan,monthly_charge,start_date\nQ1,Wang Fang,13800000001,Old Plan,30,2024-03-05\nQ2,Li Na,,,,\n")
        }

        func imported(_ entity: String, _ csv: String) async throws {
            let report = try await scenario.imported(entity, csv, source: "billing")
            #expect(report.rejected == 0 && report.created + report.updated > 0, "\(report.reasons) \(report.mapping)")
        }

        func customer(_ reference: String) async throws -> String {
            let found = try await scenario.tenant.database.read {
                try $0.first("SELECT id FROM customers_customer WHERE reference = $1", [.text(reference)]) { $0.int(0) }
            }
            return String(try #require(found))
        }

        /// `status plan number charge end` of the lines of a customer.
        func lines(_ customer: String) async throws -> [String] {
            try await scenario.tenant.database.read { session in
                try session.query(
                    """
                    SELECT status, plan, msisdn, monthly_charge, ended_on FROM customers_subscription WHERE customer_id = $1 ORDER BY id
                    """, [.int(Int64(customer) ?? 0)]
                ) { row in
                    [row.text(0), row.optionalText(1) ?? "-", row.optionalText(2) ?? "-", row.optionalInt(3).map { String($0) } ?? "-", row.optionalText(4) ?? "-"]
                        .joined(separator: " ")
                }
            }
        }

        func party(_ customer: String) -> JSONValue { [["id": .string(customer), "role": "customer", "@referredType": "Customer"]] }

        /// An order with one item, led to its end.
        func order(
            _ customer: String, _ item: JSONObject, sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> ContractWorld.Answer {
            var item = item
            item["id"] = "1"
            let made = try contract.send(
                "POST", orders, ["relatedParty": party(customer), "productOrderItem": .array([.object(item)])])
            guard made.status == 201 else { return made }
            var answer = made
            for state in ["inProgress", "completed"] {
                answer = try contract.send("PATCH", "\(orders)/\(made.id)", ["state": .string(state)])
                guard answer.status == 200 else { return answer }
            }
            return answer
        }

        func add(_ number: String, _ offering: String) -> JSONObject {
            [
                "action": "add", "productOffering": ["id": .string(offering)],
                "product": ["productCharacteristic": [["name": "MSISDN", "value": .string(number)]]],
            ]
        }

        func list(_ query: String) throws -> [JSONValue] {
            let answer = try contract.send("GET", "\(products)?\(query)")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.header("X-Total-Count") == String(answer.items.count), "\(query): \(answer.text)")
            return answer.items
        }

        func product(_ id: String) throws -> JSONValue { try contract.send("GET", "\(products)/\(id)").body }

        func subscribe() async throws {
            let answer = try contract.send("POST", "/tmf-api/productInventory/v4/hub", ["callback": "https://1.1.1.1/x", "query": ""])
            #expect(answer.status == 201, "\(answer.text)")
            try await scenario.tenant.database.write { session in _ = try session.execute("UPDATE tmf_hub SET state = 'paused'") }
        }

        func told() async throws -> [String] {
            try await scenario.drain()
            return try await scenario.tenant.database.write { session in
                let rows = try session.query("SELECT event_type, resource_id FROM tmf_hub_delivery ORDER BY id") { "\($0.text(0)) \($0.int(1))" }
                try session.execute("DELETE FROM tmf_hub_delivery")
                return rows.sorted()
            }
        }
    }

    private static func made(_ world: ContractWorld, _ path: String, _ body: JSONValue) throws -> String {
        let answer = try world.send("POST", path, body)
        try #require(answer.status == 201, "\(answer.text)")
        return answer.id
    }

    private static func product(_ answer: ContractWorld.Answer) -> String {
        answer.body["productOrderItem"]?.array?.first?["product"]?["id"]?.string ?? ""
    }

    @Test("an order with a number makes the customer's line at once: page, search and usage know it, and it is one product")
    func ordered() async throws {
        let world = try await World()
        let agent = try await world.scenario.user("mei", [.supervisor])
        let customer = try await world.customer("Q2")
        let day = world.scenario.clock.now().date(offsetMinutes: 480)
        let done = try world.order(customer, world.add("139 0000 0002", world.offering))
        #expect(done.status == 200, "\(done.text)")
        let id = Self.product(done)
        #expect(try await world.lines(customer) == ["active Mobile S +8613900000002 5900 -"])
        // One thing: by customer, by number, by id, by plan; counted once.
        for query in ["relatedParty.id=\(customer)", "id=\(id)", "productOffering.id=\(world.offering)", "productCharacteristic.value=139%200000%200002"] {
            #expect(try world.list(query).map { $0["id"] } == [.string(id)], "\(query)")
        }
        #expect(try world.list("limit=100").count == 2)
        let page = try agent.get("/customers/\(customer)").text
        #expect(page.contains("Mobile S") && page.contains("13900000002") && !page.contains("aria-label=\"Products\""), "it stands among the lines, once")
        #expect(try agent.post("/search", [("q", "13900000002")]).header("location") == "/customers/\(customer)")
        let event = #"{"id":"a","line":"13900000002","kind":"sms","start":"\#(day.adding(days: -1))"}"# + "\n"
        #expect(try agent.postLines("/api/usage/events?source=switch-1", event, key: "usage-key-0009").status == 200)
        let used = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT sms FROM customers_usage_month WHERE customer_id = $1", [.int(Int64(customer) ?? 0)]) { $0.int(0) }
        }
        #expect(used == [1])
        // An option for the same number is a product of its own and no second line.
        let option = try world.order(customer, world.add("+8613900000002", world.other))
        #expect(option.status == 200, "\(option.text)")
        #expect(try await world.lines(customer).count == 1)
        #expect(try world.list("relatedParty.id=\(customer)").count == 2)
        // Suspended, taken up again, another plan, ended: the line follows in the same transaction.
        func modify(_ product: JSONObject, _ more: JSONObject = [:]) throws -> ContractWorld.Answer {
            var product = product
            product["id"] = .string(id)
            return try world.order(customer, (["action": "modify", "product": .object(product)] as JSONObject).merging(more) { $1 })
        }
        #expect(try modify(["status": "suspended"]).status == 200)
        #expect(try await world.lines(customer) == ["suspended Mobile S +8613900000002 5900 -"])
        #expect(try modify(["status": "active"]).status == 200)
        #expect(try modify([:], ["productOffering": ["id": .string(world.other)]]).status == 200)
        #expect(try await world.lines(customer) == ["active Mobile L +8613900000002 12900 -"])
        let changed = try world.product(id)
        #expect(changed["name"] == "Mobile L" && changed["productPrice"]?.array?.count == 1, "\(changed)")
        // It has been used: it can be ended and not removed.
        let kept = try world.contract.send("DELETE", "\(Self.products)/\(id)")
        #expect(kept.status == 409 && kept.code == "in_use" && kept.text.contains("terminated"), "\(kept.text)")
        #expect(try world.order(customer, ["action": "delete", "product": ["id": .string(id)]]).status == 200)
        #expect(try await world.lines(customer) == ["terminated Mobile L +8613900000002 12900 \(day)"])
        #expect(try world.product(id)["status"] == "terminated")
        let history = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT to_status FROM customers_subscription_history WHERE customer_id = $1 ORDER BY id", [.int(Int64(customer) ?? 0)]) { $0.text(0) }
        }
        #expect(history == ["suspended", "active", "terminated"])
    }

    @Test("a number in service at another customer is refused when it is ordered and when it is done; after its end it is free")
    func taken() async throws {
        let world = try await World()
        let (first, second) = (try await world.customer("Q1"), try await world.customer("Q2"))
        let refused = try world.order(second, world.add("13800000001", world.offering))
        #expect(refused.status == 409 && refused.code == "number_taken", "\(refused.text)")
        #expect(refused.text.contains("+8613800000001") && !refused.text.contains(first))
        // Free when it was ordered, taken when it is done.
        let waiting = try world.contract.send(
            "POST", Self.orders, ["relatedParty": world.party(second), "productOrderItem": [.object(world.add("13800000009", world.offering).merging(["id": "1"]) { $1 })]])
        #expect(waiting.status == 201, "\(waiting.text)")
        #expect(try world.order(first, world.add("13800000009", world.offering)).status == 200)
        #expect(try world.contract.send("PATCH", "\(Self.orders)/\(waiting.id)", ["state": "inProgress"]).status == 200)
        let late = try world.contract.send("PATCH", "\(Self.orders)/\(waiting.id)", ["state": "completed"])
        #expect(late.status == 409 && late.code == "number_taken", "\(late.text)")
        #expect(try world.contract.send("GET", "\(Self.orders)/\(waiting.id)").body["state"] == "inProgress", "nothing of it is written")
        #expect(try world.list("relatedParty.id=\(second)").isEmpty)
        let direct = try world.contract.send(
            "POST", Self.products, ["status": "active", "relatedParty": world.party(second), "realizingResource": [["id": "r", "value": "+8613800000001"]]])
        #expect(direct.status == 409 && direct.code == "number_taken", "\(direct.text)")
        let two = try world.order(second, world.add("13800000010", world.offering).merging(["quantity": 2]) { $1 })
        #expect(two.status == 400 && two.code == "wrong_quantity", "\(two.text)")
        // A line does not change hands; once it has ended its number is free.
        let line = try #require(try world.list("realizingResource.value=%2B8613800000001").first?["id"]?.string)
        let moved = try world.contract.send("PATCH", "\(Self.products)/\(line)", ["relatedParty": world.party(second)])
        #expect(moved.status == 409 && moved.code == "line_owner", "\(moved.text)")
        #expect(try world.contract.send("PATCH", "\(Self.products)/\(line)", ["status": "terminated"]).status == 200)
        let done = try world.order(second, world.add("13800000001", world.offering))
        #expect(done.status == 200, "\(done.text)")
        #expect(try await world.lines(second) == ["active Mobile S +8613800000001 5900 -"])
        // Both are found by it: the ended one of the first, the new one of the second.
        #expect(try Set(world.list("realizingResource.value=%2B8613800000001").map { $0["id"]?.string ?? "" }) == [line, Self.product(done)])
        #expect(try world.list("productCharacteristic.value=13800000001").map { $0["id"] } == [.string(Self.product(done))])
        // Of somebody who has left nobody makes a line in service.
        let agent = try await world.scenario.user("mei", [.supervisor])
        #expect(try agent.fill("/customers/\(first)/departure", "/customers/\(first)/departure", [("f_left_on", "2026-01-01")]).status < 500)
    }

    private static func characteristic(_ value: JSONValue, _ name: JSONValue = "MSISDN") -> JSONValue { ["productCharacteristic": [["name": name, "value": value]]] }

    @Test("a number that an order or a page changed, on a line that has ended since: importing the file again touches no other line")
    func importedAgain() async throws {
        for way in ["order", "page"] {
            let world = try await World()
            let agent = try await world.scenario.user("mei", [.supervisor])
            let file = "source_id,full_name,msisdn,plan,monthly_charge,start_date\nK1,Chen Jie,13822230001,5G-99,99,2024-03-01\n"
            try await world.imported("customer", file)
            try await world.imported("lines", "line_id,source_id,msisdn,plan,service,monthly_charge\nB,K1,13822230002,FAM-169,mobile,169\n")
            let customer = try await world.customer("K1")
            let line = try #require(try world.list("realizingResource.value=13822230001").first?["id"]?.string)
            if way == "order" {
                let product = try #require(Self.characteristic("+8613822239999").object).merging(["id": .string(line)]) { $1 }
                let done = try world.order(customer, ["action": "modify", "product": .object(product)])
                #expect(done.status == 200, "\(done.text)")
            } else {
                let form = "/customers/\(customer)/lines/\(line)"
                #expect(try agent.fill(form + "/edit", form, [("f_msisdn", "13822239999")]).status == 303)
            }
            #expect(try world.order(customer, ["action": "delete", "product": ["id": .string(line)]]).status == 200)
            let before = try await world.lines(customer)
            #expect(before.count == 2 && before[0].hasPrefix("terminated 5G-99 +8613822239999") && before[1] == "active FAM-169 +8613822230002 16900 -", "\(before)")
            try await world.imported("customer", file + "K2,Wu Min,,,,\n")
            let after = try await world.lines(customer)
            #expect(Array(after.prefix(2)) == before, "\(way): \(after)")
            #expect(try world.list("realizingResource.value=13822230002").first?["productOffering"]?["id"] == "FAM-169")
        }
    }

    @Test("every place of a product tells the line's number and day, and one filter finds it however it came and is written")
    func toldOnce() async throws {
        let world = try await World()
        let (first, second) = (try await world.customer("Q1"), try await world.customer("Q2"))
        let id = try #require(try world.list("relatedParty.id=\(first)").first?["id"]?.string)
        // The plan that the line has is in no catalogue: naming it changes nothing; another unknown one is refused.
        func modify(_ product: JSONValue, _ offering: JSONValue) throws -> ContractWorld.Answer {
            let product = (product.object ?? [:]).merging(["id": .string(id), "productOffering": offering]) { $1 }
            return try world.order(first, ["action": "modify", "product": .object(product)])
        }
        let moved = try modify(Self.characteristic("138 2223 9999"), ["id": "Old Plan"])
        #expect(moved.status == 200, "\(moved.text)")
        #expect(try await world.lines(first) == ["active Old Plan +8613822239999 3000 -"])
        let unknown = try modify([:], ["id": "Old Plam"])
        #expect(unknown.status == 400 && unknown.code == "unknown_reference" && unknown.text.contains("productOrderItem[0]"), "\(unknown.text)")
        let product = try world.product(id)
        #expect(product["startDate"] == "2024-03-05T00:00:00+08:00" && product["productOffering"]?["name"] == "Old Plan", "\(product)")
        #expect(product["productCharacteristic"]?.array?.map { $0["value"] } == ["138 2223 9999"], "\(product)")
        #expect(product["realizingResource"]?.array?.map { $0["value"] } == ["+8613822239999"], "\(product)")
        #expect(try world.list("realizingResource.value=13800000001").isEmpty)
        // By the resource too: the characteristic follows.
        let patched = try world.contract.send(
            "PATCH", "\(Self.products)/\(id)", ["realizingResource": [["id": .string(id), "name": "MSISDN", "value": "+8613822238888"]]])
        #expect(patched.status == 200 && patched.body["productCharacteristic"]?.array?.first?["value"] == "+8613822238888", "\(patched.text)")
        #expect(try await world.lines(first) == ["active Old Plan +8613822238888 3000 -"])
        let made = try world.order(second, world.add("139 0000 0002", world.offering))
        let other = try world.product(Self.product(made))
        #expect(other["realizingResource"]?.array?.map { $0["value"] } == ["+8613900000002"], "\(other)")
        for (number, found) in [("13822238888", id), ("13900000002", Self.product(made))] {
            for written in [number, "%2B86" + number, "0086" + number, number.prefix(3) + "%20" + number.dropFirst(3)] {
                #expect(try world.list("realizingResource.value=\(written)").map { $0["id"] } == [.string(found)], "\(written)")
            }
        }
    }

    @Test("a number that is none is refused with its place, one in a reference is understood, and a number needs a customer")
    func wrong() async throws {
        let world = try await World()
        let customer = try await world.customer("Q2")
        for text in ["hello", "+86139123400", "1391234"] {
            let refused = try world.order(customer, world.add(text, world.offering))
            #expect(refused.status == 400 && refused.code == "wrong_number", "\(refused.text)")
            #expect(refused.text.contains("productOrderItem.product.productCharacteristic.value") && refused.text.contains(text), "\(refused.text)")
            let direct = try world.contract.send(
                "POST", Self.products,
                ["status": "active", "relatedParty": world.party(customer), "realizingResource": [["id": "r", "name": "MSISDN", "value": .string(text)]]])
            #expect(direct.status == 400 && direct.code == "wrong_number" && direct.text.contains("realizingResource.value"), "\(direct.text)")
        }
        // A device is called so too.
        let phone = try world.order(customer, ["action": "add", "productOffering": ["id": .string(world.offering)], "product": Self.characteristic("Model 15", "phone")])
        #expect(phone.status == 200, "\(phone.text)")
        let none = try await world.lines(customer)
        #expect(!none.contains { $0.contains("+86") }, "\(none)")
        let reference: JSONValue = ["realizingResource": [["id": "13912340057", "name": "13912340057", "@referredType": "MSISDN"]]]
        let done = try world.order(customer, ["action": "add", "productOffering": ["id": .string(world.offering)], "product": reference])
        #expect(done.status == 200, "\(done.text)")
        #expect(try await world.lines(customer).last == "active Mobile S +8613912340057 5900 -")
        let made = try world.product(Self.product(done))
        #expect(made["realizingResource"]?.array?.map { $0["value"] } == ["+8613912340057"], "\(made)")
        let refused = try world.order(
            customer, ["action": "modify", "product": .object((Self.characteristic("hello").object ?? [:]).merging(["id": made["id"] ?? ""]) { $1 })])
        #expect(refused.status == 400 && refused.code == "wrong_number", "\(refused.text)")
        let person = try Self.made(world.contract, "/tmf-api/party/v4/individual", ["givenName": "Hua", "familyName": "Sun"])
        for party in [[], [["id": .string(person), "@referredType": "Individual"]]] as [JSONValue] {
            func send(_ item: JSONObject) throws -> ContractWorld.Answer {
                let item = JSONValue.object(item.merging(["id": "1"]) { $1 })
                return try world.contract.send("POST", Self.orders, ["relatedParty": party, "productOrderItem": [item]])
            }
            let nobody = try send(world.add("13912340058", world.offering))
            #expect(nobody.status == 400 && nobody.code == "customer_needed" && nobody.text.contains("engagedParty"), "\(nobody.text)")
            #expect(try send(["action": "add", "productOffering": ["id": .string(world.offering)]]).status == 201, "without a number it may be nobody's")
        }
    }

    @Test("a disputed bill is released to what its payments make it, and to nothing else")
    func released() async throws {
        let world = try await World()
        try await world.imported("bills", "bill_number,source_id,amount,issued_on,due_on,status\nR1,Q1,39.00,2026-01-01,2026-01-15,sent\n")
        let bills = "/tmf-api/customerBillManagement/v4/customerBill"
        let id = try #require(try world.contract.send("GET", bills).items.first?["id"]?.string)
        func state(_ state: String) throws -> ContractWorld.Answer { try world.contract.send("PATCH", "\(bills)/\(id)", ["state": .string(state)]) }
        #expect(try state("onHold").body["state"] == "onHold")
        for asked in ["settled", "partiallyPaid"] {
            let refused = try state(asked)
            #expect(refused.status == 409 && refused.code == "illegal_transition" && refused.text.contains("is: sent"), "\(refused.text)")
        }
        #expect(try world.contract.send("GET", "\(bills)/\(id)").body["state"] == "onHold")
        let back = try state("sent")
        #expect(back.status == 200 && back.body["state"] == "sent", "\(back.text)")
    }

    @Test("a line that an import brought is a product in lists, counts and events, and orders and programs change the line by it")
    func imported() async throws {
        let world = try await World()
        let customer = try await world.customer("Q1")
        let found = try world.list("relatedParty.id=\(customer)")
        let product = try #require(found.first)
        let id = try #require(product["id"]?.string)
        #expect(found.count == 1 && product["status"] == "active" && product["name"] == "Old Plan", "\(product)")
        #expect(product["startDate"] == "2024-03-05T00:00:00+08:00", "\(product)")
        #expect(product["productPrice"]?.array?.first?["price"]?["taxIncludedAmount"]?["value"] == .int(30))
        #expect(product["realizingResource"]?.array?.first?["value"] == "+8613800000001")
        #expect(try world.product(id) == product)
        for (query, count) in [
            ("status=active", 1), ("status=suspended", 0), ("name=Old%20Plan", 1), ("name=mobile", 0), ("productOffering.id=Old%20Plan", 1),
            ("status.ne=active", 0), ("id=\(id)", 1), ("realizingResource.value=%2B8613800000001", 1), ("realizingResource.id=\(id)", 1),
            ("relatedParty.id.ne=\(customer)", 0), ("startDate.lt=2025-01-01T00:00:00Z", 1), ("productCharacteristic.name=x", 0), ("limit=1", 1),
        ] {
            #expect(try world.list(query).count == count, "\(query)")
        }
        // Whoever asked is told of lines of files and pages, of each once.
        try await world.subscribe()
        _ = try await world.told()
        try await world.imported("lines", "line_id,source_id,msisdn,plan,service,status\nL7,Q1,13800000077,File Plan,mobile,pending\n")
        let second = try #require(try world.list("name=File%20Plan").first?["id"]?.string)
        #expect(try await world.told() == ["ProductCreateEvent \(second)"])
        #expect(try world.product(second)["status"] == "pendingActive" && world.list("status=pendingActive").count == 1)
        let agent = try await world.scenario.user("mei", [.supervisor])
        let form = "/customers/\(customer)/lines/\(id)"
        #expect(try agent.fill(form + "/edit", form, [("f_plan", "Page Plan")]).status == 303)
        #expect(try await world.told() == ["ProductAttributeValueChangeEvent \(id)"])
        // A program says more than a line has: it is the same product, and the line follows what it says of it.
        let patched = try world.contract.send(
            "PATCH", "\(Self.products)/\(id)", ["productCharacteristic": [["name": "colour", "value": "red"]], "status": "suspended"])
        #expect(patched.status == 200 && patched.body["name"] == "Page Plan" && patched.body["startDate"] == product["startDate"], "\(patched.text)")
        #expect(try await world.lines(customer).first == "suspended Page Plan +8613800000001 3000 -")
        #expect(try await world.told() == ["ProductAttributeValueChangeEvent \(id)", "ProductStateChangeEvent \(id)"])
        #expect(try world.list("relatedParty.id=\(customer)").count == 2 && world.list("productCharacteristic.name=colour").count == 1)
        #expect(try world.list("status=active").isEmpty && world.list("name=Page%20Plan").count == 1)
        // And the product follows the line when a person changes that.
        #expect(try agent.fill(form + "/edit", form, [("f_plan", "Third Plan"), ("f_status", "active"), ("f_monthly_charge", "45")]).status == 303)
        #expect(try await world.told() == ["ProductAttributeValueChangeEvent \(id)", "ProductStateChangeEvent \(id)"])
        let followed = try world.product(id)
        #expect(followed["status"] == "active" && followed["name"] == "Third Plan" && followed["productOffering"]?["id"] == "Third Plan", "\(followed)")
        #expect(followed["productPrice"]?.array?.first?["price"]?["taxIncludedAmount"]?["value"] == .int(45), "\(followed)")
        #expect(followed["productCharacteristic"]?.array?.first?["value"] == "red")
        // An order ends what an import brought; what a source would bring again is not removed.
        #expect(try world.order(customer, ["action": "delete", "product": ["id": .string(second)]]).status == 200)
        #expect(try world.product(second)["status"] == "cancelled", "what was never active is not terminated but cancelled")
        #expect(try await world.lines(customer).last?.hasPrefix("terminated File Plan") == true)
        #expect(try world.contract.send("DELETE", "\(Self.products)/\(second)").code == "in_use")
        #expect(try world.order(customer, ["action": "delete", "product": ["id": .string(id)]]).status == 200)
        #expect(try await world.lines(customer).first?.hasPrefix("terminated Third Plan +8613800000001 4500 20") == true)
        // Who reaches some regions sees their lines only.
        let token = try await ContractWorld.token(
            world.scenario, "north", scopes: world.scenario.runtime.modules.resources.map(\.api), regions: ["north"])
        #expect(try world.contract.send("GET", Self.products, token: token).items.isEmpty)
        #expect(try world.contract.send("GET", "\(Self.products)/\(second)", token: token).status == 404)
    }
}
