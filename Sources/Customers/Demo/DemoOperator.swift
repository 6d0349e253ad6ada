import Contracts
import Kernel
import Platform
import Storage

/// Fills a tenant with an invented operator's base, streamed in batches: memory does not grow with the size.
enum DemoOperator {
    /// Customers an audit event and an outbox event.
    static let batchSize = 500
    /// Of a big base so many batches are one transaction: pages that are changed again and again (indexes) are written
    /// less often.
    static let batchesOfBigBase = 4
    static let bigBase = 50_000

    static let seededCustomers: SQL = "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'source:seed'"
    static let seededLines: SQL = "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'msisdn'"
    static let byReference: SQL = """
        SELECT customer_id FROM customers_identifier WHERE kind = 'source:seed' AND value = $1
        """

    /// Writes `request.customers` customers. The same seed and day give the same base in an empty tenant; a tenant that
    /// was seeded before gets further customers with numbers of their own. A request that resumes leaves out what is
    /// there of its base, and ends with the base it would have been without the interruption.
    /// - Parameter followers: other domains that give the customers rows of their own, in the same transactions.
    static func seed(request: SeedRequest, tenant: Tenant, followers: [any DemoFollower] = []) async throws {
        let now = tenant.clock.now()
        let today = request.today ?? now.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        let ids = tenant.ids
        let (there, lines, attributes, policy, step) = try await tenant.database.write { session in
            (
                try session.count(seededCustomers), try session.count(seededLines),
                try DemoAttributes(AttributeStore(ids: ids, clock: tenant.clock), session),
                try ValueStore.policy(session), try SearchStep.now(session)
            )
        }
        let made = request.resumes ? min(there, request.customers) : 0
        var pending = Pending(
            base: DemoBase(
                seed: request.seed, today: today, months: request.months, firstIndex: there - made, firstLine: 0),
            frame: DemoRecords.Frame(
                ids: ids, now: now, today: today, months: request.months, currency: tenant.currency,
                attributes: attributes, policy: policy, step: step),
            followers: followers, zone: tenant.timeZoneOffsetMinutes)
        if made < request.customers { try await pending.skip(made, lines: lines, tenant.database) }
        let size = request.customers < bigBase ? batchSize : batchSize * batchesOfBigBase
        var done = made
        request.progress(done, request.customers, Self.progressWords)
        // The next batch is made up while the last one is written.
        var batch = await pending.next(count: min(size, request.customers - done))
        while batch.count > 0 {
            try Task.checkCancellation()
            let writing = batch
            async let written: Void = write(writing, request, tenant)
            let following = await batch.pending.next(count: min(size, request.customers - done - batch.count))
            try await written
            done += writing.count
            request.progress(done, request.customers, Self.progressWords)
            batch = following
        }
        try await ValueStore.compute(now: now, tenant.database)
    }

    private static let progressWords = Words(en: "customers invented", zh: "位演示客户")

    /// The rest of the stream, and the unit (household, company) that the last batch may have cut in two.
    struct Pending: Sendable {
        var base: DemoBase
        let frame: DemoRecords.Frame
        let followers: [any DemoFollower]
        let zone: Int
        private var head: (index: Int, id: CustomerID)?

        init(base: DemoBase, frame: DemoRecords.Frame, followers: [any DemoFollower], zone: Int) {
            self.base = base
            self.frame = frame
            self.followers = followers
            self.zone = zone
        }

        struct Batch: Sendable {
            let records: DemoRecords
            let following: [@Sendable (any SQLSession) throws -> Void]
            let pending: Pending
            var count: Int { records.subjects.count }
        }

        /// - Parameter lines: lines there are by now; the next one's number is made from it.
        mutating func skip(_ count: Int, lines: Int, _ database: any Database) async throws {
            if let last = base.skip(count) {
                let reference = DemoRecords.reference(last.head)
                let id = try await database.read { session in
                    try session.first(DemoOperator.byReference, [.text(reference)]) { $0.id(0, PartyKind.self) }
                }
                head = id.map { (last.head, $0) }
            }
            base.goOn(line: lines)
        }

        func next(count: Int) async -> Batch {
            var rest = self
            var records = DemoRecords(frame)
            for _ in 0..<max(0, count) {
                let demo = rest.base.next()
                let id: CustomerID = frame.ids.next()
                if demo.tie == nil { rest.head = (demo.index, id) }
                records.add(
                    demo, id: id, head: demo.tie == nil || rest.head?.index != demo.head ? nil : rest.head?.id)
            }
            let facts = records.facts
            return Batch(
                records: records, following: facts.isEmpty ? [] : followers.map { $0.invent(facts, zone: zone) },
                pending: rest)
        }
    }

    private static func write(_ batch: Pending.Batch, _ request: SeedRequest, _ tenant: Tenant) async throws {
        let principal = Principal.system(tenant: tenant.name, "seed")
        try await tenant.database.write { session in
            try batch.records.write(session)
            for write in batch.following { try write(session) }
            for subjects in batch.records.subjects.chunked(batchSize) {
                try tenant.outbox.append(CustomersChanged(ids: subjects, fields: [], kind: .created), session)
                try tenant.audit.record(
                    AuditEntry(
                        "customers.demo.seed", subjects.map { .customer($0) },
                        facts: ["customers": .int(Int64(subjects.count)), "seed": .string(String(request.seed))]),
                    by: principal, session)
            }
        }
    }
}
