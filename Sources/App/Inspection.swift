import Foundation
import Kernel
import Platform
import Storage
import StoragePostgres
import StorageSQLite
import Web

/// What `switchboard doctor` finds. It only looks: no migration is applied, no key, folder or database made, no node number
/// taken, so that it may be asked at any time, on an installation that is stopped or waits for its next version too.
package struct Inspection: Sendable {
    package enum Level: String, Sendable {
        case ok
        /// Worth knowing, and nothing that keeps the installation from working.
        case note
        case fail
    }

    /// One line.
    package struct Finding: Sendable {
        package let name: String
        package let level: Level
        package let words: Words
        package init(_ name: String, _ level: Level, _ words: Words) {
            self.name = name
            self.level = level
            self.words = words
        }
        /// - Parameter text: a place or a name, the same in every language.
        package init(_ name: String, _ level: Level, _ text: String) {
            self.init(name, level, Words(en: text, zh: text))
        }
    }

    private let runtime: Runtime
    private var configuration: Configuration { runtime.configuration }

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// Looks at what the settings say, then at the tenant. What cannot be looked at is a finding, not an error.
    package func findings(tenant: String) async -> [Finding] {
        var found = settings()
        found.append(Finding("data", .ok, URL(fileURLWithPath: configuration.data).path))
        found.append(Finding("share", .ok, runtime.share.root))
        let missing = runtime.missingAssets
        found.append(
            Finding(
                "assets", missing.isEmpty ? .ok : .fail,
                missing.isEmpty
                    ? Words(en: "all found", zh: "齐全")
                    : Words(
                        en: "missing: " + missing.joined(separator: ", "), zh: "缺少：" + missing.joined(separator: "、"))))
        do {
            let database = try await open(tenant)
            found.append(Finding("database", .ok, try configuration.address.words(tenant: tenant)))
            do {
                found.append(try await keys(database))
                found += try await look(database, tenant)
            } catch { found.append(Finding("start", .fail, Self.words(error))) }
            try? await database.close()
        } catch { found.append(Finding("database", .fail, Self.words(error))) }
        found += disk()
        return found
    }

    // MARK: Settings

    /// What needs no database.
    package func settings() -> [Finding] {
        let proxies = configuration.trustedProxies
        let zone = Instant.zoneName(offsetMinutes: configuration.timeZoneOffsetMinutes)
        return [
            Finding(
                "settings", .ok,
                Words(
                    en: "listening on \(configuration.host):\(configuration.port)",
                    zh: "监听 \(configuration.host):\(configuration.port)")),
            Finding(
                "region", .ok,
                Words(
                    en: "currency \(configuration.currency), country code \(configuration.countryCode), times shown at \(zone) "
                        + "(timeZoneOffsetMinutes \(configuration.timeZoneOffsetMinutes))",
                    zh: "货币 \(configuration.currency)，国家码 \(configuration.countryCode)，时间按 \(zone) 显示"
                        + "（timeZoneOffsetMinutes \(configuration.timeZoneOffsetMinutes)）")),
            Finding(
                "proxies", .ok,
                proxies.isEmpty
                    ? Words(
                        en: "none listed: what comes through a proxy is refused; list its address in trustedProxies",
                        zh: "未登记：经代理的请求会被拒绝；请在 trustedProxies 中登记代理地址")
                    : Words(
                        en: proxies.joined(separator: ", ") + "; each must send X-Forwarded-For and X-Forwarded-Proto: https",
                        zh: proxies.joined(separator: "、") + "；每个都须发送 X-Forwarded-For 和 X-Forwarded-Proto: https")),
        ]
    }

    // MARK: Database

    private func open(_ tenant: String) async throws -> any Database {
        switch try configuration.address {
        case .sqlite(let folder):
            return try SQLiteDatabase(path: "\(folder)/tenants/\(tenant)/switchboard.sqlite")
        case .postgres(let server):
            var settings = try DatabaseAddress.postgres(server, tenant: tenant)
            settings.connectionsMax = 1
            // Nobody waits here for a server that hands over.
            settings.waitSeconds = 2
            guard try await PostgresServer.has(settings) else {
                throw CRMError(
                    "no_database", status: 404,
                    Words(
                        en: "The server has no database \(settings.databaseName); the first start of `serve` makes it.",
                        zh: "服务器上没有数据库 \(settings.databaseName)，首次运行 serve 时创建。"))
            }
            let database = PostgresDatabase(settings)
            do { _ = try await database.read { try $0.count(DatabaseWatch.question) } } catch let error as StorageError {
                try? await database.close()
                throw DatabaseUnreachable(settings, error, setting: "DATABASE_URL")
            }
            return database
        }
    }

    private func keys(_ database: any Database) async throws -> Finding {
        let folder = configuration.data + "/keys"
        do {
            let keys = TenantKeys(pepper: try Keys.existing("pepper", folder: folder))
            let fit = try await Keys.fit(keys, database) ?? true
            return Finding("keys", fit ? .ok : .fail, fit ? Words(en: folder, zh: folder) : Keys.mismatch.message)
        } catch let error as CRMError {
            if !FileManager.default.fileExists(atPath: folder + "/pepper"), try await !Keys.isBound(database) {
                return Finding(
                    "keys", .note,
                    Words(en: "none yet: the first start makes them in \(folder)", zh: "尚无：首次启动时在 \(folder) 中生成"))
            }
            return Finding("keys", .fail, error.message)
        }
    }

    private func look(_ database: any Database, _ tenant: String) async throws -> [Finding] {
        var found: [Finding] = []
        let migrator = Migrator(
            share: runtime.share, modules: runtime.modules.migrationOrder, clock: runtime.clock)
        let (pending, unknown) = try await (migrator.waiting(database), migrator.unknown(database).count)
        found.append(
            pending > 0
                ? Finding(
                    "migrations", .fail,
                    Words(
                        en: "\(pending) wait to be applied: back up, then run `switchboard migrate` (the next start of `serve` or "
                            + "`worker` does it too, unless its role may not)",
                        zh: "有 \(pending) 个待应用：请先备份，再运行 `switchboard migrate`（下次启动 `serve` 或 `worker` 也会应用，除非其角色无权）"))
                : Finding(
                    "migrations", unknown == 0 ? .ok : .note,
                    unknown == 0
                        ? Words(en: "all are applied", zh: "均已应用")
                        : Words(
                            en: "all are applied, and \(unknown) more of a newer version than this one",
                            zh: "均已应用，另有 \(unknown) 个属于比本程序更新的版本")))
        found += await standbys(tenant)
        guard pending == 0 else {
            // Its tables may not be those that this version asks.
            return found + [
                Finding(
                    "work", .note, Words(en: "not looked at before the migrations are applied", zh: "应用迁移之前不检查"))
            ]
        }
        for finding in try await runtime.tenants.upkeep.findings(database) {
            found.append(Finding(finding.name, finding.isOK ? .ok : .fail, finding.words))
        }
        return found + [try await work(database), files(tenant)]
    }

    /// Work is late because nobody does it, or because it is stuck: only the second is a fault. Where no process is at work
    /// on the database the first is the case, as after a restore.
    private func work(_ database: any Database) async throws -> Finding {
        let clock = runtime.clock
        let jobs = JobQueue(
            database: database, ids: IDGenerator(node: 0, clock: clock), clock: clock, wake: WakeSignal())
        let now = clock.now()
        let (state, oldest, isRunning) = try await database.read { session in
            (
                try WorkState.load(jobs, now, session),
                [try jobs.oldestDue(session), try OutboxDispatcher.oldestDue(session)].compactMap { $0 }.min(),
                try !NodeLease.live(at: now, session).isEmpty
            )
        }
        let thresholds = WarningThresholds(configuration)
        guard !isRunning, thresholds.isLate(state) else {
            let warnings = thresholds.warnings(state)
            return Finding(
                "work", warnings.isEmpty ? .ok : .fail,
                warnings.isEmpty ? Words(en: "nothing late", zh: "没有积压") : Self.joined(warnings))
        }
        let waits =
            Words(
                en: "no process is running: work waits since \((oldest ?? now).iso8601) and is done after the next start",
                zh: "没有进程在运行：任务自 \((oldest ?? now).iso8601) 起等待，下次启动后处理")
        let faults = thresholds.warnings(WorkState(faults: state.faults, lateSeconds: 0))
        return Finding("work", faults.isEmpty ? .note : .fail, Self.joined(faults + [waits]))
    }

    private static func joined(_ words: [Words]) -> Words {
        Words(en: words.map(\.en).joined(separator: "; "), zh: words.map(\.zh).joined(separator: "；"))
    }

    /// Each standby is reached by itself: lists and searches fall back to the primary without a word to their readers.
    private func standbys(_ tenant: String) async -> [Finding] {
        var found: [Finding] = []
        for replica in (try? configuration.replicas) ?? [] {
            guard case .postgres(let server) = try? configuration.address,
                let named = try? DatabaseAddress.postgres(server, tenant: tenant)
            else { continue }
            var settings = replica.database(named: named.databaseName)
            settings.connectionsMax = 1
            settings.waitSeconds = 2
            let database = PostgresDatabase(settings)
            do {
                let isStandby = try await database.isStandby
                found.append(
                    Finding(
                        "standby", isStandby ? .ok : .fail,
                        isStandby
                            ? Words(en: "\(settings.hosts) answers", zh: "\(settings.hosts) 有响应")
                            : Words(
                                en: "\(settings.hosts) answers, but is no standby: it takes writes itself; reads go to the primary",
                                zh: "\(settings.hosts) 有响应，但不是备库（自身可写）；读取改走主库")))
            } catch {
                let reason = (error as? StorageError)?.detail ?? "\(error)"
                found.append(
                    Finding(
                        "standby", .fail,
                        Words(
                            en: "\(settings.hosts) cannot be reached: \(reason); reads go to the primary (DATABASE_READ_URL)",
                            zh: "无法连接 \(settings.hosts)：\(reason)；读取改走主库（DATABASE_READ_URL）")))
            }
            try? await database.close()
        }
        return found
    }

    // MARK: Files

    private func files(_ tenant: String) -> Finding {
        guard case .sqlite(let folder) = try? configuration.address else {
            return Finding("files", .ok, Words(en: "in the database", zh: "存放在数据库中"))
        }
        let place = "\(folder)/tenants/\(tenant)/blobs"
        guard FileManager.default.fileExists(atPath: place) else {
            return Finding("files", .note, Words(en: "\(place) is made by the next start", zh: "\(place) 将在下次启动时建立"))
        }
        let isWritable = FileManager.default.isWritableFile(atPath: place)
        return Finding(
            "files", isWritable ? .ok : .fail,
            isWritable
                ? Words(en: "writable", zh: "可写") : Words(en: "\(place) is not writable", zh: "\(place) 不可写"))
    }

    private func disk() -> [Finding] {
        let values = try? FileManager.default.attributesOfFileSystem(forPath: configuration.data)
        guard let free = values?[.systemFreeSize] as? NSNumber else { return [] }
        let gigabytes = free.doubleValue / 1e9
        let free_GB = "\((gigabytes * 10).rounded() / 10) GB"
        return [
            Finding("disk", gigabytes > 1 ? .ok : .fail, Words(en: free_GB + " free", zh: "剩余 " + free_GB))
        ]
    }

    private static func words(_ error: any Error) -> Words {
        if let error = error as? DatabaseUnreachable { return error.words }
        return (error as? CRMError)?.message ?? Words(en: "\(error)", zh: "\(error)")
    }
}
