import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

extension TraceWorld {
    /// A request for each route of the table. A new route is added here, or `TraceTests` fails.
    static let makers: [String: Maker] = ownMakers.merging(customerMakers) { first, _ in first }
        .merging(importMakers) { first, _ in first }.merging(insightMakers) { first, _ in first }
        .merging(consoleMakers) { first, _ in first }.merging(accountMakers) { first, _ in first }
        .merging(resolutionMakers) { first, _ in first }.merging(profileMakers) { first, _ in first }
        .merging(qualityMakers) { first, _ in first }.merging(programMakers) { first, _ in first }
        .merging(hubMakers) { first, _ in first }.merging(caseMakers) { first, _ in first }

    /// Forms of the routes with an id, for requests about ids that are not there.
    static let fields: [String: [(String, String)]] = [
        "POST /customers/{id}/edit": [("revision", "1"), ("f_city", "x")],
        "POST /customers/{id}/lines": [("revision", "1"), ("f_service", "mobile")],
        "POST /customers/{id}/departure": [("revision", "1"), ("f_left_on", "2026-03-01"), ("f_reason", "price")],
        "POST /customers/{id}/return": [("revision", "1"), ("how", "mistake")],
        "POST /customers/{id}/lines/{line}": [("revision", "1"), ("f_plan", "x")],
        "POST /customers/{id}/lines/{line}/termination": [("revision", "1")],
        "POST /customers/{id}/duplicates": [("other", "x")],
        "POST /customers/{id}/separation": [("left", "1"), ("right", "2"), ("reason", "x")],
        "POST /attributes/{id}/label": [("revision", "x"), ("title_en", "x"), ("mask", "full")],
        "POST /imports/{id}/mapping": [("revision", "x")] + mapping,
        "POST /imports/intake/{source}": [
            ("revision", "x"), ("entity", "customer"), ("settle", "60"), ("every", "60"),
        ],
        "POST /imports/{id}/format": [("revision", "x"), ("encoding", "utf-8"), ("delimiter", "comma")],
        "POST /quarantine/{id}/repair": [("revision", "x"), ("cell.0", "x")],
        "POST /rules/{id}": [
            ("revision", "x"), ("name_en", "x"), ("fields", "city"), ("kind", "required"), ("dimension", "accuracy"),
            ("severity", "warn"),
        ],
        "POST /sources/{id}": [("revision", "x"), ("name", "x"), ("kind", "care")],
        "POST /risk/{id}/contact": [("revision", "open"), ("outcome", "no_answer")],
        "POST /counters/{id}": [("revision", "x"), ("title_en", "x"), ("kind", "x")],
        "POST /cases/{id}/status": [("revision", "x"), ("status", "pending"), ("reason", "x")],
        "POST /jobs/{id}/dismissal": [("reason", "x")],
        "POST /events/{id}/dismissal": [("reason", "x")],
        "POST /clients/{id}": [("revision", "x"), ("scope", "usage:write"), ("rate", "5")],
        "POST /clients/{id}/secret": [("days", "30"), ("overlap", "1")],
        "POST /users/{id}/roles": [("revision", "x"), ("role", "agent")],
        "POST /users/{id}/scope": [("revision", "x"), ("regions", "east")],
        "POST /users/{id}/status": [("revision", "x"), ("status", "disabled")],
    ]

    private typealias Who = @Sendable (TraceWorld) -> Visitor

    private static func get(_ path: String, _ who: @escaping Who = { $0.supervisor }) -> Maker {
        { world in
            let visitor = who(world)
            return { try visitor.get(path) }
        }
    }

    private static func post(
        _ path: String, _ fields: [(String, String)] = [], _ who: @escaping Who = { $0.supervisor }
    ) -> Maker {
        { world in
            let visitor = who(world)
            return { try visitor.post(path, fields) }
        }
    }

