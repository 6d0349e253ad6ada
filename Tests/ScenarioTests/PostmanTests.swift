import App
import Foundation
import Kernel
import TMF
import TestSupport
import Testing
import Web

/// Whoever opens the collection finds requests that work.
@Suite("The collection for Postman")
struct PostmanTests {
    @Test("run from top to bottom against a fresh base, every request of docs/postman.json succeeds as it stands there")
    func works() async throws {
        let world = try await ContractWorld(customers: 10)
        let text = try String(contentsOfFile: Checkout.root + "/docs/postman.json", encoding: .utf8)
        let collection = try JSONValue.parse([UInt8](text.utf8))
        var known: [String: String] = ["baseUrl": "", "$isoTimestamp": world.scenario.clock.now().iso8601]
        func filled(_ text: String) -> String {
            known.reduce(text) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value) }
        }
        let folders = (collection["item"]?.array ?? []).dropFirst()
        var count = 0
        for item in folders.flatMap({ $0["item"]?.array ?? [$0] }) {
            let request = try #require(item["request"])
            let name = item["name"]?.string ?? ""
            let method = try #require(request["method"]?.string)
            let url = request["url"]
            let id = filled(url?["variable"]?.array?.first?["value"]?.string ?? "")
            let path = "/" + (url?["path"]?.array ?? []).map { $0.string == ":id" ? id : $0.string ?? "" }.joined(separator: "/")
            let type = request["header"]?.array?.first { $0["key"] == "Content-Type" }?["value"]?.string ?? "application/json"
            let body = (request["body"]?["raw"]?.string).map(filled)
            let answer = try world.send(method, path, text: body, type: type)
            let expected = method == "POST" ? [201] : method == "DELETE" ? [204] : [200, 206]
            #expect(expected.contains(answer.status), "\(name) \(path): \(answer.status) \(answer.text.prefix(400)) for \(body ?? "")")
            count += 1
            guard let script = item["event"]?.array?.first?["script"]?["exec"]?.array?.first?.string,
                let variable = script.firstMatch(of: /set\('(\w+)'/).map({ String($0.1) })
            else { continue }
            known[variable] = (script.contains("[0]") ? answer.items.first?["id"]?.string : answer.id) ?? ""
            #expect(known[variable]?.isEmpty == false, "\(name)")
        }
        #expect(count > 100, "\(count)")
    }
}
