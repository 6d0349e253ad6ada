import Kernel
import Platform
import Storage

/// What a run still has to do about customers it has written: they are compared with the known ones on a reader's snapshot
/// while the next rows are written, and what came of it is written with those (ADR 0045). The run keeps how far that has
/// come, so that whoever goes on with it knows.
struct RunSequels: Sendable {
    struct Written: Sendable {
        let sequel: any ImportSequel
        /// The last chunk that is part of it.
        let through: Int64
    }

    struct Looked: Sendable {
        let finding: any ImportFinding
        let through: Int64
    }

    let tenant: Tenant
    let run: ImportRunID
    let worker: String
    /// Committed, to be looked at next.
    private var written: Written?
    /// Looked at, to be written next.
    private(set) var looked: Looked?

    init(_ tenant: Tenant, _ run: ImportRunID, _ worker: String) {
        self.tenant = tenant
        self.run = run
        self.worker = worker
    }

    /// Takes what was written last; what is returned is to be looked at while more is written.
    mutating func begin() -> Written? {
        defer { written = nil }
        return written
    }

    /// - Parameters:
    ///   - looked: what was looked at while `next` was written, with what had been looked at before.
    mutating func turn(_ looked: Looked?, next: Written?) {
        self.looked = looked
        written = next
    }

    func look(_ written: Written?) async throws -> Looked? {
        guard let written else { return nil }
        let finding = try await tenant.database.read { session in
            try session.preferIndexes()
            return try written.sequel.look(session)
        }
        return Looked(finding: finding, through: written.through)
    }

    /// In the transaction that writes the next chunks, or one of its own.
    func settle(_ looked: Looked?, _ session: any SQLSession) throws -> RunCounts {
        var counts = RunCounts()
        guard let looked else { return counts }
        let matches = try looked.finding.settle(session)
        (counts.linked, counts.review) = (matches.linked, matches.review)
        let changed = try session.execute(
            RunStore.matched,
            [
                .id(run), .text(worker), .int(looked.through), .int(matches.linked), .int(matches.review),
                .time(tenant.clock.now()),
            ])
        guard changed == 1 else { throw RunStore.taken }
        return counts
    }

    /// Does all that is left.
    mutating func drain() async throws {
        while looked != nil || written != nil {
            if let looked {
                _ = try await tenant.database.write { [self] session in
                    try session.preferIndexes()
                    return try settle(looked, session)
                }
            }
            turn(try await look(begin()), next: nil)
        }
    }

    /// What whoever worked on the run before had written and not come to.
    mutating func recover(_ run: ImportRun, _ pass: ImportPass) async throws {
        guard run.mapping.matches, run.matchedChunk < run.chunk else { return }
        let left = try await tenant.database.read { session in
            var (created, updated): ([CustomerID], [CustomerID]) = ([], [])
            for chunk in (run.matchedChunk + 1)...run.chunk {
                guard let entries = try JournalStore.entries(run.id, chunk: chunk, session) else { continue }
                created += entries.created.map(\.id)
                updated += entries.updated.map(\.id)
            }
            return (created: created, updated: updated)
        }
        guard !left.created.isEmpty || !left.updated.isEmpty else { return }
        let sequel = try await tenant.database.write { session in
            try pass.importer.sequel(created: left.created, updated: left.updated, session)
        }
        if let sequel { written = Written(sequel: sequel, through: run.chunk) }
    }
}
