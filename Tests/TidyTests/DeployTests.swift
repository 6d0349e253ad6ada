import App
import Foundation
import Kernel
import Logging
import TestSupport
import Testing
import Web

/// What the files under `deploy/` say about the product is so. Most of them cannot be run where the tests run.
@Suite("Deployment files")
struct DeployTests {
    private static let files: [TextFile] = ["yaml", "cfg", "service", "example", "environment", "Containerfile"].flatMap
    {
        SourceTree.files("deploy", suffix: $0)
    }

    private func file(_ name: String) throws -> TextFile {
        try #require(Self.files.first { $0.path == "deploy/" + name }, "deploy/\(name)")
    }

    /// Names that the product reads from its environment.
    private static var settings: Set<String> {
        let file = SourceTree.sources.first { $0.short == "App/Configuration.swift" }
        let names = file?.literals.filter { $0.before.hasSuffix("text(") }.map(\.text) ?? []
        return Set(names)
    }

    @Test("every setting they name is one the product reads")
    func settings() {
        // Of the build, of the compose file itself, of the scripts.
        let others: Set<String> = ["SWITCHBOARD_ONLY", "SWITCHBOARD_IMAGE", "DATABASE_PASSWORD"]
        let known = Self.settings
        #expect(known.isSuperset(of: ["HOST", "PORT", "DATABASE_URL", "SWITCHBOARD_PROBES"]))
        var named: Set<String> = []
        var findings: [String] = []
        for file in Self.files {
            for found in matches(
                #"(?<![\w-])(?:SWITCHBOARD|DATABASE)_[A-Z_]+|(?m)^\s*(?:HOST|PORT)(?=[:=])"#, in: file.text)
            {
                let name = found.text.trimmingCharacters(in: .whitespaces)
                named.insert(name)
                if !known.contains(name), !others.contains(name) {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) \(name)")
                }
            }
        }
        #expect(named.isSuperset(of: ["HOST", "DATABASE_URL", "SWITCHBOARD_PROBES", "SWITCHBOARD_TRUSTED_PROXIES"]))
        #expect(findings.isEmpty, list(findings))
    }

