import Kernel
import Platform
import Storage

/// A row of a customer list, masked.
struct CustomerLine: Sendable {
    let id: CustomerID
    /// The customer number: that of the source it came from.
    let reference: String?
    var name: String
    let phone: String?
    let kind: String
    let status: String
    let segment: String
    let tier: String
    let region: String
    let city: String
    let service: String
    let plan: String
    let contractTerm: Int
    let since: LocalDate?
    var monthlyCharge: Money?
    let risk: Double?
    let band: String
    var value: Money?
    let reason: String
    let leftOn: String
    /// Shown with another record as one customer: in lists that one stands for both.
    let isBehind: Bool
}

/// A page of a list; cursors are customer ids.
struct CustomerListPage: Sendable {
    let lines: [CustomerLine]
    /// The page after: `after` this id.
    let next: CustomerID?
    /// The page before: `before` this id.
    let previous: CustomerID?
}

/// Where a page begins.
enum ListPlace: Sendable, Equatable {
    case start
    case after(CustomerID)
    case before(CustomerID)

    var isBackward: Bool { if case .before = self { true } else { false } }
}

/// Reads customers_listing by keyset: the address holds only an id, the row's sort value is looked up here.
enum CustomerListing {
    static let columns: SQL = """
        customer_id, kind, status, segment, tier, region, city, service, plan, contract_term, since, monthly_charge,
          currency, risk, band, value_score, leave_reason, left_on, behind
        """
    static let rows: SQL = "SELECT \(columns) FROM customers_listing WHERE TRUE"
    /// Goes on with the columns and conditions of the part, and is closed with its order and two brackets. Only the rows of
    /// the page are read whole: what leads to them stands in an index as often as not.
    static let rowsOfPart: SQL = """
        SELECT \(columns) FROM customers_listing WHERE customer_id IN (SELECT customer_id FROM (SELECT customer_id
        """
    static let keys: SQL = "SELECT customer_id FROM customers_listing WHERE TRUE"
    static let total: SQL = "SELECT COUNT(*) FROM customers_listing"
    /// Each link makes two sets one: so many records are no customers of their own.
    static let joined: SQL = "SELECT COUNT(*) FROM customers_customer_link WHERE valid"
    static let counting: SQL = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM customers_listing WHERE TRUE"
    static let countMax = 10_000

    /// How many match: exact up to `countMax`, beyond it `nil` unless nothing is filtered.
    static func count(_ filter: CustomerFilter, _ principal: Principal, _ session: any SQLSession) throws -> Int? {
        if filter.isEmpty, principal.scope.regions == nil {
            return try session.count(total) - session.count(joined)
        }
        var builder = SQLBuilder(counting)
        narrow(&builder, filter, .lookUp, principal)
        builder.append("LIMIT ?) AS counted", .int(countMax + 1))
        let count = try session.count(builder.sql, builder.arguments)
        return count > countMax ? nil : count
    }

    private static func narrow(
        _ builder: inout SQLBuilder, _ filter: CustomerFilter, _ way: CustomerFilter.Way, _ principal: Principal
    ) {
        filter.lookUp(&builder, way)
        filter.checks(&builder, way, principal)
    }

    /// - Parameter many: whether many rows match (`count` gave `nil` or more than a few thousand).
    static func page(
        _ filter: CustomerFilter, _ place: ListPlace, limit: Int, many: Bool, bounds: Bounds = Bounds(),
        masking: Masking, _ principal: Principal, _ session: any SQLSession
    ) throws -> CustomerListPage {
        let backward = place.isBackward
        var found = try rows(filter, place, limit: limit + 1, many: many, bounds, principal, session)
        let more = found.count > limit
        if more { found.removeLast() }
        if backward { found.reverse() }
        let ids = found.map(\.id)
        let names = try CardStore.names(ids, session)
        let phones = try CardStore.phones(ids, session)
        let own = found.map { $0.line(names[$0.id], phones[$0.id], masking) }
        let lines = try JoinedLines.whole(own, masking, principal, session)
        let atStart = place == .start
        return CustomerListPage(
            lines: lines, next: backward || more ? ids.last : nil,
            previous: atStart || (backward && !more) ? nil : ids.first)
    }

