import Contracts
import Kernel
import Platform
import Storage
import Web

/// Counters, sources, ids, what waits, and buckets.
enum ProfileStore {
    // MARK: Counters

    static let counters: SQL = """
        SELECT id, name, series_id, title_en, title_zh, kind, conditions, sum_field, distinct_field, unit, started_at
        FROM profiles_counter ORDER BY id
        """
    static let anyCounter: SQL = "SELECT 1 FROM profiles_counter LIMIT 1"
    static let insertCounter: SQL = """
        INSERT INTO profiles_counter (id, name, series_id, title_en, title_zh, kind, conditions, sum_field, distinct_field, unit,
          started_at, changed_at, changed_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (name) DO NOTHING
        """
    static let updateCounter: SQL = """
        UPDATE profiles_counter SET series_id = $3, title_en = $4, title_zh = $5, kind = $6, conditions = $7, sum_field = $8,
          distinct_field = $9, unit = $10, started_at = $11, changed_at = $12, changed_by_name = $13
        WHERE id = $1 AND name = $2
        """
    static let deleteCounter: SQL = "DELETE FROM profiles_counter WHERE id = $1"

    /// The stored ones; those of the product while nobody has changed any.
    static func counters(_ session: any SQLSession) throws -> [CounterDefinition] {
        try orShipped(try session.query(counters) { try counter($0) })
    }

    static func orShipped(_ stored: [CounterDefinition]) throws -> [CounterDefinition] {
        stored.isEmpty ? CounterDefinition.shipped : stored
    }

    /// Before the first change the product's own become rows like all others. A migration cannot write them: a database that
    /// another is copied into has no rows.
    static func storeShipped(at now: Instant, _ session: any SQLSession) throws {
        guard try !session.exists(anyCounter) else { return }
        for counter in CounterDefinition.shipped {
            _ = try put(insertCounter, counter, at: now, by: "", session)
        }
    }

    static func counter(_ row: Row) throws -> CounterDefinition {
        var counter = CounterDefinition(
            id: row.id(0), key: row.text(1), series: row.id(2), title: Words(en: row.text(3), zh: row.text(4)),
            kind: row.text(5))
        counter.conditions = try CounterCondition.parse(row.text(6))
        counter.sumField = row.text(7)
        counter.distinctField = row.text(8)
        counter.unit = row.text(9)
        counter.startedAt = row.time(10)
        return counter
    }

    /// Returns how many rows changed: none = the name is taken, or the counter is gone.
    static func put(
        _ sql: SQL, _ counter: CounterDefinition, at now: Instant, by name: String, _ session: any SQLSession
    ) throws -> Int {
        try session.execute(
            sql,
            [
                .id(counter.id), .text(counter.key), .id(counter.series), .text(counter.title.en),
                .text(counter.title.zh), .text(counter.kind), .text(counter.conditionsText), .text(counter.sumField),
                .text(counter.distinctField), .text(counter.unit), .time(counter.startedAt), .time(now), .text(name),
            ])
    }

    // MARK: Sources

    static let sourceByName: SQL = "SELECT id FROM profiles_source WHERE name = $1"
    static let addSource: SQL = """
        INSERT INTO profiles_source (id, name, created_at, revision, counted, unused, duplicate, waited, rejected)
        VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0) ON CONFLICT (name) DO NOTHING
        """
    /// Requests of one source come one after another: two that looked for the same id at once would both take it.
    static let hold: SQL = "UPDATE profiles_source SET revision = revision + 1 WHERE id = $1"
    static let tally: SQL = """
        UPDATE profiles_source SET counted = counted + $2, unused = unused + $3, duplicate = duplicate + $4,
          waited = waited + $5, rejected = rejected + $6, last_at = $7 WHERE id = $1
        """
    static let sources: SQL = """
        SELECT s.name, s.counted, s.unused, s.duplicate, s.waited, s.rejected, s.last_at,
          (SELECT COUNT(*) FROM profiles_waiting w WHERE w.source_id = s.id)
        FROM profiles_source s ORDER BY s.name LIMIT $1
        """

    static func source(
        _ name: String, make id: ProfileSourceID, at now: Instant, _ session: any SQLSession
    ) throws -> ProfileSourceID {
        if let known = try session.first(sourceByName, [.text(name)], { $0.id(0, ProfileSourceKind.self) }) { return known }
        try session.execute(addSource, [.id(id), .text(name), .time(now)])
        guard let made = try session.first(sourceByName, [.text(name)], { $0.id(0, ProfileSourceKind.self) }) else {
            throw CRMError.notFound
        }
        return made
    }

