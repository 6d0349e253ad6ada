import Kernel
import Platform
import Storage
import Web

/// Where each value of a bill, a case, a contact or a line comes from: source, file, line, mapping version and rules. The
/// values stand where the record is shown; here is none.
extension LineagePages {
    private struct LoadedRecord: Sendable {
        let name: String
        let customers: [CustomerID]
        let rows: [LineageRow]
        let origins: [ImportRunID: Origin]
        let title: Words?
        let fields: [ImportField]
        let rules: [QualityRule]
    }

    @Sendable func showRecord(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let record: ID<AnyKind> = try call.request.id("record")
        let service = service(call.tenant)
        let principal = try call.principal()
        let loaded = try await call.read { session in
            try load(id, record.rawValue, service, principal, session)
        }
        try await call.recordView(
            AuditEntry("ingest.lineage.view", loaded.customers.map { .customer($0) }, unmasked: []))
        let mayImports = principal.may(ImportService.permission)
        var lines: [View] = []
        for field in loaded.fields {
            let steps = loaded.rows.filter { row in
                guard let column = Self.column(field.key, row, loaded.origins, loaded.fields) else { return false }
                return row.columns.contains(column)
            }
            guard let first = steps.first else { continue }
            lines.append([
                "field": .text(field.words[call.language]),
                "step": .view(step(first, field.key, loaded.origins, loaded.fields, loaded.rules, mayImports, call, before: nil)),
                "earlier": .list(
                    steps.dropFirst().prefix(5).map {
                        step($0, field.key, loaded.origins, loaded.fields, loaded.rules, mayImports, call, before: nil)
                    }),
            ])
        }
        let title = loaded.title?[call.language] ?? call.text("lineage.record")
        return call.page(
            "ingest/lineage-record", title: "\(title) · " + call.text("lineage.title"), active: "/customers",
            [
                "name": .text(try call.masking().apply(.name, loaded.name)), "customer": .text("/customers/\(id)"),
                "back": .text("/customers/\(id)/lineage"), "record": .text(title), "lines": .list(lines),
                "isEmpty": .bool(lines.isEmpty),
            ])
    }

    private func load(
        _ id: CustomerID, _ record: Int64, _ service: ImportService, _ principal: Principal, _ session: any SQLSession
    ) throws -> LoadedRecord {
        let records = try customers.records(id, service.tenant, principal, session)
        let rows = try RecordLineage.rows(records.map(\.id), record: record, limit: LineageStore.rowsMax, session)
            .map(\.row)
        let origins = try origins(rows, session)
        let entity = rows.first.flatMap { origins[$0.run]?.run.entity }
        let target = try entity.map { try service.on($0).target }
        return LoadedRecord(
            name: records.first?.name ?? "", customers: records.map(\.id), rows: rows, origins: origins,
            title: target?.title, fields: target?.fields ?? [],
            rules: try entity.map { try RuleStore.rules(entity: $0, session) } ?? [])
    }

    /// Records of the customer that came from sources, the newest first, for the page of the customer.
    func listed(_ customers: [CustomerID], _ session: any SQLSession) throws -> [ListedRecord] {
        var seen: Set<String> = []
        return try RecordLineage.rows(customers, record: nil, limit: RecordLineage.listedMax, session).compactMap { record, row in
            guard seen.insert("\(row.customer)/\(record)").inserted else { return nil }
            let origin = try origin(row.run, session)
            return ListedRecord(
                path: "/customers/\(row.customer)/lineage/\(record)", entity: origin.run.entity,
                source: origin.run.mapping.source, file: origin.file, line: row.line, at: row.at)
        }
    }
}

/// A record that came from a source, as it is listed.
struct ListedRecord: Sendable {
    let path: String
    let entity: String
    let source: String
    let file: String
    let line: Int
    let at: Instant
}
