import Kernel
import Storage

extension IngestModule {
    /// How many imports of customers were there at a time and were taken back later, and how many rows they had brought:
    /// what was learned at that time was learned from them too.
    package static func takenBack(after time: Instant, _ session: any SQLSession) throws -> (imports: Int, rows: Int) {
        try session.first(RunStore.takenBack, [.time(time)]) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
    }
}
