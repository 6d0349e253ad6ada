import Foundation
import Kernel
import Platform
import Storage
import Web

/// Carries a result out of a transaction that is to be rolled back.
private struct RolledBack<T: Sendable>: Error {
    let value: T
}

extension ImportService {
    private static let samplesMax = 5

    /// Reads the whole file and plans each row against the database as it is; writes nothing but the plan and the rejects.
    func performDryRun(_ id: ImportRunID, _ control: RunControl) async throws -> RunPlan {
        let started = ContinuousClock.now
        let worker = RandomName.worker()
        try await inspectWhole(id, control)
        let (run, file) = try await tenant.database.write { [tenant] session in
            try RunStore.take(id, worker: worker, in: .dryRun, at: tenant.clock.now(), session)
            try session.execute(JournalStore.clearRejects, [.id(id), .int(JournalStore.Phase.dryRun.rawValue)])
            try session.execute(FindingStore.clear, [.id(id), .int(JournalStore.Phase.dryRun.rawValue)])
            let run = try RunStore.run(id, session)
            return (run, try RunStore.file(run.fileID, session))
        }
        let resolved = try await resolvedAndRolledBack(run, file)
        let principal = run.actor.principal(tenant: tenant.name, address: control.address, request: control.request)
        let pass = ImportPass(
            target.importer(run.mapping.options, principal: principal), matchKey: run.mapping.matchKey)
        // What is looked up is made now, as the import would: no customer is changed by it.
        try await target.prepare(run.mapping.options, progress: control.progress)
        let reader = try ChunkReader(file, resolved, tenant.blobs)
        let total = file.inspection.rowsEstimate(size: file.textSize)
        pass.importer.expect(rows: Int(total), created: 0)
        var planner = Planner(
            fields: resolved.fields, updates: run.mapping.updatesExisting, currency: tenant.currency,
            zone: tenant.timeZoneOffsetMinutes)
        planner.plan.newAttributes = resolved.all.filter(\.isNew).map(\.name)
        let references = reader.references
        var next = try reader.next()
        while let read = next {
            async let following = Self.pull(reader)
            let (chunk, outcomes) = try await tenant.database.read { [self] session in
                let chunk = try sifted(read, references, run.mapping, session)
                return (chunk, try pass.plan(chunk, session))
            }
            let rejects = planner.add(chunk, outcomes, resolved)
            if run.mapping.matches { planner.add(pass.importer.takeMatches()) }
            planner.plan.counts.corrected += pass.importer.takeCorrected()
            if !rejects.isEmpty || !chunk.counts.isEmpty {
                try await tenant.database.write { session in
                    guard try session.exists(RunStore.planning, [.id(id), .text(worker)]) else { throw RunStore.taken }
                    try JournalStore.record(rejects, id, .dryRun, session)
                    try FindingStore.add(chunk.counts, id, .dryRun, session)
                }
            }
            next = try await following
            let counts = planner.plan.counts
            try await control.progress(
                Int64(counts.read), max(total, Int64(counts.read)), Self.progressWords(counts, verb: .check))
        }
        planner.plan.warnings = warnings(run, file, reader)
        if let warning = try await strangers(run.mapping, planner.plan.counts) { planner.plan.warnings.append(warning) }
        if planner.isPartial { planner.plan.warnings.append(Self.partlyMatched) }
        if planner.isAbout, planner.plan.counts.created > 0, !planner.isPartial { planner.plan.warnings.append(Self.aboutMatched) }
        if let earlier = try await tenant.database.read({ [self] in try repeated(run, $0) }) {
            planner.plan.warnings.append(repeatWarning(earlier, run.mapping))
        }
        if let same = try await nothingNew(run, planner.plan.counts, isDone: false) { planner.plan.warnings.append(same) }
        planner.plan.milliseconds = (ContinuousClock.now - started).milliseconds
        return try await finishDryRun(run, file, worker, planner.plan, principal)
    }

    private static let partlyMatched = FileInspection.Warning(
        "partly_matched",
        Words(
            en:
                "The file has so many new customers that the last ones were compared with those known before and with the first of the file, not with each other: the import may join more of them.",
            zh: "文件中新客户过多，靠后的行只与已有客户及文件前部比较，未相互比较；正式导入时可能合并更多客户。"))

    private static let aboutMatched = FileInspection.Warning(
        "about_matched",
        Words(
            en:
                "The file changes known customers that new ones are compared with: how many are joined or put to review is told about, because it depends on which row comes first.",
            zh: "文件会修改用于比对的已有客户，合并与待确认的数量为约数，因为结果与各行的先后有关。"))

    static func pull(_ reader: ChunkReader) async throws -> Chunk? { try reader.next() }

