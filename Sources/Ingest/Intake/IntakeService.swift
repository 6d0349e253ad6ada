import Foundation
import Kernel
import Platform
import Storage
import Web

/// Takes files that come by themselves. Each step is durable before the next: a file is ours (a row, then a rename), its run
/// is there (in the transaction of the run), the run is started, the file goes to `done/` or `failed/`. A process that dies
/// in between leaves a state from which the next look goes on; no step does its work twice.
struct IntakeService: Sendable {
    static let manage = Permission("ingest.intake.manage")
    static let lookJob = "ingest.intake.look"
    static let pullJob = "ingest.intake.pull"

    let imports: ImportService
    let settings: IntakeSettings
    var tenant: Tenant { imports.tenant }

    struct Counts: Sendable, Equatable {
        var taken = 0
        var started = 0
        var waiting = 0
        var done = 0
        var failed = 0

        var facts: JSONValue {
            .object([
                "taken": .int(Int64(taken)), "started": .int(Int64(started)), "waiting": .int(Int64(waiting)),
                "done": .int(Int64(done)), "failed": .int(Int64(failed)),
            ])
        }
    }

    var jobs: [JobHandler] {
        [
            JobHandler(kind: Self.lookJob) { [self] _ in try await look().facts.encoded() },
            JobHandler(kind: Self.pullJob) { [self] _ in
                JSONValue.object(["pulled": .int(Int64(try await pull()))]).encoded()
            },
        ]
    }

    static let schedules = [
        Schedule(name: "ingest.intake.look", jobKind: lookJob, everySeconds: 60),
        Schedule(name: "ingest.intake.pull", jobKind: pullJob, everySeconds: 60),
    ]

    func folder(_ intake: Intake) throws -> DropFolder {
        DropFolder(path: try settings.folder(tenant.name, intake.source))
    }

    /// For whom the imports of a source run: whoever set it up.
    func principal(_ intake: Intake) -> Principal {
        intake.actor.principal(tenant: tenant.name, address: "intake", request: "intake-\(intake.source)")
    }

    // MARK: Looking

    /// Looks into every drop folder once.
    func look() async throws -> Counts {
        var counts = Counts()
        guard settings.inbox != nil else { return counts }
        for intake in try await tenant.database.read({ try IntakeStore.all($0) }) {
            do {
                try await look(intake, &counts)
            } catch let error as CancellationError {
                throw error
            } catch {
                // One folder that cannot be used does not keep the others from being looked at.
                let words =
                    (error as? CRMError)?.message
                    ?? Words(
                        en: "The drop folder cannot be used: \(error.localizedDescription)",
                        zh: "收取目录无法使用：\(error.localizedDescription)")
                try await tell(intake, words)
            }
        }
        return counts
    }

    private func look(_ intake: Intake, _ counts: inout Counts) async throws {
        let folder = try folder(intake)
        try await OwnThread.run { try folder.prepare() }
        try await finish(intake, folder, &counts)
        if intake.enabled { try await take(intake, folder, &counts) }
        for file in try await files(intake, .taking) { try await bring(file, intake, folder, &counts) }
        for file in try await files(intake, .brought) { try await start(file, intake, &counts) }
        try await forget(intake, folder)
        try await tell(intake, Words(en: "", zh: ""))
    }

    /// Files hold whole records of people: they go when the imports' own copies go.
    private func forget(_ intake: Intake, _ folder: DropFolder) async throws {
        let before = tenant.clock.now().adding(days: -ImportService.keptDays)
        let old = try await tenant.database.read { session in
            try session.query(IntakeStore.old, [.text(intake.source), .time(before)]) { IntakeStore.file($0) }
        }
        guard !old.isEmpty else { return }
        try await OwnThread.run { for file in old { folder.remove(file) } }
        try await tenant.database.write { session in
            _ = try session.executeMany(IntakeStore.forget, old.map { [.id($0.id)] })
        }
    }

    private func files(_ intake: Intake, _ state: IntakeFile.State) async throws -> [IntakeFile] {
        try await tenant.database.read { try IntakeStore.files(intake.source, state, $0) }
    }

