import Crypto
import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Identity

/// The form of access tokens: what is written is read, and nothing else is (G20).
@Suite("Access tokens")
struct AccessTokenTests {
    private static let now = Instant(milliseconds: 1_772_409_600_000)
    private static let secret = SymmetricKey(data: [UInt8](repeating: 7, count: 32))

    private func key(_ kid: String = "k1", tenant: String = "default", goodUntil: Instant? = nil) throws -> SigningKey {
        try #require(SigningKey(kid: kid, tenant: tenant, secret: Self.secret, goodUntil: goodUntil))
    }

    private let claims = TokenClaims(
        client: ClientID(7_212_345_678_901_234), scopes: ["a:read", "b:write"], id: "0123456789abcdef",
        issuedAt: now, expiresAt: now.adding(seconds: 600))

    private func read(_ token: String, _ keys: [SigningKey], tenant: String = "default", now: Instant = now) throws
        -> TokenClaims
    {
        try AccessToken.read(token, keys: keys, tenant: tenant, now: now).0
    }

    private func flaw(_ token: String, _ keys: [SigningKey], tenant: String = "default", now: Instant = now)
        -> AccessToken.Flaw?
    {
        do {
            _ = try AccessToken.read(token, keys: keys, tenant: tenant, now: now)
            return nil
        } catch { return error }
    }

    private func base64(_ text: String) -> String { Base64URLWriter.encode(Array(text.utf8)) }

    /// A token with this header and payload, signed as it should be.
    private func made(_ header: String, _ payload: String, _ key: SigningKey) throws -> String {
        let signed = base64(header) + "." + base64(payload)
        return signed + "." + Base64URLWriter.encode(try key.signature(of: signed))
    }

    private let header = #"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#

    private func payload(_ change: [String: JSONValue?] = [:]) -> String {
        let seconds = Self.now.milliseconds / 1_000
        var object: [String: JSONValue] = [
            "iss": .string("urn:switchboard:default"), "aud": .string("urn:switchboard:default:api"),
            "tenant": .string("default"), "sub": .string("7212345678901234"), "client_id": .string("7212345678901234"),
            "scope": .string("a:read b:write"), "jti": .string("0123456789abcdef"), "iat": .int(seconds),
            "exp": .int(seconds + 600),
        ]
        for (name, value) in change { object[name] = value }
        return JSONValue.object(object).encoded()
    }

