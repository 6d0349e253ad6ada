import Foundation
import Kernel
import Matching
import Platform
import Storage
import Web

extension ImportService {
    /// After this many rows without a single good one, the mapping is wrong and not the rows.
    static let hopelessRows = 1_000

    /// Applies the file chunk by chunk: the target's rows with its audit and outbox events, the journal, the rejects, the
    /// checkpoint with the counts. A transaction takes as many chunks as go quickly. Called again after a crash it goes on
    /// behind the last chunk.
    func performRun(_ id: ImportRunID, _ control: RunControl) async throws -> ImportRun {
        let worker = RandomName.worker()
        Han.warm()
        try await inspectWhole(id, control)
        let (run, file, resolved) = try await openRun(id, worker, control)
        let principal = run.actor.principal(tenant: tenant.name, address: control.address, request: control.request)
        let reader = try ChunkReader(file, resolved, tenant.blobs, from: run.place, chunk: run.chunk)
        let pass = ImportPass(
            target.importer(run.mapping.options, principal: principal), matchKey: run.mapping.matchKey,
            seen: try await keys(run, reader))
        let references = reader.references
        if run.chunk == 0 { try await target.prepare(run.mapping.options, progress: control.progress) }
        let total = run.plan.map { Int64($0.counts.read) } ?? file.inspection.rowsEstimate(size: file.textSize)
        pass.importer.expect(rows: Int(file.inspection.rowsEstimate(size: file.textSize)), created: Int(run.counts.created))
        var counts = run.counts
        var sequels = RunSequels(tenant, id, worker)
        do {
            try await sequels.recover(run, pass)
            var pace = ImportPace()
            var next = try await Self.pull(reader, pace.chunks)
            while !next.isEmpty {
                let chunks = next
                let ahead = pace.chunks
                // Beside the writer, whom everything waits for.
                async let following = withTaskExecutorPreference(WorkThreads.ahead) { try await Self.pull(reader, ahead) }
                let (before, earlier, now) = (sequels.begin(), sequels.looked, sequels)
                async let looked = withTaskExecutorPreference(WorkThreads.ahead) { try await now.look(before) }
                let (done, sequel, took) = try await tenant.database.write { [self] session in
                    let begun = ContinuousClock.now
                    try session.preferIndexes()
                    pass.importer.begin()
                    var done = try chunks.map { try apply($0, pass, resolved, run, worker, references, session) }
                    done.append(try now.settle(earlier, session))
                    return (done, try pass.importer.finish(session), ContinuousClock.now - begun)
                }
                for one in done { counts.add(one) }
                let through = chunks.last?.number ?? 0
                sequels.turn(
                    try await looked, next: sequel.map { RunSequels.Written(sequel: $0, through: through) })
                if counts.rejected == counts.read, counts.read >= Self.hopelessRows, try await isHopeless(run, file) {
                    break
                }
                pace.note(
                    chunks.count, took, hasGood: counts.rejected < counts.read, othersWait: tenant.database.hadToWait())
                next = try await following
                try await control.progress(
                    Int64(counts.read), max(total, Int64(counts.read)), Self.progressWords(counts, verb: .write))
            }
            try await sequels.drain()
        } catch let error as JobCancelled {
            if await control.isForGood() {
                try await sequels.drain()
                try await finishRun(run, file, worker, .cancelled, Self.stopped, principal)
            }
            throw error
        }
        let isBad = counts.read > 0 && counts.rejected == counts.read
        let same = try await nothingNew(run, counts, isDone: true)
        let words =
            isBad
            ? Self.everythingRejected(counts.read, notTaken(run, file.inspection), file)
            : Self.summary(warnings(run, file, reader) + [same].compactMap { $0 })
        try await finishRun(run, file, worker, isBad ? .failed : .succeeded, words, principal)
        return try await self.run(id).run
    }

    private static func pull(_ reader: ChunkReader, _ count: Int) async throws -> [Chunk] {
        var chunks: [Chunk] = []
        while chunks.count < count, let chunk = try reader.next() { chunks.append(chunk) }
        return chunks
    }

    /// The keys of the rows that were taken before a run was interrupted.
    private func keys(_ run: ImportRun, _ reader: ChunkReader) async throws -> SeenKeys {
        guard let place = run.place, run.mapping.matchKey != nil || reader.hasUnique else { return SeenKeys() }
        let record = place.checkpoint.record
        let rejected = try await tenant.database.read { session in
            try JournalStore.rejected(run.id, upTo: record, session)
                .union(try QuarantineStore.records(run.id, upTo: record, session))
        }
        return try reader.keys(upTo: record, without: rejected)
    }

