import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What every resource of the interface does (tmf-api.md), tried for each of them through HTTP.
enum Contract {
    typealias Behaviour = @Sendable (ContractWorld, TMFResource, Sample, inout SampleContext) throws -> Void

    /// All behaviours by name; each is tried for each resource, as far as the resource has the verb.
    static let behaviours: [(name: String, Behaviour)] = [
        ("create", create), ("kept", kept), ("fields", fields), ("mandatory", mandatory), ("wrong types", wrongTypes),
        ("filters", filters), ("refused queries", refusedQueries), ("order", order), ("pages", pages), ("merge patch", mergePatch),
        ("json patch", jsonPatch), ("versions", versions), ("keys", keys), ("states", states), ("bodies", bodies), ("removal", removal),
    ]

    static func sample(_ resource: String) throws -> Sample {
        try #require(Samples.all.first { $0.resource == resource }, "no sample of \(resource)")
    }

    static func resource(_ name: String, _ world: ContractWorld) throws -> TMFResource {
        try #require(world.scenario.runtime.modules.resources.first { $0.name == name })
    }

    static func make(_ name: String, _ world: ContractWorld, _ context: inout SampleContext) throws -> ContractWorld.Answer {
        let resource = try resource(name, world)
        // What only others make is one of those that are there.
        guard resource.verbs.contains(.create) else {
            let list = try world.send("GET", resource.path + "?limit=1&offset=\(context.number)&fields=none")
            context.number += 1
            return try world.send("GET", "\(resource.path)/\(list.items.first?["id"]?.string ?? "")")
        }
        return try world.send("POST", resource.path, .object(try sample(name).body(world, &context)))
    }

    // MARK: Behaviours

    static func valid(_ document: JSONValue, _ resource: TMFResource, _ what: String) throws {
        guard AnswerCheck.isThere else { return }
        let problems = try AnswerCheck(resource.api.number).problems(document, resource.type)
        #expect(problems.isEmpty, "\(resource.name), \(what): \(problems.joined(separator: "; ")) in \(document.encoded())")
    }

