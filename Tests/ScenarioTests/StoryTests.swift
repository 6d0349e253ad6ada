import Foundation
import Kernel
import Platform
import TestSupport
import Testing
import Web

/// The business story of the product, through HTTP only: an operator brings its customers, learns who will leave and why,
/// calls them, and can take the import back.
@Suite("From a file to the call list")
struct StoryTests {
    @Test(
        "an operator's file is tried, imported and learned from; an agent sees whom to call and why; it can be taken back",
        .enabled(if: file != nil, "../shared/data/churn-ibm-telco is not on this machine"))
    func story() async throws {
        let path = try #require(Self.file)
        let content = [UInt8](try #require(FileManager.default.contents(atPath: path)))
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let analyst = try await scenario.user("analyst", [.analyst])
        let agent = try await scenario.user("agent", [.agent])

        // The file is brought in; the shipped mapping knows its columns.
        let run = try #require(
            try supervisor.upload("/imports", file: (name: "XTelco_Customer_Churn.csv", content: content))
                .header("location"))
        let mapping = try supervisor.get(run).text
        #expect(mapping.contains("value=\"source_id\" selected"), "the proposal knows the identifier")

        // A dry run tells exactly what would happen and changes nothing.
        #expect(try supervisor.post(run + "/dry-run").status == 303)
        try await scenario.drain()
        let plan = try supervisor.get(run).text
        #expect(count("read", plan) == "7,043" && count("created", plan) == "7,043" && count("rejected", plan) == "0")
        #expect(try await scenario.runtime.modules.isEmpty(scenario.tenant))

        // The run.
        #expect(try supervisor.post(run + "/start").status == 303)
        try await scenario.drain()
        #expect(try supervisor.get(run + "/progress").text.contains(#""state":"succeeded""#))
        let result = try supervisor.get(run).text
        #expect(count("created", result) == "7,043" && count("rejected", result) == "0", "as the dry run said")
        #expect(try supervisor.get("/customers").text.contains("7,043"))
        let leavers = try supervisor.get("/customers?status=churned").text
        #expect(leavers.contains("1,869"), "those who left are known to have left")

        // Learning, from the console.
        #expect(try analyst.get("/models").status == 200)
        #expect(try analyst.post("/models/training", [("folds", "2")]).status == 303)
        try await scenario.drain()
        let models = try analyst.get("/models").text
        let model = try #require(models.firstMatch(of: /href="(\/models\/\d+)"/)).1
        let card = try analyst.get(String(model)).text
        let auc = try #require(card.firstMatch(of: /0\.(8[0-9]{1,2})/), "the AUC is on the card")
        print("AUC on the card: 0.\(auc.1)")

        // Whom to call this week, with reasons in words.
        try agent.post("/preferences", [("language", "en")])
        let risk = try agent.get("/risk").text
        let rows = risk.matches(
            of: /<a href="\/customers\/(\d{10,})"[\s\S]*?class="wrap full"[^>]*>((?:<small>[^<]*<\/small>)*)/)
        #expect(rows.count >= 20)
        #expect(rows.allSatisfy { !$0.2.isEmpty }, "each has its reasons")
        let first = String(try #require(rows.first).1)
        let reasons = rows.first?.2.matches(of: /<small>([^<]*)<\/small>/).map { String($0.1) } ?? []
        #expect(reasons.count == 3, "\(reasons)")
        print("first reasons: \(reasons)")
        let customer = try agent.get("/customers/\(first)").text
        for reason in reasons { #expect(customer.contains(reason), "the customer's page says why, too: \(reason)") }
        #expect(
            try agent.post(
                "/risk/\(first)/contact",
                [("revision", "open"), ("outcome", "accepted"), ("note", "wants a longer contract")]
            ).status == 303)
        #expect(try agent.get("/risk?state=done").text.contains(first))
        // The contact is in the customer's timeline, in the reader's language; its note for those who see names.
        try analyst.post("/preferences", [("language", "zh")])
        for path in ["/customers/\(first)", "/customers/\(first)/timeline?show=contact"] {
            let seen = try agent.get(path).text
            #expect(seen.contains("Retention contact: Reached: took an offer"), "\(path)")
            #expect(seen.contains("wants a longer contract"), "\(path)")
            let masked = try analyst.get(path).text
            #expect(masked.contains("已联系：接受优惠") && !masked.contains("wants a longer contract"), "\(path)")
        }

        let jobs = try supervisor.get("/jobs").text
        #expect(jobs.contains("7,043 / 7,043"), "what is done is shown as done wholly")
        #expect(
            try !supervisor.get("/jobs?all=1").text.contains(">customers<"),
            "the product's own jobs have no module as author")

        // And back: nobody is left, except the one somebody has dealt with, if at all.
        #expect(try supervisor.post(run + "/reversal").status == 303)
        try await scenario.drain()
        let end = try supervisor.get(run + "/progress").text
        #expect(end.contains(#""state":"reverted""#), "\(end)")
        #expect(try supervisor.get("/customers").text.contains("7,043") == false)
        #expect(try await scenario.runtime.modules.isEmpty(scenario.tenant))
        #expect(try !agent.get("/risk").text.contains("href=\"/customers/\(first)"))
    }

    /// A figure of the import's page.
    private func count(_ name: String, _ page: String) -> String? {
        page.components(separatedBy: "data-count=\"\(name)\">").dropFirst().first.map {
            String($0.prefix { $0 != "<" })
        }
    }

    private static let file = Checkout.sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv")
}
