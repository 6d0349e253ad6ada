import Crypto
import Foundation
import Kernel
import Web

/// What an access token says.
package struct TokenClaims: Sendable, Equatable {
    package let client: ClientID
    package let scopes: [String]
    /// Tells tokens apart in a log of another system; nothing here depends on it.
    package let id: String
    /// Whole seconds, as the token has them.
    package let issuedAt: Instant
    package let expiresAt: Instant
}

/// A key that access tokens are signed with.
struct SigningKey: Sendable {
    let kid: String
    private let key: P256.Signing.PrivateKey
    /// The first part of every token of this key. It says the same of all of them, so a reader only has to compare it.
    let header: String
    /// `nil` = in use; else tokens signed with it are good until then.
    let goodUntil: Instant?

    /// Derives the key of a tenant (HKDF, RFC 5869), so that every server of an installation has it and none is kept.
    /// - Returns: `nil` for the one in four thousand million that is no key of the curve.
    init?(kid: String, tenant: String, secret: SymmetricKey, goodUntil: Instant? = nil) {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, salt: Data(kid.utf8),
            info: Data("switchboard.identity.access-token \(tenant)".utf8),
            outputByteCount: 32)
        guard let key = try? P256.Signing.PrivateKey(rawRepresentation: derived.withUnsafeBytes { Data($0) }) else {
            return nil
        }
        self.kid = kid
        self.key = key
        self.goodUntil = goodUntil
        header = RandomText.base64url(
            Array(#"{"alg":"ES256","kid":"\#(kid)","typ":"at+jwt"}"#.utf8))
    }

    var publicKey: P256.Signing.PublicKey { key.publicKey }

    func signature(of text: String) throws -> [UInt8] {
        Array(try key.signature(for: Data(text.utf8)).rawRepresentation)
    }
}

/// Access tokens: JSON Web Tokens signed with ES256 (RFC 7519, RFC 9068). One form is written and the same one is read; what is
/// not exactly that form is refused before anything in it is believed (G20, ADR 0053).
enum AccessToken {
    static let lifeSeconds: Int64 = 600
    /// Clocks of servers may differ by this much.
    static let aheadSecondsMax: Int64 = 60
    static let bytesMax = 4_096

    enum Flaw: Error, Equatable {
        /// Not three parts of base64url, or a signature of another length.
        case form
        /// The header is not that of a key of ours: another algorithm, type, key or any more fields.
        case unknownKey
        case signature
        case claims
        case expired
    }

    static func issuer(_ tenant: String) -> String { "urn:switchboard:\(tenant)" }
    static func audience(_ tenant: String) -> String { "urn:switchboard:\(tenant):api" }

    static func sign(_ claims: TokenClaims, with key: SigningKey, tenant: String) throws -> String {
        let payload = JSONValue.object([
            "iss": .string(issuer(tenant)), "aud": .string(audience(tenant)), "tenant": .string(tenant),
            "sub": .string(claims.client.description), "client_id": .string(claims.client.description),
            "scope": .string(claims.scopes.joined(separator: " ")), "jti": .string(claims.id),
            "iat": .int(claims.issuedAt.milliseconds / 1_000), "exp": .int(claims.expiresAt.milliseconds / 1_000),
        ])
        let signed = key.header + "." + RandomText.base64url(Array(payload.encoded().utf8))
        return signed + "." + RandomText.base64url(try key.signature(of: signed))
    }

    /// The claims of a token that one of these keys has signed for this tenant, and which.
    static func read(_ text: String, keys: [SigningKey], tenant: String, now: Instant) throws(Flaw) -> (
        TokenClaims, kid: String
    ) {
        guard text.utf8.count <= bytesMax else { throw .form }
        let parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .form }
        guard let key = keys.first(where: { $0.header == parts[0] }) else { throw .unknownKey }
        guard let bytes = Base64URL.decode(parts[2]), bytes.count == 64,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: bytes)
        else { throw .form }
        guard key.publicKey.isValidSignature(signature, for: Data((parts[0] + "." + parts[1]).utf8)) else {
            throw .signature
        }
        let claims = try claims(parts[1], tenant)
        guard claims.issuedAt <= now.adding(seconds: aheadSecondsMax) else { throw .claims }
        // A key that was taken out of use ends its tokens with it.
        guard claims.expiresAt > now, key.goodUntil.map({ now < $0 }) ?? true else { throw .expired }
        return (claims, key.kid)
    }

    private static func claims(_ part: Substring, _ tenant: String) throws(Flaw) -> TokenClaims {
        guard let bytes = Base64URL.decode(part), let object = try? JSONValue.parse(bytes).object,
            object["iss"]?.string == issuer(tenant), object["aud"]?.string == audience(tenant),
            object["tenant"]?.string == tenant, let subject = object["sub"]?.string,
            object["client_id"]?.string == subject, let client = ClientID(subject),
            let scope = object["scope"]?.string, let id = object["jti"]?.string,
            let issued = object["iat"]?.int, let expires = object["exp"]?.int,
            // Also keeps the numbers small enough to be reckoned with.
            issued >= 0, expires > issued, expires - issued <= lifeSeconds
        else { throw .claims }
        return TokenClaims(
            client: client, scopes: scope.split(separator: " ").map(String.init), id: id,
            issuedAt: Instant(milliseconds: 0).adding(seconds: issued),
            expiresAt: Instant(milliseconds: 0).adding(seconds: expires))
    }
}

/// RFC 4648, section 5, without padding, read strictly: one text for each sequence of bytes.
enum Base64URL {
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, held) = (0, 0)
        for byte in text.utf8 {
            let six: Int
            switch byte {
            case 65...90: six = Int(byte) - 65
            case 97...122: six = Int(byte) - 71
            case 48...57: six = Int(byte) + 4
            case 45: six = 62
            case 95: six = 63
            default: return nil
            }
            bits = bits << 6 | six
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(bits >> held & 255))
                bits &= (1 << held) - 1
            }
        }
        // What is left over is less than a sixth character, and zero: else another text would mean the same.
        return held < 6 && bits == 0 ? bytes : nil
    }
}
