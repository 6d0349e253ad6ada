import Foundation
import Kernel
import Storage

/// Customers and money of one band (insights_risk_summary).
struct BandTotals: Sendable, Equatable {
    var customers = 0
    /// Minor units a month.
    var monthlyValue: Int64 = 0
    var expectedLoss: Int64 = 0

    static func + (a: BandTotals, b: BandTotals) -> BandTotals {
        BandTotals(
            customers: a.customers + b.customers, monthlyValue: a.monthlyValue + b.monthlyValue,
            expectedLoss: a.expectedLoss + b.expectedLoss)
    }
}

/// How the base lies over the bands on one day.
struct RiskSummary: Sendable {
    let on: String
    let bands: [RiskBand: BandTotals]

    var customers: Int { bands.values.reduce(0) { $0 + $1.customers } }
    func share(_ band: RiskBand) -> Double {
        customers == 0 ? 0 : Double(bands[band]?.customers ?? 0) / Double(customers)
    }
    func customers(outside choice: BandChoice) -> Int {
        guard let shown = choice.bands else { return 0 }
        return bands.reduce(0) { $0 + (shown.contains($1.key) ? 0 : $1.value.customers) }
    }
    /// High and critical.
    var endangered: Int { (bands[.high]?.customers ?? 0) + (bands[.critical]?.customers ?? 0) }
    /// What is expected to be lost with these, a month.
    var endangeredLoss: Int64 { (bands[.high]?.expectedLoss ?? 0) + (bands[.critical]?.expectedLoss ?? 0) }
}

/// The day's totals, so that pages never count the base.
enum RiskSummaryStore {
    static let clear: SQL = "DELETE FROM insights_risk_summary WHERE scored_on = $1"
    static let insert: SQL = """
        INSERT INTO insights_risk_summary (scored_on, region, band, customers, monthly_value, expected_loss)
        VALUES ($1, $2, $3, $4, $5, $6)
        """
    static let add: SQL = """
        INSERT INTO insights_risk_summary (scored_on, region, band, customers, monthly_value, expected_loss)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (scored_on, region, band) DO UPDATE SET customers = insights_risk_summary.customers + $4,
          monthly_value = insights_risk_summary.monthly_value + $5,
          expected_loss = insights_risk_summary.expected_loss + $6
        """
    static let lastDay: SQL = "SELECT MAX(scored_on) FROM insights_risk_summary"
    static let days: SQL = "SELECT DISTINCT scored_on FROM insights_risk_summary ORDER BY scored_on DESC LIMIT $1"
    static let select: SQL = """
        SELECT scored_on, region, band, customers, monthly_value, expected_loss FROM insights_risk_summary WHERE 1 = 1
        """
    static let regions: SQL = """
        SELECT DISTINCT region FROM insights_risk_summary WHERE scored_on = $1 AND region <> '' ORDER BY region
        """

    struct Key: Hashable, Sendable {
        let region: String
        let band: RiskBand
    }

    static func replace(_ totals: [Key: BandTotals], on day: String, _ session: any SQLSession) throws {
        try session.execute(clear, [.text(day)])
        try session.executeMany(insert, totals.map { row(day, $0.key, $0.value) })
    }

    /// Moves the last day's totals after customers changed, so that the counts stay true between two passes.
    static func adjust(_ differences: [Key: BandTotals], _ session: any SQLSession) throws {
        guard let day = try lastDay(session) else { return }
        let moved = differences.filter { $0.value != BandTotals() }
        try session.executeMany(add, moved.map { row(day, $0.key, $0.value) })
    }

    private static func row(_ day: String, _ key: Key, _ totals: BandTotals) -> [SQLValue] {
        [
            .text(day), .text(key.region), .text(key.band.rawValue), .int(totals.customers), .int(totals.monthlyValue),
            .int(totals.expectedLoss),
        ]
    }

    static func lastDay(_ session: any SQLSession) throws -> String? {
        try session.first(lastDay) { $0.optionalText(0) } ?? nil
    }

    /// The totals of the last `limit` days, newest first, within a scope and, when one is named, a region.
    static func latest(
        _ limit: Int, scope: RecordScope, region: String? = nil, _ session: any SQLSession
    ) throws -> [RiskSummary] {
        let days = try session.query(days, [.int(limit)]) { $0.text(0) }
        guard !days.isEmpty else { return [] }
        var builder = SQLBuilder(select)
        builder.appendIn("AND scored_on", days.map { .text($0) })
        if let regions = scope.regions {
            builder.appendIn("AND region", regions.prefix(Limits.sqlListChunk).map { .text($0) })
        }
        if let region { builder.append("AND region = ?", .text(region)) }
        var found: [String: [RiskBand: BandTotals]] = [:]
        for (day, band, totals) in try session.query(
            builder,
            { row in
                (
                    row.text(0), RiskBand(rawValue: row.text(2)) ?? .low,
                    BandTotals(customers: row.integer(3), monthlyValue: row.int(4), expectedLoss: row.int(5))
                )
            })
        {
            let sum = found[day]?[band] ?? BandTotals()
            found[day, default: [:]][band] = sum + totals
        }
        return days.map { RiskSummary(on: $0, bands: found[$0] ?? [:]) }
    }

    static func regions(_ session: any SQLSession) throws -> [String] {
        guard let day = try lastDay(session) else { return [] }
        return try session.query(regions, [.text(day)]) { $0.text(0) }
    }
}

/// How the scores of a base are spread over [0, 1], and how far two such spreads are apart.
enum ScoreSpread {
    static let bars = 20

    static func bar(_ probability: Double) -> Int { min(bars - 1, max(0, Int(probability * Double(bars)))) }

    /// Population stability index, sum of (p - q) ln(p / q) over the bars (Siddiqi, "Credit Risk Scorecards", 2006).
    /// Rules of thumb: below 0.1 the base is the same, above 0.25 it is another one. Empty bars count half a customer.
    static func drift(from old: [Int], to new: [Int]) -> Double? {
        let (a, b) = (old.reduce(0, +), new.reduce(0, +))
        guard old.count == new.count, a > 0, b > 0 else { return nil }
        return zip(old, new).reduce(0) { sum, pair in
            guard pair.0 > 0 || pair.1 > 0 else { return sum }
            let p = max(Double(pair.0), 0.5) / Double(a)
            let q = max(Double(pair.1), 0.5) / Double(b)
            return sum + (q - p) * log(q / p)
        }
    }

    static let stable = 0.1
    static let shifted = 0.25
}
