import Storage
import TMF

/// What offerings cost.
enum Prices {
    static let store = CatalogStore(
        TMFRows(
            "catalog_price",
            CatalogFields.all + [
                TMFField("priceType", "price_type", isIndexed: true), TMFField("isBundle", "is_bundle", .boolean),
                TMFField("price.value", "amount_minor", .money(currency: AttributePath("price.unit"))),
                TMFField("price.unit", "currency"), TMFField("percentage", "percentage", .number),
                TMFField("recurringChargePeriodType", "period_type"),
                TMFField("recurringChargePeriodLength", "period_length", .integer),
                TMFField("unitOfMeasure.amount", "unit_amount", .number), TMFField("unitOfMeasure.units", "unit_name"),
            ],
            items: [
                TMFItems(
                    "tax", "catalog_price_tax",
                    [
                        TMFField("taxCategory", "category"), TMFField("taxRate", "rate", .number),
                        TMFField("taxAmount.value", "amount_minor", .money(currency: AttributePath("taxAmount.unit"))),
                        TMFField("taxAmount.unit", "currency"),
                    ], rest: "more"),
                CatalogFields.references("bundledPopRelationship", "catalog_price_bundle", "price_id"),
                CatalogFields.references(
                    "popRelationship", "catalog_price_relationship", "price_id",
                    more: [TMFField("relationshipType", "relationship_type")]),
            ]),
        links: [
            CatalogLink(
                "product offering", "产品", "SELECT owner_id FROM catalog_offering_price WHERE price_id = $1 AND owner_id <> $2 LIMIT 4"),
            CatalogLink("price", "价格", "SELECT owner_id FROM catalog_price_bundle WHERE price_id = $1 AND owner_id <> $2 LIMIT 4"),
            CatalogLink("price", "价格", "SELECT owner_id FROM catalog_price_relationship WHERE price_id = $1 AND owner_id <> $2 LIMIT 4"),
        ])
}
