import HTTPTypes
import Kernel
import Platform
import Storage
import Tabular
import Web

/// The registry of sources, and how good what they send is.
struct SourcePages: Sendable {
    static let form = [
        "name", "kind", "owner", "encoding", "delimiter", "sheet", "fields", "fresh_hours", "priority",
    ]

    let service: @Sendable (Tenant) -> ImportService
    let order: SourceOrder

    var endpoints: [Endpoint] {
        let view = Route.Access.permission(ImportService.permission)
        let manage = Route.Access.permission(RulePages.permission)
        return [
            Endpoint(.get, "/sources", view, trace: .none, purpose: .administration) { try await list($0, nil) },
            Endpoint(.get, "/sources/{id}", view, trace: .none, purpose: .administration) { try await show($0, nil) },
            Endpoint(.get, "/quality", view, trace: .none, purpose: .administration, handler: quality),
            Endpoint(
                .post, "/sources", manage, body: .form(["key", "kind"]), trace: .change, purpose: .administration,
                effect: .adds, handler: create),
            Endpoint(
                .post, "/sources/{id}", manage, body: .form(["revision"] + Self.form), trace: .change,
                purpose: .administration, effect: .overwrites, handler: save),
        ]
    }

    // MARK: Changes

    @Sendable private func create(_ call: Call) async throws -> WebResponse {
        let entity = service(call.tenant).target.entity
        let by = try call.principal().userName
        do {
            let key = try call.form.text("key", max: 60)
            let kind = call.form["kind"].flatMap(SourceKind.init(rawValue:)) ?? .guess(key)
            let source = IngestSource.new(key, entity: entity, kind: kind, owner: by, call.tenant.ids)
            return try await call.change { session in
                guard try SourceStore.insert(source, at: call.tenant.clock.now(), by: by, session) else {
                    throw CRMError.invalid(
                        "key", "source_there",
                        Words(en: "There is a source “\(key)” already.", zh: "来源“\(key)”已存在。"))
                }
                try call.record(
                    AuditEntry("ingest.source.create", [.source(source.id)], facts: ["source": .string(key)]), session)
                return .redirect("/sources/\(source.id)").flash("sources.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return try await list(call, error)
        }
    }

    @Sendable private func save(_ call: Call) async throws -> WebResponse {
        let id: SourceID = try call.request.id("id")
        let by = try call.principal().userName
        do {
            let typed = try typed(call)
            return try await call.change { session in
                let old = try SourceStore.source(id, session)
                try call.checkVersion(old.version)
                var new = old
                typed.apply(&new)
                try SourceStore.update(new, at: call.tenant.clock.now(), by: by, session)
                var sources = try order.read(session)
                let before = sources
                sources.removeAll { $0 == old.key }
                if let priority = typed.priority {
                    sources.insert(old.key, at: min(sources.count, max(0, priority - 1)))
                }
                if sources != before { try order.write(sources, session) }
                try call.record(
                    AuditEntry(
                        "ingest.source.update", [.source(id)],
                        facts: [
                            "source": .string(old.key), "fields": .int(Int64(new.fields.count)),
                            "rank": typed.priority.map { .int(Int64($0)) } ?? .null,
                        ]), session)
                return .redirect("/sources/\(id)").flash("sources.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return try await show(call, error)
        }
    }

    private struct Typed: Sendable {
        let name: String
        let kind: SourceKind
        let owner: String
        let encoding: TextEncoding?
        let delimiter: String
        let sheet: String
        let fields: [SourceField]
        let freshHours: Int64?
        let priority: Int?

        func apply(_ source: inout IngestSource) {
            (source.name, source.kind, source.owner) = (name, kind, owner)
            (source.encoding, source.delimiter, source.sheet) = (encoding, delimiter, sheet)
            (source.fields, source.freshHours) = (fields, freshHours)
        }
    }

    private func typed(_ call: Call) throws -> Typed {
        let form = call.form
        func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
            guard let text = try form.optionalText(name, max: 10) else { return nil }
            guard let value = Int(text), range.contains(value) else {
                throw CRMError.invalid(
                    name, "number",
                    Words(
                        en: "A whole number from \(range.lowerBound) to \(range.upperBound) is expected.",
                        zh: "应为 \(range.lowerBound) 到 \(range.upperBound) 的整数。"))
            }
            return value
        }
        guard let kind = form["kind"].flatMap(SourceKind.init(rawValue:)) else {
            throw CRMError.invalid("kind", "choice", Words(en: "Please choose one of the list.", zh: "请从列表中选择。"))
        }
        let delimiter = form["delimiter"] ?? ""
        guard delimiter.isEmpty || ImportViews.delimiters[delimiter] != nil else {
            throw CRMError.invalid("delimiter", "choice", Words(en: "Please choose one of the list.", zh: "请从列表中选择。"))
        }
        return Typed(
            name: try form.text("name", max: 120), kind: kind, owner: try form.optionalText("owner", max: 120) ?? "",
            encoding: form["encoding"].flatMap(TextEncoding.init(rawValue:)), delimiter: delimiter,
            sheet: try form.optionalText("sheet", max: 120) ?? "",
            fields: try SourceField.parse(form.optionalText("fields", max: 60_000) ?? ""),
            freshHours: try number("fresh_hours", 1...8_784).map(Int64.init), priority: try number("priority", 1...500))
    }

    // MARK: Views

    /// Days are those of the tenant's zone.
    private func today(_ call: Call) -> LocalDate {
        call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
    }

    private func list(_ call: Call, _ error: CRMError?) async throws -> WebResponse {
        let since = today(call).adding(days: -QualityStore.scoreDays)
        let owner = service(call.tenant).owner(try call.principal())
        let (sources, last, scores, waiting, trust) = try await call.read { [order] session in
            (
                try SourceStore.all(session), try SourceStore.last(session),
                try QualityStore.sources(since: since, session), try QuarantineStore.waiting(owner: owner, session),
                try order.read(session)
            )
        }
        let views = SourceViews(call: call)
        return call.page(
            "ingest/source-list", title: call.text("sources.title"), active: "/sources",
            [
                "sources": .list(
                    sources.map { source in
                        views.line(
                            source, last[source.key], scores.first { $0.key == source.key },
                            waiting.filter { $0.source == source.key }.reduce(0) { $0 + $1.count },
                            trust.firstIndex(of: source.key))
                    }),
                "none": .bool(sources.isEmpty), "count": .text("\(sources.count)"),
                "problem": .text(error?.message[call.language]),
                "typedKey": .text(error == nil ? nil : call.form["key"]),
                "kinds": views.kinds(nil), "mayManage": .bool(try call.principal().may(RulePages.permission)),
            ], status: error == nil ? .ok : .init(code: error?.status ?? 422))
    }

    private func show(_ call: Call, _ error: CRMError?) async throws -> WebResponse {
        let id: SourceID = try call.request.id("id")
        let service = service(call.tenant)
        let principal = try call.principal()
        let today = today(call)
        let (source, last, versions, runs, rules, days, scores, waiting, trust) = try await call.read {
            [order] session in
            let source = try SourceStore.source(id, session)
            return (
                source, try SourceStore.last(session)[source.key], try SourceStore.versions(source, session),
                try SourceStore.runs(source.key, owner: service.owner(principal), session),
                try RuleStore.rules(entity: source.entity, source: source.key, session),
                try QualityStore.days(source.key, since: today.adding(days: -QualityStore.plotDays), session),
                try QualityStore.sources(since: today.adding(days: -QualityStore.scoreDays), session),
                try QuarantineStore.waiting(owner: service.owner(principal), session)
                    .filter { $0.source == source.key }.reduce(0) { $0 + $1.count },
                try order.read(session).firstIndex(of: source.key)
            )
        }
        let views = SourceViews(call: call)
        let target = service.targets.first { $0.entity == source.entity } ?? service.target
        let fields = try await call.read { try target.fields + target.attributeFields($0) }
        return call.page(
            "ingest/source", title: source.name, active: "/sources",
            views.line(source, last, scores.first { $0.key == source.key }, waiting, trust).merging(
                views.form(source, trust, error == nil ? nil : call.form)
            ).merging(views.plot(days)).merging([
                "problem": .text(error?.message[call.language]), "revision": .text(source.version),
                "mayManage": .bool(try call.principal().may(RulePages.permission)),
                "runs": .list(runs.map(views.run)), "hasRuns": .bool(!runs.isEmpty),
                "rules": .list(rules.map { RuleViews.line($0, fields, call) }),
                "versions": .list(versions.map { views.version($0, fields) }), "hasVersions": .bool(!versions.isEmpty),
            ]), status: error == nil ? .ok : .init(code: error?.status ?? 422))
    }

    @Sendable private func quality(_ call: Call) async throws -> WebResponse {
        let source = try call.request.query.optionalText("source", max: 60)
        let targets = service(call.tenant).targets
        let today = today(call)
        let since = today.adding(days: -QualityStore.scoreDays)
        let owner = service(call.tenant).owner(try call.principal())
        let (days, worst, sources, rules, fields, waiting) = try await call.readRecent { session in
            (
                try QualityStore.days(source, since: today.adding(days: -QualityStore.plotDays), session),
                try QualityStore.worst(source, since: since, session), try QualityStore.sources(since: since, session),
                try targets.flatMap { try RuleStore.rules(entity: $0.entity, session) },
                try targets.map { ($0.entity, try $0.fields + $0.attributeFields(session)) },
                try QuarantineStore.waiting(owner: owner, session)
            )
        }
        let views = SourceViews(call: call)
        let words = SourceViews.Fields(fields)
        return call.page(
            "ingest/quality", title: call.text("quality.title"), active: "/quality",
            views.plot(days).merging(views.tiles(days.filter { $0.day >= since.description })).merging([
                "worst": .list(worst.map { views.weak($0, rules, words, waiting) }), "hasWorst": .bool(!worst.isEmpty),
                "sources": .list(
                    sources.map {
                        [
                            "code": .text($0.key), "label": .text($0.key), "selected": .bool($0.key == source),
                            "score": .text($0.text ?? "–"), "rows": .text(Numbers.grouped($0.rows.checked)),
                            "stopped": .text(Numbers.grouped($0.rows.failed)),
                        ]
                    }),
                "none": .bool(sources.isEmpty),
            ]))
    }
}

extension AuditSubject {
    static func source(_ id: SourceID) -> AuditSubject { AuditSubject(kind: "source", id: id.rawValue) }
}
