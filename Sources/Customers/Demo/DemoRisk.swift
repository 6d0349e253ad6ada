import Compute
import Foundation

/// What an invented customer lives through before the day on which they decide to stay or to leave, and how it decides.
/// The causes are the ones operators know; a hidden part (`luck`) keeps the best possible model away from certainty.
struct DemoRisk: Sendable {
    var tenureMonths = 0
    var monthToMonth = false
    /// Months until the term ends; `nil` without a term or after it.
    var monthsToTermEnd: Int?
    /// Percent by which the bill rose in the last six months; 0 = no rise.
    var priceRisePercent = 0
    /// Calls of the last 90 days that were dropped, percent.
    var droppedCallPercent = 0.0
    /// Complaints in the last 90 days.
    var complaints = 0
    /// Bills of the last year paid late or not at all.
    var overdueBills = 0
    /// Change of use over the last six months, -0.8 ... 0.4.
    var usageDrift = 0.0
    var familyPlan = false
    var autopay = false
    var addOns = 0
    var age: Int?
    var isOrganisation = false
    /// How hard competitors push in the customer's city, 0 ... 1.
    var rivalry = 0.0
    /// Satisfaction of the last survey, 1 ... 5; most do not answer.
    var satisfaction: Int?
    /// The part nobody sees: standard normal.
    var luck = 0.0

    /// The share of each cause in the log-odds of leaving.
    var causes: [(reason: DemoCatalogue.Reason, weight: Double)] {
        [
            (.price, priceRisePercent > 0 ? 1.1 + Double(priceRisePercent) * 0.045 : 0),
            (.network, max(0, droppedCallPercent - 1) * 0.9),
            (.service, Double(min(complaints, 5)) * 0.95),
            (.unpaid, Double(min(overdueBills, 5)) * 0.65),
            (.contractEnd, (monthsToTermEnd ?? 99) <= 2 ? 1.9 : 0),
            (.competitorOffer, monthToMonth ? 0.5 + rivalry * 1.3 : rivalry * 0.5),
            (.notNeeded, max(0, -usageDrift - 0.1) * 4.2),
        ]
    }

    /// Log-odds of leaving. The constants were set so that about one in six leaves and a good model reaches an area
    /// under the ROC curve of about 0.85.
    var logOdds: Double {
        var sum = -3.1 + causes.reduce(0) { $0 + $1.weight }
        sum += monthToMonth ? 0.75 : -0.5
        sum -= min(Double(tenureMonths), 72) * 0.027
        sum -= familyPlan ? 0.75 : 0
        sum -= autopay ? 0.35 : 0
        sum -= Double(min(addOns, 3)) * 0.22
        sum -= isOrganisation ? 0.5 : 0
        if let age { sum += age < 28 ? 0.3 : age > 60 ? -0.4 : 0 }
        // Two troubles at once are worse than their sum.
        if complaints > 0, droppedCallPercent > 2 { sum += 0.6 }
        if priceRisePercent > 0, monthToMonth { sum += 0.5 }
        return sum + luck * 0.45
    }

    var probability: Double { 1 / (1 + exp(-logOdds)) }

    /// The reason that is written down: mostly the strongest cause, sometimes what people say instead.
    func reason(_ random: inout SeededRandom) -> DemoCatalogue.Reason {
        if random.unit() < 0.12 { return random.unit() < 0.5 ? .moved : .notNeeded }
        var best: (reason: DemoCatalogue.Reason, weight: Double) = (.competitorOffer, 0.3)
        for cause in causes {
            // An offer is what people fall back on when nothing else troubles them.
            let share = cause.reason == .competitorOffer ? 0.5 : 1
            let weight = cause.weight * share * (0.6 + 0.8 * random.unit())
            if weight > best.weight { best = (cause.reason, weight) }
        }
        return best.reason
    }
}
