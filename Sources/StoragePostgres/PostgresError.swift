import CLibPQ
import Storage

/// What the server said about a failed statement, before it becomes a `StorageError`.
struct PostgresFailure: Error, Sendable {
    /// SQLSTATE, five characters; empty when the failure is the connection's.
    let state: String
    /// Words of the server without values: the primary message of class 22 may quote what was sent.
    let detail: String

    /// From when on the server has not answered, where somebody waited for it; `nil` = from now on.
    var since: ContinuousClock.Instant?

    /// A row was on its way into a table's default partition when its month was attached: a check that failed and has no name.
    private let isMovedMonth: Bool
    /// `table.column` that may not be NULL.
    private let missing: String?

    /// The transaction may be run again from its start: serialisation failure, deadlock, a month made meanwhile.
    var isRetryable: Bool { state == "40001" || state == "40P01" || isMovedMonth }
    /// The connection is gone or leads to a server that cannot serve it (shutdown, read-only after a switch-over).
    ///
    /// 0A000 (feature not supported) is one of them: a standby refuses SERIALIZABLE with it, before it could say that it is
    /// read-only, and behind a proxy one meets a server that is promoted in a moment. The other way to it is a prepared
    /// statement whose table was migrated, which a fresh connection cures as well.
    var isConnection: Bool {
        state.isEmpty || state.hasPrefix("08") && !isMiscounted || state.hasPrefix("57P") || state == "0A000" || isReadOnly
    }
    /// Too few or too many arguments are a violation of the protocol as well, and stay so on every connection. (Poolers say
    /// 08P01 when a server went away.)
    private var isMiscounted: Bool { state == "08P01" && detail.contains("bind message supplies") }
    /// The words of a standby.
    var isOfStandby: Bool { isReadOnly || state == "0A000" }
    /// The transaction may not write: the server is a standby by now, or the transaction is a read.
    var isReadOnly: Bool { state == "25006" }

    /// PostgreSQL's SQLSTATE (appendix A of its manual) as the kinds both engines share.
    var storageError: StorageError {
        if isConnection { return StorageError(.connection, detail) }
        if isMovedMonth { return StorageError(.busy, detail) }
        switch state {
        case "23505": return StorageError(.uniqueViolation, detail)
        case "23502": return StorageError(.constraintViolation, detail, missing: missing)
        case _ where state.hasPrefix("23"): return StorageError(.constraintViolation, detail)
        case "40001", "40P01", "55P03", "57014", "53300": return StorageError(.busy, detail)
        case "53100": return StorageError(.full, detail)
        case "58030", "XX001", "XX002": return StorageError(.io, detail)
        case _ where state.hasPrefix("42") || state.hasPrefix("22") || state.hasPrefix("25"):
            return StorageError(.statement, detail)
        default: return StorageError(.other, detail)
        }
    }

    init(state: String, detail: String, since: ContinuousClock.Instant? = nil) {
        self.since = since
        self.state = state
        self.detail = detail
        isMovedMonth = false
        missing = nil
    }

    /// Reads the fields of a failed result. Names of tables, columns and constraints, never DETAIL, which holds values.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        let state = field(Self.sqlState) ?? ""
        self.state = state
        isMovedMonth = state == "23514" && (field(Self.constraint) ?? "").isEmpty
        missing = state == "23502" ? field(Self.table).flatMap { table in field(Self.column).map { "\(table).\($0)" } } : nil
        var words =
            state.hasPrefix("22")
            ? "a value does not fit its column or parameter" : field(Self.primary) ?? "the statement failed"
        for (name, code) in [("table", Self.table), ("column", Self.column), ("constraint", Self.constraint)] {
            if let value = field(code), !value.isEmpty { words += ", \(name) \(value)" }
        }
        detail = state.isEmpty ? words : "\(words) (\(state))"
    }

    /// Codes of `PQresultErrorField` (postgres_ext.h): character literals that do not come over from C.
    private static let sqlState = Int32(UInt8(ascii: "C"))
    private static let primary = Int32(UInt8(ascii: "M"))
    private static let table = Int32(UInt8(ascii: "t"))
    private static let column = Int32(UInt8(ascii: "c"))
    private static let constraint = Int32(UInt8(ascii: "n"))
}
