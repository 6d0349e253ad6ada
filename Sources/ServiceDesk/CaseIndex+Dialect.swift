import Kernel
import Storage

/// The full-text index over `servicedesk_case_text`: FTS5 beside it on SQLite, a GIN index on PostgreSQL (as ADR 0033 has it).
enum CaseIndex {
    /// A word that is looked for.
    struct Term: Sendable, Equatable {
        let token: String
        let isPrefix: Bool

        init(_ token: String, isPrefix: Bool = false) {
            self.token = token
            self.isPrefix = isPrefix
        }

        /// Quotes hold letters and digits only.
        func text(_ dialect: Dialect) -> String {
            var kept = String.UnicodeScalarView()
            kept.append(contentsOf: token.unicodeScalars.filter(CaseWords.isKept))
            return dialect == .sqlite ? "\"\(kept)\"" + (isPrefix ? " *" : "") : "'\(kept)'" + (isPrefix ? ":*" : "")
        }
    }

    /// So many rows of PostgreSQL's index are looked at: its planner is to know that not all cases about bills are wanted.
    static let rowsMax = 5_000

    static let foundSQLite: SQL = """
        SELECT t.customer_id, t.id FROM servicedesk_case_text_index($1) s
        CROSS JOIN servicedesk_case_text t ON t.id = s.rowid ORDER BY s.rowid DESC LIMIT $2
        """
    static let foundPostgres: SQL = """
        WITH found AS MATERIALIZED (
          SELECT customer_id, id FROM servicedesk_case_text WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery) LIMIT $3)
        SELECT customer_id, id FROM found ORDER BY id DESC LIMIT $2
        """

    /// Cases in which all of it stands, the newest first.
    static func find(_ terms: [Term], limit: Int, _ session: any SQLSession) throws -> [RowKey] {
        guard !terms.isEmpty, limit > 0 else { return [] }
        let dialect = session.dialect
        let query = SQLValue.text(terms.map { $0.text(dialect) }.joined(separator: dialect == .sqlite ? " AND " : " & "))
        return try session.query(
            dialect.sql(sqlite: foundSQLite, postgres: foundPostgres),
            dialect == .sqlite ? [query, .int(limit)] : [query, .int(limit), .int(max(rowsMax, limit))]
        ) { RowKey($0.id(0), $0.int(1)) }
    }

    // MARK: Writing

    static let texts: SQL = "SELECT customer_id, id, title, subject FROM servicedesk_case WHERE TRUE"
    static let stored: SQL = "SELECT customer_id, id, tokens FROM servicedesk_case_text WHERE TRUE"
    static let insert: SQL = "INSERT INTO servicedesk_case_text (customer_id, id, tokens) VALUES ($1, $2, $3)"
    static let delete: SQL = "DELETE FROM servicedesk_case_text WHERE id = $1"
    static let deleteAll: SQL = "DELETE FROM servicedesk_case_text WHERE customer_id = $1"
    static let takeOutSQLite: SQL = """
        INSERT INTO servicedesk_case_text_index(servicedesk_case_text_index, rowid, tokens)
        SELECT 'delete', id, tokens FROM servicedesk_case_text WHERE id = $1
        """
    static let takeAllOutSQLite: SQL = """
        INSERT INTO servicedesk_case_text_index(servicedesk_case_text_index, rowid, tokens)
        SELECT 'delete', id, tokens FROM servicedesk_case_text WHERE customer_id = $1
        """
    static let putInSQLite: SQL = "INSERT INTO servicedesk_case_text_index(rowid, tokens) VALUES ($1, $2)"

    /// Brings the texts of these cases to what the cases say now, of those that are gone too.
    /// - Returns: how many were other ones.
    @discardableResult
    static func refresh(_ cases: [Int64], _ session: any SQLSession) throws -> Int {
        var count = 0
        for chunk in Set(cases).sorted().chunked(Limits.sqlListChunk) {
            let ids = chunk.map { SQLValue.int($0) }
            var read = SQLBuilder(texts)
            read.appendIn("AND id", ids)
            let wanted = try session.query(read) { row in
                [SQLValue.int(row.int(0)), .int(row.int(1)), .text(CaseWords.tokens([row.optionalText(2), row.optionalText(3)]))]
            }.filter { $0[2] != .text("") }
            var known = SQLBuilder(stored)
            known.appendIn("AND id", ids)
            let held = try session.query(known) { [SQLValue.int($0.int(0)), .int($0.int(1)), .text($0.text(2))] }
            let (new, old) = (Set(wanted), Set(held))
            let gone = held.filter { !new.contains($0) }.map { [$0[1]] }
            let come = wanted.filter { !old.contains($0) }
            if session.dialect == .sqlite { try session.executeMany(takeOutSQLite, gone) }
            try session.executeMany(delete, gone)
            try session.executeMany(insert, come)
            if session.dialect == .sqlite { try session.executeMany(putInSQLite, come.map { [$0[1], $0[2]] }) }
            count += Set(gone + come.map { [$0[1]] }).count
        }
        return count
    }

    static func remove(of customers: [CustomerID], _ session: any SQLSession) throws {
        let keys = Set(customers).map { [SQLValue.id($0)] }
        if session.dialect == .sqlite { try session.executeMany(takeAllOutSQLite, keys) }
        try session.executeMany(deleteAll, keys)
    }
}
