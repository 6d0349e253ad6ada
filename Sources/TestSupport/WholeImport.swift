import Storage

extension Importer {
    /// Applies rows as a transaction of their own does.
    package func applyWhole(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        begin()
        let outcomes = try apply(rows, session)
        _ = try finish(session)
        return outcomes
    }
}
