import Foundation
import TestSupport
import Testing

/// The checkout as text, read once.
enum SourceTree {
    /// Every Swift file of Sources.
    static let sources: [SwiftFile] = swiftFiles("Sources")
    static let tests: [SwiftFile] = swiftFiles("Tests")
    static let templates: [TextFile] = files("Sources", suffix: ".mustache")
    static let migrations: [TextFile] = files("Sources", suffix: ".sql")
    static let texts: [TextFile] = files("Sources", suffix: ".tsv")
    /// Targets that own tables and pages: one feature area each.
    static let domains: [String] = Set(
        sources.filter { $0.text.contains(": Module {") || $0.text.contains(": TMFModule {") }.map(\.target)
    ).subtracting(["Platform", "App", "TestSupport"]).sorted()

    static func files(_ folder: String, suffix: String) -> [TextFile] {
        let root = Checkout.root + "/" + folder
        guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
        return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.sorted().compactMap { name in
            (try? String(contentsOfFile: root + "/" + name, encoding: .utf8)).map {
                TextFile(path: folder + "/" + name, text: $0)
            }
        }
    }

    private static func swiftFiles(_ folder: String) -> [SwiftFile] {
        files(folder, suffix: ".swift").map(SwiftFile.init)
    }

    /// Markdown that people read.
    static let documents: [TextFile] =
        ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].compactMap { name in
            (try? String(contentsOfFile: Checkout.root + "/" + name, encoding: .utf8)).map {
                TextFile(path: name, text: $0)
            }
        } + files("docs", suffix: ".md") + files("Sources", suffix: "README.md")
}

struct TextFile: Sendable {
    /// From the root of the checkout: `Sources/Web/Gate.swift`.
    let path: String
    let text: String
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var name: String { path.split(separator: "/").last.map(String.init) ?? "" }

    /// `path:line` of each place where the pattern is found.
    func places(_ pattern: String) -> [String] {
        matches(pattern, in: text).map { "\(path):\(line(of: $0.range, in: text)) \($0.text.prefix(60))" }
    }
}

/// A Swift file taken apart into code and string literals; comments are gone.
struct SwiftFile: Sendable {
    struct Literal: Sendable {
        let line: Int
        /// The text with its escapes resolved; an interpolation is written `\(columns)` when it is a name, else `\()`.
        let text: String
        let isInterpolated: Bool
        /// The code before it on its line, as far as 60 characters.
        let before: String
    }

    let path: String
    let text: String
    /// The code with each literal as `""` and without comments; lines are where they were.
    let code: String
    let literals: [Literal]
    var target: String { TextFile(path: path, text: "").target }
    var name: String { TextFile(path: path, text: "").name }
    /// `Target/File.swift`, for lists of exceptions.
    var short: String { "\(target)/\(name)" }
    var isDialect: Bool { name.hasSuffix("+Dialect.swift") }

    init(_ file: TextFile) {
        path = file.path
        text = file.text
        var scanner = SwiftScanner(Array(file.text.utf8))
        scanner.code(until: nil)
        code = String(decoding: scanner.output, as: UTF8.self)
        literals = scanner.literals
    }

    func places(_ pattern: String) -> [String] {
        matches(pattern, in: code).map {
            "\(path):\(line(of: $0.range, in: code)) \($0.text.trimmingCharacters(in: .whitespacesAndNewlines).prefix(60))"
        }
    }

    /// Modules named by import lines.
    var imports: [String] {
        matches(
            #"(?m)^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:public |package |internal |private )?import (?:struct |class |enum |protocol |func |typealias )?([A-Za-z0-9_]+)"#,
            in: code
        )
        .compactMap { $0.groups.first }
    }
}

