import Contracts
import Kernel
import Platform
import Storage

/// Which bands the list shows.
enum BandChoice: Sendable, Hashable {
    case all
    /// This band and those above it.
    case from(RiskBand)
    case only(RiskBand)

    /// As the form offers them.
    static let offered: [BandChoice] =
        [.from(.medium), .from(.high)] + RiskBand.allCases.reversed().map { .only($0) } + [.all]

    /// `medium_up`, `critical`, `all`.
    var code: String {
        switch self {
        case .all: "all"
        case .from(let band): band.rawValue + "_up"
        case .only(let band): band.rawValue
        }
    }

    init?(code: String) {
        guard let found = Self.offered.first(where: { $0.code == code }) else { return nil }
        self = found
    }

    /// The bands shown, the highest first; `nil` = whatever the band.
    var bands: [RiskBand]? {
        switch self {
        case .all: nil
        case .from(let lowest):
            RiskBand.allCases.reversed().filter { $0 >= lowest }
        case .only(let band): [band]
        }
    }

    func label(_ call: Call) -> String {
        switch self {
        case .all: call.text("insights.all")
        case .from: call.text("insights.band." + code)
        case .only(let band): band.label(call.language)
        }
    }

    /// The week's work: those at high and critical risk when they fill a page, else also those at medium risk. A big
    /// customer whom nothing drives away would otherwise stand above everybody for the size of the bill.
    static func standard(_ summary: RiskSummary?) -> BandChoice {
        (summary?.endangered ?? 0) >= Limits.pageSize ? .from(.high) : .from(.medium)
    }
}

/// What the list of whom to call is narrowed to. All of it may stand in a URL.
struct RiskFilter: Sendable, Equatable {
    var state = ContactState.open
    /// `nil` = not chosen.
    var band: BandChoice?
    var region: String?
    /// Critical now, and not before the last pass.
    var newlyCritical = false

    /// `state=done&band=high`; empty for the plain list.
    var query: [(String, String)] {
        var fields: [(String, String)] = []
        if state != .open { fields.append(("state", state.rawValue)) }
        if let band { fields.append(("band", band.code)) }
        if let region { fields.append(("region", region)) }
        if newlyCritical { fields.append(("new", "1")) }
        return fields
    }
}

/// Active customers by expected monthly loss, within the reader's scope and the chosen bands.
struct RiskList: Sendable {
    let customers: any CustomerReading

    struct Entry: Sendable {
        let score: ChurnScore
        let card: CustomerCard
        /// The last contact of any week.
        let last: ContactEntry?
    }

    /// Where a page ended.
    struct Cursor: Sendable, Equatable {
        let priority: Int64
        let customer: CustomerID

        init(priority: Int64, customer: CustomerID) {
            self.priority = priority
            self.customer = customer
        }

        init?(_ text: String) {
            let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let priority = Int64(parts[0]), priority >= 0, let customer = CustomerID(parts[1])
            else { return nil }
            self.init(priority: priority, customer: customer)
        }

        var text: String { "\(priority)-\(customer)" }
    }

    /// Rounds of reading when most candidates turn out to be out of reach; a scoped list never scans the base.
    private static let roundsMax = 20

    func page(
        _ filter: RiskFilter, after: Cursor?, limit: Int, week: String, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Page<Entry> {
        var found: [(ChurnScore, CustomerCard)] = []
        var cursor = after
        for _ in 0..<Self.roundsMax where found.count <= limit {
            let wanted = limit + 1
            let candidates = try candidates(filter, after: cursor, limit: wanted, week: week, principal.scope, session)
            let cards = try customers.cards(candidates.map(\.customer), for: principal, session)
            let known = Dictionary(cards.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for score in candidates {
                // Left since the last pass, out of the reader's reach, or somebody who is in the list by another record.
                guard let card = known[score.customer], CustomerStanding.isCustomer(card.status), !card.isBehind
                else { continue }
                found.append((score, card))
            }
            guard candidates.count == wanted, let last = candidates.last else { break }
            cursor = Cursor(priority: last.priority, customer: last.customer)
        }
        let shown = found.prefix(limit)
        let contacts = try ContactPlanStore.last(shown.map { $0.0.customer }, session)
        let next =
            found.count > limit
            ? shown.last.map { Cursor(priority: $0.0.priority, customer: $0.0.customer).text } : nil
        return Page(
            items: shown.map { Entry(score: $0.0, card: $0.1, last: contacts[$0.0.customer]) }, next: next)
    }

    /// One reading a band and the best of them: each runs along the index of its band, however many are below it.
    private func candidates(
        _ filter: RiskFilter, after: Cursor?, limit: Int, week: String, _ scope: RecordScope,
        _ session: any SQLSession
    ) throws -> [ChurnScore] {
        guard let bands = filter.band?.bands else {
            return try candidates(filter, nil, after: after, limit: limit, week: week, scope, session)
        }
        let found = try bands.flatMap {
            try candidates(filter, $0, after: after, limit: limit, week: week, scope, session)
        }
        let order = found.sorted { ($0.priority, $0.customer) > ($1.priority, $1.customer) }
        return Array(order.prefix(limit))
    }

    private func candidates(
        _ filter: RiskFilter, _ band: RiskBand?, after: Cursor?, limit: Int, week: String, _ scope: RecordScope,
        _ session: any SQLSession
    ) throws -> [ChurnScore] {
        var builder = SQLBuilder(ScoreStore.select)
        builder.append("WHERE listed")
        if let band { builder.append("AND band = ?", .text(band.rawValue)) }
        if filter.newlyCritical { builder.append("AND band = 'critical' AND previous_band <> 'critical'") }
        if let region = filter.region { builder.append("AND region = ?", .text(region)) }
        if let regions = scope.regions {
            builder.appendIn("AND region", regions.prefix(Limits.sqlListChunk).map { .text($0) })
        }
        switch filter.state {
        case .open:
            builder.append(
                """
                AND NOT EXISTS (SELECT 1 FROM insights_contact_plan p
                WHERE p.customer_id = insights_churn_score.customer_id AND p.week = ? AND p.state <> 'open')
                """, .text(week))
        case .done, .skipped:
            builder.append(
                """
                AND EXISTS (SELECT 1 FROM insights_contact_plan p
                WHERE p.customer_id = insights_churn_score.customer_id AND p.week = ? AND p.state = ?)
                """, .text(week), .text(filter.state.rawValue))
        }
        if let after {
            builder.append("AND (priority, customer_id) < (?, ?)", .int(after.priority), .id(after.customer))
        }
        builder.append("ORDER BY priority DESC, customer_id DESC LIMIT ?", .int(limit))
        return try session.query(builder, ScoreStore.score)
    }
}
