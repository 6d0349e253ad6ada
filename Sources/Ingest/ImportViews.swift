import Kernel
import Platform
import Storage
import Tabular
import Web

/// What the templates of one import show.
struct ImportViews {
    struct Page: Sendable {
        let run: ImportRun
        let file: IngestFile
        let fields: [ImportField]
        let target: any ImportTarget
        /// While the mapping is being edited.
        let suggestion: MappingSuggester.Suggestion?
        let reasons: [RunPlan.Reason]
        let findings: [FindingStore.Finding]
        let rules: [QualityRule]
        let job: Job?
        let isStalled: Bool
        /// Before it is started: the import of the same file whose records it would make a second time.
        let earlier: RunStore.Earlier?
        /// What taking it back would do.
        let revert: RevertPreview?
        /// Of a large import: what a job counted of it; `nil` = the page counts all by itself.
        let counting: RevertCounting?
        let trail: QuarantineTrail
        /// Known records that the pairs of a dry run name, as the caller may see them.
        let titles: [CustomerID: ImportTitle]
    }

    static let delimiters: [String: UInt8] = ["comma": 0x2C, "semicolon": 0x3B, "tab": 9, "pipe": 0x7C]

    let page: Page
    let call: Call
    var run: ImportRun { page.run }
    var file: IngestFile { page.file }
    var language: Language { call.language }

    /// Who brought a file knows what is in it; others see its values masked.
    static func showsFile(_ file: IngestFile, _ principal: Principal) -> Bool {
        principal.may(Masking.seeUnlabelled) || (principal.userID != nil && principal.userID == file.createdBy)
    }

    var showsFile: Bool { get throws { Self.showsFile(file, try call.request.principal()) } }

    var response: WebResponse {
        get throws {
            let (template, body): (String, View) =
                if page.suggestion != nil { ("ingest/import-mapping", try mapping) } else if run.state.isActive {
                    ("ingest/import-progress", progress)
                } else if run.state == .ready, run.purgedAt == nil { ("ingest/import-plan", try plan) } else {
                    ("ingest/import-result", try result)
                }
            return call.page(
                template, title: file.name, active: "/imports", body.merging(try head).merging(try repetition))
        }
    }

    // MARK: Parts

    static func line(_ line: RunStore.Line, _ service: ImportService, _ call: Call) -> View {
        let title = service.targets.first { $0.entity == line.entity }?.title[call.language] ?? line.entity
        let counts = line.counts ?? RunCounts()
        return [
            "id": .text("\(line.id)"), "file": .text(line.fileName), "source": .text(line.source),
            "entity": .text(title), "state": .text(call.text("ingest.state.\(line.state.rawValue)")),
            "tone": .text(tone(line.state)),
            "read": .text(Numbers.grouped(counts.read)), "created": .text(Numbers.grouped(counts.created)),
            "updated": .text(Numbers.grouped(counts.updated)),
            "rejected": .text(Numbers.grouped(counts.rejected)), "hasRejects": .bool(counts.rejected > 0),
            "quarantined": .text(Numbers.grouped(counts.quarantined)), "hasHeld": .bool(counts.quarantined > 0),
            "hasRun": .bool(line.counts != nil),
            "at": .text(call.time(line.createdAt)), "by": .text(line.createdByName), "size": .text(size(line.size)),
        ]
    }

    static func tone(_ state: RunState) -> String {
        switch state {
        case .succeeded: "ok"
        case .failed: "bad"
        case .cancelled: "warn"
        case .dryRun, .running, .reverting, .ready: "info"
        case .draft, .reverted: ""
        }
    }

    static func size(_ bytes: Int64) -> String {
        switch bytes {
        case ..<1_000: return "\(bytes) B"
        case ..<1_000_000: return "\(bytes / 1_000) kB"
        default: return "\(Double(bytes / 100_000) / 10) MB"
        }
    }

    /// Where one is: upload, mapping, dry run, import.
    static func steps(_ state: RunState?, _ call: Call) -> [View] {
        let current =
            switch state {
            case nil: 0
            case .draft?: 1
            case .dryRun?, .ready?: 2
            default: 3
            }
        return ["upload", "mapping", "dry_run", "import"].enumerated().map { index, name in
            [
                "label": .text(call.text("ingest.step.\(name)")), "done": .bool(index < current),
                "current": .bool(index == current),
            ]
        }
    }