    private static let ownMakers: [String: Maker] = [
        "GET /": get("/"),
        "GET /login": get("/login") { $0.stranger },
        "GET /me": get("/me"),
        "POST /login": { world in
            _ = try await world.user()
            let visitor = world.scenario.stranger()
            try visitor.get("/login")
            return { try visitor.post("/login", [("name", "super"), ("password", Scenario.password)]) }
        },
        "POST /logout": { world in
            let guest = try await world.guest().visitor
            return { try guest.post("/logout") }
        },
        "POST /me/password": { world in
            let guest = try await world.guest().visitor
            let new = Scenario.password + " and more"
            return { try guest.post("/me/password", [("current", Scenario.password), ("new", new), ("again", new)]) }
        },
        "POST /me/sessions/end": { world in
            let guest = try await world.guest()
            let second = try world.scenario.logIn(guest.name, Scenario.password)
            return { try second.post("/me/sessions/end") }
        },
        "POST /me/sessions/{id}/end": { world in
            let guest = try await world.guest()
            let second = try world.scenario.logIn(guest.name, Scenario.password)
            let id = try #require(try second.get("/me").text.firstMatch(of: /\/me\/sessions\/(\d+)\/end/)).1
            return { try second.post("/me/sessions/\(id)/end") }
        },
        "POST /preferences": post("/preferences", [("theme", "dark")]) { $0.stranger },
        "GET /bootstrap/{token}": { world in
            let path = try await world.link()
            let visitor = world.stranger
            return { try visitor.get(path) }
        },
        "POST /bootstrap/{token}": { world in
            let path = try await world.link(.auditor)
            let visitor = world.scenario.stranger()
            try visitor.get(path)
            return {
                try visitor.post(
                    path,
                    [("name", "by.link"), ("password", Scenario.password), ("again", Scenario.password)])
            }
        },
        "GET /audit": get("/audit") { $0.auditor },
    ]

    /// The page of a customer of whom nothing else is asked, and a form of it with the revision it shows.
    /// Somebody who has not left, whatever the requests before did.
    private static let inService: SQL = """
        SELECT customer_id FROM customers_subscription WHERE status = 'active' ORDER BY customer_id LIMIT 1
        """

    private static func customerPage(_ rest: String, line: Bool = false) -> Maker {
        { world in
            let (id, visitor) = (try await world.id(inService), world.supervisor)
            let path = try await customerPath(world, id, rest, line)
            return { try visitor.get(path) }
        }
    }

