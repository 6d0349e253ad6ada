import Kernel
import Platform
import Storage
import StoragePostgres
import Web

/// A database that could not be reached when it was to be opened: what went wrong, where, and what to do. Visitors of pages
/// are told only that it is away; the place is for the terminal and the log. Never a password.
package struct DatabaseUnreachable: DatabaseAbsent, CRMErrorConvertible, CustomStringConvertible {
    /// `database DATABASE at HOST:PORT, user USER`.
    let place: String
    /// The server's or the system's words.
    let reason: String
    /// The setting that names it.
    let setting: String

    init(_ settings: PostgresSettings, _ error: StorageError, setting: String) {
        place = settings.place
        reason = error.detail
        self.setting = setting
    }

    package var crmError: CRMError { StorageError(.connection, reason).crmError }
    package var crmErrorOfRead: CRMError { StorageError(.connection, reason).crmErrorOfRead }
    package var description: String { words.en }

    /// For whoever may change it.
    package var words: Words {
        Words(
            en: "Cannot open the \(place): \(reason). \(advice.en)", zh: "无法打开 \(place)：\(reason)。\(advice.zh)")
    }

    private var advice: Words {
        func has(_ words: String...) -> Bool { words.contains { reason.contains($0) } }
        if has("password authentication failed", "no password supplied", "authentication failed") {
            return Words(
                en: "Check user and password in \(setting) (a character like @ or / in a password is written as %40 or %2F).",
                zh: "请检查 \(setting) 中的用户名和密码（密码中的 @、/ 等字符须写为 %40、%2F）。")
        }
        if has("translate host name") {
            return Words(
                en: "Nobody knows this host: check its name in \(setting), and whether this machine's DNS knows it.",
                zh: "无法解析该主机名，请检查 \(setting) 中的主机名及本机的 DNS。")
        }
        if has("pg_hba.conf") {
            return Words(
                en: "The server does not let this user in from this machine: add a line to its pg_hba.conf.",
                zh: "服务器不允许该用户从本机连接，请在其 pg_hba.conf 中添加规则。")
        }
        if has("does not exist") {
            return Words(
                en: "Make it as docs/runbooks/postgresql.md says, or correct \(setting).",
                zh: "请按 docs/runbooks/postgresql.md 创建，或更正 \(setting)。")
        }
        if has("Connection refused", "timeout expired", "No route to host", "Network is unreachable") {
            return Words(
                en: "Is the server running, is its port open from here (listen_addresses, firewall), and is \(setting) right?",
                zh: "请确认服务器已运行、端口可从本机访问（listen_addresses、防火墙），且 \(setting) 正确。")
        }
        return Words(en: "Check \(setting) and the server.", zh: "请检查 \(setting) 和服务器。")
    }

    /// Sees that the server lets this user into the database, which is made when there is none.
    static func prepare(_ settings: PostgresSettings, setting: String) async throws {
        do { try await PostgresServer.prepare(settings) } catch let error as StorageError
            where error.kind == .connection
        { throw DatabaseUnreachable(settings, error, setting: setting) }
    }
}
