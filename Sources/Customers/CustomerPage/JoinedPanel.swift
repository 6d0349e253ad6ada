import Kernel
import Platform
import Storage
import Web

/// Of a customer that is several records: which they are, why they are one, where each shown value comes from, and
/// the way back.
enum JoinedPanel {
    static let links: SQL = """
        SELECT from_id, to_id, linked_at FROM customers_customer_link WHERE valid
        """

    static func begin(_ request: PanelRequest, zone: Int, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        guard request.customers.count > 1 else { return .done(nil) }
        let golden = try GoldenRecord.load(request.customers, session)
        var builder = SQLBuilder(links)
        builder.appendIn("AND from_id", request.customers.map { .id($0) })
        builder.append("ORDER BY linked_at, from_id, to_id")
        let edges = try session.query(builder) {
            ($0.id(0, PartyKind.self), $0.id(1, PartyKind.self), $0.time(2))
        }.filter { request.customers.contains($0.1) }
        let pairs = try PairStore.pairs(among: request.customers, session)
        let content = content(golden, edges, pairs, zone, request)
        return .done(content)
    }

    private static func content(
        _ golden: GoldenRecord, _ edges: [(CustomerID, CustomerID, Instant)], _ pairs: [MatchPair], _ zone: Int,
        _ request: PanelRequest
    ) -> PanelContent {
        let language = request.language
        let may = request.principal.may(CustomerPermissions.decidePairs)
        func title(_ id: CustomerID) -> String {
            guard let record = golden.records.first(where: { $0.id == id }) else { return "#\(id)" }
            return record.customer.reference ?? record.customer.source
        }
        let records = golden.records.map { record -> View in
            [
                "name": .text(record.name(request.masking)),
                "reference": .text(record.customer.reference),
                "source": .text(record.customer.source), "edit": .text("/customers/\(record.id)/edit"),
                "mayEdit": .bool(request.principal.may(CustomerPermissions.edit)),
            ]
        }
        let links = edges.map { from, to, at -> View in
            let pair = pairs.first { $0.left == min(from, to) && $0.right == max(from, to) }
            let who = pair.map { $0.decidedBy == Joining.machine ? MatchWords.machine[language] : $0.decidedBy } ?? ""
            return [
                "what": .text("\(title(to)) + \(title(from))"),
                "why": .text(pair.map { MatchWords.why($0, language) }), "who": .text(who),
                "at": .text(at.displayed(offsetMinutes: zone)), "may": .bool(may),
                "action": .text("/customers/\(request.customers[0])/separation"), "left": .text(to.description),
                "right": .text(from.description),
            ]
        }
        var unmasked: [String] = []
        let values = golden.choices.map { choice -> View in
            let mask = CustomerFields.byKey[choice.field]?.mask ?? .none
            if mask != .none, request.masking.shows(mask), !unmasked.contains(choice.field) {
                unmasked.append(choice.field)
            }
            func shown(_ value: String) -> String {
                request.masking.apply(mask, MatchWords.value(choice.field, value, language))
            }
            return [
                "label": .text(PageWords.field(choice.field)[language]), "value": .text(shown(choice.value)),
                "source": .text(choice.source), "rule": .text(MatchWords.decided(choice.rule)[language]),
                "others": .list(
                    choice.others.map { ["value": .text(shown($0.value)), "source": .text($0.source)] }),
            ]
        }
        if request.masking.names, golden.records.contains(where: { !$0.party.displayName.isEmpty }),
            !unmasked.contains("full_name")
        {
            unmasked.append("full_name")
        }
        return PanelContent(
            template: "customers/panel-joined",
            view: ["records": .list(records), "links": .list(links), "values": .list(values)], unmasked: unmasked)
    }
}
