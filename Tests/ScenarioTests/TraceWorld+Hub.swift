import Foundation
import Kernel
import Storage
import TestSupport
import Testing
import Web

extension TraceWorld {
    static let hubSubscription: SQL = """
        INSERT INTO tmf_hub (id, api, client, callback, query, same, salt, origin, state, created_at, resumed_at, failures,
          lease_owner, lease_until)
        VALUES ($1, 999, 'client:traced', 'https://traced.example/x?key=zebra', '', $2, 'salt', 'https://crm.example', $3, 0, 0, 0, '', 0)
        """
    static let hubDelivery: SQL = """
        INSERT INTO tmf_hub_delivery (id, subscription_id, event_id, correlation_id, event_type, kind, resource, resource_id,
          field, event_at, queued_at, state, attempts, answer, reason)
        VALUES ($1, $2, 1, 1, 'TracedCreateEvent', 'created', 'traced', 5, '', 0, 0, 'dead', 3, 500, 'status')
        """

    /// A subscription of its own with an event that stands aside: the ids of both.
    func subscribed(_ state: String = "active") async throws -> (subscription: String, delivery: String) {
        let tenant = scenario.tenant
        let (one, two): (ID<TestHub>, ID<TestHub>) = (tenant.ids.next(), tenant.ids.next())
        try await tenant.database.write { session in
            _ = try session.execute(Self.hubSubscription, [.id(one), .text(UUID().uuidString), .text(state)])
            _ = try session.execute(Self.hubDelivery, [.id(two), .id(one)])
        }
        return (one.description, two.description)
    }
    enum TestHub {}

    private static func act(_ what: String, state: String = "active") -> Maker {
        { world in
            let (id, visitor) = (try await world.subscribed(state).subscription, world.administrator)
            return { try visitor.post("/hub/\(id)/\(what)") }
        }
    }

    private static func event(_ what: String) -> Maker {
        { world in
            let (id, visitor) = (try await world.subscribed().delivery, world.administrator)
            return { try visitor.post("/hub/deliveries/\(id)/\(what)") }
        }
    }

    private static func see(_ path: @escaping @Sendable (String) -> String) -> Maker {
        { world in
            let (id, visitor) = (try await world.subscribed().subscription, world.administrator)
            return { try visitor.get(path(id)) }
        }
    }

    static let hubMakers: [String: Maker] = [
        "GET /hub": see { _ in "/hub" },
        "GET /hub/deliveries": see { _ in "/hub/deliveries?state=dead" },
        "GET /hub/{id}": see { "/hub/\($0)" },
        "POST /hub/{id}/pause": act("pause"),
        "POST /hub/{id}/resumption": act("resumption", state: "paused"),
        "POST /hub/{id}/removal": act("removal"),
        "POST /hub/{id}/redelivery": act("redelivery"),
        "POST /hub/deliveries/{id}/redelivery": event("redelivery"),
        "POST /hub/deliveries/{id}/dismissal": event("dismissal"),
    ]

    /// The hub of an interface that modules offer: makers for its four routes.
    /// - Parameter scope: the one for reading it.
    static func hubMakers(base: String, scope: String) -> [String: Maker] {
        @Sendable func ask(
            _ world: TraceWorld, _ method: String, _ path: String, subscribes: Bool
        ) async throws -> Shot {
            let scenario = world.scenario
            let made = try await scenario.runtime.modules.clients.create(
                name: "h" + UUID().uuidString.lowercased().prefix(8), scopes: [scope], days: 30, scenario.tenant)
            let answer = try scenario.http.send(
                "POST", "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array("grant_type=client_credentials&client_id=\(made.id)&client_secret=\(made.secret)".utf8))
            let token = try #require(try JSONValue.parse(answer.body).object?["access_token"]?.string)
            let headers = [("Authorization", "Bearer " + token), ("Content-Type", "application/json")]
            let callback = Array(#"{"callback":"https://1.1.1.1/traced"}"#.utf8)
            var path = path
            if subscribes {
                let made = try scenario.http.send("POST", base + "/hub", headers: headers, body: callback)
                let id = try #require(try JSONValue.parse(made.body).object?["id"]?.string, "\(made.text)")
                path += "/" + id
            }
            let address = base + "/hub" + path
            return { [path = address] in
                try scenario.http.send(method, path, headers: headers, body: method == "POST" ? callback : [])
            }
        }
        return [
            "POST \(base)/hub": { try await ask($0, "POST", "", subscribes: false) },
            "GET \(base)/hub": { try await ask($0, "GET", "", subscribes: false) },
            "GET \(base)/hub/{id}": { try await ask($0, "GET", "", subscribes: true) },
            "DELETE \(base)/hub/{id}": { try await ask($0, "DELETE", "", subscribes: true) },
        ]
    }
}
