import Kernel
import Storage

/// What is remembered of an event over the correction window: enough to know it again and to take back what it gave.
package struct UsageEntry: Sendable, Equatable {
    package enum State: UInt8, Sendable {
        /// Its line is not known yet; it waits.
        case waiting = 0
        case taken = 1
        case cancelled = 2
    }
    package var fingerprint: UInt64
    package var version: UInt32
    package var state: State
    /// What it gave, and where; `nil` unless taken.
    package var place: UsagePlace?
    package var amount: UsageAmount?

    package init(
        _ fingerprint: UInt64, version: UInt32, _ state: State, place: UsagePlace? = nil, amount: UsageAmount? = nil
    ) {
        self.fingerprint = fingerprint
        self.version = version
        self.state = state
        self.place = place
        self.amount = amount
    }

    /// Of two entries of one event the one with the higher rank holds: a later version, a cancellation before the version it
    /// cancels, an event that was taken before the same one waiting.
    package var rank: UInt64 {
        UInt64(version) << 2 | (state == .cancelled ? 2 : state == .taken ? 1 : 0)
    }
}

/// How many events became what. `read` is the sum of the others.
package struct UsageCounts: Sendable, Equatable, Codable {
    package var taken = 0
    package var duplicate = 0
    package var corrected = 0
    package var cancelled = 0
    package var unmatched = 0
    package var rejected = 0
    package var read: Int { taken + duplicate + corrected + cancelled + unmatched + rejected }
    package init() {}

    package mutating func add(_ other: UsageCounts) {
        taken += other.taken
        duplicate += other.duplicate
        corrected += other.corrected
        cancelled += other.cancelled
        unmatched += other.unmatched
        rejected += other.rejected
    }
}

/// Folds the events of one chunk into changes of days. Pure: what is known of the ids comes in, what is to be written comes
/// out, and any split into chunks and any order of versions comes to the same days.
package struct UsageFold {
    /// What was known of these ids before.
    package let known: [UInt64: UsageEntry]
    /// What is known of them now, of those that changed.
    package private(set) var fresh: [UInt64: UsageEntry] = [:]
    package private(set) var days: [UsagePlace: DayUsage] = [:]
    /// Events to be kept until their line appears.
    package private(set) var waiting: [UInt64: UsageEvent] = [:]
    /// Ids that waited before and do so no more.
    package private(set) var released: Set<UInt64> = []
    package private(set) var counts = UsageCounts()

    /// - Parameter known: entries of ids that will come; those of others do no harm.
    package init(known: [UInt64: UsageEntry], capacity: Int = 0) {
        self.known = known
        fresh.reserveCapacity(capacity)
        days.reserveCapacity(capacity / 2)
    }

    package mutating func reject(_ count: Int) { counts.rejected += count }

    /// - Parameters:
    ///   - line: whom it counts for; `nil` = nobody known.
    ///   - isReplay: the event waited, and its line is looked for again.
    package mutating func add(_ event: UsageEvent, line: LineRef?, isReplay: Bool = false) {
        let before = fresh[event.fingerprint] ?? known[event.fingerprint]
        let version = UInt64(event.version) << 2 | (event.isCancelled ? 2 : 0)
        if let before {
            let isResumed =
                isReplay && before.state == .waiting && before.version == event.version && !event.isCancelled
            // The two low bits of a rank order the states of one version.
            let isNewer =
                event.isCancelled ? version > before.rank : UInt64(event.version) > UInt64(before.version)
            guard isResumed || isNewer else {
                counts.duplicate += 1
                if isReplay, before.state != .waiting { released.insert(event.fingerprint) }
                return
            }
            takeBack(before)
        } else if isReplay {
            // Its id was let go while it waited.
            counts.duplicate += 1
            released.insert(event.fingerprint)
            return
        }
        if event.isCancelled {
            fresh[event.fingerprint] = UsageEntry(event.fingerprint, version: event.version, .cancelled)
            counts.cancelled += 1
            return
        }
        guard let line else {
            fresh[event.fingerprint] = UsageEntry(event.fingerprint, version: event.version, .waiting)
            waiting[event.fingerprint] = event
            counts.unmatched += 1
            return
        }
        let place = UsagePlace(line, day: event.day)
        days[place, default: DayUsage()].add(event.amount)
        fresh[event.fingerprint] = UsageEntry(
            event.fingerprint, version: event.version, .taken, place: place, amount: event.amount)
        if let before, before.state != .waiting || !isReplay { counts.corrected += 1 } else { counts.taken += 1 }
    }

    private mutating func takeBack(_ before: UsageEntry) {
        switch before.state {
        case .taken:
            if let place = before.place, let amount = before.amount {
                days[place, default: DayUsage()].add(amount, -1)
            }
        case .waiting:
            if waiting.removeValue(forKey: before.fingerprint) == nil { released.insert(before.fingerprint) }
        case .cancelled: break
        }
    }
}
