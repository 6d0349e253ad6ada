import Foundation
import TestSupport

/// What the serving is asked for, taken from the base beside the product.
struct Sample {
    let ids: [String]
    /// Customers that are saved once each, with the edition a form has to know.
    let editions: [(id: String, edition: Int)]
    let numbers: [String]
    let names: [String]

    init(_ engine: Engine, _ data: String) throws {
        // Ids are sorted by time: a large prime mixes them, the same way in each run.
        let mixed = "(id % 1000003) * 7919 % 1000003"
        ids = try engine.rows("SELECT id FROM customers_customer ORDER BY \(mixed) LIMIT 3000", data).map { $0[0] }
        editions = try engine.rows(
            "SELECT id, edition FROM customers_customer ORDER BY \(mixed) DESC, id LIMIT 12000", data
        ).map { ($0[0], Int($0[1]) ?? 1) }
        numbers = try engine.rows(
            "SELECT msisdn FROM customers_subscription WHERE msisdn IS NOT NULL AND status <> 'terminated' ORDER BY \(mixed) LIMIT 2000",
            data
        ).map { $0[0] }
        names = try engine.rows(
            "SELECT display_name FROM customers_party WHERE display_name <> '' ORDER BY \(mixed) LIMIT 500", data
        ).map { $0[0] }
        guard !ids.isEmpty, !numbers.isEmpty, !names.isEmpty else {
            throw RawHTTP.Failure(description: "the base in \(data) has no customers with numbers and names")
        }
    }
}

/// One way to see the list.
struct ListView {
    let name: String
    let query: String
    /// The customer behind whom the page begins; `nil` = the first page.
    let after: String?

    var path: String {
        let fields = [query, after.map { "after=\($0)" } ?? ""].filter { !$0.isEmpty }.joined(separator: "&")
        return fields.isEmpty ? "/customers" : "/customers?" + fields
    }
}

extension Bench {
    /// Everything that is asked of a server over the seeded base.
    func server(_ data: String) throws {
        report.progress("\(engine): serving")
        var environment = environment(data)
        environment["SWITCHBOARD_REQUESTS_PER_SECOND"] = "0"
        environment["SWITCHBOARD_TRUSTED_PROXIES"] = "127.0.0.1"
        let server = try Launched.switchboard(data: data, environment: environment)
        defer { server.stop() }
        let hello = try Launched.hello()
        defer { hello.stop() }
        let accounts = try Self.names.map { try Account.logIn($0, port: server.port) }
        let sample = try Sample(engine, data)
        report.progress("\(engine): waiting for the work of a fresh base")
        let waited = server.settle()
        if waited > 85 { report.note("the server still had work of its own after \(Int(waited)) s") }
        let place = Place(
            port: server.port, hello: hello.port, accounts: accounts, sample: sample,
            processor: { server.processorSeconds })
        if options.serves("pages") { try pages(place) }
        if options.serves("pops") { try pops(place) }
        if options.serves("lists") { try lists(place, data) }
        if options.serves("searches") { try searches(place) }
        if options.serves("saturation") { try saturation(place) }
        if options.serves("overload") { try overload(place) }
        if options.serves("saves") { try saves(place) }
        if options.serves("logins") { try logIns(place) }
        if options.serves("programs") { try programs(place, data) }
        report.add("anonymous memory after serving", server.memoryMB("RssAnon"), "MB", budget: Budget(300))
    }

    struct Place: Sendable {
        let port: Int
        let hello: Int
        let accounts: [Account]
        let sample: Sample
        /// Seconds of a core that the server has taken so far.
        let processor: @Sendable () -> Double

        /// Work of each account in turn.
        func each(_ path: @escaping @Sendable (Int) -> String) -> Load.Work {
            { [accounts] connection, number in try accounts[number % accounts.count].get(path(number), connection) }
        }
    }

    private var seconds: Double { isLarge ? 6 : 8 }

    // MARK: Pages