    @Sendable static func create(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else {
            #expect(try world.send("POST", resource.path, [:]).status == 405, "\(resource.name)")
            let list = try world.send("GET", resource.path)
            try #require(!list.items.isEmpty, "\(resource.name): the base has none")
            for item in list.items { try valid(item, resource, "list") }
            return
        }
        let sent = try sample.body(world, &context)
        let made = try world.send("POST", resource.path, .object(sent))
        try #require(made.status == 201, "\(resource.name): \(made.text)")
        let href = try #require(made.body["href"]?.string)
        #expect(made.header("Location") == href && href.hasPrefix("http://") && href.hasSuffix("\(resource.path)/\(made.id)"), "\(resource.name): \(href)")
        #expect(!made.text.contains("\\/"))
        #expect(made.body["@type"]?.string != nil && made.header("ETag") != nil)
        for (name, value) in sent { #expect(made.body[name] == value, "\(resource.name).\(name): \(made.body[name]?.encoded() ?? "") for \(value.encoded())") }
        try valid(made.body, resource, "made")
        guard resource.verbs.contains(.read) else { return }
        let read = try world.send("GET", "\(resource.path)/\(made.id)")
        #expect(read.status == 200 && read.body == made.body && read.header("ETag") == made.header("ETag"), "\(resource.name): \(read.text)")
        context.made[resource.name] = made.id
    }

    @Sendable static func kept(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else { return }
        var body = try sample.body(world, &context)
        body["x-own"] = ["deep": [1, ["y": .null]], "汉字": "值"]
        body["@schemaLocation"] = "http://example.com/own.json"
        body["@type"] = .string("Own" + resource.type)
        body["@baseType"] = .string(resource.type)
        let made = try world.send("POST", resource.path, .object(body))
        try #require(made.status == 201, "\(resource.name): \(made.text)")
        for name in ["x-own", "@schemaLocation", "@type", "@baseType"] { #expect(made.body[name] == body[name], "\(resource.name).\(name)") }
        guard resource.verbs.contains(.read), resource.verbs.contains(.list) else { return }
        #expect(try world.send("GET", "\(resource.path)/\(made.id)").body["x-own"] == body["x-own"], "\(resource.name)")
        let found = try world.send("GET", "\(resource.path)?@type=Own\(resource.type)&limit=5")
        #expect(found.items.contains { $0["id"] == made.body["id"] } && found.items.allSatisfy { $0["@type"] == body["@type"] }, "\(resource.name): \(found.text)")
    }

    @Sendable static func fields(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.list) else { return }
        let whole = try world.send("GET", "\(resource.path)?limit=1")
        let first = try #require(whole.items.first, "\(resource.name): \(whole.text)")
        let name = try #require(first.object?.keys.sorted().first { $0 != "id" && $0 != "href" && !$0.hasPrefix("@") })
        #expect(try world.send("GET", "\(resource.path)?limit=1&fields=\(name)").items.first?.object?.keys.sorted() == ["href", "id", name].sorted())
        #expect(try world.send("GET", "\(resource.path)?limit=1&fields=none").items.first?.object?.keys.sorted() == ["href", "id"])
        #expect(try world.send("GET", "\(resource.path)?fields=nosuch").status == 400)
        guard resource.verbs.contains(.read), let id = first["id"]?.string else { return }
        #expect(try world.send("GET", "\(resource.path)/\(id)?fields=\(name)").body.object?.keys.sorted() == ["href", "id", name].sorted())
        for gone in ["1", "x", "01", "-3", "99999999999999999999"] {
            let answer = try world.send("GET", "\(resource.path)/\(gone)")
            #expect(answer.status == 404 && answer.body["@type"] == "Error" && answer.body["reason"]?.string != nil, "\(resource.name)/\(gone): \(answer.text)")
        }
    }

    @Sendable static func mandatory(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else { return }
        let before = try total(world, resource)
        for attribute in resource.schema.types[resource.type]?.attributes ?? [] where attribute.isMandatory {
            var body = try sample.body(world, &context)
            body[attribute.name] = nil
            let answer = try world.send("POST", resource.path, .object(body))
            #expect(answer.status == 400 && answer.text.contains(attribute.name), "\(resource.name) without \(attribute.name): \(answer.text)")
        }
        for name in ["id", "href"] {
            var body = try sample.body(world, &context)
            body[name] = "5"
            #expect(try world.send("POST", resource.path, .object(body)).status == 400, "\(resource.name) with \(name)")
        }
        #expect(try total(world, resource) == before, "\(resource.name): something was made")
    }

    @Sendable static func wrongTypes(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else { return }
        let before = try total(world, resource)
        for attribute in resource.schema.types[resource.type]?.attributes ?? [] where !attribute.isServers {
            var body = try sample.body(world, &context)
            if attribute.kind == .any { continue }
            body[attribute.name] = attribute.isArray ? "no array" : attribute.kind == .number || attribute.kind == .integer ? "x" : 12
            let answer = try world.send("POST", resource.path, .object(body))
            #expect(answer.status == 400 && answer.text.contains(attribute.name), "\(resource.name).\(attribute.name): \(answer.status) \(answer.text)")
        }
        #expect(try total(world, resource) == before, "\(resource.name): something was made")
    }

    static func total(_ world: ContractWorld, _ resource: TMFResource) throws -> Int {
        guard resource.verbs.contains(.list) else { return 0 }
        return try #require(Int(try world.send("GET", "\(resource.path)?limit=1&fields=none").header("X-Total-Count") ?? ""))
    }

    /// Every attribute that a table answers by an index finds what the documents say, and so does one that it does not.
    @Sendable static func filters(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.list) else { return }
        if resource.verbs.contains(.create) { for _ in 0..<3 { _ = try make(resource.name, world, &context) } }
        let all = try world.send("GET", "\(resource.path)?limit=200").items
        let columns = resource.store(world.scenario.tenant).table.columns.map(\.path)
        let leaves = Set(all.prefix(3).flatMap { Self.leaves($0, []) }).filter { path in
            (try? resource.schema.target(path, of: resource.type, parameter: "")) != nil
        }
        for path in Set(columns).union(leaves.sorted { $0.description < $1.description }.prefix(12)) {
            guard let value = all.lazy.compactMap({ path.values(in: $0.object ?? [:]).first }).first else { continue }
            let text = value.string ?? value.encoded()
            if text.isEmpty { continue }
            let expected = Set(all.filter { path.values(in: $0.object ?? [:]).contains(value) }.compactMap { $0["id"]?.string })
            let found = try world.send("GET", "\(resource.path)?\(path)=\(ContractWorld.encoded(text))&limit=200")
            let ids = Set(found.items.compactMap { $0["id"]?.string })
            #expect(found.status < 300 && ids.isSuperset(of: expected) && (all.count >= 200 || ids == expected), "\(resource.name)?\(path)=\(text): \(ids.count) for \(expected.count) \(found.status) \(found.text.prefix(200))")
            #expect(found.header("X-Total-Count") == String(found.items.count) || found.items.count == 200)
            let others = try world.send("GET", "\(resource.path)?\(path).ne=\(ContractWorld.encoded(text))&limit=200")
            #expect(others.status < 300 && Set(others.items.compactMap { $0["id"]?.string }).isDisjoint(with: expected), "\(resource.name)?\(path).ne=\(text): \(others.text.prefix(200))")
        }
        if let id = all.first?["id"]?.string {
            #expect(try world.send("GET", "\(resource.path)?id=\(id),17").items.count == 1, "\(resource.name)")
            #expect(try world.send("GET", "\(resource.path)?id=\(id)&id=17").items.count == 1, "\(resource.name)")
        }
    }

