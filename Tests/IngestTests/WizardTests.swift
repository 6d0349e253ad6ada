import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest
@testable import Web

/// The wizard's pages through their endpoints, without a server.
struct Wizard {
    let bench: Bench
    let site: SiteInfo
    let endpoints: [Endpoint]
    let language: Language

    init(_ bench: Bench, language: Language) throws {
        self.bench = bench
        self.language = language
        let target = bench.target
        let module = IngestModule(share: Checkout.share) { _ in target }
        site = SiteInfo(
            pages: try Pages(share: Checkout.share), assets: "/assets/x", navigation: module.navigation,
            permissions: module.permissions, version: "test")
        endpoints = module.endpoints(site)
    }

    /// Calls the endpoint as the route would.
    func call(
        _ method: HTTPRequest.Method, _ pattern: String, _ run: ImportRunID? = nil, query: String = "",
        form: String? = nil, as principal: Principal? = nil, seen: String? = nil
    ) async throws -> (response: WebResponse, audits: Int) {
        let endpoint = try #require(endpoints.first { $0.method == method && $0.pattern == pattern })
        let request = WebRequest(
            method: method, path: pattern.replacing("{id}", with: run.map { "\($0)" } ?? ""),
            query: try Form.parse(query), headers: [:], parameters: run.map { ["id": "\($0)"] } ?? [:],
            tenant: "default", requestID: "r", address: "127.0.0.1", language: language, theme: "light",
            session: SessionState(principal: principal ?? bench.principal, language: language, theme: nil),
            csrfToken: "token", cookieToken: "cookie", nonce: "nonce", purpose: .administration,
            body: try form.map { .form(try Form.parse($0)) } ?? .none)
        let version: String? =
            if let seen { seen } else if let run { try await bench.service.run(run).run.version } else { nil }
        let call = Call(request: request, tenant: bench.tenant, site: site, repeats: Repeats(seen: version.map { [$0] }))
        return (try await endpoint.handler(call), call.auditCount)
    }

    func page(
        _ pattern: String, _ run: ImportRunID? = nil, query: String = "", as principal: Principal? = nil
    ) async throws -> String {
        let (response, _) = try await call(.get, pattern, run, query: query, as: principal)
        return String(decoding: try await response.collectedBody(), as: UTF8.self)
    }
}

@Suite("The wizard")
struct WizardTests {
    /// What every page owes: no text key left, each form with its token, nothing personal in an address.
    private func check(_ html: String, _ name: String) {
        #expect(html.hasPrefix("<!doctype html>"), "\(name)")
        #expect(!html.contains("[[") && !html.contains("{{"), "\(name)")
        let forms = html.components(separatedBy: "method=\"post\"").count - 1
        #expect(html.components(separatedBy: "name=\"_csrf\" value=\"token\"").count - 1 == forms, "\(name)")
        #expect(!html.contains(" style=") && !html.contains("onclick="), "\(name)")
    }

