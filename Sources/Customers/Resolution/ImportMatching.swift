import Kernel
import Platform
import Storage

/// What an import has written and not compared with the known customers yet (ADR 0045). In the hands of one task.
final class ImportMatching {
    private let tenant: Tenant
    private let principal: Principal
    private let order = SequelOrder()
    private var resolver: MatchResolver?
    /// Customers there are, those of this import included.
    private var customers = 0
    /// Of the transaction.
    private var created: [MatchPrepared] = []
    private var changed: [MatchPrepared] = []

    init(_ tenant: Tenant, _ principal: Principal) {
        self.tenant = tenant
        self.principal = principal
    }

    /// Keeps what a chunk wrote until the end of its transaction.
    func note(created: [MatchPrepared], changed: [CustomerRecord], _ session: any SQLSession) throws {
        let keys = try matcher(session).keys
        self.created += created
        self.changed += changed.map(keys.prepared)
    }

    func takeSequel() -> (any ImportSequel)? {
        defer { (created, changed) = ([], []) }
        guard let resolver, !created.isEmpty || !changed.isEmpty else { return nil }
        customers += created.count
        return CustomerSequel(
            resolver: resolver.among(customers), created: created, changed: changed, number: order.next(created.map(\.id)), order: order)
    }

    /// Of customers that whoever worked on the import before has written.
    func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> any ImportSequel {
        let resolver = try matcher(session)
        // Of several rows about one customer, or of one that was created before, once.
        let new = Set(created)
        let ids = new.union(updated).sorted()
        let records = try ids.chunked(Limits.sqlListChunk).flatMap { try CustomerLoader.records($0, session) }
        let prepared = records.map { resolver.keys.prepared($0) }
        return CustomerSequel(
            resolver: resolver, created: prepared.filter { new.contains($0.id) },
            changed: prepared.filter { !new.contains($0.id) }, number: order.next(created), order: order)
    }

    private func matcher(_ session: any SQLSession) throws -> MatchResolver {
        if let resolver { return resolver }
        let known = try MatchStore.countCustomers(session)
        let made = try MatchResolver(tenant, principal, customers: known, session)
        (resolver, customers) = (made, known)
        return made
    }
}
