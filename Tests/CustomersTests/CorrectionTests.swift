import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// A correction by hand and the files of the source that follow (ADR 0076).
@Suite("Corrections by hand")
struct CorrectionTests {
    private static let row = ["source_id": "B1", "full_name": "王芳", "email": "fang@exmple.com", "city": "杭州"]

    private func correct(_ desk: MatchDesk, _ id: CustomerID, _ email: String) async throws {
        let store = CustomerStore(tenant: desk.tenant)
        let who = TestTenant.principal([CustomerPermissions.view, CustomerPermissions.edit], roles: [.supervisor])
        try await desk.tenant.database.write { session in
            let edition = try store.read(id, who, session).customer.edition
            try store.change(id, edition: edition, by: who, record: { _ in }, session) { _, after in
                for place in after.contacts.indices where after.contacts[place].kind == .email { after.contacts[place].value = email }
            }
        }
    }

    private func email(_ desk: MatchDesk, _ id: CustomerID) async throws -> String? {
        try await desk.tenant.database.read { try CustomerLoader.record(id, $0)?.contacts.first { $0.kind == .email }?.value }
    }

    @Test("the same file again leaves it, what the source says anew is taken, and the old value again is news then")
    func stands() async throws {
        let desk = try await MatchDesk()
        let id = try #require(try await desk.bring("billing", [Self.row]).ids.first)
        try await correct(desk, id, "fang@example.com")
        guard case .unchanged? = try await desk.bring("billing", [Self.row]).outcomes.first else {
            Issue.record("the row says nothing new")
            return
        }
        #expect(try await email(desk, id) == "fang@example.com")
        // Beside it something else that is new.
        let moved = try await desk.bring("billing", [Self.row.merging(["city": "宁波"]) { $1 }])
        guard case .updated(_, let changes, _)? = moved.outcomes.first else {
            Issue.record("the city is new")
            return
        }
        #expect(changes.map(\.field).contains("city") && !changes.map(\.field).contains("email"))
        #expect(try await email(desk, id) == "fang@example.com")
        _ = try await desk.bring("billing", [Self.row.merging(["email": "fang.wang@example.com"]) { $1 }])
        #expect(try await email(desk, id) == "fang.wang@example.com")
        _ = try await desk.bring("billing", [Self.row])
        #expect(try await email(desk, id) == "fang@exmple.com")
    }

    @Test("corrected twice it stands against the first value; set back to that there is nothing to keep; a removed customer leaves nothing")
    func twice() async throws {
        let desk = try await MatchDesk()
        let id = try #require(try await desk.bring("billing", [Self.row]).ids.first)
        try await correct(desk, id, "f@example.com")
        try await correct(desk, id, "fang@example.com")
        _ = try await desk.bring("billing", [Self.row])
        #expect(try await email(desk, id) == "fang@example.com")
        func kept() async throws -> Int { try await desk.tenant.database.read { try $0.count("SELECT COUNT(*) FROM customers_correction") } }
        #expect(try await kept() == 1)
        try await correct(desk, id, "fang@exmple.com")
        #expect(try await kept() == 0)
        try await correct(desk, id, "f@example.com")
        let tenant = desk.tenant
        try await tenant.database.write { session in
            let record = try #require(try CustomerLoader.record(id, session))
            try CustomerWriter(ids: tenant.ids, session).remove([record], session)
        }
        #expect(try await kept() == 0)
    }

    @Test("a segment given to many by hand stands as well")
    func segments() async throws {
        let desk = try await MatchDesk()
        let row = Self.row.merging(["segment": "silver"]) { $1 }
        let id = try #require(try await desk.bring("billing", [row]).ids.first)
        let store = CustomerStore(tenant: desk.tenant)
        let who = TestTenant.principal([CustomerPermissions.view, CustomerPermissions.edit], roles: [.supervisor])
        let count = try await desk.tenant.database.write { try store.setSegment("gold", for: [id], by: who, record: { _ in }, $0) }
        _ = try await desk.bring("billing", [row])
        let segment = try await desk.tenant.database.read { try CustomerLoader.record(id, $0)?.customer.segment }
        #expect(count == 1 && segment == "gold")
    }
}
