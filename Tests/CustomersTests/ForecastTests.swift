import Foundation
import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// A dry run that matches tells whom the import then joins (ADR 0042): the same customers, whatever weights are in use.
@Suite("Dry run of matching")
struct ForecastTests {
    /// People of few names, numbers and homes, so that much is alike; `shared` have one number that says nothing.
    private static func people(_ count: Int, shared: Int, _ random: inout SeededGenerator) -> [[String: String]] {
        let surnames = ["王", "李", "张", "欧阳"], given = ["小明", "芳", "伟", "薇", "国强", "丽华"]
        let latin = ["Anna Schmidt", "Bob Jones", "Bobby Jones", "Mary Smith", "Mark Smith", "Wang Xiaoming", "Li Fang"]
        return (0..<count).map { index in
            var row = ["source_id": "S\(index)"]
            let isLatin = Int.random(in: 0..<4, using: &random) == 0
            let name =
                isLatin
                ? latin.randomElement(using: &random)
                : surnames.randomElement(using: &random).flatMap { one in given.randomElement(using: &random).map { one + $0 } }
            if Int.random(in: 0..<12, using: &random) > 0 { row["full_name"] = name }
            if Int.random(in: 0..<3, using: &random) > 0 {
                row["phone"] = "+861380000\(1_000 + Int.random(in: 0..<count / 2, using: &random))"
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                row["msisdn"] = "+861390000\(1_000 + Int.random(in: 0..<count / 2, using: &random))"
            }
            if Int.random(in: 0..<2, using: &random) == 0 {
                row["email"] = "m\(Int.random(in: 0..<count / 2, using: &random))@example.com"
            }
            if index < shared { row["email"] = "nobody@example.com" }
            if Int.random(in: 0..<3, using: &random) > 0 {
                let (year, day) = (Int.random(in: 1980..<1984, using: &random), Int.random(in: 10..<20, using: &random))
                row["birth_date"] = "\(year)-05-\(day)"
            }
            if Int.random(in: 0..<3, using: &random) > 0 {
                row["address"] = "人民路\(Int.random(in: 1..<9, using: &random))号"
                row["postcode"] = "2000\(Int.random(in: 10..<14, using: &random))"
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                row["document_number"] = MatchDesk.identity(Int.random(in: 1..<count / 2, using: &random))
            }
            return row
        }
    }

    private static let options = ImportOptions(matchKey: "source_id", source: "care", matches: true)

    /// What a dry run says, chunk by chunk.
    private func forecast(_ desk: MatchDesk, _ values: [[String: String]], chunk: Int) async throws -> ImportMatches {
        let importer = desk.bench.target.importer(Self.options, principal: desk.bench.principal)
        importer.expect(rows: values.count, created: 0)
        let rows = ImportBench.rows(values.map { $0.mapValues { .text($0) } })
        var all = ImportMatches()
        for part in rows.chunked(chunk) {
            nonisolated(unsafe) let importer = importer
            _ = try await desk.tenant.database.read { try importer.plan(part, $0) }
            let found = importer.takeMatches()
            all.linked += found.linked
            all.review += found.review
            all.apart += found.apart
        }
        return all
    }

    /// The import: each transaction takes some chunks, and what it wrote is compared while the next one writes.
    private func bring(_ desk: MatchDesk, _ values: [[String: String]], chunk: Int, inOne: [Int]) async throws -> ImportMatches {
        let importer = desk.bench.target.importer(Self.options, principal: desk.bench.principal)
        importer.expect(rows: values.count, created: 0)
        nonisolated(unsafe) let shared = importer
        var parts = ImportBench.rows(values.map { $0.mapValues { .text($0) } }).chunked(chunk)[...]
        var all = ImportMatches()
        var written: (any ImportSequel)?, looked: (any ImportFinding)?
        var turn = 0
        @Sendable func settle(_ finding: (any ImportFinding)?, _ session: any SQLSession) throws -> ImportMatches {
            try finding?.settle(session) ?? ImportMatches()
        }
        while !parts.isEmpty || written != nil || looked != nil {
            let now = Array(parts.prefix(inOne[turn % inOne.count]))
            parts = parts.dropFirst(now.count)
            turn += 1
            let (before, earlier) = (written, looked)
            let (done, next) = try await desk.tenant.database.write { session -> (ImportMatches, (any ImportSequel)?) in
                shared.begin()
                for part in now { _ = try shared.apply(part, session) }
                return (try settle(earlier, session), try shared.finish(session))
            }
            all.linked += done.linked
            all.review += done.review
            looked = try await before.asyncLook(desk.tenant.database)
            written = next
        }
        return all
    }

    /// Learns weights from the customers that are there, and puts them into use.
    private func learn(_ desk: MatchDesk) async throws {
        let sample = try await MatchLearning.sample(desk.tenant)
        let (model, pairs) = LinkageModel.learned(MatchCard.fields, MatchLearning.columns(sample.map(\.card)), countryCode: "86")
        let text = String(decoding: try JSONEncoder().encode(model), as: UTF8.self)
        let id: ID<AnyKind> = desk.tenant.ids.next()
        try await desk.tenant.database.write { session in
            try session.execute(
                MatchStore.insertModel,
                [.id(id), .time(desk.tenant.clock.now()), .text("test"), .int(sample.count), .int(pairs), .text(text), .text("")])
            try session.execute(MatchStore.useModel, [.id(id), .bool(true)])
        }
    }

    @Test("a dry run counts what the import then links and asks about, with weights as shipped and learned", arguments: 1...8)
    func exact(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let desk = try await MatchDesk()
        let shared = [0, 30, 45, 70][Int(seed % 4)]
        _ = try await desk.bring("billing", Self.people(200, shared: shared, &random))
        if seed > 4 { try await learn(desk) }
        let file = Self.people(200, shared: shared, &random)
        let planned = try await forecast(desk, file, chunk: 23)
        let done = try await bring(desk, file, chunk: 23, inOne: [1, 2, 4])
        #expect(planned.linked == done.linked && planned.review == done.review, "seed \(seed): \(planned) \(done)")
    }
}

extension Optional where Wrapped == any ImportSequel {
    fileprivate func asyncLook(_ database: any Database) async throws -> (any ImportFinding)? {
        guard let sequel = self else { return nil }
        return try await database.read { try sequel.look($0) }
    }
}
