import Foundation
import Kernel
import Platform
import Storage
import Tabular
import Web

/// Writes an audit event in the transaction of the session: the web's (which counts them) or the tenant's own.
package typealias AuditRecorder = @Sendable (AuditEntry, any SQLSession) throws -> Void

/// Everything an import is, for the console, the command line and the jobs alike.
package struct ImportService: Sendable {
    package static let permission = Permission("ingest.import")
    static let dryRunJob = "ingest.dry_run"
    static let runJob = "ingest.run"
    static let revertJob = "ingest.revert"

    package let tenant: Tenant
    /// The records that are imported.
    package let target: any ImportTarget
    /// All there are, in the order in which they are offered.
    package let targets: [any ImportTarget]
    /// Where the shipped mapping files are; `nil` = none.
    let share: ShareFolder?

    /// - Parameter others: what can be imported besides.
    package init(
        tenant: Tenant, target: any ImportTarget, others: [any ImportTarget] = [], share: ShareFolder?
    ) {
        self.tenant = tenant
        self.target = target
        targets = [target] + others
        self.share = share
    }

    var settings: ResolvedColumns.Settings { ResolvedColumns.Settings(tenant) }

    // MARK: Bringing a file in

    /// What was found in a file and what is proposed for it.
    package struct Draft: Sendable {
        package let run: ImportRunID
        package let file: IngestFile
        package let mapping: ImportMapping
    }

    /// Inspects a stored file and makes a draft of its import, with the proposed (or the named) mapping.
    /// - Parameters:
    ///   - source: name of the source system; empty = from the mapping or the file's name.
    ///   - mapping: a mapping to use instead of a proposal.
    ///   - matches: whether rows are to be compared with known customers, where somebody said so.
    ///   - asksSource: a source that is in doubt stays empty, for a person to name.
    ///   - admit: looks at the mapping before anything is kept; what it throws, is thrown.
    /// - Throws: `CRMError` 422 when nothing can be read from the file; the blob is then deleted.
    package func draft(
        name: String, blob: Blob, source: String, mapping: ImportMapping? = nil, encoding: TextEncoding? = nil,
        delimiter: UInt8? = nil, sheet: String? = nil, skipRows: Int? = nil, warnings: [FileInspection.Warning] = [],
        matches: Bool? = nil, asksSource: Bool = false, principal: Principal, record: @escaping AuditRecorder,
        admit: @escaping @Sendable (ImportMapping, any SQLSession) throws -> Void = { _, _ in },
        then: @escaping @Sendable (ImportRunID, any SQLSession) throws -> Void = { _, _ in }
    ) async throws -> Draft {
        try principal.require(Self.permission)
        let inspection: FileInspection
        do {
            // What was agreed with the source holds where nobody says otherwise.
            let agreed =
                source.isEmpty
                ? nil : try await tenant.database.read { try SourceStore.source(key: source, $0) }
            let inspector = FileInspector(
                encoding: encoding ?? agreed?.encoding, delimiter: delimiter ?? agreed?.delimiterByte,
                sheet: sheet ?? agreed?.sheetHint, skipRows: skipRows, warnings: warnings)
            inspection = try await inspector.inspect(name: name, size: blob.size, blob: blob.id, tenant.blobs)
        } catch {
            await tenant.blobs.deleteLater(blob.id)
            throw error
        }
        let file = IngestFile(
            id: tenant.ids.next(), blobID: blob.id, name: name, size: blob.size, digest: blob.digest,
            inspection: inspection, createdAt: tenant.clock.now(), createdBy: principal.userID,
            createdByName: principal.userName)
        do {
            return try await insert(file, source: source, mapping, matches, asksSource, principal, record, admit, then)
        } catch {
            // Nothing knows of the file: its bytes are not to outlive it. Where that is not certain they stay: a run
            // without its file is worse than a file without a run.
            if (error as? StorageError)?.kind != .outcomeUnknown {
                await tenant.blobs.deleteLater(blob.id)
                if let canonical = inspection.canonical { await tenant.blobs.deleteLater(canonical.blobID) }
            }
            throw error
        }
    }

    private func insert(
        _ file: IngestFile, source: String, _ mapping: ImportMapping?, _ matches: Bool?, _ asksSource: Bool, _ principal: Principal,
        _ record: @escaping AuditRecorder, _ admit: @escaping @Sendable (ImportMapping, any SQLSession) throws -> Void,
        _ then: @escaping @Sendable (ImportRunID, any SQLSession) throws -> Void
    ) async throws -> Draft {
        let run: ImportRunID = tenant.ids.next()
        let entity = target.entity
        return try await tenant.database.write { [self] session in
            let columns = file.inspection.columns
            let proposal = try mapping == nil ? suggestion(file, source: source, session) : nil
            let chosen = mapping?.applied(to: columns) ?? proposal?.mapping ?? ImportMapping(source: source, columns: [], matchKey: nil)
            var final = Self.withoutAttributes(chosen, target)
            var file = file
            if let absent = mapping?.absent(from: columns) { file = file.with(file.inspection.adding(absent)) }
            if !source.isEmpty { final.source = source }
            // What ships with the product names its source; what is remembered of other files does not name that of this one.
            if source.isEmpty, final.source.isEmpty || proposal?.origins.contains(.remembered) ?? false {
                let name = Self.sourceName(file.name)
                switch try origin(of: file.name, columns, session) {
                case .known(let known):
                    final.source = known
                    if known != name { file = file.with(file.inspection.adding(Self.sourceReused(known))) }
                case .perhaps(let others):
                    final.source = asksSource ? "" : name
                    file = file.with(file.inspection.adding(Self.sourceDoubtful(others, name: final.source)))
                case .new: final.source = name
                }
            }
            if let settled = proposal?.taking(final).settled(for: final.source) {
                final = Self.withoutAttributes(settled.mapping, target)
                if matches == nil, settled.matchesAsBefore { file = file.with(file.inspection.adding(Self.matchesAsBefore(final.source))) }
            }
            if let differs = try SourceStore.source(key: final.source, session)?.differences(file.inspection) {
                file = file.with(file.inspection.adding(differs))
            }
            try admit(final, session)
            try RunStore.insert(file, session)
            try RunStore.insert(run, file: file.id, entity: entity, final, by: principal, at: file.createdAt, session)
            try record(
                AuditEntry(
                    "ingest.file.upload", [.run(run)],
                    facts: [
                        "bytes": .int(file.size), "sha256": .string(file.digest),
                        "columns": .int(Int64(columns.count)), "entity": .string(entity),
                    ]), session)
            try then(run, session)
            return Draft(run: run, file: file, mapping: final)
        }
    }

    /// What is proposed for a file.
    func suggestion(
        _ file: IngestFile, source: String, _ session: any SQLSession
    ) throws -> MappingSuggester.Suggestion {
        let fields = try target.fields + target.attributeFields(session)
        // What ships is about customers.
        let shipped = try target.takesAttributes ? share.map { try MappingStore.shipped($0).map(\.mapping) } ?? [] : []
        let suggestion = MappingSuggester(fields: fields, inspection: file.inspection).suggest(
            source: source,
            same: try MappingStore.find(entity: target.entity, signature: file.inspection.signature, session),
            shipped: shipped, earlier: try MappingStore.latest(entity: target.entity, session))
        guard !target.takesAttributes else { return suggestion }
        let origins = zip(suggestion.mapping.columns, suggestion.origins).map { $0.target == .attribute ? .ignored : $1 }
        return MappingSuggester.Suggestion(
            mapping: Self.withoutAttributes(suggestion.mapping, target), origins: origins, remembered: suggestion.remembered)
    }

    /// A mapping by the path of a JSON file, the name of a shipped one, or the name (source) of a remembered one.
    /// - Throws: `CRMError` 422 naming the mappings there are.
    package func mapping(named name: String) async throws -> ImportMapping {
        if name.hasSuffix(".json"), let data = FileManager.default.contents(atPath: name) {
            return try ImportMapping.parse(String(decoding: data, as: UTF8.self), name: name)
        }
        let shipped = try target.takesAttributes ? share.map { try MappingStore.shipped($0) } ?? [] : []
        if let found = shipped.first(where: { $0.name == name }) { return found.mapping }
        let entity = target.entity
        if let found = try await tenant.database.read({ try MappingStore.find(entity: entity, name: name, $0) }) {
            return found
        }
        let names = shipped.map(\.name).joined(separator: ", ")
        throw CRMError.invalid(
            "mapping", "unknown_mapping",
            Words(
                en:
                    "There is no mapping “\(name)”. Give the path of a JSON file, the name of a source imported before, or one of: \(names).",
                zh: "没有名为“\(name)”的映射。请给出 JSON 文件路径、以前导入过的来源名称，或：\(names)。"))
    }

    // MARK: Editing a draft

    /// A run as a person may see it: who is kept to some regions or teams reaches only what they brought themselves, for
    /// a file may hold customers of any region.
    /// - Throws: `CRMError.notFound`, also for a run out of reach.
    func reach(_ id: ImportRunID, _ principal: Principal, _ session: any SQLSession) throws -> ImportRun {
        let run = try RunStore.run(id, session)
        guard principal.scope == .all || run.createdBy != nil && run.createdBy == principal.userID else {
            throw CRMError.notFound
        }
        return run
    }

    package func run(_ id: ImportRunID, for principal: Principal) async throws -> (run: ImportRun, file: IngestFile) {
        try await tenant.database.read { session in
            let run = try reach(id, principal, session)
            return (run, try RunStore.file(run.fileID, session))
        }
    }

    package func run(_ id: ImportRunID) async throws -> (run: ImportRun, file: IngestFile) {
        try await tenant.database.read { session in
            let run = try RunStore.run(id, session)
            return (run, try RunStore.file(run.fileID, session))
        }
    }

    /// Stores the mapping of a draft; what a dry run found before is forgotten.
    /// - Parameters:
    ///   - check: looks at the run in the transaction, before it is changed.
    ///   - action: what the run does with it at once.
    ///   - done: called last in the transaction.
    package func save(
        _ mapping: ImportMapping, for id: ImportRunID, then action: Action? = nil, principal: Principal,
        check: @escaping @Sendable (ImportRun) throws -> Void = { _ in }, record: @escaping AuditRecorder,
        done: @escaping @Sendable (any SQLSession) throws -> Void = { _ in }
    ) async throws {
        try principal.require(Self.permission)
        let actor = try JSONText.encode(RunActor(principal))
        let old = try await tenant.database.write { [self] session in
            let run = try reach(id, principal, session)
            try check(run)
            guard run.mayEdit else { throw RunStore.taken }
            let target = try on(run.entity).target
            let known = try target.fields + target.attributeFields(session)
            try ResolvedColumns.check(
                mapping, Dictionary(known.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first }))
            try ResolvedColumns.check(mapping, target)
            let changed = try session.execute(
                RunStore.setMapping, [.id(id), .text(try mapping.encoded()), .text(actor)])
            guard changed == 1 else { throw RunStore.taken }
            try record(AuditEntry("ingest.run.map", [.run(id)]), session)
            if let action { try enqueue(action, id, principal, record, session) }
            try done(session)
            return run.planRejectBlobID
        }
        // The rows that a dry run did not take stand in it.
        if let old { await tenant.blobs.deleteLater(old) }
    }

    /// Reads the file of a draft again with another encoding, delimiter or sheet, and proposes a mapping anew.
    package func reinspect(
        _ id: ImportRunID, encoding: TextEncoding?, delimiter: UInt8?, sheet: String? = nil, skipRows: Int? = nil,
        principal: Principal, check: @escaping @Sendable (ImportRun) throws -> Void = { _ in }, record: @escaping AuditRecorder
    ) async throws {
        try principal.require(Self.permission)
        let (run, file) = try await self.run(id, for: principal)
        guard run.mayEdit else { throw RunStore.taken }
        let grew = file.inspection.warnings.filter {
            FileInspection.Warning.keptCodes.contains($0.code)
        }
        let inspector = FileInspector(
            encoding: encoding, delimiter: delimiter, sheet: sheet ?? file.inspection.canonical?.unpacked.sheet,
            skipRows: skipRows, warnings: grew)
        let inspection = try await inspector.inspect(
            name: file.name, size: file.size, blob: file.blobID, tenant.blobs)
        do {
            try await store(inspection, of: file, run, principal, check, record)
        } catch {
            if (error as? StorageError)?.kind != .outcomeUnknown, let unused = inspection.canonical {
                await tenant.blobs.deleteLater(unused.blobID)
            }
            throw error
        }
        if let old = file.inspection.canonical { await tenant.blobs.deleteLater(old.blobID) }
        if let old = run.planRejectBlobID { await tenant.blobs.deleteLater(old) }
    }

    private func store(
        _ inspection: FileInspection, of file: IngestFile, _ run: ImportRun, _ principal: Principal,
        _ check: @escaping @Sendable (ImportRun) throws -> Void, _ record: @escaping AuditRecorder
    ) async throws {
        let id = run.id
        let again = file.with(inspection)
        let actor = try JSONText.encode(RunActor(principal))
        try await tenant.database.write { [self] session in
            try check(try reach(id, principal, session))
            var mapping = try on(run.entity).suggestion(again, source: run.mapping.source, session)
                .settled(for: run.mapping.source).mapping
            mapping.source = run.mapping.source
            try session.execute(RunStore.setInspection, [.id(file.id), .text(try JSONText.encode(inspection))])
            let changed = try session.execute(
                RunStore.setMapping, [.id(id), .text(try mapping.encoded()), .text(actor)])
            guard changed == 1 else { throw RunStore.taken }
            try record(
                AuditEntry(
                    "ingest.run.format", [.run(id)],
                    facts: ["encoding": .string(inspection.format.encoding.rawValue)]), session)
        }
    }

    // MARK: Jobs

    /// What a person may ask of a run.
    package enum Action: String, Sendable {
        case dryRun = "dry_run"
        case start, resume, revert

        var job: String {
            switch self {
            case .dryRun: ImportService.dryRunJob
            case .start, .resume: ImportService.runJob
            case .revert: ImportService.revertJob
            }
        }
        var state: RunState {
            switch self {
            case .dryRun: .dryRun
            case .start, .resume: .running
            case .revert: .reverting
            }
        }
    }

    /// Whether `action` is possible. `isStalled`: a job was at work and is no more (its process died, or it was stopped).
    static func allows(_ action: Action, _ run: ImportRun, isStalled: Bool) -> Bool {
        switch action {
        case .dryRun: run.mayEdit || (run.state == .dryRun && isStalled)
        case .start: run.mayEdit
        case .resume: run.mayContinue || (run.state == .running && isStalled)
        case .revert: run.mayRevert || (run.state == .reverting && isStalled)
        }
    }

    /// Whether no job works on an active run any more.
    func isStalled(_ run: ImportRun, _ session: any SQLSession) throws -> Bool {
        guard run.state.isActive else { return false }
        // A command has no job: when it has not committed anything for two minutes, its process is gone.
        guard let job = run.jobID else {
            return run.worker.isEmpty || run.touchedAt.adding(seconds: 120) < tenant.clock.now()
        }
        return try tenant.jobs.job(job, session)?.isFinished ?? true
    }

    /// Queues the job of an action; the run's state changes in the same transaction.
    /// - Parameter again: start also what makes the records of an earlier import a second time.
    package func enqueue(
        _ action: Action, _ id: ImportRunID, principal: Principal, again: Bool = false, record: @escaping AuditRecorder
    ) async throws {
        try await tenant.database.write { [self] session in
            try enqueue(action, id, principal, again: again, record, session)
        }
    }

    /// The same in the caller's transaction.
    func enqueue(
        _ action: Action, _ id: ImportRunID, _ principal: Principal, again: Bool = false, _ record: AuditRecorder,
        _ session: any SQLSession
    ) throws {
        try begin(action, id, principal, again: again, session) {
            try tenant.jobs.enqueue(
                action.job, payload: JSONValue.object(["run": .string("\(id)")]).encoded(),
                by: principal.userName, session)
        }
        let facts: [String: JSONValue] = again ? ["again": .bool(true)] : [:]
        try record(AuditEntry("ingest.run.\(action.rawValue)", [.run(id)], facts: facts), session)
    }

    /// Changes the state of a run for an action, in the caller's transaction.
    func begin(
        _ action: Action, _ id: ImportRunID, _ principal: Principal, again: Bool = false, _ session: any SQLSession,
        job: () throws -> JobID?
    ) throws {
        try principal.require(Self.permission)
        let run = try reach(id, principal, session)
        if action == .revert, let refusal = try on(run.entity).target.revertRefusal {
            throw CRMError.conflict("no_revert", refusal)
        }
        guard Self.allows(action, run, isStalled: try isStalled(run, session)) else { throw RunStore.taken }
        if action != .revert, run.mapping.source.isEmpty { throw Self.sourceNeeded }
        if action == .start, !again, let earlier = try repeated(run, session) { throw Self.importedBefore(earlier, run.mapping) }
        let changed = try session.execute(
            RunStore.setJob,
            [
                .id(id), .text(action.state.rawValue), .id(try job()), .text(try JSONText.encode(RunActor(principal))),
                action.state == .running ? .time(tenant.clock.now()) : .null, .text(run.state.rawValue),
            ])
        guard changed == 1 else { throw RunStore.taken }
    }

    /// Asks the job of a run to stop.
    /// - Returns: whether it has stopped; else its job stops behind the present chunk.
    /// - Parameter then: called in the transaction with what is returned.
    @discardableResult
    package func cancel(
        _ id: ImportRunID, principal: Principal, record: @escaping AuditRecorder,
        then: @escaping @Sendable (Bool, any SQLSession) throws -> Void = { _, _ in }
    ) async throws -> Bool {
        try principal.require(Self.permission)
        return try await tenant.database.write { [self] session in
            let run = try reach(id, principal, session)
            guard run.state.isActive else { throw RunStore.taken }
            if let job = run.jobID { try tenant.jobs.cancel(job, session) }
            // A job that had not begun, or whose process is gone, will not see it: the run is stopped here. So is that of a
            // command, which has lost it then: it commits no further chunk and ends.
            let stops = try run.jobID == nil || isStalled(run, session)
            if stops { try stop(run, Self.stopped, session) }
            try record(AuditEntry("ingest.run.cancel", [.run(id)]), session)
            try then(stops, session)
            return stops
        }
    }

    static let stopped = Words(en: "Stopped on request.", zh: "已按要求停止。")

    /// Leaves the active state: a dry run becomes a draft again, a run or revert is `cancelled`.
    func stop(_ run: ImportRun, _ words: Words, _ session: any SQLSession) throws {
        let next: RunState = run.state == .dryRun ? .draft : .cancelled
        try session.execute(
            RunStore.stop,
            [.id(run.id), .text(next.rawValue), .text(words.en), .text(words.zh), .text(run.state.rawValue)])
        // Rows that it was to bring wait for a person again.
        if run.isReplay { try session.execute(QuarantineStore.release, [.id(run.id)]) }
    }
}

/// How a pass over a run tells of its progress and hears that it is to stop.
struct RunControl: Sendable {
    /// Throws `JobCancelled`.
    let progress: @Sendable (_ done: Int64, _ total: Int64, Words) async throws -> Void
    /// After `JobCancelled`: whether a person asked for it; else the work goes on elsewhere or later.
    let isForGood: @Sendable () async -> Bool
    /// `job` or `cli`.
    let address: String
    let request: String
}
