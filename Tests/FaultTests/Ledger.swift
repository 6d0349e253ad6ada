import Contracts
import Foundation
import Kernel
import Storage
import StorageSQLite
import Synchronization
import TestSupport

@testable import Customers

/// What clients asked for and what they were told, held against what the database says afterwards. One ledger goes with an
/// installation over all kills.
final class Ledger: Sendable {
    /// A customer that a client made.
    struct Entry: Sendable {
        /// `nil` = the answer never came: there is such a customer or not.
        var id: Int64?
        var edition: Int64 = 1
        var segment = ""
        /// A change whose answer never came.
        var pending: String?
    }

    /// A file that was made here, and what importing it must come to.
    struct ImportedFile: Sendable {
        let content: String
        let created: Int
        let updated: Int
        let rejected: Int
        /// The client was told that it goes on.
        var isAcknowledged = false
    }

    private struct State: Sendable {
        var people: [String: Entry] = [:]
        var files: [String: ImportedFile] = [:]
        /// Numbers of customers whom files have made for certain.
        var known: [String] = []
        var next = 0
        var acknowledged = 0
        var silent = 0
        /// Sent again under their key after a silence, and answered then.
        var repeated = 0
        var refused: [Int: Int] = [:]
        var checks = 0
        var found = 0
        var problems: [String] = []
    }
    private let state = Mutex(State())

    /// Acknowledged, without answer, refused by status.
    var told: (acknowledged: Int, silent: Int, refused: [Int: Int]) {
        state.withLock { ($0.acknowledged, $0.silent, $0.refused) }
    }

    /// For the line of a drill.
    var summary: String {
        state.withLock { state in
            let refused = state.refused.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
            return "\(state.acknowledged) writes acknowledged, \(state.silent) without answer, "
                + "\(state.repeated) repeated until answered, refused \(refused.isEmpty ? "none" : refused.joined(separator: ", ")), \(state.files.count) files; "
                + "\(state.checks) comparisons found \(state.found) lost, doubled or half done"
        }
    }

    // MARK: Clients

    /// Makes and changes customers until it is told to stop; each writer has customers of its own.
    func write(_ person: Person, writer: Int, seed: UInt64, until stop: @Sendable () -> Bool) {
        var rng = SeededGenerator(seed: seed &* 1_000 &+ UInt64(writer))
        while !stop() {
            let mine = state.withLock { state in
                state.people.filter { $0.key.hasPrefix("W\(writer) ") && $0.value.id != nil && $0.value.pending == nil }
                    .map(\.key).sorted()
            }
            let isDone =
                if rng.number(0...9) < 4 || mine.isEmpty { create(person, writer, stop) } else {
                    edit(person, mine[rng.number(0...mine.count - 1)], stop)
                }
            // Nobody is there: do not run hot until the round ends.
            if !isDone { usleep(5_000) }
        }
    }

    /// Half of what nobody answered is sent again under its key until somebody does: whatever became of it when the process
    /// died, it takes effect once, and the answer is that of the one that took (G70).
    private func insist(_ stop: @Sendable () -> Bool, _ send: (_ key: String) -> Person.Outcome) -> Person.Outcome {
        let key = UUID().uuidString
        var outcome = send(key)
        guard key.utf8.last.map({ $0 % 2 == 0 }) ?? false else { return outcome }
        while outcome.status == 0, !stop() {
            usleep(20_000)
            outcome = send(key)
            if outcome.status != 0 { state.withLock { $0.repeated += 1 } }
        }
        return outcome
    }

    private func create(_ person: Person, _ writer: Int, _ stop: @Sendable () -> Bool) -> Bool {
        let name = state.withLock { state in
            state.next += 1
            let name = "W\(writer) \(state.next)"
            state.people[name] = Entry()
            return name
        }
        let outcome = insist(stop) { key in
            person.post("/customers", [("f_full_name", name), ("f_kind", "individual")], key: key)
        }
        let id = outcome.location.flatMap { $0.split(separator: "/").last }.flatMap { Int64($0) }
        return note(outcome, name) { if let id { $0.id = id } }
    }

    private func edit(_ person: Person, _ name: String, _ stop: @Sendable () -> Bool) -> Bool {
        let (entry, segment) = state.withLock { state in
            state.next += 1
            let segment = "s\(state.next)"
            state.people[name]?.pending = segment
            return (state.people[name] ?? Entry(), segment)
        }
        let outcome = insist(stop) { key in
            person.post(
                "/customers/\(entry.id ?? 0)/edit", [("revision", "\(entry.edition)"), ("f_segment", segment)], key: key
            )
        }
        return note(outcome, name) {
            $0.edition += 1
            $0.segment = segment
            $0.pending = nil
        }
    }

