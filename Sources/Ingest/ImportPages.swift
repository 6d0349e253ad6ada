import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import Tabular
import Web

/// The wizard. Each step is a page of its own under `/imports/{id}`, chosen by the state of the run, so that it can be left
/// and taken up again, and works without scripts.
struct ImportPages: Sendable {
    let service: @Sendable (Tenant) -> ImportService

    var endpoints: [Endpoint] {
        let access = Route.Access.permission(ImportService.permission)
        func get(
            _ pattern: String, trace: Route.Trace, _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(.get, pattern, access, trace: trace, purpose: .administration, handler: handler)
        }
        func post(
            _ pattern: String, _ body: Route.Body = .form([]), _ effect: Route.Effect = .acts,
            _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(
                .post, pattern, access, body: body, trace: .change, purpose: .administration, effect: effect,
                handler: handler)
        }
        return [
            get("/imports", trace: .none, list),
            get("/imports/new", trace: .none) { call in
                newPage(call, error: nil, entity: call.request.query["entity"] ?? "")
            },
            get("/imports/headings", trace: .none, headings),
            post("/imports", .upload, .adds, upload),
            get("/imports/{id}", trace: .view, show),
            get("/imports/{id}/profile", trace: .view, profile),
            get("/imports/{id}/progress", trace: .none, progress),
            get("/imports/{id}/rejects", trace: .view) { try await rejects($0, planned: false) },
            get("/imports/{id}/planned-rejects", trace: .view) { try await rejects($0, planned: true) },
            get("/imports/{id}/issues", trace: .view, issues),
            post(
                "/imports/{id}/mapping",
                .form([
                    "revision", "to.*", "order.*", "excel.*", "match_key", "creates", "updates", "matches", "source",
                    "then",
                ]),
                .overwrites, saveMapping),
            post(
                "/imports/{id}/format", .form(["revision", "encoding", "delimiter", "sheet", "skip_rows"]), .overwrites,
                format),
            post("/imports/{id}/dry-run") { try await act(.dryRun, $0) },
            post("/imports/{id}/start", .form(["again"])) { try await act(.start, $0) },
            post("/imports/{id}/continuation") { try await act(.resume, $0) },
            post("/imports/{id}/reversal") { try await act(.revert, $0) },
            post("/imports/{id}/forecast") { try await forecast($0) },
            post("/imports/{id}/cancellation", .form([]), .acts, cancel),
        ]
    }

