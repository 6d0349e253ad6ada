import Kernel
import Web

/// Whether a document is one of its type, before anything is done with it.
package struct TMFCheck: Sendable {
    package let schema: TMFSchema

    package init(_ schema: TMFSchema) { self.schema = schema }

    package static let problemsMax = 20

    /// Levels of a document: what is kept of it is stored two levels deeper, and read again by the reader that knows `Limits.jsonDepthMax`.
    package static let depthMax = Limits.jsonDepthMax - 4

    private func checkDepth(_ document: JSONObject, _ problems: inout Problems) {
        for (name, value) in document.sorted(by: { $0.key < $1.key }) where value.depth(upTo: Self.depthMax) > Self.depthMax {
            problems.add(
                name, "too_deep",
                Words(en: "is nested deeper than \(Self.depthMax) levels", zh: "嵌套超过 \(Self.depthMax) 层"))
        }
    }

    /// A document that a client sends to make a resource.
    /// - Parameter state: the attribute that holds the resource's state, a word of which is no state rather than of the wrong type.
    /// - Throws: 400 with every place that is wrong, at most 20 of them.
    package func create(_ document: JSONObject, of type: String, state: String? = nil) throws {
        var problems = Problems(state: state)
        check(document, of: type, place: "", isNew: true, &problems)
        checkDepth(document, &problems)
        try problems.thrown()
    }

    /// A resource after a change: kinds are right, and what is mandatory is still there.
    package func changed(_ document: JSONObject, of type: String, state: String? = nil) throws {
        var problems = Problems(state: state)
        check(document, of: type, place: "", isNew: false, &problems)
        checkDepth(document, &problems)
        try problems.thrown()
    }

    /// What a change may not touch.
    /// - Parameter state: an attribute that has rules of its own: the server sets the first state, clients lead on from there.
    /// - Throws: 400 naming the attributes.
    package func fixed(from old: JSONObject, to new: JSONObject, of type: String, but state: String? = nil) throws {
        var problems = Problems()
        for attribute in schema.types[type]?.attributes ?? []
        where (attribute.isServers || attribute.isFixed) && attribute.name != state {
            guard old[attribute.name] != new[attribute.name] else { continue }
            problems.add(
                attribute.name, "fixed",
                attribute.isServers
                    ? Words(en: "is set by the server", zh: "由服务器设置") : Words(en: "cannot be changed", zh: "不可修改"))
        }
        try problems.thrown()
    }

    struct Problems {
        var state: String?
        private var fields: [CRMError.FieldError] = []

        init(state: String? = nil) { self.state = state }

        mutating func add(_ place: String, _ code: String, _ words: Words) {
            guard fields.count < TMFCheck.problemsMax else { return }
            let name = place.isEmpty ? "body" : place
            fields.append(
                .init(
                    field: name, code: code,
                    message: Words(en: "“\(name)” \(words.en)", zh: "“\(name)”\(words.zh)")))
        }

        func thrown() throws {
            guard let first = fields.first else { return }
            throw CRMError(
                first.code, status: 400,
                Words(
                    en: fields.map(\.message.en).joined(separator: "; ") + ".",
                    zh: fields.map(\.message.zh).joined(separator: "；") + "。"),
                fields: fields)
        }
    }

    private func check(
        _ document: JSONObject, of type: String, place: String, isNew: Bool, _ problems: inout Problems
    ) {
        guard let type = schema.types[type] else { return }
        for attribute in type.attributes where attribute.isMandatory {
            switch document[attribute.name] {
            case nil, .some(.null):
                problems.add(join(place, attribute.name), "missing", Words(en: "is mandatory", zh: "为必填项"))
            case .some(.array(let items)) where items.isEmpty && attribute.isArray && place.isEmpty:
                problems.add(
                    join(place, attribute.name), "missing", Words(en: "needs at least one element", zh: "至少需要一个元素"))
            case .some(.string(let text)) where text.trimmed.isEmpty:
                problems.add(join(place, attribute.name), "missing", Words(en: "may not be empty", zh: "不能为空"))
            default: break
            }
        }
        for (name, value) in document.sorted(by: { $0.key < $1.key }) {
            // Attributes that the specification does not know are kept and not looked at.
            guard let attribute = type[name], value != .null else { continue }
            let here = join(place, name)
            if attribute.isArray {
                guard case .array(let items) = value else {
                    problems.add(here, "wrong_type", Words(en: "must be an array", zh: "应为数组"))
                    continue
                }
                for (number, item) in items.enumerated() {
                    check(item, attribute.kind, place: "\(here)[\(number)]", isNew: isNew, &problems)
                }
            } else {
                check(value, attribute.kind, place: here, isNew: isNew, &problems)
            }
        }
    }

    private func check(
        _ value: JSONValue, _ kind: TMFSchema.Kind, place: String, isNew: Bool, _ problems: inout Problems
    ) {
        let expected: Words?
        switch (kind, value) {
        case (.any, _): return
        case (.object(let type), .object(let fields)):
            return check(fields, of: type, place: place, isNew: isNew, &problems)
        case (.object, _): expected = Words(en: "must be an object", zh: "应为对象")
        case (.text, .string(let text)): expected = Self.tooLong(text)
        case (.text, _): expected = Words(en: "must be a text", zh: "应为文本")
        case (.dateTime, .string(let text)), (.date, .string(let text)):
            expected = TMFTime(text) == nil
                ? Words(en: "must be a time such as 2026-11-29T15:00:00Z", zh: "应为时间，例如 2026-11-29T15:00:00Z") : nil
        case (.dateTime, _), (.date, _): expected = Words(en: "must be a time in a text", zh: "应为文本形式的时间")
        case (.integer, .int), (.number, .int), (.number, .double), (.number, .decimal), (.boolean, .bool): return
        case (.integer, _): expected = Words(en: "must be a whole number", zh: "应为整数")
        case (.number, _): expected = Words(en: "must be a number", zh: "应为数字")
        case (.boolean, _): expected = Words(en: "must be true or false", zh: "应为 true 或 false")
        case (.code(let words), .string(let text)):
            expected = words.contains(text) ? nil : Words(
                en: "must be one of \(words.joined(separator: ", "))", zh: "应为 \(words.joined(separator: "、")) 之一")
            if let expected, place == problems.state { return problems.add(place, "unknown_state", expected) }
        case (.code, _): expected = Words(en: "must be a text", zh: "应为文本")
        }
        if let expected { problems.add(place, "wrong_type", expected) }
    }

    private static func tooLong(_ text: String) -> Words? {
        text.utf8.count <= 64 * 1024 ? nil : Words(en: "is longer than 65,536 bytes", zh: "超过 65,536 字节")
    }

    private func join(_ place: String, _ name: String) -> String { place.isEmpty ? name : place + "." + name }
}