/// A lexer that knows comments, string literals of every kind, and interpolations in them.
private struct SwiftScanner {
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    var output: [UInt8] = []
    var literals: [SwiftFile.Literal] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        output.reserveCapacity(bytes.count)
    }

    private func peek(_ offset: Int = 0) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
    private func starts(_ text: StaticString, _ offset: Int = 0) -> Bool {
        let count = text.utf8CodeUnitCount
        guard at + offset + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[at + offset + $0] == text.utf8Start[$0] }
    }

    /// Reads code until the end or the bracket that closes an interpolation.
    mutating func code(until close: UInt8?) {
        var depth = 0
        while at < bytes.count {
            let byte = bytes[at]
            if starts("//") {
                while at < bytes.count, bytes[at] != 10 { at += 1 }
            } else if starts("/*") {
                comment()
            } else if byte == 34 || (byte == 35 && isRawString) {
                string()
            } else {
                if byte == 40 { depth += 1 }
                if byte == 41 {
                    if depth == 0, close != nil { return }
                    depth -= 1
                }
                if byte == 10 { line += 1 }
                output.append(byte)
                at += 1
            }
        }
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1; at += 2
            } else if starts("*/") {
                depth -= 1; at += 2
            } else {
                if bytes[at] == 10 { line += 1; output.append(10) }
                at += 1
            }
        } while depth > 0 && at < bytes.count
    }

    private var isRawString: Bool {
        var offset = 0
        while peek(offset) == 35 { offset += 1 }
        return peek(offset) == 34
    }

    private mutating func string() {
        let start = line
        let before = String(
            decoding: output.suffix(60).split(separator: 10, omittingEmptySubsequences: false).last ?? [], as: UTF8.self
        )
        var hashes = 0
        while peek() == 35 { hashes += 1; at += 1 }
        let isBlock = starts("\"\"\"")
        at += isBlock ? 3 : 1
        var content: [UInt8] = []
        var isInterpolated = false
        func ends() -> Bool {
            guard isBlock ? starts("\"\"\"") : peek() == 34 else { return false }
            return (0..<hashes).allSatisfy { peek((isBlock ? 3 : 1) + $0) == 35 }
        }
        let place = output.count
        output += [34, 34]
        while at < bytes.count, !ends() {
            if bytes[at] == 92, (0..<hashes).allSatisfy({ peek(1 + $0) == 35 }) {
                at += 1 + hashes
                switch peek() {
                case 40:
                    isInterpolated = true
                    at += 1
                    output.append(32)
                    let inner = output.count
                    code(until: 41)
                    let isName = output[inner...].allSatisfy {
                        (48...57).contains($0) || (65...90).contains($0 & 0xDF) || $0 == 46 || $0 == 95
                    }
                    content += Array("\\(".utf8) + (isName ? output[inner...] : []) + Array(")".utf8)
                    output.append(32)
                case 110: content.append(10)
                case 116: content.append(9)
                case 10: line += 1
                default: content.append(peek())
                }
                at += 1
                continue
            }
            if bytes[at] == 10 { line += 1 }
            content.append(bytes[at])
            at += 1
        }
        at += (isBlock ? 3 : 1) + hashes
        // Lines stay where they were.
        let newlines = output[place...].count { $0 == 10 }
        output += [UInt8](repeating: 10, count: max(0, line - start - newlines))
        literals.append(
            .init(
                line: start, text: String(decoding: content, as: UTF8.self), isInterpolated: isInterpolated,
                before: before))
    }
}

// MARK: Regular expressions

struct Match {
    let range: NSRange
    let text: String
    let groups: [String]
}

/// All matches of a pattern (ICU syntax).
func matches(_ pattern: String, in text: String) -> [Match] {
    guard let expression = try? NSRegularExpression(pattern: pattern) else {
        preconditionFailure("a broken pattern in a tidy test: \(pattern)")
    }
    let source = text as NSString
    return expression.matches(in: text, range: NSRange(location: 0, length: source.length)).map { found in
        Match(
            range: found.range, text: source.substring(with: found.range),
            groups: (1..<max(1, found.numberOfRanges)).compactMap { index in
                let range = found.range(at: index)
                return range.location == NSNotFound ? nil : source.substring(with: range)
            })
    }
}

func line(of range: NSRange, in text: String) -> Int {
    (text as NSString).substring(to: range.location).utf8.count { $0 == 10 } + 1
}

/// What a failing test prints.
func list(_ findings: [String]) -> Comment {
    Comment(rawValue: "\(findings.count):\n  " + findings.prefix(60).joined(separator: "\n  "))
}
