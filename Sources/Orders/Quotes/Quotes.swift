import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What something would cost a customer (TMF648).
enum Quotes {
    static let api = TMFAPI(648, "quoteManagement")
    static let items = "quoteItem"

    /// Made by those who sell, looked at by those who approve, answered by the customer.
    static let states = TMFStates(
        "state", first: "inProgress",
        next: [
            "inProgress": ["pending", "approved", "cancelled"],
            "pending": ["inProgress", "approved", "rejected", "cancelled"],
            "approved": ["accepted", "rejected", "cancelled"],
        ])

    /// What is quoted can still change.
    static let open: Set<String> = ["inProgress", "pending"]
    /// How long an approved quote stands.
    static let days: Int64 = 30

    static func resource(
        _ schema: TMFSchema, _ customers: any CustomerReading, _ catalog: any CatalogReading
    ) -> TMFResource {
        let store = QuoteStore(customers, catalog)
        return TMFResource(
            api, "quote", type: "Quote", schema: schema, view: OrdersPermissions.viewOrders, edit: OrdersPermissions.editOrders,
            states: states, subjects: TMFResource.subjects("quote"), store: { _ in store })
    }
}

struct QuoteStore: OwnedStore {
    static let owner: SQL = "SELECT customer_id, state, valid_to FROM orders_quote WHERE id = $1"
    /// Orders of a quote that were not given up.
    static let ordered: SQL = """
        SELECT q.owner_id FROM orders_order_quote q JOIN orders_order o ON o.customer_id = q.customer_id AND o.id = q.owner_id
        WHERE q.quote_id = $1 AND o.state NOT IN ('cancelled', 'rejected') LIMIT 1
        """

    let rows: TMFRows
    private let catalog: any CatalogReading

    init(_ customers: any CustomerReading, _ catalog: any CatalogReading) {
        self.catalog = catalog
        let amount = AttributePath("price.taxIncludedAmount.unit")
        let price: [TMFField] = [
            TMFField("name", "name"), TMFField("priceType", "price_type"), TMFField("recurringChargePeriod", "period"),
            TMFField("price.taxIncludedAmount.value", "amount_minor", .money(currency: amount)),
            TMFField("price.taxIncludedAmount.unit", "currency"),
        ]
        rows = TMFRows(
            "orders_quote",
            [
                TMFField("externalId", "external_id", isIndexed: true), TMFField("category", "category"),
                TMFField("description", "description", mask: .name), TMFField("version", "version"),
                TMFField("state", "state", isIndexed: true), TMFField("quoteDate", "quoted_at", .time, stamp: .created, sorts: true),
                TMFField("requestedQuoteCompletionDate", "requested_at", .time),
                TMFField("expectedQuoteCompletionDate", "expected_at", .time),
                TMFField("effectiveQuoteCompletionDate", "effective_at", .time),
                TMFField("expectedFulfillmentStartDate", "fulfil_at", .time), TMFField("instantSyncQuote", "instant", .boolean),
                TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_to", .time),
            ],
            items: [
                .parties("orders_quote_party", isIndexed: false), .notes("orders_quote_note"),
                TMFItems(
                    Quotes.items, "orders_quote_item",
                    [
                        TMFField("id", "item_id"), TMFField("action", "action"), TMFField("state", "state"),
                        TMFField("quantity", "quantity", .integer), TMFField("product.id", "product_id"),
                        TMFField("productOffering.id", "offering_id", isIndexed: true), TMFField("productOffering.name", "offering_name"),
                    ], items: [TMFItems("quoteItemPrice", "orders_quote_item_price", price)], rest: "more"),
                TMFItems("quoteTotalPrice", "orders_quote_total", price),
                TMFItems(
                    "authorization", "orders_quote_approval",
                    [TMFField("name", "name"), TMFField("state", "state"), TMFField("givenDate", "approved_at", .time)], rest: "more"),
            ],
            owner: .init(customers), more: [.parties("orders_quote", "orders_quote_party")])
    }

