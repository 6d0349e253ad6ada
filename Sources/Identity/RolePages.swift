import Kernel
import Platform
import Web

/// What each role may do, in words, from the grants of all modules.
enum RolePages {
    static let endpoints = [
        Endpoint(
            .get, "/roles", .permission(IdentityPermission.view), trace: .none, purpose: .administration, handler: show)
    ]

    @Sendable private static func show(_ call: Call) async throws -> WebResponse {
        let groups = Dictionary(grouping: call.site.permissions) { area($0.permission) }
        return call.page(
            "identity/roles", title: call.text("nav.roles"), active: "/roles",
            [
                "roles": .list(
                    Role.allCases.map { role in
                        [
                            "label": .text(call.text("role.\(role.rawValue)")),
                            "hint": .text(call.text("role.\(role.rawValue).hint")), "power": .bool(role.isPower),
                        ]
                    }),
                "columns": .text(String(Role.allCases.count + 1)),
                "groups": .list(
                    groups.keys.sorted().map { key in
                        [
                            "area": .text(call.text("role.area." + key)), "areaCode": .text(key),
                            "rows": .list(
                                (groups[key] ?? []).sorted { $0.permission < $1.permission }.map { row($0, call) }),
                        ]
                    }),
            ])
    }

    private static func row(_ grant: PermissionGrant, _ call: Call) -> View {
        [
            "words": .text(grant.words[call.language]), "code": .text(grant.permission.rawValue),
            "cells": .list(
                Role.allCases.map { role in
                    [
                        "has": .bool(grant.roles.contains(role)),
                        "role": .text(call.text("role.\(role.rawValue)")),
                    ]
                }),
        ]
    }

    private static func area(_ permission: Permission) -> String {
        String(permission.rawValue.prefix { $0 != "." })
    }
}
