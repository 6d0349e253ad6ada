import Dispatch
import Storage

/// A connection inside a transaction seen as `SQLSession`; used on the connection's own thread.
final class PostgresSession: SQLSession {
    private let connection: PostgresConnection
    private let seconds: Int
    private(set) var commitActions: [@Sendable () -> Void] = []
    private var savepointDepth = 0
    /// A failure after which the whole transaction has to be made again, whatever the body makes of the error it is told.
    private(set) var fatal: PostgresFailure?

    init(_ connection: PostgresConnection, answerSeconds: Int) {
        self.connection = connection
        seconds = answerSeconds
    }

    var dialect: Dialect { .postgres }
    private var deadline: DispatchTime { .now() + .seconds(seconds) }

    @discardableResult
    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int {
        let result = try translating { try connection.run(sql, arguments, until: deadline) }
        return result.isChange ? result.affected : 0
    }

    @discardableResult
    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int {
        try translating { try connection.runMany(sql, rows, until: deadline) }
    }

    @discardableResult
    func bulkInsert(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        return try translating {
            try connection.copyIn(
                "COPY \(table.text) (\(columns.text)) FROM STDIN",
                { send in
                    var buffer: [UInt8] = []
                    for row in rows {
                        try CopyText.append(row, to: &buffer)
                        if buffer.count >= 65_536 {
                            try send(buffer)
                            buffer.removeAll(keepingCapacity: true)
                        }
                    }
                    if !buffer.isEmpty { try send(buffer) }
                }, until: deadline)
        }
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Bool) throws {
        let result = try translating { try connection.run(sql, arguments, until: deadline) }
        let reader = PostgresColumnReader(result)
        for row in 0..<result.rows {
            reader.row = row
            guard try body(Row(reader)) else { return }
        }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "sb\(savepointDepth)"
        try translating { try connection.simple("SAVEPOINT \(name)", until: deadline) }
        let actionsBefore = commitActions.count
        do {
            let result = try body()
            try translating { try connection.simple("RELEASE \(name)", until: deadline) }
            return result
        } catch {
            commitActions.removeSubrange(actionsBefore...)
            if connection.isUsable {
                try translating { try connection.simple("ROLLBACK TO \(name); RELEASE \(name)", until: deadline) }
            }
            throw error
        }
    }

    @discardableResult
    private func translating<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as PostgresFailure {
            if failure.isRetryable || failure.isConnection { fatal = failure }
            throw failure.storageError
        }
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }
}
