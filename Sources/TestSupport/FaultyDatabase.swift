import Kernel
import Storage
import Synchronization

/// Where the next failure strikes: the calls of all sessions are counted, and the one whose number comes up fails. Counting
/// stops with it, so what follows (a retry) is untouched.
package final class FaultPlan: Sendable {
    /// What a failure looks like from above.
    package enum Fault: String, Sendable, CaseIterable {
        /// A statement fails, and the transaction with it.
        case busy, full, io, connection
        /// The commit fails and nothing is kept.
        case commitRefused
        /// The answer to the commit is lost; nothing was kept, or everything was.
        case answerLostUndone, answerLostDone

        /// Whether it strikes at the end of a transaction, not at a statement.
        var isCommit: Bool { self == .commitRefused || self == .answerLostUndone || self == .answerLostDone }

        var error: StorageError {
            switch self {
            case .busy: StorageError(.busy, "injected")
            case .full: StorageError(.full, "injected")
            case .io: StorageError(.io, "injected")
            case .connection, .commitRefused: StorageError(.connection, "injected")
            case .answerLostUndone, .answerLostDone: StorageError(.outcomeUnknown, "injected")
            }
        }
    }

    private struct State {
        var fault = Fault.io
        /// Calls until it strikes; `nil` = never.
        var left: Int?
        var struck = false
    }
    private let state = Mutex(State())

    package init() {}

    /// The `call`th call from now on (1 = the next) fails with `fault`; commits are counted apart from statements.
    package func arm(_ fault: Fault, call: Int) {
        state.withLock { $0 = State(fault: fault, left: call) }
    }

    package func disarm() { state.withLock { $0.left = nil } }

    /// Whether it has struck since it was armed.
    package var hasStruck: Bool { state.withLock { $0.struck } }

    fileprivate func next(isCommit: Bool) -> Fault? {
        state.withLock { state in
            guard let left = state.left, state.fault.isCommit == isCommit else { return nil }
            state.left = left > 1 ? left - 1 : nil
            guard left == 1 else { return nil }
            state.struck = true
            return state.fault
        }
    }
}

/// A database whose sessions fail where a plan says. Once a statement has failed, the rest of its transaction fails too,
/// as on PostgreSQL: a store that swallows an error and goes on is found out.
package final class FaultyDatabase: Database {
    private let base: any Database
    package let plan = FaultPlan()

    package init(_ base: any Database) { self.base = base }

    package var dialect: Dialect { base.dialect }

    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let plan = self.plan
        return try await base.read { session in
            let faulty = FaultySession(session, plan)
            let value = try body(faulty)
            if let failure = faulty.failure { throw failure }
            return value
        }
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let plan = self.plan
        let lost = Mutex<StorageError?>(nil)
        let value = try await base.write { session in
            let faulty = FaultySession(session, plan)
            let value = try body(faulty)
            if let failure = faulty.failure { throw failure }
            if let fault = plan.next(isCommit: true) {
                guard fault == .answerLostDone else { throw fault.error }
                lost.withLock { $0 = fault.error }
            }
            return value
        }
        if let error = lost.withLock({ $0 }) { throw error }
        return value
    }

    package func close() async throws { try await base.close() }
}

private final class FaultySession: SQLSession {
    private let base: any SQLSession
    private let plan: FaultPlan
    /// What failed in this transaction.
    private(set) var failure: StorageError?

    init(_ base: any SQLSession, _ plan: FaultPlan) {
        self.base = base
        self.plan = plan
    }

    var dialect: Dialect { base.dialect }

    private func call() throws {
        if let failure { throw failure }
        guard let fault = plan.next(isCommit: false) else { return }
        failure = fault.error
        throw fault.error
    }

    @discardableResult
    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int {
        try call()
        return try base.execute(sql, arguments)
    }

    /// Fails behind the first half: what a batch had done by then must not stay.
    @discardableResult
    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        do { try call() } catch {
            _ = try? base.executeMany(sql, Array(rows.prefix(rows.count / 2)))
            throw error
        }
        return try base.executeMany(sql, rows)
    }

    @discardableResult
    func bulkInsert(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        do { try call() } catch {
            _ = try? base.bulkInsert(into: table, columns, Array(rows.prefix(rows.count / 2)))
            throw error
        }
        return try base.bulkInsert(into: table, columns, rows)
    }

    /// Of the table at which it fails the first half of the rows is put in.
    func bulkInsert(_ next: () throws -> BulkRows?) throws {
        var fault: (any Error)?
        try base.bulkInsert {
            if let fault { throw fault }
            guard let batch = try next() else { return nil }
            guard !batch.rows.isEmpty else { return batch }
            do { try call() } catch {
                fault = error
                return BulkRows(into: batch.table, batch.columns, Array(batch.rows.prefix(batch.rows.count / 2)))
            }
            return batch
        }
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Bool) throws {
        try call()
        try base.forEach(sql, arguments, body)
    }

    func keepPlans() throws { try base.keepPlans() }

    /// A body that failed is undone; the transaction is broken all the same when the engine was what failed.
    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try call()
        return try base.savepoint(body)
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { base.afterCommit(action) }
    func beforeCommit(_ action: @escaping (any SQLSession) throws -> Void) { base.beforeCommit { [self] _ in try action(self) } }
}
