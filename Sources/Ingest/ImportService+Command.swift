import Foundation
import Kernel
import Platform
import Storage
import Tabular

/// What an import did, for scripts.
package struct ImportReport: Sendable, Codable {
    package struct Reason: Sendable, Codable {
        package let code: String
        package let column: String?
        package let reason: String
        package let count: Int
        package let firstLine: Int
    }

    /// Decimal id of the run.
    package let run: String
    package let file: String
    package let sha256: String
    package let bytes: Int64
    package let source: String
    package let matchKey: String?
    package let dryRun: Bool
    /// State of the run: `ready` after a dry run, `succeeded`, `failed`, `cancelled`, `reverted`.
    package let state: String
    package let read: Int
    package let created: Int
    package let updated: Int
    package let unchanged: Int
    package let rejected: Int
    package let reasons: [Reason]
    /// Where the reject file was written; `nil` when nothing was rejected.
    package let rejectFile: String?
    package let warnings: [String]
    package let isRevert: Bool
    /// What a revert left as it was.
    package let issues: Int
    package let seconds: Double
}

extension ImportService {
    /// Hears of the progress behind each chunk; throws `JobCancelled` to stop there.
    package typealias CommandProgress = @Sendable (_ done: Int64, _ total: Int64, Words) throws -> Void

    /// Imports a file (or only plans it) in this process, as the jobs do. A run that is stopped or killed goes on with
    /// `resume`.
    /// - Parameters:
    ///   - mapping: path of a mapping file, or the name of a shipped or remembered one; `nil` = the proposal.
    ///   - source: name of the source; `nil` = the mapping's, or the file's name.
    ///   - matchKey: field key; empty = every row is new; `nil` = the mapping's or the proposal's.
    ///   - rejects: where the reject file goes; `nil` = beside the file, with `.rejects.csv`.
    ///   - ignoresUnmapped: columns nobody mapped are left out instead of becoming attributes.
    ///   - begun: hears the id of the run before its first row is read.
    /// - Throws: `CRMError` for a file, mapping or match key that cannot be used.
    package func importFile(
        _ path: String, mapping: String? = nil, source: String? = nil, matchKey: String? = nil, dryRun: Bool = false,
        encoding: TextEncoding? = nil, rejects: String? = nil, ignoresUnmapped: Bool = false, principal: Principal,
        begun: (ImportRunID) -> Void = { _ in }, progress: @escaping CommandProgress = { _, _, _ in }
    ) async throws -> ImportReport {
        let named: ImportMapping? = if let mapping { try await self.mapping(named: mapping) } else { nil }
        let (blob, warnings) = try copyIn(path)
        let recorder = recorder(principal)
        let name = URL(fileURLWithPath: path).lastPathComponent
        let draft = try await draft(
            name: name, blob: blob, source: source ?? named?.source ?? "", mapping: named, encoding: encoding,
            warnings: warnings, principal: principal, record: recorder)
        var final = draft.mapping
        if let matchKey { final.matchKey = matchKey.isEmpty ? nil : matchKey }
        if ignoresUnmapped {
            final.columns = final.columns.map { column in
                var column = column
                if column.target == .attribute { column.target = .ignore }
                return column
            }
        }
        try await save(final, for: draft.run, principal: principal, record: recorder)
        begun(draft.run)
        let place = rejects ?? path + ".rejects.csv"
        return try await execute(
            dryRun ? .dryRun : .start, draft.run, rejects: place, principal: principal, progress: progress)
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

    func recorder(_ principal: Principal) -> AuditRecorder {
        { [tenant] entry, session in try tenant.audit.record(entry, by: principal, session) }
    }

    private func execute(
        _ action: Action, _ id: ImportRunID, rejects: String?, principal: Principal,
        progress: @escaping CommandProgress
    ) async throws -> ImportReport {
        let started = ContinuousClock.now
        try await tenant.database.write { [self] session in
            // A command that died left its name on the run: the person who asks again knows that it is gone.
            let run = try RunStore.run(id, session)
            if action == .resume || action == .revert, run.state.isActive, run.jobID == nil {
                try stop(run, Words(en: "", zh: ""), session)
            }
            try begin(action, id, principal, session) { nil }
            try recorder(principal)(AuditEntry("ingest.run.\(action.rawValue)", [.run(id)]), session)
        }
        let control = RunControl(
            progress: { done, total, words in
                try progress(done, total, words)
                if Task.isCancelled { throw JobCancelled() }
            }, isForGood: { true }, address: "cli", request: principal.requestID)
        do {
            switch action {
            case .dryRun: _ = try await performDryRun(id, control)
            case .start, .resume: _ = try await performRun(id, control)
            case .revert: _ = try await performRevert(id, control)
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
        return try await report(id, dryRun: action == .dryRun, rejects: rejects, since: started)
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
        _ id: ImportRunID, dryRun: Bool, rejects: String?, since started: ContinuousClock.Instant
    ) async throws -> ImportReport {
        let (run, file) = try await self.run(id)
        let columns = file.inspection.columns
        let reasons = try await tenant.database.read {
            try JournalStore.reasons(id, dryRun ? .dryRun : .run, columns: columns, $0)
        }
        let counts = dryRun ? run.plan?.counts ?? RunCounts() : run.counts
        var written: String?
        if let rejects, let blob = dryRun ? run.planRejectBlobID : run.rejectBlobID {
            try copyOut(blob, to: rejects)
            written = rejects
        }
        let planned = dryRun ? run.plan?.warnings.map(\.words.en) : nil
        return ImportReport(
            run: "\(id)", file: file.name, sha256: file.digest, bytes: file.size, source: run.mapping.source,
            matchKey: run.mapping.matchKey, dryRun: dryRun, state: run.state.rawValue, read: counts.read,
            created: counts.created, updated: counts.updated, unchanged: counts.unchanged, rejected: counts.rejected,
            reasons: reasons.map {
                ImportReport.Reason(
                    code: $0.code, column: $0.column, reason: $0.words.en, count: $0.count, firstLine: $0.firstLine)
            }, rejectFile: written, warnings: planned ?? [run.message.en].filter { !$0.isEmpty },
            isRevert: run.revertChunk != nil, issues: run.revertIssues,
            seconds: Double((ContinuousClock.now - started).milliseconds) / 1_000)
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
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let isRegular = attributes[.type] as? FileAttributeType == .typeRegular
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

    private func copyOut(_ blob: String, to path: String) throws {
        let reader = try tenant.blobs.reader(blob, offset: 0)
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else {
            throw CRMError.invalid(
                "rejects", "not_writable",
                Words(en: "The reject file \(path) cannot be written.", zh: "无法写入拒绝文件 \(path)。"))
        }
        defer { try? handle.close() }
        while let bytes = try reader.read(1 << 18) { try handle.write(contentsOf: bytes) }
    }
}
