import Kernel

/// One invented customer with everything that is written about them. Amounts are in fen.
struct DemoCustomer: Sendable {
    struct Line: Sendable {
        let index: Int
        let plan: DemoCatalogue.Plan
        /// The monthly fee in force, after a price rise.
        let monthly: Int64
        let addOns: [Addon]
        let startedOn: LocalDate
        let endedOn: LocalDate?
        /// 0 = month to month.
        let termMonths: Int
        let termEndsOn: LocalDate?
        let suspendedOn: LocalDate?
    }

    struct Bill: Sendable {
        /// The first day of the month billed.
        let month: LocalDate
        let amount: Int64
        let dueOn: LocalDate
        /// `nil` = not paid.
        let paidOn: LocalDate?
    }

    struct Usage: Sendable {
        /// Position in `lines`.
        let line: Int
        let month: LocalDate
        let voiceMinutes: Int
        let dataMegabytes: Int
        let messages: Int
        let calls: Int
        let droppedCalls: Int
    }

    struct Outcome: Sendable {
        let leftOn: LocalDate
        let reason: DemoCatalogue.Reason
        let competitor: String?
    }

    /// From 0, over the whole base.
    let index: Int
    /// Of the customer's own numbers.
    let seed: UInt64
    let isOrganisation: Bool
    let isEnglish: Bool
    let familyName: String
    let givenName: String
    let organisationName: String
    let industry: String?
    let sizeTier: String?
    let female: Bool
    let birthDate: LocalDate?
    let documentNumber: String
    let email: String?
    let city: DemoPlaces.City
    let district: DemoPlaces.District
    let street: String
    let latitude: Double
    let longitude: Double
    let since: LocalDate
    let suspendedOn: LocalDate?
    /// Index of the customer who pays for the household, the customer's own when they pay themselves.
    let payer: Int
    /// Index of the household's first member; `nil` when living alone or an organisation.
    let household: Int?
    /// Index of the first of those who belong together: the household's, the company's; the customer's own when alone.
    let head: Int
    /// How the customer stands to the first of them; `nil` = is the first, or alone.
    let tie: Tie?
    let lines: [Line]
    let bills: [Bill]
    let usage: [Usage]
    let risk: DemoRisk
    /// The first month with the higher bill; `nil` = the price did not rise.
    let priceRaisedOn: LocalDate?
    let paymentMethod: PaymentMethod
    let outcome: Outcome?

    enum Tie: Sendable {
        case household
        /// Of a company in another city; its own bills, its head office's contract.
        case branch
        case employee
    }

    enum PaymentMethod: String, CaseIterable, Sendable {
        case wechat, alipay
        case directDebit = "direct_debit"
        case cash
    }

    /// Of all lines, add-ons included.
    var monthlyCharge: Int64 {
        lines.reduce(0) { $0 + $1.monthly + $1.addOns.reduce(0) { $0 + ($1.monthlyCharge ?? 0) } }
    }
}
