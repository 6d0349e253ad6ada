import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The steward's queue: rows that rules hold back.
struct QuarantinePages: Sendable {
    let service: @Sendable (Tenant) -> ImportService

    var endpoints: [Endpoint] {
        let access = Route.Access.permission(ImportService.quarantinePermission)
        func post(
            _ pattern: String, _ fields: [String], _ effect: Route.Effect,
            _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(
                .post, pattern, access, body: .form(fields), trace: .change, purpose: .administration, effect: effect,
                handler: handler)
        }
        // One form: it says which rows, and why they go.
        let many = ["id", "reason", "scope", "source", "rule", "days"]
        return [
            Endpoint(.get, "/quarantine", access, trace: .view, purpose: .administration, handler: list),
            Endpoint(.get, "/quarantine/{id}", access, trace: .view, purpose: .administration, handler: show),
            post("/quarantine/{id}/repair", ["revision", "cell.*", "then"], .overwrites, repair),
            post("/quarantine/replay", many, .acts, replay),
            post("/quarantine/discard", many, .acts, discard),
        ]
    }

    // MARK: The queue

    private func filter(
        _ call: Call, _ query: Form, _ service: ImportService
    ) throws -> QuarantineStore.Filter {
        var filter = QuarantineStore.Filter()
        filter.state = query["state"].flatMap(QuarantineState.init(rawValue:)) ?? .open
        filter.source = try query.optionalText("source", max: 60)
        filter.rule = try query.optionalText("rule", max: 80)
        filter.days = query["days"].flatMap { Int($0) }.map { min(max($0, 0), 3_650) }
        filter.owner = service.owner(try call.principal())
        return filter
    }

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let service = service(call.tenant)
        let filter = try filter(call, call.request.query, service)
        let after = call.request.query["after"].flatMap { QuarantineID($0) }
        let now = call.tenant.clock.now()
        let warned = now.adding(days: ImportService.quarantineWarningDays - ImportService.quarantineDays)
        let principal = try call.principal()
        let (rows, waiting, rules, dueSoon, fields, files, sources, total) = try await call.read { session in
            let rows = try QuarantineStore.page(filter, after: after, limit: Limits.pageSize + 1, now: now, session)
            var files: [ImportRunID: (ImportRun, IngestFile)] = [:]
            for id in Set(rows.map(\.run)) {
                let run = try RunStore.run(id, session)
                files[id] = (run, try RunStore.file(run.fileID, session))
            }
            return (
                rows, try QuarantineStore.waiting(owner: filter.owner, session),
                try service.targets.flatMap { try RuleStore.rules(entity: $0.entity, session) },
                try session.count(QuarantineStore.openBefore, [.time(warned), .id(filter.owner)]),
                try service.allFields(session), files, try Self.sources(session),
                try QuarantineStore.count(filter, now: now, session)
            )
        }
        let views = QuarantineViews(call: call, rules: rules, fields: fields, sources: sources)
        let shown = Array(rows.prefix(Limits.pageSize))
        // Values at fault are shown, masked as everywhere.
        try await call.recordView(
            AuditEntry("ingest.quarantine.list", [], facts: ["rows": .int(Int64(shown.count))]))
        let lines = try shown.compactMap { row in
            try files[row.run].map { try views.line(row, $0.0, $0.1, principal) }
        }
        return call.page(
            "ingest/quarantine-list", title: call.text("quarantine.title"), active: "/quarantine",
            views.filters(filter, waiting).merging([
                "total": .text("\(min(total, ImportService.replayMax))"), "source": .text(filter.source),
                "rule": .text(filter.rule), "age": .text(filter.days.map { "\($0)" }),
                "rows": .list(lines), "none": .bool(shown.isEmpty),
                "open": .text(Numbers.grouped(waiting.reduce(0) { $0 + $1.count })),
                "isOpen": .bool(filter.state == .open),
                "dueSoon": .text(dueSoon > 0 ? Numbers.grouped(dueSoon) : nil),
                "days": .text("\(ImportService.quarantineDays)"),
                "warningDays": .text("\(ImportService.quarantineWarningDays)"),
                "next": .text(
                    rows.count > Limits.pageSize ? shown.last.map { views.path(filter, after: $0.id) } : nil),
            ]))
    }

    private static func sources(_ session: any SQLSession) throws -> [String: IngestSource] {
        Dictionary(try SourceStore.all(session).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: One row

    @Sendable private func show(_ call: Call) async throws -> WebResponse { try await page(call, error: nil) }

    private func page(_ call: Call, error: CRMError?) async throws -> WebResponse {
        let id: QuarantineID = try call.request.id("id")
        let service = service(call.tenant)
        let principal = try call.principal()
        let (row, run, file, rules, fields, next, sources) = try await call.read { session in
            let row = try service.held([id], principal, session)[0]
            let run = try RunStore.run(row.run, session)
            var queue = QuarantineStore.Filter()
            queue.owner = service.owner(principal)
            return (
                row, run, try RunStore.file(run.fileID, session),
                try RuleStore.rules(entity: row.entity, session),
                try service.fields(of: row.entity, session),
                try QuarantineStore.page(queue, after: id, limit: 1, now: call.tenant.clock.now(), session).first?.id,
                try Self.sources(session)
            )
        }
        let views = QuarantineViews(call: call, rules: rules, fields: fields, sources: sources)
        let cells = try views.cells(row, run, file, principal, typed: error == nil ? nil : call.form)
        try await call.recordView(
            AuditEntry("ingest.quarantine.view", [.held(id), .run(row.run)], unmasked: cells.unmasked))
        return call.page(
            "ingest/quarantine-row", title: call.text("quarantine.row"), active: "/quarantine",
            views.head(row, run, file).merging([
                "cells": .list(cells.views), "problem": .text(error?.message[call.language]),
                "next": .text(next.map { "/quarantine/\($0)" }),
            ]), status: error == nil ? .ok : .init(code: error?.status ?? 422))
    }

    /// Longer than any cell that is taken.
    private static let cellMax = 4_000

    @Sendable private func repair(_ call: Call) async throws -> WebResponse {
        let id: QuarantineID = try call.request.id("id")
        let service = service(call.tenant)
        let principal = try call.principal()
        let replays = call.form["then"] == "replay"
        let answer = WebResponse.redirect("/quarantine/\(id)").flash("quarantine.repaired")
        _ = try await call.change { session in
            let row = try service.held([id], principal, session)[0]
            let run = try RunStore.run(row.run, session)
            let file = try RunStore.file(run.fileID, session)
            let fields = try service.fields(of: row.entity, session)
            let views = QuarantineViews(call: call, rules: [], fields: fields, sources: try Self.sources(session))
            var cells = row.present
            for (index, _) in file.inspection.columns.enumerated() where cells.indices.contains(index) {
                guard let typed = call.form["cell.\(index)"] else { continue }
                // What somebody does not see they do not replace.
                guard try views.shows(index, run, file, principal) else {
                    throw CRMError.forbidden(Masking.seeUnlabelled)
                }
                guard typed.unicodeScalars.count <= Self.cellMax else {
                    throw CRMError.invalid(
                        "cell.\(index)", "too_long",
                        Words(en: "At most \(Self.cellMax) characters.", zh: "最多 \(Self.cellMax) 个字符。"))
                }
                if typed != cells[index] ?? "" { cells[index] = typed }
            }
            try service.repair(
                id, cells: cells, principal: principal, check: { try call.checkVersion($0.version) },
                record: { entry, session in try call.record(entry, session) }, session)
            return answer
        }
        guard replays else { return answer }
        // The repair stands by now; what keeps the row from being brought is said on its page.
        let runs = try await service.replay(
            [id], principal: principal, record: { entry, session in try call.record(entry, session) },
            then: { _, _ in })
        return runs.first.map { .redirect("/imports/\($0)") } ?? answer
    }

    // MARK: Many

    /// The rows that were ticked, or all that match the filter of the list (the oldest, so many as go at once).
    private func ids(_ call: Call) async throws -> [QuarantineID] {
        if call.form["scope"] == "matching" {
            var filter = try filter(call, call.form, service(call.tenant))
            filter.state = .open
            let (final, now) = (filter, call.tenant.clock.now())
            let found = try await call.read {
                try QuarantineStore.ids(final, limit: ImportService.replayMax, now: now, $0)
            }
            guard !found.isEmpty else { throw ImportService.decided }
            return found
        }
        let texts = call.form.all("id")
        let ids = Set(texts.compactMap { QuarantineID($0) })
        guard !ids.isEmpty, ids.count == texts.count, ids.count <= ImportService.replayMax else {
            throw CRMError.invalid("id", "no_rows", Words(en: "Choose rows first.", zh: "请先选择行。"))
        }
        return ids.sorted()
    }

    @Sendable private func replay(_ call: Call) async throws -> WebResponse {
        let ids = try await ids(call)
        let runs = try await service(call.tenant).replay(
            ids, principal: try call.principal(), record: { entry, session in try call.record(entry, session) },
            then: { runs, session in try call.settle(Self.answer(runs), session) })
        return Self.answer(runs)
    }

    private static func answer(_ runs: [ImportRunID]) -> WebResponse {
        runs.count == 1
            ? .redirect("/imports/\(runs[0])") : .redirect("/quarantine").flash("quarantine.replayed")
    }

    @Sendable private func discard(_ call: Call) async throws -> WebResponse {
        let ids = try await ids(call)
        let reason = try call.form.text("reason", max: 200)
        let service = service(call.tenant)
        let principal = try call.principal()
        return try await call.change { session in
            try service.discard(
                ids, reason: reason, principal: principal,
                record: { entry, session in try call.record(entry, session) }, session)
            return .redirect("/quarantine").flash("quarantine.discarded")
        }
    }
}

/// What the templates of the queue show.
struct QuarantineViews {
    let call: Call
    let rules: [QualityRule]
    let fields: [ImportField]
    /// Schemas of sources: how values of columns are hidden that fill no field of ours.
    var sources: [String: IngestSource] = [:]
    private var language: Language { call.language }

    /// How the column's values are hidden: as the field it becomes.
    private func mask(_ index: Int, _ run: ImportRun, _ file: IngestFile) -> MaskKind {
        guard file.inspection.columns.indices.contains(index) else { return .full }
        let header = file.inspection.columns[index]
        if case .field(let key)? = run.mapping.column(header)?.target { return FieldMask.mask(key, fields) }
        let agreed = sources[run.mapping.source]?.fields.first { HeaderKey($0.column) == HeaderKey(header) }
        return agreed.flatMap { MaskKind(rawValue: $0.mask) } ?? .full
    }

    func shows(_ index: Int, _ run: ImportRun, _ file: IngestFile, _ principal: Principal) throws -> Bool {
        ImportViews.showsFile(file, principal) || Masking(principal).shows(mask(index, run, file))
    }

    private func value(
        _ index: Int, _ row: QuarantinedRow, _ run: ImportRun, _ file: IngestFile, _ principal: Principal
    ) throws -> String? {
        guard row.present.indices.contains(index), let value = row.present[index] else { return nil }
        if try shows(index, run, file, principal) { return value }
        return Masking.masked(mask(index, run, file), value)
    }

    private func name(_ rule: String) -> String { RuleViews.name(rule, rules, call) }

    func line(_ row: QuarantinedRow, _ run: ImportRun, _ file: IngestFile, _ principal: Principal) throws -> View {
        let first = row.findings.first
        let shown = try first.flatMap { try value($0.column, row, run, file, principal) }
        let days = max(0, (call.tenant.clock.now().milliseconds - row.createdAt.milliseconds) / 86_400_000)
        return [
            "id": .text("\(row.id)"), "source": .text(row.source), "file": .text(file.name),
            "line": .text(Numbers.grouped(row.line)), "words": .text(first?.words[language]),
            "more": .text(row.findings.count > 1 ? "+\(row.findings.count - 1)" : nil),
            "value": .text(shown.map { String($0.prefix(80)) }), "age": .text("\(days)"),
            "run": .text("\(row.run)"), "isOpen": .bool(row.state == .open),
            "repaired": .bool(row.repaired != nil), "by": .text(row.decidedBy.isEmpty ? nil : row.decidedBy),
            "reason": .text(row.reason == "reverted" ? call.text("quarantine.reverted") : row.reason),
            "replay": .text(row.replay.map { "\($0)" }),
        ]
    }

    private func options(_ values: [(String, String)], _ chosen: String?) -> ViewValue {
        .list(
            values.map { code, label -> View in
                ["code": .text(code), "label": .text(label), "selected": .bool(code == chosen)]
            })
    }

    func filters(_ filter: QuarantineStore.Filter, _ waiting: [QuarantineStore.Waiting]) -> View {
        var sources = Set(waiting.map(\.source))
        if let source = filter.source { sources.insert(source) }
        var named = Set(waiting.map(\.rule))
        if let rule = filter.rule { named.insert(rule) }
        let states = QuarantineState.allCases.map { ($0.rawValue, call.text("quarantine.state.\($0.rawValue)")) }
        let days = call.text("quarantine.days")
        let ages = [1, 7, 30].map { (String($0), "≥ \($0) \(days)") }
        return [
            "states": options(states, filter.state.rawValue),
            "sources": options(sources.sorted().map { ($0, $0) }, filter.source),
            "rules": options(named.sorted().map { ($0, name($0)) }, filter.rule),
            "ages": options(ages, filter.days.map { String($0) }),
        ]
    }

    func path(_ filter: QuarantineStore.Filter, after: QuarantineID) -> String {
        var query: [(name: String, value: String)] = [("state", filter.state.rawValue)]
        if let source = filter.source { query.append(("source", source)) }
        if let rule = filter.rule { query.append(("rule", rule)) }
        if let days = filter.days { query.append(("days", "\(days)")) }
        return "/quarantine?" + Form(query + [("after", "\(after)")]).encoded
    }

    func head(_ row: QuarantinedRow, _ run: ImportRun, _ file: IngestFile) -> View {
        let due = row.createdAt.adding(days: ImportService.quarantineDays)
        return [
            "id": .text("\(row.id)"), "revision": .text(row.version), "source": .text(row.source),
            "fileName": .text(file.name), "line": .text(Numbers.grouped(row.line)), "run": .text("\(run.id)"),
            "since": .text(call.time(row.createdAt)), "due": .text(call.time(due)),
            "state": .text(call.text("quarantine.state.\(row.state.rawValue)")), "isOpen": .bool(row.state == .open),
            "replay": .text(row.replay.map { "\($0)" }), "by": .text(row.decidedBy.isEmpty ? nil : row.decidedBy),
            "reason": .text(row.reason == "reverted" ? call.text("quarantine.reverted") : row.reason),
            "isExpired": .bool(row.cells.isEmpty),
            "findings": .list(
                row.findings.map { ["words": .text($0.words[language]), "rule": .text(name($0.rule))] }),
        ]
    }

    func cells(
        _ row: QuarantinedRow, _ run: ImportRun, _ file: IngestFile, _ principal: Principal, typed: Form?
    ) throws -> (views: [View], unmasked: [String]) {
        var views: [View] = []
        var unmasked: [String] = []
        for (index, column) in file.inspection.columns.enumerated() {
            guard row.present.indices.contains(index), let target = run.mapping.column(column)?.target else { continue }
            let isSeen = try shows(index, run, file, principal)
            let kind = mask(index, run, file)
            if isSeen, kind != .none, row.present[index] != nil { unmasked.append(String(column.prefix(60))) }
            let findings = row.findings.filter { $0.column == index }
            let title: String? =
                switch target {
                case .field(let key): fields.first { $0.key == key }?.words[language] ?? key
                case .attribute: column
                case .ignore: nil
                }
            let original = row.cells[index]
            let present = try value(index, row, run, file, principal)
            views.append([
                "index": .text("\(index)"), "column": .text(column), "title": .text(title),
                "value": .text(typed?["cell.\(index)"] ?? present ?? ""),
                "mayEdit": .bool(isSeen && row.state == .open), "isIgnored": .bool(title == nil),
                "isBad": .bool(!findings.isEmpty), "words": .texts(findings.map { $0.words[language] }),
                "original": .text(
                    isSeen && row.repaired != nil && original != row.present[index] ? original ?? "" : nil),
            ])
        }
        return (views, unmasked)
    }
}
