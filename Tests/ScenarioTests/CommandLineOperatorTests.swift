import App
import Foundation
import Kernel
import Logging
import Storage
import TestSupport
import Testing
import Web

/// What an operator meets who mistypes an address, brings other keys, looks before a start, or starts at a bad moment.
@Suite("Command line: addresses, keys, looking")
struct CommandLineOperatorTests {
    private func folder(_ name: String) -> String {
        NSTemporaryDirectory() + "switchboard-\(name)-" + UUID().uuidString
    }

    private func remove(_ data: String) {
        try? FileManager.default.removeItem(atPath: data)
        TestDatabases.drop(data: data)
    }

    private func user(_ data: String) throws {
        let made = try ServerProcess.run(
            ["user", "create", "ana", "--role", "agent", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        try #require(made.code == 0, "\(made)")
    }

    /// Every file below a folder with its content: what only looks leaves this as it is.
    private func state(_ folder: String) -> [String: Data] {
        var result: [String: Data] = [:]
        for path in FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? [] {
            // What SQLite writes beside its file when somebody reads it.
            guard !path.hasSuffix("-wal"), !path.hasSuffix("-shm") else { continue }
            result[path] = FileManager.default.contents(atPath: folder + "/" + path) ?? Data()
        }
        return result
    }

    private func findings(_ data: String) throws -> (code: Int32, checks: [String: (level: String, detail: String)]) {
        let told = try ServerProcess.run(["doctor", "--json", "--data", data])
        let list = try #require(try JSONValue.parse(Array(told.out.trimmed.utf8)).array, "\(told)")
        var checks: [String: (level: String, detail: String)] = [:]
        for object in list.compactMap(\.object) {
            checks[object["check"]?.string ?? ""] = (object["level"]?.string ?? "", object["detail"]?.string ?? "")
        }
        return (told.code, checks)
    }

    // MARK: doctor

    @Test("doctor says how many migrations wait and applies none; it makes no file and takes no number")
    func doctorLooks() async throws {
        let data = folder("look")
        defer { remove(data) }
        try user(data)
        let fresh = try findings(data)
        #expect(fresh.code == 0 && fresh.checks["migrations"]?.level == "ok", "\(fresh)")
        let database = try TestDatabases.open(data: data)
        try await database.write { session in
            _ = try session.execute("DELETE FROM schema_migration WHERE module = 'Usage'")
        }
        let before = try await counts(database)
        let files = state(data)
        let told = try findings(data)
        #expect(told.code == 1 && told.checks["migrations"]?.level == "fail", "\(told)")
        let detail = told.checks["migrations"]?.detail ?? ""
        #expect(detail.contains("wait to be applied") && detail.contains("switchboard migrate"), "\(detail)")
        #expect(told.checks["work"]?.level == "note", "\(told)")
        #expect(try await counts(database) == before, "no migration, no node number, no key")
        if TestDatabases.dialect == .sqlite { #expect(state(data).keys.sorted() == files.keys.sorted()) }
        try await database.close()
    }

    private func counts(_ database: any Database) async throws -> [Int] {
        try await database.read { session in
            [
                try session.count("SELECT COUNT(*) FROM schema_migration"),
                try session.count("SELECT COUNT(*) FROM storage_node"),
                try session.count("SELECT COUNT(*) FROM storage_mark"),
            ]
        }
    }

    @Test("work is late because nobody runs: a note with the time. Because it is stuck beside a running process: a fault")
    func lateWork() async throws {
        let data = folder("late")
        defer { remove(data) }
        try user(data)
        let database = try TestDatabases.open(data: data)
        let clock = SystemClock()
        // As in a backup of last week.
        let week = clock.now().adding(days: -7)
        let jobs = JobQueue(
            database: database, ids: IDGenerator(node: 900, clock: clock), clock: FrozenClock(week), wake: WakeSignal())
        _ = try await database.write { try jobs.enqueue("nobody.runs.this", payload: "{}", by: "test", $0) }
        let stopped = try findings(data)
        let work = try #require(stopped.checks["work"])
        #expect(stopped.code == 0 && work.level == "note", "\(stopped)")
        #expect(work.detail.contains("no process is running") && work.detail.contains(week.iso8601), "\(work)")
        let leased = try await LeasedDatabase(database, clock: clock, logger: Logger(label: "test"))
        let running = try findings(data)
        #expect(running.code == 1 && running.checks["work"]?.level == "fail", "\(running)")
        #expect(running.checks["work"]?.detail.contains("s late") == true, "\(running)")
        try await leased.close()
    }

    @Test("doctor finds foreign keys and makes none in place of those that are missing")
    func doctorKeys() throws {
        let data = folder("doctor-keys")
        defer { remove(data) }
        try user(data)
        let key = data + "/keys/pepper"
        try FileManager.default.removeItem(atPath: key)
        FileManager.default.createFile(
            atPath: key, contents: Data(repeating: 9, count: 32), attributes: [.posixPermissions: 0o400])
        let foreign = try findings(data)
        #expect(foreign.code == 1 && foreign.checks["keys"]?.level == "fail", "\(foreign)")
        guard TestDatabases.dialect == .sqlite else { return }
        try FileManager.default.removeItem(atPath: key)
        let missing = try findings(data)
        #expect(missing.code == 1 && missing.checks["keys"]?.level == "fail", "\(missing)")
        #expect(missing.checks["keys"]?.detail.contains(key) == true, "\(missing)")
        #expect(!FileManager.default.fileExists(atPath: key))
    }

    // MARK: worker and serve

    @Test("worker ends as serve does when the keys are foreign: the same words, the same exit code")
    func foreignKeys() throws {
        let data = folder("foreign")
        defer { remove(data) }
        try user(data)
        let key = data + "/keys/pepper"
        try FileManager.default.removeItem(atPath: key)
        FileManager.default.createFile(
            atPath: key, contents: Data(repeating: 9, count: 32), attributes: [.posixPermissions: 0o400])
        let serve = try ServerProcess.run(["serve", "--port", "0", "--data", data])
        let worker = try ServerProcess.run(["worker", "--data", data])
        #expect(serve.code == 1 && serve.error.contains("keys/"), "\(serve)")
        #expect(worker.code == 1 && worker.error == serve.error, "\(worker)")
    }

    @Test(
        "worker ends as serve does when its password is wrong or nobody answers, and neither leaves keys behind",
        .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
    func wrongPassword() throws {
        let server = try #require(TestDatabases.server)
        let data = folder("wrong")
        defer { try? FileManager.default.removeItem(atPath: data) }
        for url in [
            server.url.replacing(#/\/\/[^@]*@/#, with: "//nobody:hunter22@"), "postgres://kim:hunter22@127.0.0.1:1/x",
        ] {
            let environment = ["DATABASE_URL": url]
            let serve = try ServerProcess.run(["serve", "--port", "0", "--data", data], environment: environment)
            let worker = try ServerProcess.run(["worker", "--data", data], environment: environment)
            let made = try ServerProcess.run(["seed", "--customers", "5", "--data", data], environment: environment)
            #expect(serve.code == 1 && serve.error.contains("Cannot open the database"), "\(serve)")
            #expect(worker.code == 1 && worker.error == serve.error, "\(worker)")
            #expect(made.code == 1 && !serve.error.contains("hunter22"))
            #expect(!FileManager.default.fileExists(atPath: data + "/keys"), "keys of an installation that is none")
        }
    }

    @Test("at its start serve names engine and place of its database, never a password")
    func startLine() throws {
        let data = folder("line")
        defer { remove(data) }
        try user(data)
        let lines = try StartedProcess.lines(["serve", "--port", "0", "--data", data], until: "Database: ")
        let line = try #require(lines.last)
        if let url = TestDatabases.url(data: data) {
            #expect(line.hasPrefix("Database: PostgreSQL, database d_") && line.contains(" at "), "\(line) of \(url)")
        } else {
            #expect(line == "Database: SQLite, \(data)/tenants/default/switchboard.sqlite")
        }
        let worker = try StartedProcess.lines(["worker", "--data", data], until: "Database: ")
        #expect(worker.last == line)
    }

    @Test(
        "a standby that cannot be reached is told once by the log, by /metrics and by doctor; readers notice nothing",
        .enabled(if: TestDatabases.dialect == .postgres, "PostgreSQL only"))
    func standby() async throws {
        let data = folder("standby")
        defer { remove(data) }
        try user(data)
        let away = ["DATABASE_READ_URL": "postgres://kim:hunter22@127.0.0.1:1"]
        let said = try StartedProcess.lines(
            ["serve", "--port", "0", "--data", data], until: "standby.away", environment: away)
        let line = try #require(said.last)
        #expect(line.contains("127.0.0.1:1") && line.contains("go to the primary"), "\(line)")
        #expect(line.contains("DATABASE_READ_URL") && !line.contains("hunter22"), "\(line)")
        // One that is there and is no standby is of no use either, and is told as well.
        let primary = try #require(TestDatabases.server).url
        let wrong = try StartedProcess.lines(
            ["serve", "--port", "0", "--data", data], until: "standby.away", environment: ["DATABASE_READ_URL": primary])
        #expect(wrong.last?.contains("takes writes itself") == true, "\(wrong)")

        let server = try ServerProcess(data: data, environment: away)
        defer { server.stop() }
        let isCounted = try await eventually(seconds: 30) {
            let figures = try server.http.send("GET", "/metrics").text
            return figures.contains("switchboard_standbys 1") && figures.contains("switchboard_standbys_up 0")
                && figures.contains("switchboard_database_up 1")
        }
        #expect(isCounted)
        let visitor = Visitor(http: server.http)
        try visitor.get("/login")
        #expect(try visitor.post("/login", [("name", "ana"), ("password", Scenario.password)]).status == 303)
        #expect(try visitor.get("/customers").status == 200)
        let doctor = try ServerProcess.run(["doctor", "--data", data], environment: away)
        #expect(doctor.code == 1 && doctor.out.contains("FAIL standby      127.0.0.1:1 cannot be reached"), "\(doctor)")
        #expect(!(doctor.out + doctor.error).contains("hunter22"))
    }

    // MARK: Addresses

    @Test("an address that is set but empty is refused: a lost secret must not begin a second, empty installation")
    func emptyAddress() throws {
        let data = folder("empty")
        defer { try? FileManager.default.removeItem(atPath: data) }
        for name in ["DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_READ_URL"] {
            for value in ["", "  "] {
                let told = try ServerProcess.run(["migrate", "--data", data], environment: [name: value])
                #expect(told.code == 1 && told.error.contains("Setting \(name)"), "\(told)")
                #expect(told.error.contains("empty") && told.error.contains("为空"), "\(told)")
            }
        }
        #expect(!FileManager.default.fileExists(atPath: data))
    }

    @Test(
        "an address of which nobody can say where its password ends is refused, and no part of it is shown",
        arguments: [
            "postgres://kim:hunt@er22@db1/crm", "postgres://kim:hunt/er22@db1/crm", "postgres://kim:hunt?er22@db1/crm",
            "postgres://kim:hunt er22@db1/crm", "postgres://kim:hu@nt/er22@db1/crm", "postgres://kim:hunt/er22",
            "postgres://kim:hunt#er22", "postgresql://kim:@hunt@er22@db1:5432,db2:5432/crm?sslmode=require",
        ])
    func ambiguous(_ url: String) throws {
        for name in ["DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_READ_URL"] {
            var environment = ["DATABASE_URL": "postgres://app:x@h/crm"]
            environment[name] = url
            let error = #expect(throws: CRMError.self) {
                try Configuration.load(file: nil, environment: environment)
            }
            let words = "\(error?.message.en ?? "") \(error?.message.zh ?? "")"
            #expect(error?.code == "database_address" && words.contains("percent-encoded"), "\(words)")
            #expect(words.contains(name) && words.contains("%40") && words.contains("%2F"), "\(words)")
            for part in ["hunt", "er22", "kim", "db1"] { #expect(!words.contains(part), "\(words)") }
        }
    }

    @Test(
        "addresses that say clearly what they mean are taken",
        arguments: [
            "postgres://kim:hunt%40er22@db1/crm", "postgres://kim@db1:5432,db2:5433/crm?sslmode=require",
            "postgres://[::1]:5432/crm", "postgres:///crm", "postgres:///crm?host=/run/postgresql",
            "postgres://kim:a:b#c@127.0.0.1/crm", "postgres://%2Frun%2Fpostgresql/crm", "postgresql://kim@/crm",
        ])
    func clear(_ url: String) {
        #expect(throws: Never.self) { try Configuration.load(file: nil, environment: ["DATABASE_URL": url]) }
    }

    @Test("a value of the wrong type is told with its setting, the value and what is expected; an address is not shown")
    func types() throws {
        let data = folder("types")
        defer { try? FileManager.default.removeItem(atPath: data) }
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let cases = [
            (#"{"port": "many"}"#, ["port", "many", "a whole number"]),
            (#"{"workers": 2.5}"#, ["workers", "2.5", "a whole number"]),
            (#"{"host": 8}"#, ["host", "8", "a text in quotation marks"]),
            (#"{"trustedProxies": "192.0.2.7"}"#, ["trustedProxies", "192.0.2.7", "a list of texts"]),
            (#"{"tenants": ["a"]}"#, ["tenants", "an object"]),
            (#"{"requestsPerSecond": "200"}"#, ["requestsPerSecond", "a number"]),
            (#"{"database": ["hunter22"]}"#, ["database", "a text"]),
        ]
        for (text, words) in cases {
            let path = data + "/c.json"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: CRMError.self) { try Configuration.load(file: path, environment: [:]) }
            let said = error?.message.en ?? ""
            for word in words { #expect(said.contains(word), "\(text): \(said)") }
            #expect(!said.contains("hunter22"), "\(said)")
        }
        let port = #expect(throws: CRMError.self) {
            try Configuration.load(file: nil, environment: ["PORT": "many"])
        }
        #expect(port?.message.en == "Setting PORT is “many”; expected a number.")
    }

    // MARK: Folders

    @Test(
        "a file where a folder is expected, and the other way round, is told with the path and what to do",
        .enabled(if: TestDatabases.dialect == .sqlite, "the folders are those of SQLite"))
    func wrongPlaces() throws {
        let place = folder("places")
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let file = place + "/file"
        try Data("a,b\n1,2\n".utf8).write(to: URL(fileURLWithPath: file))
        let installed = place + "/data"
        try user(installed)
        for arguments in [
            ["seed", "--customers", "5", "--data", file], ["serve", "--port", "0", "--data", file],
            ["worker", "--data", file], ["migrate", "--data", file + "/below"], ["doctor", "--data", file],
            ["user", "list", "--data", file], ["backup", file + "/x", "--data", installed],
            ["backup", file, "--data", installed], ["restore", place, "--data", file],
            ["copy", "--from", "sqlite:\(place)/data", "--to", "sqlite:\(file)"],
            ["evaluate", file, "--label", "b", "--predictions", file + "/x"],
            ["import", file, "--rejects", file + "/x", "--data", installed],
        ] {
            let told = try ServerProcess.run(arguments)
            let said = told.out + told.error
            #expect(told.code == 1, "\(arguments): \(told)")
            #expect(said.contains(file) && !said.contains("Error Domain") && !said.contains("NSCocoa"), "\(arguments): \(said)")
            #expect(!said.contains("CocoaError") && !said.contains("UserInfo"), "\(arguments): \(said)")
        }
        for arguments in [["profile", place], ["evaluate", place, "--label", "b"], ["import", place, "--data", installed]] {
            let told = try ServerProcess.run(arguments)
            let said = told.out + told.error
            #expect(told.code == 1 && said.contains(place) && !said.contains("Domain"), "\(arguments): \(said)")
        }
    }

    @Test("health is asked at another port than that of the settings; migrate --distributed says what it is for")
    func small() throws {
        let data = folder("small")
        defer { remove(data) }
        let server = try ServerProcess(["--no-workers"], data: data)
        defer { server.remove() }
        let health = try ServerProcess.run(["health", "--port", "\(server.port)"])
        #expect(health.code == 0 && health.out == "ok\n", "\(health)")
        guard TestDatabases.dialect == .sqlite else { return }
        for arguments in [["migrate", "--distributed"], ["migrate", "--distributed", "--dry-run"]] {
            let told = try ServerProcess.run(arguments + ["--data", data])
            #expect(told.code == 1 && told.error.contains("is for PostgreSQL with Citus"), "\(told)")
            #expect(told.error.contains("SQLite") && told.out.isEmpty, "\(told)")
        }
    }

    // MARK: restore

    @Test(
        "restore with keys that are not the backup's is refused before anything is placed",
        .enabled(if: TestDatabases.dialect == .sqlite, "SQLite only: PostgreSQL has pg_dump"), arguments: [true, false])
    func restore(withKeys: Bool) throws {
        let (data, copy, target) = (folder("from"), folder("copy"), folder("to"))
        defer { for path in [data, copy, target] { try? FileManager.default.removeItem(atPath: path) } }
        try user(data)
        let made = try ServerProcess.run(["backup", copy, "--data", data] + (withKeys ? ["--keys"] : []))
        try #require(made.code == 0, "\(made)")
        try FileManager.default.createDirectory(atPath: target + "/keys", withIntermediateDirectories: true)
        let foreign = Data(repeating: 9, count: 32)
        FileManager.default.createFile(
            atPath: target + "/keys/pepper", contents: foreign, attributes: [.posixPermissions: 0o400])
        let told = try ServerProcess.run(["restore", copy, "--data", target])
        #expect(told.code == 1 && told.error.contains("nothing was changed"), "\(told)")
        #expect(told.error.contains("未做任何更改") && told.error.contains(target + "/keys"), "\(told)")
        #expect(Set(state(target).keys) == ["keys", "keys/pepper"], "nothing was placed")
        #expect(FileManager.default.contents(atPath: target + "/keys/pepper") == foreign, "no key is written over")
        // With the right ones it goes on, and what was refused before is in nobody's way.
        try FileManager.default.removeItem(atPath: target + "/keys")
        if !withKeys { try FileManager.default.copyItem(atPath: data + "/keys", toPath: target + "/keys") }
        let right = try ServerProcess.run(["restore", copy, "--data", target])
        #expect(right.code == 0, "\(right)")
        #expect(try ServerProcess.run(["user", "list", "--data", target]).out.contains("ana"))
    }
}

/// A command that does not end by itself: what it prints until it has said something.
enum StartedProcess {
    static func lines(
        _ arguments: [String], until word: String, environment: [String: String] = [:], seconds: Double = 60
    ) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ServerProcess.binary)
        process.arguments = arguments
        process.environment = ServerProcess.settings(environment, arguments)
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        let end = Date().addingTimeInterval(seconds)
        var text = ""
        while Date() < end {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
            let lines = text.split(separator: "\n").map(String.init)
            if let place = lines.firstIndex(where: { $0.contains(word) }), text.hasSuffix("\n") {
                return Array(lines[...place])
            }
        }
        throw RawHTTP.Failure(description: "it did not say “\(word)”: \(text)")
    }
}
