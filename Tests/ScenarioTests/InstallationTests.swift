import App
import Foundation
import Kernel
import Logging
import Synchronization
import TestSupport
import Testing
import Web

/// How an installation is set up: addresses, hosts, keys, log, process.
@Suite("Installation")
struct InstallationTests {
    private func folder() -> String { NSTemporaryDirectory() + "switchboard-keys-" + UUID().uuidString }

    @Test(
        "only this machine is served without a listed TLS proxy, and a listed one is an address (G15)",
        arguments: [
            ("127.0.0.1", [], nil), ("127.0.0.9", [], nil), ("::1", [], nil), ("localhost", [], nil),
            ("0.0.0.0", [], "insecure_bind"), ("::", [], "insecure_bind"), ("192.0.2.1", [], "insecure_bind"),
            ("127.evil.example", [], "insecure_bind"), ("127.1", [], "insecure_bind"),
            ("localhost.example", [], "insecure_bind"), ("0.0.0.0", ["192.0.2.7"], nil),
            ("0.0.0.0", ["10.1.0.0/16", "2001:db8::/48"], nil), ("0.0.0.0", ["proxy"], "configuration"),
            ("0.0.0.0", [""], "configuration"), ("0.0.0.0", ["192.0.2.7", "x"], "configuration"),
            ("127.0.0.1", ["192.0.2.7/40"], "configuration"), ("127.0.0.1", ["*"], "configuration"),
        ] as [(String, [String], String?)])
    func bind(_ example: (String, [String], String?)) {
        var configuration = Configuration()
        (configuration.host, configuration.trustedProxies) = (example.0, example.1)
        do {
            try configuration.check()
            #expect(example.2 == nil, "\(example)")
        } catch {
            #expect((error as? CRMError)?.code == example.2, "\(example)")
        }
    }

    @Test("other settings out of their range are refused by name")
    func ranges() {
        let changes: [(inout Configuration) -> Void] = [
            { $0.port = 65_536 }, { $0.port = -1 }, { $0.workers = 0 }, { $0.workers = 65 }, { $0.currency = "yuan" },
            { $0.currency = "cny" }, { $0.durability = "none" },
            {
                $0.probes = "9090"
            }, { $0.probes = "example.org:9090" }, { $0.probes = "0.0.0.0:99999" }, { $0.faultsWarnAt = 0 },
            { $0.waitingWarnSeconds = 0 }, { $0.hubAttempts = 0 }, { $0.hubGiveUpHours = 721 }, { $0.hubRetrySecondsMax = 0 },
            { $0.hubTimeoutSeconds = 61 },
        ]
        for change in changes {
            var configuration = Configuration()
            change(&configuration)
            #expect(throws: CRMError.self) { try configuration.check() }
        }
        #expect(throws: Never.self) { try Configuration().check() }
    }

    @Test("standbys are read from the environment or the file; without a server, or misspelt, they are refused by name")
    func standbys() throws {
        let server = "postgres://u:secret@h/db"
        let two = "postgres://u:secret@h1:1,h2:2"
        let read = try Configuration.load(
            file: nil, environment: ["DATABASE_URL": server, "DATABASE_READ_URL": two])
        #expect(try read.replicas.map(\.url) == ["postgres://u:secret@h1:1", "postgres://u:secret@h2:2"])
        #expect(try Configuration.load(file: nil, environment: ["DATABASE_URL": server]).replicas.isEmpty)
        for wrong in [["DATABASE_READ_URL": two], ["DATABASE_URL": server, "DATABASE_READ_URL": "h1:secret,h2"]] {
            let error = #expect(throws: CRMError.self) { try Configuration.load(file: nil, environment: wrong) }
            #expect(error?.message.en.contains("DATABASE_READ_URL") == true)
            #expect(error?.message.en.contains("secret") == false)
        }
        for name in ["README.md", "README.zh-CN.md"] {
            let text = try String(contentsOfFile: Checkout.root + "/" + name, encoding: .utf8)
            #expect(text.contains("`DATABASE_READ_URL=") && text.contains("`\"databaseRead\"`"), "\(name)")
        }
    }

    @Test("from where on pages and health warn is read from the file; the defaults are the documented ones")
    func warnings() throws {
        let path = folder() + ".json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(#"{"faultsWarnAt":25,"waitingWarnSeconds":1800}"#.utf8).write(to: URL(fileURLWithPath: path))
        let read = try Configuration.load(file: path, environment: [:])
        #expect(read.faultsWarnAt == 25 && read.waitingWarnSeconds == 1_800)
        for name in ["README.md", "README.zh-CN.md"] {
            let text = try String(contentsOfFile: Checkout.root + "/" + name, encoding: .utf8)
            #expect(text.contains("`faultsWarnAt`") && text.contains("`waitingWarnSeconds`"), "\(name)")
        }
        let plain = Configuration()
        #expect(plain.faultsWarnAt == 1 && plain.waitingWarnSeconds == 300)
    }

