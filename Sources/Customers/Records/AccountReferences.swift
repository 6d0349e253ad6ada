import Kernel
import Matching
import Platform
import Storage

/// Accounts that bills and payments name: whoever asks for `A1` finds the customer, also where no source has brought the account
/// itself. An entry of the index of numbers for each customer and number, beside those of the accounts.
enum AccountReferences {
    struct Named: Hashable, Sendable {
        let customer: CustomerID
        let number: String

        /// Of no record, and the same whenever it is made: below zero, where no record has its id.
        var place: RecordPlace {
            let hash = StableHash.of(Array("\(customer)\u{1F}\(number)".utf8))
            return RecordPlace(customer: customer, id: -Int64(hash >> 2) - 1)
        }
    }

    static let stillNamed: SQL = """
        SELECT DISTINCT customer_id, account_number FROM customers_charge WHERE account_number IS NOT NULL
        """
    static let known: SQL = "SELECT customer_id, id FROM customers_search_number WHERE TRUE"

    /// Behind bills and payments that came, changed or went.
    static func follow(_ changes: [RecordChange], _ session: any SQLSession) throws {
        var (gone, came): (Set<Named>, Set<Named>) = ([], [])
        for change in changes {
            let (before, after) = (change.before?["account_number"]?.asText, change.after?["account_number"]?.asText)
            guard before != after else { continue }
            if let before { gone.insert(Named(customer: change.place.customer, number: before)) }
            if let after { came.insert(Named(customer: change.place.customer, number: after)) }
        }
        gone.subtract(came)
        if !gone.isEmpty { gone.subtract(try named(by: Set(gone.map(\.customer)).sorted(), session)) }
        try NumberIndex.remove(gone.map(\.place).sorted { $0.id < $1.id }, session)
        _ = try add(came, session)
    }

    /// What bills and payments of these customers name.
    static func named(by customers: [CustomerID], _ session: any SQLSession) throws -> Set<Named> {
        var result: Set<Named> = []
        for chunk in customers.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(stillNamed)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                result.insert(Named(customer: row.id(0), number: row.text(1)))
                return true
            }
        }
        return result
    }

    /// Adds those that are not there: a month's bills mostly name what those of the month before did.
    /// - Returns: how many.
    static func add(_ named: Set<Named>, _ session: any SQLSession) throws -> Int {
        var added = 0
        for chunk in named.sorted(by: { ($0.customer, $0.number) < ($1.customer, $1.number) }).chunked(Limits.sqlListChunk / 2) {
            var builder = SQLBuilder(known)
            builder.appendIn("AND customer_id", Set(chunk.map(\.customer)).sorted().map { .id($0) })
            builder.appendIn("AND id", chunk.map { .int($0.place.id) })
            let there = Set(try session.query(builder) { RecordPlace(customer: $0.id(0), id: $0.int(1)) })
            let entries = chunk.filter { !there.contains($0.place) }.map {
                NumberIndex.Entry(place: $0.place, kind: .accounts, number: $0.number)
            }
            added += try NumberIndex.put(entries, replacing: false, session)
        }
        return added
    }
}
