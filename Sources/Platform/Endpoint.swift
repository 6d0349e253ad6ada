import Foundation
import HTTPTypes
import Kernel
import Storage
import Synchronization
import Web

/// A route of a domain: like `Route`, with the tenant at hand.
package struct Endpoint: Sendable {
    package let method: HTTPRequest.Method
    package let pattern: String
    package let access: Route.Access
    package let body: Route.Body
    package let trace: Route.Trace
    package let purpose: Purpose
    package let effect: Route.Effect
    package let scope: String?
    package let handler: @Sendable (Call) async throws -> WebResponse

    /// - Parameters:
    ///   - effect: what a change needs from its caller; looked at where `trace` is `.change`.
    ///   - scope: what a token has to have been given for this, one of `Module.scopes`; `nil` = no token opens it.
    package init(
        _ method: HTTPRequest.Method, _ pattern: String, _ access: Route.Access, body: Route.Body = .none,
        trace: Route.Trace, purpose: Purpose = .service, effect: Route.Effect = .overwrites, scope: String? = nil,
        handler: @escaping @Sendable (Call) async throws -> WebResponse
    ) {
        self.method = method
        self.pattern = pattern
        self.access = access
        self.body = body
        self.trace = trace
        self.purpose = purpose
        self.effect = effect
        self.scope = scope
        self.handler = handler
    }

    /// The route the gate serves. What a change needs is asked for before its handler runs, and a request that was answered
    /// before gets that answer (`Endpoint+Once`). A view or change that left no audit event is answered 500: it must not be possible to
    /// see or do something unseen (G55). That holds for every answer the handler makes itself, whatever its status: a
    /// form that comes back with 422 shows a record too. What is thrown shows nothing and needs no event; nor does a
    /// form of which the handler says that it holds what was typed and nothing else (`Call.showsOnlyWhatWasTyped`).
    package func route(tenants: @escaping @Sendable (String) async throws -> Tenant, site: SiteInfo) -> Route {
        let changes = trace == .change && method != .get
        return Route(method, pattern, access, body: body, trace: trace, purpose: purpose, effect: effect, scope: scope) {
            request in
            let tenant = try await tenants(request.tenant)
            let call =
                try changes ? changing(request, tenant, site) : Call(request: request, tenant: tenant, site: site)
            let answer = try await call.noticingWrites { try await changes ? once(call) : traced(call) }
            // A program has no cookies: it reads the primary database always.
            return call.hasWritten && request.session?.principal.scopes == nil
                ? answer.settingCookie(WebCookie.wrote, "1", maxAgeSeconds: Limits.staleReadSeconds) : answer
        }
    }

    /// Runs the handler and sees to it that what happened stands in the audit.
    func traced(_ call: Call) async throws -> WebResponse {
        let answer = try await handler(call)
        if trace != .none, call.auditCount == 0, !(answer.status.code >= 400 && call.isOnlyWhatWasTyped) {
            call.tenant.logger.error("audit.missing", metadata: ["route": "\(pattern)"])
            throw CRMError(
                "audit_missing", status: 500,
                Words(en: "This answer left no audit record and was withheld.", zh: "该操作未留下审计记录，已被拦截。"))
        }
        return answer
    }
}

/// What all pages of a site share.
package struct SiteInfo: Sendable {
    package let pages: Pages
    package let assets: String
    package let navigation: [NavigationEntry]
    package let permissions: [PermissionGrant]
    package let scopes: [APIScope]
    package let version: String
    package init(
        pages: Pages, assets: String, navigation: [NavigationEntry], permissions: [PermissionGrant],
        scopes: [APIScope] = [], version: String
    ) {
        self.pages = pages
        self.assets = assets
        self.navigation = navigation.sorted { $0.order < $1.order }
        self.permissions = permissions
        self.scopes = scopes
        self.version = version
    }
}

