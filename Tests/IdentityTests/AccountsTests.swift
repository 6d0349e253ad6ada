import Kernel
import TestSupport
import Testing
import Web

@testable import Identity

@Suite("Accounts, powers and one-time links")
struct AccountsTests {
    @Test(
        "administrator, security and auditor exclude one another; the last two stand alone (G27)",
        arguments: [
            ([Role.administrator, .auditor], "powers_exclusive"), ([.administrator, .security], "powers_exclusive"),
            ([.security, .auditor], "powers_exclusive"), ([.auditor, .agent], "powers_exclusive"),
            ([.security, .supervisor], "powers_exclusive"), ([.administrator, .agent], nil), ([.auditor], nil),
            ([.agent, .supervisor, .marketer, .analyst], nil), ([], nil),
        ])
    func exclusive(_ example: ([Role], String?)) async throws {
        let desk = try await Desk()
        #expect(await code { try await desk.user("mei", Set(example.0)) } == example.1)
    }

    @Test("the administrator gives business roles only, the security administrator powers only, nobody their own")
    func whoGives() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei", [])
        let administrator = desk.principal(try await desk.user("root", [.administrator]), [.administrator])
        let security = desk.principal(try await desk.user("sec", [.security]), [.security])
        let auditor = desk.principal(try await desk.user("audit", [.auditor]), [.auditor])
        func set(_ roles: Set<Role>, _ by: Principal, of id: UserID) async -> String? {
            await code {
                try await desk.tenant.database.write { session in
                    _ = try desk.accounts.setRoles(id, roles, by: by, session)
                }
            }
        }
        #expect(await set([.agent], administrator, of: mei) == nil)
        #expect(await set([.agent, .administrator], administrator, of: mei) == "forbidden")
        #expect(await set([.agent, .supervisor], security, of: mei) == "forbidden")
        #expect(await set([.agent, .administrator], security, of: mei) == nil)
        #expect(await set([.agent], administrator, of: mei) == "forbidden")
        #expect(await set([.agent, .administrator, .auditor], security, of: mei) == "powers_exclusive")
        #expect(await set([.agent], auditor, of: mei) == "forbidden")
        for own in [administrator, security] {
            guard let id = own.userID else { continue }
            #expect(await set([], own, of: id) == "own_roles")
        }
    }

    @Test("an account with a power is disabled, freed and linked by the security administrator only")
    func whoManages() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei", [.agent])
        let auditor = try await desk.user("audit", [.auditor])
        let administrator = desk.principal(UserID(1), [.administrator])
        let security = desk.principal(UserID(2), [.security])
        func link(_ id: UserID, _ by: Principal) async -> String? {
            await code {
                try await desk.tenant.database.write { session in _ = try desk.accounts.issueLink(id, by: by, session) }
            }
        }
        #expect(await link(mei, administrator) == nil)
        #expect(await link(mei, security) == "forbidden")
        #expect(await link(auditor, administrator) == "forbidden")
        #expect(await link(auditor, security) == nil)
        #expect(
            await code {
                try await desk.tenant.database.write { session in
                    _ = try desk.accounts.setStatus(auditor, .disabled, by: administrator, session)
                }
            } == "forbidden")
    }

    @Test("a bootstrap link makes one account, once, within an hour (G12)")
    func bootstrap() async throws {
        let desk = try await Desk()
        #expect(try await !desk.admin.hasUsers(desk.tenant))
        #expect(await desk.answer("admin", "admin") == "login_failed")
        let link = try await desk.admin.issueBootstrap(desk.tenant)
        #expect(link.path == "/bootstrap/" + link.token)
        func redeem(_ token: String, _ name: String?, _ password: String = sentence) async -> String? {
            await code {
                try await desk.logIn.redeem(
                    token, .init(name: name, displayName: nil, password: password), from: desk.origin())
            }
        }
        #expect(await redeem(link.token, nil) == "invalid_name")
        #expect(await redeem(link.token, "root", "too short") == "too_short")
        #expect(await redeem(link.token, "root") == nil)
        #expect(await redeem(link.token, "second") == "link_invalid")
        #expect(await redeem("unknown" + link.token, "third") == "link_invalid")
        let late = try await desk.admin.issueBootstrap(desk.tenant)
        desk.clock.advance(seconds: 3_600)
        #expect(await redeem(late.token, "fourth") == "link_invalid")
        let users = try await desk.admin.listUsers(desk.tenant)
        #expect(users.map(\.name) == ["root"])
        #expect(users.first?.roles == [.administrator])
        #expect(await desk.answer("root", sentence) == "ok")
    }

    @Test("a link that opens nothing says why: used, replaced by a newer one, too old, or none at all")
    func whyNot() async throws {
        let desk = try await Desk()
        func why(_ token: String) async -> String {
            do {
                try await desk.logIn.redeem(
                    token, .init(name: "root", displayName: nil, password: sentence), from: desk.origin())
                return "opened"
            } catch let error as CRMError { return error.message.en } catch { return "\(error)" }
        }
        let first = try await desk.admin.issueBootstrap(desk.tenant)
        let second = try await desk.admin.issueBootstrap(desk.tenant)
        #expect(await why(first.token).contains("replaced by a newer one"))
        #expect(await why(second.token) == "opened")
        #expect(await why(second.token).contains("used already"))
        #expect(await why("x" + second.token) == "This link is not valid. Ask for a new one.")
        try await desk.user("mei")
        let old = try await desk.admin.issueLink(user: "mei", desk.tenant)
        let new = try await desk.admin.issueLink(user: "mei", desk.tenant)
        #expect(await why(old.token).contains("replaced by a newer one"))
        desk.clock.advance(seconds: 3_600)
        #expect(await why(new.token).contains("older than an hour"))
        #expect(await why(old.token).contains("replaced"))
        let last = try await desk.admin.issueLink(user: "mei", desk.tenant)
        try await desk.admin.setStatus(user: "mei", .disabled, desk.tenant)
        #expect(await why(last.token).contains("not valid"), "ended with its account")
    }

    @Test("of two who use one link at the same moment, one succeeds")
    func race() async throws {
        let desk = try await Desk()
        let link = try await desk.admin.issueBootstrap(desk.tenant)
        let answers = await withTaskGroup(of: String?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await code {
                        try await desk.logIn.redeem(
                            link.token, .init(name: "root\(number)", displayName: nil, password: sentence),
                            from: desk.origin())
                    }
                }
            }
            return await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(answers.count { $0 == nil } == 1)
        #expect(answers.count { $0 == "link_invalid" } == 7)
    }

    @Test("a password link ends the sessions, replaces earlier links, and dies with a disabled account (G13)")
    func passwordLinks() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let token = try await desk.start("mei")
        let old = try await desk.admin.issueLink(user: "mei", desk.tenant)
        let new = try await desk.admin.issueLink(user: "MEI", desk.tenant)
        func redeem(_ token: String) async -> String? {
            await code {
                try await desk.logIn.redeem(
                    token, .init(name: nil, displayName: nil, password: otherSentence), from: desk.origin())
            }
        }
        #expect(await redeem(old.token) == "link_invalid")
        #expect(try await desk.resume(token) != nil)
        #expect(await redeem(new.token) == nil)
        #expect(try await desk.resume(token) == nil)
        #expect(await desk.answer("mei", sentence) == "login_failed")
        let last = try await desk.admin.issueLink(user: "mei", desk.tenant)
        try await desk.admin.setStatus(user: "mei", .disabled, desk.tenant)
        #expect(await redeem(last.token) == "link_invalid")
        #expect(await code { _ = try await desk.admin.issueLink(user: "mei", desk.tenant) } == "no_link")
        #expect(await code { _ = try await desk.admin.issueLink(user: "nobody", desk.tenant) } == "not_found")
    }

    @Test("an own password is changed only with the current one, for a different one, under the throttle")
    func ownPassword() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        let user = try await desk.tenant.database.read { try desk.accounts.access(mei, $0) }
        let token = try await desk.start("mei")
        func change(_ current: String, _ new: String) async -> String? {
            await code {
                _ = try await desk.logIn.changePassword(
                    user, current: current, new: new, by: desk.principal(mei, [.agent]),
                    from: desk.origin(cookie: token))
            }
        }
        #expect(await change(sentence, "short") == "too_short")
        #expect(await change(sentence, sentence) == "same_password")
        for _ in 0..<5 { #expect(await change("wrong password here", otherSentence) == "wrong_password") }
        #expect(await change(sentence, otherSentence) == "too_many_attempts")
        desk.clock.advance(seconds: 5)
        #expect(await change(sentence, otherSentence) == nil)
        #expect(try await desk.test.auditCount("identity.password.change") == 6)
    }

    @Test("a new or used bootstrap link ends the others to the same power (G12)")
    func bootstrapLinks() async throws {
        let desk = try await Desk()
        func redeem(_ link: IdentityAdmin.Link, _ name: String) async -> String? {
            await code {
                try await desk.logIn.redeem(
                    link.token, .init(name: name, displayName: nil, password: sentence), from: desk.origin())
            }
        }
        let first = try await desk.admin.issueBootstrap(desk.tenant)
        let auditor = try await desk.admin.issueBootstrap(role: .auditor, desk.tenant)
        let second = try await desk.admin.issueBootstrap(desk.tenant)
        #expect(await redeem(first, "stranger") == "link_invalid")
        // One that an older version left beside the other.
        let left = RandomText.token()
        try await desk.tenant.database.write { [now = desk.clock.now()] session in
            try session.execute(
                OneTimeLinks.insert,
                [
                    .text(Sessions.digest(left)), .text("bootstrap"), .text("administrator"), .null, .text("cli"),
                    .time(now), .time(now.adding(seconds: 3_600)),
                ])
        }
        #expect(await redeem(second, "root") == nil)
        #expect(
            await redeem(.init(token: left, path: "", expiresAt: desk.clock.now()), "stranger") == "link_invalid")
        #expect(await redeem(auditor, "watch") == nil)
        #expect(try await desk.admin.listUsers(desk.tenant).map(\.name) == ["root", "watch"])
    }

    @Test("a link does not set the password anew that was there before (G2)")
    func samePassword() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let link = try await desk.admin.issueLink(user: "mei", desk.tenant)
        func redeem(_ password: String) async -> CRMError? {
            do {
                try await desk.logIn.redeem(
                    link.token, .init(name: nil, displayName: nil, password: password), from: desk.origin())
                return nil
            } catch { return error as? CRMError }
        }
        let error = await redeem(sentence)
        #expect(error?.status == 422 && error?.code == "same_password" && error?.fields.first?.field == "password")
        #expect(await redeem(otherSentence) == nil)
    }

    /// What may happen to an account while a new password of its owner is being hashed.
    enum Meanwhile: CaseIterable { case reset, disabled, ended }

    @Test("a change of the password that is under way does not win over a reset (G17)", arguments: Meanwhile.allCases)
    func changeInFlight(_ meanwhile: Meanwhile) async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        let user = try await desk.tenant.database.read { try desk.accounts.access(mei, $0) }
        let token = try await desk.start("mei")
        let reset = try await desk.hasher.hash(otherSentence, pepper: desk.tenant.keys.pepper)
        // The new hash takes about a second; the old one, cheap as it is, is checked at once.
        let slow = try await Desk(cost: .init(memoryKiB: 65_536, passes: 10, lanes: 1), test: desk.test)
        let change = Task {
            await code {
                _ = try await slow.logIn.changePassword(
                    user, current: sentence, new: "the stranger's own password", by: slow.principal(mei, [.agent]),
                    from: slow.origin(cookie: token))
            }
        }
        let limit = ContinuousClock.now + .seconds(20)
        while slow.hasher.hashCount < 2, ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(2)) }
        let administrator = desk.principal(UserID(1), [.administrator])
        try await desk.tenant.database.write { session in
            switch meanwhile {
            case .reset: try desk.accounts.setPassword(user, hash: reset, session)
            case .disabled: _ = try desk.accounts.setStatus(mei, .disabled, by: administrator, session)
            case .ended: _ = try desk.accounts.endSessions(mei, by: administrator, session)
            }
        }
        #expect(await change.value == "login_required")
        #expect(try await desk.stored(mei).hasPrefix(cheap.prefix))
        #expect(try await desk.test.auditCount("identity.password.change") == 0)
    }

    @Test(
        "names are letters, digits and a few marks",
        arguments: [
            ("李敏", true), ("mei.li-2@east+x", true), ("", false), ("two words", false), ("a\u{202e}b", false),
            ("<svg>", false), (String(repeating: "x", count: 65), false),
        ])
    func names(_ example: (String, Bool)) {
        #expect(((try? User.checkName(example.0)) != nil) == example.1)
    }

    @Test("the list is in the order of names and its pages meet without a gap")
    func pages() async throws {
        let desk = try await Desk()
        let names = (0..<25).map { "user\($0 + 100)" }
        for name in names.shuffled() { try await desk.user(name, name.hasSuffix("3") ? [.marketer] : [.agent]) }
        var seen: [String] = []
        var after: UserID?
        repeat {
            let page = try await desk.tenant.database.read { [after] in
                try UserStore().page(after: after, limit: 10, $0)
            }
            seen += page.items.map(\.name)
            after = page.next.flatMap { UserID($0) }
        } while after != nil
        #expect(seen == names)
        let marketers = try await desk.tenant.database.read {
            try UserStore().page(.init(role: .marketer, status: .active, prefix: "user1"), $0).items
        }
        #expect(marketers.map(\.name) == ["user103", "user113", "user123"])
        #expect(marketers.allSatisfy { $0.roles == [.marketer] })
    }

    @Test("a scope is read back as it was written; a damaged one is an error, not everything")
    func scope() throws {
        for scope in [RecordScope.all, RecordScope(regions: ["east", "华东"]), RecordScope(regions: [], teams: ["a"])] {
            #expect(try RecordScope(stored: scope.stored) == scope)
        }
        #expect(throws: (any Error).self) { try RecordScope(stored: "[]") }
        #expect(throws: (any Error).self) { try RecordScope(stored: "") }
    }

    @Test("every column has a label, and every right is granted to the roles it is meant for")
    func labels() async throws {
        let desk = try await Desk()
        let module = IdentityModule(hasher: desk.hasher, policy: desk.policy, texts: try Texts(share: Checkout.share))
        let labelled = Dictionary(uniqueKeysWithValues: module.labels.map { ($0.table, Set($0.columns.keys)) })
        #expect(try await TestSchema(desk.tenant.database).columnsByTable(prefix: "identity_") == labelled)
        let roles = RolePermissions(desk.grants)
        for role in [Role.agent, .supervisor, .marketer, .analyst] {
            #expect(!roles.permissions(of: [role]).contains(IdentityPermission.view))
        }
        #expect(!roles.permissions(of: [.administrator]).contains(IdentityPermission.powers))
        #expect(!roles.permissions(of: [.security]).contains(IdentityPermission.manage))
        #expect(roles.permissions(of: [.auditor]).map(\.rawValue) == ["audit.read"])
    }
}
