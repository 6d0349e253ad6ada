import Foundation
import TestSupport

extension Bench {
    /// The whole command: parsing, matching, journal, audit, search tokens, listing, with durable commits. In rounds, each beside
    /// the same file into one plain table by the engine's own tool.
    func importRate() throws {
        let rows = min(customers, 200_000)
        let rounds = rows > 50_000 ? 1 : 3
        report.progress("\(engine): importing \(rows) rows, \(rounds) times")
        let file = folder + "/customers.csv"
        try BenchData.write(rows: rows, to: file)
        var (ours, plain, server): ([Double], [Double], [Double]) = ([], [], [])
        for round in 0..<rounds {
            let data = folder + "/import\(round)"
            // An installation that is there: making its tables is no part of an import.
            try command(["migrate"], data: data)
            let before = engine.serverSeconds
            ours.append(try Clock.seconds { try importing(file, into: data) })
            server.append(engine.serverSeconds - before)
            plain.append(try engine.plainLoad(file, columns: BenchData.columns, folder, round: round))
            try engine.remove(data)
        }
        let tool = engine.kind == .sqlite ? "sqlite3 .import" : "psql \\copy"
        report.add(
            "import of \(rows) rows, median of \(rounds)", Double(rows) / ours.median, "customers/s", budget: Budget(10_000),
            anchor: Anchor(tool + " into one table", Double(rows) / plain.median), higherIsBetter: true,
            why: engine.kind == .sqlite
                ? "since it was 11,900 rules, lineage and the search index came; one thread writes, half of it within SQLite (perf; ADR 0044)" : "of \(Report.text(ours.median)) s PostgreSQL's own processes worked \(Report.text(server.median)) s, half of it for "
                    + "about 34 index entries a customer in one transaction after another (ADR 0024)")
        try? FileManager.default.removeItem(atPath: file)
    }

    func importing(_ file: String, into data: String) throws {
        try command(["import", file, "--source", "bench", "--match-key", "source_id", "--json"], data: data)
    }

    /// How cost grows with the base: the slope of log time over log size through all sizes. Work on the whole base should stay
    /// near 1, a search, a list or a page near 0.
    func growth() throws {
        let sizes = options.isFull ? [10_000, 100_000, 1_000_000] : [1_000, 10_000, 100_000]
        var points: [String: [(size: Int, seconds: Double)]] = [:]
        for size in sizes {
            report.progress("\(engine): \(size) customers")
            let took = try measured(size)
            for (name, seconds) in took { points[name, default: []].append((size, seconds)) }
            report.note(
                "\(engine)  \(size) customers: "
                    + took.keys.sorted().map { "\($0) \(Report.text((took[$0] ?? 0) * 1_000)) ms" }.joined(separator: ", "))
        }
        for name in points.keys.sorted() {
            let all = points[name] ?? []
            let isWhole = ["import", "seed"].contains(name)
            report.add(
                "growth of \(name), exponent over " + all.map { "\($0.size)" }.joined(separator: ", "),
                max(0, Self.slope(all)), "", budget: Budget(isWhole ? "n log n" : "hardly", isWhole ? 1.1 : 0.25))
        }
    }

    /// Least squares over the logarithms.
    private static func slope(_ points: [(size: Int, seconds: Double)]) -> Double {
        let (xs, ys) = (points.map { log(Double($0.size)) }, points.map { log(max($0.seconds, 1e-6)) })
        let (x, y) = (xs.reduce(0, +) / Double(xs.count), ys.reduce(0, +) / Double(ys.count))
        let over = zip(xs, ys).reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) }
        return over / max(xs.reduce(0) { $0 + ($1 - x) * ($1 - x) }, 1e-9)
    }

    /// Seconds of each work on a base of this size, without what starting a process costs.
    private func measured(_ size: Int) throws -> [String: Double] {
        let file = folder + "/growth.csv"
        try BenchData.write(rows: size, to: file)
        let (imported, seeded) = (folder + "/growth-import", folder + "/growth-seed")
        defer {
            for data in [imported, seeded] { try? engine.remove(data) }
            try? FileManager.default.removeItem(atPath: file)
        }
        // An empty database first, so that its making does not count for the small size only.
        for data in [imported, seeded] { try command(["migrate"], data: data) }
        let idle = try Clock.seconds { try command(["migrate"], data: imported) }
        report.progress("\(engine): importing \(size)")
        let importing = try Clock.seconds { try self.importing(file, into: imported) }
        report.progress("\(engine): seeding \(size)")
        let seeding = try Clock.seconds { try command(["seed", "--customers", String(size)], data: seeded) }
        try command(
            ["user", "create", Self.names[0], "--role", "supervisor", "--password-stdin"], data: seeded,
            input: Self.password + "\n")
        var environment = environment(seeded)
        environment["SWITCHBOARD_REQUESTS_PER_SECOND"] = "0"
        let server = try Launched.switchboard(data: seeded, environment: environment)
        defer { server.stop() }
        let account = try Account.logIn(Self.names[0], port: server.port)
        let sample = try Sample(engine, seeded)
        _ = server.settle()
        let connection = KeptConnection(port: server.port)
        func median(_ count: Int, _ work: (Int) throws -> Void) rethrows -> Double {
            try (0..<count).map { number in try Clock.seconds { try work(number) } }.dropFirst(count / 5).map { $0 }.median
        }
        let words = ["王", "wang", "李伟", "smith"] + sample.numbers.prefix(4).map { String($0.suffix(4)) }
        let sorts = ["", "?sort=name", "?sort=-charge", "?sort=-risk", "?status=active&sort=-since"]
        return [
            "import": max(importing - idle, 0.001), "seed": max(seeding - idle, 0.001),
            "search": try median(80) { _ = try account.search(words[$0 % words.count], connection) },
            "list": try median(60) { _ = try account.get("/customers" + sorts[$0 % sorts.count], connection) },
            "page": try median(200) { _ = try account.get("/customers/" + sample.ids[$0 % sample.ids.count], connection) },
        ]
    }
}

enum BenchData {
    static let columns = [
        "CustomerID", "Name", "Gender", "Phone", "City", "State", "Latitude", "Longitude", "Plan", "Contract",
        "Monthly Charges", "Tenure Months", "Churn Label",
    ]

    /// Customers nobody is, the same for the same number.
    static func write(rows: Int, to path: String) throws {
        FileManager.default.createFile(atPath: path, contents: nil)
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw RawHTTP.Failure(description: "cannot write \(path)")
        }
        defer { try? file.close() }
        var text = columns.joined(separator: ",") + "\n"
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let family = ["王", "李", "张", "刘", "陈", "Smith", "Jones", "Brown"]
        let given = ["伟", "芳", "娜", "敏", "静", "Anna", "John", "Mary"]
        let contracts = ["Month-to-month", "One year", "Two year"]
        for row in 0..<rows {
            let contract = contracts[next(3)]
            text +=
                "B\(row),\(family[next(8)])\(given[next(8)]),\(next(2) == 0 ? "Male" : "Female"),+86170\(10_000_000 + row),杭州,浙江,"
            text +=
                "30.\(next(900) + 100),120.\(next(900) + 100),P\(next(20)),\(contract),\(20 + next(100)).\(next(90) + 10),\(next(72)),\(next(4) == 0 ? "Yes" : "No")\n"
            if text.utf8.count > 1 << 20 {
                file.write(Data(text.utf8))
                text = ""
            }
        }
        file.write(Data(text.utf8))
    }
}
