import Kernel
import Storage

/// One pass over a file: the importer and the match keys of the rows it took so far. In the hands of one task: its calls
/// never overlap, though they run on the database's thread.
final class ImportPass: @unchecked Sendable {
    let importer: any Importer
    private let matchKey: String
    private var seen: SeenKeys

    /// - Parameter seen: the keys of the rows before the place where the pass begins.
    init(_ importer: any Importer, matchKey: String?, seen: SeenKeys = SeenKeys()) {
        self.importer = importer
        self.matchKey = matchKey ?? ""
        self.seen = seen
    }

    func plan(_ chunk: Chunk, _ session: any SQLSession) throws -> [ImportOutcome] {
        try outcomes(chunk) { try importer.plan($0, session) }
    }

    func apply(_ chunk: Chunk, _ session: any SQLSession) throws -> [ImportOutcome] {
        try outcomes(chunk) { try importer.apply($0, session) }
    }

    /// A row whose key was taken before is rejected; the key of a rejected row is free for the next one. So the rows go to
    /// the importer in pieces that repeat no key (the whole chunk, but for odd files).
    private func outcomes(_ chunk: Chunk, _ work: ([ImportRow]) throws -> [ImportOutcome]) throws -> [ImportOutcome] {
        var outcomes: [ImportOutcome?] = Array(repeating: nil, count: chunk.rows.count)
        var piece: [Int] = []
        var keys: Set<UInt64> = []
        func flush() throws {
            guard !piece.isEmpty else { return }
            let done = try work(piece.map { chunk.rows[$0] })
            guard done.count == piece.count else { throw ImportService.outcomeCount }
            for (index, outcome) in zip(piece, done) {
                outcomes[index] = outcome
                if case .rejected = outcome { continue }
                if let key = chunk.keys[index] { _ = seen.note(key, line: chunk.rows[index].line) }
            }
            piece = []
            keys = []
        }
        for (index, row) in chunk.rows.enumerated() {
            if let key = chunk.keys[index] {
                if keys.contains(key) { try flush() }
                // The same line again is a chunk that is run a second time.
                if let line = seen.line(of: key), line != row.line {
                    let (code, words) = RejectWords.duplicate(firstLine: line)
                    outcomes[index] = .rejected(field: matchKey, code: code, words)
                    continue
                }
                keys.insert(key)
            }
            piece.append(index)
        }
        try flush()
        return outcomes.compactMap { $0 }
    }
}
