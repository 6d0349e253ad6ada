import Foundation
import Kernel
import Storage
import TestSupport
import Testing
import Web

@testable import Platform

@Suite("Audit")
struct AuditTests {
    @Test("an event holds who, what, whom, why, when and from where")
    func record() async throws {
        let tenant = try await TestTenant()
        let principal = Principal(
            tenant: "default", userID: UserID(5), userName: "李娜", roles: [.agent, .marketer], permissions: [],
            purpose: .marketing,
            address: "10.1.2.3", requestID: "r-1")
        let entry = AuditEntry(
            "customers.customer.view", [.customer(CustomerID(11)), .user(UserID(12)), .customer(CustomerID(11))],
            facts: ["count": .int(2), "name": .string("a\r\n\u{1B}[31m")], unmasked: ["name", "phone"], refused: false)
        try await tenant.tenant.database.write { try tenant.tenant.audit.record(entry, by: principal, $0) }
        let row = try await tenant.tenant.database.read { session in
            try session.first(
                """
                SELECT at, actor_id, actor_name, roles, action, purpose, address, request_id, unmasked, facts, refused
                FROM platform_audit_event
                """
            ) { row in
                #expect(row.time(0) == tenant.clock.now())
                #expect(!row.bool(10))
                return [
                    row.text(2), row.text(3), row.text(4), row.text(5), row.text(6), row.text(7), row.text(8),
                    "\(row.int(1))", row.text(9),
                ]
            }
        }
        #expect(
            row == [
                "李娜", "agent,marketer", "customers.customer.view", "marketing", "10.1.2.3", "r-1", "name,phone", "5",
                #"{"count":2,"name":"a\r\n\u001b[31m"}"#,
            ])
        let subjects = try await tenant.tenant.database.read { session in
            try session.query("SELECT subject_id, subject_kind FROM platform_audit_subject ORDER BY subject_id") {
                "\($0.int(0)) \($0.text(1))"
            }
        }
        #expect(subjects == ["11 customer", "12 user"])
    }

    @Test("of many subjects each is recorded, one that is named twice once")
    func manySubjects() async throws {
        let tenant = try await TestTenant()
        let ids = (1...Int64(400)).map { CustomerID($0) }
        let subjects = (ids + ids.prefix(100)).map { AuditSubject.customer($0) }
        try await tenant.tenant.database.write { session in
            try tenant.tenant.audit.record(AuditEntry("a.b.c", subjects), by: TestTenant.principal([]), session)
        }
        let found = try await tenant.tenant.database.read { session in
            try session.query(
                """
                SELECT s.subject_id, s.subject_kind, e.action FROM platform_audit_subject s
                JOIN platform_audit_event e ON e.id = s.event_id ORDER BY s.subject_id
                """
            ) { "\($0.int(0)) \($0.text(1)) \($0.text(2))" }
        }
        #expect(found == (1...400).map { "\($0) customer a.b.c" })
    }

    @Test("an event goes with its transaction: no change without it, no event without the change")
    func transaction() async throws {
        let tenant = try await TestTenant()
        let principal = TestTenant.principal([])
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await tenant.tenant.database.write { session in
                try tenant.tenant.audit.record(AuditEntry("a.b.c"), by: principal, session)
                throw Failure()
            }
        }
        #expect(try await tenant.auditCount("a.b.c") == 0)
    }

    @Test("when the audit cannot be written, the change is undone and the answer is 503")
    func unavailable() async throws {
        let tenant = try await TestTenant()
        try await tenant.tenant.database.write { session in
            try session.execute("CREATE TABLE change (id BIGINT)")
            _ = try session.execute("DROP TABLE platform_audit_event")
        }
        let principal = TestTenant.principal([])
        let error = await #expect(throws: AuditUnavailable.self) {
            try await tenant.tenant.database.write { session in
                try session.execute("INSERT INTO change (id) VALUES (1)")
                try tenant.tenant.audit.record(AuditEntry("a.b.c"), by: principal, session)
            }
        }
        #expect(error?.crmError.status == 503 && error?.crmError.code == "audit_unavailable")
        #expect(try await tenant.tenant.database.read { try $0.count("SELECT COUNT(*) FROM change") } == 0)
    }

    @Test("a failure to write the subjects is a failure of the audit, too")
    func subjectsUnavailable() async throws {
        let tenant = try await TestTenant()
        try await tenant.tenant.database.write { _ = try $0.execute("DROP TABLE platform_audit_subject") }
        let principal = TestTenant.principal([])
        await #expect(throws: AuditUnavailable.self) {
            try await tenant.tenant.database.write { session in
                try tenant.tenant.audit.record(AuditEntry("a.b.c", [.customer(CustomerID(1))]), by: principal, session)
            }
        }
        #expect(try await tenant.auditCount("a.b.c") == 0)
    }

    @Test(
        "storage errors are answered by what they mean",
        arguments: [
            (.uniqueViolation, 409), (.constraintViolation, 409), (.busy, 503), (.connection, 503),
            (.outcomeUnknown, 503), (.full, 503),
            (.io, 503), (.statement, 500), (.other, 500),
        ] as [(StorageError.Kind, Int)])
    func storageErrors(kind: StorageError.Kind, status: Int) {
        let answer = StorageError(kind, "UNIQUE constraint failed: x_y.z").crmError
        #expect(answer.status == status)
        #expect(!answer.message.en.contains("x_y"))
        #expect((answer.retryAfterSeconds != nil) == (status == 503))
    }

    @Test("the reader finds events by action, actor, customer and time, newest first, page by page")
    func reader() async throws {
        let tenant = try await TestTenant()
        let reader = AuditReader()
        for number in 0..<10 {
            tenant.clock.advance(seconds: 60)
            let principal = TestTenant.principal([], userID: UserID(Int64(number % 2 + 1)))
            let entry = AuditEntry(
                number % 5 == 0 ? "identity.user.create" : "customers.customer.view",
                [.customer(CustomerID(Int64(100 + number % 3)))], facts: ["n": .int(Int64(number))],
                refused: number == 7)
            try await tenant.tenant.database.write { try tenant.tenant.audit.record(entry, by: principal, $0) }
        }
        func numbers(_ change: (inout AuditReader.Filter) -> Void, before: AuditID? = nil, limit: Int = 50) async throws
            -> ([Int64], AuditID?)
        {
            var filter = AuditReader.Filter()
            change(&filter)
            let wanted = filter
            let page = try await tenant.tenant.database.read {
                try reader.page(wanted, before: before, limit: limit, $0)
            }
            return (page.items.compactMap { $0.facts["n"]?.int }, page.next.flatMap { AuditID($0) })
        }
        #expect(try await numbers { _ in }.0 == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
        #expect(try await numbers { $0.action = "identity.user" }.0 == [5, 0])
        #expect(try await numbers { $0.action = "identity.user.create" }.0 == [5, 0])
        #expect(try await numbers { $0.action = "identity.use" }.0 == [])
        #expect(try await numbers { $0.actor = UserID(1) }.0 == [8, 6, 4, 2, 0])
        #expect(try await numbers { $0.customer = CustomerID(101) }.0 == [7, 4, 1])
        #expect(try await numbers { $0.refusedOnly = true }.0 == [7])
        let end = tenant.clock.now()
        #expect(
            try await numbers {
                $0.from = end.adding(seconds: -60); $0.until = end
            }.0 == [8])
        let (first, next) = try await numbers({ _ in }, limit: 4)
        #expect(first == [9, 8, 7, 6])
        let (second, _) = try await numbers({ _ in }, before: next, limit: 4)
        #expect(second == [5, 4, 3, 2])
        let (ofCustomer, more) = try await numbers({ $0.customer = CustomerID(100) }, limit: 2)
        #expect(ofCustomer == [9, 6])
        #expect(try await numbers({ $0.customer = CustomerID(100) }, before: more, limit: 2).0 == [3, 0])
    }
}
