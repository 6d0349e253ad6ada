import Foundation
import Kernel
import TestSupport
import Testing
import Web

/// The audit log is read by people: whatever the code can write there has words in both languages (`audit.tsv`).
@Suite("Words of the audit log")
struct AuditWordsTests {
    private static let code = #""([a-z_]+(?:\.[a-z_]+){2})""#

    /// The first argument of each `AuditEntry(`, as text.
    private func entries() -> [(file: String, expression: String)] {
        SourceTree.sources.flatMap { file in
            matches(#"(?s)AuditEntry\(\s*([^,)]*(?:\([^)]*\)[^,)]*)*)"#, in: file.text).compactMap { match in
                match.groups.first.map { (file.short, $0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            }
        }
    }

    /// Actions that are put together or handed on, and where their codes come from.
    private func others(_ expression: String) -> [String]? {
        switch expression {
        // The same event again, cut into pieces.
        case "entry.action": return []
        // `CustomerStore.Act(action:)` and its default.
        case "act.action":
            return SourceTree.sources.filter { $0.target == "Customers" }.flatMap { file in
                matches(#"action(?:: | = )"# + Self.code, in: file.text).compactMap(\.groups.first)
            }
        // `RecordKind(audit:)`.
        case "kind.audit":
            return SourceTree.sources.flatMap { file in
                matches(#"audit(?:: | = )"# + Self.code, in: file.text).compactMap(\.groups.first)
            }
        // `ImportService.Action`.
        case #""ingest.run.\(action.rawValue"#:
            guard let text = SourceTree.sources.first(where: { $0.short == "Ingest/ImportService.swift" })?.text,
                let body = matches(#"(?s)enum Action: String, Sendable \{(.*?)var "#, in: text).first?.groups.first
            else { return nil }
            let plain = matches(#"(?m)case ((?:\w+, )*\w+)$"#, in: body).compactMap(\.groups.first)
                .flatMap { $0.components(separatedBy: ", ") }
            let valued = matches(#"case \w+ = "(\w+)""#, in: body).compactMap(\.groups.first)
            return (plain + valued).map { "ingest.run." + $0 }
        default: return nil
        }
    }

    @Test("each action that can be recorded has a text in both languages")
    func actions() throws {
        let texts = try Texts(share: Checkout.share)
        var codes: Set<String> = []
        var findings: [String] = []
        for (file, expression) in entries() {
            if let known = others(expression) {
                if known.isEmpty && expression != "entry.action" {
                    findings.append("\(file): \(expression) gives none")
                }
                codes.formUnion(known)
                continue
            }
            let literals = matches(Self.code, in: expression).compactMap(\.groups.first)
            // The initialiser itself.
            if literals.isEmpty, !expression.hasPrefix("_ action") { findings.append("\(file): \(expression)") }
            codes.formUnion(literals)
        }
        #expect(findings.isEmpty, "actions this test does not understand: \(list(findings))")
        #expect(
            codes.count > 60 && codes.contains("ingest.run.dry_run") && codes.contains("customers.subscription.end"))
        let wordless = codes.filter { texts.words["audit.action." + $0] == nil }
        #expect(wordless.isEmpty, "without words: \(list(wordless.sorted()))")
        let named = texts.words.keys.filter { $0.hasPrefix("audit.action.") }.map { String($0.dropFirst(13)) }
        let idle = Set(named).subtracting(codes)
        #expect(idle.isEmpty, "words for what is never recorded: \(list(idle.sorted()))")
    }

    @Test("each kind of subject has a text in both languages")
    func kinds() throws {
        let texts = try Texts(share: Checkout.share)
        let kinds = Set(
            SourceTree.sources.flatMap { file in
                matches(#"(?:AuditSubject\(|\.init\()kind: "(\w+)""#, in: file.text).compactMap(\.groups.first)
            })
        #expect(kinds.contains("customer") && kinds.contains("saved_view"))
        let wordless = kinds.filter { texts.words["audit.kind." + $0] == nil }
        #expect(wordless.isEmpty, list(wordless.sorted()))
    }
}
