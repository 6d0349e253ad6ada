import Kernel
import Platform
import Storage

/// The index of numbers that a customer may have any number of: of bills, payments and accounts. Each has a text of its own, so that
/// what a customer is found by is not written anew with every bill.
enum NumberIndex {
    enum Kind: String, Sendable, CaseIterable {
        /// As the records' entities are called.
        case accounts, bills, payments
    }

    struct Found: Sendable, Equatable {
        let customer: CustomerID
        let kind: Kind
        let number: String
    }

    /// So many rows of PostgreSQL's index are looked at: its planner is to know that not all bills of 2026 are wanted.
    static let rowsMax = 5_000
    static let digitsMin = 4

    static let foundSQLite: SQL = """
        SELECT n.customer_id, n.kind, n.number FROM customers_search_number_index($1) s
        CROSS JOIN customers_search_number n ON n.id = s.rowid
        CROSS JOIN customers_listing l ON l.customer_id = n.customer_id WHERE TRUE
        """
    static let foundPostgres: SQL = """
        WITH found AS MATERIALIZED (
          SELECT customer_id, kind, number FROM customers_search_number
          WHERE CAST(tokens AS tsvector) @@ CAST($1 AS tsquery) LIMIT $2)
        SELECT f.customer_id, f.kind, f.number FROM found f JOIN customers_listing l ON l.customer_id = f.customer_id
        WHERE TRUE
        """

    /// What was typed, when it can be a part of a number: four digits at least, or letters with a few: `AC-101`.
    static func part(_ text: String) -> String? {
        let part = SearchText.compact(text)
        let digits = part.utf8.count(where: { (48...57).contains($0) })
        guard digits >= digitsMin || (digits >= 2 && digits < part.utf8.count && part.utf8.count > digitsMin) else { return nil }
        return part
    }

    /// Numbers in which the part stands, of customers within the principal's reach; and whether there may be more.
    static func find(
        _ part: String, limit: Int, _ principal: Principal, _ session: any SQLSession
    ) throws -> (found: [Found], isMore: Bool) {
        let pieces = SearchText.cover(part)
        guard !pieces.isEmpty, limit > 0 else { return ([], false) }
        let builder = statement(pieces, limit: limit, principal, session.dialect)
        let found = try session.query(builder) { row in
            Kind(rawValue: row.text(1)).map { Found(customer: row.id(0), kind: $0, number: row.text(2)) }
        }
        return (found.compactMap { $0 }.filter { SearchText.compact($0.number).contains(part) }, found.count == limit)
    }

    // MARK: Short numbers

    static let nextSource: SQL = """
        SELECT source FROM customers_record_key WHERE kind = $1 AND source > $2 ORDER BY source LIMIT 1
        """
    static let named: SQL = "SELECT value, customer_id FROM customers_record_key WHERE kind = $1"
    private static let shortMax = 12
    private static let sourcesMax = 32

    /// What is too short for a part can be a whole number: `P1`.
    static func isShort(_ text: String) -> Bool {
        text.utf8.count <= shortMax && !text.contains(" ") && text.utf8.contains { (48...57).contains($0) }
    }

    /// Records whose number is just this, in whatever source, of customers within the principal's reach.
    static func exact(_ text: String, _ principal: Principal, _ session: any SQLSession) throws -> [Found] {
        let values = Set([text, text.uppercased()]).sorted().map { SQLValue.text($0) }
        var found: [Found] = []
        for kind in Kind.allCases {
            var sources: [SQLValue] = []
            var last = ""
            while sources.count < sourcesMax,
                let next = try session.first(nextSource, [.text(kind.rawValue), .text(last)], { $0.text(0) })
            {
                sources.append(.text(next))
                last = next
            }
            guard !sources.isEmpty else { continue }
            var builder = SQLBuilder(named, [.text(kind.rawValue)])
            builder.appendIn("AND source", sources)
            builder.appendIn("AND value", values)
            found += try session.query(builder) { Found(customer: $0.id(1), kind: kind, number: $0.text(0)) }
        }
        let reachable = try CustomerScope.reachable(Array(Set(found.map(\.customer))), principal, session)
        return found.filter { reachable.contains($0.customer) }
    }

    /// Accounts that bills name by just this number.
    static func named(_ text: String, limit: Int, _ principal: Principal, _ session: any SQLSession) throws -> [Found] {
        let whole = SearchText.compact(text)
        let pieces = whole.unicodeScalars.count < SearchText.gram ? [whole] : SearchText.cover(whole)
        guard !whole.isEmpty, limit > 0 else { return [] }
        return try session.query(statement(pieces, limit: limit, principal, session.dialect)) { row in
            Kind(rawValue: row.text(1)).map { Found(customer: row.id(0), kind: $0, number: row.text(2)) }
        }.compactMap { $0 }.filter { SearchText.compact($0.number) == whole }
    }

