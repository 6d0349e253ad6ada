import Kernel
import Storage

extension CustomerImporter {
    /// Rows with their regions as they are known already; where they name cities, `regions` is there for those.
    func located(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportRow] {
        guard rows.contains(where: { $0.values["region"] != nil || $0.values["city"] != nil }) else { return rows }
        var book = try regions ?? RegionBook(session)
        defer { regions = book }
        return rows.map { book.spelled($0) }
    }

    /// Numbers that customers of this chunk are still found by, though new ones claim them.
    func traced(
        _ updated: [(before: CustomerRecord, after: CustomerRecord)], claimedBy created: [CustomerRecord]
    ) -> [(Identifier, CustomerID)] {
        guard !updated.isEmpty, !created.isEmpty else { return [] }
        let traces = updated.flatMap { _, after in Identifier.traces(after).map { ($0, after.id) } }
        guard !traces.isEmpty else { return [] }
        let claims = Set(created.flatMap(Identifier.claims))
        return traces.filter { claims.contains($0.0) }
    }
}

extension ImportRow {
    func without(_ fields: Set<String>) -> ImportRow { ImportRow(line: line, values: values.filter { !fields.contains($0.key) }) }
}

extension CustomerImporter {
    /// How many values of rows were left as somebody had corrected them (ADR 0076).
    func takeCorrected() -> Int {
        defer { corrected = 0 }
        return corrected
    }
}
