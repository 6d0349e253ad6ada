import Kernel
import Storage

/// An attribute whose conditions the engine answers by an index, and perhaps orders by.
package struct TMFColumn: Sendable {
    package enum Place: Sendable {
        /// A column of the row itself.
        case own(SQL)
        /// A column of rows that belong to it: `EXISTS (head AND column = …)`.
        case inside(head: SQL, column: SQL)
    }

    package let path: AttributePath
    package let place: Place
    /// What the column has for a value of the interface; `nil` = no row can have it.
    package let stored: @Sendable (String) -> SQLValue?
    /// Whether the column's own order is the attribute's: then it answers more than equality.
    package let isOrdered: Bool
    /// Whether lists may be ordered by it: an own column that is never NULL, with an index that begins with it.
    package let sorts: Bool

    package init(
        _ path: String, _ place: Place, isOrdered: Bool = true, sorts: Bool = false,
        stored: @escaping @Sendable (String) -> SQLValue?
    ) {
        self.path = AttributePath(path)
        self.place = place
        self.stored = stored
        self.isOrdered = isOrdered
        if case .own = place { self.sorts = sorts } else { self.sorts = false }
    }

    package static func text(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { .text($0) }
    }

    /// Epoch milliseconds.
    package static func time(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { text in TMFTime(text).map { .int($0.milliseconds) } }
    }

    package static func integer(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { text in Int64(text).map { .int($0) } }
    }

    /// An id of ours, a number in the database and a text in the interface.
    package static func id(_ path: String, _ place: Place, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, place, isOrdered: false, sorts: sorts) { text in
            Int64(text).flatMap { String($0) == text ? .int($0) : nil }
        }
    }

    /// Words of the interface that stand for words of ours.
    package static func words(_ path: String, _ column: SQL, _ stored: [String: String]) -> TMFColumn {
        TMFColumn(path, .own(column), isOrdered: false) { text in stored[text].map { .text($0) } }
    }

    /// Whether it can answer a condition, as `TMFMatch` would.
    func answers(_ condition: TMFCondition) -> Bool {
        guard condition.target.path == path else { return false }
        switch condition.comparison {
        case .eq, .ne: return true
        case .gt, .gte, .lt, .lte: return isOrdered && condition.values.allSatisfy { stored($0) != nil }
        case .regex: return false
        }
    }

    /// Appends ` AND …` for a condition it answers.
    func append(_ condition: TMFCondition, to builder: inout SQLBuilder) {
        var values: [SQLValue] = []
        for value in condition.values.compactMap(stored) where !values.contains(value) { values.append(value) }
        let isNot = condition.comparison == .ne
        switch place {
        case .own(let column):
            if values.isEmpty { return builder.append(isNot ? "" : "AND 1 = 0") }
            if isNot {
                builder.append("AND (")
                builder.append(column)
                builder.append("IS NULL OR NOT (")
                compare(column, .eq, values, &builder)
                builder.append("))")
            } else {
                builder.append("AND (")
                compare(column, condition.comparison, values, &builder)
                builder.append(")")
            }
        case .inside(let head, let column):
            if values.isEmpty { return builder.append(isNot ? "" : "AND 1 = 0") }
            builder.append(isNot ? "AND NOT EXISTS (" : "AND EXISTS (")
            builder.append(head)
            builder.append("AND (")
            compare(column, isNot ? .eq : condition.comparison, values, &builder)
            builder.append("))")
        }
    }

    /// One of the values is enough.
    private func compare(
        _ column: SQL, _ comparison: TMFCondition.Operator, _ values: [SQLValue], _ builder: inout SQLBuilder
    ) {
        if comparison == .eq { return builder.appendIn(column, values) }
        let sign: SQL =
            switch comparison {
            case .gt: "> ?"
            case .gte: ">= ?"
            case .lt: "< ?"
            default: "<= ?"
            }
        for (offset, value) in values.enumerated() {
            if offset > 0 { builder.append("OR") }
            builder.append(column)
            builder.append(sign, value)
        }
    }
}
