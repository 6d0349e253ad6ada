import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// Kind of entity, for `ID`.
package enum ClientKind {}
package typealias ClientID = ID<ClientKind>

/// A program of the operator or of a partner that calls the interfaces for programs by itself.
package struct APIClient: Sendable {
    package static let daysMax = 365
    package static let rateMax = 10_000
    /// An account has 200.
    package static let rateDefault = 50
    /// How long before its end somebody should look after it.
    static let soonDays: Int64 = 30

    package enum State: String, Sendable { case active, expiring, expired, revoked }

    package let id: ClientID
    package let name: String
    package let scopes: [String]
    /// Ranges of addresses it may call from; none = any.
    package let addresses: [String]
    package let requestsPerSecond: Int
    /// Which customers it reaches.
    package let scope: RecordScope
    package let expiresAt: Instant
    package let createdBy: String
    package let createdAt: Instant
    package let secretMadeAt: Instant
    /// The secret before the present one is good until then.
    package let oldSecretUntil: Instant?
    /// Tokens that were issued before are worth nothing.
    package let tokensFrom: Instant
    package let lastUsedAt: Instant?
    package let revokedAt: Instant?

    package func state(at now: Instant) -> State {
        if revokedAt != nil { return .revoked }
        if expiresAt <= now { return .expired }
        return expiresAt <= now.adding(days: Self.soonDays) ? .expiring : .active
    }

    /// Of what the form of its page replaces.
    var version: String {
        RecordVersion.of(
            scopes.sorted() + ["addresses"] + addresses + ["rate", String(requestsPerSecond), "regions"]
                + (scope.regions.map { $0.sorted() } ?? ["*"]) + [revokedAt == nil ? "" : "revoked"])
    }

    /// What the audit calls what it does. No account can have such a name.
    package var actorName: String { "client:" + name }
}

/// Secrets of programs: 256 random bits behind letters that tell finders of leaked secrets what they have found. Nobody guesses
/// one, so a digest is kept and no slow hash (ADR 0053).
enum ProgramSecret {
    static let client = "sbs_"
    static let personal = "sbp_"

    static func make(_ beginning: String) -> String { beginning + RandomText.token() }
    static func digest(_ secret: String) -> String { Sessions.digest(secret) }

    /// Takes as long for what is equal as for what is not.
    static func equal(_ digest: String, _ other: String) -> Bool {
        SHA256.hash(data: Data(digest.utf8)) == SHA256.hash(data: Data(other.utf8))
    }
}

/// Lists that stand in one column, and how people fill them in.
enum ProgramFields {
    static let addressesMax = 50

    static func stored(_ list: [String]) -> String { list.joined(separator: " ") }
    static func list(_ stored: String) -> [String] { stored.split(separator: " ").map(String.init) }

    /// `192.0.2.0/24, 2001:db8::/32`, with commas, spaces or lines between.
    /// - Throws: 422 `invalid_address` that names the one that is none.
    static func addresses(_ text: String?) throws -> [String] {
        let parts = (text ?? "").split { $0 == "," || $0 == "，" || $0 == "、" || $0 == ";" || $0.isWhitespace }
        guard parts.count <= addressesMax else {
            throw CRMError.invalid(
                "addresses", "too_many",
                Words(en: "At most \(addressesMax) ranges of addresses.", zh: "地址范围最多 \(addressesMax) 个。"))
        }
        return try parts.map { part in
            guard IPNetwork(part) != nil else {
                throw CRMError.invalid(
                    "addresses", "invalid_address",
                    Words(
                        en: "“\(part.prefix(50))” is no address and no range such as 192.0.2.0/24.",
                        zh: "“\(part.prefix(50))”不是有效的地址或地址范围（例如 192.0.2.0/24）。"))
            }
            return String(part)
        }
    }

    /// Whether an address is in one of the ranges; no ranges = anywhere.
    static func allows(_ ranges: [String], _ address: String) -> Bool {
        if ranges.isEmpty { return true }
        guard let address = IPAddress(address) else { return false }
        return ranges.contains { IPNetwork($0)?.contains(address) ?? false }
    }

    /// - Throws: 422 `days_out_of_range`.
    static func expiry(days: Int, _ now: Instant) throws -> Instant {
        guard (1...APIClient.daysMax).contains(days) else {
            throw CRMError.invalid(
                "days", "days_out_of_range",
                Words(
                    en: "It lasts 1 to \(APIClient.daysMax) days.", zh: "有效期为 1 至 \(APIClient.daysMax) 天。"))
        }
        return now.adding(days: Int64(days))
    }

    /// - Throws: 422 for none, or one that is not among `offered`.
    static func scopes(_ asked: [String], offered: [APIScope]) throws -> [String] {
        let known = Set(offered.map(\.name))
        if let strange = asked.first(where: { !known.contains($0) }) {
            throw CRMError.invalid(
                "scope", "unknown_scope",
                Words(
                    en:
                        "There is no scope “\(strange.prefix(40))” to be given. Scopes: \(known.sorted().joined(separator: ", ")).",
                    zh: "没有可授予的授权范围“\(strange.prefix(40))”。可选：\(known.sorted().joined(separator: "、"))。"))
        }
        guard !asked.isEmpty else {
            throw CRMError.invalid(
                "scope", "required", Words(en: "Choose at least one scope.", zh: "请至少选择一个授权范围。"))
        }
        return Set(asked).sorted()
    }

    /// A name for people, one line.
    /// - Throws: 422.
    static func name(_ text: String, max: Int) throws -> String {
        let name = text.trimmed
        let isReadable =
            name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace || $0 == " " }
            && name.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
            }
        guard (1...max).contains(name.unicodeScalars.count), isReadable, !Folding.fold(name).isEmpty else {
            throw CRMError.invalid(
                "name", "invalid_name",
                Words(en: "A name has 1 to \(max) characters on one line.", zh: "名称为 1 至 \(max) 个字符，且不换行。"))
        }
        return name
    }
}
