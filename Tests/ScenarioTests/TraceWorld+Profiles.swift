import Foundation
import Kernel
import Storage
import TestSupport
import Testing

extension TraceWorld {
    /// A counter of its own: its id and its version.
    private func counter() async throws -> (id: String, revision: String) {
        let name = "c" + UUID().uuidString.lowercased().prefix(8)
        let made = try administrator.post(
            "/counters", [("name", name), ("title_en", name), ("kind", "app.\(name)")])
        #expect(made.status == 303, "\(made.text.prefix(300))")
        let id = try await id("SELECT id FROM profiles_counter WHERE name = $1", [.text(name)])
        let page = try administrator.get("/counters").text
        let match = try #require(
            page.firstMatch(of: try Regex("action=\"/counters/\(id)\">.*?name=\"revision\" value=\"([^\"]+)\"", as: (Substring, Substring).self).dotMatchesNewlines()))
        return (id, String(match.1))
    }

    /// After a file of two rows: one of a line nobody knows, one that is refused.
    private static func usageFile(_ path: @escaping @Sendable (String) -> String) -> Maker {
        { world in
            let scenario = world.scenario
            let file = NSTemporaryDirectory() + "trace-usage-\(UUID().uuidString).csv"
            defer { try? FileManager.default.removeItem(atPath: file) }
            let text = "id,number,kind,start,seconds\n\(UUID()),13000000009,voice,2026-01-02 10:00:00,5\n2,x,voice,2026-02-30,5\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let report = try await scenario.runtime.modules.usage(scenario.tenant).importFile(
                file, .init(source: "trace-files"), principal: scenario.runtime.operatorPrincipal(tenant: "default"))
            let visitor = world.supervisor
            return { try visitor.get(path(report.run)) }
        }
    }

    private static let visitHours = [("day.mon", "09:00-12:00"), ("slot_minutes", "60"), ("at_once", "2"), ("closed_days", "")]

    static let profileMakers: [String: Maker] = [
        "POST /api/events": { world in
            let visitor = world.supervisor
            let at = world.scenario.clock.now().iso8601
            return {
                try visitor.postLines(
                    "/api/events?source=trace",
                    #"{"id":"1","kind":"app.login","at":"\#(at)","msisdn":"13800138000"}"#)
            }
        },
        "GET /usage": { world in
            let visitor = world.supervisor
            return { try visitor.get("/usage") }
        },
        "GET /usage/unmatched": usageFile { _ in "/usage/unmatched" },
        "GET /usage/rejected": usageFile { _ in "/usage/rejected" },
        "GET /usage/runs/{id}/unmatched": usageFile { "/usage/runs/\($0)/unmatched" },
        "GET /usage/runs/{id}/rejected": usageFile { "/usage/runs/\($0)/rejected" },
        "GET /usage/tariffs": { world in
            let visitor = world.supervisor
            return { try visitor.get("/usage/tariffs") }
        },
        "POST /usage/tariffs": { world in
            let visitor = world.supervisor
            return { try visitor.post("/usage/tariffs", [("tariffs", "name,monthly_fee\nNew \(UUID()),10\n")]) }
        },
        "POST /usage/tariffs/removal": { world in
            let visitor = world.supervisor
            let name = "Traced \(UUID())"
            _ = try visitor.post("/usage/tariffs", [("tariffs", "name,monthly_fee\n\(name),10\n")])
            return { try visitor.post("/usage/tariffs/removal", [("name", name), ("valid_from", "")]) }
        },
        "GET /usage/tariffs/rated": { world in
            let visitor = world.supervisor
            _ = try visitor.post("/usage/tariffs", [("tariffs", "name,monthly_fee\nTraced,10\n")])
            return { try visitor.get("/usage/tariffs/rated?month=2026-01") }
        },
        "GET /visit-hours": { world in
            let visitor = world.supervisor
            return { try visitor.get("/visit-hours") }
        },
        "POST /visit-hours": { world in
            let visitor = world.supervisor
            let version = try visitor.version("/visit-hours")
            return { try visitor.post("/visit-hours", visitHours + [("revision", version), ("kind", ""), ("reference", "")]) }
        },
        "POST /visit-hours/removal": { world in
            let visitor = world.supervisor
            let version = try #require(
                try visitor.get("/visit-hours").text.matches(of: /name="revision" value="([^"]+)"/).last?.1)
            let place = "traced-\(UUID())"
            let made = try visitor.post(
                "/visit-hours", visitHours + [("revision", String(version)), ("kind", "place"), ("reference", place)])
            #expect(made.status == 303, "\(made.text.prefix(300))")
            return { try visitor.post("/visit-hours/removal", [("kind", "place"), ("reference", place)]) }
        },
        "GET /counters": { world in
            let visitor = world.administrator
            return { try visitor.get("/counters") }
        },
        "POST /counters": { world in
            let visitor = world.administrator
            return {
                try visitor.post("/counters", [("name", "traced"), ("title_en", "Traced"), ("kind", "app.traced")])
            }
        },
        "POST /counters/{id}": { world in
            let (made, visitor) = (try await world.counter(), world.administrator)
            return {
                try visitor.post(
                    "/counters/\(made.id)", [("revision", made.revision), ("title_en", "Other"), ("kind", "app.other")])
            }
        },
        "POST /counters/{id}/removal": { world in
            let (made, visitor) = (try await world.counter(), world.administrator)
            return { try visitor.post("/counters/\(made.id)/removal") }
        },
    ]
}
