import Contracts
import Kernel

/// What Customers lets other domains read. Injected by App. Synchronous on the caller's session, so that it sees the
/// same snapshot.
package protocol CustomerReading: Sendable {
    /// Cards in the order of `ids`; ids outside the principal's scope are left out.
    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard]
    /// Everything a model may learn from, for customers with `id > after`, in id order, at most `limit` rows. Values are
    /// not masked: they stay inside the process and go to the model only.
    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable
    /// The ids within the principal's scope.
    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID>
    func customerCount(_ session: any SQLSession) throws -> Int
}
