import Crypto
import Foundation
import Kernel
import Platform
import TestSupport
import Testing

@testable import Identity

@Suite("Throttling of log-ins (G6)")
struct ThrottleTests {
    @Test("the delay begins after the free tries, doubles, and ends growing at 15 minutes")
    func delays() {
        let seconds = (1...14).map { Throttle.delaySeconds(failures: $0, free: 5) }
        #expect(seconds == [0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900])
        #expect(Throttle.delaySeconds(failures: 1_000_000, free: 5) == 900)
    }

    @Test("five wrong tries, then 429 with the seconds to wait; waiting helps, and the delay grows")
    func grows() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        for _ in 0..<5 { #expect(await desk.answer("mei", "wrong password here") == "login_failed") }
        let error = await #expect(throws: CRMError.self) { _ = try await desk.start("mei") }
        #expect(error?.status == 429)
        #expect(error?.retryAfterSeconds == 5)
        // Tries while one waits do not make it longer.
        for _ in 0..<20 { #expect(await desk.answer("mei", sentence) == "too_many_attempts") }
        desk.clock.advance(seconds: 5)
        #expect(await desk.answer("mei", "wrong password here") == "login_failed")
        desk.clock.advance(seconds: 9)
        #expect(await desk.answer("mei", sentence) == "too_many_attempts")
        desk.clock.advance(seconds: 1)
        #expect(await desk.answer("mei", sentence) == "ok")
        // A success begins anew.
        for _ in 0..<5 { #expect(await desk.answer("mei", "wrong password here") == "login_failed") }
    }

    @Test("the count is in the database: another process and a restart see it")
    func persists() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        for _ in 0..<5 { _ = await desk.answer("mei", "wrong password here") }
        let other = try await Desk(test: desk.test)
        #expect(await other.answer("mei", sentence) == "too_many_attempts")
        let reopened = try desk.test.reopened()
        let key = desk.keys("mei").account
        let failures = try await reopened.read { session in
            try session.count("SELECT failures FROM identity_throttle WHERE key = $1", [.text(key)])
        }
        #expect(failures == 5)
        try await reopened.close()
    }

    @Test("what was typed as a name is in no row, and the code of it needs a key that is outside the database (G59)")
    func nameless() async throws {
        let desk = try await Desk()
        _ = await desk.answer("My Password 2026", "wrong password here")
        let rows = try await desk.tenant.database.read {
            try $0.query("SELECT key FROM identity_throttle ORDER BY key") { $0.text(0) }
        }
        #expect(rows.count == 3 && rows.contains("address:192.0.2.1"))
        for row in rows { #expect(!row.lowercased().contains("password"), "\(row)") }
        let typed = desk.keys("my password 2026")
        #expect(Set(rows) == [typed.account, typed.address, typed.pair])
        let elsewhere = Throttle.Keys(
            name: "my password 2026", address: "192.0.2.1",
            secret: TenantKeys(pepper: SymmetricKey(data: [UInt8](repeating: 8, count: 32))).throttle)
        #expect(elsewhere.account != typed.account && elsewhere.pair != typed.pair)
        #expect(typed.account != desk.keys("my password 2025").account)
    }

    @Test("an unknown name is throttled like a known one (G7)")
    func unknownAlike() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        var answers: [[String]] = []
        for name in ["mei", "nobody"] {
            var list: [String] = []
            for _ in 0..<7 {
                list.append(await desk.answer(name, "wrong password here", from: "198.51.100.\(name.count)"))
            }
            answers.append(list)
        }
        #expect(answers[0] == answers[1])
        #expect(answers[0].last == "too_many_attempts")
    }

    @Test("a stranger elsewhere does not hold up somebody who has logged in from here before")
    func noLockByStrangers() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        #expect(await desk.answer("mei", sentence, from: "192.0.2.1") == "ok")
        for stranger in 0..<40 {
            _ = await desk.answer("mei", "wrong password here", from: "203.0.113.\(stranger)")
            desk.clock.advance(seconds: 901)
        }
        _ = await desk.answer("mei", "wrong password here", from: "203.0.113.200")
        #expect(await desk.answer("mei", sentence, from: "203.0.113.201") == "too_many_attempts")
        #expect(await desk.answer("mei", sentence, from: "192.0.2.1") == "ok")
    }

