import Kernel
import Platform
import Storage

/// What a client may do now: asked again each time something is sent to it.
package struct HubClients: Sendable {
    private let find: @Sendable (String, Tenant, any SQLSession) throws -> Principal?

    /// - Parameter find: by the name the audit has; `nil` for one that was revoked or has run out.
    package init(_ find: @escaping @Sendable (String, Tenant, any SQLSession) throws -> Principal?) { self.find = find }

    package static let none = HubClients { _, _, _ in nil }

    func principal(_ name: String, _ tenant: Tenant, _ session: any SQLSession) throws -> Principal? {
        try find(name, tenant, session)
    }
}

extension TMFResource {
    /// Whether a client may be told of this resource at all.
    func may(_ principal: Principal) -> Bool {
        principal.may(view) && (principal.scopes?.contains(api.readScope) ?? false)
    }
}
