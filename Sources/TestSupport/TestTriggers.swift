import Storage

/// Triggers in the words of either engine, for tests that watch or refuse what is written.
package enum TestTrigger {
    /// Runs `statement` (it may say `new.column`) for each row that is updated.
    /// - Parameter column: only when this column is set; `nil` = at any update.
    package static func onUpdate(
        _ name: String, of column: String? = nil, table: String, does statement: String, _ session: any SQLSession
    ) throws {
        try make(
            name, "AFTER UPDATE \(column.map { "OF \($0) " } ?? "")ON \(table)", sqlite: statement, postgres: statement,
            session)
    }

    /// Lets every insertion into `table` fail.
    package static func refuseInserts(into table: String, _ session: any SQLSession) throws {
        try make(
            "refuse_\(table)", "BEFORE INSERT ON \(table)", sqlite: "SELECT RAISE(ABORT, 'disk full')",
            postgres: "RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'", session)
    }

    private static func make(
        _ name: String, _ occasion: String, sqlite: String, postgres: String, _ session: any SQLSession
    ) throws {
        switch session.dialect {
        case .sqlite: try session.execute(SQL(trusted: "CREATE TRIGGER \(name) \(occasion) BEGIN \(sqlite); END"))
        case .postgres:
            try session.execute(
                SQL(
                    trusted:
                        "CREATE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \(postgres); RETURN new; END$$"
                ))
            try session.execute(
                SQL(trusted: "CREATE TRIGGER \(name) \(occasion) FOR EACH ROW EXECUTE FUNCTION \(name)()"))
        }
    }
}
