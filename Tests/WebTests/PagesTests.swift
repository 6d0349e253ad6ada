import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Web

/// A share folder that a test fills: `Target/Kind/name` -> content.
final class TemporaryShare: Sendable {
    let root: String
    var share: ShareFolder { ShareFolder(root: root) }

    init(_ files: [String: String]) throws {
        root = NSTemporaryDirectory() + "switchboard-share-" + UUID().uuidString
        for (name, text) in files {
            let path = root + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    /// At the end of the test: the folder is read by path, so nobody else keeps it.
    func remove() { try? FileManager.default.removeItem(atPath: root) }
}

@Suite("Templates, texts, assets")
struct PagesTests {
    private func pages(_ templates: [String: String], _ texts: String = "greeting\tHello\t你好\n") throws -> Pages {
        var files = ["Demo/Texts/demo.tsv": texts]
        for (name, text) in templates { files["Demo/Templates/\(name).mustache"] = text }
        let folder = try TemporaryShare(files)
        defer { folder.remove() }
        return try Pages(share: folder.share)
    }

    @Test("a text key becomes the text of the page's language, escaped, and may hold tags itself")
    func texts() throws {
        let pages = try pages(
            ["a": "<p title=\"[[quote]]\">[[greeting]] [[count]]</p>"],
            "greeting\tHello\t你好\nquote\tSay \"<hi>\" & 'go'\t说“好”\ncount\t{{n}} calls\t{{n}} 次通话\n")
        #expect(
            pages.render("demo/a", ["n": 3], .en)
                == "<p title=\"Say &quot;&lt;hi&gt;&quot; &amp; &#39;go&#39;\">Hello 3 calls</p>")
        #expect(pages.render("demo/a", ["n": 3], .zh) == "<p title=\"说“好”\">你好 3 次通话</p>")
        #expect(pages.names == ["demo/a"])
    }

    @Test(
        "a template with an unknown text, an unescaped tag or a broken section fails at the start",
        arguments: [
            "[[no.such.key]]", "{{{name}}}", "{{& name}}", "{{#open}}", "{{/close}}", "{{#a}}{{/b}}",
        ])
    func broken(template: String) {
        let error = #expect(throws: CRMError.self) { try pages(["a": template]) }
        #expect(error?.code == "template" && error?.message.en.contains("demo/a") == true)
    }

    @Test("values are escaped in texts and attributes; nothing of a person's making becomes markup")
    func escaping() throws {
        let pages = try pages(["a": "<p title=\"{{name}}\" data-x='{{name}}'>{{name}}</p>{{#items}}{{.}};{{/items}}"])
        let hostile = "<svg onload=alert(1)>\"'&</p>"
        let html = pages.render("demo/a", ["name": .text(hostile), "items": .texts([hostile])], .en)
        #expect(!html.contains("<svg") && !html.contains("onload=alert(1)>\"'"))
        #expect(html.contains("&lt;svg onload=alert(1)&gt;&quot;&#39;&amp;&lt;/p&gt;"))
        #expect(html.components(separatedBy: "<").count == 3)
        #expect(Pages.escaped("a<b>&\"'é") == "a&lt;b&gt;&amp;&quot;&#39;é")
    }

    @Test(
        "a joining mark behind a quote or bracket does not carry it past the escaping",
        arguments: [
            "\u{301}", "\u{200D}", "\u{FE0F}", "\u{FF9E}", "\u{338}", "\u{E0001}", "\u{1F3FB}",
        ])
    func escapingOfClusters(mark: String) throws {
        let pages = try pages([
            "part": "{{name}}", "shell": "{{$content}}{{/content}}",
            "a":
                "{{<demo/shell}}{{$content}}<p title=\"{{name}}\">{{#rows}}{{name}}{{/rows}}{{>demo/part}}</p>{{/content}}{{/demo/shell}}",
        ])
        let hostile = "\"\(mark) onmouseover=x <\(mark)svg '\(mark) >\(mark) &\(mark)"
        let html = pages.render("demo/a", ["name": .text(hostile), "rows": .list([[:]])], .en)
        let bytes = Array(html.utf8)
        #expect(bytes.count { $0 == UInt8(ascii: "<") } == 2 && bytes.count { $0 == UInt8(ascii: ">") } == 2)
        #expect(bytes.count { $0 == UInt8(ascii: "\"") } == 2 && bytes.count { $0 == UInt8(ascii: "'") } == 0)
        #expect(html.unicodeScalars.count { $0 == "&" } == 3 * 5)
    }

    @Test("JSON for a script survives an attribute and an island")
    func jsonInPages() throws {
        let pages = try pages(["a": "<data data-json=\"{{json}}\">{{json}}</data>"])
        let value = JSONValue.object(["name": .string("</data><script>\"'&王"), "n": .int(1)])
        let html = pages.render("demo/a", ["json": .text(value.encoded())], .en)
        let attribute = try #require(html.split(separator: "\"", maxSplits: 1).last?.split(separator: "\"").first)
        let decoded = attribute.replacingOccurrences(of: "&quot;", with: "\"").replacingOccurrences(
            of: "&#39;", with: "'"
        )
        .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
        .replacingOccurrences(of: "&amp;", with: "&")
        #expect(try JSONValue.parse(Array(decoded.utf8)) == value)
        #expect(!html.contains("<script"))
        #expect(html.components(separatedBy: "</data>").count == 2)
    }

    @Test("sections, lists, inheritance and absent values render as the views say")
    func views() throws {
        let pages = try pages([
            "shell": "<title>{{title}}</title>{{$content}}{{/content}}",
            "a":
                "{{<demo/shell}}{{$content}}{{#rows}}<li>{{label}} {{outer}}</li>{{/rows}}{{^rows}}none{{/rows}}{{#one}}{{x}}{{/one}}{{note}}{{/content}}{{/demo/shell}}",
        ])
        let html = pages.render(
            "demo/a",
            [
                "title": "T", "outer": "o", "rows": .list([["label": "a"], ["label": "b"]]), "one": .view(["x": 7]),
                "note": .absent,
            ],
            .en)
        #expect(html == "<title>T</title><li>a o</li><li>b o</li>7")
        let empty = pages.render(
            "demo/a", ["title": "T", "outer": "o", "rows": .list([]), "one": false, "note": .text(nil)], .en)
        #expect(empty == "<title>T</title>none")
        #expect(pages.render("demo/unknown", [:], .en) == "")
    }

    @Test("a tag that no view knows is remembered for the tests to fail on; a known empty one is not")
    func misses() throws {
        let pages = try pages(["a": "{{knownAbsent}}{{#rows}}{{inRow}}{{missing_tag_of_the_test}}{{/rows}}"])
        _ = pages.render("demo/a", ["knownAbsent": .absent, "rows": .list([["inRow": 1]])], .en)
        #expect(TemplateMisses.all.contains("missing_tag_of_the_test"))
        TemplateMisses.forget("missing_tag_of_the_test")
        #expect(!TemplateMisses.all.contains("knownAbsent") && !TemplateMisses.all.contains("inRow"))
    }

    @Test("fields of a view lie over those it is merged with")
    func merging() {
        let view = (["a": "mine", "b": 1] as View).merging(["a": "theirs", "c": true])
        guard case .text(let text)? = view["a"] else { return #expect(Bool(false)) }
        #expect(text == "mine")
        #expect(view["c"] != nil && view["d"] == nil)
    }

    @Test(
        "a line of the text table without three filled columns, or a key given twice, is named",
        arguments: [
            "a\tonly English\n", "a\tA\t\n", "\tA\t甲\n", "a\tA\t甲\tmore\n", "a\tA\t甲\na\tB\t乙\n", "no tabs at all\n",
        ])
    func brokenTexts(table: String) throws {
        let folder = try TemporaryShare(["Demo/Texts/demo.tsv": "# comment\n\nok\tOK\t好\n" + table])
        defer { folder.remove() }
        let error = #expect(throws: CRMError.self) { try Texts(share: folder.share) }
        #expect(error?.message.en.contains("Demo/Texts/demo.tsv line ") == true)
    }

    @Test("an unknown key shows itself, so that it is seen")
    func unknownText() throws {
        let folder = try TemporaryShare(["Demo/Texts/demo.tsv": "a\tA\t甲\n"])
        defer { folder.remove() }
        let texts = try Texts(share: folder.share)
        #expect(texts.text("a", .zh) == "甲" && texts.text("b", .zh) == "b")
        #expect(texts.words("a") == Words(en: "A", zh: "甲"))
    }

    @Test("the product's own shell and error page compile in both languages")
    func own() throws {
        let folder = try TemporaryShare([:])
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: folder.root, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.root + "/Web", withDestinationPath: Checkout.root + "/Sources/Web")
        let pages = try Pages(share: folder.share)
        #expect(Set(pages.names).isSuperset(of: ["web/shell", "web/bare", "web/error"]))
    }

    // MARK: Assets

    private func assets(_ files: [String: String] = ["Web/Assets/a.css": "body{}", "Web/Assets/b.js": "1"]) throws
        -> Assets
    {
        let folder = try TemporaryShare(files.merging(["vendor/leaflet/leaflet.min.js": "L"]) { mine, _ in mine })
        defer { folder.remove() }
        return Assets(share: folder.share, vendorRoot: folder.root + "/vendor")
    }

    @Test("assets lie under the hash of all of them, which changes with any of them")
    func assetHash() throws {
        let assets = try assets()
        #expect(assets.base.hasPrefix("/assets/") && assets.base.count == 8 + 12)
        #expect(try self.assets().base == assets.base)
        #expect(try self.assets(["Web/Assets/a.css": "body{ }", "Web/Assets/b.js": "1"]).base != assets.base)
        #expect(assets.names == ["a.css", "b.js", "vendor/leaflet.js"])
        #expect(assets.missing.contains { $0.contains("vendor/chart.js") && $0.contains("libjs-chart.js") })
    }

    @Test("an asset is kept for a year under its own hash, for minutes under another one")
    func assetCaching() throws {
        let assets = try assets()
        let current = try assets.respond(path: assets.base + "/a.css", headers: [:])
        #expect(current.headers[.contentType] == "text/css; charset=utf-8" && current.isPublicAsset)
        #expect(current.headers[.cacheControl] == "public, max-age=31536000, immutable")
        let old = try assets.respond(path: "/assets/000000000000/a.css", headers: [:])
        #expect(old.headers[.cacheControl] == "public, max-age=300")
        #expect(
            try assets.respond(path: assets.base + "/vendor/leaflet.js", headers: [:]).headers[.contentType]?.hasPrefix(
                "text/javascript") == true)
    }

    @Test(
        "nothing but the assets can be reached below their address",
        arguments: [
            "", "/", "/..", "/../../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/a.css", "//a.css", "/a.css/",
            "/A.CSS", "/a.css%00", "/vendor/",
            "/vendor/../a.css", "/./a.css", "/Web/Assets/a.css", "/no.css",
        ])
    func assetTraversal(path: String) throws {
        let assets = try assets()
        let error = #expect(throws: CRMError.self) { try assets.respond(path: assets.base + path, headers: [:]) }
        #expect(error?.status == 404)
    }
}
