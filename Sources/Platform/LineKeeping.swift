import Contracts
import Kernel
import Storage

/// A line of a customer as other domains know it, and as they want it to be.
package struct LineFacts: Sendable, Equatable {
    package enum Status: String, Sendable { case pending, active, suspended, terminated }

    package let id: SubscriptionID
    package let customer: CustomerID
    /// E.164
    package var number: String?
    package var status: Status
    /// `mobile`, `fixed_voice`, `broadband`, ...
    package var service: String
    package var plan: String?
    package var startedOn: LocalDate?
    package var endedOn: LocalDate?
    package var monthlyCharge: Money?

    package init(
        id: SubscriptionID, customer: CustomerID, number: String?, status: Status, service: String, plan: String? = nil,
        startedOn: LocalDate? = nil, endedOn: LocalDate? = nil, monthlyCharge: Money? = nil
    ) {
        self.id = id
        self.customer = customer
        self.number = number
        self.status = status
        self.service = service
        self.plan = plan
        self.startedOn = startedOn
        self.endedOn = endedOn
        self.monthlyCharge = monthlyCharge
    }
}

/// Where lines lie, for lists of another domain that have them among their own rows. `s` is the line in each of the sources.
package struct LineListing: Sendable {
    /// `FROM` and `WHERE`; all lines.
    package let all: SQL
    /// Of lines with a number that is asked for: each source with the column of the number.
    package let numbered: [(source: SQL, number: SQL)]
    package let id: SQL
    package let customer: SQL
    /// `pendingActive` of a pending one, else as `LineFacts.Status`.
    package let status: SQL
    /// What the line is called: its plan, else its service.
    package let title: SQL
    /// The day on which it began.
    package let started: SQL
    /// Lines that have ended, with the column of the day.
    package let ended: (source: SQL, day: SQL)

    package init(
        all: SQL, numbered: [(source: SQL, number: SQL)], id: SQL, customer: SQL, status: SQL, title: SQL, started: SQL,
        ended: (source: SQL, day: SQL)
    ) {
        self.started = started
        self.ended = ended
        self.all = all
        self.numbered = numbered
        self.id = id
        self.customer = customer
        self.status = status
        self.title = title
    }
}

/// What Customers lets other domains know and do of lines. Injected by App. Synchronous on the caller's session: what an order makes is
/// the customer's line in the same transaction.
package protocol LineKeeping: Sendable {
    var listing: LineListing { get }
    /// In the order of their ids; those that are no lines are left out.
    func lines(_ ids: [Int64], _ session: any SQLSession) throws -> [LineFacts]
    /// Whose line in service has a number, E.164.
    func holder(of number: String, _ session: any SQLSession) throws -> CustomerID?
    /// - Throws: 409 for a number that is another customer's, and for a customer who has left.
    func make(_ line: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession) throws
    /// Writes what differs.
    /// - Throws: as `make`.
    func change(
        from old: LineFacts, to new: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession
    ) throws
    /// Takes out a line of which nothing has come.
    /// - Throws: 409 for one that has been used, or that a source knows.
    func remove(_ line: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession) throws
}
