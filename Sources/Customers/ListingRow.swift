import Kernel
import Storage

/// A customer as lists filter and sort it (customers_listing). `''` and -1 stand for not known.
struct ListingRow: Sendable {
    let values: [SQLValue]

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
            .id(record.id), .text(NameFolding.fold(record.title)), .text(record.party.kind.rawValue),
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
