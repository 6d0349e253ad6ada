/// A table as it was read: text cells by column, nothing interpreted yet.
package struct RawTable: Sendable {
    package typealias Column = (name: String, values: [String?])

    package let columns: [Column]

    /// Columns of equal length. A shorter column is filled up with missing values, so that ragged input stays usable.
    package init(columns: [Column]) {
        let rows = columns.map(\.values.count).max() ?? 0
        self.columns = columns.map { column in
            guard column.values.count < rows else { return column }
            return (column.name, column.values + [String?](repeating: nil, count: rows - column.values.count))
        }
    }

    package var rows: Int { columns.first?.values.count ?? 0 }

    package var names: [String] { columns.map(\.name) }

    /// The values of the first column called `name`: exactly so, else without regard to case and outer spaces.
    package func values(of name: String) -> [String?]? {
        column(named: name)?.values
    }

    package func column(named name: String) -> Column? {
        if let exact = columns.first(where: { $0.name == name }) { return exact }
        let wanted = CellText.trimmed(name).lowercased()
        return columns.first { CellText.trimmed($0.name).lowercased() == wanted }
    }
}

/// A text in both languages of the product.
package struct Bilingual: Codable, Equatable, Hashable, Sendable {
    package let zh: String
    package let en: String

    package init(zh: String, en: String) {
        self.zh = zh
        self.en = en
    }
}

/// A column with each distinct value stored once. All statistics run on the codes, so a value is parsed once only.
package struct CodedColumn: Sendable {
    package let name: String
    /// Distinct trimmed values in order of first appearance, missing markers left out.
    package let levels: [String]
    /// Per row the place of its value in `levels`; -1 when missing.
    package let codes: [Int32]

    package init(name: String, values: [String?]) {
        self.name = name
        var levels: [String] = []
        var place: [String: Int32] = [:]
        var codes: [Int32] = []
        codes.reserveCapacity(values.count)
        for value in values {
            guard let value, let text = CellText.present(value) else {
                codes.append(-1)
                continue
            }
            if let code = place[text] {
                codes.append(code)
            } else {
                let code = Int32(levels.count)
                place[text] = code
                levels.append(text)
                codes.append(code)
            }
        }
        self.levels = levels
        self.codes = codes
    }

    private init(name: String, levels: [String], codes: [Int32]) {
        self.name = name
        self.levels = levels
        self.codes = codes
    }

    package var missing: Int { codes.reduce(0) { $0 + ($1 < 0 ? 1 : 0) } }

    /// How many rows have each level.
    package var counts: [Int] {
        var counts = [Int](repeating: 0, count: levels.count)
        for code in codes where code >= 0 { counts[Int(code)] += 1 }
        return counts
    }

    /// Some of the rows, in the order given. Levels that no longer occur are dropped.
    package func subset(_ rows: [Int]) -> CodedColumn {
        var renumbered = [Int32](repeating: -1, count: levels.count)
        var kept: [String] = []
        let codes = rows.map { row -> Int32 in
            let old = self.codes[row]
            guard old >= 0 else { return -1 }
            if renumbered[Int(old)] < 0 {
                renumbered[Int(old)] = Int32(kept.count)
                kept.append(levels[Int(old)])
            }
            return renumbered[Int(old)]
        }
        return CodedColumn(name: name, levels: kept, codes: codes)
    }
}
