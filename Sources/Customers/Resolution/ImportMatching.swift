import Kernel
import Platform
import Storage

/// What an import has written and not compared with the known customers yet (ADR 0045). In the hands of one task.
final class ImportMatching {
    private let tenant: Tenant
    private let principal: Principal
    private let order = SequelOrder()
    private var resolver: MatchResolver?
    /// Told before the first rows: how many there are, and what the run made before.
    private var expected = (rows: 0, created: 0)
    /// Of the transaction.
    private var created: [MatchPrepared] = []
    private var changed: [CustomerRecord] = []
    private var groups: [CustomerID: Int] = [:]
    private var calls = 0

    init(_ tenant: Tenant, _ principal: Principal) {
        self.tenant = tenant
        self.principal = principal
    }

    /// Chance counts for as many customers as there will be when the import is done, however far it has come: where a run stops and
    /// goes on, and how many chunks a transaction takes, must not decide who is linked.
    func expect(rows: Int, created: Int) { expected = (rows, created) }

    /// Keeps what rows that came together made until the end of the transaction.
    func note(created: [MatchPrepared]) {
        self.created += created
        calls += 1
        for one in created { groups[one.id] = calls }
    }

    func note(changed: [CustomerRecord]) { self.changed += changed }

    func forget() { (created, changed, groups) = ([], [], [:]) }

    func takeSequel(_ session: any SQLSession) throws -> (any ImportSequel)? {
        defer { forget() }
        guard !created.isEmpty || !changed.isEmpty else { return nil }
        let resolver = try matcher(session, writing: created.count)
        return CustomerSequel(
            resolver: resolver, created: created, changed: changed.map(resolver.keys.prepared), groups: groups,
            number: order.next(created.map(\.id)), order: order)
    }

    /// Of customers that whoever worked on the import before has written.
    func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> any ImportSequel {
        let resolver = try matcher(session, writing: 0)
        // Of several rows about one customer, or of one that was created before, once.
        let new = Set(created)
        let ids = new.union(updated).sorted()
        let records = try ids.chunked(Limits.sqlListChunk).flatMap { try CustomerLoader.records($0, session) }
        let prepared = records.map { resolver.keys.prepared($0) }
        return CustomerSequel(
            resolver: resolver, created: prepared.filter { new.contains($0.id) },
            changed: prepared.filter { !new.contains($0.id) }, groups: [:], number: order.next(created), order: order)
    }

    /// - Parameter writing: customers of the present transaction that are counted already.
    private func matcher(_ session: any SQLSession, writing: Int) throws -> MatchResolver {
        if let resolver { return resolver }
        let before = try MatchStore.countCustomers(session) - expected.created - writing
        let made = try MatchResolver(tenant, principal, customers: max(0, before) + expected.rows, session)
        resolver = made
        return made
    }
}
