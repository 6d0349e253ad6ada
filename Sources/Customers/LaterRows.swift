import Kernel
import Storage

/// What new customers are searched and compared by, put off until all of a transaction are there: the indexes behind it are met
/// everywhere, so that what comes at once costs less than the same in parts; and the writer does not wait for what is made on
/// another core meanwhile. In the hands of one task.
final class LaterRows {
    private struct Part {
        let found: Beside<CustomerRows>
        let compared: Beside<[MatchPrepared]>?
        let keys: MatchKeys?
    }

    private var parts: [Part] = []

    var isEmpty: Bool { parts.isEmpty }

    /// - Parameter compared: `nil` = nobody is kept for matching.
    func add(_ found: Beside<CustomerRows>, _ compared: Beside<[MatchPrepared]>?, _ keys: MatchKeys?) {
        parts.append(Part(found: found, compared: compared, keys: keys))
    }

    func forget() { parts = [] }

    /// Writes all of them, and forgets them.
    /// - Returns: the customers as they are compared, those who came together in one list.
    func write(_ session: any SQLSession) throws -> [[MatchPrepared]] {
        guard !parts.isEmpty else { return [] }
        let all = parts
        parts = []
        let compared = all.compactMap(\.compared)
        let keys = all.lazy.compactMap(\.keys).first
        // Made while the texts are written.
        let matching = keys.map { keys in
            Beside {
                let prepared = compared.map { $0.value() }
                return (prepared: prepared, rows: MatchRows(prepared.flatMap(\.self), keys))
            }
        }
        let texts = all.flatMap { $0.found.value().texts }
        for rows in SearchIndex.new(texts, session.dialect) {
            try session.bulkInsert(into: rows.table, rows.columns, rows.rows)
        }
        guard let (prepared, rows) = matching?.value() else { return [] }
        try rows.writeNew(session)
        return prepared
    }
}
