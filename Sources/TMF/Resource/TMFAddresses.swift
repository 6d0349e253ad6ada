import Web

/// Addresses inside documents: absolute as clients see them, relative in what is stored, since an installation may be reached by several
/// names; and of version 5 for those who ask in version 5, where a resource is offered in it.
struct TMFAddresses {
    /// `https://crm.example.com`
    let origin: String
    /// Bases of interfaces that are offered in version 5, `/tmf-api/party/v4/`; empty for clients of version 4.
    let next: Set<String>

    private static let root = "/tmf-api/"

    func shown(_ document: JSONObject) -> JSONObject {
        Self.each(document) { href in
            guard href.hasPrefix(Self.root) else { return nil }
            return origin + (next.first(where: href.hasPrefix).map { Self.moved(href, $0, "v4", "v5") } ?? href)
        }
    }

    func stored(_ document: JSONObject) -> JSONObject {
        guard !origin.isEmpty else { return document }
        return Self.each(document) { href in
            guard href.hasPrefix(origin + Self.root) else { return nil }
            let place = String(href.dropFirst(origin.count))
            let base = next.first { place.hasPrefix(Self.moved($0, $0, "v4", "v5")) }
            return base.map { Self.moved(place, Self.moved($0, $0, "v4", "v5"), "v5", "v4") } ?? place
        }
    }

    /// `/tmf-api/party/v5/…` for `/tmf-api/party/v4/…`.
    private static func moved(_ href: String, _ base: String, _ from: String, _ to: String) -> String {
        base.dropLast(from.count + 1) + to + "/" + href.dropFirst(base.count)
    }

    /// Documents without addresses are given back as they are: lists look through thousands.
    private static func each(_ document: JSONObject, _ change: (String) -> String?) -> JSONObject {
        var result = document
        for (name, value) in document where name != "href" {
            if let other = changed(value, change) { result[name] = other }
        }
        return result
    }

    private static func changed(_ value: JSONValue, _ change: (String) -> String?) -> JSONValue? {
        switch value {
        case .array(let items):
            let changes = items.map { changed($0, change) }
            guard changes.contains(where: { $0 != nil }) else { return nil }
            return .array(zip(items, changes).map { $1 ?? $0 })
        case .object(let fields):
            var changes: JSONObject = [:]
            for (name, inner) in fields {
                changes[name] = name == "href" ? inner.string.flatMap(change).map { .string($0) } : changed(inner, change)
            }
            return changes.isEmpty ? nil : .object(fields.merging(changes) { _, new in new })
        default: return nil
        }
    }
}
