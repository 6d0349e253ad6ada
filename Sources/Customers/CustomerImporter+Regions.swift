import Storage

extension CustomerImporter {
    /// Rows with their regions as they are known already; where they name cities, `regions` is there for those.
    func located(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportRow] {
        guard rows.contains(where: { $0.values["region"] != nil || $0.values["city"] != nil }) else { return rows }
        var book = try regions ?? RegionBook(session)
        defer { regions = book }
        return rows.map { book.spelled($0) }
    }
}
