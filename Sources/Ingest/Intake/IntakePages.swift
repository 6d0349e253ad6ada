import HTTPTypes
import Kernel
import Outgoing
import Platform
import Storage
import Web

/// Files that come by themselves: which sources have a drop folder or an address, and what became of what came.
struct IntakePages: Sendable {
    let service: @Sendable (Tenant) -> IntakeService

    private static let fields = [
        "source", "entity", "enabled", "settle", "url", "every", "auth", "auth_name", "auth_secret",
    ]
    private static let shownMax = 20
    static let settleRange = 1...86_400
    static let everyRange = 1...44_640

    var endpoints: [Endpoint] {
        let manage = Route.Access.permission(IntakeService.manage)
        return [
            Endpoint(
                .get, "/imports/intake", .permission(ImportService.permission), trace: .none, purpose: .administration
            ) { try await page($0, error: nil) },
            Endpoint(
                .post, "/imports/intake", manage, body: .form(Self.fields), trace: .change, purpose: .administration,
                effect: .adds, handler: create),
            Endpoint(
                .post, "/imports/intake/{source}", manage, body: .form(Self.fields + ["revision"]), trace: .change,
                purpose: .administration, effect: .overwrites, handler: change),
            Endpoint(
                .post, "/imports/intake/{source}/look", .permission(ImportService.permission), body: .form([]),
                trace: .change, purpose: .administration, effect: .acts, handler: look),
        ]
    }

    // MARK: Changes

    @Sendable private func create(_ call: Call) async throws -> WebResponse {
        do {
            let source = (call.form["source"] ?? "").trimmed
            guard IntakeSettings.isKey(source) else {
                throw CRMError.invalid(
                    "source", "key",
                    Words(
                        en: "The source is a name of small letters, digits, - and _, at most 40.",
                        zh: "来源名称只能使用小写字母、数字、- 和 _，最多 40 个字符。"))
            }
            let intake = try await typed(call, source)
            return try await call.change { session in
                guard try IntakeStore.intake(source, session) == nil else {
                    throw CRMError.conflict(
                        "known", Words(en: "This source has a drop folder already.", zh: "该来源已有收取设置。"))
                }
                return try save(intake, isNew: true, call, session)
            }
        } catch let error as CRMError where [409, 422].contains(error.status) {
            call.showsOnlyWhatWasTyped()
            return try await page(call, error: error)
        }
    }

    @Sendable private func change(_ call: Call) async throws -> WebResponse {
        let source = call.request.parameters["source"] ?? ""
        do {
            let intake = try await typed(call, source)
            return try await call.change { session in
                guard let before = try IntakeStore.intake(source, session) else { throw CRMError.notFound }
                try call.checkVersion(before.version)
                return try save(try keeping(before, intake, call), isNew: false, call, session)
            }
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return try await page(call, error: error, about: source)
        }
    }

    /// Credentials stay as they are when nobody says otherwise, as long as they go to the same host.
    private func keeping(_ before: Intake, _ intake: Intake, _ call: Call) throws -> Intake {
        var intake = intake
        guard (call.form["auth"] ?? "keep") == "keep", let secret = before.secret else { return intake }
        guard let url = intake.url else { return intake }
        _ = try PullSecret.open(secret, call.tenant, source: intake.source, url: url)
        intake.secret = secret
        return intake
    }

    /// What was typed of credentials, sealed; `nil` where there are none or they stay.
    private func secret(_ call: Call, _ source: String, _ url: String?) throws -> String? {
        guard let kind = call.form["auth"].flatMap(PullSecret.Kind.init(rawValue:)) else { return nil }
        guard let url else {
            throw CRMError.invalid(
                "url", "required", Words(en: "Credentials are for an address: enter one.", zh: "凭据用于获取地址，请填写地址。"))
        }
        return try PullSecret(
            kind: kind, name: (call.form["auth_name"] ?? "").trimmed, value: call.form["auth_secret"] ?? ""
        ).sealed(call.tenant, source: source, url: url)
    }

    private func save(
        _ intake: Intake, isNew: Bool, _ call: Call, _ session: any SQLSession
    ) throws -> WebResponse {
        let now = call.tenant.clock.now()
        try IntakeStore.save(intake, at: now, by: try call.principal().userName, session)
        try call.record(
            AuditEntry(
                isNew ? "ingest.intake.create" : "ingest.intake.change",
                facts: [
                    "source": .string(intake.source), "entity": .string(intake.entity),
                    "enabled": .bool(intake.enabled), "pulls": .bool(intake.url != nil),
                    "credentials": .bool(intake.secret != nil),
                ]), session)
        return .redirect("/imports/intake").flash("ingest.intake.saved")
    }

    @Sendable private func look(_ call: Call) async throws -> WebResponse {
        let source = call.request.parameters["source"] ?? ""
        return try await call.change { session in
            guard try IntakeStore.intake(source, session) != nil else { throw CRMError.notFound }
            let name = try call.principal().userName
            _ = try session.execute(IntakeStore.pullNow, [.text(source)])
            for kind in [IntakeService.pullJob, IntakeService.lookJob] {
                _ = try call.tenant.jobs.enqueue(kind, payload: "{}", by: name, session)
            }
            try call.record(AuditEntry("ingest.intake.look", facts: ["source": .string(source)]), session)
            return .redirect("/imports/intake").flash("ingest.intake.looking")
        }
    }

