import Crypto
import Foundation
import Kernel
import Platform

/// How a callback can tell that an event is ours, whole and fresh: the scheme of Standard Webhooks, for which there are
/// ready-made checkers. The signature is over `id.timestamp.body`.
package struct HubSignature: Sendable {
    package static let idHeader = "webhook-id", timeHeader = "webhook-timestamp", signatureHeader = "webhook-signature"
    static let beginning = "whsec_"

    private let key: SymmetricKey

    /// The key of one subscription is derived, not stored: whoever reads the database has none of them.
    init(_ tenant: Tenant, salt: String, id: HubID) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: tenant.keys.pepper, salt: Data(salt.utf8),
            info: Data("switchboard.tmf.hub\n\(tenant.name)\n\(id)".utf8), outputByteCount: 32)
    }

    /// What the client is told, once.
    var secret: String { Self.beginning + key.withUnsafeBytes { Data($0) }.base64EncodedString() }

    func headers(id: String, seconds: Int64, body: [UInt8]) -> [(name: String, value: String)] {
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(seconds).".utf8) + Data(body), using: key)
        return [
            (Self.idHeader, id), (Self.timeHeader, String(seconds)),
            (Self.signatureHeader, "v1," + Data(code).base64EncodedString()),
        ]
    }
}
