import Contracts
import Kernel
import Platform
import Storage
import Web

/// What other domains tell with the time at which it was, and take back when it is not so any more.
extension ProfileService {
    /// Something that happened here with a customer, and the name by which it is known when it is told again.
    struct Told {
        let key: String
        let customer: CustomerID
        let at: Instant
        var attributes: [String: AttributeValue] = [:]
    }

    /// The name under which this product's own events are known again.
    static let ownSource = "Switchboard"

    /// Counts what other domains tell with the time at which it was: each key of a kind once in `seenDays`, what no window
    /// reaches, or lies ahead, not at all.
    /// - Parameter arrived: when it was told; counters that began later do not count it.
    func happenedOnce(_ kind: String, _ all: [Told], arrived: Instant, _ session: any SQLSession) throws {
        var fold = ProfileFold(try ProfileStore.counters(session), zone: zone)
        guard fold.fields(kind) != nil else { return }
        let now = tenant.clock.now()
        let first = LiveDays.first(ProfileEvent.daysMax, now: now, zone: zone)
        // A day is told without its hour: the whole of today is no future.
        let last = now.adding(days: 1)
        let told = all.filter { $0.at >= first && $0.at <= last }
        guard !told.isEmpty else { return }
        let source = try ProfileStore.source(Self.ownSource, make: tenant.ids.next(), at: now, session)
        try ProfileStore.hold(source, session)
        let prints = told.map { ProfileEvent.fingerprint(source: kind, id: $0.key) }
        var known = try ProfileStore.seen(Array(Set(prints)).sorted(), source, session)
        var fresh: [UInt64] = []
        var kept: [(customer: CustomerID, event: ProfileEvent)] = []
        for (one, print) in zip(told, prints) where known.insert(print).inserted {
            fresh.append(print)
            fold.add(kind: kind, at: one.at, attributes: one.attributes, customer: one.customer, arrived: arrived)
            kept.append(
                (
                    one.customer,
                    ProfileEvent(
                        fingerprint: print, kind: kind, at: one.at, naming: .number, name: "", attributes: one.attributes)
                ))
        }
        try ProfileStore.remember(fresh.sorted(), source, day: now.date().daysSinceEpoch, session)
        try TellStore.keep(kept, zone: zone, arrived: arrived, session)
        try apply(fold, session)
        try session.execute(
            ProfileStore.tally,
            [
                .id(source), .int(fresh.count), .int(0), .int(told.count - fresh.count), .int(0), .int(0), .time(now),
            ])
    }

    /// Takes back what was told under these keys, as if it had never been: counts, sums, the last event, different values. What
    /// was never counted, or is told no more, changes nothing. The key may be told again.
    func withdrawn(_ kind: String, _ all: [(customer: CustomerID, key: String)], _ session: any SQLSession) throws {
        guard !all.isEmpty else { return }
        let now = tenant.clock.now()
        let source = try ProfileStore.source(Self.ownSource, make: tenant.ids.next(), at: now, session)
        try ProfileStore.hold(source, session)
        let places = all.map { TellStore.Place(customer: $0.customer, print: ProfileEvent.fingerprint(source: kind, id: $0.key)) }
        let told = try TellStore.told(of: Set(all.map(\.customer)).sorted(), kind, session)
        let asked = Set(places)
        let mine = told.filter { asked.contains($0.place) }
        try session.executeMany(
            ProfileStore.forgetOne, places.map { [.id(source), .int(Int64(bitPattern: $0.print))] })
        guard !mine.isEmpty else { return }
        try session.executeMany(
            TellStore.forget, mine.map { [.id($0.place.customer), .int(Int64(bitPattern: $0.place.print))] })
        let counters = try ProfileStore.counters(session)
        let gone = Set(mine.map(\.place))
        var (less, rest) = (ProfileFold(counters, zone: zone), ProfileFold(counters, zone: zone))
        for one in told {
            let customer = one.place.customer, event = one.event
            if gone.contains(one.place) {
                less.add(kind: kind, at: event.at, attributes: event.attributes, customer: customer, arrived: one.arrived)
            } else {
                rest.add(kind: kind, at: event.at, attributes: event.attributes, customer: customer, arrived: one.arrived)
            }
        }
        try ProfileStore.takeBack(less.buckets, left: rest.buckets, session)
        for piece in Set(less.buckets.keys.map(\.customer)).sorted().chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(LiveProfileChanged(customers: piece), session)
        }
    }

    /// Noon of a day in the tenant's zone.
    func noon(_ day: String) -> Instant? {
        LocalDate(day).map {
            Instant(milliseconds: Int64($0.daysSinceEpoch) * 86_400_000 - Int64(zone) * 60_000 + 43_200_000)
        }
    }
}

