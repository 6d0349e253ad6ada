import Contracts
import Kernel

extension LinesChanged {
    /// What became of the lines of customers; `nil` = nothing.
    init?(_ pairs: [(before: CustomerRecord, after: CustomerRecord)]) {
        self.init()
        for (before, after) in pairs where before.subscriptions != after.subscriptions {
            let old = Dictionary(before.subscriptions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            let new = Set(after.subscriptions.map(\.id))
            removed += before.subscriptions.filter { !new.contains($0.id) }.map(\.id.rawValue)
            for line in after.subscriptions {
                guard let was = old[line.id] else {
                    created.append(line.id.rawValue)
                    continue
                }
                if was != line { was.status == line.status ? changed.append(line.id.rawValue) : moved.append(line.id.rawValue) }
            }
        }
        if isEmpty { return nil }
    }

    /// All lines of customers who are new.
    init?(created records: [CustomerRecord]) {
        self.init(created: records.flatMap { $0.subscriptions.map(\.id.rawValue) })
        if isEmpty { return nil }
    }

    /// All lines of customers who are removed.
    init?(removed records: [CustomerRecord]) {
        self.init(removed: records.flatMap { $0.subscriptions.map(\.id.rawValue) })
        if isEmpty { return nil }
    }
}
