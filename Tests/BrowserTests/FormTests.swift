import Foundation
import TestSupport
import Testing

/// What scripts add to forms and figures, in a real Chromium.
@Suite(
    "Forms in the browser", .serialized,
    .enabled(if: Browser.isInstalled, "chromium and chromium-driver are not installed"))
struct FormTests {
    @Test(
        "the switch asks before it takes away what was typed; a contact's Save is in sight; two continents fit the map")
    func forms() throws {
        let desk = try BrowserDesk("forms", customers: 300, at: "/risk")
        defer { desk.server.remove() }
        let (base, browser) = (desk.base, desk.browser)

        for (width, height) in [(1366, 768), (390, 844)] {
            try browser.resize(width: width, height: height)
            try browser.open(base + "/risk?band=all")
            try browser.wait("document.querySelectorAll('details.menu.right > form').length > 3")
            for place in ["0", "all.length - 1"] {
                try browser.script(
                    """
                    document.querySelectorAll('#risk-table details[open]').forEach(menu => { menu.open = false; });
                    const all = document.querySelectorAll('#risk-table details.menu > summary');
                    const one = all[\(place)]; one.scrollIntoView({ block: 'end' }); one.click();
                    """)
                try browser.wait(
                    """
                    (() => {
                      const save = document.querySelector('#risk-table details[open] button.primary');
                      if (save === null) return false;
                      const box = save.getBoundingClientRect();
                      const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                      return box.top >= 0 && box.bottom <= innerHeight && save.contains(hit);
                    })()
                    """, seconds: 5)
            }
        }

        try browser.resize(width: 1366, height: 768)
        let customer = try #require(
            try browser.script(
                "return document.querySelector(\"#risk-table a[href^='/customers/']\").getAttribute('href')"
            ).string)
        try browser.open(base + customer + "/edit")
        try browser.type("#f-city", "x")
        try browser.click("#language-switch")
        try browser.wait("document.querySelector('dialog[open]')", seconds: 5)
        #expect(try browser.script("return document.documentElement.lang").string == "en")
        try browser.click("dialog[open] button[value=no]")
        try browser.click("#language-switch")
        try browser.click("dialog[open] button[value=yes]")
        try browser.wait("document.documentElement.lang === 'zh-CN'", seconds: 10)
        #expect(try browser.url() == base + customer + "/edit")

        try browser.open(base + "/")
        try browser.script(
            """
            const place = (lat, lon) => ({ lat, lon, count: 9, share: 0.1, label: 'x', lines: [] });
            const data = { cells: [place(39.9, 116.4), place(-33.9, 18.4), place(37.8, -122.4)], cities: [] };
            const island = document.createElement('data');
            island.id = 'd-world'; island.hidden = true; island.textContent = JSON.stringify(data);
            const figure = document.createElement('figure');
            figure.id = 'world'; figure.dataset.map = 'd-world';
            figure.style.width = '600px';
            const box = document.createElement('div'); box.className = 'map'; figure.append(box);
            document.querySelector('main').prepend(island, figure);
            const app = document.querySelector('script[type=module]').src;
            import(app.replace('app.js', 'map.js')).then((module) => module.start([figure]));
            """)
        try browser.wait("document.querySelectorAll('#world path.leaflet-interactive').length === 3", seconds: 10)
        #expect(
            try browser.script(
                """
                const box = document.querySelector('#world .map').getBoundingClientRect();
                return [...document.querySelectorAll('#world path.leaflet-interactive')].every((circle) => {
                  const own = circle.getBoundingClientRect();
                  return own.width > 20 && own.left >= box.left && own.right <= box.right && own.top >= box.top
                    && own.bottom <= box.bottom;
                });
                """
            ).bool == true, "no circle is cut")
        #expect(try browser.exists("#world .leaflet-control-zoom-out:not(.leaflet-disabled)"))
    }
}
