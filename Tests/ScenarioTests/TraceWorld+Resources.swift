import Foundation
import TMF
import TestSupport
import Web

extension TraceWorld {
    /// Requests for the routes of every resource of the TM Forum interface, from the samples of their contract.
    static func resourceMakers(_ scenario: Scenario) async throws -> [String: Maker] {
        let world = try await ContractWorld(scenario)
        var result: [String: Maker] = [:]
        let resources = scenario.runtime.modules.resources
        for resource in resources + resources.compactMap(\.version5) {
            let (path, name) = (resource.path, resource.name)
            let made: @Sendable () throws -> String = {
                var context = SampleContext(withoutLines: true)
                guard resource.verbs.contains(.create) else { return try world.send("GET", path + "?limit=1").items.first?["id"]?.string ?? "" }
                return try Contract.make(name, world, &context).id
            }
            for verb in resource.verbs {
                switch verb {
                case .list: result["GET \(path)"] = { _ in { try world.send("GET", path + "?limit=2").raw } }
                case .read:
                    result["GET \(path)/{id}"] = { _ in
                        let id = try made()
                        return { try world.send("GET", "\(path)/\(id)").raw }
                    }
                case .create:
                    result["POST \(path)"] = { _ in
                        var context = SampleContext(withoutLines: true)
                        let sample = try Contract.sample(name).body(world, &context)
                        var body = path.contains("/v5/") ? resource.next?.shown(sample) ?? sample : sample
                        if path.contains("/v5/") { body["@type"] = .string(resource.type) }
                        return { [body] in try world.send("POST", path, .object(body)).raw }
                    }
                case .change:
                    result["PATCH \(path)/{id}"] = { _ in
                        let id = try made()
                        let sample = try Contract.sample(name).change
                        let change = path.contains("/v5/") ? resource.next?.shown(sample) ?? sample : sample
                        return { try world.send("PATCH", "\(path)/\(id)", .object(change)).raw }
                    }
                case .remove:
                    result["DELETE \(path)/{id}"] = { _ in
                        let id = try made()
                        return { try world.send("DELETE", "\(path)/\(id)").raw }
                    }
                }
            }
        }
        for api in Set(scenario.runtime.modules.resources.map(\.api)) {
            let isNext = scenario.runtime.modules.resources.contains { $0.api == api && $0.next != nil }
            for version in isNext ? [4, 5] : [4] {
                result.merge(hubMakers(base: api.base(version), scope: api.readScope)) { first, _ in first }
            }
        }
        return result
    }
}