/// One request in the hands of a domain.
package final class Call: Sendable {
    package let request: WebRequest
    package let tenant: Tenant
    package let site: SiteInfo
    private let tally = Mutex(0)
    private let onlyTyped = Mutex(false)
    let repeats: Repeats
    private let wrote = Mutex(false)

    package init(request: WebRequest, tenant: Tenant, site: SiteInfo, repeats: Repeats = Repeats()) {
        self.request = request
        self.tenant = tenant
        self.site = site
        self.repeats = repeats
    }

    package var language: Language { request.language }
    package var form: Form { request.form }
    package var auditCount: Int { tally.withLock { $0 } }

    var isOnlyWhatWasTyped: Bool { onlyTyped.withLock { $0 } }

    /// Says that the refusal that follows is a form with the caller's own entries: nothing was changed, and no record is
    /// shown.
    package func showsOnlyWhatWasTyped() { onlyTyped.withLock { $0 = true } }

    /// The caller, with this route's purpose.
    package func principal() throws -> Principal { try request.principal().with(purpose: request.purpose) }
    package func masking() throws -> Masking { Masking(try request.principal()) }

    /// The text of a key in the caller's language.
    package func text(_ key: String) -> String { site.pages.texts.text(key, language) }

    /// `2026-01-31 16:00` in the tenant's zone.
    package func time(_ instant: Instant) -> String { instant.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes) }

    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await tenant.database.read(body)
    }

    /// For lists, figures and searches: data that may be a few seconds old, but never older than what the caller's browser
    /// has changed itself (ADR 0015).
    package func readRecent<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let user = request.session?.principal.userID
        let isProgram = request.session?.principal.scopes != nil
        let hasJustWritten =
            isProgram || hasWritten || WebCookie.value(WebCookie.wrote, in: request.headers) != nil
            || user.map(tenant.writers.contains) ?? false
        return try await tenant.database.read(hasJustWritten ? .fresh : .recent, body)
    }

    /// Whether the handler has changed anything. The record of a view does not count.
    var hasWritten: Bool { wrote.withLock { $0 } }

    func noticingWrites<T: Sendable>(_ body: () async throws -> T) async rethrows -> T {
        let notice = WriteNotice { [self] in
            wrote.withLock { $0 = true }
            if let user = request.session?.principal.userID { tenant.writers.note(user) }
        }
        return try await WriteNotice.$current.withValue(notice) { try await body() }
    }

    /// For what is no change of the route's kind, such as the audit of a refusal: the request's key is not part of it.
    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await tenant.database.write(body)
    }

    /// Records an audit event in the transaction of `session`.
    package func record(_ entry: AuditEntry, _ session: any SQLSession) throws {
        try record(entry, by: try principal(), session)
    }

    /// For anonymous routes (log-in), where the actor is not the session's.
    package func record(_ entry: AuditEntry, by principal: Principal, _ session: any SQLSession) throws {
        try tenant.audit.record(entry, by: principal, session)
        tally.withLock { $0 += 1 }
    }

    /// Records that personal data is about to be shown; call it before answering. More subjects than one event may have
    /// are split over several.
    package func recordView(_ entry: AuditEntry) async throws {
        let pieces = entry.subjects.isEmpty ? [[]] : entry.subjects.chunked(Limits.auditSubjectsMax)
        do {
            try await WriteNotice.withoutNotice {
                try await tenant.database.write { [self] session in
                    for piece in pieces {
                        try record(
                            AuditEntry(
                                entry.action, piece, facts: entry.facts, unmasked: entry.unmasked,
                                refused: entry.refused),
                            session)
                    }
                }
            }
        } catch let error as StorageError {
            throw AuditUnavailable(cause: error)
        }
    }

    /// What panels, cards and search sources are asked with.
    package func panelRequest(_ customers: [CustomerID] = []) throws -> PanelRequest {
        PanelRequest(
            customers: customers, principal: try principal(), masking: try masking(), language: language,
            now: tenant.clock.now(), assets: site.assets)
    }

    /// A page inside the shell.
    /// - Parameter title: already in the caller's language.
    /// - Parameter active: the path of the navigation entry to mark.
    package func page(
        _ template: String, title: String, active: String = "", _ view: View, status: HTTPResponse.Status = .ok
    ) -> WebResponse {
        .html(site.pages.render(template, view.merging(shell(title: title, active: active)), language), status: status)
    }

    /// A choice of layout kept in a cookie.
    private func preference(_ name: String, _ allowed: [String], _ fallback: String) -> String {
        let value = WebCookie.value("__Host-" + name, in: request.headers)
        return value.flatMap { allowed.contains($0) ? $0 : nil } ?? fallback
    }

    /// The key after `g` that opens an entry.
    private static let shortcuts = ["/": "h", "/customers": "c", "/risk": "r", "/imports": "i", "/models": "m"]

    /// The fields every template may use: `title csrf lang theme nonce assets user nav path flash ...`.
    package func shell(title: String, active: String) -> View {
        let principal = request.session?.principal
        let entries = site.navigation.filter { principal?.may($0.permission) ?? false }
        let query = request.query.fields.isEmpty ? "" : "?" + request.query.encoded
        let flash = WebCookie.value(WebCookie.flash, in: request.headers).flatMap(\.removingPercentEncoding)
        return [
            "title": .text(title), "csrf": .text(request.csrfToken), "formKey": .text(RandomText.token()),
            "lang": .text(language.tag),
            "isZh": .bool(language == .zh), "otherLang": .text(language == .zh ? "en" : "zh"),
            "theme": .text(request.theme), "themeLight": .bool(request.theme == "light"),
            "themeDark": .bool(request.theme == "dark"), "themeAuto": .bool(request.theme == "auto"),
            "nonce": .text(request.nonce), "assets": .text(site.assets), "version": .text(site.version),
            "density": .text(preference("density", ["compact", "normal", "roomy"], "normal")),
            "rail": .text(preference("rail", ["wide", "narrow"], "wide")),
            "maySearch": .bool(principal?.may(Permission("customers.view")) ?? false),
            "loggedIn": .bool(principal != nil), "userName": .text(principal?.userName ?? ""),
            "userInitial": .text(String((principal?.userName ?? "").prefix(1)).uppercased()),
            "userRoles": .text(principal?.roles.map { text("role.\($0.rawValue)") }.joined(separator: ", ")),
            "shortcuts": .bool(request.session?.shortcuts ?? true),
            "path": .text(request.method == .get ? request.path + query : active.isEmpty ? "/" : active),
            "flash": .text(flash.map { text($0) }),
            "zone": .text(Instant.zoneName(offsetMinutes: tenant.timeZoneOffsetMinutes)),
            "nav": .list(
                entries.enumerated().map { offset, entry in
                    [
                        "label": .text(text(entry.key)), "icon": .text(entry.icon), "path": .text(entry.path),
                        "active": .bool(entry.path == active), "first": .bool(offset < 4),
                        "go": .text(Self.shortcuts[entry.path]),
                    ]
                }),
        ]
    }
}
