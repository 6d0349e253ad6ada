import Contracts
import Kernel
import Platform
import Storage

/// The search box's source of cases: by the number people quote, whole or its beginning, with or without what stands before the
/// digits; and by the words of its title and subject, by those who may read them (ADR 0077).
struct CaseSearch: Sendable {
    static let numbered: SQL = """
        SELECT customer_id, case_id FROM servicedesk_case_number WHERE number >= $1 AND number < $2
        ORDER BY number LIMIT $3
        """
    static let byKey: SQL = """
        SELECT customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, subject, title
        FROM servicedesk_case WHERE customer_id = $1 AND id = $2
        """
    static let lettersMin = 4
    static let numberMax = 40
    /// Cases with the words that are looked at, at first and at most: of who may reach few regions most are others'.
    private static let windowMin = 60
    private static let windowMax = 2_000

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
        var hits = try self.hits(reachable(keys, request, session).prefix(limit), request, session) { _ in true }
        if hits.count < limit { hits += try worded(query, limit: limit - hits.count, hits, request, session) }
        return hits
    }

    /// A case as it was reached, with its customer's card.
    private typealias Reached = (key: RowKey, card: CustomerCard?)

    private func reachable(_ keys: [RowKey], _ request: PanelRequest, _ session: any SQLSession) throws -> [Reached] {
        guard !keys.isEmpty else { return [] }
        let ids = Array(Set(keys.map(\.customer))).sorted { $0.rawValue < $1.rawValue }
        let cards = Dictionary(
            try customers.cards(ids, for: request.principal, session).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        // Nobody's cases lie in no region: those who reach all see them.
        let isEverywhere = request.principal.scope.regions == nil
        return keys.filter { cards[$0.customer] != nil || ($0.customer.rawValue == 0 && isEverywhere) }
            .map { ($0, cards[$0.customer]) }
    }

    /// By the words of what a case is about. Who may not read them does not look for them (G25); a whole telephone number is
    /// looked for among customers alone, so that it leads to the page of who has it.
    private func worded(
        _ query: String, limit: Int, _ known: [SearchHit], _ request: PanelRequest, _ session: any SQLSession
    ) throws -> [SearchHit] {
        // PostgreSQL stores no NUL, so nobody has one.
        let typed = CaseWords(String(query.prefix(Limits.searchTextMax)).replacing("\u{0}", with: " "))
        guard request.masking.shows(.name), let terms = typed.asked else { return [] }
        try session.preferIndexes()
        var result: [SearchHit] = []
        var seen = Set(known.map(\.path))
        var behind = 0
        for window in [max(Self.windowMin, 4 * limit), Self.windowMax] where result.count < limit {
            let keys = try CaseIndex.find(terms, limit: window, session)
            for chunk in keys.dropFirst(behind).chunked(Limits.sqlListChunk) where result.count < limit {
                for one in try reachable(Array(chunk), request, session) where result.count < limit {
                    // Of three characters and more the index knows pairs: what the case says decides.
                    guard
                        let hit = try hits([one], request, session, { line in
                            CaseWords([line.title, line.subject].compactMap { $0 }.joined(separator: "\n")).holds(typed)
                        }).first, seen.insert(hit.path).inserted
                    else { continue }
                    result.append(hit)
                }
            }
            if keys.count < window { break }
            behind = keys.count
        }
        return result
    }

    private func hits(
        _ reached: some Sequence<Reached>, _ request: PanelRequest, _ session: any SQLSession, _ isMeant: (CaseLine) -> Bool
    ) throws -> [SearchHit] {
        let language = request.language
        return try reached.compactMap { key, card in
            let found = try session.first(Self.byKey, [.id(key.customer), .int(key.id)]) { CaseLine($0, title: $0.optionalText(11)) }
            guard let line = found, isMeant(line) else { return nil }
            let name = card?.displayName ?? Words(en: "no customer", zh: "未关联客户")[language]
            let about = FreeText.excerpt(FreeText.shown(line.title ?? line.subject, request.masking), max: 60)
            return SearchHit(
                title: "\(line.number) · \(line.kind[language])",
                subtitle: [about, line.topic[language], line.status[language], name].compactMap { $0 }.joined(separator: " · "),
                path: "/cases/\(line.id)", group: "servicedesk.search.group", icon: "bill",
                subject: card == nil ? AuditSubject(kind: "case", id: key.id) : .customer(key.customer))
        }
    }
}
