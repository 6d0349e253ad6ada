import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// A request that has passed the gates: the host is known, the caller is who the session says, the body fits its limits.
package struct WebRequest: Sendable {
    package let method: HTTPRequest.Method
    /// Without the query string.
    package let path: String
    package let query: Form
    package let headers: HTTPFields
    package let parameters: [String: String]
    package let tenant: String
    package let requestID: String
    /// The client's address; `X-Forwarded-For` counts only from listed proxies.
    package let address: String
    package let language: Language
    /// `light`, `dark` or `auto`.
    package let theme: String
    /// `nil` for anonymous routes without a session.
    package let session: SessionState?
    /// The token every form carries.
    package let csrfToken: String
    /// The cookie value the CSRF token belongs to.
    package let cookieToken: String
    package let nonce: String
    package let purpose: Purpose
    package let body: RequestContent
    /// What stands before the path in an address that leads here: `https://crm.example.com`.
    package var origin = "http://localhost"

    package enum RequestContent: Sendable {
        case none
        case form(Form)
        case json(JSONValue)
        /// The lines as they came; nothing is known of them yet.
        case lines([UInt8])
        case upload(RequestBody)
    }

    /// The caller.
    /// - Throws: `CRMError.loginRequired` on an anonymous route without a session.
    package func principal() throws -> Principal {
        guard let session else { throw CRMError.loginRequired }
        return session.principal
    }

    /// The fields of the form; empty for another kind of body.
    package var form: Form {
        if case .form(let form) = body { return form }
        return Form([])
    }

    /// The JSON body as an object.
    package func jsonObject() throws -> [String: JSONValue] {
        guard case .json(.object(let object)) = body else {
            throw CRMError.badRequest(
                "object_expected", Words(en: "A JSON object is expected.", zh: "请求体应为 JSON 对象。"))
        }
        return object
    }

    /// An id in the path. What is no id is not found, like an id that does not exist (G22).
    package func id<K>(_ name: String, _ kind: K.Type = K.self) throws -> ID<K> {
        guard let id = ID<K>(parameters[name] ?? "") else { throw CRMError.notFound }
        return id
    }

    /// Whether the client prefers JSON to a page.
    package var wantsJSON: Bool { headers[.accept]?.contains("application/json") ?? false }

    /// A local path to return to, or `fallback`: never another site.
    package func localReturn(_ text: String?, fallback: String) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), !text.contains("\\"),
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), text.utf8.count <= 2_000
        else { return fallback }
        return text
    }
}

/// Names and values of a form or a query string, in order; a name may occur several times.
package struct Form: Sendable {
    package let fields: [(name: String, value: String)]
    /// Fields that every form of ours has: the CSRF token and the request's key.
    package static let own: Set<String> = ["_csrf", "_key"]
    package init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    /// The first value.
    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// A trimmed, required text.
    /// - Throws: 422 `required` or `too_long` for that field.
    package func text(_ name: String, max: Int = Limits.textFieldMax) throws -> String {
        guard let text = try optionalText(name, max: max) else {
            throw CRMError.invalid(name, "required", Words(en: "Please fill in “\(name)”.", zh: "请填写“\(name)”。"))
        }
        return text
    }

    /// A trimmed text; `nil` when absent or blank.
    package func optionalText(_ name: String, max: Int = Limits.textFieldMax) throws -> String? {
        guard let raw = self[name] else { return nil }
        let text = raw.trimmed
        guard text.unicodeScalars.count <= max else {
            throw CRMError.invalid(
                name, "too_long",
                Words(en: "“\(name)” may have at most \(max) characters.", zh: "“\(name)”最多 \(max) 个字符。"))
        }
        return text.isEmpty ? nil : text
    }

    /// The query string form of these fields, percent-encoded.
    package var encoded: String {
        fields.map { "\(Form.encode($0.name))=\(Form.encode($0.value))" }.joined(separator: "&")
    }

    /// Parses `a=b&c=d`.
    /// - Throws: 400 for a broken percent escape, invalid UTF-8 or a NUL.
    package static func parse(_ text: some StringProtocol) throws -> Form {
        guard !text.isEmpty else { return Form([]) }
        var fields: [(name: String, value: String)] = []
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields.append((try decode(parts[0]), parts.count > 1 ? try decode(parts[1]) : ""))
        }
        return Form(fields)
    }

    private static func decode(_ text: some StringProtocol) throws -> String {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        func hex(_ byte: UInt8?) throws -> UInt8 {
            switch byte {
            case .some(let b) where (48...57).contains(b): b - 48
            case .some(let b) where (65...70).contains(b): b - 55
            case .some(let b) where (97...102).contains(b): b - 87
            default:
                throw CRMError.badRequest(
                    "percent_escape", Words(en: "A percent escape is broken.", zh: "百分号转义无效。"))
            }
        }
        while let byte = iterator.next() {
            switch byte {
            case 43: bytes.append(32)
            case 37: bytes.append(try hex(iterator.next()) << 4 | (try hex(iterator.next())))
            default: bytes.append(byte)
            }
        }
        guard let result = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw CRMError.badRequest(
                "invalid_text", Words(en: "The text is not valid UTF-8.", zh: "文本不是有效的 UTF-8。"))
        }
        return result
    }

    /// Percent-encodes everything but unreserved characters (RFC 3986).
    package static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    package var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}

/// Who a session token stands for.
package struct SessionState: Sendable {
    package let principal: Principal
    package let language: Language?
    package let theme: String?
    /// Whether single-key shortcuts are on.
    package let shortcuts: Bool
    package init(principal: Principal, language: Language?, theme: String?, shortcuts: Bool = true) {
        self.principal = principal
        self.language = language
        self.theme = theme
        self.shortcuts = shortcuts
    }
}

/// Finds sessions by token; Identity implements it.
package protocol SessionStore: Sendable {
    /// The session of `token`, or `nil` when there is none, it has expired, or its user may not log in any more.
    func resume(token: String, tenant: String, address: String, requestID: String) async throws -> SessionState?
}

/// Tells which tenant a host name belongs to; `nil` for an unknown host.
package protocol TenantResolver: Sendable {
    func tenant(host: String) -> String?
}
