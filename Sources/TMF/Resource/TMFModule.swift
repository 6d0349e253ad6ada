import Platform
import Web

/// A domain with resources of the TM Forum interface. Their routes come with them.
package protocol TMFModule: Module {
    var resources: [TMFResource] { get }
    /// What else changes them than programs do.
    var news: [TMFNews] { get }
}

extension TMFModule {
    package var news: [TMFNews] { [] }
    package func endpoints(_ site: SiteInfo) -> [Endpoint] { TMFResource.endpoints(of: resources) }
}

extension TMFResource {
    /// The routes of resources in all versions that they are offered in.
    package static func endpoints(of resources: [TMFResource]) -> [Endpoint] {
        (resources + resources.compactMap(\.version5)).flatMap(\.endpoints)
    }
}
