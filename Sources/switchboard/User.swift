import App
import ArgumentParser
import Foundation
import Identity
import Kernel
import Platform
import Web

/// Accounts.
struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create and list users, print one-time links.",
        subcommands: [Create.self, Bootstrap.self, Link.self, List.self])

    /// Prints a one-time link.
    private static func show(_ link: IdentityAdmin.Link, _ runtime: Runtime, _ tenant: Tenant, json: Bool) {
        let address = runtime.address(of: tenant.name) + link.path
        Terminal.out(
            json
                ? JSONValue.object(["link": .string(address), "expires": .string(link.expiresAt.iso8601)]).encoded()
                : address)
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a user.",
            discussion: """
                Roles: agent, supervisor, marketer, analyst, administrator, security, auditor (repeat --role for several).
                The password is read from standard input (one line), so that it is in no history and no process list.
                """)
        @OptionGroup var common: CommonOptions
        @Argument(help: "Login name.") var name: String
        @Option(name: .long, help: "Role; may be repeated.") var role: [String]
        @Option(name: .long, help: "Name shown to colleagues.") var displayName: String?
        @Option(name: .long, help: "Only customers of this region; may be repeated.") var region: [String] = []
        @Flag(name: .long, help: "Read the password from standard input.") var passwordStdin = false
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                let roles = try Set(role.map(Self.role))
                guard passwordStdin else {
                    throw WrongUsage(
                        Words(
                            en: "add --password-stdin and give the password on standard input",
                            zh: "请加 --password-stdin，并从标准输入给出密码"))
                }
                guard let password = readLine(strippingNewline: true), !password.isEmpty else {
                    throw Complaint(Words(en: "no password on standard input", zh: "标准输入中没有密码"))
                }
                try await common.withTenant(creates: true) { runtime, tenant in
                    let id = try await runtime.modules.users.createUser(
                        name: name, displayName: displayName, roles: roles,
                        scope: RecordScope(regions: region.isEmpty ? nil : region), password: password, tenant)
                    Terminal.out(
                        json
                            ? JSONValue.object(["id": .string(id.description), "name": .string(name)]).encoded()
                            : Terminal.pick("User \(name) was created.", "已创建用户 \(name)。"))
                }
            }
        }

        static func role(_ text: String) throws -> Role {
            guard let role = Role(rawValue: text) else {
                throw WrongUsage(
                    Words(
                        en: "there is no role “\(text)”; roles: " + Role.allCases.map(\.rawValue).joined(separator: ", "),
                        zh: "没有角色“\(text)”；可用角色：" + Role.allCases.map(\.rawValue).joined(separator: "、")))
            }
            return role
        }
    }

    struct Bootstrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a one-time link (1 h) with which an account of a power is made.")
        @OptionGroup var common: CommonOptions
        @Option(name: .long, help: "administrator, security or auditor.") var role = "administrator"
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                let role = try Create.role(role)
                try await common.withTenant(creates: true) { runtime, tenant in
                    User.show(
                        try await runtime.modules.users.issueBootstrap(role: role, tenant), runtime, tenant, json: json)
                }
            }
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a one-time link with which a user sets a new password.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "Login name.") var name: String
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant { runtime, tenant in
                    User.show(
                        try await runtime.modules.users.issueLink(user: name, tenant), runtime, tenant, json: json)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List users.")
        @OptionGroup var common: CommonOptions
        @Flag(name: .long, help: "Print JSON.") var json = false

        func run() async throws {
            try await Terminal.run(json: json) {
                try await common.withTenant { runtime, tenant in
                    let users = try await runtime.modules.users.listUsers(tenant)
                    if json {
                        Terminal.out(
                            JSONValue.array(
                                users.map {
                                    .object([
                                        "id": .string($0.id.description), "name": .string($0.name),
                                        "status": .string($0.status.rawValue),
                                        "roles": .array($0.roles.map(\.rawValue).sorted().map { .string($0) }),
                                        "regions": $0.scope.regions.map { .array($0.map { .string($0) }) } ?? .null,
                                    ])
                                }
                            ).encoded())
                    } else {
                        let say = try Say(runtime.share)
                        let isChinese = say.language == .zh
                        for user in users {
                            let roles = user.roles.map(\.rawValue).sorted().map { isChinese ? say("role.\($0)") : $0 }
                                .joined(separator: isChinese ? "、" : ", ")
                            let status =
                                isChinese ? say("identity.status.\(user.status.rawValue)") : user.status.rawValue.padding(10)
                            let regions = user.scope.regions.map {
                                Terminal.pick("  only ", "  仅限 ") + Terminal.plain($0.joined(separator: ", "))
                            }
                            Terminal.out(
                                "\(user.name.padding(24)) \(status) \(roles)\(regions ?? "")")
                        }
                    }
                }
            }
        }
    }
}

/// The first administrator.
enum Bootstrap {
    /// The path of a fresh one-time link when no account exists yet.
    static func linkIfNobodyCanLogIn(_ runtime: Runtime, _ tenant: Tenant) async throws -> String? {
        guard try await runtime.modules.users.listUsers(tenant).isEmpty else { return nil }
        return try await runtime.modules.users.issueBootstrap(role: .administrator, tenant).path
    }
}
