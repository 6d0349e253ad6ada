import Kernel
import Platform
import Storage
import Web

/// The search box, its page of results and its suggestions.
extension Console {
    private static let mayFind = Permission("customers.view")
    static let searchHits = 50
    /// What `many=1` shows at most.
    static let searchHitsMany = 200
    /// Of each group, while somebody types.
    static let suggestedHits = 5

    func searchEndpoints() -> [Endpoint] {
        let access = Route.Access.permission(Self.mayFind)
        return [
            Endpoint(.post, "/search", access, body: .form(["q"]), trace: .view) { try await ask($0) },
            Endpoint(.get, "/search", access, trace: .view) { try await search($0) },
            Endpoint(.post, "/search/suggest", access, body: .json, trace: .view) { try await suggest($0) },
        ]
    }

    /// Seals what was typed; whom the search shows is in the event of the page it leads to. A whole number is looked for at
    /// once, and leads to the page of the customer who alone has it: the screen pop of a call, one request shorter.
    private func ask(_ call: Call) async throws -> WebResponse {
        let text = (call.form["q"] ?? "").trimmed
        try Self.check(text)
        if Self.isWholeNumber(text) {
            let found = try await look(text, limit: 1, call)
            if let only = found.only {
                try await note(found, call)
                return .redirect(only.path)
            }
        }
        try await call.recordView(AuditEntry("console.search.ask"))
        guard !text.isEmpty else { return .redirect("/search") }
        return .redirect("/search?q=" + (try SearchToken.seal(text, try call.principal(), call.tenant.keys)))
    }

    /// Digits as in a telephone number, more than the tail of one.
    private static func isWholeNumber(_ text: String) -> Bool {
        text.utf8.allSatisfy { (48...57).contains($0) || "+-() ./".utf8.contains($0) }
            && text.utf8.count { (48...57).contains($0) } >= 7
    }

    private static func check(_ text: String) throws {
        guard text.unicodeScalars.count <= Limits.searchTextMax else {
            throw CRMError.invalid("q", "too_long", Words(en: "The search text is too long.", zh: "搜索文本过长。"))
        }
    }

    private struct Found: Sendable {
        var hits: [SearchHit] = []
        var more = false
        /// Where there is no choice.
        var only: SearchHit? { hits.count == 1 && !more ? hits[0] : nil }
        /// In the order in which the first of each was found.
        var groups: [(title: String, hits: [SearchHit])] {
            var order: [String] = []
            for hit in hits where !order.contains(hit.group) { order.append(hit.group) }
            return order.map { group in (group, hits.filter { $0.group == group }) }
        }
    }

    private func find(_ query: String, limit: Int, _ call: Call) async throws -> Found {
        let found = try await look(query, limit: limit, call)
        try await note(found, call)
        return found
    }

    /// Whoever shows anything of it calls `note` first.
    private func look(_ query: String, limit: Int, _ call: Call) async throws -> Found {
        let text = query.trimmed
        try Self.check(text)
        var found = Found()
        if !text.isEmpty {
            let principal = try call.principal()
            let sources = modules.flatMap { $0.search(call.tenant) }.filter { principal.may($0.permission) }
            let request = try call.panelRequest()
            let hits = try await call.readRecent { session in
                try sources.map { try $0.find(text, limit + 1, request, session) }
            }
            // Nobody's cases are pushed out by many customers.
            found = Found(hits: hits.flatMap { $0.prefix(limit) }, more: hits.contains { $0.count > limit })
        }
        return found
    }

    private func note(_ found: Found, _ call: Call) async throws {
        try await call.recordView(
            AuditEntry(
                "console.search.run", found.hits.compactMap(\.subject), facts: ["hits": .int(Int64(found.hits.count))]))
    }

    private func search(_ call: Call) async throws -> WebResponse {
        let token = call.request.query["q"] ?? ""
        let query = token.isEmpty ? "" : SearchToken.open(token, try call.principal(), call.tenant.keys)
        let many = call.request.query["many"] == "1"
        let found = try await find(query ?? "", limit: many ? Self.searchHitsMany : Self.searchHits, call)
        if let only = found.only { return .redirect(only.path) }
        let asked = !(query ?? "").isEmpty
        let principal = try call.principal()
        let refusal =
            found.hits.isEmpty
            ? modules.lazy.flatMap { $0.search(call.tenant) }.filter { principal.may($0.permission) }
                .compactMap { $0.refusal((query ?? "").trimmed, principal) }.first : nil
        return call.page(
            "app/search", title: call.text("search.title"),
            [
                "query": .text(query), "shown": .text(String(found.hits.count)), "more": .bool(found.more),
                "none": .bool(asked && found.hits.isEmpty), "any": .bool(!found.hits.isEmpty),
                "strange": .bool(query == nil), "refusal": .text(refusal?[call.language]),
                "manyPath": .text(found.more && !many ? "/search?q=\(token)&many=1" : nil),
                "groups": .list(
                    found.groups.map { group in
                        [
                            "group": .text(call.text(group.title)), "count": .text(String(group.hits.count)),
                            "hits": .list(
                                group.hits.map {
                                    [
                                        "hitTitle": .text($0.title), "subtitle": .text($0.subtitle),
                                        "hitPath": .text($0.path), "icon": .text($0.icon),
                                    ]
                                }),
                        ]
                    }),
            ], status: query == nil ? .badRequest : .ok)
    }

    private func suggest(_ call: Call) async throws -> WebResponse {
        let object = try call.request.jsonObject()
        guard object.keys.allSatisfy({ $0 == "q" }) else {
            throw CRMError.invalid("q", "unknown_field", Words(en: "Only “q” is expected.", zh: "只接受字段“q”。"))
        }
        let found = try await find(object["q"]?.string ?? "", limit: Self.suggestedHits, call)
        return .json(
            .object([
                "groups": .array(
                    found.groups.map { group in
                        .object([
                            "title": .string(call.text(group.title)),
                            "items": .array(
                                group.hits.map {
                                    .object([
                                        "href": .string($0.path), "title": .string($0.title),
                                        "note": .string($0.subtitle),
                                    ])
                                }),
                        ])
                    }),
                "more": .bool(found.more),
            ]))
    }
}
