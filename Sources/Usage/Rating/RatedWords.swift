import Kernel
import Platform
import Storage

/// What a rated month came to, step by step, in words.
package enum RatedWords {
    /// `20.00`, from thousandths of a minor unit; more decimals only where they are needed.
    package static func amount(_ thousandths: Int64, _ currency: String) -> String {
        thousandths % 1_000 == 0
            ? Money(minor: thousandths / 1_000, currency: currency).amountText : plain(thousandths, currency)
    }

    /// Without grouping, for files.
    static func plain(_ thousandths: Int64, _ currency: String) -> String {
        let places = Money.exponent(of: currency)
        var (value, digits) = (thousandths, places + 3)
        while digits > places, value % 10 == 0 {
            value /= 10
            digits -= 1
        }
        return decimals(value, places: digits)
    }

    static func decimals(_ value: Int64, places: Int) -> String {
        guard places > 0 else { return String(value) }
        let text = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - text.count)) + text
        return (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }

    static func grouped(_ number: Int64) -> String { Money(minor: number, currency: "JPY").amountText }

    /// `16 GB`, `15,565 MB`.
    static func data(_ bytes: Int64) -> String {
        bytes > 0 && bytes % (1 << 30) == 0
            ? "\(grouped(bytes >> 30)) GB" : "\(grouped((bytes + (1 << 19)) >> 20)) MB"
    }

    private static func minutes(_ ms: Int64) -> String {
        ms % 60_000 == 0 ? grouped(ms / 60_000) : decimals((ms * 10 + 30_000) / 60_000, places: 1)
    }

    /// The fee and what calls, messages and data add to it.
    static func steps(_ line: RatedLine) -> [Words] {
        guard let tariff = line.tariff, let rated = line.rated else { return [] }
        func money(_ minor: Int64) -> String { Money(minor: minor, currency: rated.currency).amountText }
        func price(_ thousandths: Int64) -> String { amount(thousandths, rated.currency) }
        var steps = [Words(en: "Fee \(money(rated.fee))", zh: "月费 \(money(rated.fee))")]
        let rounding =
            switch tariff.voiceRounding {
            case .call: Words(en: "each call rounded up", zh: "每通向上取整")
            case .month: Words(en: "the month rounded up", zh: "按月向上取整")
            case .none: Words(en: "not rounded", zh: "不取整")
            }
        func part(_ part: RatedUse.Part, _ name: Words, _ used: Words, _ included: String, _ beyond: String, per: String) {
            guard part.used > 0 else { return }
            let head = Words(
                en: "\(name.en): \(used.en), \(included) included", zh: "\(name.zh)：\(used.zh)，套内 \(included)")
            guard part.beyond > 0 else {
                return steps.append(Words(en: head.en + ", nothing beyond", zh: head.zh + "，未超出"))
            }
            steps.append(
                Words(
                    en: "\(head.en), \(beyond) beyond × \(per) = \(money(part.amount))",
                    zh: "\(head.zh)，超出 \(beyond) × \(per) = \(money(part.amount))"))
        }
        let voice = rated.voice
        part(
            voice, Words(en: "Calls", zh: "通话"),
            Words(
                en: "\(minutes(voice.used)) min (\(rounding.en))", zh: "\(minutes(voice.used)) 分钟（\(rounding.zh)）"),
            minutes(voice.included), minutes(voice.beyond), per: price(tariff.perMinute))
        let sms = rated.messages
        part(
            sms, Words(en: "Messages", zh: "短信"), Words(en: grouped(sms.used), zh: "\(grouped(sms.used)) 条"),
            grouped(sms.included), grouped(sms.beyond), per: price(tariff.perMessage))
        let bytes = rated.data
        let isRounded = bytes.used != line.use.dataBytes
        part(
            bytes, Words(en: "Data", zh: "流量"),
            isRounded
                ? Words(
                    en: "\(mb(line.use.dataBytes)), the month rounded up to \(data(bytes.used))",
                    zh: "\(mb(line.use.dataBytes))，按月向上取整为 \(data(bytes.used))") : Words(en: data(bytes.used), zh: data(bytes.used)),
            data(bytes.included), data(bytes.beyond), per: price(tariff.perGigabyte) + "/GB")
        if line.use.isFromMonth {
            steps.append(
                Words(
                    en: "Only the sums of the month were sent: minutes and megabytes as they came.",
                    zh: "来源仅提供月度合计：分钟与流量按合计计算。"))
        }
        return steps
    }

    private static func mb(_ bytes: Int64) -> String { "\(grouped((bytes + (1 << 19)) >> 20)) MB" }
}

/// Rated months for the customer's page of usage.
package struct UsageMonthRating: MonthRating {
    private let base: any UsageBase
    /// A year of 200 lines and some.
    static let rowsMax = 2_500

    package init(base: any UsageBase) { self.base = base }

    package var permission: Permission { UsageModule.view }

    package func rated(
        _ customers: [CustomerID], from: String, through: String, for principal: Principal, _ session: any SQLSession
    ) throws -> (months: [RatedMonth], isWhole: Bool) {
        let tariffs = try TariffStore.all(session)
        guard !tariffs.isEmpty else { return ([], true) }
        let book = TariffBook(tariffs)
        var lines: [RatedLine] = []
        func more(_ limit: Int) throws -> [RatedLine] {
            let question = LineMonthQuestion(
                from: from, through: through, customers: customers, after: lines.last?.month.place, limit: limit)
            return try UsageRating.step(question, book, base, principal, session)
        }
        var isWhole = false
        while !isWhole, lines.count < Self.rowsMax {
            let some = try more(Limits.sqlListChunk)
            lines += some
            isWhole = some.count < Limits.sqlListChunk
        }
        if !isWhole { isWhole = try more(1).isEmpty }
        let months = lines.sorted {
            ($0.month.total.month, $1.month.total.line.subscription) > ($1.month.total.month, $0.month.total.line.subscription)
        }.map { line in
            RatedMonth(
                month: line.month.total.month, plan: line.month.plan, number: line.month.number, tariff: line.tariff?.name,
                total: line.rated.map { Money(minor: $0.total, currency: $0.currency) }, steps: RatedWords.steps(line))
        }
        return (months, isWhole)
    }
}
