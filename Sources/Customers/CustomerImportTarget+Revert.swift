import Contracts
import Kernel
import Platform
import Storage

/// Taking an import back.
extension CustomerImportTarget {
    package func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        for chunk in records.chunked(Limits.sqlListChunk) {
            let found = try reach(chunk.map(\.0), principal, session)
            let expected = Dictionary(chunk.map { ($0.0, $0.revision) }, uniquingKeysWith: { _, last in last })
            let held = try held(found.map(\.id), session)
            let there = Set(found.map(\.id))
            issues += chunk.filter { !there.contains($0.0) }.map { RevertIssue(customer: $0.0, field: "", reason: Self.gone) }
            var removed: [CustomerRecord] = []
            for record in found {
                if let reason = reason(record, expected[record.id], held) {
                    issues.append(RevertIssue(customer: record.id, field: "", reason: reason))
                } else {
                    removed.append(record)
                }
            }
            guard !removed.isEmpty else { continue }
            let writer = try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session)
            try KeptDecisions.keep(of: removed, session)
            try writer.remove(removed, session)
            let gone = removed.map(\.id)
            let isGone = Set(gone)
            try writer.restoreTraces(
                chunk.reversed().filter { isGone.contains($0.0) }.flatMap { CustomerUndo.holders($0.undo) }, session)
            try tenant.audit.record(
                AuditEntry(
                    "customers.customer.remove", gone.map { .customer($0) },
                    facts: ["cause": .string("import_revert"), "customers": .int(Int64(gone.count))]),
                by: principal, session)
            try tenant.outbox.append(
                CustomersChanged(
                    ids: gone, fields: [], kind: .removed,
                    organisations: removed.filter { $0.party.kind == .organisation }.map(\.id),
                    lines: LinesChanged(removed: removed)), session)
        }
        return issues
    }

    package func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        let attributes = try AttributeStore.all(session)
        for chunk in Self.distinctRuns(records.reversed()) {
            let found = try reach(chunk.map(\.0), principal, session)
            let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for (id, _) in chunk where byID[id] == nil {
                issues.append(RevertIssue(customer: id, field: "", reason: Self.gone))
            }
            issues += try undo(
                chunk.compactMap { id, undo in byID[id].map { ($0, undo) } }, attributes, principal, session)
        }
        return issues
    }

    /// Why a customer whom the import made stays; `nil` = nothing speaks for it.
    private func reason(_ record: CustomerRecord, _ expected: Int64?, _ held: [CustomerID: Words]) -> Words? {
        record.customer.revision == expected ? held[record.id] : Self.changedSince
    }

    /// Who has what in other domains.
    private func held(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: Words] {
        var result: [CustomerID: Words] = [:]
        for hold in holds {
            let words = Words(
                en: "It has \(hold.words.en) by now, so it was kept.", zh: "已有\(hold.words.zh)，予以保留。")
            for id in try hold.holders(ids, session) where result[id] == nil { result[id] = words }
        }
        return result
    }

    static let changedSince = Words(
        en: "Changed since the import, so it was kept.", zh: "导入后已被修改，予以保留。")
    static let gone = RevertIssue.customerGone
    static let outOfReach = CRMError(
        "out_of_scope", status: 403,
        Words(
            en:
                "Customers of this import lie outside your regions. Somebody who may see all of them has to take it back.",
            zh: "该导入涉及您数据范围之外的客户，须由有完整范围的人员撤销。"))

    /// The customers that are still there.
    /// - Throws: when one of them is out of the principal's reach: a revert of a part would pass for the whole.
    private func reach(_ ids: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws
        -> [CustomerRecord]
    {
        let found = try CustomerLoader.records(ids, session)
        guard found.allSatisfy({ CustomerScope.allows($0.customer.region, principal) }) else { throw Self.outOfReach }
        return found
    }

    /// Chunks in which a customer occurs once, so that a second change sees what the first restored.
    private static func distinctRuns(_ records: [(CustomerID, undo: [ImportChange])])
        -> [[(CustomerID, undo: [ImportChange])]]
    {
        var result: [[(CustomerID, undo: [ImportChange])]] = []
        var piece: [(CustomerID, undo: [ImportChange])] = []
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

    /// What these customers become when what was changed in them is taken back.
    private func judge(
        _ records: [(before: CustomerRecord, undo: [ImportChange])], _ attributes: [CustomAttribute],
        _ session: any SQLSession, _ memory: RevertMemory = RevertMemory()
    ) throws -> ([CustomerUndo.Result], ClaimCheck) {
        let now = tenant.clock.now()
        var claims = ClaimCheck(memory)
        var results: [CustomerUndo.Result] = []
        // What somebody else has by now stays there; leaving it may keep another number from coming back.
        repeat {
            results = records.map { record in
                CustomerUndo.undo(
                    record.undo, on: record.before, attributes, taken: claims.taken[record.before.id] ?? [], at: now)
            }
        } while try claims.findTaken(zip(records, results).map { ($0.before, $1.record) }, session)
        return (results, claims)
    }

    package func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? {
        var forecast = RevertForecast()
        for chunk in created.chunked(Limits.sqlListChunk) {
            let expected = Dictionary(chunk.map { ($0.0, $0.revision) }, uniquingKeysWith: { _, last in last })
            let held = try held(chunk.map(\.0), session)
            let found = try foreseen(chunk.map(\.0), memory, session)
            let there = Set(found.map(\.id))
            forecast.issues += chunk.filter { !there.contains($0.0) && memory.records[$0.0] == nil }.map {
                RevertIssue(customer: $0.0, field: "", reason: Self.gone)
            }
            for record in found {
                if let reason = reason(record, expected[record.id], held) {
                    forecast.issues.append(RevertIssue(customer: record.id, field: "", reason: reason))
                } else {
                    forecast.removed += 1
                    memory.records[record.id] = Foreseen(record: nil)
                }
            }
        }
        let attributes = updated.isEmpty ? [] : try AttributeStore.all(session)
        var restored: Set<CustomerID> = []
        for chunk in Self.distinctRuns(updated.reversed()) {
            let found = try foreseen(chunk.map(\.0), memory, session)
            let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for (id, _) in chunk where byID[id] == nil && memory.records[id] == nil {
                forecast.issues.append(RevertIssue(customer: id, field: "", reason: Self.gone))
            }
            let records = chunk.compactMap { id, undo in byID[id].map { (before: $0, undo: undo) } }
            for (record, result) in zip(records, try judge(records, attributes, session, memory).0) {
                if result.record != record.before {
                    restored.insert(record.before.id)
                    memory.records[record.before.id] = Foreseen(record: result.record)
                }
                forecast.issues += result.kept.map {
                    RevertIssue(customer: record.before.id, field: $0, reason: Self.changedSince)
                }
            }
        }
        forecast.restored = restored.count
        return forecast
    }

    /// Customers as they would be by now in a forecast.
    private func foreseen(
        _ ids: [CustomerID], _ memory: RevertMemory, _ session: any SQLSession
    ) throws -> [CustomerRecord] {
        try CustomerLoader.records(ids, session).compactMap { record in
            guard let known = memory.records[record.id] as? Foreseen else { return record }
            return known.record
        }
    }

    /// Takes back what changed in these customers.
    private func undo(
        _ records: [(before: CustomerRecord, undo: [ImportChange])], _ attributes: [CustomAttribute],
        _ principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        let (results, claims) = try judge(records, attributes, session)
        var issues: [RevertIssue] = []
        var pairs: [(before: CustomerRecord, after: CustomerRecord)] = []
        for (record, result) in zip(records, results) {
            issues += result.kept.map {
                RevertIssue(customer: record.before.id, field: $0, reason: Self.changedSince)
            }
            if result.record != record.before { pairs.append((record.before, result.record)) }
        }
        let writer = try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session)
        let unfound = Dictionary(
            records.map { ($0.before.id, Set(CustomerUndo.unfound($0.undo))) }, uniquingKeysWith: { $0.union($1) })
        if !pairs.isEmpty {
            try writer.update(pairs, on: nil, released: claims.released, unfound: unfound, session)
            try DeparturesWithdrawn.tell(pairs, tenant, session)
        }
        try writer.removeHistory(
            zip(records, results).flatMap { record, result in result.history.map { (record.before.id, $0) } }, session)
        try writer.restoreTraces(records.flatMap { CustomerUndo.holders($0.undo) }, session)
        let ids = pairs.map(\.after.id)
        guard !ids.isEmpty else { return issues }
        try tenant.audit.record(
            AuditEntry(
                "customers.customer.update", ids.map { .customer($0) },
                facts: ["cause": .string("import_revert"), "customers": .int(Int64(ids.count))]),
            by: principal, session)
        try tenant.outbox.append(CustomersChanged(ids: ids, fields: [], kind: .updated, lines: LinesChanged(pairs)), session)
        return issues
    }
}

