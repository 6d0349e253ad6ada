import Kernel
import Platform
import Storage
import TMF
import Web

/// A row of the catalogue, as it is declared, that does not go while others point to it.
struct CatalogStore: TMFWritingStore {
    let rows: TMFRows
    /// Who may point to one.
    let links: [CatalogLink]
    /// The same of other domains.
    let hold: CatalogHold?

    init(_ rows: TMFRows, links: [CatalogLink] = [], hold: CatalogHold? = nil) {
        self.rows = rows
        self.links = links
        self.hold = hold
    }

    var table: TMFTable { rows.table }
    /// When it changed last is known here: what a client says of that is neither taken nor kept.
    var whole: Set<String> { rows.whole.union(["lastUpdate"]) }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        var document = document
        document["lastUpdate"] = nil
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try rows.change(id, from: old, to: new, context, session)
    }

    /// - Throws: 409 saying what still points to it.
    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let name = document["name"]?.string ?? String(id)
        var users: [Words] = []
        for link in links {
            let found = try session.query(link.statement, [.text(String(id)), .int(id)]) { $0.int(0) }
            guard !found.isEmpty else { continue }
            let names = found.prefix(CatalogLink.named).map(String.init).joined(separator: ", ")
            let more = found.count > CatalogLink.named ? ", …" : ""
            users.append(Words(en: "\(link.words.en) \(names)\(more)", zh: "\(link.words.zh) \(names)\(more)"))
        }
        if let hold { users += try hold.users(id, session) }
        guard users.isEmpty else {
            let (en, zh) = (users.map(\.en).joined(separator: "; "), users.map(\.zh).joined(separator: "；"))
            throw CRMError(
                "in_use", status: 409,
                Words(
                    en: "“\(name)” cannot be removed: it is used by \(en). Retire it, or remove it there first.",
                    zh: "无法删除“\(name)”：仍被以下对象引用：\(zh)。请将其下架，或先解除引用。"))
        }
        try rows.remove(id, document, context, session)
    }
}

/// Rows that point to a resource of the catalogue: `$1` is its id as text, `$2` as a number; the answer has their ids.
struct CatalogLink: Sendable {
    static let named = 3

    let words: Words
    let statement: SQL

    init(_ en: String, _ zh: String, _ statement: SQL) {
        words = Words(en: en, zh: zh)
        self.statement = statement
    }
}

/// Why other domains need something of the catalogue: it has been sold, ordered or quoted.
package struct CatalogHold: Sendable {
    /// Who names it, in the plural: `products 12, 13`.
    let users: @Sendable (Int64, any SQLSession) throws -> [Words]

    package init(_ users: @escaping @Sendable (Int64, any SQLSession) throws -> [Words]) { self.users = users }
}

/// What all resources of the catalogue have.
enum CatalogFields {
    static let all: [TMFField] = [
        TMFField("name", "name", sorts: true), TMFField("version", "version"), TMFField("description", "description"),
        TMFField(Lifecycle.attribute, "status", isIndexed: true), TMFField("validFor.startDateTime", "valid_from", .time),
        TMFField("validFor.endDateTime", "valid_to", .time),
        TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
    ]

    /// References to something by its id.
    static func references(
        _ attribute: String, _ table: SQL, _ column: SQL, more: [TMFField] = [], isIndexed: Bool = true
    ) -> TMFItems {
        TMFItems(
            attribute, table, [TMFField("id", column, isIndexed: isIndexed), TMFField("name", "name")] + more, rest: "more")
    }
}
