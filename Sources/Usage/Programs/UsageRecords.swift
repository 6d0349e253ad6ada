import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

package enum UsageRecordKind {}
package typealias UsageRecordID = ID<UsageRecordKind>

/// What the domain does by itself with usages that are kept one by one: those that wait, those of customers who go, those that are old.
package struct UsageRecords: Sendable {
    /// The source under which they stand beside others. No feed may have the name: what it corrects would not be in the rows.
    package static let sourceName = "tmf635"
    /// How long after the end of the month in which they came: bills are disputed for a year.
    package static let keepDays = 400
    /// Usages that are tried again in one transaction: each is read and written as a document.
    static let stepMax = 200

    static let waitingLongest: SQL = """
        SELECT fingerprint FROM usage_unmatched WHERE source_id = $1 AND arrived_at < $2 ORDER BY fingerprint LIMIT $3
        """
    static let waitingOf: SQL = "SELECT id FROM usage_record WHERE customer_id = $1 AND booked = 'waiting'"
    static let old: SQL = "SELECT id FROM usage_record WHERE id < $1 ORDER BY id LIMIT $2"
    static let letGo: [SQL] = [
        "DELETE FROM usage_record_rating WHERE owner_id < $1",
        "DELETE FROM usage_record_characteristic WHERE owner_id < $1",
        "DELETE FROM usage_record_party WHERE owner_id < $1", "DELETE FROM usage_record WHERE id < $1",
    ]

    let store: UsageRecordStore

    static func source(_ tenant: Tenant, _ session: any SQLSession) throws -> UsageSourceID {
        try UsageStore.source(sourceName, make: tenant.ids.next(), at: tenant.clock.now(), session)
    }

    /// The source, when a usage has come.
    static func known(_ session: any SQLSession) throws -> UsageSourceID? {
        try session.first(UsageStore.sourceByName, [.text(sourceName)]) { $0.id(0, UsageSourceKind.self) }
    }

    private func context(_ tenant: Tenant) -> TMFContext {
        TMFContext(tenant: tenant, principal: .system(tenant: tenant.name, "usage"), now: tenant.clock.now())
    }

    /// Tries usages again whose line is known by now, or gives up those that waited too long.
    /// - Parameter prints: their fingerprints among the events that wait: their ids.
    func resume(
        _ prints: [Int64], reason: UsageManagement.Reason? = nil, _ source: UsageSourceID, _ tenant: Tenant,
        _ session: any SQLSession
    ) throws -> UsageCounts {
        try UsageStore.hold(source, session)
        var counts = UsageCounts()
        var gone: Set<UInt64> = []
        let context = context(tenant)
        for id in prints {
            let changed: Set<String>
            do {
                changed = try store.resume(id, reason: reason, context, session)
                if reason == nil { counts.taken += 1 } else { counts.rejected += 1 }
            } catch let error as CRMError where error.code == CRMError.notFound.code {
                // Let go, or taken out with its customer.
                gone.insert(UInt64(bitPattern: id))
                counts.duplicate += 1
                continue
            } catch let error as CRMError where error.code == UsageManagement.Reason.lineOfAnother.rawValue {
                changed = try store.resume(id, reason: .lineOfAnother, context, session)
                counts.rejected += 1
            } catch let error as CRMError where error.status < 500 {
                // It cannot be read any more as it was: it stays as it is, and holds up no other.
                tenant.logger.error("usage.record.resume", metadata: ["id": "\(id)", "code": "\(error.code)"])
                gone.insert(UInt64(bitPattern: id))
                counts.rejected += 1
                continue
            }
            let kinds: [TMFChanged.Kind] = [.changed] + (changed.contains("status") ? [.stateChanged] : [])
            try tenant.outbox.append(
                TMFChanged(
                    api: UsageManagement.api.number, resource: UsageManagement.name, id: id, kinds: kinds,
                    attributes: changed.sorted()),
                session)
        }
        try release(gone, source, tenant, session)
        if counts.read > 0 {
            try tenant.audit.record(
                AuditEntry("usage.events.take", [UsageService.subject(source)], facts: counts.facts),
                by: context.principal, session)
        }
        return counts
    }

    private func release(
        _ prints: Set<UInt64>, _ source: UsageSourceID, _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        guard !prints.isEmpty else { return }
        try UsageWaiting.change(
            released: prints, waiting: [:], source, run: nil, { ("number", $0) }, at: tenant.clock.now(), session)
    }

    /// Gives up some that have waited since before `instant`; `false` = there are no more.
    func giveUp(before instant: Instant, _ tenant: Tenant, _ session: any SQLSession) throws -> Bool {
        guard let source = try Self.known(session) else { return false }
        let prints = try session.query(Self.waitingLongest, [.id(source), .time(instant), .int(Self.stepMax)]) {
            $0.int(0)
        }
        guard !prints.isEmpty else { return false }
        _ = try resume(prints, reason: .unknownLine, source, tenant, session)
        return true
    }

    /// Takes everything of these customers out. Their days go with them.
    func forget(_ customers: [CustomerID], _ tenant: Tenant, _ session: any SQLSession) throws {
        var prints: Set<UInt64> = []
        for customer in customers {
            prints.formUnion(try session.query(Self.waitingOf, [.id(customer)]) { UInt64(bitPattern: $0.int(0)) })
        }
        if !prints.isEmpty, let source = try Self.known(session) {
            try UsageStore.hold(source, session)
            try release(prints, source, tenant, session)
        }
        try store.rows.forget(customers, resource: UsageManagement.name, session)
    }

    /// The first id that is kept: months go whole, as their partitions do.
    static func firstKept(_ now: Instant) -> Int64 { GrowthMonth(now.adding(days: -Int64(keepDays))).firstID }

    /// Lets go of the oldest usages that are behind their time, what they gave stays; `false` = there are no more. A step is one
    /// transaction. On PostgreSQL partitions are dropped whole; this finds what was left in none.
    func letGo(_ now: Instant, _ session: any SQLSession) throws -> Bool {
        let limit = Self.firstKept(now)
        let ids = try session.query(Self.old, [.int(limit), .int(Limits.sqlListChunk)]) { $0.int(0) }
        guard let last = ids.last else { return false }
        for statement in Self.letGo { try session.execute(statement, [.int(last + 1)]) }
        return true
    }
}
