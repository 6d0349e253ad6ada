import Contracts
import Kernel
import Platform
import Storage
import Web

extension UsageService {
    /// Rejects are kept as long as somebody may mend the file.
    static let rejectDays: Int64 = 90
    /// Events of unknown lines that are looked at in one transaction.
    static let replayMax = 5_000

    package var jobs: [JobHandler] {
        [
            JobHandler(kind: Self.upkeepJob) { [self] _ in
                let gone = try await upkeep()
                return JSONValue.object(["blocks": .int(Int64(gone))]).encoded()
            },
            JobHandler(kind: Self.replayJob) { [self] context in
                let counts = try await replay { try context.checkCancelled() }
                return counts.json.encoded()
            },
        ]
    }

    /// Merges ids, and lets go of what lies behind the window: ids, events without a line, old rejects. Returns how many
    /// blocks went.
    package func upkeep() async throws -> Int {
        let now = tenant.clock.now()
        let sources = try await tenant.database.read { session in
            try session.query(UsageStore.allSources) { $0.id(0, UsageSourceKind.self) }
        }
        for source in sources {
            try await compact(source)
            if try await tenant.database.write({ try UsageWaiting.mend(source, $0) }) {
                tenant.logger.notice("usage.waiting.counted", metadata: ["source": "\(source)"])
            }
        }
        _ = try await replay()
        try await keepRecords(now)
        return try await tenant.database.write { session in
            try UsageWaiting.letGo(before: now.adding(days: -UsageIndex.windowDays), session)
            try session.execute(UsageRunStore.forgetRejects, [.time(now.adding(days: -Self.rejectDays))])
            return try UsageIndex.letGo(now, session)
        }
    }

    /// Gives up usages whose line nobody has known for as long as events wait, and lets go of old ones and of answers.
    private func keepRecords(_ now: Instant) async throws {
        guard let records else { return }
        let tenant = tenant
        let before = now.adding(days: -UsageIndex.windowDays)
        while try await tenant.database.write({ try records.giveUp(before: before, tenant, $0) }) {}
        while try await tenant.database.write({ try records.letGo(now, $0) }) {}
        while try await tenant.database.write({ try ConsumptionStore.letGo(now, $0) }) {}
    }

    /// Takes the events whose line is known by now.
    package func replay(_ check: @escaping @Sendable () throws -> Void = {}) async throws -> UsageCounts {
        var counts = UsageCounts()
        let namings = try await tenant.database.read { session in
            try session.query(UsageStore.waitingNamings) { $0.text(0) }
        }
        for naming in namings {
            let kind: LineNaming = naming == "number" ? .number : .source(String(naming.dropFirst("source:".count)))
            var last = ""
            while true {
                try check()
                let after = last
                let step = try await tenant.database.write { [self] session in
                    try replay(naming, kind, after: after, session)
                }
                counts.add(step.counts)
                guard let next = step.last else { break }
                last = next
            }
        }
        return counts
    }

    /// The events of the next names in order; one transaction. `last` is the last name that was looked at, `nil` at the end.
    private func replay(
        _ naming: String, _ kind: LineNaming, after: String, _ session: any SQLSession
    ) throws -> (counts: UsageCounts, last: String?) {
        var counts = UsageCounts()
        let names = try session.query(
            UsageStore.waitingLines, [.text(naming), .text(after), .int(Limits.sqlListChunk)]
        ) { $0.text(0) }
        guard let last = names.last else { return (counts, nil) }
        let known = try base.lines(names, kind, session)
        guard !known.isEmpty else { return (counts, last) }
        var builder = SQLBuilder(UsageStore.waitingEvents, [.text(naming)])
        builder.appendIn("AND line", known.keys.sorted().map { .text($0) })
        builder.append("ORDER BY source_id, fingerprint LIMIT ?", .int(Self.replayMax))
        let rows = try session.query(builder) { row in
            let print = UInt64(bitPattern: row.int(1))
            return (
                source: row.id(0, UsageSourceKind.self),
                event: try UsageEvent(packed: row.bytes(3), fingerprint: print, line: row.text(2))
            )
        }
        let principal = Principal.system(tenant: tenant.name, "usage")
        let own = try UsageRecords.known(session)
        var isMore = rows.count == Self.replayMax
        for (source, events) in Dictionary(grouping: rows, by: { $0.source }).sorted(by: { $0.key < $1.key }) {
            if source == own {
                guard let records else { continue }
                let prints = events.prefix(UsageRecords.stepMax).map { Int64(bitPattern: $0.event.fingerprint) }
                counts.add(try records.resume(prints, source, tenant, session))
                isMore = isMore || prints.count < events.count
                continue
            }
            let chunk = Chunk(
                number: 0, records: events.count, events: events.map { $0.event }, rejects: [], rejected: 0)
            let outcome = try take(
                chunk, source, LineCache(kind, countryCode: tenant.countryCode), isReplay: true,
                record: { [tenant] in try tenant.audit.record($0, by: principal, $1) }, session)
            counts.add(outcome.counts)
        }
        return (counts, isMore ? after : last)
    }

    /// Customers came, changed or went.
    package func customersChanged(_ event: CustomersChanged, _ session: any SQLSession) throws {
        if event.kind == .removed {
            try session.executeMany(UsageStore.forget, event.ids.map { [.id($0)] })
            try records?.forget(event.ids, tenant, session)
            return
        }
        guard try session.exists(UsageStore.anyWaiting) else { return }
        // One job is enough for the many events of an import.
        let last = try tenant.jobs.recent(kind: Self.replayJob, limit: 1, session).first
        if last?.status == .queued { return }
        try tenant.jobs.enqueue(Self.replayJob, payload: "{}", by: "usage", session)
    }
}
