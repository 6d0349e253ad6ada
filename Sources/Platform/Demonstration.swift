import Kernel
import Storage

/// What demonstration data is wanted.
package struct SeedRequest: Sendable {
    /// Customers of the whole base.
    package let customers: Int
    /// The same number gives the same base.
    package let seed: UInt64
    /// Goes on with a seeding that was interrupted: what is there of the base is left out.
    package let resumes: Bool
    /// The day up to which the invented lives go; `nil` = today. An interrupted seeding goes on with the day it was begun.
    package let today: LocalDate?
    /// Months of bills, usage and contacts that are kept of each customer, 12...24: the bills of a year are in sums.
    package let months: Int
    /// Whether a model is learned from the base and the base scored: of a big one only when asked for, it takes longer than
    /// the seeding.
    package let learns: Bool
    package let progress: @Sendable (_ done: Int, _ total: Int, _ what: Words) -> Void

    /// Two years, as an operator's own desk shows them.
    package static let monthsMax = 24
    package static let monthsMin = 12

    /// How many months a base of this size is given unless somebody says otherwise: two years of a demonstration, one of a
    /// base made for measuring.
    package static func months(for customers: Int) -> Int { customers < measuringFrom ? monthsMax : monthsMin }

    /// From this size on a base is taken to be made for measuring, not for showing.
    package static let measuringFrom = 200_000

    package init(
        customers: Int, seed: UInt64, resumes: Bool = false, today: LocalDate? = nil, months: Int? = nil,
        learns: Bool? = nil, progress: @escaping @Sendable (Int, Int, Words) -> Void
    ) {
        self.customers = customers
        self.seed = seed
        self.resumes = resumes
        self.today = today
        self.months = min(Self.monthsMax, max(Self.monthsMin, months ?? Self.months(for: customers)))
        self.learns = learns ?? (customers < Self.measuringFrom)
        self.progress = progress
    }
}

/// What is told to other domains of an invented customer, so that what they invent has the same causes. Nothing in it is
/// later than `lastDay`.
package struct DemoFacts: Sendable {
    package let customer: CustomerID
    /// Place in the base, from 0.
    package let index: Int
    /// Seed of this customer's own numbers: what one domain invents does not move what another does.
    package let seed: UInt64
    package let isOrganisation: Bool
    /// `zh` or `en`.
    package let language: String
    package let since: LocalDate
    /// The day they left, else today: the end of the books.
    package let lastDay: LocalDate
    package let hasLeft: Bool
    /// Whether the one who left went to a competitor.
    package let wentToCompetitor: Bool
    /// In the last 90 days.
    package let complaints: Int
    /// Of the calls of the last 90 days, percent.
    package let droppedCallPercent: Double
    /// Percent by which the bill rose in the last six months; 0 = no rise.
    package let priceRisePercent: Int
    /// The first day of the month with the higher bill.
    package let priceRaisedOn: LocalDate?
    /// Bills of the last year that were paid late or not at all, by the day they were due.
    package let lateBillsDue: [LocalDate]
    /// The end of the term; `nil` = month to month.
    package let termEndsOn: LocalDate?
    package let suspendedOn: LocalDate?
    /// Months that are kept.
    package let months: Int

    package init(
        customer: CustomerID, index: Int, seed: UInt64, isOrganisation: Bool, language: String, since: LocalDate,
        lastDay: LocalDate, hasLeft: Bool, wentToCompetitor: Bool, complaints: Int, droppedCallPercent: Double,
        priceRisePercent: Int, priceRaisedOn: LocalDate?, lateBillsDue: [LocalDate], termEndsOn: LocalDate?,
        suspendedOn: LocalDate?, months: Int
    ) {
        self.customer = customer
        self.index = index
        self.seed = seed
        self.isOrganisation = isOrganisation
        self.language = language
        self.since = since
        self.lastDay = lastDay
        self.hasLeft = hasLeft
        self.wentToCompetitor = wentToCompetitor
        self.complaints = complaints
        self.droppedCallPercent = droppedCallPercent
        self.priceRisePercent = priceRisePercent
        self.priceRaisedOn = priceRaisedOn
        self.lateBillsDue = lateBillsDue
        self.termEndsOn = termEndsOn
        self.suspendedOn = suspendedOn
        self.months = months
    }
}

/// A domain that gives invented customers rows of its own. Injected by App, so that no domain knows another.
package protocol DemoFollower: Sendable {
    /// Invents; the same facts give the same rows.
    /// - Parameter zone: minutes east of UTC of the tenant's days.
    /// - Returns: what writes them, in the transaction that writes the customers.
    func invent(_ facts: [DemoFacts], zone: Int) -> @Sendable (any SQLSession) throws -> Void
}