/// A customer as a forecast has left them; `nil` = removed.
private struct Foreseen {
    let record: CustomerRecord?
}

/// Who may not have back what others claim by now.
private struct ClaimCheck {
    private let memory: RevertMemory

    init(_ memory: RevertMemory = RevertMemory()) { self.memory = memory }

    /// Whether somebody who claims it in the database would do so no more at this place of a forecast.
    private func isGivenUp(_ identifier: Identifier, by owner: CustomerID) -> Bool {
        guard let foreseen = memory.records[owner] as? Foreseen else { return false }
        return foreseen.record.map { !Identifier.claims($0).contains(identifier) } ?? true
    }

    private(set) var taken: [CustomerID: Set<Identifier>] = [:]
    /// What goes over from customers who do not claim it any more.
    private(set) var released: [(Identifier, CustomerID)] = []
    private var owners: [Identifier: CustomerID] = [:]
    private var free: Set<Identifier> = []
    private var asked: Set<Identifier> = []

    /// Whether there is something that was not known to be taken.
    mutating func findTaken(
        _ pairs: [(before: CustomerRecord, after: CustomerRecord)], _ session: any SQLSession
    ) throws -> Bool {
        var gains: [(Identifier, CustomerID)] = []
        var losses: [CustomerID: Set<Identifier>] = [:]
        for (before, after) in pairs where before != after {
            let (old, new) = (Identifier.claims(before), Identifier.claims(after))
            gains += new.subtracting(old).map { ($0, after.id) }
            losses[after.id] = old.subtracting(new)
        }
        try ask(Set(gains.map(\.0)).subtracting(asked), session)
        released = []
        var given: Set<Identifier> = []
        var isNew = false
        for (identifier, id) in gains {
            let owner = owners[identifier].flatMap { $0 == id ? nil : $0 }
            let isFree =
                owner.map {
                    free.contains(identifier) || losses[$0]?.contains(identifier) ?? false || isGivenUp(identifier, by: $0)
                } ?? true
            if isFree, given.insert(identifier).inserted {
                if let owner { released.append((identifier, owner)) }
            } else {
                taken[id, default: []].insert(identifier)
                isNew = true
            }
        }
        return isNew
    }

    private mutating func ask(_ identifiers: Set<Identifier>, _ session: any SQLSession) throws {
        guard !identifiers.isEmpty else { return }
        asked.formUnion(identifiers)
        let found = try IdentifierStore.owners(Array(identifiers), session)
        owners.merge(found) { _, new in new }
        free.formUnion(try IdentifierStore.released(found, session))
    }
}
