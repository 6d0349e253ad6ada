import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The rules: what there is, one's own, and changes of those that ship.
struct RulePages: Sendable {
    static let permission = Permission("ingest.rules.manage")
    static let form = [
        "entity", "name_en", "name_zh", "source", "fields", "kind", "dimension", "severity", "parameters", "is_on",
    ] + RuleForm.names

    let service: @Sendable (Tenant) -> ImportService

    var endpoints: [Endpoint] {
        let view = Route.Access.permission(ImportService.permission)
        let manage = Route.Access.permission(Self.permission)
        return [
            Endpoint(.get, "/rules", view, trace: .none, purpose: .administration, handler: list),
            Endpoint(.get, "/rules/new", manage, trace: .none, purpose: .administration) {
                try await edit($0, nil, nil)
            },
            Endpoint(.get, "/rules/{id}", view, trace: .none, purpose: .administration) { call in
                let rule = try await rule(call)
                return try await edit(call, rule, nil)
            },
            Endpoint(
                .post, "/rules", manage, body: .form(Self.form), trace: .change, purpose: .administration,
                effect: .adds,
                handler: create),
            Endpoint(
                .post, "/rules/{id}", manage, body: .form(["revision"] + Self.form), trace: .change,
                purpose: .administration, effect: .overwrites, handler: save),
            Endpoint(
                .post, "/rules/{id}/removal", manage, body: .form([]), trace: .change, purpose: .administration,
                effect: .acts, handler: remove),
        ]
    }

    private func rule(_ call: Call) async throws -> QualityRule {
        let entities = service(call.tenant).targets.map(\.entity)
        let key = call.request.parameters["id"] ?? ""
        let found = try await call.read { session in
            try entities.flatMap { try RuleStore.rules(entity: $0, session) }.first { $0.key == key }
        }
        guard let found else { throw CRMError.notFound }
        return found
    }

    /// The records that a new rule is to be about: as the form or the address says, else customers.
    private func chosen(_ call: Call) throws -> ImportService {
        let service = service(call.tenant)
        let entity = call.form["entity"] ?? call.request.query["entity"] ?? ""
        return entity.isEmpty ? service : try service.on(entity)
    }

    // MARK: Changes

