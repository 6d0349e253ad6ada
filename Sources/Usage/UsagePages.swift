import Kernel
import Platform
import Storage
import Web

/// Where usage comes from, what became of the files, and whose events wait because nobody knows their line.
struct UsagePages: Sendable {
    static let path = "/usage"
    static let runsShown = 50
    static let waitingShown = 50
    static let reasonsShown = 3

    static let sources: SQL = """
        SELECT s.name, s.created_at, (SELECT COALESCE(SUM(b.entries), 0) FROM usage_block b
            WHERE b.source_id = s.id AND b.arrived_week >= $2),
          s.waiting,
          (SELECT COUNT(*) FROM usage_run r WHERE r.source_id = s.id)
        FROM usage_source s ORDER BY s.name LIMIT $1
        """
    static let runs: SQL = """
        SELECT r.id, r.name, s.name, r.state, r.taken, r.duplicate, r.corrected, r.cancelled, r.unmatched, r.rejected,
          r.touched_at, r.created_by_name
        FROM usage_run r JOIN usage_source s ON s.id = r.source_id ORDER BY r.id DESC LIMIT $1
        """
    static let reasons: SQL = """
        SELECT run_id, code, column_name, COUNT(*), MIN(line) FROM usage_reject WHERE TRUE
        """
    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, Self.path, .permission(UsageService.permission), trace: .view, purpose: .administration
            ) { try await page($0) }
        ] + exports
    }

    private struct Source: Sendable {
        let name: String
        let since: Instant
        let known, waits, files: Int64
    }

    private struct Run: Sendable {
        let id: UsageRunID
        let name, source, state: String
        let counts: [Int64]
        let at: Instant
        let by: String
    }

    private struct Reason: Sendable {
        let run: UsageRunID
        let code, column: String
        let count, line: Int64
    }

    private struct Waiting: Sendable {
        let naming, line: String
        let count: Int64
        let source: String
    }

    private func page(_ call: Call) async throws -> WebResponse {
        let now = call.tenant.clock.now()
        let (sources, runs, reasons, waiting, waits) = try await call.read { session in
            let runs = try session.query(Self.runs, [.int(Self.runsShown)]) { row in
                Run(
                    id: row.id(0), name: row.text(1), source: row.text(2), state: row.text(3),
                    counts: (4...9).map { row.int($0) }, at: row.time(10), by: row.text(11))
            }
            var builder = SQLBuilder(Self.reasons)
            builder.appendIn("AND run_id", runs.map { .id($0.id) })
            builder.append("GROUP BY run_id, code, column_name ORDER BY COUNT(*) DESC, MIN(line)")
            return (
                try session.query(Self.sources, [.int(Self.runsShown), .int(UsageIndex.firstWeek(now))]) { row in
                    Source(name: row.text(0), since: row.time(1), known: row.int(2), waits: row.int(3), files: row.int(4))
                }, runs,
                try session.query(builder) { row in
                    Reason(run: row.id(0), code: row.text(1), column: row.text(2), count: row.int(3), line: row.int(4))
                },
                try session.query(UsageWaiting.most, [.int(Self.waitingShown)]) { row in
                    Waiting(naming: row.text(0), line: row.text(1), count: row.int(2), source: row.text(3))
                }, try session.count(UsageStore.waitingCount)
            )
        }
        let masking = try call.masking()
        try await call.recordView(
            AuditEntry(
                "usage.sources.view", [], facts: ["waiting": .int(Int64(waiting.count))],
                unmasked: masking.shows(.phone) && !waiting.isEmpty ? ["line"] : []))
        let byRun = Dictionary(grouping: reasons, by: \.run)
        return call.page(
            "usage/usage", title: call.text("nav.usage"), active: Self.path,
            [
                "mayRate": .bool(try call.principal().may(TariffPages.manage)),
                "anySource": .bool(!sources.isEmpty), "sources": .list(sources.map { row($0, call) }),
                "anyRun": .bool(!runs.isEmpty), "runs": .list(runs.map { row($0, byRun[$0.id] ?? [], call) }),
                "anyWaiting": .bool(!waiting.isEmpty), "anyReject": .bool(runs.contains { $0.counts[5] > 0 }),
                "waits": .text(Self.grouped(Int64(waits))),
                "waiting": .list(waiting.map { row($0, masking, call) }),
            ])
    }

    private func row(_ source: Source, _ call: Call) -> View {
        // Usages that are kept one by one are known by their rows.
        let known = source.name == UsageRecords.sourceName ? "—" : Self.grouped(source.known)
        return [
            "name": .text(source.name), "known": .text(known), "waits": .text(Self.grouped(source.waits)),
            "files": .text(Self.grouped(source.files)), "since": .text(call.time(source.since)),
        ]
    }

    private func row(_ run: Run, _ reasons: [Reason], _ call: Call) -> View {
        let state = UsageRun.State(rawValue: run.state) ?? .failed
        let tone = switch state {
        case .succeeded: "ok"
        case .running: "info"
        case .cancelled: "warn"
        case .failed: "bad"
        }
        let why = reasons.prefix(Self.reasonsShown).map { reason in
            let column = reason.column.isEmpty ? "" : " (\(reason.column))"
            return "\(Self.grouped(reason.count)) × \(UsageWords.reject(reason.code)[call.language])\(column)"
        }
        let counts = run.counts.map { ViewValue.text(Self.grouped($0)) }
        return [
            "taken": counts[0], "duplicate": counts[1], "corrected": counts[2], "cancelled": counts[3],
            "unmatched": counts[4], "rejected": counts[5],
            "name": .text(run.name), "source": .text(run.source), "state": .text(call.text("usage.state.\(run.state)")),
            "tone": .text(tone), "read": .text(Self.grouped(run.counts.reduce(0, +))), "at": .text(call.time(run.at)),
            "by": .text(run.by), "why": .text(why.isEmpty ? nil : why.joined(separator: "; ")),
            "goesOn": .bool(state != .succeeded && state != .running),
            "unmatchedFile": .text(run.counts[4] > 0 ? "\(Self.path)/runs/\(run.id)/unmatched" : nil),
            "rejectedFile": .text(run.counts[5] > 0 ? "\(Self.path)/runs/\(run.id)/rejected" : nil),
        ]
    }

    private func row(_ waiting: Waiting, _ masking: Masking, _ call: Call) -> View {
        let isNumber = waiting.naming == "number"
        return [
            "line": .text(isNumber ? masking.apply(.phone, waiting.line) : waiting.line),
            "naming": .text(
                isNumber ? call.text("usage.waiting.number") : String(waiting.naming.dropFirst("source:".count))),
            "count": .text(Self.grouped(waiting.count)), "source": .text(waiting.source),
        ]
    }

    private static func grouped(_ number: Int64) -> String { Money(minor: number, currency: "JPY").amountText }
}
