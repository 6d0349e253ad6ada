import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What customers have ordered (TMF622).
enum ProductOrders {
    static let api = TMFAPI(622, "productOrderingManagement")

    static func resource(
        _ schema: TMFSchema, _ customers: any CustomerReading, _ fulfilment: Fulfilment, quotes: TMFResource
    ) -> TMFResource {
        let store = OrderStore(customers, fulfilment, quotes)
        return TMFResource(
            api, "productOrder", type: "ProductOrder", schema: schema, view: OrdersPermissions.viewOrders,
            edit: OrdersPermissions.editOrders, states: OrderFlow.states, subjects: TMFResource.subjects("order"), store: { _ in store })
    }
}

/// The rows of orders as documents, and what orders do.
struct OrderStore: OwnedStore {
    let rows: TMFRows
    let fulfilment: Fulfilment
    let quotes: TMFResource

    init(_ customers: any CustomerReading, _ fulfilment: Fulfilment, _ quotes: TMFResource) {
        self.fulfilment = fulfilment
        self.quotes = quotes
        rows = TMFRows(
            "orders_order",
            [
                TMFField("externalId", "external_id", isIndexed: true), TMFField("category", "category"),
                TMFField("description", "description", mask: .name), TMFField("priority", "priority"),
                TMFField("state", "state", isIndexed: true),
                TMFField("orderDate", "ordered_at", .time, stamp: .created, sorts: true),
                TMFField("requestedStartDate", "requested_start", .time),
                TMFField("requestedCompletionDate", "requested_at", .time), TMFField("expectedCompletionDate", "expected_at", .time),
                TMFField("completionDate", "completed_at", .time), TMFField("cancellationDate", "cancelled_at", .time),
                TMFField("cancellationReason", "cancellation_reason", mask: .name),
                TMFField("notificationContact", "notification_contact", mask: .phone),
                TMFField("billingAccount.id", "billing_account_id", isIndexed: true),
                TMFField("billingAccount.name", "billing_account_name"),
            ],
            items: [
                .parties("orders_order_party", isIndexed: false), .notes("orders_order_note"),
                TMFItems(
                    "channel", "orders_order_channel",
                    [TMFField("id", "channel_id", isIndexed: true), TMFField("name", "name"), TMFField("role", "role")], rest: "more"),
                TMFItems(
                    "quote", "orders_order_quote", [TMFField("id", "quote_id", isIndexed: true), TMFField("name", "name")], rest: "more"),
                TMFItems(
                    OrderFlow.items, "orders_item",
                    [
                        TMFField("id", "item_id"), TMFField("action", "action"), TMFField("state", "state", isIndexed: true),
                        TMFField("quantity", "quantity", .integer), TMFField("product.id", "product_id", isIndexed: true),
                        TMFField("product.name", "product_name"), TMFField("productOffering.id", "offering_id", isIndexed: true),
                        TMFField("productOffering.name", "offering_name"),
                    ],
                    items: [
                        TMFItems(
                            "product.productCharacteristic", "orders_item_characteristic",
                            [
                                TMFField("name", "name"), TMFField("value", "value", mask: .phone), TMFField("valueType", "value_type"),
                            ])
                    ], rest: "more"),
            ],
            owner: .init(customers), more: [.parties("orders_order", "orders_order_party")])
    }

