// swift-tools-version:6.1
import Foundation
import PackageDescription

// One set of compiler settings for every target of ours.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]

// Folders that are read at run time (the `share/` tree), not compiled.
let resources = ["Templates", "Migrations", "Texts", "Assets", "Data", "README.md"]

// The foundation every domain may use, in the order of ARCHITECTURE.md.
let foundation: [Target.Dependency] = [
    "Kernel", "Contracts", "Storage", "Web", "Platform",
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "Logging", package: "swift-log"),
]

/// A library target of ours. Resource folders are excluded from compilation; the share loader reads them.
func library(_ name: String, _ dependencies: [Target.Dependency], unsafe flags: [String] = []) -> Target {
    let folder = Context.packageDirectory + "/Sources/\(name)/"
    let flags = Context.environment["SWITCHBOARD_FUZZ"] != nil && fuzzed.contains(name) ? ["-O", "-sanitize=fuzzer"] : flags
    return .target(
        name: name, dependencies: dependencies,
        exclude: resources.filter { exists(folder + $0) },
        swiftSettings: flags.isEmpty ? settings : settings + [.unsafeFlags(flags)])
}

/// A domain: one feature area with its own tables, pages, texts and migrations. It never depends on another domain.
func domain(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    library(name, foundation + more)
}

/// The tests of one target; the folder mirrors Sources.
func tests(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: ["TestSupport"] + more,
        exclude: ["Fixtures"].filter { exists(Context.packageDirectory + "/Tests/\(name)Tests/" + $0) },
        swiftSettings: settings)
}

/// `SWITCHBOARD_ONLY=Customers,Web` keeps only those test targets: the inner loop of `bin/test-fast`.
func wanted(_ target: Target) -> Bool {
    guard let only = Context.environment["SWITCHBOARD_ONLY"], !only.isEmpty else { return true }
    return only.split(separator: ",").contains { target.name == "\($0)Tests" }
}

/// Built only for `bin/bench`.
let benchmarks: [Target] =
    Context.environment["SWITCHBOARD_BENCH"] == nil
    ? []
    : [
        .executableTarget(
            name: "switchboard-bench",
            dependencies: ["TestSupport", .product(name: "Hummingbird", package: "hummingbird")],
            path: "Benchmarks", swiftSettings: settings)
    ]

/// The runtime of libFuzzer; set by `bin/fuzz` only, in a build folder of its own.
let fuzzer = Context.environment["SWITCHBOARD_FUZZ"]
/// Readers that the fuzzer looks into.
let fuzzed: Set<String> = ["Kernel", "Web", "TMF", "Tabular"]
let fuzzing: [Target] =
    fuzzer.map { runtime in
        [
            .executableTarget(
                name: "switchboard-fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Runner", swiftSettings: settings,
                linkerSettings: [.unsafeFlags([runtime, "-lstdc++"])])
        ]
    } ?? []