    private func pages(_ place: Place) throws {
        report.progress("\(engine): customer page at a fixed rate")
        let ids = place.sample.ids
        _ = Load.open(port: place.port, perSecond: 100, seconds: 2, place.each { "/customers/\(ids[$0 % ids.count])" })
        let before = place.processor()
        let page = try Load.open(
            port: place.port, perSecond: 100, seconds: seconds, place.each { "/customers/\(ids[($0 + 200) % ids.count])" }
        ).checked("customer page")
        let cost = Self.cost(place.processor() - before, page.admitted.count)
        let plain = try Load.open(port: place.hello, perSecond: 100, seconds: 4) { connection, _ in
            try connection.send("GET", "/").status
        }.checked("hello")
        for (name, q, budget) in [("p50", 0.5, 5.0), ("p99", 0.99, 25.0)] {
            report.add(
                "customer page \(name) at 100/s", page.admitted.quantile(q) * 1_000, "ms", budget: Budget(budget),
                anchor: Anchor("hello \(name)", plain.admitted.quantile(q) * 1_000), why: Self.why(cost, page))
        }
    }

    /// What one answer costs the server.
    private static func cost(_ seconds: Double, _ count: Int) -> String {
        "an answer takes the server \(Report.text(seconds * 1_000 / Double(max(1, count)))) ms of a core"
    }

