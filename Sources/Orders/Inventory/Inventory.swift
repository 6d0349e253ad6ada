import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Products that customers have (TMF637).
enum Inventory {
    static let api = TMFAPI(637, "productInventory")
    static let type = "Product"

    /// Products that come from elsewhere begin where they stand there.
    static let states = TMFStates(
        "status", first: "created", initial: ["pendingActive", "active", "suspended", "pendingTerminate", "terminated"],
        next: [
            "created": ["pendingActive", "active", "cancelled", "aborted"],
            "pendingActive": ["active", "cancelled", "aborted"],
            "active": ["suspended", "pendingTerminate", "terminated"],
            "suspended": ["active", "pendingTerminate", "terminated"],
            "pendingTerminate": ["active", "terminated"],
        ])

    /// The customer has it no more, or never got it.
    static let ended: Set<String> = ["terminated", "cancelled", "aborted"]

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = ProductStore(customers)
        return TMFResource(
            api, "product", type: type, schema: schema, view: OrdersPermissions.viewProducts,
            edit: OrdersPermissions.editProducts, states: states, subjects: TMFResource.subjects("product"), store: { _ in store })
    }
}

/// The rows of products as documents.
struct ProductStore: OwnedStore {
    static let used: SQL = """
        SELECT i.owner_id FROM orders_item i JOIN orders_order o ON o.customer_id = i.customer_id AND o.id = i.owner_id
        WHERE i.product_id = $1 AND o.state NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial') LIMIT 4
        """

    let rows: TMFRows

    init(_ customers: any CustomerReading) {
        rows = TMFRows(
            "orders_product",
            [
                TMFField("name", "name", isIndexed: true), TMFField("description", "description", mask: .name),
                TMFField("status", "status", isIndexed: true), TMFField("isBundle", "is_bundle", .boolean),
                TMFField("isCustomerVisible", "is_visible", .boolean),
                TMFField("productSerialNumber", "serial_number", isIndexed: true), TMFField("orderDate", "ordered_at", .time),
                TMFField("startDate", "started_at", .time, isIndexed: true), TMFField("terminationDate", "terminated_at", .time),
                TMFField("productOffering.id", "offering_id", isIndexed: true), TMFField("productOffering.name", "offering_name"),
                TMFField("productSpecification.id", "specification_id", isIndexed: true),
                TMFField("productSpecification.name", "specification_name"),
                TMFField("billingAccount.id", "billing_account_id", isIndexed: true),
                TMFField("billingAccount.name", "billing_account_name"),
            ],
            items: [
                .parties("orders_product_party", isIndexed: false),
                TMFItems(
                    "productCharacteristic", "orders_product_characteristic",
                    [
                        TMFField("name", "name", isIndexed: true), TMFField("value", "value", mask: .phone),
                        TMFField("valueType", "value_type"),
                    ], rest: "more"),
                TMFItems(
                    "productPrice", "orders_product_price",
                    [
                        TMFField("name", "name"), TMFField("priceType", "price_type"), TMFField("recurringChargePeriod", "period"),
                        TMFField(
                            "price.taxIncludedAmount.value", "amount_minor",
                            .money(currency: AttributePath("price.taxIncludedAmount.unit"))),
                        TMFField("price.taxIncludedAmount.unit", "currency"), TMFField("productOfferingPrice.id", "price_id"),
                    ], rest: "more"),
                TMFItems(
                    "productRelationship", "orders_product_relation",
                    [TMFField("relationshipType", "relationship_type"), TMFField("product.id", "product_id", isIndexed: true)], rest: "more"),
                TMFItems(
                    "realizingResource", "orders_product_resource",
                    [
                        TMFField("id", "resource_id", isIndexed: true), TMFField("name", "name"),
                        TMFField("value", "value", mask: .phone, isIndexed: true),
                    ], rest: "more"),
                TMFItems(
                    "realizingService", "orders_product_service", [TMFField("id", "service_id", isIndexed: true), TMFField("name", "name")],
                    rest: "more"),
                TMFItems(
                    "productOrderItem", "orders_product_origin",
                    [
                        TMFField("productOrderId", "order_id", isIndexed: true), TMFField("orderItemId", "item_id"),
                        TMFField("orderItemAction", "action"), TMFField("role", "role"),
                    ], rest: "more"),
            ],
            owner: .init(customers), more: [.parties("orders_product", "orders_product_party")])
    }

    var table: TMFTable { rows.table }
    var whole: Set<String> { rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session).map { id, document in
            var document = document
            // The specification wants them in every answer.
            for name in ["productCharacteristic", "relatedParty"] where document[name] == nil { document[name] = .array([]) }
            return (id, document)
        }
    }

    /// When it began and ended, where its state says that it did.
    private static func dated(_ document: JSONObject, _ now: Instant) -> JSONObject {
        var document = document
        let status = document["status"]?.string ?? ""
        if status == "active", document["startDate"] == nil { document["startDate"] = .string(now.iso8601) }
        if status == "terminated", document["terminationDate"] == nil { document["terminationDate"] = .string(now.iso8601) }
        return document
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(Self.dated(document, context.now), context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try rows.change(id, from: old, to: Self.dated(new, context.now), context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let orders = try session.query(Self.used, [.text(String(id))]) { String($0.int(0)) }
        guard orders.isEmpty else {
            let list = orders.prefix(3).joined(separator: ", ")
            throw CRMError(
                "in_use", status: 409,
                Words(en: "The product is part of open orders: \(list).", zh: "该产品仍属于未完成的订单：\(list)。"))
        }
        try rows.remove(id, document, context, session)
    }
}
