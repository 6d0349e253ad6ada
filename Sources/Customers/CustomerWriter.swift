import Kernel
import Storage

/// Writes customers and everything that follows from them (look-up tables, search tokens, the listing projection) in
/// batches, in the caller's transaction. Used by the edit page, the import and the demonstration seed alike; audit and
/// outbox are the caller's.
struct CustomerWriter: Sendable {
    let ids: IDGenerator
    let policy: ValuePolicy
    /// `nil` = customers are not kept for matching.
    private let matching: MatchKeys?
    private let step: SearchStep

    /// Reads the value policy in force, and what is written for the search and for matching.
    /// - Parameter countryCode: of telephone numbers without one.
    init(ids: IDGenerator, countryCode: String = "86", _ session: any SQLSession) throws {
        self.ids = ids
        policy = try ValueStore.policy(session)
        step = try SearchStep.now(session)
        matching = try MatchStore.setting(session).isKept ? MatchKeys(countryCode: countryCode) : nil
    }

    // MARK: New customers

    /// Inserts whole customers. What they claim must be free: a taken source id or MSISDN is a `uniqueViolation`.
    /// - Parameter released: numbers whose former holders ended their lines; they go over to the new customers.
    /// - Parameter later: takes what they are searched and compared by, for the caller to write; `nil` = it is written here.
    func insert(
        _ records: [CustomerRecord], released: [(Identifier, CustomerID)] = [], later: LaterRows? = nil,
        _ session: any SQLSession
    ) throws {
        try session.executeMany(CustomerSQL.deleteIdentifier, released.map { $0.row($1) })
        guard !records.isEmpty else { return }
        // What is not written first is made on another core meanwhile.
        let isMany = records.count >= Self.manyMin
        let found = Beside(isWorthIt: isMany) { [policy, step] in
            var found = CustomerRows()
            for record in records { found.addFound(record, policy: policy, step) }
            return found
        }
        let compared = matching.map { keys in Beside(isWorthIt: isMany) { records.map(keys.prepared) } }
        var rows = CustomerRows()
        for record in records { rows.add(record) }
        try rows.writeNew(found: found.value, session)
        try SearchWords.note(records, session)
        let put = later ?? LaterRows()
        put.add(found, compared, matching)
        if later == nil { _ = try put.write(session) }
    }

    private static let manyMin = 20

    static func row(_ token: SearchTokens.Token, _ id: CustomerID) -> [SQLValue] {
        [.int(token.kind.rawValue), .text(token.text), .id(id)]
    }

    // MARK: What grows

    func append(_ charges: [(CustomerID, Charge)], _ session: any SQLSession) throws {
        try session.executeMany(CustomerSQL.insertCharge, charges.map { CustomerRows.row($0, $1) })
    }

    func append(_ usage: [(CustomerID, UsageMonth)], _ session: any SQLSession) throws {
        try session.executeMany(
            CustomerSQL.upsertUsage, usage.map { CustomerRows.row($0, $1) })
    }

    func append(_ changes: [(CustomerID, SubscriptionChange)], _ session: any SQLSession) throws {
        try session.executeMany(
            CustomerSQL.insertHistory, changes.map { CustomerRows.row($0, $1) })
    }

    // MARK: Changes

    /// Who changed customers how, for the timeline.
    struct Origin: Sendable {
        /// Empty for an import: many customers at once, told by the import's own page.
        let actor: String
        /// `edit`, `import`, `departure`, `return`, `line`.
        let cause: String
        /// Keys of the changed fields; empty = many.
        var fields: [String] = []
        /// Why lines changed their state; `nil` = the customer's own reason.
        var reason: String?
        static let imported = Origin(actor: "", cause: "import")
    }

