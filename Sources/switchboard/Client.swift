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
        Terminal.out(
            json
                ? JSONValue.object([
                    "client_id": .string(made.id), "client_secret": .string(made.secret),
                    "scope": .string(made.scopes.joined(separator: " ")), "expires": .string(made.expiresAt.iso8601),
                ]).encoded()
                : """
                client_id      \(made.id)
                client_secret  \(made.secret)
                scopes         \(made.scopes.joined(separator: " "))
                expires        \(made.expiresAt.iso8601)
                The secret is shown only now and not kept.
                """)
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
                    for client in clients {
                        Terminal.out(
                            [
                                client.id.description, client.name, client.state(at: now).rawValue,
                                client.scopes.joined(separator: " "), "until \(client.expiresAt.iso8601)",
                                "by \(client.createdBy)",
                                client.lastUsedAt.map { "used \($0.iso8601)" } ?? "never used",
                            ].joined(separator: "  "))
                    }
                }
            }
        }

        private func showScopes(_ scopes: [APIScope]) {
            let sorted = scopes.sorted { $0.name < $1.name }
            Terminal.out(
                json
                    ? JSONValue.array(
                        sorted.map { .object(["name": .string($0.name), "words": .string($0.words.en)]) }
                    ).encoded()
                    : sorted.map { "\($0.name)  \($0.words.en)" }.joined(separator: "\n"))
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
                        json ? JSONValue.object(["revoked": .string(client)]).encoded() : "\(client) was revoked.")
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
                        json ? JSONValue.object(["kid": .string(kid)]).encoded() : "Key \(kid) signs from now on.")
                }
            }
        }
    }
}
