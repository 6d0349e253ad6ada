/// What a plan costs: a fee with an allowance, and a price for each minute, message and gigabyte beyond. Calls are rounded up to
/// minutes one by one, data to gigabytes by the month.
package struct UsagePlan: Sendable, Equatable {
    /// Minor units of the currency.
    package let fee: Int64
    package let minutes: Int64
    package let messages: Int64
    package let gigabytes: Int64
    package let perMinute: Int64
    package let perMessage: Int64
    package let perGigabyte: Int64

    package init(
        fee: Int64, minutes: Int64, messages: Int64, gigabytes: Int64, perMinute: Int64, perMessage: Int64,
        perGigabyte: Int64
    ) {
        self.fee = fee
        self.minutes = minutes
        self.messages = messages
        self.gigabytes = gigabytes
        self.perMinute = perMinute
        self.perMessage = perMessage
        self.perGigabyte = perGigabyte
    }

    /// What a month of use comes to, in minor units.
    /// - Parameter use: the sum of the month's days.
    package func bill(_ use: DayUsage) -> Int64 {
        let gigabytes = (use.dataBytes + (1 << 30) - 1) >> 30
        return fee + max(0, use.billedMinutes - minutes) * perMinute + max(0, use.sms - messages) * perMessage
            + max(0, gigabytes - self.gigabytes) * perGigabyte
    }
}