    /// When a walk is given up.
    struct Bounds: Sendable {
        /// Rows that it passes first: about 10 ms.
        var walked = 5_000
        /// Up to so many rows are read and sorted instead; where more match it goes on.
        var sorted = 30_000
    }

    /// A walk meets the rows of a frequent filter soon, unless filter and order go together (one plan, by the charge): then
    /// they may lie at the far end, and are looked up and sorted instead.
    private static func rows(
        _ filter: CustomerFilter, _ place: ListPlace, limit: Int, many: Bool, _ bounds: Bounds, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> [Raw] {
        func read(_ way: CustomerFilter.Way, _ reach: Reach, _ limit: Int, _ within: Int?) throws -> [Raw] {
            try session.query(
                try statement(filter, place, reach, limit: limit, way, within: within, principal, session), Raw.init)
        }
        /// In two steps where the page begins behind a row.
        func found(_ way: CustomerFilter.Way, within: Int? = nil) throws -> [Raw] {
            guard way != .lookUp, place != .start, filter.sort.column != nil else {
                return try read(way, .behind, limit, within)
            }
            let tied = try read(way, .tied, limit, within)
            if tied.count == limit { return tied }
            if let within, try !isTieShort(filter, place, way, within, session) { return tied }
            return try tied + read(way, .beyond, limit - tied.count, within)
        }
        // Nothing is passed and nothing sorted, however few there are.
        if case .through = filter.walk, !filter.skipsRows(principal) { return try found(filter.walk) }
        guard many else { return try found(.lookUp) }
        guard filter.skipsRows(principal) else { return try found(filter.walk) }
        let near = try found(filter.walk, within: bounds.walked)
        if near.count == limit { return near }
        var builder = SQLBuilder(counting)
        narrow(&builder, filter, .lookUp, principal)
        builder.append("LIMIT ?) AS counted", .int(bounds.sorted + 1))
        let isMost = try session.count(builder.sql, builder.arguments) > bounds.sorted
        return try found(isMost ? filter.walk : .lookUp)
    }

    /// Which rows behind the cursor's: all, those that are equal to it in what they are ordered by, or those behind these too.
    /// SQLite looks up `(risk, id) < (?, ?)` by the risk alone, and walks through everybody who has the same.
    enum Reach: CaseIterable { case behind, tied, beyond }

    /// Whether fewer than `within` rows are tied with the cursor's: then the walk has seen them all.
    private static func isTieShort(
        _ filter: CustomerFilter, _ place: ListPlace, _ way: CustomerFilter.Way, _ within: Int, _ session: any SQLSession
    ) throws -> Bool {
        var builder = SQLBuilder(counting)
        filter.lookUp(&builder, way)
        try appendPlace(&builder, filter.sort, place, .tied, descending: filter.descending != place.isBackward, session)
        builder.append("LIMIT ?) AS counted", .int(within))
        return try session.count(builder.sql, builder.arguments) < within
    }

    /// The query of a page. Backwards it runs against the order, and the caller turns its rows round.
    /// - Parameter within: only the next so many rows of a walk are looked at.
    static func statement(
        _ filter: CustomerFilter, _ place: ListPlace, _ reach: Reach = .behind, limit: Int, _ way: CustomerFilter.Way,
        within: Int? = nil, _ principal: Principal, _ session: any SQLSession
    ) throws -> SQLBuilder {
        let down = filter.descending != place.isBackward
        // An engine that knows the numbers would rather walk where rows are to be looked up and sorted: LIMIT keeps the two apart.
        let isApart = within != nil || way == .lookUp
        var builder = SQLBuilder(isApart ? rowsOfPart : rows)
        if isApart {
            let checked = within == nil ? [] : filter.checked(way, principal)
            for column in [filter.sort.column].compactMap(\.self) + checked { builder.append(", \(column)") }
            builder.append("FROM customers_listing WHERE TRUE")
        }
        filter.lookUp(&builder, way)
        if within == nil { filter.checks(&builder, way, principal) }
        try appendPlace(&builder, filter.sort, place, reach, descending: down, session)
        if isApart {
            if within != nil { appendOrder(&builder, filter.sort, descending: down) }
            builder.append("LIMIT ?) AS part WHERE TRUE", .int(within ?? Int(Int32.max)))
            if within != nil { filter.checks(&builder, way, principal) }
        }
        appendOrder(&builder, filter.sort, descending: down)
        builder.append("LIMIT ?", .int(limit))
        if isApart {
            builder.append(")")
            appendOrder(&builder, filter.sort, descending: down)
        }
        return builder
    }

    /// The ids of everything that matches, in id order, at most `limit`.
    static func ids(_ filter: CustomerFilter, limit: Int, _ principal: Principal, _ session: any SQLSession) throws
        -> [CustomerID]
    {
        var builder = SQLBuilder(keys)
        narrow(&builder, filter, .lookUp, principal)
        builder.append("ORDER BY customer_id LIMIT ?", .int(limit))
        return try session.query(builder) { $0.id(0) }
    }

    /// Lines for given ids within the scope, in the order given.
    static func lines(
        _ ids: [CustomerID], masking: Masking, _ principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerLine] {
        var result: [CustomerLine] = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(rows)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            CustomerScope.narrow(&builder, principal)
            let found = try session.query(builder, Raw.init)
            let names = try CardStore.names(chunk, session)
            let phones = try CardStore.phones(chunk, session)
            let byID = Dictionary(
                found.map { ($0.id, $0.line(names[$0.id], phones[$0.id], masking)) }, uniquingKeysWith: { a, _ in a })
            result += try JoinedLines.whole(chunk.compactMap { byID[$0] }, masking, principal, session)
        }
        return result
    }

