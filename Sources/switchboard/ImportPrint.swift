import ArgumentParser
import Foundation
import Ingest
import Kernel
import Web

/// What an import tells on a terminal.
struct ImportPrint {
    let say: Say

    // MARK: Taking back

    /// What goes with the customers of a run, a line each.
    private func tied(_ ties: ImportTies) -> [String] {
        [
            (ties.links, "cli.import.links.one", "cli.import.links"),
            (ties.decisions, "cli.import.decisions.one", "cli.import.decisions"),
            (ties.waiting, "cli.import.pairs.one", "cli.import.pairs"),
        ].filter { $0.0 > 0 }.map { say.row("cli.import.taken.back", "\($0.0) \(say($0.0 == 1 ? $0.1 : $0.2))") }
    }

    /// What taking a run back would do.
    func preview(_ preview: RevertPreview) {
        Terminal.out(say("cli.import.revert.head", ["run": preview.run]))
        guard let removed = preview.removed, let kept = preview.kept, let restored = preview.restored,
            let values = preview.keptValues, let valuesIn = preview.keptValuesIn
        else {
            Terminal.out(say.row("cli.import.created", "\(preview.created)  \(say("cli.import.revert.created"))"))
            Terminal.out(say.row("cli.import.updated", "\(preview.updated)  \(say("cli.import.revert.updated"))"))
            for line in tied(preview.ties) { Terminal.out(line) }
            return Terminal.out(say("cli.import.revert.do", ["run": preview.run]))
        }
        let created = say(kept > 0 ? "cli.import.revert.goes.but" : "cli.import.revert.goes", ["n": "\(removed)", "kept": "\(kept)"])
        Terminal.out(say.row("cli.import.created", "\(preview.created)  \(created)"))
        let updated = say("cli.import.revert.back", ["n": "\(restored)"])
        Terminal.out(say.row("cli.import.updated", "\(preview.updated)  \(updated)"))
        if let gone = preview.gone, gone > 0 {
            Terminal.out(say.row("cli.import.revert.gone", "\(gone)  \(say("cli.import.revert.gone.words"))"))
        }
        if values > 0 {
            let fields = (say.language == .zh ? preview.fields_zh : preview.fields).prefix(10).joined(separator: ", ")
            let words = say("cli.import.revert.values", ["records": "\(valuesIn)", "fields": Terminal.plain(fields)])
            Terminal.out(say.row("cli.import.revert.stay", "\(values)  \(words)"))
        }
        for later in preview.later {
            let words = say("cli.import.revert.by.import", ["run": later.run, "file": Terminal.plain(later.file)])
            Terminal.out(say.row("cli.import.revert.changed", "\(later.records)  \(words)"))
        }
        if let others = preview.byOthers, others > 0 {
            Terminal.out(say.row("cli.import.revert.changed", "\(others)  \(say("cli.import.revert.by.others"))"))
        }
        for line in tied(preview.ties) { Terminal.out(line) }
        Terminal.out(say("cli.import.revert.do", ["run": preview.run]))
    }

    // MARK: A run

    func report(_ report: ImportReport) {
        for warning in say.language == .zh ? report.warnings_zh : report.warnings {
            Terminal.note(say("cli.note", ["text": Terminal.plain(warning)]))
        }
        head(report)
        counts(report)
        findings(report)
        if report.dryRun {
            for line in ImportTable(say: say).lines(report) { Terminal.out(line) }
            pairs(report.pairs ?? [])
            if report.mapping.contains(where: { $0.personal != nil }) { Terminal.out(say("cli.import.personal")) }
        }
        if let file = report.rejectFile {
            Terminal.out(say("cli.import.rejects", ["file": Terminal.plain(file)]))
        } else if report.dryRun, report.rejected > 0 {
            Terminal.out(say("cli.import.rejects.dry"))
        }
        if report.isRevert { for line in tied(report.undone) { Terminal.out(line) } }
        if report.issues > 0 { Terminal.out(say.row("cli.import.not.undone", "\(report.issues)")) }
        next(report)
    }

