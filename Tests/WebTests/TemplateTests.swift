import Testing

@testable import Web

@Suite("Template engine")
struct TemplateTests {
    private func render(_ source: String, _ view: View, _ others: [String: String] = [:]) throws -> String {
        var templates = try others.mapValues { try Template($0) }
        templates["page"] = try Template(source)
        var renderer = TemplateRenderer(templates, view)
        renderer.write("page")
        return renderer.text
    }

    @Test("a tag that stands alone in its line leaves no line; beside text nothing is lost")
    func standalone() throws {
        let list: View = ["rows": .list([["n": 1], ["n": 2]])]
        #expect(
            try render("<ul>\n  {{#rows}}\n  <li>{{n}}\n  {{/rows}}\n</ul>\n", list)
                == "<ul>\n  <li>1\n  <li>2\n</ul>\n")
        #expect(try render("a {{#rows}} {{n}} {{/rows}} b\n", list) == "a  1  2  b\n")
        #expect(try render("  {{#rows}}{{n}}{{/rows}}\n", list) == "  12\n")
        #expect(try render("x\n{{>row}}\ny", ["n": 3], ["row": "<{{n}}>\n"]) == "x\n<3>\ny")
        #expect(try render("{{#rows}}\n{{n}}\n{{/rows}}", list) == "1\n2\n")
        // A value is text: its line stays, also when it is empty.
        #expect(try render("a\n{{n}}\nb", ["n": .absent]) == "a\n\nb")
    }

    @Test("what counts as shown: filled texts, every number, true, views and lists with something in them")
    func shown() throws {
        let cases: [(ViewValue, Bool)] = [
            ("a", true), ("", false), (.text(nil), false), (0, true), (true, true), (false, false), (.absent, false),
            (.view([:]), true), (.list([]), false), (.list([[:]]), true), (.texts([]), false), (.texts([""]), true),
        ]
        for (value, isShown) in cases {
            #expect(try render("{{#x}}yes{{/x}}{{^x}}no{{/x}}", ["x": value]) == (isShown ? "yes" : "no"), "\(value)")
        }
    }

    @Test("inner views stand before outer ones, for as long as their section lasts")
    func scopes() throws {
        let view: View = [
            "name": "outer", "side": "s", "one": .view(["name": "inner", "list": .texts(["<a>", "b"])]),
        ]
        #expect(
            try render("{{name}} {{#one}}{{name}} {{side}}{{#list}} {{.}}{{/list}}{{/one}} {{name}}", view)
                == "outer inner s &lt;a&gt; b outer")
    }

    @Test("a partial named by the view is one of the templates, and nothing when it is not")
    func namedPartials() throws {
        let parts = ["area/a": "[{{n}}]", "area/b": "({{n}})"]
        let view: View = [
            "n": 1,
            "cards": .list([["t": "area/a"], ["t": "area/b", "n": 2], ["t": "../x"], ["t": .absent], ["t": 5]]),
        ]
        #expect(try render("{{#cards}}{{>*t}}{{/cards}}", view, parts) == "[1](2)")
    }

    @Test("blocks: the page's own, else the parent's words, through several parents and partials")
    func blocks() throws {
        let parents = [
            "web/shell": "<{{$title}}none{{/title}}|{{$content}}{{/content}}>{{>web/foot}}",
            "web/wide": "{{<web/shell}}{{$content}}wide {{$inner}}-{{/inner}}{{/content}}{{/web/shell}}",
            "web/foot": "{{$foot}}foot{{/foot}}",
        ]
        #expect(
            try render("{{<web/shell}}{{$content}}{{n}}{{/content}}{{/web/shell}}", ["n": 7], parents) == "<none|7>foot"
        )
        #expect(
            try render("{{<web/wide}}\n {{$inner}}in{{/inner}}\n{{$title}}T{{/title}}{{/web/wide}}", [:], parents)
                == "<T|wide in>foot")
        #expect(try render("{{<web/shell}}{{$foot}}mine{{/foot}}{{/web/shell}}", [:], parents) == "<none|>mine")
        #expect(try render("{{<no/such}}{{$a}}{{/a}}{{/no/such}}", [:]) == "")
    }

    @Test(
        "what the engine does not know is refused when it is read",
        arguments: [
            "{{", "{{a", "{{a}", "{{}}", "{{ a }}", "{{!a}}", "{{=a}}", "{{a.b}}", "{{a(b)}}", "{{#a}}{{^a}}{{/a}}",
            "{{{a}}}",
            "{{<a}}text{{/a}}", "{{<a}}{{b}}{{/a}}", "{{>}}", "{{>a b}}", "{{/a}}", "{{#}}{{/}}",
        ])
    func refused(source: String) {
        #expect(throws: Template.Broken.self) { try Template(source) }
    }

    @Test("braces that are no tags are text")
    func braces() throws {
        #expect(try render("a { b } {c} }} {", [:]) == "a { b } {c} }} {")
    }
}
