import Kernel

/// A statement text, written once for both engines with `$1...` placeholders. Made only from a literal in the source
/// (`StaticString`) or by `SQLBuilder`, so no value can ever be pasted into it.
package struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    package let text: String

    package init(stringLiteral value: StaticString) { text = value.description }
    /// `"SELECT \(columns) FROM t"`: only another `SQL` can be put in, so that still every word is from the source.
    package init(stringInterpolation pieces: StringInterpolation) { text = pieces.text }
    package init(_ value: StaticString) { text = value.description }
    /// Only for Storage and the files named `*+Dialect.swift`.
    package init(trusted text: String) { self.text = text }

    package var description: String { text }
}

extension SQL {
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        package init(literalCapacity: Int, interpolationCount: Int) {}
        package mutating func appendLiteral(_ literal: StaticString) { text += literal.description }
        package mutating func appendInterpolation(_ piece: SQL) { text += piece.text }
    }
}

/// One bound or read value. Time is an integer of epoch milliseconds, a date is text `YYYY-MM-DD`, money is minor units.
package enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    case text(String)
    case bool(Bool)
    case bytes([UInt8])

    package static func id<K>(_ id: ID<K>) -> SQLValue { .int(id.rawValue) }
    package static func id<K>(_ id: ID<K>?) -> SQLValue { id.map { .int($0.rawValue) } ?? .null }
    package static func time(_ instant: Instant) -> SQLValue { .int(instant.milliseconds) }
    package static func time(_ instant: Instant?) -> SQLValue { instant.map { .int($0.milliseconds) } ?? .null }
    package static func date(_ date: LocalDate?) -> SQLValue { date.map { .text($0.description) } ?? .null }
    package static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    package static func int(_ int: Int) -> SQLValue { .int(Int64(int)) }
    package static func int(_ int: Int64?) -> SQLValue { int.map { .int($0) } ?? .null }
    package static func double(_ double: Double?) -> SQLValue { double.map { .double($0) } ?? .null }
    package static func bool(_ bool: Bool?) -> SQLValue { bool.map { .bool($0) } ?? .null }
}

/// Builds a statement with an optional part: every appended piece is a literal, every value becomes a placeholder.
package struct SQLBuilder {
    package private(set) var text: String
    package private(set) var arguments: [SQLValue]

    package init(_ start: SQL, _ arguments: [SQLValue] = []) {
        text = start.text
        text.reserveCapacity(512)
        self.arguments = arguments
    }

    /// Nearly all statements have fewer.
    private static let marks = (0...40).map { "$\($0)" }

    private static func mark(_ number: Int) -> String { number < marks.count ? marks[number] : "$\(number)" }

    /// The finished statement.
    package var sql: SQL { SQL(trusted: text) }

    /// Appends literal text.
    package mutating func append(_ piece: SQL) { text += " " + piece.text }

    /// Appends literal text in which each `?` stands for the next value.
    package mutating func append(_ piece: SQL, _ values: SQLValue...) { append(piece, values: values) }

    package mutating func append(_ piece: SQL, values: [SQLValue]) {
        text += " "
        var rest = values[...]
        var piece = piece.text[...]
        while !rest.isEmpty, let place = piece.utf8.firstIndex(of: UInt8(ascii: "?")), let value = rest.popFirst() {
            arguments.append(value)
            text += piece[..<place]
            text += Self.mark(arguments.count)
            piece = piece[piece.utf8.index(after: place)...]
        }
        text += piece
        precondition(rest.isEmpty, "each value needs a ? in the SQL piece")
    }

    /// Appends another statement; its placeholders `$1...` become the next ones of this. Each value of it is used once, in order.
    package mutating func append(_ other: SQLBuilder) {
        var piece = ""
        var rest = other.text[...]
        var number = 1
        while let place = rest.firstRange(of: Self.mark(number)) {
            piece += rest[..<place.lowerBound] + Self.mark(arguments.count + number)
            rest = rest[place.upperBound...]
            number += 1
        }
        precondition(number == other.arguments.count + 1, "each placeholder once, in order")
        text += " " + piece + rest
        arguments += other.arguments
    }

    /// Appends `head IN ($n, ...)`; an empty list matches nothing. At most `Limits.sqlListChunk` values.
    package mutating func appendIn(_ head: SQL, _ values: [SQLValue]) {
        precondition(values.count <= Limits.sqlListChunk, "split lists into chunks of Limits.sqlListChunk")
        text += " " + head.text + " IN ("
        // `IN ()` is no SQL; nothing is equal to NULL.
        if values.isEmpty { text += "NULL" }
        for (offset, value) in values.enumerated() {
            arguments.append(value)
            if offset > 0 { text += "," }
            text += Self.mark(arguments.count)
        }
        text += ")"
    }
}

extension Sequence {
    /// Consecutive pieces of at most `size` elements, for `IN` lists and batches.
    package func chunked(_ size: Int) -> [[Element]] {
        var result: [[Element]] = []
        var piece: [Element] = []
        for element in self {
            piece.append(element)
            if piece.count == size {
                result.append(piece)
                piece = []
            }
        }
        if !piece.isEmpty { result.append(piece) }
        return result
    }
}
