import Contracts
import Kernel
import Platform
import Storage

/// Keeps value scores, tiers and risk of the listing in step with what they come from.
enum ValueStore {
    static let jobKind = "customers.value"

    static let readPolicy: SQL = "SELECT vip_from, high_from FROM customers_value_policy WHERE id = 1"
    static let count: SQL = "SELECT COUNT(*) FROM customers_listing WHERE value_score > 0"
    static let threshold: SQL = """
        SELECT value_score FROM customers_listing WHERE value_score > 0 ORDER BY value_score DESC, customer_id DESC
        LIMIT 1 OFFSET $1
        """
    static let savePolicy: SQL = """
        INSERT INTO customers_value_policy (id, vip_from, high_from, customers, computed_at, requested_at)
        VALUES (1, $1, $2, $3, $4, NULL)
        ON CONFLICT (id) DO UPDATE SET vip_from = excluded.vip_from, high_from = excluded.high_from,
          customers = excluded.customers, computed_at = excluded.computed_at, requested_at = NULL
        """
    /// Rows of one tier's range that are in another tier, by the index of the score.
    static let misplaced: SQL = """
        SELECT value_score, customer_id FROM customers_listing
        WHERE value_score >= $1 AND value_score < $2 AND (value_score, customer_id) > ($3, $4) AND tier || '' <> $5
        ORDER BY value_score, customer_id LIMIT $6
        """
    /// The score is checked again: the customer may have changed since the snapshot.
    static let retier: SQL = """
        UPDATE customers_listing SET tier = $1 WHERE customer_id = $2 AND value_score >= $3 AND value_score < $4
        """
    static let request: SQL = """
        INSERT INTO customers_value_policy (id, vip_from, high_from, customers, computed_at, requested_at)
        VALUES (1, $2, $2, 0, 0, $1)
        ON CONFLICT (id) DO UPDATE SET requested_at = $1
        WHERE customers_value_policy.requested_at IS NULL OR customers_value_policy.requested_at < $3
        """
    static let lastComputed: SQL = "SELECT computed_at FROM customers_value_policy WHERE id = 1"
    /// Tiers are shares of the whole base: a few edits do not move them, so they are computed at most this often.
    static let secondsBetween: Int64 = 180
    static let batchSize = 500
    static let scored: SQL = """
        SELECT customer_id, monthly_charge, contract_term, leave_reason, value_score FROM customers_listing
        WHERE TRUE
        """
    /// Events may come late and twice: what a later pass told stays.
    static let setRisk: SQL = """
        UPDATE customers_listing SET risk = $2, band = $3, value_score = $4, tier = $5, risk_scored_at = $6
        WHERE customer_id = $1 AND risk_scored_at <= $6
        """

    static func policy(_ session: any SQLSession) throws -> ValuePolicy {
        try session.first(readPolicy) { ValuePolicy(vipFrom: $0.int(0), highFrom: $0.int(1)) } ?? .none
    }

    /// Takes over the scores of a churn model; the value follows, because it depends on the hazard.
    /// - Parameter event: without `scoredAt` (of an older version) it counts as older than every other.
    static func apply(_ event: ChurnScored, _ session: any SQLSession) throws {
        let policy = try policy(session)
        let scoredAt = event.scoredAt ?? Instant(milliseconds: 0)
        let byID = Dictionary(event.scores.map { ($0.customer, $0) }, uniquingKeysWith: { _, last in last })
        for chunk in Array(byID.keys).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(scored)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            let rows = try session.query(builder) { row -> [SQLValue]? in
                let id = row.id(0, PartyKind.self)
                guard let score = byID[id] else { return nil }
                let value = CustomerValue.score(
                    monthlyCharge: row.int(1) < 0 ? nil : row.int(1),
                    contractTerm: row.int(2) < 0 ? nil : row.integer(2), probability: score.probability,
                    hasLeft: !row.text(3).isEmpty)
                return [
                    .id(id), .double(score.probability), .text(score.band), .int(value ?? -1),
                    .text(policy.tier(value).rawValue), .time(scoredAt),
                ]
            }
            try session.executeMany(setRisk, rows.compactMap { $0 })
        }
    }

    /// Asks for the tiers to be computed, once until it has been done, and not again for some minutes after.
    static func requestComputation(_ tenant: Tenant, _ session: any SQLSession) throws {
        let now = tenant.clock.now()
        // A request whose job failed for good is made again after a while.
        let stale = now.adding(seconds: -600)
        let fresh = try session.execute(request, [.time(now), .int(Int64.max), .time(stale)])
        guard fresh > 0 else { return }
        // A few seconds later, so that an import or a scoring run is mostly through.
        let soon = now.adding(seconds: 5)
        let last = try session.first(lastComputed) { $0.time(0) } ?? Instant(milliseconds: 0)
        // Not further ahead than from now, whatever the clock was when it was last done.
        let next = min(last, now).adding(seconds: secondsBetween)
        try tenant.jobs.enqueue(jobKind, payload: "{}", by: "customers", runAt: max(soon, next), session)
    }

    /// Sets the tiers anew from the scores of the whole base: where they begin is read on a snapshot, and only the rows
    /// that move are written, a few hundred a transaction, so that nobody's save waits for the whole base.
    /// - Returns: the number of customers with a value.
    @discardableResult
    static func compute(now: Instant, _ database: any Database, checkCancelled: () throws -> Void = {}) async throws
        -> Int
    {
        let (total, policy) = try await database.read { session in
            let total = try session.count(count)
            func boundary(_ share: Double) throws -> Int64 {
                let place = Int((Double(total) * share).rounded(.up)) - 1
                guard place >= 0 else { return .max }
                return try session.first(threshold, [.int(place)]) { $0.int(0) } ?? .max
            }
            let vip = try boundary(ValuePolicy.vipShare)
            let high = min(vip, try boundary(ValuePolicy.vipShare + ValuePolicy.highShare))
            return (total, ValuePolicy(vipFrom: vip, highFrom: high))
        }
        // First, so that whoever is saved meanwhile goes by it too.
        try await database.write { session in
            try session.execute(
                savePolicy, [.int(policy.vipFrom), .int(policy.highFrom), .int(total), .time(now)])
        }
        let bounds: [(ValueTier, Int64, Int64)] = [
            (.vip, policy.vipFrom, .max), (.high, policy.highFrom, policy.vipFrom), (.ordinary, 0, policy.highFrom),
        ]
        for (tier, from, to) in bounds where from < to {
            var after: (score: Int64, id: Int64) = (-1, 0)
            while true {
                try checkCancelled()
                let place = after
                let rows = try await database.read { session in
                    try session.query(
                        misplaced,
                        [
                            .int(from), .int(to), .int(place.score), .int(place.id), .text(tier.rawValue),
                            .int(batchSize),
                        ]
                    ) { ($0.int(0), $0.int(1)) }
                }
                guard let last = rows.last else { break }
                try await database.write { session in
                    try session.executeMany(
                        retier, rows.map { [.text(tier.rawValue), .int($0.1), .int(from), .int(to)] })
                }
                after = (last.0, last.1)
            }
        }
        return total
    }

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let count = try await compute(now: tenant.clock.now(), tenant.database) { try context.checkCancelled() }
            return "{\"customers\":\(count)}"
        }
    }
}
