import Contracts
import Kernel
import Platform
import Storage
import Web

/// How many events became what. `read` is the sum of the others.
package struct ProfileCounts: Sendable, Equatable {
    /// Counted by a counter at least.
    package var counted = 0
    /// Accepted; no counter wants them.
    package var unused = 0
    package var duplicate = 0
    package var waiting = 0
    package var rejected = 0
    package var read: Int { counted + unused + duplicate + waiting + rejected }
    package init() {}

    package var json: [String: JSONValue] {
        [
            "read": .int(Int64(read)), "counted": .int(Int64(counted)), "unused": .int(Int64(unused)),
            "duplicate": .int(Int64(duplicate)), "waiting": .int(Int64(waiting)), "rejected": .int(Int64(rejected)),
        ]
    }

    mutating func add(_ other: ProfileCounts) {
        counted += other.counted
        unused += other.unused
        duplicate += other.duplicate
        waiting += other.waiting
        rejected += other.rejected
    }
}

/// Everything the live profile does with events.
package final class ProfileService: Sendable {
    package static let send = Permission("profiles.event.add")
    static let upkeepJob = "profiles.upkeep"
    static let replayJob = "profiles.replay"
    static let sweepJob = "profiles.sweep"
    /// For so long an event is known again, and waits for its customer.
    package static let seenDays: Int64 = 100
    /// Names, and events, that are looked at again in one transaction.
    static let replayMax = 1_000

    package let tenant: Tenant
    let names: any CustomerNames

    package init(tenant: Tenant, names: any CustomerNames) {
        self.tenant = tenant
        self.names = names
    }

    var zone: Int { tenant.timeZoneOffsetMinutes }

    package struct Outcome: Sendable {
        package var counts = ProfileCounts()
        /// Places in the request.
        package var duplicates: [Int] = []
        package var waiting: [Int] = []
        package var unused: [Int] = []
    }

    /// - Throws: `CRMError` "bad_source".
    package static func sourceName(_ name: String) throws -> String {
        let text = name.trimmed
        guard (1...80).contains(text.count), !text.contains(where: \.isNewline) else {
            throw CRMError.invalid(
                "source", "bad_source", Words(en: "A source has a name of 1 to 80 characters.", zh: "来源名称应为 1 至 80 个字符。"))
        }
        return text
    }

    /// Takes events in the caller's transaction: buckets, ids, what waits, audit and outbox event.
    package func take(
        _ events: [ProfileEvent], rejected: Int, source name: String,
        record: (AuditEntry, any SQLSession) throws -> Void, _ session: any SQLSession
    ) throws -> Outcome {
        let now = tenant.clock.now()
        let source = try ProfileStore.source(name, make: tenant.ids.next(), at: now, session)
        try ProfileStore.hold(source, session)
        var outcome = Outcome()
        outcome.counts.rejected = rejected
        var known = try ProfileStore.seen(Array(Set(events.map(\.fingerprint))).sorted(), source, session)
        var fresh: [ProfileEvent] = []
        for event in events {
            if known.insert(event.fingerprint).inserted { fresh.append(event) } else { outcome.duplicates.append(event.number) }
        }
        let customers = try resolve(fresh, session)
        var fold = ProfileFold(try ProfileStore.counters(session), zone: zone)
        var waiting: [[SQLValue]] = []
        for event in fresh {
            guard let fields = fold.fields(event.kind) else {
                outcome.unused.append(event.number)
                continue
            }
            guard let customer = customers[event.naming]?[event.name] else {
                outcome.waiting.append(event.number)
                waiting.append([
                    .id(source), .int(Int64(bitPattern: event.fingerprint)), .text(ProfileStore.stored(event.naming)),
                    .text(event.name), .text(event.packed(fields)), .time(now),
                ])
                continue
            }
            let isUsed = fold.add(
                kind: event.kind, at: event.at, attributes: event.attributes, customer: customer, arrived: now)
            if isUsed { outcome.counts.counted += 1 } else { outcome.unused.append(event.number) }
        }
        outcome.counts.duplicate = outcome.duplicates.count
        outcome.counts.unused = outcome.unused.count
        outcome.counts.waiting = outcome.waiting.count
        try ProfileStore.remember(
            fresh.map(\.fingerprint).sorted(), source, day: now.date().daysSinceEpoch, session)
        try session.executeMany(ProfileStore.wait, waiting)
        try apply(fold, session)
        let counts = outcome.counts
        try session.execute(
            ProfileStore.tally,
            [
                .id(source), .int(counts.counted), .int(counts.unused), .int(counts.duplicate), .int(counts.waiting),
                .int(counts.rejected), .time(now),
            ])
        try record(
            AuditEntry(
                "profiles.events.take", [AuditSubject(kind: "profile_source", id: source.rawValue)], facts: counts.json),
            session)
        return outcome
    }

    private func resolve(
        _ events: [ProfileEvent], _ session: any SQLSession
    ) throws -> [CustomerNaming: [String: CustomerID]] {
        var result: [CustomerNaming: [String: CustomerID]] = [:]
        for (naming, some) in Dictionary(grouping: events, by: \.naming) {
            result[naming] = try names.customers(Array(Set(some.map(\.name))).sorted(), naming, session)
        }
        return result
    }

    /// Writes what was counted, and says whose profile it changed.
    func apply(_ fold: ProfileFold, _ session: any SQLSession) throws {
        try ProfileStore.add(fold.buckets, session)
        for piece in Set(fold.buckets.keys.map(\.customer)).sorted().chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(LiveProfileChanged(customers: piece), session)
        }
    }

    // MARK: What other domains tell

    /// Counts what happened with customers here. Each outbox event is handled once in effect, so it needs no id.
    package func happened(
        _ kind: String, _ all: [(customer: CustomerID, attributes: [String: AttributeValue])], at: Instant,
        _ session: any SQLSession
    ) throws {
        var fold = ProfileFold(try ProfileStore.counters(session), zone: zone)
        guard fold.fields(kind) != nil else { return }
        let first = LiveDays.first(ProfileEvent.daysMax, now: tenant.clock.now(), zone: zone)
        guard at >= first else { return }
        for one in all {
            fold.add(kind: kind, at: at, attributes: one.attributes, customer: one.customer, arrived: at)
        }
        try apply(fold, session)
    }

    /// Customers came, changed or went.
    package func customersChanged(_ event: CustomersChanged, at: Instant, _ session: any SQLSession) throws {
        if event.kind == .removed {
            try session.executeMany(ProfileStore.forgetCustomer, event.ids.map { [.id($0)] })
            try session.executeMany(TellStore.forgetCustomer, event.ids.map { [.id($0)] })
            return
        }
        // An import names no fields: what a file brings is not what somebody did.
        if event.kind == .updated, !event.fields.isEmpty {
            let all = event.ids.map { (customer: $0, attributes: [String: AttributeValue]()) }
            try happened("crm.customer.changed", all, at: at, session)
        }
        guard try session.exists(ProfileStore.anyWaiting) else { return }
        // One job is enough for the many events of an import.
        let last = try tenant.jobs.recent(kind: Self.replayJob, limit: 1, session).first
        if last?.status == .queued { return }
        try tenant.jobs.enqueue(Self.replayJob, payload: "{}", by: "profiles", session)
    }

    // MARK: Upkeep

    package var jobs: [JobHandler] {
        [
            JobHandler(kind: Self.upkeepJob) { [self] _ in
                try await upkeep()
                return "{}"
            },
            JobHandler(kind: Self.sweepJob) { [self] _ in
                try await sweep()
                return "{}"
            },
            JobHandler(kind: Self.replayJob) { [self] context in
                let counts = try await replay { try context.checkCancelled() }
                return JSONValue.object(counts.json).encoded()
            },
        ]
    }

    /// Looks at what waits, and lets go of what no window reaches any more.
    package func upkeep() async throws {
        _ = try await replay()
        let now = tenant.clock.now()
        let today = now.date(offsetMinutes: zone)
        try await tenant.database.write { session in
            try session.execute(
                ProfileStore.letGo, [.text(today.adding(days: -ProfileEvent.daysMax).description)])
            try session.execute(TellStore.letGo, [.time(now.adding(days: -Self.seenDays))])
            try session.execute(ProfileStore.letGoWaiting, [.time(now.adding(days: -Self.seenDays))])
            try session.execute(
                ProfileStore.forgetSeen, [.int(now.adding(days: -Self.seenDays).date().daysSinceEpoch)])
        }
    }

    /// Lets go of the days of counters that are gone or count something else now.
    package func sweep() async throws {
        let today = tenant.clock.now().date(offsetMinutes: zone)
        for days in -1...ProfileEvent.daysMax {
            _ = try await tenant.database.write { session in
                try session.execute(ProfileStore.sweepDay, [.text(today.adding(days: -days).description)])
            }
        }
    }

    /// Counts the events whose customer is known by now.
    package func replay(_ check: @escaping @Sendable () throws -> Void = {}) async throws -> ProfileCounts {
        var counts = ProfileCounts()
        for naming in try await tenant.database.read({ try $0.query(ProfileStore.waitingNamings) { $0.text(0) } }) {
            var last = ""
            while true {
                try check()
                let after = last
                let step = try await tenant.database.write { [self] session in
                    try replay(naming, after: after, session)
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
        _ stored: String, after: String, _ session: any SQLSession
    ) throws -> (counts: ProfileCounts, last: String?) {
        var counts = ProfileCounts()
        let naming = ProfileStore.naming(stored)
        let waiting = try session.query(
            ProfileStore.waitingNames, [.text(stored), .text(after), .int(Limits.sqlListChunk)]
        ) { $0.text(0) }
        guard let last = waiting.last else { return (counts, nil) }
        let known = try names.customers(waiting, naming, session)
        guard !known.isEmpty else { return (counts, last) }
        // Whoever replays or takes events of these sources at the same time comes after this.
        let sources = try session.query(ProfileStore.waitingSources, [.text(stored)]) { $0.id(0, ProfileSourceKind.self) }
        for source in sources.sorted() { try ProfileStore.hold(source, session) }
        var builder = SQLBuilder(ProfileStore.waitingEvents, [.text(stored)])
        builder.appendIn("AND customer_name", known.keys.sorted().map { .text($0) })
        builder.append("ORDER BY source_id, fingerprint LIMIT ?", .int(Self.replayMax))
        let rows = try session.query(builder) { row in
            (
                source: row.id(0, ProfileSourceKind.self), arrived: row.time(4), name: row.text(2),
                print: UInt64(bitPattern: row.int(1)), event: row.text(3)
            )
        }
        var fold = ProfileFold(try ProfileStore.counters(session), zone: zone)
        let first = LiveDays.first(ProfileEvent.daysMax, now: tenant.clock.now(), zone: zone)
        for row in rows {
            guard let customer = known[row.name],
                let event = try ProfileEvent(
                    packed: row.event, fingerprint: row.print, naming: naming, name: row.name), event.at >= first,
                fold.add(
                    kind: event.kind, at: event.at, attributes: event.attributes, customer: customer,
                    arrived: row.arrived)
            else {
                counts.unused += 1
                continue
            }
            counts.counted += 1
        }
        try session.executeMany(
            ProfileStore.release, rows.map { [.id($0.source), .int(Int64(bitPattern: $0.print))] })
        try apply(fold, session)
        if !rows.isEmpty {
            try tenant.audit.record(
                AuditEntry("profiles.events.replay", [], facts: counts.json),
                by: Principal.system(tenant: tenant.name, "profiles"), session)
        }
        return (counts, rows.count == Self.replayMax ? after : last)
    }
}
