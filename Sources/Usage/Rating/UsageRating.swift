import Kernel
import Platform
import Storage
import Tabular

/// A month of a line and what it comes to.
package struct RatedLine: Sendable {
    package let month: LineMonth
    package let use: MonthUse
    package let tariff: Tariff?
    /// `nil` = no tariff is for the plan in that month.
    package let rated: RatedUse?
}

/// Rates months: reads what is known of lines in steps, and rates each by the tariff of its plan.
package enum UsageRating {
    static let sums: SQL = """
        SELECT customer_id, subscription_id, SUBSTR(day, 1, 7), CAST(SUM(voice_ms) AS BIGINT),
          CAST(SUM(billed_minutes) AS BIGINT), CAST(SUM(sms) AS BIGINT), CAST(SUM(data_bytes) AS BIGINT)
        FROM usage_day WHERE day >= $1 AND day < $2
        """
    static let stepRows = 500

    private struct Key: Hashable {
        let line: LineRef
        let month: String
    }

    /// - Parameters:
    ///   - question: at most `Limits.sqlListChunk` rows.
    /// - Throws: `CRMError` of what cannot be read; the database's own.
    static func step(
        _ question: LineMonthQuestion, _ book: TariffBook, _ base: any UsageBase, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> [RatedLine] {
        let months = try base.months(question, for: principal, session)
        guard !months.isEmpty, let end = LocalDate(question.through + "-01")?.adding(months: 1) else { return [] }
        var exact: [Key: MonthUse] = [:]
        for customers in Array(Set(months.map(\.total.line.customer))).sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(sums, [.text(question.from + "-01"), .text(end.description)])
            builder.appendIn("AND customer_id", customers.map { .id($0) })
            builder.append("GROUP BY customer_id, subscription_id, SUBSTR(day, 1, 7)")
            for (key, use) in try session.query(builder, { row -> (Key, MonthUse) in
                var use = MonthUse()
                use.voiceMs = row.int(3)
                use.billedMinutes = row.int(4)
                use.messages = row.int(5)
                use.dataBytes = row.int(6)
                return (Key(line: LineRef(customer: row.id(0), subscription: row.id(1)), month: row.text(2)), use)
            }) {
                exact[key] = use
            }
        }
        return months.map { month in
            let use = exact[Key(line: month.total.line, month: month.total.month)] ?? ofMonth(month.total)
            let tariff = book.tariff(of: month.plan, in: month.total.month)
            return RatedLine(month: month, use: use, tariff: tariff, rated: tariff?.rate(use))
        }
    }

    /// Of a month that came as a sum nobody knows more than the sum.
    private static func ofMonth(_ total: UsageMonthTotal) -> MonthUse {
        var use = MonthUse()
        use.billedMinutes = total.voiceMinutes
        use.voiceMs = total.voiceMinutes * 60_000
        use.messages = total.sms
        use.dataBytes = total.dataMB << 20
        use.isFromMonth = true
        return use
    }

    /// - Throws: `CRMError` 422 for what are no months, or a span of more than `monthsMax`.
    package static func months(from: String, through: String) throws -> (from: String, through: String) {
        guard from.count == 7, through.count == 7, let first = LocalDate(from + "-01"), let last = LocalDate(through + "-01"),
            (1990...9_999).contains(first.year), first <= last, first.adding(months: monthsMax) > last
        else {
            throw CRMError.invalid(
                "month", "month",
                Words(
                    en: "Months are written 2026-01, the first before the last, at most \(monthsMax) of them.",
                    zh: "月份格式为 2026-01，起始月份须早于结束月份，最多 \(monthsMax) 个月。"))
        }
        return (from, through)
    }
    package static let monthsMax = 36
}

/// What the months of many lines come to, by tariff.
package struct RatingReport: Sendable, Codable {
    package struct Sum: Sendable, Codable {
        package let tariff: String
        package let currency: String
        /// Months of lines.
        package var months: Int
        /// Minor units, as the others.
        package var fee: Int64
        package var calls: Int64
        package var messages: Int64
        package var data: Int64
        package var total: Int64
        /// Of a month of a line, rounded to the nearest minor unit.
        package var mean: Int64 { months == 0 ? 0 : (total * 2 + Int64(months)) / (Int64(months) * 2) }

        private enum CodingKeys: String, CodingKey { case tariff, currency, months, fee, calls, messages, data, total }
    }

    package let from: String
    package let through: String
    package private(set) var rated = 0
    /// Of them only the sums of the month were known.
    package private(set) var fromMonths = 0
    package private(set) var tariffs: [Sum] = []
    /// Plans without a tariff: months of lines. The key of no plan is empty.
    package private(set) var withoutTariff: [String: Int] = [:]

    package init(from: String, through: String) {
        self.from = from
        self.through = through
    }

    package var unrated: Int { withoutTariff.values.reduce(0, +) }

    mutating func add(_ line: RatedLine) {
        guard let tariff = line.tariff, let rated = line.rated else {
            withoutTariff[line.month.plan ?? "", default: 0] += 1
            return
        }
        self.rated += 1
        if line.use.isFromMonth { fromMonths += 1 }
        let known = tariffs.firstIndex { $0.tariff == tariff.name && $0.currency == tariff.currency }
        let place = known ?? tariffs.endIndex
        if known == nil {
            tariffs.append(
                Sum(tariff: tariff.name, currency: tariff.currency, months: 0, fee: 0, calls: 0, messages: 0, data: 0, total: 0))
        }
        tariffs[place].months += 1
        tariffs[place].fee += rated.fee
        tariffs[place].calls += rated.voice.amount
        tariffs[place].messages += rated.messages.amount
        tariffs[place].data += rated.data.amount
        tariffs[place].total += rated.total
    }

    mutating func settle() { tariffs.sort { ($0.tariff, $0.currency) < ($1.tariff, $1.currency) } }
}

