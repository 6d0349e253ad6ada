import Foundation
import Kernel
import Matching
import Storage

/// Whether keys are kept, and which model decides.
struct MatchSetting: Sendable, Equatable {
    var isKept = false
    /// When the keys of all customers were there.
    var filledAt: Instant?
    /// `nil` = the shipped model.
    var model: ID<AnyKind>?
    /// JSON of `Survivorship`; empty = as shipped.
    var survivorship = ""
    /// About how many customers there are: so many may have a name by chance.
    var customers = 0
}

/// Keys, standardised records, models and the setting.
enum MatchStore {
    static let readSetting: SQL = """
        SELECT kept, filled_at, model_id, survivorship, customers FROM customers_match_setting WHERE id = 1
        """
    static let keep: SQL = """
        INSERT INTO customers_match_setting (id, kept, filled_at, model_id, survivorship)
        VALUES (1, $1, NULL, NULL, '') ON CONFLICT (id) DO UPDATE SET kept = excluded.kept
        """
    static let setCustomers: SQL = "UPDATE customers_match_setting SET customers = $1 WHERE id = 1"
    static let setFilled: SQL = "UPDATE customers_match_setting SET filled_at = $1 WHERE id = 1"
    static let useModel: SQL = """
        INSERT INTO customers_match_setting (id, kept, filled_at, model_id, survivorship)
        VALUES (1, $2, NULL, $1, '') ON CONFLICT (id) DO UPDATE SET model_id = excluded.model_id
        """
    static let setSurvivorship: SQL = """
        INSERT INTO customers_match_setting (id, kept, filled_at, model_id, survivorship)
        VALUES (1, $2, NULL, NULL, $1) ON CONFLICT (id) DO UPDATE SET survivorship = excluded.survivorship
        """
    static let insertKey: SQL = """
        INSERT INTO customers_match_key (key, customer_id) VALUES ($1, $2) ON CONFLICT (key, customer_id) DO NOTHING
        """
    static let deleteKey: SQL = "DELETE FROM customers_match_key WHERE key = $1 AND customer_id = $2"
    static let upsertRecord: SQL = """
        INSERT INTO customers_match_record (customer_id, record, form) VALUES ($1, $2, $3)
        ON CONFLICT (customer_id) DO UPDATE SET record = excluded.record, form = excluded.form
        """
    /// A customer who has no record yet, or keys of an earlier form, keeps waiting for the filling.
    static let changeRecord: SQL = "UPDATE customers_match_record SET record = $2 WHERE customer_id = $1"
    static let deleteRecord: SQL = "DELETE FROM customers_match_record WHERE customer_id = $1"
    static let deletePairs: SQL = "DELETE FROM customers_match_pair WHERE left_id = $1 OR right_id = $1"
    static let records: SQL = "SELECT customer_id, record FROM customers_match_record WHERE TRUE"
    /// How keys are made by now (`customers_match_record.form`). One more needs a migration that empties `filled_at`;
    /// keys of the form before must be among those of the new one, so that both live together until all are filled,
    /// and who goes takes all with them.
    static let form = 2
    /// Customers from a place on that have no record yet, or one whose keys are of an earlier form.
    static let unfilled: SQL = """
        SELECT c.id FROM customers_customer c
        WHERE c.id > $1 AND NOT EXISTS (SELECT 1 FROM customers_match_record r WHERE r.customer_id = c.id AND r.form >= $3)
        ORDER BY c.id LIMIT $2
        """
    static let customers: SQL = "SELECT COUNT(*) FROM customers_customer"
    static let insertModel: SQL = """
        INSERT INTO customers_match_model (id, made_at, made_by, customers, pairs, model, trial)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
    static let modelByID: SQL = "SELECT model FROM customers_match_model WHERE id = $1"
    static let models: SQL = """
        SELECT id, made_at, made_by, customers, pairs, trial FROM customers_match_model ORDER BY id DESC LIMIT 20
        """

    static func setting(_ session: any SQLSession) throws -> MatchSetting {
        try session.first(readSetting) { row in
            MatchSetting(
                isKept: row.bool(0), filledAt: row.optionalTime(1), model: row.optionalID(2), survivorship: row.text(3),
                customers: row.integer(4))
        } ?? MatchSetting()
    }

    /// Counts the customers, and keeps the number for those who write one customer and cannot wait for a count.
    static func countCustomers(_ session: any SQLSession) throws -> Int {
        let count = try session.count(customers)
        let known = try setting(session).customers
        // The setting is read by everybody who writes: it is not written for a few more.
        if abs(count - known) * 10 > known { try session.execute(setCustomers, [.int(count)]) }
        return count
    }

    /// The model in use; what cannot be read any more counts as none.
    static func model(_ setting: MatchSetting, _ session: any SQLSession) throws -> LinkageModel {
        if let id = setting.model, let text = try session.first(modelByID, [.id(id)], { $0.text(0) }),
            let model = try? JSONDecoder().decode(LinkageModel.self, from: Data(text.utf8)),
            model.fields == MatchCard.fields
        {
            return model
        }
        return LinkageModel.shipped(MatchCard.fields)
    }

    static func cards(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: MatchCard] {
        try texts(ids, session).compactMapValues { MatchCard(encoded: $0) }
    }

    /// Cards as they are stored.
    static func texts(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: String] {
        var result: [CustomerID: String] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(records)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                result[row.id(0)] = row.text(1)
                return true
            }
        }
        return result
    }
}

/// The rows by which a customer is found again when they come from another source.
struct MatchRows {
    private let keys: MatchKeys
    private var newKeys: [(key: Int64, id: CustomerID)] = []
    private(set) var records: [[SQLValue]] = []
    private var changedRecords: [[SQLValue]] = []
    private var goneKeys: [[SQLValue]] = []
    /// `newKeys` as rows, when they were made beside.
    private var ready: [[SQLValue]]?

    init(_ keys: MatchKeys) { self.keys = keys }

    mutating func add(_ record: CustomerRecord) { add(keys.prepared(record)) }

    mutating func add(_ one: MatchPrepared) {
        ready = nil
        records.append([.id(one.id), .text(one.text), .int(MatchStore.form)])
        for key in one.keys { newKeys.append((key, one.id)) }
    }

    mutating func change(before: CustomerRecord, after: CustomerRecord) {
        let (old, new) = (MatchCard(before), MatchCard(after))
        guard old != new else { return }
        ready = nil
        let (oldKeys, keysNow) = (keys.keys(old), keys.keys(new))
        changedRecords.append([.id(after.id), .text(new.encoded)])
        for key in keysNow.subtracting(oldKeys) { newKeys.append((key, after.id)) }
        for key in oldKeys.subtracting(keysNow) { goneKeys.append([.int(key), .id(after.id)]) }
    }

    mutating func remove(_ record: CustomerRecord) {
        for key in keys.keys(MatchCard(record)) { goneKeys.append([.int(key), .id(record.id)]) }
    }

    /// Of customers who are new, whole.
    init(_ prepared: [MatchPrepared], _ keys: MatchKeys) {
        self.keys = keys
        for one in prepared { add(one) }
        ready = keyRows
    }

    /// In the order of the index, which is wide and met everywhere: neighbours are written together.
    private var keyRows: [[SQLValue]] {
        ready ?? newKeys.sorted { ($0.key, $0.id) < ($1.key, $1.id) }.map { [.int($0.key), .id($0.id)] }
    }

    func write(_ session: any SQLSession) throws {
        let batches: [(SQL, [[SQLValue]])] = [
            (MatchStore.deleteKey, goneKeys), (MatchStore.insertKey, keyRows), (MatchStore.upsertRecord, records),
            (MatchStore.changeRecord, changedRecords),
        ]
        for (statement, rows) in batches where !rows.isEmpty { try session.executeMany(statement, rows) }
    }

    /// Of customers of whom there is nothing yet.
    func writeNew(_ session: any SQLSession) throws {
        try session.bulkInsert(into: "customers_match_record", "customer_id, record, form", records)
        try session.bulkInsert(into: "customers_match_key", "key, customer_id", keyRows)
    }
}
