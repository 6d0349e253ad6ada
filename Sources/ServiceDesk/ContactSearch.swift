import Contracts
import Kernel
import Platform
import Storage
import Web

/// The search box's source of contacts: by the number a source gives one (`I-1`), whole, however short. It leads to the customer.
struct ContactSearch: Sendable {
    static let nextSource: SQL = """
        SELECT source FROM servicedesk_record_key WHERE kind = $1 AND source > $2 ORDER BY source LIMIT 1
        """
    static let numbered: SQL = "SELECT value, customer_id FROM servicedesk_record_key WHERE kind = $1"
    static let numberMax = 60
    private static let sourcesMax = 32

    /// Whose customers the caller may reach, and how they are called.
    let customers: any CustomerReading

    func source() -> SearchSource {
        SearchSource(permission: ServiceDeskPermissions.viewInteractions) { query, limit, request, session in
            try find(query, limit: limit, request, session)
        }
    }

    /// What was typed, in the ways sources write it; empty = it is no number.
    static func values(_ query: String) -> [String] {
        let whole = query.replacing("\u{0}", with: " ").trimmed
        guard whole.utf8.count >= 2, whole.utf8.count <= numberMax, !whole.contains(" "),
            whole.utf8.contains(where: { (48...57).contains($0) })
        else { return [] }
        return Set([whole, Folding.fold(whole), Folding.fold(whole).uppercased()]).sorted()
    }

    func find(_ query: String, limit: Int, _ request: PanelRequest, _ session: any SQLSession) throws -> [SearchHit] {
        let values = Self.values(query).map { SQLValue.text($0) }
        guard !values.isEmpty else { return [] }
        var found: [(number: String, customer: CustomerID)] = []
        for kind in [DeskRecords.contacts.entity, DeskRecords.answers.entity] {
            let sources = try sources(of: kind, session)
            guard !sources.isEmpty else { continue }
            var builder = SQLBuilder(Self.numbered, [.text(kind)])
            builder.appendIn("AND source", sources)
            builder.appendIn("AND value", values)
            found += try session.query(builder) { ($0.text(0), $0.id(1, PartyKind.self)) }
        }
        guard !found.isEmpty else { return [] }
        // Only customers within reach have a card.
        let cards = Dictionary(
            try customers.cards(Array(Set(found.map(\.customer))).sorted(), for: request.principal, session).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        var seen: Set<CustomerID> = []
        return found.compactMap { one in
            guard let card = cards[one.customer], seen.count < limit, seen.insert(one.customer).inserted else { return nil }
            return SearchHit(
                title: card.displayName, subtitle: one.number, path: "/customers/\(card.id)",
                group: "servicedesk.search.contacts", icon: "phone", subject: .customer(card.id))
        }
    }

    /// The sources that have such records, one look-up each.
    private func sources(of kind: String, _ session: any SQLSession) throws -> [SQLValue] {
        var result: [SQLValue] = []
        var last = ""
        while result.count < Self.sourcesMax,
            let next = try session.first(Self.nextSource, [.text(kind), .text(last)], { $0.text(0) })
        {
            result.append(.text(next))
            last = next
        }
        return result
    }
}
