import CLibPQ
import Dispatch
import Foundation
import Storage
import Synchronization

/// How often anybody has waited for an answer of the server, and for how many statements; for tests and measurements.
final class RoundTrips: Sendable {
    private let numbers = Mutex((trips: 0, statements: 0))
    var count: Int { numbers.withLock { $0.trips } }
    var statements: Int { numbers.withLock { $0.statements } }
    func add() { numbers.withLock { $0.trips += 1 } }
    func addStatement() { numbers.withLock { $0.statements += 1 } }
}

/// The answer to a statement that was sent in the pipeline.
final class PostgresAnswer {
    /// What the driver did: a preparation's failure makes its statement unknown again.
    enum Kind { case rows, command, preparation(SQL) }
    let kind: Kind
    /// The connection keeps its unread answers.
    private weak var connection: PostgresConnection?
    fileprivate(set) var outcome: Result<PostgresResult, PostgresFailure>?

    init(_ kind: Kind, _ connection: PostgresConnection) {
        self.kind = kind
        self.connection = connection
    }

    /// Sends what has not been sent, and waits.
    /// - Throws: `PostgresFailure`.
    func result(until deadline: DispatchTime) throws -> PostgresResult {
        if outcome == nil { try connection?.synchronise(until: deadline) }
        guard let outcome else { throw PostgresFailure(state: "", detail: "the answer was lost") }
        return try outcome.get()
    }
}

/// libpq's pipeline mode: statements are sent together and answered together.
extension PostgresConnection {
    /// Statements that wait to be sent; more are sent and answered before the next one is taken.
    static let unreadMax = 128

    /// Asks for a statement without waiting. It leaves with the next `synchronise`.
    func ask(_ sql: SQL, _ arguments: [SQLValue], until deadline: DispatchTime) throws -> PostgresAnswer {
        if unread.count >= Self.unreadMax { try synchronise(until: deadline) }
        if arguments.count > Self.preparedArgumentsMax {
            try enterPipeline()
            try sendOnce(sql, arguments)
            let answer = PostgresAnswer(.rows, self)
            unread.append(answer)
            return answer
        }
        let name: String
        if let known = known(sql) {
            name = known
        } else if isFullOfStatements {
            // One has to go, which has to be waited for.
            try leavePipeline(until: deadline)
            name = try prepare(sql, until: deadline)
        } else {
            try enterPipeline()
            name = try sendPreparation(sql)
            unread.append(PostgresAnswer(.preparation(sql), self))
        }
        try enterPipeline()
        try send(name, arguments)
        let answer = PostgresAnswer(.rows, self)
        unread.append(answer)
        return answer
    }

    /// Asks for a command without parameters (BEGIN).
    @discardableResult
    func askCommand(_ text: String) throws -> PostgresAnswer {
        try enterPipeline()
        guard PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 0) == 1 else { throw connectionFailure() }
        let answer = PostgresAnswer(.command, self)
        unread.append(answer)
        return answer
    }

    private func enterPipeline() throws {
        guard PQpipelineStatus(handle) == PQ_PIPELINE_OFF else { return }
        guard PQenterPipelineMode(handle) == 1 else { throw connectionFailure() }
    }

    /// Sends what was asked for and reads every answer: one round trip. A statement's failure is its answer's; those
    /// after it in the same trip were not run and fail with it.
    /// - Throws: `PostgresFailure` when the connection broke.
    func synchronise(until deadline: DispatchTime) throws {
        guard !unread.isEmpty else { return }
        let batch = unread
        unread = []
        guard PQpipelineSync(handle) == 1 else { throw connectionFailure() }
        countTrip()
        var first: PostgresFailure?
        var place = 0
        do {
            while true {
                // `nil` between the answers of two statements.
                guard let result = try nextOrEnd(until: deadline) else {
                    guard PQstatus(handle) == CONNECTION_OK else { throw connectionFailure() }
                    continue
                }
                if result.status == PGRES_PIPELINE_SYNC { break }
                guard place < batch.count else { throw connectionFailure() }
                let answer = batch[place]
                place += 1
                switch result.status {
                case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
                    let failure = PostgresFailure(result: result.pointer)
                    first = first ?? failure
                    answer.outcome = .failure(failure)
                case PGRES_PIPELINE_ABORTED:
                    answer.outcome = .failure(first ?? PostgresFailure(state: "25P02", detail: "an earlier one failed"))
                default: answer.outcome = .success(result)
                }
                if case .preparation(let sql) = answer.kind, case .failure? = answer.outcome { forget(sql) }
            }
        } catch {
            spoil()
            throw error
        }
        // A server that ends the connection says so in place of the answers that are missing.
        for answer in batch[place...] {
            answer.outcome = .failure(first ?? PostgresFailure(state: "", detail: "the answer was lost"))
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            spoil()
            if let first, first.isConnection { throw first }
            throw connectionFailure()
        }
        if first?.state == "0A000" { forgetAll() }
    }

    /// Reads what is left and goes back to one statement at a time.
    func leavePipeline(until deadline: DispatchTime) throws {
        try synchronise(until: deadline)
        guard PQpipelineStatus(handle) != PQ_PIPELINE_OFF else { return }
        guard PQexitPipelineMode(handle) == 1 else { throw connectionFailure() }
    }
}
