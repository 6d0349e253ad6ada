import Contracts
import Kernel
import Platform
import Storage
import Web

/// What the customer has and what is on its way or offered, on the customer page. Nothing of it = no panel. Products that are lines stand
/// among the lines.
struct OrdersPanel: Sendable {
    /// Minutes east of UTC in which times are shown.
    let zone: Int
    let catalog: any CatalogReading
    let lines: LineProducts?
    static let shown = 6

    static let products: SQL = """
        SELECT p.id, COALESCE(p.name, p.offering_name, p.specification_name), p.status, p.started_at, p.terminated_at, r.value,
          x.amount_minor, x.currency, x.period
        FROM orders_product p
        LEFT JOIN orders_product_resource r ON r.customer_id = p.customer_id AND r.owner_id = p.id AND r.place = 0
        LEFT JOIN orders_product_price x ON x.customer_id = p.customer_id AND x.owner_id = p.id AND x.place = 0
        WHERE p.status NOT IN ('terminated', 'cancelled', 'aborted')
        """
    static let orders: SQL = """
        SELECT o.id, o.external_id, o.state, o.ordered_at, o.completed_at, o.cancelled_at, i.action,
          COALESCE(i.offering_name, i.product_name),
          (SELECT COUNT(*) FROM orders_item n WHERE n.customer_id = o.customer_id AND n.owner_id = o.id), o.customer_id, i.offering_id
        FROM orders_order o
        LEFT JOIN orders_item i ON i.customer_id = o.customer_id AND i.owner_id = o.id AND i.place = 0
        WHERE TRUE
        """

    static let quotes: SQL = """
        SELECT q.id, q.external_id, q.state, q.quoted_at, q.valid_to, i.offering_name, i.offering_id,
          (SELECT COUNT(*) FROM orders_quote_item n WHERE n.customer_id = q.customer_id AND n.owner_id = q.id),
          t.amount_minor, t.currency, t.period
        FROM orders_quote q
        LEFT JOIN orders_quote_item i ON i.customer_id = q.customer_id AND i.owner_id = q.id AND i.place = 0
        LEFT JOIN orders_quote_total t ON t.customer_id = q.customer_id AND t.owner_id = q.id AND t.place = 0
        WHERE TRUE
        """

    struct QuoteLine: Sendable, OfferingLine {
        let number: String
        let state: QuoteState?
        let code: String
        let quotedAt: Instant
        let validTo: Instant?
        var subject: String?
        let offering: OfferingID?
        let items: Int64
        let total: PeriodPrice?

        init(_ row: Row) {
            number = row.optionalText(1) ?? String(row.int(0))
            code = row.text(2)
            state = QuoteState(rawValue: code)
            quotedAt = row.time(3)
            validTo = row.optionalTime(4)
            subject = row.optionalText(5)
            offering = row.optionalText(6).flatMap { OfferingID($0) }
            items = row.int(7)
            let amount = row.optionalInt(8).flatMap { minor in row.optionalText(9).map { Money(minor: minor, currency: $0) } }
            total = amount.map { PeriodPrice(amount: $0, period: row.optionalText(10)) }
        }
    }

    struct OwnProduct: Sendable {
        let name: String?
        let status: ProductStatus?
        let code: String
        let startedAt: Instant?
        let number: String?
        let price: PeriodPrice?

        init(_ row: Row) {
            name = row.optionalText(1)
            code = row.text(2)
            status = ProductStatus(rawValue: code)
            startedAt = row.optionalTime(3)
            number = row.optionalText(5)
            let amount = row.optionalInt(6).flatMap { minor in row.optionalText(7).map { Money(minor: minor, currency: $0) } }
            price = amount.map { PeriodPrice(amount: $0, period: row.optionalText(8)) }
        }
    }

    struct OrderLine: Sendable, OfferingLine {
        let customer: CustomerID
        let id: Int64
        let number: String
        let state: OrderState?
        let code: String
        let orderedAt: Instant
        let endedAt: Instant?
        let action: String?
        var subject: String?
        let offering: OfferingID?
        let items: Int64

        init(_ row: Row) {
            number = row.optionalText(1) ?? String(row.int(0))
            code = row.text(2)
            state = OrderState(rawValue: code)
            orderedAt = row.time(3)
            endedAt = row.optionalTime(4) ?? row.optionalTime(5)
            action = row.optionalText(6)
            subject = row.optionalText(7)
            items = row.int(8)
            customer = row.id(9)
            id = row.int(0)
            offering = row.optionalText(10).flatMap { OfferingID($0) }
        }

