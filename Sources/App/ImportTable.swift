import Crypto
import Ingest
import Kernel
import Logging
import Platform
import Storage
import Web

/// Of an installation that is not there: what can be told without one.
private struct NoDatabase: Database {
    let dialect = Dialect.sqlite
    private static let none = CRMError(
        "no_installation", status: 404, Words(en: "There is no installation.", zh: "没有安装数据。"))

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T { throw Self.none }
    func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T { throw Self.none }
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        throw Self.none
    }
    func close() async throws {}
}

extension Modules {
    /// The headings that imports understand, whatever installation there is: customers first, as they are offered.
    package func headings(_ share: ShareFolder, clock: any WallClock) throws -> [ImportHeadings] {
        let tenant = Tenant(
            name: "none", database: NoDatabase(), ids: IDGenerator(node: 0, clock: clock), clock: clock,
            blobs: try FileBlobStore(folder: share.root), keys: TenantKeys(pepper: SymmetricKey(size: .bits128)),
            logger: Logger(label: "none"))
        return imports(tenant, share).headings
    }
}
