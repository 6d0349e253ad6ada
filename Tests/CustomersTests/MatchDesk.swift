import Kernel
import Platform
import Storage
import TestSupport

@testable import Customers

/// A tenant whose imports match, and people who decide.
struct MatchDesk: Sendable {
    let bench: ImportBench
    let decider = TestTenant.principal(
        [CustomerPermissions.view, CustomerPermissions.decidePairs], roles: [.supervisor])

    var tenant: Tenant { bench.test.tenant }

    init() async throws { bench = try await ImportBench() }

    struct Brought: Sendable {
        let outcomes: [ImportOutcome]
        let matches: ImportMatches
        var ids: [CustomerID] { outcomes.compactMap(\.customer) }
    }

    /// An import of a source that matches, with everything Ingest does.
    func bring(_ source: String, _ values: [[String: String]], as who: Principal? = nil) async throws -> Brought {
        let options = ImportOptions(matchKey: "source_id", source: source, matches: true)
        try await bench.target.prepare(options) { _, _, _ in }
        let rows = ImportBench.rows(values.map { $0.mapValues { .text($0) } })
        let (target, principal) = (bench.target, who ?? bench.principal)
        let (outcomes, sequel) = try await tenant.database.write { session in
            let importer = target.importer(options, principal: principal)
            return (try importer.apply(rows, session), try importer.finish(session))
        }
        guard let sequel else { return Brought(outcomes: outcomes, matches: ImportMatches()) }
        let finding = try await tenant.database.read { try sequel.look($0) }
        return Brought(outcomes: outcomes, matches: try await tenant.database.write { try finding.settle($0) })
    }

    func set(_ id: CustomerID) async throws -> Set<CustomerID> {
        Set(try await tenant.database.read { try CustomerLinks.set(of: id, $0) })
    }

    func pair(_ a: CustomerID, _ b: CustomerID) async throws -> MatchPair? {
        try await tenant.database.read { try PairStore.pair(a, b, $0) }
    }

    func join(_ a: CustomerID, _ b: CustomerID) async throws {
        let (joining, who) = (Joining(tenant: tenant), decider)
        try await tenant.database.write { try joining.join(a, b, by: who, $0) }
    }

    func separate(_ a: CustomerID, _ b: CustomerID) async throws {
        let (joining, who) = (Joining(tenant: tenant), decider)
        try await tenant.database.write { try joining.separate(a, b, reason: "two people", by: who, $0) }
    }

    /// Everything but the links, who stands behind whom, and what is thought of pairs.
    func records() async throws -> [String: [String]] {
        try await bench.dump(without: ["behind"]).filter { !["customers_customer_link", "customers_match_pair"].contains($0.key) }
    }

    /// A citizen identity number with the right check digit.
    static func identity(_ serial: Int, born: String = "19900101") -> String {
        let body = "110101" + born + String(String(1_000 + serial).suffix(3))
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(body, weights).reduce(0) { $0 + (Int(String($1.0)) ?? 0) * $1.1 }
        return body + ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum % 11]
    }
}
