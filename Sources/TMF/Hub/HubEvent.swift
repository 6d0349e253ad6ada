import Kernel
import Web

/// An event as it is sent.
enum HubEvent {
    static func time(_ instant: Instant) -> String { instant.iso8601 }

    /// All but the document. Version 5 spells the time otherwise and says of what type the event is.
    static func envelope(
        _ resource: TMFResource, event: Int64, correlation: Int64, _ kind: TMFChanged.Kind, field: String, at: Instant
    ) -> JSONObject {
        var result: JSONObject = [
            "eventId": .string(String(event)), "eventTime": .string(time(at)),
            "eventType": .string(HubNames.name(resource.type, kind)), "correlationId": .string(String(correlation)),
            "domain": .string(resource.api.name), "title": .string(HubNames.title(resource.type, kind)),
        ]
        result[resource.face == nil ? "timeOcurred" : "timeOccurred"] = .string(time(at))
        if resource.face != nil { result["@type"] = result["eventType"] }
        if kind == .changed, !field.isEmpty {
            let path = AttributePath(field)
            result["fieldPath"] = .string((resource.face?.shown(path) ?? path).description)
        }
        return result
    }

    /// What is known of a resource that is gone.
    static func remains(_ resource: TMFResource, _ id: Int64, origin: String) -> JSONObject {
        [
            "id": .string(String(id)), "href": .string("\(origin)\(resource.path)/\(id)"), "@type": .string(resource.type),
        ]
    }

    static func body(_ envelope: JSONObject, _ resource: TMFResource, _ document: JSONObject) -> [UInt8] {
        var whole = envelope
        whole["event"] = .object([resource.name: .object(document)])
        return Array(JSONValue.object(whole).encoded().utf8)
    }
}
