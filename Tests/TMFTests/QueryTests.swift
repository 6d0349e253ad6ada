import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import TMF

/// A small schema with everything in it that a query can meet.
enum Sample {
    static let schema = TMFSchema([
        TMFSchema.ObjectType(
            "Thing",
            [
                .init("id", .text, isServers: true), .init("href", .text, isServers: true),
                .init("name", .text, isMandatory: true), .init("count", .integer), .init("price", .number),
                .init("isOpen", .boolean), .init("created", .dateTime, isServers: true),
                .init("birthDate", .dateTime),
                .init("status", .code(["open", "closed"])), .init("relatedParty", .object("Party"), isArray: true),
                .init("place", .object("Place")), .init("value", .any), .init("gt", .text),
                .init("kind", .text, isFixed: true),
            ]),
        TMFSchema.ObjectType(
            "Party", [.init("id", .text), .init("role", .text), .init("note", .object("Note"), isArray: true)]),
        TMFSchema.ObjectType("Place", [.init("city", .text), .init("eq", .text)]),
        TMFSchema.ObjectType("Note", [.init("author", .text), .init("text", .text, isMandatory: true)]),
    ])

    static func query(_ text: String) throws -> TMFQuery {
        try TMFQuery(try Form.parse(text), schema: schema, type: "Thing")
    }

