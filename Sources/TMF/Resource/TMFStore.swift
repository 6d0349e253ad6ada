import Kernel
import Platform
import Storage
import Web

/// Where the rows of a resource lie: what a list selects from, and which of its attributes have an index.
package struct TMFTable: Sendable {
    /// `customers_listing l`, without a condition.
    package let from: SQL
    /// The id, a BIGINT that grows with time.
    package let id: SQL
    package let columns: [TMFColumn]
    /// Appends ` AND …` for what this caller may see at all.
    package let scope: @Sendable (Principal, inout SQLBuilder) -> Void
    /// Whether only the documents tell what this caller may see, so that no statement can count them.
    package let needsDocuments: @Sendable (Principal) -> Bool
    /// Whether rows are of several classes, which the store says in its documents.
    package let hasClasses: Bool
    /// Of what clients sent and the rows do not hold: where lists look for values of these.
    package let keptPaths: [String]

    package init(
        from: SQL, id: SQL, columns: [TMFColumn], hasClasses: Bool = false, keptPaths: [String] = [],
        scope: @escaping @Sendable (Principal, inout SQLBuilder) -> Void = { _, _ in },
        needsDocuments: @escaping @Sendable (Principal) -> Bool = { _ in false }
    ) {
        self.needsDocuments = needsDocuments
        self.hasClasses = hasClasses
        self.keptPaths = keptPaths
        self.from = from
        self.id = id
        self.columns = columns
        self.scope = scope
    }

    /// A statement for resources of which such a value is kept beside the row.
    package static func kept(_ resource: String, _ path: String, _ value: String) -> SQLBuilder {
        var builder = TMFKeptStore.valued(resource, path)
        builder.append("AND value = ?", .text(value))
        return builder
    }

    func adding(_ column: TMFColumn) -> TMFTable {
        TMFTable(
            from: from, id: id, columns: columns + [column], hasClasses: hasClasses, keptPaths: keptPaths, scope: scope,
            needsDocuments: needsDocuments)
    }

    /// The column that lists are ordered by.
    func sorting(_ path: AttributePath) -> TMFColumn? { columns.first { $0.path == path && $0.sorts } }
}

/// A resource's rows as documents. A domain writes it over its own tables.
package protocol TMFStore: Sendable {
    var table: TMFTable { get }
    /// Attributes of which the rows hold all that was sent: nothing of them is kept beside.
    var whole: Set<String> { get }

    /// The documents of rows, without `href`, in the order of the ids; a row that is gone, or out of the caller's reach, is
    /// left out.
    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)]
}

extension TMFStore {
    package var whole: Set<String> { [] }
}

/// A page of a list.
package struct TMFListing: Sendable {
    package let documents: [JSONObject]
    package let total: Int
    package let next: String?
    package let previous: String?
}

