import Kernel
import Logging
import Storage
import StoragePostgres

/// What the owner of a tenant's PostgreSQL database does in it: migrations, months of the growth tables, rights of the role
/// that serves. Where no owner is configured, the one role there is does it; on SQLite only the migrations are left.
package struct DatabaseUpkeep: Sendable {
    private let configuration: Configuration
    private let migrator: Migrator
    private let layouts: [TableLayout]
    private let clock: any WallClock
    private let logger: Logger

    package init(
        _ configuration: Configuration, share: ShareFolder, modules: [String], layouts: [TableLayout],
        clock: any WallClock, logger: Logger
    ) {
        self.configuration = configuration
        self.layouts = layouts
        self.clock = clock
        self.logger = logger
        migrator = Migrator(share: share, modules: modules, clock: clock)
    }

    private var months: PostgresMonths { PostgresMonths(layouts, clock: clock) }

    // MARK: Opening

    /// Makes the tenant's database as its owner, when an owner is configured and there is none.
    /// - Throws: `CRMError`, `StorageError`.
    package func prepare(tenant: String) async throws {
        guard let owner = try configuration.ownerAddress else { return }
        try await DatabaseUnreachable.prepare(
            try DatabaseAddress.postgres(owner, tenant: tenant), setting: "DATABASE_OWNER_URL")
    }

    /// Brings the schema, the rights and the months up to date, as far as this process may.
    /// - Parameter database: the tenant's, reached as the application reaches it.
    /// - Returns: the migrations that were applied.
    /// - Throws: `CRMError` "schema_behind" when only the owner could, "application_role" and "owner_role" when the roles are
    ///   not apart.
    package func bringUpToDate(_ database: any Database, tenant: String) async throws -> [Migrator.Migration] {
        guard database is PostgresDatabase else { return try await migrator.migrate(database) }
        guard try configuration.ownerAddress != nil else {
            let done = try await migrate(database)
            await makeMonths(tenant, asking: database)
            return done
        }
        let role = try await database.read { try PostgresRole.current($0) }
        return try await withOwner(tenant) { owner in
            let ownerRole = try await owner.read { try PostgresRole.current($0) }
            try role.refuseIfPowerful(owner: ownerRole.name)
            try ownerRole.refuseIfNotOwner()
            let done = try await migrator.migrate(owner)
            if try await !owner.read({ try PostgresRole.wrongRights(role.name, layouts, $0) }).isEmpty {
                try await PostgresRole.grant(to: role.name, layouts, owner)
            }
            await makeMonths(tenant, asking: owner)
            return done
        }
    }

    /// Migrates with the application's own role, or says who has to.
    private func migrate(_ database: any Database) async throws -> [Migrator.Migration] {
        do { return try await migrator.migrate(database) } catch let error as StorageError
            where error.kind == .statement && error.detail.contains("(42501)")
        {
            let pending = try? await migrator.pending(database)
            let (en, zh) = pending.map { ("\($0) migrations are pending", "有 \($0) 个迁移待执行") } ?? ("it cannot be read", "无法读取")
            throw CRMError(
                "schema_behind", status: 500,
                Words(
                    en:
                        "The database schema is not the one of this version (\(en)), and this role may not change it. Run `switchboard migrate` with the owner's address in DATABASE_OWNER_URL first.",
                    zh: "数据库结构与本版本不符（\(zh)），当前角色无权更改。请先设置 DATABASE_OWNER_URL 为所有者地址并执行 switchboard migrate。"))
        }
    }

    /// Months that are missing are made at the start. What goes wrong is told and does not keep anybody from working: rows
    /// without a month have a place of their own.
    private func makeMonths(_ tenant: String, asking database: any Database) async {
        do {
            let (isDue, isOwner) = try await database.read {
                (try months.isDue($0), try PostgresRole.current($0).ownedTables > 0)
            }
            guard isDue, isOwner else { return }
            try await keepMonths(tenant)
        } catch {
            logger.error("months.failed", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
        }
    }

    // MARK: Months

    /// Makes, fills and drops months of a tenant's growth tables. `nil` = nothing to keep: SQLite, or a role that owns none of
    /// the tables while no owner is configured.
    /// - Throws: `StorageError`.
    @discardableResult
    package func keepMonths(_ tenant: String) async throws -> PostgresMonths.Report? {
        guard case .postgres = try configuration.address else { return nil }
        return try await withOwner(tenant) { owner in
            guard try await owner.read({ try PostgresRole.current($0) }).ownedTables > 0 else { return nil }
            let report = try await months.keep(owner)
            for table in report.tables where !(table.made + table.dropped + table.postponed).isEmpty {
                logger.info(
                    "months.kept",
                    metadata: [
                        "tenant": "\(tenant)", "table": "\(table.name)", "made": "\(table.made.count)",
                        "moved": "\(table.moved)", "dropped": "\(table.dropped.count)",
                        "postponed": "\(table.postponed.count)",
                    ])
            }
            return report
        }
    }

    /// The same as work of the background, where what goes wrong is told and tried again an hour later.
    func keepMonthsOrTell(_ tenant: String) async {
        do { try await keepMonths(tenant) } catch {
            logger.error("months.failed", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
        }
    }

    /// A connection of its own: work may take long, and its answer is waited for.
    private func withOwner<T>(_ tenant: String, _ body: (PostgresDatabase) async throws -> T) async throws -> T {
        guard case .postgres(let application) = try configuration.address else {
            throw StorageError(.statement, "an owner is a role of PostgreSQL")
        }
        let server = try configuration.ownerAddress ?? application
        var settings = try DatabaseAddress.postgres(server, tenant: tenant)
        settings.connectionsMax = 1
        settings.answerSeconds = 86_400
        let owner = PostgresDatabase(settings)
        do {
            do { _ = try await owner.read { try PostgresRole.current($0) } } catch let error as StorageError
                where error.kind == .connection
            {
                let setting = try configuration.ownerAddress == nil ? "DATABASE_URL" : "DATABASE_OWNER_URL"
                throw DatabaseUnreachable(settings, error, setting: setting)
            }
            let result = try await body(owner)
            try await owner.close()
            return result
        } catch {
            try? await owner.close()
            throw error
        }
    }

    // MARK: Distribution

    /// What a distributed engine would be told, whether or not it is there.
    package var distribution: Distribution { Distribution(layouts) }

    /// Spreads the tables of a tenant over the nodes of a distributed engine.
    /// - Returns: what was done, or (`dryRun`) would be; `nil` = the engine is not installed, or SQLite.
    /// - Throws: `StorageError` with the engine's words.
    package func distribute(
        _ tenant: String, dryRun: Bool, progress: @Sendable (Distribution.Step) -> Void
    ) async throws -> [Distribution.Step]? {
        guard case .postgres = try configuration.address else { return nil }
        let engine = PostgresDistribution(distribution)
        return try await withOwner(tenant) { owner in
            dryRun ? try await engine.pending(owner) : try await engine.apply(owner, progress: progress)
        }
    }

    // MARK: Doctor

    /// One line of `switchboard doctor`.
    package struct Finding: Sendable {
        package let name: String
        package let isOK: Bool
        package let words: Words
    }

    /// Roles and months as they are; nothing on SQLite.
    package func findings(_ database: any Database) async throws -> [Finding] {
        guard case .postgres = try configuration.address else { return [] }
        let (role, wrong, months) = try await database.read { session in
            let role = try PostgresRole.current(session)
            return (role, try PostgresRole.wrongRights(role.name, layouts, session), try self.months.inspect(session))
        }
        let roles: Finding
        if role.isPowerful {
            let what =
                role.isSuperuser
                ? Words(en: "a superuser", zh: "超级用户") : Words(en: "the owner of the tables", zh: "表的所有者")
            roles = Finding(
                name: "roles", isOK: try configuration.ownerAddress == nil,
                words: Words(
                    en: "one role: \(role.name) is \(what.en) and could change the schema and the audit log; see docs/runbooks/postgresql.md",
                    zh: "只有一个角色：\(role.name) 是\(what.zh)，能更改表结构和审计日志；参见 docs/runbooks/postgresql.md"))
        } else {
            roles = Finding(
                name: "roles", isOK: wrong.isEmpty,
                words: wrong.isEmpty
                    ? Words(en: "\(role.name) may read and write rows and nothing else", zh: "\(role.name) 只能读写行，没有其他权限")
                    : Words(
                        en: "\(role.name) has other rights than it should on \(wrong.joined(separator: ", ")); run: switchboard migrate",
                        zh: "\(role.name) 对 \(wrong.joined(separator: "、")) 的权限不符，请运行：switchboard migrate"))
        }
        return [roles, Self.finding(months)]
    }

    private static func finding(_ months: PostgresMonths.State) -> Finding {
        var problems: [Words] = []
        if !months.missing.isEmpty {
            problems.append(
                Words(
                    en: "no next month for " + months.missing.joined(separator: ", "),
                    zh: "缺少下个月的分区：" + months.missing.joined(separator: "、")))
        }
        for (table, rows) in months.strays.sorted(by: { $0.key < $1.key }) {
            problems.append(
                Words(
                    en: "\(rows) rows of \(table) lie in no month (a clock that went wrong?)",
                    zh: "\(table) 有 \(rows) 行不属于任何月份（时钟是否有误？）"))
        }
        let isOK = problems.isEmpty
        if isOK {
            problems = [Words(en: "made ahead", zh: "已提前建立")]
        } else {
            problems.append(Words(en: "run: switchboard migrate --partitions", zh: "请运行：switchboard migrate --partitions"))
        }
        let waiting = months.waiting.values.reduce(0, +)
        if waiting > 0 {
            problems.append(
                Words(en: "\(waiting) rows wait to be moved into their months", zh: "有 \(waiting) 行待移入所属月份"))
        }
        return Finding(
            name: "months", isOK: isOK,
            words: Words(
                en: problems.map(\.en).joined(separator: "; "), zh: problems.map(\.zh).joined(separator: "；")))
    }
}

/// What was done and found in one table, for commands.
package typealias KeptMonths = PostgresMonths.Report.Table
