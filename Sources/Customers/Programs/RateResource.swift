import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What customers are charged with as applied billing rates (TMF678): bills by their sums, since their lines are not known here, and the
/// fees and adjustments that sources bring besides. Billing systems make them, so they are read only.
enum RateResource {
    static func resource(_ schemas: TMFSchemas) throws -> TMFResource {
        let schema = try schemas.schema(BillResource.api.number)
            // Whose charge it is: the specification leaves it to the bill or the account, which not every charge has.
            .adding([.init("relatedParty", .object("RelatedPartyRef"), isArray: true)], to: "AppliedCustomerBillingRate")
        var result = TMFResource(
            BillResource.api, "appliedCustomerBillingRate", type: "AppliedCustomerBillingRate", schema: schema, verbs: [.list, .read],
            view: CustomerPermissions.view, edit: CustomerPermissions.edit, subjects: TMFResource.subjects("charge"),
            store: { RateResourceStore(tenant: $0) })
        // A change is told of the bill; the specification has no events of what it is made of.
        result.isTold = false
        return result
    }
}

struct RateResourceStore: TMFStore {
    static let select: SQL = """
        SELECT customer_id, id, kind, period, amount, currency, issued_on, number, account_number
        FROM customers_charge WHERE kind <> 'payment'
        """
    static let ofAccount: SQL = """
        SELECT r.id FROM customers_account a JOIN customers_charge r ON r.customer_id = a.customer_id AND r.account_number = a.number
        WHERE a.id = $1 AND r.kind <> 'payment'
        """
    private static let bills: Set<ChargeKind> = [.bill, .disputed, .cancelled, .writtenOff, .draft]

    private static let listed = TMFTable(
        from: "customers_charge c", id: "c.id",
        columns: [
            .id("id", .own("c.id")), .id("relatedParty.id", .own("c.customer_id")), .text("name", "c.number"),
            .id(
                "bill.id",
                .inside(
                    owners: """
                        SELECT b.id FROM customers_charge b
                        WHERE b.kind <> 'payment' AND b.kind IN ('bill', 'disputed', 'cancelled', 'written_off', 'draft')
                        """, column: "b.id")),
            TMFColumn(
                "billingAccount.id",
                .searched { values, _ in
                    values.compactMap { Int64($0) }.map { SQLBuilder(ofAccount, [.int($0)]) }
                }, isOrdered: false) { .text($0) },
        ],
        scope: { principal, builder in
            builder.append("AND c.kind <> 'payment'")
            CustomerScope.narrow(&builder, principal, owner: "c.customer_id")
        })

    let tenant: Tenant
    var table: TMFTable { Self.listed }

    private struct Charge {
        let customer: CustomerID
        let id: Int64
        let account: String?
        var document: JSONObject
    }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        var found: [Int64: JSONObject] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            var charges = try session.query(builder) { read($0) }
            if principal.scope.regions != nil {
                let reachable = try CustomerScope.reachable(Array(Set(charges.map(\.customer))).sorted(), principal, session)
                charges = charges.filter { reachable.contains($0.customer) }
            }
            let accounts = try BillResourceStore.accounts(Set(charges.filter { $0.account != nil }.map(\.customer)), session)
            for charge in charges {
                var document = charge.document
                // An account of which only the charge knows has no id that could be asked for.
                if let account = charge.account { document["billingAccount"] = accounts[charge.customer]?[account] }
                found[charge.id] = document
            }
        }
        return ids.compactMap { id in found[id].map { (id, $0) } }
    }

    private func read(_ row: Row) -> Charge {
        let zone = tenant.timeZoneOffsetMinutes
        let (id, kind, amount, account) = (row.int(1), ChargeKind(rawValue: row.text(2)) ?? .fee, row.int(4), row.optionalText(8))
        var document: JSONObject = [
            "id": .string(String(id)), "date": .string(TMFDay.start(row.text(6), offsetMinutes: zone)),
            "isBilled": .bool(Self.bills.contains(kind)),
            "type": .string(amount < 0 ? "appliedBillingCredit" : "appliedBillingCharge"),
            "taxIncludedAmount": BillResourceStore.money(amount, row.text(5)),
            "relatedParty": .array([TMFRows.Owner.party(row.id(0))]),
        ]
        document["name"] = row.optionalText(7).map { .string($0) }
        document["periodCoverage"] = BillResourceStore.month(row.text(3), zone)
        var more = [("kind", kind.rawValue)]
        if let account { more.append(("accountNumber", account)) }
        document["characteristic"] = .array(more.map { .object(["name": .string($0), "value": .string($1)]) })
        if Self.bills.contains(kind) {
            document["bill"] = .object([
                "id": .string(String(id)), "href": .string("\(BillResource.api.base)/customerBill/\(id)"), "@referredType": .string("CustomerBill"),
            ])
        }
        return Charge(customer: row.id(0), id: id, account: account, document: document)
    }
}