/// Answers a list. What has an index is asked of the engine; the rest is looked at in the documents when not more than
/// `scanMax` are left, and refused otherwise: no question costs more than that, and none is answered wrongly.
package struct TMFLister: Sendable {
    package static let scanMax = 10_000

    let store: any TMFStore
    let schema: TMFSchema
    /// From more rows than these on an order's index is walked rather than one that narrows.
    let looseMin: Int

    package init(_ store: any TMFStore, _ schema: TMFSchema, looseMin: Int = 20_000) {
        self.store = store
        self.schema = schema
        self.looseMin = looseMin
    }

    /// - Parameters:
    ///   - count: gives the number of rows of a statement, or a number that still holds.
    /// - Throws: 400 `not_indexed` when too many rows would have to be looked through.
    package func list(
        _ query: TMFQuery, _ principal: Principal, _ session: any SQLSession,
        count: (SQLBuilder, any SQLSession) throws -> Int = { rows, session in
            var counting = SQLBuilder("SELECT COUNT(*) FROM (")
            counting.append(rows)
            counting.append(") counted")
            return try session.count(counting.sql, counting.arguments)
        }
    ) throws -> TMFListing {
        let table = store.table
        let masking = Masking(principal)
        var query = query
        for place in query.sort.indices { query.sort[place].key = table.sorting(query.sort[place].target.path)?.orderKey }
        var narrowed: [(TMFColumn, TMFCondition)] = []
        var rest: [TMFCondition] = []
        for condition in query.conditions {
            if let column = table.columns.first(where: { $0.answers(condition) && masking.shows($0.mask) }) {
                narrowed.append((column, condition))
                if !column.isExact { rest.append(condition) }
            } else {
                rest.append(condition)
            }
        }
        let sort = query.sort.map { one in (one, table.sorting(one.target.path).flatMap { masking.shows($0.mask) ? $0 : nil }) }
        var isLoose = false
        func restrict(_ builder: inout SQLBuilder) {
            table.scope(principal, &builder)
            for (column, condition) in narrowed {
                column.append(condition, id: table.id, session.dialect, isLoose: isLoose, to: &builder)
            }
        }
        let order = Self.name(query.sort)
        if rest.isEmpty, !table.needsDocuments(principal), sort.allSatisfy({ $0.1 != nil }) {
            var counting = SQLBuilder("SELECT \(table.id) FROM \(table.from) WHERE TRUE")
            restrict(&counting)
            let total = try count(counting, session)
            isLoose = total > looseMin
            var columns: [Ordered] = []
            for (one, column) in sort {
                guard let column, case .own(let sql) = column.place else { continue }
                columns.append(Ordered(sort: one, sql: sql, stored: column.stored))
            }
            return try ordered(query, columns, order, total, principal, session, restrict)
        }
        return try looked(query, rest, order, principal, session, restrict)
    }

    /// `-created,name`: binds a cursor to its order.
    static func name(_ sort: [TMFSort]) -> String {
        sort.map { ($0.isDescending ? "-" : "") + $0.target.path.description }.joined(separator: ",")
    }

    // MARK: By an index

    private struct Ordered {
        let sort: TMFSort
        let sql: SQL
        let stored: @Sendable (String) -> SQLValue?
    }

    private func ordered(
        _ query: TMFQuery, _ columns: [Ordered], _ order: String, _ total: Int, _ principal: Principal,
        _ session: any SQLSession, _ restrict: (inout SQLBuilder) -> Void
    ) throws -> TMFListing {
        let table = store.table
        let keys = columns.reduce(table.id) { "\($0), \($1.sql)" }
        var builder = SQLBuilder("SELECT \(keys) FROM \(table.from) WHERE TRUE")
        restrict(&builder)
        var isBackwards = false
        var offset = 0
        switch query.place {
        case .offset(let number): offset = number
        case .after(""): break
        case .after(let text): try seek(try TMFCursor(text, order: order), columns, isBackwards: false, &builder)
        case .before(let text):
            isBackwards = true
            try seek(try TMFCursor(text, order: order), columns, isBackwards: true, &builder)
        }
        builder.append("ORDER BY")
        for column in columns {
            builder.append(column.sql)
            builder.append(column.sort.isDescending != isBackwards ? "DESC," : ",")
        }
        builder.append(table.id)
        if isBackwards { builder.append("DESC") }
        // One more tells whether there is more.
        builder.append("LIMIT ? OFFSET ?", .int(query.limit + 1), .int(offset))
        var rows = try session.query(builder) { row in (row.int(0), columns.indices.map { row.value($0 + 1) }) }
        let hasMore = rows.count > query.limit
        if hasMore { rows.removeLast() }
        if isBackwards { rows.reverse() }
        let stored = Dictionary(rows, uniquingKeysWith: { first, _ in first })
        let documents = try store.documents(rows.map(\.0), principal, session).map(\.1)
        /// Where the order is not that of the values the place is the row's.
        func cursor(_ document: JSONObject?) -> String? {
            self.cursor(document, query.sort, order) { place in
                guard query.sort[place].key != nil, let id = document?["id"]?.string.flatMap({ Int64($0) }),
                    case .text(let text)? = stored[id]?[place]
                else { return nil }
                return .string(text)
            }
        }
        let isFirst = [.offset(0), .after("")].contains(query.place)
        return TMFListing(
            documents: documents, total: total,
            next: (isBackwards || hasMore) ? cursor(documents.last) : nil,
            previous: isBackwards ? (hasMore ? cursor(documents.first) : nil) : isFirst || offset > 0 ? nil : cursor(documents.first))
    }

    private func cursor(
        _ document: JSONObject?, _ sort: [TMFSort], _ order: String, stored: (Int) -> JSONValue? = { _ in nil }
    ) -> String? {
        guard let document, let id = document["id"]?.string else { return nil }
        let keys = sort.indices.map { stored($0) ?? TMFMatch.key(document, sort[$0]) ?? .null }
        return TMFCursor(keys: keys, id: id).encoded(order: order)
    }

    /// Appends ` AND (place behind the cursor)`. The first column is compared by itself too, so that its index is used.
    private func seek(
        _ cursor: TMFCursor, _ columns: [Ordered], isBackwards: Bool, _ builder: inout SQLBuilder
    ) throws {
        let unknown = TMFQuery.bad("after", Words(
            en: "This place in the list is not known: take it from the Link header of the same list.",
            zh: "该翻页位置无效：请使用同一列表返回的 Link 头。"))
        guard cursor.keys.count == columns.count, let id = Int64(cursor.id) else { throw unknown }
        let values = try zip(columns, cursor.keys).map { column, key -> SQLValue in
            guard let value = column.stored(TMFMatch.text(key)) else { throw unknown }
            return value
        }
        func append(_ column: SQL, _ sign: SQL, _ value: SQLValue) {
            builder.append(column)
            builder.append(sign, value)
        }
        if let first = columns.first {
            builder.append("AND")
            append(first.sql, first.sort.isDescending != isBackwards ? "<= ?" : ">= ?", values[0])
        }
        builder.append("AND (")
        for place in 0...columns.count {
            if place > 0 { builder.append("OR") }
            builder.append("(")
            for before in 0..<place { append(columns[before].sql, "= ? AND", values[before]) }
            if place < columns.count {
                append(columns[place].sql, columns[place].sort.isDescending != isBackwards ? "< ?" : "> ?", values[place])
            } else {
                append(store.table.id, isBackwards ? "< ?" : "> ?", .int(id))
            }
            builder.append(")")
        }
        builder.append(")")
    }

    // MARK: In the documents

    private func looked(
        _ query: TMFQuery, _ rest: [TMFCondition], _ order: String, _ principal: Principal, _ session: any SQLSession,
        _ restrict: (inout SQLBuilder) -> Void
    ) throws -> TMFListing {
        let table = store.table
        var builder = SQLBuilder("SELECT \(table.id) FROM \(table.from) WHERE TRUE")
        restrict(&builder)
        builder.append("LIMIT ?", .int(Self.scanMax + 1))
        let ids = try session.query(builder) { $0.int(0) }
        guard ids.count <= Self.scanMax else { throw notIndexed(query, rest, principal) }
        let patterns = try TMFPatterns(rest)
        var found: [JSONObject] = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            for (_, document) in try store.documents(chunk, principal, session)
            where TMFMatch.meets(document, rest, pattern: patterns.find) { found.append(document) }
        }
        func id(_ document: JSONObject) -> String { document["id"]?.string ?? "" }
        found.sort { TMFMatch.precedes($0, $1, query.sort, id: id) }
        let start: Int
        var end: Int
        switch query.place {
        case .offset(let offset):
            start = min(offset, found.count)
            end = min(start + query.limit, found.count)
        case .after(""):
            start = 0
            end = min(query.limit, found.count)
        case .after(let text):
            let place = try mark(TMFCursor(text, order: order), query.sort)
            start = found.firstIndex { TMFMatch.precedes(place, $0, query.sort, id: id) } ?? found.count
            end = min(start + query.limit, found.count)
        case .before(let text):
            let place = try mark(TMFCursor(text, order: order), query.sort)
            end = found.firstIndex { !TMFMatch.precedes($0, place, query.sort, id: id) } ?? found.count
            start = max(0, end - query.limit)
        }
        end = max(start, end)
        let page = Array(found[start..<end])
        return TMFListing(
            documents: page, total: found.count,
            next: end < found.count ? cursor(page.last, query.sort, order) : nil,
            previous: start > 0 ? cursor(page.first, query.sort, order) : nil)
    }

    /// A document that lies where the cursor points to.
    private func mark(_ cursor: TMFCursor, _ sort: [TMFSort]) throws -> JSONObject {
        guard cursor.keys.count == sort.count else { throw TMFQuery.bad("after", Words(en: "Another order.", zh: "排序不同。")) }
        var document: JSONObject = ["id": .string(cursor.id)]
        for (key, one) in zip(cursor.keys, sort) where one.target.path.names != ["id"] {
            one.target.path.put(key, into: &document)
        }
        return document
    }

    private func notIndexed(_ query: TMFQuery, _ rest: [TMFCondition], _ principal: Principal) -> CRMError {
        func once(_ paths: [AttributePath]) -> [String] {
            var met: Set<String> = []
            return paths.map(\.description).filter { met.insert($0).inserted }
        }
        let masking = Masking(principal)
        let asked = once(rest.map(\.target.path) + query.sort.map(\.target.path))
        // What only orders narrows nothing, and what was asked for already has not.
        let columns = store.table.columns.filter {
            $0.orderKey == nil && masking.shows($0.mask) && !asked.contains($0.path.description)
        }
        let ordered = once(columns.filter { $0.isOrdered && $0.isExact }.map(\.path))
        let equal = once(columns.map(\.path)).filter { !ordered.contains($0) }.joined(separator: ", ")
        let known = Words(
            en: [ordered.joined(separator: ", "), equal.isEmpty ? "" : "with = only: \(equal)"].filter { !$0.isEmpty }.joined(separator: "; "),
            zh: [ordered.joined(separator: "、"), equal.isEmpty ? "" : "仅可用 =：\(equal)"].filter { !$0.isEmpty }.joined(separator: "；"))
        let names = asked.isEmpty ? "relatedParty.id" : asked.joined(separator: ", ")
        let words = Words(
            en: "\(names): more than \(Self.scanMax) resources would have to be looked through. Narrow the list by one of: \(known.en).",
            zh: "\(names)：需要逐条查看的资源超过 \(Self.scanMax) 条。请先用以下属性缩小范围：\(known.zh)。")
        return CRMError(
            "not_indexed", status: 400, words,
            fields: asked.map { .init(field: $0, code: "not_indexed", message: words) })
    }
}