    @Test(
        "a token is read again with all it says, also while its key is followed by another, and not after it has ended")
    func roundTrip() throws {
        let (old, new) = (try key("k1"), try key("k2"))
        let token = try AccessToken.sign(claims, with: old, tenant: "default")
        #expect(try read(token, [new, old]) == claims)
        #expect(
            try read(try made(header, payload(), old), [old]) == claims, "the form that the tests below change is good")
        #expect(flaw(token, [new]) == .unknownKey)
        #expect(flaw(token, [old], now: Self.now.adding(seconds: 600)) == .expired)
        #expect(try read(token, [old], now: Self.now.adding(seconds: 599)) == claims)
        let leaving = try key("k1", goodUntil: Self.now.adding(seconds: 30))
        #expect(try read(token, [leaving], now: Self.now.adding(seconds: 29)) == claims)
        #expect(flaw(token, [leaving], now: Self.now.adding(seconds: 30)) == .expired)
    }

    @Test("every server derives the same key, each tenant and each name of a key another one")
    func derivation() throws {
        let one = try key("k1").publicKey.rawRepresentation
        #expect(try key("k1").publicKey.rawRepresentation == one)
        #expect(try key("k2").publicKey.rawRepresentation != one)
        #expect(try key("k1", tenant: "beta").publicKey.rawRepresentation != one)
        let token = try AccessToken.sign(claims, with: try key("k1", tenant: "beta"), tenant: "beta")
        // The header is the same; the signature is another tenant's.
        #expect(flaw(token, [try key("k1")]) == .signature)
        #expect(try read(token, [try key("k1", tenant: "beta")], tenant: "beta") == claims)
        // Also a token of ours that says it was another tenant's.
        let own = try AccessToken.sign(claims, with: try key("k1"), tenant: "beta")
        #expect(flaw(own, [try key("k1")]) == .claims)
    }

    @Test("another algorithm, type or key in the header is refused, also when the signature under it is right")
    func headers() throws {
        let key = try key()
        let headers = [
            #"{"alg":"none","kid":"k1","typ":"at+jwt"}"#, #"{"alg":"None","kid":"k1","typ":"at+jwt"}"#,
            #"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#, #"{"alg":"ES384","kid":"k1","typ":"at+jwt"}"#,
            #"{"alg":"es256","kid":"k1","typ":"at+jwt"}"#, #"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"k2","typ":"at+jwt"}"#, #"{"alg":"ES256","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, #"{"alg":"ES256","kid":"k1"}"#,
            #"{"alg":"ES256","kid":"k1","typ":"at+jwt","jku":"https://evil.example/keys"}"#,
            #"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256"},"kid":"k1","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"k1","typ":"at+jwt","x5u":"https://evil.example/c"}"#,
            #"{"alg":"ES256","crit":["exp"],"kid":"k1","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"../../etc/passwd","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"k1' OR '1'='1","typ":"at+jwt"}"#,
            #"{"alg":"ES256","alg":"none","kid":"k1","typ":"at+jwt"}"#, #" {"alg":"ES256","kid":"k1","typ":"at+jwt"}"#,
            "{}", "",
        ]
        for header in headers {
            let token = try made(header, payload(), key)
            #expect(flaw(token, [key]) == .unknownKey, "\(header)")
            // Without a signature.
            let bare = token.split(separator: ".").prefix(2).joined(separator: ".")
            #expect(flaw(bare + ".", [key]) != nil && flaw(bare, [key]) != nil, "\(header)")
        }
        // HS256 with the public key, in each form in which it may be had, as the secret.
        for secret in [
            key.publicKey.rawRepresentation, key.publicKey.x963Representation, key.publicKey.derRepresentation,
            Data(key.publicKey.pemRepresentation.utf8),
        ] {
            for header in [header, #"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#] {
                let signed = base64(header) + "." + base64(payload())
                let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: secret))
                #expect(flaw(signed + "." + Base64URLWriter.encode(Array(code)), [key]) != nil)
            }
        }
        // Another form of the right signature is none.
        let token = try made(header, payload(), key)
        let parts = token.split(separator: ".").map(String.init)
        let raw = try P256.Signing.ECDSASignature(rawRepresentation: try #require(Base64URL.decode(parts[2])))
        #expect(flaw("\(parts[0]).\(parts[1])." + Base64URLWriter.encode(Array(raw.derRepresentation)), [key]) != nil)
        #expect(flaw(token + "=", [key]) != nil && flaw(token + "==", [key]) != nil && flaw(" " + token, [key]) != nil)
        #expect(flaw(token + ".", [key]) == .form && flaw(token + "." + parts[2], [key]) == .form)
    }

    @Test("a claim that is missing, of another type or of another place is refused, though the signature is right")
    func wrongClaims() throws {
        let key = try key()
        let seconds = Self.now.milliseconds / 1_000
        let changes: [[String: JSONValue?]] = [
            ["iss": .string("urn:switchboard:beta")], ["iss": nil], ["aud": .string("urn:switchboard:beta:api")],
            ["aud": .array([.string("urn:switchboard:default:api")])], ["aud": nil], ["tenant": .string("beta")],
            ["tenant": nil], ["sub": .string("7212345678901235")], ["sub": nil], ["client_id": nil],
            ["client_id": .int(7_212_345_678_901_234)], ["sub": .string("x"), "client_id": .string("x")],
            ["sub": .string("-1"), "client_id": .string("-1")], ["scope": .array([.string("a:read")])], ["scope": nil],
            ["jti": nil], ["iat": nil], ["exp": nil], ["exp": .string("\(seconds + 600)")],
            ["exp": .double(Double(seconds) + 600.5)], ["exp": .int(seconds + 601)], ["exp": .int(.max)],
            ["iat": .int(.min)], ["iat": .int(-1)], ["iat": .int(seconds + 61), "exp": .int(seconds + 600)],
            ["exp": .int(seconds)],
        ]
        for change in changes { #expect(flaw(try made(header, payload(change), key), [key]) == .claims, "\(change)") }
        for text in [
            "", "[]", "null", "\"x\"", "{", payload() + " x",
            payload().replacing(#""aud":"#, with: #""aud":"x","aud":"#),
        ] {
            #expect(flaw(try made(header, text, key), [key]) == .claims, "\(text)")
        }
        // What a later version may add is no harm.
        #expect(try read(try made(header, payload(["acr": .string("x")]), key), [key]) == claims)
    }

    @Test("no byte of a token can be changed, left out or doubled")
    func everyByte() throws {
        let key = try key()
        let token = Array(try AccessToken.sign(claims, with: key, tenant: "default").utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var random = SeededGenerator(seed: 53)
        func refused(_ bytes: [UInt8]) -> Bool { flaw(String(decoding: bytes, as: UTF8.self), [key]) != nil }
        for place in token.indices {
            var changed = token
            // A neighbour in the alphabet differs in the last bits only, which a careless reader drops.
            let at = alphabet.firstIndex(of: token[place])
            changed[place] = at.map { alphabet[$0 ^ 1] } ?? 65
            #expect(refused(changed), "neighbour at \(place)")
            repeat {
                changed[place] = alphabet.randomElement(using: &random) ?? 65
            } while changed[place] == token[place]
            #expect(refused(changed), "\(changed[place]) at \(place)")
            var shorter = token
            shorter.remove(at: place)
            #expect(refused(shorter), "without \(place)")
            var longer = token
            longer.insert(token[place], at: place)
            #expect(refused(longer), "twice \(place)")
        }
    }

    @Test("whatever comes as a token is refused and brings nothing down")
    func anything() throws {
        let key = try key()
        let good = Array(try AccessToken.sign(claims, with: key, tenant: "default").utf8)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<3_000 {
            var bytes: [UInt8]
            switch round % 4 {
            case 0:
                bytes = (0..<Int.random(in: 0...600, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1:
                bytes = good
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            case 2:
                bytes = Array(good.prefix(Int.random(in: 0..<good.count, using: &random)))
            default:
                // The right header and signature around another payload.
                let parts = good.split(separator: 46).map(Array.init)
                let junk = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes = parts[0] + [46] + Array(Base64URLWriter.encode(junk).utf8) + [46] + parts[2]
            }
            guard bytes != good else { continue }
            #expect(flaw(String(decoding: bytes, as: UTF8.self), [key]) != nil, "seed \(seed), round \(round)")
        }
        #expect(flaw(String(repeating: "a", count: 100_000), [key]) == .form)
        #expect(flaw(String(repeating: ".", count: 4_000), [key]) == .form)
    }

    @Test("base64url is read as it is written, and each sequence of bytes has one text")
    func base64url() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = Base64URLWriter.encode(bytes)
            #expect(Base64URL.decode(text) == bytes, "seed \(seed), \(count) bytes")
        }
        for text in ["A", "AAAAA", "AB", "AAB", "AA=", "AA==", "A A", "A+", "A/", "é", "AA\n"] {
            #expect(Base64URL.decode(text) == nil, "\(text)")
        }
        #expect(Base64URL.decode("AA") == [0] && Base64URL.decode("AAA") == [0, 0] && Base64URL.decode("") == [])
    }
}

/// RFC 4648, section 5, by Foundation: another writer than the product's.
enum Base64URLWriter {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
