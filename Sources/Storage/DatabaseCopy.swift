import Kernel

/// Moves a whole database to another one, of either engine: the way up when one machine is outgrown. Resumable (each page
/// of rows commits with where it ended), and verified by counts and checksums of every table on both sides.
package struct DatabaseCopy: Sendable {
    /// What was found in a table after the copy.
    package struct Table: Sendable {
        package let name: String
        package let rows: Int64
        /// Sum over the rows of a hash of each: the same whatever their order. 64 bits, wrapping.
        package let checksum: UInt64
    }

    private let source: any Database
    private let target: any Database
    private let leftOut: Set<String>
    private let clock: any WallClock
    /// Rows of one page and one transaction.
    private static let page = 2_000

    /// Both databases must have been migrated by this binary; nobody else may write to either meanwhile.
    /// - Parameter leavingOut: tables that are brought over in another way.
    package init(
        from source: any Database, to target: any Database, leavingOut: Set<String> = [],
        clock: any WallClock = SystemClock()
    ) {
        self.source = source
        self.clock = clock
        leftOut = Self.local.union(leavingOut)
        self.target = target
    }

    /// Where each table's copy ended: `storage_copy` of the target has rows only while it is copied to.
    static let forgetState: SQL = "DELETE FROM storage_copy"
    static let saveState: SQL = """
        INSERT INTO storage_copy (name, after_key, done, finished) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET after_key = $2, done = $3, finished = $4
        """
    static let states: SQL = "SELECT name, after_key, done, finished FROM storage_copy"
    static let versions: SQL = "SELECT module, number, checksum FROM schema_migration ORDER BY module, number"

    /// Tables that say something of this installation's processes only.
    private static let local: Set<String> = ["schema_migration", "storage_node", "storage_server", "storage_copy"]

    package struct Begun: Sendable {
        fileprivate let schema: [StoredSchema.Table]
        fileprivate let states: [String: State]
    }

    fileprivate struct State: Sendable {
        var key: [SQLValue]?
        var done: Int64
        var finished: Bool
    }

    /// Copies what is missing and verifies everything.
    /// - Parameter progress: table, rows done, rows in all.
    /// - Throws: `CRMError` "copy_versions" when the schemas differ, "copy_not_empty" when the target holds rows that no
    ///   copy of ours put there, "copy_mismatch" naming the tables that differ after the copy.
    package func run(progress: @Sendable (String, Int64, Int64) -> Void) async throws -> [Table] {
        let begun = try await begin()
        let schema = begun.schema
        var states = begun.states
        for table in schema {
            var state = states[table.name] ?? State(key: nil, done: 0, finished: false)
            let total = try await count(table, source)
            while !state.finished {
                state = try await copyPage(table, state)
                progress(table.name, state.done, max(total, state.done))
            }
            states[table.name] = state
        }
        let result = try await verify(schema, progress)
        let print = Self.fingerprint(result.map { ($0.name, $0.rows) })
        let now = clock.now()
        try await target.write { session in
            try StoredSchema.rebuildTextIndexes(session)
            _ = try session.execute(Self.forgetState)
            try Mark.set(Self.finished, print, at: now, session)
        }
        return result
    }

    /// When the copy of this very source into this target came to its end; `nil` = it did not, or nothing was copied.
    /// - Throws: `CRMError` "copy_finished" when it did and the source has other rows by now.
    package func finishedAt() async throws -> Instant? {
        let kept: (print: String, at: Instant)? = try await target.read { session in
            guard try Migrator.hasSchema(session), try !session.exists(Self.isMarked) else { return nil }
            return try session.first(Self.finish, [.text(Self.finished)]) { ($0.text(0), $0.time(1)) }
        }
        guard let kept else { return nil }
        var counts: [(String, Int64)] = []
        for table in try await source.read({ try StoredSchema.tables($0) }) where !leftOut.contains(table.name) {
            counts.append((table.name, try await count(table, source)))
        }
        guard kept.print == Self.fingerprint(counts) else {
            throw CRMError(
                "copy_finished", status: 409,
                Words(
                    en:
                        "A copy into this target was finished at \(kept.at.iso8601), and the source is not the one of then, or has changed since. Nothing was copied. To take what is there now, copy into an empty database.",
                    zh: "向该目标的复制已于 \(kept.at.iso8601) 完成，而源与当时不同或此后已有变化，未复制任何内容。如需复制现有数据，请复制到空数据库。"))
        }
        return kept.at
    }

    /// How many rows each table of the source had when its copy ended: told from a source that was used since.
    private static func fingerprint(_ counts: [(name: String, rows: Int64)]) -> String {
        let values = counts.sorted { $0.name < $1.name }.flatMap { [SQLValue.text($0.name), .int($0.rows)] }
        return String(RowHash.of(values), radix: 16)
    }

    /// Marks the target as one that is copied to: until the copy is through nobody else opens it.
    /// - Throws: as `run`, before anything is marked.
    @discardableResult
    package func begin() async throws -> Begun {
        let schema = try await source.read { try StoredSchema.tables($0) }.filter { !leftOut.contains($0.name) }
        try await checkVersions()
        let states = try await loadStates()
        if states.isEmpty {
            for table in schema where try await count(table, target) > 0 {
                throw CRMError(
                    "copy_not_empty", status: 409,
                    Words(
                        en: "The target already holds rows in \(table.name). Copy into an empty database.",
                        zh: "目标数据库的 \(table.name) 中已有数据，请复制到空数据库。"))
            }
        }
        try await target.write { session in
            _ = try session.execute(Self.saveState, [.text(Self.mark), .null, .int(0), .bool(false)])
        }
        return Begun(schema: schema, states: states)
    }

    /// A name no table has.
    private static let mark = "*"
    private static let finished = "copy.finished"
    static let finish: SQL = "SELECT value, marked_at FROM storage_mark WHERE name = $1"
    static let isMarked: SQL = "SELECT 1 FROM storage_copy LIMIT 1"

    /// For whoever opens a database to work with it.
    /// - Throws: `CRMError` "copy_unfinished" while a copy into it was begun and has not ended.
    package static func refuseUnfinished(_ database: any Database) async throws {
        guard try await database.read({ try $0.exists(isMarked) }) else { return }
        throw CRMError(
            "copy_unfinished", status: 503,
            Words(
                en:
                    "This database holds an unfinished copy. Run the same `switchboard copy` again: it goes on where it ended.",
                zh: "该数据库中的复制尚未完成。请再次运行相同的 switchboard copy，将从中断处继续。"))
    }

    private func checkVersions() async throws {
        let read: @Sendable (any SQLSession) throws -> [String] = { session in
            try session.query(Self.versions) { "\($0.text(0))/\($0.integer(1))/\($0.text(2))" }
        }
        // A migration for one engine has another text on the other: only its number is compared then.
        let (here, there) = (try await source.read(read), try await target.read(read))
        let numbers = { (list: [String]) in list.map { $0.split(separator: "/").prefix(2).joined(separator: "/") } }
        guard numbers(here) == numbers(there) else {
            throw CRMError(
                "copy_versions", status: 409,
                Words(
                    en: "The two databases have different schemas. Run `switchboard migrate` of this version on both.",
                    zh: "两个数据库的结构版本不同，请先用本版本对两者执行 switchboard migrate。"))
        }
    }

    private func loadStates() async throws -> [String: State] {
        let rows = try await target.read { session in
            try session.query(Self.states) { row in
                (row.text(0), State(key: nil, done: row.int(2), finished: row.bool(3)), row.optionalText(1))
            }
        }
        let tables = try await source.read { try StoredSchema.tables($0) }
        var result: [String: State] = [:]
        for (name, state, key) in rows {
            var state = state
            guard let table = tables.first(where: { $0.name == name }) else { continue }
            state.key = key.map { KeyText.values($0, table.keyTypes) }
            result[name] = state
        }
        return result
    }

    private func copyPage(_ table: StoredSchema.Table, _ state: State) async throws -> State {
        let rows = try await source.read { try table.page(after: state.key, limit: Self.page, $0) }
        let key = rows.last.map(table.key) ?? state.key
        let next = State(
            key: key, done: state.done + Int64(rows.count), finished: rows.count < Self.page)
        try await target.write { session in
            try session.bulkInsert(into: SQL(trusted: table.name), table.columnList, rows)
            try session.execute(
                Self.saveState,
                [.text(table.name), .text(key.map(KeyText.text)), .int(next.done), .bool(next.finished)])
        }
        return next
    }

    private func count(_ table: StoredSchema.Table, _ database: any Database) async throws -> Int64 {
        Int64(try await database.read { try $0.count(SQL(trusted: "SELECT COUNT(*) FROM \(table.name)")) })
    }

    private func verify(
        _ schema: [StoredSchema.Table], _ progress: @Sendable (String, Int64, Int64) -> Void
    ) async throws -> [Table] {
        var result: [Table] = []
        var different: [String] = []
        for table in schema {
            let (here, there) = (try await digest(table, source), try await digest(table, target))
            if here.rows != there.rows || here.checksum != there.checksum {
                different.append("\(table.name) (\(here.rows) / \(there.rows))")
            }
            result.append(there)
            progress("verify \(table.name)", there.rows, there.rows)
        }
        guard different.isEmpty else {
            throw CRMError(
                "copy_mismatch", status: 500,
                Words(
                    en:
                        "Source and target differ in \(different.joined(separator: ", ")). Was something still writing?",
                    zh: "源与目标不一致：\(different.joined(separator: "、"))。复制期间是否仍有写入？"))
        }
        return result
    }

    private func digest(_ table: StoredSchema.Table, _ database: any Database) async throws -> Table {
        let (rows, checksum) = try await database.read { session in
            var (rows, checksum): (Int64, UInt64) = (0, 0)
            try table.scan(session) { row in
                rows += 1
                checksum &+= RowHash.of(row)
            }
            return (rows, checksum)
        }
        return Table(name: table.name, rows: rows, checksum: checksum)
    }
}