        var what: Words {
            switch action {
            case "add": Words(en: "New", zh: "新装")
            case "modify": Words(en: "Change", zh: "变更")
            case "delete": Words(en: "End", zh: "退订")
            default: Words(en: "Unchanged", zh: "不变")
            }
        }
    }

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "orders", title: "orders.panel", place: .main, order: 15, permission: OrdersPermissions.viewProducts
        ) { try begin($0, $1) }
    }

    private func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        let customers = request.customers.prefix(Limits.sqlListChunk).map { SQLValue.id($0) }
        var ofProducts = SQLBuilder(Self.products)
        if let listing = lines?.lines.listing {
            ofProducts.append("AND NOT EXISTS (SELECT 1 \(listing.all) AND \(listing.customer) = p.customer_id AND \(listing.id) = p.id)")
        }
        ofProducts.appendIn("AND p.customer_id", customers)
        ofProducts.append("ORDER BY p.id DESC LIMIT ?", .int(Self.shown + 1))
        let products = try session.asking(ofProducts) { OwnProduct($0) }
        guard request.principal.may(OrdersPermissions.viewOrders) else {
            return products.map { content($0, [], [], request) }.staged
        }
        var ofOrders = SQLBuilder(Self.orders)
        ofOrders.appendIn("AND o.customer_id", customers)
        ofOrders.append("ORDER BY o.ordered_at DESC, o.id DESC LIMIT ?", .int(Self.shown + 1))
        let orders = try session.asking(ofOrders) { OrderLine($0) }
        var ofQuotes = SQLBuilder(Self.quotes)
        ofQuotes.appendIn("AND q.customer_id", customers)
        ofQuotes.append("ORDER BY q.quoted_at DESC, q.id DESC LIMIT ?", .int(Self.shown + 1))
        let quotes = try session.asking(ofQuotes) { QuoteLine($0) }
        return .asked {
            let (products, orders, quotes) = (try products.value(), try orders.value(), try quotes.value())
            return .done(
                content(
                    products, try OrderLine.named(orders, catalog, at: request.now, session),
                    try QuoteLine.named(quotes, catalog, at: request.now, session), request))
        }
    }

    private func content(
        _ products: [OwnProduct], _ orders: [OrderLine], _ quotes: [QuoteLine], _ request: PanelRequest
    ) -> PanelContent? {
        guard !products.isEmpty || !orders.isEmpty || !quotes.isEmpty else { return nil }
        let language = request.language
        return PanelContent(
            template: "orders/panel-orders",
            view: [
                "hasProducts": .bool(!products.isEmpty), "hasOrders": .bool(!orders.isEmpty),
                "hasQuotes": .bool(!quotes.isEmpty), "moreQuotes": .bool(quotes.count > Self.shown),
                "quotes": .list(
                    quotes.prefix(Self.shown).map { line in
                        [
                            "number": .text(line.number), "subject": .text(line.subject),
                            "more": .text(line.items > 1 ? String(line.items - 1) : nil), "total": .text(line.total?.displayed(language)),
                            "state": .text(line.words(request.now)[language]), "badge": .text(line.badge(request.now)),
                            "quoted": .text(line.quotedAt.displayed(offsetMinutes: zone)),
                            "until": .text(line.standing(request.now) ? line.validTo?.date(offsetMinutes: zone).description : nil),
                        ]
                    }),
                "moreProducts": .bool(products.count > Self.shown), "moreOrders": .bool(orders.count > Self.shown),
                "products": .list(
                    products.prefix(Self.shown).map { line in
                        [
                            "name": .text(line.name ?? Words(en: "Product", zh: "产品")[language]),
                            "number": .text(request.masking.apply(.phone, line.number)),
                            "status": .text(line.status?.words[language] ?? line.code), "badge": .text(line.status?.badge ?? ""),
                            "price": .text(line.price?.displayed(language)),
                            "started": .text(line.startedAt?.displayed(offsetMinutes: zone)),
                        ]
                    }),
                "orders": .list(
                    orders.prefix(Self.shown).map { line in
                        [
                            "number": .text(line.number), "what": .text(line.what[language]), "subject": .text(line.subject),
                            "more": .text(line.items > 1 ? String(line.items - 1) : nil),
                            "state": .text(line.state?.words[language] ?? line.code), "badge": .text(line.state?.badge ?? ""),
                            "ordered": .text(line.orderedAt.displayed(offsetMinutes: zone)),
                            "ended": .text(line.endedAt?.displayed(offsetMinutes: zone)),
                        ]
                    }),
            ],
            unmasked: request.masking.shows(.phone) && products.contains { $0.number != nil } ? ["number"] : [])
    }
}

extension OrdersPanel.QuoteLine {
    /// Whether the customer can still accept it.
    func standing(_ now: Instant) -> Bool { state == .approved && !isPast(now) }
    private func isPast(_ now: Instant) -> Bool { validTo.map { $0 < now } ?? false }

    func words(_ now: Instant) -> Words {
        guard state == .approved, isPast(now) else { return state?.words ?? Words(en: code, zh: code) }
        return Words(en: "Lapsed", zh: "已过期")
    }

    func badge(_ now: Instant) -> String { state == .approved && isPast(now) ? "" : state?.badge ?? "" }
}

/// A line of the panel that names an offering, perhaps by its id only.
protocol OfferingLine {
    var subject: String? { get set }
    var offering: OfferingID? { get }
}

extension OfferingLine {
    /// With the names of offerings that are named by their ids only, of all lines at once.
    static func named(
        _ lines: [Self], _ catalog: any CatalogReading, at now: Instant, _ session: any SQLSession
    ) throws -> [Self] {
        let ids = Set(lines.filter { $0.subject == nil }.compactMap(\.offering))
        guard !ids.isEmpty else { return lines }
        let cards = try catalog.offerings(Array(ids), at: now, session)
        return lines.map { line in
            var line = line
            if line.subject == nil { line.subject = line.offering.flatMap { cards[$0]?.name } }
            return line
        }
    }
}
