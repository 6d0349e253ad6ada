import Kernel
import Platform
import Storage
import Web

/// What became of the rows an import held back, and where the rows of a replay come from: the counts of a run are of the
/// moment it ended, and rows come back, are let go or are replaced later.
struct QuarantineTrail: Sendable {
    var waiting = 0
    var returned = 0
    /// Let go by a person.
    var dropped = 0
    /// Replaced by a newer row of the same key.
    var replaced = 0
    /// Waited too long and were forgotten.
    var forgotten = 0
    var closed: Int { dropped + replaced + forgotten }
    /// Imports that brought rows of this one again, with how many of them were taken.
    var replays: [(run: ImportRunID, rows: Int)] = []
    /// Of a replay: the import its rows came with.
    var origin: ImportRunID?
    static let replaysMax = 20

    static let states: SQL = "SELECT state, COUNT(*) FROM ingest_quarantine WHERE run_id = $1 GROUP BY state"
    static let replayed: SQL = """
        SELECT replay_run_id, COUNT(*) FROM ingest_quarantine
        WHERE run_id = $1 AND state = 'replayed' AND replay_run_id IS NOT NULL
        GROUP BY replay_run_id ORDER BY replay_run_id DESC LIMIT $2
        """

    /// - Parameter file: a replay's rows may have gone on to another replay; the name its file was given stays.
    static func of(_ run: ImportRun, _ file: IngestFile, _ session: any SQLSession) throws -> QuarantineTrail {
        var trail = QuarantineTrail()
        if run.isReplay { trail.origin = origin(file.name) }
        guard run.counts.quarantined > 0, !run.isReplay else { return trail }
        for (state, count) in try session.query(states, [.id(run.id)], { ($0.text(0), $0.integer(1)) }) {
            switch QuarantineState(rawValue: state) {
            case .open, .replaying: trail.waiting += count
            case .replayed: trail.returned += count
            case .discarded: trail.dropped += count
            case .superseded: trail.replaced += count
            default: trail.forgotten += count
            }
        }
        trail.replays = try session.query(replayed, [.id(run.id), .int(replaysMax)]) { ($0.id(0), $0.integer(1)) }
        return trail
    }

    static func fileName(_ origin: ImportRunID) -> String { "quarantine-\(origin).csv" }

    private static func origin(_ name: String) -> ImportRunID? {
        guard name.hasPrefix("quarantine-"), name.hasSuffix(".csv") else { return nil }
        return ImportRunID(String(name.dropFirst(11).dropLast(4)))
    }

    /// The same for a report; `nil` = no row was held back.
    var report: ImportReport.Held? {
        guard waiting + returned + closed > 0 || origin != nil else { return nil }
        return ImportReport.Held(
            waiting: waiting, returned: returned, dropped: dropped, replaced: replaced, forgotten: forgotten,
            replays: replays.map { ImportReport.Replay(run: "\($0.run)", rows: $0.rows) }, origin: origin.map { "\($0)" })
    }

    /// - Parameter mayDecide: whoever has no right to the queue is told the counts only.
    func view(_ run: ImportRun, mayDecide: Bool) -> View {
        [
            "hasTrail": .bool(waiting + returned + closed > 0), "trailWaiting": .text(Numbers.grouped(waiting)),
            "trailReturned": .text(Numbers.grouped(returned)), "trailClosed": .text(Numbers.grouped(closed)),
            "waitingPath": .text(
                waiting > 0 && mayDecide ? "/quarantine?" + Form([("source", run.mapping.source)]).encoded : nil),
            "replays": .list(
                replays.map { ["replay": .text("\($0.run)"), "replayRows": .text(Numbers.grouped($0.rows))] }),
            "hasReplays": .bool(!replays.isEmpty), "origin": .text(origin.map { "\($0)" }),
        ]
    }
}
