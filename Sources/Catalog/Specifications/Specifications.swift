import Storage
import TMF

/// What products are, by their characteristics.
enum Specifications {
    /// - Parameter hold: what customers have keeps its specification.
    static func store(_ hold: CatalogHold?) -> CatalogStore { CatalogStore(store.rows, links: store.links, hold: hold) }

    private static let store = CatalogStore(
        TMFRows(
            "catalog_specification",
            CatalogFields.all + [
                TMFField("brand", "brand"), TMFField("productNumber", "product_number", isIndexed: true),
                TMFField("isBundle", "is_bundle", .boolean),
            ],
            items: [
                characteristics, .parties("catalog_specification_party"),
                CatalogFields.references(
                    "productSpecificationRelationship", "catalog_specification_relationship", "specification_id",
                    more: [TMFField("relationshipType", "relationship_type")]),
                CatalogFields.references(
                    "bundledProductSpecification", "catalog_specification_bundle", "specification_id",
                    more: [TMFField(Lifecycle.attribute, "status")]),
            ]),
        links: [
            CatalogLink("product offering", "产品", "SELECT id FROM catalog_offering WHERE specification_id = $1 AND id <> $2 LIMIT 4"),
            CatalogLink(
                "product specification", "产品规格",
                "SELECT owner_id FROM catalog_specification_relationship WHERE specification_id = $1 AND owner_id <> $2 LIMIT 4"),
            CatalogLink(
                "product specification", "产品规格",
                "SELECT owner_id FROM catalog_specification_bundle WHERE specification_id = $1 AND owner_id <> $2 LIMIT 4"),
        ])

    private static let characteristics = TMFItems(
        "productSpecCharacteristic", "catalog_specification_characteristic",
        [
            TMFField("id", "characteristic_id"), TMFField("name", "name", isIndexed: true), TMFField("description", "description"),
            TMFField("valueType", "value_type"), TMFField("configurable", "configurable", .boolean),
            TMFField("isUnique", "is_unique", .boolean), TMFField("minCardinality", "min_cardinality", .integer),
            TMFField("maxCardinality", "max_cardinality", .integer), TMFField("regex", "regex"),
        ],
        items: [
            TMFItems(
                "productSpecCharacteristicValue", "catalog_specification_value",
                [
                    TMFField("value", "value"), TMFField("valueType", "value_type"), TMFField("isDefault", "is_default", .boolean),
                    TMFField("unitOfMeasure", "unit"), TMFField("valueFrom", "value_from", .integer),
                    TMFField("valueTo", "value_to", .integer),
                ])
        ], rest: "more")
}
