import Foundation
import Kernel
import Matching
import Storage
import Web

/// Two customers that were compared, with what is thought of them.
struct MatchPair: Sendable, Equatable {
    enum State: String, Sendable { case open, linked, apart }

    /// The smaller id.
    let left: CustomerID
    let right: CustomerID
    var state: State
    let bits: Double
    let evidence: PairEvidence
    let madeAt: Instant
    /// Who decided; `import` = the machine.
    let decidedBy: String
    let reason: String

    /// How likely they are one, from the log2 of the odds: nothing that waits for a person is certain.
    static func chance(bits: Double) -> String {
        let probability = 1 / (1 + exp2(-bits))
        return probability > 0.999 ? "> 99.9%" : PanelParts.percent(probability)
    }
}

/// Why a pair was linked, put before a person or kept apart: the rule, and what each field said. It holds no values.
struct PairEvidence: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        let name: String
        /// A name of `Comparison.names`, or `missing`.
        let level: String
        let bits: Double
    }

    var rule: MatchVerdict.Rule
    var fields: [Field]

    init(rule: MatchVerdict.Rule, fields: [Field]) { (self.rule, self.fields) = (rule, fields) }

    init(_ verdict: MatchVerdict) {
        rule = verdict.rule
        fields = verdict.evidence.map { Field(name: $0.field, level: $0.level, bits: $0.bits) }
    }

    /// `{"rule":"weights","fields":[["full_name","same",11.2],...]}`
    var encoded: String {
        JSONValue.object([
            "rule": .string(rule.rawValue),
            "fields": .array(
                fields.map { .array([.string($0.name), .string($0.level), .double(($0.bits * 10).rounded() / 10)]) }),
        ]).encoded()
    }

    init(encoded: String) {
        let object = (try? JSONValue.parse(Array(encoded.utf8)))?.object ?? [:]
        rule = object["rule"]?.string.flatMap(MatchVerdict.Rule.init) ?? .weights
        fields = (object["fields"]?.array ?? []).compactMap { entry in
            guard let parts = entry.array, parts.count == 3, let name = parts[0].string, let level = parts[1].string
            else { return nil }
            return Field(name: name, level: level, bits: parts[2].double ?? 0)
        }
    }
}

/// The table of pairs.
enum PairStore {
    static let ofPair: SQL = """
        SELECT left_id, right_id, state, bits, evidence, made_at, decided_by, reason FROM customers_match_pair
        WHERE left_id = $1 AND right_id = $2
        """
    static let queue: SQL = """
        SELECT left_id, right_id, state, bits, evidence, made_at, decided_by, reason FROM customers_match_pair
        WHERE state = 'open'
        """
    static let counting: SQL = """
        SELECT COUNT(*) FROM (SELECT 1 AS one FROM customers_match_pair WHERE state = 'open' LIMIT 1000) AS counted
        """
    static let among: SQL = """
        SELECT left_id, right_id, state, bits, evidence, made_at, decided_by, reason FROM customers_match_pair
        WHERE TRUE
        """
    /// What a machine found: a pair that is there already stays as it is.
    static let insert: SQL = """
        INSERT INTO customers_match_pair (left_id, right_id, state, bits, evidence, model_id, made_at, decided_by,
          decided_at, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, '')
        ON CONFLICT (left_id, right_id) DO NOTHING
        """
    /// What a person decided.
    static let decide: SQL = """
        INSERT INTO customers_match_pair (left_id, right_id, state, bits, evidence, model_id, made_at, decided_by,
          decided_at, reason)
        VALUES ($1, $2, $3, $4, $5, NULL, $6, $7, $6, $8)
        ON CONFLICT (left_id, right_id) DO UPDATE SET state = excluded.state, decided_by = excluded.decided_by,
          decided_at = excluded.decided_at, reason = excluded.reason
        """
    static let settle: SQL = """
        UPDATE customers_match_pair SET state = $3, decided_by = $4, decided_at = $5, reason = $6
        WHERE left_id = $1 AND right_id = $2
        """

    static func pair(_ row: Row) -> MatchPair {
        MatchPair(
            left: row.id(0), right: row.id(1), state: MatchPair.State(rawValue: row.text(2)) ?? .open,
            bits: row.double(3),
            evidence: PairEvidence(encoded: row.text(4)), madeAt: row.time(5), decidedBy: row.text(6),
            reason: row.text(7))
    }

