import Kernel
import Web

/// What the attributes of an API's resources are, as its specification has them: names, kinds, what a client must send
/// and what only the server sets. Read from `Data/tmfNNN.tsv`, which a test makes from the specification.
package struct TMFSchema: Sendable {
    /// What a value is.
    package enum Kind: Sendable, Equatable {
        case text, dateTime, date, number, integer, boolean
        /// One of these words.
        case code([String])
        /// Any JSON value: `Characteristic.value`.
        case any
        /// A type of this schema.
        case object(String)
    }

    package struct Attribute: Sendable, Equatable {
        package let name: String
        package let kind: Kind
        package let isArray: Bool
        /// A client must send it when it makes the object.
        package let isMandatory: Bool
        /// Not in what a client may send: the server sets it.
        package let isServers: Bool
        /// May be sent when the object is made and not changed afterwards.
        package let isFixed: Bool

        package init(
            _ name: String, _ kind: Kind, isArray: Bool = false, isMandatory: Bool = false, isServers: Bool = false,
            isFixed: Bool = false
        ) {
            self.name = name
            self.kind = kind
            self.isArray = isArray
            self.isMandatory = isMandatory
            self.isServers = isServers
            self.isFixed = isFixed
        }
    }

    /// A type, its attributes in the order of the specification.
    package struct ObjectType: Sendable, Equatable {
        package let name: String
        package private(set) var attributes: [Attribute] = []
        private var places: [String: Int] = [:]

        package init(_ name: String, _ attributes: [Attribute] = []) {
            self.name = name
            for attribute in attributes { add(attribute) }
        }

        mutating func add(_ attribute: Attribute) {
            places[attribute.name] = attributes.count
            attributes.append(attribute)
        }

        package subscript(name: String) -> Attribute? { places[name].map { attributes[$0] } }
    }

    package private(set) var types: [String: ObjectType] = [:]
    /// Where references lead; `nil` for a schema that stands alone.
    var directory: TMFDirectory?

    mutating func require(_ name: String, of type: String) {
        guard let old = types[type] else { return }
        let attributes = old.attributes.map { one in
            one.name != name ? one : Attribute(
                name, one.kind, isArray: one.isArray, isMandatory: true, isServers: one.isServers, isFixed: one.isFixed)
        }
        types[type] = ObjectType(type, attributes)
    }

    mutating func replace(_ name: String, with attribute: Attribute, of type: String, _ more: [ObjectType]) {
        guard let old = types[type] else { return }
        let known = old[name]
        let attribute = Attribute(
            attribute.name, attribute.kind, isArray: attribute.isArray, isMandatory: known?.isMandatory ?? false,
            isServers: known?.isServers ?? false, isFixed: known?.isFixed ?? false)
        types[type] = ObjectType(type, old.attributes.filter { $0.name != name && $0.name != attribute.name } + [attribute])
        for type in more { types[type.name] = type }
    }

    mutating func add(_ attribute: Attribute, to type: String) { types[type]?.add(attribute) }

    package init(_ types: [ObjectType]) {
        for type in types { self.types[type.name] = type }
    }

    /// Reads `Type TAB attribute TAB kind TAB flags` lines. A kind ends in `[]` for an array; a kind that is no known word is
    /// a type. Flags: `m` mandatory, `s` the server's, `f` fixed. Lines that begin with `#` are remarks.
    /// - Throws: `CRMError` 500 naming file and line; the file is part of the product.
    package init(tsv text: String, file: String) throws {
        for (number, line) in TabbedLines(text).enumerated() {
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let parts = TabbedLines.cells(line)
            guard parts.count == 4, let kind = Kind(word: parts[2]) else {
                throw CRMError(
                    "schema", status: 500,
                    Words(
                        en: "\(file) line \(number + 1) is no attribute: \(Substring(line))",
                        zh: "\(file) 第 \(number + 1) 行不是属性：\(Substring(line))"))
            }
            types[parts[0], default: ObjectType(parts[0])].add(
                Attribute(
                    parts[1], kind, isArray: parts[2].hasSuffix("[]"), isMandatory: parts[3].contains("m"),
                    isServers: parts[3].contains("s"), isFixed: parts[3].contains("f")))
        }
        for type in types.values {
            for attribute in type.attributes {
                guard case .object(let name) = attribute.kind, types[name] == nil else { continue }
                throw CRMError(
                    "schema", status: 500,
                    Words(
                        en: "\(file): \(type.name).\(attribute.name) is a \(name), of which nothing is said.",
                        zh: "\(file)：\(type.name).\(attribute.name) 的类型 \(name) 没有定义。"))
            }
        }
    }
}

