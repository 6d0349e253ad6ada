import Foundation
import HTTPTypes
import Kernel
import Platform
import Web

/// `POST /oauth/token`: the client credentials grant (RFC 6749, 4.4). Errors leave by the gate, which words them as 5.2 says.
struct TokenEndpoint: Sendable {
    let memory: TokenMemory

    /// Issuing leaves no event of its own: what is done with a token does, and every refusal.
    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/oauth/token", .anonymous, body: .parameters, trace: .none, purpose: .security, handler: issue)
        ]
    }

    private static func invalid(_ en: String, _ zh: String) -> CRMError {
        .badRequest("invalid_request", Words(en: en, zh: zh))
    }

    @Sendable private func issue(_ call: Call) async throws -> WebResponse {
        let form = call.form
        guard Set(form.fields.map(\.name)).count == form.fields.count else {
            throw Self.invalid("A parameter came more than once.", "参数重复。")
        }
        guard let grant = form["grant_type"], !grant.isEmpty else {
            throw Self.invalid("The parameter grant_type is missing.", "缺少参数 grant_type。")
        }
        guard grant == "client_credentials" else {
            throw CRMError.badRequest(
                "unsupported_grant_type",
                Words(en: "Only client_credentials is offered here.", zh: "此处仅支持 client_credentials。"))
        }
        let (id, secret) = try Self.credentials(call)
        let scopes = form["scope"].map { $0.split(separator: " ").map(String.init) }
        let asked = TokenIssuer.Asked(
            clientID: id, secret: secret, scopes: scopes, address: call.request.address,
            requestID: call.request.requestID)
        let issued = try await TokenIssuer(tenant: call.tenant, memory: memory).issue(asked)
        var answer = WebResponse.json(
            .object([
                "access_token": .string(issued.token), "token_type": .string("Bearer"),
                "expires_in": .int(issued.seconds), "scope": .string(issued.scopes.joined(separator: " ")),
            ]))
        if let pragma = HTTPField.Name("Pragma") { answer.headers[pragma] = "no-cache" }
        return answer
    }

    /// By HTTP Basic, or in the body, and not both (RFC 6749, 2.3.1).
    private static func credentials(_ call: Call) throws -> (id: String, secret: String) {
        let sent = call.request.headers[values: .authorization]
        guard let header = sent.first else {
            guard let id = call.form["client_id"], let secret = call.form["client_secret"] else {
                throw TokenIssuer.invalidClient
            }
            return (id, secret)
        }
        guard sent.count == 1, call.form["client_secret"] == nil else {
            throw invalid("A client says who it is in one way only.", "客户端只能以一种方式表明身份。")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let data = Data(base64Encoded: parts[1].trimmed),
            let text = String(validating: data, as: UTF8.self), let colon = text.firstIndex(of: ":")
        else { throw TokenIssuer.invalidClient }
        // Both were form-encoded before they were joined.
        let fields = try Form.parse("id=\(text[..<colon])&secret=\(text[text.index(after: colon)...])")
        guard fields.fields.count == 2, let id = fields["id"], let secret = fields["secret"],
            call.form["client_id"].map({ $0 == id }) ?? true
        else { throw TokenIssuer.invalidClient }
        return (id, secret)
    }
}
