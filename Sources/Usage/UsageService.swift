import Contracts
import Kernel
import Platform
import Storage
import Synchronization
import Web

/// Everything usage is, for files, requests and jobs alike.
package final class UsageService: Sendable {
    package static let permission = Permission("usage.import")
    static let upkeepJob = "usage.upkeep"
    static let replayJob = "usage.replay"
    /// Records of a file that are taken in one transaction: in the order of time the same days and months come again and again,
    /// and the more of them are in one chunk, the fewer rows are written.
    package static let chunkMax = 200_000

    package let tenant: Tenant
    let base: any UsageBase
    let index = UsageIndex()
    /// Usages that are kept one by one; `nil` = programs cannot bring any.
    let records: UsageRecords?

    package init(tenant: Tenant, base: any UsageBase, records: UsageRecords? = nil) {
        self.tenant = tenant
        self.base = base
        self.records = records
    }

    /// Up to `chunkMax` records of a file.
    package struct Chunk: Sendable {
        /// From 1.
        package let number: Int64
        package let records: Int
        package let events: [UsageEvent]
        package let rejects: [UsageReject]
        package let rejected: Int
        /// Of the events; empty where nobody asks for them afterwards.
        package var ids = UsageEventIDs()
    }

    /// Today in the tenant's zone.
    package var bounds: UsageParser.Bounds {
        let today = tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        return UsageParser.Bounds(today: Int32(today.daysSinceEpoch))
    }

    // MARK: One chunk

    /// What a chunk came to.
    package struct Outcome: Sendable {
        package var counts = UsageCounts()
        package var rejects: [UsageReject] = []
    }

    /// Takes events in the caller's transaction: days, months, ids, what waits, audit and outbox event.
    /// - Parameter run: the file they are of.
    package func take(
        _ chunk: Chunk, _ source: UsageSourceID, _ lines: LineCache, run: UsageRunID? = nil, isReplay: Bool = false,
        record: (AuditEntry, any SQLSession) throws -> Void, _ session: any SQLSession
    ) throws -> Outcome {
        try UsageStore.hold(source, session)
        let now = tenant.clock.now()
        let names = try lines.resolve(chunk.events, now: now, base, session)
        var prints = chunk.events.map(\.fingerprint)
        prints.sort()
        prints = Self.unique(prints)
        var fold = UsageFold(known: try index.find(prints, source, session), capacity: chunk.events.count)
        fold.reject(chunk.rejected)
        var rejects = chunk.rejects
        for (place, event) in chunk.events.enumerated() {
            switch names.answers[Int(names.places[place])] {
            case .line(let line): fold.add(event, line: line, isReplay: isReplay)
            case .noNumber:
                fold.reject(1)
                if rejects.count < UsageRunStore.rejectsMax {
                    rejects.append(UsageReject(line: event.at, column: lines.column, code: "bad_number", id: chunk.ids[place]))
                }
            case .unknown: fold.add(event, line: nil, isReplay: isReplay)
            }
        }
        var sure: Set<LineRef> = []
        for case .line(let line) in names.answers { sure.insert(line) }
        try Self.settle(fold, sure: sure, source, run: run, lines.stored, at: now, base, session)
        let again = fold.known.keys.count { fold.fresh[$0] != nil }
        try index.add(
            sorted: prints.compactMap { fold.fresh[$0] }, again: again, source, at: now, tenant.ids, session)
        if !fold.fresh.isEmpty {
            try record(AuditEntry("usage.events.take", [Self.subject(source)], facts: fold.counts.facts), session)
            try tenant.outbox.append(UsageTaken(source: source.rawValue, events: fold.fresh.count), session)
        }
        return Outcome(counts: fold.counts, rejects: rejects)
    }

    private static func unique(_ sorted: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(sorted.count)
        for print in sorted where result.last != print { result.append(print) }
        return result
    }

    /// Writes what a fold came to: what waits, days and months. The source is held.
    /// - Parameters:
    ///   - sure: lines that are known to be there.
    ///   - naming: how the line of an event that waits is stored.
    static func settle(
        _ fold: UsageFold, sure: Set<LineRef>, _ source: UsageSourceID, run: UsageRunID? = nil,
        _ naming: (String) -> (naming: String, line: String), at now: Instant, _ base: any UsageBase, _ session: any SQLSession
    ) throws {
        let days = try standing(fold.days, sure, base, session)
        try UsageWaiting.change(released: fold.released, waiting: fold.waiting, source, run: run, naming, at: now, session)
        try UsageStore.add(days, base, session)
    }

    /// Without the days of lines that were removed since their events were taken: there is nothing to take back from.
    private static func standing(
        _ days: [UsagePlace: DayUsage], _ sure: Set<LineRef>, _ base: any UsageBase, _ session: any SQLSession
    ) throws -> [UsagePlace: DayUsage] {
        var doubtful: Set<LineRef> = []
        for place in days.keys where !sure.contains(place.line) { doubtful.insert(place.line) }
        guard !doubtful.isEmpty else { return days }
        let gone = doubtful.subtracting(try base.existing(Array(doubtful), session))
        return gone.isEmpty ? days : days.filter { !gone.contains($0.key.line) }
    }

    static func subject(_ source: UsageSourceID) -> AuditSubject {
        AuditSubject(kind: "usage_source", id: source.rawValue)
    }

    /// The source of a name; made when it is new.
    package func source(_ name: String, _ session: any SQLSession) throws -> UsageSourceID {
        try UsageStore.source(
            try Self.sourceName(name), make: tenant.ids.next(), at: tenant.clock.now(), session)
    }

    /// - Throws: `CRMError` "bad_source".
    static func sourceName(_ name: String) throws -> String {
        let text = name.trimmed
        guard (1...80).contains(text.count), !text.contains(where: \.isNewline) else {
            throw CRMError.invalid(
                "source", "bad_source", Words(en: "A source has a name of 1 to 80 characters.", zh: "来源名称应为 1 至 80 个字符。"))
        }
        guard text.lowercased() != UsageRecords.sourceName else {
            throw CRMError.invalid(
                "source", "bad_source",
                Words(
                    en: "“\(UsageRecords.sourceName)” is the source of usages that are kept one by one (TMF635); name yours otherwise.",
                    zh: "“\(UsageRecords.sourceName)”是逐条保存的用量（TMF635）的来源名称，请另取名称。"))
        }
        return text
    }

    /// Merges blocks of ids until none has to be.
    package func compact(_ source: UsageSourceID) async throws {
        while try await tenant.database.write({ [self] session in
            try UsageStore.hold(source, session)
            return try index.compact(source, tenant.ids, session)
        }) {}
    }
}

