import Kernel
import Platform
import Storage

/// Rows of a list that stand for several records: named as their page names them, with the sums of what they pay and are
/// worth. Where they stand in an order is where the listed record stands by itself.
enum JoinedLines {
    static func whole(
        _ lines: [CustomerLine], _ masking: Masking, _ principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerLine] {
        guard !lines.isEmpty else { return lines }
        let sets = try MatchSets(Set(lines.map(\.id)), session)
        guard !sets.members.isEmpty else { return lines }
        var members = sets.members
        if principal.scope.regions != nil {
            // Records of other regions do not exist for whoever is kept to some.
            members = try CustomerScope.reachable(members.sorted(), principal, session)
        }
        let records = try CustomerLoader.records(members.sorted(), session)
        let values = try PageStore.values(members.sorted(), session)
        let rules = Survivorship(stored: try MatchStore.setting(session).survivorship)
        let bySet = Dictionary(grouping: records) { sets.root($0.id) }
        return lines.map { line in
            guard let own = bySet[sets.root(line.id)], own.count > 1 else { return line }
            let golden = GoldenRecord(own, rules)
            var line = line
            if let name = golden.choice("full_name")?.value {
                line.name = CardStore.Name(id: line.id, displayName: name, reference: line.reference).displayed(masking)
            }
            // A record behind another is found by the search under the name of both, and speaks for itself in sums.
            guard !line.isBehind else { return line }
            if let currency = line.monthlyCharge?.currency, let charge = golden.monthlyCharge {
                line.monthlyCharge = Money(minor: charge, currency: currency)
            }
            if let currency = line.value?.currency {
                line.value = Money(minor: own.compactMap { values[$0.id] }.reduce(Int64(0)) { $0.plus($1) }, currency: currency)
            }
            return line
        }
    }
}