    private static func customerForm(
        _ form: String, _ rest: String, _ fields: [(String, String)], line: Bool = false,
        after earlier: (form: String, rest: String, fields: [(String, String)])? = nil
    ) -> Maker {
        { world in
            let (id, visitor) = (try await world.id(inService), world.supervisor)
            func prepared(_ form: String, _ rest: String) async throws -> (path: String, revision: String) {
                let page = try visitor.get(try await customerPath(world, id, form, line)).text
                let revision = String(try #require(page.firstMatch(of: /name="revision" value="(\d+)"/)).1)
                return (try await customerPath(world, id, rest, line), revision)
            }
            if let earlier {
                let before = try await prepared(earlier.form, earlier.rest)
                try visitor.post(before.path, [("revision", before.revision)] + earlier.fields)
            }
            let (path, revision) = try await prepared(form, rest)
            return { try visitor.post(path, [("revision", revision)] + fields) }
        }
    }

    private static func customerPath(_ world: TraceWorld, _ id: String, _ rest: String, _ line: Bool) async throws
        -> String
    {
        guard line else { return "/customers/\(id)/\(rest)" }
        let owner = SQLValue.int(try #require(Int64(id)))
        let found = try await world.scenario.tenant.database.read { session in
            try session.first(
                "SELECT id FROM customers_subscription WHERE customer_id = $1 AND status = 'active' ORDER BY id LIMIT 1",
                [owner]
            ) { $0.int(0) }
        }
        return "/customers/\(id)/lines/\(try #require(found))\(rest)"
    }

    private static let left = [("f_left_on", "2026-03-01"), ("f_reason", "price")]

    private static let customerMakers: [String: Maker] = [
        "GET /customers/{id}/charges": customerPage("charges"),
        "GET /customers/{id}/usage": customerPage("usage"),
        "GET /customers/{id}/departure": customerPage("departure"),
        "POST /customers/{id}/departure": customerForm("departure", "departure", left),
        "POST /customers/{id}/return": customerForm(
            "departure", "return", [("how", "mistake")], after: ("departure", "departure", left)),
        "GET /customers/{id}/lines/new": customerPage("lines/new"),
        "POST /customers/{id}/lines": customerForm("lines/new", "lines", [("f_service", "tv"), ("f_plan", "TV 20")]),
        "GET /customers/{id}/lines/{line}/edit": customerPage("/edit", line: true),
        "POST /customers/{id}/lines/{line}": customerForm("/edit", "", [("f_plan", "5G-Trace")], line: true),
        "POST /customers/{id}/lines/{line}/termination": customerForm("/edit", "/termination", [], line: true),
        "GET /customers": get("/customers"),
        "GET /customers/new": get("/customers/new"),
        "POST /customers": post("/customers", [("f_full_name", "新客户"), ("f_kind", "individual")]),
        "POST /customers/export": post("/customers/export", [("scope", "matching"), ("filter", "band=high")]),
        "POST /customers/segment": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.post("/customers/segment", [("id", id), ("segment", "traced")]) }
        },
        "POST /customers/views": post("/customers/views", [("name", "mine"), ("filter", "band=high")]),
        "POST /customers/views/{id}/removal": { world in
            let visitor = world.supervisor
            try visitor.post("/customers/views", [("name", "to go"), ("filter", "band=low")])
            let id = try await world.id("SELECT id FROM customers_saved_view ORDER BY id DESC LIMIT 1")
            return { try visitor.post("/customers/views/\(id)/removal") }
        },
        "GET /customers/{id}": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)") }
        },
        "GET /customers/{id}/edit": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)/edit") }
        },
        "GET /customers/{id}/subscriptions": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)/subscriptions") }
        },
        "GET /customers/{id}/timeline": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.get("/customers/\(id)/timeline") }
        },
        "POST /customers/{id}/edit": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            let page = try visitor.get("/customers/\(id)/edit").text
            let revision = String(try #require(page.firstMatch(of: /name="revision" value="(\d+)"/)).1)
            return { try visitor.post("/customers/\(id)/edit", [("revision", revision), ("f_city", "新城")]) }
        },
        "GET /attributes": get("/attributes") { $0.administrator },
        "POST /attributes": post(
            "/attributes", [("title_en", "Pet"), ("kind", "text"), ("mask", "none")]
        ) { $0.administrator },
        "POST /attributes/{id}/label": { world in
            let visitor = world.administrator
            let id = try await world.id("SELECT id FROM customers_attribute ORDER BY id LIMIT 1")
            let fields = [
                ("revision", try visitor.version("/attributes")), ("title_en", "Relabelled"), ("mask", "full"),
            ]
            return { try visitor.post("/attributes/\(id)/label", fields) }
        },
    ]

    private static func run(
        _ method: String, _ path: String, _ fields: [(String, String)] = [],
        _ make: @escaping @Sendable (TraceWorld) async throws -> String
    ) -> Maker {
        { world in
            let (run, visitor) = (try await make(world), world.supervisor)
            if method == "GET" { return { try visitor.get(run + path) } }
            guard ["/mapping", "/format"].contains(path) else { return { try visitor.post(run + path, fields) } }
            let version = try visitor.version(run)
            return { try visitor.post(run + path, [("revision", version)] + fields) }
        }
    }

    private static func intake(_ source: String) -> [(String, String)] {
        [("source", source), ("entity", "customer"), ("settle", "60"), ("every", "60"), ("enabled", "1")]
    }

    private static let importMakers: [String: Maker] = [
        "POST /api/usage/events": { world in
            let visitor = world.supervisor
            return {
                try visitor.postLines(
                    "/api/usage/events?source=trace",
                    #"{"id":"1","line":"13800138000","kind":"sms","start":"2026-01-01T10:00:00Z"}"#)
            }
        },
        "GET /imports": get("/imports"),
        "GET /imports/new": get("/imports/new"),
        "GET /imports/headings": get("/imports/headings?entity=bills"),
        "GET /imports/intake": get("/imports/intake"),
        "POST /imports/intake": { world in
            let visitor = world.administrator
            let name = "s" + String(UInt32.random(in: 0...UInt32.max))
            return { try visitor.post("/imports/intake", intake(name)) }
        },
        "POST /imports/intake/{source}": { world in
            let visitor = world.administrator
            try visitor.post("/imports/intake", intake("changed"))
            let page = try visitor.get("/imports/intake").text
            let part = page.components(separatedBy: "action=\"/imports/intake/changed\"").last ?? ""
            let revision = String(try #require(part.firstMatch(of: /name="revision" value="([^"]+)"/)).1)
            let fields = [("revision", revision), ("entity", "customer"), ("settle", "90"), ("every", "60")]
            return { try visitor.post("/imports/intake/changed", fields) }
        },
        "POST /imports/intake/{source}/look": { world in
            let visitor = world.administrator
            try visitor.post("/imports/intake", intake("looked"))
            return { try visitor.post("/imports/intake/looked/look") }
        },
        "POST /imports": { world in
            let visitor = world.supervisor
            return { try visitor.upload("/imports", file: (name: "x.csv", content: Array("name\n甲\n乙\n".utf8))) }
        },
        "GET /imports/{id}": run("GET", "") { try await $0.planned() },
        "GET /imports/{id}/profile": run("GET", "/profile") { try await $0.planned() },
        "GET /imports/{id}/progress": run("GET", "/progress") { try await $0.imported() },
        "GET /imports/{id}/rejects": run("GET", "/rejects") { try await $0.imported() },
        "GET /imports/{id}/planned-rejects": run("GET", "/planned-rejects") { try await $0.planned() },
        "GET /imports/{id}/issues": run("GET", "/issues") { try await $0.reverted() },
        "POST /imports/{id}/mapping": run(
            "POST", "/mapping", mapping.filter { $0.0 != "match_key" } + [("match_key", "none")]
        ) { try $0.draft() },
        "POST /imports/{id}/format": run("POST", "/format", [("encoding", "utf-8"), ("delimiter", "semicolon")]) {
            try $0.draft()
        },
        "POST /imports/{id}/dry-run": run("POST", "/dry-run") { try $0.mapped() },
        "POST /imports/{id}/start": run("POST", "/start") { try await $0.planned() },
        "POST /imports/{id}/cancellation": run("POST", "/cancellation") { try $0.mapped(then: "dry_run") },
        "POST /imports/{id}/continuation": run("POST", "/continuation") { world in
            let run = try await world.planned()
            try world.supervisor.post(run + "/start")
            try world.supervisor.post(run + "/cancellation")
            try await world.scenario.drain()
            return run
        },
        "POST /imports/{id}/reversal": run("POST", "/reversal") { try await $0.imported() },
        "POST /imports/{id}/forecast": run("POST", "/forecast") { try await $0.imported() },
    ]

    private static let insightMakers: [String: Maker] = [
        "GET /risk": get("/risk"),
        "POST /risk/{id}/contact": { world in
            let (id, visitor) = (try await world.customer(), world.supervisor)
            return { try visitor.post("/risk/\(id)/contact", [("revision", "open"), ("outcome", "no_answer")]) }
        },
        "GET /models": get("/models") { $0.analyst },
        "GET /models/{id}": { world in
            let (id, visitor) = (try await world.activeModel(), world.analyst)
            return { try visitor.get("/models/\(id)") }
        },
        "POST /models/training": post("/models/training", [("folds", "2")]) { $0.analyst },
        "POST /models/scoring": { world in
            try await world.activeModel()
            let visitor = world.analyst
            return { try visitor.post("/models/scoring") }
        },
        "POST /models/{id}/activation": { world in
            let (id, visitor) = (try await world.idleModel(), world.analyst)
            return { try visitor.post("/models/\(id)/activation") }
        },
        "POST /models/{id}/retirement": { world in
            let (id, visitor) = (try await world.activeModel(), world.analyst)
            return { try visitor.post("/models/\(id)/retirement") }
        },
    ]

    private static let consoleMakers: [String: Maker] = [
        "POST /search": post("/search", [("q", "王")]),
        "GET /search": { world in
            let visitor = world.supervisor
            let path = try #require(try visitor.post("/search", [("q", "王")]).header("location"))
            return { try visitor.get(path) }
        },
        "POST /search/suggest": { world in
            let visitor = world.supervisor
            return { try visitor.postJSON("/search/suggest", #"{"q":"王"}"#) }
        },
        "GET /jobs": get("/jobs"), "GET /openapi.json": get("/openapi.json"), "GET /interface": get("/interface"),
        "GET /jobs/{id}/progress": { world in
            let (id, visitor) = (try await world.failedJob(), world.supervisor)
            return { try visitor.get("/jobs/\(id)/progress") }
        },
        "POST /jobs/{id}/cancellation": { world in
            let (id, visitor) = (try await world.waitingJob(), world.supervisor)
            return { try visitor.post("/jobs/\(id)/cancellation") }
        },
        "GET /jobs/faults": get("/jobs/faults") { $0.administrator },
        "POST /jobs/{id}/restart": { world in
            let (id, visitor) = (try await world.failedJob(), world.administrator)
            return { try visitor.post("/jobs/\(id)/restart") }
        },
        "POST /events/{id}/redelivery": { world in
            let (id, visitor) = (try await world.parkedEvent(), world.administrator)
            return { try visitor.post("/events/\(id)/redelivery") }
        },
        "POST /jobs/{id}/dismissal": { world in
            let (id, visitor) = (try await world.failedJob(), world.administrator)
            return { try visitor.post("/jobs/\(id)/dismissal", [("reason", "not needed")]) }
        },
        "POST /events/{id}/dismissal": { world in
            let (id, visitor) = (try await world.parkedEvent(), world.administrator)
            return { try visitor.post("/events/\(id)/dismissal", [("reason", "not needed")]) }
        },
        "GET /healthz": get("/healthz") { $0.stranger },
        "GET /readyz": get("/readyz") { $0.stranger },
        "GET /metrics": get("/metrics") { $0.stranger },
    ]

    private static func account(_ path: String, _ fields: [(String, String)] = []) -> Maker {
        { world in
            let (id, visitor) = (try await world.user(), world.administrator)
            if fields.isEmpty { return { try visitor.post("/users/\(id)" + path) } }
            let version = try visitor.version("/users/\(id)")
            return { try visitor.post("/users/\(id)" + path, [("revision", version)] + fields) }
        }
    }

    private static let accountMakers: [String: Maker] = [
        "GET /users": get("/users") { $0.administrator },
        "GET /users/new": get("/users/new") { $0.administrator },
        "GET /roles": get("/roles") { $0.administrator },
        "POST /users/search": post("/users/search", [("name", "super")]) { $0.administrator },
        "POST /users": post("/users", [("name", "made.here"), ("role", "agent")]) { $0.administrator },
        "GET /users/{id}": { world in
            let (id, visitor) = (try await world.user(), world.administrator)
            return { try visitor.get("/users/\(id)") }
        },
        "POST /users/{id}/link": account("/link"),
        "POST /users/{id}/roles": account("/roles", [("role", "marketer")]),
        "POST /users/{id}/scope": account("/scope", [("regions", "east")]),
        "POST /users/{id}/sessions/end": { world in
            _ = try await world.guest()
            let id = try await world.id("SELECT id FROM identity_user ORDER BY id DESC LIMIT 1")
            let visitor = world.administrator
            return { try visitor.post("/users/\(id)/sessions/end") }
        },
        "POST /users/{id}/status": account("/status", [("status", "disabled")]),
    ]
}
