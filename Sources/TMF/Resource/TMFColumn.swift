import Kernel
import Platform
import Storage

/// An attribute whose conditions the engine answers by an index, and perhaps orders by.
package struct TMFColumn: Sendable {
    package enum Place: Sendable {
        /// A column of the row itself.
        case own(SQL)
        /// A column of rows that belong to it: `id IN (SELECT owner_id FROM … WHERE TRUE AND column = …)`, which both engines answer
        /// by the index of the column where `EXISTS` would ask for each row.
        case inside(owners: SQL, column: SQL)
        /// Rows that any of the columns finds.
        case either([TMFColumn])
        /// Statements for ids of rows that may have one of the values; which of them have it the documents tell.
        case searched(@Sendable (_ values: [String], Dialect) -> [SQLBuilder])
        /// What class a resource says it is: that of its kind, unless its client said another, which is kept beside the row.
        case type(resource: String, own: String)
    }

    /// Whether the rows that it finds are those with the value, and no others.
    var isExact: Bool { if case .searched = place { false } else { orderKey == nil } }

    package let path: AttributePath
    package let place: Place
    /// What the column has for a value of the interface; `nil` = no row can have it.
    package let stored: @Sendable (String) -> SQLValue?
    /// Whether the column's own order is the attribute's: then it answers more than equality.
    package let isOrdered: Bool
    /// Whether lists may be ordered by it: an own column that is never NULL, with an index that begins with it.
    package let sorts: Bool
    /// Who may not see the values in clear is answered by what they see.
    package let mask: MaskKind
    /// What the column has for a value, where that is not the value itself: then it is of the order alone, which goes by this.
    package let orderKey: (@Sendable (String) -> String)?

    package init(
        _ path: String, _ place: Place, isOrdered: Bool = true, sorts: Bool = false, mask: MaskKind = .none,
        orderKey: (@Sendable (String) -> String)? = nil, stored: @escaping @Sendable (String) -> SQLValue?
    ) {
        self.orderKey = orderKey
        self.path = AttributePath(path)
        self.place = place
        self.stored = stored
        self.isOrdered = isOrdered
        self.mask = mask
        if case .own = place { self.sorts = sorts } else { self.sorts = false }
    }

    package static func text(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { .text($0) }
    }

    /// A text in the form in which it is sorted for people: letters without marks and case.
    package static func folded(_ path: String, _ column: SQL, mask: MaskKind, _ fold: @escaping @Sendable (String) -> String) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: true, mask: mask, orderKey: fold) { .text($0) }
    }

    /// `@type` of a resource that has one type of its own.
    static func type(of resource: TMFResource) -> TMFColumn {
        TMFColumn("@type", .type(resource: resource.kept, own: resource.type), isOrdered: false) { .text($0) }
    }

    /// Epoch milliseconds.
    package static func time(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { text in TMFTime(text).map { .int($0.milliseconds) } }
    }

    package static func integer(_ path: String, _ column: SQL, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, .own(column), sorts: sorts) { text in Int64(text).map { .int($0) } }
    }

    /// An id of ours, a number in the database and a text in the interface. Lists can be ordered by the row's own.
    package static func id(_ path: String, _ place: Place, sorts: Bool = false) -> TMFColumn {
        TMFColumn(path, place, isOrdered: false, sorts: sorts || path == "id") { text in
            Int64(text).flatMap { String($0) == text ? .int($0) : nil }
        }
    }

    /// A day of the installation, which the interface writes as its first moment (`TMFDay`): what is asked for is that day, or lies behind
    /// it and before the next one.
    package static func day(_ path: String, _ column: SQL, offsetMinutes: Int) -> TMFColumn {
        TMFColumn(path, .own(column)) { TMFDay.stored($0, offsetMinutes: offsetMinutes) }
    }

    /// Related parties of rows that belong to customers: those in a table of parties, and the customer itself.
    package static func parties(_ rows: SQL, _ parties: SQL, _ path: String = "relatedParty.id") -> TMFColumn {
        let named = TMFColumn(
            path, .inside(owners: "SELECT p.owner_id FROM \(parties) p WHERE TRUE", column: "p.party_id"), isOrdered: false
        ) { .text($0) }
        let owned = TMFColumn.id(path, .inside(owners: "SELECT c.id FROM \(rows) c WHERE TRUE", column: "c.customer_id"))
        return TMFColumn(path, .either([named, owned]), isOrdered: false) { .text($0) }
    }

    /// Words of the interface that stand for words of ours.
    package static func words(_ path: String, _ column: SQL, _ stored: [String: String]) -> TMFColumn {
        TMFColumn(path, .own(column), isOrdered: false) { text in stored[text].map { .text($0) } }
    }

    /// Whether it can answer a condition, as `TMFMatch` would.
    func answers(_ condition: TMFCondition) -> Bool {
        guard condition.target.path == path, orderKey == nil else { return false }
        if !isExact { return condition.comparison == .eq }
        switch condition.comparison {
        case .eq, .ne: return true
        case .gt, .gte, .lt, .lte: return isOrdered && condition.values.allSatisfy { stored($0) != nil }
        case .regex: return false
        }
    }

    /// Appends ` AND …` for a condition it answers.
    /// - Parameters:
    ///   - id: the row's own.
    ///   - isLoose: whether far more rows meet it than are asked for. Then the order's index is walked until enough are found; by an
    ///     index of this column all that have one of several values would have to be sorted first.
    func append(
        _ condition: TMFCondition, id: SQL, _ dialect: Dialect, isLoose: Bool = false, to builder: inout SQLBuilder
    ) {
        let isNot = condition.comparison == .ne
        switch place {
        case .own(let column):
            let values = values(condition)
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
                // No engine looks into an index for a condition within a condition.
                builder.append(isLoose && condition.comparison == .eq && values.count > 1 ? ") IS TRUE" : ")")
            }
        case .searched(let statements):
            builder.append("AND")
            builder.append(id)
            builder.append("IN (")
            let all = statements(condition.values, dialect)
            if all.isEmpty { builder.append("NULL") }
            for (offset, statement) in all.enumerated() {
                if offset > 0 { builder.append("UNION") }
                builder.append(statement)
            }
            builder.append(")")
        case .type(let resource, let own):
            // Those who said another class than the ones asked for, or the other way round.
            let isMeant = condition.values.contains(own)
            builder.append("AND")
            builder.append(id)
            builder.append(isMeant == isNot ? "IN (" : "NOT IN (")
            builder.append(TMFKeptStore.valued(resource, "@type"))
            builder.appendIn(isMeant ? "AND value NOT" : "AND value", values(condition))
            builder.append(")")
        case .inside, .either:
            builder.append("AND")
            builder.append(id)
            builder.append(isNot ? "NOT IN (" : "IN (")
            appendOwners(condition, &builder)
            builder.append(")")
        }
    }

    private func values(_ condition: TMFCondition) -> [SQLValue] {
        var values: [SQLValue] = []
        for value in condition.values.compactMap(stored) where !values.contains(value) { values.append(value) }
        return values
    }

    /// A statement for the ids of the rows that have one of the values.
    private func appendOwners(_ condition: TMFCondition, _ builder: inout SQLBuilder) {
        switch place {
        case .own, .searched, .type: break
        case .inside(let owners, let column):
            let values = values(condition)
            builder.append(owners)
            builder.append("AND (")
            if values.isEmpty {
                builder.append("1 = 0")
            } else {
                compare(column, condition.comparison == .ne ? .eq : condition.comparison, values, &builder)
            }
            builder.append(")")
        case .either(let columns):
            for (offset, column) in columns.enumerated() {
                if offset > 0 { builder.append("UNION") }
                column.appendOwners(condition, &builder)
            }
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
