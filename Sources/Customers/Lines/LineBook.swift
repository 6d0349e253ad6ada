import Contracts
import Kernel
import Platform
import Storage

/// The customers' lines for the domain that orders and lists them as products.
package struct LineBook: LineKeeping {
    package init() {}

    static let select: SQL = """
        SELECT id, customer_id, msisdn, status, service, plan, started_on, ended_on, monthly_charge, currency
        FROM customers_subscription WHERE TRUE
        """
    static let used: SQL = "SELECT 1 FROM customers_usage_month WHERE customer_id = $1 AND subscription_id = $2 LIMIT 1"
    static let keyed: SQL = "SELECT 1 FROM customers_record_key WHERE customer_id = $1 AND record_id = $2 LIMIT 1"

    /// The number of a line in service is an identifier of its customer. One that has ended is found by its own index: its number may be
    /// somebody else's by now.
    package var listing: LineListing {
        LineListing(
            all: "FROM customers_subscription s WHERE TRUE",
            numbered: [
                (
                    """
                    FROM customers_identifier i JOIN customers_subscription s ON s.customer_id = i.customer_id AND s.msisdn = i.value
                    WHERE i.kind = 'msisdn' AND s.status <> 'terminated'
                    """, "i.value"
                ),
                ("FROM customers_subscription s WHERE s.status = 'terminated'", "s.msisdn"),
            ], id: "s.id", customer: "s.customer_id",
            // Each has an index of exactly these words; as text, because SQLite looks into the parts of a union only where both have
            // one type.
            status: "CAST(CASE s.status WHEN 'pending' THEN 'pendingActive' ELSE s.status END AS TEXT)",
            title: "CAST(COALESCE(s.plan, s.service) AS TEXT)", started: "s.started_on",
            ended: ("FROM customers_subscription s WHERE s.status = 'terminated'", "s.ended_on"))
    }

    package func lines(_ ids: [Int64], _ session: any SQLSession) throws -> [LineFacts] {
        var found: [Int64: LineFacts] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            for line in try session.query(builder, Self.facts) { found[line.id.rawValue] = line }
        }
        return ids.compactMap { found[$0] }
    }

    private static func facts(_ row: Row) -> LineFacts {
        LineFacts(
            id: row.id(0), customer: row.id(1), number: row.optionalText(2),
            // A word that nobody here writes is a line that stands.
            status: LineFacts.Status(rawValue: row.text(3)) ?? .active, service: row.text(4), plan: row.optionalText(5),
            startedOn: row.optionalText(6).flatMap { LocalDate($0) }, endedOn: row.optionalText(7).flatMap { LocalDate($0) },
            monthlyCharge: row.optionalInt(8).map { Money(minor: $0, currency: row.text(9)) })
    }

    package func holder(of number: String, _ session: any SQLSession) throws -> CustomerID? {
        let owners = try IdentifierStore.owners([.msisdn(number)], session)
        guard let owner = owners[.msisdn(number)], try IdentifierStore.released(owners, session).isEmpty else { return nil }
        return owner
    }

    package func make(_ line: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession) throws {
        try change(line.customer, "customers.subscription.create", line, principal, tenant, session) { context, record in
            var new = Subscription(
                id: line.id, service: ServiceCode(rawValue: line.service) ?? .other,
                startedOn: line.startedOn ?? context.today, currency: record.customer.currency)
            try Self.set(line, from: nil, on: &new, context)
            guard record.customer.hasLeft != true || new.status == .terminated else { throw LinePages.left }
            record.subscriptions.append(new)
        }
    }

    package func change(
        from old: LineFacts, to new: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        guard old != new else { return }
        let action = new.status == .terminated && old.status != .terminated ? "end" : "update"
        try change(old.customer, "customers.subscription." + action, new, principal, tenant, session) { context, record in
            guard let place = record.subscriptions.firstIndex(where: { $0.id == old.id }) else { throw CRMError.notFound }
            var line = record.subscriptions[place]
            try Self.set(new, from: old, on: &line, context)
            if line.status != .terminated, record.subscriptions[place].status == .terminated, record.customer.hasLeft == true {
                throw LinePages.left
            }
            record.subscriptions[place] = line
        }
    }

    package func remove(_ line: LineFacts, by principal: Principal, _ tenant: Tenant, _ session: any SQLSession) throws {
        let key: [SQLValue] = [.id(line.customer), .id(line.id)]
        let (isUsed, isKeyed) = (try session.exists(Self.used, key), try session.exists(Self.keyed, key))
        guard !isUsed, !isKeyed else {
            let why =
                isUsed
                ? Words(en: "it has been used", zh: "已有用量") : Words(en: "it came with an import, which would bring it again", zh: "来自导入，再次导入会重新出现")
            throw CRMError(
                "in_use", status: 409,
                Words(
                    en: "The product is a line of the customer and cannot be removed: \(why.en). Set its status to “terminated” instead.",
                    zh: "该产品是客户的号码，不能删除：\(why.zh)。请改为将状态设为“terminated”。"))
        }
        try change(line.customer, "customers.subscription.update", line, principal, tenant, session) { _, record in
            record.subscriptions.removeAll { $0.id == line.id }
        }
    }

    /// By the same way as an edit on a page: claims, search, listing, history, events.
    private func change(
        _ customer: CustomerID, _ action: String, _ line: LineFacts, _ principal: Principal, _ tenant: Tenant, _ session: any SQLSession,
        _ body: (FieldContext, inout CustomerRecord) throws -> Void
    ) throws {
        let store = CustomerStore(tenant: tenant)
        let before = try store.read(customer, principal, session)
        let act = CustomerStore.Act(
            action: action, cause: "line", program: "product", facts: ["line": .string(line.id.description)])
        try store.change(
            customer, edition: before.customer.edition, by: principal, as: act,
            record: { try tenant.audit.record($0, by: principal, session) }, session
        ) { _, after in try body(store.context, &after) }
    }

    private static func set(
        _ wanted: LineFacts, from old: LineFacts?, on line: inout Subscription, _ context: FieldContext
    ) throws {
        if wanted.number != old?.number { line.msisdn = wanted.number }
        if wanted.service != old?.service, let service = ServiceCode(rawValue: wanted.service) { line.service = service }
        if wanted.plan != old?.plan { line.plan = wanted.plan }
        if wanted.startedOn != old?.startedOn, let day = wanted.startedOn { line.startedOn = day }
        // The customer's charges are added up in one currency.
        if wanted.monthlyCharge != old?.monthlyCharge, wanted.monthlyCharge?.currency ?? line.currency == line.currency {
            line.monthlyCharge = wanted.monthlyCharge?.minor
        }
        if wanted.status != old?.status { line.status = SubscriptionStatus(rawValue: wanted.status.rawValue) ?? line.status }
        if line.status == .terminated {
            if wanted.endedOn != old?.endedOn || line.endedOn == nil { line.endedOn = wanted.endedOn ?? context.today }
        } else {
            line.endedOn = nil
        }
    }
}
