import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// Slows down guessing without ever locking a person out for good (G6; NIST SP 800-63B-4, 3.2.2).
///
/// Failures are counted under three keys, in the database, so that all processes share them and a restart forgets none:
/// - the **pair** of account and address: five free tries, then a delay that doubles from 5 s to 15 min;
/// - the **account** from anywhere: twenty free tries, the same delays: many addresses, one account;
/// - the **address** for any account: twenty free tries: one address, many accounts.
///
/// An address is a subscriber's: an IPv4 address, the /64 of an IPv6 address.
///
/// Anybody can cause the last two. Somebody who has logged in from this address before is therefore held up only by the
/// pair. Where many share an address this tells one thing (G7): while the address is held up, an unknown name is answered
/// 429 and the name of somebody who has logged in from there 401, so a colleague learns who else works there. Answering
/// alike would let any colleague lock the whole office out; of the two this is the lesser harm.
///
/// At 80 consecutive failures unknown addresses are refused, at 100 all: 20 tries are kept for the owner's own places, and
/// a one-time link from an administrator clears the count.
enum Throttle {
    static let pairFree = 5
    static let accountFree = 20
    static let addressFree = 20
    static let strangersMax = 80
    static let failuresMax = 100
    static let delaySecondsMin: Int64 = 5
    static let delaySecondsMax: Int64 = 900
    /// What a caller is told at the ceiling.
    static let ceilingSeconds: Int64 = 86_400
    /// Counts without a failure for so long are forgotten.
    static let forgetDays: Int64 = 30

    /// Seconds until the next try after `failures` in a row.
    static func delaySeconds(failures: Int, free: Int) -> Int64 {
        guard failures >= free else { return 0 }
        return min(delaySecondsMax, delaySecondsMin << Int64(min(failures - free, 20)))
    }

    /// The rows of one try. What was typed as a name stands in them only as a code made with a key outside the database:
    /// people type passwords into the wrong field (G59).
    struct Keys: Sendable {
        let account: String
        let address: String
        let pair: String
        /// - Parameters:
        ///   - name: folded; more than 64 characters belong to no account.
        ///   - secret: `TenantKeys.throttle`.
        init(name: String, address: String, secret: SymmetricKey) {
            let typed = Data(String(name.unicodeScalars.prefix(80)).utf8)
            let code = HMAC<SHA256>.authenticationCode(for: typed, using: secret)
            let name = Hex.text(code.prefix(16))
            let address = IPAddress.subscriber(address)
            account = "account:" + name
            self.address = "address:" + address
            pair = "pair:" + name + " " + address
        }
    }

    private struct Count { var failures = 0; var nextAllowed = Instant(milliseconds: 0) }

    static let find: SQL = "SELECT failures, next_allowed_at FROM identity_throttle WHERE key = $1"
    static let store: SQL = """
        INSERT INTO identity_throttle (key, failures, next_allowed_at, failed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (key) DO UPDATE SET failures = $2, next_allowed_at = $3, failed_at = $4
        """
    static let forget: SQL = "DELETE FROM identity_throttle WHERE key = $1"
    static let forgetRange: SQL = "DELETE FROM identity_throttle WHERE key >= $1 AND key < $2"
    static let setFailures: SQL = """
        UPDATE identity_throttle SET failures = $2, next_allowed_at = $3 WHERE key = $1
        """
    static let purge: SQL = "DELETE FROM identity_throttle WHERE failed_at < $1"

    /// Counts a failure before the password is looked at, so that parallel tries cannot share one free place; a success
    /// takes it back.
    /// - Throws: 429 with `Retry-After` when it is too early; nothing is counted then, so one's turn comes.
    static func reserve(_ keys: Keys, known: Bool, now: Instant, _ session: any SQLSession) throws {
        let account = try count(keys.account, session)
        let address = try count(keys.address, session)
        let pair = try count(keys.pair, session)
        if account.failures >= (known ? failuresMax : strangersMax) { throw tooMany(ceilingSeconds) }
        let limits = known ? [pair] : [pair, account, address]
        // No delay is longer: what lies further ahead was set before the clock was set back, and would lock a person out.
        let longest = now.adding(seconds: delaySecondsMax)
        let until = limits.map(\.nextAllowed).filter { $0 <= longest }.max() ?? now
        if until > now { throw tooMany((until.milliseconds - now.milliseconds + 999) / 1_000) }
        try note(keys.account, account.failures + 1, free: accountFree, now, session)
        try note(keys.address, address.failures + 1, free: addressFree, now, session)
        try note(keys.pair, pair.failures + 1, free: pairFree, now, session)
    }

    /// The password was right: the account's own failures from here are forgiven, also to the address, but not those of
    /// other accounts: one's own account is no way to go on guessing others.
    static func succeed(_ keys: Keys, now: Instant, _ session: any SQLSession) throws {
        let pair = try count(keys.pair, session)
        try forgive(keys.address, pair.failures, free: addressFree, now, session)
        try session.execute(forget, [.text(keys.account)])
        try session.execute(forget, [.text(keys.pair)])
    }

    /// The try could not be decided (too busy to hash): it does not count.
    static func release(_ keys: Keys, now: Instant, _ session: any SQLSession) throws {
        try forgive(keys.account, 1, free: accountFree, now, session)
        try forgive(keys.address, 1, free: addressFree, now, session)
        try forgive(keys.pair, 1, free: pairFree, now, session)
    }

    /// Takes failures back. A delay that the remaining ones have earned goes on: it ends early only when they fall below
    /// the free tries.
    private static func forgive(
        _ key: String, _ failures: Int, free: Int, _ now: Instant, _ session: any SQLSession
    ) throws {
        let count = try count(key, session)
        let left = max(0, count.failures - failures)
        let next = left < free ? now : count.nextAllowed
        try session.execute(setFailures, [.text(key), .int(left), .time(next)])
    }

    /// An account's new password came through a link: all its counts begin anew.
    static func clear(name folded: String, secret: SymmetricKey, _ session: any SQLSession) throws {
        let keys = Keys(name: folded, address: "", secret: secret)
        try session.execute(forget, [.text(keys.account)])
        try session.execute(forgetRange, [.text(keys.pair), .text(Folding.prefixEnd(keys.pair))])
    }

    private static func count(_ key: String, _ session: any SQLSession) throws -> Count {
        try session.first(find, [.text(key)]) { Count(failures: $0.integer(0), nextAllowed: $0.time(1)) } ?? Count()
    }

    private static func note(_ key: String, _ failures: Int, free: Int, _ now: Instant, _ session: any SQLSession)
        throws
    {
        let next = now.adding(seconds: delaySeconds(failures: failures, free: free))
        try session.execute(store, [.text(key), .int(failures), .time(next), .time(now)])
    }

    static func tooMany(_ seconds: Int64) -> CRMError {
        CRMError(
            "too_many_attempts", status: 429,
            Words(
                en: "Too many attempts. Try again in \(seconds) s, or ask an administrator for a one-time link.",
                zh: "尝试次数过多，请在 \(seconds) 秒后重试，或请管理员发送一次性链接。"), retryAfterSeconds: Int(seconds))
    }
}

extension TenantKeys {
    /// For the codes of names in the throttle: a key of its own, made from the pepper (G63).
    var throttle: SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: pepper, info: Data("switchboard.identity.throttle".utf8), outputByteCount: 32)
    }
}
