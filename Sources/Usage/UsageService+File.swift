import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TabularFiles
import Web

/// How a file is to be read.
package struct UsageFileOptions: Sendable {
    package var source: String
    /// Of all events; `nil` = the file tells.
    package var kind: UsageKind?
    package var sheet: String?
    /// Rows above the heading; `nil` = a title of a sheet is looked for.
    package var skipRows: Int?
    package var encoding: TextEncoding?
    package var dateOrder: DateOrder?
    /// Columns that somebody named.
    package var columns: [UsageMapping.Field: String] = [:]
    /// The source whose customer ids the line column holds; `nil` = that of the events.
    package var lineSource: String?
    package var chunkMax = UsageService.chunkMax

    package init(source: String) { self.source = source }
}

/// What a file of events came to, for scripts.
package struct UsageReport: Sendable, Codable {
    package let run: String
    package let file: String
    package let sha256: String
    package let source: String
    /// `voice`, `sms`, `data`, `sample`; `nil` = each event tells its own.
    package let kind: String?
    /// Field -> column.
    package let columns: [String: String]
    package let resumed: Bool
    package let state: String
    package let read: Int
    package let taken: Int
    package let duplicate: Int
    package let corrected: Int
    package let cancelled: Int
    package let unmatched: Int
    package let rejected: Int
    package let reasons: [UsageReason]
    package let seconds: Double
}

/// Reads a file in chunks of records; the same file gives the same chunks. Used by one task at a time.
final class UsageReader: @unchecked Sendable {
    let file: OpenedFile
    let parser: UsageParser
    private var reader: TabularReader
    private var ahead: [TabularEvent]
    private let chunkMax: Int
    private(set) var number: Int64 = 0
    private(set) var records: Int64 = 0

    /// Rows that are looked at before the first is taken.
    static let lookMax = 5_000

    init(_ path: String, _ options: UsageFileOptions, known: UsageMapping?, _ make: (UsageMapping, [String]) -> UsageParser) throws {
        let file = try OpenedFile(path: path, sheet: options.sheet, skipRows: options.skipRows, encoding: options.encoding)
        var tabular = TabularOptions()
        tabular.encoding = options.encoding
        var reader = TabularReader(options: file.options(tabular), source: try file.source())
        guard let header = try reader.header() else { throw TabularError.emptyFile }
        var ahead: [TabularEvent] = []
        var rows: [Record] = []
        while ahead.count < Self.lookMax, let event = try reader.next() {
            ahead.append(event)
            if case .record(let record) = event { rows.append(record) }
        }
        let names = reader.columns
        let mapping =
            try known
            ?? UsageMapping.guess(
                header.names, rows: rows, declared: options.columns, kind: options.kind, dateOrder: options.dateOrder)
        self.file = file
        parser = make(mapping, names)
        self.reader = reader
        self.ahead = ahead.reversed()
        chunkMax = max(1, options.chunkMax)
    }

    /// The next chunk; `nil` at the end of the file.
    /// - Parameter skipping: records that are in already; they are read and passed over.
    func next(skipping: Int64 = 0) throws -> UsageService.Chunk? {
        var events: [UsageEvent] = []
        var rejects: [UsageReject] = []
        var ids = UsageEventIDs()
        var (count, rejected) = (0, 0)
        events.reserveCapacity(chunkMax)
        func reject(_ reject: UsageReject) {
            rejected += 1
            if rejects.count < UsageRunStore.rejectsMax { rejects.append(reject) }
        }
        while count < chunkMax {
            guard let event = try ahead.popLast() ?? reader.next() else { break }
            switch event {
            case .header, .lateColumns: continue
            case .reject(let row):
                records += 1
                guard records > skipping else { continue }
                count += 1
                reject(UsageReject(line: row.line, column: "", code: row.reason.code))
            case .record(let record):
                records += 1
                guard records > skipping else { continue }
                count += 1
                switch parser.parse(record) {
                case .event(let event):
                    events.append(event)
                    parser.noteID(record, in: &ids)
                case .reject(let row): reject(row)
                }
            }
        }
        guard count > 0 else { return nil }
        number += 1
        return UsageService.Chunk(number: number, records: count, events: events, rejects: rejects, rejected: rejected, ids: ids)
    }

    /// The chunks before are in.
    func passed(_ chunks: Int64) { number = chunks }
}

extension UsageService {
    /// Hears of the progress behind each chunk; throws `JobCancelled` to stop there.
    package typealias FileProgress = @Sendable (_ done: Int64, _ total: Int64, Words) throws -> Void