    static func hold(_ source: ProfileSourceID, _ session: any SQLSession) throws {
        guard try session.execute(hold, [.id(source)]) == 1 else { throw CRMError.notFound }
    }

    // MARK: Ids

    static let seen: SQL = "SELECT fingerprint FROM profiles_seen WHERE source_id = $1"
    static let forgetSeen: SQL = "DELETE FROM profiles_seen WHERE arrived_day < $1"

    static func seen(
        _ prints: [UInt64], _ source: ProfileSourceID, _ session: any SQLSession
    ) throws -> Set<UInt64> {
        var found: Set<UInt64> = []
        for piece in prints.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(seen, [.id(source)])
            builder.appendIn("AND fingerprint", piece.map { .int(Int64(bitPattern: $0)) })
            found.formUnion(try session.query(builder) { UInt64(bitPattern: $0.int(0)) })
        }
        return found
    }

    static func remember(
        _ prints: [UInt64], _ source: ProfileSourceID, day: Int, _ session: any SQLSession
    ) throws {
        try session.bulkInsert(
            into: "profiles_seen", "source_id, fingerprint, arrived_day",
            prints.map { [.id(source), .int(Int64(bitPattern: $0)), .int(day)] })
    }

    // MARK: Buckets

    static let addBucket: SQL = """
        INSERT INTO profiles_bucket (customer_id, series_id, day, events, amount, last_at, last_amount)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (customer_id, series_id, day) DO UPDATE SET events = profiles_bucket.events + excluded.events,
          amount = profiles_bucket.amount + excluded.amount,
          last_amount = CASE WHEN excluded.last_at > profiles_bucket.last_at OR (excluded.last_at = profiles_bucket.last_at
            AND excluded.last_amount > profiles_bucket.last_amount) THEN excluded.last_amount
            ELSE profiles_bucket.last_amount END,
          last_at = CASE WHEN excluded.last_at > profiles_bucket.last_at THEN excluded.last_at
            ELSE profiles_bucket.last_at END
        """
    static let sketches: SQL = """
        SELECT customer_id, sketch FROM profiles_bucket WHERE series_id = $1 AND day = $2 AND sketch IS NOT NULL
        """
    static let setSketch: SQL = """
        UPDATE profiles_bucket SET sketch = $4 WHERE customer_id = $1 AND series_id = $2 AND day = $3
        """
    static let buckets: SQL = """
        SELECT customer_id, series_id, day, events, amount, last_at, last_amount, sketch
        FROM profiles_bucket WHERE day >= $1
        """
    static let forgetCustomer: SQL = "DELETE FROM profiles_bucket WHERE customer_id = $1"
    static let letGo: SQL = "DELETE FROM profiles_bucket WHERE day < $1"
    /// Of one day, so that no transaction is long.
    static let sweepDay: SQL = """
        DELETE FROM profiles_bucket WHERE day = $1 AND EXISTS (SELECT 1 FROM profiles_counter)
          AND series_id NOT IN (SELECT series_id FROM profiles_counter)
        """

    /// Adds to buckets. Counts first: that takes the row, so that what is read of its different values afterwards is what
    /// the last transaction that had the row left there.
    static func add(_ changes: [BucketKey: Bucket], _ session: any SQLSession) throws {
        // In the order of the key: two transactions take rows in the same order.
        let sorted = changes.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try session.executeMany(
            addBucket,
            sorted.map { key, bucket in
                place(key) + [
                    .int(bucket.events), .int(bucket.amount), .time(bucket.lastAt), .int(bucket.lastAmount),
                ]
            })
        struct Day: Hashable { let series: SeriesID; let day: Int }
        var different: [Day: [(CustomerID, DistinctSketch)]] = [:]
        for (key, bucket) in sorted {
            guard let sketch = bucket.sketch else { continue }
            different[Day(series: key.series, day: key.day), default: []].append((key.customer, sketch))
        }
        for (day, all) in different {
            for piece in all.chunked(Limits.sqlListChunk) {
                var builder = SQLBuilder(sketches, [.id(day.series), .text(text(day.day))])
                builder.appendIn("AND customer_id", piece.map { .id($0.0) })
                let known = Dictionary(
                    try session.query(builder) { ($0.id(0, PartyKind.self), try sketch($0.bytes(1))) },
                    uniquingKeysWith: { first, _ in first })
                try session.executeMany(
                    setSketch,
                    piece.map { customer, fresh in
                        var merged = known[customer] ?? DistinctSketch()
                        merged.merge(fresh)
                        return [.id(customer), .id(day.series), .text(text(day.day)), .bytes(merged.bytes)]
                    })
            }
        }
    }

    static func place(_ key: BucketKey) -> [SQLValue] {
        [.id(key.customer), .id(key.series), .text(text(key.day))]
    }

    static func text(_ day: Int) -> String { LocalDate(daysSinceEpoch: day).description }

    /// - Throws: `SketchDamaged`.
    static func sketch(_ bytes: [UInt8]) throws -> DistinctSketch {
        guard let sketch = DistinctSketch(bytes: bytes) else { throw SketchDamaged() }
        return sketch
    }

    /// Buckets of these customers in the longest window.
    static func asking(
        _ customers: [CustomerID], today: LocalDate, _ session: any SQLSession
    ) throws -> Asked<[(key: BucketKey, bucket: Bucket)]> {
        var builder = SQLBuilder(buckets, [.text(today.adding(days: 1 - ProfileEvent.daysMax).description)])
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        return try session.asking(builder) { row in
            var bucket = Bucket()
            bucket.events = row.int(3)
            bucket.amount = row.int(4)
            bucket.lastAt = row.time(5)
            bucket.lastAmount = row.int(6)
            bucket.sketch = row.isNull(7) ? nil : try sketch(row.bytes(7))
            let day = LocalDate(row.text(2))?.daysSinceEpoch ?? 0
            return (BucketKey(customer: row.id(0), series: row.id(1), day: day), bucket)
        }
    }

    // MARK: What waits

    static let wait: SQL = """
        INSERT INTO profiles_waiting (source_id, fingerprint, naming, customer_name, event, arrived_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """
    static let anyWaiting: SQL = "SELECT 1 FROM profiles_waiting LIMIT 1"
    static let waitingNamings: SQL = "SELECT DISTINCT naming FROM profiles_waiting ORDER BY naming"
    static let waitingNames: SQL = """
        SELECT DISTINCT customer_name FROM profiles_waiting WHERE naming = $1 AND customer_name > $2
        ORDER BY customer_name LIMIT $3
        """
    static let waitingSources: SQL = "SELECT DISTINCT source_id FROM profiles_waiting WHERE naming = $1"
    static let waitingEvents: SQL = """
        SELECT source_id, fingerprint, customer_name, event, arrived_at FROM profiles_waiting WHERE naming = $1
        """
    static let release: SQL = "DELETE FROM profiles_waiting WHERE source_id = $1 AND fingerprint = $2"
    static let letGoWaiting: SQL = "DELETE FROM profiles_waiting WHERE arrived_at < $1"
    static let waitingCount: SQL = "SELECT COUNT(*) FROM profiles_waiting"
    static let waitingShown: SQL = """
        SELECT naming, customer_name, COUNT(*), MIN(arrived_at) FROM profiles_waiting
        GROUP BY naming, customer_name ORDER BY COUNT(*) DESC, naming, customer_name LIMIT $1
        """

    static func stored(_ naming: CustomerNaming) -> String {
        switch naming {
        case .number: "number"
        case .source(let source): "source:" + source
        }
    }

    static func naming(_ stored: String) -> CustomerNaming {
        stored == "number" ? .number : .source(String(stored.dropFirst("source:".count)))
    }
}

