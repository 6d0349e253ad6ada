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
        for (name, piece) in pieces where own[name] == piece.own && (all || piece.own != nil || name.hasPrefix("@")) {
            result[name] = piece.sent
        }
        return result
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
