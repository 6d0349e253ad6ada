import GRDB
import Synchronization

/// Connections for what reads on `WorkThreads`. GRDB's pool hands its readers out behind queues that all readers pass; here
/// a reader is taken from a list and put back, and there are never more of them than threads that read.
final class SQLiteReaders: Sendable {
    private struct State {
        var idle: [DatabaseQueue] = []
        var inUse = 0
        var isClosed = false
    }
    private let state = Mutex(State())
    private let path: String
    private let configuration: Configuration

    init(path: String, _ configuration: Configuration) {
        self.path = path
        var configuration = configuration
        configuration.readonly = true
        self.configuration = configuration
    }

    /// On this thread.
    /// - Throws: `DatabaseError` for a database that is closed or cannot be opened.
    func read<T>(_ body: (GRDB.Database) throws -> T) throws -> T {
        let reader = try taken()
        defer { give(reader) }
        return try reader.unsafeRead(body)
    }

    private func taken() throws -> DatabaseQueue {
        let idle = try state.withLock { state in
            guard !state.isClosed else {
                throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the database is closed")
            }
            state.inUse += 1
            // The one used last: its pages are the newest.
            return state.idle.popLast()
        }
        do { return try idle ?? DatabaseQueue(path: path, configuration: configuration) } catch {
            state.withLock { $0.inUse -= 1 }
            throw error
        }
    }

    private func give(_ reader: DatabaseQueue) {
        state.withLock { state in
            state.idle.append(reader)
            state.inUse -= 1
        }
    }

    /// Refuses readers from now on and waits for those there are.
    func end() async {
        state.withLock { $0.isClosed = true }
        while state.withLock({ $0.inUse > 0 }) { try? await Task.sleep(for: .milliseconds(2)) }
    }

    /// After `end`, when no connection has statements any more.
    func close() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
        for reader in idle { try? reader.close() }
    }
}
