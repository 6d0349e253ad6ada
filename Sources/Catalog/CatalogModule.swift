import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum CatalogPermissions {
    static let view = Permission("catalog.view")
    static let edit = Permission("catalog.edit")
}

/// What the operator sells: catalogues, categories, offerings, what they are made of and what they cost (TMF620), promotions (TMF671).
package struct CatalogModule: TMFModule {
    static let api = TMFAPI(620, "productCatalogManagement")

    package let resources: [TMFResource]

    /// - Parameters:
    ///   - hold: what has been sold keeps its offering,
    ///   - specifications: and its specification.
    package init(schemas: TMFSchemas, hold: CatalogHold? = nil, specifications: CatalogHold? = nil) throws {
        let schema = try schemas.schema(Self.api.number)
        func resource(_ name: String, _ type: String, _ kind: String, _ store: CatalogStore) -> TMFResource {
            TMFResource(
                Self.api, name, type: type, schema: schema, view: CatalogPermissions.view, edit: CatalogPermissions.edit,
                states: Lifecycle.states, subjects: { id, _ in [AuditSubject(kind: kind, id: id)] }, store: { _ in store })
        }
        resources = [
            resource("catalog", "Catalog", "catalog", Categories.catalogs), resource("category", "Category", "category", Categories.categories),
            resource("productSpecification", "ProductSpecification", "specification", Specifications.store(specifications)),
            resource("productOfferingPrice", "ProductOfferingPrice", "price", Prices.store),
            resource("productOffering", "ProductOffering", "offering", Offerings.store(hold)),
            Promotions.resource(try schemas.schema(Promotions.api.number)),
        ]
    }

    package var name: String { "Catalog" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                CatalogPermissions.view, Words(en: "See the product catalogue", zh: "查看产品目录"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                CatalogPermissions.edit, Words(en: "Change the product catalogue", zh: "修改产品目录"),
                roles: [.supervisor, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Self.api, Words(en: "the product catalogue", zh: "产品目录"), view: CatalogPermissions.view, edit: CatalogPermissions.edit)
            + TMFAccess.scopes(
                Promotions.api, Words(en: "promotions", zh: "促销"), view: CatalogPermissions.view, edit: CatalogPermissions.edit)
    }

    package var labels: [TableLabels] { CatalogLabels.all }
    package var layouts: [TableLayout] { CatalogLabels.layouts }
}
