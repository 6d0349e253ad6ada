import Foundation
import TestSupport
import Testing

/// What the documents say can be done.
@Suite("Documents")
struct DocumentTests {
    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: Checkout.root + "/" + path) }

    @Test("every bin/ command a document names is there and can be run")
    func commands() {
        var findings: [String] = []
        var named: Set<String> = []
        for file in SourceTree.documents {
            for found in matches(#"(?<![\w./-])bin/([a-z][a-z-]*)(\.sh)?"#, in: file.text) {
                let path = "bin/" + found.groups.joined()
                named.insert(path)
                if !FileManager.default.isExecutableFile(atPath: Checkout.root + "/" + path), !path.hasSuffix(".sh") {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) \(path)")
                }
            }
        }
        #expect(named.isSuperset(of: ["bin/run", "bin/test"]))
        #expect(findings.isEmpty, list(findings))
    }

    /// The commands of the product.
    static var commandNames: Set<String> {
        let literals = SourceTree.sources.filter { $0.target == "switchboard" }
        var known = Set(
            literals.flatMap { file in
                file.literals.filter { !matches(#"commandName: $"#, in: $0.before).isEmpty }.map(\.text)
            })
        // A command without a name of its own is called as its type.
        for file in literals {
            known.formUnion(
                matches(#"struct (\w+): (?:Async)?ParsableCommand"#, in: file.code).compactMap {
                    $0.groups.first?.lowercased()
                })
        }
        return known.union(["help"])
    }

    @Test("every switchboard command a document names exists")
    func subcommands() {
        let known = Self.commandNames
        var findings: [String] = []
        for file in SourceTree.documents {
            for found in matches(#"(?m)(?:`|^\s*\$?\s*|/)switchboard ((?:[a-z]+)(?: [a-z]+)?)"#, in: file.text) {
                let words = found.groups[0].split(separator: " ").map(String.init)
                if let first = words.first, !known.contains(first) {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) switchboard \(first)")
                }
            }
        }
        #expect(known.isSuperset(of: ["serve", "import", "seed"]))
        #expect(findings.isEmpty, list(findings))
    }

    @Test("files that documents lead to are there")
    func links() {
        var findings: [String] = []
        for file in SourceTree.documents {
            let folder =
                file.path.contains("/")
                ? String(file.path.prefix(upTo: file.path.lastIndex(of: "/") ?? file.path.endIndex)) + "/" : ""
            for found in matches(#"\]\(([^)#\s]+)(?:#[^)]*)?\)"#, in: file.text) {
                let target = found.groups[0]
                if target.contains("://") || target.hasPrefix("mailto:") { continue }
                if !exists(folder + target), !exists(target) {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) \(target)")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("commands in bin say what they do")
    func help() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Checkout.root + "/bin").filter {
            !$0.hasSuffix(".sh")
        }
        #expect(Set(names).isSuperset(of: ["run", "setup", "test", "test-fast", "fmt", "bench"]))
        for name in names {
            let text = try String(contentsOfFile: Checkout.root + "/bin/" + name, encoding: .utf8)
            #expect(text.contains("--help"), "bin/\(name)")
            #expect(FileManager.default.isExecutableFile(atPath: Checkout.root + "/bin/" + name), "bin/\(name)")
        }
        #expect(exists(".ci/run"))
    }

    @Test("both READMEs have the same parts")
    func readmes() throws {
        func headings(_ name: String) throws -> Int {
            matches(#"(?m)^##+ "#, in: try String(contentsOfFile: Checkout.root + "/" + name, encoding: .utf8)).count
        }
        #expect(try headings("README.md") == headings("README.zh-CN.md"))
    }
}
