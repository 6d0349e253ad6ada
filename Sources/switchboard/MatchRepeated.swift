import Kernel
import Web

extension Match {
    /// Ids that more than one row of a file has: in the result these rows cannot be told from each other.
    struct Repeated {
        static let examplesMax = 3
        /// Of a row that is named.
        static let linesMax = 5

        /// How many ids, and how many rows have one of them.
        let count: Int
        let rows: Int
        /// The first, with the lines they stand in.
        let examples: [(id: String, lines: [Int])]

        /// - Parameter lines: where each row stands in its file.
        init(_ ids: [String], lines: [Int]) {
            var places: [String: [Int]] = [:]
            for (row, id) in ids.enumerated() { places[id, default: []].append(row) }
            let several = places.filter { $0.value.count > 1 }
            count = several.count
            rows = several.values.reduce(0) { $0 + $1.count }
            examples = several.sorted { $0.value[0] < $1.value[0] }.prefix(Self.examplesMax).map { id, rows in
                (id, rows.prefix(Self.linesMax).map { lines[$0] })
            }
        }

        func words(_ say: Say) -> String {
            examples.map { id, lines in
                say(
                    "cli.match.repeated.id",
                    ["id": Terminal.plain(id), "lines": lines.map(String.init).joined(separator: say.pick(", ", "、"))])
            }.joined(separator: say.pick("; ", "；"))
        }

        /// `{"file": "a.csv", "count": 2, "rows": 5, "examples": [{"id": "7", "lines": [3, 9]}]}`
        func json(file: String) -> JSONValue {
            .object([
                "file": .string(file), "count": .int(Int64(count)), "rows": .int(Int64(rows)),
                "examples": .array(
                    examples.map { id, lines in
                        .object(["id": .string(id), "lines": .array(lines.map { .int(Int64($0)) })])
                    }),
            ])
        }
    }
}
