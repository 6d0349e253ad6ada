import Foundation
import Kernel
import Storage
import TestSupport
import Testing

extension TraceWorld {
    /// Two customers of the base, put forward as one: the path of their pair.
    private func pair(_ number: Int) async throws -> (path: String, left: String, right: String) {
        func customer(_ place: Int) async throws -> String {
            try await id("SELECT id FROM customers_customer ORDER BY id LIMIT 1 OFFSET $1", [.int(place)])
        }
        let (left, right) = (try await customer(number * 2), try await customer(number * 2 + 1))
        let answer = try supervisor.post("/customers/\(left)/duplicates", [("other", right)])
        #expect(answer.status == 303, "\(answer.text.prefix(300))")
        return ("/duplicates/\(left)/\(right)", left, right)
    }

    static let resolutionMakers: [String: Maker] = [
        "GET /duplicates": { world in
            _ = try await world.pair(10)
            let visitor = world.supervisor
            return { try visitor.get("/duplicates") }
        },
        "POST /duplicates/{left}/{right}/joining": { world in
            let (pair, visitor) = (try await world.pair(11).path, world.supervisor)
            return { try visitor.post(pair + "/joining") }
        },
        "POST /duplicates/{left}/{right}/separation": { world in
            let (pair, visitor) = (try await world.pair(12).path, world.supervisor)
            return { try visitor.post(pair + "/separation") }
        },
        "POST /duplicates/{left}/{right}/reopening": { world in
            let (pair, visitor) = (try await world.pair(13).path, world.supervisor)
            try visitor.post(pair + "/joining")
            return { try visitor.post(pair + "/reopening") }
        },
        "POST /customers/{id}/duplicates": { world in
            let pair = try await world.pair(14)
            let other = try await world.pair(15)
            let visitor = world.supervisor
            return { try visitor.post("/customers/\(pair.left)/duplicates", [("other", other.left)]) }
        },
        "POST /customers/{id}/separation": { world in
            let (pair, visitor) = (try await world.pair(16), world.supervisor)
            try visitor.post(pair.path + "/joining")
            return {
                try visitor.post(
                    "/customers/\(pair.left)/separation",
                    [("left", pair.left), ("right", pair.right), ("reason", "two people")])
            }
        },
        "GET /matching": { world in
            let visitor = world.administrator
            return { try visitor.get("/matching") }
        },
        "POST /matching/filling": { world in
            let visitor = world.administrator
            return { try visitor.post("/matching/filling") }
        },
        "POST /matching/learning": { world in
            let visitor = world.administrator
            return { try visitor.post("/matching/learning") }
        },
        "POST /matching/models/{id}/activation": { world in
            let visitor = world.administrator
            try visitor.post("/matching/filling")
            try await world.scenario.drain()
            try visitor.post("/matching/learning")
            try await world.scenario.drain()
            let model = try await world.id("SELECT id FROM customers_match_model ORDER BY id DESC LIMIT 1")
            return { try visitor.post("/matching/models/\(model)/activation") }
        },
        "POST /matching/rules": { world in
            let visitor = world.administrator
            let version = try visitor.version("/matching")
            return {
                try visitor.post(
                    "/matching/rules",
                    [("revision", version), ("sources", "billing, care"), ("rule.full_name", "source")])
            }
        },
    ]
}
