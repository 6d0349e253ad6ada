import Kernel
import Storage

/// Rows of new customers and of what grows with them, made before the transaction that writes them.
extension CustomerRows {
    /// A new customer with the listing row, search tokens and identifiers that follow from it.
    mutating func addNew(_ record: CustomerRecord, policy: ValuePolicy, _ step: SearchStep) {
        add(record)
        addFound(record, policy: policy, step)
    }

    /// What a new customer is listed and found by.
    mutating func addFound(_ record: CustomerRecord, policy: ValuePolicy, _ step: SearchStep) {
        listing.append(ListingRow(record, policy: policy, risk: nil).values)
        texts.append(SearchIndex.row(record))
        for token in SearchTokens.all(record, step) { search.append(CustomerWriter.row(token, record.id)) }
        let claims = Identifier.claims(record)
        for identifier in claims { claim(identifier, record.id) }
        for identifier in Identifier.traces(record) where !claims.contains(identifier) {
            trace(identifier, record.id)
        }
    }

    static func row(_ id: CustomerID, _ charge: Charge) -> [SQLValue] {
        [
            .id(id), .id(charge.id), .text(charge.kind.rawValue), .text(charge.period), .int(charge.amount),
            .text(charge.currency), .date(charge.issuedOn), .date(charge.dueOn), .date(charge.paidOn),
        ]
    }

    static func row(_ id: CustomerID, _ month: UsageMonth) -> [SQLValue] {
        [
            .id(id), .id(month.subscription), .text(month.month), .int(month.voiceMin), .int(month.sms),
            .int(month.dataMB), .int(month.roamingMB), .int(month.calls), .int(month.droppedCalls),
            .double(month.speedMbps),
        ]
    }

    static func row(_ id: CustomerID, _ change: SubscriptionChange) -> [SQLValue] {
        [
            .id(id), .id(change.id), .id(change.subscription), .date(change.on), .text(change.from.rawValue),
            .text(change.to.rawValue), .text(change.reason),
        ]
    }

    /// Relates two customers, once in each direction: `role` is what `other` is to `customer`, `inverse` the other way.
    static func rows(
        _ customer: CustomerID, _ other: CustomerID, _ role: RelationRole, _ inverse: RelationRole, since: LocalDate?
    ) -> [[SQLValue]] {
        [
            [.id(customer), .id(other), .text(role.rawValue), .date(since), .null],
            [.id(other), .id(customer), .text(inverse.rawValue), .date(since), .null],
        ]
    }
}