    private static func leaves(_ value: JSONValue, _ names: [String]) -> [AttributePath] {
        switch value {
        case .object(let fields): fields.flatMap { leaves($0.value, names + [$0.key]) }
        case .array(let items): items.flatMap { leaves($0, names) }
        case .null: []
        default: names == ["href"] ? [] : [AttributePath(names)]
        }
    }

    @Sendable static func refusedQueries(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.list) else { return }
        for (query, place) in [
            ("nosuch=1", "nosuch"), ("id.nosuch=1", "id.nosuch"), ("id.almost=1", "id.almost"), ("limit=x", "limit"), ("limit=-1", "limit"), ("offset=-1", "offset"),
            ("offset=9999999999", "offset"), ("sort=nosuch", "sort"), ("after=garbage", "place in the list"), ("id.regex=(", "RE2"),
        ] {
            let answer = try world.send("GET", "\(resource.path)?\(query)")
            #expect(answer.status == 400 && answer.text.contains(place) && answer.body["@type"] == "Error", "\(resource.name)?\(query): \(answer.status) \(answer.text.prefix(300))")
        }
        // RE2 knows no pattern that takes for ever.
        #expect(try world.send("GET", "\(resource.path)?id.regex=\(ContractWorld.encoded("^(a+)+$"))").status == 200, "\(resource.name)")
    }

    @Sendable static func order(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.list) else { return }
        let all = try world.send("GET", "\(resource.path)?limit=200").items
        let columns = resource.store(world.scenario.tenant).table.columns
        for column in columns where column.sorts {
            for sign in ["", "-"] {
                let sorted = try world.send("GET", "\(resource.path)?sort=\(sign)\(column.path)&limit=200")
                #expect(sorted.items.count == all.count, "\(resource.name) by \(column.path): \(sorted.text.prefix(200))")
                let target = try resource.schema.target(column.path, of: resource.type, parameter: "")
                let (kind, sort) = (target.kind, TMFSort(target, isDescending: false))
                let keys = sorted.items.compactMap { TMFMatch.key($0.object ?? [:], sort) }
                let rising = sign.isEmpty ? keys : keys.reversed()
                for (left, right) in zip(rising, rising.dropFirst()) { #expect(TMFMatch.order(left, right, kind) <= 0, "\(resource.name) by \(column.path)") }
            }
        }
    }

    @Sendable static func pages(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.list) else { return }
        if resource.verbs.contains(.create) { for _ in 0..<2 { _ = try make(resource.name, world, &context) } }
        let total = try total(world, resource)
        let first = try world.send("GET", "\(resource.path)?limit=2&fields=none")
        #expect(first.status == (total > 2 ? 206 : 200) && first.header("X-Result-Count") == String(min(2, total)), "\(resource.name)")
        var seen: [String] = []
        var next: String? = "\(resource.path)?limit=2&fields=none"
        var steps = 0
        while let path = next, steps < 400 {
            let page = try world.send("GET", path)
            seen += page.items.compactMap { $0["id"]?.string }
            next = (page.header("Link") ?? "").components(separatedBy: ", ").first { $0.contains("rel=\"next\"") }.flatMap { link in
                link.split(separator: "<").first?.split(separator: ">").first.map { String($0) }
            }.map { url in url.components(separatedBy: "/tmf-api").dropFirst().map { "/tmf-api" + $0 }.first ?? url }
            steps += 1
        }
        #expect(seen.count == min(total, 800) && Set(seen).count == seen.count, "\(resource.name): \(seen.count) of \(total)")
    }

    @Sendable static func mergePatch(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.change) else {
            if resource.verbs.contains(.read) { #expect(try world.send("PATCH", "\(resource.path)/1", [:]).status == 405, "\(resource.name)") }
            return
        }
        let made = try make(resource.name, world, &context)
        for type in ["application/merge-patch+json", "application/json"] {
            let changed = try world.send("PATCH", "\(resource.path)/\(made.id)", .object(sample.change), type: type)
            #expect(changed.status == 200, "\(resource.name): \(changed.text)")
            for (name, value) in sample.change { #expect(changed.body[name] == value, "\(resource.name).\(name): \(changed.text)") }
            try valid(changed.body, resource, "changed")
            #expect(try world.send("GET", "\(resource.path)/\(made.id)").body == changed.body)
        }
        // What was not named is as it was.
        let now = try world.send("GET", "\(resource.path)/\(made.id)").body
        for (name, value) in made.body.object ?? [:] where sample.change[name] == nil && !["lastUpdate", "lastModified"].contains(name) {
            #expect(now[name] == value, "\(resource.name).\(name): \(now[name]?.encoded() ?? "gone")")
        }
        for name in ["id", "href"] {
            let answer = try world.send("PATCH", "\(resource.path)/\(made.id)", .object([name: "7"]))
            #expect(answer.status == 400 && answer.text.contains(name), "\(resource.name).\(name): \(answer.text)")
        }
        #expect(try world.send("PATCH", "\(resource.path)/\(made.id)", .object(["x-more": ["a": 1]])).body["x-more"] == ["a": 1], "\(resource.name)")
        #expect(try world.send("PATCH", "\(resource.path)/\(made.id)", .object(["x-more": .null])).body["x-more"] == nil, "\(resource.name)")
        #expect(try world.send("PATCH", "\(resource.path)/1", [:]).status == 404, "\(resource.name)")
    }

    @Sendable static func jsonPatch(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.change) else { return }
        let made = try make(resource.name, world, &context)
        let path = "\(resource.path)/\(made.id)"
        let patch = "application/json-patch+json"
        let added = try world.send("PATCH", path, [["op": "add", "path": "/x-tags", "value": [["n": "a"], ["n": "b"]]]], type: patch)
        #expect(added.status == 200 && added.body["x-tags"] == [["n": "a"], ["n": "b"]], "\(resource.name): \(added.text)")
        let replaced = try world.send("PATCH", path, [["op": "test", "path": "/x-tags/1/n", "value": "b"], ["op": "replace", "path": "/x-tags/1/n", "value": "c"]], type: patch)
        #expect(replaced.body["x-tags"] == [["n": "a"], ["n": "c"]], "\(resource.name): \(replaced.text)")
        let failed = try world.send("PATCH", path, [["op": "remove", "path": "/x-tags"], ["op": "test", "path": "/x-tags", "value": 1]], type: patch)
        #expect((400..<500).contains(failed.status), "\(resource.name): \(failed.text)")
        let query = try world.send(
            "PATCH", path, [["op": "replace", "path": "/x-tags/n?x-tags.n=a", "value": "z"]], type: "application/json-patch-query+json")
        #expect(query.body["x-tags"] == [["n": "z"], ["n": "c"]], "\(resource.name): \(query.text)")
        #expect(try world.send("PATCH", path, text: "a=1", type: "application/x-www-form-urlencoded").status == 415, "\(resource.name)")
        #expect(try world.send("GET", path).body["x-tags"] == [["n": "z"], ["n": "c"]], "\(resource.name)")
    }

    @Sendable static func versions(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.change) else { return }
        let made = try make(resource.name, world, &context)
        let path = "\(resource.path)/\(made.id)"
        let tag = try #require(made.header("ETag"))
        let first = try world.send("PATCH", path, ["x-v": 1], [("If-Match", tag)])
        #expect(first.status == 200, "\(resource.name): \(first.text)")
        let stale = try world.send("PATCH", path, ["x-v": 2], [("If-Match", tag)])
        #expect(stale.status == 412, "\(resource.name): \(stale.text)")
        if resource.verbs.contains(.remove) { #expect(try world.send("DELETE", path, nil, [("If-Match", tag)]).status == 412) }
        #expect(try world.send("GET", path).body["x-v"] == 1)
    }

    @Sendable static func keys(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else { return }
        let body = JSONValue.object(try sample.body(world, &context))
        let key = [("Idempotency-Key", "\"\(UUID().uuidString)\"")]
        let before = try total(world, resource)
        let once = try world.send("POST", resource.path, body, key)
        let again = try world.send("POST", resource.path, body, key)
        #expect(once.status == 201 && again.status == 201 && once.body == again.body, "\(resource.name): \(again.text)")
        var other = body.object ?? [:]
        other["x-other"] = 1
        #expect(try world.send("POST", resource.path, .object(other), key).status == 422, "\(resource.name)")
        if resource.verbs.contains(.list) { #expect(try total(world, resource) == before + 1, "\(resource.name)") }
    }

    @Sendable static func states(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard let states = resource.states else { return }
        #expect(states.next.values.allSatisfy { !$0.isEmpty })
        guard resource.verbs.contains(.change) else { return }
        let made = try make(resource.name, world, &context)
        let illegal = try #require(sample.illegal, "\(resource.name) has states, its sample no illegal one")
        let answer = try world.send("PATCH", "\(resource.path)/\(made.id)", .object([states.attribute: .string(illegal)]))
        let allowed = states.next[made.body[states.attribute]?.string ?? ""] ?? []
        // A word that no state has, ours or the specification's, is a mistake and no transition.
        var known = Set(states.next.values.joined()).union(states.next.keys).union(states.initial)
        if case .code(let words)? = resource.schema.types[resource.type]?[states.attribute]?.kind { known.formUnion(words) }
        let status = known.contains(illegal) ? 409 : 400
        #expect(answer.status == status && allowed.allSatisfy(answer.text.contains), "\(resource.name): \(answer.text)")
        let unknown = try world.send("PATCH", "\(resource.path)/\(made.id)", .object([states.attribute: "nosuch"]))
        #expect(unknown.status == 400 && unknown.text.contains(states.attribute), "\(resource.name): \(unknown.text)")
        #expect(try world.send("GET", "\(resource.path)/\(made.id)").body == made.body, "\(resource.name)")
    }

    @Sendable static func bodies(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.create) else { return }
        let before = try total(world, resource)
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        for (text, status) in [("", 400), ("{", 400), ("[]", 400), ("\"x\"", 400), ("{\"a\":\(deep)}", 400), ("{\"a\":1,}", 400), ("null", 400)] {
            let answer = try world.send("POST", resource.path, text: text)
            #expect(answer.status == status && answer.body["reason"]?.string != nil, "\(resource.name), body \(text.prefix(20)): \(answer.status) \(answer.text.prefix(200))")
        }
        #expect(try world.send("POST", resource.path, text: "a=1", type: "text/plain").status == 415, "\(resource.name)")
        #expect(try world.send("PUT", resource.path, [:]).status == 405, "\(resource.name)")
        #expect(try total(world, resource) == before, "\(resource.name): something was made")
    }

    @Sendable static func removal(_ world: ContractWorld, _ resource: TMFResource, _ sample: Sample, _ context: inout SampleContext) throws {
        guard resource.verbs.contains(.remove) else {
            if resource.verbs.contains(.read) { #expect(try world.send("DELETE", "\(resource.path)/1").status == 405, "\(resource.name)") }
            return
        }
        let made = try make(resource.name, world, &context)
        let path = "\(resource.path)/\(made.id)"
        let removed = try world.send("DELETE", path)
        #expect(removed.status == 204, "\(resource.name): \(removed.text)")
        for method in ["GET", "DELETE"] { #expect(try world.send(method, path).status == 404, "\(resource.name)") }
        #expect(try world.send("PATCH", path, [:]).status == (resource.verbs.contains(.change) ? 404 : 405), "\(resource.name)")
        #expect(try world.send("GET", "\(resource.path)?id=\(made.id)").items.isEmpty, "\(resource.name)")
    }
}
