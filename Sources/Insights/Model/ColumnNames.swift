/// How a model's names of columns differ from those of a table. Attributes were once named by their title, which people
/// edit; a model learned then finds them by the key they have now, as long as the title is still the same.
package struct ColumnNames: Sendable {
    /// What stands before the key of an attribute.
    package static let attributePrefix = "attr."

    private let byModelName: [String: String]
    private let byTableName: [String: String]

    package init() {
        byModelName = [:]
        byTableName = [:]
    }

    /// - Parameters:
    ///   - model: the names the model asks for.
    ///   - table: the table's names with the titles they have today, in English.
    package init(model: [String], table: [(name: String, title: String)]) {
        var byModelName: [String: String] = [:]
        var byTableName: [String: String] = [:]
        let present = Set(table.map(\.name))
        for name in model where !present.contains(name) {
            let wanted = CellText.trimmed(name).lowercased()
            let found = table.filter {
                $0.name.hasPrefix(Self.attributePrefix) && CellText.trimmed($0.title).lowercased() == wanted
            }
            // Two attributes of one title: nobody knows which was meant.
            guard found.count == 1, byTableName[found[0].name] == nil else { continue }
            byModelName[name] = found[0].name
            byTableName[found[0].name] = name
        }
        self.byModelName = byModelName
        self.byTableName = byTableName
    }

    package var isEmpty: Bool { byModelName.isEmpty }
    /// The table's name of a model's column.
    package func table(_ name: String) -> String { byModelName[name] ?? name }
    /// The model's name of a table's column.
    package func model(_ name: String) -> String { byTableName[name] ?? name }
}
