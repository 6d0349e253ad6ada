import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TabularFiles
import Web

extension ImportService {
    /// Hears of the progress behind each chunk; throws `JobCancelled` to stop there.
    package typealias CommandProgress = @Sendable (_ done: Int64, _ total: Int64, Words) throws -> Void

    /// Imports a file (or only plans it) in this process, as the jobs do. A run that is stopped or killed goes on with
    /// `resume`.
    /// - Parameters:
    ///   - mapping: path of a mapping file, or the name of a shipped or remembered one; `nil` = the proposal.
    ///   - source: name of the source; `nil` = the mapping's, or the file's name.
    ///   - matchKey: field key; empty = every row is new; `nil` = the mapping's or the proposal's.
    ///   - sheet: name or number of a workbook's sheet; `nil` = the first that has rows.
    ///   - skipRows: rows of the sheet above its heading; `nil` = a title is looked for.
    ///   - rejects: where the reject file goes; `nil` = beside the file, with `.rejects.csv`; of a dry run nowhere.
    ///   - ignoresUnmapped: columns nobody mapped are left out instead of becoming attributes.
    ///   - matches: whether new customers are compared with known ones, whatever the mapping says; `nil` = as it says.
    ///   - dateOrder: how dates are written, in every column that is read as one; kept with the mapping.
    ///   - again: import also what would make the records of an earlier import of the same file a second time.
    ///   - begun: hears the id of the run before its first row is read.
    /// - Throws: `CRMError` for a file, mapping or match key that cannot be used.
    package func importFile(
        _ path: String, mapping: String? = nil, source: String? = nil, matchKey: String? = nil, dryRun: Bool = false,
        encoding: TextEncoding? = nil, sheet: String? = nil, skipRows: Int? = nil, rejects: String? = nil,
        ignoresUnmapped: Bool = false,
        dateOrder: DateOrder? = nil, matches: Bool? = nil, again: Bool = false,
        principal: Principal,
        begun: (ImportRunID) -> Void = { _ in }, progress: @escaping CommandProgress = { _, _, _ in }
    ) async throws -> ImportReport {
        if let matchKey, !matchKey.isEmpty { try checkMatchKey(matchKey) }
        try Self.check(skipRows: skipRows)
        let named: ImportMapping? = if let mapping { try await self.mapping(named: mapping) } else { nil }
        let (blob, warnings) = try copyIn(path)
        let recorder = recorder(principal)
        let name = URL(fileURLWithPath: path).lastPathComponent
        let draft = try await draft(
            name: name, blob: blob, source: source ?? named?.source ?? "", mapping: named, encoding: encoding,
            sheet: sheet, skipRows: skipRows, warnings: warnings, matches: matches, principal: principal, record: recorder,
            admit: { [self] proposed, session in
                guard !again, !dryRun else { return }
                var proposed = proposed
                if let matchKey {
                    proposed.matchKey = matchKey.isEmpty ? nil : matchKey
                } else if matches == true, named == nil, !proposed.matches {
                    proposed = unguessed(proposed)
                }
                if let earlier = try repeated(blob.digest, proposed, session) { throw importedBefore(name, earlier, proposed) }
            })
        var final = draft.mapping
        if let matchKey {
            final.matchKey = matchKey.isEmpty ? nil : matchKey
        } else if matches == true, named == nil, !final.matches {
            final = unguessed(final)
        }
        if let matches { final.matches = matches }
        if let dateOrder { final = final.reading(dateOrder, draft.file.inspection, try await fields()) }
        if ignoresUnmapped {
            final.columns = final.columns.map { column in
                var column = column
                if column.target == .attribute { column.target = .ignore }
                return column
            }
        }
        try await save(final, for: draft.run, principal: principal, record: recorder)
        begun(draft.run)
        // The rows of a dry run stay where they are: nobody asked for a second copy of them.
        let place = rejects ?? (dryRun ? nil : path + ".rejects.csv")
        return try await execute(
            dryRun ? .dryRun : .start, draft.run, again: again && !dryRun, rejects: place, principal: principal,
            progress: progress)
    }

    private func fields() async throws -> [ImportField] {
        try await tenant.database.read { [target] in try target.fields + target.attributeFields($0) }
    }

    /// - Throws: `unknown_match_key`, before anything is read.
    private func checkMatchKey(_ key: String) throws {
        let keys = target.fields.filter(\.canMatch).map(\.key)
        guard !keys.contains(key) else { return }
        let all = keys.joined(separator: ", ")
        throw CRMError.invalid(
            "match_key", "unknown_match_key",
            Words(en: "“\(key)” cannot find existing records. Match keys: \(all).", zh: "“\(key)”不能用于匹配已有记录，可用：\(all)。")
        )
    }

