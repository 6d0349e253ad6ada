import Kernel
import Storage

/// Figures of the base, each one aggregate over customers_listing within the reader's record scope.
enum DashboardStore {
    static let byStatus: SQL = """
        SELECT status, COUNT(*) FILTER (WHERE NOT behind),
          COALESCE(SUM(CASE WHEN monthly_charge > 0 THEN CAST(monthly_charge AS DOUBLE PRECISION) ELSE 0 END), 0),
          MIN(currency)
        FROM customers_listing WHERE TRUE
        """
    static let joinedByMonth: SQL = """
        SELECT SUBSTR(since, 1, 7), COUNT(*) FROM customers_listing WHERE since >= $1 AND NOT behind
        """
    static let leaversByReason: SQL = """
        SELECT leave_reason, COUNT(*) FROM customers_listing WHERE leave_reason <> '' AND NOT behind
        """
    static let leaversByMonth: SQL = """
        SELECT SUBSTR(left_on, 1, 7), leave_reason, COUNT(*) FROM customers_listing
        WHERE leave_reason <> '' AND left_on >= $1 AND NOT behind
        """
    static let byRisk: SQL = """
        SELECT CASE WHEN risk < 0.05 THEN 0 WHEN risk < 0.1 THEN 1 WHEN risk < 0.15 THEN 2 WHEN risk < 0.2 THEN 3
          WHEN risk < 0.25 THEN 4 WHEN risk < 0.3 THEN 5 WHEN risk < 0.35 THEN 6 WHEN risk < 0.4 THEN 7
          WHEN risk < 0.45 THEN 8 WHEN risk < 0.5 THEN 9 WHEN risk < 0.55 THEN 10 WHEN risk < 0.6 THEN 11
          WHEN risk < 0.65 THEN 12 WHEN risk < 0.7 THEN 13 WHEN risk < 0.75 THEN 14 WHEN risk < 0.8 THEN 15
          WHEN risk < 0.85 THEN 16 WHEN risk < 0.9 THEN 17 WHEN risk < 0.95 THEN 18 ELSE 19 END AS bin,
          band, COUNT(*)
        FROM customers_listing WHERE risk >= 0 AND status <> 'churned' AND NOT behind
        """
    /// Records that are joined are one customer, and each is billed.
    static let byTierAndBand: SQL = """
        SELECT tier, band, COUNT(*) FILTER (WHERE NOT behind),
          COALESCE(SUM(CASE WHEN monthly_charge > 0 THEN CAST(monthly_charge AS DOUBLE PRECISION) ELSE 0 END), 0),
          MIN(currency)
        FROM customers_listing WHERE band <> '' AND status <> 'churned'
        """
    /// Quarters of a degree: about 28 km from north to south.
    static let byCell: SQL = """
        SELECT CAST(ROUND(latitude * 4) AS INTEGER) AS lat4, CAST(ROUND(longitude * 4) AS INTEGER) AS lon4, COUNT(*),
          COUNT(*) FILTER (WHERE leave_reason <> ''), MIN(city), MAX(city), MIN(region), MAX(region)
        FROM customers_listing WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND NOT behind
        """
    static let cellsMax = 400
    /// A sum of charges is added up in floating point, exact below 9e15 minor units, because adding up integers fails
    /// the whole statement when it overflows. No operator earns more than this.
    static let sumMax = 1e17

    private static func sum(_ minor: Double) -> Int64 { Int64(min(max(minor.rounded(), -sumMax), sumMax)) }

    struct StatusCount: Sendable, Equatable {
        let status: CustomerStatus
        let count: Int
        /// Minor units a month.
        let charge: Int64
        let currency: String
    }

    static func byStatus(_ principal: Principal, _ session: any SQLSession) throws -> [StatusCount] {
        var builder = SQLBuilder(byStatus)
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY status ORDER BY status")
        return try session.query(builder) { row in
            StatusCount(
                status: CustomerStatus(rawValue: row.text(0)) ?? .active, count: row.integer(1),
                charge: sum(row.double(2)),
                currency: row.text(3))
        }
    }

