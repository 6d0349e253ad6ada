import Crypto
import Foundation
import Kernel
import Synchronization

/// What this process knows of tokens for a moment, so that a request of a program costs neither the check of a signature nor a
/// read of the database. Bounded; what it does not know is looked up.
///
/// Clients and keys are believed for `seconds`: so long another server may go on with what was revoked or changed here. This one
/// is told at once.
package final class TokenMemory: Sendable {
    /// How long a change made on another server may take to be heard of.
    package static let seconds: Int64 = 2
    /// `last used` is written at most this often.
    static let touchSeconds: Int64 = 60
    /// A refusal of the same kind is in the audit once in this time: a stolen token that is tried on and on must not fill it.
    static let refusalSeconds: Int64 = 60
    private static let entriesMax = 20_000

    struct Verified: Sendable { let claims: TokenClaims; let kid: String }
    private struct ClientKey: Hashable { let tenant: String; let id: ClientID }
    private struct Held<Value> { let value: Value; let since: Instant }
    private struct State {
        var verified: [Data: Verified] = [:]
        var clients: [ClientKey: Held<APIClient?>] = [:]
        var keys: [String: Held<[SigningKey]>] = [:]
        /// When something was last done that is not done again soon.
        var done: [String: Instant] = [:]
        var verifications = 0
    }
    private let state = Mutex(State())

    package init() {}

    private static func isFresh(_ since: Instant, _ now: Instant) -> Bool {
        // Not either when the clock was set back.
        now >= since && now < since.adding(seconds: seconds)
    }

    /// How many tokens this process has read, signature and all.
    var verifications: Int { state.withLock { $0.verifications } }

    // MARK: Tokens

    static func digest(_ token: String, tenant: String) -> Data {
        var hash = SHA256()
        hash.update(data: Data("\(tenant) ".utf8))
        hash.update(data: Data(token.utf8))
        return Data(hash.finalize())
    }

    func verified(_ digest: Data) -> Verified? { state.withLock { $0.verified[digest] } }

    func willVerify() { state.withLock { $0.verifications += 1 } }

    func note(_ digest: Data, _ verified: Verified, now: Instant) {
        state.withLock { state in
            if state.verified.count >= Self.entriesMax {
                state.verified = state.verified.filter { $0.value.claims.expiresAt > now }
                if state.verified.count >= Self.entriesMax { state.verified = [:] }
            }
            state.verified[digest] = verified
        }
    }

    func forget(_ digest: Data) { state.withLock { $0.verified[digest] = nil } }

    // MARK: Clients and keys

    /// - Returns: `nil` = not known lately; `.some(nil)` = there is none.
    func client(_ id: ClientID, tenant: String, now: Instant) -> APIClient?? {
        state.withLock { state in
            guard let held = state.clients[ClientKey(tenant: tenant, id: id)], Self.isFresh(held.since, now) else {
                return nil
            }
            return .some(held.value)
        }
    }

    func note(_ client: APIClient?, _ id: ClientID, tenant: String, now: Instant) {
        state.withLock { state in
            if state.clients.count >= Self.entriesMax {
                state.clients = state.clients.filter { Self.isFresh($0.value.since, now) }
                if state.clients.count >= Self.entriesMax { state.clients = [:] }
            }
            state.clients[ClientKey(tenant: tenant, id: id)] = Held(value: client, since: now)
        }
    }

    func forget(client id: ClientID, tenant: String) {
        state.withLock { $0.clients[ClientKey(tenant: tenant, id: id)] = nil }
    }

    func keys(tenant: String, now: Instant) -> [SigningKey]? {
        state.withLock { state in
            state.keys[tenant].flatMap { Self.isFresh($0.since, now) ? $0.value : nil }
        }
    }

    func note(_ keys: [SigningKey], tenant: String, now: Instant) {
        state.withLock { $0.keys[tenant] = Held(value: keys, since: now) }
    }

    func forgetKeys(tenant: String) { state.withLock { $0.keys[tenant] = nil } }

    // MARK: What is done now and then

    /// Whether it is time to do something that is done at most every so many seconds; whoever asks first does it.
    func isTime(for what: String, every seconds: Int64, now: Instant) -> Bool {
        state.withLock { state in
            if let last = state.done[what], now >= last, now < last.adding(seconds: seconds) { return false }
            if state.done.count >= Self.entriesMax {
                state.done = state.done.filter { now < $0.value.adding(seconds: seconds) && now >= $0.value }
                // Rather something too early than something not at all.
                if state.done.count >= Self.entriesMax { state.done = [:] }
            }
            state.done[what] = now
            return true
        }
    }
}