    private func note(_ outcome: Person.Outcome, _ name: String, _ done: (inout Entry) -> Void) -> Bool {
        state.withLock { state in
            switch outcome.status {
            case 303 where outcome.location?.hasPrefix("/customers/") == true:
                state.acknowledged += 1
                if var entry = state.people[name] {
                    done(&entry)
                    state.people[name] = entry
                }
                return true
            case 0: state.silent += 1
            case 503, 507:
                state.refused[outcome.status, default: 0] += 1
                if outcome.text.count < 20 { state.problems.append("a \(outcome.status) without words: \(name)") }
            case let status:
                state.refused[status, default: 0] += 1
                state.problems.append("\(name) was answered \(status): \(outcome.text.prefix(200))")
            }
            return false
        }
    }

    // MARK: Files

    /// A file of new customers, changes of known ones and rows that must be refused.
    func makeFile(_ name: String, rows: Int, _ rng: inout SeededGenerator) {
        let known = state.withLock { $0.known }
        let changed = (0..<min(rows / 10, known.count)).map { _ in known[rng.number(0...known.count - 1)] }
        let updates = Array(Set(changed)).sorted()
        let rejects = 1 + rows / 40
        var lines = (0..<rows).map { "\(name)-\($0),\(name) \($0),139\(String(format: "%08d", $0)),a\($0)@example.com" }
        lines += updates.map { "\($0),,,changed.by.\(name.lowercased())@example.com" }
        lines += (0..<rejects).map { "\(name)-bad\($0),Bad \($0),no number,bad\($0)@example.com" }
        lines.shuffle(using: &rng)
        let file = ImportedFile(
            content: "source_id,name,phone,email\n" + lines.joined(separator: "\n") + "\n", created: rows,
            updated: updates.count, rejected: rejects)
        state.withLock { $0.files[name] = file }
    }

    func content(_ name: String) -> String { state.withLock { $0.files[name]?.content ?? "" } }

    /// Uploads a file, maps its columns and starts the import, as a person would.
    func upload(_ name: String, by person: Person) {
        guard let run = person.upload("/imports", source: "crm", file: ("\(name).csv", content(name))).location,
            run.hasPrefix("/imports/")
        else { return }
        guard let seen = person.get(run).text.firstMatch(of: /name="revision" value="([^"]*)"/) else {
            return
        }
        let mapping = [
            ("revision", String(seen.1)), ("to.0", "source_id"), ("to.1", "full_name"), ("to.2", "phone"),
            ("to.3", "email"),
            ("match_key", "source_id"), ("creates", "1"), ("updates", "1"),
        ]
        guard person.post(run + "/mapping", mapping).status == 303 else { return }
        guard person.post(run + "/start").location == run else { return }
        acknowledge(name)
    }

    func acknowledge(_ name: String) {
        state.withLock { state in
            state.files[name]?.isAcknowledged = true
            state.acknowledged += 1
        }
    }

    // MARK: The truth

    /// Compares the ledger with the database. What no answer came for is looked up and known from then on.
    /// - Parameter whole: also works every projection of every customer out anew.
    /// - Returns: what is wrong, in words.
    func verify(_ installation: Installation, whole: Bool = false) async throws -> [String] {
        let database = try installation.database()
        let stored = try await database.read { try Stored($0, whole: whole) }
        var problems = stored.problems
        if database.dialect == .sqlite {
            do {
                try SQLiteDatabase.verify(installation.folder + "/tenants/default/switchboard.sqlite")
            } catch { problems.append("integrity_check: \(error)") }
        }
        return state.withLock { state in
            problems += state.problems
            state.problems = []
            settle(&state, stored, &problems)
            settleFiles(&state, stored, &problems)
            state.checks += 1
            state.found += problems.count
            return problems
        }
    }

    private func settle(_ state: inout State, _ stored: Stored, _ problems: inout [String]) {
        for (name, entry) in state.people {
            guard let found = stored.people[name] else {
                if let id = entry.id { problems.append("acknowledged customer \(name) (\(id)) is missing") }
                state.people[name] = nil
                continue
            }
            if let id = entry.id, id != found.id { problems.append("\(name) has another id than was answered") }
            let mayBe = [entry.segment, entry.pending].compactMap { $0 }
            if !mayBe.contains(found.segment) {
                problems.append("\(name): \(found.segment) is stored, acknowledged was \(entry.segment)")
            }
            let wanted = entry.edition + (found.segment == entry.segment ? 0 : 1)
            if entry.id != nil, found.edition != wanted {
                problems.append("\(name) has edition \(found.edition), \(wanted) follows from the answers")
            }
            state.people[name] = Entry(id: found.id, edition: found.edition, segment: found.segment)
            let audit = stored.audit[found.id] ?? Stored.Changes()
            if audit.created != 1 || audit.updated != found.edition - 1 {
                problems.append("\(name), edition \(found.edition), has audit events \(audit)")
            }
            let events = stored.events[found.id] ?? Stored.Changes()
            if events.created != 1 || events.updated != found.edition - 1 {
                problems.append("\(name), edition \(found.edition), has outbox events \(events)")
            }
        }
        for name in stored.people.keys where state.people[name] == nil {
            problems.append("nobody asked for \(name)")
        }
    }

    private func settleFiles(_ state: inout State, _ stored: Stored, _ problems: inout [String]) {
        var (created, updated) = (0, 0)
        for (name, file) in state.files {
            guard let run = stored.runs[name], run.state == "succeeded" else {
                if file.isAcknowledged {
                    problems.append("the acknowledged import of \(name) is \(stored.runs[name]?.state ?? "gone")")
                }
                if let run = stored.runs[name], run.created + run.updated > 0 {
                    problems.append("\(name) stands half done: \(run)")
                }
                continue
            }
            if run.created != file.created || run.updated != file.updated || run.rejected != file.rejected {
                problems.append(
                    "\(name) counts \(run), the file has \(file.created) new, \(file.updated) changed, \(file.rejected) bad"
                )
            }
            if run.finishedInAudit != 1 {
                problems.append("\(name) is finished \(run.finishedInAudit) times in the audit")
            }
            created += run.created
            updated += run.updated
            // Known to later files, each file's once.
            if !state.known.contains("\(name)-0") {
                state.known += (0..<file.created).map { "\(name)-\($0)" }
            }
        }
        if stored.imported != created {
            problems.append("\(stored.imported) customers were imported, runs count \(created)")
        }
        if stored.importedChanges != updated {
            problems.append("\(stored.importedChanges) changes were imported, runs count \(updated)")
        }
    }
}

