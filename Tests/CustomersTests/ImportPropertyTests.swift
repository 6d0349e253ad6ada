import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Deterministic numbers; the seed stands in the test's arguments.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }
}

/// Small pools, so that numbers go from hand to hand.
private enum Pool {
    static let numbers = (0..<14).map { "+86139000000\($0 + 10)" }
    static let ids = (0..<12).map { "K\($0)" }
    static let documents = (0..<7).map { "DOC-\($0)" }
    static let sources = ["crm", "billing"]

    static func base(_ bench: ImportBench, _ random: inout SplitMix) -> [CustomerRecord] {
        let tenant = bench.test.tenant
        var numbers = Pool.numbers.shuffled(using: &random)
        var ids = Pool.ids.shuffled(using: &random)
        return (0..<7).map { index in
            var record = CustomerRecord(
                id: tenant.ids.next(), party: Party(kind: .individual, displayName: "Base \(index)"),
                customer: Customer(
                    since: LocalDate("2024-05-01"), currency: "CNY", source: "crm", createdAt: tenant.clock.now()))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let status = random.pick([SubscriptionStatus.active, .active, .suspended, .terminated])
                var line = Subscription(
                    id: tenant.ids.next(), service: random.pick([.mobile, .mobile, .iot, .broadband]),
                    plan: "P", startedOn: record.customer.since, status: status, currency: "CNY")
                if line.service != .broadband, !numbers.isEmpty { line.msisdn = numbers.removeLast() }
                if status == .terminated, random.chance(60) { line.endedOn = LocalDate("2025-01-31") }
                if random.chance(40) { line.addons = [Addon(code: "tech_support", monthlyCharge: 900)] }
                if random.chance(60) { line.monthlyCharge = 5_000 }
                record.subscriptions.append(line)
            }
            if random.chance(70) { record.sourceIDs["crm"] = ids.removeLast() }
            if random.chance(40) { record.sourceIDs["billing"] = ids.removeLast() }
            record.customer.reference = record.sourceIDs["crm"]
            if random.chance(50) {
                record.documents = [
                    IdentityDocument(id: tenant.ids.next(), kind: .idCard, number: random.pick(documents))
                ]
            }
            if random.chance(20) {
                record.setLeft(
                    true,
                    FieldContext(
                        ids: tenant.ids, today: LocalDate("2026-02-01") ?? bench.today, currency: "CNY", source: "")
                )
            }
            return record
        }
    }

    static func row(_ match: String?, _ random: inout SplitMix) -> [String: SQLValue] {
        var row: [String: SQLValue] = [:]
        func text(_ key: String, _ values: [String], _ percent: Int) {
            if random.chance(percent) { row[key] = .text(random.pick(values)) }
        }
        text("source_id", ids, match == "source_id" ? 100 : 20)
        text("msisdn", numbers, match == "msisdn" ? 100 : 45)
        text("document_number", documents, match == "document_number" ? 100 : 15)
        text("full_name", ["Ann Lee", "王小明", "Bo"], 50)
        text("plan", ["5G 199", "5G 99", "IoT 5"], 40)
        text("service", ["Mobile", "Broadband", "IoT", "Satellite"], 15)
        text("internet_service", ["DSL", "Fibre", "No"], 20)
        text("subscription_status", ["active", "suspended", "terminated", "pending"], 25)
        text("left_on", ["2026-01-15", "2026-02-10"], 10)
        text("leave_reason", ["Price too high", "Moved"], 15)
        text("status", ["active", "churned", "suspended"], 10)
        text("addon_tech_support", ["yes", "no"], 25)
        text("addon_online_security", ["yes", "no"], 15)
        text("city", ["杭州", "宁波"], 25)
        text("phone", ["+8613811112222", "+8613811113333"], 20)
        text("email", ["a@example.com", "b@example.com"], 15)
        text("contract_term", ["24 months", "Month-to-month"], 15)
        text("start_date", ["2025-03-01", "2025-06-01"], 10)
        if random.chance(15) { row["phone_service"] = .bool(random.chance(50)) }
        if random.chance(25) { row["left"] = .bool(random.chance(50)) }
        if random.chance(30) { row["monthly_charge"] = .int(Int64.random(in: 0...20_000, using: &random)) }
        if random.chance(15) { row["total_charges"] = .int(77_000) }
        if random.chance(30) { row["attr.cltv"] = .int(Int64.random(in: 0...3, using: &random)) }
        return row
    }

    /// Rows of one file: no match key twice, as Ingest hands them over.
    static func rows(_ match: String?, _ random: inout SplitMix) -> [ImportRow] {
        var seen: Set<String> = []
        var rows: [ImportRow] = []
        for line in 2..<2 + Int.random(in: 3...24, using: &random) {
            let values = row(match, &random)
            if let match, let key = values[match]?.asText, !seen.insert(key).inserted { continue }
            rows.append(ImportRow(line: line, values: values))
        }
        return rows
    }
}

extension ImportBench {
    var today: LocalDate { test.clock.now().date() }

