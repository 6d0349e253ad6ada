import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What was agreed with customers (TMF651).
enum Agreements {
    static let api = TMFAPI(651, "agreementManagement")

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = AgreementStore(customers)
        return TMFResource(
            api, "agreement", type: "Agreement", schema: schema, view: OrdersPermissions.viewOrders, edit: OrdersPermissions.editOrders,
            subjects: TMFResource.subjects("agreement", "engagedParty"), store: { _ in store })
    }
}

extension Agreements {
    static let used: SQL = "SELECT id FROM orders_agreement WHERE specification_id = $1 LIMIT 4"

    /// What agreements are made from: no customer's.
    static func specifications(_ schema: TMFSchema) -> TMFResource {
        let store = AgreementSpecificationStore()
        return TMFResource(
            api, "agreementSpecification", type: "AgreementSpecification", schema: schema, view: OrdersPermissions.viewOrders,
            edit: OrdersPermissions.editOrders, subjects: { id, _ in [AuditSubject(kind: "specification", id: id)] },
            store: { _ in store })
    }
}

struct AgreementSpecificationStore: TMFWritingStore {
    private let rows = TMFRows(
        "orders_agreement_spec",
        [
            TMFField("name", "name", sorts: true), TMFField("description", "description"), TMFField("version", "version"),
            TMFField("lifecycleStatus", "status", isIndexed: true), TMFField("isBundle", "is_bundle", .boolean),
            TMFField("serviceCategory.id", "category_id"), TMFField("serviceCategory.name", "category_name"),
            TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_to", .time),
            TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
        ],
        items: [
            TMFItems(
                "attachment", "orders_agreement_spec_attachment",
                [TMFField("name", "name"), TMFField("url", "url"), TMFField("mimeType", "mime_type")], rest: "more"),
            TMFItems(
                "specificationCharacteristic", "orders_agreement_spec_characteristic",
                [TMFField("name", "name"), TMFField("valueType", "value_type")], rest: "more"),
        ])

    var table: TMFTable { rows.table }
    var whole: Set<String> { rows.whole }

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
        let agreements = try session.query(Agreements.used, [.text(String(id))]) { String($0.int(0)) }
        guard agreements.isEmpty else {
            let list = agreements.prefix(3).joined(separator: ", ")
            throw OrderFlow.conflict(
                "in_use", Words(en: "Agreements are made from it: \(list).", zh: "仍有协议使用该规格：\(list)。"), field: "id")
        }
        try rows.remove(id, document, context, session)
    }
}

struct AgreementStore: OwnedStore {
    let rows: TMFRows

    init(_ customers: any CustomerReading) {
        rows = TMFRows(
            "orders_agreement",
            [
                TMFField("name", "name", sorts: true), TMFField("description", "description", mask: .name),
                TMFField("agreementType", "agreement_type", isIndexed: true), TMFField("status", "status", isIndexed: true),
                TMFField("version", "version"), TMFField("documentNumber", "document_number", .integer, isIndexed: true),
                TMFField("initialDate", "begins_at", .time), TMFField("agreementPeriod.startDateTime", "period_from", .time),
                TMFField("agreementPeriod.endDateTime", "period_to", .time),
                TMFField("completionDate.startDateTime", "completed_from", .time),
                TMFField("completionDate.endDateTime", "completed_to", .time), TMFField("statementOfIntent", "intent", mask: .name),
                TMFField("agreementSpecification.id", "specification_id", isIndexed: true),
                TMFField("agreementSpecification.name", "specification_name"),
            ],
            items: [
                .parties("orders_agreement_party", "engagedParty", isIndexed: false),
                TMFItems(
                    "agreementItem", "orders_agreement_item", [],
                    items: [
                        TMFItems("product", "orders_agreement_product", [TMFField("id", "product_id"), TMFField("name", "name")]),
                        TMFItems(
                            "productOffering", "orders_agreement_offering", [TMFField("id", "offering_id"), TMFField("name", "name")]),
                        TMFItems(
                            "termOrCondition", "orders_agreement_term",
                            [TMFField("id", "term_id"), TMFField("description", "description")]),
                    ], rest: "more"),
                TMFItems(
                    "characteristic", "orders_agreement_characteristic",
                    [
                        TMFField("name", "name", isIndexed: true), TMFField("value", "value", mask: .phone),
                        TMFField("valueType", "value_type"),
                    ], rest: "more"),
            ],
            owner: .init(customers, paths: ["engagedParty.id"], shown: "engagedParty"),
            more: [.parties("orders_agreement", "orders_agreement_party", "engagedParty.id")])
    }

    var table: TMFTable { rows.table }
    var whole: Set<String> { rows.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try rows.change(id, from: old, to: new, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }
}