    var table: TMFTable { rows.table }
    /// Where an order stands is what its items come to, whatever a client asked for.
    var whole: Set<String> { rows.whole.union(["state"]) }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session).map { id, document in
            var document = document
            // The specification wants it in every answer.
            if document["relatedParty"] == nil { document["relatedParty"] = .array([]) }
            return (id, document)
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let sent = (document[OrderFlow.items]?.array ?? []).compactMap(\.object)
        try OrderFlow.checkUnique(sent)
        let customer = try rows.customer(of: document, context, session) ?? CustomerID(0)
        for item in OrderFlow.all(sent) { try OrderFlow.step(item, from: nil, to: OrderFlow.state(item)) }
        try check(sent, of: customer, context, session)
        let quoted = try quoted(document, customer, context, session)
        var document = document
        let items = OrderFlow.mapped(sent) { item in
            var item = item
            item["state"] = .string(OrderFlow.itemStates.first)
            if item["itemPrice"] == nil { item["itemPrice"] = Self.price(item, quoted) }
            return item
        }
        document[OrderFlow.items] = .array(items.map { .object($0) })
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var (items, state) = try OrderFlow.changed(from: old, to: new)
        let before = Dictionary(
            OrderFlow.all((old[OrderFlow.items]?.array ?? []).compactMap(\.object)).map { ($0["id"]?.string ?? "", $0) },
            uniquingKeysWith: { first, _ in first })
        let customer = try rows.customer(of: new, context, session) ?? CustomerID(0)
        let isMoved = try session.first(CancellationStore.owner, [.int(id)]) { $0.id(0, PartyKind.self) } != customer
        if isMoved, old["state"]?.string != OrderFlow.states.first {
            throw OrderFlow.conflict(
                "order_begun",
                Words(en: "Work on the order has begun: it cannot become another customer's.", zh: "订单已开始处理，不能改为其他客户。"),
                field: "relatedParty")
        }
        if isMoved || old[OrderFlow.items] != new[OrderFlow.items] {
            let fresh = items.filter { item in
                isMoved || Self.subject(item) != before[item["id"]?.string ?? ""].map(Self.subject)
            }
            try check(fresh, of: customer, context, session)
        }
        let known = (old["quote"]?.array ?? []).map { $0["id"] }
        let named = (new["quote"]?.array ?? []).filter { !known.contains($0["id"]) }
        if isMoved || !named.isEmpty { _ = try quoted(["quote": .array(named)], customer, context, session) }
        var document = new
        items = try OrderFlow.mapped(items) { item in
            let was = before[item["id"]?.string ?? ""].map(OrderFlow.state)
            guard OrderFlow.state(item) == "completed", was != "completed" else { return item }
            return try fulfilment.fulfil(item, of: new, context, session)
        }
        document[OrderFlow.items] = .array(items.map { .object($0) })
        document["state"] = .string(state)
        let wasOpen = !OrderFlow.ended.contains(old["state"]?.string ?? "")
        if wasOpen {
            switch state {
            case "completed", "partial", "failed": document["completionDate"] = .string(context.now.iso8601)
            case "cancelled" where old["cancellationDate"] == new["cancellationDate"]:
                document["cancellationDate"] = .string(context.now.iso8601)
            default: break
            }
        }
        try rows.change(id, from: old, to: document, context, session)
        if wasOpen { try CancellationStore.settle(order: id, is: state, context, session) }
    }

    /// What an item is about: that is looked at when it is new or says something else.
    private static func subject(_ item: JSONObject) -> JSONValue {
        .array([
            item["action"] ?? .null, item["productOffering"] ?? .null, item["product"]?["id"] ?? .null,
            item["product"]?["productOffering"] ?? .null, item["quantity"] ?? .null,
            .array(OrderFlow.inside(item).map(subject)),
        ])
    }

    /// What a product has already (`check`) is in no catalogue where an import named it.
    func vouched(_ document: JSONObject) -> JSONObject {
        let items = OrderFlow.all((document[OrderFlow.items]?.array ?? []).compactMap(\.object)).filter { $0["action"]?.string == "modify" }
        return [
            OrderFlow.items: .array(items.compactMap { item in Fulfilment.offering(item).map { .object(["productOffering": .object($0)]) } })
        ]
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let state = document["state"]?.string ?? ""
        guard OrderFlow.ended.contains(state) || state == OrderFlow.states.first else {
            throw OrderFlow.conflict(
                "order_begun",
                Words(
                    en: "The order is “\(state)” and cannot be removed. Cancel it with cancelProductOrder.",
                    zh: "订单状态为“\(state)”，不能删除。请通过 cancelProductOrder 取消。"), field: "state")
        }
        let made = try OrdersStore.users(id, [(OrdersStore.productsOfOrder, OrdersStore.products)], session)
        if let made = made.first {
            throw OrderFlow.conflict(
                "in_use",
                Words(
                    en: "The order cannot be removed: \(made.en) came of it and name it.", zh: "该订单不能删除：\(made.zh) 由其产生并引用该订单。"), field: "id")
        }
        try CancellationStore.remove(order: id, session)
        try rows.remove(id, document, context, session)
    }
}