    /// `YYYY-MM` -> customers who joined, from `first` on.
    static func joinedByMonth(since first: LocalDate, _ principal: Principal, _ session: any SQLSession) throws
        -> [String: Int]
    {
        var builder = SQLBuilder(joinedByMonth, [.date(first)])
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY SUBSTR(since, 1, 7)")
        let rows = try session.query(builder) { ($0.text(0), $0.integer(1)) }
        return Dictionary(rows, uniquingKeysWith: { $0 + $1 })
    }

    /// Reason code and number of leavers, most frequent first.
    static func leaversByReason(_ principal: Principal, _ session: any SQLSession) throws -> [(
        code: String, count: Int
    )] {
        var builder = SQLBuilder(leaversByReason)
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY leave_reason ORDER BY COUNT(*) DESC, leave_reason")
        return try session.query(builder) { ($0.text(0), $0.integer(1)) }
    }

    struct MonthReason: Sendable, Equatable {
        /// `YYYY-MM`
        let month: String
        let reason: String
        let count: Int
    }

    /// Leavers by month and reason, from `first` on.
    static func leaversByMonth(since first: LocalDate, _ principal: Principal, _ session: any SQLSession) throws
        -> [MonthReason]
    {
        var builder = SQLBuilder(leaversByMonth, [.date(first)])
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY SUBSTR(left_on, 1, 7), leave_reason")
        return try session.query(builder) { MonthReason(month: $0.text(0), reason: $0.text(1), count: $0.integer(2)) }
    }

    struct RiskBin: Sendable, Equatable {
        /// 0...19, a twentieth each.
        let bin: Int
        let band: RiskBand?
        let count: Int
    }

    static func byRisk(_ principal: Principal, _ session: any SQLSession) throws -> [RiskBin] {
        var builder = SQLBuilder(byRisk)
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY bin, band ORDER BY bin, band")
        return try session.query(builder) { row in
            RiskBin(bin: row.integer(0), band: RiskBand(rawValue: row.text(1)), count: row.integer(2))
        }
    }

    struct TierBand: Sendable, Equatable {
        let tier: ValueTier
        let band: RiskBand
        let count: Int
        /// Minor units a month.
        let charge: Int64
        let currency: String
    }

    static func byTierAndBand(_ principal: Principal, _ session: any SQLSession) throws -> [TierBand] {
        var builder = SQLBuilder(byTierAndBand)
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY tier, band ORDER BY tier, band")
        return try session.query(builder) { row -> TierBand? in
            guard let tier = ValueTier(rawValue: row.text(0)), let band = RiskBand(rawValue: row.text(1)) else {
                return nil
            }
            return TierBand(
                tier: tier, band: band, count: row.integer(2), charge: sum(row.double(3)), currency: row.text(4))
        }.compactMap { $0 }
    }

    struct Cell: Sendable, Equatable {
        /// Degrees, the middle of the cell.
        let latitude: Double
        let longitude: Double
        let count: Int
        let leavers: Int
        /// `nil` when the cell holds several cities.
        let city: String?
        /// `nil` when the cell holds several regions.
        let region: String?
    }

    /// The cells with most customers.
    static func byCell(_ principal: Principal, _ session: any SQLSession) throws -> [Cell] {
        var builder = SQLBuilder(byCell)
        CustomerScope.narrow(&builder, principal)
        builder.append("GROUP BY lat4, lon4 ORDER BY COUNT(*) DESC, lat4, lon4 LIMIT ?", .int(cellsMax))
        return try session.query(builder) { row in
            func same(_ column: Int) -> String? {
                let text = row.text(column)
                return text == row.text(column + 1) && !text.isEmpty ? text : nil
            }
            return Cell(
                latitude: Double(row.int(0)) / 4, longitude: Double(row.int(1)) / 4, count: row.integer(2),
                leavers: row.integer(3), city: same(4), region: same(6))
        }
    }
}
