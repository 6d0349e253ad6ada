import Kernel
import Platform
import Storage
import TMF
import Web

/// What keeps an account from being removed: what other domains have of it.
package struct AccountHold: Sendable {
    /// Who names the account, in the plural: `products 12, 13`.
    let users: @Sendable (_ account: Int64, any SQLSession) throws -> [Words]

    package init(_ users: @escaping @Sendable (_ account: Int64, any SQLSession) throws -> [Words]) { self.users = users }
}

/// Accounts (TMF666) and how bills of them are made out.
enum AccountResources {
    static let api = TMFAPI(666, "accountManagement")

    /// A closed account is not opened again: what was billed to it is history, a new one has a number of its own.
    static let states = TMFStates(
        "state", first: "Active", initial: ["Suspended"], next: ["Active": ["Suspended", "Closed"], "Suspended": ["Active", "Closed"]])

    /// States of the interface as the table has them.
    static let words: [String: String] = [
        "Active": AccountStatus.open.rawValue, "Suspended": AccountStatus.suspended.rawValue, "Closed": AccountStatus.closed.rawValue,
    ]

    /// What TMF666 has no attribute for, and programs need: the number by which bills name the account, and since when there is one.
    static let more: [TMFSchema.Attribute] = [
        .init("accountNumber", .text, isFixed: true), .init("validFor", .object("TimePeriod")),
    ]

    static func all(_ schemas: TMFSchemas, _ holds: [AccountHold]) throws -> [TMFResource] {
        let schema = try schemas.schema(api.number)
        func account(_ face: AccountFace) -> TMFResource {
            var resource = TMFResource(
                api, face.name, type: face.type, schema: schema.adding(more, to: face.type), view: CustomerPermissions.view,
                edit: CustomerPermissions.edit, states: states, subjects: TMFResource.subjects("account"),
                store: { AccountStore(face: face, tenant: $0, holds: holds) })
            // One table and one id: what a client sent is the account's, by whichever name it is asked for.
            resource.keptAs = AccountFace.party.name
            return resource
        }
        func setting(_ name: String, _ type: String, _ store: BillSettingStore) -> TMFResource {
            TMFResource(
                api, name, type: type, schema: schema, view: CustomerPermissions.view, edit: CustomerPermissions.edit,
                subjects: { id, _ in [AuditSubject(kind: "bill_setting", id: id)] }, store: { _ in store })
        }
        return AccountFace.allCases.map(account) + [
            TMFResource(
                api, "financialAccount", type: "FinancialAccount", schema: schema, view: CustomerPermissions.view,
                edit: CustomerPermissions.edit, states: states, subjects: TMFResource.subjects("account"),
                store: { FinancialAccountStore(tenant: $0) }),
            setting("billingCycleSpecification", "BillingCycleSpecification", .cycles),
            setting("billFormat", "BillFormat", .formats), setting("billPresentationMedia", "BillPresentationMedia", .media),
        ]
    }

    static var scopes: [APIScope] {
        TMFAccess.scopes(api, Words(en: "accounts", zh: "账户"), view: CustomerPermissions.view, edit: CustomerPermissions.edit)
    }

    // MARK: Refusals

    static func refused(_ code: String, _ status: Int, _ place: String, _ words: Words) -> CRMError {
        CRMError(code, status: status, words, fields: [.init(field: place, code: code, message: words)])
    }

    /// - Parameter uses: what still points to it, in the plural.
    static func inUse(_ what: Words, _ uses: [Words]) -> CRMError {
        let (en, zh) = (uses.map(\.en).joined(separator: ", "), uses.map(\.zh).joined(separator: "、"))
        return refused(
            "in_use", 409, "id",
            Words(en: "\(what.en) cannot be removed: there are \(en) of it.", zh: "\(what.zh)不能删除：仍有\(zh)与其关联。"))
    }

    /// Whether a reference leads to another system: its address is a whole one.
    static func isElsewhere(_ reference: JSONValue) -> Bool {
        reference["href"]?.string.map { $0.hasPrefix("http://") || $0.hasPrefix("https://") } ?? false
    }

    static func id(_ reference: JSONValue) -> Int64? {
        reference["id"]?.string.flatMap { text in Int64(text).flatMap { String($0) == text ? $0 : nil } }
    }
}

/// The account resources that lie in customers_account. A party account is any of them; what has a more special name is made and
/// changed by that.
enum AccountFace: Sendable, CaseIterable {
    case party, billing, settlement

    var name: String {
        switch self {
        case .party: "partyAccount"
        case .billing: "billingAccount"
        case .settlement: "settlementAccount"
        }
    }

    var type: String {
        switch self {
        case .party: "PartyAccount"
        case .billing: "BillingAccount"
        case .settlement: "SettlementAccount"
        }
    }

    /// The most special name of an account of this kind.
    init(_ kind: String) {
        switch AccountKind(rawValue: kind) {
        case .billing: self = .billing
        case .settlement: self = .settlement
        default: self = .party
        }
    }

    func shows(_ kind: String) -> Bool { self == .party || self == AccountFace(kind) }

    /// The kind of a new account.
    func kind(_ accountType: String?) -> AccountKind {
        switch self {
        case .billing: .billing
        case .settlement: .settlement
        case .party:
            switch accountType?.lowercased() {
            case AccountKind.household.rawValue: .household
            case AccountKind.service.rawValue: .service
            default: .party
            }
        }
    }

    /// How the customer interface refers to it.
    static func reference(_ kind: String, id: Int64, name: String) -> JSONValue {
        let face = AccountFace(kind)
        return .object([
            "id": .string(String(id)), "name": .string(name), "@referredType": .string(face.type),
            "href": .string("\(AccountResources.api.base)/\(face.name)/\(id)"),
        ])
    }
}
