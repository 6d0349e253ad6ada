import Contracts
import Kernel
import Storage
import Web

/// Plans and applies rows of one kind of record. What a row would do is worked out before anything is written, so that a
/// rejected row leaves nothing behind and a dry run tells what the run will do.
final class RecordImporter: Importer {
    private let tenant: Tenant
    private let kind: RecordKind
    private let options: ImportOptions
    private let principal: Principal
    private let naming: any CustomerFinding
    private let store: RecordStore
    /// Planned only: keys that an earlier chunk would have made, with a hash of what it said.
    private var planned: [Int: Int] = [:]

    init(
        _ tenant: Tenant, _ kind: RecordKind, _ naming: any CustomerFinding, _ options: ImportOptions,
        _ principal: Principal
    ) {
        self.tenant = tenant
        self.kind = kind
        self.naming = naming
        self.options = options
        self.principal = principal
        store = RecordStore(kind)
    }

    private enum Step {
        case create(key: String, CustomerID, [SQLValue])
        /// A row about a record that an earlier row of the chunk makes.
        case amend(key: String, CustomerID, [SQLValue])
        case update(RecordPlace, before: [SQLValue], after: [SQLValue])
        case done(ImportOutcome)
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try steps(rows, isPlan: true, session).map { step in
            switch step {
            case .create(_, let customer, _): .created(customer, revision: 0)
            case .amend(_, let customer, _): .updated(customer, [])
            case .update(let place, let before, let after):
                .updated(place.customer, store.changes(before, after))
            case .done(let outcome): outcome
            }
        }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        let steps = try steps(rows, isPlan: false, session)
        var created: [String: (place: RecordPlace, values: [SQLValue])] = [:]
        var order: [String] = []
        var updated: [RecordPlace: [SQLValue]] = [:]
        var known: [RecordPlace: [SQLValue]] = [:]
        var places = try freePlaces(steps, session)
        for step in steps {
            switch step {
            case .create(let key, _, let values):
                guard let place = places.removeValue(forKey: key) else { continue }
                created[key] = (place, values)
                order.append(key)
            case .amend(let key, _, let values): created[key]?.values = values
            case .update(let place, let before, let after):
                updated[place] = after
                if known[place] == nil { known[place] = before }
            case .done: break
            }
        }
        try store.insert(order.compactMap { key in created[key].map { (key, $0.place, $0.values) } }, options.source, session)
        try store.update(updated.map { ($0.key, $0.value) }, session)
        var more: [CustomerID: Int] = [:]
        for key in order { if let place = created[key]?.place { more[place.customer, default: 0] += 1 } }
        for place in updated.keys { more[place.customer, default: 0] += 1 }
        let came = order.compactMap { created[$0] }.map {
            RecordChange(place: $0.place, before: nil, after: store.named($0.values))
        }
        let changed = updated.map { place, after in
            RecordChange(place: place, before: store.named(known[place] ?? []), after: store.named(after))
        }
        let changes = came + changed.sorted { $0.place.id < $1.place.id }
        try kind.changed(changes, tenant, session)
        try kind.tell(changes, tenant, session)
        try trace(more, session)
        return steps.map { step in
            switch step {
            case .create(let key, let customer, let first):
                // What a later row of the chunk made of it counts as the import's.
                let made = created[key]
                return .created(
                    customer, revision: 0,
                    undo: store.undo(key, options.source, made?.place, before: nil, after: made?.values ?? first))
            case .amend(_, let customer, _): return .updated(customer, [], undo: [])
            case .update(let place, let before, let after):
                return .updated(
                    place.customer, store.changes(before, after),
                    undo: store.undo("", options.source, place, before: before, after: after))
            case .done(let outcome): return outcome
            }
        }
    }

    /// One audit event and one outbox event for at most 500 customers.
    private func trace(_ counts: [CustomerID: Int], _ session: any SQLSession) throws {
        guard !counts.isEmpty else { return }
        let sorted = counts.sorted { $0.key < $1.key }
        try kind.touched(sorted.map { ($0.key, $0.value) }, session)
        for chunk in sorted.map(\.key).chunked(Limits.auditSubjectsMax) {
            try tenant.audit.record(
                AuditEntry(
                    kind.audit, chunk.map { .customer($0) },
                    facts: [
                        "entity": .string(kind.entity), "source": .string(options.source),
                        "customers": .int(Int64(chunk.count)),
                    ]), by: principal, session)
            try tenant.outbox.append(CustomersChanged(ids: chunk, fields: [], kind: .updated, records: kind.entity), session)
        }
    }

