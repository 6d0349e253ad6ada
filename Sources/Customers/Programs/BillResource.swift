import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Bills as customer bills (TMF678). Billing systems make them; here they are read, disputed and released again.
enum BillResource {
    static let api = TMFAPI(678, "customerBillManagement")

    /// Of these a program may change what is disputed only. Paid is what payments say.
    static let states = TMFStates(
        "state", first: "new",
        next: ["sent": ["onHold"], "partiallyPaid": ["onHold"], "settled": ["onHold"], "onHold": ["sent", "partiallyPaid", "settled"]])

    static func resource(_ schemas: TMFSchemas) throws -> TMFResource {
        TMFResource(
            api, "customerBill", type: "CustomerBill", schema: try schemas.schema(api.number), verbs: [.list, .read, .change],
            view: CustomerPermissions.view, edit: CustomerPermissions.edit, states: states,
            subjects: TMFResource.subjects("bill"), store: { BillResourceStore(tenant: $0) })
    }

    static var scopes: [APIScope] {
        TMFAccess.scopes(api, Words(en: "bills", zh: "账单"), view: CustomerPermissions.view, edit: CustomerPermissions.edit)
    }
}

struct BillResourceStore: TMFWritingStore {
    static let select: SQL = """
        SELECT customer_id, id, kind, period, amount, currency, issued_on, due_on, paid_on, number, account_number, settled,
          settled_on, method
        FROM customers_charge WHERE kind <> 'payment' AND kind IN ('bill', 'disputed', 'cancelled', 'written_off', 'draft')
        """
    static let payments: SQL = """
        SELECT customer_id, id, amount, currency, bill_number FROM customers_charge WHERE kind = 'payment'
        """
    static let setKind: SQL = "UPDATE customers_charge SET kind = $3 WHERE customer_id = $1 AND id = $2"
    /// As `Bill.state` says it; there is an index of it, which has to say it in the same words.
    static let state: SQL = """
        CASE WHEN c.kind = 'draft' THEN 'new' WHEN c.kind = 'disputed' THEN 'onHold' WHEN c.kind IN ('cancelled', 'written_off') THEN 'settled'
          WHEN c.paid_on IS NOT NULL OR COALESCE(c.settled, 0) >= c.amount THEN 'settled'
          WHEN COALESCE(c.settled, 0) > 0 THEN 'partiallyPaid' ELSE 'sent' END
        """
    private static let words = ["new", "onHold", "settled", "partiallyPaid", "sent"]
    private static func bills(_ zone: Int) -> TMFTable {
        TMFTable(
            from: "customers_charge c", id: "c.id",
            columns: [
                .id("id", .own("c.id")), .id("relatedParty.id", .own("c.customer_id")), .text("billNo", "c.number"),
                .day("billDate", "c.issued_on", offsetMinutes: zone), .words("state", state, Dictionary(uniqueKeysWithValues: words.map { ($0, $0) })),
            ],
            scope: { principal, builder in
                // The first is what the index is of.
                builder.append("AND c.kind <> 'payment' AND c.kind IN ('bill', 'disputed', 'cancelled', 'written_off', 'draft')")
                CustomerScope.narrow(&builder, principal, owner: "c.customer_id")
            })
    }

    let tenant: Tenant
    let table: TMFTable

    init(tenant: Tenant) {
        self.tenant = tenant
        table = Self.bills(tenant.timeZoneOffsetMinutes)
    }

    private struct Bill {
        let customer: CustomerID
        let id: Int64
        let kind: ChargeKind
        let amount: Int64
        let currency: String
        let settled: Int64
        let isPaid: Bool
        let number: String?
        /// The number of the account that it is of.
        let account: String?
        var document: JSONObject

        /// What TMF678 calls it. A bill that nobody owes any more (cancelled, written off) is settled: nothing remains.
        var state: String { state(as: kind) }

