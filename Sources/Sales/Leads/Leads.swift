import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Who might buy something: sales leads (TMF699).
enum Leads {
    static let api = TMFAPI(699, "sales")
    static let type = "SalesLead"

    /// The states of the specification. A lead is accepted by somebody who has taken it up, and lives on as an opportunity; one that was
    /// turned down or given up is over, and another one is made when the prospect comes back.
    static let states = TMFStates(
        "status", first: "acknowledged",
        next: [
            "acknowledged": ["inProgress", "pending", "rejected", "cancelled"],
            "inProgress": ["pending", "accepted", "rejected", "cancelled"],
            "pending": ["inProgress", "accepted", "rejected", "cancelled"],
        ])

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = LeadStore(customers)
        return TMFResource(
            api, "salesLead", type: type, schema: schema, view: SalesPermissions.view, edit: SalesPermissions.edit, states: states,
            subjects: TMFResource.subjects("lead"), store: { _ in store })
    }
}

/// The rows of leads as documents.
struct LeadStore: TMFWritingStore {
    let rows: TMFRows

    init(_ customers: any CustomerReading) {
        func reference(_ name: String, _ id: SQL, _ words: SQL, isIndexed: Bool = true) -> [TMFField] {
            [TMFField("\(name).id", id, isIndexed: isIndexed), TMFField("\(name).name", words)]
        }
        rows = TMFRows(
            "sales_lead",
            [
                TMFField("name", "name", mask: .name, isIndexed: true), TMFField("description", "description", mask: .name),
                TMFField("type", "lead_type"), TMFField("status", "status", isIndexed: true),
                TMFField("statusChangeReason", "status_reason", mask: .name),
                TMFField("statusChangeDate", "status_changed_at", .time, stamp: .stateChanged, sorts: true),
                TMFField("creationDate", "created_at", .time, stamp: .created, sorts: true),
                TMFField("referredDate", "referred_at", .time), TMFField("priority", "priority", isIndexed: true),
                TMFField("rating", "rating", isIndexed: true), TMFField("validFor.startDateTime", "valid_from", .time),
                TMFField("validFor.endDateTime", "valid_until", .time),
                TMFField("estimatedRevenue.value", "revenue", .money(currency: AttributePath("estimatedRevenue.unit"))),
                TMFField("estimatedRevenue.unit", "revenue_currency"),
            ] + reference("category", "category_id", "category_name") + reference("channel", "channel_id", "channel_name")
                + reference("marketSegment", "segment_id", "segment_name", isIndexed: false)
                + reference("marketingCampaign", "campaign_id", "campaign_name")
                + reference("product", "product_id", "product_name", isIndexed: false)
                + reference("productOffering", "offering_id", "offering_name")
                + reference("productSpecification", "specification_id", "specification_name", isIndexed: false)
                + reference("salesOpportunity", "opportunity_id", "opportunity_name"),
            items: [
                .parties("sales_lead_party", isIndexed: false), .notes("sales_lead_note"),
                TMFItems(
                    "prospectContact", "sales_lead_contact",
                    [
                        TMFField("mediumType", "medium_type"), TMFField("preferred", "preferred", .boolean),
                        TMFField("characteristic.contactType", "contact_type"),
                        TMFField("characteristic.phoneNumber", "phone", mask: .phone, isIndexed: true),
                        TMFField("characteristic.emailAddress", "email", mask: .email, isIndexed: true),
                        TMFField("characteristic.faxNumber", "fax", mask: .phone),
                        TMFField("characteristic.socialNetworkId", "social_id", mask: .identity),
                        TMFField("characteristic.street1", "street1", mask: .address),
                        TMFField("characteristic.street2", "street2", mask: .address),
                        TMFField("characteristic.city", "city"), TMFField("characteristic.stateOrProvince", "region"),
                        TMFField("characteristic.postCode", "post_code"), TMFField("characteristic.country", "country"),
                        TMFField("validFor.startDateTime", "valid_from", .time),
                        TMFField("validFor.endDateTime", "valid_until", .time),
                    ]),
            ],
            owner: .init(customers), more: [.parties("sales_lead", "sales_lead_party")])
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var document = new
        // The reason of an earlier change is none of this one.
        if old["status"] != new["status"], old["statusChangeReason"] == new["statusChangeReason"] {
            document["statusChangeReason"] = nil
        }
        try rows.change(id, from: old, to: document, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }
}
