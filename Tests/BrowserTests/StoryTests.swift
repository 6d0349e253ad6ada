import Foundation
import TestSupport
import Testing

/// The first day with the product, in a real Chromium: first administrator, import with dry run and revert, the risk
/// list, a customer page, both languages.
@Suite("Browser", .serialized, .enabled(if: Browser.isInstalled, "chromium and chromium-driver are not installed"))
struct StoryTests {
    static let password = "seven quiet herons over the river"

    private func csv() -> String {
        var text = "Customer ID,Name,Phone,City,Region,Plan,Contract,Monthly Charges,Favourite colour\n"
        for row in 1...30 {
            let name = row % 2 == 0 ? "林晓\(["晨", "梅", "东"][row % 3])" : "Ada Heron\(row)"
            text += "W\(row),\(name),+861420000\(1_000 + row),杭州,浙江,5G-99,Month-to-month,\(90 + row).50,green\n"
        }
        // A row that is refused: it has a field too few.
        return text + "W31,Short row\n"
    }

    @Test(
        "the first administrator imports a file, tries it, runs it, takes it back, and switches the language in place")
    func firstDay() throws {
        let server = try ServerProcess(["--demo", "--demo-customers", "300"], seconds: 400)
        defer { server.remove() }
        let base = "http://127.0.0.1:\(server.port)"
        let browser = try Browser()

        // Log in: the one-time link makes the first administrator.
        let link = try #require(server.bootstrapPath)
        try browser.open(base + "/login")
        try browser.open(base + link)
        try browser.type("input[name=name]", "chief")
        try browser.type("input[name=password]", Self.password)
        try browser.type("input[name=again]", Self.password)
        try browser.click("main form button.primary")
        try browser.wait("!location.pathname.startsWith('/bootstrap')")
        if try browser.url().contains("/login") {
            try browser.type("input[name=name]", "chief")
            try browser.type("input[name=password]", Self.password)
            try browser.click("#login")
        }
        try browser.wait("location.pathname === '/'")
        try browser.wait("document.querySelectorAll('canvas').length > 1")

        // The language switch keeps the page.
        try browser.open(base + "/models")
        #expect(try browser.script("return document.documentElement.lang").string == "en")
        try browser.click("#language-switch")
        try browser.wait("document.documentElement.lang === 'zh-CN'")
        #expect(try browser.url() == base + "/models")
        #expect(try browser.text("h1").contains("模型"))
        try browser.click("#language-switch")
        try browser.wait("document.documentElement.lang === 'en'")

        try importAndRevert(browser, base)
        #expect(try browser.consoleErrors() == [])
    }

    private func importAndRevert(_ browser: Browser, _ base: String) throws {
        let file = NSTemporaryDirectory() + "browser-\(UUID().uuidString).csv"
        try csv().write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        try browser.open(base + "/imports/new")
        try browser.type("#f-file", file)
        try browser.click("#upload")
        try browser.wait("document.querySelector('#mapping')")
        try browser.click("#dry-run")
        try browser.wait("document.querySelector('#start')", seconds: 90)
        let plan = try browser.text("main")
        #expect(plan.contains("30"), "the dry run counts 30 new customers: \(plan.prefix(400))")
        let before = try customers(browser, base)
        try browser.script("history.back()")
        try browser.wait("document.querySelector('#start')", seconds: 90)
        try browser.click("#start")
        try browser.wait("document.querySelector('#revert')", seconds: 90)
        let run = try browser.url()
        #expect(try customers(browser, base) == before + 30)

        // Search: four digits of a number, from the keyboard.
        try browser.keys("/")
        try browser.type("#q", "1014\u{E007}")
        try browser.wait("location.pathname.startsWith('/customers/') || location.pathname === '/search'")

        try browser.open(run)
        try browser.click("#revert")
        try browser.wait("document.querySelector('dialog[open] button.primary, dialog[open] button.danger')")
        try browser.script("document.querySelector('dialog[open] button.primary, dialog[open] button.danger').click()")
        try browser.wait(
            "document.querySelector('#import-state') && !document.querySelector('#revert') && !document.querySelector('.job')",
            seconds: 90)
        #expect(try customers(browser, base) == before)
    }