    @Test("the product takes the settings of the Kubernetes map, of systemd and of the compose file")
    func loaded() throws {
        let map = try file("kubernetes/config.yaml")
        let json = try #require(
            matches(#"(?s)config\.json: \|\n(    \{.*?\n    \}\n)"#, in: map.text).first?.groups.first)
        let path = NSTemporaryDirectory() + "switchboard-deploy-" + UUID().uuidString + ".json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(json.utf8).write(to: URL(fileURLWithPath: path))
        let cluster = try Configuration.load(
            file: path, environment: ["SWITCHBOARD_PROBES": "0.0.0.0:9090", "DATABASE_URL": try secret("url")])
        #expect(!cluster.isLoopback && cluster.port == 8080 && cluster.probesAddress?.port == 9090)
        #expect(HostTenants(cluster).tenant(host: try ingressHost()) == "default")
        _ = try Configuration.load(file: path, environment: ["DATABASE_URL": try secret("owner-url")])

        var environment: [String: String] = [:]
        for found in matches(#"(?m)^#?([A-Z_]+)=(.*)$"#, in: try file("systemd/environment").text) {
            environment[found.groups[0]] = found.groups[1]
        }
        #expect(environment.count > 6)
        let machine = try Configuration.load(file: nil, environment: environment)
        #expect(machine.isLoopback && machine.probesAddress?.port == 9090)

        environment = [:]
        for found in matches(
            #"(?m)^    ((?:HOST|PORT|SWITCHBOARD_[A-Z_]+)): "?([^"\n]+)"?$"#, in: try file("compose.yaml").text)
        {
            environment[found.groups[0]] = found.groups[1]
        }
        let composed = try Configuration.load(file: nil, environment: environment)
        #expect(composed.host == "0.0.0.0" && composed.port == 8080 && composed.probesAddress?.port == 9090)
        // The proxies that are believed are those of the network the file makes.
        #expect(try file("compose.yaml").text.contains("subnet: " + composed.trustedProxies.joined()))
    }

    private func secret(_ key: String) throws -> String {
        let text = try file("kubernetes/secrets.example.yaml").text
        return try #require(matches(#"(?m)^  \#(key): (\S+)$"#, in: text).first?.groups.first, "\(key)")
    }

    private func ingressHost() throws -> String {
        let hosts = matches(#"(?:hosts: \[|- host: )([\w.-]+)"#, in: try file("kubernetes/ingress.yaml").text)
            .compactMap(
                \.groups.first)
        #expect(hosts.count == 2 && Set(hosts).count == 1, "\(hosts)")
        return try #require(hosts.first)
    }

    @Test("what probes and proxies ask for is answered to strangers, on the ports that are named")
    func probes() throws {
        var configuration = Configuration()
        configuration.share = Checkout.share.root
        let runtime = try Runtime(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let open = Set(runtime.routes.filter { $0.access == .anonymous }.map(\.name))
        var asked: [String] = []
        var findings: [String] = []
        for file in Self.files {
            for found in matches(#"(?:httpGet: \{path: |httpchk GET |prometheus\.io/path: )(/[^\s,?]*)"#, in: file.text)
            {
                let path = found.groups[0]
                // Of Patroni's REST interface.
                if file.path == "deploy/ha/haproxy.cfg", ["/primary", "/replica"].contains(path) { continue }
                asked.append(path)
                if !open.contains("GET " + path) {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) \(path)")
                }
            }
            for found in matches(#"containerPort: (\d+)|check port (\d{4,5}) |(?m)^EXPOSE ([\d ]+)$"#, in: file.text) {
                let ports = found.groups.flatMap { $0.split(separator: " ") }
                if !ports.allSatisfy({ ["8080", "9090"].contains($0) }) {
                    findings.append("\(file.path) \(found.text)")
                }
            }
        }
        #expect(Set(asked) == ["/healthz", "/readyz", "/metrics"] && asked.count >= 10, "\(asked)")
        #expect(findings.isEmpty, list(findings))
    }

    @Test("the commands they start exist")
    func commands() throws {
        let patterns = [
            #"args: \["([a-z]+)""#, #"(?m)^  command: \["([a-z]+)""#, #"bin/switchboard ([a-z]+)"#,
            #"(?:CMD \[|\["CMD", )"switchboard", "([a-z]+)""#, #"(?m)^CMD \["([a-z]+)""#,
        ]
        var named: [String] = []
        for file in Self.files {
            for pattern in patterns { named += matches(pattern, in: file.text).compactMap(\.groups.first) }
        }
        #expect(Set(named).isSuperset(of: ["serve", "worker", "migrate", "health"]) && named.count >= 11, "\(named)")
        #expect(Set(named).isSubset(of: DocumentTests.commandNames), "\(named)")
    }

    @Test("whoever stops the product waits for as long as it may take to stop")
    func graces() throws {
        let needed = Limits.shutdownSecondsMax + 5
        var found: [(String, Int)] = []
        for file in Self.files {
            for match in matches(
                #"(?m)(?:terminationGracePeriodSeconds: |TimeoutStopSec=|^  stop_grace_period: )(\d+)"#, in: file.text)
            {
                let pause = matches(#"\["sleep", "(\d+)"\]"#, in: file.text).first.flatMap { Int($0.groups[0]) } ?? 0
                found.append((file.path, (Int(match.groups[0]) ?? 0) - pause))
            }
        }
        #expect(found.count >= 5)
        #expect(found.allSatisfy { $0.1 >= needed }, "\(found), needed \(needed)")
    }

    @Test("the manifests name only secrets, claims and files that are there")
    func references() throws {
        let listed = matches(#"(?m)^  - ([\w-]+\.yaml)$"#, in: try file("kubernetes/kustomization.yaml").text)
            .compactMap(
                \.groups.first)
        let there = Self.files.map(\.path).filter { $0.hasPrefix("deploy/kubernetes/") }.map {
            String($0.dropFirst("deploy/kubernetes/".count))
        }
        #expect(Set(listed + ["kustomization.yaml", "secrets.example.yaml"]) == Set(there))
        for name in listed {
            for key in matches(#"name: switchboard-database, key: ([\w-]+)"#, in: try file("kubernetes/" + name).text) {
                _ = try secret(key.groups[0])
            }
            // Nobody but the migration and the upkeep has the owner's address.
            let text = try file("kubernetes/" + name).text
            #expect(text.contains("owner-url") == ["migrate.yaml", "upkeep.yaml"].contains(name), "\(name)")
        }
        for name in ["serve.yaml", "worker.yaml", "migrate.yaml", "upkeep.yaml"] {
            let text = try file("kubernetes/" + name).text
            let containers = matches(#"(?m)^\s+image: switchboard$"#, in: text).count
            for line in [
                "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", #"capabilities: \{drop: \[ALL\]\}"#,
            ] {
                #expect(matches(line, in: text).count == containers, "\(name): \(line)")
            }
            #expect(containers == 2 && text.contains("runAsNonRoot: true") && text.contains("limits: {memory:"))
        }
    }

    @Test("the scripts can be run and say what they do, and documents name only what is there")
    func scripts() throws {
        for name in ["local-cluster", "local-drill", "ha/start", "ha/drill", "container/collect"] {
            let path = Checkout.root + "/deploy/" + name
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(name)")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("--help") || text.contains("ArgumentParser(description=__doc__)"), "\(name)")
        }
        var findings: [String] = []
        for file in SourceTree.documents + Self.files {
            for found in matches(#"(?<![\w/])deploy/[A-Za-z][\w./-]*"#, in: file.text) {
                let path = found.text.trimmingCharacters(in: CharacterSet(charactersIn: "./"))
                // Made by whoever deploys.
                if ["deploy/.env", "deploy/certificate.pem"].contains(path) || path.hasPrefix("deploy/data") {
                    continue
                }
                if !FileManager.default.fileExists(atPath: Checkout.root + "/" + path) {
                    findings.append("\(file.path):\(line(of: found.range, in: file.text)) \(path)")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }
}
