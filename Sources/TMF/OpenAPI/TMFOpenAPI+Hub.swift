import Web

/// The hubs of the interfaces in the description: subscribing, and what a subscriber is sent.
extension TMFOpenAPI {
    static let hubSchemas: JSONObject = {
        let text: JSONValue = .object(["type": .string("string")])
        func object(_ properties: [String: JSONValue], required: [String], isClosed: Bool = false) -> JSONValue {
            var result: JSONObject = [
                "type": .string("object"), "properties": .object(properties), "required": .array(required.map { .string($0) }),
            ]
            if isClosed { result["additionalProperties"] = .bool(false) }
            return .object(result)
        }
        let names = ["@type", "@baseType", "@schemaLocation"].map { ($0, text) }
        let asked: [String: JSONValue] = [
            "callback": .object([
                "type": .string("string"), "format": .string("uri"),
                "description": .string("An https address on the public internet, or of a host that the installation allows"),
            ]),
            "query": .object([
                "type": .string("string"), "maxLength": .int(Int64(HubQuery.lengthMax)),
                "description": .string(
                    "Conditions on the event and its resource, as in lists: `eventType=...&status=...`; `fields=` restricts what is sent"),
            ]),
        ]
        let kept = asked.merging(["id": text]) { first, _ in first }
        let secret: JSONValue = .object([
            "type": .string("string"), "description": .string("The key of the signatures (Standard Webhooks), shown this once"),
        ])
        let time: JSONValue = .object(["type": .string("string"), "format": .string("date-time")])
        let event: [String: JSONValue] = [
            "eventId": text, "eventTime": time, "eventType": text, "correlationId": text, "domain": text, "title": text, "fieldPath": text,
            "event": .object(["type": .string("object")]),
        ]
        let needed = ["eventId", "eventTime", "eventType", "event"]
        return [
            "Hub_Create": object(asked.merging(names) { first, _ in first }, required: ["callback"], isClosed: true),
            "Hub": object(kept, required: ["id", "callback"]),
            "Hub_Created": object(kept.merging(["secret": secret]) { first, _ in first }, required: ["id", "callback"]),
            "Event": object(event.merging(["timeOcurred": time]) { first, _ in first }, required: needed),
            "Event_v5": object(
                event.merging(["timeOccurred": time, "@type": text]) { first, _ in first }, required: needed + ["@type"]),
        ]
    }()

    /// The paths of the hub of one interface.
    static func hubPaths(_ api: TMFAPI, version: Int, types: [String], errors: JSONObject) -> [String: JSONValue] {
        let (base, isNext) = (api.base(version), version == 5)
        func operation(_ id: String, _ summary: String, _ answers: JSONObject, _ more: JSONObject = [:]) -> JSONValue {
            var result: JSONObject = [
                "operationId": .string("\(id)_\(api.number)_Hub" + (isNext ? "_v5" : "")),
                "tags": .array([.string("TMF\(api.number)" + (isNext ? " version 5" : ""))]),
                "summary": .string(summary), "security": .array([.object(["oauth2": .array([.string(api.readScope)])])]),
                "responses": .object(errors.merging(answers) { _, own in own }),
            ]
            result.merge(more) { _, new in new }
            return .object(result)
        }
        func answer(_ words: String, _ schema: JSONValue) -> JSONValue {
            .object(["description": .string(words), "content": content(["application/json": schema])])
        }
        let key: JSONValue = .array([reference("parameters/idempotencyKey")])
        let received: JSONObject = [
            "2XX": .object(["description": .string("Received; any other answer has it sent again")])
        ]
        let event: JSONValue = .object([
            "post": .object([
                "summary": .string("Events: " + types.flatMap { HubNames.all($0) }.joined(separator: ", ")),
                "requestBody": .object(["content": content(["application/json": reference("schemas/Event" + (isNext ? "_v5" : ""))])]),
                "responses": .object(received),
            ])
        ])
        return [
            base + "/hub": .object([
                "post": operation(
                    "subscribe", "Ask to be told of changes",
                    ["201": answer("Made; `secret` is the key of its signatures", reference("schemas/Hub_Created"))],
                    [
                        "parameters": key,
                        "requestBody": .object([
                            "required": .bool(true), "content": content(["application/json": reference("schemas/Hub_Create")]),
                        ]),
                        "callbacks": .object(["event": .object(["{$request.body#/callback}": event])]),
                    ]),
                "get": operation(
                    "list", "The client's own subscriptions",
                    ["200": answer("All of them", .object(["type": .string("array"), "items": reference("schemas/Hub")]))]),
            ]),
            base + "/hub/{id}": .object([
                "parameters": .array([reference("parameters/id")]),
                "get": operation("retrieve", "One subscription", ["200": answer("The subscription", reference("schemas/Hub"))]),
                "delete": operation(
                    "remove", "Be told no more", ["204": .object(["description": .string("Removed")])], ["parameters": key]),
            ]),
        ]
    }
}
