import Kernel
import Platform
import Storage

/// Who is meant by the names that sources have for customers.
package struct CustomerFinder: CustomerFinding {
    package init() {}

    static let find: SQL = """
        SELECT value, customer_id, record_id FROM customers_record_key WHERE kind = $1 AND source = $2
        """
    static let delete: SQL = "DELETE FROM customers_record_key WHERE kind = $1 AND source = $2 AND value = $3"
    static let keys = RecordKeySQL(find: find, table: "customers_record_key", delete: delete)

    package func reachable(
        _ ids: Set<CustomerID>, for principal: Principal, _ session: any SQLSession
    ) throws -> Set<CustomerID> { try CustomerScope.reachable(ids.sorted(), principal, session) }

    static let owners: SQL = "SELECT id, customer_id FROM customers_subscription_locator WHERE TRUE"

    /// Those of the lines that are there, of customers within reach.
    package func lines(_ ids: [Int64], for principal: Principal, _ session: any SQLSession) throws -> Set<Int64> {
        var owners: [Int64: CustomerID] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.owners)
            builder.appendIn("AND id", chunk.map { .int($0) })
            for (id, owner) in try session.query(builder, { ($0.int(0), $0.id(1, PartyKind.self)) }) { owners[id] = owner }
        }
        let reachable = try CustomerScope.reachable(Set(owners.values).sorted(), principal, session)
        return Set(owners.filter { reachable.contains($0.value) }.keys)
    }

    package func customers(
        named names: Set<CustomerName>, for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerName: NamedCustomer] {
        guard !names.isEmpty else { return [:] }
        var identifiers: [Identifier: CustomerName] = [:]
        var accounts: [String: [String]] = [:]
        for name in names {
            switch name {
            case .reference(let source, let number): identifiers[.source(source, number)] = name
            case .msisdn(let number): identifiers[.msisdn(number)] = name
            case .account(let source, let number): accounts[source, default: []].append(number)
            }
        }
        var found: [CustomerName: CustomerID] = [:]
        for (identifier, id) in try IdentifierStore.owners(Array(identifiers.keys), session) {
            if let name = identifiers[identifier] { found[name] = id }
        }
        for (source, numbers) in accounts {
            for (number, place) in try Self.accounts(numbers, source, session) {
                found[.account(source: source, number)] = place.customer
            }
        }
        let reachable = try CustomerScope.reachable(Set(found.values).sorted(), principal, session)
        return found.mapValues { NamedCustomer(id: $0, isReachable: reachable.contains($0)) }
    }

    /// Where the accounts of these numbers lie.
    static func accounts(
        _ numbers: [String], _ source: String, _ session: any SQLSession
    ) throws -> [String: RecordPlace] {
        try RecordStore(AccountRecords.accounts).places(Set(numbers), source, session)
    }
}

/// Counts what belongs to a customer, so that the revert of the import that brought the customer keeps who has more by now.
enum CustomerRevision {
    static let move: SQL = "UPDATE customers_customer SET revision = revision + $2 WHERE id = $1"

    static func move(_ counts: [(CustomerID, Int)], _ session: any SQLSession) throws {
        try session.executeMany(move, counts.map { [.id($0.0), .int($0.1)] })
    }
}
