import Kernel

/// Bills reached a step: made out, paid in full, or not paid by their day. Each bill reaches `issued` and `overdue` once;
/// `paid` again when a payment was taken back in between. At most 500 an event.
package struct BillsMoved: DomainEvent {
    package static let eventType = "customers.bill.moved"
    package enum Step: String, Codable, Sendable { case issued, paid, overdue }
    package struct Bill: Codable, Sendable {
        package let customer: CustomerID
        /// Of the bill; unique within its customer.
        package let id: Int64
        /// The day on which it happened, YYYY-MM-DD.
        package let on: String
        /// Minor units; of an overdue bill what is still open.
        package let amount: Int64
        package let currency: String
        package init(customer: CustomerID, id: Int64, on: String, amount: Int64, currency: String) {
            self.customer = customer
            self.id = id
            self.on = on
            self.amount = amount
            self.currency = currency
        }
    }
    package let step: Step
    package let bills: [Bill]
    package init(step: Step, bills: [Bill]) {
        self.step = step
        self.bills = bills
    }
}

/// Cases were opened, or came to their end (resolved or closed, whichever was first). At most 500 an event.
package struct CasesMoved: DomainEvent {
    package static let eventType = "servicedesk.case.moved"
    package enum Step: String, Codable, Sendable { case opened, closed }
    package struct Case: Codable, Sendable {
        package let customer: CustomerID
        /// Of the case; unique within its customer.
        package let id: Int64
        package let at: Instant
        /// Codes: `complaint`, `fault`, ...; `bill`, `coverage`, ...
        package let kind: String
        package let topic: String
        package init(customer: CustomerID, id: Int64, at: Instant, kind: String, topic: String) {
            self.customer = customer
            self.id = id
            self.at = at
            self.kind = kind
            self.topic = topic
        }
    }
    package let step: Step
    package let cases: [Case]
    package init(step: Step, cases: [Case]) {
        self.step = step
        self.cases = cases
    }
}

/// Customers left, whoever told: a person, an import of customers, a file of departures. At most 500 an event.
package struct CustomersLeft: DomainEvent {
    package static let eventType = "customers.customer.left"
    package struct Departure: Codable, Sendable {
        package let customer: CustomerID
        /// YYYY-MM-DD.
        package let on: String
        package init(customer: CustomerID, on: String) {
            self.customer = customer
            self.on = on
        }
    }
    package let departures: [Departure]
    package init(departures: [Departure]) { self.departures = departures }
}

/// A record of a customer that took a step which is not so any more.
package struct StepPlace: Codable, Sendable {
    package let customer: CustomerID
    /// Of the record; unique within its customer.
    package let id: Int64
    package init(customer: CustomerID, id: Int64) {
        self.customer = customer
        self.id = id
    }
}

/// Bills did not reach a step after all: an import was taken back, or what paid them was. At most 500 an event.
package struct BillsWithdrawn: DomainEvent {
    package static let eventType = "customers.bill.withdrawn"
    package let step: BillsMoved.Step
    package let bills: [StepPlace]
    package init(step: BillsMoved.Step, bills: [StepPlace]) {
        self.step = step
        self.bills = bills
    }
}

/// Cases were not opened, or did not end, after all. At most 500 an event.
package struct CasesWithdrawn: DomainEvent {
    package static let eventType = "servicedesk.case.withdrawn"
    package let step: CasesMoved.Step
    package let cases: [StepPlace]
    package init(step: CasesMoved.Step, cases: [StepPlace]) {
        self.step = step
        self.cases = cases
    }
}

/// Customers did not leave after all: what told so was taken back. At most 500 an event.
package struct DeparturesWithdrawn: DomainEvent {
    package static let eventType = "customers.departure.withdrawn"
    package let departures: [CustomersLeft.Departure]
    package init(departures: [CustomersLeft.Departure]) { self.departures = departures }
}