    static func pair(_ a: CustomerID, _ b: CustomerID, _ session: any SQLSession) throws -> MatchPair? {
        try session.first(ofPair, [.id(min(a, b)), .id(max(a, b))], pair)
    }

    /// Open pairs, the likeliest first.
    /// - Parameter after: continues behind this pair.
    static func open(after: MatchPair?, limit: Int, _ session: any SQLSession) throws -> [MatchPair] {
        var builder = SQLBuilder(queue)
        if let after {
            builder.append(
                "AND (bits, left_id, right_id) < (?, ?, ?)", .double(after.bits), .id(after.left), .id(after.right))
        }
        builder.append("ORDER BY bits DESC, left_id DESC, right_id DESC LIMIT ?", .int(limit))
        return try session.query(builder, pair)
    }

    /// Open pairs before this one, the nearest first.
    static func before(_ place: MatchPair, limit: Int, _ session: any SQLSession) throws -> [MatchPair] {
        var builder = SQLBuilder(queue)
        builder.append(
            "AND (bits, left_id, right_id) > (?, ?, ?)", .double(place.bits), .id(place.left), .id(place.right))
        builder.append("ORDER BY bits, left_id, right_id LIMIT ?", .int(limit))
        return try session.query(builder, pair)
    }

    /// Two customers, in either order.
    struct Key: Hashable, Sendable {
        private let left: CustomerID
        private let right: CustomerID
        init(_ a: CustomerID, _ b: CustomerID) { (left, right) = (min(a, b), max(a, b)) }
    }

    static let known: SQL = "SELECT left_id, right_id FROM customers_match_pair WHERE TRUE"

    /// Which of these pairs somebody, or the machine, has said something about.
    static func known(_ pairs: [(CustomerID, CustomerID)], _ session: any SQLSession) throws -> Set<Key> {
        var result: Set<Key> = []
        let lefts = Set(pairs.map { min($0.0, $0.1) }).sorted()
        let asked = Set(pairs.map { Key($0.0, $0.1) })
        for chunk in lefts.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(known)
            builder.appendIn("AND left_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let key = Key(row.id(0), row.id(1))
                if asked.contains(key) { result.insert(key) }
                return true
            }
        }
        return result
    }

    /// Pairs of these that somebody has kept apart.
    static func apart(among ids: [CustomerID], _ session: any SQLSession) throws -> Set<Key> {
        var result: Set<Key> = []
        let all = Set(ids)
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(keptApart)
            builder.appendIn("AND left_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let (left, right): (CustomerID, CustomerID) = (row.id(0), row.id(1))
                if all.contains(right) { result.insert(Key(left, right)) }
                return true
            }
        }
        return result
    }

    static let ofPeople: SQL = """
        SELECT left_id, right_id, state FROM customers_match_pair WHERE state <> 'open' AND decided_by <> $1
        """

    /// What people have decided about pairs of these: `true` = one.
    static func decided(_ ids: Set<CustomerID>, _ session: any SQLSession) throws -> [Key: Bool] {
        var result: [Key: Bool] = [:]
        try session.forEach(ofPeople, [.text(Joining.machine)]) { row in
            let (left, right): (CustomerID, CustomerID) = (row.id(0), row.id(1))
            if ids.contains(left), ids.contains(right) {
                result[Key(left, right)] = row.text(2) == MatchPair.State.linked.rawValue
            }
            return true
        }
        return result
    }

    static let keptApart: SQL = "SELECT left_id, right_id FROM customers_match_pair WHERE state = 'apart'"

    static let waiting: SQL = "SELECT evidence FROM customers_match_pair WHERE state = 'open'"

    /// Whether a person is still to say to which of two people one of these belongs.
    static func isContested(_ ids: [CustomerID], _ session: any SQLSession) throws -> Bool {
        for column in ["AND left_id", "AND right_id"] as [SQL] {
            var builder = SQLBuilder(waiting)
            builder.appendIn(column, ids.map { .id($0) })
            if try session.query(builder, { PairEvidence(encoded: $0.text(0)).rule }).contains(.setConflict) { return true }
        }
        return false
    }

    /// Pairs whose both sides are among these.
    static func pairs(among ids: [CustomerID], _ session: any SQLSession) throws -> [MatchPair] {
        guard ids.count > 1 else { return [] }
        var builder = SQLBuilder(among)
        builder.appendIn("AND left_id", ids.map { .id($0) })
        builder.appendIn("AND right_id", ids.map { .id($0) })
        return try session.query(builder, pair)
    }
}
