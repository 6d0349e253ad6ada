import Contracts
import Kernel
import Platform
import Storage

/// The search box's source of cases: by the number people quote, whole or its beginning, with or without what stands before the
/// digits. There is no subject to look for: a case has codes only.
struct CaseSearch: Sendable {
    static let numbered: SQL = """
        SELECT customer_id, case_id FROM servicedesk_case_number WHERE number >= $1 AND number < $2
        ORDER BY number LIMIT $3
        """
    static let byKey: SQL = """
        SELECT customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, subject
        FROM servicedesk_case WHERE customer_id = $1 AND id = $2
        """
    static let lettersMin = 4
    static let numberMax = 40

    /// Whose customers the caller may reach, and how they are called.
    let customers: any CustomerReading

    func source() -> SearchSource {
        SearchSource(permission: ServiceDeskPermissions.viewCases) { query, limit, request, session in
            try find(query, limit: limit, request, session)
        }
    }

    /// Ranges of numbers that what was typed may mean, the surest first.
    static func ranges(_ query: String) -> [(from: String, to: String)] {
        let text = Folding.fold(query).uppercased()
        guard text.utf8.count <= numberMax, !text.contains(" "), text.utf8.contains(where: { (48...57).contains($0) })
        else { return [] }
        var result: [(String, String)] = []
        // `42`, `CS42` and `CS-0000000042` are one case.
        let digits = text.hasPrefix("CS-") ? text.dropFirst(3) : text.hasPrefix("CS") ? text.dropFirst(2) : text[...]
        let isBare = digits.utf8.count == text.utf8.count
        if let number = Int(digits), number > 0, !isBare || digits.utf8.count >= lettersMin {
            let whole = DemoDesk.text(number)
            result.append((whole, whole + "\u{1}"))
        }
        if text.utf8.count >= lettersMin { result.append((text, Folding.prefixEnd(text))) }
        // Other systems' numbers without what stands before the digits.
        if isBare, text.utf8.count >= lettersMin, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            for start in ["CS-", "CS", "TT-", "TT", "C-", "T-"] { result.append((start + text, Folding.prefixEnd(start + text))) }
        }
        return result
    }

    func find(_ query: String, limit: Int, _ request: PanelRequest, _ session: any SQLSession) throws -> [SearchHit] {
        var keys: [RowKey] = []
        for (from, to) in Self.ranges(query) where keys.count < limit {
            // Who may reach few regions sees what is left of the first ones.
            let found = try session.query(Self.numbered, [.text(from), .text(to), .int(limit * 4)]) {
                RowKey($0.id(0), $0.int(1))
            }
            for key in found where !keys.contains(where: { $0.text == key.text }) { keys.append(key) }
        }
        guard !keys.isEmpty else { return [] }
        let ids = Array(Set(keys.map(\.customer))).sorted { $0.rawValue < $1.rawValue }
        let cards = Dictionary(
            try customers.cards(ids, for: request.principal, session).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        // Nobody's cases lie in no region: those who reach all see them.
        let isEverywhere = request.principal.scope.regions == nil
        let reachable = keys.filter { cards[$0.customer] != nil || ($0.customer.rawValue == 0 && isEverywhere) }.prefix(limit)
        return try reachable.compactMap { key in
            guard let line = try session.first(Self.byKey, [.id(key.customer), .int(key.id)], { CaseLine($0) }) else { return nil }
            let language = request.language
            let name = cards[key.customer]?.displayName ?? Words(en: "no customer", zh: "未关联客户")[language]
            return SearchHit(
                title: "\(line.number) · \(line.kind[language])",
                subtitle: [line.topic[language], line.status[language], name].joined(separator: " · "),
                path: "/cases/\(line.id)", group: "servicedesk.search.group", icon: "bill",
                subject: cards[key.customer] == nil ? AuditSubject(kind: "case", id: key.id) : .customer(key.customer))
        }
    }
}
