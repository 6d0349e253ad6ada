import Foundation
import TestSupport
import Testing

@Suite("Duplicates in a browser", .enabled(if: Browser.isInstalled, "chromium and chromium-driver are not installed"))
struct DuplicateTests {
    @Test(
        "a supervisor works through the queue by keyboard: next, join, undo, keep apart; and on a phone nothing is cut off"
    )
    func queue() throws {
        let desk = try BrowserDesk("duplicates", customers: 20, at: "/customers")
        defer { desk.server.remove() }
        let (base, browser) = (desk.base, desk.browser)
        let folder = NSTemporaryDirectory() + "switchboard-duplicates-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Names of one sound at one number: nothing that a machine may decide.
        let names = [("张伟", "张薇"), ("李丽", "李莉"), ("王涛", "王韬")]
        for (source, side) in [("billing", 0), ("care", 1)] {
            let rows = names.enumerated().map { index, pair in
                "\(source)\(index),\(side == 0 ? pair.0 : pair.1),+86571888800\(10 + index),杭州,文三路 \(10 + index) 号"
            }
            let file = folder + "/\(source).csv"
            try (["source_id,name,phone,city,address"] + rows).joined(separator: "\n").write(
                toFile: file, atomically: true, encoding: .utf8)
            let done = try ServerProcess.run(
                ["import", file, "--source", source, "--match-key", "source_id", "--match", "--data", desk.server.data])
            #expect(done.code == 0, "\(done.error)")
        }
        try browser.open(base + "/duplicates")
        #expect(try browser.count("aside li") == 3)
        let top = try browser.text("#pair thead")
        try browser.keys("j")
        try browser.wait("location.search.startsWith('?pair=')")
        #expect(try browser.text("#pair thead") != top)
        try browser.keys("k")
        try browser.wait("document.querySelectorAll('[data-key=k]').length === 0")
        #expect(try browser.text("#pair thead") == top)
        try browser.keys("l")
        try browser.wait("location.search.includes('done=')")
        #expect(try browser.count("aside li") == 2)
        try browser.keys("u")
        try browser.wait("document.querySelectorAll('aside li').length === 3")
        try browser.keys("a")
        try browser.wait("document.querySelectorAll('aside li').length === 2")
        let joined =
            try browser.script("return document.querySelector('#pair thead a').getAttribute('href')").string ?? ""
        try browser.keys("l")
        try browser.wait("document.querySelectorAll('aside li').length === 1")

        try browser.open(base + joined)
        #expect(try browser.exists("#panel-joined"))
        try browser.resize(width: 390, height: 844)
        for path in ["/duplicates", joined] {
            try browser.open(base + path)
            let overflow = try browser.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth").int ?? 0
            #expect(overflow <= 0, "\(path) is \(overflow) px wider than a phone")
            let wide = try browser.script(
                """
                return [...document.querySelectorAll('.table-wrap, .card-body, .card')]
                  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.id || e.className).join(' ')
                """)
            #expect(wide.string == "", "\(path) scrolls sideways in \(wide)")
        }
        if let folder = ProcessInfo.processInfo.environment["SWITCHBOARD_SHOTS"] {
            try browser.open(base + "/duplicates")
            try browser.screenshot(folder + "/duplicates-phone.png")
            try browser.resize(width: 1366, height: 768)
            try browser.screenshot(folder + "/duplicates-desk.png")
            try browser.open(base + joined)
            try browser.screenshot(folder + "/joined-desk.png")
        }
        #expect(try browser.consoleErrors() == [])
    }
}
