import Kernel
import Platform
import Storage
import Tabular

/// Rows out of quarantine: repaired, brought again as an import of their own, or let go.
extension ImportService {
    package static let quarantinePermission = Permission("ingest.quarantine")
    /// So many rows at once.
    static let replayMax = 10_000
    /// Held rows are personal data that nobody could use: they are kept shorter than the files they came with.
    static let quarantineDays: Int64 = 60
    /// So many days before a row is let go, the queue says so.
    static let quarantineWarningDays: Int64 = 10

    /// The rows of the queue that a person may reach.
    func owner(_ principal: Principal) -> UserID? { principal.scope == .all ? nil : principal.userID ?? UserID(0) }

    /// - Throws: `CRMError.notFound` when one of the rows is not there or out of reach.
    func held(_ ids: [QuarantineID], _ principal: Principal, _ session: any SQLSession) throws -> [QuarantinedRow] {
        let rows = try QuarantineStore.rows(ids, session)
        guard rows.count == Set(ids).count, !rows.isEmpty else { throw CRMError.notFound }
        for run in Set(rows.map(\.run)) { _ = try reach(run, principal, session) }
        return rows
    }

    // MARK: Replay

    /// A file made of held rows, ready to be brought in.
    private struct Parcel: Sendable {
        let rows: [QuarantinedRow]
        let run: ImportRun
        let file: IngestFile
        let mapping: ImportMapping
    }

    /// Brings rows again: one import for each import they came with, of the same columns, mapping and source. Rows are
    /// claimed in the transaction that makes the imports, so that nobody brings a row twice.
    /// - Parameter then: called last in the transaction, with the new imports.
    /// - Throws: `CRMError` 409 when somebody decided one of the rows meanwhile.
    func replay(
        _ ids: [QuarantineID], principal: Principal, record: @escaping AuditRecorder,
        then: @escaping @Sendable ([ImportRunID], any SQLSession) throws -> Void
    ) async throws -> [ImportRunID] {
        try principal.require(Self.quarantinePermission)
        let rows = try await tenant.database.read { [self] in try held(ids, principal, $0) }
        guard rows.allSatisfy({ $0.state == .open && !$0.cells.isEmpty }) else { throw Self.decided }
        var parcels: [Parcel] = []
        do {
            for (run, rows) in Dictionary(grouping: rows, by: \.run).sorted(by: { $0.key < $1.key }) {
                parcels.append(try await parcel(rows.sorted { $0.id < $1.id }, of: run, principal))
            }
            return try await bring(parcels, principal, record, then)
        } catch {
            if (error as? StorageError)?.kind != .outcomeUnknown {
                for parcel in parcels { await tenant.blobs.deleteLater(parcel.file.blobID) }
            }
            throw error
        }
    }

    static let decided = CRMError.conflict(
        "quarantine_decided",
        Words(en: "Somebody has decided one of these rows meanwhile. Reload the page.", zh: "其中有行已被他人处理，请刷新页面。"))

    private func parcel(
        _ rows: [QuarantinedRow], of id: ImportRunID, _ principal: Principal
    ) async throws -> Parcel {
        let (run, origin) = try await self.run(id, for: principal)
        let inspection = origin.inspection
        var csv = CSVWriter()
        csv.row(inspection.columns)
        for row in rows {
            csv.row(inspection.columns.indices.map { row.present.indices.contains($0) ? row.present[$0] : nil })
        }
        let bytes = csv.take()
        // A store may wait for its database, so not on the pool's threads.
        let blobs = tenant.blobs
        let blob = try await OwnThread.run {
            let writer = try blobs.writer()
            do {
                try writer.write(bytes)
                return try writer.finish()
            } catch {
                writer.discard()
                throw error
            }
        }
        let name = QuarantineTrail.fileName(id)
        let looked: FileInspection
        do {
            looked = try await FileInspector(encoding: .utf8, delimiter: UInt8(ascii: ","), warnings: []).inspect(
                name: name, size: blob.size, blob: blob.id, tenant.blobs)
        } catch {
            await tenant.blobs.deleteLater(blob.id)
            throw error
        }
        // What the columns hold is what the whole file said, not these few rows.
        let known = FileInspection(
            format: looked.format, encodingConfidence: 1, encodingReason: looked.encodingReason,
            columns: inspection.columns, profiles: inspection.profiles, rows: rows.count,
            unreadable: 0, bytesRead: blob.size, isWhole: true, isRejectFile: false, warnings: [],
            encodingOverride: .utf8, delimiterOverride: UInt8(ascii: ","), canonical: nil)
        let file = IngestFile(
            id: tenant.ids.next(), blobID: blob.id, name: name, size: blob.size, digest: blob.digest, inspection: known,
            createdAt: tenant.clock.now(), createdBy: origin.createdBy, createdByName: origin.createdByName)
        return Parcel(rows: rows, run: run, file: file, mapping: run.mapping)
    }

