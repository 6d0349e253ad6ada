import Kernel
import Platform
import Storage
import Web

/// Whom a dry run would join, and whom it would put before a person.
extension ImportViews {
    /// - Parameter isClear: the caller brought the file, or may see what nobody has labelled.
    func pairs(_ plan: RunPlan, isClear: Bool, _ masking: Masking) -> View {
        func views(_ isLinked: Bool) -> [View] {
            (plan.pairs ?? []).filter { $0.isLinked == isLinked }.map { pair in
                func own(_ name: String?) -> String? {
                    name.flatMap { $0.isEmpty ? nil : isClear ? $0 : masking.apply(.name, $0) }
                }
                let title = pair.customer.flatMap { CustomerID($0) }.flatMap { page.titles[$0] }
                return [
                    "line": .text(Numbers.grouped(pair.line)), "name": .text(own(pair.name)),
                    // Whoever is out of reach by now is not named.
                    "customer": .text(title == nil ? nil : pair.customer),
                    "title": .text(title.map { $0.name.isEmpty ? $0.references.first ?? "" : $0.name }),
                    "references": .text(title.map { $0.references.joined(separator: ", ") }),
                    "otherLine": .text(pair.otherLine.map { Numbers.grouped($0) }), "otherName": .text(own(pair.otherName)),
                    "why": .text(pair.why[language]),
                ]
            }
        }
        let tables = [("link-pairs", "ingest.pairs.link", views(true)), ("ask-pairs", "ingest.pairs.ask", views(false))]
        return [
            "pairsMax": .text("\(ImportPair.samplesMax)"),
            "pairTables": .list(
                tables.filter { !$0.2.isEmpty }.map { id, heading, pairs in
                    [
                        "id": .text(id), "pairs": .list(pairs),
                        "heading": .text(call.text(heading)),
                    ]
                }),
        ]
    }
}

extension RunPlan {
    /// Known records that its pairs name.
    var pairCustomers: [CustomerID] { (pairs ?? []).compactMap { $0.customer.flatMap { CustomerID($0) } } }
}

extension ImportService {
    /// The pairs of a dry run, for a report.
    func pairs(_ run: ImportRun, for principal: Principal) async throws -> [ImportReport.Pair]? {
        guard let pairs = run.plan?.pairs, let plan = run.plan else { return nil }
        let titles = try await tenant.database.read { [target] in
            try target.titles(of: plan.pairCustomers, for: principal, $0)
        }
        return pairs.map { pair in
            let title = pair.customer.flatMap { CustomerID($0) }.flatMap { titles[$0] }
            return ImportReport.Pair(
                outcome: pair.isLinked ? "link" : "review", line: pair.line, name: pair.name,
                customer: title == nil ? nil : pair.customer, customerName: title?.name, references: title?.references ?? [],
                otherLine: pair.otherLine, otherName: pair.otherName, why: pair.why.en, why_zh: pair.why.zh)
        }
    }
}
