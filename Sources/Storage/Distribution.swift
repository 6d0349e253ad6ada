/// What `switchboard migrate --distributed` says to a coordinator of Citus: which table is spread by which column.
package struct Distribution: Sendable {
    /// One statement, for one table.
    package struct Step: Sendable, Equatable {
        package let table: String
        package let statement: SQL
    }

    /// In an order in which each step finds what it depends on: copies first (anything may refer to them), then the
    /// customers, then what lies beside them, then look-ups; by name within each.
    package let steps: [Step]
    /// Tables that stay on the coordinator.
    package let local: [String]

    /// - Precondition: the layouts name one table of customers when they name rows of customers.
    package init(_ layouts: [TableLayout]) {
        let sorted = layouts.sorted { $0.table < $1.table }
        var (references, anchors, beside, lookUps): ([Step], [Step], [Step], [Step]) = ([], [], [], [])
        let anchor = sorted.first { if case .customers = $0.placement { true } else { false } }?.table
        for layout in sorted {
            func distribute(_ key: String, beside other: String?) -> Step {
                Step(table: layout.table, statement: Self.spread(layout.table, key, beside: other))
            }
            switch layout.placement {
            case .reference:
                references.append(Step(table: layout.table, statement: Self.copied(layout.table)))
            case .customers(let key): anchors.append(distribute(key, beside: "none"))
            case .customer(let key):
                precondition(anchor != nil, "rows of customers lie beside the customers")
                beside.append(distribute(key, beside: anchor))
            case .lookUp(let key): lookUps.append(distribute(key, beside: "none"))
            case .local: break
            }
        }
        steps = references + anchors + beside + lookUps
        local = sorted.filter { $0.placement == .local }.map(\.table)
    }

    private static func copied(_ table: String) -> SQL { SQL(trusted: "SELECT create_reference_table('\(table)')") }

    /// A partitioned table takes its months along, and each month made later becomes distributed when it is attached.
    private static func spread(_ table: String, _ key: String, beside other: String?) -> SQL {
        SQL(
            trusted:
                "SELECT create_distributed_table('\(table)', '\(key)', colocate_with => '\(other ?? "none")')")
    }

    /// The steps as a script.
    package var script: String { steps.map { $0.statement.text + ";\n" }.joined() }
}