/// What was told and counted.
enum TellStore {
    static let insert: SQL = """
        INSERT INTO profiles_told (customer_id, fingerprint, kind, day, event, arrived_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (customer_id, fingerprint) DO UPDATE SET day = excluded.day, event = excluded.event,
          arrived_at = excluded.arrived_at
        """
    static let select: SQL = "SELECT customer_id, fingerprint, event, arrived_at FROM profiles_told WHERE kind = $1"
    static let forget: SQL = "DELETE FROM profiles_told WHERE customer_id = $1 AND fingerprint = $2"
    static let forgetCustomer: SQL = "DELETE FROM profiles_told WHERE customer_id = $1"
    static let letGo: SQL = "DELETE FROM profiles_told WHERE arrived_at < $1"

    struct Place: Hashable {
        let customer: CustomerID
        let print: UInt64
    }

    struct Row {
        let place: Place
        let event: ProfileEvent
        let arrived: Instant
    }

    static func keep(
        _ all: [(customer: CustomerID, event: ProfileEvent)], zone: Int, arrived: Instant, _ session: any SQLSession
    ) throws {
        try session.executeMany(
            insert,
            all.map { customer, event in
                [
                    .id(customer), .int(Int64(bitPattern: event.fingerprint)), .text(event.kind),
                    .text(event.at.date(offsetMinutes: zone).description),
                    .text(event.packed(Set(event.attributes.keys))), .time(arrived),
                ]
            })
    }

    static func told(of customers: [CustomerID], _ kind: String, _ session: any SQLSession) throws -> [Row] {
        var all: [Row] = []
        for piece in customers.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(select, [.text(kind)])
            builder.appendIn("AND customer_id", piece.map { .id($0) })
            all += try session.query(builder) { row -> Row? in
                let print = UInt64(bitPattern: row.int(1))
                guard let event = try ProfileEvent(packed: row.text(2), fingerprint: print, naming: .number, name: "") else {
                    return nil
                }
                return Row(place: Place(customer: row.id(0), print: print), event: event, arrived: row.time(3))
            }.compactMap(\.self)
        }
        return all
    }
}

extension ProfileStore {
    static let forgetOne: SQL = "DELETE FROM profiles_seen WHERE source_id = $1 AND fingerprint = $2"
    static let subtract: SQL = """
        UPDATE profiles_bucket SET events = events - $4, amount = amount - $5
        WHERE customer_id = $1 AND series_id = $2 AND day = $3
        """
    static let dropEmpty: SQL = """
        DELETE FROM profiles_bucket WHERE customer_id = $1 AND series_id = $2 AND day = $3 AND events <= 0
        """
    /// Only where all that is counted there is known one by one.
    static let setRest: SQL = """
        UPDATE profiles_bucket SET last_at = $5, last_amount = $6, sketch = $7
        WHERE customer_id = $1 AND series_id = $2 AND day = $3 AND events = $4
        """

    /// Takes events out of buckets. The last event and the different values cannot be subtracted: they are those of what is left,
    /// where that is known; where it is not (it was told before what is told was kept), they stay.
    static func takeBack(
        _ less: [BucketKey: Bucket], left: [BucketKey: Bucket], _ session: any SQLSession
    ) throws {
        // In the order of the key: two transactions take rows in the same order.
        let sorted = less.sorted { $0.key < $1.key }
        try session.executeMany(subtract, sorted.map { place($0) + [.int($1.events), .int($1.amount)] })
        try session.executeMany(dropEmpty, sorted.map { key, _ in place(key) })
        try session.executeMany(
            setRest,
            sorted.compactMap { key, _ in
                left[key].map { rest in
                    place(key) + [
                        .int(rest.events), .time(rest.lastAt), .int(rest.lastAmount),
                        rest.sketch.map { .bytes($0.bytes) } ?? .null,
                    ]
                }
            })
    }
}
