import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Catalog

@Suite("The product catalogue (TMF620)")
struct CatalogTests {
    let desk: ProgramDesk
    let module: CatalogModule

    init() async throws {
        let test = try await TestTenant(["Catalog"])
        module = try CatalogModule(
            schemas: TMFSchemas(share: Checkout.share),
            hold: CatalogHold { id, session in
                try session.exists("SELECT id FROM catalog_offering WHERE id = $1 AND name = 'Sold'", [.int(id)])
                    ? [Words(en: "products of customers", zh: "客户产品")] : []
            })
        desk = try ProgramDesk(test, module.resources)
    }

    static let specification = #"""
        {"name":"Fibre line","version":"1.0","brand":"Acme","productNumber":"P-7","isBundle":false,"lifecycleStatus":"Active","x-mine":{"a":[1]},
        "productSpecCharacteristic":[{"id":"c1","name":"speed","valueType":"number","configurable":true,"minCardinality":1,"maxCardinality":1,"x":1,
        "productSpecCharacteristicValue":[{"value":100,"isDefault":true,"unitOfMeasure":"Mbit/s"},{"value":"500","valueFrom":1,"valueTo":9,"validFor":{"startDateTime":"2026-01-01T00:00:00Z"}}]},{"name":"empty","productSpecCharacteristicValue":[]}],
        "relatedParty":[{"id":"P1","role":"owner","name":"Li Wei","@referredType":"Individual"}],"productSpecificationRelationship":[{"id":"9","relationshipType":"migration"}],
        "bundledProductSpecification":[{"id":"8","name":"Router","lifecycleStatus":"Active"}],"validFor":{"startDateTime":"2026-01-01T00:00:00Z"}}
        """#
    static let price = #"""
        {"name":"Monthly","priceType":"recurring","price":{"unit":"EUR","value":29.95},"recurringChargePeriodType":"month","recurringChargePeriodLength":1,"isBundle":false,
        "percentage":0.5,"unitOfMeasure":{"amount":1,"units":"line"},"tax":[{"taxCategory":"VAT","taxRate":19,"taxAmount":{"unit":"EUR","value":4.789}}],
        "bundledPopRelationship":[{"id":"77","name":"p"}],"popRelationship":[{"id":"78","relationshipType":"discount"}],"lifecycleStatus":"Launched"}
        """#
    static func offering(_ name: String, _ specification: String, _ price: String, _ status: String = "Launched") -> String {
        #"""
        {"name":"\#(name)","description":"d","lifecycleStatus":"\#(status)","isBundle":false,"isSellable":true,"statusReason":"r",
        "productSpecification":{"id":"\#(specification)","name":"Fibre line","version":"1.0","href":"https://a.example/5"},
        "category":[{"id":"c5","name":"Fixed","@referredType":"Category"}],"productOfferingPrice":[{"id":"\#(price)","name":"Monthly","href":"h"}],
        "bundledProductOffering":[{"id":"b1","name":"TV","bundledProductOfferingOption":{"numberRelOfferLowerLimit":0,"numberRelOfferUpperLimit":2,"numberRelOfferDefault":1}}],
        "productOfferingRelationship":[{"id":"r1","relationshipType":"requires"}],"channel":[{"id":"web","name":"Web"}],"marketSegment":[{"id":"m1"}],"place":[{"id":"pl","name":"Berlin"}],
        "productOfferingTerm":[{"name":"24 months","duration":{"amount":24,"units":"month"}}],"attachment":[{"mimeType":"image/png","url":"https://a.example/x.png"}]}
        """#
    }

    @Test("what was sent of every resource comes back whole")
    func whole() async throws {
        try await desk.whole("productSpecification", Self.specification)
        try await desk.whole("productOfferingPrice", Self.price)
        try await desk.whole("productOffering", Self.offering("Fibre 100", "11", "12"))
        try await desk.whole(
            "category",
            #"{"name":"Fixed","isRoot":true,"parentId":"0","subCategory":[{"id":"7","name":"DSL","href":"x"}],"productOffering":[{"id":"5","name":"f"}],"validFor":{"startDateTime":"2026-01-01T00:00:00+08:00","endDateTime":"2027-01-01T00:00:00Z"}}"#)
        try await desk.whole(
            "catalog",
            #"{"name":"Retail","catalogType":"Product Catalog","category":[{"id":"7","name":"Fixed","version":"1"}],"relatedParty":[{"id":"1","role":"Owner","@referredType":"Organization","href":"h"}],"lifecycleStatus":"Active"}"#)
    }

    @Test("a promotion comes back whole; its pattern is set when it is made; lists are what the documents say")
    func promotions() async throws {
        for number in 0..<2 {
            try await desk.whole(
                "promotion",
                #"{"name":"P\#(number)","description":"d","promotionType":"Discount\#(number)","lifecycleStatus":"Active","validFor":{"endDateTime":"2027-01-01T00:00:00Z"},"attachment":[{"url":"https://a.example/x.png"}],"pattern":[{"id":"1","name":"n","description":"d","priority":1,"criteriaGroupLogicalRelationship":"AND","criteriaGroup":[{"id":"g","groupName":"n","criteria":[{"criteriaOperator":"=","criteriaParameter":"p","criteriaValue":"v"}]}],"action":[{"id":"a","actionType":"discount","actionValue":"10","actionEntityRef":{"id":"5","href":"h"}}]}]}"#)
            test.clock.advance(seconds: 1)
        }
        let resource = try #require(module.resources.first { $0.name == "promotion" })
        try await desk.lists(resource)
        let path = "promotion/\(try await desk.get("promotion?name=P0").body.array?.first?["id"]?.string ?? "")"
        #expect(try await desk.patch(path, #"{"pattern":[]}"#).code == "fixed")
        #expect(try await desk.patch(path, #"{"promotionType":"Award"}"#).status == 200)
    }

    @Test("what the specification wants in every answer is there, also of the shortest ones")
    func mandatory() async throws {
        for name in ["catalog", "category", "productSpecification", "productOfferingPrice", "productOffering"] {
            let made = try await desk.post(name, #"{"name":"n"}"#)
            for attribute in ["id", "href", "name", "lastUpdate", "lifecycleStatus"] {
                #expect(made.body[attribute]?.string?.isEmpty == false, "\(name).\(attribute)")
            }
            #expect(made.body["lifecycleStatus"] == .string("In study"))
            #expect(try await desk.send(.post, name, "{}").code == "missing")
        }
    }

    @Test("lists by every declared column are what the documents say")
    func lists() async throws {
        for (number, status) in ["Launched", "Active", "In test"].enumerated() {
            let specification = try await desk.post(
                "productSpecification", Self.specification.replacingOccurrences(of: "P-7", with: "P-\(number)"))
            let price = try await desk.post("productOfferingPrice", Self.price.replacingOccurrences(of: "Monthly", with: "M\(number)"))
            _ = try await desk.post("productOffering", Self.offering("O\(number)", specification.id, price.id, status))
            _ = try await desk.post(
                "category", #"{"name":"C\#(number)","parentId":"\#(number)","subCategory":[{"id":"\#(number)"}],"productOffering":[{"id":"o\#(number)"}]}"#)
            _ = try await desk.post(
                "catalog", #"{"name":"K\#(number)","category":[{"id":"c\#(number)"}],"relatedParty":[{"id":"p\#(number)","@referredType":"Organization"}]}"#)
            test.clock.advance(seconds: 1)
        }
        for resource in module.resources where resource.name != "promotion" { try await desk.lists(resource) }
        #expect(try await desk.get("productOffering?isSellable=true&lifecycleStatus=Active,Launched").body.array?.count == 2)
        #expect(try await desk.get("productOfferingPrice?price.value.gte=29.95").body.array?.count == 3)
        #expect(try await desk.get("productSpecification?productSpecCharacteristic.productSpecCharacteristicValue.value=100").body.array?.count == 3)
    }

    private var test: TestTenant { desk.test }

    @Test("the life of an offering is that of the specification, and what may follow is said")
    func life() async throws {
        #expect(
            Lifecycle.states.next.sorted { $0.key < $1.key }.map { "\($0.key) -> \($0.value.joined(separator: ", "))" } == [
                "Active -> Launched, Retired", "In design -> In study, In test, Rejected", "In study -> In design, Rejected",
                "In test -> In design, Active, Rejected", "Launched -> Retired", "Retired -> Launched, Obsolete",
            ])
        let path = "productOffering/\(try await desk.post("productOffering", #"{"name":"n"}"#).id)"
        for status in ["In design", "In test", "Active", "Launched", "Retired", "Obsolete"] {
            test.clock.advance(seconds: 1)
            let answer = try await desk.patch(path, #"{"lifecycleStatus":"\#(status)"}"#)
            #expect(answer.status == 200 && answer.body["lifecycleStatus"] == .string(status))
            #expect(answer.body["lastUpdate"] == .string(test.clock.now().iso8601))
        }
        let refused = try await desk.patch(path, #"{"lifecycleStatus":"Active"}"#)
        #expect(refused.status == 409 && refused.code == "illegal_transition")
        let jump = try await desk.patch("productOffering/\(try await desk.post("productOffering", #"{"name":"m"}"#).id)", #"{"lifecycleStatus":"Launched"}"#)
        #expect(jump.status == 409 && jump.message.contains("In design, Rejected"), "\(jump.message)")
        #expect(try await desk.send(.post, "category", #"{"name":"m","lifecycleStatus":"Retired"}"#).status == 409)
    }

    @Test("what others point to stays, and it is said what does")
    func used() async throws {
        let specification = try await desk.post("productSpecification", Self.specification)
        let price = try await desk.post("productOfferingPrice", Self.price)
        let offering = try await desk.post("productOffering", Self.offering("O", specification.id, price.id))
        let category = try await desk.post("category", #"{"name":"C","productOffering":[{"id":"\#(offering.id)"}]}"#)
        let child = try await desk.post("category", #"{"name":"D","parentId":"\#(category.id)"}"#)
        for (path, other) in [
            ("productSpecification/\(specification.id)", "product offering \(offering.id)"), ("productOfferingPrice/\(price.id)", "product offering \(offering.id)"),
            ("productOffering/\(offering.id)", "category \(category.id)"), ("category/\(category.id)", "sub-category \(child.id)"),
        ] {
            let refused = try await desk.send(.delete, path)
            #expect(refused.status == 409 && refused.code == "in_use" && refused.message.contains(other), "\(refused.message)")
            #expect(try await desk.get(path).status == 200)
        }
        for path in [
            "category/\(child.id)", "category/\(category.id)", "productOffering/\(offering.id)", "productSpecification/\(specification.id)",
            "productOfferingPrice/\(price.id)",
        ] {
            let answer = try await desk.send(.delete, path)
            #expect(answer.status == 204, "\(path): \(answer.body)")
            #expect(try await desk.get(path).status == 404)
        }
        let sold = try await desk.send(.delete, "productOffering/\(try await desk.post("productOffering", #"{"name":"Sold"}"#).id)")
        #expect(sold.status == 409 && sold.message.contains("products of customers"))
        let rest = try await test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM catalog_offering_price") }
        #expect(rest == 0)
    }

    @Test("a validity that ends before it begins is refused, when it is made and when it is changed")
    func periods() async throws {
        let wrong = #""validFor":{"startDateTime":"2026-02-01T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"}"#
        #expect(try await desk.send(.post, "catalog", "{\"name\":\"n\",\(wrong)}").code == "wrong_period")
        let path = "catalog/\(try await desk.post("catalog", #"{"name":"n"}"#).id)"
        #expect(try await desk.patch(path, "{\(wrong)}").code == "wrong_period")
        #expect(try await desk.get(path).body["validFor"] == nil)
    }

    @Test("other domains are told whether an offering is sold now, what it is and what it costs")
    func reading() async throws {
        let price = try await desk.post("productOfferingPrice", Self.price)
        func id(_ answer: ProgramDesk.Answer) throws -> OfferingID { try #require(OfferingID(answer.id)) }
        let sold = try id(try await desk.post("productOffering", Self.offering("A", "11", price.id)))
        let tried = try id(try await desk.post("productOffering", Self.offering("B", "11", "no id of ours", "In test")))
        let part = try id(try await desk.post("productOffering", #"{"name":"C","lifecycleStatus":"Active","isSellable":false}"#))
        let ended = try id(
            try await desk.post(
                "productOffering", #"{"name":"D","lifecycleStatus":"Active","validFor":{"endDateTime":"2020-01-01T00:00:00Z"}}"#))
        let plain = try id(try await desk.post("productOffering", #"{"name":"E","lifecycleStatus":"Active"}"#))
        let ids = [sold, tried, part, ended, plain, OfferingID(1)]
        let now = test.clock.now()
        let cards = try await test.tenant.database.read { try CatalogReader().offerings(ids, at: now, $0) }
        #expect(ids.map { cards[$0]?.isSellable } == [true, false, false, false, true, nil])
        #expect(ids.map { cards[$0]?.isOffered } == [true, false, true, false, true, nil], "a part of bundles is offered, not by itself")
        let card = try #require(cards[sold])
        #expect(card.name == "A" && card.specificationID == "11" && card.specificationName == "Fibre line" && card.status == "Launched")
        #expect(
            card.prices == [
                .init(
                    id: try #require(Int64(price.id)), name: "Monthly", type: "recurring", amount: Money(minor: 2995, currency: "EUR"),
                    period: "month")
            ])
        #expect(cards[tried]?.prices == [])
    }
}
