import Kernel
import Platform
import Storage
import TMF

/// The statements of this domain that are not declared with its rows.
enum OrdersStore {
    static let withOrders: SQL = "SELECT DISTINCT customer_id FROM orders_order WHERE TRUE"
    static let withProducts: SQL = "SELECT DISTINCT customer_id FROM orders_product WHERE TRUE"
    static let offeringInProducts: SQL = """
        SELECT id FROM orders_product WHERE offering_id = $1 AND status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 1
        """
    static let accountInProducts: SQL = """
        SELECT id FROM orders_product WHERE billing_account_id = $1 AND status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 1
        """
    static let accountInOrders: SQL = """
        SELECT id FROM orders_order
        WHERE billing_account_id = $1 AND state NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial') LIMIT 1
        """
    static let offeringInOrders: SQL = """
        SELECT owner_id FROM orders_item
        WHERE offering_id = $1 AND state NOT IN ('rejected', 'cancelled', 'completed', 'failed') LIMIT 1
        """
    static let productOwner: SQL = "SELECT customer_id FROM orders_product WHERE id = $1"
    static let productValues: SQL = """
        SELECT value FROM orders_product_characteristic WHERE owner_id = $1 AND value IS NOT NULL ORDER BY place
        """
    static let productResources: SQL = """
        SELECT value FROM orders_product_resource WHERE owner_id = $1 AND value IS NOT NULL ORDER BY place
        """
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
