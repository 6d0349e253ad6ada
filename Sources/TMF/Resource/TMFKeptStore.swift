import Kernel
import Platform
import Storage
import Web

/// What is kept of resources beside their rows.
enum TMFKeptStore {
    static let load: SQL = "SELECT id, attributes FROM tmf_kept WHERE resource = $1"
    static let save: SQL = """
        INSERT INTO tmf_kept (resource, id, attributes) VALUES ($1, $2, $3)
        ON CONFLICT (resource, id) DO UPDATE SET attributes = $3
        """
    static let remove: SQL = "DELETE FROM tmf_kept WHERE resource = $1 AND id = $2"

    static func of(_ resource: String, _ ids: [Int64], _ session: any SQLSession) throws -> [Int64: TMFKept] {
        var result: [Int64: TMFKept] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(load, [.text(resource)])
            builder.appendIn("AND id", chunk.map { .int($0) })
            for (id, text) in try session.query(builder, { ($0.int(0), $0.text(1)) }) {
                result[id] = TMFKept(json: try JSONValue.parse([UInt8](text.utf8)))
            }
        }
        return result
    }

    static let value: SQL = """
        INSERT INTO tmf_kept_value (resource, path, value, id) VALUES ($1, $2, $3, $4) ON CONFLICT (resource, path, value, id) DO NOTHING
        """
    static let removeValues: SQL = "DELETE FROM tmf_kept_value WHERE resource = $1 AND id = $2"
    static let byValue: SQL = "SELECT id FROM tmf_kept_value WHERE resource = $1 AND path = $2"

    /// Ids of resources of which values of a path are kept; the caller narrows `value`.
    static func valued(_ resource: String, _ path: String) -> SQLBuilder { SQLBuilder(byValue, [.text(resource), .text(path)]) }

    /// - Parameter paths: whose values lists look for (`TMFTable.keptPaths`).
    static func save(_ kept: TMFKept, _ resource: String, _ id: Int64, paths: [String], _ session: any SQLSession) throws {
        if kept.isEmpty {
            try session.execute(remove, [.text(resource), .int(id)])
        } else {
            try session.execute(save, [.text(resource), .int(id), .text(kept.json.encoded())])
        }
        try index([id: kept], resource, paths: paths, session)
    }

    static let values: SQL = "SELECT id, path, value FROM tmf_kept_value WHERE resource = $1"

    /// Writes what lists look for of what is kept.
    static func index(_ kept: [Int64: TMFKept], _ resource: String, paths: [String], _ session: any SQLSession) throws {
        guard !kept.isEmpty else { return }
        func row(_ id: Int64, _ path: String, _ value: String) -> [SQLValue] { [.text(resource), .text(path), .text(value), .int(id)] }
        let wanted = kept.mapValues { kept in
            Set((["@type"] + paths).flatMap { path in
                AttributePath(path).values(in: kept.sent).map { [path, TMFMatch.text($0)] }
            })
        }
        var there: [Int64: Set<[String]>] = [:]
        for ids in kept.keys.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(values, [.text(resource)])
            builder.appendIn("AND id", ids.map { .int($0) })
            for (id, value) in try session.query(builder, { ($0.int(0), [$0.text(1), $0.text(2)]) }) {
                there[id, default: []].insert(value)
            }
        }
        let changed = wanted.filter { $0.value != there[$0.key] ?? [] }.sorted { $0.key < $1.key }
        try session.executeMany(removeValues, changed.map { [.text(resource), .int($0.key)] })
        try session.executeMany(value, changed.flatMap { id, all in all.sorted { $0[1] < $1[1] }.map { row(id, $0[0], $0[1]) } })
    }

    static func remove(_ resource: String, _ ids: [Int64], _ session: any SQLSession) throws {
        try session.executeMany(remove, ids.map { [.text(resource), .int($0)] })
        try session.executeMany(removeValues, ids.map { [.text(resource), .int($0)] })
    }
}

/// What the columns of this layer hold, and where its tables lie on PostgreSQL.
package enum TMFTables {
    package static let labels: [TableLabels] = [
        // A client may have sent anything about a person.
        TableLabels("tmf_kept", ["resource": .plain, "id": .plain, "attributes": .profile]),
        TableLabels("tmf_kept_value", ["resource": .plain, "path": .plain, "value": .profile, "id": .plain]),
    ] + HubTables.labels
    package static let layouts: [TableLayout] = [
        TableLayout("tmf_kept", .lookUp(key: "id")), TableLayout("tmf_kept_value", .local),
    ] + HubTables.layouts
}
