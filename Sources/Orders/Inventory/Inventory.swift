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
    static let name = "product"

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

    /// Where an order that changes a product may lead it. One that ends it says `delete`.
    static let led: Set<String> = ["active", "suspended"]

    /// The customer has it no more, or never got it.
    static let ended: Set<String> = ["terminated", "cancelled", "aborted"]

    static func resource(
        _ schema: TMFSchema, _ customers: any CustomerReading, _ rows: TMFRows, _ lines: LineProducts?
    ) -> TMFResource {
        TMFResource(
            api, name, type: type, schema: schema, view: OrdersPermissions.viewProducts,
            edit: OrdersPermissions.editProducts, states: states, subjects: TMFResource.subjects("product"),
            store: { ProductStore(rows: rows, customers: customers, lines: lines, tenant: $0) })
    }
}

/// The products of customers as documents: rows of this domain, and lines of customers of which no row says more. A product that is a line
/// has the line's id, so that both are one thing.
struct ProductStore: OwnedStore {
    static let used: SQL = """
        SELECT i.owner_id FROM orders_item i JOIN orders_order o ON o.customer_id = i.customer_id AND o.id = i.owner_id
        WHERE i.product_id = $1 AND o.state NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial') LIMIT 4
        """

    let rows: TMFRows
    let customers: any CustomerReading
    let lines: LineProducts?
    let tenant: Tenant

