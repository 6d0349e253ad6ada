import Kernel
import Storage
import Synchronization
import Web

/// What a change came with, and what became of it.
package final class Repeats: Sendable {
    /// `nil` = the request has none, or its route looks at none.
    let key: Mutex<RequestKey?>
    /// Versions, any of which may be the present one.
    let seen: [String]?
    /// The route's name, for the audit.
    let route: String
    private struct State { var isKept = false; var isSeenUsed = false }
    private let state = Mutex(State())

    package init(key: RequestKey? = nil, seen: [String]? = nil, route: String = "") {
        self.key = Mutex(key)
        self.seen = seen
        self.route = route
    }

    var isKept: Bool { state.withLock { $0.isKept } }
    var isSeenUsed: Bool { state.withLock { $0.isSeenUsed } }
    func kept() { state.withLock { $0.isKept = true } }
    func seenIsUsed() { state.withLock { $0.isSeenUsed = true } }
}

extension Endpoint {
    /// - Throws: 400 without the key, 428 without the version that the route's effect asks for.
    func changing(_ request: WebRequest, _ tenant: Tenant, _ site: SiteInfo) throws -> Call {
        let key = effect.key == .none ? nil : try RequestKey.of(request)
        if effect.key == .required, key == nil {
            throw CRMError.badRequest(
                "idempotency_key_required",
                Words(
                    en: "This request needs a key of its own: the header Idempotency-Key, or _key in a form.",
                    zh: "该请求须带有唯一键：请求头 Idempotency-Key 或表单字段 _key。"))
        }
        let seen = effect.version == .none ? nil : try RecordVersion.seen(request)
        if effect.version == .required, seen == nil {
            throw CRMError(
                "version_required", status: 428,
                Words(
                    en: "Say which version you saw: the header If-Match with the record’s ETag, or revision in a form.",
                    zh: "请注明所见版本：请求头 If-Match（取记录的 ETag）或表单字段 revision。"))
        }
        return Call(
            request: request, tenant: tenant, site: site,
            repeats: Repeats(key: key, seen: seen, route: "\(method.rawValue) \(pattern)"))
    }

    /// Answers a change once: what was answered under its key before is answered again.
    func once(_ call: Call) async throws -> WebResponse {
        guard let key = call.repeats.key.withLock({ $0 }) else { return try checked(try await traced(call), call) }
        try await call.tenant.requests.enter(key)
        defer { call.tenant.requests.leave(key) }
        // What an upload holds is known only when it was read: its handler asks (`Call.earlier(content:)`).
        if body != .upload, let earlier = try await call.earlier() { return earlier }
        let answer: WebResponse
        do {
            answer = try await traced(call)
            // Refused, perhaps because the same request was at work in another process and was faster.
            if answer.status.code >= 400, let earlier = try await call.earlier() { return earlier }
        } catch let error as StorageError where error.kind == .outcomeUnknown {
            // Not looked up now: what this server has may not be what its standby has (security.md, decision 2).
            throw Self.outcomeUnknown
        } catch is RequestStore.Taken {
            guard let earlier = try await call.earlier() else { throw RequestStore.inFlight }
            return earlier
        } catch {
            guard let earlier = try? await call.earlier() else { throw error }
            return earlier
        }
        return try checked(answer, call)
    }

    /// A change that forgot its key or did not look at the version would do its harm only when two people meet: it is a
    /// defect that shows at once.
    private func checked(_ answer: WebResponse, _ call: Call) throws -> WebResponse {
        guard answer.status.code < 400 else { return answer }
        let forgot =
            effect.key == .required && !call.repeats.isKept
            ? "key" : effect.version == .required && !call.repeats.isSeenUsed ? "version" : nil
        guard let forgot else { return answer }
        call.tenant.logger.error("change.unguarded", metadata: ["route": "\(pattern)", "forgot": "\(forgot)"])
        throw CRMError(
            "change_unguarded", status: 500,
            Words(en: "Something went wrong on our side.", zh: "服务器内部错误。"))
    }

    static let outcomeUnknown = CRMError.unavailable(
        "outcome_unknown",
        Words(
            en:
                "The database did not confirm the change in time, so it may or may not have been made. Send the same again under the same key (in a browser: reload this page): it has one effect, and the answer says what became of it.",
            zh: "数据库未能及时确认，更改可能已生效，也可能未生效。请以同一键值重新发送（浏览器中请刷新本页）：更改只会生效一次，并会告知实际结果。"))
}

extension Call {
    /// The change of this request: what `body` does, its audit and outbox events, the request's key and the answer are one
    /// transaction.
    package func change(
        _ body: @escaping @Sendable (any SQLSession) throws -> WebResponse
    ) async throws -> WebResponse {
        try await write { [self] session in
            try claim(session)
            let answer = try body(session)
            try keep(answer, session)
            return answer
        }
    }

    /// The same for a service that makes the transaction itself; called once in it, with the answer the request will get.
    package func settle(_ answer: WebResponse, _ session: any SQLSession) throws {
        try claim(session)
        try keep(answer, session)
    }

    private func claim(_ session: any SQLSession) throws {
        guard let key = repeats.key.withLock({ $0 }) else { return }
        try tenant.requests.claim(key, session)
    }

    private func keep(_ answer: WebResponse, _ session: any SQLSession) throws {
        guard let key = repeats.key.withLock({ $0 }) else { return }
        try tenant.requests.keep(answer, for: key, session)
        let repeats = self.repeats
        session.afterCommit { repeats.kept() }
    }

    /// For a route that found that nothing is to be done: there is no effect that could be doubled.
    package func changesNothing() { repeats.kept() }

    /// The one version of the record that the caller saw.
    /// - Throws: 428 when the route does not ask for one and none was sent.
    package func seenVersion() throws -> String {
        let seen = try seenVersions()
        guard seen.count == 1 else { throw RecordVersion.ifMatchInvalid }
        return seen[0]
    }

    private func seenVersions() throws -> [String] {
        guard let seen = repeats.seen else {
            throw CRMError("version_required", status: 428, Words(en: "The version is missing.", zh: "缺少版本号。"))
        }
        repeats.seenIsUsed()
        return seen
    }

    /// Compares, inside the transaction of the change, the record with what the caller saw.
    /// - Throws: 412 when somebody else was faster.
    package func checkVersion(_ present: String) throws {
        guard try seenVersions().contains(present) else { throw Self.changedMeanwhile }
    }

    package static let changedMeanwhile = CRMError(
        "changed_meanwhile", status: 412,
        Words(
            en: "Somebody changed this while you were editing. Nothing was saved; look at the present values.",
            zh: "您编辑期间该内容已被他人修改，本次未保存，请查看最新内容。"))

    /// For uploads, once the content is known.
    /// - Returns: the answer of an earlier request with this key and content.
    package func earlier(content: String) async throws -> WebResponse? {
        repeats.key.withLock { $0 = $0?.with(content: content) }
        return try await earlier()
    }

    /// The answer of an earlier request under this key. That it was given again stands in the audit, and by that commit all
    /// that came before it is on the standby too.
    func earlier() async throws -> WebResponse? {
        guard let key = repeats.key.withLock({ $0 }) else { return nil }
        let requests = tenant.requests
        guard let answer = try await read({ try requests.answer(key, $0) }) else { return nil }
        try await write { [self] session in
            try record(AuditEntry("console.request.repeat", facts: ["route": .string(repeats.route)]), session)
        }
        repeats.kept()
        return answer
    }
}
