import Kernel
import Platform
import Storage
import TMF
import Web

/// Accounts of money to which others sum up. Their balance is that of the ledger they are of, so it is what its system says.
struct FinancialAccountStore: TMFWritingStore {
    static let rows = TMFRows(
        "customers_financial_account",
        [
            TMFField("name", "name", mask: .name, sorts: true), TMFField("accountType", "account_type"),
            TMFField("description", "description", mask: .name), TMFField("state", "state", isIndexed: true),
            TMFField("lastModified", "modified_at", .time, stamp: .changed),
        ] + AccountRows.credit,
        items: [
            .parties(AccountRows.parties, isIndexed: false),
            TMFItems(
                "accountBalance", "customers_financial_balance",
                [
                    TMFField("balanceType", "balance_type"),
                    TMFField("amount.value", "amount", .money(currency: AttributePath("amount.unit"))), TMFField("amount.unit", "currency"),
                ] + MediumFields.period, rest: "more"),
        ] + AccountRows.parts, owner: .init(PartyReach(), shown: nil),
        more: [.parties("customers_financial_account", AccountRows.parties)])

    static let used: SQL = "SELECT 1 FROM customers_account WHERE financial_id = $1 LIMIT 1"
    static let played: SQL = "SELECT 1 FROM customers_party_role_account WHERE account_id = $1 LIMIT 1"

    let tenant: Tenant

    var table: TMFTable { Self.rows.table }
    var whole: Set<String> { Self.rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try Self.rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try AccountWriting(context: context, session: session).check(document, from: [:], own: nil)
        return try Self.rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try AccountWriting(context: context, session: session).check(new, from: old, own: id)
        try Self.rows.change(id, from: old, to: new, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let text = SQLValue.text(String(id))
        var uses: [Words] = []
        if try session.exists(Self.used, [text]) { uses.append(Words(en: "accounts", zh: "账户")) }
        if try session.exists(AccountStore.related, [text]) { uses.append(Words(en: "relations to other accounts", zh: "其他账户的关联")) }
        if try session.exists(Self.played, [text]) { uses.append(Words(en: "party roles", zh: "参与方角色")) }
        guard uses.isEmpty else { throw AccountResources.inUse(Words(en: "The financial account", zh: "该财务账户"), uses) }
        try Self.rows.remove(id, document, context, session)
    }
}

/// How bills are made out: cycles, formats, media. Nobody's, and few.
struct BillSettingStore: TMFWritingStore {
    static let cycles = BillSettingStore(
        rows: TMFRows(
            "customers_bill_cycle",
            [
                TMFField("name", "name", sorts: true), TMFField("description", "description"),
                TMFField("billingPeriod", "billing_period"), TMFField("frequency", "frequency"),
                TMFField("billingDateShift", "billing_shift", .integer), TMFField("chargeDateOffset", "charge_offset", .integer),
                TMFField("creditDateOffset", "credit_offset", .integer), TMFField("mailingDateOffset", "mailing_offset", .integer),
                TMFField("paymentDueDateOffset", "due_offset", .integer),
            ] + MediumFields.period), used: "SELECT 1 FROM customers_account WHERE cycle_id = $1 LIMIT 1")
    static let formats = BillSettingStore(
        rows: TMFRows("customers_bill_format", [TMFField("name", "name", sorts: true), TMFField("description", "description")]),
        used: "SELECT 1 FROM customers_account WHERE format_id = $1 LIMIT 1")
    static let media = BillSettingStore(
        rows: TMFRows("customers_bill_media", [TMFField("name", "name", sorts: true), TMFField("description", "description")]),
        used: "SELECT 1 FROM customers_account_media WHERE media_id = $1 LIMIT 1")

    let rows: TMFRows
    /// Whether an account has its bills made out so.
    let used: SQL

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try rows.change(id, from: old, to: new, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        if try session.exists(used, [.text(String(id))]) {
            throw AccountResources.inUse(Words(en: "This", zh: "该项"), [Words(en: "accounts", zh: "账户")])
        }
        try rows.remove(id, document, context, session)
    }
}