extension OrderStore {
    static let itemsMax = 200

    /// Whether items say what they are about, and that it can be ordered.
    /// - Throws: 400 for what is missing or unknown, 409 for what cannot be had now.
    private func check(
        _ list: [JSONObject], of customer: CustomerID, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let items = OrderFlow.all(list)
        // One order is one transaction.
        let products = items.reduce(Int64(0)) { $0 + max(1, min($1["quantity"]?.int ?? 1, Fulfilment.quantityMax)) }
        guard items.count <= Self.itemsMax, products <= Fulfilment.productsMax else {
            throw OrderFlow.bad(
                "too_many_items", OrderFlow.items,
                Words(
                    en: "An order has at most \(Self.itemsMax) items and \(Fulfilment.productsMax) products. Send several orders.",
                    zh: "一个订单最多 \(Self.itemsMax) 个订单项、\(Fulfilment.productsMax) 个产品，请拆分为多个订单。"))
        }
        let outer = Set(list.map { $0["id"]?.string ?? "" })
        let named = items.compactMap { Fulfilment.offering($0)?["id"]?.string }.compactMap { OfferingID($0) }
        let cards = try fulfilment.catalog.offerings(Array(Set(named)), at: context.now, session)
        let desk = TMFDesk(resource: fulfilment.products, tenant: context.tenant)
        for item in items {
            let id = item["id"]?.string ?? ""
            let action = item["action"]?.string ?? ""
            if let quantity = item["quantity"]?.int, quantity < 1 || quantity > Fulfilment.quantityMax {
                throw OrderFlow.bad(
                    "wrong_quantity", "productOrderItem.quantity",
                    Words(en: "Item “\(id)”: “quantity” must be 1 to \(Fulfilment.quantityMax).", zh: "订单项“\(id)”：“quantity”应为 1 到 \(Fulfilment.quantityMax)。"))
            }
            let place = OrderFlow.place(of: id, in: list) ?? OrderFlow.items
            let has = try action == "add" ? nil : check(product: item, id, place, customer, desk, context, session)["productOffering"]?["id"]?.string
            if action == "add" || action == "modify" {
                try check(offering: item, id, place, action, cards, has: has, isOuter: outer.contains(id))
                try check(number: item, id, action, customer, context, session)
            }
            if action == "add" {
                guard item["product"]?["id"] == nil else {
                    throw OrderFlow.bad(
                        "fixed", "productOrderItem.product.id",
                        Words(en: "Item “\(id)” adds a product: its id is given by the server.", zh: "订单项“\(id)”为新增产品，其 id 由服务器分配。"))
                }
            }
        }
    }

    /// - Parameter has: the offering that the product has already: a plan that an import named is in no catalogue.
    private func check(
        offering item: JSONObject, _ id: String, _ place: String, _ action: String, _ cards: [OfferingID: OfferingCard], has: String?,
        isOuter: Bool
    ) throws {
        guard let offering = Fulfilment.offering(item) else {
            if action == "modify" || item["product"]?["productSpecification"] != nil || !OrderFlow.inside(item).isEmpty { return }
            throw OrderFlow.bad(
                "missing", "productOrderItem.productOffering",
                Words(en: "Item “\(id)” adds a product and must say which: “productOffering”.", zh: "订单项“\(id)”为新增产品，必须提供“productOffering”。"))
        }
        let text = offering["id"]?.string ?? ""
        guard let card = OfferingID(text).flatMap({ cards[$0] }) else {
            if !text.isEmpty, text == has { return }
            // What another system offers is named with where it lies.
            if offering["href"]?.string?.contains("://") == true { return }
            let inside = item["productOffering"]?.object == nil ? ".product" : ""
            throw CRMError.unknownReference("ProductOffering", text, at: "\(place)\(inside).productOffering.id")
        }
        // What is sold in bundles only may be inside of one.
        guard isOuter ? card.isSellable : card.isOffered else {
            throw OrderFlow.conflict(
                "not_sellable",
                Words(
                    en: "Item “\(id)”: “\(card.name)” cannot be sold now (it is “\(card.status)”, or not within its validity, or only part of bundles).",
                    zh: "订单项“\(id)”：“\(card.name)”目前不可销售（状态“\(card.status)”、不在有效期内或仅限组合销售）。"))
        }
    }

