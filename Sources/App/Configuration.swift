import Foundation
import Ingest
import Kernel
import StoragePostgres
import TMF
import Web

/// Settings of one process, from (later wins) defaults, a JSON file, the environment, flags.
package struct Configuration: Sendable, Equatable {
    /// Address to listen on. Anything but loopback needs a listed TLS proxy in front.
    package var host = "127.0.0.1"
    package var port = 8080
    /// `ADDRESS:PORT` where `/healthz`, `/readyz` and `/metrics` are answered in plain HTTP to whoever can connect, by
    /// servers and workers: for orchestrators and scrapers, which are no browsers. `nil` = nowhere.
    package var probes: String?
    /// Folder of databases, files and keys.
    package var data = "data"
    /// `postgres://user:password@host1,host2/database?sslmode=verify-full`: the tenants live on that server, each in a database
    /// of its own. `nil` = in SQLite files under `data`.
    package var database: String?
    /// The same database as its owner reaches it (G23): the tables are the owner's, and the role of `database` may only read and
    /// write rows. Needed by `switchboard migrate`; `serve` and `worker` do without. `nil` = one role does everything.
    package var databaseOwner: String?
    /// Standbys of that server for lists, figures and searches: `postgres://user:password@host1,host2`; each host is one. The
    /// databases are named as on the server itself.
    package var databaseRead: String?
    /// Connections of this process to each tenant's PostgreSQL database.
    package var databaseConnections = 8
    /// Templates, migrations, texts, assets; `nil` = look beside the executable.
    package var share: String?
    /// Where Debian's packages put scripts.
    package var vendor = "/usr/share/javascript"
    /// Addresses (`192.0.2.7`) or ranges (`10.1.0.0/16`) of the reverse proxies that end TLS.
    package var trustedProxies: [String] = []
    /// Host name -> tenant. Loopback names are the tenant `default`.
    package var tenants: [String: String] = [:]
    package var currency = "CNY"
    package var countryCode = "86"
    package var timeZoneOffsetMinutes = 480
    package var logLevel = "info"
    /// Requests a second for one account or address; 0 = no limit.
    package var requestsPerSecond = 200.0
    /// Jobs that run at once in this process.
    package var workers = 2
    /// `full` or `normal` (see SQLiteDatabase.Durability).
    package var durability = "full"
    /// Set by commands that fill a database, not by people: commits wait for no disk (a crash of the machine loses the last
    /// ones, which are made again), and more is kept in memory.
    package var loads = false
    /// `nist`, or `dengbao-l3` (composition and 90-day rotation of Chinese graded protection).
    package var passwordProfile = "nist"
    /// From so many failed jobs and parked events on, `/jobs` shows their number in red and `/readyz` warns; 1...10000.
    package var faultsWarnAt = 1
    /// When a job or event has waited so long beyond its time, no worker seems to be at work: `/jobs` and `/readyz` warn.
    /// 1...86400. Jobs may take minutes and others wait behind them; a failed delivery waits for its next try, which does
    /// not count.
    package var waitingWarnSeconds = 300
    /// Folder in which sources leave files that are taken by themselves, `<inbox>/<tenant>/<source>`; `nil` = `inbox` in the data
    /// folder. Several processes look at the same one.
    package var inbox: String?
    /// Folder into which messages to customers are laid, `<outgoing>/<tenant>/<channel>`; `log` = they are only noted in the log;
    /// `nil` = `outgoing` in the data folder. Several processes use the same one.
    package var outgoing: String?
    /// Hosts files may be fetched from although their addresses are private; of this machine in plain HTTP too.
    package var pullHosts: [String] = []
    /// Hosts of event callbacks that may have private addresses; of this machine in plain HTTP too.
    package var hubHosts: [String] = []
    /// A callback that answers with an error is tried so often with one event; 1...100.
    package var hubAttempts = 10
    /// An event that could not be delivered for so long stands aside; 1...720.
    package var hubGiveUpHours = 24
    /// The longest pause between two attempts; 1...86400.
    package var hubRetrySecondsMax = 600
    /// How long a callback may take; 1...60.
    package var hubTimeoutSeconds = 10

    package init() {}

    /// Names a JSON file may hold; any other is an error that names it.
    static let keys: Set<String> = [
        "host", "port", "probes", "data", "share", "vendor", "trustedProxies", "tenants", "currency", "countryCode",
        "timeZoneOffsetMinutes", "logLevel", "requestsPerSecond", "workers", "durability", "passwordProfile",
        "database", "databaseOwner", "databaseRead", "databaseConnections",
        "faultsWarnAt", "waitingWarnSeconds", "inbox", "outgoing", "pullHosts", "hubHosts", "hubAttempts", "hubGiveUpHours",
        "hubRetrySecondsMax", "hubTimeoutSeconds",
    ]

    /// Reads the file (when given) and the environment: `HOST PORT DATABASE_URL DATABASE_OWNER_URL DATABASE_READ_URL SWITCHBOARD_DATA
    /// SWITCHBOARD_INBOX SWITCHBOARD_PULL_HOSTS SWITCHBOARD_HUB_HOSTS
    /// SWITCHBOARD_PROBES SWITCHBOARD_SHARE SWITCHBOARD_VENDOR SWITCHBOARD_LOG
    /// SWITCHBOARD_TRUSTED_PROXIES SWITCHBOARD_DURABILITY`.
    /// - Throws: `CRMError` naming the setting, its value and what is expected.
    package static func load(file: String?, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if let file { try configuration.apply(file: file) }
        func text(_ name: String, orEmpty: Bool = false) -> String? {
            environment[name].flatMap { $0.isEmpty && !orEmpty ? nil : $0 }
        }
        if let value = text("HOST") { configuration.host = value }
        if let value = text("PORT") { configuration.port = try number("PORT", value) }
        if let value = text("SWITCHBOARD_PROBES") { configuration.probes = value }
        if let value = text("DATABASE_URL", orEmpty: true) { configuration.database = value }
        if let value = text("DATABASE_OWNER_URL", orEmpty: true) { configuration.databaseOwner = value }
        if let value = text("DATABASE_READ_URL", orEmpty: true) { configuration.databaseRead = value }
        if let value = text("SWITCHBOARD_DATA") { configuration.data = value }
        if let value = text("SWITCHBOARD_SHARE") { configuration.share = value }
        if let value = text("SWITCHBOARD_INBOX") { configuration.inbox = value }
        if let value = text("SWITCHBOARD_OUTGOING") { configuration.outgoing = value }
        if let value = text("SWITCHBOARD_PULL_HOSTS") {
            configuration.pullHosts = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        if let value = text("SWITCHBOARD_HUB_HOSTS") {
            configuration.hubHosts = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        if let value = text("SWITCHBOARD_VENDOR") { configuration.vendor = value }
        if let value = text("SWITCHBOARD_LOG") { configuration.logLevel = value }
        if let value = text("SWITCHBOARD_DURABILITY") { configuration.durability = value }
        if let value = text("SWITCHBOARD_REQUESTS_PER_SECOND") {
            configuration.requestsPerSecond = Double(try number("SWITCHBOARD_REQUESTS_PER_SECOND", value))
        }
        if let value = text("SWITCHBOARD_TRUSTED_PROXIES") {
            configuration.trustedProxies = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        try configuration.check()
        return configuration
    }

    private static func number(_ name: String, _ text: String) throws -> Int {
        guard let value = Int(text) else { throw bad(name, text, "a number", "数字") }
        return value
    }

    private static func bad(_ name: String, _ value: String, _ en: String, _ zh: String) -> CRMError {
        CRMError(
            "configuration", status: 500,
            Words(en: "Setting \(name) is “\(value)”; expected \(en).", zh: "配置项 \(name) 为“\(value)”，应为\(zh)。"))
    }

    private mutating func apply(file: String) throws {
        try FileTrouble.checkFile(file)
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Self.bad("--config", file, "a readable file", "可读取的文件")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Self.bad("--config", file, "a JSON object", "JSON 对象")
        }
        for (key, value) in object {
            guard Self.keys.contains(key) else {
                let known = Self.keys.sorted().joined(separator: ", ")
                throw CRMError(
                    "configuration", status: 500,
                    Words(en: "There is no setting \(key). Known: \(known).", zh: "没有配置项 \(key)，可用：\(known)。"))
            }
            switch (key, value) {
            case ("host", let text as String): host = text
            case ("port", let number as Int): port = number
            case ("probes", let text as String): probes = text
            case ("data", let text as String): self.data = text
            case ("database", let text as String): database = text
            case ("databaseOwner", let text as String): databaseOwner = text
            case ("databaseRead", let text as String): databaseRead = text
            case ("databaseConnections", let number as Int): databaseConnections = number
            case ("share", let text as String): share = text
            case ("vendor", let text as String): vendor = text
            case ("trustedProxies", let list as [String]): trustedProxies = list
            case ("tenants", let map as [String: String]): tenants = map
            case ("currency", let text as String): currency = text
            case ("countryCode", let text as String): countryCode = text
            case ("timeZoneOffsetMinutes", let number as Int): timeZoneOffsetMinutes = number
            case ("logLevel", let text as String): logLevel = text
            case ("requestsPerSecond", let number as Double): requestsPerSecond = number
            case ("workers", let number as Int): workers = number
            case ("durability", let text as String): durability = text
            case ("passwordProfile", let text as String): passwordProfile = text
            case ("faultsWarnAt", let number as Int): faultsWarnAt = number
            case ("waitingWarnSeconds", let number as Int): waitingWarnSeconds = number
            case ("inbox", let text as String): inbox = text
            case ("outgoing", let text as String): outgoing = text
            case ("pullHosts", let list as [String]): pullHosts = list
            case ("hubHosts", let list as [String]): hubHosts = list
            case ("hubAttempts", let number as Int): hubAttempts = number
            case ("hubGiveUpHours", let number as Int): hubGiveUpHours = number
            case ("hubRetrySecondsMax", let number as Int): hubRetrySecondsMax = number
            case ("hubTimeoutSeconds", let number as Int): hubTimeoutSeconds = number
            default: throw Self.mistyped(key, value)
            }
        }
    }

    /// What the file holds is not what the setting is: says which kind of value it takes.
    private static func mistyped(_ key: String, _ value: Any) -> CRMError {
        let shown: String
        switch key {
        // An address may hold a password.
        case "database", "databaseOwner", "databaseRead": shown = "…"
        default:
            let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed])
            shown = data.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
        }
        switch key {
        case "port", "databaseConnections", "timeZoneOffsetMinutes", "workers", "faultsWarnAt", "waitingWarnSeconds",
            "hubAttempts", "hubGiveUpHours", "hubRetrySecondsMax", "hubTimeoutSeconds":
            return bad(key, shown, "a whole number without quotation marks, such as 8", "不带引号的整数，例如 8")
        case "requestsPerSecond":
            return bad(key, shown, "a number without quotation marks, such as 200", "不带引号的数字，例如 200")
        case "trustedProxies", "pullHosts", "hubHosts":
            return bad(key, shown, "a list of texts, such as [\"192.0.2.7\"]", "文本列表，例如 [\"192.0.2.7\"]")
        case "tenants":
            return bad(
                key, shown, "an object of host names and tenants, such as {\"crm.example\": \"east\"}",
                "主机名与租户的对象，例如 {\"crm.example\": \"east\"}")
        default: return bad(key, shown, "a text in quotation marks", "带引号的文本")
        }
    }

    /// An address that is set and says nothing is one that was lost on its way, as a secret that was not filled in: taking it
    /// for "SQLite" would begin a second, empty installation.
    private func refuseEmptyAddresses() throws {
        let all = [
            ("DATABASE_URL", "database", database), ("DATABASE_OWNER_URL", "databaseOwner", databaseOwner),
            ("DATABASE_READ_URL", "databaseRead", databaseRead),
        ]
        for (variable, key, value) in all
        where value.map({ $0.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty }) ?? false {
            throw CRMError(
                "configuration", status: 500,
                Words(
                    en:
                        "Setting \(variable) (\(key)) is there but empty: was a secret not filled in? Write postgres://USER@HOST:PORT/DATABASE, or take the setting away (without DATABASE_URL the database is an SQLite file in the data folder).",
                    zh:
                        "配置项 \(variable)（\(key)）已设置但为空：是否有密钥未填入？请写为 postgres://用户@主机:端口/数据库，或删除该项（没有 DATABASE_URL 时使用数据目录中的 SQLite 文件）。"
                ))
        }
    }

    /// - Throws: `CRMError` for values outside their range.
    package func check() throws {
        try refuseEmptyAddresses()
        guard (0...65_535).contains(port) else { throw Self.bad("port", "\(port)", "0...65535", "0…65535") }
        if let probes, probesAddress == nil {
            throw Self.bad("probes", probes, "ADDRESS:PORT, such as 0.0.0.0:9090", "“地址:端口”，例如 0.0.0.0:9090")
        }
        guard (1...64).contains(workers) else { throw Self.bad("workers", "\(workers)", "1...64", "1…64") }
        for (name, value, range) in [
            ("hubAttempts", hubAttempts, 1...100), ("hubGiveUpHours", hubGiveUpHours, 1...720),
            ("hubRetrySecondsMax", hubRetrySecondsMax, 1...86_400), ("hubTimeoutSeconds", hubTimeoutSeconds, 1...60),
        ] where !range.contains(value) {
            throw Self.bad(
                name, "\(value)", "\(range.lowerBound)...\(range.upperBound)", "\(range.lowerBound)…\(range.upperBound)")
        }
        guard (1...10_000).contains(faultsWarnAt) else {
            throw Self.bad("faultsWarnAt", "\(faultsWarnAt)", "1...10000", "1…10000")
        }
        guard (1...86_400).contains(waitingWarnSeconds) else {
            throw Self.bad("waitingWarnSeconds", "\(waitingWarnSeconds)", "1...86400", "1…86400")
        }
        guard currency.count == 3, currency.allSatisfy(\.isUppercase) else {
            throw Self.bad("currency", currency, "an ISO 4217 code", "ISO 4217 代码")
        }
        guard ["full", "normal"].contains(durability) else {
            throw Self.bad("durability", durability, "full or normal", "full 或 normal")
        }
        guard (1...200).contains(databaseConnections) else {
            throw Self.bad("databaseConnections", "\(databaseConnections)", "1...200", "1…200")
        }
        _ = try address
        _ = try ownerAddress
        _ = try replicas
        try checkTenants()
        for text in trustedProxies where IPNetwork(text) == nil {
            throw Self.bad(
                "trustedProxies", text, "an address or a range such as 192.0.2.7 or 10.1.0.0/16",
                "地址或网段，例如 192.0.2.7 或 10.1.0.0/16")
        }
        guard isLoopback || !proxies.isEmpty else {
            throw CRMError(
                "insecure_bind", status: 500,
                Words(
                    en:
                        "Refusing to listen on \(host) without TLS: session cookies would travel in the clear. Listen on 127.0.0.1, or list the TLS proxy in trustedProxies.",
                    zh: "拒绝在无 TLS 的情况下监听 \(host)：会话 Cookie 将以明文传输。请监听 127.0.0.1，或在 trustedProxies 中列出 TLS 代理。"))
        }
    }

    /// An entry that could never hold is a mistake, and would serve the wrong tenant or none.
    private func checkTenants() throws {
        var seen: [String: String] = [:]
        for (host, tenant) in tenants.sorted(by: { $0.key < $1.key }) {
            guard Tenants.isName(tenant) else {
                throw Self.bad(
                    "tenants, \(host)", tenant, "the name of a tenant: lower-case letters, digits, dashes", "租户名：小写字母、数字、连字符")
            }
            let isName = !host.isEmpty && !host.contains { $0.isWhitespace || ":/?#@[]".contains($0) }
            guard isName || IPAddress(host) != nil else {
                throw Self.bad(
                    "tenants", host, "the name or address of a host, without scheme and port, such as crm.example",
                    "不含协议和端口的主机名或地址，例如 crm.example")
            }
            if let other = seen.updateValue(tenant, forKey: HostTenants.key(host)), other != tenant {
                throw Self.bad("tenants", host, "one tenant for each host, not \(other) and \(tenant)", "每个主机只对应一个租户，而非 \(other) 与 \(tenant)")
            }
        }
    }

    /// Where the tenants' databases are.
    /// - Throws: `CRMError` "database_address".
    package var address: DatabaseAddress {
        get throws { try database.map { try DatabaseAddress($0) } ?? .sqlite(folder: data) }
    }

    /// Where probes are answered.
    package var probesAddress: (host: String, port: Int)? {
        guard let probes, let colon = probes.lastIndex(of: ":"), let port = Int(probes[probes.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(probes[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return host == "localhost" || IPAddress(host) != nil ? (host, port) : nil
    }

    /// How the owner reaches the default tenant's database; `nil` = one role does everything, or SQLite.
    /// - Throws: `CRMError` "database_owner" when it does not go with `database`; the words hold no password.
    package var ownerAddress: PostgresSettings? {
        get throws {
            let address = try address
            guard let databaseOwner else { return nil }
            try DatabaseAddress.refuseAmbiguous(databaseOwner, setting: "databaseOwner, DATABASE_OWNER_URL")
            guard case .postgres(let application) = address, PostgresSettings.isURL(databaseOwner) else {
                throw Self.wrongOwner
            }
            let owner = PostgresSettings(url: databaseOwner)
            guard ["", application.databaseName].contains(owner.databaseName) else { throw Self.wrongOwner }
            return owner.database(named: application.databaseName)
        }
    }

    private static let wrongOwner = CRMError(
        "database_owner", status: 500,
        Words(
            en:
                "databaseOwner (DATABASE_OWNER_URL) must be postgres://OWNER@HOST:PORT/DATABASE and name the same database as database (DATABASE_URL).",
            zh: "databaseOwner（DATABASE_OWNER_URL）应为 postgres://所有者@主机:端口/数据库，且与 database（DATABASE_URL）指向同一数据库。"))

    /// Where the standbys are; empty = there are none.
    /// - Throws: `CRMError` "configuration"; the words hold no password.
    package var replicas: [PostgresSettings] {
        get throws {
            guard let databaseRead else { return [] }
            guard database.map(PostgresSettings.isURL) ?? false else {
                throw CRMError(
                    "configuration", status: 500,
                    Words(
                        en:
                            "databaseRead (DATABASE_READ_URL) names standbys, but the database is not on PostgreSQL. Set DATABASE_URL too, or remove it.",
                        zh: "databaseRead（DATABASE_READ_URL）指定了备库，但数据库不在 PostgreSQL 上。请同时设置 DATABASE_URL，或删除该项。"))
            }
            try DatabaseAddress.refuseAmbiguous(databaseRead, setting: "databaseRead, DATABASE_READ_URL")
            let hosts = PostgresSettings.isURL(databaseRead) ? PostgresSettings(url: databaseRead).replicas : []
            guard !hosts.isEmpty else {
                throw CRMError(
                    "configuration", status: 500,
                    Words(
                        en:
                            "The address of the standbys (databaseRead, DATABASE_READ_URL) is not understood. Write postgres://USER@HOST1:PORT,HOST2:PORT.",
                        zh: "无法识别备库地址（databaseRead、DATABASE_READ_URL），请写为 postgres://用户@主机1:端口,主机2:端口。"))
            }
            return hosts
        }
    }

    /// Where messages to customers go.
    package var messages: OutgoingSettings {
        let folder = outgoing ?? data + "/outgoing"
        return folder == "log" ? .log : .folder(folder)
    }

    /// Where files come by themselves.
    package var intake: IntakeSettings {
        IntakeSettings(inbox: inbox ?? data + "/inbox", hosts: Set(pullHosts.map { $0.lowercased() }))
    }

    /// Limits of what is told to others.
    package var hub: HubSettings {
        var settings = HubSettings()
        settings.hosts = Set(hubHosts.map { $0.lowercased() })
        settings.attemptsMax = hubAttempts
        settings.giveUpHours = hubGiveUpHours
        settings.retryMaxSeconds = Int64(hubRetrySecondsMax)
        settings.timeoutSeconds = hubTimeoutSeconds
        return settings
    }

    /// The listed proxies, in numbers.
    package var proxies: [IPNetwork] { trustedProxies.compactMap { IPNetwork($0) } }

    /// Whether only this machine can connect. A name other than `localhost` may stand for any address.
    package var isLoopback: Bool { host == "localhost" || IPAddress(host)?.isLoopback ?? false }
}
