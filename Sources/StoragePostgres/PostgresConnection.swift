import CLibPQ
import Dispatch
import Foundation
import Storage
import Synchronization

/// One connection of libpq with its prepared statements. Every call happens on `queue`, which has a thread of its own: a
/// blocking call never sits on the cooperative pool.
final class PostgresConnection: @unchecked Sendable {
    let queue = DispatchQueue(label: "switchboard.postgres")
    let handle: OpaquePointer
    private let notices = Notices()
    /// Statements that were sent and whose answers have not been read, oldest first.
    var unread: [PostgresAnswer] = []
    private let trips: RoundTrips
    private var statements: [SQL: Statement] = [:]
    private var clock: UInt64 = 0
    private var named: UInt64 = 0

    private struct Statement {
        let name: String
        var usedAt: UInt64
    }

    /// Statements kept prepared on the server for one connection; the one used longest ago makes room.
    static let statementsMax = 400
    /// A statement with more arguments is planned anew each time (`sendOnce`).
    static let preparedArgumentsMax = 64
    /// Statements sent before their answers are read. Their answers (about 40 bytes each) fit into the socket's buffer, so
    /// that neither side waits for the other to read.
    static let pipelineDepth = 256

    /// Whom to ask whether the server lives; `nil` where an answer may take hours.
    private let vigil: PostgresVigil?
    private let place: PostgresVigil.Place

    /// Warnings of the server since the last look. Filled by libpq on the connection's own thread.
    private final class Notices {
        var waitCancelled = false
    }

    /// Short commands crashed after their work was done, in OpenSSL's clean-up beside a thread that closed its connection.
    private static let cryptoStaysToTheEnd = pq_keep_crypto_to_the_end()

