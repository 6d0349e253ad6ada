import Platform
import Storage

/// A label for every column (G31). The catalogue says nothing about persons, but for those who look after a part of it.
enum CatalogLabels {
    static let all: [TableLabels] = [
        .plain(
            "catalog_catalog",
            [
                "id", "name", "version", "description", "catalog_type", "status", "valid_from", "valid_to",
                "updated_at",
            ]),
        .plain("catalog_catalog_category", ["owner_id", "place", "category_id", "name", "version", "more"]),
        parties("catalog_catalog_party"),
        .plain(
            "catalog_category",
            [
                "id", "name", "version", "description", "status", "is_root", "parent_id", "valid_from",
                "valid_to", "updated_at",
            ]),
        .plain("catalog_category_child", ["owner_id", "place", "category_id", "name", "version", "more"]),
        .plain("catalog_category_offering", ["owner_id", "place", "offering_id", "name", "more"]),
        .plain(
            "catalog_specification",
            [
                "id", "name", "version", "description", "brand", "product_number", "status", "is_bundle",
                "valid_from", "valid_to", "updated_at",
            ]),
        parties("catalog_specification_party"),
        .plain(
            "catalog_specification_characteristic",
            [
                "owner_id", "place", "characteristic_id", "name", "description", "value_type", "configurable",
                "is_unique", "min_cardinality", "max_cardinality", "regex", "more",
            ]),
        .plain(
            "catalog_specification_value",
            [
                "owner_id", "item", "place", "value", "value_type", "is_default", "unit", "value_from",
                "value_to",
            ]),
        .plain(
            "catalog_specification_relationship",
            [
                "owner_id", "place", "specification_id", "relationship_type", "name", "more",
            ]),
        .plain("catalog_specification_bundle", ["owner_id", "place", "specification_id", "name", "status", "more"]),
        .plain(
            "catalog_price",
            [
                "id", "name", "version", "description", "status", "price_type", "is_bundle", "amount_minor",
                "currency", "percentage", "period_type", "period_length", "unit_amount", "unit_name",
                "valid_from", "valid_to", "updated_at",
            ]),
        .plain("catalog_price_tax", ["owner_id", "place", "category", "rate", "amount_minor", "currency", "more"]),
        .plain("catalog_price_bundle", ["owner_id", "place", "price_id", "name", "more"]),
        .plain("catalog_price_relationship", ["owner_id", "place", "price_id", "relationship_type", "name", "more"]),
        .plain(
            "catalog_offering",
            [
                "id", "name", "version", "description", "status", "status_reason", "is_bundle", "is_sellable",
                "specification_id", "specification_name", "specification_version", "valid_from", "valid_to",
                "updated_at",
            ]),
        .plain("catalog_offering_category", ["owner_id", "place", "category_id", "name", "version", "more"]),
        .plain("catalog_offering_price", ["owner_id", "place", "price_id", "name", "more"]),
        .plain(
            "catalog_offering_bundle",
            [
                "owner_id", "place", "offering_id", "name", "status", "at_least", "at_most", "at_first",
                "more",
            ]),
        .plain(
            "catalog_offering_relationship",
            [
                "owner_id", "place", "offering_id", "relationship_type", "name", "more",
            ]),
        .plain("catalog_offering_channel", ["owner_id", "place", "channel_id", "name", "more"]),
        .plain("catalog_offering_segment", ["owner_id", "place", "segment_id", "name", "more"]),
        .plain("catalog_offering_place", ["owner_id", "place", "place_id", "name", "more"]),
        .plain("catalog_offering_term", ["owner_id", "place", "name", "description", "duration", "units", "more"]),
        .plain(
            "catalog_promotion",
            ["id", "name", "description", "promotion_type", "status", "valid_from", "valid_to", "updated_at"]),
        .plain(
            "catalog_promotion_pattern",
            ["owner_id", "place", "pattern_id", "name", "description", "priority", "logic", "more"]),
        .plain(
            "catalog_promotion_action",
            ["owner_id", "item", "place", "action_id", "action_type", "action_value", "entity_id"]),
    ]

    /// Where the tables lie on PostgreSQL: small, and asked for with many others.
    static var layouts: [TableLayout] { TableLayout.all(all.map(\.table), .reference) }

    private static func parties(_ table: String) -> TableLabels {
        TableLabels(
            table,
            ["owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain, "name": .name, "referred_type": .plain])
    }
}
