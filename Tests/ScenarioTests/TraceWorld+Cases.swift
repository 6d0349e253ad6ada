import Storage
import TestSupport
import Testing

extension TraceWorld {
    private func openCase() async throws -> String {
        let id = try await scenario.tenant.database.read { session in
            try session.first("SELECT id FROM servicedesk_case WHERE status = 'in_progress' ORDER BY id DESC LIMIT 1") { $0.int(0) }
        }
        return String(try #require(id))
    }

    static let caseMakers: [String: Maker] = [
        "GET /cases": { world in { try world.supervisor.get("/cases") } },
        "GET /cases/{id}": { world in
            let id = try await world.openCase()
            return { try world.supervisor.get("/cases/\(id)") }
        },
        "POST /cases/{id}/status": { world in
            let page = "/cases/\(try await world.openCase())"
            let version = try world.supervisor.version(page)
            return {
                try world.supervisor.post(page + "/status", [("revision", version), ("status", "pending"), ("reason", "traced")])
            }
        },
    ]
}
