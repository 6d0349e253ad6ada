import Kernel
import Storage

/// One day of a customer's counter.
package struct BucketKey: Hashable, Sendable, Comparable {
    package let customer: CustomerID
    package let series: SeriesID
    /// Days since 1970-01-01 in the tenant's zone.
    package let day: Int
    package static func < (a: Self, b: Self) -> Bool {
        (a.customer, a.series, a.day) < (b.customer, b.series, b.day)
    }
}

/// What a day came to. Adding is commutative and associative: count and sum are whole numbers, the last event is the greatest of
/// (time, amount), the different values are a set.
package struct Bucket: Sendable, Equatable {
    package var events: Int64 = 0
    /// Thousandths.
    package var amount: Int64 = 0
    package var lastAt = Instant(milliseconds: Int64.min)
    /// Of two events of one millisecond the larger amount.
    package var lastAmount: Int64 = 0
    /// `nil` = its counter counts no different values, or there was none.
    package var sketch: DistinctSketch?
    package init() {}

    package mutating func add(_ other: Bucket) {
        events += other.events
        amount += other.amount
        if (other.lastAt, other.lastAmount) > (lastAt, lastAmount) { (lastAt, lastAmount) = (other.lastAt, other.lastAmount) }
        if let theirs = other.sketch {
            var mine = sketch ?? DistinctSketch()
            mine.merge(theirs)
            sketch = mine
        }
    }
}

/// Folds events into changes of buckets. Pure.
package struct ProfileFold {
    private let counters: [String: [CounterDefinition]]
    private let zone: Int
    package private(set) var buckets: [BucketKey: Bucket] = [:]

    package init(_ counters: [CounterDefinition], zone: Int) {
        self.counters = Dictionary(grouping: counters, by: \.kind)
        self.zone = zone
    }

    /// Attributes of events of a kind that any counter looks at; `nil` = nobody counts the kind.
    package func fields(_ kind: String) -> Set<String>? {
        counters[kind].map { $0.reduce(into: []) { $0.formUnion($1.fields) } }
    }

    /// Counts an event. `false` = no counter wanted it.
    /// - Parameter arrived: counters that began later do not count it.
    @discardableResult
    package mutating func add(
        kind: String, at: Instant, attributes: [String: AttributeValue], customer: CustomerID, arrived: Instant
    ) -> Bool {
        var isUsed = false
        for counter in counters[kind] ?? [] where arrived >= counter.startedAt {
            guard counter.conditions.allSatisfy({ $0.holds(attributes) }) else { continue }
            isUsed = true
            var one = Bucket()
            one.events = 1
            one.lastAt = at
            if case .number(let amount)? = attributes[counter.sumField] { (one.amount, one.lastAmount) = (amount, amount) }
            if let value = attributes[counter.distinctField] {
                var sketch = DistinctSketch()
                sketch.add(ProfileEvent.hash("\(counter.series)", value.asText))
                one.sketch = sketch
            }
            let key = BucketKey(
                customer: customer, series: counter.series, day: at.date(offsetMinutes: zone).daysSinceEpoch)
            buckets[key, default: Bucket()].add(one)
        }
        return isUsed
    }
}

/// Windows over buckets.
package struct WindowFold {
    package static let days = [1, 7, 30, 90]
    private let today: Int
    private var sums: [Bucket]

    package init(today: LocalDate) {
        self.today = today.daysSinceEpoch
        sums = Self.days.map { _ in Bucket() }
    }

    /// A day of the future is in no window yet.
    package mutating func add(_ bucket: Bucket, day: Int) {
        guard day <= today else { return }
        for (index, days) in Self.days.enumerated() where day > today - days { sums[index].add(bucket) }
    }

    package var windows: [LiveWindow] {
        zip(Self.days, sums).map { days, sum in
            var window = LiveWindow(days: days)
            window.events = sum.events
            window.sum = sum.amount
            window.distinct = sum.sketch?.count ?? 0
            window.isDistinctExact = sum.sketch?.isExact ?? true
            window.lastAt = sum.events > 0 ? sum.lastAt : nil
            return window
        }
    }
}
