import Kernel
import Platform
import Storage
import Web

/// Where each value of a customer comes from: source, file, line, mapping version and the rules that changed it, with
/// earlier values as far as the journals go.
struct LineagePages: Sendable {
    static let permission = Permission("ingest.lineage")

    let service: @Sendable (Tenant) -> ImportService
    let customers: LineageCustomers

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/customers/{id}/lineage", .permission(Self.permission), trace: .view, handler: show),
            Endpoint(
                .get, "/customers/{id}/lineage/{record}", .permission(Self.permission), trace: .view,
                handler: showRecord),
        ]
    }

    /// What is known of an import.
    struct Origin: Sendable {
        let run: ImportRun
        let file: String
        let columns: [String]
        let version: Int64?
        /// Of a replay: the import and line a row came with, and what of it was repaired.
        var first: [Int: (file: String, run: ImportRunID, line: Int, repaired: ColumnBits)] = [:]
    }

    /// A change by hand, as the audit log has it.
    private struct Edit: Sendable {
        let at: Instant
        let by: String
        let fields: Set<String>
    }

    private struct Loaded: Sendable {
        let records: [LineageRecord]
        let rows: [LineageRow]
        let origins: [ImportRunID: Origin]
        let edits: [CustomerID: [Edit]]
        /// By run, record of the customer and field: the value before.
        let before: [String: SQLValue]
        let fields: [ImportField]
        let rules: [QualityRule]
        let others: [ListedRecord]
        let titles: [String: Words]
    }

    static let versionOfRun: SQL = "SELECT mapping_version FROM ingest_run WHERE id = $1"

    private func load(
        _ id: CustomerID, _ service: ImportService, _ principal: Principal, _ session: any SQLSession
    ) throws -> Loaded {
        let records = try customers.records(id, service.tenant, principal, session)
        let rows = try LineageStore.rows(records.map(\.id), session)
        return Loaded(
            records: records, rows: rows, origins: try origins(rows, session), edits: try edits(records.map(\.id), session),
            before: try before(rows, session),
            fields: try service.target.fields + service.target.attributeFields(session),
            rules: try RuleStore.rules(entity: service.target.entity, session),
            others: try listed(records.map(\.id), session),
            titles: Dictionary(service.targets.map { ($0.entity, $0.title) }, uniquingKeysWith: { first, _ in first }))
    }

    func origins(_ rows: [LineageRow], _ session: any SQLSession) throws -> [ImportRunID: Origin] {
        var origins: [ImportRunID: Origin] = [:]
        for row in rows {
            var origin = try origins[row.run] ?? origin(row.run, session)
            if origin.run.isReplay, origin.first[row.record] == nil {
                origin.first[row.record] = try first(row, session)
            }
            origins[row.run] = origin
        }
        return origins
    }

    func origin(_ id: ImportRunID, _ session: any SQLSession) throws -> Origin {
        let run = try RunStore.run(id, session)
        let file = try RunStore.file(run.fileID, session)
        return Origin(
            run: run, file: file.name, columns: file.inspection.columns,
            version: try session.first(Self.versionOfRun, [.id(id)]) { $0.optionalInt(0) } ?? nil)
    }

    private func first(
        _ row: LineageRow, _ session: any SQLSession
    ) throws -> (file: String, run: ImportRunID, line: Int, repaired: ColumnBits)? {
        guard let found = try QuarantineStore.origin(of: row.record, row.run, session) else { return nil }
        let run = try RunStore.run(found.run, session)
        return (try RunStore.file(run.fileID, session).name, found.run, found.line, found.repaired)
    }

    private static let edits = [
        "customers.customer.create", "customers.customer.update", "customers.customer.segment",
        "customers.customer.leave", "customers.customer.return",
    ]

    private func edits(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [Edit]] {
        var result: [CustomerID: [Edit]] = [:]
        for id in ids {
            for action in Self.edits {
                var filter = AuditReader.Filter()
                filter.customer = id
                filter.action = action
                result[id, default: []] += try AuditReader().page(filter, limit: 50, session).items.map {
                    var fields = Set(($0.facts["fields"]?.array ?? []).compactMap(\.string))
                    if $0.action == "customers.customer.segment" { fields.insert("segment") }
                    return Edit(at: $0.at, by: $0.actorName, fields: fields)
                }
            }
        }
        return result
    }

    /// The journals of the chunks that changed something: they hold every value before.
    private func before(_ rows: [LineageRow], _ session: any SQLSession) throws -> [String: SQLValue] {
        let field = try customers.fields(session)
        var result: [String: SQLValue] = [:]
        var read: [String: JournalEntries?] = [:]
        for row in rows.filter({ !$0.isNew }).prefix(20) {
            let key = "\(row.run)/\(row.chunk)"
            let entries = try read[key] ?? JournalStore.entries(row.run, chunk: row.chunk, session)
            read[key] = entries
            for (id, undo) in entries?.updated ?? [] where id == row.customer {
                for change in undo {
                    if let name = field(change) { result[Self.place(row, name)] = change.before }
                }
            }
        }
        return result
    }

    private static func place(_ row: LineageRow, _ field: String) -> String {
        "\(row.run)/\(row.record)/\(row.customer)/\(field)"
    }

    // MARK: View

    @Sendable private func show(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let service = service(call.tenant)
        let principal = try call.principal()
        let loaded = try await call.read { try load(id, service, principal, $0) }
        var unmasked: [String] = []
        let masking = try call.masking()
        let records = loaded.records.map { record in
            view(record, loaded, masking, call, mayImports: principal.may(ImportService.permission), &unmasked)
        }
        try await call.recordView(
            AuditEntry(
                "ingest.lineage.view", loaded.records.map { .customer($0.id) }, unmasked: unmasked))
        let name = masking.apply(.name, loaded.records.first?.name ?? "")
        return call.page(
            "ingest/lineage", title: call.text("lineage.title"), active: "/customers",
            [
                "name": .text(name), "customer": .text("/customers/\(id)"), "records": .list(records),
                "many": .bool(records.count > 1), "hasOthers": .bool(!loaded.others.isEmpty),
                "others": .list(
                    loaded.others.map { other in
                        [
                            "path": .text(other.path),
                            "title": .text(loaded.titles[other.entity]?[call.language] ?? other.entity),
                            "source": .text(other.source), "file": .text(other.file),
                            "line": .text(Numbers.grouped(other.line)), "at": .text(call.time(other.at)),
                        ]
                    }), "days": .text("\(ImportService.keptDays)"),
            ])
    }

    private func view(
        _ record: LineageRecord, _ loaded: Loaded, _ masking: Masking, _ call: Call, mayImports: Bool,
        _ unmasked: inout [String]
    ) -> View {
        let rows = loaded.rows.filter { $0.customer == record.id }
        var lines: [View] = []
        for field in loaded.fields {
            guard let value = record.values[field.key], value != .null else { continue }
            let mask = FieldMask.mask(field.key, loaded.fields)
            if mask != .none, masking.shows(mask), !unmasked.contains(field.key) { unmasked.append(field.key) }
            func shown(_ value: SQLValue?) -> String? {
                text(value ?? .null, field, call).map { masking.apply(mask, $0) }
            }
            func brought(_ key: String) -> [LineageRow] {
                rows.filter { row in
                    guard let column = Self.column(key, row, loaded.origins, loaded.fields) else { return false }
                    return row.columns.contains(column)
                }
            }
            var steps = brought(field.key)
            var key = field.key
            if steps.isEmpty, let other = LineageStore.yielded[field.key] { (steps, key) = (brought(other), other) }
            func step(_ row: LineageRow, before: String? = nil) -> View {
                var view = self.step(
                    row, key, loaded.origins, loaded.fields, loaded.rules, mayImports, call, before: before)
                view["isYielded"] = .bool(key != field.key)
                return view
            }
            let edit = (loaded.edits[record.id] ?? []).filter { $0.fields.contains(field.key) }.max { $0.at < $1.at }
            let isByHand = edit.map { edit in steps.first.map { $0.at <= edit.at } ?? true } ?? false
            var line: View = [
                "field": .text(field.words[call.language]), "value": .text(shown(value)),
                "byHand": .bool(isByHand), "editBy": .text(edit?.by), "editAt": .text(edit.map { call.time($0.at) }),
                "earlierByHand": .bool(Self.isBetween(edit, steps)), "unknown": .bool(!isByHand && steps.isEmpty),
                "imported": .bool(rows.contains { $0.isNew }),
                "earlier": .list(
                    (isByHand ? steps : Array(steps.dropFirst())).prefix(5).map { step($0) }),
            ]
            if !isByHand, let first = steps.first {
                let old = loaded.before[Self.place(first, field.key)]
                line["step"] = .view(step(first, before: shown(old)))
            }
            lines.append(line)
        }
        return [
            "id": .text("\(record.id)"), "source": .text(record.source), "lines": .list(lines),
            "name": .text(masking.apply(.name, record.name)), "isEmpty": .bool(lines.isEmpty),
        ]
    }

    /// Whether what stood before the last import was somebody's, and not what the import before had brought.
    private static func isBetween(_ edit: Edit?, _ steps: [LineageRow]) -> Bool {
        guard let edit, let last = steps.first, edit.at < last.at else { return false }
        return steps.count == 1 || steps[1].at < edit.at
    }

    /// The column of the row's file that fills a field.
    static func column(
        _ field: String, _ row: LineageRow, _ origins: [ImportRunID: Origin], _ fields: [ImportField]
    ) -> Int? {
        guard let origin = origins[row.run] else { return nil }
        let title = fields.first { $0.key == field }?.words.en
        return origin.columns.firstIndex { header in
            switch origin.run.mapping.column(header)?.target {
            case .field(let key)?: key == field
            case .attribute?: field.hasPrefix("attr.") && header == title
            default: false
            }
        }
    }

    func step(
        _ row: LineageRow, _ field: String, _ origins: [ImportRunID: Origin], _ fields: [ImportField],
        _ rules: [QualityRule], _ mayImports: Bool, _ call: Call, before: String?
    ) -> View {
        let origin = origins[row.run]
        let first = origin?.first[row.record]
        let column = Self.column(field, row, origins, fields)
        let fixes = row.fixes.filter { $0.column == column }.map { fix in RuleViews.name(fix.rule, rules, call) }
        return [
            "source": .text(origin?.run.mapping.source), "file": .text(first?.file ?? origin?.file),
            "runPath": .text(mayImports ? "/imports/\(first?.run ?? row.run)" : nil),
            "line": .text(Numbers.grouped(first?.line ?? row.line)),
            "column": .text(column.flatMap { origin?.columns[$0] }), "at": .text(call.time(row.at)),
            "mapping": .text(origin?.version.map { "\($0)" }), "fixes": .texts(fixes),
            "hasFixes": .bool(!fixes.isEmpty),
            "before": .text(before), "viaQuarantine": .bool(first != nil),
            "isRepaired": .bool(column.map { first?.repaired.contains($0) ?? false } ?? false),
            "replayPath": .text(first != nil && mayImports ? "/imports/\(row.run)" : nil),
        ]
    }

    /// A stored value as people write it; `nil` = none.
    func text(_ value: SQLValue, _ field: ImportField, _ call: Call) -> String? {
        switch (value, field.kind) {
        case (.null, _): nil
        case (.int(let int), .money): Money(minor: int, currency: call.tenant.currency).displayed
        case (.int(let at), .time): call.time(Instant(milliseconds: at))
        case (.bool(let bool), _): call.text(bool ? "ingest.yes" : "ingest.no")
        case (.text(let code), .choice(let choices)): choices.first { $0.code == code }?.words[call.language] ?? code
        default: CompiledRules.text(value)
        }
    }
}
