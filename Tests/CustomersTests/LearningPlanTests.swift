import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Training reads every customer, a run of ids after the other: with a million of them no statement of a run may look
/// through a whole table.
@Suite("The plans of the learning table")
struct LearningPlanTests {
    @Test(
        "each statement finds its run by an index",
        arguments: [
            "heads", "places", "lines", "addons", "usage", "bills", "attributes",
        ])
    func plans(_ name: String) async throws {
        let statements: [String: SQL] = [
            "heads": LearningTable.heads, "places": LearningTable.places, "lines": LearningTable.lines,
            "addons": LearningTable.addons, "usage": LearningTable.usage, "bills": LearningTable.bills,
            "attributes": LearningTable.attributes,
        ]
        let sql = try #require(statements[name])
        let tenant = try await TestTenant(["Customers"])
        let plan = try await tenant.tenant.database.write { session -> [String] in
            let arguments: [SQLValue] = [.int(7), .int(5_007)]
            guard session.dialect == .postgres else {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + sql.text), arguments) { $0.text(3) }
            }
            // An empty table is read faster without an index: it is told that it must not.
            try session.execute("SET LOCAL enable_seqscan = off")
            return try session.query(SQL(trusted: "EXPLAIN " + sql.text), arguments) { $0.text(0) }
        }
        let through = plan.filter { $0.contains("Seq Scan") || $0.hasPrefix("SCAN") }
        #expect(through.isEmpty && !plan.isEmpty, "\(name): \(plan.joined(separator: "; "))")
        #expect(plan.contains { $0.contains("Index") || $0.contains("SEARCH") }, "\(plan)")
    }
}