    private func customers(_ browser: Browser, _ base: String) throws -> Int {
        try browser.open(base + "/customers")
        let text = try browser.text(".page-title .muted")
        return try #require(Int(text.filter(\.isNumber)), "the list shows how many: \(text)")
    }

    @Test("a supervisor opens the risk list and a customer with reasons, on a desk and on a phone, in both languages")
    func riskList() throws {
        let desk = try BrowserDesk("risk", customers: 400, at: "/risk")
        defer { desk.server.remove() }
        let (base, browser) = (desk.base, desk.browser)
        #expect(try browser.count("table a[href^='/customers/']") > 3)
        try browser.script("document.querySelector(\"table a[href^='/customers/']\").click()")
        try browser.wait("location.pathname.startsWith('/customers/')")
        #expect(try browser.count(".reasons li") >= 1)
        let english = try browser.text(".reasons li strong")
        try browser.click("#language-switch")
        try browser.wait("document.documentElement.lang === 'zh-CN'")
        let chinese = try browser.text(".reasons li strong")
        #expect(english != chinese)
        #expect(chinese.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }, "\(chinese)")

        let customer = try #require(URL(string: try browser.url())).path
        try window(browser, base, customer)
        // English words are longer.
        try browser.click("#language-switch")
        try browser.wait("document.documentElement.lang === 'en'")
        try window(browser, base, customer)
        try browser.click("#language-switch")
        try browser.wait("document.documentElement.lang === 'zh-CN'")
        try phone(browser, base, customer)
        #expect(try browser.consoleErrors() == [])
    }

    /// No page is wider than the window of a desk, its scrollbar left out: what is hidden counts too.
    private func window(_ browser: Browser, _ base: String, _ customer: String) throws {
        try browser.resize(width: 1_366, height: 768)
        for path in ["/", "/customers", customer, customer + "/timeline", "/imports"] {
            try browser.open(base + path)
            let more = try overflow(browser)
            #expect(more <= 0, "\(path) is \(more) px wider than the window")
        }
    }

    private func overflow(_ browser: Browser) throws -> Int64 {
        try browser.script("const d = document.documentElement; return d.scrollWidth - d.clientWidth").int ?? 0
    }

    /// No page is wider than a phone, no table on it scrolls sideways, and the list begins on the first screen.
    private func phone(_ browser: Browser, _ base: String, _ customer: String) throws {
        try browser.resize(width: 390, height: 844)
        let own = ["", "/edit", "/departure", "/subscriptions", "/charges", "/timeline"].map { customer + $0 }
        for path in ["/", "/customers", "/risk", "/models", "/jobs", "/imports", "/me"] + own {
            try browser.open(base + path)
            let more = try overflow(browser)
            #expect(more <= 0, "\(path) is \(more) px wider than a phone")
            let tables = try browser.script(
                """
                return [...document.querySelectorAll('.table-wrap, .card-body, .card')]
                  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.id || e.className).join(' ')
                """)
            #expect(tables.string == "", "\(path) scrolls sideways in \(tables)")
        }
        try browser.open(base + customer)
        let order = "return ['risk', 'charges', 'timeline'].map(n => document.getElementById('panel-' + n).offsetTop)"
        let tops = try browser.script(order).array?.compactMap(\.int) ?? []
        #expect(tops.count == 3 && tops == tops.sorted(), "why the customer may leave stands before bills: \(tops)")
        try browser.open(base + "/customers")
        #expect(
            try browser.script("return document.querySelector('tbody tr').getBoundingClientRect().bottom < 700").bool
                == true)
        #expect(try browser.script("return document.querySelector('.filter-body').offsetHeight").int == 0)
        try browser.click(".filter-fold > summary")
        #expect(
            try browser.script("return document.querySelector('.filter-body select').offsetHeight > 0").bool == true)
        try browser.open(base + "/customers?status=active&kind=individual")
        #expect(try browser.text(".filter-fold .count") == "2")
        // On a desk there is nothing to unfold, and the filters take one line.
        try browser.resize(width: 1366, height: 768)
        #expect(try browser.script("return document.querySelector('.filter-fold').offsetHeight").int == 0)
        #expect(try browser.script("return document.querySelector('.filter-body').offsetHeight < 60").bool == true)
    }
}
