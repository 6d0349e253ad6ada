import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// Language, theme and the like. Before the log-in they live in cookies, afterwards also in the account; the width of
/// the rail and the density belong to the screen one sits at and stay in cookies.
enum PreferencePages {
    static let endpoints = [
        Endpoint(
            .post, "/preferences", .anonymous,
            body: .form(["language", "theme", "shortcuts", "rail", "density", "return"]), trace: .none, handler: change)
    ]

    static let rail = "__Host-rail"
    static let density = "__Host-density"
    private static let yearSeconds = 365 * 86_400

    @Sendable private static func change(_ call: Call) async throws -> WebResponse {
        let language = try choice(call, "language", ["en": "en", "zh": "zh", "zh-CN": "zh"])
        let theme = try choice(call, "theme", same(["auto", "light", "dark"]))
        let shortcuts = try choice(call, "shortcuts", same(["on", "off"]))
        let rail = try choice(call, "rail", same(["wide", "narrow"]))
        let density = try choice(call, "density", same(["compact", "normal", "roomy"]))
        if let user = call.request.session?.principal.userID, language ?? theme ?? shortcuts != nil {
            let now = call.tenant.clock.now()
            try await call.write { session in
                try session.execute(
                    UserStore.setPreferences,
                    [.id(user), .text(language), .text(theme), .bool(shortcuts.map { $0 == "on" }), .time(now)])
                try call.record(AuditEntry("identity.user.preferences", [.user(user)]), session)
            }
        }
        var answer =
            call.request.wantsJSON
            ? WebResponse(status: .noContent) : .redirect(call.request.localReturn(call.form["return"], fallback: "/"))
        let cookies = [
            (WebCookie.language, language), (WebCookie.theme, theme), (Self.rail, rail), (Self.density, density),
        ]
        for case (let name, let value?) in cookies {
            answer = answer.settingCookie(name, value, maxAgeSeconds: yearSeconds)
        }
        return answer
    }

    private static func same(_ values: [String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: values.map { ($0, $0) })
    }

    /// - Throws: 422 `invalid_value` for a value that is none of the choices.
    private static func choice(_ call: Call, _ field: String, _ choices: [String: String]) throws -> String? {
        guard let value = call.form[field], !value.isEmpty else { return nil }
        guard let stored = choices[value] else {
            throw CRMError.invalid(
                field, "invalid_value", Words(en: "This is not one of the choices.", zh: "不是可选的值。"))
        }
        return stored
    }
}
