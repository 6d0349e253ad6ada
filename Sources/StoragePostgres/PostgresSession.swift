import Dispatch
import Storage

/// A connection inside a transaction seen as `SQLSession`; used on the connection's own thread.
final class PostgresSession: SQLSession {
    private let connection: PostgresConnection
    private let settings: PostgresSettings
    /// Of a read whose caller may go; `nil` for writes.
    private let interruption: PostgresInterruption?
    private(set) var commitActions: [@Sendable () -> Void] = []
    private var lastActions: [(any SQLSession) throws -> Void] = []
    private var savepointDepth = 0
    private var isInBulk = false
    /// Of a read: panels that do not know of each other ask the same, and in one snapshot the answer is the same.
    private var asked: [Question: PostgresAnswer] = [:]

    private struct Question: Hashable {
        let sql: SQL
        let arguments: [SQLValue]
        static let argumentsMax = 16
        static let keptMax = 64
    }
    /// A failure after which the whole transaction has to be made again, whatever the body makes of the error it is told.
    private(set) var fatal: PostgresFailure?
    /// The first failure of any kind.
    private(set) var failure: PostgresFailure?

    init(_ connection: PostgresConnection, _ settings: PostgresSettings, _ interruption: PostgresInterruption? = nil) {
        self.connection = connection
        self.settings = settings
        self.interruption = interruption
    }

    var dialect: Dialect { .postgres }
    private var deadline: DispatchTime { .now() + .seconds(settings.answerSeconds) }

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
        var batch: BulkRows? = BulkRows(into: table, columns, rows)
        try bulkInsert { batch.take() }
        return rows.count
    }

    func bulkInsert(_ next: () throws -> BulkRows?) throws {
        try translating {
            isInBulk = true
            defer { isInBulk = false }
            try connection.copyIn(
                {
                    while let batch = try next() {
                        guard !batch.rows.isEmpty else { continue }
                        return (
                            "COPY \(batch.table.text) (\(batch.columns.text)) FROM STDIN", CopyPieces(batch.rows)
                        )
                    }
                    return nil
                }, until: { deadline })
        }
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Bool) throws {
        try Self.each(try translating { try connection.run(sql, arguments, until: deadline) }, body)
    }

    private static func each(_ result: PostgresResult, _ body: (Row) throws -> Bool) throws {
        let reader = PostgresColumnReader(result)
        for row in 0..<result.rows {
            reader.row = row
            guard try body(Row(reader)) else { return }
        }
    }

    /// An answer seen through its session, which knows what a failure means for the transaction.
    private final class Answer: SQLAnswer {
        private let session: PostgresSession
        private let answer: PostgresAnswer
        init(_ session: PostgresSession, _ answer: PostgresAnswer) {
            self.session = session
            self.answer = answer
        }
        func forEach(_ body: (Row) throws -> Bool) throws {
            try PostgresSession.each(try session.translating { try answer.result(until: session.deadline) }, body)
        }
    }

    func ask(_ sql: SQL, _ arguments: [SQLValue]) throws -> any SQLAnswer {
        // Of a write the same question may have another answer by then.
        guard interruption != nil, arguments.count <= Question.argumentsMax else {
            return try translating { Answer(self, try connection.ask(sql, arguments, until: deadline)) }
        }
        let question = Question(sql: sql, arguments: arguments)
        if let known = asked[question] { return Answer(self, known) }
        return try translating {
            let answer = try connection.ask(sql, arguments, until: deadline)
            if asked.count < Question.keptMax { asked[question] = answer }
            return Answer(self, answer)
        }
    }

    func keepPlans() throws {
        try translating { try connection.askCommand("SET LOCAL plan_cache_mode = force_generic_plan") }
    }

    func preferIndexes() throws {
        try translating { try connection.askCommand("SET LOCAL enable_seqscan = off") }
    }

    func bulkRead(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws {
        // As long as rows come: the limit of statements is for what somebody waits for.
        try translating { try connection.simple("SET LOCAL statement_timeout = 0", until: deadline) }
        var reader: PostgresLineReader?
        var rows = 0
        try translating {
            isInBulk = true
            defer { isInBulk = false }
            try connection.copyOut(sql, arguments, waitSeconds: settings.answerSeconds) { columns, line in
                rows += 1
                if rows % 256 == 0, interruption?.isDue ?? false { throw CancellationError() }
                let row = reader ?? PostgresLineReader(columns)
                reader = row
                try row.read(line)
                try body(Row(row))
            }
        }
        try translating {
            try connection.simple("SET LOCAL statement_timeout = \(settings.statementMilliseconds)", until: deadline)
        }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "sb\(savepointDepth)"
        try translating { try connection.simple("SAVEPOINT \(name)", until: deadline) }
        let (actionsBefore, lastBefore) = (commitActions.count, lastActions.count)
        do {
            let result = try body()
            try translating { try connection.simple("RELEASE \(name)", until: deadline) }
            return result
        } catch {
            commitActions.removeSubrange(actionsBefore...)
            if lastActions.count > lastBefore { lastActions.removeSubrange(lastBefore...) }
            // What was not run because of the failure may be asked again.
            asked = [:]
            // What the body asked for and did not read is read: the connection has to be free.
            try? connection.leavePipeline(until: deadline)
            if connection.isUsable {
                try translating { try connection.simple("ROLLBACK TO \(name); RELEASE \(name)", until: deadline) }
            }
            throw error
        }
    }

    @discardableResult
    private func translating<T>(_ body: () throws -> T) throws -> T {
        guard !isInBulk else { throw StorageError(.statement, "a bulk read or insert is going on in this session") }
        if interruption?.isDue ?? false { throw CancellationError() }
        do {
            return try body()
        } catch let failure as PostgresFailure {
            if failure.isRetryable || failure.isConnection { fatal = failure }
            self.failure = self.failure ?? failure
            throw failure.storageError
        }
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }
    func beforeCommit(_ action: @escaping (any SQLSession) throws -> Void) { lastActions.append(action) }

    /// Runs a caller's body and then what it has left for the end.
    func whole<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        let value = try body(self)
        while !lastActions.isEmpty { try lastActions.removeFirst()(self) }
        return value
    }
}
