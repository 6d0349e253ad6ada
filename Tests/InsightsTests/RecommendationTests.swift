import Contracts
import Kernel
import Platform
import Storage
import Synchronization
import TMF
import TestSupport
import Testing
import Web

@testable import Insights

@Suite("What could be offered")
struct RecommendationTests {
    /// One answer for everybody.
    private struct Said: ConsentReading {
        let reason: ConsentAnswer.Reason
        func consents(
            of customers: [CustomerID], to purpose: ConsentPurpose, on topic: ConsentTopic, at: Instant, _ session: any SQLSession
        ) throws -> [CustomerID: ConsentAnswer] {
            #expect(purpose == .profiling)
            return Dictionary(customers.map { ($0, ConsentAnswer(reason)) }, uniquingKeysWith: { first, _ in first })
        }
    }

    private func resource(_ desk: Desk, _ reason: ConsentAnswer.Reason = .neverGiven) throws -> TestResource {
        let module = try InsightsModule(
            customers: desk.customers, masks: ColumnMasks(), unscored: UnscoredCount(), consents: Said(reason: reason),
            schemas: TMFSchemas(share: Checkout.share))
        return TestResource(try #require(module.resources.first), desk.test)
    }

    private func ask(_ customer: String) -> String {
        #"{"name":"call","relatedParty":{"id":"\#(customer)","@referredType":"Customer"},"category":[{"id":"c"}],"mine":1}"#
    }

    private static let reasons = StoredReasons(
        raising: [], lowering: [],
        changes: [
            .init(column: "monthly_charge", value: "45", probability: 0.6), .init(column: "contract_term", value: "24", probability: 0.4),
            .init(column: "paperless", value: "yes", probability: 0.95),
        ])

    @Test("the model's own changes are the answer, the best first, with reasons in both languages; asked again it is the same")
    func items() async throws {
        let desk = try await Desk(FakeCustomers(3))
        try await desk.put([(1_000, 0.9, 5_000, "North")], reasons: Self.reasons)
        let asked = try resource(desk)
        let answer = try await asked.create(ask("1000"))
        #expect(answer["state"] == "done" && answer["stateReason"] == nil && answer["mine"] == .int(1))
        let items = answer["recommendationItem"]?.array ?? []
        #expect(items.map { $0["product"]?["productCharacteristic"]?.array?.first?["name"] } == ["contract_term", "monthly_charge"])
        #expect(items.map { $0["priority"] } == [.int(1), .int(2)])
        #expect(items.first?["probabilityNow"] == .double(0.9) && items.first?["probabilityThen"] == .double(0.4))
        #expect(items.first?["product"]?["description"] == "With a two-year contract, the probability would be 40% instead of 90%.")
        #expect(items.first?["reason"]?.array?.map { $0["language"] } == ["en", "zh"])
        #expect(items.first?["reason"]?.array?.last?["text"]?.string?.contains("2 年合约") == true)
        #expect(try await asked.read(answer) == answer)
        #expect(try await asked.create(ask("1000"))["recommendationItem"] == answer["recommendationItem"])
        // What was answered stays when the score changes.
        desk.test.clock.advance(days: 2)
        try await desk.put([(1_000, 0.1, 5_000, "North")])
        #expect(try await asked.read(answer) == answer)
        #expect(try await asked.create(ask("1000"))["stateReason"] == "nothing_helps")
        let (compared, wrong) = try await asked.disagreements()
        #expect(wrong == [] && compared > 8, "\(compared)")
    }

    @Test("where nothing can be said the answer says why")
    func nothing() async throws {
        let desk = try await Desk(FakeCustomers(3))
        func reason(_ customer: String, _ consent: ConsentAnswer.Reason = .neverGiven) async throws -> JSONValue? {
            let answer = try await resource(desk, consent).create(ask(customer))
            #expect(answer["state"] == "done" && answer["recommendationItem"] == .array([]))
            return answer["stateReason"]
        }
        #expect(try await reason("1000") == "no_model")
        try await desk.put([(1_000, 0.9, 5_000, "North")], reasons: Self.reasons)
        #expect(try await reason("1001") == "not_scored")
        #expect(try await reason("77") == "no_customer")
        for consent in [ConsentAnswer.Reason.refused, .withdrawn, .expired] { #expect(try await reason("1000", consent) == "no_consent") }
        #expect(try await resource(desk, .given).create(ask("1000"))["recommendationItem"]?.array?.count == 2)
        let one = try resource(desk)
        #expect(await TestResource.refusal { try await one.create(#"{"recommendationItem":[{"product":{}}]}"#) } == "fixed")
        #expect(await TestResource.refusal { try await one.create(#"{"state":"accepted"}"#) } == "illegal_transition")
    }

    @Test("values of columns that a reader may not see are not told, and a removed customer's answers go")
    func masked() async throws {
        let desk = try await Desk(FakeCustomers(3))
        let reasons = StoredReasons(
            raising: [], lowering: [],
            changes: [.init(column: "Secret", value: "x", probability: 0.2), .init(column: "contract_term", value: "12", probability: 0.5)])
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.9, 5_000, "South")], reasons: reasons)
        let all = try resource(desk)
        let answer = try await all.create(ask("1000"))
        #expect(answer["recommendationItem"]?.array?.count == 2)
        let few = TestResource(all.resource, desk.test, TestTenant.principal([InsightsPermissions.recommend]))
        let seen = try await few.read(answer)["recommendationItem"]
        #expect(seen?.array?.count == 1 && seen?.encoded().contains("Secret") == false)
        try await all.create(ask("1001"))
        let north = TestResource(all.resource, desk.test, desk.principal(.agent, regions: ["North"]))
        #expect(try await north.list([]).count == 1)
        let module = try InsightsModule(
            customers: desk.customers, masks: ColumnMasks(), unscored: UnscoredCount(), consents: Said(reason: .given),
            schemas: TMFSchemas(share: Checkout.share))
        try await desk.tenant.database.write { session in
            try desk.tenant.outbox.append(CustomersChanged(ids: [CustomerID(1_000)], fields: [], kind: .removed), session)
        }
        try await desk.test.drain(handlers: module.eventHandlers(desk.tenant))
        #expect(try await all.list([]).count == 1)
        let rest = try await desk.tenant.database.read { try $0.count("SELECT COUNT(*) FROM insights_recommendation_item") }
        #expect(rest == 2)
    }
}
