import Foundation
import Kernel
import Storage
import TestSupport
import Testing

extension TraceWorld {
    /// An import of which one row waits in quarantine: the id of the row.
    private func held(_ number: Int) async throws -> String {
        let charge = 2_000_000 + number
        let csv = "source_id,full_name,monthly_charge\nQ\(number),隔离,\(charge)\nG\(number),正常,10\n"
        let run = try #require(
            try supervisor.upload(
                "/imports", fields: [("source", "trace-held")], file: (name: "held.csv", content: Array(csv.utf8))
            ).header("location"))
        let answer = try supervisor.fill(
            run, run + "/mapping",
            [
                ("to.0", "source_id"), ("to.1", "full_name"), ("to.2", "monthly_charge"), ("match_key", "source_id"),
                ("creates", "1"), ("updates", "1"), ("then", "save"),
            ])
        #expect(answer.status == 303, "\(answer.text.prefix(300))")
        #expect(try supervisor.post(run + "/start").status == 303)
        try await scenario.drain()
        return try await id("SELECT id FROM ingest_quarantine WHERE state = 'open' ORDER BY id DESC LIMIT 1")
    }

    private static let ruleFields = [
        ("name_en", "Traced"), ("name_zh", "追踪"), ("fields", "city"), ("kind", "required"),
        ("dimension", "completeness"), ("severity", "warn"), ("parameters", "{}"), ("is_on", "1"),
    ]

    private func ownRule() async throws -> String {
        #expect(try supervisor.post("/rules", Self.ruleFields).status == 303)
        let found = try await scenario.tenant.database.read { session in
            try session.first("SELECT key FROM ingest_rule WHERE key LIKE 'own-%' ORDER BY key DESC LIMIT 1") {
                $0.text(0)
            }
        }
        return try #require(found)
    }

    private func source() async throws -> String {
        try supervisor.post("/sources", [("key", "trace-\(UUID().uuidString.prefix(8))"), ("kind", "care")])
        return try await id("SELECT id FROM ingest_source ORDER BY id DESC LIMIT 1")
    }

    private static func plain(_ path: String) -> Maker {
        { world in
            let visitor = world.supervisor
            return { try visitor.get(path) }
        }
    }

    static let qualityMakers: [String: Maker] = [
        "GET /quarantine": plain("/quarantine"),
        "GET /rules": plain("/rules"),
        "GET /rules/new": plain("/rules/new"),
        "GET /rules/{id}": plain("/rules/birth"),
        "GET /sources": plain("/sources"),
        "GET /quality": plain("/quality"),
        "GET /quarantine/{id}": { world in
            let (row, visitor) = (try await world.held(1), world.supervisor)
            return { try visitor.get("/quarantine/\(row)") }
        },
        "POST /quarantine/{id}/repair": { world in
            let (row, visitor) = (try await world.held(2), world.supervisor)
            let version = try visitor.version("/quarantine/\(row)")
            return {
                try visitor.post(
                    "/quarantine/\(row)/repair", [("revision", version), ("cell.2", "20"), ("then", "save")])
            }
        },
        "POST /quarantine/replay": { world in
            let (row, visitor) = (try await world.held(3), world.supervisor)
            return { try visitor.post("/quarantine/replay", [("id", row)]) }
        },
        "POST /quarantine/discard": { world in
            let (row, visitor) = (try await world.held(4), world.supervisor)
            return { try visitor.post("/quarantine/discard", [("id", row), ("reason", "a test")]) }
        },
        "POST /rules": { world in
            let visitor = world.supervisor
            return { try visitor.post("/rules", ruleFields) }
        },
        "POST /rules/{id}": { world in
            let (key, visitor) = (try await world.ownRule(), world.supervisor)
            let version = try visitor.version("/rules/\(key)")
            return { try visitor.post("/rules/\(key)", [("revision", version)] + ruleFields) }
        },
        "POST /rules/{id}/removal": { world in
            let (key, visitor) = (try await world.ownRule(), world.supervisor)
            return { try visitor.post("/rules/\(key)/removal") }
        },
        "GET /sources/{id}": { world in
            let (id, visitor) = (try await world.source(), world.supervisor)
            return { try visitor.get("/sources/\(id)") }
        },
        "POST /sources": { world in
            let visitor = world.supervisor
            return { try visitor.post("/sources", [("key", "trace-new"), ("kind", "partner")]) }
        },
        "POST /sources/{id}": { world in
            let (id, visitor) = (try await world.source(), world.supervisor)
            let version = try visitor.version("/sources/\(id)")
            return {
                try visitor.post("/sources/\(id)", [("revision", version), ("name", "Traced"), ("kind", "care")])
            }
        },
        "GET /customers/{id}/lineage": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)/lineage") }
        },
        "GET /customers/{id}/lineage/{record}": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)/lineage/\(id)") }
        },
    ]
}
