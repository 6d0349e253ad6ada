import Kernel
import Storage

/// A customer as lists filter and sort it (customers_listing). `''` and -1 stand for not known.
struct ListingRow: Sendable {
    let values: [SQLValue]

    init(values: [SQLValue]) { self.values = values }

    /// - Parameter risk: probability and band that stand now; `nil` = not scored.
    init(_ record: CustomerRecord, policy: ValuePolicy, risk: (probability: Double, band: String)?) {
        let customer = record.customer
        let main = record.subscriptions.first
        let left = customer.hasLeft == true
        let charge = record.monthlyCharge
        let score = CustomerValue.score(
            monthlyCharge: charge, contractTerm: main?.contractTerm, probability: risk?.probability, hasLeft: left)
        let place = record.addresses.first
        values = [
            .id(record.id), .text(Folding.fold(record.title)), .text(record.party.kind.rawValue),
            .text(customer.status.rawValue), .text(customer.segment ?? ""), .text(policy.tier(score).rawValue),
            .text(customer.region ?? ""), .text(customer.city ?? ""), .text(main?.service.rawValue ?? ""),
            .text(main?.plan ?? main?.technology ?? ""), .int(Int64(main?.contractTerm ?? -1)),
            .text(customer.since?.description ?? ""), .int(charge ?? -1), .text(customer.currency),
            .double(risk?.probability ?? -1), .text(risk?.band ?? ""), .int(score ?? -1),
            .text(left ? record.outcome?.reasonCode ?? "unknown" : ""),
            .text(left ? record.outcome?.leftOn?.description ?? "" : ""), .double(place?.latitude),
            .double(place?.longitude),
        ]
    }
}

/// The rows as they stand, and what of them changes.
extension ListingRow {
    /// Of `values`, in their order, without the key.
    static let columns: [SQL] = [
        "sort_name", "kind", "status", "segment", "tier", "region", "city", "service", "plan", "contract_term", "since",
        "monthly_charge", "currency", "risk", "band", "value_score", "leave_reason", "left_on", "latitude", "longitude",
    ]
    static let columnList: SQL = """
        sort_name, kind, status, segment, tier, region, city, service, plan, contract_term, since, monthly_charge, currency,
        risk, band, value_score, leave_reason, left_on, latitude, longitude
        """
    static let read: SQL = """
        SELECT customer_id, sort_name, kind, status, segment, tier, region, city, service, plan, contract_term, since,
          monthly_charge, currency, risk, band, value_score, leave_reason, left_on, latitude, longitude
        FROM customers_listing WHERE TRUE
        """

    /// Probability and band; `nil` = not scored.
    var risk: (probability: Double, band: String)? {
        guard case .double(let probability) = values[14], probability >= 0, case .text(let band) = values[15] else {
            return nil
        }
        return (probability, band)
    }

    static func stored(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: ListingRow] {
        var result: [CustomerID: ListingRow] = [:]
        result.reserveCapacity(ids.count)
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(read)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                result[row.id(0)] = ListingRow(values: (0...columns.count).map { row.value($0) })
                return true
            }
        }
        return result
    }

    /// Sets only columns that change: an engine takes an entry out of an index and puts it in again for every column that
    /// is set, whether it changes or not, and nearly every column of the listing has an index.
    static func update(
        _ rows: [ListingRow], from stored: [CustomerID: ListingRow], _ session: any SQLSession
    ) throws {
        var batches: [[Int]: [[SQLValue]]] = [:]
        var missing: [[SQLValue]] = []
        for row in rows {
            guard case .int(let id) = row.values[0], let old = stored[CustomerID(id)] else {
                missing.append(row.values)
                continue
            }
            let changed = row.values.indices.filter { row.values[$0] != old.values[$0] }
            if !changed.isEmpty {
                batches[changed, default: []].append([row.values[0]] + changed.map { row.values[$0] })
            }
        }
        for (places, batch) in batches { try session.executeMany(setting(places.map { columns[$0 - 1] }), batch) }
        try session.executeMany(CustomerSQL.insertListing, missing)
    }

    /// Takes the key first, then the columns' values.
    private static func setting(_ columns: [SQL]) -> SQL {
        var list = SQLBuilder("", [.null])
        for (offset, column) in columns.enumerated() {
            list.append(offset == 0 ? "\(column) = ?" : ", \(column) = ?", .null)
        }
        return "UPDATE customers_listing SET \(list.sql) WHERE customer_id = $1"
    }
}