    private func head(_ report: ImportReport) {
        Terminal.out(
            report.dryRun
                ? say("cli.import.dry") : say("cli.import.run", ["run": report.run, "state": say.state(report.state)]))
        let isCustomers = report.entity == "customer"
        if !isCustomers { Terminal.out(say.row("cli.import.records", say.pick(report.entity, report.entity_name_zh))) }
        let key =
            report.matchKey.map {
                say(isCustomers ? "cli.import.found.customers" : "cli.import.found.records", ["key": matchKey($0, report)])
            } ?? say(report.entity == "account_roles" ? "cli.import.found.roles" : "cli.import.all.new")
        Terminal.out(say.row("cli.import.source", Terminal.plain(report.source) + key))
        guard !report.isRevert else { return }
        let guess = report.encodingGuessed && report.encoding != "utf-8" ? say("cli.import.guessed") : ""
        let delimiter = report.delimiter.map { say("cli.import.delimiter", ["delimiter": self.delimiter($0)]) } ?? ""
        let encoding = say.row("cli.import.encoding", report.encoding + guess + delimiter)
        guard let last = report.containers.last else { return Terminal.out(encoding) }
        let sheet = report.sheet.map { say("cli.import.sheet", ["sheet": Terminal.plain($0)]) } ?? ""
        Terminal.out(say.row("cli.import.unpacked", report.containers.joined(separator: ", ") + sheet))
        if ["gzip", "zip"].contains(last) { Terminal.out(encoding) }
    }

    /// The field that finds records: by its name in Chinese, by the key that --match-key takes in English.
    private func matchKey(_ key: String, _ report: ImportReport) -> String {
        guard say.language == .zh, let title = report.mapping.first(where: { $0.field == key })?.title_zh else { return key }
        return Terminal.plain(title)
    }

    private func delimiter(_ text: String) -> String {
        switch text {
        case "\t": say("cli.import.tabs")
        case " ": say("cli.import.spaces")
        default: "“\(Terminal.plain(text))”"
        }
    }

    private func counts(_ report: ImportReport) {
        let seconds = (report.seconds * 10).rounded() / 10
        Terminal.out(say.row("cli.import.read", say("cli.import.read.in", ["rows": "\(report.read)", "seconds": "\(seconds)"])))
        Terminal.out(say.row("cli.import.created", "\(report.created)"))
        Terminal.out(say.row("cli.import.updated", "\(report.updated)"))
        Terminal.out(say.row("cli.import.unchanged", "\(report.unchanged)"))
        if let linked = report.linked {
            let words = say(report.dryRun ? "cli.import.linked.would" : "cli.import.linked.are")
            Terminal.out(say.row("cli.import.linked", "\(linked)  \(words)"))
        }
        if let review = report.review {
            let words = say(report.dryRun ? "cli.import.review.would" : "cli.import.review.are")
            Terminal.out(say.row("cli.import.review", "\(review)  \(words)"))
        }
        if let apart = report.apart { Terminal.out(say.row("cli.import.apart", "\(apart)  \(say("cli.import.apart.are"))")) }
        Terminal.out(say.row("cli.import.rejected", "\(report.rejected)"))
        if report.quarantined > 0 {
            Terminal.out(say.row("cli.import.quarantined", "\(report.quarantined) \(say(isWaiting(report) ? "cli.import.quarantined.are" : "cli.import.quarantined.were"))"))
        }
        if let held = report.held, !report.isRevert { self.held(held) }
        if report.corrected > 0 {
            Terminal.out(say.row("cli.import.corrected", "\(report.corrected)  \(say("cli.import.corrected.are"))"))
        }
        if report.skipped > 0 { Terminal.out(say.row("cli.import.skipped", "\(report.skipped)")) }
        if !report.notTaken.isEmpty, !report.isRevert {
            let names = report.notTaken.prefix(20).map(Terminal.plain).joined(separator: ", ")
            let more = report.notTaken.count > 20 ? ", …" : ""
            Terminal.out(say.row("cli.import.not.taken", say("cli.import.columns", ["count": "\(report.notTaken.count)"]) + names + more))
        }
    }

    private func isWaiting(_ report: ImportReport) -> Bool {
        report.held.map { $0.returned + $0.dropped + $0.replaced + $0.forgotten == 0 } ?? true
    }

    /// What became of the rows that were held back.
    private func held(_ held: ImportReport.Held) {
        if let origin = held.origin { Terminal.out(say.row("cli.import.held.origin", say("cli.import.held.origin.run", ["run": origin]))) }
        // That they wait is said beside their number.
        guard held.returned + held.dropped + held.replaced + held.forgotten > 0 else { return }
        let parts = [
            (held.waiting, "cli.import.held.waiting"), (held.returned, "cli.import.held.returned"),
            (held.dropped, "cli.import.held.dropped"), (held.replaced, "cli.import.held.replaced"),
            (held.forgotten, "cli.import.held.forgotten"),
        ]
        let told = parts.filter { $0.0 > 0 }.map { say($0.1, ["count": "\($0.0)"]) }
        Terminal.out(say.row("cli.import.held", told.joined(separator: say.pick(", ", "，"))))
        for replay in held.replays {
            Terminal.out(say.row("cli.import.held.by", say("cli.import.held.replay", ["run": replay.run, "rows": "\(replay.rows)"])))
        }
    }

