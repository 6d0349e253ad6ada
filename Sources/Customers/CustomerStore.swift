import Contracts
import Kernel
import Platform
import Storage
import Web

/// Creates and changes single customers: edition, audit, event and projections in one transaction.
struct CustomerStore: Sendable {
    let tenant: Tenant

    static let revisionOf: SQL = "SELECT revision FROM customers_customer WHERE id = $1"

    /// Values by field key, custom attributes as `attr.<key>`; `.null` takes a value away.
    typealias Changes = [String: SQLValue]

    var context: FieldContext {
        FieldContext(ids: tenant.ids, today: today, currency: tenant.currency, source: "console")
    }

    private var today: LocalDate { tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes) }

    /// One customer within the principal's scope.
    /// - Throws: `CRMError.notFound`.
    func read(_ id: CustomerID, _ principal: Principal, _ session: any SQLSession) throws -> CustomerRecord {
        try CustomerScope.require(id, principal, session)
        guard let record = try CustomerLoader.record(id, session) else { throw CRMError.notFound }
        return record
    }

    /// - Parameter record: called with the audit entry, in the transaction.
    /// - Throws: 422 with the fields concerned; 409 for a number or identifier that belongs to another customer.
    func create(
        _ values: Changes, by principal: Principal, record audit: (AuditEntry) throws -> Void, _ session: any SQLSession
    ) throws -> CustomerRecord {
        let now = tenant.clock.now()
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: .individual, displayName: ""),
            customer: Customer(currency: tenant.currency, source: "console", createdAt: now))
        try set(values, on: &record, session)
        if record.party.displayName.isEmpty {
            throw CRMError.invalid(
                "full_name", "required", Words(en: "Please fill in the name.", zh: "请填写姓名或名称。"))
        }
        record.dropEmptyLines()
        try insert(record, by: principal, session)
        try audit(
            AuditEntry(
                "customers.customer.create", [.customer(record.id)],
                facts: ["fields": .array(values.keys.sorted().map { .string($0) })]))
        return record
    }

    /// Writes a new customer with everything that follows from it.
    /// - Throws: 422 outside of the caller's regions; 409 for what belongs to another customer.
    /// - Parameter program: the resource by which a program makes it, which is told by itself.
    func insert(
        _ record: CustomerRecord, by principal: Principal, program: String? = nil, _ session: any SQLSession
    ) throws {
        try require(record, within: principal)
        let released = try refuseTaken(record, before: nil, session)
        try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session).insert(
            [record], released: released, session)
        try MatchResolver.propose(record, before: nil, tenant, principal, session)
        try tenant.outbox.append(
            CustomersChanged(
                ids: [record.id], fields: [], kind: .created, program: program, lines: LinesChanged(created: [record])), session)
    }

    /// - Parameter edition: the one the person saw.
    /// - Returns: the record as it is now; unchanged values write nothing.
    /// - Throws: 412 `changed_meanwhile` when somebody else was faster; 422; 404 outside the scope.
    @discardableResult
    func update(
        _ id: CustomerID, edition: Int64, _ values: Changes, by principal: Principal,
        record audit: (AuditEntry) throws -> Void, _ session: any SQLSession
    ) throws -> CustomerRecord {
        try change(id, edition: edition, by: principal, record: audit, session) { before, after in
            if let wanted = values["status"]?.asText.flatMap(CustomerStatus.init),
                wanted != before.customer.status, !before.customer.status.next.contains(wanted)
            {
                throw CRMError.invalid(
                    "status", "status_step",
                    Words(en: "The customer cannot go to this status from the present one.", zh: "不能从当前状态变更为该状态。"))
            }
            try set(values, on: &after, session)
            if before.customer.status == .churned, after.customer.status == .wonBack { after.setLeft(false, context) }
            if values["status"]?.asText == CustomerStatus.wonBack.rawValue { after.customer.status = .wonBack }
            if after.party.displayName.isEmpty, !before.party.displayName.isEmpty {
                throw CRMError.invalid(
                    "full_name", "required", Words(en: "Please fill in the name.", zh: "请填写姓名或名称。"))
            }
        }
    }

    /// What a change is called in the audit and on the timeline.
    struct Act: Sendable {
        /// `customers.customer.update`
        var action = "customers.customer.update"
        /// `edit`, `line`, `departure`, `return`.
        var cause = "edit"
        /// Why lines changed their state.
        var reason: String?
        /// The resource by which a program makes the change, which is told by itself.
        var program: String?
        var facts: [String: JSONValue] = [:]
    }

    /// Changes one customer: edition, scope, claims, audit, event and projections.
    /// - Returns: the record as it is now; when nothing changed, nothing but the audit is written.
    @discardableResult
    func change(
        _ id: CustomerID, edition: Int64, by principal: Principal, as act: Act = Act(),
        record audit: (AuditEntry) throws -> Void, _ session: any SQLSession,
        _ body: (_ before: CustomerRecord, _ after: inout CustomerRecord) throws -> Void
    ) throws -> CustomerRecord {
        let before = try read(id, principal, session)
        guard before.customer.edition == edition else { throw Self.changedMeanwhile }
        var after = before
        try body(before, &after)
        let attributes = try AttributeStore.all(session)
        let changes = Self.changes(from: before, to: after, attributes, context)
        var changed = changes.map(\.field)
        for field in LineFields.changed(from: before, to: after, context) where !changed.contains(field) {
            changed.append(field)
        }
        try audit(
            AuditEntry(
                act.action, [.customer(id)],
                facts: act.facts.merging(["fields": .array(changed.map { .string($0) })]) { mine, _ in mine }))
        guard after != before else { return before }
        try require(after, within: principal)
        let released = try refuseTaken(after, before: before, session)
        after.customer.revision += 1
        after.customer.edition += 1
        after.customer.updatedAt = tenant.clock.now()
        let origin = CustomerWriter.Origin(
            actor: principal.userName, cause: act.cause, fields: changed, reason: act.reason)
        try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session).update(
            [(before, after)], on: today, released: released, origin: origin, session)
        if act.cause == "edit" { try Corrections.note(changes, of: after, session) }
        try MatchResolver.propose(after, before: before, tenant, principal, session)
        try tenant.outbox.append(
            CustomersChanged(
                ids: [id], fields: changed, kind: .updated, program: act.program, lines: LinesChanged([(before, after)])), session)
        try CustomersLeft.tell([(before, after)], on: today, tenant, session)
        return after
    }

    /// Gives many customers a segment (or takes it away). Those out of reach are skipped. Returns how many changed.
    func setSegment(
        _ segment: String?, for ids: [CustomerID], by principal: Principal,
        record audit: (AuditEntry) throws -> Void, _ session: any SQLSession
    ) throws -> Int {
        var count = 0
        for chunk in ids.chunked(Limits.sqlListChunk) {
            let reachable = try CustomerScope.reachable(chunk, principal, session)
            let before = try CustomerLoader.records(chunk.filter(reachable.contains), session)
            let pairs = before.compactMap { record -> (before: CustomerRecord, after: CustomerRecord)? in
                guard record.customer.segment != segment else { return nil }
                var after = record
                after.customer.segment = segment
                after.customer.revision += 1
                after.customer.updatedAt = tenant.clock.now()
                return (record, after)
            }
            guard !pairs.isEmpty else { continue }
            let origin = CustomerWriter.Origin(actor: principal.userName, cause: "edit", fields: ["segment"])
            try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session).update(
                pairs, on: today, origin: origin, session)
            for (before, after) in pairs {
                try Corrections.note(Self.changes(from: before, to: after, [], context), of: after, session)
            }
            let changed = pairs.map(\.after.id)
            try audit(
                AuditEntry(
                    "customers.customer.segment", changed.map { .customer($0) },
                    facts: ["segment": .text(segment), "customers": .int(Int64(changed.count))]))
            try tenant.outbox.append(
                CustomersChanged(ids: changed, fields: ["segment"], kind: .updated), session)
            count += changed.count
        }
        return count
    }

    static let changedMeanwhile = CRMError(
        "changed_meanwhile", status: 412,
        Words(
            en:
                "Somebody changed this customer while you were editing. Nothing was saved; look at the present values below.",
            zh: "您编辑期间该客户已被他人修改，本次未保存，请查看下方的最新内容。"))

    // MARK: Helpers

    /// Differences in built-in fields and custom attributes.
    static func changes(
        from before: CustomerRecord, to after: CustomerRecord, _ attributes: [CustomAttribute], _ context: FieldContext
    ) -> [ImportChange] {
        var result = CustomerFields.changes(from: before, to: after, context)
        if before.attributes != after.attributes {
            for attribute in attributes where before.attributes[attribute.id] != after.attributes[attribute.id] {
                result.append(
                    ImportChange(
                        field: attribute.fieldKey, before: CustomAttribute.value(before.attributes[attribute.id]),
                        after: CustomAttribute.value(after.attributes[attribute.id])))
            }
        }
        return result
    }

    private func set(_ values: Changes, on record: inout CustomerRecord, _ session: any SQLSession) throws {
        var errors: [CRMError.FieldError] = []
        var context = self.context
        context.leftOn = values["left_on"]?.asDate
        for field in CustomerFields.all {
            guard var value = values[field.key] else { continue }
            if field.key == "region", let text = value.asText {
                var book = try RegionBook(session)
                value = .text(book.spelling(text))
            }
            do throws(FieldRefusal) { try field.set(&record, value, context) } catch {
                errors.append(CRMError.FieldError(field: field.key, code: error.code, message: error.words))
            }
        }
        for attribute in try AttributeStore.all(session) {
            guard let value = values[attribute.fieldKey] else { continue }
            record.attributes[attribute.id] = attribute.content(value)
        }
        if !errors.isEmpty {
            throw CRMError(
                "invalid", status: 422,
                TypedForm.correction(errors.count), fields: errors)
        }
    }

    private func require(_ record: CustomerRecord, within principal: Principal) throws {
        guard CustomerScope.allows(record.customer.region, principal) else {
            throw CRMError.invalid(
                "region", "out_of_scope",
                Words(en: "The region lies outside your own.", zh: "该地区超出您的数据范围。"))
        }
    }

    /// Claims are unique; the database refuses a second holder too, this gives the field its message.
    /// - Returns: what goes over from former holders.
    private func refuseTaken(_ record: CustomerRecord, before: CustomerRecord?, _ session: any SQLSession) throws
        -> [(Identifier, CustomerID)]
    {
        let held = before.map { Identifier.claims($0).union(Identifier.cards($0)) } ?? []
        let new = Identifier.claims(record).union(Identifier.cards(record)).subtracting(held)
        let owners = try IdentifierStore.owners(Array(new), session).filter { $0.value != record.id }
        let released = try IdentifierStore.released(owners, session)
        guard let taken = owners.keys.first(where: { !released.contains($0) }) else {
            return owners.map { ($0.key, $0.value) }
        }
        let field = ["msisdn", "iccid"].contains(taken.kind) ? taken.kind : "source_id"
        let message = Words(en: "This number belongs to another customer.", zh: "该号码已属于其他客户。")
        throw CRMError(
            "taken", status: 409, message, fields: [CRMError.FieldError(field: field, code: "taken", message: message)])
    }
}