    /// Takes the events of a file. Each chunk is one transaction with its counts and its place, so what was killed goes on
    /// where it stopped when the same file is given again, and what was in already counts as duplicate.
    /// - Throws: `CRMError` for a file or mapping that cannot be used; `ContainerError`, `TabularError`.
    package func importFile(
        _ path: String, _ options: UsageFileOptions, principal: Principal, progress: @escaping FileProgress = { _, _, _ in }
    ) async throws -> UsageReport {
        let started = ContinuousClock.now
        let (digest, size) = try await OwnThread.run { try Self.digest(path) }
        let worker = UUID().uuidString
        let sourceName = try Self.sourceName(options.source)
        let earlier = try await tenant.database.read { session in
            try session.first(UsageRunStore.unfinished, [.text(sourceName), .text(digest)], UsageRunStore.read)
        }
        let (prints, bounds, zone) = (UsagePrint(source: sourceName), self.bounds, tenant.timeZoneOffsetMinutes)
        let home = UsageParser.home(tenant.countryCode)
        let reader = try await OwnThread.run {
            try Self.worded(path) {
                try UsageReader(path, options, known: earlier?.mapping) { mapping, names in
                    UsageParser(mapping, header: names, print: prints, bounds: bounds, zone: zone, home: home)
                }
            }
        }
        let mapping = reader.parser.mapping
        let name = reader.file.name
        let run = try await open(
            earlier, sourceName, name: name, digest: digest, size: size, mapping, worker, principal)
        let lines = LineCache(
            mapping.naming(source: options.lineSource ?? sourceName), countryCode: tenant.countryCode,
            column: mapping.columns[.number] ?? mapping.columns[.line] ?? "")
        var state = UsageRun.State.succeeded
        do {
            try await takeChunks(reader, run, lines, worker, principal, path, progress)
        } catch is JobCancelled {
            state = .cancelled
        } catch {
            try? await finish(run.id, run.source, worker, .failed, principal)
            throw await told(error, run.id, name)
        }
        try await finish(run.id, run.source, worker, state, principal)
        let took = (ContinuousClock.now - started).components
        return try await report(
            run.id, options, reader, digest, resumed: run.chunk > 0,
            seconds: Double(took.seconds) + Double(took.attoseconds / 1_000_000_000_000_000) / 1_000)
    }

    /// Chunks that are in stay in, whatever their file became: that is said before anything of the file as a whole.
    private func told(_ error: any Error, _ run: UsageRunID, _ name: String) async -> any Error {
        let taken = (try? await tenant.database.read { try UsageRunStore.run(run, $0).counts.read }) ?? 0
        guard taken > 0, let known = error as? CRMError else { return error }
        let why =
            known.code == ContainerError.replaced.code
            ? Words(en: "It was replaced or changed while it was read.", zh: "文件在读取过程中被替换或修改。") : known.message
        return CRMError(
            known.code, status: known.status,
            Words(
                en: """
                    “\(name)”: \(taken) records of it are in the sums and stay there; the rest is not. Give the file as it was \
                    once more: it goes on where it stopped. (\(why.en))
                    """,
                zh: "“\(name)”：其中 \(taken) 条记录已计入并保留，其余未计入。请重新提供原文件，将从中断处继续。（\(why.zh)）"))
    }

    private func takeChunks(
        _ reader: UsageReader, _ run: UsageRun, _ lines: LineCache, _ worker: String, _ principal: Principal,
        _ path: String, _ progress: @escaping FileProgress
    ) async throws {
        reader.passed(run.chunk)
        var done = run.records
        var next = try await Self.pull(reader, skipping: run.records, path)
        while let chunk = next {
            async let following = Self.pull(reader, skipping: run.records, path)
            try await tenant.database.write { [self] session in
                let outcome = try take(
                    chunk, run.source, lines, run: run.id,
                    record: { [tenant] in try tenant.audit.record($0, by: principal, $1) }, session)
                try keep(chunk, outcome, run.id, worker, session)
            }
            // While the next chunk is being read.
            try await compact(run.source)
            next = try await following
            done += Int64(chunk.records)
            try progress(done, 0, Words(en: "events", zh: "事件"))
            if Task.isCancelled { throw JobCancelled() }
        }
        try await compact(run.source)
    }

    /// On a thread of its own: a chunk takes a tenth of a second to read.
    private static func pull(_ reader: UsageReader, skipping: Int64, _ path: String) async throws -> Chunk? {
        try await OwnThread.run { try Self.worded(path) { try reader.next(skipping: skipping) } }
    }

