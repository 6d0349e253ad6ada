import Kernel
import Web

/// A change to a document, in one of the forms clients may send.
package enum TMFPatch: Sendable {
    /// RFC 7396: members are set, `null` removes, an array replaces the whole array.
    case merge(JSONObject)
    /// RFC 6902, places as JSON Pointers (RFC 6901).
    case operations([JSONPatchOperation])
    /// TMF630 part 5: places that name elements of arrays by what is in them.
    case queries([JSONPatchOperation])

    package static let operationsMax = 1_000

    /// - Parameter contentType: the header, with or without parameters.
    /// - Throws: 415 for another kind of content, 400 for what is not of this kind.
    package init(_ contentType: String, _ body: JSONValue) throws {
        switch contentType.split(separator: ";").first.map({ $0.trimmed.lowercased() }) ?? "" {
        case "application/json", "application/merge-patch+json":
            guard let object = body.object else {
                throw Self.bad(Words(en: "The body must be a JSON object.", zh: "请求体应为 JSON 对象。"))
            }
            self = .merge(object)
        case "application/json-patch+json": self = .operations(try Self.operations(body))
        case "application/json-patch-query+json": self = .queries(try Self.operations(body))
        default:
            throw CRMError(
                "unsupported_media_type", status: 415,
                Words(
                    en: "A change is sent as application/merge-patch+json, application/json, application/json-patch+json or application/json-patch-query+json.",
                    zh: "修改请求应使用 application/merge-patch+json、application/json、application/json-patch+json 或 application/json-patch-query+json。"))
        }
    }

    /// The attributes that a merge names, also those it takes away.
    var names: Set<String> {
        if case .merge(let patch) = self { Set(patch.keys) } else { [] }
    }

    /// The document after the change; the one given stays as it was, whatever goes wrong.
    /// - Throws: 400 or 409 naming the operation and its place.
    package func applied(to document: JSONObject) throws -> JSONObject {
        switch self {
        case .merge(let patch): return Self.merged(document, patch)
        case .operations(let operations):
            return try Self.run(operations, on: document) { operation, value, growth in
                try growth.spend(operation, value)
                try operation.apply(to: &value, path: try JSONPointer(operation.path))
            }
        case .queries(let operations):
            return try Self.run(operations, on: document) { operation, value, growth in
                for pointer in try JSONPatchQuery(operation.path).pointers(in: value, isAdding: operation.kind == .add) {
                    try growth.spend(operation, value)
                    try operation.apply(to: &value, path: pointer)
                }
            }
        }
    }

    private static func run(
        _ operations: [JSONPatchOperation], on document: JSONObject,
        _ step: (JSONPatchOperation, inout JSONValue, inout PatchGrowth) throws -> Void
    ) throws -> JSONObject {
        var value = JSONValue.object(document)
        var growth = PatchGrowth()
        for (number, operation) in operations.enumerated() {
            do { try step(operation, &value, &growth) } catch let failure as JSONPatchFailure {
                throw CRMError(
                    failure.isConflict ? "test_failed" : "bad_operation", status: failure.isConflict ? 409 : 400,
                    Words(
                        en: "Operation \(number + 1) (\(operation.kind.rawValue) \(operation.path)): \(failure.words.en).",
                        zh: "第 \(number + 1) 个操作（\(operation.kind.rawValue) \(operation.path)）：\(failure.words.zh)。"))
            }
        }
        guard case .object(let result) = value else {
            throw bad(Words(en: "A resource must stay an object.", zh: "资源必须仍为对象。"))
        }
        return result
    }

    /// RFC 7396.
    package static func merged(_ target: JSONObject, _ patch: JSONObject) -> JSONObject {
        var result = target
        for (name, value) in patch {
            switch value {
            case .null: result[name] = nil
            case .object(let fields): result[name] = .object(merged(result[name]?.object ?? [:], fields))
            default: result[name] = value
            }
        }
        return result
    }

    private static func operations(_ body: JSONValue) throws -> [JSONPatchOperation] {
        guard let items = body.array else {
            throw bad(Words(
                en: "The body must be an array of operations, [{\"op\": \"replace\", \"path\": \"/name\", \"value\": \"x\"}].",
                zh: "请求体应为操作数组，例如 [{\"op\": \"replace\", \"path\": \"/name\", \"value\": \"x\"}]。"))
        }
        guard items.count <= operationsMax else {
            throw bad(Words(
                en: "At most \(operationsMax) operations can be sent at once.", zh: "一次最多发送 \(operationsMax) 个操作。"))
        }
        return try items.enumerated().map { try JSONPatchOperation($1, number: $0 + 1) }
    }

    static func bad(_ words: Words) -> CRMError { CRMError.badRequest("bad_patch", words) }
}

