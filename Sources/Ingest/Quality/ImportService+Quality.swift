import Kernel
import Platform
import Storage

/// Rules in the path of a chunk.
extension ImportService {
    /// A chunk after the rules that need the database: rows that point to nobody leave it.
    func sifted(
        _ chunk: Chunk, _ references: [CompiledRules.Reference], _ mapping: ImportMapping, _ session: any SQLSession
    ) throws -> Chunk {
        // Records name the customer they are of: that one is to be there.
        let references = references.filter { !$0.isTaken || target.takesAttributes }
        guard !references.isEmpty, !chunk.rows.isEmpty else { return chunk }
        var worst: [Int: (severity: RuleSeverity, findings: [RowFinding])] = [:]
        var chunk = chunk
        for reference in references {
            let asked = chunk.rows.indices.filter { index in
                guard let when = reference.when else { return true }
                return chunk.rows[index].values[when.field].map { when.values.contains(CompiledRules.text($0)) }
                    ?? when.orMissing
            }
            guard let wrong = try wrong(asked.map { chunk.rows[$0] }, reference, mapping, session) else { continue }
            var count = RuleCount(
                rule: reference.rule.key, field: reference.field, dimension: reference.rule.dimension)
            for (index, isWrong) in zip(asked, wrong) {
                guard let isWrong else { continue }
                // That a value comes once in the file was counted with the row.
                if isWrong || !reference.isTaken { count.checked += 1 }
                guard isWrong else { continue }
                count.failed += 1
                let severity = reference.rule.severity
                guard severity == .reject || severity == .quarantine else { continue }
                var found = worst[index] ?? (severity, [])
                found.severity = max(found.severity, severity)
                found.findings.append(
                    CompiledRules.finding(
                        reference.rule, reference.field, reference.column, reference.name,
                        reference.isTaken ? RejectWords.taken(reference.rule.name) : nil))
                worst[index] = found
            }
            if count.checked > 0 { chunk.counts.append(count) }
        }
        for (index, found) in worst.sorted(by: { $0.key < $1.key }) {
            let (row, record) = (chunk.rows[index], chunk.records[index])
            if found.severity == .quarantine {
                chunk.held.append(
                    HeldRow(
                        record: record, line: row.line, key: chunk.keys[index], cells: chunk.cells[index],
                        findings: found.findings))
            } else {
                chunk.rejects.append(RowReject(found.findings, record: record, line: row.line))
            }
        }
        return chunk.without(Set(worst.keys))
    }

    /// Of each row whether the rule is broken, `nil` where it has no value; `nil` for all when the target cannot tell.
    private func wrong(
        _ rows: [ImportRow], _ reference: CompiledRules.Reference, _ mapping: ImportMapping, _ session: any SQLSession
    ) throws -> [Bool?]? {
        let values = rows.map { $0.values[reference.field].map(CompiledRules.text) }
        guard reference.isTaken else {
            let known = try target.known(
                Array(Set(values.compactMap { $0 })), by: reference.to, source: mapping.source, session)
            return known.map { known in values.map { $0.map { !known.contains($0) } } }
        }
        // A row that changes a known customer may bring what that customer has already, and not what another one has.
        let claims = zip(rows, values).compactMap { row, value in
            value.map {
                ImportClaim(key: mapping.matchKey.flatMap { row.values[$0] }.map(CompiledRules.text), value: $0)
            }
        }
        guard
            var taken = try target.areTaken(
                claims, by: reference.to, matchKey: mapping.matchKey, source: mapping.source, session)?.makeIterator()
        else { return nil }
        return values.map { $0 == nil ? nil : taken.next() }
    }

