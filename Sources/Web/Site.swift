import Hummingbird
import Kernel
import Logging
import NIOCore

/// The request context: the framework's own, and the client's address.
package struct SiteContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package let remoteAddress: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }
}

/// Connects the framework's server to the gate.
package struct Site: HTTPResponder {
    package typealias Context = SiteContext
    package let gate: Gate
    package init(gate: Gate) { self.gate = gate }

    package func respond(to request: Request, context: SiteContext) async throws -> Response {
        await gate.respond(to: request, remoteAddress: context.remoteAddress)
    }
}
