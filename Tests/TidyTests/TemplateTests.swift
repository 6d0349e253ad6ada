import Foundation
import Kernel
import TestSupport
import Testing
import Web

/// Templates and texts.
@Suite("Templates and texts")
struct TemplateTests {
    private func findings(_ pattern: String) -> [String] { SourceTree.templates.flatMap { $0.places(pattern) } }

    @Test("every template and every text table is sound, in both languages")
    func compiled() throws {
        let pages = try Pages(share: Checkout.share)
        #expect(pages.names.count == SourceTree.templates.count)
    }

    @Test("templates write values escaped, quoted, and without script or style of their own")
    func markup() {
        for (pattern, reason) in [
            (#"\{\{\{|\{\{&"#, "unescaped"), (#"\sstyle\s*="#, "inline style"),
            (#"\son[a-z]+\s*=\s*["'{]"#, "inline handler"),
            (#"(?i)javascript:"#, "script address"), (#"\s[\w-]+=\{\{"#, "attribute without quotes"),
            (#"<script(?![^>]*\ssrc="\{\{assets\}\}/)"#, "script that is no asset"), (#"<style"#, "inline style"),
            (#"(?:src|href)="(?:https?:)?//"#, "from another site"),
            (#"<(?:iframe|object|embed|base)\b"#, "foreign content"),
            (#"target="_blank""#, "new window"),
        ] {
            let found = findings(pattern)
            #expect(found.isEmpty, "\(reason) \(list(found))")
        }
    }

    @Test("every form that changes something carries the CSRF token and a key of its own, and is a POST")
    func csrf() {
        var findings: [String] = []
        var forms = 0
        for file in SourceTree.templates {
            for form in matches(#"(?s)<form\b([^>]*)>(.*?)</form>"#, in: file.text) {
                forms += 1
                let place = "\(file.path):\(line(of: form.range, in: file.text))"
                let method = matches(#"method="([^"]*)""#, in: form.groups[0]).first?.groups.first ?? "(none)"
                switch method {
                case "post":
                    // The token comes first, so that an upload is refused before its file is read.
                    if !form.groups[1].contains(#"<input type="hidden" name="_csrf" value="{{csrf}}">"#) {
                        findings.append("\(place) has no _csrf")
                    }
                    // An upload has it in its address: the key is asked for before the file is read.
                    let key = #"<input type="hidden" name="_key" value="{{formKey}}" autocomplete="off">"#
                    if !form.groups[1].contains(key), !form.groups[0].contains("?_key={{formKey}}\"") {
                        findings.append("\(place) has no _key")
                    }
                case "get":
                    if form.groups[1].contains("_csrf") { findings.append("\(place) puts the token into an address") }
                    if form.groups[1].contains(#"type="password""#) {
                        findings.append("\(place) puts a password into an address")
                    }
                case "dialog": break
                default: findings.append("\(place) has the method \(method)")
                }
            }
            if matches("<form", in: file.text).count != matches("</form>", in: file.text).count {
                findings.append("\(file.path) leaves a form open")
            }
        }
        #expect(forms > 5)
        #expect(findings.isEmpty, list(findings))
    }

    @Test("each cell of a table that becomes cards on a phone says what it is")
    func cells() throws {
        var findings: [String] = []
        for file in SourceTree.templates {
            for table in matches(#"(?s)<table class="([^"]*)".*?</table>"#, in: file.text) {
                let kinds = table.groups.first?.split(separator: " ") ?? []
                if kinds.contains("keep") { continue }
                for cell in matches(#"<td\b[^>]*>"#, in: table.text) where !cell.text.contains("data-label=\"") {
                    if matches(#"class="(?:acts|sel)""#, in: cell.text).isEmpty {
                        findings.append("\(file.path) \(cell.text)")
                    }
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("controls have a name for those who do not see them")
    func labels() {
        var findings: [String] = []
        for file in SourceTree.templates {
            for image in matches(#"<img\b[^>]*>"#, in: file.text) where !image.text.contains("alt=") {
                findings.append("\(file.path):\(line(of: image.range, in: file.text)) img without alt")
            }
            let isPartOfALabel = Set(
                matches(#"(?s)<label\b[^>]*>.*?</label>"#, in: file.text).flatMap {
                    Array($0.range.location..<NSMaxRange($0.range))
                })
            for control in matches(#"<(input|select|textarea)\b[^>]*>"#, in: file.text) {
                let text = control.text
                if ["hidden", "submit", "button"].contains(where: { text.contains("type=\"\($0)\"") }) { continue }
                let named =
                    text.contains("aria-label") || isPartOfALabel.contains(control.range.location)
                    || matches(#"\bid="([^"]+)""#, in: text).first?.groups.first.map {
                        file.text.contains("for=\"\($0)\"")
                    } == true
                if !named {
                    findings.append("\(file.path):\(line(of: control.range, in: file.text)) \(text.prefix(80))")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every key is in both languages; the Chinese one is Chinese")
    func languages() throws {
        let texts = try Texts(share: Checkout.share)
        #expect(texts.words.count > 100)
        var findings: [String] = []
        for (key, words) in texts.words.sorted(by: { $0.key < $1.key }) {
            let isChinese = words.zh.unicodeScalars.contains {
                (0x3000...0x9FFF).contains($0.value) || (0xFF00...0xFFEF).contains($0.value)
            }
            // Names, formats and signs are the same in both.
            let hasWords =
                matches(
                    #"[a-z]{4,}"#,
                    in: words.en.replacingOccurrences(of: #"\{\{[^}]*\}\}"#, with: "", options: .regularExpression)
                ).count > 0
            if hasWords, !isChinese { findings.append("\(key) is not translated: \(words.zh)") }
            // A language is named in itself.
            // The help of a command may show what a Chinese file holds.
            if key != "identity.me.chinese", !key.hasPrefix("help."), words.en != words.zh,
                words.en.unicodeScalars.contains(where: { (0x4E00...0x9FFF).contains($0.value) })
            {
                findings.append("\(key) is Chinese in English")
            }
            func tags(_ text: String) -> Set<String> {
                Set(matches(#"\{\{[#^/]?\s*(\w+)\s*\}\}|\{(\w+)\}"#, in: text).compactMap(\.groups.first))
            }
            if tags(words.en) != tags(words.zh) { findings.append("\(key) has other tags in Chinese than in English") }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every text key that the code names exists")
    func keys() throws {
        let known = try Texts(share: Checkout.share).words
        var findings: [String] = []
        var checked = 0
        for file in SourceTree.sources {
            for literal in file.literals {
                let before = literal.before.trimmingCharacters(in: .whitespaces)
                // `fold.text(`, `ViewValue.text(` and SQL take any text; keys are asked of a call, a page or the texts.
                let isKey =
                    matches(
                        #"(?:\bcall|\btexts|\bpages\.texts|\bsite\.pages\.texts)\.(?:text|words)\($|\.flash\($|NavigationEntry\(key: $"#,
                        in: before
                    ).count > 0
                guard isKey else { continue }
                checked += 1
                if literal.isInterpolated || literal.text.hasSuffix(".") || literal.text.hasSuffix("_") {
                    let start = literal.text.components(separatedBy: #"\("#).first ?? ""
                    if !start.isEmpty, !known.keys.contains(where: { $0.hasPrefix(start) }) {
                        findings.append("\(file.path):\(literal.line) \(literal.text)")
                    }
                } else if known[literal.text] == nil, literal.text.contains(".") || before.hasSuffix("flash(") {
                    findings.append("\(file.path):\(literal.line) \(literal.text)")
                }
            }
        }
        #expect(checked > 20)
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every text that was written is shown somewhere")
    func deadKeys() throws {
        var used = Set(
            SourceTree.templates.flatMap { matches(#"\[\[([^\]]+)\]\]"#, in: $0.text).compactMap(\.groups.first) })
        var beginnings: Set<String> = []
        for literal in SourceTree.sources.flatMap(\.literals) {
            used.insert(literal.text)
            // "role.\(role)" and "job." + kind
            if literal.isInterpolated, let start = literal.text.components(separatedBy: #"\("#).first,
                start.contains(".")
            {
                beginnings.insert(start)
            }
            if literal.text.hasSuffix(".") || literal.text.hasSuffix("_") && literal.text.contains(".") {
                beginnings.insert(literal.text)
            }
        }
        let dead = try Texts(share: Checkout.share).words.keys.filter { key in
            !used.contains(key) && !beginnings.contains { key.hasPrefix($0) }
        }.sorted()
        #expect(dead.isEmpty, list(dead))
    }

    @Test("every icon a template or the navigation names is in the sheet")
    func icons() throws {
        let sheet = try String(contentsOfFile: Checkout.root + "/Sources/Web/Assets/icons.svg", encoding: .utf8)
        let known = Set(matches(#"<symbol[^>]*\bid="([^"]+)""#, in: sheet).compactMap(\.groups.first))
        var findings: [String] = []
        for file in SourceTree.templates {
            for use in matches(#"icons\.svg#([a-z0-9-]+)""#, in: file.text)
            where !known.contains(use.groups.first ?? "") {
                findings.append("\(file.path) \(use.groups.first ?? "")")
            }
        }
        for file in SourceTree.sources {
            for literal in file.literals
            where matches(#"\bicon: $|"icon": $"#, in: literal.before).count > 0 && !known.contains(literal.text) {
                findings.append("\(file.path):\(literal.line) \(literal.text)")
            }
        }
        #expect(!known.isEmpty)
        #expect(findings.isEmpty, list(findings))
    }
}