    private func tell(_ intake: Intake, _ words: Words) async throws {
        let now = tenant.clock.now()
        try await tenant.database.write { session in
            _ = try session.execute(
                IntakeStore.looked, [.text(intake.source), .time(now), .text(words.en), .text(words.zh)])
        }
    }

    // MARK: Taking

    /// A settled file gets a row, then goes into `taken/`.
    private func take(_ intake: Intake, _ folder: DropFolder, _ counts: inout Counts) async throws {
        let now = tenant.clock.now()
        let found = try await OwnThread.run { try folder.settled(seconds: intake.settleSeconds, at: now) }
        for one in found {
            let id: IntakeFileID = tenant.ids.next()
            let isNew = try await tenant.database.write { [tenant] session in
                let isNew =
                    try session.execute(
                        IntakeStore.insertFile,
                        [
                            .id(id), .text(intake.source), .text(one.name),
                            .text(one.name.hasPrefix(Self.pulledPrefix) ? "pull" : "folder"), .int(one.size),
                            .time(tenant.clock.now()),
                        ]) == 1
                if isNew {
                    try tenant.audit.record(
                        AuditEntry(
                            "ingest.intake.take",
                            facts: ["source": .string(intake.source), "bytes": .int(one.size)]),
                        by: principal(intake), session)
                }
                return isNew
            }
            if isNew { counts.taken += 1 }
        }
    }

    /// A taken file becomes the file of a run, once: the run and the mark on the row are one transaction.
    func bring(
        _ file: IntakeFile, _ intake: Intake, _ folder: DropFolder, _ counts: inout Counts
    ) async throws {
        // What a process put into `done/` before it died, or is about to say so.
        let (isTaken, isDone) = try await OwnThread.run {
            (try folder.take(file), folder.isThere(folder.place(file, .done)))
        }
        guard isTaken || isDone else {
            guard try await files(intake, .taking).contains(where: { $0.id == file.id }) else { return }
            return try await fail(file, folder, Self.gone, &counts)
        }
        let path = folder.place(file, isTaken ? .taken : .done)
        let (blob, warnings): (Blob, [FileInspection.Warning])
        do {
            (blob, warnings) = try await OwnThread.run { [imports] in try imports.copyIn(path) }
        } catch let error as CRMError where ["file_shrank", "file_replaced", "replaced"].contains(error.code) {
            return try await stillWritten(file)
        }
        if !warnings.isEmpty {
            await tenant.blobs.deleteLater(blob.id)
            return try await stillWritten(file)
        }
        if let earlier = try await earlier(file, blob) {
            await tenant.blobs.deleteLater(blob.id)
            try await OwnThread.run { try folder.put(file, .done) }
            try await move(file, to: .done, Self.same(earlier))
            counts.done += 1
            return
        }
        do {
            let service = try imports.on(intake.entity)
            let principal = principal(intake)
            _ = try await service.draft(
                name: file.name, blob: blob, source: intake.source, principal: principal,
                record: service.recorder(principal),
                then: { run, session in
                    let marked = try session.execute(IntakeStore.bring, [.id(file.id), .id(run), .text(blob.digest)])
                    guard marked == 1 else { throw RunStore.taken }
                })
        } catch let error as CRMError where error.code == RunStore.taken.code {
            // Another process brought it.
            return
        } catch let error as CRMError where (400..<500).contains(error.status) {
            return try await fail(file, folder, error.message, &counts)
        }
    }

    private func earlier(_ file: IntakeFile, _ blob: Blob) async throws -> ImportRunID? {
        try await tenant.database.read { session in
            try session.first(IntakeStore.same, [.text(file.source), .text(blob.digest), .id(file.id)]) { $0.id(0) }
        }
    }

