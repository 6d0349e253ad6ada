import Contracts
import Kernel
import Platform
import Storage

/// What payments that name a bill do to it. Nothing is added up step by step: whenever a bill or a payment of a number comes,
/// changes or goes, what is paid of the number's bills is worked out anew from the payments that are there, so a payment that is
/// taken back opens its bill again (ADR 0043).
enum Settlement {
    static let select: SQL = """
        SELECT customer_id, id, kind, amount, issued_on, number, bill_number, paid_on, settled, settled_on, currency
        FROM customers_charge
        WHERE ((kind = 'payment' AND bill_number IS NOT NULL) OR (kind IN ('bill', 'fee', 'disputed', 'cancelled', 'written_off', 'draft') AND number IS NOT NULL))
        """
    static let update: SQL = """
        UPDATE customers_charge SET settled = $3, settled_on = $4 WHERE customer_id = $1 AND id = $2
        """

    struct Entry: Sendable, Equatable {
        let customer: CustomerID
        let id: Int64
        let kind: ChargeKind
        let amount: Int64
        let on: LocalDate
        /// The number of the bill that it is, or that it pays.
        let number: String
        let paidOn: LocalDate?
        var settled: Int64?
        var settledOn: LocalDate?
        let currency: String
    }

    private struct Key: Hashable {
        let customer: CustomerID
        let number: String
    }

    /// Behind a change of bills or payments: settles the numbers they name and tells which bills were made out or paid.
    @Sendable static func follow(_ changes: [RecordChange], _ tenant: Tenant, _ session: any SQLSession) throws {
        var keys: Set<Key> = []
        var wasPaid: [RecordPlace: Bool] = [:]
        var issued: [BillsMoved.Bill] = []
        var gone: [StepPlace] = []
        for change in changes {
            for values in [change.before, change.after].compactMap({ $0 }) {
                let isPayment = values["kind"]?.asText == ChargeKind.payment.rawValue
                if let number = values[isPayment ? "bill_number" : "number"]?.asText {
                    keys.insert(Key(customer: change.place.customer, number: number))
                }
            }
            if change.after == nil, change.before?["kind"]?.asText == ChargeKind.bill.rawValue {
                gone.append(StepPlace(customer: change.place.customer, id: change.place.id))
            }
            guard let after = change.after, after["kind"]?.asText == ChargeKind.bill.rawValue else { continue }
            wasPaid[change.place] = change.before.map { $0["paid_on"]?.asText != nil } ?? false
            if change.before == nil, let on = after["issued_on"]?.asText, case .int(let amount)? = after["amount"] {
                issued.append(
                    BillsMoved.Bill(
                        customer: change.place.customer, id: change.place.id, on: on, amount: amount,
                        currency: after["currency"]?.asText ?? tenant.currency))
            }
        }
        try tell(.issued, issued, tenant, session)
        for step in [BillsMoved.Step.issued, .paid, .overdue] { try takeBack(step, gone, tenant, session) }
        guard !keys.isEmpty else { return }
        var paid: [BillsMoved.Bill] = []
        var settledAnew: [Int64] = []
        var unpaid: [StepPlace] = []
        for chunk in Set(keys.map(\.customer)).sorted().chunked(Limits.sqlListChunk) {
            let groups = Dictionary(grouping: try load(chunk, session)) { Key(customer: $0.customer, number: $0.number) }
            var updates: [[SQLValue]] = []
            for (key, entries) in groups where keys.contains(key) {
                for (before, after) in zip(entries, settled(entries)) {
                    if before != after {
                        updates.append([
                            .id(after.customer), .int(after.id), after.settled.map { .int($0) } ?? .null,
                            .date(after.settledOn),
                        ])
                        if after.kind != .payment { settledAnew.append(after.id) }
                    }
                    let place = RecordPlace(customer: after.customer, id: after.id)
                    let paidBefore = before.settledOn != nil || (wasPaid[place] ?? (before.paidOn != nil))
                    if paidBefore, after.kind == .bill, after.paidOn == nil, after.settledOn == nil {
                        unpaid.append(StepPlace(customer: after.customer, id: after.id))
                    }
                    guard after.kind == .bill, !paidBefore, let on = after.paidOn ?? after.settledOn else { continue }
                    paid.append(
                        BillsMoved.Bill(
                            customer: after.customer, id: after.id, on: on.description, amount: after.amount,
                            currency: after.currency))
                }
            }
            try session.executeMany(update, updates)
        }
        try takeBack(.paid, unpaid, tenant, session)
        try tell(.paid, paid, tenant, session)
        for chunk in settledAnew.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(
                RecordsChanged(entity: ChargeRecords.bills.entity, changed: Array(chunk), moved: Array(chunk)), session)
        }
    }

    private static func takeBack(
        _ step: BillsMoved.Step, _ bills: [StepPlace], _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        for chunk in bills.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(BillsWithdrawn(step: step, bills: Array(chunk)), session)
        }
    }

    private static func load(_ customers: [CustomerID], _ session: any SQLSession) throws -> [Entry] {
        var builder = SQLBuilder(select)
        builder.appendIn("AND customer_id", customers.map { .id($0) })
        builder.append("ORDER BY customer_id, issued_on, id")
        return try session.query(builder) { row in
            let kind = ChargeKind(rawValue: row.text(2)) ?? .fee
            return Entry(
                customer: row.id(0), id: row.int(1), kind: kind, amount: row.int(3),
                on: row.optionalDate(4) ?? LocalDate(daysSinceEpoch: 0), number: row.text(kind == .payment ? 6 : 5),
                paidOn: row.optionalDate(7), settled: row.optionalInt(8), settledOn: row.optionalDate(9),
                currency: row.text(10))
        }
    }

    /// Bills and payments of one number, as the payments leave them: they pay the oldest bill first, and what is too much stands
    /// at the last one. In the order of the entries.
    static func settled(_ entries: [Entry]) -> [Entry] {
        var result = entries
        let bills = entries.indices.filter { entries[$0].kind != .payment }
        let payments = entries.filter { $0.kind == .payment }
        for place in entries.indices where entries[place].kind == .payment {
            result[place].settled = bills.isEmpty ? 0 : entries[place].amount
        }
        var rest = payments.reduce(Int64(0)) { $0.plus($1.amount) }
        var target: Int64 = 0
        for place in bills {
            // Nothing is owed of what was cancelled; what somebody paid for it stands there as too much.
            let due = entries[place].kind == .cancelled ? 0 : max(0, entries[place].amount)
            let taken = place == bills.last ? rest : min(rest, due)
            rest -= taken
            target = target.plus(due)
            result[place].settled = payments.isEmpty ? nil : taken
            result[place].settledOn = due > 0 && taken >= due ? reached(target, payments) : nil
        }
        return result
    }

    /// The day on which the payments came to `target`.
    private static func reached(_ target: Int64, _ payments: [Entry]) -> LocalDate? {
        var sum: Int64 = 0
        for payment in payments {
            sum = sum.plus(payment.amount)
            if sum >= target { return payment.on }
        }
        return nil
    }

    static func tell(
        _ step: BillsMoved.Step, _ bills: [BillsMoved.Bill], _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        for chunk in bills.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(BillsMoved(step: step, bills: Array(chunk)), session)
        }
    }
}

