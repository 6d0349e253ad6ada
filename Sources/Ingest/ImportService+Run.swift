import Foundation
import Kernel
import Platform
import Storage
import Web

extension ImportService {
    /// After this many rows without a single good one, the mapping is wrong and not the rows.
    static let hopelessRows = 1_000

    /// Applies the file chunk by chunk. Each chunk is one transaction: the target's rows with its audit and outbox events,
    /// the journal, the rejects, the checkpoint with the counts. Called again after a crash it goes on behind the last
    /// chunk.
    func performRun(_ id: ImportRunID, _ control: RunControl) async throws -> ImportRun {
        let worker = RandomName.worker()
        let (run, file, resolved) = try await openRun(id, worker, control)
        let principal = run.actor.principal(tenant: tenant.name, address: control.address, request: control.request)
        let box = ImporterBox(importer: target.importer(run.mapping.options, principal: principal))
        let reader = try ChunkReader(file, resolved, tenant.blobs, from: run.place, chunk: run.chunk)
        let total = run.plan.map { Int64($0.counts.read) } ?? file.inspection.rowsEstimate(size: file.size)
        var counts = run.counts
        do {
            var next = try reader.next()
            while let chunk = next {
                async let following = Self.pull(reader)
                let done = try await tenant.database.write { [tenant] session in
                    try Self.apply(chunk, box, resolved, run.id, worker, tenant.clock.now(), session)
                }
                counts.add(done)
                if counts.rejected == counts.read, counts.read >= Self.hopelessRows { break }
                next = try await following
                try await control.progress(
                    Int64(counts.read), max(total, Int64(counts.read)), Self.progressWords(counts, verb: .write))
            }
        } catch let error as JobCancelled {
            if await control.isForGood() { try await finishRun(run, file, worker, .cancelled, Self.stopped, principal) }
            throw error
        }
        let isBad = counts.read > 0 && counts.rejected == counts.read
        let words = isBad ? Self.everythingRejected(counts.read) : Self.summary(warnings(file, reader))
        try await finishRun(run, file, worker, isBad ? .failed : .succeeded, words, principal)
        return try await self.run(id).run
    }

    private static func summary(_ warnings: [FileInspection.Warning]) -> Words {
        Words(
            en: warnings.map(\.words.en).joined(separator: " "), zh: warnings.map(\.words.zh).joined())
    }

    private func openRun(
        _ id: ImportRunID, _ worker: String, _ control: RunControl
    ) async throws -> (ImportRun, IngestFile, ResolvedColumns) {
        try await tenant.database.write { [self] session in
            try RunStore.take(id, worker: worker, in: .running, at: tenant.clock.now(), session)
            let run = try RunStore.run(id, session)
            let file = try RunStore.file(run.fileID, session)
            let resolved = try ResolvedColumns.resolve(
                run.mapping, file.inspection, target, settings, isDryRun: false, session)
            try session.execute(RunStore.start, [.id(id), .time(tenant.clock.now())])
            if run.chunk == 0 {
                let principal = run.actor.principal(
                    tenant: tenant.name, address: control.address, request: control.request)
                try MappingStore.remember(
                    run.mapping, entity: run.entity, signature: file.inspection.signature, by: run.actor.userName,
                    at: tenant.clock.now(), session)
                try forgetSamples(run, session)
                try tenant.audit.record(
                    AuditEntry(
                        "ingest.run.begin", [.run(id)],
                        facts: ["sha256": .string(file.digest), "bytes": .int(file.size)]), by: principal, session)
            }
            return (run, file, resolved)
        }
    }

    /// The samples of the dry run hold personal values and have served.
    private func forgetSamples(_ run: ImportRun, _ session: any SQLSession) throws {
        guard var plan = run.plan else { return }
        plan.created = []
        plan.updated = []
        try session.execute(RunStore.trimPlan, [.id(run.id), .text(try JSONText.encode(plan))])
    }

