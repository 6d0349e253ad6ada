import Kernel
import Platform
import Storage
import Web

/// The interface as OpenAPI 3.1, made from what the routes are made from.
package struct TMFOpenAPI: Sendable {
    package let resources: [TMFResource]
    package let version: String
    /// `https://crm.example.com`.
    package let origin: String

    package init(_ resources: [TMFResource], version: String, origin: String) {
        self.resources = resources + resources.compactMap(\.version5)
        self.version = version
        self.origin = origin
    }

    /// - Parameter tenant: whose tables tell what lists are narrowed and ordered by.
    package func document(_ tenant: Tenant) -> JSONValue {
        var paths: JSONObject = [:]
        var schemas: JSONObject = Self.hubSchemas.merging(["Error": Self.error]) { first, _ in first }
        var scopes: JSONObject = [:]
        for resource in resources {
            let table = resource.store(tenant).table
            for (path, operations) in self.paths(resource, table) { paths[path] = operations }
            for (name, schema) in self.schemas(resource) { schemas[name] = schema }
            scopes[resource.api.readScope] = .string("Read TMF\(resource.api.number)")
            if resource.verbs.contains(where: { $0 != .list && $0 != .read }) {
                scopes[resource.api.writeScope] = .string("Write TMF\(resource.api.number)")
            }
        }
        for resources in Dictionary(grouping: resources, by: \.api.number).values {
            guard let api = resources.first?.api else { continue }
            for version in [4, 5] {
                let types = resources.filter { ($0.face == nil) == (version == 4) && $0.isTold }.map(\.type)
                if types.isEmpty { continue }
                let own = Self.hubPaths(api, version: version, types: types, errors: Self.errors)
                paths.merge(own) { _, new in new }
            }
        }
        return .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("Switchboard, TM Forum Open APIs"), "version": .string(version),
                "description": .string(
                    "TM Forum Open APIs (v4; 632, 629 and 621 in v5 too, under /v5/: the same resources by the same ids). Any attribute can be a filter: `name=value`, `name.gt=value`; dotted names reach into objects and arrays. Attributes that a specification does not know are kept and given back."
                ),
            ]),
            "servers": .array([.object(["url": .string(origin)])]),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object(schemas), "parameters": .object(Self.parameters), "responses": .object(Self.responses),
                "securitySchemes": .object([
                    "oauth2": .object([
                        "type": .string("oauth2"),
                        "flows": .object([
                            "clientCredentials": .object([
                                "tokenUrl": .string(origin + "/oauth/token"), "scopes": .object(scopes),
                            ])
                        ]),
                    ])
                ]),
            ]),
        ])
    }

    // MARK: Paths

    private func paths(_ resource: TMFResource, _ table: TMFTable) -> [String: JSONValue] {
        var collection: JSONObject = [:]
        var one: JSONObject = [:]
        for verb in resource.verbs {
            let operation = operation(verb, resource, table)
            switch verb {
            case .list: collection["get"] = operation
            case .create: collection["post"] = operation
            case .read: one["get"] = operation
            case .change: one["patch"] = operation
            case .remove: one["delete"] = operation
            }
        }
        var result: [String: JSONValue] = [:]
        if !collection.isEmpty { result[resource.path] = .object(collection) }
        if !one.isEmpty {
            one["parameters"] = .array([Self.reference("parameters/id")])
            result[resource.path + "/{id}"] = .object(one)
        }
        return result
    }

    private func operation(_ verb: TMFResource.Verb, _ resource: TMFResource, _ table: TMFTable) -> JSONValue {
        let isWrite = verb != .list && verb != .read
        let words: [TMFResource.Verb: String] = [
            .list: "list", .read: "retrieve", .create: "create", .change: "patch", .remove: "delete",
        ]
        let type = resource.type
        var parameters: [JSONValue] = verb == .remove ? [] : [fields(resource)]
        if verb == .list {
            parameters += ["offset", "limit", "sort", "after", "before"].map { Self.reference("parameters/\($0)") }
            parameters += filters(resource, table)
        }
        if verb == .read { parameters.append(Self.reference("parameters/ifNoneMatch")) }
        if verb == .change || verb == .remove { parameters.append(Self.reference("parameters/ifMatch")) }
        if isWrite { parameters.append(Self.reference("parameters/idempotencyKey")) }
        var operation: JSONObject = [
            "operationId": .string("\(words[verb] ?? "")_\(mark(resource))_\(type)"),
            "tags": .array([.string("TMF\(resource.api.number)" + (resource.face == nil ? "" : " version 5"))]),
            "summary": .string("\(words[verb]?.capitalized ?? "") \(type)"), "parameters": .array(parameters),
            "security": .array([
                .object(["oauth2": .array([.string(isWrite ? resource.api.writeScope : resource.api.readScope)])])
            ]),
        ]
        let whole = Self.reference("schemas/\(name(resource, type))")
        if verb == .create {
            operation["requestBody"] = .object([
                "required": .bool(true),
                "content": Self.content(["application/json": Self.reference("schemas/\(name(resource, type))_Create")]),
            ])
        }
        if verb == .change {
            let object: JSONValue = .object(["type": .string("object")])
            let patch: JSONValue = .object(["type": .string("array"), "items": Self.step])
            operation["requestBody"] = .object([
                "required": .bool(true),
                "content": Self.content([
                    "application/merge-patch+json": object, "application/json": object, "application/json-patch+json": patch,
                    "application/json-patch-query+json": patch,
                ]),
            ])
        }
        operation["responses"] = .object(answers(verb, resource, whole))
        return .object(operation)
    }

    private func answers(_ verb: TMFResource.Verb, _ resource: TMFResource, _ whole: JSONValue) -> JSONObject {
        var result: JSONObject = [:]
        let one: (String) -> JSONValue = { words in
            .object(["description": .string(words), "content": Self.content(["application/json": whole])])
        }
        switch verb {
        case .list:
            let page: (String) -> JSONValue = { words in
                .object([
                    "description": .string(words),
                    "headers": .object(
                        Dictionary(
                            uniqueKeysWithValues: ["X-Total-Count": "integer", "X-Result-Count": "integer", "Link": "string"].map {
                                ($0.key, .object(["schema": .object(["type": .string($0.value)])]))
                            })),
                    "content": Self.content(["application/json": .object(["type": .string("array"), "items": whole])]),
                ])
            }
            result["200"] = page("All of them")
            result["206"] = page("A part of them; the header Link leads to the rest")
        case .read:
            result["200"] = one("The \(resource.type)")
            result["304"] = .object(["description": .string("If-None-Match names the present version")])
        case .create: result["201"] = one("Made; the header Location says where it is")
        case .change: result["200"] = one("The whole \(resource.type) as it is now")
        case .remove: result["204"] = .object(["description": .string("Removed")])
        }
        return result.merging(Self.errors) { own, _ in own }
    }

    /// Which names `fields` may have.
    private func fields(_ resource: TMFResource) -> JSONValue {
        .object([
            "name": .string("fields"), "in": .string("query"), "required": .bool(false), "style": .string("form"), "explode": .bool(false),
            "schema": .object([
                "type": .string("array"), "minItems": .int(1), "items": Self.reference("schemas/\(name(resource, resource.type))_Field"),
            ]),
            "description": .string("Names of attributes to answer with; `none` = id and href only. A name that is not known is 400"),
        ])
    }

    /// Attributes and what is in them; deeper names are understood too, and endless in types that hold themselves.
    private func fieldNames(_ resource: TMFResource) -> JSONValue {
        let names = (resource.asked.types[resource.type]?.attributes ?? []).flatMap { attribute -> [String] in
            guard case .object(let inner) = attribute.kind else { return [attribute.name] }
            return [attribute.name] + (resource.asked.types[inner]?.attributes ?? []).map { attribute.name + "." + $0.name }
        }
        return .object(["type": .string("string"), "enum": .array((["none"] + names.sorted()).map { .string($0) })])
    }

    private func filters(_ resource: TMFResource, _ table: TMFTable) -> [JSONValue] {
        table.columns.compactMap { column in
            let path = resource.face?.shown(column.path) ?? column.path
            let name = path.description
            guard let kind = try? resource.asked.target(path, of: resource.type, parameter: name).kind else { return nil }
            var schema = Self.schema(kind, resource) { self.name(resource, $0) }
            // Several values are "or", and a text may be quoted.
            if case .code = kind { schema = .object(["type": .string("string")]) }
            return .object([
                "name": .string(name), "in": .string("query"), "schema": schema,
                "description": .string(column.sorts ? "Narrows the list by an index; the list can be ordered by it" : "Narrows the list by an index"),
            ])
        }
    }

    // MARK: Schemas

    /// Types of two specifications that are called alike are not the same.
    private func name(_ resource: TMFResource, _ type: String) -> String { "TMF\(mark(resource))_\(type)" }

    private func mark(_ resource: TMFResource) -> String { "\(resource.api.number)" + (resource.face == nil ? "" : "v5") }

    private func schemas(_ resource: TMFResource) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        var open = [resource.type]
        while let type = open.popLast() {
            guard result[name(resource, type)] == nil, let known = resource.asked.types[type] else { continue }
            result[name(resource, type)] = object(known, resource, isNew: false)
            for attribute in known.attributes { if case .object(let inner) = attribute.kind { open.append(inner) } }
        }
        result[name(resource, resource.type) + "_Field"] = fieldNames(resource)
        if resource.verbs.contains(.create), let type = resource.asked.types[resource.type] {
            result[name(resource, resource.type) + "_Create"] = object(type, resource, isNew: true)
        }
        return result
    }

    private func object(_ type: TMFSchema.ObjectType, _ resource: TMFResource, isNew: Bool) -> JSONValue {
        var properties: JSONObject = [:]
        var required: [JSONValue] = []
        // What lies within is the same in both directions.
        let isAsked = isNew || type.name != resource.type
        for attribute in type.attributes where !(isNew && attribute.isServers && attribute.name != resource.states?.attribute) {
            var schema = Self.schema(attribute.kind, resource) { name(resource, $0) }
            // What a client sent comes back as it was sent, in forms that the examples of TM Forum have too.
            if attribute.kind == .dateTime, !isNew { schema = Self.time }
            let isMandatory = isAsked && attribute.isMandatory && (isNew || !attribute.isServers)
            if isMandatory, attribute.kind == .text, !attribute.isArray {
                schema = .object(["type": .string("string"), "minLength": .int(1), "pattern": .string(#"^[^\u0000]*[^\s\u0000][^\u0000]*$"#)])
            }
            if attribute.isArray {
                var array: JSONObject = ["type": .string("array"), "items": schema]
                if isMandatory { array["minItems"] = .int(1) }
                schema = .object(array)
            }
            properties[attribute.name] = schema
            if isMandatory { required.append(.string(attribute.name)) }
        }
        if !isNew, type.name == resource.type { required = [.string("id"), .string("href")] }
        var result: JSONObject = ["type": .string("object"), "properties": .object(properties)]
        if !required.isEmpty { result["required"] = .array(required) }
        return .object(result)
    }

    /// A time as an answer has it: of RFC 3339, or a day alone, or without seconds or zone where its client wrote it so.
    private static let time = JSONValue.object([
        "type": .string("string"),
        "anyOf": .array([
            .object(["format": .string("date-time")]), .object(["format": .string("date")]),
            .object(["pattern": .string(#"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}"#)]),
        ]),
    ])

    private static func schema(_ kind: TMFSchema.Kind, _ resource: TMFResource, _ name: (String) -> String) -> JSONValue {
        switch kind {
        case .text: text
        case .dateTime: .object(["type": .string("string"), "format": .string("date-time")])
        case .date: .object(["type": .string("string"), "format": .string("date")])
        case .number: .object(["type": .string("number")])
        case .integer: .object(["type": .string("integer"), "format": .string("int64")])
        case .boolean: .object(["type": .string("boolean")])
        case .code(let words):
            words.isEmpty
                ? text
                : .object(["type": .string("string"), "enum": .array(words.map { .string($0) })])
        case .any: .object([:])
        case .object(let type): reference("schemas/\(name(type))")
        }
    }

    /// No text has U+0000: not every engine has a place for it.
    private static let text: JSONValue = .object(["type": .string("string"), "pattern": .string(#"^[^\u0000]*$"#)])

    // MARK: What all share

    private static let errors: JSONObject = Dictionary(
        uniqueKeysWithValues: [
            "400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "500", "503",
        ].map { ($0, reference("responses/error")) })

    static func reference(_ place: String) -> JSONValue { .object(["$ref": .string("#/components/" + place)]) }

    static func content(_ types: [String: JSONValue]) -> JSONValue {
        .object(types.mapValues { .object(["schema": $0]) })
    }

    /// One operation of a JSON patch (RFC 6902; with a filter in `path`, TMF630).
    private static let step: JSONValue = .object([
        "type": .string("object"), "required": .array([.string("op"), .string("path")]),
        "properties": .object([
            "op": .object([
                "type": .string("string"),
                "enum": .array(["add", "remove", "replace", "move", "copy", "test"].map { .string($0) }),
            ]),
            "path": .object(["type": .string("string"), "pattern": .string("^/")]),
            "from": .object(["type": .string("string"), "pattern": .string("^/")]), "value": .object([:]),
        ]),
    ])

    private static let error: JSONValue = .object([
        "type": .string("object"),
        "required": .array([.string("code"), .string("reason")]),
        "properties": .object(
            Dictionary(
                uniqueKeysWithValues: ["code", "reason", "message", "status", "referenceError", "@type"].map {
                    ($0, .object(["type": .string("string")]))
                })),
    ])

    private static let responses: JSONObject = [
        "error": .object([
            "description": .string("What was wrong, where, and what to do (TMF630)"),
            "content": content(["application/json": reference("schemas/Error")]),
        ])
    ]

    private static let parameters: JSONObject = {
        func parameter(_ name: String, _ place: String, _ schema: JSONObject, _ words: String, required: Bool = false) -> JSONValue {
            .object([
                "name": .string(name), "in": .string(place), "required": .bool(required), "schema": .object(schema),
                "description": .string(words),
            ])
        }
        let text: JSONObject = ["type": .string("string")]
        let cursor: JSONObject = ["type": .string("string"), "pattern": .string("^[A-Za-z0-9_=-]+$")]
        let tag: JSONObject = ["type": .string("string"), "pattern": .string(#"^(\*|(W/)?"[!#-~]+"( *, *(W/)?"[!#-~]+")*)$"#)]
        return [
            "id": parameter("id", "path", text, "The id of the resource", required: true),
            "offset": parameter(
                "offset", "query", ["type": .string("integer"), "minimum": .int(0), "maximum": .int(Int64(TMFQuery.offsetMax))],
                "How many to leave out; not together with `after` or `before` (400)"),
            "limit": parameter(
                "limit", "query", ["type": .string("integer"), "minimum": .int(0), "maximum": .int(Int64(TMFQuery.limitMax))],
                "How many to answer with"),
            "sort": parameter("sort", "query", text, "`-creationDate,name`: `-` is descending"),
            "after": parameter(
                "after", "query", ["type": .string("string"), "pattern": .string("^[A-Za-z0-9_=-]*$")],
                "A place in the list, from the header Link; empty: its beginning, with Links by cursor. Not together with `offset` or `before` (400)"),
            "before": parameter("before", "query", cursor, "A place in the list, from the header Link; not together with `offset` or `after` (400)"),
            "ifMatch": parameter("If-Match", "header", tag, "The ETag that was seen, or several of which one is the present: 412 when somebody else was faster. `*` = any"),
            "ifNoneMatch": parameter("If-None-Match", "header", text, "The ETag that is there already: 304 when it is still the present one"),
            "idempotencyKey": parameter(
                "Idempotency-Key", "header",
                [
                    "type": .string("string"), "minLength": .int(Int64(RequestKey.lengths.lowerBound)),
                    "maxLength": .int(Int64(RequestKey.lengths.upperBound)), "pattern": .string(#"^[!#-\[\]-~]+$"#),
                ], "A key of the caller's own: the same request again is answered as the first was"),
        ]
    }()
}
