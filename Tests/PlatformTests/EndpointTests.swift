import Crypto
import Foundation
import HTTPTypes
import Kernel
import Logging
import Storage
import TestSupport
import Testing

@testable import Platform
@testable import Web

@Suite("Endpoints")
struct EndpointTests {
    func site() throws -> SiteInfo {
        let root = NSTemporaryDirectory() + "switchboard-endpoint-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/Demo/Templates", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/Demo/Texts", withIntermediateDirectories: true)
        try "{{<web/shell}}{{$content}}{{x}}{{/content}}{{/web/shell}}"
            .write(toFile: root + "/Demo/Templates/a.mustache", atomically: true, encoding: .utf8)
        try "role.agent\tAgent\t坐席\nnav.a\tFirst\t第一\nnav.b\tSecond\t第二\nsaved\tSaved\t已保存\n"
            .write(toFile: root + "/Demo/Texts/demo.tsv", atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/Web", withDestinationPath: Checkout.root + "/Sources/Web")
        return SiteInfo(
            pages: try Pages(share: ShareFolder(root: root)), assets: "/assets/0",
            navigation: [
                NavigationEntry(key: "nav.b", icon: "b", path: "/b", permission: Permission("b.view"), order: 20),
                NavigationEntry(key: "nav.a", icon: "a", path: "/a", permission: Permission("a.view"), order: 10),
            ], permissions: [], version: "1")
    }

    func request(
        _ method: HTTPRequest.Method = .get, _ path: String = "/a",
        principal: Principal? = TestTenant.principal([Permission("a.view")]),
        purpose: Purpose = .service, headers: HTTPFields = [:], query: Form = Form([]), language: Language = .en
    ) -> WebRequest {
        WebRequest(
            method: method, path: path, query: query, headers: headers, parameters: [:], tenant: "default",
            requestID: "r",
            address: "127.0.0.1", language: language, theme: "dark",
            session: principal.map { SessionState(principal: $0, language: nil, theme: nil) }, csrfToken: "csrf-token",
            cookieToken: "c", nonce: "n", purpose: purpose, body: .none)
    }

    private func answer(
        _ trace: Route.Trace, _ tenant: TestTenant, method: HTTPRequest.Method = .get,
        _ handler: @escaping @Sendable (Call) async throws -> WebResponse
    ) async throws -> WebResponse {
        let endpoint = Endpoint(
            method, "/a", .permission(Permission("a.view")), trace: trace, purpose: .retention, effect: .same("a test"),
            handler: handler)
        let route = endpoint.route(tenants: { _ in tenant.tenant }, site: try site())
        #expect(route.pattern == "/a" && route.trace == trace && route.purpose == .retention)
        return try await route.handler(request(method, purpose: route.purpose))
    }

    @Test(
        "a view or change that left nothing in the audit is withheld with 500", arguments: [Route.Trace.view, .change])
    func withheld(trace: Route.Trace) async throws {
        let tenant = try await TestTenant()
        let error = await #expect(throws: CRMError.self) {
            try await answer(trace, tenant, method: .post) { _ in .text("personal data") }
        }
        #expect(error?.status == 500 && error?.code == "audit_missing")
    }

    @Test(
        "one that recorded what it did is answered; nothing to trace needs nothing",
        arguments: [Route.Trace.none, .view, .change])
    func recorded(trace: Route.Trace) async throws {
        let tenant = try await TestTenant()
        let response = try await answer(trace, tenant) { call in
            if trace == .view { try await call.recordView(AuditEntry("demo.thing.view", [.customer(CustomerID(1))])) }
            if trace == .change { try await call.write { try call.record(AuditEntry("demo.thing.change"), $0) } }
            return .text("ok")
        }
        #expect(response.status == .ok)
        #expect(try await tenant.auditCount("demo.thing.\(trace.rawValue)") == (trace == .none ? 0 : 1))
        if trace != .none {
            let purpose = try await tenant.tenant.database.read {
                try $0.first("SELECT purpose FROM platform_audit_event") { $0.text(0) }
            }
            #expect(purpose == "retention")
        }
    }