    /// Whether nothing but rejects is to be expected: unless a dry run of the same file and mapping found good rows.
    private func isHopeless(_ run: ImportRun, _ file: IngestFile) async throws -> Bool {
        let planned = try await tenant.database.read { session in
            try run.plan ?? RunStore.plan(of: file.digest, run.mapping, session)
        }
        return planned.map { $0.counts.read == $0.counts.rejected } ?? true
    }

    /// Of a large file only the beginning was looked at when it was brought in. Before its rows are judged, all of it is:
    /// what a column holds, and columns that appear late.
    func inspectWhole(_ id: ImportRunID, _ control: RunControl) async throws {
        let (run, file) = try await self.run(id)
        guard run.chunk == 0, !file.inspection.isWhole else { return }
        let known = file.inspection
        let kept = known.warnings.filter { FileInspection.Warning.keptCodes.contains($0.code) }
        let inspection = try await FileInspector(
            encoding: known.encodingOverride, delimiter: known.delimiterOverride, warnings: kept,
            canonical: known.canonical
        ).inspect(name: file.name, size: file.size, blob: file.blobID, tenant.blobs) { rows, bytes in
            let words = Words(
                en: "\(Numbers.grouped(rows)) rows looked at", zh: "已查看 \(Numbers.grouped(rows)) 行")
            try await control.progress(bytes, file.textSize, words)
        }
        var mapping = run.mapping
        for column in inspection.columns where mapping.column(column) == nil {
            let isKept = mapping.keepsUnlisted && !RejectFile.isOwnColumn(column)
            mapping.columns.append(ImportMapping.Column(column: column, target: isKept ? .attribute : .ignore))
        }
        try await tenant.database.write { [mapping] session in
            try session.execute(RunStore.setInspection, [.id(file.id), .text(try JSONText.encode(inspection))])
            try session.execute(RunStore.extendMapping, [.id(id), .text(try mapping.encoded())])
        }
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
            let before = Set(try target.attributeFields(session).map(\.key))
            let resolved = try ResolvedColumns.resolve(
                run.mapping, file.inspection, target, settings, isDryRun: false, session)
            let made = try target.attributeFields(session).map(\.key).filter { !before.contains($0) }
            try JournalStore.record(attributes: made, id, session)
            try session.execute(RunStore.start, [.id(id), .time(tenant.clock.now())])
            // Again when it goes on: what it had registered went when it stopped with nothing.
            try SourceStore.begin(run, tenant, session)
            if run.chunk == 0 {
                let principal = run.actor.principal(
                    tenant: tenant.name, address: control.address, request: control.request)
                if !run.isReplay {
                    try MappingStore.remember(
                        run.mapping, entity: run.entity, signature: file.inspection.signature, by: run.actor.userName,
                        at: tenant.clock.now(), session)
                }
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
        (plan.rows, plan.pairs) = (nil, nil)
        try session.execute(RunStore.trimPlan, [.id(run.id), .text(try JSONText.encode(plan))])
    }

    /// Writes the reject file and closes the run.
    func finishRun(
        _ run: ImportRun, _ file: IngestFile, _ worker: String, _ state: RunState, _ words: Words,
        _ principal: Principal
    ) async throws {
        let rejects = try await RejectFile(
            run: run.id, file: file, phase: .run, blobs: tenant.blobs, database: tenant.database
        ).write()
        try await tenant.keeping(rejects) { [self] session in
            let changed = try session.execute(
                RunStore.finish,
                [
                    .id(run.id), .text(worker), .text(state.rawValue), .text(rejects?.id), .text(words.en),
                    .text(words.zh), .time(tenant.clock.now()),
                ])
            guard changed == 1 else { throw RunStore.taken }
            if run.isReplay { try session.execute(QuarantineStore.release, [.id(run.id)]) }
            let counts = try RunStore.run(run.id, session).counts
            try withdrawUnfilled(run.id, principal, session)
            try tenant.audit.record(
                AuditEntry(
                    "ingest.run.finish", [.run(run.id)],
                    facts: counts.facts.merging(["state": .string(state.rawValue)]) { mine, _ in mine }),
                by: principal, session)
        }
        if let old = run.rejectBlobID { try? tenant.blobs.delete(old) }
    }

    /// A run that took nothing leaves nothing behind: neither attributes nobody has a value of, nor a source nothing came
    /// from. Rows in quarantine are of the source, and wait for its attributes.
    func withdrawUnfilled(_ id: ImportRunID, _ principal: Principal, _ session: any SQLSession) throws {
        let run = try RunStore.run(id, session)
        let counts = run.counts
        guard !run.isReplay, counts.created + counts.updated + counts.unchanged + counts.quarantined == 0 else { return }
        _ = try removeAttributes(run, principal, session)
        try SourceStore.withdraw(run, session)
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
            var ties = ImportTies()
            if let entries = try JournalStore.entries(run.id, chunk: chunk, session) {
                records = entries.created.count + entries.updated.count
                // What was made first: what it holds may have to go back to those that were changed.
                if !entries.created.isEmpty {
                    let tied = try target.ties(of: entries.created.map(\.id), session)
                    issues += try target.revertCreated(
                        entries.created.map { ($0.id, revision: $0.revision, undo: $0.undo) }, principal: principal,
                        session)
                    // Customers that stay keep what was decided about them.
                    if !tied.isEmpty {
                        ties = ImportTies(tied.subtracting(try target.ties(of: entries.created.map(\.id), session)))
                    }
                }
                if !entries.updated.isEmpty {
                    issues += try target.revertUpdated(
                        entries.updated.map { ($0.id, undo: $0.undo) }, principal: principal, session)
                }
                try JournalStore.record(issues, run.id, chunk: chunk, session)
                // What was kept because somebody changed it since keeps its origin too.
                let kept = Set(issues.filter { !$0.isGone }.map(\.customer))
                let taken = (entries.created.map(\.id) + entries.updated.map(\.id)).filter { !kept.contains($0) }
                try LineageStore.forget(taken, run.id, session)
                try RecordLineage.forget(taken, run.id, session)
            }
            let advanced = try session.execute(
                RunStore.advanceRevert,
                [
                    .id(run.id), .text(worker), .int(chunk), .int(chunk - 1), .int(issues.count),
                    .time(tenant.clock.now()), .int(ties.links), .int(ties.decisions), .int(ties.waiting),
                ])
            guard advanced == 1 else { throw RunStore.taken }
            return records
        }
    }

