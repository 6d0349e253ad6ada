import Kernel
import Matching
import Storage

/// Values that were corrected by hand, by customer and field (ADR 0076). A source goes on telling what it told before: that is no news,
/// and the correction stands. What it tells otherwise is taken.
struct Corrections {
    private struct Entry {
        let told: Int64
        let stands: Int64
    }

    static let rows: SQL = "SELECT customer_id, field, told, stands FROM customers_correction WHERE TRUE"
    static let put: SQL = """
        INSERT INTO customers_correction (customer_id, field, told, stands) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer_id, field) DO UPDATE SET told = excluded.told, stands = excluded.stands
        """
    static let delete: SQL = "DELETE FROM customers_correction WHERE customer_id = $1 AND field = $2"

    private var entries: [CustomerID: [String: Entry]] = [:]

    static let none = Corrections()
    private init() {}

    init(of ids: [CustomerID], _ session: any SQLSession) throws {
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.rows)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            for (id, field, entry) in try session.query(builder, {
                ($0.id(0, PartyKind.self), $0.text(1), Entry(told: $0.int(2), stands: $0.int(3)))
            }) { entries[id, default: [:]][field] = entry }
        }
    }

    func knows(_ id: CustomerID) -> Bool { entries[id] != nil }

    /// The changes of a row that only say again what was corrected since.
    func undone(_ id: CustomerID, by changes: [ImportChange]) -> Set<String> {
        guard let known = entries[id] else { return [] }
        return Set(
            changes.filter { change in
                guard let entry = known[change.field] else { return false }
                return entry.told == Self.hash(change.after) && entry.stands == Self.hash(change.before)
            }.map(\.field))
    }

    /// Keeps what somebody changed of a customer whom a source has told of.
    static func note(_ changes: [ImportChange], of record: CustomerRecord, _ session: any SQLSession) throws {
        guard !record.sourceIDs.isEmpty, !changes.isEmpty else { return }
        let known = try Corrections(of: [record.id], session).entries[record.id] ?? [:]
        for change in changes {
            let (before, after) = (hash(change.before), hash(change.after))
            // Corrected again: what the source told is what it told the first time.
            let told = known[change.field].flatMap { $0.stands == before ? $0.told : nil } ?? before
            if told == after {
                try session.execute(delete, [.id(record.id), .text(change.field)])
            } else {
                try session.execute(put, [.id(record.id), .text(change.field), .int(told), .int(after)])
            }
        }
    }

    private static func hash(_ value: SQLValue) -> Int64 {
        let text =
            switch value {
            case .null: "n"
            case .int(let int): "i\(int)"
            case .double(let double): "d\(double)"
            case .text(let text): "t" + text
            case .bool(let bool): "b\(bool)"
            case .bytes(let bytes): "x" + Hex.text(bytes)
            }
        return Int64(bitPattern: StableHash.of(text.utf8))
    }
}
