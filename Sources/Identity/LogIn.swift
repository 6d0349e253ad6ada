import Foundation
import Kernel
import Platform
import Storage
import Web

/// The log-in and the other ways a password is given or set. Hashing happens between transactions, on the hasher's own
/// threads.
struct LogIn: Sendable {
    let hasher: PasswordHasher
    let policy: PasswordPolicy
    let tenant: Tenant
    /// Writes an audit entry in the given transaction.
    let record: @Sendable (AuditEntry, Principal, any SQLSession) throws -> Void

    private var accounts: Accounts { Accounts(tenant) }

    static let knownAddress: SQL = """
        SELECT 1 FROM identity_known_address WHERE user_id = $1 AND address = $2 AND last_login_at > $3
        """
    static let rememberAddress: SQL = """
        INSERT INTO identity_known_address (user_id, address, last_login_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, address) DO UPDATE SET last_login_at = $3
        """
    static let purgeAddresses: SQL = "DELETE FROM identity_known_address WHERE last_login_at < $1"
    static let knownDays: Int64 = 90
    /// No account has it.
    static let nobodyID = UserID(0)

    /// One answer for an unknown user, a wrong password, an account that is disabled or has no password yet (G7).
    static let refused = CRMError(
        "login_failed", status: 401,
        Words(en: "User name or password is not right.", zh: "用户名或密码不正确。"))
    static let expired = CRMError(
        "password_expired", status: 403,
        Words(en: "This password has expired and must be changed.", zh: "密码已过期，必须修改。"))

    /// Where a try comes from.
    struct Origin: Sendable {
        let address: String
        /// Browser family.
        let agent: String
        let requestID: String
        /// The cookie's value before the log-in.
        let cookieToken: String?
        /// The address, or the network of it that one subscriber has.
        var subscriber: String { IPAddress.subscriber(address) }
    }

    enum Outcome: Sendable {
        /// The token of the new session.
        case started(String)
        /// The password is right but too old: the token of a link that sets a new one.
        case expired(String)
    }

    /// - Throws: 401 `login_failed`, 429 `too_many_attempts`, 503 when too many hash at once.
    func attempt(name: String, password: String, from origin: Origin) async throws -> Outcome {
        let folded = Folding.fold(name)
        let keys = Throttle.Keys(name: folded, address: origin.address, secret: tenant.keys.throttle)
        let found = try await reserve(keys, folded, origin)
        guard let found, try await matches(password, found, keys) else {
            if found == nil { try await nobody(password, keys) }
            try await refuse(found, origin)
            throw Self.refused
        }
        var fresh: String?
        if let hash = found.hash, hasher.isOutdated(hash) {
            // When the hasher is too busy now, the next log-in does it.
            fresh = try? await hasher.hash(password, pepper: tenant.keys.pepper)
        }
        return try await start(found, rehashed: fresh, keys, origin)
    }

    static func samePassword(_ field: String) -> CRMError {
        CRMError.invalid(
            field, "same_password", Words(en: "This is the current password.", zh: "新密码与当前密码相同。"))
    }

    /// Checks a logged-in person's own password before a change, under the same throttle. Returns the stored hash that
    /// it matched.
    /// - Parameter refusal: what is recorded when it is not right.
    /// - Throws: 422 `wrong_password`, 429.
    @discardableResult
    func confirm(
        _ user: User, password: String, refusal: AuditEntry, by principal: Principal, address: String
    ) async throws -> String? {
        let keys = Throttle.Keys(
            name: Folding.fold(user.name), address: address, secret: tenant.keys.throttle)
        let now = tenant.clock.now()
        let found = try await tenant.database.write { session in
            try Throttle.reserve(keys, known: true, now: now, session)
            return try UserStore().credentials(user.id, session)
        }
        guard let found, try await matches(password, found, keys) else {
            try await tenant.database.write { session in
                try record(refusal, principal, session)
            }
            throw CRMError.invalid(
                "current", "wrong_password", Words(en: "The current password is not right.", zh: "当前密码不正确。"))
        }
        try await tenant.database.write { session in try Throttle.succeed(keys, now: now, session) }
        return found.hash
    }

