import Foundation
import TestSupport
import Testing

/// The weights that decide who is one customer: learned ones are put into use by whoever may, and those that came with the product are
/// one button away.
@Suite("Weights of matching")
struct MatchingWeightsTests {
    private static let back = "/matching/models/shipped/activation"

    @Test("learned weights come into use and go out of it again; both are in the audit, and an agent does neither")
    func weights() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let (admin, agent) = (try await scenario.user("ada", [.administrator]), try await scenario.user("ann", [.agent]))
        func model() async throws -> Int64? {
            try await scenario.tenant.database.read {
                try $0.first("SELECT model_id FROM customers_match_setting WHERE id = 1") { $0.optionalInt(0) } ?? nil
            }
        }
        for step in ["filling", "learning"] {
            #expect(try admin.post("/matching/" + step).status == 303)
            try await scenario.drain()
        }
        let page = try admin.get("/matching").text
        #expect(!page.contains(Self.back), "the shipped ones are in use")
        let use = try #require(page.firstMatch(of: /\/matching\/models\/([0-9]+)\/activation/))
        #expect(try agent.post(String(use.0)).status == 403)
        #expect(try await model() == nil)
        #expect(try admin.post(String(use.0)).status == 303)
        #expect(try await model() == Int64(use.1))
        #expect(try admin.get("/matching").text.contains(Self.back))
        #expect(try agent.post(Self.back).status == 403)
        #expect(try await model() == Int64(use.1))
        #expect(try admin.post(Self.back).status == 303)
        #expect(try await model() == nil)
        let left = try admin.get("/matching").text
        #expect(!left.contains(Self.back) && left.contains(String(use.0)), "the learned ones can be taken again")
        let acts = try await scenario.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM platform_audit_event WHERE action = 'customers.matching.activate'")
        }
        #expect(acts == 2)
        // What is neither a version nor the word for those that came along.
        #expect(try admin.post("/matching/models/1/activation").status == 404)
    }
}
