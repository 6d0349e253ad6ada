import Kernel
import Storage

/// Where a record lies: with its customer.
package struct RecordPlace: Hashable, Sendable {
    package let customer: CustomerID
    package let id: Int64
    package init(customer: CustomerID, id: Int64) {
        self.customer = customer
        self.id = id
    }
}

/// The rows of one kind of record and the keys by which sources know them.
package struct RecordStore: Sendable {
    let kind: RecordKind

    package init(_ kind: RecordKind) { self.kind = kind }

    /// In the journal: which record it was, and the key it was given. Columns stand under their names.
    static let record = "record"
    static let key = "key/"

    /// Where the records of these keys lie.
    package func places(_ keys: Set<String>, _ source: String, _ session: any SQLSession) throws -> [String: RecordPlace] {
        var result: [String: RecordPlace] = [:]
        for chunk in keys.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(kind.sql.keys.find, [.text(kind.entity), .text(source)])
            builder.appendIn("AND value", chunk.map { .text($0) })
            for (key, place) in try session.query(
                builder, { ($0.text(0), RecordPlace(customer: $0.id(1), id: $0.int(2))) })
            {
                result[key] = place
            }
        }
        return result
    }

    /// The values of the columns of those records that are there.
    func load(_ places: [RecordPlace], _ session: any SQLSession) throws -> [RecordPlace: [SQLValue]] {
        var result: [RecordPlace: [SQLValue]] = [:]
        let wanted = Set(places)
        let width = kind.columns.count
        for chunk in places.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(kind.sql.select)
            builder.appendIn("AND customer_id", Set(chunk.map(\.customer)).sorted().map { .id($0) })
            builder.appendIn("AND id", chunk.map { .int($0.id) })
            for (place, values) in try session.query(
                builder,
                { row in
                    (RecordPlace(customer: row.id(0), id: row.int(1)), (0..<width).map { row.value($0 + 2) })
                }) where wanted.contains(place)
            {
                result[place] = values
            }
        }
        return result
    }

    /// Which of these ids somebody's record has.
    func known(_ ids: [Int64], _ session: any SQLSession) throws -> Set<Int64> {
        var result: Set<Int64> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(kind.sql.select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            result.formUnion(try session.query(builder) { $0.int(1) })
        }
        return result
    }

    package func named(_ values: [SQLValue]) -> [String: SQLValue] {
        var result: [String: SQLValue] = [:]
        for (name, value) in zip(kind.columns, values) where value != .null { result[name] = value }
        return result
    }

    func changes(_ before: [SQLValue], _ after: [SQLValue]) -> [ImportChange] {
        zip(kind.columns, zip(before, after)).compactMap { name, pair in
            pair.0 == pair.1 ? nil : ImportChange(field: name, before: pair.0, after: pair.1)
        }
    }

    /// What the journal keeps of a record: every column of a new one, what changed of a known one.
    func undo(
        _ key: String, _ source: String, _ place: RecordPlace?, before: [SQLValue]?, after: [SQLValue]
    ) -> [ImportChange] {
        guard let place else { return [] }
        var undo = [ImportChange(field: Self.record, before: .null, after: .int(place.id))]
        guard let before else {
            undo.append(ImportChange(field: Self.key + source, before: .null, after: .text(key)))
            for (name, value) in zip(kind.columns, after) where value != .null {
                undo.append(ImportChange(field: name, before: .null, after: value))
            }
            return undo
        }
        return undo + changes(before, after)
    }

    // MARK: Writing

    func insert(
        _ records: [(key: String, place: RecordPlace, values: [SQLValue])], _ source: String, _ session: any SQLSession
    ) throws {
        guard !records.isEmpty else { return }
        try session.bulkInsert(
            into: kind.sql.table, kind.sql.list, records.map { [.id($0.place.customer), .int($0.place.id)] + $0.values })
        try session.bulkInsert(
            into: kind.sql.keys.table, "kind, source, value, customer_id, record_id",
            records.map {
                [.text(kind.entity), .text(source), .text($0.key), .id($0.place.customer), .int($0.place.id)]
            })
        try kind.inserted(records.map { ($0.place, named($0.values)) }, session)
    }

    func update(_ records: [(RecordPlace, [SQLValue])], _ session: any SQLSession) throws {
        try session.executeMany(kind.sql.update, records.map { [.id($0.customer), .int($0.id)] + $1 })
    }

    func delete(_ records: [(place: RecordPlace, key: String, source: String)], _ session: any SQLSession) throws {
        try session.executeMany(kind.sql.delete, records.map { [.id($0.place.customer), .int($0.place.id)] })
        try session.executeMany(
            kind.sql.keys.delete, records.map { [.text(kind.entity), .text($0.source), .text($0.key)] })
        try kind.removed(records.map { ($0.place, $0.key) }, session)
    }
}