    @Test("limits of what is told to others are read from the file or the environment, and are the documented ones by default")
    func hub() throws {
        let path = folder() + ".json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = #"{"hubHosts":["Desk.Internal"],"hubAttempts":3,"hubGiveUpHours":5,"hubRetrySecondsMax":60,"hubTimeoutSeconds":7}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let read = try Configuration.load(file: path, environment: [:]).hub
        #expect(read.hosts == ["desk.internal"] && read.attemptsMax == 3 && read.giveUpHours == 5)
        #expect(read.retryMaxSeconds == 60 && read.timeoutSeconds == 7)
        let other = try Configuration.load(file: path, environment: ["SWITCHBOARD_HUB_HOSTS": "A.example, 10.2.0.7"]).hub
        #expect(other.hosts == ["a.example", "10.2.0.7"])
        let document = try String(contentsOfFile: Checkout.root + "/docs/api-hub.md", encoding: .utf8)
        let plain = Configuration()
        for setting in [
            "`hubAttempts` (\(plain.hubAttempts))", "`hubGiveUpHours` (\(plain.hubGiveUpHours))",
            "`hubRetrySecondsMax` (\(plain.hubRetrySecondsMax))", "`hubTimeoutSeconds` (\(plain.hubTimeoutSeconds))", "SWITCHBOARD_HUB_HOSTS=",
        ] { #expect(document.contains(setting), "\(setting)") }
    }

    @Test(
        "loopback hosts are the default tenant, names that look like them are nobody (G69)",
        arguments: [
            ("localhost", "default"), ("localhost:8080", "default"), ("127.0.0.1", "default"),
            ("127.1.2.3:80", "default"), ("[::1]", "default"), ("[::1]:8080", "default"),
            ("127.evil.example", nil), ("127.0.0.1.evil.example", nil), ("127.1", nil), ("localhost.evil", nil),
            ("localhost:8080:evil", nil), ("localhost:x", nil), ("[::1", nil), ("[::1]x", nil), ("[::2]", nil),
            ("192.0.2.1", nil), ("east.example", "east"), ("east.example:443", "east"), ("", nil),
        ] as [(String, String?)])
    func hosts(_ example: (String, String?)) {
        var configuration = Configuration()
        configuration.tenants = ["east.example": "east", "bad.example": "../x"]
        let tenants = HostTenants(configuration)
        #expect(tenants.tenant(host: example.0) == example.1)
        #expect(tenants.tenant(host: "bad.example") == nil)
    }

    @Test(
        "a loopback name that the configuration lists is the tenant it says, however the address is written",
        arguments: [
            ("127.0.0.1", "second"), ("127.0.0.1:8080", "second"), ("127.0.0.2", "default"), ("localhost", "default"),
            ("[::1]:80", "third"), ("[0:0::1]", "third"), ("192.0.2.7", "second"), ("EAST.example", "east"), ("192.0.2.8", nil),
        ] as [(String, String?)])
    func listedAddresses(_ host: String, _ tenant: String?) throws {
        var configuration = Configuration()
        configuration.tenants = [
            "127.0.0.1": "second", "localhost": "default", "[::1]": "third", "192.0.2.7": "second", "East.example": "east",
        ]
        try configuration.check()
        #expect(HostTenants(configuration).tenant(host: host) == tenant)
    }

    @Test(
        "an entry of a tenant's host that could never hold stops the start with words",
        arguments: [
            ("127.0.0.1:8080", "east"), ("https://crm.example", "east"), ("", "east"), ("a b", "east"), ("crm.example", "Big East"),
        ])
    func badHosts(_ host: String, _ tenant: String) {
        var configuration = Configuration()
        configuration.tenants = [host: tenant]
        let error = #expect(throws: CRMError.self) { try configuration.check() }
        #expect(error?.message.en.contains("Setting tenants") == true, "\(error?.message.en ?? "")")
    }

    @Test("the settings reach the gate: a listed proxy speaks for its clients, an unlisted one is refused (G15, G69)")
    func proxies() async throws {
        let scenario = try await Scenario.start {
            $0.trustedProxies = ["127.0.0.5", "10.1.0.0/16"]
            $0.requestsPerSecond = 2
        }
        func ask(_ source: String, _ headers: [(String, String)]) async throws -> Int {
            try await scenario.http.from(source).ask("GET", "/healthz", headers: headers).status
        }
        let client = ("X-Forwarded-For", "203.0.113.9"), https = ("X-Forwarded-Proto", "https")
        #expect(try await ask("127.0.0.5", [client, https]) == 200)
        #expect(try await ask("127.0.0.5", [client]) == 400)
        #expect(try await ask("127.0.0.5", []) == 200)
        #expect(try await ask("127.0.0.1", [client, https]) == 400)
        #expect(try await ask("127.0.0.1", []) == 200)
        // Figures are for this machine, not for whoever the proxy speaks for.
        let figures = try await scenario.http.from("127.0.0.5").ask("GET", "/metrics", headers: [client, https])
        #expect(figures.status == 404)
        var statuses: [Int] = []
        for _ in 0..<12 { statuses.append(try await ask("127.0.0.5", [client, https])) }
        #expect(statuses.contains(429))
        #expect(try await ask("127.0.0.5", [("X-Forwarded-For", "203.0.113.10"), https]) == 200)
    }

    @Test("a key is made once, readable by its owner only, and the same at every start (G4)")
    func key() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func load(_ name: String) throws -> Data {
            try Keys.load(name, folder: folder).withUnsafeBytes { Data($0) }
        }
        let first = try load("pepper")
        #expect(first.count == 32 && first.contains { $0 != 0 })
        #expect(try load("pepper") == first)
        #expect(try load("other") != first)
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/pepper")[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o400)
        let outer = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? NSNumber
        #expect(outer?.intValue == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["other", "pepper"])
    }

