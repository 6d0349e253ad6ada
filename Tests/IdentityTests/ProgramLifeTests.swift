import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Identity

/// How long what programs were given is good: tokens, secrets, keys, rates; and tokens of people's own (G19, G20).
@Suite("Programs: what ends, what changes")
struct ProgramLifeTests {
    @Test("a token ends with its time, its client's time, and at once when the client is revoked here")
    func ends() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client("short", days: 1)
        let token = try await desk.token(client.id, client.secret)
        desk.clock.advance(seconds: 599)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        desk.clock.advance(seconds: 1)
        let over = try await desk.get("/api/ping", token: token)
        refused(over)
        #expect(over.challenge.contains("has expired"))
        // At the end of the client a token lives no longer than the client.
        desk.clock.advance(seconds: 86_400 - 600 - 30)
        let last = try await desk.ask(client.id, client.secret)
        #expect(last.object["expires_in"] == .int(30), "\(last.text)")
        let lastToken = try #require(last.object["access_token"]?.string)
        #expect(try await desk.get("/api/ping", token: lastToken).status == 200)
        desk.clock.advance(seconds: 30)
        refused(try await desk.get("/api/ping", token: lastToken))
        #expect(try await desk.ask(client.id, client.secret).object["error"] == .string("invalid_client"))
        // A clock that is set back does not make a token live longer.
        let third = try await desk.client("third")
        let ahead = try await desk.token(third.id, third.secret)
        #expect(try await desk.get("/api/ping", token: ahead).status == 200)
        desk.clock.advance(seconds: -3_600)
        refused(try await desk.get("/api/ping", token: ahead), "remembered")
        refused(try await desk.get("/api/ping", token: ahead), "read again")
        desk.clock.advance(seconds: 3_600)
        // Revoked.
        let second = try await desk.client("second")
        let good = try await desk.token(second.id, second.secret)
        #expect(try await desk.get("/api/ping", token: good).status == 200)
        try await desk.admin.revoke("second", desk.tenant)
        for _ in 0..<3 { refused(try await desk.get("/api/ping", token: good)) }
        #expect(try await desk.ask(second.id, second.secret).status == 401)
        #expect(await code { try await desk.admin.revoke("second", desk.tenant) } == "revoked")
        let refusals = try await desk.audit().filter { $0 == "!identity.token.use by client:second" }
        #expect(refusals.count == 1, "one a minute, however often it is tried")
    }

    @Test("scopes, rate and addresses that are changed hold for tokens that are out")
    func changed() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client(
            "x", ["ping:read", "users:read"], addresses: ["192.0.2.0/24", "2001:db8::/32"])
        let token = try await desk.token(client.id, client.secret)
        #expect(try await desk.get("/api/users", token: token).status == 200)
        refused(try await desk.get("/api/ping", token: token, from: "198.51.100.1"))
        #expect(try await desk.get("/api/ping", token: token, from: "2001:db8::5").status == 200)
        #expect(try await desk.ask(client.id, client.secret, from: "198.51.100.1").status == 401)
        let id = try #require(ClientID(client.id))
        let clients = Clients(desk.tenant, offered: desk.scopes, memory: desk.memory)
        try await desk.tenant.database.write { session in
            _ = try clients.change(id, Clients.Draft(scopes: ["ping:read"]), session)
        }
        #expect(try await desk.get("/api/users", token: token).status == 403)
        #expect(try await desk.get("/api/ping", token: token, from: "198.51.100.1").status == 200)
    }

    @Test("a new secret leaves the old one good for as long as it was said, or ends it with its tokens")
    func secrets() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        let token = try await desk.token(client.id, client.secret)
        let second = try await desk.admin.renewSecret(of: client.id, days: 30, overlapHours: 1, desk.tenant)
        #expect(try await desk.ask(client.id, client.secret).status == 200)
        #expect(try await desk.ask(client.id, second.secret).status == 200)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        desk.clock.advance(seconds: 3_600)
        #expect(try await desk.ask(client.id, client.secret).status == 401)
        let before = try await desk.token(client.id, second.secret)
        #expect(try await desk.get("/api/ping", token: before).status == 200)
        let third = try await desk.admin.renewSecret(of: client.id, days: 30, overlapHours: 0, desk.tenant)
        #expect(try await desk.ask(client.id, second.secret).status == 401)
        refused(try await desk.get("/api/ping", token: before), "issued in the second in which the secret was replaced")
        let after = try await desk.token(client.id, third.secret)
        #expect(try await desk.get("/api/ping", token: after).status == 200)
        #expect(
            await code { _ = try await desk.admin.renewSecret(of: client.id, days: 366, overlapHours: 0, desk.tenant) }
                == "days_out_of_range")
        #expect(
            await code { _ = try await desk.admin.renewSecret(of: client.id, days: 30, overlapHours: 169, desk.tenant) }
                == "overlap_out_of_range")
    }

    @Test("a signing key is followed by another: tokens of the old one run out by themselves, or end at once")
    func keys() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        let token = try await desk.token(client.id, client.secret)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        let kid = try await desk.admin.renewSigningKey(atOnce: false, desk.tenant)
        let next = try await desk.token(client.id, client.secret)
        let header = String(decoding: Base64URL.decode(next.prefix { $0 != "." }) ?? [], as: UTF8.self)
        #expect(header == #"{"alg":"ES256","kid":"\#(kid)","typ":"at+jwt"}"#)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        #expect(try await desk.get("/api/ping", token: next).status == 200)
        // Another server that knows the old key only reads the new one from the database.
        let other = TokenMemory()
        _ = try await ClientAdmin(scopes: desk.scopes, memory: other).renewSigningKey(atOnce: true, desk.tenant)
        desk.clock.advance(seconds: TokenMemory.seconds)
        refused(try await desk.get("/api/ping", token: token))
        refused(try await desk.get("/api/ping", token: next))
        let last = try await desk.token(client.id, client.secret)
        #expect(try await desk.get("/api/ping", token: last).status == 200)
        // By itself, after 90 days.
        func upkeep() async throws -> String? {
            try await desk.tenant.database.write { [tenant = desk.tenant] in try SigningKeys(tenant: tenant).upkeep($0)
            }
        }
        #expect(try await upkeep() == nil)
        desk.clock.advance(days: 91)
        #expect(try await upkeep() != nil)
        #expect(try await upkeep() == nil)
    }

    // MARK: How much a client may send

    @Test("a client beyond its rate is answered 429 with Retry-After, and nobody else is slowed")
    func rate() async throws {
        let desk = try await ProgramDesk()
        let slow = try await desk.client("slow", rate: 2)
        let quick = try await desk.client("quick", rate: 1_000)
        let (first, second) = (try await desk.token(slow.id, slow.secret), try await desk.token(quick.id, quick.secret))
        var statuses: [Int] = []
        for _ in 0..<60 { statuses.append(try await desk.get("/api/ping", token: first).status) }
        var refusal: ProgramDesk.Answer?
        for _ in 0..<60 where refusal == nil {
            let answer = try await desk.get("/api/ping", token: first)
            if answer.status == 429 { refusal = answer }
        }
        #expect(statuses.contains(429) && refusal?.headers[.retryAfter] == "1", "\(statuses) \(refusal?.text ?? "")")
        // A burst of twice the rate, and what came back meanwhile.
        #expect(statuses.prefix(4) == [200, 200, 200, 200])
        for _ in 0..<60 { #expect(try await desk.get("/api/ping", token: second).status == 200) }
        // A second token of the same client is the same client.
        let again = try await desk.token(slow.id, slow.secret)
        var more: [Int] = []
        for _ in 0..<10 { more.append(try await desk.get("/api/ping", token: again).status) }
        #expect(more.contains(429))
    }

    @Test("made-up tokens count for their address")
    func inventors() async throws {
        let desk = try await ProgramDesk(requestsPerSecond: 5)
        let client = try await desk.client()
        let token = try await desk.token(client.id, client.secret, from: "198.51.100.1")
        var statuses: Set<Int> = []
        for number in 0..<60 {
            statuses.insert(try await desk.get("/api/ping", token: "made.up.token\(number)aaaaaaaa").status)
        }
        #expect(statuses == [401, 429])
        #expect(try await desk.get("/api/ping", token: token, from: "198.51.100.1").status == 200)
    }

    // MARK: People's own tokens

    @Test("a person's own token may do what the person may do now, within its scopes, and says so in the audit")
    func personal() async throws {
        let desk = try await ProgramDesk()
        let user = try await desk.desk.user("lan", [.agent])
        let tokens = PersonalTokens(desk.tenant)
        let offered = PersonalTokens.offered(
            desk.scopes,
            to: Principal(
                tenant: "default", userID: user, userName: "lan", roles: [.agent],
                permissions: [Permission("test.ping")],
                purpose: .service, address: "192.0.2.1", requestID: "r"))
        #expect(offered.map(\.name) == ["ping:read"])
        func make(_ scopes: [String], offered: [APIScope], addresses: [String] = [], days: Int = 10) async throws
            -> String
        {
            try await desk.tenant.database.write { session in
                let draft = PersonalTokens.Draft(name: "nightly", scopes: scopes, addresses: addresses, days: days)
                let (token, entry) = try tokens.create(draft, offered: offered, of: user, session)
                try desk.tenant.audit.record(entry, by: .system(tenant: "default", "test"), session)
                return token
            }
        }
        #expect(await code { _ = try await make(["users:read"], offered: offered) } == "unknown_scope")
        #expect(await code { _ = try await make([], offered: offered) } == "required")
        #expect(await code { _ = try await make(["ping:read"], offered: offered, days: 366) } == "days_out_of_range")
        // A scope whose right the person has lost since.
        let token = try await make(["ping:read", "users:read"], offered: desk.scopes)
        #expect(token.hasPrefix("sbp_") && token.count == 47)
        #expect(try await desk.get("/api/ping", token: token).text == #"lan ["ping:read"] ["test.ping"]"#)
        let lost = try await desk.get("/api/users", token: token)
        #expect(lost.status == 403 && lost.object["code"] == .string("insufficient_scope"))
        let written = try await desk.send(
            .post, "/api/ping", headers: [("Authorization", "Bearer " + token), ("Content-Type", "application/json")],
            body: "{}")
        #expect(written.status == 200, "\(written.text)")
        let facts = try await desk.tenant.database.read { session in
            try session.query("SELECT facts FROM platform_audit_event WHERE action = 'identity.user.view'") {
                $0.text(0)
            }
        }
        #expect(facts == [#"{"api_token":"nightly (\#(token.prefix(12)))"}"#])
        // The person's roles as they are now.
        func setRoles(_ roles: Set<Role>) async throws {
            let accounts = desk.desk.accounts
            let root = desk.desk.principal(UserID(1), [.administrator])
            try await desk.tenant.database.write { session in _ = try accounts.setRoles(user, roles, by: root, session)
            }
        }
        try await setRoles([.analyst])
        #expect(try await desk.get("/api/ping", token: token).status == 403)
        try await setRoles([.agent])
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        // A disabled account's tokens end for good.
        let root = desk.desk.principal(UserID(1), [.administrator])
        let accounts = desk.desk.accounts
        for status in [User.Status.disabled, .active] {
            try await desk.tenant.database.write { session in
                _ = try accounts.setStatus(user, status, by: root, session)
            }
            refused(try await desk.get("/api/ping", token: token), status.rawValue)
        }
        let bound = try await make(["ping:read"], offered: offered, addresses: ["203.0.113.0/24"], days: 1)
        refused(try await desk.get("/api/ping", token: bound))
        #expect(try await desk.get("/api/ping", token: bound, from: "203.0.113.9").status == 200)
        desk.clock.advance(days: 1)
        refused(try await desk.get("/api/ping", token: bound, from: "203.0.113.9"))
        let (stored, used) = try await desk.tenant.database.read { session in
            (
                try session.query("SELECT token_hash FROM identity_token") { $0.text(0) },
                try session.count("SELECT COUNT(*) FROM identity_token WHERE last_used_at IS NOT NULL")
            )
        }
        #expect(stored.count == 2 && !stored.contains { token.contains($0) || bound.contains($0) } && used == 2)
    }

    @Test("names, scopes, rates, days and addresses that make no sense are refused with the field")
    func drafts() async throws {
        let desk = try await ProgramDesk()
        _ = try await desk.client("billing")
        #expect(await code { _ = try await desk.client("Billing") } == "name_taken")
        #expect(await code { _ = try await desk.client("") } == "invalid_name")
        #expect(await code { _ = try await desk.client("a\nb") } == "invalid_name")
        #expect(await code { _ = try await desk.client(String(repeating: "x", count: 61)) } == "invalid_name")
        #expect(await code { _ = try await desk.client("y", []) } == "required")
        #expect(await code { _ = try await desk.client("y", ["nope:read"]) } == "unknown_scope")
        #expect(await code { _ = try await desk.client("y", days: 0) } == "days_out_of_range")
        #expect(await code { _ = try await desk.client("y", days: 366) } == "days_out_of_range")
        #expect(await code { _ = try await desk.client("y", rate: 0) } == "rate_out_of_range")
        #expect(await code { _ = try await desk.client("y", rate: 10_001) } == "rate_out_of_range")
        for address in ["x", "1.2.3", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "example.com", "10.0.0.1/"] {
            #expect(
                await code { _ = try await desk.client("y", addresses: [address]) } == "invalid_address", "\(address)")
        }
        #expect(try await desk.admin.list(desk.tenant).map(\.name) == ["billing"])
    }
}