    @Test("a dry run that rejects every row shows why, and the mapping offers what the reasons ask for")
    func hopeless() async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: .en)
        let draft = try await bench.draft(
            "Customer ID,Name,Born\nK1,One,36934\nK2,Two,36935\n", name: "hopeless.csv")
        _ = try await wizard.call(
            .post, "/imports/{id}/mapping", draft.run,
            form: "to.0=source_id&to.1=name&to.2=birth_date&match_key=source_id&creates=1&source=test&then=dry_run")
        try await bench.test.drain(jobs: bench.service.jobs)
        let page = try await wizard.page("/imports/{id}", draft.run)
        check(page, "mapping after a dry run")
        #expect(page.contains("id=\"mapping\"") && page.contains("were rejected"))
        #expect(page.contains("id=\"reasons\""), "why")
        #expect(page.contains("/planned-rejects\""), "and the rows")
        #expect(page.contains("name=\"order.2\"") && page.contains("name=\"excel.2\""), "of a column read as a date")
        #expect(!page.contains("name=\"excel.1\""))
    }

    @Test("each step renders in both languages, from the empty list to the reverted run", arguments: Language.allCases)
    func steps(language: Language) async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: language)
        check(try await wizard.page("/imports"), "empty list")
        check(try await wizard.page("/imports/new"), "new")
        _ = try await bench.importText(sampleCSV(rows: 3), name: "first.csv")
        let text = sampleCSV(rows: 8, charge: 30) + "K9,\"open\nK10,Ten,nope,1,s\nK1,Twice,,1,s\n"
        let draft = try await bench.draft(text, name: "wizard.csv")
        let mapping = try await wizard.page("/imports/{id}", draft.run)
        check(mapping, "mapping")
        #expect(mapping.contains("name=\"to.4\"") && mapping.contains("value=\"attribute:text\" selected"))
        let posted = try await wizard.call(
            .post, "/imports/{id}/mapping", draft.run,
            form: "to.0=source_id&to.1=name&to.2=phone&to.3=monthly_charge&to.4=attribute%3Atext&match_key=source_id"
                + "&creates=1&updates=1&source=test&then=dry_run")
        #expect(posted.response.status.code == 303 && posted.audits == 2)
        check(try await wizard.page("/imports/{id}", draft.run), "dry run in progress")
        try await bench.test.drain(jobs: bench.service.jobs)
        let plan = try await wizard.page("/imports/{id}", draft.run)
        check(plan, "plan")
        for (count, value) in [("read", 11), ("created", 5), ("updated", 3), ("unchanged", 0), ("rejected", 3)] {
            #expect(plan.contains("data-count=\"\(count)\">\(value)<"), "\(count)")
        }
        #expect(plan.contains("/planned-rejects"))
        check(try await wizard.page("/imports/{id}", draft.run, query: "step=mapping"), "mapping again")
        let started = try await wizard.call(.post, "/imports/{id}/start", draft.run, form: "")
        #expect(started.response.status.code == 303 && started.audits == 1)
        check(try await wizard.page("/imports/{id}", draft.run), "running")
        let progress = try await wizard.page("/imports/{id}/progress", draft.run)
        #expect(progress.contains("\"finished\":false"))
        try await bench.test.drain(jobs: bench.service.jobs)
        let result = try await wizard.page("/imports/{id}", draft.run)
        check(result, "result")
        #expect(result.contains("id=\"revert\"") && result.contains("/rejects"))
        #expect(try await wizard.page("/imports/{id}/rejects", draft.run).contains("K10,Ten,nope"))
        _ = try await wizard.call(.post, "/imports/{id}/reversal", draft.run, form: "")
        check(try await wizard.page("/imports/{id}", draft.run), "reverting")
        try await bench.test.drain(jobs: bench.service.jobs)
        let reverted = try await wizard.page("/imports/{id}", draft.run)
        check(reverted, "reverted")
        #expect(!reverted.contains("alert warn"), "that it was taken back is said once, and is no warning")
        check(try await wizard.page("/imports"), "list")
        #expect(TemplateMisses.all.isEmpty, "\(TemplateMisses.all)")
    }

    @Test("who did not bring the file sees its values masked and gets no reject file")
    func masked() async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: .en)
        let draft = try await bench.draft(sampleCSV(rows: 5) + "K9,Name 9,nope,1,s\n")
        let other = TestTenant.principal([ImportService.permission], roles: [.administrator], userID: UserID(7))
        let own = try await wizard.page("/imports/{id}", draft.run)
        #expect(own.contains("13800000001") && own.contains("Name 1"))
        let theirs = try await wizard.page("/imports/{id}", draft.run, as: other)
        #expect(!theirs.contains("13800000001") && !theirs.contains("Name 1") && !theirs.contains("Seg 1"))
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let plan = try await wizard.page("/imports/{id}", draft.run, as: other)
        #expect(!plan.contains("13800000001") && !plan.contains("Name 1") && !plan.contains("Seg 1"))
        #expect(!plan.contains("planned-rejects"))
        let error = await #expect(throws: CRMError.self) {
            _ = try await wizard.call(.get, "/imports/{id}/planned-rejects", draft.run, as: other)
        }
        #expect(error?.status == 403)
    }

    @Test("an id that is none, or nobody's, is not found on every route")
    func foreign() async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: .en)
        for endpoint in wizard.endpoints where endpoint.pattern.contains("{id}") {
            let form = endpoint.method == .post ? "match_key=none" : nil
            let error = await #expect(throws: CRMError.self, "\(endpoint.pattern)") {
                _ = try await wizard.call(endpoint.method, endpoint.pattern, ImportRunID(42), form: form)
            }
            #expect(error?.status == 404, "\(endpoint.method) \(endpoint.pattern)")
        }
    }

    @Test("every route asks for the permission and every change is traced")
    func routes() async throws {
        let wizard = try Wizard(try await Bench(), language: .en)
        for endpoint in wizard.endpoints {
            let rights = [
                ImportService.permission, ImportService.quarantinePermission, RulePages.permission,
                LineagePages.permission, IntakeService.manage,
            ]
            #expect(rights.contains { endpoint.access == .permission($0) }, "\(endpoint.pattern)")
            if endpoint.method == .post { #expect(endpoint.trace == .change) }
        }
    }
}
