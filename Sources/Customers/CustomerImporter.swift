import Contracts
import Kernel
import Platform
import Storage
import Web

/// Plans and applies the rows of one import run. What a row would do is worked out completely before anything is
/// written, so a rejected row leaves nothing behind and a dry run tells exactly what the run will do.
final class CustomerImporter: Importer {
    private let tenant: Tenant
    private let options: ImportOptions
    private let principal: Principal
    private let context: FieldContext
    /// Hash of an identifier -> the line it was first seen in. Hashes only: a file of ten million rows fits.
    private var seen: [Int: Int32] = [:]
    private var attributes: [CustomAttribute]?
    /// Of the present chunk: numbers that customers hold who do not claim them any more.
    private var holders: [Identifier: CustomerID] = [:]

    init(tenant: Tenant, options: ImportOptions, principal: Principal) {
        self.tenant = tenant
        self.options = options
        self.principal = principal
        context = FieldContext(
            ids: tenant.ids, today: tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes),
            currency: tenant.currency, source: options.source)
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try resolve(rows, session).map { step in
            switch step {
            case .create: .created(CustomerID(0), revision: 1)
            case .update(_, let after, let changes): .updated(after.id, changes)
            case .done(let outcome): outcome
            }
        }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        let steps = try resolve(rows, session)
        var created: [CustomerRecord] = []
        var updated: [(before: CustomerRecord, after: CustomerRecord)] = []
        let outcomes = steps.map { step -> ImportOutcome in
            switch step {
            case .create(let record):
                created.append(record)
                return .created(record.id, revision: record.customer.revision)
            case .update(let before, let after, let changes):
                updated.append((before, after))
                let revisions = ImportChange(
                    field: CustomerImportTarget.revisionField, before: .int(before.customer.revision),
                    after: .int(after.customer.revision))
                return .updated(after.id, changes + [revisions])
            case .done(let outcome):
                return outcome
            }
        }
        let writer = try CustomerWriter(ids: tenant.ids, session)
        let released = takenOver(created.map { ($0, nil) } + updated.map { ($0.after, $0.before) })
        try writer.insert(created, released: released, session)
        if !updated.isEmpty { try writer.update(updated, on: context.today, session) }
        try trace(created.map(\.id), .created, session)
        try trace(updated.map(\.after.id), .updated, session)
        return outcomes
    }

    /// Numbers that go over from customers whose lines ended.
    private func takenOver(_ records: [(after: CustomerRecord, before: CustomerRecord?)]) -> [(Identifier, CustomerID)]
    {
        guard !holders.isEmpty else { return [] }
        return records.flatMap { after, before -> [(Identifier, CustomerID)] in
            Identifier.claims(after).subtracting(before.map(Identifier.claims) ?? []).compactMap { claim in
                guard let holder = holders[claim], holder != after.id else { return nil }
                return (claim, holder)
            }
        }
    }

    /// One audit event and one outbox event for at most 500 customers.
    private func trace(_ ids: [CustomerID], _ kind: CustomersChanged.Kind, _ session: any SQLSession) throws {
        for chunk in ids.chunked(Limits.auditSubjectsMax) {
            try tenant.audit.record(
                AuditEntry(
                    "customers.customer.import", chunk.map { .customer($0) },
                    facts: [
                        "source": .string(options.source), "kind": .string(kind.rawValue),
                        "customers": .int(Int64(chunk.count)),
                    ]),
                by: principal, session)
            try tenant.outbox.append(CustomersChanged(ids: chunk, fields: [], kind: kind), session)
        }
    }

    // MARK: What each row means

    private enum Step {
        case create(CustomerRecord)
        case update(before: CustomerRecord, after: CustomerRecord, [ImportChange])
        case done(ImportOutcome)
    }

    private func resolve(_ rows: [ImportRow], _ session: any SQLSession) throws -> [Step] {
        let custom = try customAttributes(for: rows, session)
        let wanted = rows.map(identifiers)
        let owners = try IdentifierStore.owners(Array(Set(wanted.flatMap { $0.values })), session)
        let matched = Set(wanted.compactMap { keys in options.matchKey.flatMap { keys[$0] }.flatMap { owners[$0] } })
        let existing = Dictionary(
            try CustomerLoader.records(Array(matched), session).map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        var foreign: [Identifier: CustomerID] = [:]
        for keys in wanted {
            let match = options.matchKey.flatMap { keys[$0] }.flatMap { owners[$0] }
            if let key = keys["msisdn"], let owner = owners[key], owner != match { foreign[key] = owner }
        }
        let released = try IdentifierStore.released(foreign, session)
        holders = foreign.filter { released.contains($0.key) }
        return rows.indices.map { index in
            do throws(Rejection) {
                return try step(rows[index], wanted[index], owners, existing, custom)
            } catch {
                return .done(.rejected(field: error.field, code: error.code, error.words))
            }
        }
    }

    private struct Rejection: Error {
        let field: String
        let code: String
        let words: Words
    }

    private func step(
        _ row: ImportRow, _ keys: [String: Identifier], _ owners: [Identifier: CustomerID],
        _ existing: [CustomerID: CustomerRecord], _ custom: [CustomAttribute]
    ) throws(Rejection) -> Step {
        let found = try match(keys, owners, existing)
        try refuseRepeats(keys, row)
        if let found {
            guard options.updatesExisting else {
                remember(keys, row)
                return .done(.unchanged(found.id))
            }
            var after = found
            try fill(&after, from: row, custom)
            try refuseTaken(after, owners)
            let changes = CustomerStore.changes(from: found, to: after, custom, context)
            remember(keys, row)
            guard !changes.isEmpty else { return .done(.unchanged(found.id)) }
            after.customer.revision += 1
            after.customer.updatedAt = tenant.clock.now()
            return .update(before: found, after: after, changes)
        }
        guard options.createsNew else {
            throw Rejection(
                field: options.matchKey ?? "", code: "no_match",
                words: Words(
                    en: "No customer has this value, and new ones are not to be created.", zh: "没有匹配的客户，且未允许新建。"))
        }
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: .individual, displayName: ""),
            customer: Customer(currency: tenant.currency, source: options.source, createdAt: tenant.clock.now()))
        try fill(&record, from: row, custom)
        try refuseTaken(record, owners)
        guard
            !record.party.displayName.isEmpty || !Identifier.claims(record).isEmpty
                || !Identifier.traces(record).isEmpty
        else {
            throw Rejection(
                field: "source_id", code: "nobody",
                words: Words(
                    en: "A customer needs a name, a customer number, a mobile number or an identity document.",
                    zh: "客户至少需要姓名、客户编号、手机号码或证件号码之一。"))
        }
        remember(keys, row)
        return .create(record)
    }

    /// The existing record of a row.
    private func match(
        _ keys: [String: Identifier], _ owners: [Identifier: CustomerID], _ existing: [CustomerID: CustomerRecord]
    ) throws(Rejection) -> CustomerRecord? {
        guard let matchKey = options.matchKey else { return nil }
        guard let key = keys[matchKey] else {
            throw Rejection(
                field: matchKey, code: "match_missing",
                words: Words(en: "The field that finds existing customers is empty.", zh: "用于匹配的字段为空。"))
        }
        guard let found = owners[key].flatMap({ existing[$0] }) else { return nil }
        guard CustomerScope.allows(found.customer.region, principal) else {
            throw Rejection(
                field: matchKey, code: "out_of_scope",
                words: Words(en: "This customer lies outside your regions.", zh: "该客户超出您的数据范围。"))
        }
        return found
    }

    private func fill(
        _ record: inout CustomerRecord, from row: ImportRow, _ custom: [CustomAttribute]
    ) throws(Rejection) {
        for field in CustomerFields.all {
            guard let value = row.values[field.key] else { continue }
            do throws(FieldRefusal) { try field.set(&record, value, context) } catch {
                throw Rejection(field: field.key, code: error.code, words: error.words)
            }
        }
        for attribute in custom {
            guard let value = row.values[attribute.fieldKey] else { continue }
            record.attributes[attribute.id] = attribute.content(value)
        }
        guard CustomerScope.allows(record.customer.region, principal) else {
            throw Rejection(
                field: "region", code: "out_of_scope",
                words: Words(en: "The region lies outside your own.", zh: "该地区超出您的数据范围。"))
        }
    }

    // MARK: Identifiers

    /// The identifiers a row brings, by field.
    private func identifiers(_ row: ImportRow) -> [String: Identifier] {
        var result: [String: Identifier] = [:]
        if let text = row.values["source_id"]?.asText { result["source_id"] = .source(options.source, text) }
        if let text = row.values["msisdn"]?.asText { result["msisdn"] = .msisdn(text) }
        if let text = row.values["document_number"]?.asText { result["document_number"] = .document(text) }
        return result
    }

    /// Customer numbers and the match key are unique, MSISDNs while the line stands; people may share a document.
    private func mustBeUnique(_ field: String, _ row: ImportRow) -> Bool {
        if options.matchKey == field { return true }
        if field == "msisdn" {
            return row.values["subscription_status"] != .text("terminated") && row.values["left"]?.asBool != true
        }
        return field != "document_number"
    }

    private func refuseRepeats(_ keys: [String: Identifier], _ row: ImportRow) throws(Rejection) {
        for (field, key) in keys where mustBeUnique(field, row) {
            // The same line again is a chunk that is run a second time.
            guard let line = seen[key.hashValue], Int(line) != row.line else { continue }
            throw Rejection(
                field: field, code: "duplicate_in_file",
                words: Words(en: "The same value is in line \(line) already.", zh: "与第 \(line) 行的值重复。"))
        }
    }

    private func remember(_ keys: [String: Identifier], _ row: ImportRow) {
        for (field, key) in keys where mustBeUnique(field, row) {
            seen[key.hashValue] = Int32(clamping: row.line)
        }
    }

    private func refuseTaken(_ record: CustomerRecord, _ owners: [Identifier: CustomerID]) throws(Rejection) {
        for identifier in Identifier.claims(record) {
            guard let owner = owners[identifier], owner != record.id, holders[identifier] == nil else { continue }
            let field = identifier.kind == "msisdn" ? "msisdn" : "source_id"
            throw Rejection(
                field: field, code: "taken",
                words: Words(en: "This number belongs to another customer.", zh: "该号码已属于其他客户。"))
        }
    }

    private func customAttributes(for rows: [ImportRow], _ session: any SQLSession) throws -> [CustomAttribute] {
        // Attributes may be defined between chunks; only what the rows name is filled.
        let known = attributes ?? []
        let keys = Set(rows.flatMap { row in row.values.keys.filter { $0.hasPrefix("attr.") } })
        if attributes == nil || !keys.isSubset(of: Set(known.map(\.fieldKey))) {
            attributes = try AttributeStore.all(session)
        }
        return (attributes ?? []).filter { keys.contains($0.fieldKey) }
    }
}
