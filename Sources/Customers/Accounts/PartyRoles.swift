import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Parts that parties play besides being customers (TMF669): supplier, partner, sales agent. Customers are TMF629's.
enum PartyRoles {
    static let api = TMFAPI(669, "partyRoleManagement")

    /// The specification names no states; these are those of its examples and of parties that come and go.
    static let states = TMFStates(
        "status", first: "Active", initial: ["Initialized", "Approved"],
        next: [
            "Initialized": ["Approved", "Active", "Rejected"], "Approved": ["Active", "Terminated"], "Active": ["Suspended", "Terminated"],
            "Suspended": ["Active", "Terminated"],
        ])

    static func resource(_ schemas: TMFSchemas) throws -> TMFResource {
        TMFResource(
            api, "partyRole", type: "PartyRole", schema: try schemas.schema(api.number), view: CustomerPermissions.view,
            edit: CustomerPermissions.edit, states: states,
            subjects: { id, document in
                let party = document["engagedParty"]?["id"]?.string.flatMap { CustomerID($0) }
                return [AuditSubject(kind: "party_role", id: id)] + (party.map { [.customer($0)] } ?? [])
            }, store: { PartyRoleStore(tenant: $0) })
    }

    static var scopes: [APIScope] {
        TMFAccess.scopes(
            api, Words(en: "roles of parties", zh: "参与方角色"), view: CustomerPermissions.view, edit: CustomerPermissions.edit)
    }

    static let players: SQL = "SELECT customer_id FROM customers_party_role WHERE TRUE"
    static let financiers: SQL = "SELECT customer_id FROM customers_financial_account WHERE TRUE"
    static let hasRole: SQL = "SELECT 1 FROM customers_party_role WHERE customer_id = $1 LIMIT 1"
    static let hasAccount: SQL = "SELECT 1 FROM customers_account WHERE customer_id = $1 LIMIT 1"
    static let hasFinancial: SQL = "SELECT 1 FROM customers_financial_account WHERE customer_id = $1 LIMIT 1"

    /// What a party has besides being a customer, and keeps it from being removed.
    static func held(_ party: CustomerID, _ session: any SQLSession) throws -> [Words] {
        try [
            (hasRole, Words(en: "roles (TMF669)", zh: "角色（TMF669）")),
            (hasAccount, Words(en: "accounts (TMF666)", zh: "账户（TMF666）")),
            (hasFinancial, Words(en: "financial accounts (TMF666)", zh: "财务账户（TMF666）")),
        ].filter { try session.exists($0.0, [.id(party)]) }.map(\.1)
    }

    /// Keeps whoever plays a part when the import that brought them is taken back. (Accounts that programs make count as the customer's
    /// records.)
    static let hold = CustomerHold(Words(en: "roles or financial accounts", zh: "角色或财务账户")) { ids, session in
        var result: Set<CustomerID> = []
        for statement in [players, financiers] {
            for chunk in ids.chunked(Limits.sqlListChunk) {
                var builder = SQLBuilder(statement)
                builder.appendIn("AND customer_id", chunk.map { .id($0) })
                result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
            }
        }
        return result
    }
}

struct PartyRoleStore: TMFWritingStore {
    static let rows = TMFRows(
        "customers_party_role",
        [
            TMFField("name", "name", sorts: true), TMFField("status", "status", isIndexed: true),
            TMFField("statusReason", "status_reason", mask: .name),
        ] + MediumFields.period,
        items: [
            .parties("customers_party_role_party"),
            TMFItems("contactMedium", "customers_party_role_medium", MediumFields.all, rest: "more"),
            TMFItems(
                "characteristic", "customers_party_role_characteristic",
                [TMFField("name", "name"), TMFField("value", "value", .json, mask: .full), TMFField("valueType", "value_type")],
                rest: "more"),
            TMFItems(
                "account", "customers_party_role_account",
                [TMFField("id", "account_id", isIndexed: true), TMFField("name", "name", mask: .name)], rest: "more"),
            TMFItems(
                "agreement", "customers_party_role_agreement", [TMFField("id", "agreement_id", isIndexed: true), TMFField("name", "name")],
                rest: "more"),
            TMFItems(
                "paymentMethod", "customers_party_role_payment", [TMFField("id", "method_id"), TMFField("name", "name")], rest: "more"),
            TMFItems(
                "creditProfile", "customers_party_role_credit",
                [
                    TMFField("creditProfileDate", "profiled_at", .time), TMFField("creditRiskRating", "rating", .integer),
                    TMFField("creditScore", "score", .integer),
                ] + MediumFields.period, rest: "more"),
        ], owner: .init(PartyReach(), paths: ["engagedParty.id"], shown: nil),
        more: [.id("engagedParty.id", .own("r.customer_id"))])

    static let engaged: SQL = "SELECT id, customer_id FROM customers_party_role WHERE TRUE"

    let tenant: Tenant

    var table: TMFTable { Self.rows.table }
    var whole: Set<String> { Self.rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let own = try Self.rows.documents(ids, principal, session)
        var engaged: [Int64: CustomerID] = [:]
        for chunk in own.map(\.id).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.engaged)
            builder.appendIn("AND id", chunk.map { .int($0) })
            for (id, party) in try session.query(builder, { ($0.int(0), $0.id(1, PartyKind.self)) }) { engaged[id] = party }
        }
        let parties = try NamedParties(Set(engaged.values), session)
        let masking = Masking(principal)
        return own.map { id, document in
            var result = document
            result["engagedParty"] = engaged[id].map { .object(parties.engaged($0, masking)) }
            return (id, result)
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try Self.checkName(document)
        let asked = document["engagedParty"]?["id"]?.string ?? ""
        guard try Self.rows.customer(of: document, context, session) != nil else {
            throw CRMError.unknownReference("Party", asked, at: "engagedParty.id")
        }
        try AccountWriting.checkAccounts(document["account"]?.array ?? [], "account", context, session)
        return try Self.rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        guard old["engagedParty"]?["id"] == new["engagedParty"]?["id"] else {
            throw AccountResources.refused(
                "fixed", 400, "engagedParty",
                Words(
                    en: "“engagedParty” cannot be changed: another party plays another role. Make one for it.",
                    zh: "“engagedParty”不可修改：其他参与方应另建角色。"))
        }
        if old["name"] != new["name"] { try Self.checkName(new) }
        if old["account"] != new["account"] {
            try AccountWriting.checkAccounts(new["account"]?.array ?? [], "account", context, session)
        }
        try Self.rows.change(id, from: old, to: new, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try Self.rows.remove(id, document, context, session)
    }

    /// A customer is more than a role with that name: it has a page, a state of its own, bills.
    private static func checkName(_ document: JSONObject) throws {
        let isType = document["@type"]?.string == "Customer"
        let isCustomer = isType || ["customer", "客户"].contains(document["name"]?.string?.trimmed.lowercased() ?? "")
        guard isCustomer else { return }
        throw AccountResources.refused(
            "is_customer", 400, isType ? "@type" : "name",
            Words(
                en: "Customers are made by the customer interface (TMF629, /tmf-api/customerManagement/v4/customer), not as party roles.",
                zh: "客户应通过客户接口（TMF629，/tmf-api/customerManagement/v4/customer）创建，而不是参与方角色。"))
    }
}
