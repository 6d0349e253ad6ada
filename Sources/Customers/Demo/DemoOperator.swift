import Contracts
import Kernel
import Platform
import Storage

/// Fills a tenant with an invented operator's base, streamed in batches: memory does not grow with the size.
enum DemoOperator {
    /// Customers a transaction, an audit event and an outbox event.
    static let batchSize = 500

    static let seededCustomers: SQL = "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'source:seed'"
    static let seededLines: SQL = "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'msisdn'"

    /// Writes `request.customers` customers. The same seed and day give the same base in an empty tenant; a tenant that
    /// was seeded before gets further customers with numbers of their own.
    static func seed(request: SeedRequest, tenant: Tenant) async throws {
        let now = tenant.clock.now()
        let today = now.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        let ids = tenant.ids
        let (first, firstLine, attributes) = try await tenant.database.write { session in
            (
                try session.count(seededCustomers), try session.count(seededLines),
                try DemoAttributes(AttributeStore(ids: ids, clock: tenant.clock), session)
            )
        }
        let base = DemoBase(seed: request.seed, today: today, firstIndex: first, firstLine: firstLine)
        let empty = DemoRecords(ids: ids, now: now, today: today, currency: tenant.currency, attributes: attributes)
        var pending = Pending(base: base, family: [:])
        var done = 0
        request.progress(0, request.customers, Self.progressWords)
        // The next batch is made up while the last one is written.
        var batch = await pending.next(count: min(batchSize, request.customers), empty)
        while !batch.records.records.isEmpty {
            try Task.checkCancellation()
            let writing = batch.records
            let left = request.customers - done - writing.records.count
            async let written: Void = write(writing, request, tenant)
            let following = await batch.pending.next(count: min(batchSize, left), empty)
            try await written
            done += writing.records.count
            request.progress(done, request.customers, Self.progressWords)
            batch = following
        }
        pending = batch.pending
        try await ValueStore.compute(now: now, tenant.database)
    }

    private static let progressWords = Words(en: "customers invented", zh: "位演示客户")

    /// The rest of the stream, and the members of the household that the last batch may have cut in two.
    struct Pending: Sendable {
        var base: DemoBase
        var family: [Int: CustomerID]

        struct Batch: Sendable {
            let records: DemoRecords
            let pending: Pending
        }

        func next(count: Int, _ empty: DemoRecords) async -> Batch {
            var rest = self
            var records = empty
            for _ in 0..<max(0, count) {
                let demo = rest.base.next()
                let id: CustomerID = empty.ids.next()
                if demo.payer == demo.index { rest.family = [demo.index: id] }
                records.add(demo, id: id, payer: demo.payer == demo.index ? nil : rest.family[demo.payer])
            }
            return Batch(records: records, pending: rest)
        }
    }

    private static func write(_ batch: DemoRecords, _ request: SeedRequest, _ tenant: Tenant) async throws {
        let subjects = batch.records.map(\.id)
        let principal = Principal.system(tenant: tenant.name, "seed")
        try await tenant.database.write { session in
            let writer = try CustomerWriter(ids: tenant.ids, session)
            try writer.insert(batch.records, session)
            try writer.append(batch.charges, session)
            try writer.append(batch.usage, session)
            try writer.append(batch.history, session)
            try writer.relate(batch.relations, session)
            try tenant.outbox.append(CustomersChanged(ids: subjects, fields: [], kind: .created), session)
            try tenant.audit.record(
                AuditEntry(
                    "customers.demo.seed", subjects.map { .customer($0) },
                    facts: ["customers": .int(Int64(subjects.count)), "seed": .string(String(request.seed))]),
                by: principal, session)
        }
    }
}
