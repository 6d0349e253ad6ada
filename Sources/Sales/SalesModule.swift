import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum SalesPermissions {
    static let view = Permission("sales.lead.view")
    static let edit = Permission("sales.lead.edit")
}

/// Who might buy something, and what became of it.
package struct SalesModule: TMFModule {
    private let customers: any CustomerReading
    /// What programs reach (TMF699).
    package let resources: [TMFResource]

    package init(customers: any CustomerReading, schemas: TMFSchemas) throws {
        self.customers = customers
        resources = [Leads.resource(try schemas.schema(Leads.api.number), customers)]
    }

    package var name: String { "Sales" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                SalesPermissions.view, Words(en: "See sales leads", zh: "查看销售线索"),
                roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
            PermissionGrant(
                SalesPermissions.edit, Words(en: "Make and change sales leads", zh: "新建和修改销售线索"),
                roles: [.agent, .supervisor, .marketer, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(Leads.api, Words(en: "sales leads", zh: "销售线索"), view: SalesPermissions.view, edit: SalesPermissions.edit)
    }

    package var labels: [TableLabels] { SalesLabels.all }

    package var layouts: [TableLayout] {
        TableLayout.all(
            ["sales_lead", "sales_lead_party", "sales_lead_note", "sales_lead_contact"], .customer(key: "customer_id"))
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] { [LeadsPanel(zone: tenant.timeZoneOffsetMinutes).panel()] }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let store = LeadStore(customers)
        return [
            EventHandler(name: "sales.customers.removed", CustomersChanged.self) { event, session in
                if event.kind == .removed { try store.rows.forget(event.ids, resource: "salesLead", session) }
            }
        ]
    }
}

/// A label for every column (G31).
enum SalesLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "sales_lead",
            [
                "customer_id": .plain, "id": .plain, "name": .name, "description": .name, "lead_type": .plain, "status": .profile,
                "status_reason": .name, "status_changed_at": .plain, "created_at": .plain, "referred_at": .plain,
                "priority": .profile, "rating": .profile, "valid_from": .plain, "valid_until": .plain, "revenue": .profile,
                "revenue_currency": .plain, "category_id": .plain, "category_name": .plain, "channel_id": .plain,
                "channel_name": .plain, "segment_id": .profile, "segment_name": .profile, "campaign_id": .plain,
                "campaign_name": .plain, "product_id": .plain, "product_name": .plain, "offering_id": .profile,
                "offering_name": .profile, "specification_id": .plain, "specification_name": .plain, "opportunity_id": .plain,
                "opportunity_name": .plain,
            ]),
        TableLabels(
            "sales_lead_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain, "name": .name,
                "referred_type": .plain,
            ]),
        TableLabels(
            "sales_lead_note",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "note_id": .plain, "author": .name,
                "written_at": .plain, "text": .name,
            ]),
        TableLabels(
            "sales_lead_contact",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "medium_type": .plain, "preferred": .plain,
                "contact_type": .plain, "phone": .phone, "email": .email, "fax": .phone, "social_id": .identity,
                "street1": .address, "street2": .address, "city": .profile, "region": .profile, "post_code": .profile,
                "country": .plain, "valid_from": .plain, "valid_until": .plain,
            ]),
    ]
}