    var table: TMFTable { rows.table }
    var whole: Set<String> { rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(try priced(document, context, session), context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let (was, state) = (old["state"]?.string ?? "", new["state"]?.string ?? "")
        var document = new
        if old[Quotes.items] != new[Quotes.items] {
            guard Quotes.open.contains(was) else {
                throw OrderFlow.conflict(
                    "quote_closed", Words(en: "The quote is “\(was)”: its items do not change any more.", zh: "报价状态为“\(was)”，报价项不能再修改。"),
                    field: Quotes.items)
            }
            document = try priced(new, context, session)
        }
        if was != state {
            switch state {
            case "approved":
                document["validFor"] = .object([
                    "startDateTime": .string(context.now.iso8601),
                    "endDateTime": .string(context.now.adding(days: Quotes.days).iso8601),
                ])
            case "accepted":
                if let end = old["validFor"]?["endDateTime"]?.string, let time = TMFTime(end), time.milliseconds < context.now.milliseconds {
                    throw OrderFlow.conflict(
                        "quote_expired", Words(en: "The quote was valid until \(end).", zh: "报价已于 \(end) 失效。"), field: "validFor")
                }
            default: break
            }
            if Quotes.states.next[state] == nil { document["effectiveQuoteCompletionDate"] = .string(context.now.iso8601) }
        }
        try rows.change(id, from: old, to: document, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        if let order = try session.first(Self.ordered, [.text(String(id))], { $0.int(0) }) {
            throw OrderFlow.conflict(
                "in_use", Words(en: "Order \(order) was made of the quote.", zh: "订单 \(order) 由该报价生成。"), field: "id")
        }
        try rows.remove(id, document, context, session)
    }

    // MARK: What it costs

    /// With the prices of the catalogue where an item names none, and what all of it comes to.
    private func priced(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> JSONObject {
        var document = document
        var list = (document[Quotes.items]?.array ?? []).map { $0.object ?? [:] }
        let ids = Set(list.compactMap { $0["productOffering"]?["id"]?.string.flatMap { OfferingID($0) } })
        let cards = try catalog.offerings(Array(ids), at: context.now, session)
        for (place, item) in list.enumerated() where item["quoteItemPrice"] == nil && ["add", "modify", nil].contains(item["action"]?.string) {
            let card = item["productOffering"]?["id"]?.string.flatMap { OfferingID($0) }.flatMap { cards[$0] }
            let prices = (card?.prices ?? []).compactMap(Fulfilment.price)
            if !prices.isEmpty { list[place]["quoteItemPrice"] = .array(prices) }
        }
        document[Quotes.items] = .array(list.map { .object($0) })
        let totals = Self.totals(list)
        document["quoteTotalPrice"] = totals.isEmpty ? nil : .array(totals)
        return document
    }

    /// One for each kind of charge, period and currency.
    static func totals(_ items: [JSONObject]) -> [JSONValue] {
        struct Kind: Hashable {
            let type: String
            let period: String
            let currency: String
        }
        var sums: [Kind: Int64] = [:]
        for item in items {
            let quantity = max(1, item["quantity"]?.int ?? 1)
            for price in item["quoteItemPrice"]?.array ?? [] {
                guard let money = Money(json: price["price"]?["taxIncludedAmount"]) else { continue }
                let kind = Kind(
                    type: price["priceType"]?.string ?? "", period: price["recurringChargePeriod"]?.string ?? "",
                    currency: money.currency)
                // What is more than all money there is, is not summed up.
                let (sum, isTooMuch) = money.minor.multipliedReportingOverflow(by: quantity)
                let (all, isMore) = sums[kind, default: 0].addingReportingOverflow(sum)
                if !isTooMuch, !isMore { sums[kind] = all }
            }
        }
        func order(_ kind: Kind) -> [String] { [kind.type, kind.period, kind.currency] }
        return sums.sorted { order($0.key).lexicographicallyPrecedes(order($1.key)) }.map { kind, minor in
            var price: JSONObject = [
                "price": .object([
                    "taxIncludedAmount": .object([
                        "unit": .string(kind.currency), "value": Money(minor: minor, currency: kind.currency).json,
                    ])
                ])
            ]
            if !kind.type.isEmpty { price["priceType"] = .string(kind.type) }
            if !kind.period.isEmpty { price["recurringChargePeriod"] = .string(kind.period) }
            return .object(price)
        }
    }
}

extension Money {
    /// `{"unit": "EUR", "value": 29.95}`; `nil` for what has more digits than the currency.
    init?(json: JSONValue?) {
        guard let unit = json?["unit"]?.string, let value = json?["value"]?.double else { return nil }
        let minor = value * (0..<Self.exponent(of: unit)).reduce(1.0) { scale, _ in scale * 10 }
        guard minor.magnitude < 9e15, (minor - minor.rounded()).magnitude < 1e-6 else { return nil }
        self.init(minor: Int64(minor.rounded()), currency: unit)
    }
}
