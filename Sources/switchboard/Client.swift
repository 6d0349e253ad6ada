import App
import ArgumentParser
import Foundation
import Identity
import Kernel
import Platform
import Web

/// Programs that call the interfaces for programs.
struct Client: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give programs access: make, list and revoke them, renew their secrets.",
        subcommands: [Create.self, List.self, Revoke.self, Secret.self, Key.self])

    private static func show(_ made: ClientAdmin.Credentials, json: Bool) {
        guard !json else {
            return Terminal.out(
                JSONValue.object([
                    "client_id": .string(made.id), "client_secret": .string(made.secret),
                    "scope": .string(made.scopes.joined(separator: " ")), "expires": .string(made.expiresAt.iso8601),
                ]).encoded())
        }
        // The first two are called as OAuth 2 calls them.
        Terminal.out("client_id      \(made.id)")
        Terminal.out("client_secret  \(made.secret)")
        Terminal.out(Terminal.pick("scopes         ", "权限范围       ") + made.scopes.joined(separator: " "))
        Terminal.out(Terminal.pick("expires        ", "到期           ") + made.expiresAt.iso8601)
        Terminal.out(Terminal.pick("The secret is shown only now and not kept.", "密钥仅显示这一次，系统不保存明文。"))
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a program's access; prints its id and, once, its secret.",
            discussion: "Scopes are separated by spaces or commas. `switchboard client list --scopes` names them all.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "A name for people.") var name: String
        @Option(name: .long, help: "What its tokens may do, such as \"usage:write events:write\".") var scope: String
        @Option(name: .long, help: "Days it lasts, at most 365.") var expiresDays = APIClient.daysMax
        @Option(name: .long, help: "Only from this address or range; may be repeated.") var address: [String] = []
        @Option(name: .long, help: "Requests a second.") var rate: Int?
        @Option(name: .long, help: "Only customers of this region; may be repeated.") var region: [String] = []
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant(creates: true) { runtime, tenant in
                    Client.show(
                        try await runtime.modules.clients.create(
                            name: name, scopes: scope.split { $0 == " " || $0 == "," }.map(String.init),
                            days: expiresDays, addresses: address, rate: rate,
                            regions: region.isEmpty ? nil : region, tenant), json: json)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List programs, or the scopes they can be given.")
        @OptionGroup var common: CommonOptions
        @Flag(name: .long, help: "The scopes that can be given.") var scopes = false
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                if scopes { return showScopes(try common.runtime().modules.scopes) }
                try await common.withTenant { runtime, tenant in
                    let now = tenant.clock.now()
                    let clients = try await runtime.modules.clients.list(tenant)
                    if json {
                        Terminal.out(JSONValue.array(clients.map { Self.object($0, now) }).encoded())
                        return
                    }
                    if clients.isEmpty {
                        Terminal.note(Terminal.pick("There are no programs yet.", "尚无程序。"))
                    }
                    for client in clients {
                        Terminal.out(
                            [
                                client.id.description, client.name, Self.state(client.state(at: now).rawValue),
                                client.scopes.joined(separator: " "),
                                Terminal.pick("until ", "有效至 ") + client.expiresAt.iso8601,
                                Terminal.pick("by ", "创建人 ") + client.createdBy,
                                client.lastUsedAt.map { Terminal.pick("used ", "最近使用 ") + $0.iso8601 }
                                    ?? Terminal.pick("never used", "从未使用"),
                            ].joined(separator: "  "))
                    }
                }
            }
        }

        /// As the page of programs calls it; scripts read JSON.
        private static func state(_ code: String) -> String {
            guard Terminal.language == .zh, let say = try? Say() else { return code }
            let key = "identity.program.state.\(code)"
            let words = say(key)
            return words == key ? code : words
        }

        private func showScopes(_ scopes: [APIScope]) {
            let sorted = scopes.sorted { $0.name < $1.name }
            Terminal.out(
                json
                    ? JSONValue.array(
                        sorted.map { .object([
                                "name": .string($0.name), "words": .string($0.words.en), "words_zh": .string($0.words.zh),
                            ]) }
                    ).encoded()
                    : sorted.map { "\($0.name)  \($0.words[Terminal.language])" }.joined(separator: "\n"))
        }

        private static func object(_ client: APIClient, _ now: Instant) -> JSONValue {
            .object([
                "client_id": .string(client.id.description), "name": .string(client.name),
                "state": .string(client.state(at: now).rawValue),
                "scope": .string(client.scopes.joined(separator: " ")),
                "addresses": .array(client.addresses.map { .string($0) }),
                "requests_per_second": .int(Int64(client.requestsPerSecond)),
                "expires": .string(client.expiresAt.iso8601), "created_by": .string(client.createdBy),
                "last_used": client.lastUsedAt.map { .string($0.iso8601) } ?? .null,
            ])
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a program's access for good, with its tokens.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "Its name or id.") var client: String
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant { runtime, tenant in
                    try await runtime.modules.clients.revoke(client, tenant)
                    Terminal.out(
                        json ? JSONValue.object(["revoked": .string(client)]).encoded() : Terminal.pick("\(client) was revoked.", "\(client) 已撤销。"))
                }
            }
        }
    }

    struct Secret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new secret; prints it once. The program's time begins anew.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "The program's name or id.") var client: String
        @Option(name: .long, help: "Hours the old secret stays good; 0 ends it, and the tokens it got, now.")
        var overlapHours = 24
        @Option(name: .long, help: "Days the program's access lasts from now, at most 365.")
        var expiresDays = APIClient.daysMax
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant { runtime, tenant in
                    Client.show(
                        try await runtime.modules.clients.renewSecret(
                            of: client, days: expiresDays, overlapHours: overlapHours, tenant), json: json)
                }
            }
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new key that access tokens are signed with (it is done by itself every 90 days).")
        @OptionGroup var common: CommonOptions
        @Flag(name: .long, help: "Nothing that was signed before is worth anything from now on.") var atOnce = false
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant { runtime, tenant in
                    let kid = try await runtime.modules.clients.renewSigningKey(atOnce: atOnce, tenant)
                    Terminal.out(
                        json ? JSONValue.object(["kid": .string(kid)]).encoded() : Terminal.pick("Key \(kid) signs from now on.", "此后使用密钥 \(kid) 签名。"))
                }
            }
        }
    }
}
