import Kernel
import Platform
import TestSupport
import Testing
import Web

@testable import Customers
@testable import TMF

@Suite("What a program may not see of a person")
struct PartyMaskTests {
    @Test("who may not see birth dates neither sets nor takes one away, whether there is one or not")
    func birthDates() async throws {
        let test = try await TestTenant(["Customers"])
        let all = try CustomersModule.resources(try TMFSchemas(share: Checkout.share), holds: [], accounts: [])
        let old = try #require(all.first { $0.name == "individual" })
        let whole = TestResource(old, test)
        let born = try await whole.create(#"{"familyName":"Li","givenName":"Fang","birthDate":"1990-05-01T00:00:00Z"}"#)
        let plain = try await whole.create(#"{"familyName":"Wu","givenName":"Li"}"#)
        for resource in [old, try #require(old.version5)] {
            let blind = TestResource(resource, test, TestTenant.principal([resource.view, resource.edit]))
            for person in [born, plain] {
                #expect(try await blind.read(person)["birthDate"] == nil)
                for patch in [#"{"birthDate":null}"#, #"{"birthDate":"1991-01-01T00:00:00Z"}"#, #"{"gender":"female","birthDate":null}"#] {
                    #expect(await TestResource.refusal { try await blind.change(person, patch) } == "masked", "\(patch)")
                }
                // What nobody is kept from: something that is not there anyway.
                #expect(try await blind.change(person, #"{"maritalStatus":null}"#)["id"] == person["id"])
            }
        }
        #expect(try await whole.read(born)["birthDate"] == "1990-05-01T00:00:00Z")
        #expect(try await whole.read(plain)["gender"] == nil)
        let free = TestResource(try #require(old.version5), test)
        #expect(try await free.change(born, #"{"birthDate":null}"#)["birthDate"] == nil)
    }

    @Test("a word that is no state is called so, of persons too; another kind of value is of the wrong type")
    func states() async throws {
        let test = try await TestTenant(["Customers"])
        let all = try CustomersModule.resources(try TMFSchemas(share: Checkout.share), holds: [], accounts: [])
        let people = TestResource(try #require(all.first { $0.name == "individual" }), test)
        for (status, code) in [(#""asleep""#, "unknown_state"), ("5", "wrong_type")] {
            #expect(await TestResource.refusal { try await people.create(#"{"familyName":"Li","givenName":"Fang","status":\#(status)}"#) } == code)
            let made = try await people.create(#"{"familyName":"Li","givenName":"Fang","status":"validated"}"#)
            #expect(await TestResource.refusal { try await people.change(made, #"{"status":\#(status)}"#) } == code)
        }
        let bill = try #require(all.first { $0.name == "customerBill" })
        #expect(bill.stateAttribute == "state")
    }
}
