import Foundation
import TestSupport

extension Bench {
    /// Customer page, list and log-in of a server over a generated base.
    func server() async throws {
        let data = folder + "/seeded"
        try command(["seed", "--customers", String(customers), "--data", data])
        let names = ["bench", "bench-two", "bench-three"]
        for name in names {
            try command(
                ["user", "create", name, "--role", "supervisor", "--password-stdin", "--data", data],
                input: Self.password + "\n")
        }
        let server = try Launched.switchboard(
            data: data,
            environment: ["SWITCHBOARD_REQUESTS_PER_SECOND": "0", "SWITCHBOARD_TRUSTED_PROXIES": "127.0.0.1"])
        defer { server.stop() }
        let client = Client(http: server.http)
        try client.logIn("bench", Self.password)
        try logIns(client, names)
        let ids = try client.customerIDs()
        guard !ids.isEmpty else { throw RawHTTP.Failure(description: "no customers on the list page") }
        let hello = try Launched.hello()
        defer { hello.stop() }
        let waited = server.settle()
        report("work of a fresh base before the pages are measured", waited, "s", against: "longest wait", 90)
        try await pages(client, Client(http: hello.http), ids)
        try saturation(server, hello, "/customers/\(ids[0])", cookie: client.cookie)
    }

    /// At 100 requests a second (open loop: a late answer does not slow the next request), and the anchor the same way.
    private func pages(_ client: Client, _ hello: Client, _ ids: [String]) async throws {
        let page = try await client.openLoop(perSecond: 100, seconds: 10) { "/customers/\(ids[$0 % ids.count])" }
        let plain = try await hello.openLoop(perSecond: 100, seconds: 5) { _ in "/" }
        for (name, q, budget) in [("p50", 0.5, 5.0), ("p99", 0.99, 25.0)] {
            let figure = Self.quantile(page, q) * 1_000
            report("customer page \(name) at 100/s", figure, "ms", against: "budget", budget)
            report(
                "customer page \(name) at 100/s", figure, "ms", against: "Hummingbird hello \(name) at 100/s",
                Self.quantile(plain, q) * 1_000)
        }
        let list = try await client.openLoop(perSecond: 50, seconds: 5) { _ in "/customers" }
        report("customer list p99 at 50/s", Self.quantile(list, 0.99) * 1_000, "ms", against: "budget", 50)
    }

    /// Three rounds in turn, 16 connections, 4 s each.
    private func saturation(_ server: Launched, _ hello: Launched, _ path: String, cookie: String) throws {
        var (ours, plain): ([Double], [Double]) = ([], [])
        for _ in 0..<3 {
            ours.append(try Tool.wrk("http://127.0.0.1:\(server.port)\(path)", cookie: cookie))
            plain.append(try Tool.wrk("http://127.0.0.1:\(hello.port)/", cookie: ""))
        }
        let (rate, anchor) = (Self.median(ours), Self.median(plain))
        report(
            "customer page at saturation", rate, "requests/s", against: "budget: 5 % of Hummingbird hello in this run",
            anchor * 0.05, higherIsBetter: true)
        report(
            "customer page at saturation", rate, "requests/s", against: "Hummingbird hello in this run", anchor,
            higherIsBetter: true)
    }

    /// A user that does not exist must take as long to refuse as a wrong password (G7). In turn, from addresses of their
    /// own, so that the throttle does not answer instead.
    private func logIns(_ client: Client, _ names: [String]) throws {
        var (wrong, unknown): ([Double], [Double]) = ([], [])
        for round in 0..<15 {
            for (place, name) in names.enumerated() {
                let address = { (kind: Int) in "10.\(kind).\(place).\(round + 1)" }
                wrong.append(try client.refusedLogIn(name, Self.password + " not", from: address(1)))
                unknown.append(try client.refusedLogIn("nobody-\(place)-\(round)", Self.password, from: address(2)))
            }
        }
        report(
            "log-in of an unknown user, median of \(unknown.count)", Self.median(unknown) * 1_000, "ms",
            against: "wrong password", Self.median(wrong) * 1_000)
        report(
            "log-in of an unknown user, p90", Self.quantile(unknown, 0.9) * 1_000, "ms", against: "wrong password, p90",
            Self.quantile(wrong, 0.9) * 1_000)
    }
}
