import Kernel

/// How a source names the customer that a record belongs to.
package enum CustomerName: Hashable, Sendable {
    /// The customer's number at a source.
    case reference(source: String, String)
    /// A number of one of the customer's lines, E.164.
    case msisdn(String)
    /// The holder of an account, by the account's number at a source.
    case account(source: String, String)
}

/// A customer that was found by a name.
package struct NamedCustomer: Sendable, Equatable {
    package let id: CustomerID
    /// Whether the customer lies within the principal's scope.
    package let isReachable: Bool
    package init(id: CustomerID, isReachable: Bool) {
        self.id = id
        self.isReachable = isReachable
    }
}

/// What Customers does for those who import records of customers. Injected by App. Synchronous on the caller's session, so
/// that it sees the same snapshot.
package protocol CustomerFinding: Sendable {
    /// The customers of these names; a name of nobody is left out.
    func customers(
        named names: Set<CustomerName>, for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerName: NamedCustomer]
    /// Those of the customers that lie within the principal's scope.
    func reachable(
        _ ids: Set<CustomerID>, for principal: Principal, _ session: any SQLSession
    ) throws -> Set<CustomerID>
}
