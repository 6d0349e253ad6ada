import Foundation
import Kernel
import Storage
import TestSupport
import Testing

/// The SQL in the source: whose tables, which words, and whether it fits the schema.
@Suite("SQL")
struct SQLTests {
    struct Statement {
        let file: SwiftFile
        let literal: SwiftFile.Literal
        var place: String { "\(file.path):\(literal.line)" }
        /// With the constants of the file put in where they are named.
        var text: String {
            var text = literal.text
            for name in Set(matches(#"\\\((\w+)\)"#, in: text).compactMap(\.groups.first)) {
                let constant = file.literals.first {
                    !matches("\\blet \(name)(?:: SQL)? = $", in: $0.before).isEmpty && !$0.isInterpolated
                }
                if let constant { text = text.replacingOccurrences(of: "\\(\(name))", with: constant.text) }
            }
            return text
        }
    }

    /// Literals that begin as a statement or as a piece of one.
    static let pieces: [Statement] = SourceTree.sources.filter { $0.target != "TestSupport" }.flatMap { file in
        file.literals.filter {
            !matches(
                #"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|AND|OR|WHERE|ORDER BY|GROUP BY|HAVING|LIMIT|(LEFT |INNER )?JOIN|FROM|UNION|VALUES|SET|ON CONFLICT|RETURNING|PRAGMA)\b"#,
                in: $0.text
            ).isEmpty
        }.map { Statement(file: file, literal: $0) }
    }

