import Kernel
import Web

/// Version 5 of a resource: the same rows and rules, other names and shapes. What is not named here is the same in both.
package struct TMFFace: Sendable {
    /// An attribute that is called or shaped otherwise.
    package struct Rule: Sendable {
        let old: String
        let new: TMFSchema.Attribute
        /// Of types that version 4 does not have.
        let types: [TMFSchema.ObjectType]
        /// Ways of version 5 into it, and those of version 4.
        let paths: [String: String]
        let out: @Sendable (JSONValue) -> JSONValue
        let back: @Sendable (JSONValue) -> JSONValue
    }

    let rules: [Rule]
    /// In version 5 each object says of what type it is: the types of the resource.
    private var types: (schema: TMFSchema, type: String)?

    package init(_ rules: [Rule]) { self.rules = rules }

    func typed(_ schema: TMFSchema, _ type: String) -> TMFFace {
        var result = self
        result.types = (schema, type)
        return result
    }

    /// The schema of version 4 with the attributes of version 5 in their place.
    func schema(_ schema: TMFSchema, of type: String) -> TMFSchema {
        var result = schema
        for rule in rules { result.replace(rule.old, with: rule.new, of: type, rule.types) }
        result.require("@type", of: type)
        return result
    }

    /// A document of version 4 as version 5 has it.
    package func shown(_ document: JSONObject) -> JSONObject {
        let document = types.map { Self.typed(document, $0.schema, of: $0.type, isNamed: true) } ?? document
        var result = document
        for rule in rules {
            guard let value = document[rule.old] else { continue }
            if rule.old != rule.new.name { result[rule.old] = nil }
            result[rule.new.name] = rule.out(value)
        }
        return result
    }

    /// What a client of version 5 sent, as version 4 has it.
    package func stored(_ document: JSONObject) -> JSONObject {
        var result = document
        for rule in rules {
            guard let value = document[rule.new.name] else { continue }
            if rule.old != rule.new.name { result[rule.new.name] = nil }
            result[rule.old] = value == .null ? .null : rule.back(value)
        }
        return types.map { Self.typed(result, $0.schema, of: $0.type, isNamed: false) } ?? result
    }

    /// Objects of which version 5 does not say of what type they are.
    private static let plain: Set<String> = ["TimePeriod", "Money", "Quantity", "Duration"]

    /// Gives the objects inside their `@type`, or takes it from those whose type the specification says anyway.
    private static func typed(_ object: JSONObject, _ schema: TMFSchema, of type: String, isNamed: Bool) -> JSONObject {
        guard let known = schema.types[type] else { return object }
        var result = object
        for (name, value) in object {
            guard case .object(let inner)? = known[name]?.kind, !plain.contains(inner) else { continue }
            func one(_ value: JSONValue) -> JSONValue {
                guard let fields = value.object else { return value }
                var typed = typed(fields, schema, of: inner, isNamed: isNamed)
                if isNamed, typed["@type"] == nil { typed["@type"] = .string(inner) }
                if !isNamed, typed["@type"] == .string(inner) { typed["@type"] = nil }
                return .object(typed)
            }
            if let items = value.array { result[name] = .array(items.map(one)) } else { result[name] = one(value) }
        }
        return result
    }

    /// The document of version 4 after a change of the one of version 5: what was not changed stays to the letter.
    func merged(_ patched: JSONObject, shown: JSONObject, row: JSONObject) -> JSONObject {
        var result = row
        for name in Set(patched.keys).union(shown.keys) where patched[name] != shown[name] {
            for (old, value) in stored([name: patched[name] ?? .null]) { result[old] = value == .null ? nil : value }
        }
        return result
    }

    /// The way of version 5 to what a way of version 4 leads to.
    package func shown(_ path: AttributePath) -> AttributePath {
        guard let rule = rules.first(where: { $0.old == path.names.first }) else { return path }
        if let known = rule.paths.filter({ $0.value == path.description }).keys.min() { return AttributePath(known) }
        return AttributePath([rule.new.name] + path.names.dropFirst())
    }

    /// The way of version 4 to what a way of version 5 leads to.
    func path(_ path: AttributePath) -> AttributePath {
        for rule in rules where path.names.first == rule.new.name {
            let text = path.description
            if let known = rule.paths[text] { return AttributePath(known) }
            return AttributePath([rule.old] + path.names.dropFirst())
        }
        return path
    }

    // MARK: Shapes

    private static func each(_ value: JSONValue, _ body: (JSONObject) -> JSONObject) -> JSONValue {
        .array((value.array ?? []).map { item in item.object.map { .object(body($0)) } ?? item })
    }

    /// `{role, partyOrPartyRole: {id, name, …}}` for `{role, id, name, …}`.
    /// - Parameter own: what version 4 calls the whole.
    private static func wrapped(_ attribute: String, _ inner: String, _ type: String, _ outer: String, own: String) -> Rule {
        let reference = TMFSchema.ObjectType(
            "V5" + type, ["id", "href", "name", "@type", "@referredType", "@baseType", "@schemaLocation"].map { .init($0, .text) })
        let whole = TMFSchema.ObjectType(
            "V5" + outer, [.init("role", .text), .init("@type", .text), .init(inner, .object("V5" + type))])
        return Rule(
            old: attribute, new: .init(attribute, .object("V5" + outer), isArray: true), types: [reference, whole],
            paths: Dictionary(
                uniqueKeysWithValues: ["id", "href", "name", "@referredType"].map { ("\(attribute).\(inner).\($0)", "\(attribute).\($0)") }),
            out: { value in
                each(value) { item in
                    var inside = item
                    inside["role"] = nil
                    if inside["@type"] == nil || inside["@type"] == .string(own) { inside["@type"] = .string(type) }
                    var result: JSONObject = ["@type": .string(outer), inner: .object(inside)]
                    result["role"] = item["role"]
                    return result
                }
            },
            back: { value in
                each(value) { item in
                    guard var result = item[inner]?.object else { return item }
                    if result["@type"] == .string(type) { result["@type"] = nil }
                    result["role"] = item["role"]
                    return result
                }
            })
    }

    package static let relatedParty = wrapped(
        "relatedParty", "partyOrPartyRole", "PartyRef", "RelatedPartyOrPartyRole", own: "RelatedParty")
    package static let relatedEntity = wrapped("relatedEntity", "entity", "EntityRef", "RelatedEntity", own: "RelatedEntity")

    /// An array of objects whose attributes are called otherwise.
    private static func renamed(
        _ old: String, _ new: String, _ type: String, own: String, _ names: [(old: String, new: String, kind: TMFSchema.Kind)],
        _ more: [TMFSchema.Attribute] = []
    ) -> Rule {
        Rule(
            old: old, new: .init(new, .object("V5" + type), isArray: true),
            types: [TMFSchema.ObjectType("V5" + type, names.map { .init($0.new, $0.kind) } + [.init("@type", .text)] + more)],
            paths: Dictionary(uniqueKeysWithValues: names.map { ("\(new).\($0.new)", "\(old).\($0.old)") }),
            out: { value in
                each(value) { item in
                    var result = item
                    for name in names where name.old != name.new { result[name.new] = result.removeValue(forKey: name.old) }
                    if result["@type"] == nil || result["@type"] == .string(own) { result["@type"] = .string(type) }
                    return result
                }
            },
            back: { value in
                each(value) { item in
                    var result = item
                    for name in names where name.old != name.new { result[name.old] = result.removeValue(forKey: name.new) }
                    if result["@type"] == .string(type) { result["@type"] = nil }
                    return result
                }
            })
    }

    package static let statusChange = renamed(
        "statusChange", "statusChangeHistory", "StatusChange", own: "StatusChange",
        [("status", "status", .text), ("changeDate", "statusChangeDate", .dateTime), ("changeReason", "statusChangeReason", .text)])

    package static let externalReference = renamed(
        "externalReference", "externalReference", "ExternalIdentifier", own: "ExternalReference",
        [("name", "id", .text), ("externalReferenceType", "externalIdentifierType", .text)], [.init("owner", .text)])

    /// One number of another system, of which version 5 has many.
    package static let externalIdentifier = Rule(
        old: "externalId", new: .init("externalIdentifier", .object("V5ExternalIdentifierOfOne"), isArray: true),
        types: [
            TMFSchema.ObjectType(
                "V5ExternalIdentifierOfOne", ["id", "owner", "externalIdentifierType", "@type"].map { .init($0, .text) })
        ],
        paths: ["externalIdentifier.id": "externalId"],
        out: { .array([.object(["id": $0, "@type": .string("ExternalIdentifier")])]) },
        back: { $0.array?.first?["id"] ?? .null })

    /// `name` of a person for `fullName`.
    package static let fullName = Rule(
        old: "fullName", new: .init("name", .text), types: [], paths: [:], out: { $0 }, back: { $0 })

    private static let media: [(type: String, marks: [String], old: String)] = [
        ("EmailContactMedium", ["emailAddress"], "email"), ("PhoneContactMedium", ["phoneNumber"], "phone"),
        ("FaxContactMedium", ["faxNumber"], "fax"), ("SocialContactMedium", ["socialNetworkId"], "socialNetwork"),
        ("GeographicAddressContactMedium", ["street1", "street2", "city", "postCode", "stateOrProvince", "country"], "postalAddress"),
    ]

    /// A type for each medium, for one type with everything.
    package static let contactMedium = Rule(
        old: "contactMedium", new: .init("contactMedium", .object("V5ContactMedium"), isArray: true),
        types: [
            TMFSchema.ObjectType(
                "V5ContactMedium",
                [.init("preferred", .boolean), .init("contactType", .text), .init("@type", .text), .init("validFor", .object("TimePeriod"))]
                    + media.flatMap(\.marks).map { .init($0, .text) })
        ],
        paths: Dictionary(
            uniqueKeysWithValues: media.flatMap(\.marks).map { ("contactMedium.\($0)", "contactMedium.characteristic.\($0)") }
                + [("contactMedium.contactType", "contactMedium.mediumType")]),
        out: { value in
            each(value) { item in
                var result = item
                var inside = result.removeValue(forKey: "characteristic")?.object ?? [:]
                inside["@type"] = nil
                let medium = result.removeValue(forKey: "mediumType")
                result.merge(inside) { mine, _ in mine }
                result["@type"] = .string(media.first { $0.marks.contains { inside[$0] != nil } }?.type ?? "ContactMedium")
                if result["contactType"] == nil { result["contactType"] = medium }
                return result
            }
        },
        back: { value in
            each(value) { item in
                var result = item
                var inside: JSONObject = [:]
                for name in media.flatMap(\.marks) { inside[name] = result.removeValue(forKey: name) }
                let type = result.removeValue(forKey: "@type")?.string
                let known = media.first { $0.type == type } ?? media.first { $0.marks.contains { inside[$0] != nil } }
                result["mediumType"] = result.removeValue(forKey: "contactType") ?? known.map { .string($0.old) }
                result["characteristic"] = .object(inside)
                return result
            }
        })
}

extension TMFQuery {
    /// The same question about documents of version 4.
    func translated(_ face: TMFFace, _ schema: TMFSchema, _ type: String) throws -> TMFQuery {
        func target(_ target: TMFSchema.Target) throws -> TMFSchema.Target {
            // Version 4 keeps the types of parts only where they are not what the specification says anyway.
            guard target.path.names.count == 1 || target.path.names.last != "@type" else {
                let name = target.path.description
                throw TMFQuery.bad(name, Words(
                    en: "“\(name)”: lists of version 5 are not filtered or sorted by the @type of a part. Name an attribute of the part instead.",
                    zh: "“\(name)”：第 5 版的列表不能按下级对象的 @type 过滤或排序，请改用该对象的其他属性。"))
            }
            let path = face.path(target.path)
            return path == target.path ? target : try schema.target(path, of: type, parameter: target.path.description)
        }
        var result = self
        result.conditions = try conditions.map { TMFCondition(try target($0.target), $0.comparison, $0.values) }
        result.sort = try sort.map { TMFSort(try target($0.target), isDescending: $0.isDescending) }
        return result
    }
}