/// Tells of bills whose day is over and that nobody paid: each once.
enum OverdueWatch {
    static let jobKind = "customers.bills.overdue"
    /// Whoever counts them looks back so far.
    static let daysMax = 100
    static let perStep = 500
    static let due: SQL = """
        SELECT customer_id, id, amount, COALESCE(settled, 0), due_on, currency FROM customers_charge
        WHERE kind = 'bill' AND paid_on IS NULL AND settled_on IS NULL AND overdue_on IS NULL
          AND due_on >= $1 AND due_on < $2 AND amount > 0
        ORDER BY due_on LIMIT $3
        """
    static let mark: SQL = """
        UPDATE customers_charge SET overdue_on = $3 WHERE customer_id = $1 AND id = $2 AND overdue_on IS NULL
        """

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let told = try await run(tenant) { try context.checkCancelled() }
            return "{\"told\":\(told)}"
        }
    }

    /// - Returns: of how many bills it was told.
    @discardableResult
    static func run(_ tenant: Tenant, _ check: @Sendable () throws -> Void = {}) async throws -> Int {
        let today = tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        var told = 0
        while true {
            try check()
            let step = try await tenant.database.write { session -> Int in
                let bills = try session.query(
                    due, [.date(today.adding(days: -daysMax)), .date(today), .int(perStep)]
                ) { row in
                    BillsMoved.Bill(
                        customer: row.id(0), id: row.int(1),
                        on: (row.optionalDate(4) ?? today).adding(days: 1).description,
                        amount: row.int(2) - row.int(3), currency: row.text(5))
                }
                try session.executeMany(mark, bills.map { [.id($0.customer), .int($0.id), .date(today)] })
                try Settlement.tell(.overdue, bills, tenant, session)
                return bills.count
            }
            told += step
            if step < perStep { return told }
        }
    }
}
