import Kernel
import Platform
import Storage
import TMF

/// The statements of this domain that are not declared with its rows.
enum OrdersStore {
    static let withOrders: SQL = "SELECT DISTINCT customer_id FROM orders_order WHERE TRUE"
    static let withProducts: SQL = "SELECT DISTINCT customer_id FROM orders_product WHERE TRUE"
    /// Who names something: at most four, the first three are told.
    static let offeringInProducts: SQL = """
        SELECT id FROM orders_product WHERE offering_id = $1 AND status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 4
        """
    static let specificationInProducts: SQL = """
        SELECT id FROM orders_product WHERE specification_id = $1 AND status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 4
        """
    static let accountInProducts: SQL = "SELECT id FROM orders_product WHERE billing_account_id = $1 LIMIT 4"
    static let accountInOrders: SQL = """
        SELECT id FROM orders_order
        WHERE billing_account_id = $1 AND state NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial') LIMIT 4
        """
    static let offeringInOrders: SQL = """
        SELECT DISTINCT owner_id FROM orders_item
        WHERE offering_id = $1 AND state NOT IN ('rejected', 'cancelled', 'completed', 'failed') LIMIT 4
        """
    static let offeringInQuotes: SQL = """
        SELECT DISTINCT i.owner_id FROM orders_quote_item i JOIN orders_quote q ON q.customer_id = i.customer_id AND q.id = i.owner_id
        WHERE i.offering_id = $1 AND q.state IN ('inProgress', 'pending', 'approved') LIMIT 4
        """
    static let bundles: SQL = """
        SELECT DISTINCT r.owner_id FROM orders_product_relation r JOIN orders_product p ON p.customer_id = r.customer_id AND p.id = r.owner_id
        WHERE r.product_id = $1 AND p.status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 4
        """
    static let productsOfOrder: SQL = "SELECT DISTINCT owner_id FROM orders_product_origin WHERE order_id = $1 LIMIT 4"
    static let productOwner: SQL = "SELECT customer_id FROM orders_product WHERE id = $1"
    static let productValues: SQL = """
        SELECT value FROM orders_product_characteristic WHERE owner_id = $1 AND value IS NOT NULL ORDER BY place
        """
    static let productResources: SQL = """
        SELECT value FROM orders_product_resource WHERE owner_id = $1 AND value IS NOT NULL ORDER BY place
        """
}

extension OrdersStore {
    /// Who names something, for the refusal to remove it; empty = nobody.
    static func users(_ id: Int64, _ statements: [(SQL, Words)], _ session: any SQLSession) throws -> [Words] {
        try statements.compactMap { statement, words in
            let found = try session.query(statement, [.text(String(id))]) { String($0.int(0)) }
            guard !found.isEmpty else { return nil }
            let list = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? ", …" : "")
            return Words(en: "\(words.en) \(list)", zh: "\(words.zh) \(list)")
        }
    }

    static let products = Words(en: "products", zh: "产品")
    static let orders = Words(en: "orders", zh: "订单")
    static let quotes = Words(en: "quotes", zh: "报价")
}

/// A store whose rows belong to customers.
protocol OwnedStore: TMFWritingStore {
    var rows: TMFRows { get }
}

extension TMFResource {
    /// Takes everything of these customers out.
    func forget(_ customers: [CustomerID], _ tenant: Tenant, _ session: any SQLSession) throws {
        guard let store = store(tenant) as? any OwnedStore else { return }
        try store.rows.forget(customers, resource: name, session)
    }
}