    // MARK: Steps

    private func reserve(
        _ keys: Throttle.Keys, _ folded: String, _ origin: Origin
    ) async throws -> UserStore.Credentials? {
        let now = tenant.clock.now()
        return try await tenant.database.write { session in
            let found = try UserStore().credentials(named: folded, session)
            // Also asked for nobody: an unknown name costs the same statements (G7).
            let known = try session.exists(
                Self.knownAddress,
                [
                    .id(found?.id ?? Self.nobodyID), .text(origin.subscriber),
                    .time(now.adding(days: -Self.knownDays)),
                ])
            try Throttle.reserve(keys, known: known, now: now, session)
            return found
        }
    }

    /// One hash whatever the account is like: also a disabled one's password is looked at.
    private func matches(_ password: String, _ found: UserStore.Credentials, _ keys: Throttle.Keys) async throws -> Bool
    {
        guard let hash = found.hash else {
            try await nobody(password, keys)
            return false
        }
        return try await decided(keys) {
            try await hasher.verify(password, hash, pepper: tenant.keys.pepper)
        } && found.status == .active
    }

    private func nobody(_ password: String, _ keys: Throttle.Keys) async throws {
        try await decided(keys) { try await hasher.verifyNobody(password, pepper: tenant.keys.pepper) }
    }

    /// Gives the try back when the hasher was too busy.
    private func decided<T>(_ keys: Throttle.Keys, _ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch {
            let now = tenant.clock.now()
            try await tenant.database.write { session in try Throttle.release(keys, now: now, session) }
            throw error
        }
    }

    private func principal(_ origin: Origin, _ user: UserID?, _ name: String) -> Principal {
        Principal(
            tenant: tenant.name, userID: user, userName: name, roles: [], permissions: [], purpose: .security,
            address: origin.address, requestID: origin.requestID)
    }

    /// The typed name is not recorded: people type passwords into the wrong field (G59). A try for no account is about
    /// somebody too, `nobody`: the same rows are written as for an account (G7).
    private func refuse(_ found: UserStore.Credentials?, _ origin: Origin) async throws {
        let actor = principal(origin, nil, "anonymous")
        let reason = found.map {
            $0.status == .disabled ? "disabled" : $0.hash == nil ? "no_password" : "wrong_password"
        }
        try await tenant.database.write { session in
            try record(
                AuditEntry(
                    "identity.session.start",
                    [found.map { .user($0.id) } ?? AuditSubject(kind: "nobody", id: Self.nobodyID.rawValue)],
                    facts: ["reason": .string(reason ?? "unknown_user")], refused: true), actor, session)
        }
    }

    private func start(
        _ found: UserStore.Credentials, rehashed: String?, _ keys: Throttle.Keys, _ origin: Origin
    ) async throws -> Outcome {
        let now = tenant.clock.now()
        return try await tenant.database.write { session in
            // Between the look at the hash and now the account may have been disabled or given another password.
            guard let again = try UserStore().credentials(found.id, session), again.status == .active,
                again.hash == found.hash, let user = try UserStore().user(found.id, session)
            else { throw Self.refused }
            try Throttle.succeed(keys, now: now, session)
            let actor = principal(origin, user.id, user.name)
            if let changed = again.passwordChangedAt, policy.isExpired(changedAt: changed, now: now) {
                let token = try accounts.links.issue(.password(user.id), by: actor, session)
                try record(AuditEntry("identity.password.expire", [.user(user.id)], refused: true), actor, session)
                return .expired(token)
            }
            if let rehashed { try session.execute(UserStore.rehash, [.id(user.id), .text(rehashed)]) }
            try session.execute(UserStore.setLastLogin, [.id(user.id), .time(now)])
            try session.execute(Self.rememberAddress, [.id(user.id), .text(origin.subscriber), .time(now)])
            let token = try accounts.sessions.start(
                user.id, address: origin.address, agent: origin.agent, replacing: origin.cookieToken, session)
            try record(
                AuditEntry("identity.session.start", [.user(user.id)], facts: ["agent": .string(origin.agent)]), actor,
                session)
            return .started(token)
        }
    }