    /// Rejects, counts and place of a chunk.
    private func keep(
        _ chunk: Chunk, _ outcome: Outcome, _ run: UsageRunID, _ worker: String, _ session: any SQLSession
    ) throws {
        if !outcome.rejects.isEmpty {
            let kept = try session.count(UsageRunStore.rejectCount, [.id(run)])
            try session.executeMany(
                UsageRunStore.addReject,
                outcome.rejects.prefix(max(0, UsageRunStore.rejectsMax - kept)).map {
                    [.id(run), .int($0.line), .text($0.column), .text($0.code), .text($0.id)]
                })
        }
        let counts = outcome.counts
        let advanced = try session.execute(
            UsageRunStore.advance,
            [
                .id(run), .text(worker), .int(chunk.number - 1), .int(chunk.number), .int(chunk.records),
                .int(counts.taken), .int(counts.duplicate), .int(counts.corrected), .int(counts.cancelled),
                .int(counts.unmatched), .int(counts.rejected), .time(tenant.clock.now()),
            ])
        guard advanced == 1 else { throw UsageRunStore.taken }
    }

    private func open(
        _ earlier: UsageRun?, _ sourceName: String, name: String, digest: String, size: Int64, _ mapping: UsageMapping,
        _ worker: String, _ principal: Principal
    ) async throws -> UsageRun {
        let id: UsageRunID = earlier?.id ?? tenant.ids.next()
        return try await tenant.database.write { [self] session in
            let source = try self.source(sourceName, session)
            if earlier != nil {
                try session.execute(UsageRunStore.take, [.id(id), .text(worker), .time(tenant.clock.now())])
            } else {
                try session.execute(
                    UsageRunStore.insert,
                    [
                        .id(id), .id(source), .text(name), .text(digest), .int(size),
                        .text(try UsageRunStore.encoded(mapping)), .text(worker), .time(tenant.clock.now()),
                        .text(principal.userName),
                    ])
            }
            try tenant.audit.record(
                AuditEntry(
                    "usage.run.begin", [Self.subject(source)],
                    facts: ["sha256": .string(digest), "bytes": .int(size)]), by: principal, session)
            return try UsageRunStore.run(id, session)
        }
    }

    private func finish(
        _ run: UsageRunID, _ source: UsageSourceID, _ worker: String, _ state: UsageRun.State, _ principal: Principal
    ) async throws {
        try await tenant.database.write { [self] session in
            let changed = try session.execute(
                UsageRunStore.finish, [.id(run), .text(worker), .text(state.rawValue), .time(tenant.clock.now())])
            guard changed == 1 else { throw UsageRunStore.taken }
            let facts = try UsageRunStore.run(run, session).counts.facts
            try tenant.audit.record(
                AuditEntry(
                    "usage.run.finish", [Self.subject(source)],
                    facts: facts.merging(["state": .string(state.rawValue)]) { mine, _ in mine }),
                by: principal, session)
        }
    }

    private func report(
        _ id: UsageRunID, _ options: UsageFileOptions, _ reader: UsageReader, _ digest: String, resumed: Bool,
        seconds: Double
    ) async throws -> UsageReport {
        let (run, reasons) = try await tenant.database.read { session in
            (try UsageRunStore.run(id, session), try UsageRunStore.reasons(id, session))
        }
        let counts = run.counts
        let columns = Dictionary(uniqueKeysWithValues: run.mapping.columns.map { ($0.key.rawValue, $0.value) })
        return UsageReport(
            run: "\(id)", file: reader.file.name, sha256: digest, source: options.source, kind: run.mapping.kind?.name,
            columns: columns, resumed: resumed, state: run.state.rawValue, read: counts.read, taken: counts.taken,
            duplicate: counts.duplicate, corrected: counts.corrected, cancelled: counts.cancelled,
            unmatched: counts.unmatched, rejected: counts.rejected, reasons: reasons, seconds: seconds)
    }

    /// SHA-256 and size of a file.
    private static func digest(_ path: String) throws -> (String, Int64) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CRMError.invalid(
                "file", "no_such_file", Words(en: "The file \(path) cannot be read.", zh: "无法读取文件 \(path)。"))
        }
        defer { try? handle.close() }
        var hash = SHA256()
        var size: Int64 = 0
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            hash.update(data: data)
            size += Int64(data.count)
        }
        let text = Hex.text(hash.finalize())
        return (text, size)
    }

    /// What is wrong with the whole file, in words.
    private static func worded<T>(_ path: String, _ body: () throws -> T) throws -> T {
        let name = URL(fileURLWithPath: path).lastPathComponent
        do { return try body() } catch let error as ContainerError {
            throw error.error(file: name)
        } catch TabularError.emptyFile {
            throw CRMError.invalid(
                "file", "empty_file", Words(en: "\(name) is empty. Nothing was taken.", zh: "\(name) 是空文件，未读取任何内容。"))
        } catch let error as TabularError {
            let reason = TabularWording.words(error)
            throw CRMError.invalid(
                "file", "unreadable_file",
                Words(
                    en: "\(name) cannot be read as a table: \(reason.en) Nothing was taken.",
                    zh: "\(name) 无法作为表格读取：\(reason.zh)未读取任何内容。"))
        }
    }
}