    static func statement(
        _ pieces: [String], limit: Int, _ principal: Principal, _ dialect: Dialect
    ) -> SQLBuilder {
        var terms = pieces.map { SearchTerm.token(.piece, $0) }
        let words = Set((principal.scope.regions ?? []).map(SearchText.compact)).sorted()
        if !words.isEmpty, words.count <= SearchIndex.regionsMax, !words.contains("") {
            terms.append(.any(words.map { .token(.region, $0) }))
        }
        let query = SQLValue.text(SearchTerm.all(terms).text(dialect))
        var builder = SQLBuilder(
            dialect.sql(sqlite: foundSQLite, postgres: foundPostgres),
            dialect == .sqlite ? [query] : [query, .int(max(rowsMax, limit))])
        CustomerScope.narrow(&builder, principal, column: "AND l.region")
        builder.append("LIMIT ?", .int(limit))
        return builder
    }

    // MARK: Writing

    static let regions: SQL = "SELECT id, region FROM customers_customer WHERE TRUE"
    static let ofCustomers: SQL = "SELECT customer_id, id, kind, number FROM customers_search_number WHERE TRUE"
    static let upsert: SQL = """
        INSERT INTO customers_search_number (customer_id, id, kind, number, tokens) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer_id, id) DO UPDATE SET number = excluded.number, tokens = excluded.tokens
        """
    static let addMissing: SQL = """
        INSERT INTO customers_search_number (customer_id, id, kind, number, tokens) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer_id, id) DO NOTHING
        """
    static let delete: SQL = "DELETE FROM customers_search_number WHERE customer_id = $1 AND id = $2"
    static let deleteAll: SQL = "DELETE FROM customers_search_number WHERE customer_id = $1"
    static let takeOutSQLite: SQL = """
        INSERT INTO customers_search_number_index(customers_search_number_index, rowid, tokens)
        SELECT 'delete', id, tokens FROM customers_search_number WHERE customer_id = $1 AND id = $2
        """
    static let takeAllOutSQLite: SQL = """
        INSERT INTO customers_search_number_index(customers_search_number_index, rowid, tokens)
        SELECT 'delete', id, tokens FROM customers_search_number WHERE customer_id = $1
        """
    static let putInSQLite: SQL = "INSERT INTO customers_search_number_index(rowid, tokens) VALUES ($1, $2)"

    /// A number as it is to be found.
    struct Entry: Sendable {
        let place: RecordPlace
        let kind: Kind
        let number: String
    }

    /// Behind records that came, changed or went.
    static func follow(_ kind: Kind) -> @Sendable ([RecordChange], Tenant, any SQLSession) throws -> Void {
        { changes, _, session in
            var gone: [RecordPlace] = []
            var entries: [Entry] = []
            for change in changes {
                let (before, after) = (change.before?["number"]?.asText, change.after?["number"]?.asText)
                guard before != after else { continue }
                if before != nil { gone.append(change.place) }
                if let after { entries.append(Entry(place: change.place, kind: kind, number: after)) }
            }
            try remove(gone, session)
            try put(entries, replacing: false, session)
        }
    }

    /// - Parameter replacing: there may be one already; otherwise only what is not there is added.
    /// - Returns: how many were written.
    @discardableResult
    static func put(_ entries: [Entry], replacing: Bool, _ session: any SQLSession) throws -> Int {
        guard !entries.isEmpty else { return 0 }
        let regions = try regions(of: entries.map(\.place.customer), session)
        let isSQLite = session.dialect == .sqlite
        let rows = entries.map { entry in
            [
                SQLValue.id(entry.place.customer), .int(entry.place.id), .text(entry.kind.rawValue), .text(entry.number),
                .text(SearchText.of(number: entry.number, region: regions[entry.place.customer])),
            ]
        }
        if replacing {
            if isSQLite { try session.executeMany(takeOutSQLite, rows.map { Array($0[..<2]) }) }
            try session.executeMany(upsert, rows)
            if isSQLite { try session.executeMany(putInSQLite, rows.map { [$0[1], $0[4]] }) }
            return rows.count
        }
        var written = 0
        for row in rows where try session.execute(addMissing, row) > 0 {
            written += 1
            if isSQLite { try session.execute(putInSQLite, [row[1], row[4]]) }
        }
        return written
    }

    static func remove(_ places: [RecordPlace], _ session: any SQLSession) throws {
        let keys = places.map { [SQLValue.id($0.customer), .int($0.id)] }
        if session.dialect == .sqlite { try session.executeMany(takeOutSQLite, keys) }
        try session.executeMany(delete, keys)
    }

    static func remove(of customers: [CustomerID], _ session: any SQLSession) throws {
        let keys = Set(customers).map { [SQLValue.id($0)] }
        if session.dialect == .sqlite { try session.executeMany(takeAllOutSQLite, keys) }
        try session.executeMany(deleteAll, keys)
    }

    /// The region stands in the text: customers who moved are found where they are now.
    static func moved(_ customers: [CustomerID], _ session: any SQLSession) throws {
        for chunk in customers.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(ofCustomers)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            let entries = try session.query(builder) { row in
                Kind(rawValue: row.text(2)).map {
                    Entry(place: RecordPlace(customer: row.id(0), id: row.int(1)), kind: $0, number: row.text(3))
                }
            }
            try put(entries.compactMap { $0 }, replacing: true, session)
        }
    }

    private static func regions(of customers: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: String] {
        var result: [CustomerID: String] = [:]
        for chunk in Set(customers).sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(regions)
            builder.appendIn("AND id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                result[row.id(0)] = row.optionalText(1)
                return true
            }
        }
        return result
    }
}