    static func object(_ text: String) throws -> JSONObject { try #require(try JSONValue.parse([UInt8](text.utf8)).object) }

    static func meets(_ document: String, _ text: String) throws -> Bool {
        TMFMatch.meets(try object(document), try query(text).conditions) { _, _ in false }
    }

    /// A random document of the schema; small sets of values, so that conditions meet.
    static func document(_ rng: inout SeededGenerator, id: Int) -> JSONObject {
        func some(_ values: [JSONValue]) -> JSONValue? { Bool.random(using: &rng) ? values.randomElement(using: &rng) : nil }
        var fields: JSONObject = ["id": .string(String(id))]
        fields["name"] = some(["a", "b", "Ä", "a,b", "王", "\"q\"", ""].map { .string($0) })
        fields["count"] = some([-1, 0, 2, 10].map { .int($0) })
        fields["price"] = some([.int(2), .double(2.5), .double(-0.5), .null])
        fields["isOpen"] = some([.bool(true), .bool(false)])
        fields["created"] = some(
            ["2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", "2026-01-02", "never"].map { .string($0) })
        fields["status"] = some(["open", "closed"].map { .string($0) })
        fields["relatedParty"] = .array(
            (0..<Int.random(in: 0...2, using: &rng)).map { _ in
                .object(["id": .string(["1", "2"].randomElement(using: &rng) ?? "1"), "role": some([.string("owner")]) ?? .null])
            })
        return fields
    }
}

@Suite("Queries of a list")
struct QueryTests {
    @Test(
        "a condition is found where it holds, through objects and every element of arrays",
        arguments: [
            (#"{"name":"a"}"#, "name=a", true), (#"{"name":"a"}"#, "name=A", false),
            (#"{"name":"a"}"#, "name=b,a", true), (#"{"name":"a"}"#, "name=b;a", true),
            (#"{"name":"a"}"#, "name=b&name=a", true), (#"{"name":"a,b"}"#, "name=%22a,b%22", true),
            (#"{"name":"a,b"}"#, "name=a,b", false), (#"{"name":"say \"x\""}"#, "name=%22say%20%22%22x%22%22%22", true),
            (#"{"name":"a","count":2}"#, "name=a&count=3", false), (#"{"count":2}"#, "count.gt=1", true),
            (#"{"count":2}"#, "count%3E1", true), (#"{"count":2}"#, "count%3E=2", true), (#"{"count":2}"#, "count%3E%3D3", false),
            (#"{"count":2}"#, "count<3", true), (#"{"count":2}"#, "count<=1", false), (#"{"count":2}"#, "count.lte=2", true),
            (#"{"price":2}"#, "price=2.0", true), (#"{"price":2.5}"#, "price.gte=2.5", true),
            (#"{"isOpen":true}"#, "isOpen=true", true), (#"{}"#, "isOpen.ne=true", true), (#"{"isOpen":true}"#, "isOpen!=true", false),
            (#"{"status":"open"}"#, "status.ne=closed,open", false), (#"{"status":"open"}"#, "status=open", true),
            (#"{"relatedParty":[{"id":"4"},{"id":"5"}]}"#, "relatedParty.id=5", true),
            (#"{"relatedParty":[{"id":"4"},{"id":"5"}]}"#, "relatedParty.id.ne=5", false),
            (#"{"relatedParty":[{"note":[{"author":"x"},{"author":"y"}]}]}"#, "relatedParty.note.author=y", true),
            (#"{"created":"2026-01-01T08:00:00+08:00"}"#, "created=2026-01-01T00:00:00Z", true),
            (#"{"created":"2026-01-01T08:00:00%2B08:00"}"#, "created.gt=2026-01-01", false),
            (#"{"created":"2026-01-01T08:00:01+08:00"}"#, "created%3E2026-01-01T00:00:00Z", true),
            (#"{"created":"2026-01-01T08:00:00+08:00"}"#, "created=2026-01-01T08:00:00+08:00", true),
            (#"{"created":"2026-01-01T08:00:00+08:00"}"#, "created.lte=2026-01-01T08:00:00+0800", true),
            (#"{"created":"2026-01-01T08:00:00+08:00"}"#, "created.ne=2027-01-01,2026-01-01+08:00+08:00", false),
            (#"{"created":"2026-01-01 08:00"}"#, "created=2026-01-01+08:00", true),
            (#"{"created":"about noon"}"#, "created.ne=2026-01-01", true),
            (#"{"value":{"a":[{"b":7}]}}"#, "value.a.b=7", true), (#"{"value":"7"}"#, "value=7", true),
            // What may be anything has no attributes of these names.
            (#"{"value":"family"}"#, "value.eq=family", true), (#"{"value":"family"}"#, "value.ne=family", false),
            (#"{"value":7}"#, "value.gte=7", true), (#"{"value":{"a":7}}"#, "value.a.lt=7", false), (#"{"value":{"a":7}}"#, "value.a.lt=8", true),
            // Attributes that are called as operators.
            (#"{"gt":"x"}"#, "gt=x", true), (#"{"place":{"eq":"x"}}"#, "place.eq=x", true),
            (#"{"place":{"eq":"x"}}"#, "place.eq.ne=x", false), (#"{"name":null}"#, "name=null", false),
        ])
    func conditions(document: String, query: String, expected: Bool) throws {
        #expect(try Sample.meets(document, query) == expected)
    }

    @Test(
        "what cannot be asked is refused with its name, and never taken for no condition",
        arguments: [
            ("nmae=a", "unknown_attribute", "nmae"), ("relatedParty.rule=a", "unknown_attribute", "relatedParty.rule"),
            ("name.first=a", "unknown_attribute", "name.first"), ("relatedParty=5", "bad_parameter", "relatedParty"),
            ("count=two", "bad_parameter", "count"), ("count=1,x", "bad_parameter", "count"), ("isOpen=1", "bad_parameter", "isOpen"),
            ("isOpen.gt=true", "bad_parameter", "isOpen"), ("created.gt=soon", "bad_parameter", "created"),
            ("created=about%20noon", "bad_parameter", "created"), ("created.ne=garbage", "bad_parameter", "created"),
            ("created=2026-01-01,31.08.2006", "bad_parameter", "created"), ("birthDate=2006-08", "bad_parameter", "birthDate"),
            ("created=2026-01-01T08:00:00++08:00", "bad_parameter", "created"), ("birthDate=", "bad_parameter", "birthDate"),
            ("status=opne", "bad_parameter", "status"), ("name=%22a", "bad_parameter", "name"),
            ("name~=a", "unknown_attribute", "name~"), ("name!a=b", "bad_parameter", "name"),
            ("limit=-1", "bad_parameter", "limit"), ("limit=1001", "bad_parameter", "limit"), ("limit=x", "bad_parameter", "limit"),
            ("offset=1000000", "bad_parameter", "offset"), ("offset=99999999999999999999", "bad_parameter", "offset"),
            ("offset=1&after=x", "bad_parameter", "offset"), ("sort=", "bad_parameter", "sort"),
            ("sort=-x", "unknown_attribute", "sort"), ("sort=name,-name", "bad_parameter", "sort"),
            ("sort=relatedParty", "bad_parameter", "sort"), ("fields=nmae", "unknown_attribute", "fields"),
            ("filter=$.x", "bad_parameter", "filter"), ("=a", "unknown_attribute", ""), ("name.=a", "unknown_attribute", "name."),
        ])
    func refused(query: String, code: String, field: String) throws {
        let error = #expect(throws: CRMError.self) { try Sample.query(query) }
        #expect(error?.status == 400 && error?.code == code && error?.fields.first?.field == field, "\(String(describing: error))")
        #expect(error?.message.en.isEmpty == false && error?.message.zh.isEmpty == false)
    }

    @Test(
        "a pattern is RE2's: found anywhere, never slow, refused with the reason",
        arguments: [
            ("王", "老王", true), ("^a.c$", "abc", true), ("^a.c$", "xabc", false), ("(?i)ABC", "xabcx", true), ("", "", true),
            ("(a+)+$", String(repeating: "a", count: 50_000) + "b", false), ("[一-龥]{2}", "张a", false),
        ])
    func patterns(pattern: String, text: String, expected: Bool) throws {
        #expect(try TMFPattern(pattern, parameter: "name").finds(in: text) == expected)
        for bad in ["(", "a{1001}", "(?=x)", "\\1", String(repeating: "a", count: 501), "((a{100}){100}){100}"] {
            let error = #expect(throws: CRMError.self) { try TMFPattern(bad, parameter: "name") }
            #expect(error?.status == 400 && error?.fields.first?.field == "name", "\(bad.prefix(20))")
        }
    }

    @Test("an order is read with its directions; a plus may have become a space")
    func sort() throws {
        let query = try Sample.query("sort=-created,+name,%20count,relatedParty.id")
        #expect(query.sort.map(\.target.path.description) == ["created", "name", "count", "relatedParty.id"])
        #expect(query.sort.map(\.isDescending) == [true, false, false, false])
    }

    @Test("values that were quoted come back as they were, whatever is in them")
    func quoting() throws {
        var rng = SeededGenerator(seed: 41)
        let alphabet: [Character] = ["a", ",", ";", "\"", " ", "王", "=", "'"]
        for _ in 0..<2_000 {
            let values = (0..<Int.random(in: 1...4, using: &rng)).map { _ in
                String((0..<Int.random(in: 0...5, using: &rng)).map { _ in alphabet.randomElement(using: &rng) ?? "a" })
            }
            let text = values.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
                .joined(separator: Bool.random(using: &rng) ? "," : ";")
            #expect(try TMFQuery.list(text, "name") == values, "\(text)")
        }
    }

    @Test("no query string crashes the reader, and every refusal is a 400")
    func hostile() throws {
        var rng = SeededGenerator(seed: 42)
        let words = ["name", "count", ".", "=", "&", "%3E", "<", "!", "*", "\"", ",", ";", "gt", "eq", "sort", "fields", "limit",
            "offset", "after", "-", "+", "relatedParty", "%", "%41", "王", "9", "\u{0}", "[", "@type", "value"]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...12, using: &rng)).map { _ in words.randomElement(using: &rng) ?? "" }.joined()
            do {
                let query = try Sample.query(text)
                _ = TMFMatch.meets(Sample.document(&rng, id: 1), query.conditions) { _, _ in true }
            } catch let error as CRMError {
                #expect(error.status == 400, "\(text)")
            }
        }
    }

    @Test("the opposite of a condition holds exactly where the condition does not")
    func opposite() throws {
        var rng = SeededGenerator(seed: 43)
        for number in 0..<3_000 {
            let document = Sample.document(&rng, id: number)
            let (name, value) = try #require(
                [("name", "a"), ("name", "b,Ä"), ("count", "2"), ("relatedParty.id", "1"), ("status", "open"), ("price", "2.5")]
                    .randomElement(using: &rng))
            let query = try Sample.query("\(name)=\(Form.encode(value))")
            let other = try Sample.query("\(name).ne=\(Form.encode(value))")
            let (is1, is2) = (query, other)
            #expect(
                TMFMatch.meets(document, is1.conditions) { _, _ in false }
                    != TMFMatch.meets(document, is2.conditions) { _, _ in false }, "\(document) \(name)=\(value)")
        }
    }

    @Test("an order is total and the same whichever way the documents came, those without a value last in both directions")
    func order() throws {
        var rng = SeededGenerator(seed: 44)
        let orders = try ["sort=name", "sort=-created,name", "sort=price,-count", "sort=-relatedParty.id"].map { try Sample.query($0).sort }
        for sort in orders {
            let documents = (0..<60).map { Sample.document(&rng, id: $0) }
            func sorted(_ documents: [JSONObject]) -> [String] {
                documents.sorted { TMFMatch.precedes($0, $1, sort) { $0["id"]?.string ?? "" } }.map { $0["id"]?.string ?? "" }
            }
            let once = sorted(documents)
            #expect(sorted(documents.shuffled(using: &rng)) == once)
            let byID = Dictionary(uniqueKeysWithValues: documents.map { ($0["id"]?.string ?? "", $0) })
            let has = once.map { id in TMFMatch.key(byID[id] ?? [:], sort[0]) != nil }
            #expect(has == has.sorted { $0 && !$1 })
        }
    }

    @Test("of a document only what was asked for is given, with id and href always")
    func fields() throws {
        let document = try Sample.object(
            #"{"id":"1","href":"h","name":"n","count":2,"relatedParty":[{"id":"5","role":"r"},{"role":"s"}],"place":{"city":"c","eq":"e"}}"#)
        func of(_ text: String) throws -> JSONObject { try Sample.query(text).fields.of(document) }
        #expect(try of("") == document)
        #expect(try of("fields=none") == Sample.object(#"{"id":"1","href":"h"}"#))
        #expect(try of("fields=name,place.city") == Sample.object(#"{"id":"1","href":"h","name":"n","place":{"city":"c"}}"#))
        #expect(
            try of("fields=relatedParty.role&fields=count")
                == Sample.object(#"{"id":"1","href":"h","count":2,"relatedParty":[{"role":"r"},{"role":"s"}]}"#))
        #expect(try of("fields=relatedParty.id,relatedParty")["relatedParty"] == document["relatedParty"])
        // What an object inside cannot be without stays, so that every answer is one of the schema.
        let noted = try Sample.object(
            #"{"id":"1","name":"n","relatedParty":[{"id":"7","role":"r","note":[{"author":"a","text":"t","more":1},{"text":"u"}]}]}"#)
        #expect(
            try Sample.query("fields=relatedParty.note.author").fields.of(noted)
                == Sample.object(#"{"id":"1","relatedParty":[{"note":[{"author":"a","text":"t"},{"text":"u"}]}]}"#))
    }
}

@Suite("Pages of a list")
struct PagingTests {
    private func page(_ text: String, total: Int, count: Int, next: String? = nil, previous: String? = nil) throws -> TMFPage {
        TMFPage(
            try Sample.query(text), total: total, count: count, base: "http://h/thing", sent: try Form.parse(text), next: next,
            previous: previous)
    }

    @Test("the links lead over every document once, whatever the limit is")
    func walk() throws {
        for (total, limit) in [(0, 5), (1, 5), (5, 5), (6, 5), (23, 7), (40, 20)] {
            var address: String? = "http://h/thing?name=a%2Cb&limit=\(limit)"
            var seen: [Int] = []
            var steps = 0
            while let here = address, steps < 50 {
                steps += 1
                let text = String(here.split(separator: "?", maxSplits: 1)[1])
                guard case .offset(let offset) = try Sample.query(text).place else { throw CRMError.notFound }
                let count = max(0, min(limit, total - offset))
                seen += offset..<offset + count
                let page = try page(text, total: total, count: count)
                #expect(page.isPartial == (count < total))
                #expect(page.links.contains { $0.relation == "self" && $0.address == here })
                #expect(page.links.allSatisfy { $0.address.contains("name=a%2Cb&limit=\(limit)") })
                #expect(page.links.contains { $0.relation == "prev" } == (offset > 0))
                address = page.links.first { $0.relation == "next" }?.address
            }
            #expect(seen == Array(0..<total), "\(total) by \(limit)")
        }
    }

    @Test("the last link is the last page, and where offsets end a cursor goes on")
    func ends() throws {
        let first = try page("limit=10", total: 95, count: 10)
        #expect(first.links.first { $0.relation == "last" }?.address == "http://h/thing?limit=10&offset=90")
        let deep = try page("limit=10&offset=100000", total: 1_000_000, count: 10, next: "abc")
        #expect(deep.links.first { $0.relation == "next" }?.address == "http://h/thing?limit=10&after=abc")
        #expect(!deep.links.contains { $0.relation == "last" })
        let cursor = try page("limit=10&after=abc", total: 100, count: 10, next: "n", previous: "p")
        #expect(cursor.links.map(\.address).suffix(2) == ["http://h/thing?limit=10&before=p", "http://h/thing?limit=10&after=n"])
        let begun = try page("limit=10&after=", total: 100, count: 10, next: "n")
        #expect(begun.isPartial && begun.links.map(\.relation) == ["self", "first", "next"])
        #expect(begun.links.map(\.address) == ["", "", "n"].map { "http://h/thing?limit=10&after=" + $0 })
        #expect(try page("limit=0", total: 3, count: 0).isPartial)
    }

    @Test("a cursor comes back as it was made, and is of no other order")
    func cursors() throws {
        let made = TMFCursor(keys: [.string("王 \"x\""), .int(-5), .double(1.5), .null], id: "77")
        let text = made.encoded(order: "-created")
        #expect(text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"+/=".utf8.contains($0) })
        #expect(try TMFCursor(text, order: "-created") == made)
        for (bad, order) in [(text, "created"), ("", "x"), ("%%%", "x"), ("bnVsbA", "x"), (text + "A", "-created")] {
            let error = #expect(throws: CRMError.self) { try TMFCursor(bad, order: order) }
            #expect(error?.status == 400)
        }
    }
}

@Suite("Times of the interface")
struct TMFTimeTests {
    @Test(
        "what RFC 3339 allows is one moment, what is no time is none",
        arguments: [
            ("1970-01-01", 0), ("1970-01-01T00:00:01Z", 1), ("1970-01-01T00:00Z", 0), ("1970-01-01t08:00:00+08:00", 0),
            ("1969-12-31T23:59:59Z", -1), ("2000-02-29T00:00:00Z", 951_782_400), ("2026-11-29T15:00:00-0330", 1_795_977_000),
            ("2026-02-29", nil), ("1900-02-29", nil), ("2026-13-01", nil), ("2026-1-1", nil), ("2026-01-01T24:00:00Z", nil),
            ("2026-01-01T", nil), ("2026-01-01T10:00:00+25:00", nil), ("2026-01-01Z", nil), ("", nil), ("soon", nil), ("2026-01-01T10:00:00.Z", nil),
        ] as [(String, Int64?)])
    func known(text: String, seconds: Int64?) {
        #expect(TMFTime(text)?.nanoseconds == seconds.map { Int128($0) * 1_000_000_000 })
    }

    @Test("it agrees with Foundation over six centuries")
    func foundation() throws {
        var rng = SeededGenerator(seed: 45)
        let style = Date.ISO8601FormatStyle()
        for _ in 0..<2_000 {
            let seconds = Int64.random(in: -6_000_000_000...12_000_000_000, using: &rng)
            let part = Int64.random(in: 0..<1_000, using: &rng)
            let digits = String(1_000 + part).dropFirst()
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(style).replacing("Z", with: ".\(digits)Z")
            #expect(TMFTime(text)?.nanoseconds == Int128(seconds * 1_000 + part) * 1_000_000, "\(text)")
        }
    }
}