/// FNV-1a 64 over the values of a row, each with its kind and length before it.
enum RowHash {
    static func of(_ row: [SQLValue]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        func add(_ number: UInt64) {
            for shift in stride(from: UInt64(0), to: 64, by: 8) { add(UInt8(number >> shift & 255)) }
        }
        for value in row {
            switch value {
            case .null: add(UInt8(0))
            case .int(let int):
                add(UInt8(1))
                add(UInt64(bitPattern: int))
            case .double(let double):
                add(UInt8(2))
                add(double.bitPattern)
            case .text(let text):
                add(UInt8(3))
                add(UInt64(text.utf8.count))
                for byte in text.utf8 { add(byte) }
            case .bool(let bool): add(UInt8(bool ? 5 : 4))
            case .bytes(let bytes):
                add(UInt8(6))
                add(UInt64(bytes.count))
                for byte in bytes { add(byte) }
            }
        }
        return hash
    }
}

/// A key as one text: its values in quotes, so that a state row can hold keys of any width.
enum KeyText {
    static func text(_ values: [SQLValue]) -> String {
        values.map { value -> String in
            switch value {
            case .int(let int): "\(int)"
            case .text(let text): text.replacing("%", with: "%25").replacing("/", with: "%2F")
            default: ""
            }
        }.joined(separator: "/")
    }

    static func values(_ text: String, _ types: [StoredSchema.Kind]) -> [SQLValue] {
        let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
        return zip(pieces, types).map { piece, type in
            type == .int
                ? .int(Int64(piece) ?? 0) : .text(String(piece).replacing("%2F", with: "/").replacing("%25", with: "%"))
        }
    }
}