    // MARK: List and upload

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let before = call.request.query["before"].flatMap { ImportRunID($0) }
        let principal = try call.principal()
        // Who is kept to some regions sees what they brought themselves.
        let owner = principal.scope == .all ? nil : principal.userID ?? UserID(0)
        let lines = try await call.read {
            try RunStore.recent(before: before, owner: owner, limit: Limits.pageSize + 1, $0)
        }
        let shown = lines.prefix(Limits.pageSize)
        return call.page(
            "ingest/import-list", title: call.text("ingest.title"), active: "/imports",
            [
                "runs": .list(shown.map { ImportViews.line($0, service(call.tenant), call) }),
                "none": .bool(lines.isEmpty),
                "next": .text(lines.count > Limits.pageSize ? shown.last.map { "\($0.id)" } : nil),
            ])
    }

    private func newPage(
        _ call: Call, error: CRMError?, source: String = "", entity: String = ""
    ) -> WebResponse {
        let targets = service(call.tenant).targets
        let entities = targets.map { target -> View in
            [
                "value": .text(target.entity), "label": .text(target.title[call.language]),
                "selected": .bool(target.entity == entity),
            ]
        }
        return call.page(
            "ingest/import-new", title: call.text("ingest.new"), active: "/imports",
            [
                "path": "/imports/new", "headings": .text(Self.headingsPath(entity)),
                "error": .text(error?.message[call.language]), "source": .text(source),
                "entities": .list(entities), "hasEntities": .bool(targets.count > 1),
                "invalid": .bool(error != nil), "steps": .list(ImportViews.steps(nil, call)),
            ], status: error == nil ? .ok : HTTPResponse.Status(code: error?.status ?? 422))
    }

    @Sendable private func upload(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let all = service(call.tenant)
        let received = try await receive(call)
        guard let blob = received.blob else {
            call.showsOnlyWhatWasTyped()
            return newPage(
                call, error: .invalid("file", "no_file", Words(en: "Choose a file.", zh: "请选择文件。")),
                source: received.source, entity: received.entity)
        }
        let service: ImportService
        do {
            service = received.entity.isEmpty ? all : try all.on(received.entity)
            let content = "\(received.entity)\n\(received.source)\n\(received.name)\n\(blob.digest)"
            if let earlier = try await call.earlier(content: content) {
                await call.tenant.blobs.deleteLater(blob.id)
                return earlier
            }
        } catch {
            await call.tenant.blobs.deleteLater(blob.id)
            throw error
        }
        do {
            let draft = try await service.draft(
                name: received.name, blob: blob, source: received.source, asksSource: true, principal: principal,
                record: { entry, session in try call.record(entry, session) },
                then: { run, session in try call.settle(.redirect("/imports/\(run)"), session) })
            return .redirect("/imports/\(draft.run)")
        } catch let error as CRMError where error.status == 422 {
            call.showsOnlyWhatWasTyped()
            return newPage(call, error: error, source: received.source, entity: received.entity)
        }
    }

    private struct Received {
        var entity = ""
        var source = ""
        var name = ""
        var blob: Blob?
    }

    /// Streams the file into the blob store; the fields come before it.
    private func receive(_ call: Call) async throws -> Received {
        var upload = try MultipartReader(call.request)
        var received = Received()
        do {
            while let part = try await upload.nextPart() {
                switch part.name {
                case "entity" where part.fileName == nil:
                    received.entity = String(try await upload.text(max: 100).trimmed.prefix(40))
                case "source" where part.fileName == nil:
                    received.source = String(try await upload.text(max: 400).trimmed.prefix(60))
                case "file" where received.blob == nil:
                    guard let name = part.fileName, !name.isEmpty else { continue }
                    received.name = name
                    received.blob = try await store(&upload, call.tenant.blobs)
                default:
                    throw CRMError.invalid(
                        String(part.name.prefix(60)), "unknown_field",
                        Words(en: "There is no field of this name.", zh: "没有该字段。"))
                }
            }
        } catch {
            // A body that ends badly leaves nothing behind.
            if let blob = received.blob { await call.tenant.blobs.deleteLater(blob.id) }
            throw error
        }
        return received
    }

    private func store(_ upload: inout MultipartReader, _ blobs: any BlobStore) async throws -> Blob {
        // In pieces of a size that is worth a thread: a store may wait for its database (`OwnThread`).
        let writer = try await OwnThread.run { try blobs.writer() }
        do {
            var held: [UInt8] = []
            while let bytes = try await upload.read() {
                held += bytes
                guard held.count >= Blob.pieceBytes else { continue }
                let piece = held
                held = []
                try await OwnThread.run { try writer.write(piece) }
            }
            let rest = held
            return try await OwnThread.run {
                if !rest.isEmpty { try writer.write(rest) }
                return try writer.finish()
            }
        } catch {
            await OwnThread.perform { writer.discard() }
            throw error
        }
    }

    // MARK: One import

    @Sendable private func show(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let service = service(call.tenant)
        let wantsMapping = call.request.query["step"] == "mapping"
        let principal = try call.principal()
        let page = try await call.read { session -> ImportViews.Page in
            let run = try service.reach(id, principal, session)
            let file = try RunStore.file(run.fileID, session)
            let isEditing = run.mayEdit && (run.state == .draft || wantsMapping)
            let service = try service.on(run.entity)
            let fields = try service.target.fields + service.target.attributeFields(session)
            let counting = try RevertCounting.of(run, call.tenant, session)
            return ImportViews.Page(
                run: run, file: file, fields: fields, target: service.target,
                suggestion: isEditing ? try service.suggestion(file, source: run.mapping.source, session) : nil,
                reasons: run.state.isActive
                    ? [] : try JournalStore.reasons(id, .run, columns: file.inspection.columns, session),
                findings: run.state.isActive
                    ? [] : try FindingStore.findings(id, run.state == .ready ? .dryRun : .run, session),
                rules: try RuleStore.rules(entity: run.entity, session),
                job: try run.jobID.flatMap { try call.tenant.jobs.job($0, session) },
                isStalled: try service.isStalled(run, session),
                earlier: run.mayEdit ? try service.repeated(run, session) : nil,
                revert: run.mayRevert
                    ? try counting?.result
                        ?? service.previewRevert(
                            run, chunksMax: ImportService.previewChunks, forecastMax: ImportService.forecastChunks, session)
                    : nil,
                counting: counting,
                trail: try QuarantineTrail.of(run, file, session),
                titles: run.state == .ready && !isEditing
                    ? try service.target.titles(of: run.plan?.pairCustomers ?? [], for: principal, session) : [:])
        }
        let views = ImportViews(page: page, call: call)
        let samples = page.run.state == .ready ? page.run.plan?.updated.compactMap { $0.customer } ?? [] : []
        let subjects = Set(samples.compactMap { CustomerID($0) }).union(page.titles.keys).sorted().map(AuditSubject.customer)
        let named = page.titles.values.contains { !$0.name.isEmpty } && Masking(principal).names ? ["full_name"] : []
        try await call.recordView(
            AuditEntry(
                "ingest.run.view", [.run(id)] + subjects, facts: ["state": .string(page.run.state.rawValue)],
                unmasked: (try views.showsFile ? ["file"] : []) + named))
        return try views.response
    }

    @Sendable private func progress(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let service = service(call.tenant)
        let principal = try call.principal()
        return try await call.read { session in
            let run = try service.reach(id, principal, session)
            let job = try run.jobID.flatMap { try call.tenant.jobs.job($0, session) }
            let stalled = try service.isStalled(run, session)
            return .json(
                .object([
                    "state": .string(run.state.rawValue),
                    "stateText": .string(call.text("ingest.state.\(run.state.rawValue)")),
                    "done": .int(job?.done ?? Int64(run.counts.read)), "total": job.map { .int($0.total) } ?? .null,
                    "message": .string(job?.message[call.language] ?? ""),
                    "finished": .bool(!run.state.isActive || stalled),
                ]))
        }
    }

    @Sendable private func saveMapping(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let service = service(call.tenant)
        let (run, _) = try await service.run(id, for: try call.principal())
        var mapping = try ImportViews.mapping(from: call.form, run.mapping)
        // The key was proposed for an import that does not compare people; whoever wants it all the same chooses it now.
        if mapping.matches, !run.mapping.matches, mapping.matchKey == run.mapping.matchKey {
            mapping = try service.on(run.entity).unguessed(mapping)
        }
        let answer = WebResponse.redirect("/imports/\(id)")
        try await service.save(
            mapping, for: id, then: call.form["then"] == "dry_run" ? .dryRun : nil, principal: try call.principal(),
            check: { try call.checkVersion($0.version) },
            record: { entry, session in try call.record(entry, session) },
            done: { session in try call.settle(answer, session) })
        return answer
    }

    /// Writes the audit event, and with it the answer under the request's key.
    private static func recorder(_ call: Call, _ answer: WebResponse) -> AuditRecorder {
        { entry, session in
            try call.record(entry, session)
            try call.settle(answer, session)
        }
    }

    @Sendable private func format(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let delimiter = call.form["delimiter"].flatMap { ImportViews.delimiters[$0] }
        let answer = WebResponse.redirect("/imports/\(id)")
        try await service(call.tenant).reinspect(
            id, encoding: call.form["encoding"].flatMap(TextEncoding.init(rawValue:)), delimiter: delimiter,
            sheet: call.form["sheet"].flatMap { $0.isEmpty ? nil : $0 }, skipRows: try Self.skipRows(call.form),
            principal: try call.principal(), check: { try call.checkVersion($0.version) },
            record: Self.recorder(call, answer))
        return answer
    }

    /// Nothing typed: a title is looked for.
    private static func skipRows(_ form: Form) throws -> Int? {
        let text = form["skip_rows"]?.trimmedText ?? ""
        guard !text.isEmpty else { return nil }
        guard let rows = Int(text), (0...ImportService.skipRowsMax).contains(rows) else {
            throw ImportService.badSkipRows(text)
        }
        return rows
    }

    private func act(_ action: ImportService.Action, _ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let answer = WebResponse.redirect("/imports/\(id)")
        try await service(call.tenant).enqueue(
            action, id, principal: try call.principal(), again: call.form["again"] == "1",
            record: Self.recorder(call, answer))
        return answer
    }

    private func forecast(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let answer = WebResponse.redirect("/imports/\(id)").flash("ingest.flash.counting")
        try await service(call.tenant).askForForecast(id, principal: try call.principal(), record: Self.recorder(call, answer))
        return answer
    }

    @Sendable private func cancel(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let answer: @Sendable (Bool) -> WebResponse = {
            .redirect("/imports/\(id)").flash($0 ? "ingest.flash.stopped" : "ingest.flash.stopping")
        }
        let stopped = try await service(call.tenant).cancel(
            id, principal: try call.principal(), record: { entry, session in try call.record(entry, session) },
            then: { stopped, session in try call.settle(answer(stopped), session) })
        return answer(stopped)
    }

    // MARK: Downloads

    private func rejects(_ call: Call, planned: Bool) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let (run, file) = try await service(call.tenant).run(id, for: try call.principal())
        // The file repeats the rows as they came: only for who brought them, or may see what is not labelled.
        guard try ImportViews.showsFile(file, call.request.principal()) else {
            throw CRMError.forbidden(Masking.seeUnlabelled)
        }
        guard let blob = planned ? run.planRejectBlobID : run.rejectBlobID else { throw CRMError.notFound }
        try await call.recordView(
            AuditEntry(
                "ingest.rejects.download", [.run(id)], facts: ["rows": .int(Int64(run.counts.rejected))],
                unmasked: ["file"]))
        let blobs = call.tenant.blobs
        let length = Int(try await OwnThread.run { try blobs.size(blob) })
        return .download(name: "rejects-\(id).csv", type: "text/csv; charset=utf-8", length: length) {
            let reader = RequestReader(blobs, blob)
            return { try await reader.next() }
        }
    }

    /// What a revert left as it was: ids, fields and reasons.
    @Sendable private func issues(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let (run, _) = try await service(call.tenant).run(id, for: try call.principal())
        guard run.revertIssues > 0 else { throw CRMError.notFound }
        try await call.recordView(
            AuditEntry("ingest.issues.download", [.run(id)], facts: ["issues": .int(Int64(run.revertIssues))]))
        let database = call.tenant.database
        return .download(name: "import-\(id)-kept.csv", type: "text/csv; charset=utf-8") {
            var csv = CSVWriter(byteOrderMark: true)
            csv.row(["customer_id", "field", "reason", "reason_zh"])
            var after: (chunk: Int64, number: Int) = (-1, -1)
            var hasEnded = false
            return {
                if hasEnded { return nil }
                let place = after
                let page = try await database.read { try JournalStore.issues(id, after: place, limit: 1_000, $0) }
                for issue in page { csv.row(["\(issue.customer)", issue.field, issue.reason.en, issue.reason.zh]) }
                if let last = page.last { after = (last.chunk, last.number) } else { hasEnded = true }
                let bytes = csv.take()
                return bytes.isEmpty ? nil : bytes
            }
        }
    }
}
