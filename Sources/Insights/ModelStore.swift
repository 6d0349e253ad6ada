import Foundation
import Kernel
import Storage
import Synchronization

/// insights_model: the registry of versions.
enum ModelStore {
    static let insert: SQL = """
        INSERT INTO insights_model (id, version, state, job_id, trained_at, trained_by, customers, labelled, leavers,
          features, folds, auc, logloss, brier, ece, lift_at_10, seed)
        SELECT $1, COALESCE(MAX(version), 0) + 1, 'training', $2, $3, $4, 0, 0, 0, 0, $5, 0, 0, 0, 0, 0, $6
        FROM insights_model
        """
    static let finish: SQL = """
        UPDATE insights_model SET state = $2, trained_at = $3, customers = $4, labelled = $5, leavers = $6,
          features = $7, auc = $8, logloss = $9, brier = $10, ece = $11, lift_at_10 = $12, card = $13, titles = $15,
          blob_id = $14, failure_en = NULL, failure_zh = NULL
        WHERE id = $1
        """
    static let fail: SQL = """
        UPDATE insights_model SET state = 'failed', failure_en = $2, failure_zh = $3 WHERE id = $1 AND state = 'training'
        """
    static let complain: SQL = "UPDATE insights_model SET failure_en = $2, failure_zh = $3 WHERE id = $1"
    static let again: SQL = """
        UPDATE insights_model SET state = 'training', failure_en = NULL, failure_zh = NULL WHERE id = $1
        """
    static let retireActive: SQL = "UPDATE insights_model SET state = 'retired' WHERE state = 'active' AND id <> $1"
    static let setState: SQL = "UPDATE insights_model SET state = $2 WHERE id = $1"
    static let select: SQL = """
        SELECT id, version, state, job_id, trained_at, trained_by, customers, labelled, leavers, features, folds, auc,
          logloss, brier, ece, lift_at_10, seed, blob_id, failure_en, failure_zh
        FROM insights_model
        """
    static let titlesOf: SQL = "SELECT titles FROM insights_model WHERE id = $1 AND titles IS NOT NULL"
    static let cardOf: SQL = "SELECT card FROM insights_model WHERE id = $1 AND card IS NOT NULL"

    /// Begins a version. A job that is run again gets the version it began before.
    static func begin(
        id: ModelID, job: JobID?, at: Instant, by: String, folds: Int, seed: UInt64, _ session: any SQLSession
    ) throws -> ModelRecord {
        if let job, let existing = try first("WHERE job_id = ? ORDER BY id DESC LIMIT 1", .id(job), session).value() {
            if existing.state == .failed || existing.state == .training {
                try session.execute(again, [.id(existing.id)])
            }
            return existing
        }
        try session.execute(
            insert,
            [.id(id), .id(job), .time(at), .text(by), .int(folds), .int(Int64(bitPattern: seed))])
        guard let made = try model(id, session) else { throw StorageError(.other, "insights_model lost a row") }
        return made
    }

    static func finish(
        _ id: ModelID, state: ModelState, at: Instant, card: ModelCard, titles: [String: Words], customers: Int,
        blob: String,
        _ session: any SQLSession
    ) throws {
        let report = card.report
        try session.execute(
            finish,
            [
                .id(id), .text(state.rawValue), .time(at), .int(customers), .int(report.rows), .int(report.positives),
                .int(report.features), .double(report.auc), .double(report.logloss), .double(report.brier),
                .double(report.ece), .double(report.liftAt10), .text(try card.encoded()), .text(blob),
                .text(try encoded(titles)),
            ])
        if state == .active { try session.execute(retireActive, [.id(id)]) }
    }

    static func fail(_ id: ModelID, _ words: Words, _ session: any SQLSession) throws {
        try session.execute(fail, [.id(id), .text(words.en), .text(words.zh)])
    }

    /// Keeps with a version why it cannot score; its state stays what it is.
    static func complain(_ id: ModelID, _ words: Words, _ session: any SQLSession) throws {
        try session.execute(complain, [.id(id), .text(words.en), .text(words.zh)])
    }

    /// It can score again.
    static func recover(_ id: ModelID, _ session: any SQLSession) throws {
        try session.execute(complain, [.id(id), .text(nil), .text(nil)])
    }

