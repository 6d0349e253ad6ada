import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Orders

@Suite("Quotes (TMF648) and agreements (TMF651)")
struct QuoteTests {
    let desk: OrdersDesk
    private var program: ProgramDesk { desk.program }

    init() async throws { desk = try await OrdersDesk() }

    private func quote(_ items: String) async throws -> ProgramDesk.Answer {
        try await program.send(.post, "quote", "{\"quoteItem\":[\(items)],\(OrdersDesk.customer)}")
    }

    @discardableResult
    private func lead(_ id: String, _ states: String...) async throws -> ProgramDesk.Answer {
        var answer: ProgramDesk.Answer?
        for state in states {
            answer = try await program.patch("quote/\(id)", #"{"state":"\#(state)"}"#)
            #expect(answer?.status == 200, "\(state): \(answer?.message ?? "")")
        }
        return try #require(answer)
    }

    @Test("a quote has the prices of the catalogue and what all of it comes to, for each kind of charge")
    func prices() async throws {
        let own = #"{"priceType":"oneTime","price":{"taxIncludedAmount":{"unit":"EUR","value":10.5}}}"#
        let made = try await quote(
            #"{"id":"1","action":"add","quantity":3,"productOffering":{"id":"\#(desk.fibre)"}},{"id":"2","action":"add","productOffering":{"id":"\#(desk.fibre)"},"quoteItemPrice":[\#(own),\#(own)]},{"id":"3","action":"delete","productOffering":{"id":"\#(desk.fibre)"}}"#)
        #expect(made.status == 201 && made.body["state"] == .string("inProgress"), "\(made.body)")
        #expect(
            made.body["quoteTotalPrice"]?.encoded() == """
                [{"price":{"taxIncludedAmount":{"unit":"EUR","value":21}},"priceType":"oneTime"},{"price":{"taxIncludedAmount":{"unit":"EUR","value":89.85}},"priceType":"recurring","recurringChargePeriod":"month"}]
                """)
        let first = made.body["quoteItem"]?.array?.first?["quoteItemPrice"]?.array?.first
        #expect(first?["price"]?["taxIncludedAmount"]?["value"] == .double(29.95) && first?["name"] == .string("Monthly"))
        #expect(made.body["quoteItem"]?.array?.last?["quoteItemPrice"] == nil)
        let less = try await program.patch("quote/\(made.id)", #"{"quoteItem":[{"id":"1","action":"add","productOffering":{"id":"\#(desk.fibre)"}}]}"#)
        #expect(less.body["quoteTotalPrice"]?.array?.first?["price"]?["taxIncludedAmount"]?["value"] == .double(29.95))
        #expect(try await program.send(.post, "quote", #"{"quoteItem":[{"id":"1"}],"quoteTotalPrice":[]}"#).code == "fixed")
    }

    @Test("it is approved, stands for thirty days, is accepted, and ordered once, at its prices")
    func ordered() async throws {
        let own = #"[{"name":"Special","priceType":"recurring","recurringChargePeriod":"month","price":{"taxIncludedAmount":{"unit":"EUR","value":19.5}}}]"#
        let made = try await quote(#"{"id":"1","action":"add","productOffering":{"id":"\#(desk.fibre)"},"quoteItemPrice":\#(own)}"#)
        let more = #","quote":[{"id":"\#(made.id)"}]"#
        let early = try await desk.order(desk.add("1"), more)
        #expect(early.status == 409 && early.code == "quote_not_accepted", "\(early.body)")
        let approved = try await lead(made.id, "pending", "approved")
        #expect(approved.body["validFor"]?["endDateTime"] == .string(desk.test.clock.now().adding(days: 30).iso8601))
        let late = try await program.patch("quote/\(made.id)", #"{"quoteItem":[{"id":"2"}]}"#)
        #expect(late.status == 409 && late.code == "quote_closed")
        let accepted = try await lead(made.id, "accepted")
        #expect(accepted.body["effectiveQuoteCompletionDate"] == .string(desk.test.clock.now().iso8601))
        let order = try await desk.order(desk.add("1"), more)
        #expect(order.status == 201 && order.body["productOrderItem"]?.array?.first?["itemPrice"]?.array?.first?["name"] == .string("Special"), "\(order.body)")
        let again = try await desk.order(desk.add("1"), more)
        #expect(again.status == 409 && again.message.contains(order.id), "\(again.body)")
        let done = try await desk.lead(order.id, "inProgress", "completed")
        let product = done.body["productOrderItem"]?.array?.first?["product"]?["id"]?.string ?? ""
        let price = try await program.get("product/\(product)").body["productPrice"]?.array?.first
        #expect(price?["price"]?["taxIncludedAmount"]?["value"] == .double(19.5), "the customer pays what was quoted")
        #expect(try await program.send(.delete, "quote/\(made.id)").code == "in_use")
        let other = try await program.send(
            .post, "productOrder", #"{"productOrderItem":[\#(desk.add("1"))],"relatedParty":[{"id":"12","@referredType":"Customer"}]\#(more)}"#)
        #expect(other.status == 409 && other.code == "other_customer")
        #expect(try await desk.order(desk.add("1"), #","quote":[{"id":"Q-of-another-system"}]"#).status == 201)
    }

    @Test("an approved quote ends with its time; the states are those of the specification")
    func expires() async throws {
        let made = try await quote(#"{"id":"1","productOffering":{"id":"\#(desk.fibre)"}}"#)
        try await lead(made.id, "approved")
        desk.test.clock.advance(days: 31)
        let late = try await program.patch("quote/\(made.id)", #"{"state":"accepted"}"#)
        #expect(late.status == 409 && late.code == "quote_expired", "\(late.body)")
        try await lead(made.id, "rejected")
        let back = try await program.patch("quote/\(made.id)", #"{"state":"inProgress"}"#)
        #expect(back.status == 409 && back.code == "illegal_transition")
        #expect(try await program.send(.delete, "quote/\(made.id)").status == 204)
        #expect(
            Quotes.states.next.sorted { $0.key < $1.key }.map { "\($0.key) -> \($0.value.joined(separator: ", "))" } == [
                "approved -> accepted, rejected, cancelled", "inProgress -> pending, approved, cancelled",
                "pending -> inProgress, approved, rejected, cancelled",
            ])
    }

    @Test("what was sent comes back whole, of quotes and agreements; lists are what the documents say")
    func whole() async throws {
        for number in 0..<3 {
            try await program.whole(
                "quote",
                #"{"externalId":"E\#(number)","category":"c","description":"d","version":"1","instantSyncQuote":true,"requestedQuoteCompletionDate":"2026-01-01T00:00:00Z","note":[{"id":"1","text":"t","date":"2026-01-01"}],"relatedParty":[{"id":"11","role":"customer","name":"Li","@referredType":"Customer"}],"authorization":[{"name":"a","state":"granted","givenDate":"2026-01-01T00:00:00Z","approver":[{"id":"9","@referredType":"Individual"}]}],"quoteItem":[{"id":"1","action":"add","state":"s","quantity":2,"product":{"id":"p","name":"x"},"productOffering":{"id":"o\#(number)","name":"n","href":"h"},"quoteItemPrice":[{"name":"n","price":{"taxIncludedAmount":{"unit":"JPY","value":12.5}},"y":1}],"note":[{"id":"1","text":"t"}]}]}"#)
            try await program.whole(
                "agreement",
                #"{"name":"A\#(number)","agreementType":"commercial\#(number)","description":"d","status":"approved\#(number)","version":"1","documentNumber":\#(number),"initialDate":"2026-01-01T00:00:00Z","statementOfIntent":"s","agreementPeriod":{"startDateTime":"2026-01-01T00:00:00+08:00","endDateTime":"2028-01-01T00:00:00Z"},"completionDate":{"startDateTime":"2026-01-01T00:00:00Z"},"agreementSpecification":{"id":"S\#(number)","name":"n","description":"d"},"engagedParty":[{"id":"11","role":"customer","name":"Li","@referredType":"Customer"}],"agreementItem":[{"product":[{"id":"p","name":"n","href":"h"}],"productOffering":[{"id":"o"}],"termOrCondition":[{"id":"t","description":"24 months","validFor":{"endDateTime":"2028-01-01T00:00:00Z"}}]},{"x":1}],"characteristic":[{"name":"c\#(number)","value":"v"},{"name":"n","value":5}],"agreementAuthorization":[{"state":"s","date":"2026-01-01T00:00:00Z"}]}"#)
            desk.test.clock.advance(seconds: 1)
        }
        _ = try await program.patch("quote/\(try await program.get("quote?externalId=E0").body.array?.first?["id"]?.string ?? "")", #"{"state":"pending"}"#)
        for resource in desk.module.resources where ["quote", "agreement"].contains(resource.name) { try await program.lists(resource) }
        let specification = try await program.post("agreementSpecification", #"{"name":"T","attachment":[{"url":"https://a.example/t.pdf"}]}"#)
        let made = try await program.post(
            "agreement",
            #"{"name":"B","agreementType":"c","agreementItem":[{}],"engagedParty":[{"id":"12","name":"n","@referredType":"Customer"}],"agreementSpecification":{"id":"\#(specification.id)"}}"#)
        let used = try await program.send(.delete, "agreementSpecification/\(specification.id)")
        #expect(used.status == 409 && used.message.contains(made.id), "\(used.body)")
        #expect(try await program.send(.delete, "agreement/\(made.id)").status == 204)
        #expect(try await program.send(.delete, "agreementSpecification/\(specification.id)").status == 204)
        let wrong = try await program.send(
            .post, "agreement",
            #"{"name":"A","agreementType":"c","agreementItem":[{}],"engagedParty":[{"id":"11","name":"n","@referredType":"Customer"}],"agreementPeriod":{"startDateTime":"2026-01-02T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"}}"#)
        #expect(wrong.code == "wrong_period")
        #expect(try await program.get("agreement?engagedParty.id=11").body.array?.count == 3)
    }
}
