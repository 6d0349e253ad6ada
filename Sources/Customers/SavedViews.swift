import Kernel
import Platform
import Storage
import Web

/// A list somebody wants to come back to: a filter under a name, with an address of its own.
struct SavedView: Sendable {
    let id: SavedViewID
    let name: String
    let owner: UserID
    let shared: Bool
    let filter: CustomerFilter
}

enum SavedViews {
    static let visible: SQL = """
        SELECT id, name, owner_id, shared, filter FROM customers_saved_view WHERE owner_id = $1 OR shared
        ORDER BY name, id LIMIT 50
        """
    static let byID: SQL = """
        SELECT id, name, owner_id, shared, filter FROM customers_saved_view
        WHERE id = $1 AND (owner_id = $2 OR shared)
        """
    static let insert: SQL = """
        INSERT INTO customers_saved_view (id, name, owner_id, shared, filter, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        """
    static let delete: SQL = "DELETE FROM customers_saved_view WHERE id = $1"

    /// The person's own and the shared ones.
    static func all(_ principal: Principal, _ session: any SQLSession) throws -> [SavedView] {
        try session.query(visible, [.int(principal.userID?.rawValue ?? 0)], view)
    }

    /// - Throws: `CRMError.notFound` for somebody else's private view too.
    static func view(_ id: SavedViewID, _ principal: Principal, _ session: any SQLSession) throws -> SavedView {
        guard let found = try session.first(byID, [.id(id), .int(principal.userID?.rawValue ?? 0)], view) else {
            throw CRMError.notFound
        }
        return found
    }

    private static func view(_ row: Row) throws -> SavedView {
        SavedView(
            id: row.id(0), name: row.text(1), owner: row.id(2), shared: row.bool(3),
            filter: CustomerFilter(try Form.parse(row.text(4)).fields))
    }

    // MARK: Handlers

    static func create(_ call: Call) async throws -> WebResponse {
        let name = try call.form.text("name", max: 60)
        let shared = call.form["shared"] == "yes"
        let principal = try call.principal()
        if shared { try principal.require(CustomerPermissions.shareViews) }
        guard let owner = principal.userID else { throw CRMError.loginRequired }
        let filter = CustomerFilter(try Form.parse(call.form["filter"] ?? "").fields)
        let id: SavedViewID = call.tenant.ids.next()
        let now = call.tenant.clock.now()
        return try await call.change { session in
            try session.execute(
                insert, [.id(id), .text(name), .id(owner), .bool(shared), .text(filter.query), .time(now)])
            try call.record(
                AuditEntry(
                    "customers.view.create", [AuditSubject(kind: "saved_view", id: id.rawValue)],
                    facts: ["shared": .bool(shared), "filter": .string(filter.query)]), session)
            return .redirect("/customers?view=\(id)").flash("customers.views.saved")
        }
    }

    /// The owner may remove a view; a shared one also whoever may share.
    static func remove(_ call: Call) async throws -> WebResponse {
        let id: SavedViewID = try call.request.id("id")
        let principal = try call.principal()
        return try await call.change { session in
            let found = try view(id, principal, session)
            guard found.owner == principal.userID || (found.shared && principal.may(CustomerPermissions.shareViews))
            else {
                throw CRMError.forbidden(CustomerPermissions.shareViews)
            }
            try session.execute(delete, [.id(id)])
            try call.record(
                AuditEntry("customers.view.remove", [AuditSubject(kind: "saved_view", id: id.rawValue)]), session)
            return .redirect("/customers").flash("customers.views.removed")
        }
    }
}
