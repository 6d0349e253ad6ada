import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What a completed item of an order means for the customer's products. It goes through the desk of the products, in the transaction
/// of the order: what is not allowed there undoes the order's change too, and whoever has asked to be told of products is.
struct Fulfilment: Sendable {
    static let quantityMax: Int64 = 100
    /// Of one order.
    static let productsMax: Int64 = 1_000

    let products: TMFResource
    let catalog: any CatalogReading
    let lines: LineProducts?

    /// - Parameter order: with its id.
    /// - Returns: the item with the product that it made or changed.
    func fulfil(
        _ item: JSONObject, of order: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws -> JSONObject {
        let whole = TMFContext(tenant: context.tenant, principal: Masking.lifted(context.principal), now: context.now)
        let desk = TMFDesk(resource: products, tenant: context.tenant)
        var item = item
        switch item["action"]?.string {
        case "add":
            let document = try made(item, order, context, session)
            var ids: [Int64] = []
            for _ in 0..<max(1, item["quantity"]?.int ?? 1) { ids.append(try desk.create(document, whole, session).0) }
            if let id = ids.first { AttributePath("product.id").put(.string(String(id)), into: &item) }
            AttributePath("product.status").put(.string("active"), into: &item)
        case "modify":
            guard let id = Self.product(item) else { break }
            let old = try Self.standing(id, item, desk, whole, session)
            let card = try card(item, context, session)
            _ = try desk.change(id, .merge(Self.modified(old, item, order, card)), seen: nil, whole, session)
        case "delete":
            guard let id = Self.product(item) else { break }
            let old = try Self.standing(id, item, desk, whole, session)
            let status = old["status"]?.string ?? ""
            // What was never active is not terminated but cancelled.
            let next = Inventory.states.next[status] ?? []
            let end = next.contains("terminated") || !next.contains("cancelled") ? "terminated" : "cancelled"
            var patch: JSONObject = [
                "status": .string(end), "productOrderItem": Self.origins(old, item, order),
            ]
            if end == "terminated" { patch["terminationDate"] = item["product"]?["terminationDate"] ?? .string(context.now.iso8601) }
            _ = try desk.change(id, .merge(patch), seen: nil, whole, session)
            AttributePath("product.status").put(.string(end), into: &item)
        default: break
        }
        return item
    }

    /// The product, which may have ended by other ways since it was ordered.
    private static func standing(
        _ id: Int64, _ item: JSONObject, _ desk: TMFDesk, _ context: TMFContext, _ session: any SQLSession
    ) throws -> JSONObject {
        let product = try desk.document(id, context.principal, session)
        let status = product["status"]?.string ?? ""
        if Inventory.ended.contains(status) { throw OrderFlow.ended(product: String(id), status, item) }
        return product
    }

    /// The product that an item is about.
    static func product(_ item: JSONObject) -> Int64? {
        guard let text = item["product"]?["id"]?.string, let id = Int64(text), String(id) == text else { return nil }
        return id
    }

    /// The offering that an item is about.
    static func offering(_ item: JSONObject) -> JSONObject? {
        (item["productOffering"] ?? item["product"]?["productOffering"])?.object
    }

    private func card(_ item: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> OfferingCard? {
        let id = Self.offering(item)?["id"]?.string.flatMap { OfferingID($0) }
        return try id.flatMap { try catalog.offerings([$0], at: context.now, session)[$0] }
    }

    private static func origin(_ item: JSONObject, _ order: JSONObject) -> JSONValue {
        var origin: JSONObject = ["productOrderId": order["id"] ?? .null]
        origin["orderItemId"] = item["id"]
        origin["orderItemAction"] = item["action"]
        return .object(origin)
    }

    /// The orders that a product has gone through, this one last.
    private static func origins(_ product: JSONObject, _ item: JSONObject, _ order: JSONObject) -> JSONValue {
        .array((product["productOrderItem"]?.array ?? []) + [origin(item, order)])
    }

    // MARK: A new one

    private func made(
        _ item: JSONObject, _ order: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws -> JSONObject {
        var document = item["product"]?.object ?? [:]
        for name in ["id", "href", "@referredType"] { document[name] = nil }
        // The type of the reference is not that of the product; one of the client's own is.
        if document["@type"] == .string("ProductRefOrValue") { document["@type"] = nil }
        let offering = Self.offering(item)
        let card = try card(item, context, session)
        if let offering { document["productOffering"] = .object(offering) }
        if document["name"] == nil { document["name"] = offering?["name"] ?? card.map { .string($0.name) } }
        if let card {
            AttributePath("productOffering.name").put(.string(offering?["name"]?.string ?? card.name), into: &document)
            if document["isBundle"] == nil { document["isBundle"] = .bool(card.isBundle) }
            if document["productSpecification"] == nil, let specification = card.specificationID {
                var reference: JSONObject = ["id": .string(specification)]
                reference["name"] = card.specificationName.map { .string($0) }
                document["productSpecification"] = .object(reference)
            }
            if document["productPrice"] == nil, item["itemPrice"] == nil {
                let prices = card.prices.compactMap(Self.price)
                if !prices.isEmpty { document["productPrice"] = .array(prices) }
            }
        }
        if document["productPrice"] == nil { document["productPrice"] = Self.agreed(item) }
        for (name, value) in [("relatedParty", order["relatedParty"]), ("billingAccount", item["billingAccount"] ?? order["billingAccount"])]
        where document[name] == nil { document[name] = value }
        document["status"] = .string("active")
        document["orderDate"] = order["orderDate"]
        document["productOrderItem"] = .array([Self.origin(item, order)])
        // Products of the items inside belong to this one.
        let inner = OrderFlow.inside(item).filter { $0["action"]?.string == "add" }.compactMap { Self.product($0) }
        if !inner.isEmpty {
            document["productRelationship"] = .array(
                (document["productRelationship"]?.array ?? [])
                    + inner.map {
                        .object(["relationshipType": .string("bundles"), "product": .object(["id": .string(String($0))])])
                    })
        }
        return document
    }

    /// What was agreed in the order is what the customer pays.
    private static func agreed(_ item: JSONObject) -> JSONValue? {
        let whole = (item["itemPrice"]?.array ?? []).filter { $0["price"]?.object != nil && $0["priceType"]?.string != nil }
        return whole.isEmpty ? nil : .array(whole)
    }

    static func price(_ price: OfferingCard.Price) -> JSONValue? {
        guard let amount = price.amount else { return nil }
        var document: JSONObject = [
            "name": .string(price.name), "priceType": .string(price.type ?? "recurring"),
            "productOfferingPrice": .object(["id": .string(String(price.id)), "name": .string(price.name)]),
            "price": .object(["taxIncludedAmount": .object(["unit": .string(amount.currency), "value": amount.json])]),
        ]
        document["recurringChargePeriod"] = price.period.map { .string($0) }
        return .object(document)
    }

    // MARK: A change

    /// Attributes that an item replaces where it names them.
    private static let replaced = [
        "name", "description", "isCustomerVisible", "productSerialNumber", "productSpecification", "productPrice", "productTerm",
        "realizingResource", "realizingService", "place", "billingAccount", "agreement",
    ]

    private static func modified(_ old: JSONObject, _ item: JSONObject, _ order: JSONObject, _ card: OfferingCard?) -> JSONObject {
        let sent = item["product"]?.object ?? [:]
        var patch: JSONObject = [:]
        for name in replaced { patch[name] = sent[name] }
        // Suspended, taken up again: an order has no other word for it.
        if let status = sent["status"]?.string, Inventory.led.contains(status) { patch["status"] = .string(status) }
        if let offering = offering(item) {
            var offering = offering
            if offering["name"] == nil { offering["name"] = card.map { .string($0.name) } }
            patch["productOffering"] = .object(offering)
            let was = old["productOffering"]
            if offering["id"] != was?["id"] {
                // What was called by its plan is called by the new one, and costs what that costs.
                if patch["name"] == nil, old["name"] == was?["name"], let name = offering["name"] { patch["name"] = name }
                let listed = (card?.prices ?? []).compactMap(price)
                if patch["productPrice"] == nil { patch["productPrice"] = agreed(item) ?? (listed.isEmpty ? nil : .array(listed)) }
            }
        }
        if let wanted = sent["productCharacteristic"]?.array {
            var kept = old["productCharacteristic"]?.array ?? []
            for one in wanted {
                if let place = kept.firstIndex(where: { $0["name"] == one["name"] }) { kept[place] = one } else { kept.append(one) }
            }
            patch["productCharacteristic"] = .array(kept)
        }
        patch["productOrderItem"] = origins(old, item, order)
        return patch
    }
}

extension Money {
    /// `29.95` of 2,995 cents.
    var json: JSONValue {
        let scale = (0..<Self.exponent(of: currency)).reduce(1.0) { scale, _ in scale * 10 }
        let amount = Double(minor) / scale
        return amount.rounded() == amount ? .int(Int64(amount)) : .double(amount)
    }
}
