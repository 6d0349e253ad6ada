import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("The document about the hub")
struct HubDocumentTests {
    private static func examples(_ language: String) throws -> [String] {
        let text = try String(contentsOfFile: Checkout.root + "/docs/api-hub.md", encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }

    private func run(_ tool: String, _ arguments: [String], _ environment: [String: String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { first, _ in first }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("its two checkers take a signed event for good, and a changed body, another secret and an old one for bad")
    func checkers() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let secret = try await world.subscribe().secret
        _ = try await world.make(#"{"name":"签名/é"}"#)
        try await world.drain()
        let request = try #require(world.server.asked.first)
        func header(_ name: String) -> String { request.headers["webhook-" + name] ?? "" }
        let (good, changed) = (world.test.folder + "/good", world.test.folder + "/changed")
        try Data(request.body).write(to: URL(fileURLWithPath: good))
        try Data(request.body + [32]).write(to: URL(fileURLWithPath: changed))
        let other = "whsec_" + Data(repeating: 1, count: 32).base64EncodedString()
        let shell = try #require(try Self.examples("sh").last)
        let python = try #require(try Self.examples("python").first)
        for (file, key, expected) in [(good, secret, true), (changed, secret, false), (good, other, false)] {
            let said = try run(
                "/bin/sh", ["-c", shell],
                [
                    "ID": header("id"), "TIMESTAMP": header("timestamp"), "SIGNATURE": header("signature"), "BODY": file, "SECRET": key,
                ])
            #expect(said == (expected ? "good" : "bad"))
            for (late, isFresh) in [(0, true), (1_000, false)] {
                let call = """

                    import sys
                    a = sys.argv
                    headers = {"webhook-id": a[2], "webhook-timestamp": a[3], "webhook-signature": a[4]}
                    print(is_ours(a[1], headers, open(a[5], "rb").read(), int(a[3]) + \(late)))
                    """
                let answer = try run(
                    "/usr/bin/python3", ["-c", python + call, key, header("id"), header("timestamp"), header("signature"), file], [:])
                #expect(answer == (expected && isFresh ? "True" : "False"))
            }
        }
    }

    @Test("its example of a body has the names that bodies have")
    func body() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        let example = try JSONValue.parse(Array(try #require(try Self.examples("json").first).utf8))
        #expect(example.object?.keys.sorted() == (try world.told().first?.object?.keys.sorted()))
    }
}
