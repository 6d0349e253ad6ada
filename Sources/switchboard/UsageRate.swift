import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Platform
import Usage

/// Rates months of usage by tariffs.
struct UsageRate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate",
        abstract: "Rate the months of all lines by tariffs: fee, allowances, price beyond.",
        discussion: """
            Each line is rated by the tariff of the plan it has today (names are compared without case and spaces; a tariff
            whose plans hold * takes every plan no other is for). Tariffs are those that are kept (usage tariff set FILE, or the
            page of tariffs), or with --plan those of a file, or with --plan the name of one for every line. Only lines with use in
            the month are rated; nobody is billed. --out writes every line with its steps. Exit code 2 says that some lines have no
            tariff. docs/usage-rating.md tells the columns of a file and how amounts are rounded.
            """)
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "Month, such as 2026-01.") var month: String
    @Option(name: .long, help: "Last month of a span that begins with --month.") var through: String?
    @Option(name: .long, help: "File of tariffs, or the name of a kept tariff that rates every line.") var plan: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .long, help: "CSV file to write, a row for each month of a line.") var out: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            if let out { try FileTrouble.checkOutput(out) }
            _ = try Self.asUsage { try UsageRating.months(from: month, through: through ?? month) }
            try await common.withTenant { runtime, tenant in
                let principal = runtime.operatorPrincipal(tenant: tenant.name)
                let service = runtime.modules.usage(tenant)
                let (book, only) = try tariffs(currency: tenant.currency)
                let rating = try await service.rate(
                    from: month, through: through ?? month, book: book, only: only, principal: principal)
                let say = try Say(runtime.share)
                if let out {
                    // Whose number used how much is for whoever asked for it only.
                    FileManager.default.createFile(atPath: out, contents: nil, attributes: [.posixPermissions: 0o600])
                    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: out))
                    let file = RatingFile(rating, Masking(principal))
                    while let bytes = try await file.next() { try handle.write(contentsOf: Data(bytes)) }
                    try handle.close()
                } else {
                    while !(try await rating.next()).isEmpty {}
                }
                try print(rating.report, say)
                if rating.report.unrated > 0 { throw ExitCode(2) }
            }
        }
    }

    /// A file where there is one, or where it is written like one; else the name of a tariff.
    private func tariffs(currency: String) throws -> (book: [Tariff]?, only: String?) {
        guard let plan else { return (nil, nil) }
        let isFile =
            FileManager.default.fileExists(atPath: plan) || plan.contains("/")
            || [".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".xml", ".gz", ".zip"].contains { plan.lowercased().hasSuffix($0) }
        guard isFile else {
            guard sheet == nil, skipRows == nil else {
                throw WrongUsage(
                    Words(
                        en: "--sheet and --skip-rows are of a file, and “\(plan)” is the name of a tariff",
                        zh: "--sheet 与 --skip-rows 用于文件，而“\(plan)”是资费名称"))
            }
            return (nil, plan)
        }
        return (try UsageTariff.read(plan, currency: currency, sheet: sheet, skipRows: skipRows), nil)
    }

    static func asUsage<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as CRMError where error.status == 422 {
            throw WrongUsage(error.fields.first?.message ?? error.message)
        }
    }

    private func print(_ report: RatingReport, _ say: Say) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Terminal.out(String(decoding: try encoder.encode(report), as: UTF8.self))
        }
        if report.rated + report.unrated == 0 {
            Terminal.out(say("cli.usage.rate.none", ["months": through.map { "\(month) – \($0)" } ?? month]))
        }
        for sum in report.tariffs {
            func money(_ minor: Int64) -> String { Money(minor: minor, currency: sum.currency).amountText }
            Terminal.out(
                say(
                    "cli.usage.rate.head",
                    [
                        "tariff": Terminal.plain(sum.tariff), "months": "\(sum.months)", "total": money(sum.total),
                        "currency": sum.currency, "mean": money(sum.mean),
                    ]))
            Terminal.out(
                "  "
                    + say(
                        "cli.usage.rate.parts",
                        [
                            "fee": money(sum.fee), "calls": money(sum.calls), "messages": money(sum.messages),
                            "data": money(sum.data),
                        ]))
        }
        if report.fromMonths > 0 { Terminal.out("  " + say("cli.usage.rate.fromMonths", ["count": "\(report.fromMonths)"])) }
        for (plan, count) in report.withoutTariff.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            let key = plan.isEmpty ? "cli.usage.rate.noPlan" : "cli.usage.rate.without"
            Terminal.out("  " + say(key, ["count": "\(count)", "plan": Terminal.plain(plan)]))
        }
        if let out {
            Terminal.out(
                say("cli.usage.rate.written", ["file": Terminal.plain(out), "lines": "\(report.rated + report.unrated)"]))
        }
    }
}

