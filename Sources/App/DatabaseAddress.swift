import Kernel
import StoragePostgres

/// Where the tenants' databases are, as a person writes it: `sqlite:FOLDER` or `postgres://...`.
package enum DatabaseAddress: Sendable, Equatable {
    /// A data folder: each tenant is a file under `tenants/NAME/`.
    case sqlite(folder: String)
    /// A server, with the database of the default tenant.
    case postgres(PostgresSettings)

    /// An address of which nobody can say where the password ends is refused, and no part of it shown.
    static func refuseAmbiguous(_ text: String, setting: String) throws {
        guard PostgresSettings.isURL(text), PostgresSettings.isAmbiguous(text) else { return }
        throw CRMError(
            "database_address", status: 500,
            Words(
                en:
                    "The address of the database (\(setting)) cannot be read for certain: a character of the user's name or password, or of the host, is not percent-encoded. Write @ as %40, / as %2F, ? as %3F, # as %23, : as %3A, % as %25 and a space as %20. No part of the address is shown here because it may be the password.",
                zh:
                    "无法可靠识别数据库地址（\(setting)）：用户名、密码或主机名中有字符未作百分号编码。请将 @ 写为 %40、/ 写为 %2F、? 写为 %3F、# 写为 %23、: 写为 %3A、% 写为 %25、空格写为 %20。地址可能含密码，故不显示其任何部分。"
            ))
    }

    /// - Parameter setting: what names it, for whoever has to correct it.
    /// - Throws: `CRMError` "database_address"; the words hold no password.
    package init(_ text: String, setting: String = "DATABASE_URL") throws {
        try Self.refuseAmbiguous(text, setting: setting)
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

    /// Engine and place of a tenant's database, for whoever starts a process: never the password.
    package func words(tenant: String) -> String {
        switch self {
        case .sqlite(let folder): "SQLite, \(folder)/tenants/\(tenant)/switchboard.sqlite"
        case .postgres(let settings):
            "PostgreSQL, " + ((try? Self.postgres(settings, tenant: tenant)) ?? settings).place
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
