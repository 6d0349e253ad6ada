import Foundation
import Kernel
import Synchronization

/// What a template shows: plain values by name. A name that no template context knows is recorded as missed, and tests
/// fail on it.
///
/// A list that is searched from its end, so that what is set later counts: views are small, and hashing their names cost
/// more than anything else a page does with them.
package struct View: Sendable, ExpressibleByDictionaryLiteral {
    private var fields: [(String, ViewValue)]

    package init(_ fields: [String: ViewValue] = [:]) { self.fields = fields.map { ($0.key, $0.value) } }
    package init(dictionaryLiteral elements: (String, ViewValue)...) { fields = elements }

    package subscript(name: String) -> ViewValue? {
        get {
            var place = fields.count
            while place > 0 {
                place -= 1
                if fields[place].0 == name { return fields[place].1 }
            }
            return nil
        }
        set {
            if let newValue {
                fields.append((name, newValue))
            } else {
                fields.removeAll { $0.0 == name }
            }
        }
    }

    /// These fields over those of `other`.
    package func merging(_ other: View) -> View {
        var merged = other
        merged.fields += fields
        return merged
    }
}

/// A value in a `View`. Numbers are formatted before they get here.
package enum ViewValue: Sendable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringInterpolation
{
    case text(String)
    case int(Int)
    case bool(Bool)
    case view(View)
    case list([View])
    case texts([String])
    /// Known and empty: renders as nothing, its section is skipped.
    case absent

    package init(stringLiteral value: String) { self = .text(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .int(value) }

    /// A text, or `absent` for `nil` and the empty text.
    package static func text(_ text: String?) -> ViewValue {
        guard let text, !text.isEmpty else { return .absent }
        return .text(text)
    }
}

/// Names that templates asked for and no view had.
package enum TemplateMisses {
    private static let names = Mutex<Set<String>>([])
    static func note(_ name: String) { names.withLock { _ = $0.insert(name) } }
    /// Takes out a name that a test of this very mechanism left.
    package static func forget(_ name: String) { names.withLock { _ = $0.remove(name) } }
    package static var all: [String] { names.withLock { $0.sorted() } }
}

/// The texts of the product in both languages: `Texts/*.tsv` of every target, lines `key<TAB>English<TAB>中文`.
package struct Texts: Sendable {
    package let words: [String: Words]

    /// - Throws: `CRMError` for a line that has not three columns or a key given twice.
    package init(share: ShareFolder) throws {
        var words: [String: Words] = [:]
        for target in share.targets() {
            for file in share.names(target, "Texts", suffix: ".tsv") {
                let text = try share.text(target, "Texts", file)
                for (number, line) in TabbedLines(text).enumerated() {
                    if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
                    let cells = TabbedLines.cells(line)
                    guard cells.count == 3, cells.allSatisfy({ !$0.isEmpty }), words[cells[0]] == nil else {
                        throw CRMError(
                            "texts", status: 500,
                            Words(
                                en:
                                    "\(target)/Texts/\(file) line \(number + 1): key, English, Chinese expected, each key once.",
                                zh: "\(target)/Texts/\(file) 第 \(number + 1) 行：应为“键、英文、中文”三列，且键不重复。"))
                    }
                    words[cells[0]] = Words(en: cells[1], zh: cells[2])
                }
            }
        }
        self.words = words
    }

    /// The text of `key`; the key itself when there is none (a test fails on that).
    package func text(_ key: String, _ language: Language) -> String { words[key]?[language] ?? key }
    package func words(_ key: String) -> Words { words[key] ?? Words(en: key, zh: key) }
}

/// All templates, compiled once for each language: `[[key]]` becomes the text of that language, escaped for HTML. A text
/// may itself hold tags (`[[customers.count]]` = "{{count}} customers").
package struct Pages: Sendable {
    package let texts: Texts
    private let libraries: [Language: [String: Template]]
    /// Names of all templates, `customers/customer-list`.
    package let names: [String]

    /// - Throws: `CRMError` for a template that does not compile, uses `{{{`, or names an unknown text.
    package init(share: ShareFolder) throws {
        let texts = try Texts(share: share)
        var libraries: [Language: [String: Template]] = [:]
        var names: [String] = []
        for language in Language.allCases {
            var library: [String: Template] = [:]
            for target in share.targets() {
                for file in share.names(target, "Templates", suffix: ".mustache") {
                    let name = target.lowercased() + "/" + file.dropLast(".mustache".count)
                    let source = try share.text(target, "Templates", file)
                    guard !Self.hasUnescapedTag(source) else {
                        throw Self.broken(name, "unescaped tags are banned")
                    }
                    do {
                        library[name] = try Template(Self.translated(source, texts, language, name: name))
                    } catch let error as CRMError {
                        throw error
                    } catch {
                        throw Self.broken(name, "\(error)")
                    }
                    if language == .en { names.append(name) }
                }
            }
            libraries[language] = library
        }
        self.texts = texts
        self.libraries = libraries
        self.names = names
    }

    private static func broken(_ name: String, _ reason: String) -> CRMError {
        CRMError(
            "template", status: 500,
            Words(en: "Template \(name): \(reason)", zh: "模板 \(name)：\(reason)"))
    }

    /// `{{{` or `{{&`.
    private static func hasUnescapedTag(_ source: String) -> Bool {
        var open = 0
        for byte in source.utf8 {
            if open >= 2, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "&") { return true }
            open = byte == UInt8(ascii: "{") ? open + 1 : 0
        }
        return false
    }

    private static func translated(_ source: String, _ texts: Texts, _ language: Language, name: String) throws
        -> String
    {
        let bytes = Array(source.utf8)
        var result: [UInt8] = []
        var start = 0, place = 0
        func isTwice(_ byte: UInt8, _ at: Int) -> Bool { bytes[at] == byte && at + 1 < bytes.count && bytes[at + 1] == byte }
        while let open = bytes[place...].firstIndex(of: UInt8(ascii: "[")) {
            place = open + 1
            guard isTwice(UInt8(ascii: "["), open) else { continue }
            guard let close = (open + 2..<max(open + 2, bytes.count)).first(where: { isTwice(UInt8(ascii: "]"), $0) }) else { break }
            let key = String(decoding: bytes[open + 2..<close], as: UTF8.self)
            guard let words = texts.words[key] else { throw broken(name, "unknown text [[\(key)]]") }
            result += bytes[start..<open]
            result += escaped(words[language]).utf8
            start = close + 2
            place = start
        }
        return String(decoding: result + bytes[start...], as: UTF8.self)
    }

    /// Renders a template; an unknown name gives an empty text.
    package func render(_ name: String, _ view: View, _ language: Language) -> String {
        var renderer = TemplateRenderer(libraries[language] ?? [:], view)
        renderer.write(name)
        return renderer.text
    }

    /// Escapes for HTML text and attributes.
    package static func escaped(_ text: String) -> String {
        func isPlain(_ bytes: some Sequence<UInt8>) -> Bool {
            !bytes.contains { $0 == 38 || $0 == 60 || $0 == 62 || $0 == 34 || $0 == 39 }
        }
        // Nearly all texts hold nothing to escape.
        if text.utf8.withContiguousStorageIfAvailable({ isPlain($0) }) ?? isPlain(text.utf8) { return text }
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