/// How much a patch has put into a document. Thirty copies of the whole into itself are a document of a thousand million values that
/// lies in the memory of one: nothing is slow before it is written out, and then everything is.
struct PatchGrowth {
    static let most = 4 << 20
    private var left = PatchGrowth.most

    mutating func spend(_ operation: JSONPatchOperation, _ document: JSONValue) throws {
        switch operation.kind {
        case .remove, .move, .test: return
        case .add, .replace: left -= (operation.value ?? .null).weight(upTo: left)
        case .copy: left -= try JSONPointer(operation.from ?? "").value(in: document).weight(upTo: left)
        }
        guard left >= 0 else {
            throw JSONPatchFailure(words: Words(en: "the patch makes the resource too large", zh: "修改后的资源过大"))
        }
    }
}

extension JSONValue {
    /// About the bytes of its text; what is more than `most` is one more than that.
    package func weight(upTo most: Int) -> Int {
        var left = most
        func walk(_ value: JSONValue) {
            left -= 2
            switch value {
            case .string(let text): left -= text.utf8.count
            case .array(let items): for item in items where left >= 0 { walk(item) }
            case .object(let fields):
                for (name, value) in fields where left >= 0 {
                    left -= name.utf8.count
                    walk(value)
                }
            default: break
            }
        }
        walk(self)
        return left < 0 ? most + 1 : most - left
    }

    /// Levels of arrays and objects, looked for no deeper than `most` and one more.
    func depth(upTo most: Int) -> Int {
        guard most >= 0 else { return 0 }
        switch self {
        case .array(let items): return 1 + (items.lazy.map { $0.depth(upTo: most - 1) }.max() ?? 0)
        case .object(let fields): return 1 + (fields.values.lazy.map { $0.depth(upTo: most - 1) }.max() ?? 0)
        default: return 0
        }
    }
}

/// Why an operation cannot be done.
struct JSONPatchFailure: Error {
    /// The document is not what the operation says it is.
    var isConflict = false
    let words: Words
}

/// One operation of RFC 6902.
package struct JSONPatchOperation: Sendable, Equatable {
    package enum Kind: String, Sendable { case add, remove, replace, move, copy, test }
    package let kind: Kind
    package let path: String
    package let from: String?
    package let value: JSONValue?

    /// - Throws: 400 naming the operation by its number.
    init(_ item: JSONValue, number: Int) throws {
        func bad(_ en: String, _ zh: String) -> CRMError {
            TMFPatch.bad(Words(en: "Operation \(number): \(en).", zh: "第 \(number) 个操作：\(zh)。"))
        }
        guard let fields = item.object else { throw bad("it must be an object", "应为对象") }
        guard let kind = fields["op"]?.string.flatMap(Kind.init(rawValue:)) else {
            throw bad("“op” must be add, remove, replace, move, copy or test", "“op”应为 add、remove、replace、move、copy 或 test")
        }
        guard let path = fields["path"]?.string else { throw bad("“path” is missing", "缺少“path”") }
        self.kind = kind
        self.path = path
        from = fields["from"]?.string
        value = fields["value"]
        if kind == .move || kind == .copy {
            guard from != nil else { throw bad("“from” is missing", "缺少“from”") }
        } else if kind != .remove, value == nil {
            throw bad("“value” is missing", "缺少“value”")
        }
    }

    func apply(to document: inout JSONValue, path: JSONPointer) throws {
        switch kind {
        case .add: try path.add(value ?? .null, to: &document)
        case .remove: _ = try path.remove(from: &document)
        case .replace:
            _ = try path.value(in: document)
            try path.set(value ?? .null, in: &document)
        case .move:
            let source = try JSONPointer(from ?? "")
            guard !path.isInside(source) else {
                throw JSONPatchFailure(words: Words(en: "a value cannot be moved into itself", zh: "不能移入自身"))
            }
            if source == path { _ = try source.value(in: document); return }
            try path.add(try source.remove(from: &document), to: &document)
        case .copy: try path.add(try JSONPointer(from ?? "").value(in: document), to: &document)
        case .test:
            guard try path.value(in: document) == (value ?? .null) else {
                throw JSONPatchFailure(isConflict: true, words: Words(en: "the value is another one", zh: "当前值不同"))
            }
        }
    }
}

