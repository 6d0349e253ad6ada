import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("customer list")
struct ListingTests {
    static let everybody = TestTenant.principal([CustomerPermissions.view, Masking.seeNames])

    /// Customers with random codes; many share a value, so that ties are common.
    static func base(_ count: Int, seed: UInt64) async throws -> (ImportBench, [CustomerRecord]) {
        let bench = try await ImportBench()
        var random = SeededGenerator(seed: seed)
        let rows = (0..<count).map { index -> [String: SQLValue] in
            var row: [String: SQLValue] = [
                "source_id": .text("C\(index)"), "left": .bool(Int.random(in: 0..<4, using: &random) == 0),
                "kind": .text(Int.random(in: 0..<5, using: &random) == 0 ? "organisation" : "individual"),
            ]
            if Bool.random(using: &random) {
                row["full_name"] = .text(["王芳", "李强", "Ann Lee", "赵敏"].randomElement(using: &random) ?? "")
            }
            if let region = [nil, "浙江", "江苏", "上海"].randomElement(using: &random) { row["region"] = .text(region) }
            if let plan = [nil, "畅享 129", "畅享 199"].randomElement(using: &random) { row["plan"] = .text(plan) }
            if let charge = [nil, 5900, 12900, 19900].randomElement(using: &random) {
                row["monthly_charge"] = .int(Int64(charge ?? 0))
                if charge == nil { row["monthly_charge"] = nil }
            }
            if Bool.random(using: &random) { row["tenure_months"] = .int(Int64.random(in: 0...3, using: &random)) }
            if Int.random(in: 0..<3, using: &random) == 0 { row["segment"] = .text("family") }
            row = row.filter { $0.value != .text(String?.none) && $0.value != .null }
            return row
        }
        let outcomes = try await bench.apply(rows)
        let ids = outcomes.compactMap(\.customer)
        #expect(ids.count == count)
        let scores = ids.indices.filter { $0 % 3 != 0 }.map { index in
            let p = Double(index % 5) / 5
            return ChurnScored.Score(customer: ids[index], probability: p, band: p > 0.5 ? "high" : "low")
        }
        let database = bench.test.tenant.database
        try await database.write { try ValueStore.apply(ChurnScored(scores: scores, model: ModelID(1)), $0) }
        try await ValueStore.compute(now: Instant(milliseconds: 0), database)
        let records = try await database.read { try CustomerLoader.records(ids, $0) }
        return (bench, records)
    }

    static func walk(
        _ bench: ImportBench, _ filter: CustomerFilter, limit: Int, many: Bool,
        bounds: CustomerListing.Bounds = CustomerListing.Bounds(), _ principal: Principal = everybody
    ) async throws -> [CustomerID] {
        var place = ListPlace.start
        var result: [CustomerID] = []
        while true {
            let from = place
            let page = try await bench.test.tenant.database.read { session in
                try CustomerListing.page(
                    filter, from, limit: limit, many: many, bounds: bounds, masking: Masking(principal), principal,
                    session)
            }
            result += page.lines.map(\.id)
            guard let next = page.next else { return result }
            place = .after(next)
        }
    }