    private static func appendOrder(_ builder: inout SQLBuilder, _ sort: CustomerFilter.Sort, descending: Bool) {
        switch (sort.column, descending) {
        case (nil, false): builder.append("ORDER BY customer_id")
        case (nil, true): builder.append("ORDER BY customer_id DESC")
        case (let column?, false): builder.append("ORDER BY \(column), customer_id")
        case (let column?, true): builder.append("ORDER BY \(column) DESC, customer_id DESC")
        }
    }

    static let sortValues: SQL = """
        SELECT sort_name, since, monthly_charge, value_score, risk FROM customers_listing WHERE customer_id = $1
        """

    /// Begins behind the cursor's row. A row that is gone meanwhile: from the start.
    private static func appendPlace(
        _ builder: inout SQLBuilder, _ sort: CustomerFilter.Sort, _ place: ListPlace, _ reach: Reach, descending: Bool,
        _ session: any SQLSession
    ) throws {
        let id: CustomerID
        switch place {
        case .start: return
        case .after(let cursor), .before(let cursor): id = cursor
        }
        let key: SQLValue? = try session.first(sortValues, [.id(id)]) { row in
            switch sort {
            case .created: .null
            case .name: row.value(0)
            case .since: row.value(1)
            case .charge: row.value(2)
            case .value: row.value(3)
            case .risk: row.value(4)
            }
        }
        guard let key else {
            // Nobody is tied with it: everybody is beyond.
            if reach == .tied { builder.append("AND FALSE") }
            return
        }
        let isBehind: SQL = descending ? "<" : ">"
        guard let column = sort.column else { return builder.append("AND customer_id \(isBehind) ?", .id(id)) }
        switch reach {
        case .behind: builder.append("AND (\(column), customer_id) \(isBehind) (?, ?)", key, .id(id))
        case .tied: builder.append("AND \(column) = ? AND customer_id \(isBehind) ?", key, .id(id))
        case .beyond: builder.append("AND \(column) \(isBehind) ?", key)
        }
    }

    /// A row as it is stored.
    private struct Raw {
        let id: CustomerID
        let text: [String]
        let contractTerm: Int
        let monthlyCharge: Int64
        let risk: Double
        let value: Int64
        let isBehind: Bool

        init(_ row: Row) {
            id = row.id(0)
            text = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 17].map { row.text($0) }
            contractTerm = row.integer(9)
            monthlyCharge = row.int(11)
            risk = row.double(13)
            value = row.int(15)
            isBehind = row.bool(18)
        }

