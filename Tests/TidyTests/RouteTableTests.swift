import App
import Foundation
import HTTPTypes
import Kernel
import Logging
import Platform
import TestSupport
import Testing
import Web

/// The table of everything that can be asked over HTTP.
@Suite("Routes")
struct RouteTableTests {
    private func routes() throws -> (routes: [Route], grants: [PermissionGrant], navigation: [NavigationEntry]) {
        var configuration = Configuration()
        configuration.data = NSTemporaryDirectory() + "switchboard-routes-" + UUID().uuidString
        configuration.share = Checkout.share.root
        defer { try? FileManager.default.removeItem(atPath: configuration.data) }
        let runtime = try Runtime(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (runtime.routes, runtime.modules.grants, runtime.site.navigation)
    }

    /// Pages that nobody needs to be logged in for. A new one is to be thought about, and added here.
    private static let anonymous: Set<String> = [
        "GET /login", "POST /login", "GET /healthz", "GET /readyz", "GET /metrics", "POST /preferences",
        "GET /bootstrap/{token}", "POST /bootstrap/{token}", "POST /oauth/token", "GET /openapi.json",
    ]

    @Test("what strangers may reach is a short list")
    func strangers() throws {
        let open = Set(try routes().routes.filter { $0.access == .anonymous }.map(\.name))
        #expect(open == Self.anonymous, list(open.symmetricDifference(Self.anonymous).sorted()))
    }

    @Test("every permission a route or entry asks for exists, and every one that exists is asked for")
    func permissions() throws {
        let (routes, grants, navigation) = try routes()
        let known = Set(grants.map(\.permission))
        var asked: Set<Permission> = Set(navigation.map(\.permission))
        for route in routes { if case .permission(let permission) = route.access { asked.insert(permission) } }
        #expect(asked.isSubset(of: known), list(asked.subtracting(known).map(\.rawValue)))
        #expect(Set(grants.map(\.permission.rawValue)).count == grants.count, "a permission is granted twice")
        for grant in grants {
            let parts = grant.permission.rawValue.split(separator: ".")
            #expect(
                parts.count >= 2 && grant.permission.rawValue == grant.permission.rawValue.lowercased(),
                "\(grant.permission.rawValue)")
            #expect(
                !grant.words.en.isEmpty
                    && grant.words.zh.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) })
        }
        // A right nobody asks for is a right that protects nothing.
        let code =
            SourceTree.sources.map(\.code).joined()
            + SourceTree.sources.flatMap { $0.literals.map(\.text) }.joined(separator: "\n")
        let idle = known.subtracting(asked).filter { permission in
            let uses = SourceTree.sources.flatMap(\.literals).filter { $0.text == permission.rawValue }.count
            return uses < 1 || code.isEmpty
        }
        #expect(idle.isEmpty, list(idle.map(\.rawValue)))
    }

    @Test("reading changes nothing, changing is traced, and each form says which fields it takes")
    func traces() throws {
        var findings: [String] = []
        for route in try routes().routes {
            if route.method == .get {
                if route.trace == .change { findings.append("\(route.name) changes state") }
                if route.body != .none { findings.append("\(route.name) takes a body") }
            } else {
                if route.trace == .none, route.access != .anonymous { findings.append("\(route.name) is not traced") }
                if case .form(let fields) = route.body, fields.contains("*") || Set(fields).count != fields.count {
                    findings.append("\(route.name) takes \(fields)")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("no address carries a personal value: parameters are ids and codes")
    func parameters() throws {
        var findings: [String] = []
        for route in try routes().routes {
            for parameter in matches(#"\{(\w+)\}"#, in: route.pattern).compactMap(\.groups.first) {
                if !matches(#"(?i)name|phone|msisdn|number|mail|address|query|^q$"#, in: parameter).isEmpty {
                    findings.append("\(route.name) {\(parameter)}")
                }
            }
            // TM Forum's own names have capitals.
            let isTheirs = route.pattern.hasPrefix("/tmf-api/")
            #expect(
                (isTheirs || route.pattern == route.pattern.lowercased()) && !route.pattern.hasSuffix("/") || route.pattern == "/",
                "\(route.name)")
        }
        // Forms that look for people are POST.
        for file in SourceTree.templates {
            for form in matches(#"(?s)<form\b[^>]*method="get"[^>]*>.*?</form>"#, in: file.text) {
                for input in matches(#"<input\b[^>]*type="(?:search|tel|email|text)"[^>]*>"#, in: form.text) {
                    findings.append("\(file.path):\(line(of: form.range, in: file.text)) \(input.text.prefix(60))")
                }
            }
        }
        #expect(findings.isEmpty, list(findings))
    }

    @Test("every scope a route asks for is declared with that route's permission, and every declared one opens a route")
    func scopes() throws {
        var configuration = Configuration()
        configuration.data = NSTemporaryDirectory() + "switchboard-scopes-" + UUID().uuidString
        configuration.share = Checkout.share.root
        defer { try? FileManager.default.removeItem(atPath: configuration.data) }
        let runtime = try Runtime(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let declared = Dictionary(grouping: runtime.modules.scopes, by: \.name)
        let doubled = declared.filter { $0.value.count > 1 }.keys.sorted()
        #expect(doubled.isEmpty, "declared twice: \(doubled)")
        var findings: [String] = []
        for route in runtime.routes {
            guard let scope = route.scope else {
                if ["/api/", "/tmf-api/"].contains(where: route.pattern.hasPrefix), route.access != .anonymous { findings.append("\(route.name) has no scope") }
                continue
            }
            guard case .permission(let permission) = route.access else {
                findings.append("\(route.name) is open to whoever is logged in, and has a scope")
                continue
            }
            let carried = declared[scope]?.first?.permissions ?? []
            if !carried.contains(permission) { findings.append("\(route.name): \(scope) lacks \(permission.rawValue)") }
        }
        findings += Set(declared.keys).subtracting(runtime.routes.compactMap(\.scope)).map { "\($0) opens nothing" }
        // What only one of the three powers may do is not for programs: whoever makes a client would have that power too.
        let grants = Dictionary(runtime.modules.grants.map { ($0.permission, $0.roles) }, uniquingKeysWith: { a, _ in a })
        for scope in runtime.modules.scopes {
            for permission in scope.permissions {
                guard let roles = grants[permission] else {
                    findings.append("\(scope.name) carries \(permission.rawValue), which nobody has")
                    continue
                }
                if roles.allSatisfy(\.isPower) { findings.append("\(scope.name) carries the power \(permission.rawValue)") }
            }
        }
        #expect(!declared.isEmpty && findings.isEmpty, list(findings))
    }

    @Test("each entry of the navigation leads to a page that asks for the same right")
    func navigation() throws {
        let (routes, _, navigation) = try routes()
        for entry in navigation {
            let route = routes.first { $0.method == .get && $0.pattern == entry.path }
            #expect(route != nil, "\(entry.path)")
            if case .permission(let permission)? = route?.access {
                #expect(permission == entry.permission, "\(entry.path)")
            }
        }
        #expect(Set(navigation.map(\.order)).count == navigation.count, "two entries have one place")
    }
}
