import Kernel
import Web

/// What a subscription wants to be told of one resource, read from its `query`:
/// `eventType=TroubleTicketStatusChangeEvent&troubleTicket.status=resolved,closed`.
package struct HubQuery: Sendable {
    static let lengthMax = 2_000

    /// Of the event itself.
    let envelope: [TMFCondition]
    /// Of the resource's document.
    let conditions: [TMFCondition]
    /// What of the document is sent.
    let fields: TMFFields
    private let patterns: TMFPatterns

    /// What an event has besides the document. `title` and `domain` are names of attributes too.
    private static let names: Set<String> = ["eventId", "eventTime", "eventType", "correlationId"]

    private static func schema(_ events: [String]) -> TMFSchema {
        TMFSchema([
            TMFSchema.ObjectType(
                "Event",
                [
                    .init("eventId", .text), .init("eventTime", .dateTime), .init("eventType", .code(events)),
                    .init("correlationId", .text),
                ])
        ])
    }

    /// Reads a query for each resource of an interface: an attribute that only some of them have restricts it to these.
    /// - Returns: by the resource's name; a resource that is missing is not meant.
    /// - Throws: 400 for what no resource has.
    package static func read(_ text: String, _ resources: [TMFResource]) throws -> [String: HubQuery] {
        guard text.utf8.count <= lengthMax else {
            throw TMFQuery.bad("query", Words(
                en: "“query” may have at most \(lengthMax) bytes.", zh: "“query”最长 \(lengthMax) 字节。"))
        }
        let form = try Form.parse(text.hasPrefix("?") ? String(text.dropFirst()) : text)
        let events = resources.flatMap { HubNames.all($0.type) }
        var result: [String: HubQuery] = [:]
        var first: (any Error)?
        for resource in resources {
            do { result[resource.name] = try HubQuery(form, resource, resources, events) } catch { first = first ?? error }
        }
        if result.isEmpty, let first { throw first }
        return result
    }

    private init(_ form: Form, _ resource: TMFResource, _ all: [TMFResource], _ events: [String]) throws {
        var own: [(name: String, value: String)] = []
        var outer: [(name: String, value: String)] = []
        for (name, value) in form.fields {
            let path = Self.path(name.trimmed, resource, all)
            switch Self.head(path) {
            case "sort", "limit", "offset", "after", "before":
                throw TMFQuery.bad(path, Words(
                    en: "“\(path)” has no meaning for events; “query” takes conditions and “fields”.",
                    zh: "“\(path)”不适用于事件；“query”只能包含条件和“fields”。"))
            case "fields":
                own.append(
                    ("fields", value.split(separator: ",").map { Self.path($0.trimmed, resource, all) }.joined(separator: ",")))
            case "eventType" where path == "eventType": outer.append((path, Self.events(value.trimmed)))
            case let head where Self.names.contains(head): outer.append((path, value.trimmed))
            case let head where head != resource.name && all.contains { $0.name == head }
                && resource.asked.types[resource.type]?[head] == nil:
                // Another resource of this interface is meant: its own turn says whether it has the attribute.
                throw TMFQuery.bad(path, Words(
                    en: "“\(path)” is of \(head), not of \(resource.name): one event is about one of them.",
                    zh: "“\(path)”属于 \(head)，而非 \(resource.name)：一个事件只涉及其中一种资源。"))
            default: own.append((path, value.trimmed))
            }
        }
        let event = try TMFQuery(Form(outer), schema: Self.schema(events), type: "Event")
        let document = try TMFQuery(Form(own), schema: resource.asked, type: resource.type)
        envelope = event.conditions
        conditions = document.conditions
        fields = document.fields
        patterns = try TMFPatterns(envelope + conditions)
    }

    /// `event.troubleTicket.status`, `troubleTicket.status` and `status` are the same.
    private static func path(_ name: String, _ resource: TMFResource, _ all: [TMFResource]) -> String {
        var name = name
        if name.hasPrefix("event.") { name = String(name.dropFirst(6)) }
        if name.hasPrefix(resource.name + "."), resource.asked.types[resource.type]?[resource.name] == nil {
            name = String(name.dropFirst(resource.name.count + 1))
        }
        return name
    }

    /// The first name of a path that an operator may follow.
    private static func head(_ path: String) -> String {
        String(path.prefix { $0.isLetter || $0.isNumber || $0 == "@" || $0 == "_" })
    }

    /// `customerCreateEvent` is known too: some specifications write both.
    private static func events(_ text: String) -> String {
        text.split(separator: ",").map { piece in
            let word = piece.trimmed
            return word.prefix(1).uppercased() + word.dropFirst()
        }.joined(separator: ",")
    }

    /// Whether it asks about more than the event itself: that cannot be told of a document that is gone.
    var looksInside: Bool { !conditions.isEmpty }

    /// Whether events of a type may be wanted: what can be told before there is one.
    func mayWant(_ type: String) -> Bool {
        let own = envelope.filter { $0.target.path.names == ["eventType"] }
        return TMFMatch.meets(["eventType": .string(type)], own, pattern: patterns.find)
    }

    package func meets(envelope event: JSONObject) -> Bool { TMFMatch.meets(event, envelope, pattern: patterns.find) }
    package func meets(document: JSONObject) -> Bool { TMFMatch.meets(document, conditions, pattern: patterns.find) }
}
