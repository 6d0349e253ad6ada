import Kernel
import Storage

/// The second wall (G23, G58): tables belong to an owner, and the role that serves may only do what serving needs.
package struct PostgresRole: Sendable, Equatable {
    package let name: String
    package let isSuperuser: Bool
    package let bypassesRowSecurity: Bool
    /// Tables of the database that are its own, or of a role it is a member of.
    package let ownedTables: Int
    /// Tables of the database that are not.
    package let foreignTables: Int

    /// Whether it could change the schema or the audit log.
    package var isPowerful: Bool { isSuperuser || bypassesRowSecurity || ownedTables > 0 }

    static let current: SQL = """
        SELECT r.rolname, r.rolsuper, r.rolbypassrls,
          COUNT(c.oid) FILTER (WHERE pg_has_role(r.oid, c.relowner, 'USAGE')),
          COUNT(c.oid) FILTER (WHERE NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
        FROM pg_roles r LEFT JOIN pg_class c ON c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
        WHERE r.rolname = current_user GROUP BY r.rolname, r.rolsuper, r.rolbypassrls
        """

    /// The role a session works as.
    /// - Throws: `StorageError`.
    package static func current(_ session: any SQLSession) throws -> PostgresRole {
        let found = try session.first(current) {
            PostgresRole(
                name: $0.text(0), isSuperuser: $0.bool(1), bypassesRowSecurity: $0.bool(2), ownedTables: $0.integer(3),
                foreignTables: $0.integer(4))
        }
        guard let found else { throw StorageError(.statement, "the server does not tell the role of the session") }
        return found
    }

    /// - Throws: `CRMError` "application_role" when this role is no wall: it may do what only the owner is to do.
    package func refuseIfPowerful(owner: String) throws {
        let (en, zh) =
            if name == owner {
                ("is the owner itself", "就是所有者")
            } else if isSuperuser {
                ("is a superuser", "是超级用户")
            } else if bypassesRowSecurity {
                ("has BYPASSRLS", "具有 BYPASSRLS 权限")
            } else {
                ("owns \(ownedTables) tables", "拥有 \(ownedTables) 张表")
            }
        guard isPowerful || name == owner else { return }
        throw CRMError(
            "application_role", status: 500,
            Words(
                en:
                    "An owner role is configured, but the application's role \(name) \(en): it could change the schema and the audit log. Give the application a plain role of its own; tables go to the owner with: REASSIGN OWNED BY \(Self.quoted(name)) TO \(Self.quoted(owner)). See docs/runbooks/postgresql.md.",
                zh:
                    "已配置所有者角色，但应用角色 \(name) \(zh)，可以修改表结构和审计日志。请为应用使用单独的普通角色；可用 REASSIGN OWNED BY \(Self.quoted(name)) TO \(Self.quoted(owner)) 将表移交给所有者。参见 docs/runbooks/postgresql.md。"
            ))
    }

    /// - Throws: `CRMError` "owner_role" when tables are somebody else's, so that this role cannot migrate them.
    package func refuseIfNotOwner() throws {
        guard foreignTables > 0 else { return }
        throw CRMError(
            "owner_role", status: 500,
            Words(
                en:
                    "The owner role \(name) does not own \(foreignTables) tables of the database. Have a superuser run, in this database: REASSIGN OWNED BY OLD_ROLE TO \(Self.quoted(name)).",
                zh:
                    "所有者角色 \(name) 不拥有数据库中的 \(foreignTables) 张表。请由超级用户在该数据库中执行：REASSIGN OWNED BY 原角色 TO \(Self.quoted(name))。"
            ))
    }

    private static func rights(_ layout: TableLayout) -> Set<String> {
        if layout.isReadOnly { return ["SELECT"] }
        return layout.isAppendOnly ? ["SELECT", "INSERT"] : ["SELECT", "INSERT", "UPDATE", "DELETE"]
    }

    static let held: SQL = """
        SELECT c.relname, r.name, has_table_privilege($1, c.oid, r.name) FROM pg_class c
        CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER'), ('REFERENCES')) r (name)
        WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p') ORDER BY c.relname
        """

    /// Tables on which a role has fewer or more rights than `grants` gives it.
    /// - Throws: `StorageError` when there is no such role.
    package static func wrongRights(
        _ role: String, _ layouts: [TableLayout], _ session: any SQLSession
    ) throws -> [String] {
        var wanted = Dictionary(layouts.map { ($0.table, rights($0)) }, uniquingKeysWith: { first, _ in first })
        for layout in layouts where layout.growth != nil { wanted[layout.table + "_default"] = ["SELECT"] }
        var held: [String: Set<String>] = [:]
        try session.forEach(Self.held, [.text(role)]) { row in
            held[row.text(0), default: []].formUnion(row.bool(2) ? [row.text(1)] : [])
            return true
        }
        return held.filter { $0.value != wanted[$0.key] ?? [] }.keys.sorted()
    }

    /// What the application's role gets, whatever it had before: reading and writing of ordinary tables, reading and adding in
    /// the audit log. Rows of a month are reached through the whole table only; of those without a month doctor asks.
    package static func grants(to role: String, _ layouts: [TableLayout]) -> [SQL] {
        let role = quoted(role)
        return [
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC, \(role)", "GRANT USAGE ON SCHEMA public TO \(role)",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, \(role)",
        ].map { SQL(trusted: $0) }
            + layouts.map { layout in
                SQL(
                    trusted:
                        "GRANT \(rights(layout).sorted().joined(separator: ", ")) ON \(layout.table) TO \(role)")
            }
            + layouts.filter { $0.growth != nil }.map {
                SQL(trusted: "GRANT SELECT ON \($0.table)_default TO \(role)")
            }
    }

    /// Gives the application's role exactly what it needs; one transaction, run by the owner.
    /// - Throws: `StorageError`.
    package static func grant(to role: String, _ layouts: [TableLayout], _ database: any Database) async throws {
        try await database.write { session in
            try session.execute("LOCK TABLE schema_migration IN EXCLUSIVE MODE")
            for statement in grants(to: role, layouts) { try session.execute(statement) }
        }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
