import Kernel
import Web

/// The interface as a collection for Postman (schema 2.1), made from what the routes are made from.
package struct TMFPostman: Sendable {
    package let resources: [TMFResource]
    /// What is sent to make one of a resource, over what its specification wants of every one.
    private let bodies: [String: JSONObject]

    package init(_ resources: [TMFResource], bodies: [String: JSONObject]) {
        self.resources = resources
        self.bodies = bodies
    }

    package var document: JSONValue {
        let groups = Dictionary(grouping: resources, by: \.api.number).sorted { $0.key < $1.key }
        return .object([
            "info": .object([
                "name": .string("Switchboard, TM Forum Open APIs"),
                "schema": .string("https://schema.getpostman.com/json/collection/v2.1.0/collection.json"),
            ]),
            "variable": .array(
                ([("baseUrl", "http://127.0.0.1:8080"), ("clientId", ""), ("clientSecret", ""), ("token", ""), ("aCustomer", ""), ("aPerson", "")]
                    + resources.map { (Self.variable($0), "") }).map {
                    .object(["key": .string($0.0), "value": .string($0.1)])
                }),
            "auth": .object([
                "type": .string("bearer"),
                "bearer": .array([.object(["key": .string("token"), "value": .string("{{token}}"), "type": .string("string")])]),
            ]),
            "item": .array([token] + beginning + groups.map { number, resources in
                .object(["name": .string("TMF\(number)"), "item": .array(items(resources))])
            }),
        ])
    }

    /// Gets a token and keeps it for the others.
    private var token: JSONValue {
        .object([
            "name": .string("Token"),
            "event": .array([
                .object([
                    "listen": .string("test"),
                    "script": .object([
                        "type": .string("text/javascript"),
                        "exec": .array([.string("pm.collectionVariables.set('token', pm.response.json().access_token);")]),
                    ]),
                ])
            ]),
            "request": .object([
                "method": .string("POST"), "auth": .object(["type": .string("noauth")]), "header": .array([]),
                "url": .object([
                    "raw": .string("{{baseUrl}}/oauth/token"), "host": .array([.string("{{baseUrl}}")]),
                    "path": .array([.string("oauth"), .string("token")]),
                ]),
                "body": .object([
                    "mode": .string("urlencoded"),
                    "urlencoded": .array(
                        [("grant_type", "client_credentials"), ("client_id", "{{clientId}}"), ("client_secret", "{{clientSecret}}")].map {
                            .object(["key": .string($0.0), "value": .string($0.1)])
                        }),
                ]),
            ]),
        ])
    }

    /// All are made, looked at and changed before the first is removed, the last made first.
    private func items(_ resources: [TMFResource]) -> [JSONValue] {
        func all(_ verb: TMFResource.Verb, _ resources: [TMFResource]) -> [JSONValue] {
            resources.filter { $0.verbs.contains(verb) }.map { item(verb, $0) }
        }
        return all(.create, resources) + all(.list, resources) + all(.read, resources) + all(.change, resources)
            + all(.remove, resources.reversed())
    }

    /// A customer that bodies name, and a person who is nobody's customer yet.
    private var beginning: [JSONValue] {
        func resource(_ type: String) -> TMFResource? { resources.first { $0.type == type } }
        guard let customer = resource("Customer"), let person = resource("Individual") else { return [] }
        return [
            item(.list, customer, named: "A customer", keeps: "aCustomer"), item(.create, person, named: "A person", keeps: "aPerson"),
        ]
    }

    /// Where the id of what was made is kept.
    private static func variable(_ resource: TMFResource) -> String { resource.name + "Id" }

    private static func keep(_ variable: String, isList: Bool) -> JSONValue {
        .array([
            .object([
                "listen": .string("test"),
                "script": .object([
                    "type": .string("text/javascript"),
                    "exec": .array([
                        .string("pm.collectionVariables.set('\(variable)', pm.response.json()\(isList ? "[0]" : "").id);")
                    ]),
                ]),
            ])
        ])
    }

    private func item(
        _ verb: TMFResource.Verb, _ resource: TMFResource, named name: String? = nil, keeps variable: String? = nil
    ) -> JSONValue {
        let isOne = verb != .list && verb != .create
        let method: String
        switch verb {
        case .list, .read: method = "GET"
        case .create: method = "POST"
        case .change: method = "PATCH"
        case .remove: method = "DELETE"
        }
        let path = resource.path.split(separator: "/").map(String.init) + (isOne ? [":id"] : [])
        var url: JSONObject = [
            "raw": .string("{{baseUrl}}/" + path.joined(separator: "/")), "host": .array([.string("{{baseUrl}}")]),
            "path": .array(path.map { .string($0) }),
        ]
        if isOne { url["variable"] = .array([.object(["key": .string("id"), "value": .string("{{\(Self.variable(resource))}}")])]) }
        if verb == .list {
            url["query"] = .array(
                [("limit", "20"), ("offset", "0"), ("fields", ""), ("sort", "")].map { name, value in
                    .object(["key": .string(name), "value": .string(value), "disabled": .bool(value.isEmpty)])
                })
        }
        var request: JSONObject = ["method": .string(method), "url": .object(url)]
        var headers: [(String, String)] = [("Accept", "application/json")]
        if verb == .create || verb == .change {
            let body: JSONObject = verb == .create ? example(resource) : [:]
            headers.append(("Content-Type", verb == .create ? "application/json" : "application/merge-patch+json"))
            request["body"] = .object(["mode": .string("raw"), "raw": .string(JSONValue.object(body).encoded())])
        }
        request["header"] = .array(headers.map { .object(["key": .string($0.0), "value": .string($0.1)]) })
        var result: JSONObject = ["name": .string(name ?? "\(method) \(resource.name)"), "request": .object(request)]
        let isKept = verb == .create || verb == .list && !resource.verbs.contains(.create)
        if let variable = variable ?? (isKept ? Self.variable(resource) : nil) {
            result["event"] = Self.keep(variable, isList: verb == .list)
        }
        return .object(result)
    }

    /// What has to be sent.
    private func example(_ resource: TMFResource) -> JSONObject {
        object(resource.type, resource.schema, depth: 0).merging(bodies[resource.name] ?? [:]) { $1 }
    }

    private func object(_ type: String, _ schema: TMFSchema, depth: Int) -> JSONObject {
        var result: JSONObject = [:]
        for attribute in schema.types[type]?.attributes ?? [] where attribute.isMandatory && !attribute.isServers {
            let value: JSONValue
            switch attribute.kind {
            case .text, .any: value = .string(attribute.name)
            case .dateTime: value = .string("2026-01-01T00:00:00Z")
            case .date: value = .string("2026-01-01")
            case .number, .integer: value = .int(1)
            case .boolean: value = .bool(true)
            case .code(let words): value = .string(words.first ?? "")
            case .object(let inner): value = .object(depth < 3 ? object(inner, schema, depth: depth + 1) : [:])
            }
            result[attribute.name] = attribute.isArray ? .array([value]) : value
        }
        guard depth > 0, result["id"] != nil else { return result }
        // What is referred to is the customer of the beginning, or lies elsewhere.
        if schema.directory?.family(type) == "Party" {
            result["id"] = .string("{{aCustomer}}")
            if schema.types[type]?["@referredType"] != nil { result["@referredType"] = .string("Customer") }
        } else if schema.types[type]?["href"] != nil {
            result["href"] = .string("https://other.example/\(type)/1")
        }
        return result
    }
}
