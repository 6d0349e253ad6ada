import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Answers what was used of allowances, and keeps the answer.
struct ConsumptionStore: TMFWritingStore {
    /// How long an answer can be read again.
    static let keepDays: Int64 = 7
    /// Lines of a customer that are told, and months of lines in one answer.
    static let linesMax = 500

    static let roaming: SQL = """
        SELECT subscription_id, SUBSTR(day, 1, 7), CAST(SUM(roaming_ms) AS BIGINT), CAST(SUM(roaming_sms) AS BIGINT),
          CAST(SUM(roaming_bytes) AS BIGINT)
        FROM usage_day WHERE customer_id = $1 AND day >= $2 AND day < $3 GROUP BY subscription_id, SUBSTR(day, 1, 7)
        """
    static let buckets: SQL = """
        SELECT owner_id, subscription_id, month, number, plan, tariff, kind, used, included, remaining, beyond, roaming, is_month_only,
          customer_id
        FROM usage_consumption_bucket WHERE TRUE
        """
    static let forgetBuckets: SQL = "DELETE FROM usage_consumption_bucket WHERE customer_id = $1"
    static let removeBuckets: SQL = "DELETE FROM usage_consumption_bucket WHERE owner_id = $1"
    static let old: SQL = "SELECT id FROM usage_consumption WHERE id < $1 ORDER BY id LIMIT $2"
    static let letGo: [SQL] = [
        "DELETE FROM usage_consumption_bucket WHERE owner_id < $1",
        "DELETE FROM usage_consumption_party WHERE owner_id < $1",
        "DELETE FROM usage_consumption WHERE id < $1",
    ]

    let rows: TMFRows
    private let base: any UsageBase
    private let finder: UsageLineFinder
    private let zone: Int

    init(_ base: any UsageBase, _ customers: any CustomerReading, _ products: ProductNumbers, zone: Int) {
        self.base = base
        self.zone = zone
        finder = UsageLineFinder(base: base, customers: customers, products: products)
        rows = TMFRows(
            "usage_consumption",
            [
                TMFField("queryUsageConsumptionDate", "asked_at", .time, stamp: .created, sorts: true),
                TMFField("stateReason", "state_reason"),
            ], items: [.parties("usage_consumption_party", isIndexed: false)],
            owner: .init(customers, paths: ["$owner.id", "relatedParty.id"], firstDecides: true),
            more: [.parties("usage_consumption", "usage_consumption_party")])
    }

    var table: TMFTable { rows.table }

    // MARK: Asking

    /// Whose lines are meant.
    private struct Meant {
        /// `nil` = nobody of ours.
        var customer: CustomerID?
        /// `nil` = all of the customer's.
        var subscription: SubscriptionID?
        /// Whether there is such a line, or customer.
        var isFound = false
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let months = try UsageConsumption.months(document["searchCriteria"], context)
        let meant = try meant(document, context, session)
        var buckets: [ConsumptionBucket] = []
        if let customer = meant.customer, meant.isFound {
            buckets = try self.buckets(customer, meant.subscription, months, context, session)
        }
        var stored = document
        if let customer = meant.customer { stored["$owner"] = .object(["id": .string(customer.description)]) }
        if buckets.isEmpty {
            let reason: UsageConsumption.Nothing = meant.isFound ? .noUse : .noLine
            stored["stateReason"] = .string(reason.rawValue)
        }
        let id = try rows.create(stored, context, session)
        let owner = meant.customer ?? CustomerID(0)
        try session.bulkInsert(
            into: "usage_consumption_bucket",
            """
            customer_id, owner_id, place, subscription_id, month, number, plan, tariff, kind, used, included, remaining, beyond, roaming,
            is_month_only
            """,
            buckets.enumerated().map { place, bucket in
                [
                    .id(owner), .int(id), .int(place), .id(bucket.subscription), .text(bucket.month),
                    .text(bucket.number),
                    .text(bucket.plan), .text(bucket.tariff), .text(bucket.kind.rawValue), .int(bucket.used),
                    .int(bucket.included),
                    .int(bucket.remaining), .int(bucket.beyond), .int(bucket.roaming), .bool(bucket.isMonthOnly),
                ]
            })
        return id
    }