    static let outcomeCount = CRMError(
        "internal", status: 500, Words(en: "The import target lost rows.", zh: "导入目标丢失了行。"))

    /// Attributes that do not exist yet are defined to learn their keys and kinds, and the transaction is undone.
    private func resolvedAndRolledBack(_ run: ImportRun, _ file: IngestFile) async throws -> ResolvedColumns {
        do {
            try await tenant.database.write { [self] session -> Void in
                throw RolledBack(
                    value: try ResolvedColumns.resolve(
                        run.mapping, file.inspection, target, settings, isDryRun: true, session))
            }
        } catch let result as RolledBack<ResolvedColumns> {
            return result.value
        }
        throw CRMError("internal", status: 500, Words(en: "The mapping was not resolved.", zh: "映射未能解析。"))
    }

    /// What a pass over the file noticed.
    func warnings(_ run: ImportRun, _ file: IngestFile, _ reader: ChunkReader) -> [FileInspection.Warning] {
        let told = file.inspection.warnings.filter { run.mapping.matches || $0.code != Self.matchesAsBeforeCode }
        var found = told + [notTaken(run, file.inspection)].compactMap { $0 }
        if !run.isReplay { found += misfits(run.mapping, file.inspection) + dateOrders(run.mapping, file.inspection) }
        found += spilled(reader)
        if !run.isReplay, let keyless = keyless(run.mapping) { found.append(keyless) }
        if reader.formulaCells > 0 {
            let count = reader.formulaCells
            found.append(
                .init(
                    "formula_cells",
                    Words(
                        en:
                            "\(count) cells begin like a spreadsheet formula. They are kept as text and guarded in every file we write.",
                        zh: "\(count) 个单元格以公式符号开头，按文本保存，导出时会加保护。")))
        }
        if reader.errorCells > 0 {
            let count = Numbers.grouped(reader.errorCells)
            let isOne = reader.errorCells == 1
            found.append(
                .init(
                    "error_cells",
                    Words(
                        en: isOne
                            ? "1 cell holds a spreadsheet error such as #REF!. It is treated as missing."
                            : "\(count) cells hold a spreadsheet error such as #REF!. They are treated as missing.",
                        zh: "\(count) 个单元格是电子表格错误（如 #REF!），按缺失处理。")))
        }
        for (column, count) in reader.droppedCells {
            found.append(
                .init(
                    "dropped_cells",
                    Words(
                        en: "Column “\(column)”: \(count) cells do not fit the other values and are left out.",
                        zh: "列“\(column)”：有 \(count) 个单元格与其余值类型不符，已略去。")))
        }
        if !reader.unexpectedColumns.isEmpty {
            let names = reader.unexpectedColumns.prefix(5).joined(separator: ", ")
            found.append(
                .init(
                    "late_columns",
                    Words(
                        en: "Columns that appear only far into the file were ignored: \(names).",
                        zh: "文件后部才出现的列已忽略：\(names)。")))
        }
        return found
    }

    /// A match key that finds nobody, though there are customers: most likely another source name or key is meant, and the
    /// import would make every customer a second time.
    private func strangers(_ mapping: ImportMapping, _ counts: RunCounts) async throws -> FileInspection.Warning? {
        // Where rows are found to be known people all the same, nothing has to be checked.
        guard let key = mapping.matchKey, counts.created > 0, counts.updated + counts.unchanged == 0,
            (counts.linked ?? 0) + (counts.review ?? 0) == 0,
            try await tenant.database.read({ [target] in try target.holdsRecords($0) })
        else { return nil }
        let words = target.fields.first { $0.key == key }?.words ?? Words(en: key, zh: key)
        return FileInspection.Warning(
            "nobody_found",
            Words(
                en:
                    "There are customers already, but no row finds one by “\(words.en)” of the source “\(mapping.source)”: all would be created. If the file is about known customers, check the name of the source and the match key first.",
                zh: "系统中已有客户，但没有任何行能按来源“\(mapping.source)”的“\(words.zh)”找到已有客户，全部将新建。若文件涉及已有客户，请先检查来源名称和匹配键。"))
    }