    /// Ids that no other record of the customer has, by key (of anybody, where records are opened by their id alone). Ids of
    /// the past are made from their instant and the key, so two may meet: those move on until they are alone.
    private func freePlaces(_ steps: [Step], _ session: any SQLSession) throws -> [String: RecordPlace] {
        var result: [String: RecordPlace] = [:]
        var waiting: [(key: String, customer: CustomerID, instant: Instant, tail: Int)] = []
        for case .create(let key, let customer, let values) in steps {
            if let instant = kind.instant?(store.named(values)) {
                let tail = Self.tail(kind.entity + "\u{0}" + options.source + "\u{0}" + key)
                waiting.append((key, customer, instant, tail))
            } else {
                result[key] = RecordPlace(customer: customer, id: tenant.ids.next(AnyKind.self).rawValue)
            }
        }
        var taken: Set<RecordPlace> = []
        var ids: Set<Int64> = []
        while !waiting.isEmpty {
            let wanted = waiting.map {
                RecordPlace(customer: $0.customer, id: ID<AnyKind>(at: $0.instant, tail: $0.tail).rawValue)
            }
            let stored = Set(try store.load(wanted, session).keys)
            let known = kind.isOpenedByID ? try store.known(wanted.map(\.id), session) : []
            var next = waiting[..<0]
            for (one, place) in zip(waiting, wanted) {
                let isFree = !stored.contains(place) && !known.contains(place.id) && !(kind.isOpenedByID && ids.contains(place.id))
                if isFree, taken.insert(place).inserted {
                    ids.insert(place.id)
                    result[one.key] = place
                } else {
                    next.append((one.key, one.customer, one.instant, one.tail + 1))
                }
            }
            waiting = Array(next)
        }
        return result
    }

