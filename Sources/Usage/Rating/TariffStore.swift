import Kernel
import Platform
import Storage

/// The tariffs somebody told.
enum TariffStore {
    static let all: SQL = """
        SELECT name, valid_from, plans, currency, fee, minutes, messages, megabytes, per_minute, per_message, per_gigabyte,
          voice_rounding, data_step_mb
        FROM usage_tariff ORDER BY name, valid_from LIMIT $1
        """
    static let put: SQL = """
        INSERT INTO usage_tariff (name, valid_from, plans, currency, fee, minutes, messages, megabytes, per_minute, per_message,
          per_gigabyte, voice_rounding, data_step_mb, changed_at, changed_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (name, valid_from) DO UPDATE SET plans = excluded.plans, currency = excluded.currency, fee = excluded.fee,
          minutes = excluded.minutes, messages = excluded.messages, megabytes = excluded.megabytes,
          per_minute = excluded.per_minute, per_message = excluded.per_message, per_gigabyte = excluded.per_gigabyte,
          voice_rounding = excluded.voice_rounding, data_step_mb = excluded.data_step_mb, changed_at = excluded.changed_at,
          changed_by_name = excluded.changed_by_name
        """
    static let remove: SQL = "DELETE FROM usage_tariff WHERE name = $1 AND valid_from = $2"
    static let tariffsMax = 10_000

    static func all(_ session: any SQLSession) throws -> [Tariff] { try session.query(all, [.int(tariffsMax)], tariff) }

    static func asking(_ session: any SQLSession) throws -> Asked<[Tariff]> {
        try session.asking(all, [.int(tariffsMax)], tariff)
    }

    private static func tariff(_ row: Row) -> Tariff {
        var tariff = Tariff(name: row.text(0), currency: row.text(3))
        tariff.validFrom = row.text(1)
        tariff.plans = row.text(2).split(separator: "\n").map(String.init)
        tariff.fee = row.int(4)
        tariff.minutes = row.int(5)
        tariff.messages = row.int(6)
        tariff.megabytes = row.int(7)
        tariff.perMinute = row.int(8)
        tariff.perMessage = row.int(9)
        tariff.perGigabyte = row.int(10)
        tariff.voiceRounding = Tariff.VoiceRounding(rawValue: row.text(11)) ?? .call
        tariff.dataStepMB = row.int(12)
        return tariff
    }

    /// Adds tariffs, or puts them in the place of those of the same name and month.
    /// - Throws: `CRMError` 422 when then two tariffs are for one plan.
    static func set(_ tariffs: [Tariff], at now: Instant, by: String, _ session: any SQLSession) throws {
        let written = Set(tariffs.map { $0.name + "\n" + $0.validFrom })
        let known = try all(session).filter { !written.contains($0.name + "\n" + $0.validFrom) }
        guard known.count + tariffs.count < tariffsMax else {
            throw CRMError.invalid(
                "tariffs", "too_many",
                Words(en: "There may be fewer than \(tariffsMax) tariffs.", zh: "资费数量须少于 \(tariffsMax)。"))
        }
        try TariffBook(known + tariffs).check()
        try session.executeMany(
            put,
            tariffs.map { tariff in
                [
                    .text(tariff.name), .text(tariff.validFrom), .text(tariff.plans.joined(separator: "\n")),
                    .text(tariff.currency), .int(tariff.fee), .int(tariff.minutes), .int(tariff.messages),
                    .int(tariff.megabytes), .int(tariff.perMinute), .int(tariff.perMessage), .int(tariff.perGigabyte),
                    .text(tariff.voiceRounding.rawValue), .int(tariff.dataStepMB), .time(now), .text(by),
                ]
            })
    }

    static func setEntry(_ tariffs: [Tariff]) -> AuditEntry {
        let names = tariffs.prefix(20).map { $0.name + ($0.validFrom.isEmpty ? "" : " \($0.validFrom)") }
        return AuditEntry(
            "usage.tariff.set", [],
            facts: ["count": .int(Int64(tariffs.count)), "tariff": .string(names.joined(separator: ", "))])
    }

    /// - Throws: `CRMError` 404 when there is none of that name and month.
    static func remove(_ name: String, from month: String, _ session: any SQLSession) throws {
        guard try session.execute(remove, [.text(name), .text(month)]) == 1 else { throw CRMError.notFound }
    }

    static func removeEntry(_ name: String, from month: String) -> AuditEntry {
        AuditEntry("usage.tariff.remove", [], facts: ["tariff": .string(name), "month": .string(month)])
    }
}

extension UsageService {
    package func tariffs() async throws -> [Tariff] { try await tenant.database.read { try TariffStore.all($0) } }

    /// For somebody on the machine.
    package func setTariffs(_ tariffs: [Tariff], principal: Principal) async throws {
        try await tenant.database.write { [tenant] session in
            try TariffStore.set(tariffs, at: tenant.clock.now(), by: principal.userName, session)
            try tenant.audit.record(TariffStore.setEntry(tariffs), by: principal, session)
        }
    }

    package func removeTariff(_ name: String, from month: String, principal: Principal) async throws {
        try await tenant.database.write { [tenant] session in
            try TariffStore.remove(name, from: month, session)
            try tenant.audit.record(TariffStore.removeEntry(name, from: month), by: principal, session)
        }
    }
}