    private var head: View {
        get throws {
            let inspection = file.inspection
            let state: RunState = page.suggestion == nil ? run.state : .draft
            return [
                "id": .text("\(run.id)"), "revision": .text(run.version), "fileName": .text(file.name),
                "size": .text(Self.size(file.size)),
                "rowsFound": .text(Numbers.grouped(inspection.rowsEstimate(size: file.textSize))),
                "isEstimate": .bool(!inspection.isWhole), "columnCount": .text("\(inspection.columns.count)"),
                "encoding": .text(kind(inspection)), "source": .text(run.mapping.source),
                "headings": .text(ImportPages.headingsPath(run.entity)),
                "leftOut": .bool(!ImportService.notTaken(run.mapping, inspection).isEmpty),
                "entity": .text(page.target.title[language]),
                "stateText": .text(call.text("ingest.state.\(run.state.rawValue)")),
                "tone": .text(Self.tone(run.state)),
                "steps": .list(Self.steps(state, call)), "at": .text(call.time(run.createdAt)),
                "by": .text(run.createdByName), "digest": .text(String(file.digest.prefix(12))),
                "note": .text(note),
                "warnings": .list(warnings.map { ["words": .text($0.words[language])] }),
                "hasWarnings": .bool(!warnings.isEmpty),
            ]
        }
    }

    /// `gb18030`, `gzip, utf-8`, `xlsx, 数据`.
    private func kind(_ inspection: FileInspection) -> String {
        guard let unpacked = inspection.canonical?.unpacked else { return inspection.format.encoding.rawValue }
        let last = unpacked.isPlaced ? unpacked.sheet : inspection.format.encoding.rawValue
        return (unpacked.layers.map { call.text("ingest.container.\($0.rawValue)") } + [last].compactMap { $0 })
            .joined(separator: ", ")
    }

    /// What the service says about the run. That all was taken back, the page says itself.
    private var note: String? {
        let isKnown = run.state == .reverted && run.message == ImportService.everythingBack
        return isKnown || run.message[language].isEmpty ? nil : run.message[language]
    }

    /// What a page says with words of its own is left out.
    private var warnings: [FileInspection.Warning] {
        guard run.state == .ready || run.state == .draft else { return [] }
        let known = file.inspection.warnings + ImportService.misfits(run.mapping, file.inspection, page.target)
        return (run.plan?.warnings ?? known).filter { $0.code != "imported_before" }
    }

    private var repetition: View {
        get throws {
            guard let earlier = page.earlier else { return ["isRepeat": .bool(false)] }
            let principal = try call.request.principal()
            let isReachable = principal.scope == .all || earlier.createdBy == principal.userID
            return [
                "isRepeat": .bool(true), "repeatSource": .text(earlier.mapping.source),
                "repeatOther": .bool(earlier.mapping.source != run.mapping.source),
                "repeatID": .text(isReachable ? "\(earlier.id)" : nil),
                "repeatAt": .text(call.time(earlier.at)), "repeatCreated": .text(Numbers.grouped(earlier.created)),
                "repeatUpdated": .text(Numbers.grouped(earlier.updated)),
                "repeatRejected": .text(Numbers.grouped(earlier.rejected)),
            ]
        }
    }

    private func counts(_ counts: RunCounts) -> View {
        [
            "read": .text(Numbers.grouped(counts.read)), "created": .text(Numbers.grouped(counts.created)),
            "updated": .text(Numbers.grouped(counts.updated)), "unchanged": .text(Numbers.grouped(counts.unchanged)),
            "rejected": .text(Numbers.grouped(counts.rejected)), "hasRejects": .bool(counts.rejected > 0),
            "quarantined": .text(Numbers.grouped(counts.quarantined)), "hasHeld": .bool(counts.quarantined > 0),
            "skipped": .text(Numbers.grouped(counts.skipped)), "hasSkipped": .bool(counts.skipped > 0),
            "corrected": .text(counts.corrected > 0 ? Numbers.grouped(counts.corrected) : nil),
            "hasMatches": .bool(counts.linked != nil || counts.review != nil),
            "apart": .text(counts.apart.map { Numbers.grouped($0) }),
            "linked": .text(Numbers.grouped(counts.linked ?? 0)), "review": .text(Numbers.grouped(counts.review ?? 0)),
        ]
    }

    private func reasons(_ reasons: [RunPlan.Reason]) -> [View] {
        reasons.map {
            [
                "column": .text($0.column), "words": .text($0.words[language]),
                "count": .text(Numbers.grouped($0.count)),
                "line": .text(Numbers.grouped($0.firstLine)), "code": .text($0.code),
            ]
        }
    }