    @Test("every facet finds what a plain comparison finds, alone and together, by look-up and by walking")
    func facets() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("listing facets: seed \(seed)")
        let (bench, records) = try await Self.base(120, seed: seed)
        let rows = try await bench.test.tenant.database.read { session in
            try session.query("SELECT customer_id, band, tier FROM customers_listing") {
                ($0.id(0, PartyKind.self), $0.text(1), $0.text(2))
            }
        }
        let projected = Dictionary(rows.map { ($0.0, ($0.1, $0.2)) }, uniquingKeysWith: { a, _ in a })
        func holds(_ record: CustomerRecord, _ facet: CustomerFilter.Facet, _ value: String) -> Bool {
            switch facet {
            case .plan: record.subscriptions.first?.plan == value
            case .region: record.customer.region == value
            case .segment: record.customer.segment == value
            case .reason: record.customer.hasLeft == true && (record.outcome?.reasonCode ?? "unknown") == value
            case .band: projected[record.id]?.0 == value
            case .tier: projected[record.id]?.1 == value
            case .service: record.subscriptions.first?.service.rawValue == value
            case .status: record.customer.status.rawValue == value
            case .kind: record.party.kind.rawValue == value
            }
        }
        let values: [CustomerFilter.Facet: [String]] = [
            .plan: ["畅享 129", "none"], .region: ["浙江", "上海"], .segment: ["family"], .reason: ["unknown"],
            .band: ["high", "low"], .tier: ["vip", "high", "ordinary", "unknown"], .service: ["other"],
            .status: ["active", "churned"], .kind: ["organisation"],
        ]
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            var filter = CustomerFilter()
            for facet in CustomerFilter.Facet.allCases.shuffled(using: &random).prefix(
                Int.random(in: 0...2, using: &random))
            {
                filter.facets[facet] = values[facet]?.randomElement(using: &random)
            }
            filter.sort = CustomerFilter.Sort.allCases.randomElement(using: &random) ?? .created
            filter.descending = Bool.random(using: &random)
            let expected = Set(
                records.filter { record in filter.facets.allSatisfy { holds(record, $0, $1) } }.map(\.id))
            let looked = try await Self.walk(bench, filter, limit: 37, many: false)
            #expect(Set(looked) == expected && looked.count == expected.count, "\(filter) seed \(seed)")
            // Whether a walk comes to its end, is given up for a look-up, or goes on: the same rows in the same order.
            for (walked, sorted) in [(5_000, 30_000), (6, 10_000), (6, 3)] {
                let bounds = CustomerListing.Bounds(walked: walked, sorted: sorted)
                let found = try await Self.walk(bench, filter, limit: 17, many: true, bounds: bounds)
                #expect(found == looked, "\(filter) \(bounds) seed \(seed)")
            }
            let copy = filter
            let count = try await bench.test.tenant.database.read {
                try CustomerListing.count(copy, Self.everybody, $0)
            }
            #expect(count == expected.count)
            let ids = try await bench.test.tenant.database.read {
                try CustomerListing.ids(copy, limit: 1_000, Self.everybody, $0)
            }
            #expect(Set(ids) == expected)
        }
    }

    @Test("paging visits every customer once under every sort, forwards and backwards, in order")
    func paging() async throws {
        let (bench, records) = try await Self.base(53, seed: 11)
        for sort in CustomerFilter.Sort.allCases {
            for descending in [false, true] {
                var filter = CustomerFilter()
                filter.sort = sort
                filter.descending = descending
                let forward = try await Self.walk(bench, filter, limit: 7, many: true)
                #expect(forward.count == records.count && Set(forward).count == records.count, "\(sort)")
                // Back from the last page by the links for the page before.
                var collected: [CustomerID] = []
                var before = try #require(forward.last)
                while true {
                    let (from, copy) = (before, filter)
                    let page = try await bench.test.tenant.database.read { session in
                        try CustomerListing.page(
                            copy, .before(from), limit: 7, many: true, masking: Masking(Self.everybody), Self.everybody,
                            session)
                    }
                    collected = page.lines.map(\.id) + collected
                    #expect(page.next == page.lines.last?.id)
                    guard let previous = page.previous else { break }
                    before = previous
                }
                #expect(collected == Array(forward.dropLast()), "\(sort) \(descending)")
            }
        }
        var byCharge = CustomerFilter()
        byCharge.sort = .charge
        byCharge.descending = false
        let ordered = try await Self.walk(bench, byCharge, limit: 10, many: false)
        let charges = Dictionary(records.map { ($0.id, $0.monthlyCharge ?? -1) }, uniquingKeysWith: { a, _ in a })
        let values = ordered.map { charges[$0] ?? 0 }
        #expect(values == values.sorted())
    }

    @Test("a regional principal sees only the region's customers, however the list is asked")
    func scope() async throws {
        let (bench, records) = try await Self.base(60, seed: 5)
        let clerk = TestTenant.principal([CustomerPermissions.view], regions: ["浙江", "上海"])
        let expected = Set(records.filter { ["浙江", "上海"].contains($0.customer.region ?? "") }.map(\.id))
        var filter = CustomerFilter()
        for many in [false, true] {
            filter.sort = many ? .value : .created
            #expect(Set(try await Self.walk(bench, filter, limit: 9, many: many, clerk)) == expected)
        }
        filter.facets[.region] = "江苏"
        #expect(try await Self.walk(bench, filter, limit: 9, many: false, clerk).isEmpty)
        let all = records.map(\.id)
        let (count, lines) = try await bench.test.tenant.database.read { session in
            (
                try CustomerListing.count(CustomerFilter(), clerk, session),
                try CustomerListing.lines(all, masking: Masking(clerk), clerk, session)
            )
        }
        #expect(count == expected.count)
        #expect(Set(lines.map(\.id)) == expected)
        let outside = try #require(records.first { !expected.contains($0.id) })
        await #expect(throws: CRMError.self) {
            try await bench.test.tenant.database.read { try CustomerScope.require(outside.id, clerk, $0) }
        }
    }

    @Test("the best twentieth is VIP, the next fifth high, and leavers are worth nothing")
    func tiers() async throws {
        let (bench, records) = try await Self.base(200, seed: 3)
        let rows = try await bench.test.tenant.database.read { session in
            try session.query("SELECT customer_id, tier, value_score, leave_reason FROM customers_listing") {
                ($0.id(0, PartyKind.self), $0.text(1), $0.int(2), $0.text(3))
            }
        }
        let valued = rows.filter { $0.2 > 0 }
        let top = valued.filter { $0.1 == "vip" }
        #expect(Double(top.count) >= Double(valued.count) * 0.05)
        let lowestTop = top.map(\.2).min() ?? 0
        #expect(valued.filter { $0.1 != "vip" }.allSatisfy { $0.2 < lowestTop })
        #expect(rows.filter { !$0.3.isEmpty }.allSatisfy { $0.2 == 0 && $0.1 == "ordinary" })
        #expect(rows.count == records.count)
    }

    @Test("the value follows the charge, the contract and the risk")
    func value() throws {
        func score(_ charge: Int64?, _ term: Int?, _ p: Double?, left: Bool = false) -> Int64? {
            CustomerValue.score(monthlyCharge: charge, contractTerm: term, probability: p, hasLeft: left)
        }
        #expect(score(nil, 24, 0.1) == nil)
        #expect(score(10_000, 24, 0.1, left: true) == 0)
        let steady = try #require(score(10_000, 24, 0.05))
        let shaky = try #require(score(10_000, 24, 0.8))
        #expect(steady > 3 * shaky)
        let monthly = try #require(score(10_000, 0, nil))
        let bound = try #require(score(10_000, 24, nil))
        #expect(monthly < bound)
        // Without any hazard: 100.00 a month, 35 % margin, 60 months at 0.7974 % a month (annuity factor 47.5).
        let certain = try #require(score(10_000, 24, 0))
        #expect(abs(certain - 166_200) < 1_000)
    }

    @Test("distinct values of a column come sorted and without blanks")
    func distinct() async throws {
        let (bench, records) = try await Self.base(80, seed: 9)
        let (regions, plans) = try await bench.test.tenant.database.read { session in
            (try ListFacets.values(ListFacets.regions, session), try ListFacets.values(ListFacets.plans, session))
        }
        #expect(regions == Set(records.compactMap(\.customer.region)).sorted())
        #expect(Set(plans) == Set(records.compactMap { $0.subscriptions.first?.plan }))
    }

    /// What the engine would do. PostgreSQL reads forty rows faster without an index: it is told that it must not.
    private func steps(_ builder: SQLBuilder, _ session: any SQLSession) throws -> String {
        if session.dialect == .postgres {
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL enable_sort = off")
            return try session.query(SQL(trusted: "EXPLAIN " + builder.text), builder.arguments) { $0.text(0) }
                .joined(separator: "; ")
        }
        return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + builder.text), builder.arguments) { $0.text(3) }
            .joined(separator: "; ")
    }

    private func sorts(_ plan: String) -> Bool {
        ["TEMP B-TREE", "Sort", "Seq Scan"].contains { plan.contains($0) }
    }

    @Test("lists walk the index of their order or look up that of their filter, and never sort the base")
    func plans() async throws {
        let (bench, records) = try await Self.base(40, seed: 2)
        let cursor = try #require(records.first).id
        let indexes: [CustomerFilter.Sort: String] = [
            .name: "customers_listing_name", .since: "customers_listing_since", .charge: "customers_listing_charge",
            .value: "customers_listing_value", .risk: "customers_listing_risk",
        ]
        try await bench.test.tenant.database.read { session in
            for (sort, index) in indexes {
                var filter = CustomerFilter()
                filter.sort = sort
                filter.facets = [.status: "active", .region: "浙江"]
                for place in [ListPlace.start, .after(cursor), .before(cursor)] {
                    let builder = try CustomerListing.statement(
                        filter, place, limit: 50, .walk, Self.everybody, session)
                    let plan = try steps(builder, session)
                    #expect(plan.contains(index) && !sorts(plan), "\(sort): \(plan)")
                    guard place != .start else { continue }
                    // Among those of the same charge or risk, who may be everybody, the place is looked up by the id.
                    let tied = try steps(
                        try CustomerListing.statement(
                            filter, place, .tied, limit: 50, .walk, Self.everybody, session), session)
                    #expect(tied.contains(index) && !sorts(tied), "\(sort): \(tied)")
                    #expect(session.dialect == .postgres || tied.contains("=? AND customer_id"), "\(sort): \(tied)")
                    let beyond = try steps(
                        try CustomerListing.statement(
                            filter, place, .beyond, limit: 50, .walk, Self.everybody, session), session)
                    #expect(beyond.contains(index) && !sorts(beyond), "\(sort): \(beyond)")
                }
            }
            let looked: [CustomerFilter.Facet: String] = [
                .plan: "plan", .region: "region", .segment: "segment", .reason: "left", .band: "band", .tier: "tier",
                .status: "status", .kind: "kind",
            ]
            for (facet, index) in looked {
                var filter = CustomerFilter()
                filter.facets = [facet: "x"]
                let found = try steps(
                    try CustomerListing.statement(
                        filter, .after(cursor), limit: 50, .lookUp, Self.everybody, session), session)
                // PostgreSQL knows the numbers and may rather walk the order.
                let isPostgres = session.dialect == .postgres
                // Those of a status are looked up by either of its indexes.
                let looksUp = found.contains("customers_listing_" + index) || (facet == .status && found.contains("customers_listing_state"))
                #expect(isPostgres || looksUp, "\(facet): \(found)")
                filter.sort = try #require(facet.order)
                #expect(filter.walk == .through(facet))
                for place in [ListPlace.start, .after(cursor), .before(cursor)] {
                    let walked = try steps(
                        try CustomerListing.statement(
                            filter, place, limit: 50, filter.walk, Self.everybody, session), session)
                    #expect(isPostgres || walked.contains("customers_listing_" + index), "\(facet): \(walked)")
                    #expect(!sorts(walked), "\(facet): \(walked)")
                }
            }
            let search = try steps(SQLBuilder(FormerSearch.prefix, [.int(1), .text("a"), .text("b")]), session)
            if session.dialect == .postgres {
                #expect(search.contains("Index") && !search.contains("Seq Scan"), "\(search)")
            } else {
                #expect(search.contains("SEARCH s USING PRIMARY KEY") && !search.contains("SCAN"), "\(search)")
            }
            let owner = try steps(SQLBuilder(IdentifierStore.ofKind, [.text("msisdn")]), session)
            #expect(owner.contains("SEARCH") || owner.contains("Index"), "\(owner)")
        }
    }

    @Test("a filter survives its address and refuses what it does not know")
    func address() throws {
        var filter = CustomerFilter()
        filter.facets = [.region: "浙江 & more", .band: "high"]
        filter.sort = .risk
        let parsed = CustomerFilter(try Form.parse(filter.query).fields)
        #expect(parsed == filter)
        #expect(CustomerFilter([("sort", "secret"), ("colour", "red"), ("plan", "")]) == CustomerFilter())
    }

    @Test(
        "cells that a spreadsheet would run are made harmless",
        arguments: [
            ("=1+1", "'=1+1"), ("+86", "+86"), ("-1", "-1"), ("-1.5", "-1.5"), ("@x", "'@x"), ("-2+3", "'-2+3"),
            ("+86 138-0013 8000", "+86 138-0013 8000"), ("+86138****8000", "'+86138****8000"), ("+1-2", "'+1-2"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("'=x", "''=x"), ("'quoted'", "'quoted'"), ("\tx", "'\tx"), ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""), ("=cmd,1", "\"'=cmd,1\""), ("王芳", "王芳"),
        ])
    func formulas(value: String, expected: String) {
        #expect(ListCSV.cell(value) == expected)
    }

    /// A trigger on UPDATE OF fires for every column that is set, changed or not, as an index is touched for it.
    @Test("a change of a customer sets only the columns of the listing that change")
    func changedColumns() async throws {
        let bench = try await ImportBench()
        let row: [String: SQLValue] = [
            "source_id": .text("C1"), "full_name": .text("Ann Lee"), "region": .text("浙江"), "plan": .text("A"),
            "monthly_charge": .int(5900),
        ]
        let id = try #require(try await bench.apply([row]).first?.customer)
        try await bench.test.tenant.database.write { session in
            try session.execute("CREATE TABLE touched (name TEXT)")
            for column in ["sort_name", "status", "region", "plan", "monthly_charge", "risk"] {
                try TestTrigger.onUpdate(
                    "t_\(column)", of: column, table: "customers_listing",
                    does: "INSERT INTO touched (name) VALUES ('\(column)')", session)
            }
        }
        _ = try await bench.apply([row.merging(["plan": .text("B"), "monthly_charge": .int(6900)]) { $1 }])
        let read = try await bench.test.tenant.database.read { session in
            (
                try session.query("SELECT name FROM touched ORDER BY name") { $0.text(0) },
                try session.first("SELECT plan, monthly_charge, region FROM customers_listing") {
                    [$0.text(0), "\($0.int(1))", $0.text(2)]
                },
                try ListingRow.stored([id], session)[id]
            )
        }
        #expect(read.0 == ["monthly_charge", "plan"])
        #expect(read.1 == ["B", "6900", "浙江"])
        let record = try #require(try await bench.record(id))
        #expect(read.2?.values == ListingRow(record, policy: .none, risk: nil).values)
    }

    @Test("a listing row that is missing is written by the next change")
    func missingRow() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([["source_id": .text("C1"), "plan": .text("A")]])
        try await bench.test.tenant.database.write { _ = try $0.execute("DELETE FROM customers_listing") }
        _ = try await bench.apply([["source_id": .text("C1"), "plan": .text("B")]])
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_listing WHERE plan = 'B'") == 1)
    }
}
