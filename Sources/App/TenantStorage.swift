import Foundation
import Kernel
import Platform
import Storage
import StoragePostgres
import StorageSQLite

/// A tenant's database and files on the engine that the configuration names.
package struct TenantStorage: Sendable {
    /// Not yet migrated.
    package let database: any Database
    package let blobs: any BlobStore
    /// Makes the bell that wakes the workers of other processes; `nil` where there is one process.
    package var bell: (@Sendable (_ heard: @escaping @Sendable () -> Void) -> PostgresBell)?

    /// Opens them; on PostgreSQL the database is made when the server has none of that name.
    /// - Parameter setting: what names the address, for whoever has to correct it.
    /// - Throws: `CRMError`, `DatabaseUnreachable`, `StorageError`.
    package static func open(
        tenant name: String, at address: DatabaseAddress, _ configuration: Configuration, clock: any WallClock,
        setting: String = "DATABASE_URL"
    ) async throws -> TenantStorage {
        precondition(Tenants.isName(name), "tenant names are checked where they come in")
        switch address {
        case .sqlite(let data):
            let folder = data + "/tenants/" + name
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let durability: SQLiteDatabase.Durability =
                configuration.loads ? .load : configuration.durability == "normal" ? .normal : .full
            let database = try SQLiteDatabase(path: folder + "/switchboard.sqlite", durability: durability)
            return TenantStorage(database: database, blobs: try FileBlobStore(folder: folder + "/blobs"))
        case .postgres(let server):
            var settings = try DatabaseAddress.postgres(server, tenant: name)
            settings.connectionsMax = configuration.databaseConnections
            try await DatabaseUnreachable.prepare(settings, setting: setting)
            let replicas = try configuration.replicas.map { replica in
                var replica = replica
                replica.connectionsMax = configuration.databaseConnections
                return replica
            }
            let database = PostgresDatabase(settings, replicas: replicas)
            let bell = settings
            return TenantStorage(
                database: database, blobs: DatabaseBlobStore(database: database, clock: clock),
                bell: { PostgresBell(bell, heard: $0) })
        }
    }
}
