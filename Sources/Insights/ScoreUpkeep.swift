import Contracts
import Kernel
import Platform
import Storage

/// Keeps scores true between two passes: customers who are gone take their scores with them, those who left leave the
/// list, and region and monthly value follow the record. Probabilities wait for the next pass.
struct ScoreUpkeep: Sendable {
    let tenant: String
    let customers: any CustomerReading

    func handle(_ event: CustomersChanged, _ session: any SQLSession) throws {
        guard event.kind != .created else { return }
        let scores = try ScoreStore.scores(event.ids, session)
        guard !scores.isEmpty else { return }
        var differences: [RiskSummaryStore.Key: BandTotals] = [:]
        func count(_ score: ChurnScore, sign: Int) {
            guard score.listed else { return }
            let key = RiskSummaryStore.Key(region: score.region, band: score.band)
            differences[key] =
                (differences[key] ?? BandTotals())
                + BandTotals(
                    customers: sign, monthlyValue: Int64(sign) * score.monthlyValue,
                    expectedLoss: Int64(sign) * score.expectedLoss)
        }
        if event.kind == .removed {
            for score in scores { count(score, sign: -1) }
            try ScoreStore.forget(scores.map(\.customer), session)
        } else {
            let reader = Principal.system(tenant: tenant, "insights.upkeep")
            let cards = try customers.cards(scores.map(\.customer), for: reader, session)
            let known = Dictionary(cards.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            let changed = scores.compactMap { score in
                known[score.customer].map { (score, score.placed(as: $0)) }
            }.filter { $0.0.place != $0.1.place }
            for (before, after) in changed {
                count(before, sign: -1)
                count(after, sign: 1)
            }
            try session.executeMany(
                ScoreStore.place,
                changed.map { _, score in
                    [
                        .id(score.customer), .text(score.region), .int(score.monthlyValue), .text(score.currency),
                        .int(score.priority), .bool(score.listed),
                    ]
                })
        }
        try RiskSummaryStore.adjust(differences, session)
    }
}

extension ChurnScore {
    /// What the record says about the customer, apart from the score.
    struct Place: Equatable {
        let region: String
        let monthlyValue: Int64
        let currency: String
        let listed: Bool
    }

    var place: Place { Place(region: region, monthlyValue: monthlyValue, currency: currency, listed: listed) }

    /// The same score with what the record says now. Who has come back is listed again by the next pass.
    func placed(as card: CustomerCard) -> ChurnScore {
        ChurnScore(
            customer: customer, model: model, probability: probability, band: band, margin: margin, scoredAt: scoredAt,
            reasons: reasons, region: card.region ?? "", monthlyValue: max(0, card.monthlyCharge?.minor ?? 0),
            currency: card.monthlyCharge?.currency ?? currency,
            listed: listed && CustomerStanding.isCustomer(card.status))
    }
}