    /// The reason of a missed budget as far as the run knows it: what the server computed, whether the client was late, and what
    /// was refused.
    private static func why(_ cost: String, _ outcome: Outcome) -> String {
        let late = outcome.late.quantile(0.99) * 1_000
        return [cost, late > 2 ? "the client itself was late by \(Report.text(late)) ms (p99)" : "", outcome.refusals]
            .filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// Two requests: a whole number is looked for, and leads to the page.
    private func pops(_ place: Place) throws {
        report.progress("\(engine): screen pop")
        let numbers = place.sample.numbers
        let before = place.processor()
        let pop = try Load.open(port: place.port, perSecond: 40, seconds: seconds) { [accounts = place.accounts] connection, number in
            try accounts[number % accounts.count].pop(numbers[number % numbers.count], connection)
        }.checked("screen pop")
        let why = Self.why(
            "two requests, each with an audit event that is durable before it is answered; "
                + Self.cost(place.processor() - before, pop.admitted.count), pop)
        report.add(
            "screen pop, number to page, p50 at 40/s", pop.admitted.median * 1_000, "ms", budget: Budget(5), why: why)
        report.add(
            "screen pop, number to page, p99 at 40/s", pop.admitted.quantile(0.99) * 1_000, "ms", budget: Budget(25), why: why)
    }

    // MARK: Lists

    private static let facets = ["plan", "region", "segment", "leave_reason", "band", "tier", "service", "status", "kind"]
    private static let sorts = [
        ("created", "customer_id"), ("name", "sort_name"), ("since", "since"), ("charge", "monthly_charge"),
        ("value", "value_score"), ("risk", "risk"),
    ]

    /// Every filter with its most and its least frequent value, every sort both ways, the frequent filters under another sort;
    /// each from the beginning and from the middle of what it shows.
    private func views(_ data: String) throws -> [ListView] {
        var conditions = [(name: "all", query: "", condition: "1 = 1")]
        for facet in Self.facets {
            let values = try engine.rows(
                "SELECT \(facet), COUNT(*) FROM customers_listing WHERE \(facet) <> '' GROUP BY \(facet) ORDER BY 2 DESC", data)
            let field = facet == "leave_reason" ? "reason" : facet
            for (kind, row) in [("frequent", values.first), ("rare", values.count > 1 ? values.last : nil)] {
                guard let value = row?[0], !value.contains("'") else { continue }
                let escaped = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value
                conditions.append(("\(kind) \(field)", "\(field)=\(escaped)", "\(facet) = '\(value)'"))
            }
        }
        var result: [ListView] = []
        for condition in conditions {
            let isAll = condition.query.isEmpty
            for (sort, column) in isAll ? Self.sorts : [Self.sorts[0], Self.sorts[3], Self.sorts[5]] {
                for down in isAll ? [true, false] : [true] {
                    let order = "\(column)\(down ? " DESC" : "")" + (column == "customer_id" ? "" : ", customer_id\(down ? " DESC" : "")")
                    let middle = try engine.rows(
                        """
                        SELECT customer_id FROM customers_listing WHERE \(condition.condition) ORDER BY \(order)
                        LIMIT 1 OFFSET (SELECT COUNT(*) / 2 FROM customers_listing WHERE \(condition.condition))
                        """, data
                    ).first?[0]
                    let query = [condition.query, "sort=\(down ? "-" : "")\(sort)"].filter { !$0.isEmpty }.joined(separator: "&")
                    let name = "\(condition.name) by \(down ? "-" : "")\(sort)"
                    result.append(ListView(name: name, query: query, after: nil))
                    if let middle { result.append(ListView(name: name + ", middle", query: query, after: middle)) }
                }
            }
        }
        return result
    }

    private func lists(_ place: Place, _ data: String) throws {
        report.progress("\(engine): finding filters and the middle of each list")
        let views = try views(data)
        report.progress("\(engine): \(views.count) views of the list")
        for (name, chosen) in [("first page", views.filter { $0.after == nil }), ("deep page", views.filter { $0.after != nil })] {
            // Each view several times, in an order that mixes them.
            let rounds = isLarge ? 5 : 8
            let slowest = Slowest()
            let before = place.processor()
            let load = try Load.open(
                port: place.port, perSecond: 40, seconds: Double(chosen.count * rounds) / 40
            ) { [accounts = place.accounts] connection, number in
                let view = chosen[number % chosen.count]
                let start = Clock.now
                let status = try accounts[number % accounts.count].get(view.path, connection)
                slowest.note(view.name, Clock.now - start)
                return status
            }.checked("list")
            report.add(
                "list, \(name) of \(chosen.count) filters and sorts, p99 at 40/s", load.admitted.quantile(0.99) * 1_000, "ms",
                budget: Budget(50),
                why: "slowest views: \(slowest.worst(4)); "
                    + Self.why(Self.cost(place.processor() - before, load.admitted.count), load))
            report.add("list, \(name), p50 at 40/s", load.admitted.median * 1_000, "ms")
        }
    }

    // MARK: Search

    private func searches(_ place: Place) throws {
        let numbers = place.sample.numbers
        let names = place.sample.names
        // The family name of most of the base, and what nobody is called.
        let kinds: [(name: String, words: [String])] = [
            ("whole number", numbers), ("last 4 digits", numbers.map { String($0.suffix(4)) }), ("name", names),
            ("part of a name", names.map { String($0.dropFirst().prefix(3)) }.filter { !$0.trimmed.isEmpty }),
            ("one Chinese character", ["王", "李", "张", "伟", "芳", "敏"]),
            ("4 digits in the middle", numbers.map { String($0.dropLast(4).suffix(4)) }),
            ("pinyin", ["wangwei", "li fang", "zhangmin", "chenjing", "wang", "liuy"]),
            ("pinyin initials", ["zw", "lf", "wm", "cj", "wxm"]),
            ("surname and initials", ["liujj", "wangxm", "ouyangxy", "zhang wh", "linqq"]),
            ("two mistyped words", ["jhon smiht", "marry jonse", "li jonhson", "wnag xioaling", "anm taylro"]),
            ("device", ["iphone", "iphone 15", "huawei", "mate 60", "xiao", "华为"]),
            ("words of a case", ["信号", "refund", "退款 掉线", "charged twice", "slow net"]),
            ("mistyped letters", ["jonson", "smiht", "willaims", "brwon", "tayler"]),
        ]
        for (name, words) in kinds {
            report.progress("\(engine): search by \(name)")
            let before = place.processor()
            let load = try Load.open(port: place.port, perSecond: 25, seconds: isLarge ? 4 : 5) { [accounts = place.accounts] connection, number in
                try accounts[number % accounts.count].search(words[number % words.count], connection).status
            }.checked("search by \(name)")
            report.add(
                "search by \(name), p95 at 25/s", load.admitted.quantile(0.95) * 1_000, "ms", budget: Budget(50),
                why: Self.why(Self.cost(place.processor() - before, load.admitted.count), load))
        }
    }

    // MARK: Saturation

    /// In turn, 16 connections each.
    private func saturation(_ place: Place) throws {
        report.progress("\(engine): customer page at saturation")
        let paths = place.sample.ids.prefix(500).map { "/customers/\($0)" }
        var (ours, plain): ([Double], [Double]) = ([], [])
        var taken = 0.0
        for _ in 0..<(isLarge ? 2 : 3) {
            let before = place.processor()
            ours.append(try Tool.wrk(port: place.port, paths: paths, cookie: place.accounts[0].cookie, seconds: 4, folder: folder))
            taken += place.processor() - before
            plain.append(try Tool.wrk(port: place.hello, paths: ["/"], cookie: "", seconds: 4, folder: folder))
        }
        report.add(
            "customer page at saturation", ours.median, "requests/s", budget: Budget("5 % of hello in this run", plain.median * 0.05),
            anchor: Anchor("hello", plain.median), higherIsBetter: true,
            why: Self.cost(taken, Int(ours.reduce(0, +) * 4))
                + " of \(Report.cores), of which wrk takes its share: forty look-ups, 29 kB of HTML and a durable audit event "
                + "beside five bytes")
        if let reads = try engine.reads() {
            report.add("customer page at saturation beside pgbench", ours.median, "requests/s", anchor: reads, higherIsBetter: true)
        }
    }

    /// Three times the load it can take.
    private func overload(_ place: Place) throws {
        report.progress("\(engine): overload")
        let ids = place.sample.ids
        let page = place.each { "/customers/\(ids[$0 % ids.count])" }
        let most = try Load.closed(port: place.port, clients: 16, seconds: 3, page).checked("saturation")
        let usual = try Load.open(port: place.port, perSecond: most.rate * 0.8, seconds: 4, clients: 200, page)
        let (own, server) = (Clock.ownProcessor, place.processor())
        let over = Load.open(port: place.port, perSecond: most.rate * 3, seconds: 5, clients: 240, page)
        let why = "of \(Report.cores) cores the clients took \(Report.text((Clock.ownProcessor - own) / over.seconds)) and the server "
            + "\(Report.text((place.processor() - server) / over.seconds)); the client was late by "
            + "\(Report.text(over.late.quantile(0.99) * 1_000)) ms (p99), which counts as waiting"
        guard over.failures == 0 else { throw RawHTTP.Failure(description: "overload: \(over.firstFailure)") }
        let share = Double(over.admitted.count) / Double(over.admitted.count + over.refused.count)
        report.note(
            "  \(engine)  overload: \(Report.text(most.rate)) pages/s is what it takes; three times that: "
                + "\(Report.text(over.rate))/s admitted (\(Report.text(share * 100)) %), \(over.refused.count) refused with 429 or 503; "
                + "the client itself was late by \(Report.text(over.late.quantile(0.99) * 1_000)) ms (p99)")
        report.add(
            "overload: refusals, p99", over.refused.isEmpty ? 0 : over.refused.quantile(0.99) * 1_000, "ms", budget: Budget(50),
            why: why)
        report.add(
            "overload: admitted, p99", over.admitted.quantile(0.99) * 1_000, "ms",
            budget: Budget("twice the p99 at 80 % of its load", usual.admitted.quantile(0.99) * 2_000), why: why)
        report.add(
            "overload: pages still served", over.rate, "pages/s", anchor: Anchor("without overload", most.rate), higherIsBetter: true)
    }

    // MARK: Writes

    /// A change through the edit form: read, checked, written with its audit and outbox events, durable before it is answered.
    private func saves(_ place: Place) throws {
        report.progress("\(engine): saving")
        let editions = place.sample.editions
        let accounts = place.accounts
        let run = String(Int(Clock.now) % 100_000)
        @Sendable func save(_ offset: Int) -> Load.Work {
            { connection, number in
                let (id, edition) = editions[(offset + number) % editions.count]
                return try accounts[number % accounts.count].save(id, edition: edition, segment: "b\(run)", connection)
            }
        }
        let steadySeconds = min(seconds, Double(editions.count) / 100)
        let before = place.processor()
        let steady = try Load.open(port: place.port, perSecond: 50, seconds: steadySeconds, save(0)).checked("save")
        report.add(
            "save of an edit, p99 at 50/s", steady.admitted.quantile(0.99) * 1_000, "ms", budget: Budget(50),
            why: Self.why(Self.cost(place.processor() - before, steady.admitted.count), steady))
        let anchor = try engine.commits(folder)
        let first = Int(50 * steadySeconds)
        // No customer twice: the edition the form knows would be an old one.
        let secondsMax = min(5.0, Double(editions.count - first) / 2_500)
        guard secondsMax >= 0.5 else { return report.note("  save at saturation: skipped, the base is too small") }
        let start = place.processor()
        let most = try Load.closed(port: place.port, clients: 16, seconds: secondsMax, save(first)).checked("save at saturation")
        report.add(
            "save of an edit at saturation, 16 clients", most.rate, "saves/s", budget: Budget(800), anchor: anchor,
            higherIsBetter: true, why: Self.why(Self.cost(place.processor() - start, most.admitted.count), most))
    }

    /// A user that does not exist must take as long to refuse as a wrong password (G7). In turn, from addresses of their
    /// own, so that the throttle does not answer instead.
    private func logIns(_ place: Place) throws {
        report.progress("\(engine): log-in")
        let connection = KeptConnection(port: place.port)
        var (good, wrong, unknown): ([Double], [Double], [Double]) = ([], [], [])
        for round in 0..<(isLarge ? 6 : 12) {
            for (at, name) in Self.names.prefix(3).enumerated() {
                let address = { (kind: Int) in "10.\(kind).\(at).\(round + 1)" }
                let form = try LogIn.form(connection)
                let start = Clock.now
                let answer = try LogIn.post(connection, form, name, Self.password, from: address(3))
                guard answer.status == 303 else { throw RawHTTP.Failure(description: "log-in answered \(answer.status)") }
                good.append(Clock.now - start)
                wrong.append(try LogIn.refused(connection, name, Self.password + " not", from: address(1)))
                unknown.append(try LogIn.refused(connection, "nobody-\(at)-\(round)", Self.password, from: address(2)))
            }
        }
        report.add("log-in, median of \(good.count)", good.median * 1_000, "ms")
        report.add(
            "log-in of an unknown user, median", unknown.median * 1_000, "ms",
            anchor: Anchor("wrong password", wrong.median * 1_000))
        report.add(
            "log-in of an unknown user, p90", unknown.quantile(0.9) * 1_000, "ms",
            anchor: Anchor("wrong password", wrong.quantile(0.9) * 1_000))
    }
}

/// The longest time of each name.
final class Slowest: @unchecked Sendable {
    private let lock = NSLock()
    private var times: [String: [Double]] = [:]

    func note(_ name: String, _ took: Double) { lock.withLock { times[name, default: []].append(took) } }

    /// By their medians.
    func worst(_ count: Int) -> String {
        lock.withLock {
            times.map { ($0.key, $0.value.median) }.sorted { $0.1 > $1.1 }.prefix(count)
                .map { "\($0.0) \(Report.text($0.1 * 1_000)) ms" }.joined(separator: ", ")
        }
    }
}
