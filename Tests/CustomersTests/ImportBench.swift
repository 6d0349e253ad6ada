import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// An import run without Ingest: rows as it would hand them over.
final class ImportBench: Sendable {
    let test: TestTenant
    let target: CustomerImportTarget
    let principal = TestTenant.principal([CustomerPermissions.view], roles: [.supervisor])

    convenience init() async throws { self.init(try await TestTenant(["Customers"])) }

    init(_ test: TestTenant) {
        self.test = test
        target = CustomerImportTarget(test.tenant)
    }

    static func rows(_ values: [[String: SQLValue]], from line: Int = 2) -> [ImportRow] {
        values.enumerated().map { ImportRow(line: line + $0, values: $1) }
    }

    func apply(
        _ values: [[String: SQLValue]], match: String? = "source_id", creates: Bool = true, updates: Bool = true,
        source: String = "ibm", as principal: Principal? = nil
    ) async throws -> [ImportOutcome] {
        let (target, who) = (self.target, principal ?? self.principal)
        let rows = Self.rows(values)
        return try await test.tenant.database.write { session in
            let options = ImportOptions(matchKey: match, createsNew: creates, updatesExisting: updates, source: source)
            return try target.importer(options, principal: who).applyWhole(rows, session)
        }
    }

    func plan(_ values: [[String: SQLValue]], match: String? = "source_id") async throws -> [ImportOutcome] {
        let (target, who) = (self.target, self.principal)
        let rows = Self.rows(values)
        return try await test.tenant.database.read { session in
            let options = ImportOptions(matchKey: match, source: "ibm")
            return try target.importer(options, principal: who).plan(rows, session)
        }
    }

    func record(_ id: CustomerID) async throws -> CustomerRecord? {
        try await test.tenant.database.read { try CustomerLoader.record(id, $0) }
    }

    func count(_ sql: SQL) async throws -> Int { try await test.tenant.database.read { try $0.count(sql) } }

    /// Rows in every table that belongs to customers.
    func everything() async throws -> [String: Int] {
        let tables: [(String, SQL)] = [
            ("party", "SELECT COUNT(*) FROM customers_party"), ("customer", "SELECT COUNT(*) FROM customers_customer"),
            ("contact", "SELECT COUNT(*) FROM customers_contact_medium"),
            ("address", "SELECT COUNT(*) FROM customers_address"),
            ("document", "SELECT COUNT(*) FROM customers_identity_document"),
            ("subscription", "SELECT COUNT(*) FROM customers_subscription"),
            ("locator", "SELECT COUNT(*) FROM customers_subscription_locator"),
            ("addon", "SELECT COUNT(*) FROM customers_addon"), ("outcome", "SELECT COUNT(*) FROM customers_outcome"),
            ("value", "SELECT COUNT(*) FROM customers_attribute_value"),
            ("identifier", "SELECT COUNT(*) FROM customers_identifier"),
            ("search", "SELECT COUNT(*) FROM customers_search"),
            ("text", "SELECT COUNT(*) FROM customers_search_text"), ("listing", "SELECT COUNT(*) FROM customers_listing"),
        ]
        var result: [String: Int] = [:]
        for (name, sql) in tables { result[name] = try await count(sql) }
        return result
    }
}

extension ImportOutcome {
    var name: String {
        switch self {
        case .created: "created"
        case .updated(_, let changes, _): "updated " + changes.map(\.field).joined(separator: ",")
        case .unchanged: "unchanged"
        case .rejected(let field, let code, _): "rejected \(field) \(code)"
        }
    }
    var customer: CustomerID? {
        switch self {
        case .created(let id, _, _), .updated(let id, _, _), .unchanged(let id): id
        case .rejected: nil
        }
    }
    var undo: [ImportChange] {
        if case .updated(_, _, let undo) = self { undo } else { [] }
    }
}
