import Kernel

/// Counters of up to 500 customers changed.
package struct LiveProfileChanged: DomainEvent {
    package static let eventType = "profiles.counters.changed"
    package let customers: [CustomerID]
    package init(customers: [CustomerID]) { self.customers = customers }
}

/// Somebody contacted a customer to keep them, or noted why not.
package struct RetentionContacted: DomainEvent {
    package static let eventType = "insights.contact.recorded"
    package let customer: CustomerID
    /// Code: `stays`, `accepted`, `no_answer`, ...
    package let outcome: String
    package init(customer: CustomerID, outcome: String) {
        self.customer = customer
        self.outcome = outcome
    }
}
