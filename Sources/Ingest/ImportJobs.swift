import Kernel
import Platform
import Storage
import Web

/// The jobs: shells around the service that turn its end into the state of the run.
extension ImportService {
    package var jobs: [JobHandler] {
        [
            JobHandler(kind: Self.dryRunJob) { [self] context in
                try await handle(context) { id, control in
                    _ = try await of(id).performDryRun(id, control)
                    return try await self.run(id).run
                }
            },
            JobHandler(kind: Self.runJob) { [self] context in
                try await handle(context) { id, control in try await of(id).performRun(id, control) }
            },
            JobHandler(kind: Self.revertJob) { [self] context in
                try await handle(context) { id, control in try await of(id).performRevert(id, control) }
            },
            JobHandler(kind: RevertCounting.job) { [self] context in
                let payload = try JSONValue.parse(Array(context.job.payload.utf8)).object
                guard let id = ImportRunID(payload?["run"]?.string ?? "") else { throw Self.namesNoImport }
                return try await countForecast(id, job: context.job.id)
            },
            JobHandler(kind: Self.purgeJob) { [self] _ in
                let expired = try await expireQuarantine()
                return JSONValue.object([
                    "purged": .int(Int64(try await purge())), "expired": .int(Int64(expired)),
                ]).encoded()
            },
        ]
    }

    private static let attemptsMax = 3
    private static let namesNoImport = CRMError(
        "payload", status: 500, Words(en: "The job names no import.", zh: "任务未指明导入。"))

    /// What the job says of a run that came to its end; `nil` = it has not.
    /// - Throws: `CRMError` "import_failed".
    private static func result(of run: ImportRun) throws -> String? {
        switch run.state {
        // A draft with a plan: nothing but rejects.
        case .ready, .draft: run.plan.map { JSONValue.object($0.counts.facts).encoded() }
        case .succeeded: JSONValue.object(run.counts.facts).encoded()
        case .reverted: JSONValue.object(["issues": .int(Int64(run.revertIssues))]).encoded()
        case .failed: throw CRMError("import_failed", status: 422, run.message)
        default: nil
        }
    }

    private func handle(
        _ context: JobContext, _ perform: (ImportRunID, RunControl) async throws -> ImportRun
    ) async throws -> String? {
        let payload = try JSONValue.parse(Array(context.job.payload.utf8)).object
        guard let id = ImportRunID(payload?["run"]?.string ?? "") else {
            throw Self.namesNoImport
        }
        let job = context.job.id
        let tenant = self.tenant
        let control = RunControl(
            progress: { done, total, words in try await context.progress(done: done, total: total, words) },
            isForGood: {
                let asked = try? await tenant.database.read { try tenant.jobs.job(job, $0)?.cancelRequested }
                return (asked ?? nil) ?? false
            }, address: "job", request: "job-\(job)")
        let run: ImportRun
        do {
            run = try await perform(id, control)
        } catch let error as JobCancelled {
            if await control.isForGood() { try await leave(id, Self.stopped, failed: false) }
            throw error
        } catch let error as CRMError where error.code == RunStore.taken.code {
            // Another worker has the run: it is not ours to change. Or a worker of this job ended the run and was killed
            // before it could end the job.
            let run = try await self.run(id).run
            guard run.jobID == job, let result = try Self.result(of: run) else { throw error }
            return result
        } catch let error as CRMError {
            try await leave(id, error.message, failed: true)
            throw error
        } catch {
            if context.job.attempts >= Self.attemptsMax {
                let words = Words(
                    en:
                        "The import stopped because of a technical fault. What was imported so far is kept; it can be continued.",
                    zh: "因技术故障导入已停止，已导入的内容保留，可以继续。")
                try await leave(id, words, failed: true)
            }
            throw error
        }
        return try Self.result(of: run)
    }

    /// Out of an active state, when the work itself did not get there.
    func leave(_ id: ImportRunID, _ words: Words, failed: Bool) async throws {
        try await tenant.database.write { [self] session in
            let run = try RunStore.run(id, session)
            guard run.state.isActive else { return }
            guard failed, run.state != .dryRun else { return try stop(run, words, session) }
            if run.isReplay { try session.execute(QuarantineStore.release, [.id(id)]) }
            try session.execute(
                RunStore.stop,
                [
                    .id(id), .text(RunState.failed.rawValue), .text(words.en), .text(words.zh),
                    .text(run.state.rawValue),
                ])
            guard run.state == .running else { return }
            try withdrawUnfilled(
                id, run.actor.principal(tenant: tenant.name, address: "run", request: "run-\(id)"), session)
        }
    }
}
