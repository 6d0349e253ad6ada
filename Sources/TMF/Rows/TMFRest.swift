import Storage
import Web

/// What of a value is not in the columns of its row.
enum TMFRest {
    /// - Returns: `nil` = the columns hold all of it.
    static func of(_ sent: JSONValue, own: JSONValue?) -> JSONValue? {
        guard let own else { return sent }
        switch (sent, own) {
        case _ where sent == own: return nil
        case (.object(let fields), .object(let held)):
            let rest = fields.reduce(into: JSONObject()) { rest, field in rest[field.key] = of(field.value, own: held[field.key]) }
            return rest.isEmpty ? nil : .object(rest)
        case (.array(let items), .array(let held)) where items.count == held.count:
            let rest = zip(items, held).map { of($0, own: $1) }
            return rest.allSatisfy { $0 == nil } ? nil : .array(rest.map { $0 ?? .null })
        default: return sent
        }
    }

    /// What the columns say, with the rest. Where both say something, the columns are right, in the spelling of the rest when it means
    /// the same.
    static func merged(_ own: JSONValue?, _ rest: JSONValue) -> JSONValue {
        guard let own else { return rest }
        switch (own, rest) {
        case (.object(let held), .object(let fields)):
            return .object(fields.reduce(into: held) { $0[$1.key] = merged(held[$1.key], $1.value) })
        case (.array(let held), .array(let items)) where held.count == items.count:
            return .array(zip(held, items).map { $1 == .null ? $0 : merged($0, $1) })
        default: return isSame(own, rest) ? rest : own
        }
    }

    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        if let first = one.double, let second = other.double { return first == second }
        guard let first = one.string.flatMap({ TMFTime($0) }), let second = other.string.flatMap({ TMFTime($0) }) else { return false }
        return first.milliseconds == second.milliseconds
    }
}

extension TMFItems {
    /// The columns of its table behind those of the key.
    func columns(_ key: SQL) -> SQL {
        let columns = fields.reduce(key) { "\($0), \($1.column)" }
        return rest.map { "\(columns), \($0)" } ?? columns
    }
}
