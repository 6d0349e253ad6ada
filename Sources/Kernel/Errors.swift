/// The product's one error type that reaches a person or a client: a stable code, an HTTP status, the fields concerned
/// and wording in both languages. Everything else that is thrown becomes `internal` at the edge and is logged once.
package struct CRMError: Error, Sendable {
    /// Stable, snake_case; part of the API.
    package let code: String
    /// The HTTP status it is answered with.
    package let status: Int
    /// What a person reads.
    package let message: Words
    /// Field name -> wording, for forms and JSON clients.
    package let fields: [FieldError]
    /// For `Retry-After`, seconds.
    package let retryAfterSeconds: Int?

    package struct FieldError: Sendable, Equatable {
        package let field: String
        package let code: String
        package let message: Words
        package init(field: String, code: String, message: Words) {
            self.field = field
            self.code = code
            self.message = message
        }
    }

    package init(
        _ code: String, status: Int, _ message: Words, fields: [FieldError] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.status = status
        self.message = message
        self.fields = fields
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// 404 with the same body for "does not exist", "another tenant's" and "outside your scope" (G22).
    package static let notFound = CRMError(
        "not_found", status: 404, Words(en: "There is no such record.", zh: "没有这条记录。"))
    package static let loginRequired = CRMError(
        "login_required", status: 401, Words(en: "Please log in.", zh: "请先登录。"))
    /// 403; the permission is named so that a person can ask for it.
    /// - Parameter named: what people call the right; its code where nobody knows.
    package static func forbidden(_ permission: Permission, named: Words? = nil) -> CRMError {
        CRMError(
            "forbidden", status: 403,
            Words(
                en:
                    "Your role does not include this. Whoever manages the users can give the right \(named.map { "“\($0.en)”" } ?? permission.rawValue).",
                zh: "您的角色无权进行此操作。如需权限（\(named?.zh ?? permission.rawValue)），请联系管理员。"))
    }
    /// 422 for one field.
    package static func invalid(_ field: String, _ code: String, _ message: Words) -> CRMError {
        CRMError(code, status: 422, message, fields: [FieldError(field: field, code: code, message: message)])
    }
    package static func badRequest(_ code: String, _ message: Words) -> CRMError {
        CRMError(code, status: 400, message)
    }
    package static func conflict(_ code: String, _ message: Words) -> CRMError {
        CRMError(code, status: 409, message)
    }
    /// 503; nothing was changed and nothing shown.
    package static func unavailable(_ code: String, _ message: Words) -> CRMError {
        CRMError(code, status: 503, message, retryAfterSeconds: 5)
    }
}

extension CRMError: CustomStringConvertible {
    package var description: String { "\(code): \(message.en)" }
}