/// The tariffs that are kept.
struct UsageTariff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tariff", abstract: "Keep the tariffs that months are rated by.",
        subcommands: [UsageTariffList.self, UsageTariffSet.self, UsageTariffRemove.self])

    /// - Throws: `CRMError` with row and column of what cannot be read.
    static func read(_ file: String, currency: String, sheet: String?, skipRows: Int?) throws -> [Tariff] {
        try FileTrouble.checkFile(file)
        try ImportService.check(skipRows: skipRows)
        return try TariffFile.read(path: file, currency: currency, sheet: sheet, skipRows: skipRows)
    }
}

struct UsageTariffList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tariffs that are kept.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Terminal.run(json: false) {
            try await common.withTenant { runtime, tenant in
                let say = try Say(runtime.share)
                let all = try await runtime.modules.usage(tenant).tariffs()
                if all.isEmpty { Terminal.out(say("cli.usage.tariff.none")) }
                for tariff in all { Terminal.out(Self.line(tariff, say)) }
            }
        }
    }

    private static func line(_ tariff: Tariff, _ say: Say) -> String {
        func price(_ thousandths: Int64) -> String { RatedWords.amount(thousandths, tariff.currency) }
        let plans = tariff.plans.joined(separator: ", ")
        return say(
            "cli.usage.tariff.line",
            [
                "name": Terminal.plain(tariff.name),
                "from": tariff.validFrom.isEmpty ? "" : say("cli.usage.tariff.from", ["month": tariff.validFrom]),
                "fee": Money(minor: tariff.fee, currency: tariff.currency).amountText, "currency": tariff.currency,
                "minutes": "\(tariff.minutes)", "messages": "\(tariff.messages)", "megabytes": "\(tariff.megabytes)",
                "perMinute": price(tariff.perMinute), "perMessage": price(tariff.perMessage),
                "perGigabyte": price(tariff.perGigabyte),
                "plans": plans.isEmpty ? "" : say("cli.usage.tariff.plans", ["plans": Terminal.plain(plans)]),
            ])
    }
}

struct UsageTariffSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Keep the tariffs of a file; one of the same name and month is replaced.",
        discussion: "Columns: name, valid_from, plans, currency, monthly_fee, minutes_included, messages_included, mb_included or gb_included, per_minute, per_message, per_gb or per_mb, voice_rounding, data_step_mb; name and monthly_fee are needed. docs/usage-rating.md tells each.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?

    func run() async throws {
        try await Terminal.run(json: false) {
            try await common.withTenant { runtime, tenant in
                let tariffs = try UsageTariff.read(file, currency: tenant.currency, sheet: sheet, skipRows: skipRows)
                try await runtime.modules.usage(tenant).setTariffs(
                    tariffs, principal: runtime.operatorPrincipal(tenant: tenant.name))
                Terminal.out(try Say(runtime.share)("cli.usage.tariff.saved", ["count": "\(tariffs.count)"]))
            }
        }
    }
}

struct UsageTariffRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a tariff that is kept.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "Name of the tariff.") var name: String
    @Option(name: .long, help: "The month it is valid from, when it has one.") var from: String?

    func run() async throws {
        try await Terminal.run(json: false) {
            try await common.withTenant { runtime, tenant in
                try await runtime.modules.usage(tenant).removeTariff(
                    name, from: from ?? "", principal: runtime.operatorPrincipal(tenant: tenant.name))
                Terminal.out(try Say(runtime.share)("cli.usage.tariff.removed", ["name": Terminal.plain(name)]))
            }
        }
    }
}
