import Kernel
import Platform
import Storage

/// Parties, of customers and of nobody yet, with what belongs to a party.
enum PartyRows {
    static let lone: SQL = "SELECT id FROM customers_lone_party WHERE TRUE"
    static let insertLone: SQL = """
        INSERT INTO customers_lone_party (id, folded_name, region) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET folded_name = excluded.folded_name, region = excluded.region
        """
    static let region: SQL = "SELECT region FROM customers_lone_party WHERE id = $1"
    static let deleteLone: SQL = "DELETE FROM customers_lone_party WHERE id = $1"
    static let deleteParty: [SQL] = [
        "DELETE FROM customers_contact_medium WHERE customer_id = $1", "DELETE FROM customers_address WHERE customer_id = $1",
        "DELETE FROM customers_identity_document WHERE customer_id = $1", "DELETE FROM customers_party WHERE id = $1", deleteLone,
    ]

    /// Which of these are nobody's customer.
    static func lone(_ ids: [CustomerID], _ session: any SQLSession) throws -> Set<CustomerID> {
        var result: Set<CustomerID> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(lone)
            builder.appendIn("AND id", chunk.map { .id($0) })
            result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
        }
        return result
    }

    /// Those of them that a caller reaches: who works for some regions, what was made in these (ADR 0081).
    static func reachable(_ ids: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        var result: Set<CustomerID> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(lone)
            CustomerScope.narrow(&builder, principal)
            builder.appendIn("AND id", chunk.map { .id($0) })
            result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
        }
        return result
    }

    /// The region that a party is of as long as no customer says one; `nil` = none, or it is a customer.
    static func region(_ id: CustomerID, _ session: any SQLSession) throws -> String? {
        try session.first(region, [.id(id)]) { $0.text(0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Writes a party that is nobody's customer.
    static func put(_ record: CustomerRecord, region: String?, _ session: any SQLSession) throws {
        try remove(record.id, session)
        var rows = CustomerRows()
        rows.addParty(record)
        try rows.write(session)
        try session.execute(insertLone, [.id(record.id), .text(Folding.fold(record.party.displayName)), .text(region ?? "")])
    }

    static func remove(_ id: CustomerID, _ session: any SQLSession) throws {
        for statement in deleteParty { try session.execute(statement, [.id(id)]) }
    }
}

extension CustomerLoader {
    /// Parties whether they are customers or not. What only a customer has is empty.
    static func parties(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerRecord] {
        var result: [CustomerRecord] = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var found = try partyHeads(chunk, session)
            if found.isEmpty { continue }
            try addPlaces(&found, chunk, session)
            try addSources(&found, chunk, session)
            for id in chunk { if let record = found[id] { result.append(record) } }
        }
        return result
    }
}
