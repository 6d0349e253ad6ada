import App
import Foundation
import Logging
import TestSupport
import Testing
import Web

/// Every route that changes something, and what it asks of its caller (G70, ADR 0014).
@Suite("Effects of routes")
struct EffectTests {
    private static let path = Checkout.root + "/Tests/TidyTests/effects.tsv"

    @Test("each route that changes something is in effects.tsv with what it asks for; SWITCHBOARD_RECORD=1 writes it anew")
    func listed() throws {
        var configuration = Configuration()
        configuration.data = NSTemporaryDirectory() + "switchboard-effects-" + UUID().uuidString
        configuration.share = Checkout.share.root
        defer { try? FileManager.default.removeItem(atPath: configuration.data) }
        let runtime = try Runtime(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let lines = runtime.routes.compactMap { route in route.effect.map { "\(route.name)\t\($0.name)" } }.sorted()
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try (lines.joined(separator: "\n") + "\n").write(toFile: Self.path, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOfFile: Self.path, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines == golden, list(Set(lines).symmetricDifference(golden).sorted()))
    }

    @Test("a route that changes something and says nothing else asks for key and version")
    func denied() {
        let route = Route(.post, "/x", .authenticated, trace: .change) { _ in .text("") }
        #expect(route.effect == .overwrites && route.effect?.key == .required && route.effect?.version == .required)
        #expect(Route(.post, "/x", .authenticated, trace: .view) { _ in .text("") }.effect == nil)
        #expect(Route.Effect.asSent.key == .optional && Route.Effect.asSent.version == .optional)
    }

    @Test("a form of a record that is overwritten carries the version it was rendered from")
    func forms() throws {
        let overwriting = try String(contentsOfFile: Self.path, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasSuffix("\toverwrites") }
            .compactMap { $0.split(separator: "\t").first?.split(separator: " ").last.map(String.init) }
        var findings: [String] = []
        var seen = 0
        for file in SourceTree.templates {
            for form in matches(#"(?s)<form\b([^>]*)>(.*?)</form>"#, in: file.text) {
                let action = matches(#"action="([^"]*)""#, in: form.groups[0]).first?.groups.first ?? ""
                let shape = action.replacingOccurrences(of: #"\{\{\w+\}\}"#, with: "{}", options: .regularExpression)
                let isOverwriting = overwriting.contains {
                    $0.replacingOccurrences(of: #"\{\w+\}"#, with: "{}", options: .regularExpression) == shape
                }
                guard isOverwriting else { continue }
                seen += 1
                if !form.groups[1].contains(#"name="revision" value="{{revision}}""#) {
                    findings.append("\(file.path): \(action)")
                }
            }
        }
        #expect(seen >= 7 && findings.isEmpty, list(findings))
    }
}
