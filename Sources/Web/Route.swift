import Foundation
import HTTPTypes
import Kernel

/// One entry of the route table: what it answers, who may call it, what body it takes, what it leaves in the audit.
/// The table is the only way to add a page, so no route can forget its gates (G21, G55).
package struct Route: Sendable {
    package enum Access: Sendable, Equatable {
        /// Nobody needs to be logged in: log-in, health, assets.
        case anonymous
        /// Any logged-in person: own preferences, log-out.
        case authenticated
        case permission(Permission)
    }

    package enum Body: Sendable, Equatable {
        case none
        /// `application/x-www-form-urlencoded`; only these fields, `name*` allows any field that begins so. Others are
        /// refused with 422 `unknown_field` (G26).
        case form([String])
        /// The same from a program that proves who it is in the request itself (RFC 6749): fields of any name, and no token
        /// against forged requests, because no cookie is looked at. For anonymous routes.
        case parameters
        /// `application/json` through the strict gate.
        case json
        /// A change of a document: `application/json`, or one of the kinds of patches. The handler tells which from the header.
        case patch
        /// `application/x-ndjson`, one JSON object a line; the handler reads each line through the strict gate.
        case lines
        /// The same, or `application/json` with one array; the handler tells which.
        case linesOrArray
        /// `multipart/form-data`, streamed to the handler.
        case upload
    }

    /// What the handler writes to the audit log; a test walks the table and fails on a mismatch (G55).
    package enum Trace: String, Sendable {
        /// No personal data is shown and nothing changes.
        case none
        /// Personal data is shown: one event a request, in which the customers shown are the subjects.
        case view
        /// State changes: the event is written in the transaction of the change.
        case change
    }

    package let method: HTTPRequest.Method
    /// `/customers/{id}`; a `{name}` segment matches one segment that is not empty.
    package let pattern: String
    package let access: Access
    package let body: Body
    package let trace: Trace
    package let purpose: Purpose
    /// `nil` where nothing changes.
    package let effect: Effect?
    /// What a caller with a token needs to have been given for this route, `usage:write`; `nil` = no token opens it.
    package let scope: String?
    /// Asked by machines whether this process lives: who asks is not looked up, for that would ask the database.
    package let isProbe: Bool
    package let handler: @Sendable (WebRequest) async throws -> WebResponse

    package init(
        _ method: HTTPRequest.Method, _ pattern: String, _ access: Access, body: Body = .none, trace: Trace,
        purpose: Purpose = .service, effect: Effect = .overwrites, scope: String? = nil, isProbe: Bool = false,
        handler: @escaping @Sendable (WebRequest) async throws -> WebResponse
    ) {
        precondition(method == .get || trace != .none || access == .anonymous, "a change is traced")
        precondition(!isProbe || access == .anonymous, "nobody is known to a probe")
        precondition(body != .parameters || access == .anonymous, "a session needs the token against forged requests")
        precondition(scope == nil || Gate.isAPI(pattern), "tokens are read under the addresses for programs only")
        self.method = method
        self.pattern = pattern
        self.access = access
        self.body = body
        self.trace = trace
        self.purpose = purpose
        self.effect = trace == .change && method != .get ? effect : nil
        self.scope = scope
        self.isProbe = isProbe
        self.handler = handler
    }

    /// `GET /customers/{id}`.
    package var name: String { "\(method.rawValue) \(pattern)" }
}

/// Finds the route of a request. Literal segments win over parameters.
package struct RouteTable: Sendable {
    private final class Node: @unchecked Sendable {
        var literals: [String: Node] = [:]
        var parameter: (name: String, node: Node)?
        var routes: [String: Route] = [:]
    }

    private let root = Node()
    package let routes: [Route]

    /// - Precondition: no two routes have the same method and pattern.
    package init(_ routes: [Route]) {
        self.routes = routes
        for route in routes {
            var node = root
            for segment in route.pattern.split(separator: "/") {
                if segment.hasPrefix("{") {
                    let name = String(segment.dropFirst().dropLast())
                    let next = node.parameter?.node ?? Node()
                    precondition(
                        node.parameter.map { $0.name == name } ?? true, "parameter names differ: \(route.name)")
                    node.parameter = (name, next)
                    node = next
                } else {
                    let key = String(segment)
                    let next = node.literals[key] ?? Node()
                    node.literals[key] = next
                    node = next
                }
            }
            precondition(node.routes[route.method.rawValue] == nil, "two routes: \(route.name)")
            node.routes[route.method.rawValue] = route
        }
    }

    package enum Match: Sendable {
        case route(Route, parameters: [String: String])
        /// The path exists with other methods.
        case methodNotAllowed([String])
        case notFound
    }

    package func match(_ method: HTTPRequest.Method, path: String) -> Match {
        var parameters: [String: String] = [:]
        var node = root
        for segment in path.split(separator: "/") {
            let text = String(segment)
            if let next = node.literals[text] {
                node = next
            } else if let parameter = node.parameter {
                parameters[parameter.name] = text.removingPercentEncoding ?? text
                node = parameter.node
            } else {
                return .notFound
            }
        }
        if node.routes.isEmpty { return .notFound }
        // HEAD is answered as GET without the body.
        let key = method == .head ? "GET" : method.rawValue
        guard let route = node.routes[key] else { return .methodNotAllowed(node.routes.keys.sorted()) }
        return .route(route, parameters: parameters)
    }
}