    /// Writes what differs between two states of customers. The caller has set the new revision.
    /// - Parameter today: the date of status changes that have none of their own; `nil` = the changes are taken back and
    ///   are not part of the history.
    /// - Parameter released: numbers whose former holders ended their lines; they go over to these customers.
    /// - Parameter unfound: what customers have without being found by it, when changes are taken back.
    /// - Returns: what was added to the history of statuses.
    @discardableResult
    func update(
        _ changes: [(before: CustomerRecord, after: CustomerRecord)], on today: LocalDate?,
        released: [(Identifier, CustomerID)] = [], unfound: [CustomerID: Set<Identifier>] = [:],
        origin: Origin = .imported, _ session: any SQLSession
    ) throws -> [(CustomerID, SubscriptionChange)] {
        let listed = try ListingRow.stored(changes.map(\.after.id), session)
        var listing: [ListingRow] = []
        var renamed: [CustomerRecord] = []
        var fresh = CustomerRows()
        var gone = GoneRows()
        for (before, changed) in changes {
            var after = changed
            after.customer.edition = before.customer.edition + 1
            fresh.addChanged(before: before, after: after)
            gone.note(before: before, after: after)
            listing.append(ListingRow(after, policy: policy, risk: listed[after.id]?.risk))
            if !SearchText.areSame(before, after) {
                fresh.texts.append(SearchIndex.row(after))
                if before.party.displayName != after.party.displayName { renamed.append(after) }
                let (old, new) = (SearchTokens.all(before, step), SearchTokens.all(after, step))
                for token in new.subtracting(old) { fresh.search.append(Self.row(token, after.id)) }
                for token in old.subtracting(new) { gone.search.append(Self.row(token, after.id)) }
            }
            noteIdentifiers(before, after, unfound[after.id] ?? [], &fresh, &gone)
        }
        for (identifier, holder) in released { gone.add(identifier, holder) }
        try gone.write(session)
        try fresh.write(session)
        try NumberIndex.moved(
            changes.filter { $0.before.customer.region != $0.after.customer.region }.map(\.after.id), session)
        try SearchWords.note(renamed, session)
        try ListingRow.update(listing, from: listed, session)
        if let matching {
            var rows = MatchRows(matching)
            for (before, after) in changes { rows.change(before: before, after: after) }
            try rows.write(session)
        }
        // An import touches many customers every night: only moves of the lifecycle are kept of it, and of its taking back.
        // That there was one is told by the time of the last change.
        let told = changes.filter {
            origin.cause != Origin.imported.cause || $0.before.customer.status != $0.after.customer.status
        }
        try session.executeMany(CustomerSQL.insertChange, told.map { changeRow($0.before, $0.after, origin) })
        guard let today else { return [] }
        let history = changes.flatMap { before, after in
            // Why a line of its own changed is not why the customer is where they are.
            let isWhole = ["edit", "import"].contains(origin.cause)
            let reason = origin.reason ?? (isWhole ? after.customer.statusReason : nil)
            return statusChanges(before: before, after: after, on: today, reason)
        }
        try append(history, session)
        return history
    }

    private func changeRow(_ before: CustomerRecord, _ after: CustomerRecord, _ origin: Origin) -> [SQLValue] {
        let (from, to) = (before.customer.status.rawValue, after.customer.status.rawValue)
        return [
            .id(after.id), .id(ids.next(AnyKind.self)), .time(after.customer.updatedAt), .text(origin.actor),
            .text(origin.cause), from == to ? .null : .text(from), from == to ? .null : .text(to),
            .text(origin.fields.joined(separator: ",")),
        ]
    }

    private func noteIdentifiers(
        _ before: CustomerRecord, _ after: CustomerRecord, _ unfound: Set<Identifier>, _ fresh: inout CustomerRows,
        _ gone: inout GoneRows
    ) {
        if unfound.isEmpty, Identifier.areSame(before, after) { return }
        let (oldClaims, claims) = (Identifier.claims(before), Identifier.claims(after))
        let known = oldClaims.union(Identifier.traces(before))
        let wanted = claims.union(Identifier.traces(after))
        for identifier in known.subtracting(wanted) { gone.add(identifier, after.id) }
        for identifier in claims.subtracting(oldClaims) {
            // A number that was only remembered is written anew, so that somebody else's claim shows as a collision.
            if known.contains(identifier) { gone.add(identifier, after.id) }
            fresh.claim(identifier, after.id)
        }
        let traces = wanted.subtracting(claims)
        for identifier in traces.subtracting(known).subtracting(unfound) { fresh.trace(identifier, after.id) }
        for identifier in traces.intersection(unfound) { gone.add(identifier, after.id) }
    }

    private func statusChanges(
        before: CustomerRecord, after: CustomerRecord, on today: LocalDate, _ reason: String?
    ) -> [(CustomerID, SubscriptionChange)] {
        let old = Dictionary(before.subscriptions.map { ($0.id, $0.status) }, uniquingKeysWith: { first, _ in first })
        return after.subscriptions.compactMap { line in
            guard let from = old[line.id], from != line.status else { return nil }
            let change = SubscriptionChange(
                id: ids.next(), subscription: line.id, on: (line.status == .terminated ? line.endedOn : nil) ?? today,
                from: from, to: line.status, reason: reason)
            return (after.id, change)
        }
    }

    // MARK: Removal

    /// Takes rows out of the history of statuses that a reverted import wrote.
    func removeHistory(_ rows: [(CustomerID, Int64)], _ session: any SQLSession) throws {
        try session.executeMany(CustomerSQL.deleteHistory, rows.map { [.id($0), .int($1)] })
    }

