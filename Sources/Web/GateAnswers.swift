import Foundation
import HTTPTypes
import Hummingbird
import Kernel

/// The way out: errors as pages or JSON, and the security headers.
extension Gate {
    /// The answer for an error. What is not a `CRMError` is logged once, here, and answered without its details.
    func failure(_ error: any Error, _ visit: Visit) -> WebResponse {
        let known: CRMError
        let refusal = error as? TokenRefusal
        if let error = error as? CRMError ?? refusal?.error {
            known = error
        } else if let mapped = (error as? any CRMErrorConvertible)?.crmError {
            known = visit.isRead ? (error as? any CRMErrorConvertible)?.crmErrorOfRead ?? mapped : mapped
            logger.warning("http.storage", metadata: ["request": "\(visit.requestID)", "error": "\(error)"])
        } else {
            logger.error(
                "http.failure",
                metadata: ["request": "\(visit.requestID)", "route": "\(visit.routeName)", "error": "\(error)"])
            known = CRMError(
                "internal", status: 500,
                Words(
                    en: "Something went wrong on our side. The error was logged as \(visit.requestID).",
                    zh: "服务器内部错误，已记录，编号 \(visit.requestID)。"))
        }
        var answer = visit.wantsJSON ? json(known, visit) : page(known, visit)
        if known.status == 405, !visit.allowed.isEmpty {
            answer.headers[.allow] = visit.allowed.joined(separator: ", ")
        }
        if let refusal {
            answer.headers[.wwwAuthenticate] = refusal.challenge
        } else if known.status == 401, visit.isAPI || visit.isOAuth {
            answer.headers[.wwwAuthenticate] = visit.isAPI ? TokenRefusal.realm : "Basic realm=\"switchboard\""
        }
        if let seconds = known.retryAfterSeconds { answer.headers[.retryAfter] = String(seconds) }
        // A refused body was not read: the connection cannot be used for another request.
        if [400, 403, 408, 413, 415, 429].contains(known.status) { answer.headers[.connection] = "close" }
        return answer
    }

    /// A body that may not have been read to its end is not read on: `ConnectionGate` closes after this answer.
    func endConnection(_ answer: inout WebResponse, after request: Request) {
        let hasBody = request.headers[.contentLength].map { $0 != "0" } ?? (request.headers[.transferEncoding] != nil)
        guard hasBody, answer.status.code >= 400 || request.method == .get || request.method == .head else { return }
        answer.headers[.connection] = "close"
    }

    /// Whether an address is one for programs: they get every refusal as JSON, whatever they say they accept. Empty segments do
    /// not count, as in the route table.
    static func isAPI(_ path: String) -> Bool {
        let first = path.prefix { $0 != "?" }.split(separator: "/").first
        return first == "api" || first == "tmf-api"
    }

    static func isTMF(_ path: String) -> Bool { path.prefix { $0 != "?" }.split(separator: "/").first == "tmf-api" }

    /// Whether an address is one where programs get tokens.
    static func isOAuth(_ path: String) -> Bool { path.prefix { $0 != "?" }.split(separator: "/").first == "oauth" }

    /// What programs get of this interface is JSON.
    /// - Throws: 406 for one that takes anything but that (RFC 9110, 12.5.1).
    static func checkAccept(_ fields: [String]) throws {
        let ranges = fields.joined(separator: ",").split(separator: ",").map { range -> (type: String, isRefused: Bool) in
            let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (parts.first ?? "", quality == 0)
        }.filter { !$0.type.isEmpty }
        // The most particular range decides.
        let said = ["application/json", "application/*", "*/*"].lazy.compactMap { name in ranges.first { $0.type == name } }.first
        guard !ranges.isEmpty, said?.isRefused ?? true else { return }
        let sent = fields.joined(separator: ", ").prefix(60)
        let words = Words(
            en: "Answers of this interface are application/json, which “Accept: \(sent)” leaves out.",
            zh: "本接口只返回 application/json，而“Accept: \(sent)”不包含该类型。")
        throw CRMError("not_acceptable", status: 406, words, fields: [.init(field: "Accept", code: "not_acceptable", message: words)])
    }

    static let methodNotAllowed = CRMError(
        "method_not_allowed", status: 405, Words(en: "This method is not allowed here.", zh: "此处不允许该请求方法。"))

    static let badCSRF = CRMError(
        "csrf", status: 403,
        Words(
            en: "This form has expired. Go back, reload the page and send it again.", zh: "表单已过期，请返回并刷新页面后重新提交。"))

