import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers
@testable import TMF

@Suite("Parties of a region (ADR 0081)")
struct PartyRegionTests {
    private func worlds() async throws -> (TestTenant, (String, [String]?) throws -> TestResource) {
        let test = try await TestTenant(["Customers"])
        let all = try CustomersModule.resources(try TMFSchemas(share: Checkout.share), holds: [], accounts: [])
        return (
            test,
            { name, regions in
                let resource = try #require(all.first { $0.name == name })
                let principal = Masking.lifted(TestTenant.principal([resource.view, resource.edit], regions: regions))
                return TestResource(resource, test, principal)
            }
        )
    }

    private func ids(_ one: TestResource, _ test: TestTenant, _ text: String = "") async throws -> [String] {
        let desk = TMFDesk(resource: one.resource, tenant: test.tenant)
        let (resource, principal) = (one.resource, one.principal)
        return try await test.tenant.database.read { session in
            try desk.list(try TMFQuery(try Form.parse(text), schema: resource.asked, type: resource.type), principal, session)
        }.documents.compactMap { $0["id"]?.string }
    }

    @Test("who works for a region makes people, finds and changes them, makes them customers of that region; nobody of another sees them")
    func story() async throws {
        let (test, world) = try await worlds()
        let person = #"{"familyName":"Li","givenName":"Fang","externalReference":[{"externalReferenceType":"x","name":"N-1"}]}"#
        let north = try world("individual", ["north", "west"])
        let made = try await north.create(person)
        let id = made["id"]?.string ?? ""
        let everybody = try world("individual", nil)
        let (south, west) = (try world("individual", ["south"]), try world("individual", ["west"]))
        for query in ["", "externalReference.name=N-1", "fullName=Fang%20Li"] {
            for one in [north, everybody] { #expect(try await ids(one, test, query) == [id], "\(query)") }
            for other in [south, west] { #expect(try await ids(other, test, query).isEmpty, "\(query)") }
        }
        #expect(await TestResource.refusal { try await south.change(made, #"{"gender":"female"}"#) } == "not_found")
        #expect(await TestResource.refusal { try await south.remove(made) } == "not_found")
        #expect(try await north.change(made, #"{"gender":"female"}"#)["gender"] == "female")
        // A change by one who reaches everything leaves it where it is.
        _ = try await everybody.change(made, #"{"nationality":"CN"}"#)
        #expect(try await ids(north, test) == [id])
        let asked = #"{"name":"Fang Li","engagedParty":{"id":"\#(id)","@referredType":"Individual"}}"#
        let stranger = try world("customer", ["south"])
        #expect(await TestResource.refusal { try await stranger.create(asked) } == "unknown_party")
        let customers = try world("customer", ["north"])
        let customer = try await customers.create(asked)
        #expect(try await ids(customers, test) == [id])
        #expect(try await ids(stranger, test).isEmpty)
        for (one, found) in [(north, [id]), (south, [])] { #expect(try await ids(one, test) == found) }
        // The customer goes, the person stays where they were.
        try await customers.remove(customer)
        for (one, found) in [(north, [id]), (south, [])] { #expect(try await ids(one, test) == found) }
        let role = try world("partyRole", ["south"])
        let engaged = #"{"name":"reseller","engagedParty":{"id":"\#(id)","@referredType":"Individual"}}"#
        #expect(await TestResource.refusal { try await role.create(engaged) } == "out_of_reach")
        #expect(try await world("partyRole", ["north"]).create(engaged)["name"] == "reseller")
    }

    @Test("a party of a caller of all regions is of none; a caller of no region makes nobody")
    func others() async throws {
        let (test, world) = try await worlds()
        _ = try await world("individual", nil).create(#"{"familyName":"Li","givenName":"Fang"}"#)
        #expect(try await ids(try world("individual", ["north"]), test).isEmpty)
        #expect(await TestResource.refusal { try await world("individual", []).create(#"{"familyName":"Li","givenName":"Fang"}"#) } == "out_of_reach")
    }

    @Test(
        "the region of a party is spelled as the region of its maker was given, or as customers have it already",
        arguments: [(["浙江"], "浙江", "浙江"), (["Zhejiang"], "浙江省", "浙江省"), (["Zhejiang", "北京"], nil, "Zhejiang"), (["浙江", "北京"], "北京市", "北京市")]
            as [([String], String?, String)])
    func spelled(regions: [String], known: String?, expected: String) async throws {
        let (test, world) = try await worlds()
        func make(_ by: [String]?, _ more: String = "") async throws -> JSONObject {
            let id = try await world("individual", by).create(#"{"familyName":"Li","givenName":"Fang"}"#)["id"]?.string ?? ""
            return try await world("customer", by).create(
                #"{"name":"Fang Li","engagedParty":{"id":"\#(id)","@referredType":"Individual"}\#(more)}"#)
        }
        if let known { _ = try await make(nil, #","characteristic":[{"name":"region","value":"\#(known)"}]"#) }
        let customer = try await make(regions)
        let words = customer["characteristic"]?.array?.filter { $0["name"] == "region" }.map { $0["value"] }
        #expect(words == [.string(expected)], "\(customer)")
        #expect(try await ids(try world("customer", regions), test).contains(customer["id"]?.string ?? "-"))
    }
}
