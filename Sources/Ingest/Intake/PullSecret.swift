import Crypto
import Foundation
import Kernel
import Platform

/// What an address asks for before it gives its files: a user with a password, or a header with a token. It is stored sealed
/// (AES-GCM, a key made from the installation's), opened only to ask, bound to the tenant, the source and the host: moved to
/// another source or sent to another host it does not open. It is never shown, logged or audited.
struct PullSecret: Codable, Equatable, Sendable {
    enum Kind: String, Codable, CaseIterable { case basic, header }

    let kind: Kind
    /// The user, or the name of the header.
    let name: String
    let value: String

    private static let nameMax = 200, valueMax = 4_000
    /// What the request itself says, and what would change how it is read.
    private static let closed: Set<String> = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect",
        "range", "if-none-match", "if-modified-since", "cookie", "user-agent", "accept-encoding", "proxy-authorization",
    ]

    /// - Throws: `CRMError` 422 that says what is wrong, without the value.
    init(kind: Kind, name: String, value: String) throws {
        func refused(_ field: String, _ en: String, _ zh: String) -> CRMError {
            .invalid(field, "credentials", Words(en: en, zh: zh))
        }
        guard !name.isEmpty, name.utf8.count <= Self.nameMax else {
            throw refused("auth_name", "The name of the user or of the header is missing or too long.", "缺少用户名或标头名，或过长。")
        }
        guard !value.isEmpty, value.utf8.count <= Self.valueMax else {
            throw refused("auth_secret", "The password or token is missing or too long.", "缺少密码或令牌，或过长。")
        }
        switch kind {
        case .basic:
            guard !name.contains(":"), (name + value).unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) else {
                throw refused("auth_name", "A user name has no colon, and neither has control characters.", "用户名不能包含冒号或控制字符。")
            }
        case .header:
            let isToken = name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 0x2D || byte == 0x5F
            }
            guard isToken, !Self.closed.contains(name.lowercased()) else {
                throw refused(
                    "auth_name", "This cannot be the name of a header that is sent along: Authorization and X-Api-Key can.",
                    "该名称不能作为附加标头，例如可用 Authorization、X-Api-Key。")
            }
            guard value.utf8.allSatisfy({ (32...126).contains($0) }) else {
                throw refused("auth_secret", "The value of a header is plain ASCII in one line.", "标头值只能是一行 ASCII 字符。")
            }
        }
        (self.kind, self.name, self.value) = (kind, name, value)
    }

    /// The header that is sent.
    var header: (name: String, value: String) {
        switch kind {
        case .basic: ("Authorization", "Basic " + Data("\(name):\(value)".utf8).base64EncodedString())
        case .header: (name, value)
        }
    }

    // MARK: Sealing

    func sealed(_ tenant: Tenant, source: String, url: String) throws -> String {
        let plain = try JSONEncoder().encode(self)
        let box = try AES.GCM.seal(plain, using: Self.key(tenant), authenticating: Self.owner(tenant, source, url))
        guard let combined = box.combined else { throw Self.lost }
        return combined.base64EncodedString()
    }

    /// - Throws: `lost` when it is not of this installation, source and host.
    static func open(_ sealed: String, _ tenant: Tenant, source: String, url: String) throws -> PullSecret {
        guard let data = Data(base64Encoded: sealed), let box = try? AES.GCM.SealedBox(combined: data),
            let plain = try? AES.GCM.open(box, using: key(tenant), authenticating: owner(tenant, source, url)),
            let secret = try? JSONDecoder().decode(PullSecret.self, from: plain)
        else { throw lost }
        return secret
    }

    static let lost = CRMError.invalid(
        "auth_secret", "credentials_lost",
        Words(
            en: "The stored credentials belong to another host or to another installation's keys: enter them again.",
            zh: "已存的凭据属于其他主机或其他安装密钥，请重新输入。"))

    private static func key(_ tenant: Tenant) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: tenant.keys.pepper, info: Data("switchboard.ingest.pull".utf8), outputByteCount: 32)
    }

    /// Port and scheme too: another service of the host is somebody else.
    private static func owner(_ tenant: Tenant, _ source: String, _ url: String) -> Data {
        let parts = URL(string: url)
        let place = [parts?.scheme?.lowercased() ?? "", parts?.host?.lowercased() ?? "", parts?.port.map { "\($0)" } ?? ""]
        return Data(([tenant.name, source] + place).joined(separator: "\n").utf8)
    }
}