    @Test(
        "an answer the handler makes itself is withheld without an event, whatever its status; what is thrown, and a form with what was typed, need none",
        arguments: [Route.Trace.view, .change])
    func refused(trace: Route.Trace) async throws {
        let tenant = try await TestTenant()
        let withheld = await #expect(throws: CRMError.self) {
            try await answer(trace, tenant) { _ in .text("a record", status: .unprocessableContent) }
        }
        #expect(withheld?.code == "audit_missing" && withheld?.status == 500)
        let shown = try await answer(trace, tenant) { call in
            try await call.recordView(AuditEntry("demo.thing.view"))
            return .text("a record", status: .conflict)
        }
        #expect(shown.status == .conflict)
        let form = try await answer(trace, tenant) { call in
            call.showsOnlyWhatWasTyped()
            return .text("no", status: .unprocessableContent)
        }
        #expect(form.status == .unprocessableContent)
        let misused = await #expect(throws: CRMError.self) {
            try await answer(trace, tenant) { call in
                call.showsOnlyWhatWasTyped()
                return .text("ok")
            }
        }
        #expect(misused?.code == "audit_missing")
        let error = await #expect(throws: CRMError.self) {
            try await answer(trace, tenant) { _ in throw CRMError.notFound }
        }
        #expect(error?.status == 404)
    }

    @Test("a view of more customers than one event holds is split over several")
    func manySubjects() async throws {
        let tenant = try await TestTenant()
        let subjects = (1...1_201).map { AuditSubject.customer(CustomerID(Int64($0))) }
        _ = try await answer(.view, tenant) { call in
            try await call.recordView(AuditEntry("demo.list.view", subjects))
            return .text("ok")
        }
        #expect(try await tenant.auditCount("demo.list.view") == 3)
        let kept = try await tenant.tenant.database.read { try $0.count("SELECT COUNT(*) FROM platform_audit_subject") }
        #expect(kept == 1_201)
    }

    @Test("when the view cannot be recorded, nothing is shown")
    func failsClosed() async throws {
        let tenant = try await TestTenant()
        try await tenant.tenant.database.write { _ = try $0.execute("DROP TABLE platform_audit_event") }
        await #expect(throws: AuditUnavailable.self) {
            try await answer(.view, tenant) { call in
                try await call.recordView(AuditEntry("demo.thing.view"))
                return .text("personal data")
            }
        }
    }

    @Test("a page in the shell has the caller's navigation, token, language and message, and no tag is missing")
    func page() async throws {
        let tenant = try await TestTenant()
        var headers = HTTPFields()
        headers[.cookie] = "\(WebCookie.flash)=saved"
        let call = Call(
            request: request(.get, "/a", headers: headers, query: Form([("page", "2")]), language: .zh),
            tenant: tenant.tenant,
            site: try site())
        let view = call.shell(title: "T", active: "/a")
        guard case .list(let nav)? = view["nav"], case .text(let flash)? = view["flash"],
            case .text(let path)? = view["path"]
        else {
            return #expect(Bool(false), "nav, flash and path are given")
        }
        #expect(nav.count == 1 && flash == "已保存" && path == "/a?page=2")
        let before = Set(TemplateMisses.all)
        let html = call.site.pages.render("demo/a", (["x": "<b>"] as View).merging(view), .zh)
        #expect(
            html.contains("csrf-token") && html.contains("第一") && !html.contains("第二") && html.contains("&lt;b&gt;"))
        #expect(html.contains("lang=\"zh-CN\"") && html.contains("aria-current=\"page\"") && html.contains("坐席"))
        #expect(Set(TemplateMisses.all).subtracting(before).isEmpty)
    }

    @Test("without a session there is no principal, no masking and no navigation")
    func anonymous() async throws {
        let tenant = try await TestTenant()
        let call = Call(request: request(principal: nil), tenant: tenant.tenant, site: try site())
        #expect(throws: CRMError.self) { try call.principal() }
        #expect(throws: CRMError.self) { try call.masking() }
        guard case .list(let nav)? = call.shell(title: "", active: "")["nav"] else { return #expect(Bool(false)) }
        #expect(nav.isEmpty)
    }
}
