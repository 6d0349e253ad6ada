import Kernel
import Storage

/// What is looked for in the index.
indirect enum SearchTerm: Sendable, Equatable {
    case token(SearchKind, String)
    case prefix(SearchKind, String)
    case all([SearchTerm])
    case any([SearchTerm])

    /// In the words of the engine: FTS5's query syntax, or a tsquery. Quotes hold letters and digits only.
    func text(_ dialect: Dialect) -> String {
        let isSQLite = dialect == .sqlite
        func word(_ kind: SearchKind, _ text: String) -> String {
            var letters = String.UnicodeScalarView()
            letters.append(Unicode.Scalar(kind.rawValue))
            letters.append(contentsOf: text.unicodeScalars.filter(SearchName.isKept))
            return isSQLite ? "\"\(String(letters))\"" : "'\(String(letters))'"
        }
        func joined(_ terms: [SearchTerm], _ sign: String) -> String {
            if terms.count == 1 { return terms[0].text(dialect) }
            return "(" + terms.map { $0.text(dialect) }.joined(separator: sign) + ")"
        }
        return switch self {
        case .token(let kind, let text): word(kind, text)
        case .prefix(let kind, let text): word(kind, text) + (isSQLite ? " *" : ":*")
        case .all(let terms): joined(terms, isSQLite ? " AND " : " & ")
        case .any(let terms): joined(terms, isSQLite ? " OR " : " | ")
        }
    }

    /// Whether there is something to look for in every part.
    var isEmpty: Bool {
        switch self {
        case .token(_, let text), .prefix(_, let text): text.isEmpty
        case .all(let terms), .any(let terms): terms.isEmpty || terms.contains(where: \.isEmpty)
        }
    }
}

/// The full-text index over `customers_search_text`: FTS5 beside it on SQLite, a GIN index on PostgreSQL.
enum SearchIndex {
    /// More regions than these are looked at one customer after another.
    static let regionsMax = 64

    static let foundSQLite: SQL = """
        SELECT s.rowid FROM customers_search_index($1) s
        CROSS JOIN customers_listing l ON l.customer_id = s.rowid WHERE TRUE
        """
    static let foundAnywhereSQLite: SQL = "SELECT s.rowid FROM customers_search_index($1) s WHERE TRUE"
    /// Materialized: with the LIMIT before its eyes the planner would rather walk the table until enough are met, which for
    /// words that seldom meet is all of it.
    static let foundPostgres: SQL = """
        WITH found AS MATERIALIZED (
          SELECT customer_id FROM customers_search_text WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery))
        SELECT f.customer_id FROM found f JOIN customers_listing l ON l.customer_id = f.customer_id WHERE TRUE
        """
    static let foundAnywherePostgres: SQL = """
        WITH found AS MATERIALIZED (
          SELECT customer_id FROM customers_search_text WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery))
        SELECT f.customer_id FROM found f WHERE TRUE
        """

    /// Where a good part of the base may be meant: not all of it is collected.
    static let foundSomePostgres: SQL = """
        WITH found AS MATERIALIZED (
          SELECT customer_id FROM customers_search_text WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery) LIMIT $2)
        SELECT f.customer_id FROM found f JOIN customers_listing l ON l.customer_id = f.customer_id WHERE TRUE
        """

    /// For a list of ids inside another statement, which cannot begin with WITH.
    static let withinPostgres: SQL = """
        SELECT customer_id FROM customers_search_text WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery)
        """

    /// The ids of all who are found, for another statement.
    static func within(_ term: SearchTerm, _ dialect: Dialect) -> SQLBuilder {
        SQLBuilder(dialect.sql(sqlite: foundAnywhereSQLite, postgres: withinPostgres), [.text(term.text(dialect))])
    }

    /// Customers within the principal's reach, in the order they came into the base as a rule, at most `limit`.
    static func find(
        _ term: SearchTerm, limit: Int, rowsMax: Int? = nil, _ principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerID] {
        guard !term.isEmpty, limit > 0 else { return [] }
        return try session.query(statement(term, limit: limit, rowsMax: rowsMax, principal, session.dialect)) { $0.id(0) }
    }

