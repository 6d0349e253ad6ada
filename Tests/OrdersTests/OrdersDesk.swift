import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Catalog
@testable import Orders

/// Customers 11 and 12, the second of another region.
struct TwoCustomers: CustomerReading {
    static let ids = [CustomerID(11), CustomerID(12)]

    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] { [] }
    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable {
        CustomerTable(ids: [], columns: [], values: [], titles: [], left: [])
    }
    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        Set(ids).intersection(principal.scope.regions == nil ? Self.ids : [CustomerID(11)])
    }
    func customerCount(_ session: any SQLSession) throws -> Int { 2 }
}

/// A catalogue with something to sell, and who orders it.
struct OrdersDesk: Sendable {
    let program: ProgramDesk
    let module: OrdersModule
    /// `Launched`, with a price and a specification; another; one that is only planned.
    let fibre: String
    let tv: String
    let planned: String

    init() async throws {
        let test = try await TestTenant(["Catalog", "Orders"])
        let schemas = TMFSchemas(share: Checkout.share)
        let catalog = try CatalogModule(
            schemas: schemas, hold: CatalogHold { try OrdersModule.users(ofOffering: $0, $1) },
            specifications: CatalogHold { try OrdersModule.users(ofSpecification: $0, $1) })
        module = try OrdersModule(customers: TwoCustomers(), catalog: CatalogReader(), schemas: schemas)
        program = try ProgramDesk(test, catalog.resources + module.resources)
        let price = try await program.post(
            "productOfferingPrice",
            #"{"name":"Monthly","priceType":"recurring","price":{"unit":"EUR","value":29.95},"recurringChargePeriodType":"month","recurringChargePeriodLength":1}"#)
        fibre = try await program.post(
            "productOffering",
            #"{"name":"Fibre 100","lifecycleStatus":"Launched","productSpecification":{"id":"77","name":"Fibre line"},"productOfferingPrice":[{"id":"\#(price.id)"}]}"#
        ).id
        tv = try await program.post("productOffering", #"{"name":"TV","lifecycleStatus":"Active"}"#).id
        planned = try await program.post("productOffering", #"{"name":"Fibre 900"}"#).id
    }

    var test: TestTenant { program.test }

    static let customer = #""relatedParty":[{"id":"11","role":"customer","@referredType":"Customer"}]"#

    /// An order of customer 11.
    func order(_ items: String, _ more: String = "") async throws -> ProgramDesk.Answer {
        try await program.send(.post, "productOrder", "{\"productOrderItem\":[\(items)],\(Self.customer)\(more)}")
    }

    func add(_ id: String, _ offering: String? = nil, _ more: String = "") -> String {
        #"{"id":"\#(id)","action":"add","productOffering":{"id":"\#(offering ?? fibre)"}\#(more)}"#
    }

    /// Leads an order on; every step must be allowed.
    @discardableResult
    func lead(_ order: String, _ states: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> ProgramDesk.Answer {
        var answer: ProgramDesk.Answer?
        for state in states {
            answer = try await program.patch("productOrder/\(order)", #"{"state":"\#(state)"}"#)
            #expect(answer?.status == 200, "\(state): \(answer?.message ?? "")", sourceLocation: sourceLocation)
        }
        return try #require(answer)
    }

    /// Leads single items on.
    func lead(_ order: String, items: [String: String]) async throws -> ProgramDesk.Answer {
        let now = try await program.get("productOrder/\(order)").body["productOrderItem"]?.array ?? []
        let list = now.map { item -> JSONValue in
            var item = item.object ?? [:]
            if let state = items[item["id"]?.string ?? ""] { item["state"] = .string(state) }
            return .object(item)
        }
        return try await program.patch("productOrder/\(order)", JSONValue.object(["productOrderItem": .array(list)]).encoded())
    }

    func states(_ answer: ProgramDesk.Answer) -> [String] {
        [answer.body["state"]?.string ?? ""] + (answer.body["productOrderItem"]?.array ?? []).map { $0["state"]?.string ?? "" }
    }

    func count(_ sql: SQL) async throws -> Int { try await test.tenant.database.read { try $0.count(sql) } }
}
