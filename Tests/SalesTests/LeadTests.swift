import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Sales

@Suite("Sales leads")
struct LeadTests {
    private let test: TestTenant
    private let module: SalesModule
    private let leads: TestResource

    init() async throws {
        test = try await TestTenant(["Sales"])
        module = try SalesModule(customers: NumberedCustomers(), schemas: TMFSchemas(share: Checkout.share))
        leads = TestResource(try #require(module.resources.first), test)
    }

    private static let sample = """
        {"name":"Fibre for the mill","description":"Asked at the fair","type":"fair","priority":"high","rating":"hot",
        "referredDate":"2026-01-02T03:04:05+08:00","validFor":{"startDateTime":"2026-01-01T00:00:00Z","endDateTime":"2026-06-01T00:00:00Z"},
        "estimatedRevenue":{"unit":"EUR","value":1234.5},"category":{"id":"c1","name":"fibre"},"channel":{"id":"fair","name":"Fair"},
        "marketSegment":{"id":"m1"},"marketingCampaign":{"id":"k1","name":"Spring"},"product":{"id":"p1"},
        "productOffering":{"id":"o1","name":"Fibre 1000","@referredType":"ProductOffering"},"productSpecification":{"id":"s1","version":"2"},
        "salesOpportunity":{"id":"x1"},"note":[{"id":"1","author":"Ann","date":"2026-01-02T00:00:00Z","text":"call"}],
        "relatedParty":[{"id":"7","role":"customer","@referredType":"Customer"},{"id":"e9","role":"seller","name":"Eve","@referredType":"Individual"}],
        "prospectContact":[{"mediumType":"phone","preferred":true,"characteristic":{"contactType":"work","phoneNumber":"+86139"}},
        {"mediumType":"email","characteristic":{"emailAddress":"a@b.cn","city":"Xi'an"}}],"mine":[1,{"a":null}],"@type":"MillLead","@baseType":"SalesLead"}
        """

    @Test("what was sent comes back whole, with what the server sets")
    func whole() async throws {
        let made = try await leads.create(Self.sample)
        let sent = try TestResource.object(Self.sample)
        for (name, value) in sent { #expect(made[name] == value, "\(name): \(String(describing: made[name]))") }
        let now = JSONValue.string(test.clock.now().iso8601)
        #expect(made["status"] == "acknowledged" && made["creationDate"] == now && made["statusChangeDate"] == now)
        #expect(try await leads.read(made) == made)
        let rows = try await test.tenant.database.read { session in
            try session.query("SELECT customer_id, revenue FROM sales_lead") {
                [$0.int(0), $0.int(1)]
            }
        }
        #expect(rows == [[7, 123_450]])
    }

    @Test("a lead goes the ways of its life and no other; what is over stays over")
    func states() async throws {
        let moves = try await leads.allowedMoves(
            "status", ["acknowledged", "inProgress", "pending", "accepted", "rejected", "cancelled"], sample: #"{"name":"a"}"#)
        #expect(
            moves == [
                "acknowledged>inProgress", "acknowledged>pending", "acknowledged>rejected", "acknowledged>cancelled",
                "inProgress>pending", "inProgress>accepted", "inProgress>rejected", "inProgress>cancelled",
                "pending>inProgress", "pending>accepted", "pending>rejected", "pending>cancelled",
            ])
        let lead = try await leads.create(#"{"name":"a"}"#)
        test.clock.advance(seconds: 60)
        let over = try await leads.change(lead, #"{"status":"rejected","statusChangeReason":"too dear"}"#)
        #expect(over["statusChangeDate"] == .string(test.clock.now().iso8601) && over["statusChangeReason"] == "too dear")
        #expect(over["creationDate"] == lead["creationDate"])
        let pending = try await leads.change(try await leads.create(#"{"name":"b"}"#), #"{"status":"pending","statusChangeReason":"holiday"}"#)
        #expect(try await leads.change(pending, #"{"status":"accepted"}"#)["statusChangeReason"] == nil)
    }

    @Test("what may not be is refused, and nothing is there afterwards")
    func refused() async throws {
        for (body, code) in [
            ("{}", "missing"), (#"{"name":"a","priority":"urgent"}"#, "wrong_type"), (#"{"name":"a","status":"accepted"}"#, "illegal_transition"),
            (#"{"name":"a","creationDate":"2026-01-01T00:00:00Z"}"#, "fixed"), (#"{"name":"a","relatedParty":[{"role":"x"}]}"#, "missing"),
            (#"{"name":"a","validFor":{"startDateTime":"2026-02-01T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"}}"#, "wrong_period"),
        ] { #expect(await TestResource.refusal { try await leads.create(body) } == code, "\(body)") }
        #expect(try await leads.list([]).isEmpty)
        let scoped = TestResource(leads.resource, test, Masking.lifted(TestTenant.principal([SalesPermissions.edit], regions: ["north"])))
        #expect(await TestResource.refusal { try await scoped.create(#"{"name":"a"}"#) } == "out_of_reach")
    }

    @Test("a list by each column is what the documents say")
    func lists() async throws {
        for number in 0..<6 {
            test.clock.advance(seconds: 60)
            let lead = try await leads.create(
                number == 0 ? Self.sample
                    : #"{"name":"n\#(number % 3)","rating":"\#(number % 2 == 0 ? "cold" : "warm")","productOffering":{"id":"o\#(number)"},"relatedParty":[{"id":"\#(number)","@referredType":"Customer"}]}"#)
            if number == 3 { try await leads.change(lead, #"{"status":"pending"}"#) }
        }
        let (compared, wrong) = try await leads.disagreements()
        #expect(wrong == [] && compared > 40, "\(compared)")
    }

    @Test("who may not see contacts sees masks, and cannot change what they do not see")
    func masks() async throws {
        let lead = try await leads.create(Self.sample)
        let other = TestResource(leads.resource, test, TestTenant.principal([SalesPermissions.view, SalesPermissions.edit]))
        let shown = try await other.read(lead)
        #expect(shown["prospectContact"] != lead["prospectContact"] && shown["mine"] == nil)
        #expect(await TestResource.refusal { try await other.change(lead, #"{"prospectContact":[]}"#) } == "masked")
    }

    @Test("a removed customer's leads go with everything kept of them")
    func forgotten() async throws {
        let gone = try await leads.create(Self.sample)
        let other = try await leads.create(Self.sample.replacing(#""id":"7""#, with: #""id":"8""#))
        let handler = try #require(module.eventHandlers(test.tenant).first)
        try await test.tenant.database.write { session in
            try test.tenant.outbox.append(CustomersChanged(ids: [CustomerID(7)], fields: [], kind: .removed), session)
        }
        try await test.drain(handlers: [handler])
        #expect(await TestResource.refusal { _ = try await leads.read(gone) } == "not_found")
        #expect(try await leads.read(other) == other)
        let rest = try await test.tenant.database.read { session in
            try ["sales_lead_party", "sales_lead_note", "sales_lead_contact", "tmf_kept"].map {
                try session.count(SQL(trusted: "SELECT COUNT(*) FROM \($0)"))
            }
        }
        #expect(rest == [2, 1, 2, 1])
    }
}