    /// Goes on with a run that was stopped, failed, or whose process died.
    /// - Parameter rejects: where the reject file goes; `nil` = into the present folder, named after the file.
    package func resume(
        _ run: ImportRunID, rejects: String? = nil, principal: Principal,
        progress: @escaping CommandProgress = { _, _, _ in }
    ) async throws -> ImportReport {
        let name = URL(fileURLWithPath: try await self.run(run).file.name).lastPathComponent
        return try await execute(
            .resume, run, rejects: rejects ?? name + ".rejects.csv", principal: principal, progress: progress)
    }

    /// Takes a run back.
    package func revert(
        _ run: ImportRunID, principal: Principal, progress: @escaping CommandProgress = { _, _, _ in }
    ) async throws -> ImportReport {
        try await execute(.revert, run, rejects: nil, principal: principal, progress: progress)
    }

    /// What an import is by now, and what became of the rows it held back.
    /// - Throws: `CRMError` 404 `no_run`.
    package func show(_ id: ImportRunID, principal: Principal) async throws -> ImportReport {
        let run = try await tenant.database.write { [self] session in
            let run = try Self.known(id, session)
            try recorder(principal)(
                AuditEntry("ingest.run.view", [.run(id)], facts: ["state": .string(run.state.rawValue)]), session)
            return run
        }
        return try await on(run.entity).report(
            id, dryRun: run.plan != nil && run.startedAt == nil, rejects: nil, removed: [], for: principal, since: .now)
    }

    private func trail(_ run: ImportRun, _ file: IngestFile) async throws -> QuarantineTrail {
        try await tenant.database.read { try QuarantineTrail.of(run, file, $0) }
    }

    func recorder(_ principal: Principal) -> AuditRecorder {
        { [tenant] entry, session in try tenant.audit.record(entry, by: principal, session) }
    }

    private func execute(
        _ action: Action, _ id: ImportRunID, again: Bool = false, rejects: String?, principal: Principal,
        progress: @escaping CommandProgress
    ) async throws -> ImportReport {
        let started = ContinuousClock.now
        try await tenant.database.write { [self] session in
            // A command that died left its name on the run: the person who asks again knows that it is gone.
            let run = try Self.known(id, session)
            if action == .resume || action == .revert, run.state.isActive, run.jobID == nil {
                try stop(run, Words(en: "", zh: ""), session)
            }
            // What is imported a second time was asked about before the run was made.
            do { try begin(action, id, principal, again: true, session) { nil } } catch let error as CRMError
                where error.code == RunStore.taken.code
            { throw Self.refused(action, run) }
            let facts: [String: JSONValue] = again ? ["again": .bool(true)] : [:]
            try recorder(principal)(AuditEntry("ingest.run.\(action.rawValue)", [.run(id)], facts: facts), session)
        }
        let control = RunControl(
            progress: { done, total, words in
                try progress(done, total, words)
                if Task.isCancelled { throw JobCancelled() }
            }, isForGood: { true }, address: "cli", request: principal.requestID)
        var removed: [String] = []
        do {
            switch action {
            case .dryRun: _ = try await of(id).performDryRun(id, control)
            case .start, .resume: _ = try await of(id).performRun(id, control)
            case .revert: removed = try await of(id).performRevert(id, control).attributesRemoved.map(\.en)
            }
        } catch is JobCancelled {
            try await leave(id, Self.stopped, failed: false)
        } catch let error as CRMError where error.code == RunStore.taken.code {
            // Somebody stopped it in the console: that is how a command hears of it.
            guard try await closeStopped(id, principal) else { throw error }
        } catch {
            let words = (error as? CRMError)?.message ?? Words(en: "\(error)", zh: "\(error)")
            try? await leave(id, words, failed: true)
            throw error
        }
        return try await of(id).report(
            id, dryRun: action == .dryRun, rejects: rejects, removed: removed, for: principal, since: started)
    }

    private static func known(_ id: ImportRunID, _ session: any SQLSession) throws -> ImportRun {
        do { return try RunStore.run(id, session) } catch let error as CRMError
            where error.code == CRMError.notFound.code
        {
            throw CRMError(
                "no_run", status: 404, Words(en: "There is no run \(id).", zh: "没有编号为 \(id) 的导入。"))
        }
    }

    /// Why an action is not possible, for somebody without a page to reload.
    static func refused(_ action: Action, _ run: ImportRun) -> CRMError {
        let words =
            switch (action, run.state) {
            case (_, .reverted): Words(en: "Run \(run.id) is already reverted.", zh: "导入 \(run.id) 已撤销。")
            case (.resume, .succeeded): Words(en: "Run \(run.id) is already done.", zh: "导入 \(run.id) 已完成。")
            case (_, .draft), (_, .ready):
                Words(en: "Run \(run.id) was never started.", zh: "导入 \(run.id) 尚未开始。")
            case _ where run.state.isActive:
                Words(en: "Run \(run.id) is being worked on elsewhere.", zh: "导入 \(run.id) 正在由其他进程处理。")
            default:
                Words(
                    en: "Run \(run.id) is \(run.state.rawValue): that is not possible any more.",
                    zh: "导入 \(run.id) 的状态为“\(run.state.chinese)”，无法执行。")
            }
        return .conflict("run_state", words)
    }