    /// Every row of every table of the domain.
    /// - Parameter without: columns that are left out.
    func dump(without: Set<String> = []) async throws -> [String: [String]] {
        let schema = try await TestSchema(test.tenant.database).columns(prefix: "customers_")
        let tables = Dictionary(grouping: schema, by: \.table).mapValues { $0.map(\.name) }
        return try await test.tenant.database.read { session in
            var result: [String: [String]] = [:]
            // The log of changes tells of the import and of its taking back, the edition that forms check only grows, and
            // the words that help against mistyped ones stay, as does about how many customers there were.
            let left = [
                "customers_attribute", "customers_change", "customers_search_word", "customers_match_setting",
            ]
            for (table, all) in tables where !left.contains(table) {
                let columns = all.filter { $0 != "edition" && !without.contains($0) }
                result[table] = try session.query(
                    SQL(trusted: "SELECT \(columns.joined(separator: ", ")) FROM \(table)")
                ) { row in columns.indices.map { "\(row.value($0))" }.joined(separator: ",") }.sorted()
            }
            return result
        }
    }

    /// Outcomes of a file in chunks of `size`, planned or applied.
    func pass(_ rows: [ImportRow], _ options: ImportOptions, size: Int, applies: Bool) async throws -> [[ImportOutcome]]
    {
        let importer = Box(target.importer(options, principal: principal))
        var result: [[ImportOutcome]] = []
        for chunk in rows.chunked(size) {
            result.append(
                applies
                    ? try await test.tenant.database.write { try importer.value.applyWhole(chunk, $0) }
                    : try await test.tenant.database.read { try importer.value.plan(chunk, $0) })
        }
        return result
    }

    /// Takes an import back as Ingest does: the last chunk first, what was made before what was changed.
    func revert(_ chunks: [[ImportOutcome]], as who: Principal? = nil) async throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        for chunk in chunks.reversed() {
            issues += try await test.tenant.database.write { [target, principal] session in
                let made = chunk.compactMap { outcome -> (CustomerID, revision: Int64, undo: [ImportChange])? in
                    if case .created(let id, let revision, let undo) = outcome { (id, revision, undo) } else { nil }
                }
                let changed = chunk.compactMap { outcome -> (CustomerID, undo: [ImportChange])? in
                    if case .updated(let id, _, let undo) = outcome { (id, undo) } else { nil }
                }
                var memory = RevertMemory()
                let told = try #require(try target.forecastRevert(created: made, updated: changed, &memory, session))
                let issues =
                    try target.revertCreated(made, principal: who ?? principal, session)
                    + target.revertUpdated(changed, principal: who ?? principal, session)
                func names(_ issues: [RevertIssue]) -> [String] { issues.map { "\($0.customer) \($0.field)" }.sorted() }
                #expect(names(told.issues) == names(issues), "what was foretold stays, and nothing else")
                return issues
            }
        }
        return issues
    }
}

/// Calls never overlap.
private struct Box: @unchecked Sendable {
    let value: any Importer
    init(_ value: any Importer) { self.value = value }
}

@Suite("imports and their revert, at random")
struct ImportPropertyTests {
    @Test(
        "any imports taken back in turn leave exactly what was there; each dry run told what its run did",
        arguments: Array(1...(TestDatabases.dialect == .sqlite ? 120 : 20)) as [UInt64])
    func reverts(seed: UInt64) async throws {
        var random = SplitMix(seed)
        let bench = try await ImportBench()
        let base = Pool.base(bench, &random)
        try await bench.test.tenant.database.write { [target = bench.target, tenant = bench.test.tenant] session in
            _ = try target.defineAttribute(title: "CLTV", kind: .integer, session)
            try CustomerWriter(ids: tenant.ids, session).insert(base, session)
        }
        var imports: [(before: [String: [String]], chunks: [[ImportOutcome]], name: String)] = []
        for number in 0..<6 {
            bench.test.clock.advance(days: 1)
            let match = random.pick(["source_id", "msisdn", "document_number", "source_id", "msisdn", nil])
            let options = ImportOptions(matchKey: match, source: random.pick(Pool.sources))
            let rows = Pool.rows(match, &random)
            let sizes = [random.pick([1, 2, 3, 5, 500]), random.pick([1, 2, 3, 5, 500])]
            let before = try await bench.dump()
            let planned = try await bench.pass(rows, options, size: sizes[0], applies: false)
            #expect(try await bench.dump() == before)
            let done = try await bench.pass(rows, options, size: sizes[1], applies: true)
            let name = "seed \(seed), import \(number) by \(match ?? "nothing"), chunks of \(sizes)"
            for (row, pair) in zip(rows, zip(planned.joined(), done.joined())) where pair.0.name != pair.1.name {
                Issue.record("\(name): line \(row.line) planned \(pair.0.name), did \(pair.1.name); \(row.values)")
            }
            imports.append((before, done, name))
            try await SearchBench.requireSound(bench.test.tenant.database, name)
        }
        #expect(imports.contains { $0.chunks.joined().contains { $0.name.hasPrefix("updated") } }, "seed \(seed)")
        for item in imports.reversed() {
            let issues = try await bench.revert(item.chunks)
            #expect(issues.isEmpty, "\(item.name): \(issues.map { "\($0.customer) \($0.field)" })")
            let after = try await bench.dump()
            try await SearchBench.requireSound(bench.test.tenant.database, item.name)
            for table in item.before.keys.sorted() where item.before[table] != after[table] {
                let old = Set(item.before[table] ?? [])
                let new = Set(after[table] ?? [])
                Issue.record(
                    "\(item.name): \(table) lost \(old.subtracting(new).sorted()), gained \(new.subtracting(old).sorted())"
                )
            }
        }
    }
}
