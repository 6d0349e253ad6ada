import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// What a handler answers. The gates add the security headers.
package struct WebResponse: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: ResponseBody
    /// May be kept by shared caches: assets only. Everything else is `no-store`.
    package var isPublicAsset = false
    /// Made while it is sent: the request keeps a place until the end.
    package var isStreamed = false
    /// The body, where it is a text made beforehand.
    package private(set) var content: String?
    /// The text key of the message on the next page.
    package private(set) var flashKey: String?

    package init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: ResponseBody = .init()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func html(_ html: String, status: HTTPResponse.Status = .ok) -> WebResponse {
        text(html, status: status, type: "text/html; charset=utf-8")
    }

    package static func text(
        _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    )
        -> WebResponse
    {
        var answer = WebResponse(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        answer.content = text
        return answer
    }

    package static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> WebResponse {
        text(value.encoded(), status: status, type: "application/json; charset=utf-8")
    }

    /// 303 See Other to a path of ours.
    package static func redirect(_ path: String) -> WebResponse {
        WebResponse(status: .seeOther, headers: [.location: path])
    }

    /// A file to be saved. `name` goes through RFC 6266 / 5987 encoding.
    package static func download(_ body: ResponseBody, name: String, type: String) -> WebResponse {
        let ascii = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" })
        var headers: HTTPFields = [.contentType: type]
        headers[.contentDisposition] = "attachment; filename=\"\(ascii)\"; filename*=UTF-8''\(Form.encode(name))"
        return WebResponse(headers: headers, body: body)
    }

    /// Adds a cookie: `__Host-` prefix, Secure, HttpOnly, SameSite=Strict, for the whole site.
    package func settingCookie(_ name: String, _ value: String, maxAgeSeconds: Int?) -> WebResponse {
        var copy = self
        var text = "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=Strict"
        if let maxAgeSeconds { text += "; Max-Age=\(maxAgeSeconds)" }
        copy.headers.append(HTTPField(name: .setCookie, value: text))
        return copy
    }

    /// A message shown on the next page. Kept in a cookie as a text key, never with a personal value.
    package func flash(_ key: String) -> WebResponse {
        var copy = settingCookie(WebCookie.flash, Form.encode(key), maxAgeSeconds: 60)
        copy.flashKey = key
        return copy
    }

    /// Names the version of the record it shows or left behind, for `If-Match`.
    package func tagged(_ version: String) -> WebResponse {
        var copy = self
        copy.headers[.eTag] = "\"\(version)\""
        return copy
    }
}

/// Names of the cookies.
package enum WebCookie {
    package static let session = "__Host-switchboard"
    package static let language = "__Host-language"
    package static let theme = "__Host-theme"
    package static let flash = "__Host-flash"
    /// Lives for some seconds after a change: until then this browser reads the primary database, whichever process answers.
    package static let wrote = "__Host-wrote"

    /// Reads one cookie of a request.
    package static func value(_ name: String, in headers: HTTPFields) -> String? {
        value(name, of: headers[values: .cookie])
    }

    /// The same of the values of all `Cookie` headers.
    static func value(_ name: String, of cookies: [String]) -> String? {
        for header in cookies {
            for pair in header.utf8.split(separator: UInt8(ascii: ";")) {
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), equals > pair.startIndex,
                    Substring(pair[..<equals]).trimmed == name
                else { continue }
                let value = Substring(pair[pair.index(after: equals)...])
                if !value.isEmpty { return value.trimmed }
            }
        }
        return nil
    }
}
