import Compute
import Contracts
import Kernel
import Storage

/// The customers a model learns from, gathered page by page so that no snapshot is held for long.
struct LearningBase: Sendable {
    let table: RawTable
    /// Per row of the table.
    let ids: [CustomerID]
    let titles: [String: Words]
    /// All customers read.
    let customers: Int
    let leavers: Int
    let stayers: Int
    let unknownCountedAsStayed: Bool
    let sampled: Bool

    /// Column that tells who left; added to what Customers gives.
    static let label = "churned"
    /// Beyond this a random sample is learned from: more rows do not change the figures, only the memory.
    static let rowsMax = 1_000_000
    static let page = 5_000

    /// Reads the base.
    /// - Throws: `JobCancelled` through `report`.
    static func read(
        _ customers: any CustomerReading, _ database: any Database, seed: UInt64, rowsMax: Int = rowsMax,
        report: RunReport
    ) async throws -> LearningBase {
        let total = try await database.read { try customers.customerCount($0) }
        var gathering = Gathering(keepOneIn: Double(total) / Double(rowsMax), seed: seed)
        var after: CustomerID?
        while true {
            let from = after
            let page = try await database.read { try customers.table(after: from, limit: Self.page, $0) }
            guard let last = page.ids.last else { break }
            gathering.add(page)
            after = last
            try await report(
                Int64(gathering.read), Int64(max(total, gathering.read)),
                Words(en: "Reading customers", zh: "读取客户"))
            if page.ids.count < Self.page { break }
        }
        return gathering.finished()
    }

    /// Refuses a base that nothing can be learned from, in the words of customers rather than of columns.
    func demandOutcomes(folds: Int) throws {
        let needed = max(folds, ChurnTrainer.fewestOfOutcome)
        guard customers > 0 else {
            throw CRMError(
                "no_customers", status: 422,
                Words(en: "There are no customers yet; import some first.", zh: "还没有客户，请先导入客户。"))
        }
        guard leavers >= needed else {
            throw CRMError(
                "too_few_leavers", status: 422,
                Words(
                    en:
                        "Only \(leavers) of \(customers) customers are known to have left; at least \(needed) are needed "
                        + "to learn from. Import or record who left.",
                    zh: "\(customers) 位客户中仅有 \(leavers) 位已知离网，至少需要 \(needed) 位才能训练。请导入或登记离网客户。"))
        }
        guard stayers >= needed else {
            throw CRMError(
                "too_few_stayers", status: 422,
                Words(
                    en:
                        "Only \(stayers) of \(customers) customers are known to have stayed; at least \(needed) are needed "
                        + "to learn from.",
                    zh: "\(customers) 位客户中仅有 \(stayers) 位已知在网，至少需要 \(needed) 位才能训练。"))
        }
    }

    /// Columns grow page by page; an attribute defined meanwhile is missing for earlier customers.
    private struct Gathering {
        let keepOneIn: Double
        let seed: UInt64
        var read = 0
        private var names: [String] = []
        private var place: [String: Int] = [:]
        private var titles: [String: Words] = [:]
        private var values: [[String?]] = []
        private var left: [Bool?] = []
        private var ids: [CustomerID] = []

        init(keepOneIn: Double, seed: UInt64) {
            self.keepOneIn = keepOneIn
            self.seed = seed
        }

        mutating func add(_ page: CustomerTable) {
            read += page.ids.count
            let rows = page.ids.indices.filter { keeps(page.ids[$0]) }
            for (column, name) in page.columns.enumerated() where place[name] == nil {
                place[name] = names.count
                names.append(name)
                titles[name] = page.titles.indices.contains(column) ? page.titles[column] : nil
                values.append([String?](repeating: nil, count: left.count))
            }
            for (column, name) in page.columns.enumerated() {
                guard let target = place[name] else { continue }
                let cells = page.values[column]
                values[target].append(contentsOf: rows.map { cells[$0] })
            }
            left += rows.map { page.left[$0] }
            ids += rows.map { page.ids[$0] }
            for target in values.indices where values[target].count < left.count {
                values[target] += [String?](repeating: nil, count: left.count - values[target].count)
            }
        }

        /// The same customers for the same seed (SplitMix64 of the id).
        private func keeps(_ id: CustomerID) -> Bool {
            guard keepOneIn > 1 else { return true }
            var mixer = SplitMix64(seed: UInt64(bitPattern: id.rawValue) ^ seed)
            return Double(mixer.next() >> 11) * 0x1p-53 * keepOneIn < 1
        }

        func finished() -> LearningBase {
            // Many operators record only who left. Then everybody else is taken for a stayer.
            let fill = !left.contains(false) && left.contains(true)
            let outcomes = fill ? left.map { $0 ?? false } : left
            let labels: [String?] = outcomes.map { $0.map { $0 ? "1" : "0" } }
            var columns: [RawTable.Column] = names.indices.map { (names[$0], values[$0]) }
            columns.removeAll { $0.name == LearningBase.label }
            columns.append((LearningBase.label, labels))
            return LearningBase(
                table: RawTable(columns: columns), ids: ids, titles: titles, customers: read,
                leavers: outcomes.count { $0 == true }, stayers: outcomes.count { $0 == false },
                unknownCountedAsStayed: fill && left.contains(nil), sampled: keepOneIn > 1)
        }
    }
}

extension CustomerTable {
    /// The same as the model reads it.
    var raw: RawTable { RawTable(columns: columns.indices.map { (columns[$0], values[$0]) }) }
}