/// What the database holds, read on one snapshot.
struct Stored: Sendable {
    struct Person: Sendable { let id: Int64; let segment: String; let edition: Int64 }
    struct Changes: Sendable { var created: Int64 = 0; var updated: Int64 = 0 }
    struct Run: Sendable {
        let state: String; let created: Int; let updated: Int; let rejected: Int; var finishedInAudit = 0
    }

    var people: [String: Person] = [:]
    /// By customer.
    var audit: [Int64: Changes] = [:]
    var events: [Int64: Changes] = [:]
    /// By file, without `.csv`.
    var runs: [String: Run] = [:]
    var imported = 0
    var importedChanges = 0
    var problems: [String] = []

    init(_ session: any SQLSession, whole: Bool) throws {
        try readPeople(session)
        try readAudit(session)
        try readRuns(session)
        try readEvents(session)
        let failed = try session.query("SELECT kind, message_en FROM storage_job WHERE status = 'failed'") {
            "\($0.text(0)): \($0.text(1))"
        }
        if !failed.isEmpty { problems.append("failed jobs: \(failed)") }
        if whole { try compareListing(session) }
    }

    private mutating func readPeople(_ session: any SQLSession) throws {
        let rows = try session.query(
            """
            SELECT p.display_name, p.id, c.segment, c.edition FROM customers_party p
            JOIN customers_customer c ON c.id = p.id WHERE p.display_name LIKE 'W%'
            """
        ) { ($0.text(0), Person(id: $0.int(1), segment: $0.optionalText(2) ?? "", edition: $0.int(3))) }
        for (name, person) in rows {
            if people.updateValue(person, forKey: name) != nil { problems.append("\(name) is there twice") }
        }
        for table in ["customers_party", "customers_customer", "customers_listing"] {
            let count = try session.count(SQL(trusted: "SELECT COUNT(*) FROM \(table)"))
            let customers = try session.count("SELECT COUNT(*) FROM customers_customer")
            if count != customers { problems.append("\(customers) customers, but \(count) rows in \(table)") }
        }
        imported = try session.count("SELECT COUNT(*) FROM customers_customer WHERE source = 'crm'")
        importedChanges = try session.count(
            "SELECT COALESCE(SUM(revision - 1), 0) FROM customers_customer WHERE source = 'crm'")
    }