    @Test("a key that others can read, of another length or all zero is refused, and the file named (G4)")
    func badKeys() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try Keys.load("good", folder: folder)
        let whole = Data(repeating: 7, count: 32)
        for (name, content, mode) in [
            ("group", whole, 0o440), ("world", whole, 0o404), ("short", Data(whole.prefix(31)), 0o400),
            ("long", whole + [7], 0o400), ("empty", Data(), 0o400), ("zero", Data(repeating: 0, count: 32), 0o400),
        ] {
            let path = folder + "/" + name
            FileManager.default.createFile(atPath: path, contents: content, attributes: [.posixPermissions: mode])
            let error = #expect(throws: CRMError.self) { try Keys.load(name, folder: folder) }
            #expect(error?.code == "key" && error?.message.en.contains(path) == true, "\(name)")
            // It is left as it is: what it protects may still need it.
            #expect(FileManager.default.contents(atPath: path) == content)
        }
    }

    @Test("of many that start at the same moment, one makes the key and all read that one")
    func race() async throws {
        for _ in 0..<20 {
            let folder = folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let keys = try await withThrowingTaskGroup(of: Data.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await withCheckedThrowingContinuation { continuation in
                            DispatchQueue.global().async {
                                continuation.resume(
                                    with: Result {
                                        try Keys.load("pepper", folder: folder).withUnsafeBytes { Data($0) }
                                    })
                            }
                        }
                    }
                }
                return try await group.reduce(into: Set<Data>()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
        }
    }

    @Test("no value of a log line can begin a line, hide a part or turn it round (G60)")
    func logLines() throws {
        let written = Mutex(Data())
        var logger = Logger(label: "test") { label in
            LogLines(label: label, level: .info, clock: FrozenClock()) { data in written.withLock { $0 += data } }
        }
        let hostile = "a\r\nb\u{1B}[2Kc\u{85}d\u{2028}e\u{2029}f\u{202E}g\u{2066}h\u{200F}i\u{7}j\u{9B}k\"l\\m"
        logger[metadataKey: hostile] = "own"
        logger.info("event \(hostile)", metadata: ["value": "\(hostile)", "list": ["\(hostile)"]])
        logger.debug("below the level")
        let data = written.withLock { $0 }
        let text = try #require(String(validating: data, as: UTF8.self))
        #expect(text.hasSuffix("}\n") && text.dropLast().allSatisfy { !$0.isNewline })
        for scalar in text.dropLast().unicodeScalars {
            #expect(scalar.value >= 32 && !(0x7F...0x9F).contains(scalar.value))
            #expect(![.format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory))
        }
        let line = try #require(try JSONValue.parse(Array(data.dropLast())).object)
        #expect(line["event"]?.string == "event " + hostile)
        #expect(line["value"]?.string == hostile)
        #expect(line[hostile]?.string == "own")
        #expect(line["level"]?.string == "info" && line["logger"]?.string == "test" && line["time"] != nil)
    }

    #if os(Linux)
        @Test("a server leaves no core file: its memory holds keys and people (G59)")
        func dumps() throws {
            let server = try ServerProcess(["--no-workers"])
            defer { server.remove() }
            let limits = try String(contentsOfFile: "/proc/\(server.processID)/limits", encoding: .utf8)
            let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2, "\(core)")
            // Nor may its memory be read by another process of its user.
            ProcessGuard.forbidDumps()
            #expect(!ProcessGuard.mayBeDumped)
        }
    #endif

    @Test("user link prints what user bootstrap prints, as JSON too")
    func linkJSON() throws {
        let data = folder()
        defer { try? FileManager.default.removeItem(atPath: data) }
        let made = try ServerProcess.run(
            ["user", "create", "lin", "--role", "agent", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        #expect(made.code == 0, "\(made.error)")
        for arguments in [["user", "link", "lin"], ["user", "bootstrap", "--role", "auditor"]] {
            let result = try ServerProcess.run(arguments + ["--json", "--data", data])
            let object = try #require(try JSONValue.parse(Array(result.out.trimmed.utf8)).object)
            #expect(object["link"]?.string?.contains("/bootstrap/") == true && object["expires"]?.string != nil)
            let plain = try ServerProcess.run(arguments + ["--data", data])
            #expect(plain.out.hasPrefix("http://127.0.0.1:8080/bootstrap/"))
        }
        let doctor = try ServerProcess.run(["doctor", "--data", data])
        #expect(doctor.out.contains("proxies") && doctor.out.contains("trustedProxies"))
    }
}
