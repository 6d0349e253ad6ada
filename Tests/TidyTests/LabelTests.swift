import App
import Foundation
import Kernel
import Platform
import TMF
import TestSupport
import Testing

@Suite("Labels")
struct LabelTests {
    @Test("every column of the database is labelled, and every label has its column")
    func complete() async throws {
        let database = try await MigratedDatabase()
        let labels = PlatformLabels.all + TMFTables.labels + database.modules.all.flatMap(\.labels)
        let labelled = Set(labels.flatMap { table in table.columns.keys.map { "\(table.table).\($0)" } })
        let stored = Set(
            try await database.columns().map { "\($0.table).\($0.name)" })
        #expect(stored.count > 100)
        let missing = stored.subtracting(labelled).sorted(), dead = labelled.subtracting(stored).sorted()
        #expect(missing.isEmpty, list(missing))
        #expect(dead.isEmpty, list(dead))
        #expect(Set(labels.map(\.table)).count == labels.count, "a table is labelled twice")
    }

    @Test("columns whose names say that they hold something personal are not labelled as open")
    func suspicious() async throws {
        let database = try await MigratedDatabase()
        let pattern =
            #"(^|_)(family_name|given_name|display_name|folded_name|msisdn|phone|email|birth_date|lines|password_hash|token_hash|secret|address)$"#
        var findings: [String] = []
        for table in PlatformLabels.all + TMFTables.labels + database.modules.all.flatMap(\.labels) {
            for (column, label) in table.columns
            where !label.personal && !label.sensitive && !matches(pattern, in: column).isEmpty {
                if table.table == "schema_migration" { continue }
                findings.append("\(table.table).\(column)")
            }
        }
        #expect(findings.isEmpty, list(findings.sorted()))
    }

    @Test("a domain labels its own tables only")
    func ownership() async throws {
        let database = try await MigratedDatabase()
        for module in database.modules.all {
            for table in module.labels {
                #expect(table.table.hasPrefix(module.name.lowercased() + "_"), "\(module.name) labels \(table.table)")
            }
        }
    }
}