/// Reads and rates step by step; each step is a read of its own, so a rating of millions holds no snapshot open. Used by one
/// task at a time.
package final class RatingRun: @unchecked Sendable {
    package private(set) var report: RatingReport
    private let book: TariffBook
    private let service: UsageService
    private let principal: Principal
    private var after: LineMonthPlace?
    private var hasEnded = false

    init(_ months: (from: String, through: String), _ book: TariffBook, _ service: UsageService, _ principal: Principal) {
        report = RatingReport(from: months.from, through: months.through)
        self.book = book
        self.service = service
        self.principal = principal
    }

    /// The next lines; empty at the end.
    package func next() async throws -> [RatedLine] {
        if hasEnded { return [] }
        let question = LineMonthQuestion(
            from: report.from, through: report.through, after: after, limit: UsageRating.stepRows)
        let lines = try await service.tenant.database.read { [book, service, principal] session in
            try UsageRating.step(question, book, service.base, principal, session)
        }
        guard let last = lines.last else {
            hasEnded = true
            report.settle()
            return []
        }
        after = last.month.place
        for line in lines { report.add(line) }
        return lines
    }
}

/// The rated months as CSV.
package struct RatingCSV {
    static let columns = [
        "month", "customer", "reference", "line", "number", "plan", "tariff", "currency", "fee", "minutes", "minutes_included",
        "minutes_beyond", "minutes_amount", "messages", "messages_included", "messages_beyond", "messages_amount", "data_mb",
        "data_mb_charged", "data_mb_included", "data_mb_beyond", "data_amount", "total", "note",
    ]
    private var csv = CSVWriter(byteOrderMark: true)
    private let masking: Masking

    package init(_ masking: Masking) {
        self.masking = masking
        csv.row(Self.columns)
    }

    package mutating func add(_ line: RatedLine) {
        let month = line.month
        var cells: [String?] = [
            month.total.month, month.total.line.customer.description, month.reference, month.total.line.subscription.description,
            masking.apply(.phone, month.number), month.plan,
        ]
        if let tariff = line.tariff, let rated = line.rated {
            func money(_ minor: Int64) -> String { RatedWords.plain(minor * 1_000, rated.currency) }
            func minutes(_ ms: Int64) -> String { Self.thousandths(ms, of: 60_000) }
            func mb(_ bytes: Int64) -> String { Self.thousandths(bytes, of: 1 << 20) }
            cells += [
                tariff.name, rated.currency, money(rated.fee), minutes(rated.voice.used), minutes(rated.voice.included),
                minutes(rated.voice.beyond), money(rated.voice.amount), String(rated.messages.used),
                String(rated.messages.included), String(rated.messages.beyond), money(rated.messages.amount),
                mb(line.use.dataBytes), mb(rated.data.used), mb(rated.data.included), mb(rated.data.beyond),
                money(rated.data.amount), money(rated.total), line.use.isFromMonth ? "month_only" : nil,
            ]
        } else {
            cells += Array(repeating: nil, count: Self.columns.count - cells.count - 1) + ["no_tariff"]
        }
        csv.row(cells)
    }

    /// What was written since the last call.
    package mutating func take() -> [UInt8] { csv.take() }

    /// With three decimals at most.
    private static func thousandths(_ value: Int64, of unit: Int64) -> String {
        let whole = value / unit
        let rest = (value % unit * 1_000 + unit / 2) / unit
        guard rest > 0 else { return String(whole) }
        return RatedWords.decimals(whole * 1_000 + rest, places: 3)
    }
}

extension UsageService {
    static func ratingEntry(
        _ months: (from: String, through: String), tariff: String?, _ masking: Masking
    ) -> AuditEntry {
        AuditEntry(
            "usage.month.rate", [],
            facts: ["month": .string(months.from == months.through ? months.from : "\(months.from)..\(months.through)")]
                .merging(tariff.map { ["tariff": .string($0)] } ?? [:]) { mine, _ in mine },
            unmasked: masking.shows(.phone) ? ["msisdn"] : [])
    }

    /// Rates months for somebody on the machine; recorded before the first line is given.
    /// - Parameters:
    ///   - book: `nil` = the tariffs that are stored.
    ///   - only: rates every line, whatever its plan.
    /// - Throws: `CRMError` 422 for what are no months, when there are no tariffs, or none of that name.
    package func rate(
        from: String, through: String, book: [Tariff]?, only: String? = nil, principal: Principal
    ) async throws -> RatingRun {
        let months = try UsageRating.months(from: from, through: through)
        var tariffs = book ?? []
        if book == nil { tariffs = try await self.tariffs() }
        guard !tariffs.isEmpty else { throw Self.noTariffs }
        if let only, !tariffs.contains(where: { Tariff.key($0.name) == Tariff.key(only) }) {
            throw CRMError.invalid(
                "tariff", "no_such_tariff",
                Words(en: "There is no tariff “\(only)” and no file of that name.", zh: "没有名为“\(only)”的资费，也没有该文件。"))
        }
        let rated = TariffBook(tariffs, only: only)
        if only == nil { try rated.check() }
        try await tenant.database.write { [tenant] session in
            try tenant.audit.record(
                Self.ratingEntry(months, tariff: only, Masking(principal)), by: principal, session)
        }
        return RatingRun(months, rated, self, principal)
    }

    static let noTariffs = CRMError.invalid(
        "tariffs", "no_tariffs",
        Words(
            en: "Nobody has told a tariff yet. Give a file of tariffs, or keep them on the page of tariffs.",
            zh: "尚未设置资费。请提供资费文件，或在资费页面中保存。"))
}
