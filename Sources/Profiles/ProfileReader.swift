import Kernel
import Storage

/// Windows of the counters, for the panel and for other domains.
package struct ProfileReader: LiveProfileReading {
    /// Minutes east of UTC in which days are told.
    let zone: Int
    let measures: [any DayMeasures]

    package init(zone: Int, measures: [any DayMeasures]) {
        self.zone = zone
        self.measures = measures
    }

    package func counters(_ session: any SQLSession) throws -> [(key: String, words: Words)] {
        try ProfileStore.counters(session).map { ($0.key, $0.title) }
    }

    package func values(
        of customers: [CustomerID], now: Instant, _ session: any SQLSession
    ) throws -> [LiveValue] {
        try asking(customers, now: now, session).value().flatMap { counter, all in
            all.sorted { $0.key < $1.key }.map {
                LiveValue(customer: $0.key, counter: counter.key, windows: $0.value.windows)
            }
        }
    }

    /// Each counter, in the order of their making, with the windows of those customers who have any event.
    /// - Parameter together: all customers are one (a merge is a link); their windows come under the first.
    func asking(
        _ customers: [CustomerID], now: Instant, together: Bool = false, _ session: any SQLSession
    ) throws -> Asked<[(counter: CounterDefinition, values: [CustomerID: ProfileValue])]> {
        let today = now.date(offsetMinutes: zone)
        let counters = try session.asking(ProfileStore.counters) { try ProfileStore.counter($0) }
        let buckets = try ProfileStore.asking(customers, today: today, session)
        let amounts = try measures.map {
            try $0.amounts(of: customers, from: today.adding(days: 1 - ProfileEvent.daysMax), through: today, session)
        }
        return Asked {
            var bySeries: [SeriesID: [CustomerID: ProfileValue]] = [:]
            for (key, bucket) in try buckets.value() {
                let customer = together ? customers[0] : key.customer
                bySeries[key.series, default: [:]][customer, default: ProfileValue(today)].add(bucket, day: key.day)
            }
            var byMeasure: [String: [CustomerID: ProfileValue]] = [:]
            for amount in try amounts.flatMap({ try $0.value() }) {
                let customer = together ? customers[0] : amount.customer
                byMeasure[amount.measure, default: [:]][customer, default: ProfileValue(today)].add(amount)
            }
            return try ProfileStore.orShipped(try counters.value()).map { ($0, byMeasure[$0.kind] ?? bySeries[$0.series] ?? [:]) }
        }
    }
}

/// A customer's windows of one counter on their way.
struct ProfileValue {
    private var fold: WindowFold
    /// Of a measure, whose events are known by their day only.
    private var lastDay: String?
    private var isMeasure = false

    init(_ today: LocalDate) { fold = WindowFold(today: today) }

    mutating func add(_ bucket: Bucket, day: Int) { fold.add(bucket, day: day) }

    mutating func add(_ amount: DayAmount) {
        guard amount.events != 0 || amount.sum != 0, let day = LocalDate(amount.day)?.daysSinceEpoch else { return }
        var bucket = Bucket()
        bucket.events = amount.events
        bucket.amount = amount.sum
        fold.add(bucket, day: day)
        lastDay = max(lastDay ?? "", amount.day)
        isMeasure = true
    }

    var windows: [LiveWindow] {
        fold.windows.map { window in
            guard isMeasure else { return window }
            var window = window
            window.lastAt = nil
            window.lastDay = window.events > 0 ? lastDay : nil
            return window
        }
    }
}