    /// Whether there is such a line elsewhere nobody who sees some regions only is told.
    private func meant(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Meant {
        let criteria = document["searchCriteria"]?.object ?? [:]
        // Who is asked about; without that it is who is named at all.
        let asked = criteria["relatedParty"]?.array ?? []
        let parties = asked.isEmpty ? document["relatedParty"]?.array ?? [] : asked
        let named = try finder.named(["relatedParty": .array(parties)], context.principal, session)
        let numbers = AttributePath("logicalResource.id").values(in: criteria).compactMap(\.string)
        let products = AttributePath("product.id").values(in: criteria).compactMap(\.string)
        var line: LineRef?
        if let text = numbers.first {
            guard let number = PhoneNumber(text, defaultCountryCode: context.tenant.countryCode) else {
                throw UsageReading.fault("searchCriteria.logicalResource.id", "bad_number")
            }
            line = try base.lines([number.e164], .number, session)[number.e164]
        } else if let product = products.first {
            line = try finder.product(product, Set(named), session)
        } else {
            return Meant(customer: named.first, isFound: !named.isEmpty)
        }
        guard let line, parties.isEmpty || named.contains(line.customer) else { return Meant(customer: named.first) }
        return Meant(customer: line.customer, subscription: line.subscription, isFound: true)
    }

    private func buckets(
        _ customer: CustomerID, _ subscription: SubscriptionID?, _ months: (from: String, through: String),
        _ context: TMFContext,
        _ session: any SQLSession
    ) throws -> [ConsumptionBucket] {
        let book = TariffBook(try TariffStore.all(session))
        let lines = try base.lines(of: [customer], session)[customer] ?? []
        let wanted = Set(
            lines.filter { subscription == nil || $0.ref.subscription == subscription }.map(\.ref.subscription))
        var rated: [RatedLine] = []
        var after: LineMonthPlace?
        repeat {
            let some = try UsageRating.step(
                LineMonthQuestion(
                    from: months.from, through: months.through, customers: [customer], after: after,
                    limit: Limits.sqlListChunk),
                book, base, context.principal, session)
            rated += some.filter { wanted.contains($0.month.total.line.subscription) }
            after = some.count < Limits.sqlListChunk ? nil : some.last?.month.place
        } while after != nil && rated.count < Self.linesMax
        let abroad = try roaming(customer, months, session)
        var found: [(month: String, line: LineRef, buckets: [ConsumptionBucket])] = rated.prefix(Self.linesMax).map {
            one in
            let total = one.month.total
            var roaming =
                abroad[Key(subscription: total.line.subscription, month: total.month)] ?? ConsumptionBucket.Roaming()
            if one.use.isFromMonth { roaming = ConsumptionBucket.Roaming(bytes: total.roamingMB << 20) }
            return (
                total.month, total.line,
                ConsumptionBucket.all(
                    total.line, month: total.month, number: one.month.number, plan: one.month.plan, one.use, one.tariff,
                    roaming)
            )
        }
        // In the present month a line in service without use has all of its allowance. Of months past nobody knows whether it was there.
        let present = context.now.date(offsetMinutes: zone).yearMonth
        if months.from <= present, present <= months.through {
            let told = Set(found.filter { $0.month == present }.map(\.line))
            for line in lines where wanted.contains(line.ref.subscription) && !line.isOver && !told.contains(line.ref) {
                found.append(
                    (
                        present, line.ref,
                        ConsumptionBucket.all(
                            line.ref, month: present, number: line.number, plan: line.plan, MonthUse(),
                            book.tariff(of: line.plan, in: present),
                            ConsumptionBucket.Roaming(ms: 0, messages: 0, bytes: 0))
                    ))
            }
        }
        return found.sorted {
            ($0.line.subscription.rawValue, $0.month) < ($1.line.subscription.rawValue, $1.month)
        }.prefix(Self.linesMax).flatMap(\.buckets)
    }

    private struct Key: Hashable {
        let subscription: SubscriptionID
        let month: String
    }

    private func roaming(
        _ customer: CustomerID, _ months: (from: String, through: String), _ session: any SQLSession
    ) throws -> [Key: ConsumptionBucket.Roaming] {
        guard let end = LocalDate(months.through + "-01")?.adding(months: 1) else { return [:] }
        let rows = try session.query(Self.roaming, [.id(customer), .text(months.from + "-01"), .text(end.description)])
        { row in
            (
                Key(subscription: row.id(0), month: row.text(1)),
                ConsumptionBucket.Roaming(ms: row.int(2), messages: row.int(3), bytes: row.int(4))
            )
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws { throw CRMError.notFound }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try session.execute(Self.removeBuckets, [.int(id)])
        try rows.remove(id, document, context, session)
    }

    func forget(_ customers: [CustomerID], _ session: any SQLSession) throws {
        try session.executeMany(Self.forgetBuckets, customers.map { [.id($0)] })
        try rows.forget(customers, resource: UsageConsumption.name, session)
    }

    /// Lets go of the oldest answers that are behind their time; `false` = there are no more.
    static func letGo(_ now: Instant, _ session: any SQLSession) throws -> Bool {
        let limit = GrowthMonth.firstID(at: now.adding(days: -keepDays))
        let ids = try session.query(old, [.int(limit), .int(Limits.sqlListChunk)]) { $0.int(0) }
        guard let last = ids.last else { return false }
        for statement in letGo { try session.execute(statement, [.int(last + 1)]) }
        return true
    }

    // MARK: Showing

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(
        id: Int64, JSONObject
    )] {
        let found = try rows.documents(ids, principal, session)
        var buckets: [Int64: [(bucket: ConsumptionBucket, customer: CustomerID)]] = [:]
        for chunk in found.map(\.id).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.buckets)
            builder.appendIn("AND owner_id", chunk.map { .int($0) })
            builder.append("ORDER BY owner_id, place")
            for (id, bucket, customer) in try session.query(
                builder, { ($0.int(0), ConsumptionBucket($0), $0.id(13, PartyKind.self)) })
            {
                buckets[id, default: []].append((bucket, customer))
            }
        }
        let masking = Masking(principal)
        return found.map { id, document in
            var document = document
            // The date of the request is its client's; the answer is of when it was given.
            document["usageConsumption"] = .array(consumption(buckets[id] ?? [], UsageRecordID(id).madeAt, masking))
            return (id, document)
        }
    }

    /// A report for each month of each line.
    private func consumption(
        _ buckets: [(bucket: ConsumptionBucket, customer: CustomerID)], _ asked: Instant, _ masking: Masking
    ) -> [JSONValue] {
        var reports: [JSONValue] = []
        var rest = buckets[...]
        while let first = rest.first {
            let own = rest.prefix {
                $0.bucket.subscription == first.bucket.subscription && $0.bucket.month == first.bucket.month
            }
            rest = rest.dropFirst(own.count)
            guard let period = UsageConsumption.period(first.bucket.month, zone: zone) else { continue }
            var product: JSONObject = [
                "id": .string(first.bucket.subscription.description), "@referredType": .string("Subscription"),
            ]
            product["name"] = first.bucket.plan.map { .string($0) }
            var fields: JSONObject = [
                "id": .string(String(reports.count + 1)), "state": .string("done"),
                "creationDate": .string(asked.iso8601),
                "lastUpdate": .string(asked.iso8601), "product": .array([.object(product)]),
                "relatedParty": .array([TMFRows.Owner.party(first.customer)]),
                "validPeriod": .object([
                    "startDateTime": .string(period.start.iso8601), "endDateTime": .string(period.end.iso8601),
                ]),
                "bucketRefOrValue": .array(
                    own.enumerated().map { $1.bucket.document(id: $0 + 1, asked: asked, zone: zone) }),
            ]
            if let number = first.bucket.number {
                fields["logicalResource"] = .array([
                    .object([
                        "id": .string(masking.apply(.phone, number)), "name": .string("MSISDN"),
                        "@referredType": .string("LogicalResource"),
                    ])
                ])
            }
            var notes: [String] = []
            if first.bucket.tariff == nil {
                notes.append("No tariff is kept for the plan of this line: no allowance is known.")
            }
            if first.bucket.isMonthOnly { notes.append("Only the sums of the month were sent.") }
            if !notes.isEmpty { fields["description"] = .string(notes.joined(separator: " ")) }
            reports.append(.object(fields))
        }
        return reports
    }
}

extension ConsumptionBucket {
    /// From a row of its table.
    init(_ row: Row) {
        self.init(
            subscription: row.id(1), month: row.text(2), number: row.optionalText(3), plan: row.optionalText(4),
            tariff: row.optionalText(5), kind: Kind(rawValue: row.text(6)) ?? .voice, used: row.int(7),
            roaming: row.optionalInt(11),
            isMonthOnly: row.bool(12))
        included = row.optionalInt(8)
        remaining = row.optionalInt(9)
        beyond = row.optionalInt(10)
    }
}
