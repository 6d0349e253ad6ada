import Kernel
import TestSupport
import Testing
import Web

@testable import Identity

@Suite("Sessions")
struct SessionTests {
    @Test("the token has 256 bits and the database holds only its SHA-256 (G15)")
    func stored() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let token = try await desk.start("mei")
        #expect(token.utf8.count == 43)
        let rows = try await desk.tenant.database.read {
            try $0.query("SELECT token_hash FROM identity_session") { $0.text(0) }
        }
        #expect(rows == [Sessions.digest(token)])
        #expect(Sessions.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("a session carries roles, rights, scope and preferences")
    func state() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei", [.agent, .supervisor])
        try await desk.tenant.database.write { session in
            _ = try desk.accounts.setScope(
                mei, RecordScope(regions: ["east"]), by: desk.principal(UserID(1), [.administrator]), session)
            try session.execute(
                UserStore.setPreferences, [.id(mei), .text("zh"), .text("dark"), .bool(false), .time(desk.clock.now())])
        }
        let state = try await desk.resume(try await desk.start("mei"))
        #expect(state?.principal.roles == [.agent, .supervisor])
        // In every spelling of the region (ADR 0064).
        #expect(state?.principal.scope.regions.map { Set($0.map { $0.lowercased() }) } == ["east"])
        #expect(state?.principal.may(Permission("personal.contact.view")) == true)
        #expect(state?.principal.may(IdentityPermission.view) == false)
        #expect(state?.language == .zh && state?.theme == "dark" && state?.shortcuts == false)
    }

    @Test("idle for 30 minutes ends a session, 15 for a power (G16)", arguments: Role.allCases)
    func idle(_ role: Role) async throws {
        let desk = try await Desk()
        try await desk.user("mei", [role])
        let token = try await desk.start("mei")
        let minutes: Int64 = [.administrator, .security, .auditor].contains(role) ? 15 : 30
        desk.clock.advance(seconds: minutes * 60 - 1)
        #expect(try await desk.resume(token) != nil)
        desk.clock.advance(seconds: minutes * 60)
        #expect(try await desk.resume(token) == nil)
    }

    @Test("the list of sessions holds those that are open, none that idle time has ended (G17)")
    func listed() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        let root = try await desk.user("root", [.administrator])
        for name in ["mei", "root"] { _ = try await desk.start(name) }
        func counts() async throws -> [Int] {
            try await desk.tenant.database.read { session in
                try [mei, root].map { try desk.accounts.sessions.list($0, current: nil, session).count }
            }
        }
        desk.clock.advance(seconds: 899)
        #expect(try await counts() == [1, 1])
        desk.clock.advance(seconds: 1)
        #expect(try await counts() == [1, 0])
        desk.clock.advance(seconds: 900)
        #expect(try await counts() == [0, 0])
    }

    @Test("twelve hours end a session however busy it is")
    func absolute() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let token = try await desk.start("mei")
        for _ in 0..<47 {
            desk.clock.advance(seconds: 900)
            #expect(try await desk.resume(token) != nil)
        }
        desk.clock.advance(seconds: 899)
        #expect(try await desk.resume(token) != nil)
        desk.clock.advance(seconds: 1)
        #expect(try await desk.resume(token) == nil)
    }

    @Test("last seen is written at most once a minute")
    func touched() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let token = try await desk.start("mei")
        func seen() async throws -> Int {
            try await desk.tenant.database.read { try $0.count("SELECT last_seen_at FROM identity_session") }
        }
        let start = try await seen()
        desk.clock.advance(seconds: 59)
        _ = try await desk.resume(token)
        #expect(try await seen() == start)
        desk.clock.advance(seconds: 1)
        _ = try await desk.resume(token)
        #expect(try await seen() == start + 60_000)
    }

    @Test("a log-in makes a new token and ends what the old cookie stood for (G14)")
    func rotation() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let first = try await desk.start("mei")
        let second = try await desk.start("mei", cookie: first)
        #expect(first != second)
        #expect(try await desk.resume(first) == nil)
        #expect(try await desk.resume(second) != nil)
        // A value that an attacker planted before the log-in opens nothing afterwards.
        let planted = String(repeating: "p", count: 43)
        _ = try await desk.start("mei", cookie: planted)
        #expect(try await desk.resume(planted) == nil)
    }

    @Test("disabling, new roles and a new password end every session at once (G17)")
    func revocation() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        let administrator = desk.principal(UserID(1), [.administrator])
        let verbs: [@Sendable (Desk) async throws -> Void] = [
            { desk in
                try await desk.tenant.database.write { session in
                    _ = try desk.accounts.setStatus(mei, .disabled, by: administrator, session)
                }
            },
            { desk in
                try await desk.tenant.database.write { session in
                    _ = try desk.accounts.setStatus(mei, .active, by: administrator, session)
                    _ = try desk.accounts.setRoles(mei, [.marketer], by: administrator, session)
                }
            },
            { desk in
                let user = try await desk.tenant.database.read { try desk.accounts.access(mei, $0) }
                let own = try await desk.start("mei")
                let token = try await desk.logIn.changePassword(
                    user, current: sentence, new: otherSentence, by: desk.principal(mei, [.marketer]),
                    from: desk.origin(cookie: own))
                #expect(try await desk.resume(own) == nil)
                #expect(try await desk.resume(token) != nil)
            },
        ]
        var tokens = [try await desk.start("mei"), try await desk.start("mei")]
        for verb in verbs {
            try await verb(desk)
            for token in tokens { #expect(try await desk.resume(token) == nil) }
            if await desk.answer("mei", sentence) == "ok" { tokens = [try await desk.start("mei")] }
        }
        #expect(await desk.answer("mei", sentence) == "login_failed")
        #expect(await desk.answer("mei", otherSentence) == "ok")
    }

    @Test("roles that stay as they are end nothing")
    func sameRoles() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        let token = try await desk.start("mei")
        try await desk.tenant.database.write { session in
            _ = try desk.accounts.setRoles(mei, [.agent], by: desk.principal(UserID(1), [.administrator]), session)
        }
        #expect(try await desk.resume(token) != nil)
    }

    @Test("the purge job forgets what is over and keeps what is not")
    func purge() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        _ = try await desk.start("mei")
        _ = await desk.answer("mei", "wrong password here")
        _ = try await desk.admin.issueBootstrap(desk.tenant)
        desk.clock.advance(days: 31)
        let token = try await desk.start("mei", from: "192.0.2.2")
        let module = IdentityModule(hasher: desk.hasher, policy: desk.policy, texts: try Texts(share: Checkout.share))
        try await desk.tenant.database.write { session in
            _ = try desk.tenant.jobs.enqueue("identity.purge", payload: "{}", by: "test", session)
        }
        try await desk.test.drain(jobs: module.jobs(desk.tenant))
        let counts = try await desk.tenant.database.read { session in
            [
                try session.count("SELECT COUNT(*) FROM identity_session"),
                try session.count("SELECT COUNT(*) FROM identity_bootstrap"),
                try session.count("SELECT COUNT(*) FROM identity_throttle WHERE failures > 0"),
            ]
        }
        #expect(counts == [1, 0, 0])
        #expect(try await desk.resume(token) != nil)
    }

    @Test("browsers are reduced to a family")
    func agents() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"
        #expect(UserAgent.family(edge) == "Edge · Windows")
        #expect(
            UserAgent.family("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0")
                == "Firefox · Linux")
        #expect(UserAgent.family("<script>") == "?")
        #expect(UserAgent.family(nil) == "?")
    }
}