        func line(_ name: CardStore.Name?, _ phone: String?, _ masking: Masking) -> CustomerLine {
            CustomerLine(
                id: id, reference: name?.reference, name: name?.displayed(masking) ?? "#\(id)",
                phone: masking.apply(.phone, phone), kind: text[0],
                status: text[1], segment: text[2], tier: text[3], region: text[4], city: text[5], service: text[6],
                plan: text[7], contractTerm: contractTerm, since: LocalDate(text[8]),
                monthlyCharge: monthlyCharge < 0 ? nil : Money(minor: monthlyCharge, currency: text[9]),
                risk: risk < 0 ? nil : risk, band: text[10],
                value: value < 0 ? nil : Money(minor: value, currency: text[9]), reason: text[11], leftOn: text[12],
                isBehind: isBehind)
        }
    }
}

/// Names and numbers for lists, cards and search hits: one query each for all ids.
enum CardStore {
    struct Name: Sendable {
        let id: CustomerID
        let displayName: String
        let reference: String?

        /// The name as the principal may see it; a source's number where there is no name.
        func displayed(_ masking: Masking) -> String {
            displayName.isEmpty ? reference ?? "#\(id)" : masking.apply(.name, displayName)
        }
    }

    static let nameRows: SQL = """
        SELECT p.id, p.display_name, c.reference FROM customers_party p JOIN customers_customer c ON c.id = p.id
        WHERE TRUE
        """
    static let contactPhones: SQL = """
        SELECT customer_id, value FROM customers_contact_medium WHERE kind = 'phone'
        """
    static let linePhones: SQL = """
        SELECT customer_id, msisdn FROM customers_subscription WHERE msisdn IS NOT NULL
        """

    static func names(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: Name] {
        guard !ids.isEmpty else { return [:] }
        var builder = SQLBuilder(nameRows)
        builder.appendIn("AND p.id", ids.map { .id($0) })
        let rows = try session.query(builder) {
            Name(id: $0.id(0), displayName: $0.text(1), reference: $0.optionalText(2))
        }
        return Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The main number: that of the first line, else a contact phone. National form where it is our own country's.
    static func phones(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: String] {
        guard !ids.isEmpty else { return [:] }
        var result: [CustomerID: String] = [:]
        for source in [linePhones, contactPhones] {
            var builder = SQLBuilder(source)
            builder.appendIn("AND customer_id", ids.map { .id($0) })
            builder.append("ORDER BY customer_id, id")
            try session.forEach(builder.sql, builder.arguments) { row in
                let id = row.id(0, PartyKind.self)
                if result[id] == nil { result[id] = PhoneNumber(row.text(1))?.national() ?? row.text(1) }
                return true
            }
        }
        return result
    }
}

/// Distinct values of a listing column, walked by its index: as many look-ups as there are values.
enum ListFacets {
    static let regions: SQL = """
        WITH RECURSIVE walk(value) AS (
          SELECT MIN(region) FROM customers_listing
          UNION ALL SELECT (SELECT MIN(region) FROM customers_listing WHERE region > walk.value) FROM walk
          WHERE walk.value IS NOT NULL)
        SELECT value FROM walk WHERE value <> '' LIMIT 300
        """
    static let plans: SQL = """
        WITH RECURSIVE walk(value) AS (
          SELECT MIN(plan) FROM customers_listing
          UNION ALL SELECT (SELECT MIN(plan) FROM customers_listing WHERE plan > walk.value) FROM walk
          WHERE walk.value IS NOT NULL)
        SELECT value FROM walk WHERE value <> '' LIMIT 300
        """
    static let segments: SQL = """
        WITH RECURSIVE walk(value) AS (
          SELECT MIN(segment) FROM customers_listing
          UNION ALL SELECT (SELECT MIN(segment) FROM customers_listing WHERE segment > walk.value) FROM walk
          WHERE walk.value IS NOT NULL)
        SELECT value FROM walk WHERE value <> '' LIMIT 300
        """

    static func values(_ statement: SQL, _ session: any SQLSession) throws -> [String] {
        try session.query(statement) { $0.text(0) }
    }
}