    private static func apply(
        _ chunk: Chunk, _ box: ImporterBox, _ resolved: ResolvedColumns, _ run: ImportRunID, _ worker: String,
        _ now: Instant, _ session: any SQLSession
    ) throws -> RunCounts {
        var counts = RunCounts()
        var journal = JournalEntries()
        var rejects = chunk.rejects
        let outcomes = chunk.rows.isEmpty ? [] : try box.importer.apply(chunk.rows, session)
        guard outcomes.count == chunk.rows.count else { throw outcomeCount }
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .created(let id, let revision):
                counts.created += 1
                journal.created.append((id, revision))
            case .updated(let id, let changes):
                counts.updated += 1
                journal.updated.append((id, changes))
            case .unchanged: counts.unchanged += 1
            case .rejected(let field, let code, let words):
                rejects.append(
                    RowReject(
                        outcome: (field, code, words), record: chunk.records[index], line: chunk.rows[index].line,
                        resolved))
            }
        }
        counts.read = chunk.read
        counts.rejected = rejects.count
        if counts.created + counts.updated > 0 {
            try session.execute(
                JournalStore.insertJournal, [.id(run), .int(chunk.number), .text(journal.encoded())])
        }
        try JournalStore.record(rejects, run, .run, session)
        let advanced = try session.execute(
            RunStore.advance,
            [
                .id(run), .text(worker), .int(chunk.number - 1), .int(chunk.number),
                .text(try JSONText.encode(chunk.place)), .int(counts.read), .int(counts.created), .int(counts.updated),
                .int(counts.unchanged), .int(counts.rejected), .time(now),
            ])
        guard advanced == 1 else { throw RunStore.taken }
        return counts
    }

    /// Writes the reject file and closes the run.
    private func finishRun(
        _ run: ImportRun, _ file: IngestFile, _ worker: String, _ state: RunState, _ words: Words,
        _ principal: Principal
    ) async throws {
        let rejects = try await RejectFile(
            run: run.id, file: file, phase: .run, blobs: tenant.blobs, database: tenant.database
        ).write()
        try await tenant.database.write { [tenant] session in
            let changed = try session.execute(
                RunStore.finish,
                [
                    .id(run.id), .text(worker), .text(state.rawValue), .text(rejects?.id), .text(words.en),
                    .text(words.zh), .time(tenant.clock.now()),
                ])
            guard changed == 1 else { throw RunStore.taken }
            let counts = try RunStore.run(run.id, session).counts
            try tenant.audit.record(
                AuditEntry(
                    "ingest.run.finish", [.run(run.id)],
                    facts: counts.facts.merging(["state": .string(state.rawValue)]) { mine, _ in mine }),
                by: principal, session)
        }
        if let old = run.rejectBlobID { try? tenant.blobs.delete(old) }
    }

    // MARK: Taking it back

    /// Undoes a run chunk by chunk, the last first; each chunk is one transaction with its place, so that a crash doubles
    /// nothing. What cannot be undone is listed.
    func performRevert(_ id: ImportRunID, _ control: RunControl) async throws -> ImportRun {
        let worker = RandomName.worker()
        let run = try await tenant.database.write { [tenant] session in
            try RunStore.take(id, worker: worker, in: .reverting, at: tenant.clock.now(), session)
            try session.execute(RunStore.beginRevert, [.id(id), .text(worker)])
            return try RunStore.run(id, session)
        }
        let principal = run.actor.principal(tenant: tenant.name, address: control.address, request: control.request)
        let total = Int64(run.counts.created + run.counts.updated)
        var counts = RunCounts()
        var chunk = run.revertChunk ?? run.chunk
        do {
            while chunk > 0 {
                counts.read += try await revert(run, chunk, worker, principal)
                chunk -= 1
                try await control.progress(
                    Int64(counts.read), total, Self.progressWords(counts, verb: .revert))
            }
        } catch let error as JobCancelled {
            if await control.isForGood() {
                try await tenant.database.write { [self] session in
                    try stop(try RunStore.run(id, session), Self.stopped, session)
                }
            }
            throw error
        }
        return try await finishRevert(run, worker, principal)
    }

    private func revert(
        _ run: ImportRun, _ chunk: Int64, _ worker: String, _ principal: Principal
    ) async throws -> Int {
        try await tenant.database.write { [self] session in
            var issues: [RevertIssue] = []
            var records = 0
            if let entries = try JournalStore.entries(run.id, chunk: chunk, session) {
                records = entries.created.count + entries.updated.count
                if !entries.updated.isEmpty {
                    issues += try target.revertUpdated(
                        entries.updated.map { ($0.id, changes: $0.changes) }, principal: principal, session)
                }
                if !entries.created.isEmpty {
                    issues += try target.revertCreated(
                        entries.created.map { ($0.id, revision: $0.revision) }, principal: principal, session)
                }
                try JournalStore.record(issues, run.id, chunk: chunk, session)
            }
            let advanced = try session.execute(
                RunStore.advanceRevert,
                [
                    .id(run.id), .text(worker), .int(chunk), .int(chunk - 1), .int(issues.count),
                    .time(tenant.clock.now()),
                ])
            guard advanced == 1 else { throw RunStore.taken }
            return records
        }
    }

    private func finishRevert(
        _ run: ImportRun, _ worker: String, _ principal: Principal
    ) async throws -> ImportRun {
        try await tenant.database.write { [tenant] session in
            let issues = try RunStore.run(run.id, session).revertIssues
            let words =
                issues == 0
                ? Words(en: "Everything was taken back.", zh: "已全部撤销。")
                : Words(
                    en: "\(issues) values were changed since and stay as they are; they are listed.",
                    zh: "有 \(issues) 处在导入后又被修改，保持不变，见清单。")
            let changed = try session.execute(
                RunStore.finishRevert,
                [.id(run.id), .text(worker), .time(tenant.clock.now()), .text(words.en), .text(words.zh)])
            guard changed == 1 else { throw RunStore.taken }
            try tenant.audit.record(
                AuditEntry("ingest.run.reverted", [.run(run.id)], facts: ["issues": .int(Int64(issues))]),
                by: principal, session)
            return try RunStore.run(run.id, session)
        }
    }
}

extension RunCounts {
    mutating func add(_ other: RunCounts) {
        read += other.read
        created += other.created
        updated += other.updated
        unchanged += other.unchanged
        rejected += other.rejected
    }
}
