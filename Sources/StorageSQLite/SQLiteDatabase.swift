import CSQLite
import Dispatch
import Foundation
import GRDB
import Kernel
import Storage
import Synchronization

/// One tenant's SQLite file: a pool of readers on WAL snapshots and one group-committing writer.
package final class SQLiteDatabase: Storage.Database {
    private let pool: DatabasePool
    private let readers: SQLiteReaders
    private let statements = StatementCaches()
    private let queue = Mutex(WriteQueue())
    private let turn: WriterTurn

    private struct WriteQueue {
        var waiting: [Pending] = []
        var draining = false
        /// Between BEGIN and COMMIT.
        var isInside = false
        /// Since it was last asked.
        var hadToWait = false
    }

    /// One caller of `write`: what it wants done, and how it is told.
    private struct Pending: Sendable {
        let run: @Sendable (SQLiteSession) throws -> Void
        let finish: @Sendable ((any Error)?) -> Void
    }

    /// How durable a commit is.
    package enum Durability: String, Sendable {
        /// `synchronous=FULL`: a commit survives power loss.
        case full
        /// `synchronous=NORMAL`: survives a crash of the process, for tests and throw-away data.
        case normal
        /// As `normal`, for filling a database: pages that change again and again (indexes) go from the log to the file once
        /// in 256 MB of changes.
        case load

        var synchronous: String { self == .full ? "FULL" : "NORMAL" }
    }

    /// SQLite counts its memory under one lock for all connections, which every one of the readers' allocations would take.
    private static let isLean = sqlite_forgo_memory_statistics() == 0

    /// Opens or creates the file. The folder must exist.
    /// - Parameter readers: connections for snapshots, 1...16, for those who do not read on `WorkThreads`.
    /// - Throws: `StorageError.io` when the file cannot be opened or is not a database.
    package init(path: String, durability: Durability = .full, readers: Int = 12) throws {
        _ = Self.isLean
        turn = WriterTurn(besides: path)
        var configuration = Configuration()
        configuration.busyMode = .callback(Self.asksAgain)
        configuration.maximumReaderCount = readers
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            let isReader = database.configuration.readonly
            // In KiB. What a reader keeps is only good until the next commit. What a transaction of an import changes, with
            // its match keys all over their index, must find room: pages that do not are written twice.
            try database.execute(sql: "PRAGMA cache_size = \(isReader ? -4_096 : -65_536)")
            // 64 MB of changes. In a shorter log the pages of indexes are copied again and again; a longer one takes longer to
            // look into, and is no faster (measured, ADR 0045).
            let pages = durability == .load ? 64_000 : 16_000
            if !isReader { try database.execute(sql: "PRAGMA wal_autocheckpoint = \(pages)") }
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        do {
            pool = try Self.opened(path, configuration)
            self.readers = SQLiteReaders(path: path, configuration)
            // The pool has just set NORMAL on its writer while switching to the write-ahead log.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = \(durability.synchronous)") }
        } catch let error as DatabaseError {
            throw SQLiteSession.translate(error)
        }
    }

    /// Two processes that switch a fresh file to the write-ahead log at the same moment: SQLite tells one of them at once
    /// that it is locked, without waiting as it does elsewhere. It comes again.
    private static func opened(_ path: String, _ configuration: Configuration) throws -> DatabasePool {
        let end = DispatchTime.now() + .seconds(5)
        while true {
            do { return try DatabasePool(path: path, configuration: configuration) } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && DispatchTime.now() < end
            {
                WriterTurn.pause(microseconds: Int.random(in: 5_000...25_000))
            }
        }
    }

    /// Waits for a lock of SQLite's for about 5 seconds. Its own pauses grow to a tenth of a second, for which the one whose
    /// turn it is would hold everybody up.
    /// - Parameter tries: how often it was asked before.
    private static func asksAgain(_ tries: Int) -> Bool {
        WriterTurn.pause(microseconds: tries < 100 ? 1_000 : 5_000)
        return tries < 1_080
    }

    package var dialect: Dialect { .sqlite }

    package func read<T: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        do {
            let interruption = SQLiteInterruption()
            guard WorkThreads.areCurrent else {
                // GRDB interrupts once, which is lost before the first statement has begun.
                return try await withTaskCancellationHandler {
                    try await pool.unsafeRead { [statements] database in
                        try interruption.covering(database) {
                            try SQLiteSnapshot.within(database) { try body(SQLiteSession(database, statements.of(database))) }
                        }
                    }
                } onCancel: {
                    interruption.now()
                }
            }
            return try await withTaskCancellationHandler {
                try readHere(body, interruption)
            } onCancel: {
                interruption.now()
            }
        } catch let error as DatabaseError {
            throw SQLiteSession.translate(error)
        }
    }

    /// On this thread.
    private func readHere<T>(_ body: (any SQLSession) throws -> T, _ interruption: SQLiteInterruption) throws -> T {
        try readers.read { database in
            try interruption.covering(database) {
                try SQLiteSnapshot.within(database) { try body(SQLiteSession(database, statements.of(database))) }
            }
        }
    }

    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        let box = ResultBox<T>()
        return try await withCheckedThrowingContinuation { continuation in
            let pending = Pending(
                run: { session in box.value = try session.whole(body) },
                finish: { error in
                    if let error {
                        continuation.resume(throwing: error)
                    } else if let value = box.value {
                        continuation.resume(returning: value)
                    } else {
                        continuation.resume(throwing: StorageError(.other, "the write was not run"))
                    }
                })
            enqueue(pending)
        }
    }

    /// Writes a compact copy of what is committed now to a new file, while others read and write (VACUUM INTO holds a
    /// snapshot), and reads it through.
    /// - Throws: `StorageError.full` or `.io`; the file is gone then.
    package func backup(to path: String) async throws {
        do {
            let source = pool.path
            try await Self.onThread {
                // On a connection of its own: on the writer's, everybody else would wait.
                let file = try DatabaseQueue(path: source)
                try file.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
                try file.close()
                try Self.verify(path)
            }
        } catch let error as DatabaseError {
            try? FileManager.default.removeItem(atPath: path)
            throw SQLiteSession.translate(error)
        }
    }

    /// - Throws: `StorageError.io` when the file is damaged or no database.
    package static func verify(_ path: String) throws {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let file = try DatabaseQueue(path: path, configuration: configuration)
            let words = try file.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(3)") }
            try file.close()
            guard words == ["ok"] else {
                throw StorageError(.io, "the file is damaged: \(words.joined(separator: "; "))")
            }
        } catch let error as DatabaseError {
            throw SQLiteSession.translate(error)
        }
    }

    package func close() async throws {
        _ = try? await pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        await readers.end()
        // Nobody reads or writes meanwhile: a connection with statements cannot be closed.
        _ = try? await pool.barrierWriteWithoutTransaction { [statements] _ in statements.close() }
        readers.close()
        try pool.close()
    }

    package func hadToWait() -> Bool {
        queue.withLock { queue in
            defer { queue.hadToWait = false }
            return queue.hadToWait
        }
    }

    private static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            DispatchQueue(label: "switchboard.sqlite.backup").async {
                continuation.resume(returning: Result { try body() })
            }
        }
        try result.get()
    }

    private func enqueue(_ pending: Pending) {
        let start = queue.withLock { queue in
            queue.waiting.append(pending)
            if queue.isInside { queue.hadToWait = true }
            defer { queue.draining = true }
            return !queue.draining
        }
        if start { pool.asyncWriteWithoutTransaction { [self] database in drain(database) } }
    }

    /// Runs on GRDB's writer queue: everything that waits goes into one transaction, one fsync for all.
    private func drain(_ database: GRDB.Database) {
        while true {
            let batch = queue.withLock { queue -> [Pending] in
                let batch = Array(queue.waiting.prefix(256))
                queue.waiting.removeFirst(batch.count)
                if batch.isEmpty { queue.draining = false }
                return batch
            }
            if batch.isEmpty { return }
            commit(batch, database)
        }
    }

    private func commit(_ batch: [Pending], _ database: GRDB.Database) {
        let session = SQLiteSession(database, statements.of(database))
        var outcomes: [(any Error)?] = []
        do {
            let isFree = try turn.taking { try session.raw("BEGIN IMMEDIATE") }
            queue.withLock { queue in
                queue.isInside = true
                if !isFree { queue.hadToWait = true }
            }
            // Before the callers are told: what they write next waits for nobody.
            defer { queue.withLock { $0.isInside = false } }
            for pending in batch {
                guard database.isInsideTransaction else {
                    throw StorageError(.io, "the engine rolled the transaction back")
                }
                do {
                    // A lone caller needs no savepoint: the transaction is its own.
                    if batch.count == 1 {
                        try pending.run(session)
                    } else {
                        try session.savepoint { try pending.run(session) }
                    }
                    outcomes.append(nil)
                } catch {
                    outcomes.append(error)
                }
            }
            if batch.count == 1, outcomes.first.flatMap({ $0 }) != nil {
                if database.isInsideTransaction { try session.raw("ROLLBACK") }
            } else {
                guard database.isInsideTransaction else {
                    throw StorageError(.io, "the engine rolled the transaction back")
                }
                do { try session.raw("COMMIT") } catch let error as StorageError where error.kind == .io {
                    // The frames may all be in the log, only not synced: whoever recovers it finds them committed.
                    throw StorageError(.outcomeUnknown, error.detail)
                }
            }
        } catch {
            if database.isInsideTransaction { try? session.raw("ROLLBACK") }
            // Nothing of the batch was kept: a body's own error is its answer, all others get the commit's.
            for (offset, pending) in batch.enumerated() {
                pending.finish((offset < outcomes.count ? outcomes[offset] : nil) ?? error)
            }
            return
        }
        // Before the callers are told: who has his answer may count on the actions.
        if outcomes.contains(where: { $0 == nil }) { for action in session.commitActions { action() } }
        for (offset, pending) in batch.enumerated() { pending.finish(outcomes[offset]) }
    }
}

/// Carries a result from the writer's thread to the caller; written before `finish`, read in it.
private final class ResultBox<T: Sendable>: @unchecked Sendable {
    var value: T?
}

/// `$3` becomes `?3`: SQLite numbers `$n` by order of appearance but `?n` by its number, which is what PostgreSQL does.
enum StatementTexts {
    /// Replaces `$` before a digit by `?` outside of quoted text.
    static func numbered(_ text: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        result.reserveCapacity(bytes.count)
        var quote: UInt8?
        for (offset, byte) in bytes.enumerated() {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 39 || byte == 34 {
                quote = byte
            } else if byte == 36, offset + 1 < bytes.count, (48...57).contains(bytes[offset + 1]) {
                result.append(63)
                continue
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
