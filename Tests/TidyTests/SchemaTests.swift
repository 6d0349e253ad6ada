import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@Suite("Schema")
struct SchemaTests {
    @Test("the schema is the golden one; SWITCHBOARD_RECORD=1 writes it anew")
    func golden() async throws {
        let database = try await MigratedDatabase()
        let path = Checkout.root + "/schema/\(database.database.dialect.rawValue).sql"
        let dump = try await database.schema.dump()
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try dump.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let golden = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let now = Set(dump.components(separatedBy: ";\n\n")), then = Set(golden.components(separatedBy: ";\n\n"))
        #expect(dump == golden, "new: \(now.subtracting(then).sorted()) gone: \(then.subtracting(now).sorted())")
    }

    @Test("a migration names only tables of its own domain, in the types both engines have")
    func migrations() {
        var findings: [String] = []
        let types = #"TEXT|BIGINT|INTEGER|BOOLEAN|DOUBLE PRECISION|BYTEA"#
        for file in SourceTree.migrations where !file.name.hasSuffix(".sqlite.sql") {
            let prefix = file.target.lowercased() + "_"
            let text = file.text.replacingOccurrences(of: #"(?m)^\s*--.*$"#, with: "", options: .regularExpression)
            for found in matches(
                #"(?:CREATE TABLE|ALTER TABLE|DROP TABLE|REFERENCES|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:UNIQUE )?INDEX \w+ ON)\s+(?:IF (?:NOT )?EXISTS\s+)?(\w+)"#,
                in: text)
            {
                let table = found.groups[0]
                if !table.hasPrefix(prefix) { findings.append("\(file.path): \(table)") }
            }
            for found in matches(#"CREATE (?:UNIQUE )?INDEX (\w+) ON"#, in: text)
            where !found.groups[0].hasPrefix(prefix) {
                findings.append("\(file.path): index \(found.groups[0])")
            }
            for table in matches(#"(?s)CREATE TABLE (\w+) \((.*?)\n\)"#, in: text) {
                for row in table.groups[1].split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) })
                where !row.isEmpty {
                    if row.hasPrefix("PRIMARY KEY") || row.hasPrefix("UNIQUE") || row.hasPrefix("CHECK") { continue }
                    // Several columns may share a line.
                    for column in row.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) })
                    where !column.isEmpty {
                        if matches(
                            "^\\w+ (?:\(types))(?: NOT NULL)?(?: PRIMARY KEY)?(?: DEFAULT [^,]+)?(?: CHECK \\(.*\\))?$",
                            in: column
                        ).isEmpty {
                            findings.append("\(file.path): \(table.groups[0]) \(column)")
                        }
                    }
                }
            }
            for found in matches(
                #"\b(SERIAL|IDENTITY|AUTOINCREMENT|JSONB?|UUID|TIMESTAMP|VARCHAR|NUMERIC|REAL|BLOB|STRICT|WITHOUT ROWID|COLLATE)\b"#,
                in: text)
            {
                findings.append("\(file.path): \(found.text)")
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("a table's name tells its owner")
    func owners() async throws {
        let database = try await MigratedDatabase()
        let prefixes = database.modules.migrationOrder.map { $0.lowercased() + "_" }
        let strangers = try await database.tables().filter { table in
            table != "schema_migration" && !prefixes.contains { table.hasPrefix($0) }
        }
        #expect(strangers.isEmpty, list(strangers))
    }

    @Test("what belongs to a customer is keyed by the customer first")
    func customerKeys() async throws {
        let database = try await MigratedDatabase()
        let columns = try await database.columns()
        var findings: [String] = []
        for table in Set(columns.filter { $0.name == "customer_id" }.map(\.table)) {
            let keys = try await database.schema.keys(of: table)
            // Look-ups, locators and indexes lead to a customer: they are keyed by what they are asked with.
            let isLookUp = !keys.contains("id") || keys == ["id"] && columns.count { $0.table == table } == 2
            if keys.first != "customer_id", !isLookUp { findings.append("\(table) is keyed by \(keys)") }
        }
        #expect(findings.isEmpty, list(findings))
    }
}
