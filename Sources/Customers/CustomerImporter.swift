import Contracts
import Kernel
import Platform
import Storage
import Web

/// Plans and applies the rows of one import run. What a row would do is worked out completely before anything is
/// written, so a rejected row leaves nothing behind and a dry run tells exactly what the run will do.
final class CustomerImporter: Importer {
    private let tenant: Tenant
    let options: ImportOptions
    private let principal: Principal
    private let context: FieldContext
    private var attributes: [CustomAttribute]?
    var regions: RegionBook?
    var claims = ClaimMemory()
    /// Planned only: customers whom an earlier row changed and whom a later one may meet again (by another number).
    private var planned: [CustomerID: CustomerRecord] = [:]
    private var matched = ImportMatches()
    var corrected = 0
    private let matching: ImportMatching
    /// Of the transaction.
    private let later = LaterRows()
    private lazy var names = NameConflict(countryCode: tenant.countryCode)
    /// Of a dry run.
    private var forecast: MatchForecast?
    private var expectedRows = 0

    init(tenant: Tenant, options: ImportOptions, principal: Principal) {
        self.tenant = tenant
        self.options = options
        self.principal = principal
        matching = ImportMatching(tenant, principal)
        context = FieldContext(
            ids: tenant.ids, today: tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes),
            currency: tenant.currency, source: options.source)
    }

    func expect(rows: Int, created: Int) {
        expectedRows = rows
        matching.expect(rows: rows, created: created)
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        var (created, changed): ([(line: Int, record: CustomerRecord)], [(line: Int, record: CustomerRecord)]) = ([], [])
        let outcomes = try zip(rows, resolve(rows, session)).map { row, step -> ImportOutcome in
            switch step {
            case .create(let record, _):
                created.append((row.line, record))
                return .created(CustomerID(0), revision: 1)
            case .update(let before, let after, let changes, _):
                if mayComeAgain(after) { planned[after.id] = after }
                if options.matches, MatchCard(before) != MatchCard(after) { changed.append((row.line, after)) }
                return .updated(after.id, changes)
            case .done(let outcome): return outcome
            }
        }
        guard options.matches else { return outcomes }
        forecast = try forecast ?? MatchForecast(tenant, principal, rows: expectedRows, session)
        try forecast?.add(created, .links, to: &matched, session)
        try forecast?.add(changed, .asks, to: &matched, session)
        return outcomes
    }

    /// Whether another row may be about the same customer: one number, one row.
    private func mayComeAgain(_ record: CustomerRecord) -> Bool {
        switch options.matchKey {
        case "msisdn": record.subscriptions.count { $0.msisdn != nil } > 1
        case "document_number": record.documents.count > 1
        default: false
        }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        // The database knows what earlier chunks did.
        claims.forgetLosses()
        let steps = try resolve(rows, session)
        var created: [CustomerRecord] = []
        var updated: [(before: CustomerRecord, after: CustomerRecord)] = []
        var place: [CustomerID: Int] = [:]
        var taken: [(Identifier, CustomerID)] = []
        for step in steps {
            switch step {
            case .create(let record, let from):
                created.append(record)
                taken += from
            case .update(let before, let after, _, let from):
                taken += from
                if let known = place[after.id] {
                    updated[known].after = after
                } else {
                    place[after.id] = updated.count
                    updated.append((before, after))
                }
            case .done: break
            }
        }
        let unfound = try unfound(steps, session)
        let writer = try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session)
        var history: [(CustomerID, SubscriptionChange)] = []
        if !updated.isEmpty {
            // Who came earlier in the transaction may be among them.
            try writeLater(session)
            history = try writer.update(updated, on: context.today, released: taken, session)
        }
        try writer.insert(created, released: taken + traced(updated, claimedBy: created), later: later, session)
        for chunk in created.chunked(Limits.auditSubjectsMax) {
            try trace(chunk.map(\.id), .created, LinesChanged(created: chunk), session)
        }
        for chunk in updated.chunked(Limits.auditSubjectsMax) {
            try trace(chunk.map(\.after.id), .updated, LinesChanged(chunk), session)
        }
        try CustomersLeft.tell(updated, on: context.today, tenant, session)
        if options.matches {
            matching.note(changed: updated.filter { MatchCard($0) != MatchCard($1) }.map(\.after))
        }
        return outcomes(steps, history, unfound)
    }

    func begin() {
        later.forget()
        matching.forget()
    }

    func finish(_ session: any SQLSession) throws -> (any ImportSequel)? {
        try writeLater(session)
        return try matching.takeSequel(session)
    }

    private func writeLater(_ session: any SQLSession) throws {
        let prepared = try later.write(session)
        if options.matches { for chunk in prepared { matching.note(created: chunk) } }
    }

    func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> (any ImportSequel)? {
        options.matches ? try matching.sequel(created: created, updated: updated, session) : nil
    }

    func takeMatches() -> ImportMatches {
        defer { matched = ImportMatches() }
        return matched
    }

    /// Of the numbers and documents that rows take away from customers (or make them claim), those that found somebody
    /// else, by row.
    private func unfound(_ steps: [Step], _ session: any SQLSession) throws -> [Int: [Identifier]] {
        var touched: [Int: Set<Identifier>] = [:]
        for (index, step) in steps.enumerated() {
            guard case .update(let before, let after, _, _) = step else { continue }
            let traces = Identifier.traces(before)
            guard !traces.isEmpty else { continue }
            let left = traces.subtracting(Identifier.traces(after).subtracting(Identifier.claims(after)))
            if !left.isEmpty { touched[index] = left }
        }
        guard !touched.isEmpty else { return [:] }
        let owners = try IdentifierStore.owners(Array(touched.values.reduce(into: Set()) { $0.formUnion($1) }), session)
        var result: [Int: [Identifier]] = [:]
        for (index, identifiers) in touched {
            guard case .update(let before, _, _, _) = steps[index] else { continue }
            result[index] = identifiers.filter { owners[$0] != before.id }
        }
        return result
    }

    /// What the journal keeps: every fact that changed, who had a number before, what was added to the history.
    private func outcomes(
        _ steps: [Step], _ history: [(CustomerID, SubscriptionChange)], _ unfound: [Int: [Identifier]]
    ) -> [ImportOutcome] {
        var written: [CustomerID: [ImportChange]] = [:]
        for (id, change) in history { written[id, default: []].append(CustomerUndo.wrote(change)) }
        // Of several rows about one customer the last one has the history: it is undone first.
        return steps.enumerated().reversed().map { index, step -> ImportOutcome in
            switch step {
            case .create(let record, let from):
                return .created(
                    record.id, revision: record.customer.revision,
                    undo: from.map { CustomerUndo.tookOver($0, from: $1) })
            case .update(let before, let after, let changes, let from):
                let undo =
                    CustomerUndo.changes(from: before, to: after) + from.map { CustomerUndo.tookOver($0, from: $1) }
                    + (written.removeValue(forKey: after.id) ?? [])
                    + (unfound[index] ?? []).map(CustomerUndo.wasUnfound)
                return .updated(after.id, changes, undo: undo)
            case .done(let outcome):
                return outcome
            }
        }.reversed()
    }

    /// One audit event and one outbox event for at most 500 customers.
    private func trace(
        _ ids: [CustomerID], _ kind: CustomersChanged.Kind, _ lines: LinesChanged?, _ session: any SQLSession
    ) throws {
        try tenant.audit.record(
            AuditEntry(
                "customers.customer.import", ids.map { .customer($0) },
                facts: ["source": .string(options.source), "kind": .string(kind.rawValue), "customers": .int(Int64(ids.count))]),
            by: principal, session)
        try tenant.outbox.append(CustomersChanged(ids: ids, fields: [], kind: kind, lines: lines), session)
    }

    // MARK: What each row means

    /// In a box, because a step is handed on often and two whole records are a lot to copy.
    private indirect enum Step {
        /// With what goes over from customers who do not claim it any more.
        case create(CustomerRecord, taken: [(Identifier, CustomerID)])
        case update(before: CustomerRecord, after: CustomerRecord, [ImportChange], taken: [(Identifier, CustomerID)])
        case done(ImportOutcome)
    }

    /// What some row of the chunk has a value for, in the order in which it is set.
    private struct Filled {
        let setters: [(key: String, set: Setter)]
        let custom: [CustomAttribute]
        typealias Setter = @Sendable (inout CustomerRecord, SQLValue, FieldContext) throws(FieldRefusal) -> Void
    }

    /// Customers as the rows before left them, and who has which number.
    struct State {
        var records: [CustomerID: CustomerRecord]
        var owners: [Identifier: CustomerID]
        /// Numbers that their owners do not claim any more.
        var released: Set<Identifier>
        let corrections: Corrections
    }

    private func resolve(_ brought: [ImportRow], _ session: any SQLSession) throws -> [Step] {
        let rows = try located(brought, session)
        let filled = try filled(by: rows, session)
        let wanted = rows.map(identifiers)
        var state = try state(wanted, session)
        return rows.indices.map { index in
            do throws(Rejection) {
                return try step(rows[index], wanted[index], &state, filled)
            } catch {
                return .done(.rejected(field: error.field, code: error.code, error.words))
            }
        }
    }

    private func state(_ wanted: [[String: Identifier]], _ session: any SQLSession) throws -> State {
        var owners = try IdentifierStore.owners(Array(Set(wanted.flatMap { $0.values })), session)
        for key in owners.keys { if let later = claims.holder(of: key) { owners[key] = later } }
        let matched = Set(wanted.compactMap { keys in options.matchKey.flatMap { keys[$0] }.flatMap { owners[$0] } })
        var records = Dictionary(
            try CustomerLoader.records(Array(matched), session).map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        for id in matched { if let later = planned[id] { records[id] = later } }
        // Numbers of ended lines come back with their lines, when nobody else has them by now.
        let ended = Set(records.values.flatMap(Identifier.traces).filter { $0.kind == "msisdn" && owners[$0] == nil })
        owners.merge(try IdentifierStore.owners(Array(ended), session)) { old, _ in old }
        var foreign: [Identifier: CustomerID] = [:]
        for keys in wanted {
            let match = options.matchKey.flatMap { keys[$0] }.flatMap { owners[$0] }
            if let key = keys["msisdn"], let owner = owners[key], owner != match { foreign[key] = owner }
        }
        for record in records.values {
            for trace in Identifier.traces(record) where trace.kind == "msisdn" {
                if let owner = owners[trace], owner != record.id { foreign[trace] = owner }
            }
        }
        return State(
            records: records, owners: owners, released: try IdentifierStore.released(foreign, session),
            corrections: records.isEmpty ? .none : try Corrections(of: records.keys.sorted(), session))
    }

    struct Rejection: Error {
        let field: String
        let code: String
        let words: Words
    }

    private func step(
        _ brought: ImportRow, _ keys: [String: Identifier], _ state: inout State, _ filled: Filled
    ) throws(Rejection) -> Step {
        var context = context
        context.leftOn = brought.values["left_on"]?.asDate
        let found = try match(keys, state)
        var row = regions?.placed(brought, found?.customer) ?? brought
        if let found {
            // A line keeps its number: that of somebody else says how to reach the customer, and not which line is theirs.
            let foreign = foreignNumber(keys, of: found, row, state)
            if foreign != nil { row = row.without(["msisdn"]) }
            guard options.updatesExisting else { return .done(.unchanged(found.id)) }
            // A telephone number goes to another person, and documents are mistyped: neither renames anybody.
            if let key = options.matchKey, key != "source_id", names.speaks(row, against: found) {
                throw Rejection(field: key, code: "other_person", words: Self.otherPerson(key))
            }
            var after = found
            after.chooseLine(for: row.values, &context)
            var left = 0
            let chosen = after
            try fill(&after, from: row, filled, context)
            if state.corrections.knows(found.id) {
                let changes = CustomerStore.changes(from: found, to: after, filled.custom, context)
                let news = row.without(state.corrections.undone(found.id, by: changes))
                (after, left) = (chosen, row.values.count - news.values.count)
                try fill(&after, from: news, filled, context)
            }
            if let foreign { after.yield(foreign.value, context) }
            yieldNumbers(of: &after, before: found, row, state, context)
            let taken = try takeClaims(of: after, before: found, row, state)
            corrected += left
            let changes = CustomerStore.changes(from: found, to: after, filled.custom, context)
            guard !changes.isEmpty else { return .done(.unchanged(found.id)) }
            after.customer.revision += 1
            after.customer.updatedAt = tenant.clock.now()
            claims.note(before: found, after: after, line: row.line)
            for (claim, _) in taken {
                claims.move(claim, to: after.id)
                state.owners[claim] = after.id
            }
            state.records[after.id] = after
            return .update(before: found, after: after, changes, taken: taken)
        }
        guard options.createsNew else {
            throw Rejection(
                field: options.matchKey ?? "", code: "no_match",
                words: Words(
                    en: "No customer has this value, and new ones are not to be created.", zh: "没有匹配的客户，且未允许新建。"))
        }
        context.isNew = true
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: .individual, displayName: ""),
            customer: Customer(currency: tenant.currency, source: options.source, createdAt: tenant.clock.now()))
        record.chooseLine(for: row.values, &context)
        try fill(&record, from: row, filled, context)
        record.settleUnsaid(row.values)
        yieldNumbers(of: &record, before: nil, row, state, context)
        let taken = try takeClaims(of: record, before: nil, row, state)
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
        claims.note(before: nil, after: record, line: row.line)
        for (claim, _) in taken { claims.move(claim, to: nil) }
        return .create(record, taken: taken)
    }

    /// The existing record of a row.
    private func match(_ keys: [String: Identifier], _ state: State) throws(Rejection) -> CustomerRecord? {
        guard let matchKey = options.matchKey else { return nil }
        guard let key = keys[matchKey] else {
            throw Rejection(
                field: matchKey, code: "match_missing",
                words: Words(en: "The field that finds existing customers is empty.", zh: "用于匹配的字段为空。"))
        }
        guard let found = state.owners[key].flatMap({ state.records[$0] }) else { return nil }
        guard CustomerScope.allows(found.customer.region, principal) else {
            throw Rejection(
                field: matchKey, code: "out_of_scope",
                words: Words(en: "This customer lies outside your regions.", zh: "该客户超出您的数据范围。"))
        }
        return found
    }

    private func fill(
        _ record: inout CustomerRecord, from row: ImportRow, _ filled: Filled, _ context: FieldContext
    ) throws(Rejection) {
        for (key, set) in filled.setters {
            guard let value = row.values[key] else { continue }
            do throws(FieldRefusal) { try set(&record, value, context) } catch {
                throw Rejection(field: key, code: error.code, words: error.words)
            }
        }
        for attribute in filled.custom {
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

    private func filled(by rows: [ImportRow], _ session: any SQLSession) throws -> Filled {
        var keys: Set<String> = []
        for row in rows { for key in row.values.keys { keys.insert(key) } }
        if keys.contains("city") { keys.insert("region") }
        let own = keys.filter { $0.hasPrefix("attr.") }
        // Attributes may be defined between chunks; only what the rows name is filled.
        if attributes == nil || !own.isSubset(of: Set((attributes ?? []).map(\.fieldKey))) {
            attributes = try AttributeStore.all(session)
        }
        return Filled(
            setters: CustomerFields.all.filter { keys.contains($0.key) }.map { ($0.key, $0.set) },
            custom: (attributes ?? []).filter { own.contains($0.fieldKey) })
    }
}