    private mutating func readAudit(_ session: any SQLSession) throws {
        try session.forEach(
            """
            SELECT s.subject_id, e.action, COUNT(*) FROM platform_audit_event e
            JOIN platform_audit_subject s ON s.event_id = e.id
            WHERE e.action IN ('customers.customer.create', 'customers.customer.update') AND NOT e.refused
            GROUP BY s.subject_id, e.action
            """, []
        ) { row in
            if row.text(1) == "customers.customer.create" { audit[row.int(0), default: Changes()].created = row.int(2) }
            if row.text(1) == "customers.customer.update" { audit[row.int(0), default: Changes()].updated = row.int(2) }
            return true
        }
    }

    private mutating func readRuns(_ session: any SQLSession) throws {
        let finished = Dictionary(
            try session.query(
                """
                SELECT s.subject_id, COUNT(*) FROM platform_audit_event e
                JOIN platform_audit_subject s ON s.event_id = e.id WHERE e.action = 'ingest.run.finish'
                GROUP BY s.subject_id
                """
            ) { ($0.int(0), $0.integer(1)) }, uniquingKeysWith: +)
        try session.forEach(
            """
            SELECT r.id, f.name, r.state, r.created_count, r.updated_count, r.rejected_count
            FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
            """, []
        ) { row in
            let name = String(row.text(1).split(separator: ".").first ?? "")
            // An upload whose answer was lost may have left a draft beside.
            if let other = runs[name], other.state != "draft" { return true }
            runs[name] = Run(
                state: row.text(2), created: row.integer(3), updated: row.integer(4), rejected: row.integer(5),
                finishedInAudit: finished[row.int(0)] ?? 0)
            return true
        }
    }

    private struct ChangedPayload: Decodable { let ids: [String]; let kind: String }

    private mutating func readEvents(_ session: any SQLSession) throws {
        var types: [String: Int] = [:]
        try session.forEach("SELECT type, payload, status FROM storage_outbox_event", []) { row in
            types[row.text(0), default: 0] += 1
            if row.text(2) != "done" { problems.append("an event \(row.text(0)) is \(row.text(2))") }
            guard row.text(0) == CustomersChanged.eventType else { return true }
            let payload = try JSONDecoder().decode(ChangedPayload.self, from: Data(row.text(1).utf8))
            for id in payload.ids.compactMap({ Int64($0) }) {
                if payload.kind == "created" { events[id, default: Changes()].created += 1 }
                if payload.kind == "updated" { events[id, default: Changes()].updated += 1 }
            }
            return true
        }
        // Every handler has seen every event of its type, once: the receipt is written with its effect.
        let receipts = try session.query(
            """
            SELECT e.type, r.handler, COUNT(*) FROM storage_outbox_receipt r
            JOIN storage_outbox_event e ON e.id = r.event_id GROUP BY e.type, r.handler
            """
        ) { ($0.text(0), $0.text(1), $0.integer(2)) }
        for (type, handler, count) in receipts where count != types[type] {
            problems.append("\(handler) has seen \(count) of \(types[type] ?? 0) events \(type)")
        }
        if types[CustomersChanged.eventType] ?? 0 > 0 {
            let handlers = Set(receipts.filter { $0.0 == CustomersChanged.eventType }.map(\.1))
            if !handlers.isSuperset(of: ["customers.listing.tiers", "insights.scores.upkeep"]) {
                problems.append("events of customers were seen by \(handlers.sorted()) only")
            }
        }
    }

    /// The listing, worked out anew from the records. The tier apart: a job sets it later for the whole base.
    private mutating func compareListing(_ session: any SQLSession) throws {
        let policy = try ValueStore.policy(session)
        let ids = try session.query("SELECT id FROM customers_customer ORDER BY id") { $0.id(0, PartyKind.self) }
        for chunk in ids.chunked(Limits.sqlListChunk) {
            let listed = try ListingRow.stored(chunk, session)
            for record in try CustomerLoader.records(chunk, session) {
                let row = ListingRow(record, policy: policy, risk: listed[record.id]?.risk)
                let wanted = Self.comparable(row), found = listed[record.id].map(Self.comparable)
                if wanted != found { problems.append("the list shows \(found ?? []) for \(wanted)") }
            }
        }
    }

    private static func comparable(_ row: ListingRow) -> [SQLValue] {
        row.values.enumerated().filter { $0.offset != 5 }.map(\.element)
    }
}