    /// Ends a run that was stopped behind the command's back.
    /// - Returns: `false` when it was not stopped but goes on elsewhere.
    private func closeStopped(_ id: ImportRunID, _ principal: Principal) async throws -> Bool {
        let (run, file) = try await self.run(id)
        guard run.worker.isEmpty, run.state == .cancelled || run.state == .draft else { return false }
        if run.state == .cancelled, run.revertChunk == nil {
            try await finishRun(run, file, "", .cancelled, Self.stopped, principal)
        }
        return true
    }

    private func report(
        _ id: ImportRunID, dryRun: Bool, rejects: String?, removed: [String], for principal: Principal,
        since started: ContinuousClock.Instant
    ) async throws -> ImportReport {
        let (run, file) = try await self.run(id)
        let columns = file.inspection.columns
        let reasons = try await tenant.database.read {
            try JournalStore.reasons(id, dryRun ? .dryRun : .run, columns: columns, $0)
        }
        let counts = dryRun ? run.plan?.counts ?? RunCounts() : run.counts
        var written: String?
        var trouble: ImportReport.Failure?
        if let rejects, let blob = dryRun ? run.planRejectBlobID : run.rejectBlobID {
            // The import is done: what it did has to be told even so.
            do {
                try copyOut(blob, to: rejects)
                written = rejects
            } catch let error as CRMError {
                trouble = ImportReport.Failure(
                    code: error.code,
                    message: error.message.en + " The rows are kept: the page of import \(id) in the console has them.",
                    message_zh: error.message.zh + "这些行已保留，可在控制台导入 \(id) 的页面下载。")
            }
        }
        let known = try await fields()
        var mapping = Self.columns(run.mapping, file.inspection, known)
        if dryRun {
            let agreed = try await tenant.database.read { try SourceStore.source(key: run.mapping.source, $0)?.fields ?? [] }
            for place in mapping.indices { mapping[place].personal = Self.personal(mapping[place], file.inspection, known, agreed) }
        }
        let format = file.inspection.format
        let unpacked = file.inspection.canonical?.unpacked
        let told = (dryRun ? run.plan?.warnings.map(\.words) : nil) ?? [run.message].filter { !$0.en.isEmpty }
        return ImportReport(
            run: "\(id)", entity: run.entity, entity_name: target.title.en, entity_name_zh: target.title.zh,
            file: file.name, sha256: file.digest, bytes: file.size,
            encoding: format.encoding.rawValue,
            encodingGuessed: file.inspection.encodingOverride == nil && !format.isPlaced,
            delimiter: format.kind == .delimited && !format.isPlaced ? String(UnicodeScalar(format.delimiter)) : nil,
            containers: unpacked?.layers.map(\.rawValue) ?? [], sheet: unpacked?.sheet, sheets: unpacked?.sheets ?? [],
            mapping: mapping,
            notTaken: Self.notTaken(run.mapping, file.inspection), samples: dryRun ? run.plan?.rows ?? [] : nil,
            pairs: dryRun ? try await pairs(run, for: principal) : nil,
            source: run.mapping.source,
            matchKey: run.mapping.matchKey, dryRun: dryRun, state: run.state.rawValue, read: counts.read,
            created: counts.created, updated: counts.updated, unchanged: counts.unchanged, rejected: counts.rejected,
            quarantined: counts.quarantined, held: dryRun ? nil : try await trail(run, file).report,
            skipped: counts.skipped, corrected: counts.corrected, linked: counts.linked, review: counts.review,
            apart: counts.apart,
            reasons: reasons.map {
                ImportReport.Reason(
                    code: $0.code, title: RejectTitles.title($0.code)?.en, title_zh: RejectTitles.title($0.code)?.zh,
                    column: $0.column, reason: $0.words.en, reason_zh: $0.words.zh, count: $0.count,
                    firstLine: $0.firstLine)
            }, findings: try await findings(run, dryRun ? .dryRun : .run), rejectFile: written,
            rejectFileError: trouble,
            warnings: told.map(\.en), warnings_zh: told.map(\.zh),
            isRevert: run.revertChunk != nil, attributesRemoved: removed, issues: run.revertIssues,
            undone: run.undone,
            seconds: Double((ContinuousClock.now - started).milliseconds) / 1_000)
    }

