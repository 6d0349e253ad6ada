import Kernel

/// A compiled template: Mustache as far as the product's templates use it, with its own engine because rendering was half of
/// what a page cost (ADR 0009).
///
/// `{{name}}` and `{{.}}` (always escaped), `{{#name}}..{{/name}}`, `{{^name}}..{{/name}}`, `{{>area/partial}}`, `{{>*name}}`
/// (the partial whose name the view holds), `{{<area/parent}}{{$block}}..{{/block}}{{/area/parent}}`, `{{$block}}..{{/block}}`.
/// A tag that prints nothing itself and stands alone in its line leaves no line behind. Nothing is printed unescaped.
struct Template: Sendable {
    enum Part: Sendable {
        case text(String)
        case value(String)
        /// The innermost text of a list: `{{.}}`.
        case item
        case section(String, [Part])
        case inverted(String, [Part])
        case partial(String)
        case namedPartial(String)
        case inherited(String, blocks: [String: [Part]])
        case block(String, [Part])
    }

    let parts: [Part]

    struct Broken: Error, CustomStringConvertible { let description: String }

    /// - Throws: `Broken` for a tag that is not closed, not known or closed out of turn.
    init(_ source: String) throws {
        var parser = Parser(bytes: Array(source.utf8))
        parts = try parser.parts(until: nil)
    }
}

// MARK: Parsing

extension Template {
    private struct Tag { let kind: UInt8; let name: String }

    private struct Parser {
        let bytes: [UInt8]
        private var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        /// What stands before the tag that closes `section`, or before the end.
        mutating func parts(until section: String?) throws -> [Part] {
            var parts: [Part] = []
            while let open = bytes[place...].indexOfPair(UInt8(ascii: "{")) {
                let start = place
                let tag = try self.tag(open)
                append(bytes[start..<textEnd(open, start, tag)], to: &parts)
                switch tag.kind {
                case UInt8(ascii: "/"):
                    guard tag.name == section else { throw Broken(description: "{{/\(tag.name)}} closes nothing") }
                    return parts
                case UInt8(ascii: "#"): parts.append(.section(tag.name, try self.parts(until: tag.name)))
                case UInt8(ascii: "^"): parts.append(.inverted(tag.name, try self.parts(until: tag.name)))
                case UInt8(ascii: "$"): parts.append(.block(tag.name, try self.parts(until: tag.name)))
                case UInt8(ascii: ">"):
                    parts.append(
                        tag.name.hasPrefix("*") ? .namedPartial(String(tag.name.dropFirst())) : .partial(tag.name))
                case UInt8(ascii: "<"): parts.append(.inherited(tag.name, blocks: try blocks(of: tag.name)))
                default: parts.append(tag.name == "." ? .item : .value(tag.name))
                }
            }
            append(bytes[place...], to: &parts)
            guard section == nil else { throw Broken(description: "{{/\(section ?? "")}} is missing") }
            return parts
        }

        private mutating func blocks(of parent: String) throws -> [String: [Part]] {
            var blocks: [String: [Part]] = [:]
            for part in try parts(until: parent) {
                switch part {
                case .block(let name, let parts): blocks[name] = parts
                case .text(let text) where text.allSatisfy(\.isWhitespace): continue
                default: throw Broken(description: "only blocks may stand in {{<\(parent)}}")
                }
            }
            return blocks
        }

        /// Reads the tag that opens at `open` and goes on behind it.
        private mutating func tag(_ open: Int) throws -> Tag {
            guard let close = bytes[(open + 2)...].indexOfPair(UInt8(ascii: "}")) else {
                throw Broken(description: "a tag is not closed")
            }
            place = close + 2
            let content = bytes[(open + 2)..<close]
            let isKind = content.first.map { "#^/$><".utf8.contains($0) } ?? false
            let name = String(decoding: isKind ? content.dropFirst() : content, as: UTF8.self)
            guard Self.isName(name) else { throw Broken(description: "unknown tag {{\(name)}}") }
            return Tag(kind: isKind ? content[open + 2] : 0, name: name)
        }

