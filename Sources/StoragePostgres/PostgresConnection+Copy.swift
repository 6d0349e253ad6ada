import CLibPQ
import Dispatch
import Foundation
import Storage

/// COPY, in both directions.
extension PostgresConnection {
    /// Sends the rows of several tables, one COPY after another. The first lines of a table are made before the answer to the one
    /// before is awaited: the server works meanwhile.
    /// - Parameter next: the statement and the bytes it takes, piece by piece.
    func copyIn(
        _ next: () throws -> (statement: String, pieces: CopyPieces)?, until deadline: () -> DispatchTime
    ) throws {
        try leavePipeline(until: deadline())
        var isAwaited = false
        func finish() throws {
            guard isAwaited else { return }
            isAwaited = false
            try collect(until: deadline())
        }
        do {
            while let (statement, pieces) = try next() {
                var piece = try pieces.next()
                try finish()
                guard PQsendQuery(handle, statement) == 1 else { throw connectionFailure() }
                let ready = try self.next(until: deadline())
                // Whatever the answer was: it has to be read to its end.
                isAwaited = true
                guard ready.status == PGRES_COPY_IN else { throw PostgresFailure(result: ready.pointer) }
                do {
                    while !piece.isEmpty {
                        try sendPiece(piece)
                        piece = try pieces.next()
                    }
                } catch {
                    PQputCopyEnd(handle, "the rows could not be made")
                    throw error
                }
                guard PQputCopyEnd(handle, nil) == 1 else { throw connectionFailure() }
            }
            try finish()
        } catch {
            if isAwaited { drain(until: deadline()) }
            throw error
        }
    }

    private func sendPiece(_ bytes: [UInt8]) throws {
        let sent = bytes.withUnsafeBytes {
            PQputCopyData(handle, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count))
        }
        guard sent == 1 else { throw connectionFailure() }
    }

    private func drain(until deadline: DispatchTime) { _ = try? collect(until: deadline) }

    /// Sends the rows of a query through COPY ... TO STDOUT (text format), one at a time: what is not taken stays with the
    /// server. The columns' names and types are told first.
    /// - Parameter waitSeconds: for each next row.
    /// - Throws: what `body` throws, after the server was made to stop; the transaction has failed then.
    func copyOut(
        _ sql: SQL, _ arguments: [SQLValue], waitSeconds: Int,
        _ body: (_ columns: PostgresResult, _ line: UnsafeBufferPointer<UInt8>) throws -> Void
    ) throws {
        func deadline() -> DispatchTime { .now() + .seconds(waitSeconds) }
        try leavePipeline(until: deadline())
        let name = try prepare(sql, until: deadline())
        guard PQsendDescribePrepared(handle, name) == 1 else { throw connectionFailure() }
        let columns = try collect(until: deadline())
        let text = try Self.copying(sql, arguments)
        guard PQsendQuery(handle, text) == 1 else { throw connectionFailure() }
        countTrip()
        let begun = try next(until: deadline())
        guard begun.status == PGRES_COPY_OUT else {
            defer { drain(until: deadline()) }
            throw PostgresFailure(result: begun.pointer)
        }
        do {
            while let line = try nextLine(until: deadline()) {
                defer { PQfreemem(line.start) }
                // Without the line feed at its end.
                let bytes = UnsafeRawPointer(line.start).assumingMemoryBound(to: UInt8.self)
                try body(columns, UnsafeBufferPointer(start: bytes, count: max(0, line.count - 1)))
            }
        } catch let failure as PostgresFailure {
            spoil()
            throw failure
        } catch {
            // Nobody wants the rest: the server is told, and what it has sent by then is thrown away.
            cancel()
            drain(until: deadline())
            throw error
        }
        try collect(until: deadline())
    }

    /// Takes what is left of a COPY without looking at it.
    func skipRows(until deadline: DispatchTime) throws {
        while let line = try nextLine(until: deadline) { PQfreemem(line.start) }
    }

    /// The next row; `nil` after the last one.
    private func nextLine(until deadline: DispatchTime) throws -> (start: UnsafeMutablePointer<CChar>, count: Int)? {
        while true {
            var line: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &line, 1)
            if count > 0, let line { return (line, Int(count)) }
            if count == 0 {
                try awaitBytes(until: deadline)
            } else {
                // -1 is the end; what came of it is told by the result. -2 is a broken connection.
                guard count == -1 else { throw connectionFailure() }
                return nil
            }
        }
    }

    /// COPY takes no parameters: each placeholder becomes a quoted literal, whose type the server infers as it would the
    /// placeholder's.
    static func copying(_ sql: SQL, _ arguments: [SQLValue]) throws -> String {
        var result: [UInt8] = Array("COPY (".utf8)
        let bytes = Array(sql.text.utf8)
        result.reserveCapacity(bytes.count + 64)
        var quote: UInt8?
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "$"), place < bytes.count, (48...57).contains(bytes[place]) {
                var number = 0
                while place < bytes.count, (48...57).contains(bytes[place]), number < 100_000 {
                    number = number * 10 + Int(bytes[place] - 48)
                    place += 1
                }
                guard (1...max(1, arguments.count)).contains(number), !arguments.isEmpty else {
                    throw StorageError(.statement, "wrong number of statement arguments: \(arguments.count)")
                }
                result += try literal(arguments[number - 1])
                continue
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self) + ") TO STDOUT"
    }

    /// Quotes are doubled; with `standard_conforming_strings` nothing else has a meaning between them.
    private static func literal(_ value: SQLValue) throws -> [UInt8] {
        guard let text = try ParameterText.of(value) else { return Array("NULL".utf8) }
        var result: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "'") { result.append(byte) }
            result.append(byte)
        }
        result.append(UInt8(ascii: "'"))
        return result
    }
}