    /// One chunk in the transaction of `session`: the target's rows, the journal, rejects and held rows, what rules found,
    /// the counts with the checkpoint.
    func apply(
        _ read: Chunk, _ pass: ImportPass, _ resolved: ResolvedColumns, _ run: ImportRun, _ worker: String,
        _ references: [CompiledRules.Reference], _ session: any SQLSession
    ) throws -> RunCounts {
        let now = tenant.clock.now()
        var claimed: [Int: QuarantineID] = [:]
        var chunk = read
        if run.isReplay { (chunk, claimed) = try claim(read, run, session) }
        chunk = try sifted(chunk, references, run.mapping, session)
        var counts = RunCounts()
        var journal = JournalEntries()
        var rejects = chunk.rejects
        var taken: [Int] = []
        var traces: [LineageStore.Trace] = []
        var recordTraces: [(record: Int64, trace: LineageStore.Trace)] = []
        func note(_ trace: LineageStore.Trace, _ undo: [ImportChange], _ fields: () -> [String]) {
            guard !target.takesAttributes, let record = RecordLineage.record(undo, entity: run.entity) else {
                // A row without a record amends what an earlier one of the chunk made: that one is the origin.
                if target.takesAttributes || !undo.isEmpty { traces.append(trace) }
                return
            }
            recordTraces.append(
                (record, LineageStore.Trace(customer: trace.customer, index: trace.index, isNew: trace.isNew, fields: fields())))
        }
        // A transaction that did not come to its end counted too.
        _ = pass.importer.takeCorrected()
        for (index, outcome) in try pass.apply(chunk, session).enumerated() {
            switch outcome {
            case .created(let id, let revision, let undo):
                counts.created += 1
                journal.created.append((id, revision, undo))
                let trace = LineageStore.Trace(
                    customer: id, index: index, isNew: true, fields: Array(chunk.rows[index].values.keys))
                note(trace, undo) { trace.fields }
            case .updated(let id, let changes, let undo):
                counts.updated += 1
                journal.updated.append((id, undo))
                let trace = LineageStore.Trace(customer: id, index: index, isNew: false, fields: changes.map(\.field))
                note(trace, undo) { RecordLineage.fields(changes, chunk.rows[index]) }
            case .unchanged: counts.unchanged += 1
            case .rejected(let field, let code, let words):
                rejects.append(
                    RowReject(
                        outcome: (field, code, words), record: chunk.records[index], line: chunk.rows[index].line,
                        resolved))
                continue
            }
            taken.append(index)
        }
        counts.read = chunk.read
        counts.rejected = rejects.count
        counts.quarantined = chunk.held.count
        counts.skipped = chunk.skipped
        counts.corrected = pass.importer.takeCorrected()
        if counts.created + counts.updated > 0 {
            try session.execute(
                JournalStore.insertJournal, [.id(run.id), .int(chunk.number), .text(journal.encoded())])
        }
        try LineageStore.insert(traces, chunk, resolved, run.id, at: now, session)
        try RecordLineage.insert(recordTraces, chunk, resolved, run.id, at: now, session)
        try JournalStore.record(rejects, run.id, .run, session)
        try FindingStore.add(chunk.counts, run.id, .run, session)
        try FindingStore.addQuality(
            chunk.counts.filter { !$0.isUnruled }, rows: counts, source: run.mapping.source, entity: run.entity,
            day: now.date(offsetMinutes: tenant.timeZoneOffsetMinutes), session)
        if run.isReplay {
            try settle(claimed, chunk, taken, rejects, resolved, at: now, session)
        } else {
            let keys = taken.compactMap { chunk.keys[$0] } + chunk.held.compactMap(\.key)
            try QuarantineStore.supersede(keys, run, at: now, session)
            try QuarantineStore.insert(chunk.held, run, ids: tenant.ids, at: now, session)
        }
        try advance(run, worker, chunk, counts, now, session)
        return counts
    }

    private func advance(
        _ run: ImportRun, _ worker: String, _ chunk: Chunk, _ counts: RunCounts, _ now: Instant,
        _ session: any SQLSession
    ) throws {
        let advanced = try session.execute(
            RunStore.advance,
            [
                .id(run.id), .text(worker), .int(chunk.number - 1), .int(chunk.number),
                .text(try JSONText.encode(chunk.place)), .int(counts.read), .int(counts.created), .int(counts.updated),
                .int(counts.unchanged), .int(counts.rejected), .time(now), .int(counts.quarantined),
                .int(counts.skipped), .int(counts.corrected),
            ])
        guard advanced == 1 else { throw RunStore.taken }
    }

    /// A rule that is no row of its own: what was agreed with the source, or one that is gone.
    private static func agreedName(_ key: String) -> Words {
        key.hasPrefix("schema-") ? Words(en: "A code agreed with the source", zh: "来源约定的代码") : Words(en: key, zh: key)
    }

    /// What rules found in a run, with their names as they are by now.
    func findings(_ run: ImportRun, _ phase: JournalStore.Phase) async throws -> [ImportReport.Finding] {
        try await tenant.database.read { [target] session in
            let fields = Dictionary(
                (target.fields + (try target.attributeFields(session))).map { ($0.key, $0.words) },
                uniquingKeysWith: { first, _ in first })
            let rules = Dictionary(
                try RuleStore.rules(entity: run.entity, session).map { ($0.key, $0) },
                uniquingKeysWith: { first, _ in first })
            return try FindingStore.findings(run.id, phase, session).map {
                let rule = rules[$0.rule]
                let unruled = RejectTitles.title($0.rule)
                let name = rule?.name ?? unruled ?? Self.agreedName($0.rule)
                let field = fields[$0.field] ?? Words(en: $0.field, zh: $0.field)
                return ImportReport.Finding(
                    rule: $0.rule, name: name.en, name_zh: name.zh, field: $0.field, field_name: field.en,
                    field_name_zh: field.zh, severity: RuleSeverity.of($0.rule, rule)?.rawValue ?? "",
                    checked: $0.checked, failed: $0.failed, fixed: $0.fixed)
            }
        }
    }
}

extension RuleSeverity {
    /// Of what a run found: the rule's; where none is kept, what was agreed with a source warns and what could not be understood waits.
    static func of(_ key: String, _ rule: QualityRule?) -> RuleSeverity? {
        if let rule { return rule.severity }
        if key.hasPrefix("schema-") { return .warn }
        return RejectTitles.title(key) == nil ? nil : .quarantine
    }
}

extension Chunk {
    /// Without these rows, which went elsewhere.
    func without(_ gone: Set<Int>) -> Chunk {
        guard !gone.isEmpty else { return self }
        var copy = self
        func kept<T>(_ all: [T]) -> [T] {
            all.isEmpty ? all : all.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
        }
        copy.rows = kept(rows)
        copy.records = kept(records)
        copy.keys = kept(keys)
        copy.new = kept(new)
        copy.fixes = kept(fixes)
        copy.cells = kept(cells)
        return copy
    }
}

extension RowReject {
    /// A row that rules refused.
    init(_ findings: [RowFinding], record: Int, line: Int) {
        self.init(
            record: record, line: line, column: findings.first?.column ?? -1, code: findings.first?.rule ?? "",
            words: Words(
                en: findings.map(\.en).joined(separator: " "), zh: findings.map(\.zh).joined()))
    }
}