    /// 22 bits of FNV-1a.
    private static func tail(_ text: String) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int((hash ^ hash >> 32) & 0x3F_FFFF)
    }

    // MARK: What each row means

    /// What is known of a chunk's records and customers.
    private struct State {
        var places: [String: RecordPlace]
        var records: [RecordPlace: [SQLValue]]
        /// Made by an earlier row of the chunk.
        var made: [String: (customer: CustomerID, values: [SQLValue])] = [:]
        let customers: [CustomerName: NamedCustomer]
    }

    private func steps(_ rows: [ImportRow], isPlan: Bool, _ session: any SQLSession) throws -> [Step] {
        let keys = rows.map { kind.key($0.values) }
        let names = rows.map { OwnerFields.names($0, source: options.source) }
        let places = try store.places(Set(keys.compactMap { $0 }), options.source, session)
        var state = State(
            places: places, records: try store.load(Array(Set(places.values)), session),
            customers: try naming.customers(named: Set(names.joined()), for: principal, session))
        let checks = try kind.check?(rows, options.source, session)
        return rows.indices.map { index in
            do throws(RecordRefusal) {
                var more: [String: SQLValue] = [:]
                if let found = checks?[index] { more = try found.get() }
                return try step(rows[index], more, keys[index], names[index], &state, isPlan)
            } catch {
                return .done(.rejected(field: error.field, code: error.code, error.words))
            }
        }
    }

    private func step(
        _ row: ImportRow, _ more: [String: SQLValue], _ key: String?, _ names: [CustomerName], _ state: inout State,
        _ isPlan: Bool
    ) throws(RecordRefusal) -> Step {
        guard let key else {
            throw RecordRefusal(
                kind.keyField ?? "", "no_key",
                en: "The key by which the source knows the record is empty.", zh: "来源系统中的记录编号为空。")
        }
        let named = try owner(names, state)
        if let place = state.places[key], let before = state.records[place] {
            return try change(row, more, place, before, named, key, &state)
        }
        if let known = state.made[key] {
            let after = try values(row, more, store.named(known.values), known.customer)
            guard after != known.values else { return .done(.unchanged(known.customer)) }
            state.made[key] = (known.customer, after)
            return .amend(key: key, known.customer, after)
        }
        guard let customer = named else {
            throw RecordRefusal(
                "", "no_customer",
                en: "The row names no customer: a customer number or a telephone number is needed.",
                zh: "该行未指明客户：需要客户编号或手机号码。")
        }
        guard options.createsNew else {
            throw RecordRefusal(
                kind.keyField ?? "", "no_match",
                en: "No record has this key, and new ones are not to be created.", zh: "没有匹配的记录，且未允许新建。")
        }
        let values = try values(row, more, [:], customer)
        if isPlan {
            let seen = planned.updateValue(values.hashValue, forKey: key.hashValue)
            if let seen { return .done(seen == values.hashValue ? .unchanged(customer) : .updated(customer, [])) }
        }
        state.made[key] = (customer, values)
        return .create(key: key, customer, values)
    }

    private func change(
        _ row: ImportRow, _ more: [String: SQLValue], _ place: RecordPlace, _ before: [SQLValue], _ named: CustomerID?,
        _ key: String, _ state: inout State
    ) throws(RecordRefusal) -> Step {
        if let named, named != place.customer {
            throw RecordRefusal(
                kind.keyField ?? "", "other_customer",
                en: "This record is known as another customer's; records do not change hands by an import.",
                zh: "该记录已属于其他客户，导入不会更改其归属。")
        }
        guard options.updatesExisting else { return .done(.unchanged(place.customer)) }
        let after = try values(row, more, store.named(before), place.customer)
        guard after != before else { return .done(.unchanged(place.customer)) }
        state.records[place] = after
        return .update(place, before: before, after: after)
    }

    private func values(
        _ row: ImportRow, _ more: [String: SQLValue], _ before: [String: SQLValue], _ customer: CustomerID
    ) throws(RecordRefusal) -> [SQLValue] {
        let now = tenant.clock.now()
        let draft = RecordDraft(
            values: row.values.merging(more) { _, new in new }, before: before, customer: customer,
            source: options.source, today: now.date(offsetMinutes: tenant.timeZoneOffsetMinutes), now: now,
            currency: tenant.currency)
        let made = try kind.make(draft)
        return kind.columns.map { made[$0] ?? .null }
    }

    /// The customer all names agree on; `nil` when the row names none.
    private func owner(_ names: [CustomerName], _ state: State) throws(RecordRefusal) -> CustomerID? {
        var found: CustomerID?
        for name in names {
            guard let customer = state.customers[name] else { throw Self.unknown(name) }
            guard customer.isReachable else {
                throw RecordRefusal(
                    Self.field(name), "out_of_scope", en: "This customer lies outside your regions.",
                    zh: "该客户超出您的数据范围。")
            }
            if let found, found != customer.id {
                throw RecordRefusal(
                    Self.field(name), "two_customers",
                    en: "The customer number and the telephone number belong to two customers.",
                    zh: "客户编号与手机号码属于两个不同客户。")
            }
            found = customer.id
        }
        return found
    }

    private static func field(_ name: CustomerName) -> String {
        switch name {
        case .reference: "source_id"
        case .msisdn: "msisdn"
        case .account: "account_number"
        }
    }

    private static func unknown(_ name: CustomerName) -> RecordRefusal {
        switch name {
        case .reference(let source, _):
            RecordRefusal(
                "source_id", "unknown_customer",
                en: "No customer has this number at the source “\(source)”. Import its customers first, or correct the name of the source.",
                zh: "来源“\(source)”中没有该编号的客户。请先导入客户，或更正来源名称。")
        case .msisdn:
            RecordRefusal(
                "msisdn", "unknown_number", en: "No customer has a line with this number.", zh: "没有客户拥有该号码。")
        case .account(let source, _):
            RecordRefusal(
                "account_number", "unknown_account",
                en: "There is no account of this number at the source “\(source)”. Import its accounts first.",
                zh: "来源“\(source)”中没有该账户，请先导入账户。")
        }
    }
}
