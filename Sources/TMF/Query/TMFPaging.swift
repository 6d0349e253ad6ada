import Foundation
import Kernel
import Web

/// A place in an order, as a client gets it and gives it back: what the last document was ordered by, and its id.
package struct TMFCursor: Sendable, Equatable {
    package let keys: [JSONValue]
    package let id: String

    package init(keys: [JSONValue], id: String) {
        self.keys = keys
        self.id = id
    }

    /// Opaque to clients; `order` binds it to the order it was made for.
    package func encoded(order: String) -> String {
        let text = JSONValue.array([.string(order), .string(id)] + keys).encoded()
        return Data(text.utf8).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    /// - Throws: 400 for what is no cursor, or one of another order.
    package init(_ text: String, order: String) throws {
        let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard text.utf8.count <= 4_000, let data = Data(base64Encoded: padded),
            let value = try? JSONValue.parse([UInt8](data)), let parts = value.array, parts.count >= 2,
            parts[0].string == order, let id = parts[1].string
        else {
            throw TMFQuery.bad("after", Words(
                en: "This place in the list is not known: take it from the Link header of the same list with the same sort.",
                zh: "该翻页位置无效：请使用同一列表、同一排序返回的 Link 头。"))
        }
        self.init(keys: Array(parts[2...]), id: id)
    }
}

/// What is said about a page beside its documents.
package struct TMFPage: Sendable {
    /// All that match, however many are on the page.
    package let total: Int
    package let count: Int
    package let links: [(relation: String, address: String)]

    /// 206 when there is more than what is on the page.
    package var isPartial: Bool { count < total }

    /// `<…>; rel="next", <…>; rel="last"`.
    package var link: String { links.map { "<\($0.address)>; rel=\"\($0.relation)\"" }.joined(separator: ", ") }

    /// - Parameters:
    ///   - base: the address of the list without its query.
    ///   - query: as it was sent.
    ///   - next: the cursor behind the page, where there is more behind it; `previous` likewise.
    package init(
        _ query: TMFQuery, total: Int, count: Int, base: String, sent: Form, next: String?, previous: String?
    ) {
        self.total = total
        self.count = count
        func address(_ more: [(String, String)]) -> String {
            let kept = sent.fields.filter { !["offset", "after", "before"].contains($0.name) }
            let form = Form(kept + more.map { (name: $0.0, value: $0.1) })
            return form.fields.isEmpty ? base : base + "?" + form.encoded
        }
        let own = sent.fields.filter { ["offset", "after", "before"].contains($0.name) }.map { ($0.name, $0.value) }
        // A list that was begun by cursor begins again by cursor.
        let first = if case .offset = query.place { address([]) } else { address([("after", "")]) }
        var links = [(relation: "self", address: address(own)), (relation: "first", address: first)]
        let limit = query.limit
        if case .offset(let offset) = query.place, limit > 0 {
            if offset > 0 {
                let before = max(0, offset - limit)
                links.append(("prev", address(before == 0 ? [] : [("offset", String(before))])))
            }
            if offset + count < total {
                let after = offset + limit
                if after <= TMFQuery.offsetMax {
                    links.append(("next", address([("offset", String(after))])))
                } else if let next {
                    links.append(("next", address([("after", next)])))
                }
            }
            let last = total == 0 ? 0 : (total - 1) / limit * limit
            if last <= TMFQuery.offsetMax {
                links.append(("last", address(last == 0 ? [] : [("offset", String(last))])))
            }
        } else {
            if let previous { links.append(("prev", address([("before", previous)]))) }
            if let next { links.append(("next", address([("after", next)]))) }
        }
        self.links = links
    }
}
