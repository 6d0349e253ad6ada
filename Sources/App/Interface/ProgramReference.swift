import Kernel
import Platform
import TMF
import Web

/// What programs can call, for programs (`/openapi.json`) and for the people who write them.
struct ProgramReference: Sendable {
    let resources: [TMFResource]

    func endpoints() -> [Endpoint] {
        [
            Endpoint(.get, "/openapi.json", .anonymous, trace: .none, purpose: .administration) { description($0) },
            Endpoint(.get, "/interface", .authenticated, trace: .none, purpose: .administration) { page($0) },
        ]
    }

    private func description(_ call: Call) -> WebResponse {
        WebResponse.json(
            TMFOpenAPI(resources, version: call.site.version, origin: call.request.origin).document(call.tenant))
    }

    private static let verbs: [(TMFResource.Verb, String, String)] = [
        (.list, "GET", ""), (.create, "POST", ""), (.read, "GET", "/{id}"), (.change, "PATCH", "/{id}"), (.remove, "DELETE", "/{id}"),
    ]

    private func page(_ call: Call) -> WebResponse {
        let groups = Dictionary(grouping: resources, by: \.api.number).sorted { $0.key < $1.key }
        let apis = groups.flatMap { number, resources -> [View] in
            func view(_ resources: [TMFResource], _ name: String, _ anchor: String) -> View {
                [
                    "number": .text(name), "anchor": .text(anchor), "read": .text("tmf\(number):read"),
                    "write": .text("tmf\(number):write"), "hub": .text((resources.first.map { String($0.path.dropLast($0.name.count + 1)) } ?? "") + "/hub"),
                    "events": .text(resources.filter(\.isTold).map { $0.type + "…Event" }.joined(separator: ", ")),
                    "resources": .list(resources.map { Self.view($0, call.tenant) }),
                ]
            }
            let next = resources.compactMap(\.version5)
            return [view(resources, "TMF\(number)", "tmf\(number)")]
                + (next.isEmpty ? [] : [view(next, "TMF\(number) v5", "tmf\(number)v5")])
        }
        return call.page("app/interface", title: call.text("interface.title"), active: "/interface", ["apis": .list(apis)])
    }

    private static func view(_ resource: TMFResource, _ tenant: Tenant) -> View {
        let columns = resource.store(tenant).table.columns
        let operations = verbs.filter { resource.verbs.contains($0.0) }.map { _, method, rest -> View in
            ["method": .text(method), "path": .text(resource.path + rest)]
        }
        let attributes = (resource.asked.types[resource.type]?.attributes ?? []).map { attribute -> View in
            let kind = attribute.kind.word.replacing("code:", with: "") + (attribute.isArray ? "[]" : "")
            return [
                "name": .text(attribute.name), "kind": .text(kind), "mandatory": .bool(attribute.isMandatory),
                "server": .bool(attribute.isServers), "fixed": .bool(attribute.isFixed),
            ]
        }
        func names(_ columns: [TMFColumn]) -> String {
            columns.map { (resource.face?.shown($0.path) ?? $0.path).description }.joined(separator: ", ")
        }
        let orders = names(columns.filter(\.sorts))
        return [
            "type": .text(resource.type), "operations": .list(operations),
            "filters": .text(names(columns)),
            "orders": .text(orders.isEmpty ? nil : orders), "states": .text(resource.states.map { words($0) }),
            "attributes": .list(attributes),
        ]
    }

    /// `acknowledged → inProgress, cancelled`
    private static func words(_ states: TMFStates) -> String {
        states.next.sorted { $0.key < $1.key }.map { "\($0.key) → \($0.value.joined(separator: ", "))" }.joined(separator: " · ")
    }
}
