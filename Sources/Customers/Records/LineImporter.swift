import Contracts
import Kernel
import Platform
import Storage
import Web

/// Plans and applies rows about lines.
final class LineImporter: Importer {
    private let tenant: Tenant
    private let options: ImportOptions
    private let principal: Principal
    private let context: FieldContext
    /// Planned only: numbers that rows before would have given to a customer, and lines they would have made.
    private var planned: [Int: CustomerID] = [:]

    init(tenant: Tenant, options: ImportOptions, principal: Principal) {
        self.tenant = tenant
        self.options = options
        self.principal = principal
        context = FieldContext(
            ids: tenant.ids, today: tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes),
            currency: tenant.currency, source: options.source)
    }

    private indirect enum Step {
        case write(
            before: CustomerRecord, after: CustomerRecord, line: SubscriptionID, isNew: Bool, key: String?,
            [ImportChange], taken: [(Identifier, CustomerID)])
        case done(ImportOutcome)
    }

    private struct State {
        var records: [CustomerID: CustomerRecord]
        var owners: [Identifier: CustomerID]
        var released: Set<Identifier>
        /// The source's key -> where the line lies.
        var places: [String: RecordPlace]
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try steps(rows, isPlan: true, session).map { step in
            switch step {
            case .write(_, let after, _, let isNew, _, let changes, _):
                isNew ? .created(after.id, revision: 0) : .updated(after.id, changes)
            case .done(let outcome): outcome
            }
        }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        let steps = try steps(rows, isPlan: false, session)
        var updated: [(before: CustomerRecord, after: CustomerRecord)] = []
        var place: [CustomerID: Int] = [:]
        var taken: [(Identifier, CustomerID)] = []
        var keys: [[SQLValue]] = []
        for step in steps {
            guard case .write(let before, let after, let line, _, let key, _, let from) = step else { continue }
            taken += from
            if let key {
                keys.append([
                    .text(LineImportTarget.entity), .text(options.source), .text(key), .id(after.id), .id(line),
                ])
            }
            if let known = place[after.id] {
                updated[known].after = after
            } else {
                place[after.id] = updated.count
                updated.append((before, after))
            }
        }
        var history: [(CustomerID, SubscriptionChange)] = []
        let changed = updated.filter { $0.before != $0.after }
        if !changed.isEmpty {
            let writer = try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session)
            history = try writer.update(changed, on: context.today, released: taken, session)
        }
        if !keys.isEmpty {
            try session.bulkInsert(
                into: "customers_record_key", "kind, source, value, customer_id, record_id", keys)
        }
        try trace(changed, session)
        return outcomes(steps, history)
    }

    private func outcomes(_ steps: [Step], _ history: [(CustomerID, SubscriptionChange)]) -> [ImportOutcome] {
        var written: [CustomerID: [ImportChange]] = [:]
        for (id, change) in history { written[id, default: []].append(CustomerUndo.wrote(change)) }
        // Of several rows about one customer the last one has the history: it is undone first.
        return steps.reversed().map { step -> ImportOutcome in
            switch step {
            case .write(let before, let after, _, let isNew, let key, let changes, let from):
                var undo =
                    CustomerUndo.changes(from: before, to: after) + from.map { CustomerUndo.tookOver($0, from: $1) }
                    + (written.removeValue(forKey: after.id) ?? [])
                if let key {
                    undo.append(
                        ImportChange(
                            field: LineImportTarget.key + options.source, before: .null, after: .text(key)))
                }
                return isNew
                    ? .created(after.id, revision: after.customer.revision, undo: undo)
                    : .updated(after.id, changes, undo: undo)
            case .done(let outcome): return outcome
            }
        }.reversed()
    }

    private func trace(_ changed: [(before: CustomerRecord, after: CustomerRecord)], _ session: any SQLSession) throws {
        for chunk in changed.chunked(Limits.auditSubjectsMax) {
            let ids = chunk.map(\.after.id)
            try tenant.audit.record(
                AuditEntry(
                    "customers.record.import", ids.map { .customer($0) },
                    facts: [
                        "entity": .string(LineImportTarget.entity), "source": .string(options.source),
                        "customers": .int(Int64(chunk.count)),
                    ]), by: principal, session)
            try tenant.outbox.append(
                CustomersChanged(ids: ids, fields: [], kind: .updated, lines: LinesChanged(Array(chunk))), session)
        }
    }

    // MARK: What each row means

    private func steps(_ rows: [ImportRow], isPlan: Bool, _ session: any SQLSession) throws -> [Step] {
        var state = try state(rows, session)
        return rows.map { row in
            do throws(RecordRefusal) {
                return try step(row, &state, isPlan)
            } catch {
                return .done(.rejected(field: error.field, code: error.code, error.words))
            }
        }
    }

    private static func text(_ row: ImportRow, _ key: String) -> String? { row.values[key]?.asText }

    private func reference(_ row: ImportRow) -> Identifier? {
        Self.text(row, "source_id").map { .source(Self.text(row, "customer_source") ?? options.source, $0) }
    }

    private func state(_ rows: [ImportRow], _ session: any SQLSession) throws -> State {
        let keys = Set(rows.compactMap { Self.text($0, "line_id") })
        let places = try keys.isEmpty ? [:] : places(keys, session)
        var wanted = Set(rows.compactMap(reference))
        for row in rows {
            if let number = Self.text(row, "msisdn") { wanted.insert(.msisdn(number)) }
            if let card = Self.text(row, "iccid") {
                wanted.insert(.iccid(SearchTokens.simToken(card).uppercased()))
            }
        }
        let owners = try IdentifierStore.owners(Array(wanted), session)
        let ids = Set(owners.values).union(places.values.map(\.customer))
        let records = try CustomerLoader.records(ids.sorted(), session)
        return State(
            records: Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }), owners: owners,
            released: try IdentifierStore.released(owners.filter { $0.key.kind != "document" }, session),
            places: places)
    }

    private func places(_ keys: Set<String>, _ session: any SQLSession) throws -> [String: RecordPlace] {
        var result: [String: RecordPlace] = [:]
        for chunk in keys.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(CustomerFinder.find, [.text(LineImportTarget.entity), .text(options.source)])
            builder.appendIn("AND value", chunk.map { .text($0) })
            for (key, place) in try session.query(
                builder, { ($0.text(0), RecordPlace(customer: $0.id(1), id: $0.int(2))) })
            {
                result[key] = place
            }
        }
        return result
    }

    private func step(_ row: ImportRow, _ state: inout State, _ isPlan: Bool) throws(RecordRefusal) -> Step {
        let key = Self.text(row, "line_id")
        let number = Self.text(row, "msisdn")
        let (before, known) = try find(row, key, number, state)
        guard CustomerScope.allows(before.customer.region, principal) else {
            throw RecordRefusal(
                "source_id", "out_of_scope", en: "This customer lies outside your regions.", zh: "该客户超出您的数据范围。")
        }
        let isNew = known == nil
        guard isNew ? options.createsNew : options.updatesExisting else {
            guard isNew else { return .done(.unchanged(before.id)) }
            throw RecordRefusal(
                options.matchKey ?? "", "no_match",
                en: "No line has this number, and new ones are not to be created.", zh: "没有匹配的业务，且未允许新建。")
        }
        var after = before
        var context = context
        context.isNew = isNew
        let line: SubscriptionID
        if let known { line = known } else { line = try newLine(row, &after, number) }
        context.line = line
        guard let place = after.subscriptions.firstIndex(where: { $0.id == line }) else {
            throw RecordRefusal("line_id", "gone", en: "The line is not there any more.", zh: "该业务已不存在。")
        }
        let old = after.subscriptions[place]
        try fill(&after.subscriptions[place], row, context)
        let new = after.subscriptions[place]
        guard !(after.customer.hasLeft == true && new.status != .terminated) || !isNew else {
            throw RecordRefusal(
                "source_id", "customer_left", en: "This customer has left; the line would be in service again.",
                zh: "该客户已离网，不能新增在用业务。")
        }
        if !isNew { try refuseStale(old, new) }
        let isKnownKey = key.map { state.places[$0] != nil } ?? true
        if !isNew, old == new {
            // Found by its number, it has the source's key from now on.
            guard !isKnownKey else { return .done(.unchanged(before.id)) }
        }
        let taken = try claim(after, before, &state)
        let changes = changes(isNew ? nil : old, new, context)
        if before != after {
            after.customer.revision += 1
            after.customer.updatedAt = tenant.clock.now()
        }
        state.records[after.id] = after
        let newKey = isKnownKey ? nil : key
        if let newKey { state.places[newKey] = RecordPlace(customer: after.id, id: line.rawValue) }
        if isPlan, isNew, let hash = (key ?? number)?.hashValue {
            guard planned.updateValue(after.id, forKey: hash) == nil else { return .done(.unchanged(after.id)) }
        }
        return .write(
            before: before, after: after, line: line, isNew: isNew, key: newKey, changes, taken: taken)
    }

    /// Whose line it is, and which; `nil` = a new one.
    private func find(
        _ row: ImportRow, _ key: String?, _ number: String?, _ state: State
    ) throws(RecordRefusal) -> (CustomerRecord, SubscriptionID?) {
        let reference = reference(row)
        let named = reference.flatMap { state.owners[$0] }
        if let reference, named == nil {
            let source = reference.kind.dropFirst("source:".count)
            throw RecordRefusal(
                "source_id", "unknown_customer",
                en: "No customer has this number at the source “\(source)”. Import its customers first, or correct the name of the source.",
                zh: "来源“\(source)”中没有该编号的客户。请先导入客户，或更正来源名称。")
        }
        if let key, let place = state.places[key], let record = state.records[place.customer] {
            guard named == nil || named == record.id else {
                throw RecordRefusal(
                    "line_id", "other_customer",
                    en: "This line is known as another customer's; lines do not change hands by an import.",
                    zh: "该业务已属于其他客户，导入不会更改其归属。")
            }
            return (record, SubscriptionID(place.id))
        }
        let holder = number.flatMap { state.owners[.msisdn($0)] }
        guard let owner = named ?? holder, let record = state.records[owner] else {
            throw RecordRefusal(
                number == nil ? "source_id" : "msisdn", "no_customer",
                en: "The row names no known customer: a new line needs the customer's number at the source.",
                zh: "该行未指明已知客户：新业务需要来源客户编号。")
        }
        guard let number else { return (record, nil) }
        let line =
            record.subscriptions.first { $0.msisdn == number && $0.status != .terminated }
            ?? (Self.text(row, "status") == SubscriptionStatus.terminated.rawValue || row.values["ended_on"] != nil
                ? record.subscriptions.first { $0.msisdn == number } : nil)
        if line == nil, named == nil, record.subscriptions.contains(where: { $0.msisdn == number }) {
            return (record, record.subscriptions.first { $0.msisdn == number }?.id)
        }
        return (record, line?.id)
    }

    /// A line that has ended comes back as what it was, or not at all: under another number it is what the source said long ago,
    /// or another line.
    private func refuseStale(_ old: Subscription, _ new: Subscription) throws(RecordRefusal) {
        guard old.status == .terminated, new.status != .terminated, let was = old.msisdn, let number = new.msisdn, number != was
        else { return }
        let day = old.endedOn?.description
        throw RecordRefusal(
            "msisdn", "line_ended",
            en: "This line ended\(day.map { " on \($0)" } ?? "") under another number, and the row would put it back into service with this one. "
                + "If the row is old, leave it out; if it is another line, give it a line id of its own.",
            zh: "该业务已\(day.map { "于 \($0) " } ?? "")终止且号码不同，此行会使其以该号码重新在用。若为旧数据请忽略；若为另一条业务，请使用新的业务编号。")
    }

    private func newLine(
        _ row: ImportRow, _ record: inout CustomerRecord, _ number: String?
    ) throws(RecordRefusal) -> SubscriptionID {
        let service = Self.text(row, "service").flatMap(ServiceCode.init) ?? (number == nil ? nil : .mobile)
        guard let service else {
            throw RecordRefusal(
                "service", "required", en: "A new line needs its service or its number.", zh: "新业务需要业务类型或号码。")
        }
        let line = Subscription(id: tenant.ids.next(), service: service, currency: context.currency)
        record.subscriptions.append(line)
        return line.id
    }

    private func fill(
        _ line: inout Subscription, _ row: ImportRow, _ context: FieldContext
    ) throws(RecordRefusal) {
        let was = line.status
        for field in LineFields.all {
            guard let value = row.values[field.key] else { continue }
            do throws(FieldRefusal) { try field.set(&line, value, context) } catch {
                throw RecordRefusal(field.key, error.code, en: error.words.en, zh: error.words.zh)
            }
        }
        if let ended = row.values["ended_on"]?.asDate {
            if let start = line.startedOn, ended < start {
                throw RecordRefusal(
                    "ended_on", "before_start", en: "The line would end before it began.", zh: "终止日期早于开通日期。")
            }
            line.endedOn = ended
            if ended <= context.today { line.status = .terminated }
        }
        if line.status == .terminated, was != .terminated, line.endedOn == nil { line.endedOn = context.today }
    }

    private func changes(_ old: Subscription?, _ new: Subscription, _ context: FieldContext) -> [ImportChange] {
        var list: [ImportChange] = LineFields.all.compactMap { field in
            let (before, after) = (old.map { field.get($0, context) } ?? .null, field.get(new, context))
            return before == after ? nil : ImportChange(field: field.key, before: before, after: after)
        }
        if old?.endedOn != new.endedOn {
            list.append(ImportChange(field: "ended_on", before: .date(old?.endedOn), after: .date(new.endedOn)))
        }
        return list
    }

    /// What the line makes its customer claim must be free.
    /// - Returns: what goes over from customers who do not claim it any more.
    private func claim(
        _ after: CustomerRecord, _ before: CustomerRecord, _ state: inout State
    ) throws(RecordRefusal) -> [(Identifier, CustomerID)] {
        let held = Identifier.claims(before).union(Identifier.cards(before))
        let new = Identifier.claims(after).union(Identifier.cards(after)).subtracting(held)
        var taken: [(Identifier, CustomerID)] = []
        for claim in new.sorted(by: { ($0.kind, $0.value) < ($1.kind, $1.value) }) {
            if let owner = state.owners[claim], owner != after.id {
                guard state.released.contains(claim) else {
                    throw RecordRefusal(
                        claim.kind == "iccid" ? "iccid" : "msisdn", "taken",
                        en: "This number belongs to another customer.", zh: "该号码已属于其他客户。")
                }
                taken.append((claim, owner))
            }
        }
        for claim in new {
            state.owners[claim] = after.id
            state.released.remove(claim)
        }
        return taken
    }
}
