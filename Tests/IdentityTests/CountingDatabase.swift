import Kernel
import Storage
import Synchronization

/// Notes every transaction and statement that goes through it, in order; of statements that change rows also how many.
final class CountingDatabase: Database {
    private let base: any Database
    private let notes = Mutex<[String]>([])

    init(_ base: any Database) { self.base = base }

    var dialect: Dialect { base.dialect }
    var done: [String] { notes.withLock { $0 } }
    func forget() { notes.withLock { $0 = [] } }

    fileprivate func note(_ text: String) { notes.withLock { $0.append(text) } }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        note("read")
        return try await base.read { [self] session in try body(CountingSession(session, self)) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let result = try await base.write { [self] session in try body(CountingSession(session, self)) }
        note("commit")
        return result
    }

    func close() async throws { try await base.close() }
}

private final class CountingSession: SQLSession {
    private let base: any SQLSession
    private let counter: CountingDatabase

    init(_ base: any SQLSession, _ counter: CountingDatabase) {
        self.base = base
        self.counter = counter
    }

    var dialect: Dialect { base.dialect }

    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int {
        let changed = try base.execute(sql, arguments)
        counter.note("\(changed) by \(sql.text)")
        return changed
    }

    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int {
        let changed = try base.executeMany(sql, rows)
        counter.note("\(changed) by \(sql.text)")
        return changed
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Bool) throws {
        counter.note(sql.text)
        try base.forEach(sql, arguments, body)
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T { try base.savepoint(body) }
    func afterCommit(_ action: @escaping @Sendable () -> Void) { base.afterCommit(action) }
    func beforeCommit(_ action: @escaping (any SQLSession) throws -> Void) { base.beforeCommit { [self] _ in try action(self) } }
}
