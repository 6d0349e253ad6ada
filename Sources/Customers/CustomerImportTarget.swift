import Contracts
import Kernel
import Platform
import Storage
import Web

/// Customers as the target of imports (O1-O3).
package struct CustomerImportTarget: ImportTarget {
    let tenant: Tenant

    package init(_ tenant: Tenant) { self.tenant = tenant }

    package var entity: String { "customer" }
    package var fields: [ImportField] { CustomerFields.all.map(\.field) }

    package func attributeFields(_ session: any SQLSession) throws -> [ImportField] {
        try AttributeStore.all(session).map(\.importField)
    }

    package func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField
    {
        let (type, codes) = Self.attributeKind(kind)
        let name = title.trimmed.isEmpty ? "column" : String(title.trimmed.prefix(120))
        let known = try session.count(AttributeStore.count)
        let attribute = try AttributeStore(ids: tenant.ids, clock: tenant.clock).defineForColumn(
            title: name, kind: type, codes: codes, by: "import", session)
        if try session.count(AttributeStore.count) > known {
            try tenant.audit.record(
                AuditEntry(
                    "customers.attribute.create", [AuditSubject(kind: "attribute", id: attribute.id.rawValue)],
                    facts: ["key": .string(attribute.key), "kind": .string(type.rawValue)]),
                by: .system(tenant: tenant.name, "import"), session)
        }
        return attribute.importField
    }

    /// Money becomes a decimal: an attribute has no currency.
    private static func attributeKind(_ kind: ImportFieldKind) -> (CustomAttribute.Kind, [CustomAttribute.Code]) {
        switch kind {
        case .text, .phone, .email: (.text, [])
        case .integer: (.integer, [])
        case .decimal, .money: (.decimal, [])
        case .boolean: (.boolean, [])
        case .date: (.date, [])
        case .choice(let choices): (.code, choices.map { CustomAttribute.Code(code: $0.code, words: $0.words) })
        }
    }

    package func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        CustomerImporter(tenant: tenant, options: options, principal: principal)
    }

    // MARK: Revert

    package func revertCreated(
        _ records: [(CustomerID, revision: Int64)], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        for chunk in records.chunked(Limits.sqlListChunk) {
            let found = try CustomerLoader.records(chunk.map(\.0), session)
            let expected = Dictionary(chunk.map { ($0.0, $0.revision) }, uniquingKeysWith: { _, last in last })
            let reachable = try CustomerScope.reachable(found.map(\.id), principal, session)
            var removed: [CustomerRecord] = []
            for record in found {
                if reachable.contains(record.id), record.customer.revision == expected[record.id] {
                    removed.append(record)
                } else {
                    issues.append(RevertIssue(customer: record.id, field: "", reason: Self.changedSince))
                }
            }
            guard !removed.isEmpty else { continue }
            try CustomerWriter(ids: tenant.ids, session).remove(removed, session)
            let gone = removed.map(\.id)
            try tenant.audit.record(
                AuditEntry(
                    "customers.customer.remove", gone.map { .customer($0) },
                    facts: ["cause": .string("import_revert"), "customers": .int(Int64(gone.count))]),
                by: principal, session)
            try tenant.outbox.append(CustomersChanged(ids: gone, fields: [], kind: .removed), session)
        }
        return issues
    }

    package func revertUpdated(
        _ records: [(CustomerID, changes: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        let now = tenant.clock.now()
        let attributes = try AttributeStore.all(session)
        for chunk in Self.distinctRuns(records) {
            let reachable = try CustomerScope.reachable(chunk.map(\.0), principal, session)
            let found = try CustomerLoader.records(chunk.map(\.0).filter(reachable.contains), session)
            let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            var pairs: [(before: CustomerRecord, after: CustomerRecord)] = []
            for (id, changes) in chunk {
                guard let before = byID[id] else {
                    issues.append(RevertIssue(customer: id, field: "", reason: Self.gone))
                    continue
                }
                let undone = undo(changes, on: before, attributes)
                issues += undone.issues
                guard undone.record != before else { continue }
                var after = undone.record
                after.customer.updatedAt = now
                pairs.append((before, after))
            }
            guard !pairs.isEmpty else { continue }
            let today = now.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
            try CustomerWriter(ids: tenant.ids, session).update(pairs, on: today, session)
            let ids = pairs.map(\.after.id)
            try tenant.audit.record(
                AuditEntry(
                    "customers.customer.update", ids.map { .customer($0) },
                    facts: ["cause": .string("import_revert"), "customers": .int(Int64(ids.count))]),
                by: principal, session)
            try tenant.outbox.append(CustomersChanged(ids: ids, fields: [], kind: .updated), session)
        }
        return issues
    }

    static let revisionField = "revision"
    static let changedSince = Words(
        en: "Changed since the import, so it was kept.", zh: "导入后已被修改，予以保留。")
    static let gone = Words(en: "The customer is not there any more.", zh: "该客户已不存在。")

    /// Chunks in which a customer occurs once, so that a second change sees what the first restored.
    private static func distinctRuns(_ records: [(CustomerID, changes: [ImportChange])])
        -> [[(CustomerID, changes: [ImportChange])]]
    {
        var result: [[(CustomerID, changes: [ImportChange])]] = []
        var piece: [(CustomerID, changes: [ImportChange])] = []
        var seen: Set<CustomerID> = []
        for record in records {
            if piece.count == Limits.sqlListChunk || seen.contains(record.0) {
                result.append(piece)
                piece = []
                seen = []
            }
            piece.append(record)
            seen.insert(record.0)
        }
        if !piece.isEmpty { result.append(piece) }
        return result
    }

    /// Gives each field its value back while it still holds the import's. When all of them could be given back and
    /// nobody else wrote meanwhile, the revision goes back too, so that an earlier import can be reverted after this one.
    private func undo(_ changes: [ImportChange], on before: CustomerRecord, _ attributes: [CustomAttribute])
        -> (record: CustomerRecord, issues: [RevertIssue])
    {
        // The source whose number the import brought.
        let number = changes.first { $0.field == "source_id" }?.after.asText
        let source = before.sourceIDs.first { $0.value == number }?.key ?? before.customer.source
        let context = FieldContext(
            ids: tenant.ids, today: tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes),
            currency: before.customer.currency, source: source)
        var record = before
        var issues: [RevertIssue] = []
        let order = Dictionary(
            CustomerFields.all.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        let sorted = changes.filter { $0.field != Self.revisionField }
            .sorted { order[$0.field] ?? .max < order[$1.field] ?? .max }
        for change in sorted {
            if change.field.hasPrefix("attr.") {
                guard let attribute = attributes.first(where: { $0.fieldKey == change.field }),
                    CustomAttribute.value(before.attributes[attribute.id]) == change.after
                else {
                    issues.append(RevertIssue(customer: before.id, field: change.field, reason: Self.changedSince))
                    continue
                }
                record.attributes[attribute.id] = attribute.content(change.before)
                continue
            }
            guard let field = CustomerFields.byKey[change.field], field.get(before, context) == change.after,
                (try? field.set(&record, change.before, context)) != nil
            else {
                issues.append(RevertIssue(customer: before.id, field: change.field, reason: Self.changedSince))
                continue
            }
        }
        record.dropEmptyLines()
        guard record != before else { return (before, issues) }
        let revision = changes.first { $0.field == Self.revisionField }
        if issues.isEmpty, let revision, revision.after == .int(before.customer.revision),
            let earlier = revision.before.asInt
        {
            record.customer.revision = earlier
        } else {
            record.customer.revision += 1
        }
        return (record, issues)
    }
}
