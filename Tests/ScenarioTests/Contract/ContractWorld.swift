import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// The product with a small base, and a client that may do everything in the interface.
struct ContractWorld: Sendable {
    let scenario: Scenario
    private let token: String
    /// Some customers, the first ones of the base.
    let customers: [CustomerID]

    struct Answer {
        let status: Int
        let body: JSONValue
        let text: String
        let raw: RawHTTP.Answer
        func header(_ name: String) -> String? { raw.header(name.lowercased()) }
        var items: [JSONValue] { body.array ?? [] }
        var id: String { body["id"]?.string ?? "" }
        var code: String { body["code"]?.string ?? "" }
    }

    private let host: String?

    init(customers count: Int = 30) async throws {
        try await self.init(try await Scenario.start(customers: count))
    }

    /// - Parameter place: another tenant and the host name it is reached by.
    init(_ scenario: Scenario, at place: (tenant: Tenant, host: String)? = nil) async throws {
        self.scenario = scenario
        host = place?.host
        token = try await Self.token(
            scenario, "contract-" + UUID().uuidString.lowercased().prefix(8), scopes: scenario.runtime.modules.resources.map(\.api), at: place)
        customers = try await (place?.tenant ?? scenario.tenant).database.read { session in
            try session.query("SELECT id FROM customers_customer ORDER BY id LIMIT 10") { $0.id(0, PartyKind.self) }
        }
    }

    /// A token with both scopes of these interfaces.
    static func token(
        _ scenario: Scenario, _ name: String, scopes apis: [TMFAPI], regions: [String]? = nil, at place: (tenant: Tenant, host: String)? = nil
    ) async throws -> String {
        let known = Set(scenario.runtime.modules.scopes.map(\.name))
        let scopes = Set(apis.flatMap { [$0.readScope, $0.writeScope] }).intersection(known)
        let made = try await scenario.runtime.modules.clients.create(
            name: name, scopes: scopes.sorted(), days: 30, rate: 10_000, regions: regions, place?.tenant ?? scenario.tenant)
        let answer = try scenario.http.send(
            "POST", "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("grant_type=client_credentials&client_id=\(made.id)&client_secret=\(made.secret)".utf8), host: place?.host)
        return try #require(try JSONValue.parse(answer.body)["access_token"]?.string, "\(answer.text)")
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, text: String? = nil, type: String = "application/json",
        _ headers: [(String, String)] = [], token other: String? = nil
    ) throws -> Answer {
        let accept = headers.contains { $0.0 == "Accept" } ? [] : [("Accept", "application/json")]
        var all = [("Authorization", "Bearer " + (other ?? token))] + accept + headers
        let text = body?.encoded() ?? text
        if text != nil { all.append(("Content-Type", type)) }
        let raw = try scenario.http.send(method, path, headers: all, body: text.map { Array($0.utf8) } ?? [], host: host)
        return Answer(
            status: raw.status, body: (try? JSONValue.parse(raw.body)) ?? .null, text: raw.text, raw: raw)
    }

    /// In a query string.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

/// How the contract makes one of a resource, and what it changes in it.
struct Sample: Sendable {
    /// Its name in the address.
    let resource: String
    /// A body with everything that a client may say, arrays with two elements where they may have them.
    let body: @Sendable (ContractWorld, inout SampleContext) throws -> JSONObject
    /// A merge patch that is allowed at once.
    let change: JSONObject
    /// A state that may not follow the first one.
    let illegal: String?

    init(
        _ resource: String, change: JSONObject, illegal: String? = nil,
        body: @escaping @Sendable (ContractWorld, inout SampleContext) throws -> JSONObject
    ) {
        self.resource = resource
        self.change = Self.addressed(.object(change)).object ?? [:]
        self.illegal = illegal
        self.body = { world, context in Self.addressed(.object(try body(world, &context))).object ?? [:] }
    }

    /// Attributes that refer to what is ours, unless it has an address elsewhere.
    private static let references: Set<String> = [
        "account", "agreement", "agreementSpecification", "billingAccount", "bundledPopRelationship", "bundledProductOffering",
        "bundledProductSpecification", "category", "partyAccount", "partyPrivacyProfile", "partyPrivacyProfileSpecification", "party",
        "popRelationship", "product", "productOffering", "productOfferingPrice", "productOfferingRelationship", "productSpecification",
        "productSpecificationRelationship", "quote", "relatedEntity", "relatedParty", "engagedParty", "subCategory",
    ]

    /// What samples name by ids that are none of ours lies in another system.
    private static func addressed(_ value: JSONValue, as name: String = "") -> JSONValue {
        switch value {
        case .array(let items): return .array(items.map { addressed($0, as: name) })
        case .object(let fields):
            var result: JSONObject = [:]
            for (key, inner) in fields { result[key] = addressed(inner, as: key) }
            if references.contains(name), let id = fields["id"]?.string, Int64(id).map({ $0 < 1_000_000 }) ?? true,
                fields["href"]?.string?.hasPrefix("http") != true
            {
                result["href"] = .string("https://other.example/\(name)/\(id)")
            }
            return .object(result)
        default: return value
        }
    }
}

/// What samples need of one another: documents that were made before, by resource.
struct SampleContext {
    var made: [String: String] = [:]
    var number = 0
    /// Products are no lines then: a line is one of its customer's, and changes that too.
    var withoutLines = false

    /// The id of a document of another resource, made once.
    mutating func id(of resource: String, _ world: ContractWorld) throws -> String {
        if let known = made[resource] { return known }
        let answer = try Contract.make(resource, world, &self)
        try #require(answer.status == 201, "\(resource): \(answer.text)")
        made[resource] = answer.id
        return answer.id
    }
}
