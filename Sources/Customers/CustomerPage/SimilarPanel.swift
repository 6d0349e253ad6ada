import Kernel
import Platform
import Storage
import Web

/// Records that may be the same customer and wait for a decision: seen where the customer is served, not in the queue only.
enum SimilarPanel {
    static let open: SQL = """
        SELECT left_id, right_id, bits, evidence FROM customers_match_pair WHERE state = 'open'
        """
    static let shownMax = 5

    private struct Similar: Sendable {
        let left: CustomerID
        let right: CustomerID
        let bits: Double
        let rule: MatchVerdict.Rule
    }

    static func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        // Two indexes, two questions that wait for each other no longer than one.
        let sides = try (["AND left_id", "AND right_id"] as [SQL]).map { column in
            var builder = SQLBuilder(open)
            builder.appendIn(column, request.customers.map { .id($0) })
            builder.append("ORDER BY bits DESC LIMIT ?", .int(shownMax))
            return try session.asking(builder) { row in
                Similar(
                    left: row.id(0), right: row.id(1), bits: row.double(2),
                    rule: PairEvidence(encoded: row.text(3)).rule)
            }
        }
        return Asked {
            let found = try sides.flatMap { try $0.value() }.sorted { $0.bits > $1.bits }.prefix(shownMax)
            return found.isEmpty ? nil : try content(Array(found), request, session)
        }.staged
    }

    private static func content(
        _ found: [Similar], _ request: PanelRequest, _ session: any SQLSession
    ) throws -> PanelContent? {
        func other(_ pair: Similar) -> CustomerID { request.customers.contains(pair.left) ? pair.right : pair.left }
        let ids = found.map(other)
        let allowed = try CustomerScope.reachable(ids, request.principal, session)
        let shown = found.filter { allowed.contains(other($0)) }
        guard !shown.isEmpty else { return nil }
        let names = try CardStore.names(shown.map(other), session)
        let views = shown.map { pair -> View in
            let id = other(pair)
            return [
                "path": .text("/duplicates?pair=\(pair.left)-\(pair.right)"),
                "name": .text(names[id]?.displayed(request.masking) ?? "#\(id)"),
                "reference": .text(names[id]?.reference),
                "why": .text(MatchWords.of(pair.rule)[request.language]),
                "chance": .text(MatchPair.chance(bits: pair.bits)),
            ]
        }
        let sawNames = request.masking.shows(.name) && names.values.contains { !$0.displayName.isEmpty }
        return PanelContent(
            template: "customers/panel-similar", view: ["similar": .list(views)], unmasked: sawNames ? ["name"] : [],
            others: shown.map(other))
    }
}
