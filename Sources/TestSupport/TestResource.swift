import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import Web

/// Customers that are there by their number, 1 to 99; who works for regions reaches the first ten.
package struct NumberedCustomers: CustomerReading {
    package init() {}
    package func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] {
        try reachable(ids, for: principal, session).sorted { $0.rawValue < $1.rawValue }.map {
            CustomerCard(
                id: $0, displayName: "N\($0.rawValue)", phone: nil, region: nil, segment: nil, monthlyCharge: nil, status: "active")
        }
    }
    package func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable { throw CRMError.notFound }
    package func reachable(
        _ ids: [CustomerID], for principal: Principal, _ session: any SQLSession
    ) throws -> Set<CustomerID> {
        Set(ids.filter { (1...(principal.scope.regions == nil ? 99 : 10)).contains($0.rawValue) })
    }
    package func customerCount(_ session: any SQLSession) throws -> Int { 99 }
}

/// A resource of the TM Forum interface without its routes: what a program would send goes to it at once.
package struct TestResource: Sendable {
    package let resource: TMFResource
    package let test: TestTenant
    package let principal: Principal

    /// - Parameter principal: `nil` = one who may see everything.
    package init(_ resource: TMFResource, _ test: TestTenant, _ principal: Principal? = nil) {
        self.resource = resource
        self.test = test
        self.principal = principal ?? Masking.lifted(TestTenant.principal([resource.view, resource.edit]))
    }

    private var desk: TMFDesk { TMFDesk(resource: resource, tenant: test.tenant, origin: "http://localhost") }
    private var context: TMFContext { TMFContext(tenant: test.tenant, principal: principal, now: test.clock.now()) }

    private func id(_ document: JSONObject) -> Int64 { document["id"]?.string.flatMap { Int64($0) } ?? 0 }

    package static func object(_ json: String) throws -> JSONObject {
        guard let object = try JSONValue.parse([UInt8](json.utf8)).object else { throw CRMError.notFound }
        return object
    }

    @discardableResult
    package func create(_ json: String) async throws -> JSONObject {
        let (desk, context, sent) = (desk, context, try Self.object(json))
        return try await test.tenant.database.write { try desk.create(sent, context, $0).1 }
    }

    @discardableResult
    package func change(_ document: JSONObject, _ json: String) async throws -> JSONObject {
        let (desk, context, id) = (desk, context, id(document))
        let patch = try TMFPatch("application/merge-patch+json", try JSONValue.parse([UInt8](json.utf8)))
        return try await test.tenant.database.write { try desk.change(id, patch, seen: nil, context, $0) }
    }

    package func read(_ document: JSONObject) async throws -> JSONObject {
        let (desk, principal, id) = (desk, principal, id(document))
        return try await test.tenant.database.read { try desk.document(id, principal, $0) }
    }

    package func remove(_ document: JSONObject) async throws {
        let (desk, context, id) = (desk, context, id(document))
        _ = try await test.tenant.database.write { try desk.remove(id, seen: nil, context, $0) }
    }

    /// All that meet conditions, at most 1,000.
    package func list(_ conditions: [(String, String)]) async throws -> [JSONObject] {
        let form = Form(conditions.map { (name: $0.0, value: $0.1) } + [(name: "limit", value: "1000")])
        let query = try TMFQuery(form, schema: resource.schema, type: resource.type)
        let (desk, principal) = (desk, principal)
        return try await test.tenant.database.read { try desk.list(query, principal, $0).documents }
    }

    /// The code with which something is refused; empty where it is not.
    package static func refusal(_ body: () async throws -> Void) async -> String {
        do { try await body() } catch { return (error as? CRMError)?.code ?? "\(error)" }
        return ""
    }

    /// Where a list by a column is not what the documents say; empty = nowhere.
    /// - Returns: also how many lists were compared.
    package func disagreements() async throws -> (compared: Int, [String]) {
        let all = try await list([])
        var (compared, found): (Int, [String]) = (0, [])
        for column in resource.store(test.tenant).table.columns {
            let path = column.path.description
            var values = Set(all.flatMap { column.path.values(in: $0) }.compactMap(Self.text))
            values.insert("1")
            for value in values.sorted() {
                let target = try resource.schema.target(column.path, of: resource.type, parameter: path)
                let expected = all.filter {
                    TMFMatch.meets($0, [TMFCondition(target, .eq, [value])], pattern: { _, _ in false })
                }.map(id).sorted()
                let listed: [Int64]
                do { listed = try await list([(path, value)]).map(id).sorted() } catch let error as CRMError {
                    // `1` is no time.
                    if value != "1" { found.append("\(path)=\(value): \(error.code)") }
                    continue
                }
                compared += 1
                if listed != expected { found.append("\(path)=\(value): \(listed) for \(expected)") }
            }
            guard column.sorts else { continue }
            compared += 1
            let sorted = try await list([("sort", path)]).compactMap { column.path.values(in: $0).first.flatMap(Self.text) }
            if sorted.count != all.count { found.append("sort=\(path) leaves some out") }
            let times = sorted.compactMap { TMFTime($0)?.milliseconds }
            if times != times.sorted() { found.append("sort=\(path) is not in order") }
        }
        return (compared, found)
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        case .bool(let flag): String(flag)
        default: nil
        }
    }

    /// Each pair of states between which a change is allowed: `created>terminated`, in order. `paths` leads to a state by what may
    /// follow what, so that each pair is tried with a resource of its own.
    package func allowedMoves(_ attribute: String, _ states: [String], sample: String) async throws -> [String] {
        var moves: [String] = []
        guard let machine = resource.states else { return moves }
        for from in states {
            guard let way = Self.way(from: machine.first, to: from, machine.next) else { continue }
            for to in states where to != from {
                var document = try await create(sample)
                for step in way { document = try await change(document, "{\"\(attribute)\":\"\(step)\"}") }
                let made = document
                if await Self.refusal({ try await change(made, "{\"\(attribute)\":\"\(to)\"}") }).isEmpty {
                    moves.append("\(from)>\(to)")
                }
            }
        }
        return moves
    }

    private static func way(from first: String, to last: String, _ next: [String: [String]]) -> [String]? {
        var ways: [(String, [String])] = [(first, [])]
        var seen: Set<String> = [first]
        while !ways.isEmpty {
            let (state, way) = ways.removeFirst()
            if state == last { return way }
            for one in next[state] ?? [] where seen.insert(one).inserted { ways.append((one, way + [one])) }
        }
        return nil
    }
}