        private static func isName(_ name: String) -> Bool {
            guard name != "." else { return true }
            let plain = name.hasPrefix("*") ? name.dropFirst() : name[...]
            return !plain.isEmpty
                && plain.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 47
                        || $0 == 95
                }
        }

        /// Where the text before a tag ends. Of a line that holds nothing but the tag neither its blanks nor its end stay.
        private mutating func textEnd(_ open: Int, _ start: Int, _ tag: Tag) -> Int {
            guard tag.kind != 0 else { return open }
            func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
            var lineStart = open
            while lineStart > start, isBlank(bytes[lineStart - 1]) { lineStart -= 1 }
            guard lineStart == 0 || bytes[lineStart - 1] == 10 else { return open }
            let rest = bytes[place...].firstIndex { !isBlank($0) } ?? bytes.count
            guard rest == bytes.count || bytes[rest] == 10 else { return open }
            place = min(rest + 1, bytes.count)
            return lineStart
        }

        private func append(_ text: ArraySlice<UInt8>, to parts: inout [Part]) {
            if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
        }
    }
}

extension ArraySlice<UInt8> {
    /// Where `byte` stands twice in a row.
    fileprivate func indexOfPair(_ byte: UInt8) -> Int? {
        var from = startIndex
        while let found = self[from...].firstIndex(of: byte), found + 1 < endIndex {
            if self[found + 1] == byte { return found }
            from = found + 1
        }
        return nil
    }
}

// MARK: Rendering

/// Writes templates with the values of views; inner views stand before outer ones.
struct TemplateRenderer {
    private let templates: [String: Template]
    private var scopes: [View]
    private var items: [String] = []
    private(set) var text = ""

    init(_ templates: [String: Template], _ root: View) {
        self.templates = templates
        scopes = [root]
        text.reserveCapacity(48 * 1_024)
    }

    /// An unknown name writes nothing.
    mutating func write(_ name: String, _ blocks: [String: [Template.Part]] = [:]) {
        if let template = templates[name] { write(template.parts, blocks) }
    }

    private mutating func write(_ parts: [Template.Part], _ blocks: [String: [Template.Part]]) {
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .value(let name):
                switch find(name) {
                case .text(let value): text += Pages.escaped(value)
                case .int(let int): text += String(int)
                case .bool(let bool): text += bool ? "true" : "false"
                case .view, .list, .texts, .absent, nil: break
                }
            case .item: if let item = items.last { text += Pages.escaped(item) }
            case .section(let name, let inner): section(find(name), inner, blocks)
            case .inverted(let name, let inner): if !Self.isShown(find(name)) { write(inner, blocks) }
            case .partial(let name): write(name, blocks)
            case .namedPartial(let name): if case .text(let partial) = find(name) { write(partial, blocks) }
            // What a page says of a block stands before what its parent says.
            case .inherited(let name, let own):
                write(name, blocks.isEmpty ? own : blocks.merging(own) { outer, _ in outer })
            case .block(let name, let inner): write(blocks[name] ?? inner, blocks)
            }
        }
    }

    private mutating func section(
        _ value: ViewValue?, _ inner: [Template.Part], _ blocks: [String: [Template.Part]]
    ) {
        switch value {
        case .view(let view): write(inner, blocks, in: view)
        case .list(let views): for view in views { write(inner, blocks, in: view) }
        case .texts(let texts):
            for item in texts {
                items.append(item)
                write(inner, blocks)
                items.removeLast()
            }
        default: if Self.isShown(value) { write(inner, blocks) }
        }
    }

    private mutating func write(
        _ inner: [Template.Part], _ blocks: [String: [Template.Part]], in view: View
    ) {
        scopes.append(view)
        write(inner, blocks)
        scopes.removeLast()
    }

    private static func isShown(_ value: ViewValue?) -> Bool {
        switch value {
        case .text(let text): !text.isEmpty
        case .int, .view: true
        case .bool(let bool): bool
        case .list(let list): !list.isEmpty
        case .texts(let texts): !texts.isEmpty
        case .absent, nil: false
        }
    }

    private func find(_ name: String) -> ViewValue? {
        var place = scopes.count
        while place > 0 {
            place -= 1
            if let value = scopes[place][name] { return value }
        }
        TemplateMisses.note(name)
        return nil
    }
}