    static func statement(
        _ term: SearchTerm, limit: Int, rowsMax: Int? = nil, _ principal: Principal, _ dialect: Dialect
    ) -> SQLBuilder {
        guard let regions = principal.scope.regions else {
            var builder = begun(dialect.sql(sqlite: foundAnywhereSQLite, postgres: foundAnywherePostgres), term, rowsMax, dialect)
            builder.append("LIMIT ?", .int(limit))
            return builder
        }
        // The regions are words of the index too; the listing has the last word.
        var narrowed = term
        let words = Set(regions.map(SearchText.compact)).sorted()
        if !words.isEmpty, words.count <= regionsMax, !words.contains("") {
            narrowed = .all([term, .any(words.map { .token(.region, $0) })])
        }
        var builder = begun(dialect.sql(sqlite: foundSQLite, postgres: foundPostgres), narrowed, rowsMax, dialect)
        CustomerScope.narrow(&builder, principal, column: "AND l.region")
        builder.append("LIMIT ?", .int(limit))
        return builder
    }

    private static func begun(_ sql: SQL, _ term: SearchTerm, _ rowsMax: Int?, _ dialect: Dialect) -> SQLBuilder {
        guard let rowsMax, dialect == .postgres else { return SQLBuilder(sql, [.text(term.text(dialect))]) }
        return SQLBuilder(foundSomePostgres, [.text(term.text(dialect)), .int(rowsMax)])
    }

    // MARK: Writing

    private static let table: SQL = "customers_search_text"
    private static let columns: SQL = "customer_id, tokens"
    static let upsert: SQL = """
        INSERT INTO customers_search_text (customer_id, tokens) VALUES ($1, $2)
        ON CONFLICT (customer_id) DO UPDATE SET tokens = excluded.tokens
        """
    static let addMissing: SQL = """
        INSERT INTO customers_search_text (customer_id, tokens) VALUES ($1, $2) ON CONFLICT (customer_id) DO NOTHING
        """
    static let delete: SQL = "DELETE FROM customers_search_text WHERE customer_id = $1"
    static let takeOutSQLite: SQL = """
        INSERT INTO customers_search_index(customers_search_index, rowid, tokens)
        SELECT 'delete', customer_id, tokens FROM customers_search_text WHERE customer_id = $1
        """
    static let putInSQLite: SQL = "INSERT INTO customers_search_index(rowid, tokens) VALUES ($1, $2)"

    static func row(_ record: CustomerRecord) -> [SQLValue] { [.id(record.id), .text(SearchText.of(record))] }

    /// Texts of customers who have none yet, for `bulkInsert`.
    static func new(_ rows: [[SQLValue]], _ dialect: Dialect) -> [BulkRows] {
        let texts = BulkRows(into: table, columns, rows)
        return dialect == .sqlite ? [texts, BulkRows(into: "customers_search_index", "rowid, tokens", rows)] : [texts]
    }

    /// Writes texts, new or changed. Of a customer who comes twice the last one counts: FTS5 must be told of what it holds once.
    static func put(_ given: [[SQLValue]], _ session: any SQLSession) throws {
        guard !given.isEmpty else { return }
        let last = Dictionary(given.enumerated().map { ($1[0], $0) }, uniquingKeysWith: { max($0, $1) })
        let rows = last.count == given.count ? given : last.values.sorted().map { given[$0] }
        if session.dialect == .sqlite { try session.executeMany(takeOutSQLite, rows.map { [$0[0]] }) }
        try session.executeMany(upsert, rows)
        if session.dialect == .sqlite { try session.executeMany(putInSQLite, rows) }
    }

    /// Writes texts of customers who have none; whoever got one meanwhile keeps it.
    static func fill(_ rows: [[SQLValue]], _ session: any SQLSession) throws {
        for row in rows where try session.execute(addMissing, row) > 0 && session.dialect == .sqlite {
            try session.execute(putInSQLite, row)
        }
    }

    static func remove(_ ids: [CustomerID], _ session: any SQLSession) throws {
        let keys = Set(ids).map { [SQLValue.id($0)] }
        if session.dialect == .sqlite { try session.executeMany(takeOutSQLite, keys) }
        try session.executeMany(delete, keys)
    }
}
