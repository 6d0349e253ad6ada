import Web

/// What a client sent and our own tables do not give back by themselves: attributes we do not model, and another spelling of
/// ones that we do (`2026-01-01T00:00:00Z` for a day). Kept beside the row, an attribute of the document each.
///
/// An attribute whose own value has changed since (on a page, by an import) is the row's again: the newer truth wins, and
/// what was kept of it is forgotten at the next change.
package struct TMFKept: Sendable, Equatable {
    struct Piece: Sendable, Equatable {
        /// What the row itself said then; `nil` = nothing.
        let own: JSONValue?
        let sent: JSONValue
    }

    private(set) var pieces: [String: Piece] = [:]

    package var isEmpty: Bool { pieces.isEmpty }
    /// What was sent of the attributes that are kept.
    var sent: JSONObject { pieces.mapValues(\.sent) }
    func holds(_ attribute: String) -> Bool { pieces[attribute] != nil }

    /// - Parameters:
    ///   - sent: the document as it is to come back.
    ///   - own: what the row gives by itself.
    package init(sent: JSONObject, own: JSONObject) {
        for (name, value) in sent where own[name] != value { pieces[name] = Piece(own: own[name], sent: value) }
    }

    /// The document: what the row says, in the words of the client where they still mean the same.
    /// - Parameter all: `false` = without attributes that the row knows nothing of: anything may be in them.
    package func document(over own: JSONObject, all: Bool = true) -> JSONObject {
        var result = own
        for (name, piece) in pieces where all || piece.own != nil || name.hasPrefix("@") {
            if own[name] == piece.own {
                result[name] = piece.sent
            } else if all, let now = own[name]?.array, let then = piece.own?.array, let sent = piece.sent.array, then.count == sent.count {
                result[name] = .array(Self.merged(now, then: then, sent: sent))
            }
        }
        return result
    }

    /// An array of which the row says something else now: elements that are as they were are still in the client's words, and so is,
    /// in one that changed and is of the same form, what did not change. (A page that mends a number leaves `mobile` as it is.)
    private static func merged(_ now: [JSONValue], then: [JSONValue], sent: [JSONValue]) -> [JSONValue] {
        var result = now
        var free = Array(then.indices)
        var changed: [Int] = []
        for (place, element) in now.enumerated() {
            if let at = free.firstIndex(where: { then[$0] == element }) {
                result[place] = sent[free.remove(at: at)]
            } else {
                changed.append(place)
            }
        }
        for place in changed {
            guard let at = free.firstIndex(where: { isAlike(then[$0], now[place]) }) else { continue }
            let was = free.remove(at: at)
            result[place] = merged(now[place], then: then[was], sent: sent[was])
        }
        return result
    }

    /// What the row knows nothing of belonged to what was there before, and is not taken over.
    private static func merged(_ now: JSONValue, then: JSONValue, sent: JSONValue) -> JSONValue {
        guard case .object(let new) = now, case .object(let old) = then, case .object(let words) = sent else { return now }
        return .object(
            new.reduce(into: new) { result, one in
                guard let before = old[one.key], let said = words[one.key] else { return }
                result[one.key] = before == one.value ? said : merged(one.value, then: before, sent: said)
            })
    }

    /// Objects with the same attributes all the way down.
    private static func isAlike(_ left: JSONValue, _ right: JSONValue) -> Bool {
        guard case .object(let a) = left, case .object(let b) = right else { return left.object == nil && right.object == nil }
        return a.count == b.count && a.allSatisfy { key, value in b[key].map { isAlike(value, $0) } ?? false }
    }

    /// As it is stored: `{"name": {"sent": …, "own": …}}`.
    package var json: JSONValue {
        .object(
            pieces.mapValues { piece in
                var fields: JSONObject = ["sent": piece.sent]
                fields["own"] = piece.own
                return .object(fields)
            })
    }

    /// Reads what was stored; what is not of this form is left out.
    package init(json: JSONValue) {
        for (name, value) in json.object ?? [:] {
            guard let fields = value.object, let sent = fields["sent"] else { continue }
            pieces[name] = Piece(own: fields["own"], sent: sent)
        }
    }
}
