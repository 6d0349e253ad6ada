import Foundation
import TestSupport

extension Bench {
    /// How cost grows with the base: the exponent between one size and the next. Work on the whole base should stay near
    /// 1, a search near 0.
    func growth(full: Bool) throws {
        let sizes = [1_000, 10_000] + (full ? [100_000] : [])
        var last: (size: Int, took: [String: Double])?
        for size in sizes {
            let took = try measured(size)
            print(
                "\(size) customers: "
                    + took.keys.sorted().map { "\($0) \(Self.text(took[$0] ?? 0)) s" }.joined(separator: ", "))
            if let last {
                for name in took.keys.sorted() {
                    let exponent =
                        log(max(took[name] ?? 0, 1e-6) / max(last.took[name] ?? 0, 1e-6))
                        / log(Double(size) / Double(last.size))
                    Bench(customers: size, folder: folder).report(
                        "growth of \(name), \(last.size) to \(size)", max(exponent, 0), "", against: "linear", 1)
                }
            }
            last = (size, took)
        }
    }

    /// Seconds of each work on a base of this size, without what starting a process costs.
    private func measured(_ size: Int) throws -> [String: Double] {
        let file = folder + "/growth-\(size).csv"
        try BenchData.csv(rows: size).write(toFile: file, atomically: true, encoding: .utf8)
        let (imported, seeded) = (folder + "/growth-import-\(size)", folder + "/growth-seed-\(size)")
        // An empty database first, so that its making does not count for the small size only.
        for data in [imported, seeded] { try command(["migrate", "--data", data]) }
        let idle = try Self.seconds { try command(["migrate", "--data", imported]) }
        let importing = try Self.seconds { try self.importing(file, into: imported) }
        let seeding = try Self.seconds { try command(["seed", "--customers", String(size), "--data", seeded]) }
        try command(
            ["user", "create", "bench", "--role", "supervisor", "--password-stdin", "--data", seeded],
            input: Self.password + "\n")
        let server = try Launched.switchboard(data: seeded, environment: ["SWITCHBOARD_REQUESTS_PER_SECOND": "0"])
        defer { server.stop() }
        let client = Client(http: server.http)
        try client.logIn("bench", Self.password)
        let words = ["王", "wang", "smith", "李伟", "7758", "1380013"]
        let searches = try (0..<60).map { try client.search(words[$0 % words.count]) }
        return [
            "import": max(importing - idle, 0.001), "seed": max(seeding - idle, 0.001),
            "search": Self.median(Array(searches.dropFirst(12))),
        ]
    }
}

enum BenchData {
    /// Customers nobody is, the same for the same number.
    static func csv(rows: Int) -> String {
        var text =
            "CustomerID,Name,Gender,Phone,City,State,Latitude,Longitude,Plan,Contract,Monthly Charges,Tenure Months,Churn Label\n"
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
        }
        return text
    }
}
