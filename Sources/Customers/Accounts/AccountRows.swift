import Kernel
import Platform
import Storage
import TMF
import Web

/// Which column of the accounts holds what. Attributes that lie elsewhere in a document, or that the rows have in another form, go
/// through names of their own (`cycleId`), which `AccountDocument` and `AccountWriting` translate.
enum AccountRows {
    static let parties: SQL = "customers_account_party"

    /// Parts that accounts of both tables have.
    static let parts: [TMFItems] = [
        TMFItems(
            "contact", "customers_account_contact",
            [
                TMFField("contactType", "contact_type"), TMFField("contactName", "contact_name", mask: .name),
                TMFField("partyRoleType", "party_role_type"),
            ] + MediumFields.period,
            items: [TMFItems("contactMedium", "customers_account_contact_medium", MediumFields.all)], rest: "more"),
        TMFItems(
            "taxExemption", "customers_account_tax",
            [
                TMFField("issuingJurisdiction", "jurisdiction"), TMFField("certificateNumber", "certificate", mask: .identity),
                TMFField("reason", "reason", mask: .name),
            ] + MediumFields.period, rest: "more"),
        TMFItems(
            "accountRelationship", "customers_account_relation",
            [
                TMFField("relationshipType", "relation"), TMFField("account.id", "account_id", isIndexed: true),
                TMFField("account.name", "account_name", mask: .name),
            ] + MediumFields.period, rest: "more"),
    ]

    static let credit: [TMFField] = [
        TMFField("creditLimit.value", "credit_limit", .money(currency: AttributePath("creditLimit.unit"))),
        TMFField("creditLimit.unit", "credit_currency"),
    ]

    static let accounts = TMFRows(
        "customers_account",
        [
            TMFField("accountNumber", "number", isIndexed: true), TMFField("name", "name", mask: .name),
            TMFField("accountType", "account_type"), TMFField("state", "status", .words(AccountResources.words), isIndexed: true),
            TMFField("description", "description", mask: .name), TMFField("lastModified", "modified_at", .time, stamp: .changed),
            TMFField("paymentStatus", "payment_status"), TMFField("defaultPaymentMethod.id", "payment_method_id"),
            TMFField("defaultPaymentMethod.name", "payment_method"), TMFField("financialAccount.id", "financial_id", isIndexed: true),
            TMFField("financialAccount.name", "financial_name"), TMFField("cycleId", "cycle_id"), TMFField("cycleName", "cycle_name"),
            TMFField("formatId", "format_id"), TMFField("formatName", "format_name"),
            TMFField("validFor.startDateTime", "opened_on", .date), TMFField("validFor.endDateTime", "closed_on", .date),
        ] + credit,
        items: [
            TMFItems(
                "otherParty", parties,
                [
                    TMFField("id", "party_id"), TMFField("role", "role"), TMFField("name", "name", mask: .name),
                    TMFField("@referredType", "referred_type"),
                ]),
            TMFItems("media", "customers_account_media", [TMFField("id", "media_id"), TMFField("name", "name")]),
            TMFItems(
                "paymentPlan", "customers_account_plan",
                [
                    TMFField("planType", "plan_type"), TMFField("status", "status"), TMFField("paymentFrequency", "frequency"),
                    TMFField("numberOfPayments", "payments", .integer), TMFField("priority", "priority", .integer),
                    TMFField("totalAmount.value", "amount", .money(currency: AttributePath("totalAmount.unit"))),
                    TMFField("totalAmount.unit", "currency"), TMFField("paymentMethod.id", "method_id"),
                ] + MediumFields.period, rest: "more"),
        ] + parts, owner: .init(PartyReach(), paths: ["holder"], shown: nil),
        hidden: [
            .init("kind") { document, _, _ in .text(document["kind"]?.string) },
            .init("source") { _, _, _ in .text(AccountStore.source) },
            .init("parent_number") { document, _, _ in .text(document["parentNumber"]?.string) },
            .init("bill_day") { document, _, _ in document["billDay"]?.int.map { .int($0) } ?? .null },
        ], more: [name, party])

    private static let name = TMFColumn("name", .own("COALESCE(r.name, r.number)"), sorts: true, mask: .name) { .text($0) }

    /// The holder, customers who have a role in the account, and whoever else is named.
    private static let party = TMFColumn(
        "relatedParty.id",
        .either([
            TMFColumn(
                "relatedParty.id", .inside(owners: "SELECT p.owner_id FROM customers_account_party p WHERE TRUE", column: "p.party_id")
            ) { .text($0) },
            .id(
                "relatedParty.id",
                .inside(owners: "SELECT a.account_id FROM customers_account_role a WHERE TRUE", column: "a.customer_id")),
            .id("relatedParty.id", .inside(owners: "SELECT c.id FROM customers_account c WHERE TRUE", column: "c.customer_id")),
        ]), isOrdered: false
    ) { .text($0) }

    /// Tables with parts of accounts, by owner.
    static let partTables: [SQL] = [
        parties, "customers_account_contact", "customers_account_contact_medium", "customers_account_tax", "customers_account_relation",
        "customers_account_plan", "customers_account_media",
    ]

    static let touched: SQL = "SELECT id FROM customers_account WHERE (edition IS NOT NULL OR source = $1)"

    /// Takes the parts of all accounts of these customers out. The accounts themselves are still there.
    static func forgetParts(of customers: [CustomerID], _ session: any SQLSession) throws {
        for chunk in customers.chunked(Limits.sqlListChunk) {
            var accounts = SQLBuilder(touched, [.text(AccountStore.source)])
            accounts.appendIn("AND customer_id", chunk.map { .id($0) })
            let ids = try session.query(accounts) { SQLValue.int($0.int(0)) }
            guard !ids.isEmpty else { continue }
            for table in partTables {
                var builder = SQLBuilder("DELETE FROM \(table) WHERE TRUE")
                builder.appendIn("AND owner_id", ids)
                try session.execute(builder.sql, builder.arguments)
            }
        }
    }

    // MARK: What an account is to us

    static let select: SQL = """
        SELECT customer_id, id, number, kind, source, parent_number, bill_day, name, opened_on FROM customers_account WHERE TRUE
        """

    struct Head: Sendable {
        let holder: CustomerID
        let id: Int64
        let number: String
        let kind: String
        let source: String
        let parent: String?
        let billDay: Int64?
        let name: String?
        let openedOn: String?

        init(_ row: Row) {
            holder = row.id(0)
            id = row.int(1)
            number = row.text(2)
            kind = row.text(3)
            source = row.text(4)
            parent = row.optionalText(5)
            billDay = row.optionalInt(6)
            name = row.optionalText(7)
            openedOn = row.optionalText(8)
        }

        var place: RecordPlace { RecordPlace(customer: holder, id: id) }
    }

    static func heads(_ ids: [Int64], _ session: any SQLSession) throws -> [Int64: Head] {
        var result: [Int64: Head] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(select)
            builder.appendIn("AND id", chunk.map { .int($0) })
            for head in try session.query(builder, { Head($0) }) { result[head.id] = head }
        }
        return result
    }
}
