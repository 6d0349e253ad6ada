import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum OrdersPermissions {
    static let viewOrders = Permission("orders.order.view")
    static let editOrders = Permission("orders.order.edit")
    static let viewProducts = Permission("orders.product.view")
    static let editProducts = Permission("orders.product.edit")
}

/// What customers order and what they have: quotes (TMF648), product orders (TMF622), agreements (TMF651) and the product
/// inventory (TMF637).
package struct OrdersModule: TMFModule {
    package let resources: [TMFResource]
    private let products: TMFResource
    private let catalog: any CatalogReading
    private let lines: LineProducts?

    /// - Parameter lines: `nil` = nobody has lines; then products are rows of this domain only.
    package init(
        customers: any CustomerReading, catalog: any CatalogReading, lines: (any LineKeeping)? = nil, schemas: TMFSchemas
    ) throws {
        self.catalog = catalog
        let rows = ProductStore.rows(customers)
        let lines = lines.map { LineProducts($0, rows.table) }
        self.lines = lines
        let ordering = try schemas.schema(ProductOrders.api.number)
        let products = Inventory.resource(try schemas.schema(Inventory.api.number), customers, rows, lines)
        self.products = products
        let agreeing = try schemas.schema(Agreements.api.number)
        let quotes = Quotes.resource(try schemas.schema(Quotes.api.number), customers, catalog)
        let fulfilment = Fulfilment(products: products, catalog: catalog, lines: lines)
        let orders = ProductOrders.resource(ordering, customers, fulfilment, quotes: quotes)
        resources = [
            orders, Cancellations.resource(ordering, customers, orders: orders), products, quotes,
            Agreements.resource(agreeing, customers), Agreements.specifications(agreeing),
        ]
    }

    package var name: String { "Orders" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                OrdersPermissions.viewOrders, Words(en: "See customers' quotes, orders and agreements", zh: "查看客户报价、订单和协议"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                OrdersPermissions.editOrders, Words(en: "Place, change and cancel quotes, orders and agreements", zh: "新建、修改和取消报价、订单和协议"),
                roles: [.agent, .supervisor, .administrator]),
            PermissionGrant(
                OrdersPermissions.viewProducts, Words(en: "See customers' products", zh: "查看客户产品"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                OrdersPermissions.editProducts, Words(en: "Change customers' products without an order", zh: "不经订单修改客户产品"),
                roles: [.supervisor, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            ProductOrders.api, Words(en: "product orders", zh: "产品订单"), view: OrdersPermissions.viewOrders,
            edit: OrdersPermissions.editOrders)
            + TMFAccess.scopes(
                Inventory.api, Words(en: "customers' products", zh: "客户产品"), view: OrdersPermissions.viewProducts,
                edit: OrdersPermissions.editProducts)
            + TMFAccess.scopes(
                Quotes.api, Words(en: "quotes", zh: "报价"), view: OrdersPermissions.viewOrders, edit: OrdersPermissions.editOrders)
            + TMFAccess.scopes(
                Agreements.api, Words(en: "agreements", zh: "协议"), view: OrdersPermissions.viewOrders, edit: OrdersPermissions.editOrders)
    }

    package var labels: [TableLabels] { OrdersLabels.all + OrdersLabels.shared }

    package var layouts: [TableLayout] {
        TableLayout.all(OrdersLabels.all.map(\.table), .customer(key: "customer_id"))
            + TableLayout.all(OrdersLabels.shared.map(\.table), .reference)
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        [
            EventHandler(name: "orders.customers.removed", CustomersChanged.self) { event, session in
                guard event.kind == .removed else { return }
                for resource in resources { try resource.forget(event.ids, tenant, session) }
            },
            EventHandler(name: "orders.lines.changed", CustomersChanged.self) { event, session in
                guard let lines, let store = products.store(tenant) as? ProductStore else { return }
                try lines.follow(event, store, tenant, session)
            },
        ]
    }

    /// Lines are products, whoever changes them.
    package var news: [TMFNews] {
        lines == nil ? [] : [TMFNews("lines", CustomersChanged.self, of: [Inventory.api.number]) { try LineProducts.news($0, $1) }]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [OrdersPanel(zone: tenant.timeZoneOffsetMinutes, catalog: catalog, lines: lines).panel()]
    }

    /// What this domain adds to the timeline of the customer page.
    package var timeline: [any TimelineSource] { [OrderTimeline(catalog: catalog)] }

    /// Orders and products keep their customer when the import that made it is taken back.
    package var hold: CustomerHold {
        CustomerHold(Words(en: "orders or products", zh: "订单或产品")) { ids, session in
            var result: Set<CustomerID> = []
            for statement in [OrdersStore.withOrders, OrdersStore.withProducts] {
                for chunk in ids.chunked(Limits.sqlListChunk) {
                    var builder = SQLBuilder(statement)
                    builder.appendIn("AND customer_id", chunk.map { .id($0) })
                    result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
                }
            }
            return result
        }
    }

    /// The products that customers have, and the open orders and quotes, that name a product offering.
    package static func users(ofOffering id: Int64, _ session: any SQLSession) throws -> [Words] {
        try OrdersStore.users(
            id,
            [
                (OrdersStore.offeringInProducts, OrdersStore.products), (OrdersStore.offeringInOrders, OrdersStore.orders),
                (OrdersStore.offeringInQuotes, OrdersStore.quotes),
            ], session)
    }

    /// The same of a product specification.
    package static func users(ofSpecification id: Int64, _ session: any SQLSession) throws -> [Words] {
        try OrdersStore.users(id, [(OrdersStore.specificationInProducts, OrdersStore.products)], session)
    }

    /// Whose a product is, and the numbers that it has: as characteristics, as resources that realise it, as a line.
    package static func numbers(
        ofProduct id: Int64, lines: any LineKeeping, _ session: any SQLSession
    ) throws -> (customer: CustomerID, numbers: [String])? {
        guard let owner = try session.first(OrdersStore.productOwner, [.int(id)], { $0.id(0, PartyKind.self) }) else {
            guard let line = try lines.lines([id], session).first else { return nil }
            return (line.customer, line.number.map { [$0] } ?? [])
        }
        let written = try [OrdersStore.productValues, OrdersStore.productResources].flatMap { statement in
            try session.query(statement, [.int(id)]) { $0.text(0) }
        }
        return (owner, written.compactMap { PhoneNumber($0)?.e164 })
    }

    /// The products and the open orders that are billed to an account. Products that have ended count: what was billed is told by it.
    package static func users(ofAccount id: Int64, _ session: any SQLSession) throws -> [Words] {
        try OrdersStore.users(
            id, [(OrdersStore.accountInProducts, OrdersStore.products), (OrdersStore.accountInOrders, OrdersStore.orders)], session)
    }
}
