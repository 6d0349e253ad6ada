import App
import ArgumentParser
import Kernel
import Platform
import Storage
import Web

/// Brings the database up to date. Serving does it too, unless its role may not; this is for doing it ahead, and for the owner.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply pending migrations; keep months; spread tables over nodes.",
        discussion: """
            On PostgreSQL with DATABASE_OWNER_URL set it works as the owner of the tables, and gives the role of DATABASE_URL the
            rights it needs. --partitions makes the months that come, moves rows into theirs and drops those whose time is
            over: run it daily where serving has no owner's address; exit code 1 when this role may not. --distributed spreads the
            tables over the nodes of Citus; where Citus is not installed nothing is done, what would be is printed, and the
            exit code is 2 (0 with --dry-run). Needs no keys and makes none.
            """)
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Only make, fill and drop months of the growth tables, of all tenants (PostgreSQL).")
    var partitions = false
    @Flag(name: .long, help: "Spread the tables over the nodes of a distributed engine (Citus).") var distributed = false
    @Flag(name: .long, help: "With --distributed: say what would be done.") var dryRun = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard !partitions || !distributed else { throw ValidationError("give --partitions or --distributed") }
        guard !dryRun || distributed else { throw ValidationError("--dry-run goes with --distributed") }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            if partitions { return try await keepMonths() }
            guard common.tenant.count <= 1 else { throw Complaint(Words(en: "give one --tenant", zh: "只能给出一个 --tenant")) }
            let runtime = try common.runtime()
            if distributed, case .sqlite = try runtime.configuration.address {
                throw Complaint(
                    "--distributed is for PostgreSQL with Citus, and this installation is on SQLite (no DATABASE_URL): "
                        + "nothing was done. What would be told to Citus is in schema/distributed.sql")
            }
            let name = common.tenant.first ?? "default"
            let applied = try await runtime.tenants.migrate(name)
            if distributed { return try await distribute(runtime, name) }
            let migrator = Migrator(share: runtime.share, modules: runtime.modules.migrationOrder, clock: runtime.clock)
            var isPostgres = false
            if case .postgres = try runtime.configuration.address { isPostgres = true }
            // None is left: what cannot be applied is an error.
            let all = try migrator.migrations(for: isPostgres ? .postgres : .sqlite).count
            if json {
                Terminal.out(
                    JSONValue.object([
                        "applied": .array(applied.map { .string("\($0.module)/\($0.number)") }),
                        "migrations": .int(Int64(all)),
                    ]).encoded())
            } else {
                for one in applied { Terminal.out(Terminal.pick("applied", "已应用") + " \(one.module)/\(one.number) \(one.name)") }
                Terminal.out(
                    applied.isEmpty
                        ? Terminal.pick(
                            "Nothing to do: all \(all) migrations were applied before.", "无需操作：全部 \(all) 个迁移此前均已应用。")
                        : Terminal.pick(
                            "\(applied.count) migrations applied now; all \(all) are applied.",
                            "本次应用 \(applied.count) 个迁移；全部 \(all) 个均已应用。"))
            }
        }
    }

    // MARK: Months

    /// Needs neither keys nor files: only the owner's address.
    private func keepMonths() async throws {
        let runtime = try common.runtime()
        let names = common.tenant.isEmpty ? runtime.tenantNames : common.tenant
        var (tenants, isPostponed, isRefused): ([JSONValue], Bool, Bool) = ([], false, false)
        var isPostgres = false
        if case .postgres = try runtime.configuration.address { isPostgres = true }
        for name in names {
            guard let report = try await runtime.tenants.upkeep.keepMonths(name) else {
                isRefused = isRefused || isPostgres
                let words =
                    isPostgres
                    ? Words(
                        en: "this role owns none of the tables and may not keep their months: set DATABASE_OWNER_URL to the "
                            + "owner's address (or run `switchboard migrate` first when there are no tables yet)",
                        zh: "该角色不是表的所有者，不能维护月份分区：请将 DATABASE_OWNER_URL 设为所有者的地址（尚无表时请先运行 `switchboard migrate`）")
                    : Words(en: "nothing to keep: SQLite has no months", zh: "无需维护：SQLite 没有月份分区")
                if json {
                    if isPostgres { tenants.append(.object(["tenant": .string(name), "error": .string(words.en)])) }
                } else if isPostgres {
                    Terminal.note("switchboard: \(name): \(words[Terminal.language])")
                } else {
                    Terminal.out("\(name): \(words[Terminal.language])")
                }
                continue
            }
            isPostponed = isPostponed || report.tables.contains { !$0.postponed.isEmpty }
            if json {
                tenants.append(.object(["tenant": .string(name), "tables": .array(report.tables.map(Self.json))]))
            } else {
                for table in report.tables { Terminal.out("\(name): \(table.name): \(Self.words(table))") }
            }
        }
        if json { Terminal.out(JSONValue.array(tenants).encoded()) }
        if isRefused { throw ExitCode(1) }
        if isPostponed { throw ExitCode(2) }
    }

    private static func words(_ table: KeptMonths) -> String {
        func list(_ words: String, _ months: [GrowthMonth]) -> String? {
            months.isEmpty ? nil : "\(words) \(months.map(\.description).joined(separator: ", "))"
        }
        let parts = [
            list(Terminal.pick("made", "已建立"), table.made),
            table.moved > 0
                ? Terminal.pick("moved \(table.moved) rows into their months", "已将 \(table.moved) 行移入所属月份") : nil,
            list(Terminal.pick("dropped", "已删除"), table.dropped),
            list(Terminal.pick("may be exported and taken out:", "可导出并移除："), table.exportable),
            table.strays > 0
                ? Terminal.pick(
                    "\(table.strays) rows lie in no month (a clock that went wrong?)", "\(table.strays) 行不属于任何月份（时钟是否有误？）")
                : nil,
            list(Terminal.pick("had to wait, run it again:", "需等待，请再次运行："), table.postponed),
        ].compactMap { $0 }
        return parts.isEmpty
            ? Terminal.pick("nothing to do", "无需操作") : parts.joined(separator: Terminal.pick("; ", "；"))
    }

    private static func json(_ table: KeptMonths) -> JSONValue {
        func list(_ months: [GrowthMonth]) -> JSONValue { .array(months.map { .string($0.description) }) }
        return .object([
            "table": .string(table.name), "made": list(table.made), "moved": .int(Int64(table.moved)),
            "dropped": list(table.dropped), "exportable": list(table.exportable), "strays": .int(Int64(table.strays)),
            "postponed": list(table.postponed),
        ])
    }

    // MARK: Distribution

    private func distribute(_ runtime: Runtime, _ tenant: String) async throws {
        let upkeep = runtime.tenants.upkeep
        let isQuiet = json
        let done = try await upkeep.distribute(tenant, dryRun: dryRun) { step in
            if !isQuiet { Terminal.note("\(step.table) ...") }
        }
        let steps = done ?? upkeep.distribution.steps
        if json {
            Terminal.out(
                JSONValue.object([
                    "installed": .bool(done != nil), "applied": .bool(done != nil && !dryRun),
                    "statements": .array(steps.map { .string($0.statement.text) }),
                ]).encoded())
            if done == nil, !dryRun { throw ExitCode(2) }
            return
        }
        if done == nil {
            let words = Words(
                en: "Citus is not installed in this database: nothing was done. This is what would be:",
                zh: "此数据库未安装 Citus，未做任何更改。将要执行的语句如下：")
            Terminal.note(words[Terminal.language])
            if !Terminal.isLanguageKnown { Terminal.note(words.zh) }
        } else if dryRun {
            Terminal.note(steps.isEmpty ? "Nothing is left to be done." : "Nothing was done. This is what would be:")
        } else {
            Terminal.note(
                Terminal.pick(
                    "\(steps.count) tables were distributed, \(upkeep.distribution.local.count) stay on the coordinator.",
                    "已分布 \(steps.count) 张表，\(upkeep.distribution.local.count) 张保留在协调节点。"))
        }
        for step in steps { Terminal.out(step.statement.text + ";") }
        if done == nil, !dryRun { throw ExitCode(2) }
    }
}
