import Foundation
import TestSupport
import Testing

/// The search box with the keyboard alone, on a desk's screen and on a telephone's.
@Suite(
    "Search box in the browser", .serialized,
    .enabled(if: Browser.isInstalled, "chromium and chromium-driver are not installed"))
struct SearchBoxTests {
    private static let (down, up, escape, enter) = ("\u{E015}", "\u{E013}", "\u{E00C}", "\u{E007}")

    @Test("suggestions come in groups while typing; arrows choose, Enter opens, Escape closes, and all fit the screen")
    func keyboard() throws {
        let desk = try BrowserDesk("search", customers: 200, at: "/customers")
        let browser = desk.browser
        for (width, height) in [(1_366, 768), (390, 844)] {
            try browser.resize(width: width, height: height)
            try browser.open(desk.base + "/customers")
            try browser.type("#q", "wang")
            try browser.wait("document.querySelectorAll('#q-suggest:not([hidden]) [role=option]').length > 1")
            #expect(try browser.count("#q-suggest [role=group]") >= 1)
            let fits = try browser.script(
                """
                const box = document.querySelector('#q-suggest').getBoundingClientRect();
                return box.left >= 0 && box.right <= innerWidth && document.documentElement.scrollWidth <= document.documentElement.clientWidth;
                """)
            #expect(fits == .bool(true), "\(width)")
            try browser.type("#q", Self.down + Self.down + Self.up)
            let chosen = try browser.script("return document.querySelector('#q').getAttribute('aria-activedescendant');")
            #expect(chosen == .string("q-suggest-0"))
            if let folder = ProcessInfo.processInfo.environment["SWITCHBOARD_SHOTS"] {
                try browser.screenshot(folder + "/suggest-\(width).png")
            }
            try browser.type("#q", Self.escape)
            try browser.wait("document.querySelector('#q-suggest').hidden")
            try browser.type("#q", Self.down)
            try browser.wait("document.querySelectorAll('#q-suggest:not([hidden]) [role=option]').length > 1")
            let path = try browser.script("return document.querySelector('#q-suggest [role=option]').getAttribute('href');")
            try browser.type("#q", Self.down + Self.enter)
            try browser.wait("location.pathname === '\(path.string ?? "?")'")
            // Without a choice Enter asks for the page of results.
            try browser.open(desk.base + "/customers")
            try browser.type("#q", "CS-00")
            try browser.type("#q", Self.enter)
            try browser.wait("location.pathname === '/search'")
            try browser.wait("document.querySelectorAll('.search-group').length > 0")
            #expect(try browser.script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth;") == .bool(true))
            if let folder = ProcessInfo.processInfo.environment["SWITCHBOARD_SHOTS"] {
                try browser.screenshot(folder + "/results-\(width).png")
            }
        }
        #expect(try browser.consoleErrors().isEmpty)
    }
}