    // MARK: New passwords

    /// What the person behind a one-time link fills in.
    struct Redemption: Sendable {
        /// For a new account.
        let name: String?
        let displayName: String?
        let password: String
    }

    /// Uses a one-time link: makes the first account of a role, or sets the password of an existing account.
    /// - Throws: 410 `link_invalid`; 422 of the policy, `same_password`, `name_taken`. The link stays valid after a 422.
    func redeem(_ token: String, _ filled: Redemption, from origin: Origin) async throws {
        let accounts = self.accounts
        let (user, old) = try await tenant.database.read { session -> (User?, String?) in
            switch try accounts.links.find(token, session).purpose {
            case .bootstrap: (nil, nil)
            case .password(let id):
                (try accounts.users.user(id, session), try accounts.users.credentials(id, session)?.hash)
            }
        }
        let name = user?.name ?? filled.name ?? ""
        if user == nil { try User.checkName(name) }
        try policy.check(
            filled.password, userName: name, displayName: user?.displayName ?? filled.displayName ?? "",
            tenant: tenant.name)
        // A password that has expired, or was forgotten by its owner and not by others, is not set anew (G2).
        if let old, try await hasher.verify(filled.password, old, pepper: tenant.keys.pepper) {
            throw Self.samePassword("password")
        }
        let hash = try await hasher.hash(filled.password, pepper: tenant.keys.pepper)
        try await tenant.database.write { session in
            switch try accounts.links.redeem(token, session).purpose {
            case .bootstrap(let role):
                let actor = principal(origin, nil, "bootstrap")
                let draft = Accounts.Draft(
                    name: name, displayName: filled.displayName, roles: [role], passwordHash: hash)
                try record(try accounts.create(draft, by: actor, session).1, actor, session)
            case .password(let id):
                let user = try accounts.access(id, session)
                guard user.status == .active else { throw OneTimeLink.invalid }
                try accounts.setPassword(user, hash: hash, session)
                try record(
                    AuditEntry("identity.password.set", [.user(id)]), principal(origin, id, user.name), session)
            }
        }
    }

    /// A person's change of the own password: every session ends, this one goes on under a new token.
    /// - Returns: the new token.
    /// - Throws: 422 `wrong_password`, `same_password` and those of the policy; 429; 401 when meanwhile the session was
    ///   ended, the account disabled or its password replaced: what somebody else did to keep a stranger out stands.
    func changePassword(
        _ user: User, current: String, new: String, by principal: Principal, from origin: Origin
    ) async throws -> String {
        try policy.check(new, userName: user.name, displayName: user.displayName, tenant: tenant.name, field: "new")
        let refusal = AuditEntry("identity.password.change", [.user(user.id)], refused: true)
        let confirmed = try await confirm(
            user, password: current, refusal: refusal, by: principal, address: origin.address)
        guard new != current else { throw Self.samePassword("new") }
        let hash = try await hasher.hash(new, pepper: tenant.keys.pepper)
        return try await tenant.database.write { session in
            guard let again = try accounts.users.credentials(user.id, session), again.status == .active,
                again.hash == confirmed, let token = origin.cookieToken,
                try accounts.sessions.isOpen(token, of: user.id, session)
            else { throw CRMError.loginRequired }
            try accounts.setPassword(user, hash: hash, session)
            try record(AuditEntry("identity.password.change", [.user(user.id)]), principal, session)
            return try accounts.sessions.start(
                user.id, address: origin.address, agent: origin.agent, replacing: nil, session)
        }
    }
}