    static func rows(_ customers: any CustomerReading) -> TMFRows {
        TMFRows(
            "orders_product",
            [
                TMFField("name", "name", isIndexed: true), TMFField("description", "description", mask: .name),
                TMFField("status", "status", isIndexed: true), TMFField("isBundle", "is_bundle", .boolean),
                TMFField("isCustomerVisible", "is_visible", .boolean),
                TMFField("productSerialNumber", "serial_number", isIndexed: true), TMFField("orderDate", "ordered_at", .time),
                TMFField("startDate", "started_at", .time, isIndexed: true), TMFField("terminationDate", "terminated_at", .time, isIndexed: true),
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

    var table: TMFTable { lines?.table(tenant.timeZoneOffsetMinutes) ?? rows.table }
    var whole: Set<String> { rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        var found = Dictionary(try rows.documents(ids, principal, session).map { ($0.id, $0.1) }, uniquingKeysWith: { first, _ in first })
        if let lines, !found.isEmpty {
            let (shown, masking) = (ProductLine(tenant), Masking(principal))
            for line in try lines.lines.lines(found.keys.sorted(), session) {
                let id = line.id.rawValue
                found[id] = found[id].map { shown.completed($0, line, masking) }
            }
        }
        if found.count < ids.count { found.merge(try bare(ids.filter { found[$0] == nil }, principal, session)) { mine, _ in mine } }
        return ids.compactMap { id in
            guard var document = found[id] else { return nil }
            // The specification wants them in every answer.
            for name in ["productCharacteristic", "relatedParty"] where document[name] == nil { document[name] = .array([]) }
            return (id, document)
        }
    }

    /// Lines that have no row here.
    private func bare(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [Int64: JSONObject] {
        guard let lines, !ids.isEmpty else { return [:] }
        let found = try lines.lines.lines(ids, session)
        guard !found.isEmpty else { return [:] }
        let reachable = try customers.reachable(Set(found.map(\.customer)).sorted(), for: principal, session)
        // One with a row that lies out of reach does not come in by the line.
        let known = try LineProducts.rows(found.map(\.id.rawValue), session)
        let (shown, masking) = (ProductLine(tenant), Masking(principal))
        return found.reduce(into: [:]) { result, line in
            guard reachable.contains(line.customer), !known.contains(line.id.rawValue) else { return }
            var document = shown.document(line, masking)
            document["id"] = .string(line.id.description)
            document["relatedParty"] = .array([TMFRows.Owner.party(line.customer)])
            result[line.id.rawValue] = document
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
        let document = Self.dated(document, context.now)
        if lines != nil { try ProductLine(tenant).checkNumbers(document) }
        let id = try rows.create(document, context, session)
        try begin(id, document, context, session)
        return id
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var new = Self.dated(new, context.now)
        let reading = ProductLine(tenant)
        if lines != nil { try reading.checkNumbers(new, but: old) }
        guard let lines, let line = try lines.lines.lines([id], session).first else {
            try rows.change(id, from: old, to: new, context, session)
            return try begin(id, new, context, session)
        }
        guard try rows.customer(of: new, context, session) == line.customer else {
            throw OrderFlow.conflict(
                "line_owner",
                Words(
                    en: "The product is a line of customer \(line.customer); lines do not change hands. Terminate it and make one for the other customer.",
                    zh: "该产品是客户 \(line.customer) 的号码，不能直接转给他人。请终止后为另一客户新建。"), field: "relatedParty")
        }
        // It is told in several places; a change names one of them.
        if let current = line.number, let next = reading.moved(from: current, old, new) {
            reading.replaceNumber(&new, from: current, to: next)
        }
        if try LineProducts.rows([id], session).isEmpty {
            try rows.create(id, new, context, session)
        } else {
            try rows.change(id, from: old, to: new, context, session)
        }
        // What the product says otherwise than before is the line's from now on; what only the line knows stays.
        let (before, after) = (reading.line(id, of: line.customer, old), reading.line(id, of: line.customer, new))
        var wanted = line
        if before.number != after.number {
            wanted.number = after.number
            if after.number != nil { wanted.service = after.service }
        }
        if before.status != after.status { wanted.status = after.status }
        if before.plan != after.plan { wanted.plan = after.plan }
        if before.startedOn != after.startedOn { wanted.startedOn = after.startedOn }
        if before.endedOn != after.endedOn { wanted.endedOn = after.endedOn }
        if before.monthlyCharge != after.monthlyCharge { wanted.monthlyCharge = after.monthlyCharge }
        try refusing(after.number) { try lines.lines.change(from: line, to: wanted, by: context.principal, tenant, session) }
    }

    /// A product with a number of its own, of a customer of ours, is a line of that customer.
    private func begin(_ id: Int64, _ product: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        guard let lines, ProductLine.having.contains(product["status"]?.string ?? "") else { return }
        let reading = ProductLine(tenant)
        guard let number = reading.number(of: product), let customer = try rows.customer(of: product, context, session) else { return }
        // Something else on a line that the customer has: an option, the bundle around it.
        guard try isFree(number, for: customer, session) else { return }
        try refusing(number) {
            try lines.lines.make(reading.line(id, of: customer, product), by: context.principal, tenant, session)
        }
    }

    /// Whether nobody has a number; `false` = this customer has it.
    /// - Throws: 409 when it is another customer's.
    func isFree(_ number: String, for customer: CustomerID, _ session: any SQLSession) throws -> Bool {
        guard let holder = try lines?.lines.holder(of: number, session) else { return true }
        let isOwn = try holder == customer || customers.linked([customer], session)[customer]?.contains(holder) == true
        guard isOwn else { throw Self.taken(number) }
        return false
    }

    private func refusing(_ number: String?, _ body: () throws -> Void) throws {
        do { try body() } catch let error as CRMError where error.code == "taken" { throw Self.taken(number ?? "") }
    }

    static func taken(_ number: String) -> CRMError {
        OrderFlow.conflict(
            "number_taken",
            Words(
                en: "The number \(number) is a line in service of another customer. End that line first, or choose another number.",
                zh: "号码 \(number) 是其他客户的在用号码。请先终止该号码，或改用其他号码。"), field: "productCharacteristic")
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let orders = try session.query(Self.used, [.text(String(id))]) { String($0.int(0)) }
        guard orders.isEmpty else {
            let list = orders.prefix(3).joined(separator: ", ")
            throw CRMError(
                "in_use", status: 409,
                Words(en: "The product is part of open orders: \(list).", zh: "该产品仍属于未完成的订单：\(list)。"))
        }
        let others = try OrdersStore.users(id, [(OrdersStore.bundles, OrdersStore.products)], session)
        if let other = others.first {
            throw CRMError(
                "in_use", status: 409, Words(en: "The product is part of \(other.en).", zh: "该产品属于\(other.zh)。"))
        }
        if let lines, let line = try lines.lines.lines([id], session).first {
            try lines.lines.remove(line, by: context.principal, tenant, session)
        }
        try rows.remove(id, document, context, session)
    }

    /// Whose it is; customer 0 = nobody's of ours, `nil` = there is none.
    static func owner(_ id: Int64, _ lines: LineProducts?, _ session: any SQLSession) throws -> CustomerID? {
        if let owner = try session.first(OrdersStore.productOwner, [.int(id)], { $0.id(0, PartyKind.self) }) { return owner }
        return try lines?.lines.lines([id], session).first?.customer
    }
}
