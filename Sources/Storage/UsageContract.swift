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

/// What Customers does for the domain that counts usage. Injected by App. Synchronous on the caller's session: lines,
/// days and months are one transaction.
package protocol UsageBase: Sendable {
    /// The lines of these names; a name without one, or with several, is left out.
    func lines(_ names: [String], _ naming: LineNaming, _ session: any SQLSession) throws -> [String: LineRef]
    /// Those of the lines that are still there.
    func existing(_ lines: [LineRef], _ session: any SQLSession) throws -> Set<LineRef>
    /// Puts months in the place of what was known of them.
    func store(_ months: [UsageMonthTotal], _ session: any SQLSession) throws
}