/// A stored sketch that does not read as one.
package struct SketchDamaged: Error {}

extension ProfileEvent {
    /// For the table of what waits.
    func packed(_ fields: Set<String>) -> String {
        let kept = attributes.filter { fields.contains($0.key) }
        return JSONValue.object([
            "kind": .string(kind), "at": .int(at.milliseconds),
            "texts": .object(
                kept.compactMapValues { if case .text(let text) = $0 { .string(text) } else { nil } }),
            "numbers": .object(
                kept.compactMapValues { if case .number(let number) = $0 { .int(number) } else { nil } }),
        ]).encoded()
    }

    init?(packed: String, fingerprint: UInt64, naming: CustomerNaming, name: String) throws {
        guard let object = try JSONValue.parse(Array(packed.utf8)).object, let kind = object["kind"]?.string,
            let at = object["at"]?.int
        else { return nil }
        var attributes: [String: AttributeValue] = [:]
        for (name, value) in object["texts"]?.object ?? [:] { attributes[name] = value.string.map { .text($0) } }
        for (name, value) in object["numbers"]?.object ?? [:] { attributes[name] = value.int.map { .number($0) } }
        self.init(
            fingerprint: fingerprint, kind: kind, at: Instant(milliseconds: at), naming: naming, name: name,
            attributes: attributes)
    }
}