    private func bring(
        _ parcels: [Parcel], _ principal: Principal, _ record: @escaping AuditRecorder,
        _ then: @escaping @Sendable ([ImportRunID], any SQLSession) throws -> Void
    ) async throws -> [ImportRunID] {
        try await tenant.database.write { [self] session in
            var runs: [ImportRunID] = []
            for parcel in parcels {
                let id: ImportRunID = tenant.ids.next()
                let now = tenant.clock.now()
                try RunStore.insert(parcel.file, session)
                try RunStore.insert(
                    id, file: parcel.file.id, entity: parcel.run.entity, parcel.mapping, by: principal, at: now, session
                )
                try session.execute(RunStore.markReplay, [.id(id)])
                for (offset, row) in parcel.rows.enumerated() {
                    let claimed = try session.execute(
                        QuarantineStore.claim,
                        [.id(row.id), .id(id), .int(offset + 1), .time(now), .text(principal.userName)])
                    guard claimed == 1 else { throw Self.decided }
                }
                try record(
                    AuditEntry(
                        "ingest.quarantine.replay", [.run(id), .run(parcel.run.id)],
                        facts: ["rows": .int(Int64(parcel.rows.count))]), session)
                try enqueue(.start, id, principal, record, session)
                runs.append(id)
            }
            try then(runs, session)
            return runs
        }
    }

    /// The rows of a chunk that the replay still holds; the others are skipped.
    func claim(
        _ chunk: Chunk, _ run: ImportRun, _ session: any SQLSession
    ) throws -> (Chunk, [Int: QuarantineID]) {
        let records = chunk.records + chunk.held.map(\.record) + chunk.rejects.map(\.record)
        guard let first = records.min(), let last = records.max() else { return (chunk, [:]) }
        let claimed = try QuarantineStore.claimed(run.id, first...last, session)
        let gone = Set(chunk.records.indices.filter { claimed[chunk.records[$0]] == nil })
        var kept = chunk.without(gone)
        kept.held.removeAll { claimed[$0.record] == nil }
        kept.rejects.removeAll { claimed[$0.record] == nil }
        kept.skipped = chunk.read - kept.read
        return (kept, claimed)
    }

    /// What became of the rows of a replay's chunk.
    func settle(
        _ claimed: [Int: QuarantineID], _ chunk: Chunk, _ taken: [Int], _ rejects: [RowReject],
        _ resolved: ResolvedColumns, at now: Instant, _ session: any SQLSession
    ) throws {
        var settled: [(id: QuarantineID, findings: [RowFinding]?)] = []
        for index in taken { if let id = claimed[chunk.records[index]] { settled.append((id, nil)) } }
        for row in chunk.held { if let id = claimed[row.record] { settled.append((id, row.findings)) } }
        for reject in rejects {
            guard let id = claimed[reject.record] else { continue }
            let field = resolved.all.first { $0.index == reject.column }?.field.key ?? ""
            settled.append(
                (
                    id,
                    [
                        RowFinding(
                            rule: reject.code, field: field, column: reject.column, en: reject.words.en,
                            zh: reject.words.zh)
                    ]
                ))
        }
        try QuarantineStore.settle(settled, at: now, session)
    }

    /// After a revert: what a replay had brought waits again; what the import had held back is gone with it.
    func returnRows(_ run: ImportRun, _ principal: Principal, _ session: any SQLSession) throws {
        if run.isReplay {
            try session.execute(QuarantineStore.reopen, [.id(run.id)])
        } else {
            try session.execute(
                QuarantineStore.withdraw, [.id(run.id), .time(tenant.clock.now()), .text(principal.userName)])
        }
    }

    // MARK: Repair, discard, let go

    /// Stores what a person wrote into a held row.
    func repair(
        _ id: QuarantineID, cells: [String?], principal: Principal, check: (QuarantinedRow) throws -> Void,
        record: AuditRecorder, _ session: any SQLSession
    ) throws {
        try principal.require(Self.quarantinePermission)
        let row = try held([id], principal, session)[0]
        try check(row)
        guard row.state == .open else { throw Self.decided }
        let changed = try session.execute(
            QuarantineStore.repair, [
                .id(id), .int(row.revision), .text(try JSONText.encode(cells)), .text(ColumnBits(from: row.cells, to: cells).text),
            ])
        guard changed == 1 else { throw Self.decided }
        let old = row.present
        let columns = cells.indices.filter { old.indices.contains($0) ? old[$0] != cells[$0] : cells[$0] != nil }
        try record(
            AuditEntry(
                "ingest.quarantine.repair", [.held(id), .run(row.run)],
                facts: ["columns": .array(columns.map { .int(Int64($0 + 1)) })]), session)
    }

    func discard(
        _ ids: [QuarantineID], reason: String, principal: Principal, record: AuditRecorder, _ session: any SQLSession
    ) throws {
        try principal.require(Self.quarantinePermission)
        let rows = try held(ids, principal, session)
        for row in rows {
            let changed = try session.execute(
                QuarantineStore.discard,
                [.id(row.id), .time(tenant.clock.now()), .text(principal.userName), .text(reason)])
            guard changed == 1 else { throw Self.decided }
        }
        for chunk in rows.chunked(Limits.auditSubjectsMax) {
            try record(
                AuditEntry(
                    "ingest.quarantine.discard", chunk.map { .held($0.id) },
                    facts: ["rows": .int(Int64(chunk.count)), "reason": .string(reason)]), session)
        }
    }

    /// Lets go of the cells of rows that have waited, or were decided, long ago. Returns how many.
    func expireQuarantine() async throws -> Int {
        let before = tenant.clock.now().adding(days: -Self.quarantineDays)
        return try await tenant.database.write { [tenant] session in
            let gone = try session.execute(QuarantineStore.expire, [.time(before)])
            if gone > 0 {
                try tenant.audit.record(
                    AuditEntry("ingest.quarantine.expire", facts: ["rows": .int(Int64(gone))]),
                    by: .system(tenant: tenant.name, "retention"), session)
            }
            return gone
        }
    }
}

extension AuditSubject {
    static func held(_ id: QuarantineID) -> AuditSubject { AuditSubject(kind: "held_row", id: id.rawValue) }
}
