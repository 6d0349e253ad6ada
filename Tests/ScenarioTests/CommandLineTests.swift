import App
import Foundation
import Kernel
import Logging
import Platform
import Storage
import StorageSQLite
import TestSupport
import Testing
import Web

/// The commands as a script and a terminal meet them.
@Suite("Command line")
struct CommandLineTests {
    @Test("usage import: 0 all taken, 0 again with nothing but duplicates, 2 some rows refused, 1 no such file, 64 asked wrongly")
    func usageImport() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let base = try bench.file("base.csv", "source_id,name,msisdn\n1,甲乙,13800138000\n2,丙丁,13800138001\n")
        try bench.expect(0, ["import", base, "--source", "crm", "--match-key", "source_id", "--ignore-unmapped"])
        let rows = "id,number,kind,start,seconds,megabytes\n1,13800138000,voice,2026-01-03 10:00:00,61,\n2,13800138001,data,2026-01-03 11:00:00,,5\n"
        let good = try bench.file("cdr.csv", rows)
        let first = try bench.expect(0, ["usage", "import", good, "--source", "switch"])
        #expect(first.out.contains("succeeded") && first.out.contains("taken       2"), "\(first.out)")
        // The same file once more, and the same events under another name: known.
        for file in [good, try bench.file("again.csv", rows + "\n")] {
            let again = try bench.expect(0, ["usage", "import", file, "--source", "switch", "--json"])
            let report = try #require(try JSONValue.parse(Array(again.out.utf8)).object)
            #expect(report["taken"] == .int(0) && report["duplicate"] == .int(2) && report["state"] == .string("succeeded"))
        }
        let bad = try bench.file(
            "bad.csv", "id,number,kind,start,seconds\n3,13800138000,voice,2026-01-04 10:00:00,60\n4,13800138000,voice,2026-02-30 10:00:00,60\n5,12,voice,2026-01-04 10:00:00,60\n6,13900139000,voice,2026-01-04 10:00:00,60\n")
        let partly = try bench.expect(2, ["usage", "import", bad, "--source", "switch"])
        for word in ["taken       1", "unmatched   1", "rejected    2", "first in line 3", "there is no such day", "first in line 4"] {
            #expect(partly.out.contains(word), "\(word): \(partly.out)")
        }
        #expect(!partly.out.contains("13900139000"))
        try bench.expect(1, ["usage", "import", bench.folder + "/absent.csv", "--source", "switch"])
        try bench.expect(1, ["usage", "import", try bench.file("empty.csv", ""), "--source", "switch"])
        for wrong in [
            ["usage", "import", good], ["usage", "import", good, "--source", "s", "--kind", "smoke"],
            ["usage", "import", good, "--source", "s", "--map", "nothing=x"],
            ["usage", "import", good, "--source", "s", "--chunk", "0"],
        ] {
            try bench.expect(64, wrong)
        }
    }

    @Test("import: 0 done, 2 some rows refused, 1 nothing came of it, 64 asked wrongly; what failed changed nothing")
    func importCodes() async throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let (good, partly, hopeless) = (
            try bench.file("good.csv", CommandBench.good), try bench.file("partly.csv", CommandBench.partly),
            try bench.file("hopeless.csv", CommandBench.hopeless)
        )
        for wrong in [
            ["import"], ["import", good, "--revert", "1"], ["import", good, "--nonsense"],
            ["import", "--resume", "1", "--revert", "2"], ["import", good, "--tenant", "No Such"],
            ["import", good, "--encoding", "latin-9"], ["import", good, "--match-key", "shoe_size"],
        ] {
            try bench.expect(64, wrong)
        }
        let map = try bench.file(
            "people.json",
            #"{"name":"people","source":"p","matchKey":"source_id","create":true,"update":true,"unlisted":"ignore","columns":["#
                + #"{"column":"source_id","to":"source_id"},{"column":"name","to":"full_name"},{"column":"phone","to":"phone"}]}"#
        )
        let mapped = ["--mapping", map]
        let zip: [UInt8] = [0x50, 0x4B, 3, 4] + Array(repeating: 0, count: 60)
        for wrong in [
            ["import", bench.folder + "/absent.csv"], ["import", bench.folder],
            ["import", try bench.file("empty.csv", "")], ["import", try bench.file("header.csv", "source_id,name\n")],
            ["import", try bench.file("book.xlsx", zip)], ["import", good, "--mapping", "nobody-knows"],
            ["import", good, "--mapping", try bench.file("map.json", "{\"columns\":")],
            ["import", good, "--config", bench.folder + "/absent.json"],
            ["import", good, "--config", try bench.file("bad.json", "{\"colour\":1}")],
            ["import", good, "--tenant", "a", "--tenant", "b"], ["import", "--resume", "abc"],
            ["import", "--resume", "77"], ["import", "--revert", "77"], ["import", "--revert", ""],
        ] {
            try bench.expect(1, wrong)
        }
        let dry = try bench.expect(0, ["import", good, "--dry-run", "--json"])
        #expect(try CommandBench.object(dry.out)["created"]?.int == 2)
        #expect(
            try CommandBench.object(bench.expect(2, ["import", partly, "--dry-run", "--json"] + mapped).out)["rejected"]?.int
                == 1)
        try bench.expect(1, ["import", hopeless] + mapped)
        try bench.expect(1, ["import", hopeless, "--dry-run"] + mapped)
        #expect(
            try CommandBench.object(bench.expect(0, ["import", good, "--json"]).out)["created"]?.int == 2, "all before: none")
        let again = try CommandBench.object(try bench.expect(2, ["import", partly, "--json"] + mapped).out)
        #expect(again["rejectFile"]?.string == partly + ".rejects.csv")
        let run = try #require(again["run"]?.string)
        try bench.expect(1, ["import", "--resume", run], input: "")
        #expect(
            try CommandBench.object(bench.expect(0, ["import", "--revert", run, "--json"]).out)["state"]?.string == "reverted")
        // It is taken back once.
        try bench.expect(1, ["import", "--revert", run])
    }

    @Test("of a number that is somebody else's a dry run says what --match would do, and with it does")
    func belongs() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let first = try bench.file("a.csv", "source_id,name,msisdn\n1,甲乙,13800000001\n")
        try bench.expect(0, ["import", first, "--source", "billing", "--match-key", "source_id"])
        let file = try bench.file("b.csv", "source_id,name,msisdn\n9,甲乙,13800000001\n")
        let arguments = ["import", file, "--source", "care", "--match-key", "source_id", "--dry-run"]
        let plain = try bench.run(arguments)
        #expect(plain.out.contains("belongs to another customer. With matching (--match"), "\(plain)")
        let matched = try bench.expect(0, arguments + ["--match"])
        #expect(matched.out.contains("  rejected    0\n") && matched.out.contains("  linked      1"), "\(matched)")
    }

    @Test("source: what an import registered is listed with its score and what waits; 1 for a source nobody knows")
    func sourceCodes() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file(
            "billing.csv", "source_id,name,birth_date\n1,甲乙,1990-01-01\n2,丙丁,2990-01-01\n")
        let report = try CommandBench.object(
            bench.expect(2, ["import", file, "--source", "billing", "--match-key", "source_id", "--json"]).out)
        #expect(report["quarantined"]?.int == 1 && report["created"]?.int == 1 && report["rejected"]?.int == 0)
        let list = try bench.expect(0, ["source", "list"])
        #expect(list.out.contains("billing  billing  last import ") && list.out.contains("in quarantine 1"))
        for wrong in [
            ["source", "set", "billing"], ["source", "set", "billing", "--kind", "bank"],
            ["source", "set", "billing", "--fresh-hours", "often"], ["source", "set", "billing", "--classify", "name"],
            ["source", "set", "billing", "--classify", "name=secret"],
        ] {
            try bench.expect(64, wrong)
        }
        let early = try bench.expect(0, ["source", "set", "retail", "--owner", "Shops"])
        #expect(early.error.contains("“retail” is new") && early.out.contains("last import never"), "before its first file")
        try bench.expect(64, ["source", "set", " ", "--owner", "x"])
        try bench.expect(1, ["source", "set", "billing", "--fresh-hours", "0"])
        let set = try CommandBench.object(
            bench.expect(
                0,
                [
                    "source", "set", "billing", "--owner", "Finance", "--fresh-hours", "24", "--classify", "name=name",
                    "--classify", "birth_date=date", "--kind", "billing", "--json",
                ]).out)
        #expect(set["owner"]?.string == "Finance" && set["freshHours"]?.int == 24 && set["freshness"]?.string == "ontime")
        #expect(
            set["schema"]?.array?.compactMap(\.string) == ["name | text |  | name", "birth_date | text |  | date"])
        let shown = try bench.expect(0, ["source", "show", "billing"])
        #expect(shown.out.contains("owner       Finance") && shown.out.contains("expected    every 24 hours"))
        let schema = try bench.file("schema.txt", "name | text | | full\nbirth_date | date | | date\n")
        let whole = try CommandBench.object(
            bench.expect(0, ["source", "set", "billing", "--schema", schema, "--fresh-hours", "none", "--json"]).out)
        #expect(whole["freshHours"]?.int == nil && whole["owner"]?.string == "Finance", "what is not given stays")
        #expect(whole["schema"]?.array?.first?.string == "name | text |  | full")
        let one = try CommandBench.object(bench.expect(0, ["source", "show", "billing", "--json"]).out)
        #expect(one["mappingVersions"]?.int == 1 && one["quarantined"]?.int == 1 && one["imports"]?.int == 1)
        #expect((one["score"]?.double).map { $0 > 30 && $0 <= 50 } ?? false, "one of two rows waits")
        try bench.expect(1, ["source", "show", "nobody"])
        try bench.expect(64, ["source", "show"])
    }

    @Test("evaluate: 0 done, 2 some rows left out, 1 not possible (with an object for programs), 64 asked wrongly")
    func evaluateCodes() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        var text = "id,months,charge,Churn\n"
        for row in 0..<400 {
            text +=
                "\(row),\(row * 7 % 60),\(20 + row * 13 % 90),\((row * 7 % 60) < 20 && row % 3 > 0 ? "Yes" : "No")\n"
        }
        let file = try bench.file("base.csv", text)
        let ragged = try bench.file("ragged.csv", text + "401,2,30\n")
        let label = ["--label", "Churn"]
        for wrong in [
            ["evaluate"], ["evaluate", file], ["evaluate", file, "--folds", "1"] + label,
            ["evaluate", file, "--folds", "x"] + label, ["evaluate", file, "--seed", "-1"] + label,
        ] {
            try bench.expect(64, wrong)
        }
        let one = try bench.file("one.csv", "id,Churn\n" + (0..<100).map { "\($0),Yes\n" }.joined())
        for wrong in [
            ["evaluate", bench.folder + "/absent.csv"] + label, ["evaluate", bench.folder] + label,
            ["evaluate", try bench.file("none.csv", "")] + label, ["evaluate", file, "--label", "Nowhere"],
            ["evaluate", file, "--positive", "Perhaps"] + label, ["evaluate", file, "--id", "nowhere"] + label,
            ["evaluate", one] + label, ["evaluate", try bench.file("few.csv", "a,Churn\n1,Yes\n2,No\n")] + label,
            ["evaluate", file, "--predictions", bench.folder + "/no/such/folder.csv", "--folds", "2"] + label,
        ] {
            try bench.expect(1, wrong)
            let told = try bench.expect(1, wrong + ["--json"])
            let error = try #require(try CommandBench.object(told.out)["error"]?.object, "\(wrong)")
            #expect(error["code"]?.string?.isEmpty == false && error["message_zh"]?.string?.isEmpty == false)
        }
        let fine = try CommandBench.object(bench.expect(0, ["evaluate", file, "--folds", "2", "--json"] + label).out)
        #expect(fine["rows"]?.int == 400)
        let partly = try CommandBench.object(bench.expect(2, ["evaluate", ragged, "--folds", "2", "--json"] + label).out)
        #expect(partly["rows_rejected"]?.int == 1)
    }

    @Test("user: 0 done, 1 refused with its reason and nothing made, 64 asked wrongly; a password is never echoed")
    func userCodes() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let create = ["user", "create", "lin", "--role"]
        let secret = Scenario.password + "\n"
        for wrong in [
            ["user", "create"], ["user", "create", "lin"], ["user", "link"], ["user", "nonsense"],
            create + ["agent", "--tenant", "No Such"], create + ["agent"], create + ["king", "--password-stdin"],
            ["user", "bootstrap", "--role", "king"],
        ] {
            try bench.expect(64, wrong, input: secret)
        }
        for (arguments, input) in [
            (create + ["agent", "--password-stdin"], ""),
            (create + ["agent", "--password-stdin"], "\n"), (create + ["agent", "--password-stdin"], "short\n"),
            (create + ["auditor", "--role", "administrator", "--password-stdin"], secret),
            (["user", "create", "a b\u{1B}[2J", "--role", "agent", "--password-stdin"], secret),
            (["user", "create", "", "--role", "agent", "--password-stdin"], secret), (["user", "link", "nobody"], ""),
            (["user", "bootstrap", "--role", "agent"], ""),
        ] {
            let result = try bench.expect(1, arguments, input: input)
            #expect(!(result.out + result.error).contains(Scenario.password))
            Self.expectQuiet(result, "\(arguments)")
        }
        let none = try bench.expect(0, ["user", "list", "--json"])
        #expect(none.out == "[]\n")
        try bench.expect(0, create + ["agent", "--password-stdin"], input: secret)
        try bench.expect(1, create + ["agent", "--password-stdin"], input: secret)
        try bench.expect(0, ["user", "link", "lin"])
        let one = try bench.expect(0, ["user", "list"])
        #expect(one.out.hasPrefix("lin") && one.out.split(separator: "\n").count == 1)
    }

    // MARK: Terminal

    /// Nothing in what was printed steers a terminal, except ends of lines.
    private static func expectQuiet(_ result: CommandBench.Result, _ what: String) {
        for scalar in (result.out + result.error).unicodeScalars where scalar != "\n" {
            let category = scalar.properties.generalCategory
            let steers = [.control, .format, .lineSeparator, .paragraphSeparator].contains(category)
            #expect(!steers, "\(what): U+\(String(scalar.value, radix: 16))")
            if steers { return }
        }
    }

    @Test("no control character of a file, its name, its columns or its values reaches the terminal raw (G60)")
    func control() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let hostile = "x\u{1B}[2J\u{1B}]0;t\u{7}\u{9B}31m\u{202E}y\u{2028}z\u{8}\r"
        let name = "in\u{1B}[31m\u{9B}m\u{202E}.csv"
        let quoted = "\"\(hostile)\nrejected    0\""
        let people = try bench.file(
            name, "source_id,name,email,\(quoted)\n1,甲乙,\(quoted),\(quoted)\n2,\(quoted),a@b.example,\(quoted)\n")
        var text = "months,charge,\(quoted),Churn\n"
        for row in 0..<300 {
            text +=
                "\(row * 7 % 60),\(20 + row * 13 % 90),\(quoted),\((row * 7 % 60) < 20 && row % 3 > 0 ? quoted : "No")\n"
        }
        let base = try bench.file("base" + name, text)
        let header = try bench.file("header" + name, "a,\(quoted)\u{0}\n1,2\n")
        let label = ["--label", "Churn", "--folds", "2"]
        for arguments in [
            ["import", people, "--dry-run"], ["import", people], ["import", people, "--source", hostile],
            ["import", header], ["import", bench.folder + "/" + hostile], ["import", people, "--mapping", hostile],
            ["import", people, "--match-key", hostile], ["import", people, "--encoding", hostile],
            ["import", "--resume", hostile], ["evaluate", base, "--positive", hostile] + label,
            ["evaluate", base] + label, ["evaluate", base, "--label", hostile], ["evaluate", header] + label,
            ["evaluate", bench.folder + "/" + hostile] + label, ["user", "link", hostile],
            ["import", people, "--config", hostile],
        ] {
            for more in [[], ["--json"]] {
                let result = try bench.run(arguments + more)
                #expect([0, 1, 2, 64].contains(result.code), "\(arguments): \(result)")
                Self.expectQuiet(result, "\(arguments + more)")
                // Nor does a value look like a line of ours.
                #expect(!result.out.contains("\nrejected    0"), "\(arguments)")
                if more == ["--json"], !result.out.isEmpty { _ = try CommandBench.object(result.out) }
            }
        }
        // Programs get the name as it is.
        let told = try CommandBench.object(try bench.run(["import", people, "--dry-run", "--json"]).out)
        #expect(told["file"]?.string == name)
    }

    // MARK: Resuming

    @Test(
        "an import that was killed, and killed again, goes on with --resume: each refused line is in the reject file once"
    )
    func resume() async throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let rows = 12_000
        var text = "source_id,name,email\n"
        for row in 1...rows { text += "\(row % 7 == 0 ? "" : "K\(row)"),Name \(row),k\(row)@b.example\n" }
        let file = try bench.file("many.csv", text)
        let rejects = bench.folder + "/rest.csv"
        _ = try bench.run(["migrate"])
        let database = try SQLiteDatabase(
            path: bench.folder + "/data/tenants/default/switchboard.sqlite", durability: .normal)
        func state() async throws -> (id: String, state: String, chunk: Int64)? {
            try await database.read { session in
                try session.first("SELECT id, state, chunk FROM ingest_run ORDER BY id DESC LIMIT 1") {
                    ("\($0.int(0))", $0.text(1), $0.int(2))
                }
            }
        }
        var arguments = ["import", file, "--rejects", rejects]
        var chunk: Int64 = 0
        for _ in 0..<2 {
            let process = try Running(arguments, data: bench.folder + "/data")
            while process.isRunning, (try await state()?.chunk ?? 0) < chunk + 2 {
                try await Task.sleep(for: .milliseconds(2))
            }
            process.kill()
            let now = try #require(try await state())
            #expect(now.state == "running" && now.chunk > chunk, "it was killed in the middle: \(now)")
            chunk = now.chunk
            arguments = ["import", "--resume", now.id, "--rejects", rejects]
        }
        #expect(!FileManager.default.fileExists(atPath: rejects))
        let report = try CommandBench.object(try bench.expect(2, arguments + ["--json"]).out)
        #expect(report["read"]?.int == Int64(rows) && report["rejected"]?.int == Int64(rows / 7))
        #expect(report["created"]?.int == Int64(rows - rows / 7) && report["state"]?.string == "succeeded")
        let customers = try await database.read { try $0.count("SELECT COUNT(*) FROM customers_customer") }
        #expect(customers == rows - rows / 7)
        let lines = try String(contentsOfFile: rejects, encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst()
        let told = lines.compactMap { Int($0.prefix { $0 != "," }) }
        #expect(told.count == lines.count && told == (1...rows).filter { $0 % 7 == 0 }.map { $0 + 1 })
        try await database.close()
        // What is done is not done again.
        try bench.expect(1, arguments)
    }

    /// A command that runs beside the test.
    private final class Running {
        private let process = Process()

        init(_ arguments: [String], data: String) throws {
            process.executableURL = URL(fileURLWithPath: ServerProcess.binary)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(
                [
                    "SWITCHBOARD_SHARE": Checkout.share.root, "SWITCHBOARD_DURABILITY": "normal",
                    "SWITCHBOARD_DATA": data,
                ]) { $1 }
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
        }

        var isRunning: Bool { process.isRunning }

        func kill() {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}
