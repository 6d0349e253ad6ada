import Platform
import Storage
import TMF

/// What is given when something is bought (TMF671).
enum Promotions {
    static let api = TMFAPI(671, "promotionManagement")

    static func resource(_ schema: TMFSchema) -> TMFResource {
        TMFResource(
            api, "promotion", type: "Promotion", schema: schema, view: CatalogPermissions.view, edit: CatalogPermissions.edit,
            subjects: { id, _ in [AuditSubject(kind: "promotion", id: id)] }, store: { _ in store })
    }

    static let store = CatalogStore(
        TMFRows(
            "catalog_promotion",
            [
                TMFField("name", "name", sorts: true), TMFField("description", "description"),
                TMFField("promotionType", "promotion_type", isIndexed: true), TMFField(Lifecycle.attribute, "status", isIndexed: true),
                TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_to", .time),
                TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
            ],
            items: [
                TMFItems(
                    "pattern", "catalog_promotion_pattern",
                    [
                        TMFField("id", "pattern_id"), TMFField("name", "name"), TMFField("description", "description"),
                        TMFField("priority", "priority", .integer), TMFField("criteriaGroupLogicalRelationship", "logic"),
                    ],
                    items: [
                        TMFItems(
                            "action", "catalog_promotion_action",
                            [
                                TMFField("id", "action_id"), TMFField("actionType", "action_type"),
                                TMFField("actionValue", "action_value"), TMFField("actionEntityRef.id", "entity_id"),
                            ])
                    ], rest: "more")
            ]))
}