/// Reads customers_identifier.
enum IdentifierStore {
    static let ofKind: SQL = "SELECT value, customer_id FROM customers_identifier WHERE kind = $1"

    /// The owner of each identifier that has one.
    static func owners(_ identifiers: [Identifier], _ session: any SQLSession) throws -> [Identifier: CustomerID] {
        var result: [Identifier: CustomerID] = [:]
        var asked: [(kind: String, answer: any SQLAnswer)] = []
        for (kind, group) in Dictionary(grouping: identifiers, by: \.kind) {
            for chunk in group.chunked(Limits.sqlListChunk) {
                var builder = SQLBuilder(ofKind, [.text(kind)])
                builder.appendIn("AND value", chunk.map { .text($0.value) })
                asked.append((kind, try session.ask(builder.sql, builder.arguments)))
            }
        }
        for (kind, answer) in asked {
            try answer.forEach { row in
                result[Identifier(kind: kind, value: row.text(0))] = row.id(1)
                return true
            }
        }
        return result
    }

    /// Those that their holders do not claim any more: numbers of ended lines.
    static func released(_ owners: [Identifier: CustomerID], _ session: any SQLSession) throws -> Set<Identifier> {
        guard !owners.isEmpty else { return [] }
        var claimed: Set<Identifier> = []
        for record in try CustomerLoader.records(Array(Set(owners.values)), session) {
            claimed.formUnion(Identifier.claims(record))
            claimed.formUnion(Identifier.cards(record))
        }
        return Set(owners.keys).subtracting(claimed)
    }
}
