import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Every route of the table does what it says about its traces (G55): a view or a change leaves its one event, the others
/// leave none and change nothing.
@Suite("Traces of every route")
struct TraceTests {
    /// Routes that leave another number of events than one, and why.
    private static let documented: [String: Int] = [
        // The account and the link its owner sets the password with.
        "POST /users": 2,
        // Who brought the rows, and the import that was started with them.
        "POST /quarantine/replay": 2,
    ]

    @Test("a view or change leaves exactly its events, any other request leaves none and changes no row")
    func walk() async throws {
        let world = try await TraceWorld.make()
        let routes = world.scenario.runtime.routes
        let makers = TraceWorld.makers.merging(try await TraceWorld.resourceMakers(world.scenario)) { first, _ in first }
        let unknown = Set(routes.map(\.name)).symmetricDifference(makers.keys)
        #expect(unknown.isEmpty, "routes without a request maker, or makers without a route: \(unknown.sorted())")
        for route in routes.sorted(by: { $0.name < $1.name }) {
            guard let maker = makers[route.name] else { continue }
            let shot = try await maker(world)
            let before = try await world.state()
            let answer = try shot()
            let after = try await world.state()
            #expect(
                answer.status < 400,
                "\(route.name) answered \(answer.status): \(answer.text.prefix(300))")
            let events = after.events - before.events
            let changed = before.difference(after)
            switch route.trace {
            case .none:
                #expect(events == 0, "\(route.name) left \(events) events")
                #expect(changed.isEmpty, "\(route.name) changed \(changed)")
            case .view:
                #expect(events == Self.documented[route.name] ?? 1, "\(route.name) left \(events) events")
                #expect(changed.isEmpty, "\(route.name) changed \(changed)")
            case .change:
                #expect(events == Self.documented[route.name] ?? 1, "\(route.name) left \(events) events")
                #expect(!changed.isEmpty, "\(route.name) changed nothing")
            }
        }
        try await words(world)
    }

    /// What all those requests left behind can be read in words: actions, names of fields, facts.
    private func words(_ world: TraceWorld) async throws {
        let rows = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT action, unmasked, facts FROM platform_audit_event") {
                ($0.text(0), $0.text(1), $0.text(2))
            }
        }
        var keys: Set<String> = []
        for (action, unmasked, facts) in rows {
            keys.insert("audit.action." + action)
            for name in unmasked.split(separator: ",") where !name.hasPrefix("attr") {
                keys.insert("audit.name.\(name)")
            }
            let object = try JSONValue.parse(Array(facts.utf8)).object ?? [:]
            for key in object.keys { keys.insert("audit.fact." + key) }
            for panel in object["panels"]?.array ?? [] { keys.insert("audit.name." + (panel.string ?? "")) }
        }
        let texts = world.scenario.runtime.site.pages.texts
        let wordless = keys.filter { texts.words[$0] == nil }.sorted()
        #expect(keys.count > 60 && wordless.isEmpty, "without words: \(wordless)")
    }

    @Test("a preference kept in the account is traced, one of the browser is not")
    func preferences() async throws {
        let world = try await TraceWorld.make(customers: 0)
        let before = try await world.state()
        try world.stranger.post("/preferences", [("theme", "dark")])
        try world.supervisor.post("/preferences", [("density", "compact")])
        let same = try await world.state()
        #expect(same.events == before.events && before.difference(same).isEmpty)
        try world.supervisor.post("/preferences", [("theme", "dark")])
        #expect(try await world.state().events == before.events + 1)
    }
}
