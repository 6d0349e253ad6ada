import Foundation
import TestSupport
import Testing

/// Who may know whom (ARCHITECTURE.md).
@Suite("Layers")
struct LayerTests {
    private static let system: Set<String> = ["Foundation", "Synchronization", "Dispatch", "Glibc"]

    /// What each target below the domains may import, besides the system's own modules.
    private static let allowed: [String: Set<String>] = [
        "Kernel": [],
        "Contracts": ["Kernel"],
        "Compute": [],
        "Tabular": ["Kernel", "CZlib"],
        "TabularFiles": ["Kernel", "Tabular"],
        "Matching": ["Kernel", "Compute"],
        "Storage": ["Kernel", "Contracts", "Logging"],
        "StorageSQLite": ["Kernel", "Storage", "CSQLite", "GRDB", "GRDBSQLite"],
        "Web": [
            "Kernel", "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTP1", "Crypto", "Logging",
        ],
        "Platform": ["Kernel", "Contracts", "Storage", "Web", "HTTPTypes", "Crypto", "Logging"],
        "Outgoing": ["Kernel", "Web", "CCurl"],
        "TMF": [
            "Kernel", "Contracts", "Storage", "Web", "Platform", "Outgoing", "HTTPTypes", "Crypto", "CRE2",
        ],
    ]
    private static let domain: Set<String> = [
        "Kernel", "Contracts", "Storage", "Web", "Platform", "Outgoing", "TMF", "Compute", "Tabular", "TabularFiles", "Matching",
        "HTTPTypes", "Crypto",
        "Logging",
    ]
    /// What a single domain may use beyond the others.
    private static let more: [String: Set<String>] = ["Identity": ["CArgon2"], "Insights": ["CXGBoost"],
    ]

    @Test("the tree has the targets these rules are about")
    func scanned() {
        #expect(SourceTree.sources.count > 60 && SourceTree.templates.count > 5 && SourceTree.migrations.count > 3)
        #expect(Set(SourceTree.domains).isSuperset(of: ["Customers", "Identity", "Ingest", "Insights"]))
    }

    @Test("every target imports only what its layer may know")
    func imports() {
        var findings: [String] = []
        for file in SourceTree.sources {
            let allowed: Set<String>
            if let fixed = Self.allowed[file.target] {
                allowed = fixed
            } else if SourceTree.domains.contains(file.target) {
                allowed = Self.domain.union(Self.more[file.target] ?? [])
            } else {
                continue
            }
            for module in file.imports where !allowed.contains(module) && !Self.system.contains(module) {
                findings.append("\(file.path) imports \(module)")
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("the drivers' and servers' libraries are known to one target each")
    func libraries() {
        let owners: [String: Set<String>] = [
            "GRDB": ["StorageSQLite"], "GRDBSQLite": ["StorageSQLite"], "CSQLite": ["StorageSQLite"], "HummingbirdCore": ["Web"],
            "Hummingbird": ["Web", "App"],
            "CArgon2": ["Identity"], "CProcess": ["App"], "CXGBoost": ["Insights"], "ArgumentParser": ["switchboard"],
            "StorageSQLite": ["App", "TestSupport"], "StoragePostgres": ["App", "TestSupport"],
            "TestSupport": [], "Testing": [], "ServiceLifecycle": ["App"], "SQLite3": [], "CLibPQ": ["StoragePostgres"],
            "CZlib": ["Tabular"], "CCurl": ["Outgoing"], "FoundationNetworking": [],
        ]
        var findings: [String] = []
        for file in SourceTree.sources {
            for module in file.imports {
                if let owner = owners[module], !owner.contains(file.target) {
                    findings.append("\(file.path) imports \(module)")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("numbers and tables are computed without reading a file, a clock, the network or the environment")
    func pure() {
        let pattern =
            #"\b(FileManager|FileHandle|URLSession|URLRequest|ProcessInfo|Process\(|getenv|fopen|socket\(|Date\(\)|SystemClock|Thread\.sleep|contentsOfFile|Data\(contentsOf)"#
        let findings =
            SourceTree.sources.filter { $0.target == "Compute" || $0.target == "Contracts" }.flatMap {
                $0.places(pattern)
            }
            + SourceTree.sources.filter { $0.target == "Tabular" || $0.target == "Matching" }.flatMap {
                $0.places(pattern)
            }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("nothing is public: the package is one product")
    func access() {
        let findings = SourceTree.sources.flatMap {
            $0.places(
                #"(?m)^\s*(?:@\w+ )*(public|open) (?:final |static |let |var |func |struct |class |enum |protocol |init|extension |typealias )"#
            )
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every domain says in its README what it owns")
    func readmes() {
        for domain in SourceTree.domains {
            let text =
                (try? String(contentsOfFile: "\(Checkout.root)/Sources/\(domain)/README.md", encoding: .utf8)) ?? ""
            #expect(text.split(separator: "\n").count >= 5, "Sources/\(domain)/README.md")
        }
    }

    @Test("unsafe compiler flags are for the computing targets only")
    func unsafeFlags() throws {
        let manifest = try String(contentsOfFile: Checkout.root + "/Package.swift", encoding: .utf8)
        // Theirs, and the runtime of the fuzzer, which ordinary builds never see.
        #expect(matches(#"\.unsafeFlags"#, in: manifest).count == 2)
        let users = matches(#"library\("(\w+)"[^\n]*unsafe: (\[[^\]]*\])"#, in: manifest).map(\.groups)
        #expect(Set(users.compactMap(\.first)) == ["Compute", "Tabular", "Matching"])
        #expect(users.allSatisfy { $0.last == #"["-O"]"# })
        #expect(
            matches(#"exact: "[0-9.]+""#, in: manifest).count == matches(#"\.package\(\s*url:"#, in: manifest).count,
            "dependencies are pinned")
    }
}