/// RFC 6901.
struct JSONPointer: Sendable, Equatable {
    let names: [String]
    init(_ names: [String]) { self.names = names }

    init(_ text: String) throws {
        guard text.isEmpty || text.hasPrefix("/") else {
            throw JSONPatchFailure(words: Words(en: "a path begins with /", zh: "路径须以 / 开头"))
        }
        names = try text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { try Self.unescaped($0) }
    }

    /// `~1` is a slash, `~0` a tilde; another tilde is a mistake.
    static func unescaped(_ text: Substring) throws -> String {
        guard text.contains("~") else { return String(text) }
        var result = ""
        var rest = text
        while let character = rest.popFirst() {
            guard character == "~" else { result.append(character); continue }
            switch rest.popFirst() {
            case "0": result.append("~")
            case "1": result.append("/")
            default:
                throw JSONPatchFailure(words: Words(en: "~ stands before 0 or 1 only", zh: "~ 之后只能是 0 或 1"))
            }
        }
        return result
    }

    func isInside(_ other: JSONPointer) -> Bool {
        names.count > other.names.count && Array(names.prefix(other.names.count)) == other.names
    }

    func value(in document: JSONValue) throws -> JSONValue {
        var value = document
        for name in names { value = try Self.step(value, name) }
        return value
    }

    private static func step(_ value: JSONValue, _ name: String) throws -> JSONValue {
        switch value {
        case .object(let fields):
            guard let next = fields[name] else { throw nothing(name) }
            return next
        case .array(let items): return items[try index(name, items.count, isAdding: false)]
        default: throw nothing(name)
        }
    }

    private static func nothing(_ name: String) -> JSONPatchFailure {
        JSONPatchFailure(words: Words(en: "there is no “\(name)” there", zh: "不存在“\(name)”"))
    }

    /// - Parameter isAdding: `-` and the number behind the last are places too.
    private static func index(_ name: String, _ count: Int, isAdding: Bool) throws -> Int {
        if isAdding, name == "-" { return count }
        guard let index = Int(name), String(index) == name, index >= 0, index < count + (isAdding ? 1 : 0) else {
            throw JSONPatchFailure(words: Words(
                en: "“\(name)” is no place in an array of \(count)", zh: "“\(name)”不是长度为 \(count) 的数组中的位置"))
        }
        return index
    }

    /// Walks to the parent, and changes it.
    private func change(_ document: inout JSONValue, _ body: (inout JSONValue, String) throws -> Void) throws {
        guard let last = names.last else { return }
        try Self.descend(names.dropLast()[...], &document) { try body(&$0, last) }
    }

    private static func descend(
        _ names: ArraySlice<String>, _ value: inout JSONValue, _ body: (inout JSONValue) throws -> Void
    ) throws {
        guard let name = names.first else { return try body(&value) }
        switch value {
        case .object(var fields):
            guard var next = fields[name] else { throw nothing(name) }
            try descend(names.dropFirst(), &next, body)
            fields[name] = next
            value = .object(fields)
        case .array(var items):
            let place = try index(name, items.count, isAdding: false)
            try descend(names.dropFirst(), &items[place], body)
            value = .array(items)
        default: throw nothing(name)
        }
    }

    /// Changes the object or the array that the last name is in.
    private func change(
        _ document: inout JSONValue, isAdding: Bool = false, object: (inout JSONObject, String) -> Void,
        array: (inout [JSONValue], Int) -> Void
    ) throws {
        try change(&document) { parent, name in
            switch parent {
            case .object(var fields):
                object(&fields, name)
                parent = .object(fields)
            case .array(var items):
                array(&items, try Self.index(name, items.count, isAdding: isAdding))
                parent = .array(items)
            default: throw Self.nothing(name)
            }
        }
    }

    func add(_ value: JSONValue, to document: inout JSONValue) throws {
        guard !names.isEmpty else { return document = value }
        try change(&document, isAdding: true, object: { $0[$1] = value }, array: { $0.insert(value, at: $1) })
    }

    func set(_ value: JSONValue, in document: inout JSONValue) throws {
        guard !names.isEmpty else { return document = value }
        try change(&document, object: { $0[$1] = value }, array: { $0[$1] = value })
    }

    func remove(from document: inout JSONValue) throws -> JSONValue {
        let removed = try value(in: document)
        guard !names.isEmpty else {
            throw JSONPatchFailure(words: Words(en: "the whole resource cannot be removed", zh: "不能移除整个资源"))
        }
        try change(&document, object: { $0[$1] = nil }, array: { $0.remove(at: $1) })
        return removed
    }
}
