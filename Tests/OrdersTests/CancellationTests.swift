import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Orders

@Suite("Cancelling orders, and what is kept of customers")
struct CancellationTests {
    let desk: OrdersDesk
    private var program: ProgramDesk { desk.program }

    init() async throws { desk = try await OrdersDesk() }

    private func cancel(_ order: String, _ reason: String = "moved") async throws -> ProgramDesk.Answer {
        try await program.send(.post, "cancelProductOrder", #"{"productOrder":{"id":"\#(order)"},"cancellationReason":"\#(reason)","x":1}"#)
    }

    @Test("what nobody has begun is cancelled at once")
    func atOnce() async throws {
        let order = try await desk.order(desk.add("1") + "," + desk.add("2"))
        let task = try await cancel(order.id)
        #expect(task.status == 201 && task.body["state"] == .string("done") && task.body["x"] == .int(1), "\(task.body)")
        #expect(task.body["effectiveCancellationDate"] == .string(desk.test.clock.now().iso8601))
        #expect(try await program.get("cancelProductOrder/\(task.id)").body == task.body)
        let after = try await program.get("productOrder/\(order.id)")
        #expect(desk.states(after) == ["cancelled", "cancelled", "cancelled"] && after.body["cancellationReason"] == .string("moved"))
        #expect(after.body["cancellationDate"] == .string(desk.test.clock.now().iso8601))
        let again = try await cancel(order.id)
        #expect(again.status == 409 && again.code == "order_closed" && again.message.contains("cancelled"), "\(again.body)")
        #expect(try await program.send(.patch, "cancelProductOrder/\(task.id)", "{}").status == 405)
        #expect(try await program.get("cancelProductOrder?productOrder.id=\(order.id)&state=done").body.array?.count == 1)
        #expect(try await cancel("5").code == "unknown_reference")
    }

    @Test("where work has begun, who does it is asked; the order says how it ends, and the task with it")
    func asked() async throws {
        let order = try await desk.order(desk.add("1") + "," + desk.add("2") + "," + desk.add("3"))
        _ = try await desk.lead(order.id, items: ["1": "inProgress", "3": "inProgress"])
        _ = try await desk.lead(order.id, items: ["3": "completed"])
        let task = try await cancel(order.id)
        #expect(task.body["state"] == .string("inProgress") && task.body["effectiveCancellationDate"] == nil, "\(task.body)")
        #expect(desk.states(try await program.get("productOrder/\(order.id)")) == ["assessingCancellation", "assessingCancellation", "cancelled", "completed"])
        #expect(try await cancel(order.id).code == "being_cancelled")
        try await desk.lead(order.id, "pendingCancellation")
        #expect(try await program.get("cancelProductOrder/\(task.id)").body["state"] == .string("inProgress"))
        let end = try await desk.lead(order.id, "cancelled")
        #expect(desk.states(end) == ["partial", "cancelled", "cancelled", "completed"], "one item had been delivered")
        #expect(try await program.get("cancelProductOrder/\(task.id)").body["state"] == .string("done"))
    }

    @Test("an order that goes on in spite of it ends the task with an error; it can be tried again")
    func refused() async throws {
        let order = try await desk.order(desk.add("1"))
        try await desk.lead(order.id, "inProgress")
        let task = try await cancel(order.id)
        try await desk.lead(order.id, "inProgress")
        #expect(try await program.get("cancelProductOrder/\(task.id)").body["state"] == .string("terminatedWithError"))
        #expect(try await cancel(order.id, "again").body["state"] == .string("inProgress"))
        try await desk.lead(order.id, "pendingCancellation", "cancelled")
        #expect(try await program.send(.delete, "productOrder/\(order.id)").status == 204)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_cancellation") == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_item") == 0)
    }

    static let product = #"""
        {"status":"active","name":"Line","description":"d","isBundle":false,"isCustomerVisible":true,"productSerialNumber":"S1","orderDate":"2026-01-01T00:00:00Z","startDate":"2026-01-02T03:04:05+08:00","terminationDate":"2030-01-02T03:04:05+08:00",
        "productOffering":{"id":"5","name":"n","href":"h"},"productSpecification":{"id":"6","name":"s","version":"2"},"billingAccount":{"id":"7","name":"b"},
        "relatedParty":[{"id":"11","role":"customer","name":"Li","@referredType":"Customer","href":"h"}],"productCharacteristic":[{"name":"a","value":{"deep":[1]},"valueType":"object"},{"name":"b","value":"c"}],
        "productPrice":[{"name":"m","priceType":"recurring","price":{"taxIncludedAmount":{"unit":"EUR","value":9.99},"taxRate":19},"productOfferingPrice":{"id":"8"}}],
        "productRelationship":[{"relationshipType":"reliesOn","product":{"id":"9","name":"x"}}],"realizingResource":[{"id":"r","name":"rn","value":"861"}],"realizingService":[{"id":"s","name":"sn","href":"h"}],
        "productOrderItem":[{"productOrderId":"1","orderItemId":"2","orderItemAction":"add","role":"r","productOrderHref":"h"}],"place":[{"id":"pl","role":"installed"}],"mine":[null,{"a":1.50}]}
        """#
    static func order(_ offering: String, _ number: Int) -> String {
        #"""
        {"externalId":"E\#(number)","category":"B2C","description":"d","priority":"1","requestedStartDate":"2026-01-01T00:00:00Z","notificationContact":"li@a.example","billingAccount":{"id":"B\#(number)","name":"b","x":1},
        "relatedParty":[{"id":"11","role":"customer","name":"Li","@referredType":"Customer","href":"h"}],"note":[{"id":"1","author":"a","text":"t","date":"2026-01-01T00:00:00Z","x":1}],
        "channel":[{"id":"c\#(number)","name":"web","role":"r","href":"h"}],"quote":[{"id":"q\#(number)","name":"q","href":"h"}],"payment":[{"id":"p"}],"mine":{"a":[1]},
        "productOrderItem":[{"id":"1","action":"add","state":"acknowledged","quantity":1,"productOffering":{"id":"\#(offering)","name":"f","href":"h"},"product":{"name":"p","productCharacteristic":[{"name":"n","value":[1,"b"],"z":1},{"name":"m","value":"v"}]},"itemTerm":[{"name":"t"}]}]}
        """#
    }

    @Test("what was sent comes back whole, of products and of orders; lists are what the documents say")
    func whole() async throws {
        for (number, offering) in [desk.fibre, desk.tv].enumerated() {
            try await program.whole("product", Self.product.replacingOccurrences(of: #""S1""#, with: #""S\#(number)""#))
            try await program.whole("productOrder", Self.order(offering, number))
            desk.test.clock.advance(seconds: 1)
        }
        let ids = try await program.get("productOrder").body.array?.compactMap { $0["id"]?.string } ?? []
        try await desk.lead(ids[0], "inProgress", "completed")
        let other = try await program.patch("productOrder/\(ids[1])", #"{"relatedParty":[{"id":"12","role":"customer","@referredType":"Customer"}]}"#)
        #expect(other.status == 200 && other.body["productOrderItem"] != nil && other.body["note"] != nil, "it lies with the other customer now: \(other.body)")
        for id in ids.suffix(1) { #expect(try await cancel(id).status == 201) }
        let third = try await desk.order(desk.add("1"))
        try await desk.lead(third.id, "inProgress")
        #expect(try await cancel(third.id).status == 201)
        for resource in desk.module.resources where ["productOrder", "cancelProductOrder", "product"].contains(resource.name) { try await program.lists(resource) }
        #expect(try await program.get("productOrder?relatedParty.id=12").body.array?.count == 1)
    }

    @Test("a customer who is removed takes everything along; nobody else's is touched")
    func forgets() async throws {
        let order = try await desk.order(desk.add("1"))
        try await desk.lead(order.id, "inProgress", "completed")
        let second = try await desk.order(desk.add("1"))
        _ = try await cancel(second.id)
        _ = try await program.post("productOrder", Self.order(desk.fibre, 1).replacingOccurrences(of: #""id":"11""#, with: #""id":"12""#))
        let handlers = desk.module.eventHandlers(desk.test.tenant)
        #expect(try await desk.test.tenant.database.read { try desk.module.hold.holders(TwoCustomers.ids, $0) } == Set(TwoCustomers.ids))
        try await desk.test.tenant.database.write { session in
            try desk.test.tenant.outbox.append(CustomersChanged(ids: [CustomerID(11)], fields: [], kind: .removed), session)
        }
        try await desk.test.drain(handlers: handlers)
        for table in OrdersLabels.all.map(\.table) {
            let left = try await desk.test.tenant.database.read { session in
                try session.count(TestSQL.ofCustomer(table))
            }
            #expect(left == 0, "\(table)")
        }
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_order") == 1)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_item_characteristic") == 2)
        #expect(try await desk.count("SELECT COUNT(*) FROM tmf_kept WHERE resource <> 'productOrder'") == 0, "what was kept beside them is gone too")
        #expect(try await desk.count("SELECT COUNT(*) FROM tmf_kept") == 1)
    }

    @Test("an offering that has been sold stays in the catalogue")
    func sold() async throws {
        let order = try await desk.order(desk.add("1", desk.tv))
        #expect(try await program.send(.delete, "productOffering/\(desk.tv)").code == "in_use")
        try await desk.lead(order.id, "inProgress", "completed")
        #expect(try await program.send(.delete, "productOffering/\(desk.tv)").code == "in_use")
        let product = try await program.get("product").body.array?.first?["id"]?.string ?? ""
        #expect(try await program.patch("product/\(product)", #"{"status":"terminated"}"#).status == 200)
        #expect(try await program.send(.delete, "productOffering/\(desk.tv)").status == 204)
    }
}

private enum TestSQL {
    static func ofCustomer(_ table: String) -> SQL { SQL(trusted: "SELECT COUNT(*) FROM \(table) WHERE customer_id = 11") }
}