    /// Under `/api` the members of RFC 9457 stand beside our own.
    private func json(_ error: CRMError, _ visit: Visit) -> WebResponse {
        let status = HTTPResponse.Status(code: error.status)
        if visit.isOAuth {
            // RFC 6749, 5.2. A request that is refused for its form is an invalid one, whatever the code says elsewhere.
            let isForm = [400, 413, 415].contains(error.status) && !Self.oauthCodes.contains(error.code)
            let code = isForm ? "invalid_request" : error.code
            return .json(
                .object(["error": .string(code), "error_description": .string(error.message.en)]), status: status)
        }
        let message = JSONValue.string(error.message[visit.language])
        if visit.isTMF {
            // The Error of TMF630.
            return .json(
                .object([
                    "code": .string(error.code), "reason": .string(Self.title(error.status)), "message": message,
                    "status": .string(String(error.status)),
                    "@type": .string("Error"),
                ]), status: status)
        }
        var members: [String: JSONValue] = [
            "code": .string(error.code), "message": message, "status": .int(Int64(error.status)),
            "request": .string(visit.requestID),
            "fields": .array(
                error.fields.map {
                    .object([
                        "field": .string($0.field), "code": .string($0.code),
                        "message": .string($0.message[visit.language]),
                    ])
                }),
        ]
        guard visit.isAPI else { return .json(.object(members), status: status) }
        members["type"] = .string("about:blank")
        members["title"] = .string(Self.title(error.status))
        members["detail"] = message
        return .text(
            JSONValue.object(members).encoded(), status: status, type: "application/problem+json; charset=utf-8")
    }

    private static let oauthCodes: Set<String> = ["invalid_scope", "unsupported_grant_type", "unauthorized_client", "invalid_grant"]

    /// What RFC 9110 (and 6585) call a status.
    private static func title(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: status < 500 ? "Refused" : "Failed"
        }
    }

    private func page(_ error: CRMError, _ visit: Visit) -> WebResponse {
        let text = pages.render(
            "web/error",
            [
                "status": .text(String(error.status)), "message": .text(error.message[visit.language]),
                "code": .text(error.code), "request": .text(visit.requestID),
                "loggedIn": .bool(visit.session != nil),
                "fields": .list(
                    error.fields.map { ["field": .text($0.field), "message": .text($0.message[visit.language])] }),
                "lang": .text(visit.language.tag), "theme": .text(visit.theme), "nonce": .text(visit.nonce),
                "assets": .text(assets.base),
            ], visit.language)
        return .html(text, status: HTTPResponse.Status(code: error.status))
    }

    /// Security headers on everything (G67).
    func secure(_ answer: inout WebResponse, _ visit: Visit) {
        answer.headers[SecurityHeader.policy] =
            "default-src 'none'; script-src 'self' 'nonce-\(visit.nonce)'; style-src 'self'; img-src 'self' data:; "
            + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
            + "frame-ancestors 'none'; manifest-src 'self'"
        for (name, value) in SecurityHeader.fixed { answer.headers[name] = value }
        answer.headers[SecurityHeader.requestID] = visit.requestID
        if !answer.isPublicAsset {
            answer.headers[.cacheControl] = "no-store"
            if visit.setsCookie, answer.status.code < 400,
                !answer.headers[values: .setCookie].contains(where: {
                    $0.hasPrefix(WebCookie.session + "=")
                }), answer.headers[.contentType]?.hasPrefix("text/html") ?? false
            {
                answer = answer.settingCookie(WebCookie.session, visit.cookieToken, maxAgeSeconds: nil)
            }
            // Shown once: on the first page after the change.
            if visit.hasFlash, answer.headers[.contentType]?.hasPrefix("text/html") ?? false, answer.status.code < 400 {
                answer = answer.settingCookie(WebCookie.flash, "", maxAgeSeconds: 0)
            }
        }
    }
}

/// Names of headers are checked when they are made: once.
private enum SecurityHeader {
    static let policy = HTTPField.Name("content-security-policy")!
    static let requestID = HTTPField.Name("x-request-id")!
    static let fixed: [(HTTPField.Name, String)] = [
        (.init("x-content-type-options")!, "nosniff"), (.init("x-frame-options")!, "DENY"),
        (.init("referrer-policy")!, "same-origin"), (.init("cross-origin-opener-policy")!, "same-origin"),
        (.init("cross-origin-resource-policy")!, "same-origin"),
        (.init("permissions-policy")!, "camera=(), microphone=(), geolocation=()"),
    ]
}

/// An error of another layer that knows how it is to be answered.
package protocol CRMErrorConvertible: Error {
    var crmError: CRMError { get }
    /// The same when nothing was to be changed.
    var crmErrorOfRead: CRMError { get }
}

extension CRMErrorConvertible {
    package var crmErrorOfRead: CRMError { crmError }
}
