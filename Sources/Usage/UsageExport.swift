import Foundation
import Kernel
import Platform
import Storage
import Tabular
import Web

/// Files of what did not get in: events that wait for their line, and rows that were refused; of one run or of all.
package enum UsageExport {
    static let rowsOfStep = 1_000
    static let waiting: SQL = """
        SELECT u.source_id, u.fingerprint, s.name, r.name, u.naming, u.line, u.event, u.arrived_at
        FROM usage_unmatched u JOIN usage_source s ON s.id = u.source_id LEFT JOIN usage_run r ON r.id = u.run_id
        WHERE (u.source_id, u.fingerprint) > ($1, $2) ORDER BY u.source_id, u.fingerprint LIMIT $3
        """
    /// A run is of one source, and a source's events lie together.
    static let waitingOfRun: SQL = """
        SELECT u.source_id, u.fingerprint, s.name, r.name, u.naming, u.line, u.event, u.arrived_at
        FROM usage_run r JOIN usage_source s ON s.id = r.source_id JOIN usage_unmatched u ON u.source_id = r.source_id
        WHERE u.fingerprint > $2 AND u.source_id >= $1 AND u.run_id = $4 AND r.id = $4
        ORDER BY u.source_id, u.fingerprint LIMIT $3
        """
    /// Of a file that was given again only the last run: its rows are the same.
    static let rejects: SQL = """
        SELECT j.run_id, j.line, s.name, r.name, j.column_name, j.code, r.touched_at, j.event_id
        FROM usage_reject j JOIN usage_run r ON r.id = j.run_id JOIN usage_source s ON s.id = r.source_id
        WHERE (j.run_id, j.line) > ($1, $2) AND NOT EXISTS (
          SELECT 1 FROM usage_run later WHERE later.source_id = r.source_id AND later.digest = r.digest AND later.id > r.id
            AND later.state = 'succeeded' AND later.rejected > 0)
        ORDER BY j.run_id, j.line LIMIT $3
        """
    static let rejectsOfRun: SQL = """
        SELECT j.run_id, j.line, s.name, r.name, j.column_name, j.code, r.touched_at, j.event_id
        FROM usage_reject j JOIN usage_run r ON r.id = j.run_id JOIN usage_source s ON s.id = r.source_id
        WHERE j.run_id = $4 AND j.run_id >= $1 AND j.line > $2 ORDER BY j.line LIMIT $3
        """

    package enum Kind: String, Sendable, CaseIterable {
        case unmatched, rejected

        var columns: [String] {
            switch self {
            case .unmatched:
                [
                    "source", "file", "line", "named_by", "kind", "day", "duration_s", "bytes", "count", "version", "roaming",
                    "dropped", "speed_mbps", "arrived_at",
                ]
            case .rejected: ["source", "file", "line_of_file", "event_id", "column", "code", "reason", "reason_zh", "at"]
            }
        }
    }

    /// What the audit keeps of an export, before anything of it leaves.
    package static func entry(_ kind: Kind, run: UsageRunID?, _ masking: Masking) -> AuditEntry {
        AuditEntry(
            "usage.events.export", run.map { [AuditSubject(kind: "usage_run", id: $0.rawValue)] } ?? [],
            facts: ["rows": .string(kind.rawValue)],
            unmasked: masking.shows(.phone) ? [kind == .unmatched ? "line" : "event_id"] : [])
    }

    /// Gives the pieces of the file one after another, `nil` at the end. Each piece is read by itself: what comes or goes
    /// meanwhile may or may not be in it, nothing else is missing or doubled.
    package static func pieces(
        _ kind: Kind, run: UsageRunID?, masking: Masking, zone: Int, _ database: any Database
    ) -> () async throws -> [UInt8]? {
        var csv = CSVWriter(byteOrderMark: true)
        csv.row(kind.columns)
        // Fingerprints use all 64 bits; lines count from 1.
        var after: (Int64, Int64) = kind == .unmatched ? (0, .min) : (0, -1)
        var hasEnded = false
        return {
            if hasEnded { return nil }
            let place = after
            let rows = try await database.read { session -> [Line] in
                let more: [SQLValue] = run.map { [.id($0)] } ?? []
                let arguments: [SQLValue] = [.int(place.0), .int(place.1), .int(rowsOfStep)] + more
                return switch kind {
                case .unmatched:
                    try session.query(run == nil ? waiting : waitingOfRun, arguments) { try event($0, masking, zone) }
                case .rejected: try session.query(run == nil ? rejects : rejectsOfRun, arguments) { reject($0, masking, zone) }
                }
            }
            for row in rows { csv.row(row.cells) }
            if let last = rows.last { after = last.place } else { hasEnded = true }
            let bytes = csv.take()
            return bytes.isEmpty ? nil : bytes
        }
    }

    private struct Line: Sendable {
        let place: (Int64, Int64)
        let cells: [String?]
    }

    private static func event(_ row: Row, _ masking: Masking, _ zone: Int) throws -> Line {
        let (naming, name) = (row.text(4), row.text(5))
        let isNumber = naming == "number"
        let event = try UsageEvent(packed: row.bytes(6), fingerprint: UInt64(bitPattern: row.int(1)), line: name)
        let amount = event.amount
        return Line(
            place: (row.int(0), row.int(1)),
            cells: [
                row.text(2), row.optionalText(3), isNumber ? masking.apply(.phone, name) : name,
                isNumber ? "number" : String(naming.dropFirst("source:".count)), amount.kind.name,
                LocalDate(daysSinceEpoch: Int(event.day)).description,
                amount.kind == .voice ? thousandths(amount.quantity) : nil,
                amount.kind == .data ? String(amount.quantity) : nil, amount.kind == .sms ? String(amount.quantity) : nil,
                String(event.version), amount.isRoaming ? "true" : "false", amount.isDropped ? "true" : "false",
                amount.speed > 0 ? thousandths(amount.speed) : nil, row.time(7).displayed(offsetMinutes: zone),
            ])
    }

    /// Ids of some sources are made of the number: whoever may not see numbers is not given them.
    private static func reject(_ row: Row, _ masking: Masking, _ zone: Int) -> Line {
        let words = UsageWords.reject(row.text(5))
        return Line(
            place: (row.int(0), row.int(1)),
            cells: [
                row.text(2), row.text(3), String(row.int(1)), masking.shows(.phone) ? row.optionalText(7) : nil, row.text(4), row.text(5),
                words.en, words.zh,
                row.time(6).displayed(offsetMinutes: zone),
            ])
    }

    /// `61.5`, `61`.
    private static func thousandths(_ value: Int64) -> String {
        let rest = value % 1_000
        guard rest != 0 else { return String(value / 1_000) }
        var fraction = String(String(1_000 + rest).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(value / 1_000).\(fraction)"
    }
}

extension UsageService {
    /// The pieces of an export for somebody on the machine; recorded before the first is given.
    /// - Throws: `CRMError` 404 for a run that is not there.
    package func export(
        _ kind: UsageExport.Kind, run: UsageRunID?, principal: Principal
    ) async throws -> () async throws -> [UInt8]? {
        let masking = Masking(principal)
        try await tenant.database.write { [tenant] session in
            if let run { _ = try UsageRunStore.run(run, session) }
            try tenant.audit.record(UsageExport.entry(kind, run: run, masking), by: principal, session)
        }
        return UsageExport.pieces(kind, run: run, masking: masking, zone: tenant.timeZoneOffsetMinutes, tenant.database)
    }
}

extension UsagePages {
    var exports: [Endpoint] {
        UsageExport.Kind.allCases.flatMap { kind in
            [
                Endpoint(
                    .get, "\(Self.path)/\(kind.rawValue)", .permission(UsageService.permission), trace: .view,
                    purpose: .administration
                ) { try await Self.export($0, kind, run: nil) },
                Endpoint(
                    .get, "\(Self.path)/runs/{id}/\(kind.rawValue)", .permission(UsageService.permission), trace: .view,
                    purpose: .administration
                ) { try await Self.export($0, kind, run: try $0.request.id("id")) },
            ]
        }
    }

    private static func export(_ call: Call, _ kind: UsageExport.Kind, run: UsageRunID?) async throws -> WebResponse {
        if let run { _ = try await call.read { try UsageRunStore.run(run, $0) } }
        let masking = try call.masking()
        try await call.recordView(UsageExport.entry(kind, run: run, masking))
        let (database, zone) = (call.tenant.database, call.tenant.timeZoneOffsetMinutes)
        let name = "usage-\(kind.rawValue)" + (run.map { "-\($0)" } ?? "") + ".csv"
        return .download(name: name, type: "text/csv; charset=utf-8") {
            UsageExport.pieces(kind, run: run, masking: masking, zone: zone, database)
        }
    }
}
