import Contracts
import Kernel
import Storage
import Web

/// One kind of record as a target of imports. Its rows belong to customers who are there already.
package struct RecordTarget: ImportTarget {
    private let tenant: Tenant
    private let kind: RecordKind
    private let naming: any CustomerFinding

    package init(_ kind: RecordKind, _ tenant: Tenant, naming: any CustomerFinding) {
        self.kind = kind
        self.tenant = tenant
        self.naming = naming
    }

    package var entity: String { kind.entity }
    package var title: Words { kind.title }
    package var takesAttributes: Bool { false }
    package var needsMatchKey: Bool { kind.keyField != nil }
    package var fields: [ImportField] { kind.fields }

    package func attributeFields(_ session: any SQLSession) throws -> [ImportField] { [] }

    package func defineAttribute(
        title: String, kind: ImportFieldKind, _ session: any SQLSession
    ) throws -> ImportField {
        throw CRMError.invalid(
            "columns", "no_attributes",
            Words(
                en: "Column “\(title)” cannot become a custom attribute: only customers have those. Leave it out.",
                zh: "列“\(title)”不能成为自定义属性（仅客户支持），请忽略该列。"))
    }

    package func removeUnusedAttributes(
        _ keys: [String], principal: Principal, _ session: any SQLSession
    ) throws -> [Words] { [] }

    /// That no row finds a record is the ordinary case here: a month's bills are all new.
    package func holdsRecords(_ session: any SQLSession) throws -> Bool { false }

    package func known(
        _ values: [String], by field: String, source: String, _ session: any SQLSession
    ) throws -> Set<String>? {
        let name: (String) -> CustomerName
        switch field {
        case "source_id": name = { .reference(source: source, $0) }
        case "msisdn": name = { .msisdn($0) }
        case "account_number": name = { .account(source: source, $0) }
        default: return nil
        }
        // Whether it is there, whoever asks.
        let found = try naming.customers(
            named: Set(values.map(name)), for: .system(tenant: tenant.name, "rules"), session)
        return Set(values.filter { found[name($0)] != nil })
    }

    package func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        RecordImporter(tenant, kind, naming, options, principal)
    }

    // MARK: Taking it back

    static let changedSince = Words(en: "Changed since the import, so it was kept.", zh: "导入后已被修改，予以保留。")
    static let gone = RevertIssue.recordGone

    /// Records as they are, or as they would be by now in a forecast.
    private func foreseen(
        _ places: [RecordPlace], _ session: any SQLSession, _ memory: RevertMemory
    ) throws -> [RecordPlace: [SQLValue]] {
        let stored = try RecordStore(kind).load(places, session)
        guard !memory.records.isEmpty else { return stored }
        return Dictionary(
            stored.map { ($0.key, memory.records[$0.key] as? [SQLValue] ?? $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private struct Made {
        var removed: [(place: RecordPlace, key: String, source: String)] = []
        var known: [RecordPlace: [SQLValue]] = [:]
        var issues: [RevertIssue] = []
    }

    /// Which of the records that were made are still as they were made.
    private func judge(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], _ session: any SQLSession,
        _ memory: RevertMemory = RevertMemory()
    ) throws -> Made {
        let places = records.map { Self.place($0.0, $0.undo) }
        var made = Made()
        made.known = try foreseen(places.compactMap { $0 }, session, memory)
        for (record, place) in zip(records, places) {
            guard let place, let key = record.undo.first(where: { $0.field.hasPrefix(RecordStore.key) }),
                case .text(let text) = key.after, let now = made.known[place]
            else {
                made.issues.append(RevertIssue(customer: record.0, field: "", reason: Self.gone))
                continue
            }
            let values = Dictionary(record.undo.map { ($0.field, $0.after) }, uniquingKeysWith: { _, last in last })
            guard zip(kind.columns, now).allSatisfy({ values[$0] ?? .null == $1 }) else {
                made.issues.append(RevertIssue(customer: record.0, field: "", reason: Self.changedSince))
                continue
            }
            made.removed.append((place, text, String(key.field.dropFirst(RecordStore.key.count))))
        }
        return made
    }

    package func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] {
        try reach(records.map(\.0), principal, session)
        let store = RecordStore(kind)
        let made = try judge(records, session)
        try store.delete(made.removed, session)
        let gone = made.removed.map {
            RecordChange(place: $0.place, before: store.named(made.known[$0.place] ?? []), after: nil)
        }
        try kind.changed(gone, tenant, session)
        try kind.tell(gone, tenant, session)
        try trace(made.removed.map(\.place.customer), principal, session)
        return made.issues
    }

    private struct Changed {
        var stored: [RecordPlace: [SQLValue]] = [:]
        var known: [RecordPlace: [SQLValue]] = [:]
        var changed: Set<RecordPlace> = []
        var customers: [CustomerID] = []
        var issues: [RevertIssue] = []
    }

    /// What the records that were changed become when it is taken back.
    private func judge(
        _ records: [(CustomerID, undo: [ImportChange])], _ session: any SQLSession, _ memory: RevertMemory = RevertMemory()
    ) throws -> Changed {
        let places = records.map { Self.place($0.0, $0.undo) }
        var result = Changed()
        result.stored = try foreseen(places.compactMap { $0 }, session, memory)
        result.known = result.stored
        let index = Dictionary(
            kind.columns.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        for (record, place) in zip(records, places).reversed() {
            // A row that amended what the same chunk had made is undone with it.
            guard let place else { continue }
            guard var values = result.known[place] else {
                result.issues.append(RevertIssue(customer: record.0, field: "", reason: Self.gone))
                continue
            }
            for change in record.undo {
                guard let column = index[change.field] else { continue }
                if values[column] == change.after {
                    values[column] = change.before
                } else {
                    result.issues.append(
                        RevertIssue(customer: record.0, field: change.field, reason: Self.changedSince))
                }
            }
            result.known[place] = values
            result.changed.insert(place)
            result.customers.append(record.0)
        }
        return result
    }

    package func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        try reach(records.map(\.0), principal, session)
        let store = RecordStore(kind)
        let done = try judge(records, session)
        try store.update(done.changed.compactMap { place in done.known[place].map { (place, $0) } }, session)
        let back = done.changed.sorted { $0.id < $1.id }.map { place in
            RecordChange(
                place: place, before: store.named(done.stored[place] ?? []), after: store.named(done.known[place] ?? []))
        }
        try kind.changed(back, tenant, session)
        try kind.tell(back, tenant, session)
        try trace(done.customers, principal, session)
        return done.issues
    }

    package func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? {
        let made = try judge(created, session, memory)
        // What was made goes first: what was changed in it by the same import is then not there any more.
        let gone = Set(made.removed.map(\.place))
        let changed = try judge(
            updated.filter { record in Self.place(record.0, record.undo).map { !gone.contains($0) } ?? false }, session,
            memory)
        for place in changed.changed { memory.records[place] = changed.known[place] }
        var forecast = RevertForecast()
        forecast.removed = made.removed.count
        forecast.restored = changed.changed.count { changed.known[$0] != changed.stored[$0] }
        forecast.issues = made.issues + changed.issues
        return forecast
    }

    /// - Throws: when a customer is out of the principal's reach: a revert of a part would pass for the whole.
    private func reach(_ customers: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws {
        guard principal.scope != .all else { return }
        let ids = Set(customers)
        guard try naming.reachable(ids, for: principal, session) == ids else {
            throw CRMError(
                "out_of_scope", status: 403,
                Words(
                    en:
                        "Customers of this import lie outside your regions. Somebody who may see all of them has to take it back.",
                    zh: "该导入涉及您数据范围之外的客户，须由有完整范围的人员撤销。"))
        }
    }

    private static func place(_ customer: CustomerID, _ undo: [ImportChange]) -> RecordPlace? {
        guard case .int(let id)? = undo.first(where: { $0.field == RecordStore.record })?.after else { return nil }
        return RecordPlace(customer: customer, id: id)
    }

    private func trace(_ customers: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws {
        guard !customers.isEmpty else { return }
        var counts: [CustomerID: Int] = [:]
        for customer in customers { counts[customer, default: 0] -= 1 }
        let sorted = counts.sorted { $0.key < $1.key }
        try kind.touched(sorted.map { ($0.key, $0.value) }, session)
        for chunk in sorted.map(\.key).chunked(Limits.auditSubjectsMax) {
            try tenant.audit.record(
                AuditEntry(
                    kind.audit, chunk.map { .customer($0) },
                    facts: ["entity": .string(kind.entity), "cause": .string("import_revert")]), by: principal, session)
            try tenant.outbox.append(CustomersChanged(ids: chunk, fields: [], kind: .updated, records: kind.entity), session)
        }
    }
}
