import Kernel
import StoragePostgres

/// Where the tenants' databases are, as a person writes it: `sqlite:FOLDER` or `postgres://...`.
package enum DatabaseAddress: Sendable, Equatable {
    /// A data folder: each tenant is a file under `tenants/NAME/`.
    case sqlite(folder: String)
    /// A server, with the database of the default tenant.
    case postgres(PostgresSettings)

    /// - Throws: `CRMError` "database_address"; the words hold no password.
    package init(_ text: String) throws {
        if text.hasPrefix("sqlite:"), text.count > 7 {
            self = .sqlite(folder: String(text.dropFirst(7)))
        } else if PostgresSettings.isURL(text), !PostgresSettings(url: text).databaseName.isEmpty {
            self = .postgres(PostgresSettings(url: text))
        } else {
            throw CRMError(
                "database_address", status: 500,
                Words(
                    en:
                        "The database address is not understood. Write postgres://USER@HOST:PORT/DATABASE (with the name of the database), or sqlite:FOLDER.",
                    zh: "无法识别数据库地址，请写为 postgres://用户@主机:端口/数据库（须含数据库名）或 sqlite:目录。"))
        }
    }

    /// As it may be shown: never the password.
    var place: String {
        switch self {
        case .sqlite(let folder): "sqlite:" + folder
        case .postgres(let settings): settings.place
        }
    }

    /// The database of a tenant on the server: the one that is named for `default`, `NAME-TENANT` for others.
    /// - Throws: `CRMError` for a name that PostgreSQL would cut short (63 bytes).
    static func postgres(_ settings: PostgresSettings, tenant: String) throws -> PostgresSettings {
        guard tenant != "default" else { return settings }
        let name = settings.databaseName + "-" + tenant
        guard name.utf8.count <= 63 else {
            throw CRMError(
                "database_name", status: 500,
                Words(
                    en:
                        "The database name \(name) is longer than 63 bytes. Shorten the tenant's or the database's name.",
                    zh: "数据库名 \(name) 超过 63 字节，请缩短租户名或数据库名。"))
        }
        return settings.database(named: name)
    }
}
