import HTTPTypes
import Hummingbird
import Kernel

/// Who a token stands for, and how much they may send.
package struct TokenCaller: Sendable {
    /// `session.principal.scopes` is what the token opens.
    package let session: SessionState
    /// Tells this caller from all others where requests are counted.
    package let key: String
    /// Requests a second, with a burst of twice that; `nil` = as every account.
    package let requestsPerSecond: Double?

    package init(session: SessionState, key: String, requestsPerSecond: Double? = nil) {
        precondition(session.principal.scopes != nil, "a token opens what it has scopes for")
        self.session = session
        self.key = key
        self.requestsPerSecond = requestsPerSecond
    }
}

/// Knows the tokens that programs come with; Identity implements it.
package protocol TokenStore: Sendable {
    /// Who sent this token.
    /// - Throws: `TokenRefusal` for whatever is not a token that is good here and now.
    func admit(token: String, tenant: String, address: String, requestID: String) async throws -> TokenCaller
}

/// For gates without programs.
package struct NoTokens: TokenStore {
    package init() {}
    package func admit(token: String, tenant: String, address: String, requestID: String) async throws -> TokenCaller {
        throw TokenRefusal.invalid
    }
}

/// Why a token did not open what it was sent for (RFC 6750, 3.1), with the header that tells a program so.
package struct TokenRefusal: Error {
    package let error: CRMError
    /// The value of `WWW-Authenticate`.
    package let challenge: String

    private init(_ code: String, status: Int, _ words: Words, _ more: String = "") {
        error = CRMError(code, status: status, words)
        challenge = "\(Self.realm), error=\"\(code)\"" + more
    }

    /// Without a token there is nothing to say about it.
    static let realm = "Bearer realm=\"switchboard\""

    private static func invalid(_ en: String, _ zh: String) -> TokenRefusal {
        TokenRefusal("invalid_token", status: 401, Words(en: en, zh: zh), ", error_description=\"\(en)\"")
    }

    /// Whatever is wrong with its form, its signature or its claims: an inventor of tokens learns nothing.
    package static let invalid = invalid(
        "This token is not valid here. Get one from /oauth/token with your client's id and secret, and send it whole, as Authorization: Bearer.",
        "令牌在此无效。请用客户端编号和密钥从 /oauth/token 重新获取，并以 Authorization: Bearer 完整发送。")
    /// The rest is told only to who holds a token that was once good.
    package static let expired = invalid("This token has expired; get a new one.", "令牌已过期，请重新获取。")
    package static let revoked = invalid(
        "This token, or who it was given to, has been revoked.", "令牌或其持有者已被吊销。")
    package static let address = invalid("This token is not accepted from this address.", "不接受来自此地址的令牌。")

    /// For who sent none: a program has no page to log in on.
    static let missing = CRMError(
        "login_required", status: 401,
        Words(
            en: "A token is needed. Get one from /oauth/token with your client's id and secret, and send it as Authorization: Bearer.",
            zh: "需要令牌。请用客户端编号和密钥从 /oauth/token 获取，并以 Authorization: Bearer 发送。"))

    /// 403: the token is good, and was not given for this.
    static func insufficient(_ scope: String) -> TokenRefusal {
        TokenRefusal(
            "insufficient_scope", status: 403,
            Words(en: "The token was not given the scope \(scope).", zh: "令牌未获授权范围 \(scope)。"), ", scope=\"\(scope)\"")
    }
    /// 403: no token opens this address.
    static let noScope = TokenRefusal(
        "insufficient_scope", status: 403,
        Words(en: "This address is for people who are logged in; no token opens it.", zh: "该地址仅供已登录用户使用，不接受令牌。"))
}

/// Requests of programs: a token in the header `Authorization` instead of a cookie (RFC 6750, 2.1). It is read under the
/// addresses for programs only; elsewhere the header means nothing to us, and who the caller is says the cookie.
extension Gate {
    /// The token of a request; `nil` when it has none. Several headers are dealt with once they were counted.
    static func bearer(in headers: HTTPFields) -> String? {
        for value in headers[values: .authorization] {
            let parts = value.split(separator: " ", maxSplits: 1)
            if parts.first?.lowercased() == "bearer" { return parts.count > 1 ? parts[1].trimmed : "" }
        }
        return nil
    }

    /// Counts a request before its token is looked at: for the caller whose token was good a moment ago, else for the
    /// address. No cookie is looked at from here on.
    func limit(bearer token: String, _ request: Request, _ visit: inout Visit) throws {
        visit.bearer = token
        visit.language = Language(acceptLanguage: request.headers[.acceptLanguage])
        visit.theme = "auto"
        visit.hasFlash = false
        guard let known = knownTokens.entry(token) else { return try limiter.check(visit.caller) }
        visit.isCounted = true
        try check(known.caller, known.perSecond)
    }

    private func check(_ caller: String, _ perSecond: Double?) throws {
        if let perSecond { try limiter.check(caller, perSecond: perSecond) } else { try limiter.check(caller) }
    }

    /// - Throws: 400 when the request says in more than one way who sends it; `TokenRefusal`; 429.
    func admit(bearer token: String, _ request: Request, _ visit: inout Visit) async throws {
        guard request.headers[values: .authorization].count == 1,
            WebCookie.value(WebCookie.session, in: request.headers) == nil
        else {
            throw CRMError.badRequest(
                "two_credentials",
                Words(
                    en: "Send either one token in Authorization or the cookie of a session, not both.",
                    zh: "请只发送一个 Authorization 令牌或会话 Cookie，不能同时发送。"))
        }
        guard Self.isToken(token) else { throw TokenRefusal.invalid }
        let program: TokenCaller
        do {
            program = try await tokens.admit(
                token: token, tenant: visit.tenant, address: visit.address, requestID: visit.requestID)
        } catch {
            knownTokens.forget(token)
            throw error
        }
        visit.program = program
        visit.session = program.session
        knownTokens.note(token, program.key, perSecond: program.requestsPerSecond)
        // Counted for its address so far.
        if !visit.isCounted { try check(program.key, program.requestsPerSecond) }
    }

    /// The form of RFC 6750, 2.1, within reason.
    private static func isToken(_ text: String) -> Bool {
        (20...tokenBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                switch $0 {
                case 48...57, 65...90, 97...122, 45, 46, 95, 126, 43, 47, 61: true
                default: false
                }
            }
    }
    private static let tokenBytesMax = 4_096

    /// - Throws: 403 when the caller came with a token that does not open this route.
    func checkScope(of route: Route, _ visit: Visit) throws {
        guard let scopes = visit.session?.principal.scopes, route.access != .anonymous else { return }
        guard let scope = route.scope else { throw TokenRefusal.noScope }
        guard scopes.contains(scope) else { throw TokenRefusal.insufficient(scope) }
    }
}
