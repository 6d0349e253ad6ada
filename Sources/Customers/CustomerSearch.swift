import Kernel
import Platform
import Storage

/// The search box's source of customers: whole numbers and tails of four digits and more, names and parts of names,
/// numbers of the source systems, identity documents as a whole (A1).
enum CustomerSearch {
    static let prefix: SQL = """
        SELECT s.customer_id FROM customers_search s JOIN customers_listing l ON l.customer_id = s.customer_id
        WHERE s.kind = $1 AND s.token >= $2 AND s.token < $3
        """
    static let folded: SQL = "SELECT id, folded_name FROM customers_party WHERE TRUE"
    /// Candidates of the rarest word that are compared with the other words.
    static let candidatesMax = 2_000
    static let tailDigitsMin = 4

    static func source() -> SearchSource {
        SearchSource(permission: CustomerPermissions.view) { query, limit, request, session in
            let ids = try find(query, limit: limit, request.principal, session)
            let lines = try CustomerListing.lines(ids, masking: request.masking, request.principal, session)
            return lines.map { line in
                let notes = [line.phone, line.plan, line.region].compactMap { $0 }.filter { !$0.isEmpty }
                return SearchHit(
                    title: line.name, subtitle: notes.joined(separator: " · "), path: "/customers/\(line.id)",
                    group: "customers.search.group", icon: line.kind == "organisation" ? "building" : "person",
                    subject: .customer(line.id))
            }
        }
    }

    /// Ids in the order of relevance: numbers, references and documents first, then names.
    static func find(_ query: String, limit: Int, _ principal: Principal, _ session: any SQLSession) throws
        -> [CustomerID]
    {
        let text = Folding.fold(String(query.prefix(Limits.searchTextMax)))
        guard !text.isEmpty, limit > 0 else { return [] }
        var found: [CustomerID] = []
        func add(_ kind: SearchTokens.Kind, from: String, to: String) throws {
            guard found.count < limit else { return }
            for id in try scan(kind, from: from, to: to, limit: limit, principal, session) where !found.contains(id) {
                found.append(id)
            }
        }
        if let digits = numberDigits(text) {
            let tail = String(digits.reversed())
            try add(.number, from: tail, to: Folding.prefixEnd(tail))
        }
        if text.unicodeScalars.count >= 2, !text.contains(" ") {
            try add(.reference, from: text, to: Folding.prefixEnd(text))
        }
        if text.unicodeScalars.count >= 6 { try add(.document, from: text, to: text + "\u{1}") }
        if found.count < limit, text.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) {
            for id in try named(text, limit: limit, principal, session) where !found.contains(id) { found.append(id) }
        }
        return Array(found.prefix(limit))
    }

    /// The digits of what looks like a telephone number, without the trunk zero or the international prefix.
    static func numberDigits(_ text: String) -> String? {
        guard text.unicodeScalars.allSatisfy({ "0123456789+-() ./".unicodeScalars.contains($0) }) else { return nil }
        var digits = Folding.digits(text)
        if digits.count >= 10 { while digits.hasPrefix("0") { digits.removeFirst() } }
        return digits.count >= tailDigitsMin ? digits : nil
    }

    private static func scan(
        _ kind: SearchTokens.Kind, from: String, to: String, limit: Int, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> [CustomerID] {
        var builder = SQLBuilder(prefix, [.int(kind.rawValue), .text(from), .text(to)])
        CustomerScope.narrow(&builder, principal, column: "AND l.region")
        builder.append("ORDER BY s.token, s.customer_id LIMIT ?", .int(limit))
        return try session.query(builder) { $0.id(0) }
    }

    /// Every word must begin a word of the name, or, in Chinese, occur in it.
    private static func named(_ text: String, limit: Int, _ principal: Principal, _ session: any SQLSession) throws
        -> [CustomerID]
    {
        let words = text.split(separator: " ").map(String.init)
        guard let rarest = words.max(by: { $0.count < $1.count }) else { return [] }
        let candidates = try scan(
            .name, from: rarest, to: Folding.prefixEnd(rarest), limit: words.count == 1 ? limit * 2 : candidatesMax,
            principal, session)
        var unique: [CustomerID] = []
        var seen: Set<CustomerID> = []
        for id in candidates where seen.insert(id).inserted { unique.append(id) }
        guard words.count > 1 else { return Array(unique.prefix(limit)) }
        var matching: Set<CustomerID> = []
        for chunk in unique.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(folded)
            builder.appendIn("AND id", chunk.map { .id($0) })
            for (id, name) in try session.query(builder, { ($0.id(0, PartyKind.self), $0.text(1)) }) {
                let tokens = SearchTokens.name(name)
                if words.allSatisfy({ word in tokens.contains { $0.hasPrefix(word) } }) { matching.insert(id) }
            }
        }
        return Array(unique.filter(matching.contains).prefix(limit))
    }
}
