import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What is said of the interface to programs is what its routes are.
@Suite("The description of the interface")
struct InterfaceTests {
    private func resources() throws -> [TMFResource] {
        try Modules(share: Checkout.share, clock: FrozenClock(), passwordProfile: Configuration().passwordProfile).resources
    }

    private func references(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let fields):
            fields.flatMap { name, inside in name == "$ref" ? [inside.string ?? ""] : references(inside) }
        case .array(let items): items.flatMap(references)
        default: []
        }
    }

    @Test("openapi.json has a path for every route of a resource, names every scope, and each reference leads somewhere")
    func description() async throws {
        let database = try await MigratedDatabase()
        let resources = try resources()
        let document = TMFOpenAPI(resources, version: "test", origin: "http://x").document(database.owner)
        let paths = try #require(document["paths"]?.object)
        let next = resources.compactMap(\.version5)
        #expect(next.map(\.api.number).sorted() == [621, 629, 632, 632])
        for resource in resources + next {
            for verb in resource.verbs {
                let isOne = verb != .list && verb != .create
                let method = switch verb {
                case .list, .read: "get"
                case .create: "post"
                case .change: "patch"
                case .remove: "delete"
                }
                let operation = paths[resource.path + (isOne ? "/{id}" : "")]?[method]
                #expect(operation?["security"]?.array?.first?["oauth2"]?.array?.count == 1, "\(method) \(resource.path)")
            }
        }
        for api in Set(resources.map(\.api.base)) {
            #expect(paths[api + "/hub"]?["post"]?["callbacks"] != nil && paths[api + "/hub"]?["get"] != nil, "\(api)")
            #expect(paths[api + "/hub/{id}"]?["get"] != nil && paths[api + "/hub/{id}"]?["delete"] != nil, "\(api)")
        }
        for reference in Set(references(document)) {
            var place = document
            for name in reference.split(separator: "/").dropFirst() { place = place[String(name)] ?? .null }
            #expect(place != .null, "\(reference)")
        }
        let ids = paths.values.flatMap { ($0.object ?? [:]).values.compactMap { $0["operationId"]?.string } }
        #expect(Set(ids).count == ids.count)
    }

    @Test("docs/postman.json is the collection of these routes; SWITCHBOARD_RECORD=1 writes it anew")
    func postman() throws {
        let text = TMFPostman(try resources(), bodies: try ProgramExamples.bodies()).document.encoded() + "\n"
        let path = Checkout.root + "/docs/postman.json"
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }
}
