import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("Stale rows about lines")
struct StaleLineTests {
    private static func row(_ number: Int, _ status: String, ended: String? = nil) -> [String: SQLValue] {
        var row: [String: SQLValue] = [
            "line_id": .text("LA"), "source_id": .text("B1"), "msisdn": .text("+861370000000\(number)"), "status": .text(status),
        ]
        if let ended { row["ended_on"] = .text(ended) }
        return row
    }

    private static func lines(_ desk: RecordDesk) async throws -> [String] {
        try await desk.tenant.database.read { session in
            (try CustomerLoader.record(desk.ids[0], session)?.subscriptions ?? []).dropFirst().map {
                "\($0.msisdn?.suffix(1) ?? "-") \($0.status.rawValue)"
            }
        }
    }

    @Test("a row with the earlier number of a line that has ended is refused with the reason, and makes no line, in a dry run too")
    func stale() async throws {
        let desk = try await RecordDesk()
        for row in [Self.row(1, "active"), Self.row(2, "active"), Self.row(2, "terminated", ended: "2025-01-01")] {
            _ = try await desk.apply("lines", [row])
        }
        #expect(try await Self.lines(desk) == ["2 terminated"])
        for outcomes in [try await desk.plan("lines", [Self.row(1, "active")]), try await desk.apply("lines", [Self.row(1, "active")])] {
            guard case .rejected(let field, let code, let words)? = outcomes.first else {
                Issue.record("\(outcomes)")
                continue
            }
            #expect(field == "msisdn" && code == "line_ended")
            #expect(words.en.contains("ended on 2025-01-01") && words.en.contains("line id of its own") && words.zh.contains("已于 2025-01-01"))
        }
        #expect(try await Self.lines(desk) == ["2 terminated"])
    }

    @Test("a line comes back under its own number, an ended one stays corrigible, and one in service changes its number as before")
    func comesBack() async throws {
        let desk = try await RecordDesk()
        for row in [Self.row(1, "active"), Self.row(1, "terminated", ended: "2025-01-01")] { _ = try await desk.apply("lines", [row]) }
        _ = try await desk.apply("lines", [Self.row(3, "terminated")])
        #expect(try await Self.lines(desk) == ["3 terminated"])
        _ = try await desk.apply("lines", [Self.row(3, "active")])
        #expect(try await Self.lines(desk) == ["3 active"])
        _ = try await desk.apply("lines", [Self.row(4, "active")])
        #expect(try await Self.lines(desk) == ["4 active"])
    }
}
