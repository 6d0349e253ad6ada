import Kernel
import Platform
import Storage

/// Makes the parts of cards, and the texts of bills, payments and accounts, of a base that is older than these (rows of
/// `customers_search_state`: 2, 3 payments, 4 accounts that bills name, 5 devices): once at the start, and once more a day later for
/// what processes of before wrote meanwhile. Until then a card is found by its whole number and by its beginning, as before.
struct NumberFill: Sendable {
    static let state: SQL = "SELECT step, since FROM customers_search_state WHERE id = $1"
    static let passed: SQL = "UPDATE customers_search_state SET step = 1, since = $1 WHERE id = $2"
    static let done: SQL = "DELETE FROM customers_search_state WHERE id = $1"
    static let customers: SQL = "SELECT id FROM customers_customer WHERE id > $1 ORDER BY id LIMIT $2"
    static let numbers: SQL = """
        SELECT source, value, customer_id, record_id FROM customers_record_key
        WHERE kind = $1 AND (source > $2 OR (source = $2 AND value > $3)) ORDER BY source, value LIMIT $4
        """

    let database: any Database
    let clock: any WallClock

    /// - Returns: texts written anew.
    @discardableResult
    func run(checkCancelled: () throws -> Void = {}) async throws -> Int {
        let all = try await run(2, [.accounts, .bills], hasCards: true, checkCancelled)
        return try await all + run(3, [.payments], hasCards: false, checkCancelled)
            + run(4, [], hasCards: false, hasReferences: true, checkCancelled)
            + run(5, [], hasCards: true, checkCancelled)
    }

    private func run(
        _ id: Int64, _ kinds: [NumberIndex.Kind], hasCards: Bool, hasReferences: Bool = false,
        _ checkCancelled: () throws -> Void
    ) async throws -> Int {
        let found = try await database.read { session in
            try session.first(Self.state, [.int(id)]) { (isFirst: $0.int(0) == 0, since: $0.time(1)) }
        }
        guard let found else { return 0 }
        guard found.isFirst || clock.now() >= found.since.adding(seconds: SearchFill.fullMinutes * 60) else { return 0 }
        var written = hasCards ? try await walk(checkCancelled) { try SearchFill.mend($0, $1) } : 0
        if hasReferences {
            written += try await walk(checkCancelled) { try AccountReferences.add(AccountReferences.named(by: $0, $1), $1) }
        }
        for kind in kinds { written += try await fill(kind, checkCancelled) }
        let now = clock.now()
        try await database.write { session in
            _ = try found.isFirst ? session.execute(Self.passed, [.time(now), .int(id)]) : session.execute(Self.done, [.int(id)])
        }
        return written
    }

    /// All customers, some at a time.
    /// - Parameter body: returns how many texts it wrote.
    private func walk(
        _ checkCancelled: () throws -> Void, _ body: @escaping @Sendable ([CustomerID], any SQLSession) throws -> Int
    ) async throws -> Int {
        var written = 0
        var after: Int64 = 0
        while true {
            try checkCancelled()
            let place = after
            let ids: [CustomerID] = try await database.read { session in
                try session.query(Self.customers, [.int(place), .int(SearchFill.batch)]) { $0.id(0) }
            }
            guard let last = ids.last else { break }
            written += try await database.write { try body(ids, $0) }
            after = last.rawValue
        }
        return written
    }

    private func fill(_ kind: NumberIndex.Kind, _ checkCancelled: () throws -> Void) async throws -> Int {
        var written = 0
        var (source, value) = ("", "")
        while true {
            try checkCancelled()
            let place = [SQLValue.text(kind.rawValue), .text(source), .text(value), .int(SearchFill.batch)]
            let step = try await database.write { session in
                let keys = try session.query(Self.numbers, place) { row in
                    (source: row.text(0), value: row.text(1), place: RecordPlace(customer: row.id(2), id: row.int(3)))
                }
                let entries = keys.map { NumberIndex.Entry(place: $0.place, kind: kind, number: $0.value) }
                let count = try NumberIndex.put(entries, replacing: false, session)
                return (last: keys.last, count: count)
            }
            written += step.count
            guard let last = step.last else { return written }
            (source, value) = (last.source, last.value)
        }
    }
}