        func state(as kind: ChargeKind) -> String {
            switch kind {
            case .draft: "new"
            case .disputed: "onHold"
            case .cancelled, .writtenOff: "settled"
            default: isPaid || settled >= amount ? "settled" : settled > 0 ? "partiallyPaid" : "sent"
            }
        }

        var remaining: Int64 {
            switch kind {
            case .cancelled, .writtenOff: 0
            default: isPaid ? 0 : max(0, amount - settled)
            }
        }
    }

    static func money(_ minor: Int64, _ currency: String) -> JSONValue {
        let scale = (0..<Money.exponent(of: currency)).reduce(1.0) { scale, _ in scale * 10 }
        return .object(["unit": .string(currency), "value": TMFField.number(Double(minor) / scale)])
    }

    /// A billing month as a period.
    static func month(_ text: String, _ zone: Int) -> JSONValue? {
        guard let start = LocalDate(text + "-01") else { return nil }
        let end = start.adding(months: 1).adding(days: -1)
        return .object([
            "startDateTime": .string(TMFDay.start(start, offsetMinutes: zone)), "endDateTime": .string(TMFDay.end(end, offsetMinutes: zone)),
        ])
    }

    private func read(_ row: Row) -> Bill {
        let zone = tenant.timeZoneOffsetMinutes
        let number = row.optionalText(9)
        var document: JSONObject = ["billDocument": .array([])]
        document["billNo"] = number.map { .string($0) }
        for (name, place) in [("billDate", 6), ("paymentDueDate", 7)] {
            document[name] = row.optionalText(place).map { .string(TMFDay.start($0, offsetMinutes: zone)) }
        }
        document["billingPeriod"] = Self.month(row.text(3), zone)
        let last = row.optionalText(12) ?? row.optionalText(8) ?? row.optionalText(6)
        document["lastUpdate"] = last.map { .string(TMFDay.start($0, offsetMinutes: zone)) }
        return Bill(
            customer: row.id(0), id: row.int(1), kind: ChargeKind(rawValue: row.text(2)) ?? .bill, amount: row.int(4),
            currency: row.text(5), settled: row.optionalInt(11) ?? 0, isPaid: row.optionalText(8) != nil, number: number,
            account: row.optionalText(10), document: document)
    }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        var found: [Int64: JSONObject] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            var bills = try session.query(builder) { read($0) }
            if principal.scope.regions != nil {
                let reachable = try CustomerScope.reachable(Array(Set(bills.map(\.customer))).sorted(), principal, session)
                bills = bills.filter { reachable.contains($0.customer) }
            }
            let payments = try payments(of: bills, session)
            let accounts = try Self.accounts(Set(bills.filter { $0.account != nil }.map(\.customer)), session)
            for bill in bills {
                var document = bill.document
                let whole = Self.money(bill.amount, bill.currency)
                document["id"] = .string(String(bill.id))
                document["state"] = .string(bill.state)
                document["amountDue"] = whole
                document["taxIncludedAmount"] = whole
                document["remainingAmount"] = Self.money(bill.remaining, bill.currency)
                document["relatedParty"] = .array([TMFRows.Owner.party(bill.customer)])
                if let number = bill.number, let paid = payments[bill.customer]?[number] { document["appliedPayment"] = .array(paid) }
                if let account = bill.account { document["billingAccount"] = accounts[bill.customer]?[account] ?? Self.named(account) }
                found[bill.id] = document
            }
        }
        return ids.compactMap { id in found[id].map { (id, $0) } }
    }

    /// An account of which only the bill knows.
    private static func named(_ number: String) -> JSONValue {
        .object(["id": .string(number), "@referredType": .string("BillingAccount")])
    }

    /// The customers' accounts by number (TMF666). A number that two sources gave means neither.
    static func accounts(_ customers: Set<CustomerID>, _ session: any SQLSession) throws -> [CustomerID: [String: JSONValue]] {
        guard !customers.isEmpty else { return [:] }
        var builder = SQLBuilder(AccountRows.select)
        builder.appendIn("AND customer_id", customers.sorted().map { .id($0) })
        let heads = Dictionary(grouping: try session.query(builder) { AccountRows.Head($0) }, by: { [$0.holder.description, $0.number] })
        return heads.values.reduce(into: [:]) { result, same in
            guard same.count == 1, let head = same.first else { return }
            result[head.holder, default: [:]][head.number] = AccountFace.reference(head.kind, id: head.id, name: head.number)
        }
    }

    /// What was paid of each number.
    private func payments(of bills: [Bill], _ session: any SQLSession) throws -> [CustomerID: [String: [JSONValue]]] {
        let named = bills.filter { $0.number != nil }
        guard !named.isEmpty else { return [:] }
        var builder = SQLBuilder(Self.payments)
        builder.appendIn("AND customer_id", Set(named.map(\.customer)).sorted().map { .id($0) })
        builder.append("AND bill_number IS NOT NULL ORDER BY customer_id, id")
        var result: [CustomerID: [String: [JSONValue]]] = [:]
        for (customer, number, payment) in try session.query(builder, { row -> (CustomerID, String, JSONValue) in
            (
                row.id(0), row.text(4), .object([
                    "appliedAmount": Self.money(row.int(2), row.text(3)),
                    "payment": .object(["id": .string(String(row.int(1))), "@referredType": .string("Payment")]),
                ])
            )
        }) { result[customer, default: [:]][number, default: []].append(payment) }
        return result
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        throw CRMError.notFound
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        throw CRMError.notFound
    }

    /// A bill that is released is what its payments make it; asking for another state changes nothing of that.
    private func checkReleased(_ id: Int64, _ asked: String, _ session: any SQLSession) throws {
        var builder = SQLBuilder(Self.select)
        builder.append("AND id = ?", .int(id))
        guard let next = try session.query(builder, { read($0) }).first?.state(as: .bill), next != asked else { return }
        throw CRMError(
            "illegal_transition", status: 409,
            Words(
                en: "“state” cannot go from “onHold” to “\(asked)”: what is paid is what payments say. What may follow is: \(next).",
                zh: "“state”不能从“onHold”变为“\(asked)”：是否已付以付款记录为准，允许：\(next)。"),
            fields: [.init(field: "state", code: "illegal_transition", message: Words(en: "Allowed: \(next)", zh: "允许：\(next)"))])
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let own = try documents([id], context.principal, session).first?.1 ?? [:]
        for name in own.keys.sorted() where name != "state" && old[name] != new[name] {
            let words = Words(
                en: "“\(name)” is the billing system's; of a bill only its state can be changed here.",
                zh: "“\(name)”由计费系统决定，此处只能修改账单状态。")
            throw CRMError("fixed", status: 400, words, fields: [.init(field: name, code: "fixed", message: words)])
        }
        guard old["state"] != new["state"] else { return }
        var builder = SQLBuilder(ChargeRecords.select)
        builder.append("AND id = ? AND kind <> 'payment' AND kind IN ('bill', 'disputed', 'cancelled', 'written_off', 'draft')", .int(id))
        let store = RecordStore(ChargeRecords.bills)
        let row = try session.query(builder) { row in
            (RecordPlace(customer: row.id(0), id: row.int(1)), (0..<ChargeRecords.bills.columns.count).map { row.value($0 + 2) })
        }.first
        guard let (place, values) = row else { throw CRMError.notFound }
        let kind: ChargeKind = new["state"] == .string("onHold") ? .disputed : .bill
        if kind == .bill { try checkReleased(id, new["state"]?.string ?? "", session) }
        try session.execute(Self.setKind, [.id(place.customer), .int(place.id), .text(kind.rawValue)])
        let before = store.named(values)
        var after = before
        after["kind"] = .text(kind.rawValue)
        try Settlement.follow([RecordChange(place: place, before: before, after: after)], tenant, session)
    }
}
