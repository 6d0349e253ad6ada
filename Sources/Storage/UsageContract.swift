import Kernel

/// A line of a customer.
package struct LineRef: Hashable, Sendable {
    package let customer: CustomerID
    package let subscription: SubscriptionID
    package init(customer: CustomerID, subscription: SubscriptionID) {
        self.customer = customer
        self.subscription = subscription
    }
}

/// A line of a customer, with what tells it apart from the others.
package struct UsageLine: Sendable {
    package let ref: LineRef
    /// E.164
    package let number: String?
    /// The plan it has today.
    package let plan: String?
    package let isOver: Bool
    package let isMobile: Bool
    package init(ref: LineRef, number: String?, plan: String?, isOver: Bool, isMobile: Bool) {
        self.ref = ref
        self.number = number
        self.plan = plan
        self.isOver = isOver
        self.isMobile = isMobile
    }

    /// The line of a customer who has one: among all, among those in service, among the mobile ones.
    package static func only(_ lines: [UsageLine]) -> LineRef? {
        if lines.count == 1 { return lines[0].ref }
        let standing = lines.filter { !$0.isOver }
        if standing.count == 1 { return standing[0].ref }
        let mobile = (standing.isEmpty ? lines : standing).filter(\.isMobile)
        return mobile.count == 1 ? mobile[0].ref : nil
    }
}

/// How a source of usage names lines.
package enum LineNaming: Sendable, Hashable {
    /// By number, E.164.
    case number
    /// By the id that the named source has for the customer: its line, when it has one only.
    case source(String)
}

/// A month of a subscription's use, as the customer page and the models know it.
package struct UsageMonthTotal: Sendable, Equatable {
    package let line: LineRef
    /// `YYYY-MM`
    package let month: String
    /// Minutes as billed: each call rounded up.
    package let voiceMinutes: Int64
    package let sms: Int64
    /// 2^20 bytes, rounded.
    package let dataMB: Int64
    package let roamingMB: Int64
    package let calls: Int64
    package let droppedCalls: Int64
    /// Mbit/s; `nil` = nobody measured.
    package let speed: Double?
    package init(
        line: LineRef, month: String, voiceMinutes: Int64, sms: Int64, dataMB: Int64, roamingMB: Int64, calls: Int64,
        droppedCalls: Int64, speed: Double?
    ) {
        self.line = line
        self.month = month
        self.voiceMinutes = voiceMinutes
        self.sms = sms
        self.dataMB = dataMB
        self.roamingMB = roamingMB
        self.calls = calls
        self.droppedCalls = droppedCalls
        self.speed = speed
    }
}

/// A month of a line with what it is rated by.
package struct LineMonth: Sendable {
    package let total: UsageMonthTotal
    /// The plan the line has today; `nil` = nobody told.
    package let plan: String?
    /// The line's number as it is stored.
    package let number: String?
    /// The customer's reference.
    package let reference: String?
    package init(total: UsageMonthTotal, plan: String?, number: String?, reference: String?) {
        self.total = total
        self.plan = plan
        self.number = number
        self.reference = reference
    }

    package var place: LineMonthPlace { LineMonthPlace(line: total.line, month: total.month) }
}

/// Where a month of a line stands in the order of all.
package struct LineMonthPlace: Sendable {
    package let line: LineRef
    package let month: String
    package init(line: LineRef, month: String) {
        self.line = line
        self.month = month
    }
}

/// Which months of which lines.
package struct LineMonthQuestion: Sendable {
    /// `YYYY-MM`, both inclusive.
    package let from: String
    package let through: String
    /// `nil` = of everybody.
    package let customers: [CustomerID]?
    /// Behind this place in the order of customer, line and month.
    package let after: LineMonthPlace?
    package let limit: Int
    package init(from: String, through: String, customers: [CustomerID]? = nil, after: LineMonthPlace? = nil, limit: Int) {
        self.from = from
        self.through = through
        self.customers = customers
        self.after = after
        self.limit = limit
    }
}

/// What a month of a line comes to under the tariff of its plan, for the customer's page of usage.
package struct RatedMonth: Sendable {
    package let month: String
    package let plan: String?
    package let number: String?
    /// `nil` = no tariff is for the plan in that month.
    package let tariff: String?
    package let total: Money?
    /// How it came about: fee, calls, messages, data.
    package let steps: [Words]
    package init(month: String, plan: String?, number: String?, tariff: String?, total: Money?, steps: [Words]) {
        self.month = month
        self.plan = plan
        self.number = number
        self.tariff = tariff
        self.total = total
        self.steps = steps
    }
}

/// Rates months for the customer's page. Injected by App. Synchronous on the caller's session.
package protocol MonthRating: Sendable {
    var permission: Permission { get }
    /// The months that have use, newest first; empty when nobody has told a tariff.
    /// - Returns: `isWhole` is false for a customer with so many lines that not all were rated.
    func rated(
        _ customers: [CustomerID], from: String, through: String, for principal: Principal, _ session: any SQLSession
    ) throws -> (months: [RatedMonth], isWhole: Bool)
}

/// What Customers does for the domain that counts usage. Injected by App. Synchronous on the caller's session: lines,
/// days and months are one transaction.
package protocol UsageBase: Sendable {
    /// The lines of these names; a name without one, or with several, is left out.
    func lines(_ names: [String], _ naming: LineNaming, _ session: any SQLSession) throws -> [String: LineRef]
    /// All lines of these customers, each customer's in the order of their ids.
    func lines(of customers: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [UsageLine]]
    /// Those of the lines that are still there.
    func existing(_ lines: [LineRef], _ session: any SQLSession) throws -> Set<LineRef>
    /// Puts months in the place of what was known of them.
    func store(_ months: [UsageMonthTotal], _ session: any SQLSession) throws
    /// Months that are known of lines, of customers within the principal's scope, in the order of customer, line and month.
    func months(
        _ question: LineMonthQuestion, for principal: Principal, _ session: any SQLSession
    ) throws -> [LineMonth]
}

extension UsageBase {
    /// Nobody has lines that could be told apart.
    package func lines(of customers: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [UsageLine]] { [:] }
}
