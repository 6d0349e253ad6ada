import Kernel
import Platform
import Storage

/// How far a base has come from rows of `customers_search` to the index, in the order of the steps.
enum SearchStep: Int64, Sendable {
    /// Texts are being made of customers from before; both are written, the rows are read.
    case filling = 0
    /// All have a text, which is read; rows are still written for older processes beside.
    case full = 1
    /// Rows are no longer written, and those of before are taken out.
    case dropping = 2
    /// Only references are rows. A base that was empty when the index came began so.
    case done = 3

    var readsIndex: Bool { self != .filling }
    var writesRows: Bool { self == .filling || self == .full }

    static let current: SQL = "SELECT step FROM customers_search_state WHERE id = 1"

    static func now(_ session: any SQLSession) throws -> SearchStep {
        try session.first(current) { SearchStep(rawValue: $0.int(0)) ?? .filling } ?? .done
    }
}

/// The job that fills the index of an older base and then contracts: expand first, as ADR 0018 has it.
struct SearchFill: Sendable {
    static let jobKind = "customers.search"
    static let everySeconds: Int64 = 3_600
    /// How long rows are written on: an upgrade from one version to the next is over by then.
    static let fullMinutes: Int64 = 24 * 60
    static let batch = 400
    static let dropped = 5_000
    /// Changes that a process of before made are looked for from a little before the last look on.
    static let overlapMinutes: Int64 = 10

    static let state: SQL = "SELECT step, seen_to, since FROM customers_search_state WHERE id = 1"
    static let saveState: SQL = """
        UPDATE customers_search_state SET step = $1, seen_to = $2, since = $3 WHERE id = 1
        """
    /// The place is not stored: whoever writes customers reads the row of the state, and would wait for it again and again.
    static let nextCustomers: SQL = """
        SELECT c.id FROM customers_customer c
        WHERE c.id > $1 AND NOT EXISTS (SELECT 1 FROM customers_search_text t WHERE t.customer_id = c.id)
        ORDER BY c.id LIMIT $2
        """
    static let changedCustomers: SQL = """
        SELECT id FROM customers_customer WHERE id > $1 AND updated_at >= $2 ORDER BY id LIMIT $3
        """
    static let texts: SQL = "SELECT customer_id, tokens FROM customers_search_text WHERE TRUE"
    static let kept = SearchTokens.Kind.reference
    /// Kinds of rows that are not kept, each by the table's key.
    static let rowsOfKind: SQL = "SELECT token, customer_id FROM customers_search WHERE kind = $1 LIMIT $2"

    let database: any Database
    let clock: any WallClock

