import Kernel
import Web

/// One question about one attribute: any of the values under one operator.
package struct TMFCondition: Sendable, Equatable {
    package enum Operator: String, Sendable, CaseIterable {
        case eq, ne, gt, gte, lt, lte, regex
    }

    /// For those who wrote another one.
    static let operators = "=, >, >=, <, <=, *= and \(Operator.allCases.map { "." + $0.rawValue }.joined(separator: " "))"

    package let target: TMFSchema.Target
    package let comparison: Operator
    /// As they were sent, without quotes. One that is met is enough; for `ne` none may be.
    package let values: [String]

    package init(_ target: TMFSchema.Target, _ comparison: Operator, _ values: [String]) {
        self.target = target
        self.comparison = comparison
        self.values = values
    }
}

/// One attribute of an order.
package struct TMFSort: Sendable, Equatable {
    package let target: TMFSchema.Target
    package let isDescending: Bool
    /// What values are ordered by, where that is not the values themselves; the column says it (`TMFColumn.orderKey`).
    var key: (@Sendable (String) -> String)?
    package init(_ target: TMFSchema.Target, isDescending: Bool) {
        self.target = target
        self.isDescending = isDescending
    }

    package static func == (left: TMFSort, right: TMFSort) -> Bool {
        left.target == right.target && left.isDescending == right.isDescending
    }
}

/// What of a document is asked for.
package enum TMFFields: Sendable, Equatable {
    case all
    /// These and `id`, `href`; empty = only those (`fields=none`).
    case only([AttributePath])
}

/// Where a page lies.
package enum TMFPlace: Sendable, Equatable {
    case offset(Int)
    /// Behind, or before, the place that the cursor names; behind an empty one is all of it.
    case after(String), before(String)
}

