import Foundation
import TestSupport

extension Bench {
    /// The TM Forum interface over the seeded base: one of a resource, a list with a filter, made and changed.
    func programs(_ place: Place, _ data: String) throws {
        report.progress("\(engine): interface of programs")
        let token = try token(place, data)
        let more = "Authorization: Bearer \(token)\r\nAccept: application/json\r\n"
        let customers = "/tmf-api/customerManagement/v4/customer"
        let tickets = "/tmf-api/troubleTicket/v4/troubleTicket"
        let ids = place.sample.ids
        let cases = try engine.rows("SELECT id FROM servicedesk_case ORDER BY (id % 1000003) * 7919 % 1000003 LIMIT 3000", data).map { $0[0] }
        let hello = try Load.open(port: place.hello, perSecond: 100, seconds: 4) { connection, _ in
            try connection.send("GET", "/").status
        }.checked("hello")
        func measure(_ name: String, perSecond: Double = 100, _ work: @escaping Load.Work) throws {
            _ = Load.open(port: place.port, perSecond: perSecond, seconds: 1, work)
            let before = place.processor()
            let outcome = try Load.open(port: place.port, perSecond: perSecond, seconds: isLarge ? 5 : 6, work).checked(name)
            let cost = (place.processor() - before) * 1_000 / Double(max(1, outcome.admitted.count))
            for (word, q, budget) in [("p50", 0.5, 5.0), ("p99", 0.99, 25.0)] {
                report.add(
                    "\(name) \(word) at \(Int(perSecond))/s", outcome.admitted.quantile(q) * 1_000, "ms", budget: Budget(budget),
                    anchor: Anchor("hello \(word)", hello.admitted.quantile(q) * 1_000),
                    why: "an answer takes the server \(Report.text(cost)) ms of a core")
            }
        }
        func get(_ path: @escaping @Sendable (Int) -> String) -> Load.Work {
            { connection, number in Self.good(try connection.send("GET", path(number), more: more).status) }
        }
        try measure("GET one customer", get { "\(customers)/\(ids[$0 % ids.count])" })
        try measure("GET one ticket", get { "\(tickets)/\(cases[$0 % cases.count])" })
        try measure("GET 20 customers of a status", get { _ in "\(customers)?status=active&limit=20" })
        try measure("GET 20 tickets of a customer", get { "\(tickets)?relatedParty.id=\(ids[$0 % ids.count])&limit=20" })
        try measure("GET 20 open tickets, newest first", get { _ in "\(tickets)?status=acknowledged&sort=-creationDate&limit=20" })
        try measure("POST a ticket", perSecond: 50) { connection, number in
            let body = """
                {"description":"No signal","severity":"Major","ticketType":"fault","relatedParty":[{"id":"\(ids[number % ids.count])","role":"customer","@referredType":"Customer"}]}
                """
            return Self.good(try connection.send("POST", tickets, form: body, type: "application/json", more: more).status)
        }
        try measure("PATCH a ticket", perSecond: 50) { connection, number in
            Self.good(try connection.send(
                "PATCH", "\(tickets)/\(cases[number % cases.count])", form: "{\"severity\":\"S\(number)\"}",
                type: "application/merge-patch+json", more: more
            ).status)
        }
        let connections = 32
        let closed = try Load.closed(port: place.port, clients: connections, seconds: 5, get { "\(customers)/\(ids[$0 % ids.count])" })
            .checked("GET one at saturation")
        let plain = try Load.closed(port: place.hello, clients: connections, seconds: 3) { connection, _ in
            try connection.send("GET", "/").status
        }.checked("hello at saturation")
        report.add(
            "GET one customer, as fast as it goes", Double(closed.admitted.count) / 5, "/s",
            anchor: Anchor("hello", Double(plain.admitted.count) / 3), why: "32 connections")
    }

    /// 201 and 206 are as good as 200.
    private static func good(_ status: Int) -> Int { (200..<300).contains(status) ? 200 : status }

    /// A token of a client made for the run.
    private func token(_ place: Place, _ data: String) throws -> String {
        let made = try command(
            ["client", "create", "bench-\(UUID().uuidString.prefix(8))", "--scope", "tmf629:read tmf621:read tmf621:write", "--rate", "10000", "--json"],
            data: data)
        let fields = try JSONSerialization.jsonObject(with: Data(made.utf8)) as? [String: Any]
        guard let id = fields?["client_id"] as? String, let secret = fields?["client_secret"] as? String else {
            throw RawHTTP.Failure(description: "client create answered \(made.prefix(200))")
        }
        let answer = try KeptConnection(port: place.port).send(
            "POST", "/oauth/token", form: "grant_type=client_credentials&client_id=\(id)&client_secret=\(secret)")
        guard let text = answer.text.firstMatch(of: /"access_token":"([^"]+)"/) else {
            throw RawHTTP.Failure(description: "no token: \(answer.status)")
        }
        return String(text.1)
    }
}