    private func finishRevert(
        _ run: ImportRun, _ worker: String, _ principal: Principal
    ) async throws -> ImportRun {
        try await tenant.database.write { [self] session in
            let now = try RunStore.run(run.id, session)
            let issues = now.revertIssues
            let tied = now.undone.words
            let removed = try removeAttributes(run, principal, session)
            let kept = try kept(run, issues, session)
            let words = Words(
                en: kept.en + (tied.en.isEmpty ? "" : " With its customers went \(tied.en).")
                    + (removed.isEmpty ? "" : " Removed custom attributes: \(Self.list(removed.map(\.en)))."),
                zh: kept.zh + (tied.zh.isEmpty ? "" : "随客户一并撤销：\(tied.zh)。")
                    + (removed.isEmpty ? "" : "已移除自定义属性：\(Self.list(removed.map(\.zh)))。"))
            let changed = try session.execute(
                RunStore.finishRevert,
                [.id(run.id), .text(worker), .time(tenant.clock.now()), .text(words.en), .text(words.zh)])
            guard changed == 1 else { throw RunStore.taken }
            try returnRows(run, principal, session)
            try tenant.audit.record(
                AuditEntry("ingest.run.reverted", [.run(run.id)], facts: now.undoneFacts),
                by: principal, session)
            var done = try RunStore.run(run.id, session)
            done.attributesRemoved = removed
            return done
        }
    }

    static let everythingBack = Words(en: "Everything was taken back.", zh: "已全部撤销。")

    /// What stayed and why, whole records and values each in their own number.
    private func kept(_ run: ImportRun, _ issues: Int, _ session: any SQLSession) throws -> Words {
        guard issues > 0 else { return Self.everythingBack }
        let count = try JournalStore.kept(run.id, session)
        let later = try later(than: run, count.all, chunksMax: 1_000, session)
        return Self.words(count, try words(of: count.byFrequency, session), later, of: target)
    }

