import Kernel
import Storage

/// The statements of this domain that are not declared with its rows.
enum OrdersStore {
    static let withOrders: SQL = "SELECT DISTINCT customer_id FROM orders_order WHERE TRUE"
    static let withProducts: SQL = "SELECT DISTINCT customer_id FROM orders_product WHERE TRUE"
    static let offeringInProducts: SQL = """
        SELECT id FROM orders_product WHERE offering_id = $1 AND status NOT IN ('terminated', 'cancelled', 'aborted') LIMIT 1
        """
    static let offeringInOrders: SQL = """
        SELECT owner_id FROM orders_item
        WHERE offering_id = $1 AND state NOT IN ('rejected', 'cancelled', 'completed', 'failed') LIMIT 1
        """

    static let forgetAll: [SQL] = [
        "DELETE FROM orders_order WHERE customer_id = $1",
        "DELETE FROM orders_order_party WHERE customer_id = $1",
        "DELETE FROM orders_order_note WHERE customer_id = $1",
        "DELETE FROM orders_order_channel WHERE customer_id = $1",
        "DELETE FROM orders_order_quote WHERE customer_id = $1",
        "DELETE FROM orders_item WHERE customer_id = $1",
        "DELETE FROM orders_item_characteristic WHERE customer_id = $1",
        "DELETE FROM orders_cancellation WHERE customer_id = $1",
        "DELETE FROM orders_product WHERE customer_id = $1",
        "DELETE FROM orders_product_party WHERE customer_id = $1",
        "DELETE FROM orders_product_characteristic WHERE customer_id = $1",
        "DELETE FROM orders_product_price WHERE customer_id = $1",
        "DELETE FROM orders_product_relation WHERE customer_id = $1",
        "DELETE FROM orders_product_resource WHERE customer_id = $1",
        "DELETE FROM orders_product_service WHERE customer_id = $1",
        "DELETE FROM orders_product_origin WHERE customer_id = $1",
        "DELETE FROM orders_quote WHERE customer_id = $1",
        "DELETE FROM orders_quote_party WHERE customer_id = $1",
        "DELETE FROM orders_quote_note WHERE customer_id = $1",
        "DELETE FROM orders_quote_item WHERE customer_id = $1",
        "DELETE FROM orders_quote_item_price WHERE customer_id = $1",
        "DELETE FROM orders_quote_total WHERE customer_id = $1",
        "DELETE FROM orders_quote_approval WHERE customer_id = $1",
        "DELETE FROM orders_agreement WHERE customer_id = $1",
        "DELETE FROM orders_agreement_party WHERE customer_id = $1",
        "DELETE FROM orders_agreement_item WHERE customer_id = $1",
        "DELETE FROM orders_agreement_product WHERE customer_id = $1",
        "DELETE FROM orders_agreement_offering WHERE customer_id = $1",
        "DELETE FROM orders_agreement_term WHERE customer_id = $1",
        "DELETE FROM orders_agreement_characteristic WHERE customer_id = $1",
    ]

    /// Takes everything of these customers out.
    static func forget(_ customers: [CustomerID], _ session: any SQLSession) throws {
        let keys = customers.map { [SQLValue.id($0)] }
        for statement in forgetAll { try session.executeMany(statement, keys) }
    }
}