    private func finishDryRun(
        _ run: ImportRun, _ file: IngestFile, _ worker: String, _ plan: RunPlan, _ principal: Principal
    ) async throws -> RunPlan {
        let id = run.id
        let rejects = try await RejectFile(
            run: run.id, file: file, phase: .dryRun, blobs: tenant.blobs, database: tenant.database
        ).write()
        let columns = file.inspection.columns
        let done = try await tenant.keeping(rejects) { [tenant] session in
            var plan = plan
            plan.reasons = try JournalStore.reasons(id, .dryRun, columns: columns, session)
            let isHopeless = plan.counts.rejected == plan.counts.read
            let words = isHopeless ? Self.everythingRejected(plan.counts.read, nil, file) : Words(en: "", zh: "")
            let changed = try session.execute(
                RunStore.setPlan,
                [
                    .id(id), .text(worker), .text((isHopeless ? RunState.draft : .ready).rawValue),
                    .text(try JSONText.encode(plan)), .text(rejects?.id), .text(words.en), .text(words.zh),
                ])
            guard changed == 1 else { throw RunStore.taken }
            try tenant.audit.record(
                AuditEntry("ingest.run.dry_run_finished", [.run(id)], facts: plan.counts.facts), by: principal, session)
            return plan
        }
        if let old = run.planRejectBlobID { try? tenant.blobs.delete(old) }
        return done
    }

    /// - Parameter notTaken: the columns that were left out: what was missing may stand in them.
    static func everythingRejected(_ rows: Int, _ notTaken: FileInspection.Warning?, _ file: IngestFile) -> Words {
        // A title above the table makes a heading of what is none.
        let maySkip = file.inspection.format.kind == .delimited
        return Words(
            en: "All \(rows) rows read were rejected. Look at the reasons and at the mapping."
                + (maySkip ? " If the heading is not in the first row, say how many rows stand above it (--skip-rows N)." : "")
                + (notTaken.map { " " + $0.words.en } ?? ""),
            zh: "已读取的 \(rows) 行全部被拒绝，请检查原因和映射。"
                + (maySkip ? "若表头不在第一行，请指定表头上方的行数（--skip-rows N）。" : "") + (notTaken?.words.zh ?? ""))
    }

    enum Verb { case check, write, revert }

    /// `3,200 rows, 12 rejected`.
    static func progressWords(_ counts: RunCounts, verb: Verb) -> Words {
        let (read, rejected) = (Numbers.grouped(counts.read), Numbers.grouped(counts.rejected))
        switch verb {
        case .check:
            return Words(en: "\(read) rows checked, \(rejected) rejected", zh: "已检查 \(read) 行，拒绝 \(rejected) 行")
        case .write:
            return Words(en: "\(read) rows read, \(rejected) rejected", zh: "已读取 \(read) 行，拒绝 \(rejected) 行")
        case .revert: return Words(en: "\(read) records taken back", zh: "已撤销 \(read) 条记录")
        }
    }
}

/// Counts outcomes and keeps a few samples.
struct Planner {
    var plan = RunPlan()
    private let fields: [String: ImportField]
    private let updates: Bool
    private let currency: String
    private let zone: Int
    private let samplesMax = 5
    private let rowsMax = 3

    init(fields: [String: ImportField], updates: Bool, currency: String, zone: Int) {
        self.fields = fields
        self.zone = zone
        self.updates = updates
        self.currency = currency
    }

    private(set) var isPartial = false
    private(set) var isAbout = false

    mutating func add(_ matches: ImportMatches) {
        plan.counts.linked = (plan.counts.linked ?? 0) + matches.linked
        plan.counts.review = (plan.counts.review ?? 0) + matches.review
        plan.counts.apart = (plan.counts.apart ?? 0) + matches.apart
        isPartial = isPartial || matches.isPartial
        isAbout = isAbout || matches.isAbout
        plan.pairs = (plan.pairs ?? []) + matches.pairs.map(RunPlan.Pair.init)
    }

    /// Adds a chunk; returns all its rejects, by record.
    mutating func add(_ chunk: Chunk, _ outcomes: [ImportOutcome], _ resolved: ResolvedColumns) -> [RowReject] {
        var rejects = chunk.rejects
        plan.counts.read += chunk.read
        for (index, outcome) in outcomes.enumerated() {
            let row = chunk.rows[index]
            // An attribute that is yet to be made is empty on every record, so any value of it is a change.
            let added = updates ? newChanges(chunk.new[index]) : []
            if case .rejected = outcome {} else { keep(row, chunk.new[index], resolved) }
            switch outcome {
            case .created:
                plan.counts.created += 1
                if plan.created.count < samplesMax { plan.created.append(created(row, chunk.new[index], resolved)) }
            case .updated(let id, let changes, _):
                plan.counts.updated += 1
                sample(row, id, changes, added)
            case .unchanged(let id):
                if added.isEmpty {
                    plan.counts.unchanged += 1
                } else {
                    plan.counts.updated += 1
                    sample(row, id, [], added)
                }
            case .rejected(let field, let code, let words):
                rejects.append(
                    RowReject(outcome: (field, code, words), record: chunk.records[index], line: row.line, resolved))
            }
        }
        plan.counts.rejected += rejects.count
        plan.counts.quarantined += chunk.held.count
        plan.counts.skipped += chunk.skipped
        return rejects.sorted { $0.record < $1.record }
    }

