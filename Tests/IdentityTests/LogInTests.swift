import Kernel
import TestSupport
import Testing

@testable import Identity

@Suite("Log-in")
struct LogInTests {
    @Test("unknown, wrong, disabled, without a password: one answer and one hash each (G7)")
    func oneAnswer() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let off = try await desk.user("off")
        try await desk.admin.setStatus(user: "off", .disabled, desk.tenant)
        let security = desk.principal(UserID(1), [.administrator])
        try await desk.tenant.database.write { session in
            _ = try desk.accounts.create(.init(name: "invited", roles: [.agent]), by: security, session)
        }
        var errors: [CRMError] = []
        for (name, password) in [
            ("nobody", sentence), ("mei", "wrong password here"), ("off", sentence), ("invited", sentence),
        ] {
            let hashes = desk.hasher.hashCount
            let error = await #expect(throws: CRMError.self) { _ = try await desk.start(name, password) }
            if let error { errors.append(error) }
            #expect(desk.hasher.hashCount == hashes + 1, "\(name)")
        }
        #expect(desk.hasher.dummyCount == 2)
        #expect(Set(errors.map { "\($0.code) \($0.status) \($0.message.en) \($0.message.zh) \($0.fields)" }).count == 1)
        #expect(errors.first?.status == 401)
        _ = off
    }

    @Test("an unknown user costs exactly the work of a wrong password: the same statements, commits and hashes (G7)")
    func equalWork() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        try await desk.user("off")
        try await desk.admin.setStatus(user: "off", .disabled, desk.tenant)
        let security = desk.principal(UserID(1), [.administrator])
        try await desk.tenant.database.write { session in
            _ = try desk.accounts.create(.init(name: "invited", roles: [.agent]), by: security, session)
        }
        _ = try await desk.start("mei", from: "198.51.100.7")
        let counting = CountingDatabase(desk.tenant.database)
        let logIn = desk.logIn(over: counting)
        var work: [String: [String]] = [:]
        for (number, name) in ["nobody", "mei", "off", "invited"].enumerated() {
            // From a strange place, from one's own, and again: the throttle has its rows then.
            for (step, address) in ["192.0.2.\(number)", "198.51.100.7", "192.0.2.\(number)"].enumerated() {
                counting.forget()
                let hashes = desk.hasher.hashCount
                await #expect(throws: CRMError.self) {
                    _ = try await logIn.attempt(
                        name: name, password: "wrong password here", from: desk.origin(address))
                }
                work["\(step)", default: []].append(
                    "hashes \(desk.hasher.hashCount - hashes)\n" + counting.done.joined(separator: "\n"))
            }
        }
        for (step, done) in work {
            #expect(done.count == 4)
            #expect(Set(done).count == 1, "step \(step): \(done)")
            #expect(done[0].hasPrefix("hashes 1\n") && done[0].components(separatedBy: "commit").count == 3)
            #expect(
                done[0].contains("INSERT INTO platform_audit_subject") && done[0].contains("identity_known_address"))
        }
    }

    @Test("a name is found in any case and width, a password only as it is")
    func folding() async throws {
        let desk = try await Desk()
        try await desk.user("Mei.Li")
        #expect(await desk.answer("MEI.LI", sentence) == "ok")
        #expect(await desk.answer("ｍｅｉ.ｌｉ", sentence) == "ok")
        #expect(await desk.answer("mei.li", sentence.uppercased()) == "login_failed")
        #expect(await code { try await desk.user("mei.LI") } == "name_taken")
    }

    @Test("a hash of weaker parameters is made anew at the next log-in, the date of the password stays (G4)")
    func rehash() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        #expect(try await desk.stored(mei).hasPrefix(cheap.prefix))
        let strong = try await Desk(cost: .init(memoryKiB: 128, passes: 2, lanes: 1), test: desk.test)
        desk.clock.advance(seconds: 60)
        _ = try await strong.start("mei")
        let stored = try await desk.stored(mei)
        #expect(stored.hasPrefix("$argon2id$v=19$m=128,t=2,p=1$"))
        _ = try await strong.start("mei")
        #expect(try await desk.stored(mei) == stored)
        let user = try await desk.tenant.database.read { try desk.accounts.access(mei, $0) }
        #expect(user.passwordChangedAt == FrozenClock().now())
    }

    @Test("after 400 days the standard profile still lets in; the graded one asks for a new password by a link (G2)")
    func expiry() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let graded = try await Desk(policy: .dengbaoL3(common: []), test: desk.test)
        desk.clock.advance(days: 91)
        guard
            case .expired(let token) = try await graded.logIn.attempt(
                name: "mei", password: sentence, from: graded.origin())
        else {
            Issue.record("the password was not taken for expired")
            return
        }
        try await graded.logIn.redeem(
            token, .init(name: nil, displayName: nil, password: "Herons wait 7 hours"), from: graded.origin())
        #expect(await graded.answer("mei", "Herons wait 7 hours") == "ok")
        desk.clock.advance(days: 400)
        #expect(await desk.answer("mei", "Herons wait 7 hours") == "ok")
    }

    @Test("success and failure are recorded, without the typed name and password (G59)")
    func audited() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        _ = try await desk.start("mei")
        _ = await desk.answer("my password in the wrong field", "secret typed here")
        let rows = try await desk.tenant.database.read {
            try $0.query(
                """
                SELECT refused, facts, actor_name FROM platform_audit_event WHERE action = 'identity.session.start'
                ORDER BY id
                """
            ) { "\($0.bool(0)) \($0.text(1)) \($0.text(2))" }
        }
        #expect(rows == [#"false {"agent":"Firefox · Linux"} mei"#, #"true {"reason":"unknown_user"} anonymous"#])
    }
}