    private func findings(_ report: ImportReport) {
        for found in report.findings.prefix(10) where found.failed + found.fixed > 0 {
            Terminal.out(
                say(
                    found.fixed > 0 ? "cli.import.rule.fixed" : "cli.import.rule",
                    [
                        "rule": Terminal.plain("“" + say.pick(found.name, found.name_zh) + "”"),
                        "field": Terminal.plain(say.pick(found.field_name, found.field_name_zh)), "failed": "\(found.failed)",
                        "checked": "\(found.checked)", "fixed": "\(found.fixed)",
                        "severity": say.language == .zh
                            ? say.texts.text("rules.severity.\(found.severity)", .zh) : found.severity,
                    ]))
        }
        // A rule is called by its name: its key is for programs, which read JSON.
        let names = Dictionary(
            report.findings.map { ($0.rule, "“" + say.pick($0.name, $0.name_zh) + "”") }, uniquingKeysWith: { first, _ in first })
        for reason in report.reasons {
            let values = [
                "count": "\(reason.count)", "code": Terminal.plain(names[reason.code] ?? code(reason, report)),
                "column": reason.column.map(Terminal.plain) ?? "",
                "line": "\(reason.firstLine)", "reason": Terminal.plain(say.pick(reason.reason, reason.reason_zh)),
            ]
            Terminal.out(say(reason.column == nil ? "cli.import.reason" : "cli.import.reason.column", values))
        }
    }

    /// Whom a dry run would join, and whom it would put before a person.
    private func pairs(_ all: [ImportReport.Pair]) {
        for (outcome, head) in [("link", "cli.import.pairs.link"), ("review", "cli.import.pairs.review")] {
            let some = all.filter { $0.outcome == outcome }
            guard !some.isEmpty else { continue }
            Terminal.out(say(head, ["count": "\(some.count)"]))
            for pair in some {
                let known = [pair.customerName ?? "", pair.references.joined(separator: ", ")].filter { !$0.isEmpty }
                let other =
                    pair.otherLine.map { say("cli.import.pairs.row", ["line": "\($0)", "name": Terminal.plain(pair.otherName ?? "")]) }
                    ?? Terminal.plain(known.joined(separator: ", "))
                Terminal.out(
                    say(
                        "cli.import.pair",
                        [
                            "line": "\(pair.line)", "name": Terminal.plain(pair.name), "other": other,
                            "why": say.pick(pair.why, pair.why_zh),
                        ]))
            }
        }
    }

    /// What a reason is called: in Chinese by its words, of a field by the field; scripts that read English output know the code.
    private func code(_ reason: ImportReport.Reason, _ report: ImportReport) -> String {
        guard say.language == .zh else { return reason.code }
        return reason.title_zh ?? report.mapping.first { $0.field == reason.code }?.title_zh ?? reason.code
    }

    /// What can be done now.
    private func next(_ report: ImportReport) {
        let run = ["run": report.run]
        if !report.dryRun, !report.isRevert, report.state == "failed" || report.state == "cancelled" {
            // To go on would refuse the rest as well.
            let isHopeless = report.read > 0 && report.rejected == report.read
            Terminal.out(isHopeless ? say("cli.import.mend") : say("cli.import.resume", run))
        }
        if report.isRevert, report.state != "reverted" { Terminal.out(say("cli.import.revert.on", run)) }
        if !report.dryRun, report.state == "succeeded" { Terminal.out(say("cli.import.undo", run)) }
    }
}

/// What becomes of each column, beside the first rows as they would be stored.
struct ImportTable {
    private static let widthMax = 28
    let say: Say

    func lines(_ report: ImportReport) -> [String] {
        let samples = report.samples ?? []
        let head =
            [say("cli.import.column"), say("cli.import.becomes")]
            + samples.map { say("cli.import.line", ["line": "\($0.line)"]) }
        let rows = report.mapping.map { column in
            [column.column + (column.personal == nil ? "" : " *"), becomes(column)]
                + samples.map { column.target == "ignore" ? "" : $0.values[column.column] ?? "-" }
        }
        let cells = ([head] + rows).map { $0.map { TerminalText.cut(Terminal.plain($0), to: Self.widthMax) } }
        let widths = head.indices.map { index in cells.map { TerminalText.width($0[index]) }.max() ?? 0 }
        return cells.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - TerminalText.width($0)) }
            let line = "  " + padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private func becomes(_ column: ImportReport.Column) -> String {
        let title = say.pick(column.title ?? "", column.title_zh ?? column.title ?? "")
        switch column.target {
        case "field": return title
        case "attribute":
            let kind = column.kind ?? "text"
            let shown = say.language == .zh ? say.texts.text("ingest.field.\(kind)", .zh) : kind
            return say("cli.import.attribute", ["kind": shown]) + (column.title == column.column ? "" : " \(title)")
        default: return say("cli.import.ignored")
        }
    }
}
