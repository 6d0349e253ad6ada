import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Orders

@Suite("Product orders (TMF622) and the products they make (TMF637)")
struct OrderTests {
    let desk: OrdersDesk
    private var program: ProgramDesk { desk.program }

    init() async throws { desk = try await OrdersDesk() }

    @Test("an order that completes makes the product, with the price of the catalogue, of the customer, and names it")
    func adds() async throws {
        let order = try await desk.order(
            #"{"id":"1","action":"add","quantity":1,"productOffering":{"id":"\#(desk.fibre)","x":1},"product":{"name":"My line","productCharacteristic":[{"name":"MSISDN","value":"8613800000001"},{"name":"speed","value":100,"y":2}],"realizingResource":[{"id":"r1","value":"8613800000001"}]},"itemTerm":[{"name":"24 months"}]}"#,
            #","externalId":"E-1","billingAccount":{"id":"BA1"}"#)
        #expect(order.status == 201 && desk.states(order) == ["acknowledged", "acknowledged"], "\(order.body)")
        #expect(order.body["orderDate"]?.string != nil && order.body["completionDate"] == nil)
        try await desk.lead(order.id, "inProgress")
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 0)
        let done = try await desk.lead(order.id, "completed")
        #expect(desk.states(done) == ["completed", "completed"])
        #expect(done.body["completionDate"] == .string(desk.test.clock.now().iso8601))
        let item = try #require(done.body["productOrderItem"]?.array?.first)
        #expect(item["itemTerm"] == .array([.object(["name": .string("24 months")])]) && item["productOffering"]?["x"] == .int(1))
        #expect(item["product"]?["name"] == .string("My line") && item["product"]?["status"] == .string("active"))
        let product = try await program.get("product/\(item["product"]?["id"]?.string ?? "")")
        #expect(product.status == 200 && product.body["status"] == .string("active"), "\(product.body)")
        #expect(product.body["name"] == .string("My line") && product.body["startDate"] == .string(desk.test.clock.now().iso8601))
        #expect(product.body["productOffering"]?["id"] == .string(desk.fibre) && product.body["productOffering"]?["name"] == .string("Fibre 100"))
        #expect(product.body["productSpecification"] == .object(["id": .string("77"), "name": .string("Fibre line")]))
        #expect(
            product.body["productCharacteristic"]?.array == [
                .object(["name": .string("MSISDN"), "value": .string("8613800000001")]),
                .object(["name": .string("speed"), "value": .int(100), "y": .int(2)]),
            ])
        #expect(product.body["productPrice"]?.array?.first?["price"]?["taxIncludedAmount"] == .object(["unit": .string("EUR"), "value": .double(29.95)]))
        #expect(product.body["productPrice"]?.array?.first?["recurringChargePeriod"] == .string("month"))
        #expect(product.body["relatedParty"]?.array?.first?["id"] == .string("11") && product.body["billingAccount"]?["id"] == .string("BA1"))
        #expect(
            product.body["productOrderItem"] == .array([
                .object(["productOrderId": .string(order.id), "orderItemId": .string("1"), "orderItemAction": .string("add")])
            ]))
        for query in ["relatedParty.id=11", "productOrderItem.productOrderId=\(order.id)", "realizingResource.value=8613800000001", "productCharacteristic.value=100"] {
            #expect(try await program.get("product?\(query)").body.array?.count == 1, "\(query)")
        }
        #expect(try await program.get("product?relatedParty.id=12").body.array == [])
        let events = try await desk.test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'tmf.resource.changed' ORDER BY id") { $0.text(0) }
        }.filter { $0.contains(order.id) || $0.contains(product.id) }
        #expect(events.count == 4 && events.contains { $0.contains(product.id) && $0.contains(#""created""#) }, "\(events)")
        #expect(events.last?.contains("stateChanged") == true && events.last?.contains("completionDate") == true)
    }

    @Test("orders change and end products: characteristics by their names, the offering, the date of the end")
    func modifies() async throws {
        let order = try await desk.order(
            desk.add("1", nil, #","product":{"productCharacteristic":[{"name":"MSISDN","value":"1"},{"name":"speed","value":"100"}],"place":[{"role":"installed","id":"p"}]}"#))
        let made = try await desk.lead(order.id, "inProgress", "completed")
        let id = made.body["productOrderItem"]?.array?.first?["product"]?["id"]?.string ?? ""
        desk.test.clock.advance(seconds: 60)
        let change = try await desk.order(
            #"{"id":"a","action":"modify","productOffering":{"id":"\#(desk.tv)"},"product":{"id":"\#(id)","productCharacteristic":[{"name":"speed","value":"500"},{"name":"new","value":"n"}]}}"#)
        #expect(change.status == 201, "\(change.body)")
        try await desk.lead(change.id, "inProgress", "completed")
        let changed = try await program.get("product/\(id)")
        #expect(changed.body["productCharacteristic"]?.array?.map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? "")" } == ["MSISDN=1", "speed=500", "new=n"])
        #expect(changed.body["productOffering"]?["id"] == .string(desk.tv) && changed.body["status"] == .string("active"))
        #expect(changed.body["place"]?.array?.first?["id"] == .string("p"), "what an order does not name stays")
        desk.test.clock.advance(seconds: 60)
        let end = try await desk.order(#"{"id":"z","action":"delete","product":{"id":"\#(id)"}}"#)
        let refused = try await program.send(.delete, "product/\(id)")
        #expect(refused.status == 409 && refused.message.contains(end.id), "\(refused.body)")
        try await desk.lead(end.id, "inProgress", "completed")
        let ended = try await program.get("product/\(id)")
        #expect(ended.body["status"] == .string("terminated") && ended.body["terminationDate"] == .string(desk.test.clock.now().iso8601))
        #expect(ended.body["productOrderItem"]?.array?.compactMap { $0["orderItemAction"]?.string } == ["add", "modify", "delete"])
        let again = try await desk.order(#"{"id":"z","action":"modify","product":{"id":"\#(id)"}}"#)
        #expect(again.status == 409 && again.code == "product_ended")
        #expect(try await program.send(.delete, "product/\(id)").status == 204)
    }

    @Test("items end each for itself: the order is completed, partial, failed or cancelled by what they come to")
    func rolls() async throws {
        let order = try await desk.order([desk.add("1"), desk.add("2", desk.tv), desk.add("3")].joined(separator: ","))
        try await desk.lead(order.id, "inProgress")
        let one = try await desk.lead(order.id, items: ["1": "completed", "2": "held"])
        #expect(desk.states(one) == ["inProgress", "completed", "held", "inProgress"], "\(one.body)")
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 1)
        let failed = try await desk.lead(order.id, items: ["2": "failed"])
        #expect(desk.states(failed) == ["inProgress", "completed", "failed", "inProgress"], "\(failed.body)")
        let rest = try await desk.lead(order.id, "completed")
        #expect(desk.states(rest) == ["partial", "completed", "failed", "completed"])
        #expect(try await program.get("productOrder/\(order.id)").body["state"] == .string("partial"))
        #expect(try await program.get("productOrder?state=partial&productOrderItem.state=failed").body.array?.count == 1)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 2)
        #expect(
            [["completed"], ["completed", "cancelled"], ["failed", "cancelled"], ["cancelled", "rejected"], ["rejected"], ["held", "acknowledged"], ["acknowledged"],
                ["acknowledged", "rejected"], ["pending", "inProgress"], ["pendingCancellation", "completed"],
            ].map { OrderFlow.together($0, isOrder: true) } == [
                "completed", "partial", "failed", "cancelled", "rejected", "held", "acknowledged", "inProgress", "inProgress", "pendingCancellation",
            ])
    }

    @Test("a bundle has its items inside; each makes its product, and the outer one holds them")
    func bundles() async throws {
        let order = try await desk.order(
            #"{"id":"1","action":"add","productOffering":{"id":"\#(desk.tv)"},"product":{"name":"Home"},"productOrderItem":[\#(desk.add("1.1")),\#(desk.add("1.2", desk.tv, #","quantity":2"#))]}"#)
        #expect(order.status == 201, "\(order.body)")
        let done = try await desk.lead(order.id, "inProgress", "completed")
        let outer = try #require(done.body["productOrderItem"]?.array?.first)
        let inner = (outer["productOrderItem"]?.array ?? []).compactMap { $0["product"]?["id"]?.string }
        #expect(outer["state"] == .string("completed") && inner.count == 2)
        let home = try await program.get("product/\(outer["product"]?["id"]?.string ?? "")")
        #expect(home.body["name"] == .string("Home"))
        #expect(home.body["productRelationship"]?.array?.compactMap { $0["product"]?["id"]?.string } == inner)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 4, "two of the second item")
        #expect(try await program.get("product?productRelationship.product.id=\(inner[0])").body.array?.count == 1)
    }

    @Test("what is sold in bundles only is refused by itself and taken inside of one; an order is not larger than a transaction may be")
    func parts() async throws {
        let part = try await program.post("productOffering", #"{"name":"Router","lifecycleStatus":"Active","isSellable":false}"#).id
        let alone = try await desk.order(desk.add("1", part))
        #expect(alone.status == 409 && alone.code == "not_sellable")
        let bundle = try await desk.order(desk.add("1", desk.tv, #","productOrderItem":[\#(desk.add("2", part))]"#))
        #expect(bundle.status == 201, "\(bundle.body)")
        let many = (1...201).map { desk.add("\($0)") }.joined(separator: ",")
        #expect(try await desk.order(many).code == "too_many_items")
        let large = (1...11).map { desk.add("\($0)", nil, #","quantity":100"#) }.joined(separator: ",")
        #expect(try await desk.order(large).code == "too_many_items")
    }

    @Test("the life of orders and items is that of the specification")
    func golden() {
        let lines = OrderFlow.states.next.sorted { $0.key < $1.key }.map { "\($0.key) -> \($0.value.joined(separator: ", "))" }
        #expect(
            lines == [
                "acknowledged -> inProgress, pending, held, rejected, cancelled, assessingCancellation",
                "assessingCancellation -> pendingCancellation, inProgress, pending, held",
                "held -> inProgress, pending, failed, cancelled, assessingCancellation",
                "inProgress -> pending, held, completed, failed, partial, assessingCancellation",
                "pending -> inProgress, held, failed, cancelled, assessingCancellation", "pendingCancellation -> cancelled",
            ])
        let items = OrderFlow.itemStates.next.mapValues { $0 }
        #expect(items == OrderFlow.states.next.mapValues { $0.filter { $0 != "partial" } })
        #expect(
            Inventory.states.next.sorted { $0.key < $1.key }.map { "\($0.key) -> \($0.value.joined(separator: ", "))" } == [
                "active -> suspended, pendingTerminate, terminated", "created -> pendingActive, active, cancelled, aborted",
                "pendingActive -> active, cancelled, aborted", "pendingTerminate -> active, terminated",
                "suspended -> active, pendingTerminate, terminated",
            ])
    }

    @Test("what cannot be ordered is refused with its reason, and nothing is written")
    func refusals() async throws {
        let unknown = #"{"id":"1","action":"modify","product":{"id":"5"}}"#
        for (items, status, code) in [
            (desk.add("1") + "," + desk.add("1"), 400, "duplicate_item"), (desk.add("1", desk.planned), 409, "not_sellable"),
            (desk.add("1", "12345"), 400, "unknown_reference"), (#"{"id":"1","action":"add"}"#, 400, "missing"), (unknown, 400, "unknown_reference"),
            (#"{"id":"1","action":"delete"}"#, 400, "missing"), (desk.add("1", nil, #","quantity":0"#), 400, "wrong_quantity"),
            (desk.add("1", nil, #","product":{"id":"5"}"#), 400, "fixed"), (desk.add("1", nil, #","state":"completed""#), 409, "illegal_transition"),
            (#"{"id":"1","action":"buy"}"#, 400, "wrong_type"), ("", 400, "missing"),
            (desk.add("1", nil, #","productOrderItem":[\#(desk.add("2", desk.planned))]"#), 409, "not_sellable"),
        ] {
            let answer = try await desk.order(items)
            #expect(answer.status == status && answer.code == code, "\(items): \(answer.body)")
        }
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_order") == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_item") == 0)
        let elsewhere = try await desk.order(#"{"id":"1","action":"add","productOffering":{"id":"12345","href":"https://other.example/offering/12345","name":"Theirs"}}"#)
        #expect(elsewhere.status == 201, "an offering of another system, named with where it lies: \(elsewhere.body)")
    }

    @Test("illegal steps of orders and items are 409 with what may follow; nothing has changed")
    func illegal() async throws {
        let order = try await desk.order(desk.add("1") + "," + desk.add("2"))
        let path = "productOrder/\(order.id)"
        let jump = try await program.patch(path, #"{"state":"completed"}"#)
        #expect(jump.status == 409 && jump.message.contains("inProgress, pending, held"), "\(jump.body)")
        let item = try await desk.lead(order.id, items: ["1": "completed"])
        #expect(item.status == 409 && item.message.contains("Item “1”"), "\(item.body)")
        try await desk.lead(order.id, "inProgress")
        _ = try await desk.lead(order.id, items: ["1": "pending"])
        let blocked = try await program.patch(path, #"{"state":"completed"}"#)
        #expect(blocked.status == 409 && blocked.message.contains("Item “1”"), "\(blocked.body)")
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 0)
        let more = try await program.patch(path, #"{"productOrderItem":[\#(desk.add("1"))]}"#)
        #expect(more.status == 409 && more.code == "order_begun", "\(more.body)")
        let other = try await program.patch(path, #"{"productOrderItem":[\#(desk.add("1", desk.tv)),\#(desk.add("2"))]}"#)
        #expect(other.status == 409 && other.code == "order_begun")
        #expect(try await program.send(.delete, path).code == "order_begun")
        _ = try await desk.lead(order.id, items: ["1": "inProgress"])
        try await desk.lead(order.id, "completed")
        let late = try await desk.lead(order.id, items: ["1": "failed"])
        #expect(late.status == 409 && late.code == "order_closed", "\(late.body)")
        let note = try await program.patch(path, #"{"note":[{"text":"done"}],"description":"d"}"#)
        #expect(note.status == 200 && note.body["note"]?.array?.first?["text"] == .string("done"))
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 2)
    }

    @Test("a product that is not allowed to end undoes the completion of its order too")
    func together() async throws {
        let product = try await program.post("product", #"{"status":"active","name":"p",\#(OrdersDesk.customer)}"#)
        let order = try await desk.order(desk.add("1") + #",{"id":"2","action":"delete","product":{"id":"\#(product.id)"}}"#)
        try await desk.lead(order.id, "inProgress")
        _ = try await program.patch("product/\(product.id)", #"{"status":"terminated"}"#)
        let refused = try await program.patch("productOrder/\(order.id)", #"{"state":"completed"}"#)
        #expect(refused.status == 409 && refused.code == "product_ended", "\(refused.body)")
        #expect(try await program.get("productOrder/\(order.id)").body["state"] == .string("inProgress"))
        #expect(try await desk.count("SELECT COUNT(*) FROM orders_product") == 1, "the other item made none")
    }

    @Test("an order becomes another customer's only before work on it has begun, and not with products of the first")
    func moves() async throws {
        let other = #"{"relatedParty":[{"id":"12","role":"customer","@referredType":"Customer"}]}"#
        let free = try await desk.order(desk.add("1", nil, #","product":{"@type":"ProductRefOrValue","name":"p"}"#))
        #expect(try await program.patch("productOrder/\(free.id)", other).status == 200)
        let done = try await desk.lead(free.id, "inProgress", "completed")
        let product = try await program.get("product?relatedParty.id=12").body.array?.first
        #expect(product?["id"] == done.body["productOrderItem"]?.array?.first?["product"]?["id"] && product?["@type"] == .string("Product"))
        let own = try await program.post("product", #"{"status":"active",\#(OrdersDesk.customer)}"#)
        let bound = try await desk.order(#"{"id":"1","action":"delete","product":{"id":"\#(own.id)"}}"#)
        #expect(try await program.patch("productOrder/\(bound.id)", other).code == "other_customer")
        try await desk.lead(bound.id, "inProgress")
        let begun = try await program.patch("productOrder/\(bound.id)", other)
        #expect(begun.status == 409 && begun.code == "order_begun", "\(begun.body)")
        try await desk.lead(bound.id, "completed")
        #expect(try await program.patch("productOrder/\(bound.id)", #"{"description":"late"}"#).status == 200)
    }

    @Test("products of others are none of an order; who has regions sees and orders only there")
    func scopes() async throws {
        let other = try await program.post("product", #"{"status":"active","relatedParty":[{"id":"12","@referredType":"Customer"}]}"#)
        let refused = try await desk.order(#"{"id":"1","action":"delete","product":{"id":"\#(other.id)"}}"#)
        #expect(refused.status == 409 && refused.code == "other_customer", "\(refused.body)")
        _ = try await desk.order(desk.add("1"))
        let north = TestTenant.principal(program.permissions, regions: ["north"])
        #expect(try await program.send(.get, "product/\(other.id)", as: north).status == 404)
        #expect(try await program.send(.get, "product", as: north).body.array == [])
        #expect(try await program.send(.get, "productOrder", as: north).body.array?.count == 1)
        let nobody = try await program.send(.post, "productOrder", #"{"productOrderItem":[\#(desk.add("1"))]}"#, as: north)
        #expect(nobody.status == 403, "\(nobody.body)")
        let hidden = TestTenant.principal([OrdersPermissions.viewOrders, OrdersPermissions.viewProducts])
        _ = try await program.post("product", #"{"status":"active","productCharacteristic":[{"name":"MSISDN","value":"8613812345678","note":"n"}],"x":"y",\#(OrdersDesk.customer)}"#)
        let shown = try await program.send(.get, "product?relatedParty.id=11", as: hidden).body.encoded()
        #expect(!shown.contains("8613812345678") && !shown.contains(#""n""#) && !shown.contains(#""y""#), "\(shown)")
    }
}
