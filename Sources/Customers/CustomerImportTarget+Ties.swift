import Kernel
import Platform
import Storage

/// What matching decided about customers, and goes with them when their import is taken back.
extension CustomerImportTarget {
    static let pairsOf: SQL = "SELECT left_id, right_id, state, decided_by FROM customers_match_pair WHERE TRUE"

    package func ties(of ids: [CustomerID], _ session: any SQLSession) throws -> Set<ImportTie> {
        var result: Set<ImportTie> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            for column in ["AND left_id", "AND right_id"] as [SQL] {
                var builder = SQLBuilder(Self.pairsOf)
                builder.appendIn(column, chunk.map { .id($0) })
                try session.forEach(builder.sql, builder.arguments) { row in
                    let state = MatchPair.State(rawValue: row.text(2)) ?? .open
                    result.insert(
                        ImportTie(
                            left: row.id(0), right: row.id(1), isLinked: state == .linked, isOpen: state == .open,
                            isByPerson: state != .open && row.text(3) != Joining.machine))
                    return true
                }
            }
        }
        return result
    }

    static let parties: SQL = "SELECT id, kind, display_name FROM customers_party WHERE TRUE"

    package func titles(
        of ids: [CustomerID], for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerID: ImportTitle] {
        let masking = Masking(principal)
        var result: [CustomerID: ImportTitle] = [:]
        for chunk in try CustomerScope.reachable(ids, principal, session).sorted().chunked(Limits.sqlListChunk) {
            let keys = chunk.map { SQLValue.id($0) }
            var numbers = SQLBuilder(CustomerLoader.identifiers)
            numbers.appendIn("AND customer_id", keys)
            var references: [CustomerID: [String]] = [:]
            try session.forEach(numbers.sql, numbers.arguments) { row in
                references[row.id(0), default: []].append("\(row.text(1).dropFirst("source:".count)) \(row.text(2))")
                return true
            }
            var builder = SQLBuilder(Self.parties)
            builder.appendIn("AND id", keys)
            try session.forEach(builder.sql, builder.arguments) { row in
                let id: CustomerID = row.id(0)
                let isPerson = row.text(1) == CustomerKind.individual.rawValue
                result[id] = ImportTitle(
                    name: isPerson ? masking.apply(.name, row.text(2)) : row.text(2),
                    references: (references[id] ?? []).sorted())
                return true
            }
        }
        return result
    }
}