    @Test("an account takes at most 100 failures in a row; a one-time link frees it")
    func ceiling() async throws {
        let desk = try await Desk()
        let mei = try await desk.user("mei")
        #expect(await desk.answer("mei", sentence, from: "192.0.2.1") == "ok")
        func failures(_ tries: Int, from address: (Int) -> String) async -> Int {
            var counted = 0
            for number in 0..<tries {
                if await desk.answer("mei", "wrong password here", from: address(number)) == "login_failed" {
                    counted += 1
                }
                desk.clock.advance(seconds: 901)
            }
            return counted
        }
        #expect(await failures(120) { "203.0.113.\($0)" } == 80)
        #expect(await failures(40) { _ in "192.0.2.1" } == 20)
        #expect(await desk.answer("mei", sentence, from: "192.0.2.1") == "too_many_attempts")
        let link = try await desk.admin.issueLink(user: "mei", desk.tenant)
        try await desk.logIn.redeem(
            link.token, .init(name: nil, displayName: nil, password: otherSentence), from: desk.origin())
        #expect(await desk.answer("mei", otherSentence, from: "192.0.2.1") == "ok")
        #expect(try await desk.test.auditCount("identity.password.set") == 1)
        _ = mei
    }

    @Test("one address that tries many accounts is slowed down; logging in to one's own does not help")
    func spraying() async throws {
        let desk = try await Desk()
        try await desk.user("mallory")
        for number in 0..<19 { #expect(await desk.answer("name\(number)", "wrong password here") == "login_failed") }
        #expect(await desk.answer("mallory", sentence) == "ok")
        #expect(await desk.answer("name20", "wrong password here") == "login_failed")
        #expect(await desk.answer("name21", "wrong password here") == "too_many_attempts")
    }

    @Test("a delay that has begun is not ended by logging in to one's own account, nor by a try that was not decided")
    func delayStays() async throws {
        let desk = try await Desk()
        try await desk.user("mallory")
        // Mallory is known here: the address's delay does not hold that log-in up.
        #expect(await desk.answer("mallory", sentence) == "ok")
        for number in 0..<20 { #expect(await desk.answer("name\(number)", "wrong password here") == "login_failed") }
        #expect(await desk.answer("name20", "wrong password here") == "too_many_attempts")
        for _ in 0..<3 { #expect(await desk.answer("mallory", sentence) == "ok") }
        #expect(await desk.answer("name20", "wrong password here") == "too_many_attempts")
        let keys = desk.keys("mallory")
        try await desk.tenant.database.write { [now = desk.clock.now()] session in
            try Throttle.reserve(keys, known: true, now: now, session)
            try Throttle.release(keys, now: now, session)
        }
        #expect(await desk.answer("name20", "wrong password here") == "too_many_attempts")
        desk.clock.advance(seconds: 10)
        #expect(await desk.answer("name20", "wrong password here") == "login_failed")
    }

    @Test("failures that are forgiven below the free tries end the delay they began")
    func delayEnds() async throws {
        let desk = try await Desk()
        let keys = desk.keys("mei")
        try await desk.tenant.database.write { [now = desk.clock.now()] session in
            for _ in 0..<5 { try Throttle.reserve(keys, known: false, now: now, session) }
            #expect(throws: CRMError.self) { try Throttle.reserve(keys, known: false, now: now, session) }
            try Throttle.release(keys, now: now, session)
            try Throttle.reserve(keys, known: false, now: now, session)
        }
    }

    @Test("the addresses of one IPv6 network are one address")
    func network() async throws {
        let desk = try await Desk()
        for number in 0..<20 {
            #expect(
                await desk.answer("name\(number)", "wrong password here", from: "2001:db8:0:7::\(number + 1)")
                    == "login_failed")
        }
        #expect(await desk.answer("name20", "wrong password", from: "2001:db8:0:7:ffff::1") == "too_many_attempts")
        #expect(await desk.answer("name20", "wrong password", from: "2001:db8:0:8::1") == "login_failed")
    }

    @Test("parallel tries do not share the free places")
    func parallel() async throws {
        let desk = try await Desk()
        try await desk.user("mei")
        let answers = await withTaskGroup(of: String.self) { group in
            for _ in 0..<30 { group.addTask { await desk.answer("mei", "wrong password here") } }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(answers.count { $0 == "login_failed" } == 5)
        #expect(answers.count { $0 == "too_many_attempts" } == 25)
    }
}
