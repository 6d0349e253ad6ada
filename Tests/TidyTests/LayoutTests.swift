import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

/// Each table's distribution key and months are declared once (`Module.layouts`) and fit the schema.
@Suite("Layouts")
struct LayoutTests {
    private let layouts: [TableLayout]
    private let modules: Modules

    init() throws {
        modules = try Modules(
            share: Checkout.share, clock: FrozenClock(), passwordProfile: Configuration().passwordProfile)
        layouts = modules.layouts
    }

    /// The text of a golden schema file, so that the rules hold on whichever engine the tests run.
    private func golden() throws -> String {
        try String(contentsOfFile: Checkout.root + "/schema/postgres.sql", encoding: .utf8)
    }

    /// Table -> columns of its primary key and of each unique index, as PostgreSQL has them.
    private func unique(_ schema: String) -> [String: [[String]]] {
        var result: [String: [[String]]] = [:]
        for found in matches(
            #"ALTER TABLE ONLY public\.(\w+)\s+ADD CONSTRAINT \w+ (?:PRIMARY KEY|UNIQUE) \(([^)]*)\)"#, in: schema)
            + matches(#"CREATE UNIQUE INDEX \w+ ON (?:ONLY )?public\.(\w+) USING btree \(([^)]*)\)"#, in: schema)
        {
            let columns = found.groups[1].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            result[found.groups[0], default: []].append(columns)
        }
        return result
    }

    @Test("every table has a layout, every layout its table, and a domain lays out its own tables only")
    func complete() async throws {
        let tables = Set(try await MigratedDatabase().tables())
        let named = layouts.map(\.table)
        #expect(Set(named).count == named.count, "a table is laid out twice")
        let (missing, dead) = (tables.subtracting(named).sorted(), Set(named).subtracting(tables).sorted())
        #expect(missing.isEmpty && dead.isEmpty, "without a layout: \(missing); without a table: \(dead)")
        for module in modules.all {
            for layout in module.layouts {
                #expect(layout.table.hasPrefix(module.name.lowercased() + "_"), "\(module.name) lays out \(layout.table)")
            }
        }
    }

    @Test("the key and every unique index of a distributed table contain its distribution column, those of customers begin with it")
    func keys() throws {
        let unique = unique(try golden())
        #expect(unique.count > 30)
        var findings: [String] = []
        for layout in layouts {
            guard let key = layout.key else { continue }
            let keys = unique[layout.table] ?? []
            if keys.isEmpty { findings.append("\(layout.table) has no key") }
            for columns in keys where !columns.contains(key) {
                findings.append("\(layout.table): unique (\(columns.joined(separator: ", "))) without \(key)")
            }
            if case .customer = layout.placement, layout.table != "customers_search", keys.first?.first != key {
                findings.append("\(layout.table) does not begin with \(key)")
            }
        }
        #expect(findings.isEmpty, list(findings))
        let anchors = layouts.filter { if case .customers = $0.placement { true } else { false } }
        #expect(anchors.map(\.table) == ["customers_customer"])
    }

    @Test("what is claimed with SKIP LOCKED is local")
    func claims() {
        let claims = SQLTests.statements.filter { $0.text.contains("SKIP LOCKED") }
        #expect(claims.count >= 2)
        let placements = Dictionary(uniqueKeysWithValues: layouts.map { ($0.table, $0.placement) })
        for claim in claims {
            let tables = Set(matches(#"\b[a-z]+(?:_[a-z0-9]+)+\b"#, in: claim.text).map(\.text)).filter {
                placements[$0] != nil
            }
            #expect(!tables.isEmpty && tables.allSatisfy { placements[$0] == .local }, "\(claim.place) \(tables)")
        }
    }

    @Test("a growth table is partitioned by its column, which its keys contain, and has a place for rows of no month")
    func months() throws {
        let schema = try golden()
        let unique = unique(schema)
        let partitioned = Set(
            matches(#"CREATE TABLE public\.(\w+) \([^;]*?\)\nPARTITION BY RANGE \((\w+)\)"#, in: schema).map(\.groups))
        let declared = Set(layouts.compactMap { layout in layout.growth.map { [layout.table, $0.column.name] } })
        #expect(partitioned == declared, "partitioned and declared differ: \(partitioned.symmetricDifference(declared))")
        #expect(declared.count >= 6)
        for layout in layouts {
            guard let growth = layout.growth else { continue }
            #expect(
                schema.contains("ATTACH PARTITION public.\(layout.table)_default DEFAULT"), "\(layout.table)")
            for columns in unique[layout.table] ?? [] {
                #expect(columns.contains(growth.column.name), "\(layout.table) \(columns)")
            }
            #expect("\(layout.table)_202601".utf8.count <= 63)
        }
        // Months of one moment are of no golden file.
        #expect(matches(#"public\.\w+_20\d{4}\b"#, in: schema).isEmpty)
    }

    @Test("the audit log and the evidence of consents are append-only and never dropped; nothing else is append-only")
    func audit() {
        let audit = layouts.filter { $0.table.hasPrefix("platform_audit_") }
        #expect(audit.count == 2)
        let evidence = layouts.filter { $0.table == "privacy_consent_evidence" }
        #expect(layouts.filter(\.isAppendOnly) == audit + evidence)
        #expect(evidence.count == 1 && evidence.allSatisfy { $0.growth == nil })
        for layout in audit {
            guard case .exported(let months) = layout.growth?.retention else {
                Issue.record("\(layout.table) may be dropped")
                continue
            }
            #expect(months >= 36, "G58: three years")
        }
    }

    @Test("no statement of the product changes or deletes what is append-only")
    func appendOnly() {
        let tables = layouts.filter(\.isAppendOnly).map(\.table)
        let findings = SQLTests.pieces.filter { piece in
            tables.contains { !matches("(?i)(UPDATE|DELETE FROM|TRUNCATE)\\s+\($0)\\b", in: piece.text).isEmpty }
        }.map(\.place)
        #expect(findings.isEmpty, list(findings))
    }

    @Test("what a distributed engine would be told is the golden script; SWITCHBOARD_RECORD=1 writes it anew")
    func distribution() throws {
        let path = Checkout.root + "/schema/distributed.sql"
        let script = Distribution(layouts).script
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try script.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(script == (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
    }
}