    /// What rules found.
    private var findings: [View] {
        page.findings.map { found in
            let rule = page.rules.first { $0.key == found.rule }
            let severity = RuleSeverity.of(found.rule, rule)
            return [
                "rule": .text(RuleViews.name(found.rule, page.rules, call)),
                "path": .text(RuleViews.path(found.rule, page.rules)),
                "field": .text(page.fields.first { $0.key == found.field }?.words[language] ?? found.field),
                "severity": .text(severity.map { call.text("rules.severity.\($0.rawValue)") } ?? ""),
                "tone": .text(severity.map(RuleViews.tone) ?? ""),
                "checked": .text(Numbers.grouped(found.checked)), "failed": .text(Numbers.grouped(found.failed)),
                "fixed": .text(Numbers.grouped(found.fixed)),
            ]
        }
    }

    // MARK: Steps

    private var progress: View {
        let job = page.job
        let known = (job?.total ?? 0) > 0
        return [
            "known": .bool(known), "done": .text("\(job?.done ?? 0)"), "total": .text("\(job?.total ?? 0)"),
            "doneText": .text(Numbers.grouped(job?.done ?? 0)), "totalText": .text(Numbers.grouped(job?.total ?? 0)),
            "message": .text(job?.message[language]), "isStalled": .bool(page.isStalled),
            "stalledDryRun": .bool(page.isStalled && run.state == .dryRun),
            "stalledRun": .bool(page.isStalled && run.state == .running),
            "stalledRevert": .bool(page.isStalled && run.state == .reverting),
            "isWaiting": .bool(job?.status == .queued),
        ]
    }

    private var plan: View {
        get throws {
            let plan = run.plan ?? RunPlan()
            let isClear = try showsFile
            let masking = try call.masking()
            return counts(plan.counts).merging(planReasons(isClear)).merging(pairs(plan, isClear: isClear, masking)).merging([
                "newAttributes": .text(plan.newAttributes.prefix(40).joined(separator: ", ")),
                "hasNewAttributes": .bool(!plan.newAttributes.isEmpty),
                "newAttributeCount": .text("\(plan.newAttributes.count)"),
                "createdSamples": .list(plan.created.map { sample($0, isClear, masking) }),
                "hasCreatedSamples": .bool(!plan.created.isEmpty),
                "updatedSamples": .list(plan.updated.map { sample($0, isClear, masking) }),
                "hasUpdatedSamples": .bool(!plan.updated.isEmpty),
                "seconds": .text("\(Double(plan.milliseconds / 100) / 10)"),
                "mayStart": .bool(plan.counts.created + plan.counts.updated + plan.counts.quarantined > 0),
                "findings": .list(findings), "hasFindings": .bool(!findings.isEmpty),
            ])
        }
    }

    /// What the dry run refused and why; also beside a mapping that is to be mended because of it.
    func planReasons(_ isClear: Bool) -> View {
        let reasons = run.plan?.reasons ?? []
        return [
            "reasons": .list(self.reasons(reasons)), "hasReasons": .bool(!reasons.isEmpty),
            "rejectPath": .text(
                run.planRejectBlobID != nil && isClear ? "/imports/\(run.id)/planned-rejects" : nil),
        ]
    }

    private func sample(_ sample: RunPlan.Sample, _ isClear: Bool, _ masking: Masking) -> View {
        [
            "line": .text(Numbers.grouped(sample.line)), "customer": .text(sample.customer),
            "changes": .list(
                sample.changes.map { change in
                    let mask = FieldMask.mask(change.field, page.fields)
                    // What is in the database is masked by role, whoever brought the file.
                    let before = change.before.map { masking.apply(mask, words($0, change.field)) }
                    let after = change.after.map { words($0, change.field) }
                    return [
                        "title": .text(change.title[language]), "before": .text(before),
                        "after": .text(isClear ? after : after.map { masking.apply(mask, $0) }),
                    ]
                }),
        ]
    }

    /// A stored value as people write it.
    private func words(_ value: String, _ key: String) -> String {
        let kind = page.fields.first { $0.key == key }?.kind
        if case .choice(let choices)? = kind {
            return choices.first { $0.code == value }?.words[language] ?? value
        }
        switch value {
        case "true": return call.text("ingest.yes")
        case "false": return call.text("ingest.no")
        default: return value
        }
    }

