import Kernel
import Web

/// The interface as a collection for Postman (schema 2.1), made from what the routes are made from.
package struct TMFPostman: Sendable {
    package let resources: [TMFResource]

    package init(_ resources: [TMFResource]) { self.resources = resources }

    package var document: JSONValue {
        let groups = Dictionary(grouping: resources, by: \.api.number).sorted { $0.key < $1.key }
        return .object([
            "info": .object([
                "name": .string("Switchboard, TM Forum Open APIs"),
                "schema": .string("https://schema.getpostman.com/json/collection/v2.1.0/collection.json"),
            ]),
            "variable": .array(
                [("baseUrl", "http://127.0.0.1:8080"), ("clientId", ""), ("clientSecret", ""), ("token", "")].map {
                    .object(["key": .string($0.0), "value": .string($0.1)])
                }),
            "auth": .object([
                "type": .string("bearer"),
                "bearer": .array([.object(["key": .string("token"), "value": .string("{{token}}"), "type": .string("string")])]),
            ]),
            "item": .array([token] + groups.map { number, resources in
                .object([
                    "name": .string("TMF\(number)"),
                    "item": .array(
                        resources.flatMap { resource in
                            resource.verbs.sorted { $0.rawValue < $1.rawValue }.map { item($0, resource) }
                        }),
                ])
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

    private func item(_ verb: TMFResource.Verb, _ resource: TMFResource) -> JSONValue {
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
        if isOne { url["variable"] = .array([.object(["key": .string("id"), "value": .string("")])]) }
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
        return .object(["name": .string("\(method) \(resource.name)"), "request": .object(request)])
    }

    /// What has to be sent.
    private func example(_ resource: TMFResource) -> JSONObject {
        object(resource.type, resource.schema, depth: 0)
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
        return result
    }
}