    static func words(
        _ kept: KeptCount, _ fields: [Words], _ later: Others,
        of target: any ImportTarget
    ) -> Words {
        var (en, zh): ([String], [String]) = ([], [])
        let isCustomers = target.takesAttributes
        func nouns(_ count: Int) -> String {
            let noun = isCustomers ? "customer" : "record"
            return count == 1 ? "1 \(noun)" : "\(Numbers.grouped(count)) \(noun)s"
        }
        let unit = isCustomers ? "位客户" : "条记录"
        if !kept.records.isEmpty {
            let count = kept.records.count
            en.append(
                "\(nouns(count)) \(count == 1 ? "was" : "were") changed since the import and \(count == 1 ? "stays" : "stay") as a whole.")
            zh.append("\(Numbers.grouped(count)) \(unit)在导入后又被修改，整体保留。")
        }
        if kept.gone > 0 {
            en.append("\(nouns(kept.gone)) had been removed before: nothing of \(kept.gone == 1 ? "it" : "them") was left to take back.")
            zh.append("\(Numbers.grouped(kept.gone)) \(unit)此前已被删除，无需撤销。")
        }
        if kept.values > 0 {
            let verb = kept.values == 1 ? "1 value was" : "\(Numbers.grouped(kept.values)) values were"
            en.append("\(verb) changed since the import, in \(nouns(kept.valuesIn.count)): \(list(fields.map(\.en))).")
            zh.append(
                "\(Numbers.grouped(kept.valuesIn.count)) \(unit)中的 \(Numbers.grouped(kept.values)) 个值在导入后又被修改，保持不变：\(list(fields.map(\.zh)))。"
            )
        }
        if !later.runs.isEmpty {
            let names = later.runs.map { "\($0.run) (\($0.file)): \(Numbers.grouped($0.records))" }
            en.append("Changed by later imports: \(list(names)).")
            zh.append("由之后的导入修改：\(list(names))。")
        }
        if let others = later.others, others > 0, !later.runs.isEmpty {
            en.append("By people or programs: \(Numbers.grouped(others)).")
            zh.append("由人员或其他程序修改：\(Numbers.grouped(others))。")
        }
        return Words(en: en.joined(separator: " "), zh: zh.joined())
    }

    /// What the run made for its columns goes with it, where nobody has a value of it and no other run may be about to
    /// write one.
    private func removeAttributes(
        _ run: ImportRun, _ principal: Principal, _ session: any SQLSession
    ) throws -> [Words] {
        let made = try JournalStore.attributes(run.id, session)
        guard !made.isEmpty, try session.count(RunStore.othersRunning, [.id(run.id)]) == 0 else { return [] }
        return try target.removeUnusedAttributes(made, principal: principal, session)
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    }
}

/// How many chunks one transaction takes: several touch the same pages of the indexes and wait once for the disk, but nobody
/// else writes to a SQLite database meanwhile: everybody who wants to waits for the end of one (ADR 0050). When somebody did,
/// the next ones are shorter.
struct ImportPace {
    static let chunksMax = 12
    static let alone = Duration.milliseconds(500), amongOthers = Duration.milliseconds(200)
    /// For how many transactions it is remembered that somebody had to wait: some seconds.
    static let memory = 20
    private(set) var chunks = 1
    private var considerate = 0

    /// - Parameters:
    ///   - took: how long `count` chunks took.
    ///   - hasGood: whether any row of the file was taken so far; else one chunk after the other shows soon that none will be.
    ///   - othersWait: whether anybody had to wait for a transaction meanwhile.
    mutating func note(_ count: Int, _ took: Duration, hasGood: Bool, othersWait: Bool) {
        considerate = othersWait ? Self.memory : max(0, considerate - 1)
        guard hasGood, count > 0 else { return chunks = 1 }
        let aim = considerate > 0 ? Self.amongOthers : Self.alone
        let fitting = Int(aim / max(took / count, .microseconds(1)))
        chunks = max(1, min(fitting, count * 2, Self.chunksMax))
    }
}

extension Tenant {
    /// A transaction that makes a new file known; when it fails, the file goes. When nobody knows whether it failed, the file
    /// stays: better one too many than a record whose file is gone.
    func keeping<T: Sendable>(
        _ blob: Blob?, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        do { return try await database.write(body) } catch {
            if let blob, (error as? StorageError)?.kind != .outcomeUnknown { try? blobs.delete(blob.id) }
            throw error
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
        quarantined += other.quarantined
        skipped += other.skipped
        corrected += other.corrected
        if let more = other.linked { linked = (linked ?? 0) + more }
        if let more = other.review { review = (review ?? 0) + more }
    }
}
