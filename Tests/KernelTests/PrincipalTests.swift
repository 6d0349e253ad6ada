import Foundation
import Kernel
import Testing

@Suite("Principals, permissions, errors")
struct PrincipalTests {
    static let view = Permission("customers.view")

    @Test("nobody may anything unless it was granted, not even the system")
    func deniedByDefault() {
        let system = Principal.system(tenant: "default", "migrate")
        #expect(!system.may(Self.view))
        #expect(system.userID == nil && system.roles.isEmpty)
        #expect(Principal.system(tenant: "default", "x", permissions: [Self.view]).may(Self.view))
    }

    @Test("a missing permission is refused with 403 and named in both languages")
    func forbidden() throws {
        let error = #expect(throws: CRMError.self) {
            try Principal.system(tenant: "t", "x").require(Self.view)
        }
        #expect(error?.status == 403)
        #expect(error?.code == "forbidden")
        #expect(error?.message.en.contains("customers.view") == true)
        #expect(error?.message.zh.contains("customers.view") == true)
        try Principal.system(tenant: "t", "x", permissions: [Self.view]).require(Self.view)
    }

    @Test("a change of purpose changes nothing else")
    func purpose() {
        let before = Principal(
            tenant: "t", userID: UserID(4), userName: "li", roles: [.agent, .marketer], permissions: [Self.view],
            scope: RecordScope(regions: ["north"], teams: ["a"]), purpose: .service, address: "10.0.0.1", requestID: "r"
        )
        let after = before.with(purpose: .marketing)
        #expect(after.purpose == .marketing)
        #expect(after.userID == before.userID && after.userName == "li" && after.roles == before.roles)
        #expect(after.permissions == before.permissions && after.scope == before.scope)
        #expect(after.address == "10.0.0.1" && after.requestID == "r" && after.tenant == "t")
    }

    @Test("exactly the three separated powers are powers")
    func powers() {
        #expect(Set(Role.allCases.filter(\.isPower)) == [.administrator, .security, .auditor])
    }

    @Test("permissions are equal, ordered and stored by their name")
    func permissionValues() throws {
        #expect(Permission("a.b") == Permission(rawValue: "a.b"))
        #expect([Permission("b"), Permission("a")].sorted().map(\.rawValue) == ["a", "b"])
        let json = try JSONEncoder().encode([Self.view])
        #expect(String(decoding: json, as: UTF8.self) == #"["customers.view"]"#)
    }

    @Test("errors carry their status, fields and retry time")
    func errors() {
        let words = Words(en: "e", zh: "中")
        #expect(CRMError.notFound.status == 404)
        #expect(CRMError.loginRequired.status == 401)
        #expect(CRMError.badRequest("x", words).status == 400)
        #expect(CRMError.conflict("x", words).status == 409)
        #expect(CRMError.unavailable("x", words).status == 503)
        #expect(CRMError.unavailable("x", words).retryAfterSeconds == 5)
        let invalid = CRMError.invalid("name", "too_long", words)
        #expect(invalid.status == 422)
        #expect(invalid.fields == [.init(field: "name", code: "too_long", message: words)])
        #expect("\(invalid)" == "too_long: e")
        #expect(words[.en] == "e" && words[.zh] == "中")
    }
}