    /// What was typed, checked; the address as it resolves now.
    private func typed(_ call: Call, _ source: String) async throws -> Intake {
        let service = service(call.tenant)
        guard service.settings.inbox != nil else { throw IntakeSettings.noInbox }
        let entity = call.form["entity"] ?? ""
        _ = try service.imports.on(entity)
        func number(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
            guard let value = Int((call.form[key] ?? "").trimmed), range.contains(value) else {
                throw CRMError.invalid(
                    key, "range",
                    Words(
                        en: "A number from \(range.lowerBound) to \(range.upperBound) is expected.",
                        zh: "请输入 \(range.lowerBound) 到 \(range.upperBound) 之间的数字。"))
            }
            return value
        }
        let settle = try number("settle", Self.settleRange)
        let every = try number("every", Self.everyRange)
        let text = try call.form.optionalText("url", max: 2_000)
        if let text {
            let hosts = service.settings.hosts
            _ = try await OwnThread.run { try AddressGuard.pull(hosts).check(text) }
        }
        let now = call.tenant.clock.now()
        return Intake(
            source: source, entity: entity, enabled: call.form["enabled"] == "1", settleSeconds: settle, url: text,
            secret: try secret(call, source, text), everyMinutes: every, nextPullAt: text == nil ? nil : now,
            etag: nil, modified: nil, pulledAt: nil,
            lookedAt: nil, message: Words(en: "", zh: ""), pullMessage: Words(en: "", zh: ""),
            actor: RunActor(try call.principal()), updatedAt: now, updatedByName: try call.principal().userName)
    }

    // MARK: View

    private func page(_ call: Call, error: CRMError?, about: String? = nil) async throws -> WebResponse {
        let service = service(call.tenant)
        let mayManage = try call.principal().may(IntakeService.manage)
        let shown = Self.shownMax
        let found = try await call.read { session in
            try IntakeStore.all(session).map { intake in
                (intake, try session.query(IntakeStore.recent, [.text(intake.source), .int(shown)]) { IntakeStore.file($0) })
            }
        }
        let typed = error == nil || about != nil ? nil : call.form
        return call.page(
            "ingest/intake", title: call.text("ingest.intake.title"), active: "/imports",
            [
                "none": .bool(found.isEmpty), "hasInbox": .bool(service.settings.inbox != nil),
                "mayManage": .bool(mayManage),
                "error": .text(about == nil ? error?.message[call.language] : nil),
                "problem": .text(about == nil ? nil : error?.message[call.language]), "about": .text(about),
                "typedSource": .text(typed?["source"]), "typedURL": .text(typed?["url"]),
                "typedSettle": .text(typed?["settle"] ?? "60"), "typedEvery": .text(typed?["every"] ?? "60"),
                "entities": .list(entities(typed?["entity"], call)),
                "intakes": .list(try found.map { try view($0, $1, mayManage, call) }),
            ], status: error.map { .init(code: $0.status) } ?? .ok)
    }

    private func entities(_ chosen: String?, _ call: Call) -> [View] {
        service(call.tenant).imports.targets.map { target in
            [
                "value": .text(target.entity), "label": .text(target.title[call.language]),
                "selected": .bool(target.entity == chosen),
            ]
        }
    }

    private func view(_ intake: Intake, _ files: [IntakeFile], _ mayManage: Bool, _ call: Call) throws -> View {
        let service = service(call.tenant)
        let title = service.imports.targets.first { $0.entity == intake.entity }?.title[call.language] ?? intake.entity
        let folder = service.settings.inbox == nil ? nil : "\(call.tenant.name)/\(intake.source)"
        let message = intake.message[call.language]
        let pull = intake.pullMessage[call.language]
        return [
            "source": .text(intake.source), "entity": .text(title), "enabled": .bool(intake.enabled),
            "revision": .text(intake.version), "folder": .text(folder), "settle": .text("\(intake.settleSeconds)"),
            "every": .text("\(intake.everyMinutes)"),
            // An address may hold a token: whoever set it up sees it.
            "url": .text(mayManage ? intake.url : nil), "pulls": .bool(intake.url != nil),
            "hasSecret": .bool(intake.secret != nil),
            "host": .text(intake.url.flatMap { AddressGuard.host($0) }),
            "looked": .text(intake.lookedAt.map(call.time)), "pulled": .text(intake.pulledAt.map(call.time)),
            "message": .text(message.isEmpty ? nil : message), "pullMessage": .text(pull.isEmpty ? nil : pull),
            "entities": .list(entities(intake.entity, call)), "hasFiles": .bool(!files.isEmpty),
            "files": .list(
                files.map { file in
                    let words = file.message[call.language]
                    return [
                        "name": .text(file.name), "size": .text(ImportViews.size(file.size)),
                        "state": .text(call.text("ingest.intake.state.\(file.state.rawValue)")),
                        "tone": .text(Self.tone(file.state)), "at": .text(call.time(file.takenAt)),
                        "run": .text(file.run.map { "\($0)" }), "message": .text(words.isEmpty ? nil : words),
                        "pulled": .bool(file.origin == "pull"),
                    ]
                }),
        ]
    }

    private static func tone(_ state: IntakeFile.State) -> String {
        switch state {
        case .done: "ok"
        case .failed: "bad"
        case .waiting: "warn"
        case .taking, .brought, .running: "info"
        }
    }
}
