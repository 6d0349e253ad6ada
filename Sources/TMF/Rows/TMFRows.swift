import Contracts
import Kernel
import Platform
import Storage
import Web

/// A resource whose rows are declared: which column holds which attribute, which table the elements of an array. A domain whose
/// tables were made for something else writes its own `TMFStore`; one with rules wraps this.
package struct TMFRows: TMFWritingStore {
    /// Whose rows they are.
    package struct Owner: Sendable {
        /// Where the customer may be named, the first that is one of ours counts.
        package let paths: [AttributePath]
        package let customers: any CustomerReading
        /// Whether a path with a value is asked and no later one, be it one of ours or not.
        package let firstDecides: Bool
        /// An array of related parties that names the customer where a row has nobody else: rows that an import made have none.
        package let shown: String?
        package init(
            _ customers: any CustomerReading, paths: [String] = ["relatedParty.id"], shown: String? = "relatedParty",
            firstDecides: Bool = false
        ) {
            self.firstDecides = firstDecides
            self.paths = paths.map { AttributePath($0) }
            self.shown = shown
            self.customers = customers
        }

        /// The customer as a related party.
        package static func party(_ customer: CustomerID) -> JSONValue {
            .object([
                "id": .string(customer.description), "href": .string("/tmf-api/customerManagement/v4/customer/\(customer)"),
                "role": .string("customer"), "@referredType": .string("Customer"),
            ])
        }
    }

    let name: SQL
    let fields: [TMFField]
    let items: [TMFItems]
    /// Rows have `customer_id` before their id, 0 for nobody's.
    let owner: Owner?
    /// Columns that no attribute shows, and what they begin with.
    let hidden: [Hidden]
    package let table: TMFTable
    /// Arrays that the rows hold whole.
    package let whole: Set<String>

    package struct Hidden: Sendable {
        let column: SQL
        let first: @Sendable (JSONObject, Int64, TMFContext) -> SQLValue
        package init(_ column: SQL, _ first: @escaping @Sendable (JSONObject, Int64, TMFContext) -> SQLValue) {
            self.column = column
            self.first = first
        }
    }

    private let select: SQL
    private let columns: SQL

    /// - Parameters:
    ///   - name: the table; its key is `id`, or `customer_id` and `id`.
    ///   - more: columns of lists that are not fields.
    package init(
        _ name: SQL, _ fields: [TMFField], items: [TMFItems] = [], owner: Owner? = nil, hidden: [Hidden] = [],
        more: [TMFColumn] = []
    ) {
        self.name = name
        self.fields = fields
        self.items = items
        self.owner = owner
        self.hidden = hidden
        whole = Set(items.filter { $0.rest != nil }.map(\.attribute))
        columns = fields.reduce(owner == nil ? "id" : "customer_id, id") { "\($0), \($1.column)" }
        select = "SELECT \(columns) FROM \(name) WHERE TRUE"
        var listed: [TMFColumn] = [.id("id", .own("r.id"))]
        for field in fields where field.isIndexed {
            if let column = field.listed(.own("r.\(field.column)"), under: nil) { listed.append(column) }
        }
        for item in items {
            for field in item.fields where field.isIndexed {
                let place = TMFColumn.Place.inside(
                    owners: "SELECT i.owner_id FROM \(item.table) i WHERE TRUE", column: "i.\(field.column)")
                if let column = field.listed(place, under: item.attribute) { listed.append(column) }
            }
        }
        let isOwned = owner != nil
        table = TMFTable(
            from: "\(name) r", id: "r.id", columns: listed + more,
            needsDocuments: { principal in isOwned && principal.scope.regions != nil })
    }

    // MARK: Reading

    private struct Read {
        let id: Int64
        let customer: CustomerID?
        var document: JSONObject
    }

    package func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let masking = Masking(principal)
        var found: [Int64: Read] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            let start = owner == nil ? 1 : 2
            for read in try session.query(builder, { row in
                Read(
                    id: row.int(start - 1), customer: owner == nil ? nil : row.id(0, PartyKind.self),
                    document: Self.object(fields, masking) { row.value(start + $0) })
            }) { found[read.id] = read }
            for item in items {
                for (id, elements) in try self.elements(item, chunk, masking, session) {
                    found[id]?.document[item.attribute] = .array(elements)
                }
            }
        }
        if let owner, principal.scope.regions != nil {
            let named = Set(found.values.compactMap(\.customer)).sorted { $0.rawValue < $1.rawValue }
            var reachable: Set<CustomerID> = []
            for chunk in named.chunked(Limits.sqlListChunk) {
                reachable.formUnion(try owner.customers.reachable(chunk, for: principal, session))
            }
            found = found.filter { $0.value.customer.map(reachable.contains) ?? false }
        }
        return ids.compactMap { id in
            found[id].map { read in
                var document = read.document
                document["id"] = .string(String(id))
                if let shown = owner?.shown, document[shown] == nil, let customer = read.customer, customer.rawValue != 0 {
                    document[shown] = .array([Owner.party(customer)])
                }
                return (id, document)
            }
        }
    }

    /// The attributes of a row.
    private static func object(_ fields: [TMFField], _ masking: Masking, _ value: (Int) -> SQLValue) -> JSONObject {
        var result: JSONObject = [:]
        for (offset, field) in fields.enumerated() {
            let own = value(offset)
            if own == .null { continue }
            var currency: String?
            if case .money(let unit) = field.kind, let place = fields.firstIndex(where: { $0.path == unit }),
                case .text(let text) = value(place)
            {
                currency = text
            }
            guard var shown = field.shown(own, currency: currency) else { continue }
            if case .string(let text) = shown { shown = .string(masking.apply(field.mask, text)) }
            field.path.put(shown, into: &result)
        }
        return result
    }

    /// The elements of an array by the rows they belong to.
    private func elements(
        _ item: TMFItems, _ ids: [Int64], _ masking: Masking, _ session: any SQLSession
    ) throws -> [Int64: [JSONValue]] {
        let columns = item.columns("owner_id, place")
        var builder = SQLBuilder("SELECT \(columns) FROM \(item.table) WHERE TRUE")
        builder.appendIn("AND owner_id", ids.map { .int($0) })
        builder.append("ORDER BY owner_id, place")
        var result: [Int64: [(place: Int64, object: JSONObject)]] = [:]
        // Anything may be in what no column names.
        let all = masking.shows(.full)
        var rests: [Int64: [Int64: String]] = [:]
        for (id, place, object, rest) in try session.query(builder, { row in
            (
                row.int(0), row.int(1), Self.object(item.fields, masking) { row.value(2 + $0) },
                item.rest == nil || !all ? nil : row.optionalText(2 + item.fields.count)
            )
        }) {
            result[id, default: []].append((place, object))
            if let rest { rests[id, default: [:]][place] = rest }
        }
        guard !result.isEmpty else { return [:] }
        for inner in item.items {
            let columns = inner.fields.reduce("owner_id, item, place" as SQL) { "\($0), \($1.column)" }
            var builder = SQLBuilder("SELECT \(columns) FROM \(inner.table) WHERE TRUE")
            builder.appendIn("AND owner_id", ids.map { .int($0) })
            builder.append("ORDER BY owner_id, item, place")
            var found: [Int64: [Int64: [JSONValue]]] = [:]
            for (id, place, object) in try session.query(builder, { row in
                (row.int(0), row.int(1), Self.object(inner.fields, masking) { row.value(3 + $0) })
            }) { found[id, default: [:]][place, default: []].append(.object(object)) }
            let path = AttributePath(inner.attribute)
            for (id, places) in found {
                result[id] = result[id]?.map { place, object in
                    var object = object
                    if let values = places[place] { path.put(.array(values), into: &object) }
                    return (place, object)
                }
            }
        }
        return try result.reduce(into: [:]) { shown, one in
            shown[one.key] = try one.value.map { place, object in
                guard let text = rests[one.key]?[place] else { return .object(object) }
                return TMFRest.merged(.object(object), try JSONValue.parse([UInt8](text.utf8)))
            }
        }
    }

    // MARK: Writing

    package func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let id: ID<AnyRow> = context.tenant.ids.next()
        try create(id.rawValue, document, context, session)
        return id.rawValue
    }
    private enum AnyRow {}

    /// Makes the row under an id of the caller's.
    package func create(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try naming { try insert(id, document, context, session) }
    }

    /// A column that is never empty belongs to an attribute, which the client has to give.
    private func naming<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as StorageError {
            guard let missing = error.missing, let path = path(of: missing) else { throw error }
            let words = Words(
                en: "“\(path)” cannot be empty: give it a value, or leave it out of the change.", zh: "“\(path)”不能为空：请提供取值，或不要修改它。")
            throw CRMError("missing", status: 400, words, fields: [.init(field: path, code: "missing", message: words)])
        }
    }

    /// - Parameter column: `table.column`.
    private func path(of column: String) -> String? {
        func find(_ table: SQL, _ fields: [TMFField]) -> String? {
            fields.first { "\(table.text).\($0.column.text)" == column }?.path.description
        }
        if let own = find(name, fields) { return own }
        for item in items {
            if let inside = find(item.table, item.fields) { return "\(item.attribute).\(inside)" }
            for inner in item.items {
                if let inside = find(inner.table, inner.fields) { return "\(item.attribute).\(inner.attribute).\(inside)" }
            }
        }
        return nil
    }

    private func insert(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        var values = fields.map { $0.stored(document) }
        for (offset, field) in fields.enumerated() where field.stamp != nil && field.path.values(in: document).isEmpty {
            values[offset] = .time(context.now)
        }
        let customer = try customer(of: document, context, session) ?? CustomerID(0)
        let key: [SQLValue] = owner == nil ? [.int(id)] : [.id(customer), .int(id)]
        let all = hidden.reduce(columns) { "\($0), \($1.column)" }
        try session.bulkInsert(into: name, all, [key + values + hidden.map { $0.first(document, id, context) }])
        for item in items { try insertItems(item, id, customer, document, context, session) }
    }

    package func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try naming { try update(id, from: old, to: new, context, session) }
    }

    private func update(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var values = fields.map { $0.stored(new) }
        for (offset, field) in fields.enumerated() {
            let isSame = field.path.values(in: old) == field.path.values(in: new)
            switch field.stamp {
            case .changed where isSame || field.path.values(in: new).isEmpty: values[offset] = .time(context.now)
            // When something was made is not taken away.
            case .created where field.path.values(in: new).isEmpty: values[offset] = field.stored(old)
            case .stateChanged where isSame && (old["status"] != new["status"] || old["state"] != new["state"]):
                values[offset] = .time(context.now)
            default: break
            }
        }
        let customer = try customer(of: new, context, session) ?? CustomerID(0)
        let moved = try move(id, to: customer, session)
        var builder = SQLBuilder("UPDATE \(name) SET")
        for (offset, field) in fields.enumerated() {
            builder.append(offset == 0 ? "\(field.column) = ?" : ", \(field.column) = ?", values[offset])
        }
        builder.append(owner == nil ? "WHERE id = ?" : "WHERE customer_id = ? AND id = ?", values: key(customer, id))
        try session.execute(builder.sql, builder.arguments)
        for item in items where moved || Self.differs(item, old, new) {
            try deleteItems(item, id, session)
            try insertItems(item, id, customer, new, context, session)
        }
    }

    private static func differs(_ item: TMFItems, _ old: JSONObject, _ new: JSONObject) -> Bool {
        old[item.attribute] != new[item.attribute]
    }

    private func key(_ customer: CustomerID, _ id: Int64) -> [SQLValue] {
        owner == nil ? [.int(id)] : [.id(customer), .int(id)]
    }

    /// The customer is in the key of a row, by which an engine may have distributed it: a row that becomes another's is made anew.
    private func move(_ id: Int64, to customer: CustomerID, _ session: any SQLSession) throws -> Bool {
        guard owner != nil else { return false }
        let before = try session.first("SELECT customer_id FROM \(name) WHERE id = $1", [.int(id)]) { $0.int(0) }
        guard let before, before != customer.rawValue else { return false }
        let rest = hidden.reduce(fields.reduce("id" as SQL) { "\($0), \($1.column)" }) { "\($0), \($1.column)" }
        try session.execute(
            "INSERT INTO \(name) (customer_id, \(rest)) SELECT CAST($1 AS BIGINT), \(rest) FROM \(name) WHERE customer_id = $2 AND id = $3",
            [.id(customer), .int(before), .int(id)])
        try session.execute("DELETE FROM \(name) WHERE customer_id = $1 AND id = $2", [.int(before), .int(id)])
        return true
    }

    package func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        for item in items { try deleteItems(item, id, session) }
        try session.execute("DELETE FROM \(name) WHERE id = $1", [.int(id)])
    }

    /// Takes everything of these customers out, with what is kept beside it.
    /// - Parameter resource: its name in the address, under which things are kept.
    package func forget(_ customers: [CustomerID], resource: String, _ session: any SQLSession) throws {
        guard owner != nil else { return }
        for customer in customers {
            let ids = try session.query("SELECT id FROM \(name) WHERE customer_id = $1", [.id(customer)]) { $0.int(0) }
            guard !ids.isEmpty else { continue }
            try TMFKeptStore.remove(resource, ids, session)
            for table in [name] + items.flatMap({ [$0.table] + $0.items.map(\.table) }) {
                try session.execute("DELETE FROM \(table) WHERE customer_id = $1", [.id(customer)])
            }
        }
    }

    private func deleteItems(_ item: TMFItems, _ id: Int64, _ session: any SQLSession) throws {
        for inner in item.items { try session.execute("DELETE FROM \(inner.table) WHERE owner_id = $1", [.int(id)]) }
        try session.execute("DELETE FROM \(item.table) WHERE owner_id = $1", [.int(id)])
    }

    private func insertItems(
        _ item: TMFItems, _ id: Int64, _ customer: CustomerID, _ document: JSONObject, _ context: TMFContext,
        _ session: any SQLSession
    ) throws {
        let elements = (document[item.attribute]?.array ?? []).map { $0.object ?? [:] }
        guard !elements.isEmpty else { return }
        let names: SQL = owner == nil ? "owner_id" : "customer_id, owner_id"
        let key = key(customer, id)
        let masking = Masking(Masking.lifted(context.principal))
        try session.bulkInsert(
            into: item.table, item.columns("\(names), place"),
            elements.enumerated().map { place, element in
                let values = item.fields.map { $0.stored(element) }
                let rest: [SQLValue] = item.rest == nil ? [] : [Self.rest(item, element, values, masking)]
                return key + [.int(place)] + values + rest
            })
        for inner in item.items {
            let path = AttributePath(inner.attribute)
            let rows = elements.enumerated().flatMap { place, element -> [[SQLValue]] in
                Self.array(path, element).enumerated().map { inside, value in
                    key + [.int(place), .int(inside)] + inner.fields.map { $0.stored(value.object ?? [:]) }
                }
            }
            try session.bulkInsert(
                into: inner.table, inner.fields.reduce("\(names), item, place") { "\($0), \($1.column)" }, rows)
        }
    }

    /// What the columns of an element and of what is in it do not give back.
    private static func rest(
        _ item: TMFItems, _ element: JSONObject, _ values: [SQLValue], _ masking: Masking
    ) -> SQLValue {
        var own = object(item.fields, masking) { values[$0] }
        for inner in item.items {
            let path = AttributePath(inner.attribute)
            let rows = array(path, element).map { value -> JSONValue in
                let stored = inner.fields.map { $0.stored(value.object ?? [:]) }
                return .object(object(inner.fields, masking) { stored[$0] })
            }
            if !rows.isEmpty { path.put(.array(rows), into: &own) }
        }
        return .text(TMFRest.of(.object(element), own: .object(own))?.encoded())
    }

    /// The array at the end of a way through objects: `product.productCharacteristic`.
    private static func array(_ path: AttributePath, _ element: JSONObject) -> [JSONValue] {
        var value = JSONValue.object(element)
        for name in path.names {
            guard let next = value.object?[name] else { return [] }
            value = next
        }
        return value.array ?? []
    }

    // MARK: The customer

    /// The first that is named and is one of ours, within the caller's reach.
    /// - Throws: 403 for a caller with regions who names none.
    package func customer(of document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> CustomerID? {
        guard let owner else { return nil }
        var named: [CustomerID] = []
        var isDecided = false
        for path in owner.paths {
            let values = path.values(in: document)
            defer { isDecided = isDecided || owner.firstDecides && !values.isEmpty }
            for value in isDecided ? [] : values {
                guard let text = value.string, let id = CustomerID(text[...]), id.rawValue > 0, !named.contains(id) else { continue }
                named.append(id)
            }
        }
        let reachable = try owner.customers.reachable(Array(named.prefix(Limits.sqlListChunk)), for: context.principal, session)
        if let first = named.first(where: reachable.contains) { return first }
        guard context.principal.scope.regions != nil else { return nil }
        let place = owner.paths.first?.description ?? "relatedParty.id"
        let words = Words(
            en: "“\(place)” must name a customer of your regions.", zh: "“\(place)”必须是您负责区域内的客户。")
        throw CRMError(
            "out_of_reach", status: 403, words, fields: [.init(field: place, code: "out_of_reach", message: words)])
    }
}