    @Sendable private func create(_ call: Call) async throws -> WebResponse {
        let service = try chosen(call)
        let by = try call.principal().userName
        do {
            let key = "own-\(call.tenant.ids.next() as ID<AnyKind>)"
            let known = try await call.read { [target = service.target] in try target.fields + target.attributeFields($0) }
            let rule = try typed(call, key: key, entity: service.target.entity, known, nil)
            return try await call.change { session in
                try checkFields(rule, service, session)
                guard try RuleStore.rules(entity: rule.entity, session).count < RuleStore.rulesMax else {
                    throw CRMError.conflict(
                        "too_many_rules",
                        Words(
                            en: "There are \(RuleStore.rulesMax) rules already; remove one first.",
                            zh: "规则已达 \(RuleStore.rulesMax) 条，请先删除。"))
                }
                try put(rule, by, call, "ingest.rule.create", session)
                return .redirect("/rules").flash("rules.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return try await edit(call, nil, error)
        }
    }

    @Sendable private func save(_ call: Call) async throws -> WebResponse {
        let old = try await rule(call)
        let service = try service(call.tenant).on(old.entity)
        let by = try call.principal().userName
        do {
            let known = try await call.read { [target = service.target] in try target.fields + target.attributeFields($0) }
            var rule = try typed(call, key: old.key, entity: old.entity, known, old)
            rule.revision = old.revision + 1
            let new = rule
            return try await call.change { session in
                guard let present = try RuleStore.rules(entity: old.entity, session).first(where: { $0.key == old.key })
                else { throw CRMError.notFound }
                try call.checkVersion(present.version)
                try checkFields(new, service, session)
                try put(new, by, call, "ingest.rule.update", session)
                return .redirect("/rules").flash("rules.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return try await edit(call, old, error)
        }
    }

    /// A rule of one's own goes; a shipped one is as it was shipped again.
    @Sendable private func remove(_ call: Call) async throws -> WebResponse {
        let old = try await rule(call)
        return try await call.change { session in
            try session.execute(RuleStore.remove, [.text(old.key)])
            try call.record(
                AuditEntry("ingest.rule.remove", facts: ["rule": .string(old.key)]), session)
            return .redirect("/rules").flash("rules.removed")
        }
    }

    private func put(
        _ rule: QualityRule, _ by: String, _ call: Call, _ action: String, _ session: any SQLSession
    ) throws {
        try RuleStore.put(rule, by: by, at: call.tenant.clock.now(), session)
        let facts: [String: JSONValue] = [
            "rule": .string(rule.key), "severity": .string(rule.severity.rawValue), "on": .bool(rule.isOn),
        ]
        if action == "ingest.rule.create" {
            try call.record(AuditEntry("ingest.rule.create", facts: facts), session)
        } else {
            try call.record(AuditEntry("ingest.rule.update", facts: facts), session)
        }
    }

    /// What was typed, into the form with inputs or into the one with JSON.
    private func typed(
        _ call: Call, key: String, entity: String, _ known: [ImportField], _ old: QualityRule?
    ) throws -> QualityRule {
        func choice<T: RawRepresentable>(_ name: String) throws -> T where T.RawValue == String {
            guard let value = call.form[name].flatMap(T.init(rawValue:)) else {
                throw CRMError.invalid(
                    name, "choice", Words(en: "Please choose one of the list.", zh: "请从列表中选择。"))
            }
            return value
        }
        let kind: RuleKind = try choice("kind")
        let severity: RuleSeverity = try choice("severity")
        let en = try call.form.optionalText("name_en", max: 120) ?? ""
        let zh = try call.form.optionalText("name_zh", max: 120) ?? ""
        let parts = call.form[RuleForm.mark] == "1" ? RuleForm(form: call.form) : nil
        var fields = (try call.form.optionalText("fields", max: 1_000) ?? "").split {
            $0 == "," || $0 == "，" || $0 == "、" || $0.isWhitespace
        }.map(String.init)
        if let parts {
            // Those that were there stay in their order.
            let chosen = parts.fields(known)
            fields = (old?.fields ?? []).filter(chosen.contains)
            fields += chosen.filter { !fields.contains($0) }
        }
        let rule = QualityRule(
            key: key, name: Words(en: en.isEmpty ? zh : en, zh: zh.isEmpty ? en : zh),
            source: try call.form.optionalText("source", max: 60) ?? "", entity: entity, fields: fields, kind: kind,
            dimension: try choice("dimension"), severity: severity,
            parameters: try parts?.parameters(kind, severity)
                ?? RuleParameters.parse(call.form["parameters"] ?? "", kind, severity),
            isOn: call.form["is_on"] == "1")
        try rule.check()
        return rule
    }

    /// Every field the rule names is one there is, of a kind the rule can judge.
    private func checkFields(_ rule: QualityRule, _ service: ImportService, _ session: any SQLSession) throws {
        let fields = try service.target.fields + service.target.attributeFields(session)
        let named = rule.fields + [rule.parameters.with, rule.parameters.condition?.field].compactMap { $0 }
        for name in named {
            guard let field = fields.first(where: { $0.key == name }) else {
                let few = fields.prefix(12).map(\.key).joined(separator: ", ")
                throw CRMError.invalid(
                    "fields", "unknown_field",
                    Words(
                        en: "There is no field “\(name.prefix(60))”. Fields are \(few) and others.",
                        zh: "没有字段“\(name.prefix(60))”。可用字段：\(few) 等。"))
            }
            guard rule.fields.contains(name) else { continue }
            let isDate = field.kind == .date
            let needsDate =
                switch (rule.kind, rule.parameters.min ?? rule.parameters.max) {
                case (.fresh, _), (.range, .date?), (.range, .today?): true
                default: false
                }
            let isNumber: Bool? =
                if case (.range, .number?) = (rule.kind, rule.parameters.min ?? rule.parameters.max) { !isDate } else {
                    nil
                }
            guard needsDate ? isDate : isNumber ?? true else {
                throw CRMError.invalid(
                    "fields", "field_kind",
                    Words(
                        en: "“\(field.words.en)” is \(isDate ? "a date" : "no date"): the rule cannot judge it.",
                        zh: "“\(field.words.zh)”\(isDate ? "是" : "不是")日期，该规则无法检查。"))
            }
        }
    }

    // MARK: Views

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let targets = service(call.tenant).targets
        let all = try await call.read { session in
            try targets.map { target in
                (
                    target: target, rules: try RuleStore.rules(entity: target.entity, session),
                    fields: try target.fields + target.attributeFields(session)
                )
            }
        }
        let mayManage = try call.principal().may(Self.permission)
        return call.page(
            "ingest/rule-list", title: call.text("rules.title"), active: "/rules",
            [
                "entities": .list(
                    all.map { one in
                        [
                            "entity": .text(one.target.entity), "title": .text(one.target.title[call.language]),
                            "rules": .list(one.rules.map { RuleViews.line($0, one.fields, call) }),
                            "any": .bool(!one.rules.isEmpty), "count": .text("\(one.rules.count)"),
                            "mayManage": .bool(mayManage),
                            // One key opens one form: that of the first records.
                            "key": .text(one.target.entity == targets.first?.entity ? "n" : nil),
                        ]
                    }),
                "count": .text("\(all.reduce(0) { $0 + $1.rules.count })"),
            ])
    }

    private func edit(_ call: Call, _ rule: QualityRule?, _ error: CRMError?) async throws -> WebResponse {
        let form = error == nil ? nil : call.form
        let language = call.language
        let service = service(call.tenant)
        let target = try rule.map { try service.on($0.entity) }?.target ?? chosen(call).target
        let fields = try await call.read { try target.fields + target.attributeFields($0) }
        func options<T: RawRepresentable & CaseIterable>(_ type: T.Type, _ name: String, _ present: T?) -> ViewValue
        where T.RawValue == String {
            let chosen = form?[name] ?? present?.rawValue
            return .list(
                T.allCases.map {
                    [
                        "code": .text($0.rawValue), "label": .text(call.text("rules.\(name).\($0.rawValue)")),
                        "selected": .bool($0.rawValue == chosen),
                    ]
                })
        }
        let isShipped =
            rule.map { shipped in ShippedRules.of(target.entity).contains { $0.key == shipped.key } } ?? false
        let title = rule?.name[language] ?? call.text("rules.new")
        let asText = form.map { $0[RuleForm.mark] != "1" } ?? (call.request.query["as"] == "json")
        let path = rule.map { "/rules/\($0.key)" } ?? "/rules/new?entity=\(target.entity)"
        let mayManage = try call.principal().may(Self.permission)
        let stored = rule.map { $0.parameters.encoded($0.kind, $0.severity) } ?? "{}"
        let head: View = [
            "heading": .text(title), "action": .text(rule.map { "/rules/\($0.key)" } ?? "/rules"),
            "revision": .text(rule?.version), "problem": .text(error?.message[language]),
            "nameEn": .text(form?["name_en"] ?? rule?.name.en), "nameZh": .text(form?["name_zh"] ?? rule?.name.zh),
            "source": .text(form?["source"] ?? rule?.source),
            "fields": .text(form?["fields"] ?? rule?.fields.joined(separator: ", ")),
            "parameters": .text(form?["parameters"] ?? stored),
            "kinds": options(RuleKind.self, "kind", rule?.kind),
            "dimensions": options(RuleDimension.self, "dimension", rule?.dimension),
            "severities": options(RuleSeverity.self, "severity", rule?.severity ?? .quarantine),
            "isOn": .bool(form.map { $0["is_on"] == "1" } ?? rule?.isOn ?? true),
            "known": .list(fields.map { ["key": .text($0.key), "label": .text($0.words[language])] }),
            "mayManage": .bool(mayManage),
            "mayRemove": .bool(rule.map { !isShipped || $0.revision > 0 } ?? false), "isShipped": .bool(isShipped),
            "removePath": .text(rule.map { "/rules/\($0.key)/removal" }),
            "asText": .bool(asText), "asParts": .bool(!asText), "partsPath": .text(path), "textPath": .text(path + (rule == nil ? "&" : "?") + "as=json"),
            "entity": .text(target.entity), "records": .text(target.title[language]),
        ]
        return call.page(
            "ingest/rule-edit", title: title, active: "/rules",
            head.merging(RuleForm.view(asText ? nil : form, rule, fields, call)),
            status: error == nil ? .ok : .init(code: error?.status ?? 422))
    }
}

extension QualityRule {
    /// Of what the form replaces.
    var version: String { RecordVersion.of([key, "\(revision)"]) }
}

enum RuleViews {
    static func tone(_ severity: RuleSeverity) -> String {
        switch severity {
        case .warn: "info"
        case .fix: "ok"
        case .quarantine: "warn"
        case .reject: "bad"
        }
    }

    /// The name of a rule by its key; one that is gone is called by it.
    static func name(_ key: String, _ rules: [QualityRule], _ call: Call) -> String {
        if let rule = rules.first(where: { $0.key == key }) { return rule.name[call.language] }
        // What no rule speaks of is named by its code.
        return key.hasPrefix("schema-") ? call.text("rules.schema") : RejectTitles.title(key)?[call.language] ?? key
    }

    /// The page of a rule that is there.
    static func path(_ key: String, _ rules: [QualityRule]) -> String? {
        rules.contains { $0.key == key } ? "/rules/\(key)" : nil
    }

    static func line(_ rule: QualityRule, _ fields: [ImportField], _ call: Call) -> View {
        let names = rule.fields.map { key in fields.first { $0.key == key }?.words[call.language] ?? key }
        return [
            "key": .text(rule.key), "name": .text(rule.name[call.language]),
            "fields": .text(names.joined(separator: ", ")),
            "kind": .text(call.text("rules.kind.\(rule.kind.rawValue)")),
            "dimension": .text(call.text("rules.dimension.\(rule.dimension.rawValue)")),
            "severity": .text(call.text("rules.severity.\(rule.severity.rawValue)")),
            "tone": .text(tone(rule.severity)),
            "isOn": .bool(rule.isOn), "source": .text(rule.source.isEmpty ? nil : rule.source),
            "isChanged": .bool(rule.revision > 0 && !rule.key.hasPrefix("own-")),
        ]
    }
}
