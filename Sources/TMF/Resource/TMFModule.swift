import Platform
import Web

/// A domain with resources of the TM Forum interface. Their routes come with them.
package protocol TMFModule: Module {
    var resources: [TMFResource] { get }
}

extension TMFModule {
    package func endpoints(_ site: SiteInfo) -> [Endpoint] { resources.flatMap(\.endpoints) }
}
