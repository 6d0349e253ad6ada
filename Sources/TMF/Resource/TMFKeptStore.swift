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

    static func save(_ kept: TMFKept, _ resource: String, _ id: Int64, _ session: any SQLSession) throws {
        if kept.isEmpty {
            try session.execute(remove, [.text(resource), .int(id)])
        } else {
            try session.execute(save, [.text(resource), .int(id), .text(kept.json.encoded())])
        }
    }

    static func remove(_ resource: String, _ ids: [Int64], _ session: any SQLSession) throws {
        try session.executeMany(remove, ids.map { [.text(resource), .int($0)] })
    }
}

/// What the columns of this layer hold, and where its tables lie on PostgreSQL.
package enum TMFTables {
    package static let labels: [TableLabels] = [
        // A client may have sent anything about a person.
        TableLabels("tmf_kept", ["resource": .plain, "id": .plain, "attributes": .profile])
    ] + HubTables.labels
    package static let layouts: [TableLayout] = [TableLayout("tmf_kept", .lookUp(key: "id"))] + HubTables.layouts
}
