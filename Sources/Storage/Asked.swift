/// Rows that were asked for and may still be on their way; see `SQLSession.ask`.
package protocol SQLAnswer: AnyObject {
    /// Calls `body` for each row until it returns `false`; waits for the rows when they have not come yet.
    /// - Throws: `StorageError` of the statement, or what `body` throws.
    func forEach(_ body: (Row) throws -> Bool) throws
}

/// What a statement says, asked for already and read when it is needed. Good inside the closure of its session only.
///
/// Several of them asked one after another cost one round trip to PostgreSQL, however many they are; on SQLite each
/// statement runs when its value is read.
package struct Asked<Value> {
    private let read: () throws -> Value

    package init(_ read: @escaping () throws -> Value) { self.read = read }

    /// - Throws: `StorageError` of the statement, or what the mapping throws.
    package func value() throws -> Value { try read() }

    package func map<T>(_ change: @escaping (Value) throws -> T) -> Asked<T> { Asked<T> { try change(try read()) } }

    /// As a piece of work with one step.
    package var staged: Staged<Value> { .asked { .done(try read()) } }
}

/// The answer of a session that asks when the rows are wanted.
private final class LaterAnswer: SQLAnswer {
    private let session: any SQLSession
    private let sql: SQL
    private let arguments: [SQLValue]
    init(_ session: any SQLSession, _ sql: SQL, _ arguments: [SQLValue]) {
        self.session = session
        self.sql = sql
        self.arguments = arguments
    }
    func forEach(_ body: (Row) throws -> Bool) throws { try session.forEach(sql, arguments, body) }
}

extension SQLSession {
    /// For engines without a network between: the statement runs when its rows are read.
    package func ask(_ sql: SQL, _ arguments: [SQLValue]) throws -> any SQLAnswer {
        LaterAnswer(self, sql, arguments)
    }

    /// For engines that plan a statement once anyway.
    package func keepPlans() throws {}

    /// The engine's ordinary cursor.
    package func bulkRead(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws {
        try forEach(sql, arguments) { row in
            try body(row)
            return true
        }
    }

    /// Asks for all rows, mapped.
    package func asking<T>(_ sql: SQL, _ arguments: [SQLValue] = [], _ map: @escaping (Row) throws -> T) throws
        -> Asked<[T]>
    {
        let answer = try ask(sql, arguments)
        return Asked {
            var result: [T] = []
            try answer.forEach { row in
                result.append(try map(row))
                return true
            }
            return result
        }
    }

    package func asking<T>(_ builder: SQLBuilder, _ map: @escaping (Row) throws -> T) throws -> Asked<[T]> {
        try asking(builder.sql, builder.arguments, map)
    }

    /// Asks for the first row, mapped, or `nil`.
    package func askingFirst<T>(_ sql: SQL, _ arguments: [SQLValue] = [], _ map: @escaping (Row) throws -> T) throws
        -> Asked<T?>
    {
        let answer = try ask(sql, arguments)
        return Asked {
            var result: T?
            try answer.forEach { row in
                result = try map(row)
                return false
            }
            return result
        }
    }

    package func askingFirst<T>(_ builder: SQLBuilder, _ map: @escaping (Row) throws -> T) throws -> Asked<T?> {
        try askingFirst(builder.sql, builder.arguments, map)
    }
}

/// Work that asks, goes on with the answers, and perhaps asks again.
///
/// Several such pieces that go on in turn (`Staged.finish`) share their round trips: as many as the piece with the most
/// steps has, not as many as there are statements.
package enum Staged<Value> {
    case done(Value)
    /// Everything the next step needs has been asked for.
    case asked(() throws -> Staged<Value>)

    package func map<T>(_ change: @escaping (Value) throws -> T) rethrows -> Staged<T> {
        switch self {
        case .done(let value): .done(try change(value))
        case .asked(let next): .asked { try next().map(change) }
        }
    }

    /// Does what is left, by itself.
    package func finished() throws -> Value {
        var step = self
        while true {
            switch step {
            case .done(let value): return value
            case .asked(let next): step = try next()
            }
        }
    }

    /// Lets all pieces go on in turn, until the last one is done.
    /// - Parameter failed: makes the value of a piece that failed, or throws on.
    package static func finish(_ pieces: [Staged<Value>], failed: (_ piece: Int, any Error) throws -> Value) throws
        -> [Value]
    {
        var pieces = pieces
        var isGoingOn = true
        while isGoingOn {
            isGoingOn = false
            for place in pieces.indices {
                guard case .asked(let next) = pieces[place] else { continue }
                do { pieces[place] = try next() } catch { pieces[place] = .done(try failed(place, error)) }
                isGoingOn = true
            }
        }
        return try pieces.map { try $0.finished() }
    }
}
