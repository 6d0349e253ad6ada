import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import TMF
@testable import Web

/// Sends to the routes of resources as a program would, without a server.
struct ProgramDesk: Sendable {
    struct Answer: Sendable {
        let status: Int
        /// Of an error its code and its message.
        let body: JSONValue
        let headers: HTTPFields
        var id: String { body["id"]?.string ?? "" }
        var code: String { body["code"]?.string ?? "" }
        var message: String { body["message"]?.string ?? "" }
    }

    let test: TestTenant
    let permissions: [Permission]
    private let table: RouteTable
    private let bases: [String: String]

    init(_ test: TestTenant, _ resources: [TMFResource]) throws {
        self.test = test
        permissions =
            [Masking.seeNames, Masking.seeContacts, Masking.seeIdentity, Masking.seeUnlabelled]
            + resources.flatMap { [$0.view, $0.edit] }
        let site = SiteInfo(
            pages: try Pages(share: Checkout.share), assets: "", navigation: [], permissions: [], version: "test")
        let tenant = test.tenant
        table = RouteTable(resources.flatMap(\.endpoints).map { $0.route(tenants: { _ in tenant }, site: site) })
        bases = Dictionary(resources.map { ($0.name, $0.api.base) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter path: `productOffering/5?fields=name`.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, as principal: Principal? = nil,
        kind: String = "application/json"
    ) async throws -> Answer {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let name = parts[0].split(separator: "/").first.map(String.init) ?? ""
        let address = "\(bases[name] ?? "")/\(parts[0])"
        guard case .route(let route, let parameters) = table.match(method, path: address) else {
            return Answer(status: 405, body: .null, headers: [:])
        }
        var fields = HTTPFields()
        if body != nil { fields[.contentType] = kind }
        do {
            let answer = try await route.handler(
                WebRequest(
                    method: method, path: address, query: try Form.parse(parts.count > 1 ? parts[1] : ""), headers: fields,
                    parameters: parameters, tenant: "default", requestID: "r", address: "127.0.0.1", language: .en, theme: "auto",
                    session: SessionState(
                        principal: principal ?? TestTenant.principal(permissions), language: nil, theme: nil),
                    csrfToken: "c", cookieToken: "c", nonce: "n", purpose: route.purpose,
                    body: try body.map { .json(try JSONValue.parse([UInt8]($0.utf8))) } ?? .none))
            let content = answer.content ?? ""
            return Answer(
                status: answer.status.code, body: content.isEmpty ? .null : try JSONValue.parse([UInt8](content.utf8)),
                headers: answer.headers)
        } catch let error as CRMError {
            return Answer(
                status: error.status, body: .object(["code": .string(error.code), "message": .string(error.message.en)]), headers: [:])
        }
    }

    func post(_ name: String, _ body: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Answer {
        let answer = try await send(.post, name, body)
        #expect(answer.status == 201, "\(answer.body)", sourceLocation: sourceLocation)
        return answer
    }

    func patch(_ path: String, _ body: String) async throws -> Answer { try await send(.patch, path, body) }
    func get(_ path: String) async throws -> Answer { try await send(.get, path) }

    /// What was sent comes back, and the same when it is read: every attribute of it, at any depth of objects.
    func whole(_ name: String, _ body: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let made = try await post(name, body, sourceLocation: sourceLocation)
        let read = try await get("\(name)/\(made.id)")
        #expect(read.body == made.body, sourceLocation: sourceLocation)
        for (attribute, value) in try JSONValue.parse([UInt8](body.utf8)).object ?? [:] {
            #expect(read.body[attribute] == value, "\(name).\(attribute)", sourceLocation: sourceLocation)
        }
    }

    /// Each list by a column gives what looking through all documents gives.
    func lists(_ resource: TMFResource, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let store = resource.store(test.tenant)
        let all = try await get("\(resource.name)?limit=1000").body.array ?? []
        #expect(all.count > 1, sourceLocation: sourceLocation)
        for column in store.table.columns {
            let values = Set(all.flatMap { column.path.values(in: $0.object ?? [:]).map(TMFMatch.text) })
            #expect(!values.isEmpty, "\(resource.name): nothing has \(column.path)", sourceLocation: sourceLocation)
            for value in values.sorted().prefix(4) {
                for (sign, isEqual) in [("", true), (".ne", false)] {
                    let escaped = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                    let found = try await get("\(resource.name)?\(column.path)\(sign)=\"\(escaped)\"&limit=1000").body.array
                    let expected = all.filter {
                        column.path.values(in: $0.object ?? [:]).map(TMFMatch.text).contains(value) == isEqual
                    }
                    #expect(
                        found.map { Set($0.compactMap { $0["id"]?.string }) } == Set(expected.compactMap { $0["id"]?.string }),
                        "\(resource.name)?\(column.path)\(sign)=\(value)", sourceLocation: sourceLocation)
                }
            }
            guard column.sorts else { continue }
            let sorted = try await get("\(resource.name)?sort=-\(column.path)&limit=1000").body.array ?? []
            let texts = sorted.map { column.path.values(in: $0.object ?? [:]).first.map(TMFMatch.text) ?? "" }
            #expect(texts == texts.sorted(by: >), "\(resource.name) by \(column.path)", sourceLocation: sourceLocation)
        }
    }
}
