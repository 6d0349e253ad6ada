import Storage
import TMF

/// What can be sold.
enum Offerings {
    /// - Parameter hold: what has been sold keeps its offering.
    static func store(_ hold: CatalogHold?) -> CatalogStore {
        CatalogStore(rows, links: links, hold: hold)
    }

    private static let rows = TMFRows(
        "catalog_offering",
        CatalogFields.all + [
            TMFField("statusReason", "status_reason"), TMFField("isBundle", "is_bundle", .boolean),
            TMFField("isSellable", "is_sellable", .boolean),
            TMFField("productSpecification.id", "specification_id", isIndexed: true),
            TMFField("productSpecification.name", "specification_name"),
            TMFField("productSpecification.version", "specification_version"),
        ],
        items: [
            CatalogFields.references("category", "catalog_offering_category", "category_id", more: [Categories.version]),
            CatalogFields.references("productOfferingPrice", "catalog_offering_price", "price_id"),
            CatalogFields.references(
                "bundledProductOffering", "catalog_offering_bundle", "offering_id",
                more: [
                    TMFField(Lifecycle.attribute, "status"),
                    TMFField("bundledProductOfferingOption.numberRelOfferLowerLimit", "at_least", .integer),
                    TMFField("bundledProductOfferingOption.numberRelOfferUpperLimit", "at_most", .integer),
                    TMFField("bundledProductOfferingOption.numberRelOfferDefault", "at_first", .integer),
                ]),
            CatalogFields.references(
                "productOfferingRelationship", "catalog_offering_relationship", "offering_id",
                more: [TMFField("relationshipType", "relationship_type")]),
            CatalogFields.references("channel", "catalog_offering_channel", "channel_id"),
            CatalogFields.references("marketSegment", "catalog_offering_segment", "segment_id"),
            CatalogFields.references("place", "catalog_offering_place", "place_id"),
            TMFItems(
                "productOfferingTerm", "catalog_offering_term",
                [
                    TMFField("name", "name"), TMFField("description", "description"),
                    TMFField("duration.amount", "duration", .integer), TMFField("duration.units", "units"),
                ], rest: "more"),
        ])

    private static let links = [
        CatalogLink(
            "bundle", "产品组合", "SELECT owner_id FROM catalog_offering_bundle WHERE offering_id = $1 AND owner_id <> $2 LIMIT 4"),
        CatalogLink(
            "product offering", "产品",
            "SELECT owner_id FROM catalog_offering_relationship WHERE offering_id = $1 AND owner_id <> $2 LIMIT 4"),
        CatalogLink(
            "category", "分类", "SELECT owner_id FROM catalog_category_offering WHERE offering_id = $1 AND owner_id <> $2 LIMIT 4"),
    ]
}
