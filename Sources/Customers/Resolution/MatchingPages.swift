import Foundation
import Kernel
import Matching
import Platform
import Storage
import Web

/// How customers are matched: whether keys are kept, what the model says of each field in words, its versions, and
/// which value
/// of joined records is shown.
enum MatchingPages {
    static func endpoints() -> [Endpoint] {
        let manage = Route.Access.permission(CustomerPermissions.manageMatching)
        func act(
            _ pattern: String, _ fields: [String] = [], _ effect: Route.Effect = .acts,
            _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(
                .post, pattern, manage, body: .form(fields), trace: .change, purpose: .administration, effect: effect,
                handler: handler)
        }
        return [
            Endpoint(.get, "/matching", manage, trace: .none, purpose: .administration, handler: page),
            act("/matching/filling") {
                try await enqueue($0, MatchFill.jobKind) { AuditEntry("customers.matching.fill", [$0]) }
            },
            act("/matching/learning") {
                try await enqueue($0, MatchLearning.jobKind) { AuditEntry("customers.matching.ask", [$0]) }
            },
            act("/matching/models/{id}/activation", [], .acts, activate),
            act("/matching/rules", ["revision", "sources", "rule.*"], .overwrites, saveRules),
        ]
    }

    // MARK: Changes

    private static func enqueue(
        _ call: Call, _ kind: String, _ entry: @escaping @Sendable (AuditSubject) -> AuditEntry
    ) async throws -> WebResponse {
        let principal = try call.principal()
        let tenant = call.tenant
        return try await call.change { session in
            if kind == MatchFill.jobKind { try session.execute(MatchStore.keep, [.bool(true)]) }
            let job = try tenant.jobs.enqueue(
                kind, payload: JSONValue.object(["by": .string(principal.userName)]).encoded(), by: principal.userName,
                session)
            try call.record(entry(AuditSubject(kind: "job", id: job.rawValue)), session)
            return .redirect("/matching").flash("customers.matching.asked")
        }
    }

    /// In place of the id of a version: the weights that everybody begins with.
    private static let shipped = "shipped"

    private static func activate(_ call: Call) async throws -> WebResponse {
        let id: ID<AnyKind>? = call.request.parameters["id"] == shipped ? nil : try call.request.id("id")
        return try await call.change { session in
            if let id { guard try session.exists(MatchStore.modelByID, [.id(id)]) else { throw CRMError.notFound } }
            let before = try MatchStore.setting(session)
            try session.execute(MatchStore.useModel, [.id(id), .bool(before.isKept)])
            let model = id.map { AuditSubject(kind: "model", id: $0.rawValue) }
            try call.record(AuditEntry("customers.matching.activate", [model].compactMap { $0 }), session)
            return .redirect("/matching").flash("customers.matching.activated")
        }
    }

    private static func saveRules(_ call: Call) async throws -> WebResponse {
        var rules = Survivorship(fields: [:])
        rules.sources = (try call.form.optionalText("sources", max: 2_000) ?? "").split {
            $0 == "," || $0 == "，" || $0.isNewline
        }
        .map { $0.trimmed }.filter { !$0.isEmpty }
        for (field, _) in GoldenRecord.fields {
            guard let text = call.form["rule.\(field)"], !text.isEmpty else { continue }
            guard let rule = Survivorship.Rule(rawValue: text) else {
                throw CRMError.invalid(
                    "rule", "choice", Words(en: "Please choose one of the list.", zh: "请从列表中选择。"))
            }
            rules.fields[field] = [rule] + Survivorship.usual.filter { $0 != rule }
        }
        let final = rules
        return try await call.change { session in
            let before = try MatchStore.setting(session)
            try call.checkVersion(version(before))
            try session.execute(MatchStore.setSurvivorship, [.text(final.encoded), .bool(before.isKept)])
            try call.record(
                AuditEntry(
                    "customers.matching.rules",
                    facts: ["fields": .array(final.fields.keys.sorted().map { .string($0) })]),
                session)
            return .redirect("/matching").flash("customers.matching.saved")
        }
    }

    /// Of what the form of the rules replaces.
    private static func version(_ setting: MatchSetting) -> String { RecordVersion.of([setting.survivorship]) }

    // MARK: View

    private struct Version: Sendable {
        let id: ID<AnyKind>
        let madeAt: Instant
        let madeBy: String
        let customers: Int
        let pairs: Int
        let trial: MatchTrial?
    }

    private static func page(_ call: Call) async throws -> WebResponse {
        let (setting, model, versions, customers) = try await call.read { session in
            let setting = try MatchStore.setting(session)
            let versions = try session.query(MatchStore.models) {
                Version(
                    id: $0.id(0), madeAt: $0.time(1), madeBy: $0.text(2), customers: $0.integer(3), pairs: $0.integer(4),
                    trial: MatchTrial(stored: $0.text(5)))
            }
            return (setting, try MatchStore.model(setting, session), versions, try session.count(MatchStore.customers))
        }
        let language = call.language
        let rules = Survivorship(stored: setting.survivorship)
        return call.page(
            "customers/matching", title: call.text("customers.matching.title"), active: "/matching",
            [
                "kept": .bool(setting.isKept), "filled": .text(setting.filledAt.map(call.time)),
                "customers": .text(PanelParts.count(customers)), "shipped": .bool(setting.model == nil),
                "fields": .list(model.weights.map { weights(of: $0, language) }),
                "versions": .list(
                    versions.map { version in
                        [
                            "id": .text(version.id.description), "madeAt": .text(call.time(version.madeAt)),
                            "madeBy": .text(version.madeBy), "customers": .text(PanelParts.count(version.customers)),
                            "pairs": .text(PanelParts.count(version.pairs)),
                            "active": .bool(version.id == setting.model), "trial": .text(version.trial?.words[language]),
                            "better": .bool(version.trial?.isBetter == true),
                            "noBetter": .bool(version.trial.map { $0.isTold && !$0.isBetter } ?? false),
                            "untold": .bool(version.trial.map { !$0.isTold } ?? false),
                        ]
                    }),
                "hasVersions": .bool(!versions.isEmpty), "revision": .text(version(setting)),
                "sources": .text(rules.sources.joined(separator: ", ")),
                "rules": .list(
                    GoldenRecord.fields.map { field, _ -> View in
                        let first = rules.rules(of: field).first
                        return [
                            "field": .text(field), "label": .text(PageWords.field(field)[language]),
                            "options": .list(
                                Survivorship.Rule.allCases.map { rule in
                                    [
                                        "code": .text(rule.rawValue), "label": .text(MatchWords.of(rule)[language]),
                                        "selected": .bool(rule == first),
                                    ]
                                }),
                        ]
                    }),
            ])
    }

    private static func weights(of weights: LinkageModel.Weights, _ language: Language) -> View {
        let names = Comparison.names(of: weights.field.kind)
        return [
            "label": .text(PageWords.field(weights.field.name)[language]),
            "levels": .list(
                zip(names, weights.bits).map { name, bits in
                    [
                        "level": .text(MatchWords.level(name)[language]),
                        "strength": .text(MatchWords.strength(bits)[language]),
                        "bits": .text(String(format: "%+.1f", bits)),
                    ]
                }),
        ]
    }
}
