import Kernel
import Web

/// A place of a JSON Patch Query (TMF630 part 5; media type application/json-patch-query+json): attributes as they lie in
/// one another, and conditions that say which elements of arrays on the way are meant. Written as the specifications' own
/// examples have it, `/relatedParty?role=vendor`, `/productOrderItem/billingAccount/id?productOrderItem.id=120`,
/// `/partyCharacteristic/value?/partyCharacteristic/name=market segment`, or as JSONPath,
/// `$.orderItem[?(@.productOffering.id=="1513")].quantity`.
struct JSONPatchQuery: Sendable, Equatable {
    struct Condition: Sendable, Equatable {
        let path: [String]
        let value: String
    }

    enum Step: Sendable, Equatable {
        case name(String)
        case index(Int)
        case every
        case those([Condition])
    }

    private(set) var steps: [Step] = []
    /// Said behind the question mark: of elements of arrays on the way, or of the whole.
    private(set) var conditions: [Condition] = []

    static let conditionsMax = 20

    /// - Throws: `JSONPatchFailure` for what is no such place.
    init(_ text: String) throws {
        if text.hasPrefix("$") {
            var reader = JSONPathReader(text.dropFirst())
            steps = try reader.steps()
        } else {
            let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            steps = try JSONPointer(String(parts[0])).names.map { name in
                Int(name).flatMap { $0 >= 0 ? .index($0) : nil } ?? .name(name)
            }
            if parts.count > 1 { conditions = try parts[1].split(separator: "&").map(Self.condition) }
        }
        guard conditions.count <= Self.conditionsMax, steps.count <= Limits.jsonDepthMax else {
            throw JSONPatchFailure(words: Words(en: "the place is too long", zh: "路径过长"))
        }
    }