    /// Puts a version into use; the one before retires.
    static func activate(_ id: ModelID, _ session: any SQLSession) throws {
        try session.execute(setState, [.id(id), .text(ModelState.active.rawValue)])
        try session.execute(retireActive, [.id(id)])
    }

    static func retire(_ id: ModelID, _ session: any SQLSession) throws {
        try session.execute(setState, [.id(id), .text(ModelState.retired.rawValue)])
    }

    static func model(_ id: ModelID, _ session: any SQLSession) throws -> ModelRecord? {
        try asking(id, session).value()
    }

    static func asking(_ id: ModelID, _ session: any SQLSession) throws -> Asked<ModelRecord?> {
        try first("WHERE id = ?", .id(id), session)
    }

    static func active(_ session: any SQLSession) throws -> ModelRecord? { try askingActive(session).value() }

    static func askingActive(_ session: any SQLSession) throws -> Asked<ModelRecord?> {
        try first("WHERE state = ? ORDER BY version DESC LIMIT 1", .text(ModelState.active.rawValue), session)
    }

    static func recent(before version: Int?, limit: Int, _ session: any SQLSession) throws -> [ModelRecord] {
        var builder = SQLBuilder(select)
        builder.append(
            "WHERE version < ? ORDER BY version DESC LIMIT ?", .int(version ?? Int(Int32.max)), .int(limit))
        return try session.query(builder, record)
    }

    private static func first(_ tail: SQL, _ value: SQLValue, _ session: any SQLSession) throws
        -> Asked<ModelRecord?>
    {
        var builder = SQLBuilder(select)
        builder.append(tail, value)
        return try session.askingFirst(builder, record)
    }

    static func card(_ id: ModelID, _ session: any SQLSession) throws -> ModelCard? {
        try session.first(cardOf, [.id(id)]) { try ModelCard.decode($0.text(0)) }
    }

    /// Wording of the learning columns, by name. Kept apart from the card, because the customer page needs it.
    static func titles(_ id: ModelID, _ session: any SQLSession) throws -> [String: Words] {
        try askingTitles(id, session).value()
    }

    static func askingTitles(_ id: ModelID, _ session: any SQLSession) throws -> Asked<[String: Words]> {
        try session.askingFirst(titlesOf, [.id(id)]) {
            try JSONDecoder().decode([String: Words].self, from: Data($0.text(0).utf8))
        }.map { $0 ?? [:] }
    }

    private static func encoded(_ titles: [String: Words]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(titles), as: UTF8.self)
    }

    private static func record(_ row: Row) -> ModelRecord {
        ModelRecord(
            id: row.id(0), version: row.integer(1), state: ModelState(rawValue: row.text(2)) ?? .failed,
            jobID: row.optionalID(3), trainedAt: row.time(4), trainedBy: row.text(5), customers: row.integer(6),
            labelled: row.integer(7), leavers: row.integer(8), features: row.integer(9), folds: row.integer(10),
            figures: ModelFigures(
                auc: row.double(11), logloss: row.double(12), brier: row.double(13), ece: row.double(14),
                liftAt10: row.double(15)),
            seed: UInt64(bitPattern: row.int(16)), blobID: row.optionalText(17),
            failure: row.optionalText(18).map { Words(en: $0, zh: row.optionalText(19) ?? $0) })
    }
}

/// The titles of the columns of a few versions, which never change: every customer page needs them.
final class TitleCache: Sendable {
    private let known = Mutex<[String: [String: Words]]>([:])
    private static let most = 64

    func titles(_ model: ModelID, tenant: String, _ session: any SQLSession) throws -> [String: Words] {
        try asking(model, tenant: tenant, session).value()
    }

    func asking(_ model: ModelID, tenant: String, _ session: any SQLSession) throws -> Asked<[String: Words]> {
        let key = tenant + "/" + model.description
        if let titles = known.withLock({ $0[key] }) { return Asked { titles } }
        return try ModelStore.askingTitles(model, session).map { titles in
            self.known.withLock { known in
                if known.count >= Self.most { known = [:] }
                known[key] = titles
            }
            return titles
        }
    }
}