    private static func columns(
        _ mapping: ImportMapping, _ inspection: FileInspection, _ known: [ImportField]
    ) -> [ImportReport.Column] {
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return mapping.columns.map { column in
            switch column.target {
            case .field(let key):
                let field = known.first { $0.key == key }
                return ImportReport.Column(
                    column: column.column, target: key.hasPrefix("attr.") ? "attribute" : "field", field: key,
                    title: field?.words.en ?? key, title_zh: field?.words.zh ?? key, kind: field.map(\.kind.name))
            case .attribute:
                let isEmpty = profiles[column.column]?.type == .empty && inspection.isWhole
                return ImportReport.Column(
                    column: column.column, target: isEmpty ? "ignore" : "attribute", field: nil,
                    title: isEmpty ? nil : column.column, title_zh: isEmpty ? nil : column.column,
                    kind: isEmpty ? nil : column.kind ?? profiles[column.column]?.attributeKind ?? "text")
            case .ignore:
                return ImportReport.Column(column: column.column, target: "ignore", field: nil, title: nil, title_zh: nil, kind: nil)
            }
        }
    }

    /// As the field it becomes, as it was agreed with its source, else as `profile` would tell it.
    private static func personal(
        _ column: ImportReport.Column, _ inspection: FileInspection, _ known: [ImportField], _ agreed: [SourceField]
    ) -> String? {
        if column.target == "field", let field = column.field {
            let mask = FieldMask.mask(field, known)
            return mask == .none ? nil : mask.rawValue
        }
        if let told = agreed.first(where: { HeaderKey($0.column) == HeaderKey(column.column) })?.mask {
            return told == MaskKind.none.rawValue ? nil : told
        }
        let values = inspection.profiles.first { $0.name == column.column }?.samples ?? []
        return FileProfile.personal(column.column, values: values)
    }

    // MARK: Files of the machine

    /// Copies a file into the blob store: exactly the bytes it has when it is opened.
    /// - Parameter during: called behind the first piece (tests let the file grow there).
    func copyIn(_ path: String, during: (() throws -> Void)? = nil) throws -> (Blob, [FileInspection.Warning]) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CRMError.invalid(
                "file", "no_such_file", Words(en: "The file \(path) cannot be read.", zh: "无法读取文件 \(path)。"))
        }
        defer { try? handle.close() }
        let stamp = FileStamp(path: path)
        let isRegular = stamp?.isRegular ?? false
        let size = isRegular ? try Int64(handle.seekToEnd()) : Int64.max
        if isRegular { try handle.seek(toOffset: 0) }
        let writer = try tenant.blobs.writer()
        do {
            var left = size
            while left > 0, let data = try handle.read(upToCount: Int(min(left, 1 << 20))), !data.isEmpty {
                try writer.write([UInt8](data))
                left -= Int64(data.count)
                try during?()
            }
            guard !isRegular || left == 0 else {
                throw CRMError.conflict(
                    "file_shrank", Words(en: "The file became shorter while it was read.", zh: "读取过程中文件变短了。"))
            }
            let grown = isRegular ? try Int64(handle.seekToEnd()) - size : 0
            // Another file under the same name, or other bytes in the same file: what was read may be of both.
            if isRegular, let stamp, let now = FileStamp(path: path), now != stamp, !stamp.hasGrown(to: now) {
                throw ContainerError.replaced.error(file: URL(fileURLWithPath: path).lastPathComponent)
            }
            return (try writer.finish(), grown > 0 ? [Self.grew(size, by: grown)] : [])
        } catch {
            writer.discard()
            throw error
        }
    }

    private static func grew(_ size: Int64, by grown: Int64) -> FileInspection.Warning {
        FileInspection.Warning(
            "file_grew",
            Words(
                en:
                    "The file grew by \(grown) bytes while it was read. Only its first \(size) bytes are imported; bring the rest when it is complete.",
                zh: "读取过程中文件增长了 \(grown) 字节。仅导入最初的 \(size) 字节，其余部分请在文件完整后再导入。"))
    }

    /// - Throws: `CRMError` "not_writable" with the system's reason.
    func copyOut(_ blob: String, to path: String) throws {
        let reader = try tenant.blobs.reader(blob, offset: 0)
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.unwritable(path, errno) }
        var isOpen = true
        defer { if isOpen { close(file) } }
        while let bytes = try reader.read(1 << 18) {
            var at = 0
            while at < bytes.count {
                let count = bytes[at...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Self.unwritable(path, errno) }
                at += count
            }
        }
        isOpen = false
        guard close(file) == 0 else { throw Self.unwritable(path, errno) }
    }

    private static func unwritable(_ path: String, _ number: Int32) -> CRMError {
        let reason = String(cString: strerror(number))
        return .invalid(
            "rejects", "not_writable",
            Words(
                en: "The reject file \(path) cannot be written (\(reason)).", zh: "无法写入拒绝文件 \(path)（\(reason)）。"))
    }
}
