import Foundation
import Kernel
import Storage

/// Mappings that were used, and those that ship with the product.
enum MappingStore {
    static let upsert: SQL = """
        INSERT INTO ingest_mapping (entity, signature, name, mapping, updated_at, updated_by_name)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (entity, signature) DO UPDATE SET name = $3, mapping = $4, updated_at = $5, updated_by_name = $6
        """
    static let bySignature: SQL = "SELECT mapping FROM ingest_mapping WHERE entity = $1 AND signature = $2"
    static let byName: SQL = """
        SELECT mapping FROM ingest_mapping WHERE entity = $1 AND name = $2 ORDER BY updated_at DESC, signature LIMIT 1
        """
    static let latest: SQL = """
        SELECT mapping FROM ingest_mapping WHERE entity = $1 ORDER BY updated_at DESC, signature LIMIT 50
        """

    /// Keeps the mapping for the next file with this header, under its name or its source.
    static func remember(
        _ mapping: ImportMapping, entity: String, signature: String, by name: String, at now: Instant,
        _ session: any SQLSession
    ) throws {
        try session.execute(
            upsert,
            [
                .text(entity), .text(signature), .text(mapping.name ?? mapping.source),
                .text(try mapping.encoded()), .time(now), .text(name),
            ])
    }

    static func find(entity: String, signature: String, _ session: any SQLSession) throws -> ImportMapping? {
        try session.first(bySignature, [.text(entity), .text(signature)], decoded) ?? nil
    }

    static func find(entity: String, name: String, _ session: any SQLSession) throws -> ImportMapping? {
        try session.first(byName, [.text(entity), .text(name)], decoded) ?? nil
    }

    /// The latest first.
    static func latest(entity: String, _ session: any SQLSession) throws -> [ImportMapping] {
        try session.query(latest, [.text(entity)], decoded).compactMap { $0 }
    }

    /// One that a newer or older version wrote differently is no reason to fail.
    private static func decoded(_ row: Row) -> ImportMapping? { try? JSONText.decode(ImportMapping.self, row.text(0)) }

    /// Mapping files of the installation, by name without `.json`.
    static func shipped(_ share: ShareFolder) throws -> [(name: String, mapping: ImportMapping)] {
        try share.names("Ingest", "Data/mappings", suffix: ".json").map { file in
            let name = String(file.dropLast(".json".count))
            return (name, try ImportMapping.parse(try share.text("Ingest", "Data/mappings", file), name: name))
        }
    }
}
