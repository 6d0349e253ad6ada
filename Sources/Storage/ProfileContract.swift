import Kernel

/// How an event names its customer.
package enum CustomerNaming: Sendable, Hashable {
    /// By a telephone number, E.164.
    case number
    /// By the id that the named source has for the customer.
    case source(String)
}

/// What Customers does for those who get events about customers. Injected by App. Synchronous on the caller's session.
package protocol CustomerNames: Sendable {
    /// The customers of these names; a name nobody has is left out.
    func customers(
        _ names: [String], _ naming: CustomerNaming, _ session: any SQLSession
    ) throws -> [String: CustomerID]
}

/// Something that another domain sums day by day already, so that it need not be counted event by event once more.
package struct DayMeasure: Sendable, Hashable {
    /// `usage.data`
    package let key: String
    package let words: Words
    /// Of the sum; empty = only the number of events tells something.
    package let unit: String
    package init(_ key: String, _ words: Words, unit: String) {
        self.key = key
        self.words = words
        self.unit = unit
    }
}

/// A measure of a customer's day.
package struct DayAmount: Sendable, Equatable {
    package let customer: CustomerID
    /// `YYYY-MM-DD`
    package let day: String
    /// Key of the measure.
    package let measure: String
    package let events: Int64
    /// Thousandths of the unit.
    package let sum: Int64
    package init(customer: CustomerID, day: String, measure: String, events: Int64, sum: Int64) {
        self.customer = customer
        self.day = day
        self.measure = measure
        self.events = events
        self.sum = sum
    }
}

/// A domain's days for the live profile. Injected by App. Synchronous on the caller's session, so that it sees the same snapshot.
package protocol DayMeasures: Sendable {
    var measures: [DayMeasure] { get }
    /// The days of these customers (at most `Limits.sqlListChunk`) from one to another, both included; days without anything
    /// are left out.
    func amounts(
        of customers: [CustomerID], from first: LocalDate, through last: LocalDate, _ session: any SQLSession
    ) throws -> Asked<[DayAmount]>
}

/// A counter of the live profile over the last days, today included.
package struct LiveWindow: Sendable, Equatable {
    /// 1, 7, 30 or 90.
    package let days: Int
    package var events: Int64 = 0
    /// Thousandths; the sum of the counter's field.
    package var sum: Int64 = 0
    /// How many different values of the counter's field; exact up to 64, else within 2.3 % (one standard error).
    package var distinct: Int64 = 0
    package var isDistinctExact = true
    /// When the last of its events happened; `nil` = none, or only the day is known.
    package var lastAt: Instant?
    /// The last day with an event.
    package var lastDay: String?
    package init(days: Int) { self.days = days }
}

/// A customer's values of one counter.
package struct LiveValue: Sendable, Equatable {
    package let customer: CustomerID
    /// Key of the counter: `app_log_ins`.
    package let counter: String
    /// In the order of `LiveProfileReading.windows`.
    package let windows: [LiveWindow]
    package init(customer: CustomerID, counter: String, windows: [LiveWindow]) {
        self.customer = customer
        self.counter = counter
        self.windows = windows
    }
}

/// What the live profile lets other domains read: segments, models, rules. Injected by App.
package protocol LiveProfileReading: Sendable {
    /// Key and name of each counter.
    func counters(_ session: any SQLSession) throws -> [(key: String, words: Words)]
    /// Values of these customers (at most `Limits.sqlListChunk`), for counters with an event in the longest window.
    func values(of customers: [CustomerID], now: Instant, _ session: any SQLSession) throws -> [LiveValue]
}