extension TMFSchema.Kind {
    private static let words: [String: Self] = [
        "text": .text, "dateTime": .dateTime, "date": .date, "number": .number, "integer": .integer,
        "boolean": .boolean, "any": .any,
    ]

    init?(word: String) {
        let word = word.hasSuffix("[]") ? String(word.dropLast(2)) : word
        if let kind = Self.words[word] {
            self = kind
        } else if word.hasPrefix("code:") {
            self = .code(word.dropFirst(5).split(separator: "|").map(String.init))
        } else if word.first?.isUppercase == true {
            self = .object(word)
        } else {
            return nil
        }
    }

    /// The word of the file.
    package var word: String {
        switch self {
        case .code(let words): "code:" + words.joined(separator: "|")
        case .object(let name): name
        default: Self.words.first { $0.value == self }?.key ?? ""
        }
    }
}

/// A way into a document, `relatedParty.id`: through objects, and through every element of arrays.
package struct AttributePath: Sendable, Hashable, CustomStringConvertible {
    package let names: [String]
    package init(_ names: [String]) { self.names = names }
    /// Splits at dots.
    package init(_ text: String) { names = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) }
    package var description: String { names.joined(separator: ".") }

    /// The values at the end of it: none where it leads nowhere, several where arrays lie on it. `null` is no value.
    package func values(in document: JSONObject) -> [JSONValue] {
        var result: [JSONValue] = []
        Self.collect(names[...], .object(document), &result)
        return result
    }

    private static func collect(_ names: ArraySlice<String>, _ value: JSONValue, _ result: inout [JSONValue]) {
        switch value {
        case .null: return
        case .array(let items): for item in items { collect(names, item, &result) }
        case .object(let fields):
            guard let name = names.first else { return result.append(value) }
            if let next = fields[name] { collect(names.dropFirst(), next, &result) }
        default: if names.isEmpty { result.append(value) }
        }
    }
}

extension TMFSchema {
    /// What a path leads to.
    package struct Target: Sendable, Equatable {
        package let path: AttributePath
        package let kind: Kind
    }

    /// Follows a path from a type.
    /// - Throws: 400 `unknown_attribute` naming the part that is not known and what is, in the wording for `parameter`.
    package func target(_ path: AttributePath, of type: String, parameter: String) throws -> Target {
        var kind = Kind.object(type)
        for (offset, name) in path.names.enumerated() {
            guard case .object(let typeName) = kind, let type = types[typeName] else {
                // Inside of what may be anything, every name may be.
                if kind == .any { return Target(path: path, kind: .any) }
                let before = path.names[..<offset].joined(separator: ".")
                throw Self.unknown(parameter, Words(
                    en: "“\(parameter)”: “\(before)” has no parts, and “\(name)” is no operator. Those are \(TMFCondition.operators).",
                    zh: "“\(parameter)”：“\(before)”没有下级属性，“\(name)”也不是运算符。运算符有 \(TMFCondition.operators)。"))
            }
            guard let attribute = type[name] else {
                let known = Self.likely(name, type.attributes.map(\.name)).joined(separator: ", ")
                throw Self.unknown(parameter, Words(
                    en: "“\(parameter)”: \(typeName) has no attribute “\(name)”. It has \(known).",
                    zh: "“\(parameter)”：\(typeName) 没有属性“\(name)”，可用的有 \(known)。"))
            }
            kind = attribute.kind
        }
        return Target(path: path, kind: kind)
    }

    /// What the objects on the way to an attribute cannot be without: `relatedParty.id` for `relatedParty.role`.
    func mandatory(along path: AttributePath, of type: String) -> [AttributePath] {
        var found: [AttributePath] = []
        var owner = type
        for (offset, name) in path.names.dropLast().enumerated() {
            guard case .object(let inner)? = types[owner]?[name]?.kind, let attributes = types[inner]?.attributes else { break }
            let way = Array(path.names.prefix(offset + 1))
            found += attributes.filter(\.isMandatory).map { AttributePath(way + [$0.name]) }
            owner = inner
        }
        return found
    }

    private static func unknown(_ parameter: String, _ words: Words) -> CRMError {
        CRMError(
            "unknown_attribute", status: 400, words,
            fields: [.init(field: parameter, code: "unknown_attribute", message: words)])
    }

    /// Those that begin alike or hold the name first, all in all not more than twelve.
    private static func likely(_ name: String, _ known: [String]) -> [String] {
        let lower = name.lowercased()
        let near = known.filter { $0.lowercased().hasPrefix(lower.prefix(3)) || $0.lowercased().contains(lower) }
        let rest = known.filter { !near.contains($0) }
        let shown = Array((near + rest).prefix(12))
        return shown.count < known.count ? shown + ["…"] : shown
    }
}

/// The fields of a JSON object.
package typealias JSONObject = [String: JSONValue]
