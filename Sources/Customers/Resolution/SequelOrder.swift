import Kernel
import Synchronization

/// Which customers an import wrote in what order, as far as they are not compared yet: of two new ones the later looks for
/// the earlier, though the earlier one's snapshot may have both.
final class SequelOrder: Sendable {
    private struct State {
        var count = 0
        var customers: [Int: Set<CustomerID>] = [:]
    }

    private let state = Mutex(State())

    /// - Returns: the place of these.
    func next(_ customers: [CustomerID]) -> Int {
        state.withLock { state in
            state.count += 1
            state.customers[state.count] = Set(customers)
            return state.count
        }
    }

    /// Those behind a place. What lies before it is forgotten: it is settled.
    func customers(after number: Int) -> Set<CustomerID> {
        state.withLock { state in
            state.customers = state.customers.filter { $0.key >= number }
            return state.customers.reduce(into: []) { if $1.key > number { $0.formUnion($1.value) } }
        }
    }
}
