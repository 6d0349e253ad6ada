import Kernel
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
}