    /// A number is refused when it is ordered, not only when the work is done.
    private func check(
        number item: JSONObject, _ id: String, _ action: String, _ customer: CustomerID, _ context: TMFContext,
        _ session: any SQLSession
    ) throws {
        guard let product = item["product"]?.object, let store = fulfilment.products.store(context.tenant) as? ProductStore else { return }
        let reading = ProductLine(context.tenant)
        let subject = Words(en: "Item “\(id)”: ", zh: "订单项“\(id)”：")
        if fulfilment.lines != nil { try reading.checkNumbers(product, at: "productOrderItem.product.", subject) }
        guard action == "add", let number = reading.number(of: product) else { return }
        guard customer.rawValue > 0 else {
            guard fulfilment.lines != nil else { return }
            throw OrderFlow.bad(
                "customer_needed", "relatedParty",
                Words(
                    en: """
                        \(subject.en)it names a number, so the order needs the customer whose line it will be: “relatedParty” with \
                        @referredType Customer. A person or an organization becomes one by POST /tmf-api/customerManagement/v4/customer \
                        with “engagedParty”.
                        """,
                    zh: """
                        \(subject.zh)指定了号码，订单必须在“relatedParty”中给出该号码所属的客户（@referredType 为 Customer）。\
                        个人或组织可通过 POST /tmf-api/customerManagement/v4/customer（“engagedParty”）成为客户。
                        """))
        }
        guard item["quantity"]?.int ?? 1 == 1 else {
            throw OrderFlow.bad(
                "wrong_quantity", "productOrderItem.quantity",
                Words(en: "Item “\(id)” names a number, so “quantity” must be 1.", zh: "订单项“\(id)”指定了号码，“quantity”只能为 1。"))
        }
        do { _ = try store.isFree(number, for: customer, session) } catch let error as CRMError {
            throw OrderFlow.conflict(
                error.code, Words(en: "Item “\(id)”: \(error.message.en)", zh: "订单项“\(id)”：\(error.message.zh)"),
                field: "productOrderItem.product")
        }
    }

    private func check(
        product item: JSONObject, _ id: String, _ place: String, _ customer: CustomerID, _ desk: TMFDesk, _ context: TMFContext,
        _ session: any SQLSession
    ) throws -> JSONObject {
        let text = item["product"]?["id"]?.string ?? ""
        let field = "productOrderItem.product.id"
        guard !text.isEmpty else {
            throw OrderFlow.bad(
                "missing", field, Words(en: "Item “\(id)” must name a product: “product.id”.", zh: "订单项“\(id)”必须指定产品：“product.id”。"))
        }
        guard let product = Fulfilment.product(item), let owner = try ProductStore.owner(product, fulfilment.lines, session),
            let found = try desk.find(product, context.principal, session)
        else {
            throw CRMError.unknownReference("Product", text, at: place + ".product.id")
        }
        guard owner == customer else {
            throw OrderFlow.conflict(
                "other_customer",
                Words(
                    en: "Item “\(id)”: product “\(text)” is not one of the customer in “relatedParty”.",
                    zh: "订单项“\(id)”：产品“\(text)”不属于“relatedParty”中的客户。"), field: field)
        }
        let status = found["status"]?.string ?? ""
        if Inventory.ended.contains(status) { throw OrderFlow.ended(product: text, status, item) }
        return found
    }
}