    private mutating func keep(_ row: ImportRow, _ new: [String: SQLValue], _ resolved: ResolvedColumns) {
        guard plan.rows?.count ?? 0 < rowsMax else { return }
        var values: [String: String] = [:]
        for column in resolved.all {
            let key = column.field.key
            values[column.name] = (column.isNew ? new[column.name] : row.values[key]).flatMap { text($0, key) }
        }
        plan.rows = (plan.rows ?? []) + [RunPlan.Row(line: row.line, values: values)]
    }

    private func newChanges(_ values: [String: SQLValue]) -> [RunPlan.Change] {
        values.sorted { $0.key < $1.key }.map {
            RunPlan.Change(
                field: "attribute", title: Words(en: $0.key, zh: $0.key), before: nil, after: text($0.value, nil))
        }
    }

    private mutating func sample(
        _ row: ImportRow, _ id: CustomerID, _ changes: [ImportChange], _ added: [RunPlan.Change]
    ) {
        guard plan.updated.count < samplesMax else { return }
        let known = changes.map { change in
            RunPlan.Change(
                field: change.field, title: title(change.field), before: text(change.before, change.field),
                after: text(change.after, change.field))
        }
        plan.updated.append(
            RunPlan.Sample(line: row.line, customer: "\(id)", changes: Array((known + added).prefix(20))))
    }

    private func created(
        _ row: ImportRow, _ new: [String: SQLValue], _ resolved: ResolvedColumns
    ) -> RunPlan.Sample {
        var changes: [RunPlan.Change] = []
        for column in resolved.all where changes.count < 20 {
            let key = column.field.key
            if let value = column.isNew ? new[column.name] : row.values[key] {
                changes.append(
                    RunPlan.Change(
                        field: column.isNew ? "attribute" : key, title: title(key), before: nil, after: text(value, key)
                    ))
            }
        }
        return RunPlan.Sample(line: row.line, customer: nil, changes: changes)
    }

    private func title(_ key: String) -> Words { fields[key]?.words ?? Words(en: key, zh: key) }

    private func text(_ value: SQLValue, _ key: String?) -> String? {
        switch value {
        case .null: nil
        case .int(let int):
            switch key.flatMap({ fields[$0]?.kind }) {
            case .money: Money(minor: int, currency: currency).displayed
            case .time: Instant(milliseconds: int).displayed(offsetMinutes: zone)
            default: "\(int)"
            }
        case .double(let double): "\(double)"
        case .text(let text): String(text.prefix(200))
        case .bool(let bool): bool ? "true" : "false"
        case .bytes(let bytes): "\(bytes.count) bytes"
        }
    }
}

extension RowReject {
    /// A row the target did not take.
    init(
        outcome: (field: String, code: String, words: Words), record: Int, line: Int, _ resolved: ResolvedColumns
    ) {
        let column = resolved.all.first { $0.field.key == outcome.field }
        var outcome = outcome
        if outcome.code == "future", column?.hasShortYears == true { outcome.words = RejectWords.futureOfShortYear(outcome.words) }
        self.init(
            record: record, line: line, column: column?.index ?? -1, code: outcome.code,
            words: column.map { RejectWords.inColumn($0.name, outcome.words) }
                ?? resolved.titles[outcome.field].map { RejectWords.ofField(outcome.field, $0, outcome.words) }
                ?? outcome.words)
    }
}

extension RunCounts {
    var facts: [String: JSONValue] {
        var facts: [String: JSONValue] = [
            "read": .int(Int64(read)), "created": .int(Int64(created)), "updated": .int(Int64(updated)),
            "unchanged": .int(Int64(unchanged)), "rejected": .int(Int64(rejected)),
        ]
        if quarantined > 0 { facts["quarantined"] = .int(Int64(quarantined)) }
        if corrected > 0 { facts["corrected"] = .int(Int64(corrected)) }
        if skipped > 0 { facts["skipped"] = .int(Int64(skipped)) }
        if let linked { facts["linked"] = .int(Int64(linked)) }
        if let review { facts["review"] = .int(Int64(review)) }
        if let apart { facts["apart"] = .int(Int64(apart)) }
        return facts
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

enum RandomName {
    /// Names a worker; whoever holds a run under an older name cannot commit to it any more.
    static func worker() -> String { UUID().uuidString }
}

enum Numbers {
    /// `7,043`.
    static func grouped(_ number: some BinaryInteger) -> String {
        var result = ""
        let digits = String(number.magnitude)
        for (offset, digit) in digits.enumerated() {
            if offset > 0, (digits.count - offset) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return (number < 0 ? "-" : "") + result
    }
}
