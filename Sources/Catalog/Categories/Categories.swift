import Storage
import TMF

/// Catalogues and the categories in them.
enum Categories {
    static let catalogs = CatalogStore(
        TMFRows(
            "catalog_catalog", CatalogFields.all + [TMFField("catalogType", "catalog_type")],
            items: [
                CatalogFields.references("category", "catalog_catalog_category", "category_id", more: [version]),
                .parties("catalog_catalog_party"),
            ]))

    static let categories = CatalogStore(
        TMFRows(
            "catalog_category",
            CatalogFields.all + [
                TMFField("isRoot", "is_root", .boolean), TMFField("parentId", "parent_id", isIndexed: true),
            ],
            items: [
                CatalogFields.references("subCategory", "catalog_category_child", "category_id", more: [version]),
                CatalogFields.references("productOffering", "catalog_category_offering", "offering_id"),
            ]),
        links: [
            CatalogLink("catalogue", "目录", "SELECT owner_id FROM catalog_catalog_category WHERE category_id = $1 AND owner_id <> $2 LIMIT 4"),
            CatalogLink("sub-category", "下级分类", "SELECT id FROM catalog_category WHERE parent_id = $1 AND id <> $2 LIMIT 4"),
            CatalogLink(
                "category", "分类", "SELECT owner_id FROM catalog_category_child WHERE category_id = $1 AND owner_id <> $2 LIMIT 4"),
            CatalogLink(
                "product offering", "产品", "SELECT owner_id FROM catalog_offering_category WHERE category_id = $1 AND owner_id <> $2 LIMIT 4"),
        ])

    static let version = TMFField("version", "version")
}