    /// Those who were found by a number before a reverted import gave it to somebody else are found by it again, unless
    /// it is claimed by now. Of two who had it the last one of the list gets it.
    func restoreTraces(_ holders: [(Identifier, CustomerID)], _ session: any SQLSession) throws {
        guard !holders.isEmpty else { return }
        let records = try CustomerLoader.records(Array(Set(holders.map(\.1))), session)
        let traces = Dictionary(
            records.map { ($0.id, Identifier.traces($0)) }, uniquingKeysWith: { first, _ in first })
        let wanted = Dictionary(
            holders.filter { traces[$1]?.contains($0) ?? false }, uniquingKeysWith: { _, last in last })
        let owners = try IdentifierStore.owners(Array(wanted.keys), session)
        let released = try IdentifierStore.released(owners, session)
        let rows = wanted.filter { owners[$0.key] == nil || released.contains($0.key) }
        try session.executeMany(
            CustomerSQL.deleteIdentifier, rows.keys.compactMap { key in owners[key].map { key.row($0) } })
        try session.executeMany(CustomerSQL.insertTrace, rows.map { $0.key.row($0.value) })
    }

    /// Removes customers with all their rows. Only for reverted imports: nothing else forgets a customer.
    func remove(_ records: [CustomerRecord], _ session: any SQLSession) throws {
        let keys = records.map { [SQLValue.id($0.id)] }
        let left = try CustomerLinks.neighbours(of: records.map(\.id), session)
        try session.executeMany(
            CustomerSQL.deleteSearch,
            records.flatMap { record in SearchTokens.all(record, step).map { Self.row($0, record.id) } })
        try SearchIndex.remove(records.map(\.id), session)
        try NumberIndex.remove(of: records.map(\.id), session)
        try session.executeMany(
            CustomerSQL.deleteLocator, records.flatMap { $0.subscriptions.map { [SQLValue.id($0.id)] } })
        try AccountRows.forgetParts(of: records.map(\.id), session)
        for statement in CustomerSQL.deleteAll { try session.executeMany(statement, keys) }
        if let matching {
            var rows = MatchRows(matching)
            for record in records { rows.remove(record) }
            try rows.write(session)
            try session.executeMany(MatchStore.deleteRecord, keys)
        }
        try session.executeMany(MatchStore.deletePairs, keys)
        try CustomerLinks.settle(left, session)
    }
}

/// A value that finds exactly one customer (customers_identifier).
struct Identifier: Hashable, Sendable {
    let kind: String
    let value: String

    static func source(_ source: String, _ value: String) -> Identifier {
        Identifier(kind: "source:" + source, value: value)
    }
    static func msisdn(_ value: String) -> Identifier { Identifier(kind: "msisdn", value: value) }
    static func iccid(_ number: String) -> Identifier { Identifier(kind: "iccid", value: Folding.fold(number)) }
    static func document(_ number: String) -> Identifier {
        Identifier(kind: "document", value: Folding.fold(number))
    }

    func row(_ id: CustomerID) -> [SQLValue] { [.text(kind), .text(value), .id(id)] }

    /// Whether nothing changed that identifiers are made of.
    static func areSame(_ a: CustomerRecord, _ b: CustomerRecord) -> Bool {
        a.sourceIDs == b.sourceIDs && a.documents == b.documents
            && a.subscriptions.elementsEqual(b.subscriptions) {
                $0.msisdn == $1.msisdn && $0.iccid == $1.iccid && $0.status == $1.status
            }
    }

    /// What only this customer may have: its numbers at the sources and the MSISDNs of lines that stand.
    static func claims(_ record: CustomerRecord) -> Set<Identifier> {
        var result: Set<Identifier> = []
        for (source, number) in record.sourceIDs { result.insert(.source(source, number)) }
        for line in record.subscriptions where line.status != .terminated {
            if let msisdn = line.msisdn { result.insert(.msisdn(msisdn)) }
        }
        return result
    }

    /// The SIM cards of lines that stand. A card is in one phone, so the edit page refuses it for a second customer.
    static func cards(_ record: CustomerRecord) -> Set<Identifier> {
        Set(record.subscriptions.filter { $0.status != .terminated }.compactMap(\.iccid).map { .iccid($0) })
    }

    /// What also finds the customer while nobody else claims it: numbers of ended lines, which are given out again
    /// after a while, SIM cards, and identity documents, which people share across sources.
    static func traces(_ record: CustomerRecord) -> Set<Identifier> {
        var result: Set<Identifier> = []
        for line in record.subscriptions {
            if line.status == .terminated, let msisdn = line.msisdn { result.insert(.msisdn(msisdn)) }
            if let iccid = line.iccid { result.insert(.iccid(iccid)) }
        }
        for document in record.documents { result.insert(.document(document.number)) }
        return result
    }
}
