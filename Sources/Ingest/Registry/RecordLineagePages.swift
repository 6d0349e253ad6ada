import Kernel
import Platform
import Storage
import Web

/// Where each value of a bill, a case, a contact or a line comes from: what each row gave, with source, file, line, mapping
/// version and rules.
extension LineagePages {
    private struct LoadedRecord: Sendable {
        let name: String
        let customers: [CustomerID]
        let rows: [LineageRow]
        let origins: [ImportRunID: Origin]
        let title: Words?
        let fields: [ImportField]
        let rules: [QualityRule]
        let values: [RecordLineage.RowPlace: [String: SQLValue]]
        /// The customer's number at each source.
        let numbers: [String: SQLValue]
    }

    @Sendable func showRecord(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let record: ID<AnyKind> = try call.request.id("record")
        let service = service(call.tenant)
        let principal = try call.principal()
        let loaded = try await call.read { session in
            try load(id, record.rawValue, service, principal, session)
        }
        let masking = try call.masking()
        var unmasked: [String] = []
        let mayImports = principal.may(ImportService.permission)
        var lines: [View] = []
        for field in loaded.fields {
            let steps = loaded.rows.filter { row in
                guard let column = Self.column(field.key, row, loaded.origins, loaded.fields) else { return false }
                return row.columns.contains(column)
            }
            guard let first = steps.first else { continue }
            let mask = FieldMask.mask(field.key, loaded.fields)
            func view(_ row: LineageRow) -> View {
                var view = step(row, field.key, loaded.origins, loaded.fields, loaded.rules, mayImports, call, before: nil)
                var given = loaded.values[.init(run: row.run, number: row.record)]?[field.key]
                // Whom a row named is kept as whose the record is.
                if given == nil, field.key == "source_id", let source = loaded.origins[row.run]?.run.mapping.source {
                    given = loaded.numbers[source]
                }
                let value = given.flatMap { text($0, field, call) }
                if value != nil, mask != .none, masking.shows(mask), !unmasked.contains(field.key) { unmasked.append(field.key) }
                view["value"] = .text(masking.apply(mask, value))
                return view
            }
            lines.append([
                "field": .text(field.words[call.language]), "step": .view(view(first)),
                "earlier": .list(steps.dropFirst().prefix(5).map(view)),
            ])
        }
        try await call.recordView(
            AuditEntry("ingest.lineage.view", loaded.customers.map { .customer($0) }, unmasked: unmasked))
        let title = loaded.title?[call.language] ?? call.text("lineage.record")
        return call.page(
            "ingest/lineage-record", title: "\(title) · " + call.text("lineage.title"), active: "/customers",
            [
                "name": .text(try call.masking().apply(.name, loaded.name)), "customer": .text("/customers/\(id)"),
                "back": .text("/customers/\(id)/lineage"), "record": .text(title), "lines": .list(lines),
                "isEmpty": .bool(lines.isEmpty), "days": .text("\(ImportService.keptDays)"),
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
            rules: try entity.map { try RuleStore.rules(entity: $0, session) } ?? [],
            values: try RecordLineage.values(
                record, rows, target?.fields ?? [], told: { customers.told(entity ?? "", $0) }, session),
            numbers: Dictionary(
                records.compactMap { one in one.values["source_id"].map { (one.source, $0) } }, uniquingKeysWith: { first, _ in first }))
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
