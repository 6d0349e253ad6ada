import Foundation
import Kernel
import Storage
import TestSupport
import Testing

extension TraceWorld {
    /// A program of its own: its id.
    private func program() async throws -> String {
        let name = "p" + UUID().uuidString.lowercased().prefix(8)
        let made = try await scenario.runtime.modules.clients.create(
            name: name, scopes: ["usage:write"], days: 30, scenario.tenant)
        return made.id
    }

    private static let programForm = [("scope", "usage:write"), ("rate", "5"), ("addresses", "192.0.2.0/24")]

    private static func program(
        _ path: String, _ fields: [(String, String)] = [], filled: Bool = false
    ) -> Maker {
        { world in
            let (id, visitor) = (try await world.program(), world.administrator)
            let revision = filled ? [("revision", try visitor.version("/clients/\(id)"))] : []
            return { try visitor.post("/clients/\(id)" + path, revision + fields) }
        }
    }

    static let programMakers: [String: Maker] = [
        "GET /clients": { world in
            _ = try await world.program()
            let visitor = world.administrator
            return { try visitor.get("/clients") }
        },
        "GET /clients/new": { world in
            let visitor = world.administrator
            return { try visitor.get("/clients/new") }
        },
        "POST /clients": { world in
            let visitor = world.administrator
            return { try visitor.post("/clients", [("name", "made here"), ("days", "30")] + programForm) }
        },
        "GET /clients/{id}": { world in
            let (id, visitor) = (try await world.program(), world.administrator)
            return { try visitor.get("/clients/\(id)") }
        },
        "POST /clients/{id}": program("", programForm, filled: true),
        "POST /clients/{id}/secret": program("/secret", [("days", "30"), ("overlap", "1")]),
        "POST /clients/{id}/revocation": program("/revocation"),
        "POST /oauth/token": { world in
            let scenario = world.scenario
            let made = try await scenario.runtime.modules.clients.create(
                name: "t" + UUID().uuidString.lowercased().prefix(8), scopes: ["usage:write"], days: 30, scenario.tenant
            )
            let shot: Shot = {
                try scenario.http.send(
                    "POST", "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                    body: Array("grant_type=client_credentials&client_id=\(made.id)&client_secret=\(made.secret)".utf8))
            }
            // The first makes the key that tokens are signed with, and notes that the program was used.
            #expect(try shot().status == 200)
            return shot
        },
        "GET /me/tokens": { world in
            let visitor = world.supervisor
            return { try visitor.get("/me/tokens") }
        },
        "POST /me/tokens": { world in
            let visitor = world.supervisor
            return {
                try visitor.post(
                    "/me/tokens",
                    [("name", "nightly"), ("scope", "usage:write"), ("days", "30"), ("current", Scenario.password)])
            }
        },
        "POST /me/tokens/{id}/revocation": { world in
            let visitor = world.supervisor
            let made = try visitor.post(
                "/me/tokens",
                [("name", "old"), ("scope", "usage:write"), ("days", "30"), ("current", Scenario.password)])
            #expect(made.status == 200, "\(made.text.prefix(300))")
            let id = try await world.id("SELECT id FROM identity_token ORDER BY id DESC LIMIT 1")
            return { try visitor.post("/me/tokens/\(id)/revocation") }
        },
    ]
}
