import Kernel
import Platform
import Storage

/// Files and journals hold whole records of people: they are kept as long as an import may have to be taken back.
extension ImportService {
    static let purgeJob = "ingest.purge"
    static let keptDays: Int64 = 90

    static let due: SQL = """
        SELECT r.id, f.id, f.blob_id, r.plan_reject_blob_id, r.reject_blob_id, f.inspection
        FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE r.purged_at IS NULL AND r.touched_at < $1 AND r.state NOT IN ('dry_run', 'running', 'reverting')
        ORDER BY r.id LIMIT 50
        """
    static let forgetJournal: SQL = "DELETE FROM ingest_journal WHERE run_id = $1"
    static let forgetRejects: SQL = "DELETE FROM ingest_reject WHERE run_id = $1"
    static let forgetRun: SQL = """
        UPDATE ingest_run SET purged_at = $2, plan = NULL, plan_reject_blob_id = NULL, reject_blob_id = NULL WHERE id = $1
        """

    private struct Due: Sendable {
        let run: ImportRunID
        let file: IngestFileID
        let blobs: [String]
        let inspection: FileInspection
    }

    /// Forgets files, rejects and journals of imports untouched for 90 days; counts and audit stay. Returns how many.
    func purge() async throws -> Int {
        let before = tenant.clock.now().adding(days: -Self.keptDays)
        var purged = 0
        while true {
            let batch = try await tenant.database.read { session in
                try session.query(Self.due, [.time(before)]) { row in
                    let inspection = try JSONText.decode(FileInspection.self, row.text(5))
                    let blobs = [row.text(2), row.optionalText(3), row.optionalText(4), inspection.canonical?.blobID]
                    return Due(run: row.id(0), file: row.id(1), blobs: blobs.compactMap { $0 }, inspection: inspection)
                }
            }
            if batch.isEmpty { return purged }
            for item in batch {
                try await tenant.database.write { [tenant] session in
                    try session.execute(Self.forgetJournal, [.id(item.run)])
                    try session.execute(Self.forgetRejects, [.id(item.run)])
                    try session.execute(RevertCounting.forget, [.id(item.run)])
                    try session.execute(Self.forgetRun, [.id(item.run), .time(tenant.clock.now())])
                    try session.execute(
                        RunStore.setInspection,
                        [.id(item.file), .text(try JSONText.encode(item.inspection.withoutSamples))])
                    try tenant.audit.record(
                        AuditEntry("ingest.run.purge", [.run(item.run)]),
                        by: .system(tenant: tenant.name, "retention"), session)
                }
                for blob in item.blobs { try? tenant.blobs.delete(blob) }
                purged += 1
            }
        }
    }
}

extension FileInspection {
    /// Nothing a person wrote into the file is left.
    var withoutSamples: FileInspection {
        FileInspection(
            format: format, encodingConfidence: encodingConfidence, encodingReason: encodingReason, columns: columns,
            profiles: [], rows: rows, unreadable: unreadable, bytesRead: bytesRead, isWhole: isWhole,
            isRejectFile: isRejectFile, warnings: warnings, encodingOverride: encodingOverride,
            delimiterOverride: delimiterOverride, canonical: canonical)
    }
}
