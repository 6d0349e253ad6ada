import Foundation
import TestSupport

extension Bench {
    /// From an event that is sent until the customer page shows it, from a change by hand until it is counted, and how many events
    /// a second one sender brings in.
    func liveProfile() throws {
        let lines = min(customers, 20_000)
        report.progress("\(engine): live profile of \(lines) customers")
        let data = folder + "/profile", base = folder + "/profile-customers.csv"
        try BenchData.write(rows: lines, to: base)
        try command(["import", base, "--source", "bench", "--match-key", "source_id", "--json"], data: data)
        try command(
            // Counters are an analyst's, events and customers a supervisor's.
            ["user", "create", "bench", "--role", "supervisor", "--role", "analyst", "--password-stdin"], data: data,
            input: Self.password + "\n")
        var environment = environment(data)
        environment["SWITCHBOARD_REQUESTS_PER_SECOND"] = "0"
        let server = try Launched.switchboard(data: data, environment: environment)
        defer { server.stop() }
        let account = try Account.logIn("bench", port: server.port)
        let connection = KeptConnection(port: server.port)
        _ = server.settle()
        let made = try connection.send(
            "POST", "/counters", cookie: account.cookie,
            form: "_csrf=\(account.token)&_key=\(UUID().uuidString)&name=bench&title_en=Benched&kind=app.bench&distinct_field=n&sum_field=n")
        guard made.status == 303 else { throw RawHTTP.Failure(description: "no counter: \(made.status) \(made.text.prefix(300))") }
        func send(_ events: [String]) throws {
            let answer = try connection.send(
                "POST", "/api/events?source=app&references=bench", cookie: account.cookie, form: events.joined(separator: "\n"),
                type: "application/x-ndjson", more: "X-CSRF-Token: \(account.token)\r\nIdempotency-Key: \(UUID().uuidString)\r\n")
            guard answer.status == 200, answer.text.contains(#""rejected":0"#), answer.text.contains(#""waiting":0"#) else {
                throw RawHTTP.Failure(description: "events answered \(answer.status): \(answer.text.prefix(300))")
            }
        }
        func event(_ id: Int, _ customer: Int) -> String {
            let at = Int(Date().timeIntervalSince1970 * 1_000)
            return #"{"id":"\#(id)","kind":"app.bench","at":\#(at),"reference":"B\#(customer)","attributes":{"n":\#(id)}}"#
        }
        // B7, by its number.
        let page = try place(of: "17010000007", account, connection)
        var shown: [Double] = []
        for number in 1...60 {
            let start = Clock.now
            try send([event(number, 7)])
            while !(try connection.send("GET", page, cookie: account.cookie).text.contains("\(number) ×")) {
                guard Clock.now - start < 30 else { throw RawHTTP.Failure(description: "event \(number) is not shown") }
                usleep(5_000)
            }
            shown.append((Clock.now - start) * 1_000)
        }
        shown.sort()
        report.add(
            "live profile: event sent until its page shows it, p95 of \(shown.count)", shown[shown.count * 95 / 100], "ms",
            budget: Budget(5_000))
        try byHand(page, account, connection)
        var next = 1_000
        let start = Clock.now
        while Clock.now - start < 8 {
            try send((0..<1_000).map { event(next + $0, ($0 * 7 + next) % lines) })
            next += 1_000
        }
        report.add(
            "live profile: events of one sender, 1,000 a request", Double(next - 1_000) / (Clock.now - start), "events/s",
            higherIsBetter: true)
        try engine.remove(data)
    }

    /// Another domain's event goes through the outbox.
    private func byHand(_ page: String, _ account: Account, _ connection: KeptConnection) throws {
        func changes() throws -> Int {
            let text = try connection.send("GET", page, cookie: account.cookie).text
            guard let row = text.firstMatch(of: /Changes by hand<\/td>\s*<td[^>]*>(\d+)/) else { return 0 }
            return Int(row.1) ?? 0
        }
        var shown: [Double] = []
        for number in 1...12 {
            let form = try connection.send("GET", page + "/edit", cookie: account.cookie).text
            guard let edition = form.firstMatch(of: /name="revision" value="(\d+)"/) else {
                throw RawHTTP.Failure(description: "no form at \(page)")
            }
            let start = Clock.now
            guard try account.save(String(page.dropFirst("/customers/".count)), edition: Int(edition.1) ?? 0, segment: "s\(number)", connection) == 303
            else { throw RawHTTP.Failure(description: "the change was refused") }
            while try changes() < number {
                guard Clock.now - start < 30 else { throw RawHTTP.Failure(description: "change \(number) is not counted") }
                usleep(20_000)
            }
            shown.append((Clock.now - start) * 1_000)
        }
        shown.sort()
        report.add(
            "live profile: change by hand until the outbox has it counted, slowest of \(shown.count)", shown.last ?? 0, "ms",
            budget: Budget(5_000))
    }

    /// The page of a customer by a telephone number.
    private func place(of reference: String, _ account: Account, _ connection: KeptConnection) throws -> String {
        let found = try account.search(reference, connection)
        guard let hit = found.hit, hit.hasPrefix("/customers/") else {
            throw RawHTTP.Failure(description: "\(reference) is not found: \(found.status) \(found.hit ?? "")")
        }
        return hit.split(separator: "?").first.map(String.init) ?? hit
    }
}
