import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("Changes to a document")
struct PatchTests {
    private func value(_ text: String) throws -> JSONValue { try JSONValue.parse([UInt8](text.utf8)) }

    private func applied(_ type: String, _ patch: String, _ document: String) throws -> JSONObject {
        try TMFPatch(type, try value(patch)).applied(to: try Sample.object(document))
    }

    @Test(
        "merge patches do what RFC 7396 says",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func merge(document: String, patch: String, expected: String) throws {
        for type in ["application/merge-patch+json", "application/json", "application/json;charset=utf-8"] {
            #expect(try applied(type, patch, document) == Sample.object(expected))
        }
    }

    @Test(
        "operations do what RFC 6902 says",
        arguments: [
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
            (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
            (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo","foo":"bar"}"#),
            (#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#, #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#),
            (#"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#, #"{"foo":["all","cows","eat","grass"]}"#),
            (#"{"baz":"qux","foo":["a",2,"c"]}"#, #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
                #"{"baz":"qux","foo":["a",2,"c"]}"#),
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}},"xyz":123}]"#, #"{"foo":"bar","child":{"grandchild":{}}}"#),
            (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
            (#"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#, #"{"foo":["bar",["abc","def"]]}"#),
            (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]"#, #"{"a":{"b":1},"c":{"b":2}}"#),
            (#"{"a":null}"#, #"[{"op":"test","path":"/a","value":null},{"op":"replace","path":"/a","value":1}]"#, #"{"a":1}"#),
        ])
    func operations(document: String, patch: String, expected: String) throws {
        #expect(try applied("application/json-patch+json", patch, document) == Sample.object(expected))
    }

    @Test(
        "an operation that cannot be done is named with its number, and nothing of the patch is done",
        arguments: [
            (#"[{"op":"test","path":"/a","value":2}]"#, 409), (#"[{"op":"add","path":"/b/c","value":1}]"#, 400),
            (#"[{"op":"remove","path":"/b"}]"#, 400), (#"[{"op":"replace","path":"/b","value":1}]"#, 400),
            (#"[{"op":"add","path":"/l/3","value":1}]"#, 400), (#"[{"op":"add","path":"/l/01","value":1}]"#, 400),
            (#"[{"op":"remove","path":"/l/-"}]"#, 400), (#"[{"op":"move","from":"/o","path":"/o/x"}]"#, 400),
            (#"[{"op":"remove","path":""}]"#, 400), (#"[{"op":"add","path":"a","value":1}]"#, 400),
            (#"[{"op":"add","path":"/~2","value":1}]"#, 400), (#"[{"op":"add","path":"/x"}]"#, 400),
            (#"[{"op":"mend","path":"/x"}]"#, 400), (#"[{"path":"/x"}]"#, 400), (#"[1]"#, 400), (#"{"op":"add"}"#, 400),
            (#"[{"op":"copy","path":"/x"}]"#, 400), (#"[{"op":"replace","path":"","value":7}]"#, 400),
            (#"[{"op":"add","path":"/new","value":1},{"op":"remove","path":"/b"}]"#, 400),
        ])
    func refused(patch: String, status: Int) throws {
        let document = #"{"a":1,"l":[1],"o":{"x":1}}"#
        let error = #expect(throws: CRMError.self) { try applied("application/json-patch+json", patch, document) }
        #expect(error?.status == status, "\(String(describing: error))")
    }

    @Test("another kind of content is refused with 415")
    func unsupported() throws {
        for type in ["text/plain", "", "application/xml", "application/jsonx"] {
            let error = #expect(throws: CRMError.self) { try TMFPatch(type, .object([:])) }
            #expect(error?.status == 415)
        }
    }

    static let order = #"""
        {"state":"new","note":[{"id":"1","author":"Jones","text":"a"},{"id":"2","author":"Mary","text":"b"}],
         "item":[{"id":"100","quantity":1,"offering":{"id":"1513"},"product":{"relatedParty":[{"name":"Mary","role":"customer"}]},"note":[]},
                 {"id":"110","quantity":2,"offering":{"id":"1513"},"product":{"relatedParty":[{"name":"John","role":"customer"}]},
                  "note":[{"author":"Jones","text":"x"},{"author":"Kim","text":"y"}]}],
         "characteristic":[{"name":"market segment","value":"A"},{"name":"childrenNumber","value":"2"}],
         "only":[{"id":"9","name":"n"}],"tags":["red","green"]}
        """#

    @Test(
        "elements of arrays are named by what is in them, in every form the specifications use",
        arguments: [
            (#"{"op":"remove","path":"/note?author=Mary"}"#, "/note", #"[{"id":"1","author":"Jones","text":"a"}]"#),
            (#"{"op":"remove","path":"/note?note.author=Jones"}"#, "/note", #"[{"id":"2","author":"Mary","text":"b"}]"#),
            (#"{"op":"replace","path":"/item/quantity?item.product.relatedParty.name=Mary","value":25}"#, "/item/0/quantity", "25"),
            (#"{"op":"replace","path":"/item/quantity?item.offering.id=1513&item.product.relatedParty.name=John","value":26}"#, "/item/1/quantity", "26"),
            (#"{"op":"replace","path":"/item/quantity?item.offering.id=1513","value":7}"#, "/item/0/quantity", "7"),
            (#"{"op":"replace","path":"/characteristic/value?/characteristic/name=market segment","value":"B"}"#, "/characteristic/0/value", #""B""#),
            (#"{"op":"replace","path":"/characteristic/value?name=childrenNumber","value":"3"}"#, "/characteristic/1/value", #""3""#),
            (#"{"op":"replace","path":"/item/note/text?item.id=110&note.author=Kim","value":"z"}"#, "/item/1/note/1/text", #""z""#),
            (#"{"op":"replace","path":"/item/note/text?item.id=110&item.note.author=Jones","value":"z"}"#, "/item/1/note/0/text", #""z""#),
            (#"{"op":"add","path":"/note","value":{"id":"3"}}"#, "/note/2", #"{"id":"3"}"#),
            (#"{"op":"add","path":"/item/note?item.id=100","value":{"text":"first"}}"#, "/item/0/note/0", #"{"text":"first"}"#),
            (#"{"op":"add","path":"/item/extra?id=110","value":true}"#, "/item/1/extra", "true"),
            (#"{"op":"replace","path":"/only/name","value":"m"}"#, "/only/0/name", #""m""#),
            (#"{"op":"replace","path":"/state?state=new","value":"held"}"#, "/state", #""held""#),
            (#"{"op":"replace","path":"$.item[?(@.offering.id=='1513' && @.quantity==2)].quantity","value":3}"#, "/item/1/quantity", "3"),
            (#"{"op":"replace","path":"$.item[1].note[?(@.author==\"Kim\")].text","value":"q"}"#, "/item/1/note/1/text", #""q""#),
            (#"{"op":"replace","path":"$['state']","value":"x"}"#, "/state", #""x""#),
            (#"{"op":"replace","path":"$.note[*].author","value":"N"}"#, "/note/1/author", #""N""#),
            (#"{"op":"remove","path":"/note"}"#, "", "absent note"),
        ])
    func query(operation: String, place: String, expected: String) throws {
        let result = try applied("application/json-patch-query+json", "[\(operation)]", Self.order)
        if expected.hasPrefix("absent ") {
            #expect(result[String(expected.dropFirst(7))] == nil)
        } else {
            #expect(try JSONPointer(place).value(in: .object(result)) == value(expected))
        }
    }

    @Test("two elements that are meant are both changed, and two that are removed are the right two")
    func several() throws {
        let all = try applied(
            "application/json-patch-query+json", #"[{"op":"replace","path":"/item/quantity?offering.id=1513","value":7}]"#, Self.order)
        #expect(try JSONPointer("/item/1/quantity").value(in: .object(all)) == .int(7))
        let document = #"{"a":[{"k":1,"n":1},{"k":2,"n":2},{"k":1,"n":3},{"k":3,"n":4}]}"#
        let left = try applied("application/json-patch-query+json", #"[{"op":"remove","path":"/a?k=1"}]"#, document)
        #expect(try left["a"] == value(#"[{"k":2,"n":2},{"k":3,"n":4}]"#))
    }

    @Test(
        "what names no element changes nothing and says so",
        arguments: [
            (#"{"op":"remove","path":"/note?author=Nobody"}"#, 400), (#"{"op":"replace","path":"/state?state=old","value":"x"}"#, 409),
            (#"{"op":"replace","path":"/item/quantity","value":1}"#, 400), (#"{"op":"remove","path":"/nothing?id=1"}"#, 409),
            (#"{"op":"remove","path":"$.note[?(@.id=1)]"}"#, 400), (#"{"op":"remove","path":"$.note["}"#, 400),
            (#"{"op":"remove","path":"/note?author"}"#, 400), (#"{"op":"replace","path":"/note/text?note.autor=Mary","value":1}"#, 400),
        ])
    func nothing(operation: String, status: Int) throws {
        let error = #expect(throws: CRMError.self) {
            try applied("application/json-patch-query+json", "[\(operation)]", Self.order)
        }
        #expect(error?.status == status, "\(String(describing: error))")
    }

    @Test("no path crashes the readers")
    func hostile() throws {
        var rng = SeededGenerator(seed: 46)
        let words = ["/", "$", ".", "[", "]", "?(", "@.", "==", "\"", "'", ")", "&&", "note", "item", "id", "*", "0", "-", "~", "~1", "?", "&", "=", "5", " "]
        let document = try Sample.object(Self.order)
        for _ in 0..<20_000 {
            let path = (0..<Int.random(in: 0...10, using: &rng)).map { _ in words.randomElement(using: &rng) ?? "" }.joined()
            let kind = ["add", "remove", "replace", "test"].randomElement(using: &rng) ?? "add"
            let operation = JSONValue.array([.object(["op": .string(kind), "path": .string(path), "value": .int(1)])])
            for type in ["application/json-patch+json", "application/json-patch-query+json"] {
                do { _ = try TMFPatch(type, operation).applied(to: document) } catch let error as CRMError {
                    #expect([400, 409].contains(error.status))
                }
            }
        }
    }
}

@Suite("Documents are looked at before anything is done with them")
struct CheckTests {
    private let check = TMFCheck(Sample.schema)

    @Test(
        "what is missing or of another kind is named with its place",
        arguments: [
            ("{}", "name", "missing"), (#"{"name":null}"#, "name", "missing"), (#"{"name":" "}"#, "name", "missing"),
            (#"{"name":5}"#, "name", "wrong_type"), (#"{"name":"a","count":1.5}"#, "count", "wrong_type"),
            (#"{"name":"a","isOpen":"true"}"#, "isOpen", "wrong_type"), (#"{"name":"a","status":"shut"}"#, "status", "wrong_type"),
            (#"{"name":"a","relatedParty":{}}"#, "relatedParty", "wrong_type"),
            (#"{"name":"a","relatedParty":[{},5]}"#, "relatedParty[1]", "wrong_type"),
            (#"{"name":"a","relatedParty":[{"note":[{"text":"x"},{}]}]}"#, "relatedParty[0].note[1].text", "missing"),
            (#"{"name":"a","place":[]}"#, "place", "wrong_type"), (#"{"name":"a","created":"soon"}"#, "created", "wrong_type"),
        ])
    func refused(document: String, place: String, code: String) throws {
        let error = #expect(throws: CRMError.self) { try check.create(try Sample.object(document), of: "Thing") }
        #expect(error?.status == 400 && error?.fields.first?.field == place && error?.fields.first?.code == code, "\(String(describing: error))")
    }

    @Test("attributes that the specification does not know are no mistake")
    func unknown() throws {
        try check.create(try Sample.object(#"{"name":"a","@type":"MyThing","mine":{"x":[1]},"value":[1,"a"]}"#), of: "Thing")
    }

    @Test("what only the server sets, and what is fixed, cannot be changed")
    func fixed() throws {
        let old = try Sample.object(#"{"id":"1","name":"a","kind":"k","created":"2026-01-01"}"#)
        try check.fixed(from: old, to: try Sample.object(#"{"id":"1","name":"b","kind":"k","created":"2026-01-01"}"#), of: "Thing")
        for changed in [#"{"id":"2","name":"a","kind":"k","created":"2026-01-01"}"#, #"{"id":"1","name":"a","kind":"l","created":"2026-01-01"}"#,
            #"{"id":"1","name":"a","kind":"k"}"#] {
            let error = #expect(throws: CRMError.self) { try check.fixed(from: old, to: try Sample.object(changed), of: "Thing") }
            #expect(error?.status == 400 && error?.code == "fixed")
        }
    }
}

@Suite("What a client sent comes back")
struct KeptTests {
    @Test("attributes we do not know and other spellings come back, until the row itself says something else")
    func kept() throws {
        let sent = try Sample.object(#"{"name":"a","created":"2026-01-01T08:00:00+08:00","mine":{"x":[1]},"value":null}"#)
        let own = try Sample.object(#"{"id":"1","name":"a","created":"2026-01-01T00:00:00Z"}"#)
        let kept = TMFKept(json: TMFKept(sent: sent, own: own).json)
        #expect(kept == TMFKept(sent: sent, own: own) && kept.pieces.keys.sorted() == ["created", "mine", "value"])
        var expected = sent
        expected["id"] = .string("1")
        #expect(kept.document(over: own) == expected)
        let changed = try Sample.object(#"{"id":"1","name":"b","created":"2026-02-01T00:00:00Z"}"#)
        #expect(kept.document(over: changed)["created"] == .string("2026-02-01T00:00:00Z"))
        #expect(kept.document(over: changed)["mine"] == .object(["x": .array([.int(1)])]))
        #expect(kept.document(over: changed)["name"] == .string("b"))
        #expect(TMFKept(sent: own, own: own).isEmpty)
    }

    @Test("of an array of which the row says something else, what it says as before is still in the client's words; what it does not know goes")
    func elements() throws {
        let sent = try Sample.object(
            #"{"m":[{"t":"mobile","p":true,"c":{"n":"+86 138","home":1},"x":1},{"t":"mail","p":true,"c":{"e":"a"},"x":2},{"t":"only sent"}]}"#)
        let own = try Sample.object(
            #"{"m":[{"t":"phone","p":true,"c":{"n":"+86138"}},{"t":"email","p":true,"c":{"e":"a"}},{"t":"z"}]}"#)
        let kept = TMFKept(sent: sent, own: own)
        func now(_ text: String) throws -> JSONValue? { kept.document(over: try Sample.object(text))["m"] }
        // A number was mended: its type stays, what belonged to the old one does not; the mail is as it was sent.
        #expect(
            try now(#"{"m":[{"t":"phone","p":true,"c":{"n":"+86139"}},{"t":"email","p":true,"c":{"e":"a"}},{"t":"z"}]}"#)
                == Sample.object(
                    #"{"m":[{"t":"mobile","p":true,"c":{"n":"+86139"}},{"t":"mail","p":true,"c":{"e":"a"},"x":2},{"t":"only sent"}]}"#)["m"])
        // In another order, one away, one of another form.
        #expect(
            try now(#"{"m":[{"t":"email","p":true,"c":{"e":"a"}},{"t":"phone","p":true,"c":{"s":"x"}}]}"#)
                == Sample.object(#"{"m":[{"t":"mail","p":true,"c":{"e":"a"},"x":2},{"t":"phone","p":true,"c":{"s":"x"}}]}"#)["m"])
        #expect(try now(#"{"m":[]}"#) == .array([]) && now("{}") == nil)
        // Who does not see everything sees the row.
        let masked = try Sample.object(#"{"m":[{"t":"phone","p":true,"c":{"n":"***"}}]}"#)
        #expect(kept.document(over: masked, all: false) == masked)
    }

    @Test("whatever is sent comes back as long as the row stays as it was")
    func property() throws {
        var rng = SeededGenerator(seed: 50)
        for number in 0..<2_000 {
            let own = Sample.document(&rng, id: number)
            let sent = Sample.document(&rng, id: number).merging(own) { first, _ in first }
            #expect(TMFKept(json: TMFKept(sent: sent, own: own).json).document(over: own) == sent)
        }
    }
}