    /// A file with known columns starts by itself; what is new is for a person to map.
    private func start(_ file: IntakeFile, _ intake: Intake, _ counts: inout Counts) async throws {
        guard let run = file.run else { return }
        let principal = principal(intake)
        let isStarted = try await tenant.database.write { [imports] session -> Bool? in
            let record = try RunStore.run(run, session)
            let service = try imports.on(record.entity)
            let inspection = try RunStore.file(record.fileID, session).inspection
            let known = try MappingStore.find(entity: record.entity, signature: inspection.signature, session)
            guard let known, known.source == intake.source, record.mayEdit else {
                let moved = try IntakeStore.move(file, to: .waiting, Self.unknownColumns, at: nil, session)
                return moved ? false : nil
            }
            // Nobody is there who could say that it is meant.
            if let earlier = try service.repeated(record, session) {
                let words = ImportService.importedBefore(earlier, record.mapping).message
                return try IntakeStore.move(file, to: .waiting, words, at: nil, session) ? false : nil
            }
            guard try IntakeStore.move(file, to: .running, Words(en: "", zh: ""), at: nil, session) else { return nil }
            try service.enqueue(.start, run, principal, service.recorder(principal), session)
            return true
        }
        if isStarted == true { counts.started += 1 }
        if isStarted == false { counts.waiting += 1 }
    }

    // MARK: The end

    /// Files whose runs have ended leave `taken/`, their rejects beside them.
    private func finish(_ intake: Intake, _ folder: DropFolder, _ counts: inout Counts) async throws {
        for state in [IntakeFile.State.running, .waiting] {
            for file in try await files(intake, state) {
                guard let id = file.run else { continue }
                let run = try await imports.run(id).run
                switch run.state {
                case .draft, .dryRun, .ready, .running, .reverting: continue
                case .succeeded, .reverted:
                    try await keepRejects(run, file, folder, .done)
                    try await move(file, to: .done, run.message)
                    counts.done += 1
                case .failed, .cancelled:
                    try await explain(file, folder, run.message)
                    try await keepRejects(run, file, folder, .failed)
                    try await move(file, to: .failed, run.message)
                    counts.failed += 1
                }
            }
        }
    }

    private func keepRejects(
        _ run: ImportRun, _ file: IntakeFile, _ folder: DropFolder, _ place: DropFolder.Place
    ) async throws {
        try await OwnThread.run { [imports] in
            let target = folder.place(file, place)
            if let blob = run.rejectBlobID { try imports.copyOut(blob, to: target + ".rejects.csv") }
            try folder.put(file, place)
        }
    }

    /// Before the file is moved: a process that dies in between writes it again.
    private func explain(_ file: IntakeFile, _ folder: DropFolder, _ words: Words) async throws {
        let time = tenant.clock.now().displayed(offsetMinutes: tenant.timeZoneOffsetMinutes)
        let zone = Instant.zoneName(offsetMinutes: tenant.timeZoneOffsetMinutes)
        try await OwnThread.run { try folder.explain(file, words, at: "\(time) \(zone)") }
    }

    private func fail(_ file: IntakeFile, _ folder: DropFolder, _ words: Words, _ counts: inout Counts) async throws {
        try await explain(file, folder, words)
        try await OwnThread.run { try folder.put(file, .failed) }
        try await move(file, to: .failed, words)
        counts.failed += 1
    }

    private func move(_ file: IntakeFile, to state: IntakeFile.State, _ words: Words) async throws {
        let now = tenant.clock.now()
        try await tenant.database.write { session in
            _ = try IntakeStore.move(file, to: state, words, at: now, session)
        }
    }

    /// The next look tries again: nothing of it was read in.
    private func stillWritten(_ file: IntakeFile) async throws {
        try await tenant.database.write { session in
            _ = try session.execute(
                IntakeStore.tell, [.id(file.id), .text(Self.writing.en), .text(Self.writing.zh)])
        }
    }

    static let pulledPrefix = "pulled-"
    static let gone = Words(
        en: "The file was gone before it could be taken. Put it into the folder again.", zh: "文件在收取前已不存在，请重新放入目录。")
    static let writing = Words(
        en: "The file changed while it was read, so nothing of it was taken in; it is read again at the next look.",
        zh: "读取时文件仍在变化，未导入任何内容；下次检查时重新读取。")
    static let unknownColumns = Words(
        en: "The columns are new for this source. Open the import, look at the mapping and start it; files like this one then start by themselves.",
        zh: "该来源首次出现这样的列。请打开导入，确认映射并启动；之后同样的文件会自动导入。")
    static func same(_ run: ImportRunID) -> Words {
        Words(
            en: "The same bytes were taken in before (import \(run)), so nothing was done.",
            zh: "相同内容此前已导入（导入 \(run)），未重复处理。")
    }
}