    private static func condition(_ text: Substring) throws -> Condition {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0]).replacing("/", with: ".")
        let path = name.split(separator: ".").map(String.init)
        guard parts.count == 2, !path.isEmpty else {
            throw JSONPatchFailure(words: Words(en: "“\(text)” is no condition such as id=5", zh: "“\(text)”不是条件（例如 id=5）"))
        }
        var value = String(parts[1])
        for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
            value = String(value.dropFirst().dropLast())
        }
        return Condition(path: path, value: value)
    }

    /// The places meant, the last in an array first, so that removing one does not move the next.
    /// - Parameter isAdding: what is to be added may not be there yet; an array at the end takes one more element.
    func pointers(in document: JSONValue, isAdding: Bool) throws -> [JSONPointer] {
        var rest = conditions
        // Conditions by what they name: an array on the way (by its whole path, then by its own name).
        let names = steps.map { if case .name(let name) = $0 { name } else { "" } }
        var assigned: [Int: [Condition]] = [:]
        // The deepest first: of `item.note.author` the note is meant where notes lie on the way.
        for (place, name) in names.enumerated().reversed() where !name.isEmpty {
            let walked = names[...place].filter { !$0.isEmpty }
            for condition in rest {
                guard let inner = Self.inner(condition.path, walked, name), isArray(upTo: place, document) else { continue }
                assigned[place, default: []].append(Condition(path: inner, value: condition.value))
                rest.removeAll { $0 == condition }
            }
        }
        // What is left is said of the elements of the last array that have such an attribute, or of the whole.
        let arrays = steps.indices.filter { if case .name = steps[$0] { isArray(upTo: $0, document) } else { false } }
        for condition in rest {
            if let last = arrays.last(where: { elements(upTo: $0, document).contains { Self.has($0, condition.path) } }) {
                assigned[last, default: []].append(condition)
            } else if Self.has(document, condition.path) || arrays.isEmpty {
                guard Self.meets(document, condition) else { throw Self.notFound(condition) }
            } else {
                throw Self.notFound(condition)
            }
        }
        var result: [[String]] = []
        try walk(steps[...], document, [], assigned, isAdding, &result)
        guard !result.isEmpty else {
            throw JSONPatchFailure(words: Words(en: "no element is meant by it", zh: "没有符合条件的元素"))
        }
        return result.reversed().map { JSONPointer($0) }
    }

    private static func notFound(_ condition: Condition) -> JSONPatchFailure {
        let name = condition.path.joined(separator: ".")
        return JSONPatchFailure(
            isConflict: true,
            words: Words(en: "nothing has \(name)=\(condition.value)", zh: "没有 \(name)=\(condition.value) 的内容"))
    }

    /// `quoteItem.note.author` of the array `quoteItem.note`, and `note.author` too: `author`.
    private static func inner(_ path: [String], _ walked: [String], _ name: String) -> [String]? {
        if path.count > walked.count, Array(path.prefix(walked.count)) == walked { return Array(path.dropFirst(walked.count)) }
        return path.count > 1 && path[0] == name ? Array(path.dropFirst()) : nil
    }

    private static func has(_ value: JSONValue, _ path: [String]) -> Bool {
        guard let object = value.object else { return false }
        return !AttributePath(path).values(in: object).isEmpty
    }

    private static func meets(_ value: JSONValue, _ condition: Condition) -> Bool {
        guard let object = value.object else { return condition.path.isEmpty && TMFMatch.text(value) == condition.value }
        return AttributePath(condition.path).values(in: object).contains { TMFMatch.text($0) == condition.value }
    }

    /// All values at a step, whichever elements of arrays lie on the way.
    private func values(upTo place: Int, _ document: JSONValue) -> [JSONValue] {
        steps[...place].reduce([document]) { values, step in
            values.flatMap { value -> [JSONValue] in
                switch (step, value) {
                case (.name(let name), .object(let fields)): fields[name].map { [$0] } ?? []
                case (.name(let name), .array(let items)): items.compactMap { $0.object?[name] }
                case (_, .array(let items)): items
                default: []
                }
            }
        }
    }

    private func elements(upTo place: Int, _ document: JSONValue) -> [JSONValue] {
        values(upTo: place, document).flatMap { $0.array ?? [$0] }
    }

    private func isArray(upTo place: Int, _ document: JSONValue) -> Bool {
        values(upTo: place, document).contains { $0.array != nil }
    }

    private func walk(
        _ rest: ArraySlice<Step>, _ value: JSONValue, _ path: [String], _ assigned: [Int: [Condition]], _ isAdding: Bool,
        _ result: inout [[String]]
    ) throws {
        guard let step = rest.first else { return result.append(path) }
        let next = rest.dropFirst()
        switch (step, value) {
        case (.name(let name), .object(let fields)):
            guard let inside = fields[name] else {
                if next.isEmpty, isAdding { result.append(path + [name]) }
                return
            }
            let here = path + [name]
            guard case .array(let items) = inside else { return try walk(next, inside, here, assigned, isAdding, &result) }
            let wanted = assigned[rest.startIndex]
            if next.isEmpty, wanted == nil {
                // The array itself; to it, one more is added.
                return result.append(isAdding ? here + ["-"] : here)
            }
            if let wanted {
                for (number, item) in items.enumerated() where wanted.allSatisfy({ Self.meets(item, $0) }) {
                    try walk(next, item, here + [String(number)], assigned, isAdding, &result)
                }
            } else {
                try walkInto(items, next, here, assigned, isAdding, &result)
            }
        default: try walkOther(step, next, value, path, assigned, isAdding, &result)
        }
    }

    /// An array of which nothing was said: the next step may say it; else it must have one element.
    private func walkInto(
        _ items: [JSONValue], _ next: ArraySlice<Step>, _ here: [String], _ assigned: [Int: [Condition]], _ isAdding: Bool,
        _ result: inout [[String]]
    ) throws {
        if case .name = next.first {
            guard items.count == 1 else {
                throw JSONPatchFailure(words: Words(
                    en: "“\(here.joined(separator: "/"))” has \(items.count) elements: say which, as in ?id=5",
                    zh: "“\(here.joined(separator: "/"))”有 \(items.count) 个元素，请指明其一，例如 ?id=5"))
            }
            return try walk(next, items[0], here + ["0"], assigned, isAdding, &result)
        }
        try walk(next, .array(items), here, assigned, isAdding, &result)
    }

    private func walkOther(
        _ step: Step, _ next: ArraySlice<Step>, _ value: JSONValue, _ path: [String], _ assigned: [Int: [Condition]],
        _ isAdding: Bool, _ result: inout [[String]]
    ) throws {
        guard case .array(let items) = value else { return }
        for (number, item) in items.enumerated() {
            let isMeant =
                switch step {
                case .name: false
                case .index(let index): index == number
                case .every: true
                case .those(let conditions): conditions.allSatisfy { Self.meets(item, $0) }
                }
            if isMeant { try walk(next, item, path + [String(number)], assigned, isAdding, &result) }
        }
        if case .index(let index) = step, index == items.count, next.isEmpty, isAdding { result.append(path + ["-"]) }
    }
}