extension UsageCounts {
    /// For the audit.
    var facts: [String: JSONValue] {
        [
            "read": .int(Int64(read)), "taken": .int(Int64(taken)), "duplicate": .int(Int64(duplicate)),
            "corrected": .int(Int64(corrected)), "withdrawn": .int(Int64(cancelled)),
            "unmatched": .int(Int64(unmatched)), "rejected": .int(Int64(rejected)),
        ]
    }

    var json: JSONValue {
        .object([
            "read": .int(Int64(read)), "taken": .int(Int64(taken)), "duplicate": .int(Int64(duplicate)),
            "corrected": .int(Int64(corrected)), "cancelled": .int(Int64(cancelled)),
            "unmatched": .int(Int64(unmatched)), "rejected": .int(Int64(rejected)),
        ])
    }
}

/// Lines by the names a source has for them. In the hands of one run at a time; names are looked up again after ten seconds,
/// so that a number that moved to another customer is followed.
package final class LineCache: Sendable {
    package enum Answer: Sendable, Equatable {
        case line(LineRef)
        case unknown
        /// It is no telephone number.
        case noNumber
    }

    static let secondsMax: Int64 = 10
    static let namesMax = 300_000

    private let naming: LineNaming
    private let countryCode: String
    /// Header of the column, for rejects.
    let column: String
    private struct State {
        var known: [String: LineRef] = [:]
        var since = Instant(milliseconds: 0)
    }
    private let state = Mutex(State())

    package init(_ naming: LineNaming, countryCode: String, column: String = "") {
        self.naming = naming
        self.countryCode = countryCode
        self.column = column
    }

    /// How a name is stored: numbers in E.164.
    func stored(_ name: String) -> (naming: String, line: String) {
        switch naming {
        case .number: ("number", PhoneNumber(name, defaultCountryCode: countryCode)?.e164 ?? name)
        case .source(let source): ("source:" + source, name)
        }
    }

    /// Answers for the lines of events: that of event `n` is `answers[places[n]]`.
    struct Resolved {
        var answers: [Answer] = []
        var places: [Int32] = []
    }

    /// Answers for the lines of all these events.
    func resolve(
        _ events: [UsageEvent], now: Instant, _ base: any UsageBase, _ session: any SQLSession
    ) throws -> Resolved {
        let known = state.withLock { state in
            if now.milliseconds - state.since.milliseconds > Self.secondsMax * 1_000 || state.known.count > Self.namesMax {
                state = State(since: now)
            }
            return state.known
        }
        var resolved = Resolved()
        resolved.places.reserveCapacity(events.count)
        var places: [String: Int32] = [:]
        places.reserveCapacity(min(events.count, 20_000))
        var asked: [String: [(place: Int32, written: String)]] = [:]
        for event in events {
            if let place = places[event.line] {
                resolved.places.append(place)
                continue
            }
            let place = Int32(resolved.answers.count)
            places[event.line] = place
            resolved.places.append(place)
            if let line = known[event.line] {
                resolved.answers.append(.line(line))
                continue
            }
            let name: String?
            switch naming {
            case .number: name = PhoneNumber(event.line, defaultCountryCode: countryCode)?.e164
            case .source: name = event.line
            }
            resolved.answers.append(name == nil ? .noNumber : .unknown)
            if let name { asked[name, default: []].append((place, event.line)) }
        }
        guard !asked.isEmpty else { return resolved }
        var fresh: [String: LineRef] = [:]
        for (name, line) in try base.lines(asked.keys.sorted(), naming, session) {
            for (place, written) in asked[name] ?? [] {
                resolved.answers[Int(place)] = .line(line)
                fresh[written] = line
            }
        }
        // Not before the commit: what this transaction sees may never come to be.
        let learnt = fresh
        session.afterCommit { [self] in
            state.withLock { $0.known.merge(learnt) { $1 } }
        }
        return resolved
    }
}
