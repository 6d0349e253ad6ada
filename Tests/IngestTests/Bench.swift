import Foundation
import Kernel
import Platform
import Storage
import TestSupport

@testable import Ingest

/// A tenant with the import's tables and the fake domain's.
struct Bench {
    let test: TestTenant
    let target: FakeTarget
    let service: ImportService
    var tenant: Tenant { test.tenant }
    let principal = TestTenant.principal(
        [ImportService.permission, ImportService.quarantinePermission, RulePages.permission], roles: [.administrator])

    init(
        beforeApply: @escaping @Sendable (Int) throws -> Void = { _ in },
        beforeSequel: @escaping @Sendable (FakeSequel.Step, Int) throws -> Void = { _, _ in }
    ) async throws {
        test = try await TestTenant(["Ingest"])
        target = FakeTarget(ids: test.tenant.ids, beforeApply: beforeApply, beforeSequel: beforeSequel)
        service = ImportService(tenant: test.tenant, target: target, share: Checkout.share)
        try await test.tenant.database.write { session in
            for table in FakeTarget.tables { try session.execute(table) }
        }
    }

    /// Writes a file into the tenant's folder.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = test.folder + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
    func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

    func importText(
        _ text: String, name: String = "test.csv", mapping: String? = nil, matchKey: String? = nil, dryRun: Bool = false
    ) async throws -> ImportReport {
        try await service.importFile(
            try file(name, text), mapping: mapping, source: "test", matchKey: matchKey, dryRun: dryRun,
            principal: principal)
    }

    /// Makes a draft of a text with the proposed mapping.
    func draft(_ text: String, name: String = "test.csv", source: String = "test") async throws -> ImportService.Draft {
        let (blob, warnings) = try service.copyIn(try file(name, text))
        return try await service.draft(
            name: name, blob: blob, source: source, warnings: warnings, principal: principal,
            record: service.recorder(principal))
    }

    func enqueue(_ action: ImportService.Action, _ run: ImportRunID) async throws {
        try await service.enqueue(action, run, principal: principal, record: service.recorder(principal))
    }

    /// Everything the fake domain holds, without ids.
    func contents() async throws -> [String: [String: String]] {
        try await tenant.database.read { session in
            let rows = try session.query("SELECT key, data FROM fake_customer ORDER BY key") {
                ($0.text(0), FakeRecord.decode($0.text(1)))
            }
            return Dictionary(uniqueKeysWithValues: rows)
        }
    }

    func rejectFile(_ report: ImportReport) throws -> [String] {
        guard let path = report.rejectFile else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\r\n").filter { !$0.isEmpty }
    }
}

extension ImportReport {
    /// Read, created, updated, unchanged, rejected.
    var numbers: [Int] { [read, created, updated, unchanged, rejected] }
}

extension RunCounts {
    var numbers: [Int] { [read, created, updated, unchanged, rejected] }
}

/// A table of `rows` lines with a key, a name, a number, a charge and a free column.
func sampleCSV(rows: Int, from first: Int = 1, charge: Int = 10) -> String {
    var text = "Customer ID,Full Name,Mobile,Monthly Charges,Segment\n"
    for row in first..<first + rows {
        text += "K\(row),Name \(row),138\(String(format: "%08d", row)),\(charge + row % 7).50,Seg \(row % 3)\n"
    }
    return text
}