/// The part of JSONPath that names places: `.name`, `['name']`, `[0]`, `[*]`, `[?(@.a.b=="x" && @.c==5)]`.
struct JSONPathReader {
    private var rest: Substring
    init(_ text: Substring) { rest = text }

    mutating func steps() throws -> [JSONPatchQuery.Step] {
        var steps: [JSONPatchQuery.Step] = []
        while let character = rest.popFirst() {
            switch character {
            case ".":
                let name = rest.prefix { !".[".contains($0) }
                guard !name.isEmpty else { throw bad() }
                rest = rest.dropFirst(name.count)
                steps.append(name == "*" ? .every : .name(String(name)))
            case "[": steps.append(try bracket())
            default: throw bad()
            }
        }
        return steps
    }

    private func bad() -> JSONPatchFailure {
        JSONPatchFailure(words: Words(
            en: "this is no path such as $.note[?(@.id==\"1\")].text", zh: "路径格式应类似 $.note[?(@.id==\"1\")].text"))
    }

    private mutating func bracket() throws -> JSONPatchQuery.Step {
        if rest.hasPrefix("?(") {
            rest = rest.dropFirst(2)
            var conditions: [JSONPatchQuery.Condition] = []
            repeat { conditions.append(try condition()) } while take("&&")
            guard take(")"), take("]"), conditions.count <= JSONPatchQuery.conditionsMax else { throw bad() }
            return .those(conditions)
        }
        if let quoted = try quoted() {
            guard take("]") else { throw bad() }
            return .name(quoted)
        }
        let inside = rest.prefix { $0 != "]" }
        rest = rest.dropFirst(inside.count)
        guard take("]") else { throw bad() }
        if inside == "*" { return .every }
        guard let index = Int(inside), index >= 0 else { throw bad() }
        return .index(index)
    }

    private mutating func condition() throws -> JSONPatchQuery.Condition {
        skip()
        guard take("@.") else { throw bad() }
        let name = rest.prefix { $0.isLetter || $0.isNumber || "._@-".contains($0) }
        rest = rest.dropFirst(name.count)
        skip()
        guard take("=="), !name.isEmpty else { throw bad() }
        skip()
        let value: String
        if let text = try quoted() {
            value = text
        } else {
            let word = rest.prefix { !"&) ".contains($0) }
            rest = rest.dropFirst(word.count)
            value = String(word)
        }
        skip()
        return JSONPatchQuery.Condition(path: name.split(separator: ".").map(String.init), value: value)
    }

    private mutating func quoted() throws -> String? {
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
        rest.removeFirst()
        let text = rest.prefix { $0 != quote }
        rest = rest.dropFirst(text.count)
        guard rest.popFirst() == quote else { throw bad() }
        return String(text)
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    private mutating func skip() { while rest.first == " " { rest.removeFirst() } }
}
