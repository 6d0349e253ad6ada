import Foundation
import TestSupport
import Testing

/// What reviewers would say again and again.
@Suite("Code")
struct CodeTests {
    /// Files where a rule does not hold, with the reason.
    private func findings(_ pattern: String, except: Set<String> = [], targets: Set<String> = ["TestSupport"])
        -> [String]
    {
        SourceTree.sources.filter { !except.contains($0.short) && !targets.contains($0.target) }.flatMap {
            $0.places(pattern)
        }
    }

    @Test("the lexer of these tests tells code from texts and comments")
    func lexer() {
        let quotes = "\"\"\""
        let source = """
            let a = "try! \\(f("x y") + "z") //" // try! here
            /* as! /* nested */ fatalError */ let b = #"a\\n"b"# + "tab\\t"
            let c = \(quotes)
              SELECT 1
              FROM "t"
              \(quotes); call(text("key"))
            """
        let file = SwiftFile(TextFile(path: "Sources/X/y.swift", text: source))
        #expect(
            !file.code.contains("try!") && !file.code.contains("as!") && !file.code.contains("SELECT")
                && !file.code.contains("fatalError"))
        #expect(file.code.contains("f(") && file.code.contains("let b") && file.code.contains("call("))
        #expect(Set(file.literals.map(\.text)).isSuperset(of: ["x y", "z", #"a\n"b"#, "tab\t", "key"]))
        #expect(file.literals.first { $0.text == "key" }?.before.hasSuffix("call(text(") == true)
        #expect(file.literals.first { $0.text.contains("SELECT") }?.line == 3)
        #expect(file.literals.contains { $0.isInterpolated && $0.text == #"try! \() //"# })
        #expect(file.code.utf8.count { $0 == 10 } == 5)
    }

    @Test("nothing in Sources brings the process down on purpose")
    func crashes() {
        let findings = findings(
            #"\btry!|\bas!|\bfatalError\(|\bpreconditionFailure\(|\babort\(\)|\bexit\((?!code)|\bunowned\(unsafe\)|\bunsafeBitCast\b|unchecked: "#
        )
        .filter { !$0.hasPrefix("Sources/switchboard/") || !$0.contains("exit(") }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("no value is unwrapped by force, header names written as literals apart")
    func forcedUnwraps() {
        let findings = findings(#"(?<!\.init\(""\)|Name\(""\))(?<=[A-Za-z0-9_\)\]"])!(?![=\w"])"#).filter {
            !$0.contains("import")
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("what is printed is printed by the commands; all else is logged")
    func printing() {
        let findings = findings(#"\b(print|debugPrint|dump|NSLog)\("#, targets: ["TestSupport", "switchboard"])
        #expect(findings.isEmpty, list(findings))
    }

    @Test("time comes from the clock that was handed in")
    func clocks() {
        let findings = findings(
            #"\bDate\(\)|\bDate\.now\b|\bDate\(timeIntervalSinceNow|(?<!WallClock = )\bSystemClock\(\)|\btime\(nil\)|\bclock_gettime\("#,
            except: ["Kernel/Time.swift"],
            targets: ["TestSupport", "switchboard", "App"])
        #expect(findings.isEmpty, list(findings))
    }

    @Test("no thread of the cooperative pool is blocked and no task is left alone on purpose")
    func blocking() {
        let findings = findings(
            #"\bThread\.sleep|\busleep\(|(?<![\w.])sleep\(\d|\bDispatchQueue\.main|\bRunLoop\b|\bTask\.detached\b"#,
            // `blocking` is for callers that block their own thread.
            except: ["StoragePostgres/PostgresDatabase.swift"], targets: ["TestSupport", "switchboard"])
        #expect(findings.isEmpty, list(findings))
    }

    @Test("nothing is left to be done later without an issue")
    func leftovers() {
        let findings =
            (SourceTree.sources.map { TextFile(path: $0.path, text: $0.text) } + SourceTree.templates
            + SourceTree.migrations)
            .flatMap { $0.places(#"\b(TODO|FIXME|XXX|HACK)\b"#) }
            + SourceTree.sources.filter { $0.name == "Stub.swift" }.map(\.path)
        #expect(findings.isEmpty, list(findings))
    }

    @Test("source files are up to 450 lines, lines up to 140 characters")
    func sizes() {
        var findings: [String] = []
        for file in SourceTree.sources {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.count > 451 { findings.append("\(file.path) has \(lines.count - 1) lines") }
            // The code is measured without its texts: a sentence is not broken for the width of a screen.
            for (number, line) in file.code.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where line.count > 140 {
                findings.append("\(file.path):\(number + 1) has \(line.count) characters of code")
            }
            for (number, line) in lines.enumerated() where line.utf8.count > 140 && line.count > 140 {
                if line.drop(while: { $0 == " " }).hasPrefix("//") {
                    findings.append("\(file.path):\(number + 1) is a long comment")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("tests are sentences, with no sleeping through a race")
    func testNames() {
        var findings: [String] = []
        for file in SourceTree.tests {
            findings += file.places(#"@Test(?!\()"#).map { $0 + " (a sentence is missing)" }
            findings += file.places(#"@Test\(\s*(?!"")\w"#).map { $0 + " (a sentence is missing)" }
        }
        #expect(findings.isEmpty, list(findings))
    }
}
