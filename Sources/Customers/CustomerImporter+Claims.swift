import Kernel
import Platform
import Storage

/// Numbers that several customers bring.
extension CustomerImporter {
    /// Several sources know one number, and a household may share it. When the import matches, a number that is another
    /// customer's line is what says that they may be one: it is kept as a contact number, and the row is not refused.
    func yieldNumbers(
        of record: inout CustomerRecord, before: CustomerRecord?, _ row: ImportRow, _ state: State,
        _ context: FieldContext
    ) {
        guard options.matches else { return }
        let old = before.map(Identifier.claims) ?? []
        for claim in Identifier.claims(record) where claim.kind == "msisdn" && !old.contains(claim) {
            if isOfAnother(claim, than: record.id, row, state) { record.yield(claim.value, context) }
        }
    }

    /// The number that a row brings for a known customer and that is another's line, with matching.
    func foreignNumber(_ keys: [String: Identifier], of found: CustomerRecord, _ row: ImportRow, _ state: State) -> Identifier? {
        guard options.matches, let key = keys["msisdn"], !Identifier.claims(found).contains(key) else { return nil }
        return isOfAnother(key, than: found.id, row, state) ? key : nil
    }

    private func isOfAnother(_ claim: Identifier, than id: CustomerID, _ row: ImportRow, _ state: State) -> Bool {
        if let line = claims.line(of: claim), line != row.line { return true }
        guard let owner = state.owners[claim], owner != id else { return false }
        return !state.released.contains(claim) && !claims.wasLost(claim)
    }

    /// What a row makes its customer claim must be free: brought by the row, or come back with a line that had ended.
    /// - Returns: what goes over from customers who do not claim it any more.
    func takeClaims(
        of after: CustomerRecord, before: CustomerRecord?, _ row: ImportRow, _ state: State
    ) throws(Rejection) -> [(Identifier, CustomerID)] {
        if let before, Identifier.areSame(before, after) { return [] }
        var new = Identifier.claims(after)
        if let before { new.subtract(Identifier.claims(before)) }
        guard !new.isEmpty else { return [] }
        var taken: [(Identifier, CustomerID)] = []
        for claim in new.sorted(by: { ($1.kind, $0.value) < ($0.kind, $1.value) }) {
            let field = claim.kind == "msisdn" ? "msisdn" : "source_id"
            if let line = claims.line(of: claim), line != row.line {
                throw Rejection(
                    field: field, code: "duplicate_in_file",
                    words: Words(en: "The same value is in line \(line) already.", zh: "与第 \(line) 行的值重复。"))
            }
            guard let owner = state.owners[claim], owner != after.id else { continue }
            guard state.released.contains(claim) || claims.wasLost(claim) else {
                throw Rejection(
                    field: field, code: "taken",
                    words: Self.belongs)
            }
            taken.append((claim, owner))
        }
        return taken
    }
}