    /// Opens a connection and sets what every session of ours needs. Call on a thread that may block.
    /// - Throws: `PostgresFailure` without SQLSTATE when no server of the list answers.
    init(_ settings: PostgresSettings, trips: RoundTrips = RoundTrips(), vigil: PostgresVigil? = nil) throws {
        self.trips = trips
        self.vigil = vigil
        _ = Self.cryptoStaysToTheEnd
        var keywords = [
            "dbname", "fallback_application_name", "connect_timeout", "client_encoding", "tcp_user_timeout",
        ]
        var values = [
            settings.url, "switchboard", String(settings.connectSeconds), "UTF8", "15000",
        ]
        if let attributes = settings.targetSessionAttributes {
            keywords.append("target_session_attrs")
            values.append(attributes)
        }
        let opened = withCStrings(keywords) { keywords in
            withCStrings(values) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let opened else { throw PostgresFailure(state: "", detail: "out of memory") }
        guard PQstatus(opened) == CONNECTION_OK else {
            let words = settings.withoutPassword(Self.words(opened))
            PQfinish(opened)
            throw PostgresFailure(state: "", detail: words)
        }
        handle = opened
        place = PostgresVigil.Place(
            host: Self.text(PQhost(opened)), address: Self.text(PQhostaddr(opened)), port: Self.text(PQport(opened)))
        PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context, let result else { return }
                let notices = Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue()
                // security.md, decision 2: COMMIT says OK and warns that its wait for the standby was cut short.
                guard let words = PQresultErrorField(result, Int32(UInt8(ascii: "M"))) else { return }
                if String(cString: words).contains("synchronous replication") { notices.waitCancelled = true }
            }, Unmanaged.passUnretained(notices).toOpaque())
        // From here on the object is whole: a throw runs `deinit`, which closes the connection.
        try simple(
            """
            SET statement_timeout = \(settings.statementMilliseconds); SET lock_timeout = \(settings.lockMilliseconds);
            SET idle_in_transaction_session_timeout = \(settings.idleInTransactionMilliseconds);
            SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1; SET bytea_output = 'hex';
            SET standard_conforming_strings = on; SET default_transaction_isolation = '\(settings.isolation)'
            """, until: .now() + .seconds(settings.connectSeconds))
    }

    deinit { PQfinish(handle) }

    /// False after the connection broke: it is thrown away then.
    var isUsable: Bool {
        PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) != PQTRANS_ACTIVE && !isSpoiled
    }
    /// Set when an answer was not waited for: what comes next on the wire belongs to nobody.
    private(set) var isSpoiled = false
    func spoil() { isSpoiled = true }

    var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }
    var isFailed: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

    /// Whether the server warned since the last call that a commit was not confirmed by its standby.
    func takeReplicationWarning() -> Bool {
        defer { notices.waitCancelled = false }
        return notices.waitCancelled
    }

    // MARK: Statements

    /// Runs statements without parameters in the simple protocol (BEGIN, COMMIT, SET, DDL). Returns the last result.
    @discardableResult
    func simple(_ text: String, until deadline: DispatchTime) throws -> PostgresResult {
        try leavePipeline(until: deadline)
        guard PQsendQuery(handle, text) == 1 else { throw connectionFailure() }
        return try collect(until: deadline)
    }

    /// Runs a prepared statement, preparing it first when this connection does not know it.
    func run(_ sql: SQL, _ arguments: [SQLValue], until deadline: DispatchTime) throws -> PostgresResult {
        // It goes with what waits to be sent.
        guard unread.isEmpty else { return try ask(sql, arguments, until: deadline).result(until: deadline) }
        try leavePipeline(until: deadline)
        if arguments.count > Self.preparedArgumentsMax {
            try sendOnce(sql, arguments)
        } else {
            try send(try prepare(sql, until: deadline), arguments)
        }
        return try collect(until: deadline)
    }

    /// Runs a prepared statement once for each row of arguments, pipelined. Returns the number of rows changed.
    func runMany(_ sql: SQL, _ rows: [[SQLValue]], until deadline: DispatchTime) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        try leavePipeline(until: deadline)
        let name = try prepare(sql, until: deadline)
        var changed = 0
        guard PQenterPipelineMode(handle) == 1 else { throw connectionFailure() }
        var start = 0
        var failure: (any Error)?
        while start < rows.count, failure == nil {
            let end = min(start + Self.pipelineDepth, rows.count)
            do {
                for row in rows[start..<end] { try send(name, row) }
            } catch {
                failure = error
            }
            guard PQpipelineSync(handle) == 1 else { throw connectionFailure() }
            trips.add()
            // Everything up to the synchronisation point is read, whatever failed, so that the connection stays usable.
            synchronising: while true {
                let result: PostgresResult
                do { result = try next(until: deadline) } catch { isSpoiled = true; throw error }
                switch result.status {
                case PGRES_PIPELINE_SYNC: break synchronising
                case PGRES_PIPELINE_ABORTED: break
                case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                    if failure == nil { failure = PostgresFailure(result: result.pointer) }
                default: if result.isChange { changed += result.affected }
                }
            }
            start = end
        }
        guard PQexitPipelineMode(handle) == 1 else {
            isSpoiled = true
            throw failure ?? connectionFailure()
        }
        if let failure { throw failure }
        return changed
    }

    /// The server-side name of a statement.
    func prepare(_ sql: SQL, until deadline: DispatchTime) throws -> String {
        if let name = known(sql) { return name }
        try makeRoom(until: deadline)
        named += 1
        let name = "s\(named)"
        guard PQsendPrepare(handle, name, sql.text, 0, nil) == 1 else { throw connectionFailure() }
        try collect(until: deadline)
        statements[sql] = Statement(name: name, usedAt: clock)
        return name
    }

    /// The name of a statement that has been prepared.
    func known(_ sql: SQL) -> String? {
        clock += 1
        guard statements[sql] != nil else { return nil }
        statements[sql]?.usedAt = clock
        return statements[sql]?.name
    }

    /// Sends the preparation of a statement ahead of the statement itself; `forget` when the server refuses it.
    func sendPreparation(_ sql: SQL) throws -> String {
        named += 1
        let name = "s\(named)"
        guard PQsendPrepare(handle, name, sql.text, 0, nil) == 1 else { throw connectionFailure() }
        statements[sql] = Statement(name: name, usedAt: clock)
        return name
    }

    func forget(_ sql: SQL) { statements[sql] = nil }
    func forgetAll() { statements = [:] }

    var isFullOfStatements: Bool { statements.count >= Self.statementsMax }

    private func makeRoom(until deadline: DispatchTime) throws {
        if statements.count >= Self.statementsMax,
            let oldest = statements.min(by: { $0.value.usedAt < $1.value.usedAt })
        {
            statements[oldest.key] = nil
            // In a failed transaction nothing can be sent; the server forgets the name with the connection.
            if !isFailed { try simple("DEALLOCATE \(oldest.value.name)", until: deadline) }
        }
    }

    /// Forgets every prepared statement: after a migration their results may have other columns.
    func forgetStatements(until deadline: DispatchTime) {
        statements = [:]
        _ = try? simple("DEALLOCATE ALL", until: deadline)
    }

    /// Sends a statement without preparing it. One with a long list (`IN ($1, ... $500)`) has a length of its own each time, and
    /// the plan that the server keeps for a prepared one was made for the sizes of then: an import into an empty database
    /// would go on reading whole tables for its look-ups while they grow.
    func sendOnce(_ sql: SQL, _ arguments: [SQLValue]) throws {
        trips.addStatement()
        let texts = try arguments.map(ParameterText.of)
        let sent = withOptionalCStrings(texts) { values in
            PQsendQueryParams(handle, sql.text, Int32(arguments.count), nil, values, nil, nil, 0)
        }
        guard sent == 1 else { throw connectionFailure() }
    }

    func send(_ name: String, _ arguments: [SQLValue]) throws {
        trips.addStatement()
        let texts = try arguments.map(ParameterText.of)
        let sent = withOptionalCStrings(texts) { values in
            PQsendQueryPrepared(handle, name, Int32(arguments.count), values, nil, nil, 0)
        }
        guard sent == 1 else { throw connectionFailure() }
    }

    // MARK: Answers

    /// Reads results up to the end of the command; the last one, or the first failure.
    @discardableResult
    func collect(until deadline: DispatchTime) throws -> PostgresResult {
        var last: PostgresResult?
        var failure: PostgresFailure?
        trips.add()
        while true {
            let result: PostgresResult?
            do { result = try nextOrEnd(until: deadline) } catch { isSpoiled = true; throw error }
            guard let result else { break }
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
                if failure == nil { failure = PostgresFailure(result: result.pointer) }
            // The rest of a COPY that was cut short.
            case PGRES_COPY_OUT: try skipRows(until: deadline)
            case PGRES_COPY_IN, PGRES_COPY_BOTH: PQputCopyEnd(handle, "not expected here")
            default: last = result
            }
        }
        if PQstatus(handle) != CONNECTION_OK { throw connectionFailure() }
        if let failure {
            if failure.state == "0A000" { statements = [:] }
            throw failure
        }
        guard let last else { throw connectionFailure() }
        return last
    }

    func next(until deadline: DispatchTime) throws -> PostgresResult {
        while true {
            if let result = try nextOrEnd(until: deadline) { return result }
            if PQstatus(handle) != CONNECTION_OK { throw connectionFailure() }
        }
    }

    /// `nil` at the end of a command. A server that has gone silent is noticed.
    func nextOrEnd(until deadline: DispatchTime) throws -> PostgresResult? {
        while PQisBusy(handle) == 1 { try awaitBytes(until: deadline) }
        return PQgetResult(handle).map(PostgresResult.init)
    }

    /// Waits in poll(2) until the server has sent something, and takes it in. A server that answers nobody any more is not
    /// waited for.
    func awaitBytes(until deadline: DispatchTime) throws {
        let began = ContinuousClock.now
        while true {
            let left = Int64(deadline.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)
            guard left > 0 else {
                throw PostgresFailure(state: "", detail: "the server did not answer in time", since: began)
            }
            var milliseconds = left / 1_000_000 + 1
            if vigil != nil { milliseconds = min(milliseconds, PostgresVigil.slice.components.seconds * 1_000) }
            var waiting = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, Int32(clamping: milliseconds))
            if waiting.revents != 0 {
                guard PQconsumeInput(handle) == 1 else { throw connectionFailure() }
                return
            }
            if let vigil, ContinuousClock.now - began >= PostgresVigil.slice, vigil.isSilent(place) {
                isSpoiled = true
                throw PostgresFailure(state: "", detail: "the server has stopped answering", since: began)
            }
        }
    }

    /// Whether a server accepts connections there, or says why it does not. Call on a thread that may block.
    static func answers(_ url: String, at place: PostgresVigil.Place, seconds: Int) -> Bool {
        var (keywords, values) = (["dbname", "connect_timeout"], [url, String(seconds)])
        for (keyword, value) in [("host", place.host), ("hostaddr", place.address), ("port", place.port)]
        where !value.isEmpty {
            keywords.append(keyword)
            values.append(value)
        }
        let answer = withCStrings(keywords) { keywords in
            withCStrings(values) { values in PQpingParams(keywords, values, 1) }
        }
        // Settings that say nothing are no silence of the server's.
        return answer != PQPING_NO_RESPONSE
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

    /// A wait for an answer has begun.
    func countTrip() { trips.add() }

    func connectionFailure() -> PostgresFailure {
        isSpoiled = true
        return PostgresFailure(state: "", detail: Self.words(handle))
    }

    /// libpq's words in one line: host and reason, never a password.
    private static func words(_ handle: OpaquePointer) -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let line = text.replacing("\t", with: "").split(whereSeparator: \.isNewline).joined(separator: "; ")
        return line.isEmpty ? "the connection was lost" : line
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<T>(_ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
    withOptionalCStrings(texts + [String?.none], body)
}

/// Calls `body` with an array of C strings, NULL for `nil`, all in one buffer.
func withOptionalCStrings<T>(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
    var buffer: [CChar] = []
    var starts: [Int?] = []
    buffer.reserveCapacity(texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) + 1 })
    for text in texts {
        guard let text else {
            starts.append(nil)
            continue
        }
        starts.append(buffer.count)
        var native = text
        native.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { buffer.append(contentsOf: $0) }
        }
        buffer.append(0)
    }
    return buffer.withUnsafeBufferPointer { bytes in
        body(starts.map { start in start.flatMap { bytes.baseAddress?.advanced(by: $0) } })
    }
}
