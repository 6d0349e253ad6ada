import Kernel
import Storage

/// insights_churn_score and insights_score_history.
enum ScoreStore {
    /// An older pass never overwrites what a newer one wrote.
    static let upsert: SQL = """
        INSERT INTO insights_churn_score (customer_id, model_id, probability, band, margin, scored_at, reasons, region,
          monthly_value, currency, priority, listed, previous_band)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (customer_id) DO UPDATE SET model_id = $2, probability = $3, band = $4, margin = $5, scored_at = $6,
          reasons = $7, region = $8, monthly_value = $9, currency = $10, priority = $11, listed = $12,
          previous_band = CASE WHEN insights_churn_score.scored_at < $6 THEN insights_churn_score.band
            ELSE insights_churn_score.previous_band END
        WHERE insights_churn_score.scored_at <= $6
        """
    static let remember: SQL = """
        INSERT INTO insights_score_history (customer_id, scored_on, model_id, probability, band)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer_id, scored_on) DO UPDATE SET model_id = $3, probability = $4, band = $5
        """
    static let history: SQL = """
        SELECT scored_on, probability, band, model_id FROM insights_score_history
        WHERE customer_id = $1 ORDER BY scored_on DESC LIMIT $2
        """
    static let select: SQL = """
        SELECT customer_id, model_id, probability, band, margin, scored_at, reasons, region, monthly_value, currency,
          listed
        FROM insights_churn_score
        """
    static let known: SQL = "SELECT customer_id, probability, band, model_id FROM insights_churn_score WHERE 1 = 1"
    static let place: SQL = """
        UPDATE insights_churn_score SET region = $2, monthly_value = $3, currency = $4, priority = $5, listed = $6
        WHERE customer_id = $1
        """
    static let unlistOlder: SQL = "UPDATE insights_churn_score SET listed = $2 WHERE scored_at < $1 AND listed"
    static let forgetScore: SQL = "DELETE FROM insights_churn_score WHERE customer_id = $1"
    static let forgetHistory: SQL = "DELETE FROM insights_score_history WHERE customer_id = $1"
    static let spread: SQL = """
        SELECT region, band, probability, monthly_value FROM insights_churn_score WHERE listed
        """
    static let listedCount: SQL = "SELECT COUNT(*) FROM insights_churn_score WHERE listed"

    /// Probability has to move by this much to be remembered.
    static let movement = 0.02

    struct Known: Sendable {
        let probability: Double
        let band: String
        let model: ModelID
    }

    /// What stands for the band before of a customer nobody had scored before.
    static let unscored = "none"

    /// Writes the scores of one batch, and those that moved to the history.
    /// - Parameter isFirstPass: whether the base was never scored before; then nobody has just become critical.
    /// - Precondition: at most `Limits.sqlListChunk` scores.
    static func write(
        _ scores: [ChurnScore], on day: LocalDate, isFirstPass: Bool = true, _ session: any SQLSession
    ) throws {
        let before = try known(scores.map(\.customer), session)
        try session.executeMany(
            upsert,
            try scores.map { score in
                [
                    .id(score.customer), .id(score.model), .double(score.probability), .text(score.band.rawValue),
                    .double(score.margin), .time(score.scoredAt), .text(try score.reasons.encoded()),
                    .text(score.region), .int(score.monthlyValue), .text(score.currency), .int(score.priority),
                    .bool(score.listed), .text(isFirstPass ? nil : unscored),
                ]
            })
        let moved = scores.filter { score in
            guard let old = before[score.customer] else { return true }
            return old.band != score.band.rawValue || abs(old.probability - score.probability) >= movement
        }
        try session.executeMany(
            remember,
            moved.map {
                [
                    .id($0.customer), .date(day), .id($0.model), .double($0.probability), .text($0.band.rawValue),
                ]
            })
    }

    private static func known(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: Known] {
        guard !ids.isEmpty else { return [:] }
        var builder = SQLBuilder(known)
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        let rows = try session.query(builder) { row in
            (row.id(0, PartyKind.self), Known(probability: row.double(1), band: row.text(2), model: row.id(3)))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Scores of some customers, in no order.
    static func scores(_ ids: [CustomerID], _ session: any SQLSession) throws -> [ChurnScore] {
        try asking(ids, session).value()
    }

    static func asking(_ ids: [CustomerID], _ session: any SQLSession) throws -> Asked<[ChurnScore]> {
        let pieces = try ids.chunked(Limits.sqlListChunk).map { piece in
            var builder = SQLBuilder(select)
            builder.append("WHERE 1 = 1")
            builder.appendIn("AND customer_id", piece.map { .id($0) })
            return try session.asking(builder, score)
        }
        return Asked { try pieces.flatMap { try $0.value() } }
    }

    typealias Past = (on: String, probability: Double, band: String, model: ModelID)

    static func history(_ id: CustomerID, limit: Int, _ session: any SQLSession) throws -> [Past] {
        try askingHistory(id, limit: limit, session).value()
    }

    static func askingHistory(_ id: CustomerID, limit: Int, _ session: any SQLSession) throws -> Asked<[Past]> {
        try session.asking(history, [.id(id), .int(limit)]) { ($0.text(0), $0.double(1), $0.text(2), $0.id(3)) }
    }

    /// Customers are gone, with all that was said about them.
    static func forget(_ ids: [CustomerID], _ session: any SQLSession) throws {
        let rows = ids.map { [SQLValue.id($0)] }
        try session.executeMany(forgetScore, rows)
        try session.executeMany(forgetHistory, rows)
        try session.executeMany(ContactPlanStore.forget, rows)
    }

    static func score(_ row: Row) -> ChurnScore {
        ChurnScore(
            customer: row.id(0), model: row.id(1), probability: row.double(2),
            band: RiskBand(rawValue: row.text(3)) ?? .low, margin: row.double(4), scoredAt: row.time(5),
            reasons: StoredReasons.decode(row.text(6)), region: row.text(7), monthlyValue: row.int(8),
            currency: row.text(9), listed: row.bool(10))
    }
}