/// The query string of a list, read against the resource's schema: nothing in it is ever ignored.
package struct TMFQuery: Sendable, Equatable {
    package static let limitDefault = 20, limitMax = 1_000
    /// A deeper page is asked for by cursor: counting through what lies before it would cost more and more.
    package static let offsetMax = 100_000
    package static let conditionsMax = 50, valuesMax = 500

    package var conditions: [TMFCondition] = []
    package var sort: [TMFSort] = []
    package var fields: TMFFields = .all
    package var limit = TMFQuery.limitDefault
    package var place = TMFPlace.offset(0)

    package init() {}

    /// - Parameter type: the resource's own type.
    /// - Throws: 400 naming the parameter and what is wrong with it.
    package init(_ query: Form, schema: TMFSchema, type: String) throws {
        var seen: [String: Int] = [:]
        for (name, value) in query.fields {
            switch name {
            case "fields": try read(fields: value, schema, type)
            case "sort": try read(sort: value, schema, type)
            case "limit": limit = try Self.number("limit", value, max: Self.limitMax)
            case "offset": try move(.offset(try Self.number("offset", value, max: Self.offsetMax)), seen)
            case "after": try move(.after(value), seen)
            case "before": try move(.before(value), seen)
            case "filter":
                throw Self.bad(name, Words(
                    en: "“filter” (JSONPath) is not offered. Name the attributes: relatedParty.id=5, status=a,b, name.regex=…",
                    zh: "不支持“filter”（JSONPath）。请直接使用属性名：relatedParty.id=5、status=a,b、name.regex=…"))
            default: try add(name, value, schema, type, &seen)
            }
            if ["offset", "after", "before"].contains(name) { seen[name] = -1 }
        }
    }

    /// `fields` of an answer that is no list.
    package static func fields(_ query: Form, schema: TMFSchema, type: String) throws -> TMFFields {
        var result = TMFQuery()
        for (name, value) in query.fields {
            guard name == "fields" else {
                throw bad(name, Words(
                    en: "“\(name)” is not understood here; only “fields” is.", zh: "此处不支持“\(name)”，仅支持“fields”。"))
            }
            try result.read(fields: value, schema, type)
        }
        return result.fields
    }

    static func bad(_ parameter: String, _ words: Words) -> CRMError {
        CRMError(
            "bad_parameter", status: 400, words,
            fields: [.init(field: parameter, code: "bad_parameter", message: words)])
    }

    // MARK: Paging, order, fields

    private mutating func move(_ to: TMFPlace, _ seen: [String: Int]) throws {
        guard !seen.values.contains(-1) else {
            throw Self.bad("offset", Words(
                en: "Only one of offset, after and before can be given.", zh: "offset、after、before 只能使用其中一个。"))
        }
        place = to
    }

    private static func number(_ name: String, _ text: String, max: Int) throws -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int(text) else {
            throw bad(name, Words(
                en: "“\(name)” must be a whole number of 0 or more, not “\(text.prefix(40))”.",
                zh: "“\(name)”必须是不小于 0 的整数，而不是“\(text.prefix(40))”。"))
        }
        guard value <= max else {
            let hint = name == "offset" ? Words(
                en: " Follow the Link header (after=…) to go deeper.", zh: "如需继续翻页，请使用 Link 头中的 after=…。")
                : Words(en: "", zh: "")
            throw bad(name, Words(
                en: "“\(name)” may be at most \(max).\(hint.en)", zh: "“\(name)”最大为 \(max)。\(hint.zh)"))
        }
        return value
    }

    private mutating func read(sort text: String, _ schema: TMFSchema, _ type: String) throws {
        for part in text.split(separator: ",") {
            // A plus in a query string is a space.
            let word = part.trimmed
            let isDescending = word.hasPrefix("-")
            let name = word.hasPrefix("-") || word.hasPrefix("+") ? String(word.dropFirst()) : word
            let target = try schema.target(AttributePath(name), of: type, parameter: "sort")
            if case .object = target.kind { throw Self.notAValue("sort", name) }
            guard !sort.contains(where: { $0.target == target }) else {
                throw Self.bad("sort", Words(en: "“sort” names “\(name)” twice.", zh: "“sort”重复使用了“\(name)”。"))
            }
            sort.append(TMFSort(target, isDescending: isDescending))
        }
        guard !sort.isEmpty, sort.count <= 5 else {
            throw Self.bad("sort", Words(
                en: "“sort” takes one to five attributes, such as -creationDate,name.", zh: "“sort”可使用 1 至 5 个属性，例如 -creationDate,name。"))
        }
    }

    private mutating func read(fields text: String, _ schema: TMFSchema, _ type: String) throws {
        var paths: [AttributePath] = []
        if case .only(let known) = fields { paths = known }
        for part in text.split(separator: ",") where part.trimmed != "none" {
            let path = AttributePath(part.trimmed)
            _ = try schema.target(path, of: type, parameter: "fields")
            if !paths.contains(path) { paths.append(path) }
            // An object of which a part is asked for is still one of its type.
            for needed in schema.mandatory(along: path, of: type) where !paths.contains(needed) { paths.append(needed) }
        }
        fields = .only(paths)
    }

    private static func notAValue(_ parameter: String, _ name: String) -> CRMError {
        bad(parameter, Words(
            en: "“\(name)” is an object: name one of its attributes, such as \(name).id.",
            zh: "“\(name)”是对象，请指定其下级属性，例如 \(name).id。"))
    }

    // MARK: Conditions

    private mutating func add(
        _ name: String, _ value: String, _ schema: TMFSchema, _ type: String, _ seen: inout [String: Int]
    ) throws {
        let (path, comparison, text) = try Self.split(name, value, schema, type)
        let target = try schema.target(path, of: type, parameter: path.description)
        if case .object = target.kind { throw Self.notAValue(path.description, path.description) }
        var values = comparison == .regex ? [text] : try Self.list(text, path.description)
        if comparison != .regex, [.dateTime, .date].contains(target.kind) { values = values.map(TMFTime.asked) }
        for value in values { try TMFMatch.check(value, target, comparison) }
        let key = "\(path) \(comparison.rawValue)"
        if let place = seen[key] {
            let earlier = conditions[place]
            conditions[place] = TMFCondition(target, comparison, earlier.values + values)
        } else {
            seen[key] = conditions.count
            conditions.append(TMFCondition(target, comparison, values))
        }
        let count = conditions.reduce(0) { $0 + $1.values.count }
        guard conditions.count <= Self.conditionsMax, count <= Self.valuesMax else {
            throw Self.bad(path.description, Words(
                en: "A list takes at most \(Self.conditionsMax) conditions with \(Self.valuesMax) values in all.",
                zh: "一次查询最多 \(Self.conditionsMax) 个条件、共 \(Self.valuesMax) 个值。"))
        }
    }

    /// What stands at the end of a name before the sign of equality, or inside of it when that was encoded.
    private static let signs: [(String, TMFCondition.Operator)] = [
        (">=", .gte), ("<=", .lte), ("*=", .regex), ("!=", .ne), ("==", .eq), (">", .gt), ("<", .lt), ("=", .eq),
    ]

    /// `a.gt=5`, `a>=5`, `a%3E5`, `a*=x`.
    static func split(_ name: String, _ value: String, _ schema: TMFSchema, _ type: String) throws
        -> (AttributePath, TMFCondition.Operator, String)
    {
        if let at = name.firstIndex(where: { "<>=*!".contains($0) }) {
            let path = AttributePath(String(name[..<at]))
            var rest = String(name[at...])
            // The sign of equality that parted name and value.
            if !value.isEmpty || ["<", ">", "*", "!"].contains(rest) { rest += "=" + value }
            guard let (sign, comparison) = signs.first(where: { rest.hasPrefix($0.0) }) else {
                throw bad(path.description, Words(
                    en: "“\(name)”: the operator is not known. Known are \(TMFCondition.operators).",
                    zh: "“\(name)”：运算符无法识别，可用的有 \(TMFCondition.operators)。"))
            }
            return (path, comparison, String(rest.dropFirst(sign.count)))
        }
        let path = AttributePath(name)
        guard let last = path.names.last, path.names.count > 1, let comparison = TMFCondition.Operator(rawValue: last) else {
            return (path, .eq, value)
        }
        // An attribute that is called as an operator is an attribute. What may be anything has none of that name.
        let whole = AttributePath(Array(path.names.dropLast()))
        let isAttribute = (try? schema.target(path, of: type, parameter: name)) != nil
        let isFree = (try? schema.target(whole, of: type, parameter: name))?.kind == .any
        return isAttribute && !isFree ? (path, .eq, value) : (whole, comparison, value)
    }

    /// `a,b`, `a;b`, `"a,b";c`; within quotes a doubled quote is a quote. By scalars: a quote with an accent behind it is one `Character`
    /// and would be none of these.
    static func list(_ text: String, _ parameter: String) throws -> [String] {
        var values: [String] = []
        var value = String.UnicodeScalarView()
        var isQuoted = false
        var wasQuoted = false
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"" where isQuoted && rest.first == "\"":
                value.append("\"")
                rest.removeFirst()
            case "\"" where isQuoted: isQuoted = false
            case "\"" where value.isEmpty && !wasQuoted:
                isQuoted = true
                wasQuoted = true
            case "," where !isQuoted, ";" where !isQuoted:
                values.append(String(value))
                value = String.UnicodeScalarView()
                wasQuoted = false
            default: value.append(scalar)
            }
        }
        guard !isQuoted else {
            throw bad(parameter, Words(
                en: "“\(parameter)”: a quoted value does not end.", zh: "“\(parameter)”：引号没有闭合。"))
        }
        return values + [String(value)]
    }
}