    /// Whole statements.
    static let statements = pieces.filter {
        !matches(#"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b"#, in: $0.text).isEmpty
    }

    @Test("there is SQL to look at")
    func found() {
        #expect(Self.statements.count > 80)
    }

    @Test("a target's SQL names its own tables only")
    func ownTables() async throws {
        let tables = Set(try await MigratedDatabase().tables())
        var findings: [String] = []
        for piece in Self.pieces {
            let prefix = piece.file.target.lowercased() + "_"
            for word in Set(matches(#"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b"#, in: piece.text).map(\.text))
            where tables.contains(word) {
                if word.hasPrefix(prefix) { continue }
                if word == "schema_migration", piece.file.target == "Storage" { continue }
                findings.append("\(piece.place) \(word)")
            }
            // What follows FROM, JOIN, INTO or UPDATE is a table there is, or a name the statement itself gives.
            let own = Set(
                matches(#"(?:\bWITH(?: RECURSIVE)?|,)\s+(\w+)(?:\s*\([^)]*\))?\s+AS\s*(?:MATERIALIZED\s*)?\("#, in: piece.text).compactMap(
                    \.groups.first))
            for found in matches(
                #"(?<!DISTINCT )(?:\bFROM|\bJOIN|\bINTO|(?<!DO )\bUPDATE)\s+([a-z]\w*+)(?!\()"#, in: piece.text)
            {
                let word = found.groups[0]
                if !tables.contains(word), !own.contains(word),
                    !["sqlite_", "pragma_", "pg_"].contains(where: { word.hasPrefix($0) })
                {
                    findings.append("\(piece.place) \(word) is no table")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("words that one of the engines does not know stay behind the Dialect seam")
    func bannedWords() {
        let banned =
            #"(?i)\b(string_agg|group_concat|concat|concat_ws|now|greatest|least|strpos|instr|date_trunc|extract|any|json_extract|strftime|datetime|julianday|ifnull|iif|printf|unixepoch|regexp_replace|to_char|generate_series|array_agg)\s*\(|(?i)\b(ilike|glob|lateral|merge into|insert or|replace into|for update|for share|rowid|autoincrement|collate|current_timestamp|current_date|returning \*|delete from \w+ using|using \()\b|::|\bMATCH\b|\bREGEXP\b|\bPRAGMA\b"#
        var findings: [String] = []
        for piece in Self.pieces
        where !piece.file.isDialect && !["StorageSQLite", "StoragePostgres"].contains(piece.file.target) {
            for found in matches(banned, in: piece.text) {
                // The claims of jobs and events are among the few statements with two texts.
                if ["Storage/JobQueue.swift", "Storage/Outbox.swift"].contains(piece.file.short),
                    found.text.uppercased() == "FOR UPDATE"
                {
                    continue
                }
                findings.append("\(piece.place) \(found.text)")
            }
        }
        for file in SourceTree.migrations where !file.name.contains(".sqlite.") && !file.name.contains(".postgres.") {
            findings += file.places(banned)
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("a boolean is a condition by itself, not compared with a number")
    func booleans() async throws {
        let columns = Set(try await MigratedDatabase().columns().filter { $0.type == "BOOLEAN" }.map(\.name))
        #expect(columns.count > 3)
        let pattern = #"\b(\#(columns.sorted().joined(separator: "|")))\s*(=|<>|!=|IS)\s*(NOT\s+)?[01]\b"#
        let findings = Self.pieces.flatMap { piece in
            matches(pattern, in: piece.text).map { "\(piece.place) \($0.text)" }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("the dialect is asked for in Storage, the drivers and files named +Dialect only")
    func seam() {
        let findings = SourceTree.sources.filter {
            !["Storage", "StorageSQLite", "StoragePostgres", "TestSupport"].contains($0.target) && !$0.isDialect
        }
        .flatMap { $0.places(#"\bdialect\s*(==|\.sql\(|\.json\()|SQL\(trusted:"#) }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every whole statement fits the schema: the engine prepares it")
    func prepared() async throws {
        let database = try await MigratedDatabase()
        var prepared = 0
        var findings: [String] = []
        for statement in Self.statements
        where !statement.file.isDialect && statement.file.target != "StoragePostgres" {
            let text = statement.text
            // What is put together elsewhere, or closed by a later piece, is no statement yet.
            if text.contains(#"\("#) || text.count(where: { $0 == "(" }) != text.count(where: { $0 == ")" }) {
                continue
            }
            // Texts with ? are pieces for SQLBuilder; one with FOR UPDATE is the other engine's.
            if text.contains("?") || text.contains("FOR UPDATE") { continue }
            let numbers = matches(#"\$(\d+)"#, in: text).compactMap { $0.groups.first.flatMap { Int($0) } }
            let arguments = [SQLValue](repeating: .null, count: numbers.max() ?? 0)
            do {
                try await database.database.read { session in
                    try session.forEach(SQL(trusted: "EXPLAIN " + text), arguments) { _ in false }
                }
                prepared += 1
            } catch {
                // Closed by a GROUP BY that a builder appends: SQLite takes it without.
                if "\(error)".contains("(42803)") { continue }
                findings.append("\(statement.place) \(error)")
            }
            // $1...$n without a gap: a forgotten one would be an argument too many.
            if Set(numbers) != Set(1..<(1 + (numbers.max() ?? 0))) {
                findings.append("\(statement.place) numbers \(Set(numbers).sorted())")
            }
        }
        #expect(prepared > 60)
        #expect(findings.isEmpty, list(findings))
    }

    @Test(
        "lists are never unbounded: a statement that reads a whole table says so with its WHERE, LIMIT or an aggregate")
    func bounded() async throws {
        let growing = try await MigratedDatabase().tables().filter {
            $0.hasPrefix("customers_") || $0.hasPrefix("platform_audit") || $0.hasPrefix("storage_outbox")
        }
        let findings = Self.statements.filter { statement in
            let text = statement.text
            guard text.trimmingCharacters(in: .whitespacesAndNewlines).hasPrefix("DELETE") || text.contains("UPDATE ")
            else { return false }
            return !text.contains("WHERE") && !text.contains("ON CONFLICT") && growing.contains { text.contains($0) }
        }.map(\.place)
        #expect(findings.isEmpty, list(findings))
    }
}