    /// What taking it back would do, counted on what the records are now.
    private var forecast: View {
        guard let revert = page.revert, let removed = revert.removed, let kept = revert.kept,
            let restored = revert.restored, let values = revert.keptValues, let valuesIn = revert.keptValuesIn
        else { return ["hasForecast": .bool(false)] }
        let fields = (language == .zh ? revert.fields_zh : revert.fields).prefix(10)
        return [
            "hasForecast": .bool(run.counts.created + run.counts.updated > 0),
            "removes": .text(run.counts.created > 0 ? Numbers.grouped(removed) : nil),
            "restores": .text(run.counts.updated > 0 ? Numbers.grouped(restored) : nil),
            "keeps": .text(kept > 0 ? Numbers.grouped(kept) : nil),
            "gone": .text(revert.gone.flatMap { $0 > 0 ? Numbers.grouped($0) : nil }),
            "keepsValues": .text(values > 0 ? Numbers.grouped(values) : nil),
            "keepsIn": .text(Numbers.grouped(valuesIn)),
            "keepsFields": .text(fields.joined(separator: language == .zh ? "、" : ", ")),
            "hasLater": .bool(!revert.later.isEmpty),
            "later": .list(
                revert.later.map {
                    ["run": .text($0.run), "file": .text($0.file), "records": .text(Numbers.grouped($0.records))]
                }),
            "byOthers": .text(revert.byOthers.flatMap { $0 > 0 ? Numbers.grouped($0) : nil }),
            "lookedAt": .text(page.counting != nil && page.counting?.result == nil ? Numbers.grouped(revert.lookedAt) : nil),
            "countedAt": .text(page.counting?.countedAt.map(call.time)),
            "isOlder": .bool(page.counting?.isOlder ?? false), "isCounting": .bool(page.counting?.isCounting ?? false),
            "mayCount": .bool(page.counting.map { !$0.isCounting } ?? false),
        ]
    }

    private var result: View {
        get throws {
            let isClear = try showsFile
            let mayDecide = try call.principal().may(ImportService.quarantinePermission)
            let trail = page.trail.view(run, mayDecide: mayDecide)
            return counts(run.counts).merging(forecast).merging(trail).merging([
                "reasons": .list(reasons(page.reasons)), "hasReasons": .bool(!page.reasons.isEmpty),
                "rejectPath": .text(run.rejectBlobID != nil && isClear ? "/imports/\(run.id)/rejects" : nil),
                "findings": .list(findings), "hasFindings": .bool(!findings.isEmpty),
                "mayRevert": .bool(
                    run.mayRevert && run.counts.created + run.counts.updated > 0 && page.target.revertRefusal == nil),
                "noRevert": .text(run.counts.created > 0 ? page.target.revertRefusal?[language] : nil),
                // Where every row was refused, to go on would refuse the rest as well.
                "mayContinue": .bool(
                    run.mayContinue && (run.counts.read == 0 || run.counts.rejected < run.counts.read)),
                "ties": .text(page.revert.flatMap { $0.ties.isEmpty ? nil : $0.ties.words[language] }),
                "tiesArePartial": .bool(run.chunk > ImportService.previewChunks && page.counting?.result == nil),
                "isReverted": .bool(run.state == .reverted), "isGood": .bool(run.state == .succeeded),
                "isBad": .bool(run.state == .failed), "isStopped": .bool(run.state == .cancelled),
                "issues": .text(run.revertIssues > 0 ? Numbers.grouped(run.revertIssues) : nil),
                "started": .text(run.startedAt.map(call.time)), "finished": .text(run.finishedAt.map(call.time)),
                "reverted": .text(run.revertedAt.map(call.time)), "isPurged": .bool(run.purgedAt != nil),
            ])
        }
    }
}

/// How a field's value is hidden: imports know fields by key and kind only.
enum FieldMask {
    static func mask(_ key: String, _ fields: [ImportField]) -> MaskKind {
        if key == "attribute" || key.hasPrefix("attr.") { return .full }
        if let mask = fields.first(where: { $0.key == key })?.mask { return MaskKind(rawValue: mask) ?? .full }
        switch fields.first(where: { $0.key == key })?.kind {
        case .phone: return .phone
        case .email: return .email
        // A kind of document says nothing of whose it is.
        case .choice: return .none
        case nil: return .full
        default: break
        }
        if key.contains("birth") { return .date }
        if key.contains("document") || key.contains("identity") { return .identity }
        if key.contains("address") || key == "latitude" || key == "longitude" { return .address }
        return key.contains("name") ? .name : .none
    }
}
