import Kernel
import Storage

/// Whose lines telephone numbers are. Injected by App.
package struct NumberOwners: Sendable {
    /// Of numbers in E.164 the customers whose lines they are; what is nobody's line is left out.
    let owners: @Sendable (Set<String>, any SQLSession) throws -> [String: CustomerID]

    package init(_ owners: @escaping @Sendable (Set<String>, any SQLSession) throws -> [String: CustomerID]) { self.owners = owners }

    /// Where no lines are known.
    package static let none = NumberOwners { _, _ in [:] }

    func owners(_ numbers: Set<String>, _ session: any SQLSession) throws -> [String: CustomerID] {
        numbers.isEmpty ? [:] : try owners(numbers, session)
    }
}