    private struct State {
        var step: SearchStep
        /// Changes up to then are in the index; 0 = nothing was looked at yet.
        var seenTo: Instant
        /// When the step began.
        var since: Instant
        var row: [SQLValue] { [.int(step.rawValue), .time(seenTo), .time(since)] }
    }

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let fill = SearchFill(database: tenant.database, clock: tenant.clock)
            var written = try await fill.run { try context.checkCancelled() }
            written += try await NumberFill(database: tenant.database, clock: tenant.clock)
                .run { try context.checkCancelled() }
            try await MatchFill.again(tenant) { _, _ in try context.checkCancelled() }
            return "{\"written\":\(written)}"
        }
    }

    /// Goes as far as it may by now. Begun again after a crash it goes on where it was.
    /// - Returns: texts written anew.
    @discardableResult
    func run(checkCancelled: () throws -> Void = {}) async throws -> Int {
        guard var state = try await read() else { return try await takeUpStrays(checkCancelled) }
        var written = 0
        if state.step == .filling {
            written += try await fill(&state, checkCancelled)
        }
        if state.step == .full {
            written += try await catchUp(&state, checkCancelled)
            if clock.now() >= state.since.adding(seconds: Self.fullMinutes * 60) {
                state.step = .dropping
                state.since = clock.now()
                try await save(state)
            }
        }
        if state.step == .dropping {
            // Who was writing rows when the step began has ended: what they wrote is in the index too.
            written += try await catchUp(&state, checkCancelled)
            try await drop(checkCancelled)
            state.step = .done
            state.since = clock.now()
            try await save(state)
            return written
        }
        if state.step == .done { written += try await takeUpStrays(checkCancelled) }
        return written
    }

    private func read() async throws -> State? {
        try await database.read { session in
            try session.first(Self.state) { row in
                State(
                    step: SearchStep(rawValue: row.int(0)) ?? .filling, seenTo: row.time(1), since: row.time(2))
            }
        }
    }

    private func save(_ state: State) async throws {
        let row = state.row
        try await database.write { _ = try $0.execute(Self.saveState, row) }
    }

    private func fill(_ state: inout State, _ checkCancelled: () throws -> Void) async throws -> Int {
        var written = 0
        if state.seenTo.milliseconds == 0 {
            state.seenTo = clock.now()
            try await save(state)
        }
        var after: Int64 = 0
        while true {
            try checkCancelled()
            let place = after
            let next: (last: Int64, count: Int)? = try await database.write { session in
                let ids: [CustomerID] = try session.query(Self.nextCustomers, [.int(place), .int(Self.batch)]) {
                    $0.id(0)
                }
                guard let last = ids.last else { return nil }
                let records = try CustomerLoader.records(ids, session)
                try SearchIndex.fill(records.map(SearchIndex.row), session)
                try SearchWords.note(records, session)
                return (last.rawValue, ids.count)
            }
            guard let next else { break }
            after = next.last
            written += next.count
        }
        state.step = .full
        state.since = clock.now()
        try await save(state)
        return written
    }

    /// Makes texts anew of customers that changed since the last look: a process of before knows nothing of texts.
    private func catchUp(_ state: inout State, _ checkCancelled: () throws -> Void) async throws -> Int {
        let began = clock.now()
        let from = state.seenTo.adding(seconds: -Self.overlapMinutes * 60)
        var after: Int64 = 0
        var written = 0
        while true {
            try checkCancelled()
            let place = after
            let ids: [CustomerID] = try await database.read { session in
                try session.query(Self.changedCustomers, [.int(place), .time(from), .int(Self.batch)]) { $0.id(0) }
            }
            guard let last = ids.last else { break }
            written += try await mend(ids)
            after = last.rawValue
        }
        state.seenTo = began
        try await save(state)
        return written
    }

    private func mend(_ ids: [CustomerID]) async throws -> Int {
        try await database.write { session in try Self.mend(ids, session) }
    }

    /// - Returns: how many texts were other ones.
    static func mend(_ ids: [CustomerID], _ session: any SQLSession) throws -> Int {
        var builder = SQLBuilder(texts)
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        let stored = Dictionary(
            try session.query(builder) { ($0.int(0), $0.text(1)) }, uniquingKeysWith: { first, _ in first })
        let records = try CustomerLoader.records(ids, session)
        let rows = records.map(SearchIndex.row).filter { $0[1].asText != stored[$0[0].asInt ?? 0] }
        try SearchIndex.put(rows, session)
        try SearchWords.note(records, session)
        return rows.count
    }

    /// Takes the rows of before out, some thousands a transaction.
    private func drop(_ checkCancelled: () throws -> Void) async throws {
        for kind in SearchTokens.Kind.allCases where kind != Self.kept {
            while try await takeRows(kind, mending: false).rows > 0 { try checkCancelled() }
        }
    }

    /// An older process that is still at work writes rows: they tell whose text is to be made anew.
    private func takeUpStrays(_ checkCancelled: () throws -> Void) async throws -> Int {
        var written = 0
        for kind in SearchTokens.Kind.allCases where kind != Self.kept {
            while true {
                try checkCancelled()
                let taken = try await takeRows(kind, mending: true)
                written += taken.mended
                if taken.rows == 0 { break }
            }
        }
        return written
    }

    private func takeRows(_ kind: SearchTokens.Kind, mending: Bool) async throws -> (rows: Int, mended: Int) {
        try await database.write { session in
            let limit = mending ? Self.batch : Self.dropped
            let rows = try session.query(Self.rowsOfKind, [.int(kind.rawValue), .int(limit)]) {
                [SQLValue.int(kind.rawValue), .text($0.text(0)), .int($0.int(1))]
            }
            let ids = Set(rows.compactMap { $0[2].asInt }).sorted().map { CustomerID($0) }
            let mended = mending && !ids.isEmpty ? try Self.mend(ids, session) : 0
            try session.executeMany(CustomerSQL.deleteSearch, rows)
            return (rows.count, mended)
        }
    }
}
