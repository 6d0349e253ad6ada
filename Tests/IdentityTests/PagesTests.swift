import Foundation
import Kernel
import Platform
import TestSupport
import Testing
import Web

@testable import Identity

@Suite("The pages of Identity, through the gate")
struct PagesTests {
    /// A browser in which `name` is logged in.
    private func browser(_ desk: Desk, as name: String, password: String = sentence) async throws -> Browser {
        let browser = try Browser(desk)
        #expect(try await browser.get("/login").status == 200)
        let answer = try await browser.post("/login", [("name", name), ("password", password)])
        #expect(answer.status == 303 && answer.location == "/", "\(answer.text)")
        return browser
    }

    private func firstMatch(_ pattern: String, _ text: String) -> String? {
        text.range(of: pattern, options: .regularExpression).map { String(text[$0]) }
    }

    @Test("bootstrap, log-in, own page, log-out")
    func firstAdministrator() async throws {
        let desk = try await Desk()
        let browser = try Browser(desk)
        #expect(try await browser.get("/login").text.contains("switchboard user bootstrap"))
        let link = try await desk.admin.issueBootstrap(desk.tenant)
        #expect(try await browser.get(link.path).status == 200)
        let short = try await browser.post(link.path, [("name", "root"), ("password", "short"), ("again", "short")])
        #expect(short.status == 422 && short.text.contains("At least 15 characters"))
        let differ = try await browser.post(link.path, [("name", "root"), ("password", sentence), ("again", "x")])
        #expect(differ.status == 422)
        let done = try await browser.post(link.path, [("name", "root"), ("password", sentence), ("again", sentence)])
        #expect(done.status == 303 && done.location == "/login")
        #expect(try await browser.get(link.path).status == 410)
        #expect(try await browser.get("/login").text.contains("The password is set"))

        let before = browser.cookie(WebCookie.session)
        let answer = try await browser.post("/login", [("name", "root"), ("password", sentence), ("return", "/me")])
        #expect(answer.location == "/me")
        let after = browser.cookie(WebCookie.session)
        #expect(before != nil && after != nil && before != after)
        let line = answer.headers[values: .setCookie].first { $0.hasPrefix(WebCookie.session) } ?? ""
        for part in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] { #expect(line.contains(part)) }

        #expect(try await browser.get("/me").text.contains("<option value=\"normal\" selected>Normal</option>"))
        #expect(try await browser.post("/preferences", [("density", "compact"), ("rail", "narrow")]).status == 303)
        let dense = try await browser.get("/me").text
        #expect(dense.contains("data-density=\"compact\"") && dense.contains("data-rail=\"narrow\""))
        #expect(
            dense.contains("<option value=\"compact\" selected>")
                && dense.contains("<option value=\"narrow\" selected>"))
        let own = try await browser.get("/me")
        #expect(own.status == 200 && own.text.contains("Administrator"))
        let out = try await browser.post("/logout", [])
        #expect(out.status == 303 && out.location == "/login")
        #expect(out.headers[.init("Clear-Site-Data")!] != nil)
        if let after { browser.setCookie(WebCookie.session, after) }
        #expect(try await browser.get("/me", accept: "application/json").status == 401)
        #expect(try await browser.get("/me").location == "/login?return=%2Fme")
    }

    @Test("unknown user, wrong password and disabled account are told apart by nothing (G7)")
    func enumeration() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        try await desk.user("off")
        try await desk.admin.setStatus(user: "off", .disabled, desk.tenant)
        var answers: Set<String> = []
        for (name, password) in [("nobody", sentence), ("mei", "wrong password here"), ("off", sentence)] {
            let browser = try Browser(desk, address: "198.51.100.\(name.count)")
            _ = try await browser.get("/login")
            let answer = try await browser.post("/login", [("name", name), ("password", password)])
            #expect(answer.status == 401)
            var text = answer.text.replacingOccurrences(of: "value=\"\(name)\"", with: "")
            for noise in [
                #"nonce="[^"]*""#, #"name="_(?:csrf|key)" value="[^"]*""#, #"csrf-token" content="[^"]*""#,
            ] {
                text = text.replacingOccurrences(of: noise, with: "", options: .regularExpression)
            }
            let headers = answer.headers.map(\.name.canonicalName).sorted().joined(separator: ",")
            answers.insert(headers + text)
        }
        #expect(answers.count == 1)
    }

    @Test("too many tries are answered 429 with Retry-After on the log-in page")
    func throttled() async throws {
        let desk = try await Desk()
        let browser = try Browser(desk)
        _ = try await browser.get("/login")
        for _ in 0..<5 { _ = try await browser.post("/login", [("name", "mei"), ("password", "x")]) }
        let answer = try await browser.post("/login", [("name", "mei"), ("password", "x")])
        #expect(answer.status == 429)
        #expect(answer.headers[.retryAfter] == "5")
        #expect(answer.text.contains("login-error"))
    }

    @Test(
        "the way back after a log-in is a path of ours, whatever the address says",
        arguments: [
            ("/customers?band=high", "/customers?band=high"), ("//evil.example", "/"), ("https://evil.example", "/"),
            ("/\\evil.example", "/"), ("javascript:alert(1)", "/"),
        ])
    func back(_ example: (String, String)) async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let browser = try Browser(desk)
        _ = try await browser.get("/login?return=" + Form.encode(example.0))
        let answer = try await browser.post("/login", [("name", "mei"), ("password", sentence), ("return", example.0)])
        #expect(answer.location == example.1)
    }

    @Test("preferences work before the log-in by cookie and afterwards by the account")
    func preferences() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let browser = try Browser(desk)
        #expect(try await browser.get("/login").text.contains("lang=\"en\""))
        let answer = try await browser.post("/preferences", [("language", "zh-CN"), ("return", "/login")])
        #expect(answer.status == 303 && answer.location == "/login")
        let page = try await browser.get("/login").text
        #expect(page.contains("lang=\"zh-CN\"") && page.contains("登录"))
        #expect(try await browser.post("/preferences", [("language", "fr")]).status == 422)
        #expect(try await browser.post("/preferences", [("isAdmin", "1")]).status == 422)
        #expect(try await desk.test.auditCount("identity.user.preferences") == 0)

        _ = try await browser.post("/login", [("name", "mei"), ("password", sentence)])
        let json = try await browser.post(
            "/preferences", [("theme", "dark"), ("rail", "narrow")], accept: "application/json")
        #expect(json.status == 204)
        _ = try await browser.post("/preferences", [("language", "en"), ("shortcuts", "off")])
        #expect(try await desk.test.auditCount("identity.user.preferences") == 2)
        let elsewhere = try await self.browser(desk, as: "mei")
        let own = try await elsewhere.get("/me").text
        #expect(
            own.contains("lang=\"en\"") && own.contains("data-theme=\"dark\"") && own.contains("data-shortcuts=\"off\"")
        )
    }

    @Test("the administrator makes an account by a link, the person sets the password, roles follow")
    func newColleague() async throws {
        let desk = try await Desk()
        try await desk.user("root", [.administrator])
        let root = try await browser(desk, as: "root")
        #expect(try await root.get("/users/new").status == 200)
        #expect(try await root.post("/users", [("name", "two words")]).status == 422)
        #expect(try await root.post("/users", [("name", "x"), ("role", "administrator")]).status == 403)
        #expect(try await root.post("/users", [("name", "x"), ("status", "active")]).text.contains("unknown_field"))
        let made = try await root.post(
            "/users", [("name", "李敏"), ("display_name", "李敏 <b>"), ("role", "agent"), ("regions", "east, west")])
        #expect(made.status == 200)
        let path = try #require(firstMatch("/bootstrap/[A-Za-z0-9_-]{43}", made.text))
        #expect(made.text.contains("http://127.0.0.1:8080" + path))

        let mei = try Browser(desk, address: "192.0.2.77")
        #expect(try await mei.get(path).text.contains("李敏"))
        #expect(try await mei.post(path, [("password", otherSentence), ("again", otherSentence)]).status == 303)
        #expect(try await mei.post("/login", [("name", "李敏"), ("password", otherSentence)]).status == 303)
        for forbidden in ["/users", "/users/new", "/roles", "/audit"] {
            #expect(try await mei.get(forbidden).status == 403)
        }

        let list = try await root.get("/users?role=agent&status=active")
        #expect(list.text.contains("李敏 &lt;b&gt;") && !list.text.contains("李敏 <b>"))
        #expect(try await root.post("/users/search", [("name", "李")]).text.contains("李敏"))
        #expect(try await !root.post("/users/search", [("name", "zzz")]).text.contains("李敏"))
        let page = try #require(firstMatch("/users/[0-9]+", list.text))
        #expect(try await root.get(page).text.contains("east, west"))
        #expect(try await root.post(page + "/scope", [("regions", "")]).status == 303)
        #expect(try await root.post(page + "/roles", [("role", "supervisor")]).status == 303)
        #expect(try await mei.get("/me", accept: "application/json").status == 401)
        #expect(try await root.post(page + "/roles", [("role", "auditor")]).status == 403)
        #expect(try await root.post(page + "/status", [("status", "disabled")]).status == 303)
        #expect(try await root.post(page + "/link", []).status == 409)
        #expect(try await root.post(page + "/status", [("status", "gone")]).status == 422)
        #expect(try await root.post("/users/1/status", [("status", "disabled")]).status == 404)
        for action in ["create", "scope", "roles", "disable"] {
            #expect(try await desk.test.auditCount("identity.user." + action) >= 1, "\(action)")
        }
    }

    @Test("the security administrator gives powers, one at a time; the page of roles says what they mean")
    func powers() async throws {
        let desk = try await Desk()
        try await desk.user("guard", [.security])
        let mei = try await desk.user("mei", [])
        let guardian = try await browser(desk, as: "guard")
        let both = try await guardian.post("/users/\(mei)/roles", [("role", "auditor"), ("role", "administrator")])
        #expect(both.status == 422)
        #expect(
            try await guardian.post(
                "/users/\(mei)/roles", [("role", "auditor"), ("role", "security")], accept: "application/json"
            ).text.contains("powers_exclusive"))
        #expect(try await guardian.post("/users/\(mei)/roles", [("role", "auditor")]).status == 303)
        #expect(try await guardian.post("/users/\(mei)/roles", [("role", "nonsense")]).status == 422)
        #expect(try await guardian.post("/users", [("name", "x")]).status == 403)
        let roles = try await guardian.get("/roles").text
        #expect(roles.contains("Read the audit log") && roles.contains("identity.roles.manage"))
        #expect(roles.contains(">Users and roles<") && !roles.contains("role.area."))
    }

    @Test("the auditor reads the log, narrowed and page by page, and each reading is one event (G58)")
    func audit() async throws {
        let desk = try await Desk()
        try await desk.user("watch", [.auditor])
        let mei = try await desk.user("mei")
        for number in 0..<70 {
            try await desk.tenant.database.write { session in
                try desk.tenant.audit.record(
                    AuditEntry(
                        "customers.customer.view", [.customer(CustomerID(Int64(number % 7 + 1)))],
                        facts: ["number": .int(Int64(number))], unmasked: ["name"]),
                    by: desk.principal(mei, [.agent]), session)
            }
            desk.clock.advance(seconds: 60)
        }
        let watch = try await browser(desk, as: "watch")
        let first = try await watch.get("/audit")
        #expect(first.status == 200 && first.text.contains("number: 69") && first.text.contains("title=\"number=69\""))
        let next = try #require(firstMatch(#"/audit\?before=[0-9]+"#, first.text))
        let second = try await watch.get(next).text
        #expect(second.contains("number: 0<"))
        #expect(!second.contains("number: 69"))
        let one = try await watch.get("/audit?customer=3&action=customers").text
        #expect(one.contains("number: 2<") && one.contains("number: 65<") && !one.contains("number: 3<"))
        let row = "class=\"mono\">identity.user.create<"
        #expect(try await watch.get("/audit?action=identity.user").text.contains(row))
        #expect(try await !watch.get("/audit?action=identity.us").text.contains(row))
        let day = try await watch.get("/audit?actor=\(mei)&from=2026-03-02&until=2026-03-02").text
        #expect(day.contains("number: 69<") && !day.contains(row))
        #expect(try await watch.get("/audit?from=2030-01-01").text.contains("No events"))
        #expect(try await watch.get("/audit?refused=1").text.contains("No events"))
        #expect(try await watch.get("/audit?customer=abc").status == 422)
        #expect(try await watch.get("/audit?from=yesterday").status == 422)
        #expect(try await desk.test.auditCount("audit.log.view") == 8)
        let others = try await desk.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM platform_audit_event WHERE refused")
        }
        #expect(others == 0)
    }

    @Test("the log is narrowed by a customer number; what cannot be read keeps the form; accounts have names")
    func auditByNumber() async throws {
        let desk = try await Desk()
        try await desk.user("watch", [.auditor])
        let mei = try await desk.user("mei")
        try await desk.tenant.database.write { session in
            let by = desk.principal(mei, [.agent])
            for customer in [3, 4] {
                try desk.tenant.audit.record(
                    AuditEntry(
                        "customers.customer.view", [.customer(CustomerID(Int64(customer)))],
                        facts: ["number": .int(Int64(customer))]), by: by, session)
            }
            try desk.tenant.audit.record(AuditEntry("identity.session.start", refused: true), by: by, session)
            try desk.tenant.audit.record(AuditEntry("customers.list.export", refused: true), by: by, session)
        }
        let watch = try await browser(desk, as: "watch")
        let one = try await watch.get("/audit?customer=C-0003").text
        #expect(one.contains("number: 3<") && !one.contains("number: 4<") && one.contains("value=\"C-0003\""))
        for (query, words) in [
            ("customer=nobody", "no customer of this number"), ("customer=C-2", "Several customers"),
            ("from=yesterday&customer=C-0003", "A date is YYYY-MM-DD"),
        ] {
            let answer = try await watch.get("/audit?" + query)
            #expect(answer.status == 422 && answer.text.contains(words))
            #expect(
                answer.text.contains("id=\"apply-filter\"") && !answer.text.contains("number: 3<"), "the form stays")
        }
        let all = try await watch.get("/audit").text
        #expect(all.contains("User mei <span class=\"mono\">\(mei)<"), "whom an account was made for")
        #expect(all.contains("<td data-label=\"What\">Log-in refused "))
        #expect(all.contains(">Exported a list of customers (refused) ") || all.contains("(refused) <span"))
    }

    @Test("the customer's panel tells who looked, the newest first")
    func panel() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        for action in ["customers.customer.view", "customers.customer.update"] {
            try await desk.tenant.database.write { session in
                try desk.tenant.audit.record(
                    AuditEntry(action, [.customer(CustomerID(5))], unmasked: ["phone", "name", "full_name"]),
                    by: desk.principal(mei, [.agent]),
                    session)
            }
            desk.clock.advance(seconds: 60)
        }
        let panel = AuditPanel.panel(desk.tenant, try Texts(share: Checkout.share))
        #expect(panel.permission.rawValue == "audit.customer.view")
        func text(_ customers: [Int64], _ language: Language) async throws -> String {
            let principal = desk.principal(mei, [.supervisor])
            let request = PanelRequest(
                customers: customers.map { CustomerID($0) }, principal: principal, masking: Masking(principal),
                language: language, now: desk.clock.now(), assets: "/assets/x")
            let content = try await desk.tenant.database.read { try panel.load(request, $0) }
            let found = try #require(content)
            return try Pages(share: try Browser.share.get()).render(found.template, found.view, language)
        }
        let shown = try await text([5, 6], .en)
        let update = try #require(shown.range(of: "customers.customer.update")?.lowerBound)
        let view = try #require(shown.range(of: "Viewed the customer")?.lowerBound)
        #expect(update < view && shown.contains("Changed the customer"))
        #expect(
            shown.contains("title=\"phone, name, full_name\">Contact phone, Name<"),
            "the code stays within reach of an auditor")
        // Who looks again on the same day adds to their entry; another day and another person are entries of their own, and of
        // many only the newest are open.
        let wang = try await desk.user("wang")
        func look(_ user: UserID) async throws {
            try await desk.tenant.database.write { session in
                try desk.tenant.audit.record(
                    AuditEntry("customers.customer.view", [.customer(CustomerID(9))]), by: desk.principal(user, [.agent]),
                    session)
            }
        }
        for _ in 0..<3 { try await look(mei) }
        try await look(wang)
        let grouped = try await text([9], .en)
        #expect(grouped.components(separatedBy: "<li>").count == 3 && grouped.contains("×3"), "\(grouped)")
        #expect(!grouped.contains("<details"))
        for _ in 0..<7 {
            desk.clock.advance(days: 1)
            try await look(mei)
        }
        let many = try await text([9], .en)
        let parts = many.components(separatedBy: "<details")
        #expect(parts.count == 2 && parts[0].components(separatedBy: "<li>").count == AuditPanel.shown + 1, "\(many)")
        #expect(parts[1].contains("More (4)") && parts[1].components(separatedBy: "<li>").count == 5, "\(many)")
        // What was done with two who are shown as one is in the log of both, and was done once.
        try await desk.tenant.database.write { session in
            try desk.tenant.audit.record(
                AuditEntry("customers.pair.join", [.customer(CustomerID(21)), .customer(CustomerID(22))]),
                by: desk.principal(mei, [.agent]), session)
        }
        let joined = try await text([21, 22], .en)
        #expect(joined.contains("customers.pair.join") && !joined.contains("×2"), "\(joined)")
        let chinese = try await text([5], .zh)
        #expect(chinese.contains("查看客户") && chinese.contains("修改客户") && chinese.contains("联系电话"))
        #expect(chinese.firstMatch(of: />[^<]*customers\.customer/) == nil, "no code among the words")
        #expect(try await text([7], .zh).contains("还没有访问记录"))
    }

    @Test("an own session can be ended, another person's cannot, and a changed password keeps only this one")
    func ownSessions() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        try await desk.user("wang")
        let here = try await browser(desk, as: "mei")
        let there = try await browser(desk, as: "mei")
        let wang = try await browser(desk, as: "wang")
        let end = try #require(firstMatch("/me/sessions/[0-9]+/end", try await here.get("/me").text))
        #expect(try await wang.post(end, []).status == 404)
        #expect(try await there.get("/me").status == 200)
        #expect(try await here.post(end, []).status == 303)
        #expect(try await there.get("/me").status == 303)

        let again = try await browser(desk, as: "mei")
        let wrong = try await here.post(
            "/me/password", [("current", "no"), ("new", otherSentence), ("again", otherSentence)])
        #expect(wrong.status == 422 && wrong.text.contains("current password is not right"))
        let token = here.cookie(WebCookie.session)
        let changed = try await here.post(
            "/me/password", [("current", sentence), ("new", otherSentence), ("again", otherSentence)])
        #expect(changed.status == 303 && here.cookie(WebCookie.session) != token)
        #expect(try await here.get("/me").text.contains("The password is changed"))
        #expect(try await again.get("/me").status == 303)
        #expect(try await here.post("/me/sessions/end", []).status == 303)
        #expect(try await here.get("/me").status == 200)
    }

    @Test("no template asks for a name that its view does not give")
    func complete() async throws {
        let desk = try await Desk()
        try await desk.user("root", [.administrator])
        let mei = try await desk.user("mei")
        try await desk.user("watch", [.auditor])
        let root = try await browser(desk, as: "root")
        for path in ["/users", "/users/new", "/users/\(mei)", "/roles", "/me"] {
            for language in ["zh", "en"] {
                _ = try await root.post("/preferences", [("language", language)])
                #expect(try await root.get(path).status == 200)
            }
        }
        #expect(try await browser(desk, as: "watch").get("/audit").status == 200)
        // Other domains' tests run in the same process: only names that these templates use count here.
        let share = try Browser.share.get()
        let source = try share.names("Identity", "Templates", suffix: ".mustache").map {
            try share.text("Identity", "Templates", $0)
        }.joined()
        #expect(TemplateMisses.all.filter { source.contains("{{\($0)}}") || source.contains("{{#\($0)}}") } == [])
    }
}