let package = Package(
    name: "switchboard",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "switchboard", targets: ["switchboard"])],
    dependencies: [
        .package(
            url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    ],
    targets: [
        // C libraries, from Debian's packages.
        .systemLibrary(name: "CXGBoost", path: "Sources/CXGBoost", providers: [.apt(["libxgboost-dev"])]),
        .systemLibrary(
            name: "CArgon2", path: "Sources/CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CProcess", path: "Sources/CProcess"),
        .systemLibrary(
            name: "CCurl", path: "Sources/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLibPQ", path: "Sources/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),

        // A shim in C++ over RE2, which has no C interface of its own.
        .target(name: "CRE2", path: "Sources/CRE2", linkerSettings: [.linkedLibrary("re2")]),

        library("Kernel", []),
        library("Contracts", ["Kernel"]),
        library("Compute", [], unsafe: ["-O"]),
        library("Tabular", ["Kernel", "CZlib"], unsafe: ["-O"]),
        library("TabularFiles", ["Kernel", "Tabular"]),
        library("Matching", ["Kernel", "Compute"], unsafe: ["-O"]),
        library("Storage", ["Kernel", "Contracts", .product(name: "Logging", package: "swift-log")]),
        library("StoragePostgres", ["Kernel", "Storage", "CLibPQ"]),
        library(
            "StorageSQLite",
            [
                "Kernel", "Storage", "CSQLite", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        library(
            "Web",
            [
                "Kernel",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        library(
            "Platform",
            [
                "Kernel", "Contracts", "Storage", "Web",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        library("Outgoing", ["Kernel", "Web", "CCurl"]),
        library("TMF", foundation + ["CRE2", "Outgoing", .product(name: "Crypto", package: "swift-crypto")]),

        domain("Identity", ["CArgon2", .product(name: "Crypto", package: "swift-crypto")]),
        domain("Customers", ["Compute", "Matching", "TMF"]),
        domain("ServiceDesk", ["Compute", "TMF"]),
        domain("Catalog", ["TMF"]),
        domain("Orders", ["Matching", "TMF"]),
        domain("Privacy", ["TMF", .product(name: "Crypto", package: "swift-crypto")]),
        domain("Channels", ["TMF"]),
        domain("Sales", ["TMF"]),
        domain("Usage", ["TMF", "Tabular", "TabularFiles", .product(name: "Crypto", package: "swift-crypto")]),
        domain("Profiles", [.product(name: "Crypto", package: "swift-crypto")]),
        domain("Ingest", ["Outgoing", "Matching", "Tabular", "TabularFiles", .product(name: "Crypto", package: "swift-crypto")]),
        domain("Insights", ["Compute", "Tabular", "TabularFiles", "TMF", "CXGBoost"]),

        library(
            "App",
            foundation + [
                "StorageSQLite", "StoragePostgres", "TMF", "Identity", "Customers", "ServiceDesk", "Catalog", "Orders",
                "Privacy", "Channels", "Sales", "Usage", "Profiles", "Ingest", "Insights", "CProcess",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .executableTarget(
            name: "switchboard",
            dependencies: foundation + [
                "App", "Tabular", "Matching", "Identity", "Customers", "Usage", "Ingest", "Insights",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: foundation + [
                "StorageSQLite", "StoragePostgres", "TMF", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings),
        .target(
            name: "FuzzTargets", dependencies: ["Kernel", "Storage", "Web", "Platform", "TMF", "Tabular"], path: "Fuzz/Targets",
            swiftSettings: settings),
    ] + benchmarks + fuzzing
        + [
            tests("Kernel", ["Kernel"]),
            tests("Compute", ["Compute"]),
            tests("Tabular", ["Tabular", "Kernel", "CZlib"]),
            tests("Matching", ["Matching", "Kernel", "Compute"]),
            tests("Storage", ["Kernel", "Contracts", "Storage", "StorageSQLite", "StoragePostgres"]),
            tests(
                "Web",
                [
                    "Kernel", "Web",
                    .product(name: "Hummingbird", package: "hummingbird"),
                    .product(name: "HTTPTypes", package: "swift-http-types"),
                    .product(name: "Crypto", package: "swift-crypto"),
                    .product(name: "Logging", package: "swift-log"),
                ]),
            tests("Platform", ["Kernel", "Contracts", "Storage", "Web", "Platform", "StoragePostgres"]),
            tests("Identity", foundation + ["Identity"]),
            tests("Customers", foundation + ["Customers", "StoragePostgres", "TMF"]),
            tests("ServiceDesk", foundation + ["ServiceDesk", "Compute"]),
            tests("Catalog", foundation + ["Catalog", "TMF"]),
            tests("Orders", foundation + ["Catalog", "Orders", "TMF"]),
            tests("Privacy", foundation + ["Privacy", "TMF", "Customers"]),
            tests("Channels", foundation + ["Channels", "TMF"]),
            tests("Sales", foundation + ["Sales", "TMF"]),
            tests("Usage", foundation + ["Usage", "Customers", "Ingest", "Tabular", "TMF"]),
            tests("Profiles", foundation + ["Profiles", "Customers"]),
            tests("Ingest", foundation + ["Ingest", "Outgoing", "Tabular"]),
            tests("Insights", foundation + ["Insights", "Compute", "Tabular", "TMF"]),
            tests(
                "Scenario",
                foundation + [
                    "App", "TMF", "StoragePostgres", .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                ]),
            tests(
                "Fault",
                foundation + ["App", "StorageSQLite", "StoragePostgres", "Identity", "Customers", "Ingest"]),
            tests("Outgoing", ["Outgoing", "Kernel", "Web"]),
            tests("TMF", ["TMF", "Outgoing", .product(name: "Crypto", package: "swift-crypto")] + foundation),
            tests("Tidy", foundation + ["App", "Ingest", "TMF"]),
            tests("Browser", foundation + ["App"]),
            tests("Fuzz", ["FuzzTargets"]),
        ].filter(wanted)
)

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
