import Kernel
import Platform
import Storage
import Web

/// Events as JSON objects, one a line. Strict: a field of no known name or type refuses its event.
package struct UsageLines: Sendable {
    /// Events of one request.
    package static let eventsMax = 20_000
    private static let fields: Set<String> = [
        "id", "line", "kind", "start", "duration_s", "bytes", "count", "version", "cancel", "roaming", "dropped", "speed_mbps",
        "cell",
    ]

    let print: UsagePrint
    let bounds: UsageParser.Bounds
    /// Minutes east of UTC.
    let zone: Int

    package init(print: UsagePrint, bounds: UsageParser.Bounds, zone: Int) {
        self.print = print
        self.bounds = bounds
        self.zone = zone
    }

    /// - Throws: `CRMError` 413 for more events than a request may have.
    package func read(_ bytes: [UInt8]) throws -> UsageService.Chunk {
        var events: [UsageEvent] = []
        var rejects: [UsageReject] = []
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            guard line.contains(where: { $0 > 32 }) else { continue }
            guard events.count + rejects.count < Self.eventsMax else {
                throw CRMError(
                    "too_many_events", status: 413,
                    Words(
                        en: "A request may bring \(Self.eventsMax) events; send the rest in another.",
                        zh: "单次请求最多 \(Self.eventsMax) 条事件，其余请另行发送。"))
            }
            do {
                events.append(try event(line, number))
            } catch let fault as Fault {
                rejects.append(UsageReject(line: number, column: fault.field, code: fault.code))
            } catch is CRMError {
                rejects.append(UsageReject(line: number, column: "", code: "json"))
            }
        }
        return UsageService.Chunk(
            number: 1, records: events.count + rejects.count, events: events, rejects: rejects, rejected: rejects.count)
    }

    private struct Fault: Error {
        let field: String
        let code: String
    }

    private func event(_ line: ArraySlice<UInt8>, _ number: Int) throws -> UsageEvent {
        guard let object = try JSONValue.parse(Array(line)).object else { throw Fault(field: "", code: "json") }
        if let strange = object.keys.sorted().first(where: { !Self.fields.contains($0) }) {
            throw Fault(field: String(strange.prefix(60)), code: "unknown_field")
        }
        guard let kind = object["kind"]?.string.flatMap({ UsageKind(name: $0) }) else {
            throw Fault(field: "kind", code: "unknown_kind")
        }
        guard let id = object["id"]?.string?.trimmed, (1...UsageParser.Bounds.idBytesMax).contains(id.utf8.count) else {
            throw Fault(field: "id", code: "bad_id")
        }
        guard let name = object["line"]?.string?.trimmed,
            (1...UsageParser.Bounds.lineBytesMax).contains(name.utf8.count)
        else { throw Fault(field: "line", code: "no_line") }
        var event = UsageEvent(
            fingerprint: print.of(kind, id), isCancelled: try flag(object, "cancel"), line: name,
            day: try day(object["start"]), amount: UsageAmount(kind), at: number)
        if let version = object["version"] {
            guard let value = version.int, (0...Int64(UInt32.max)).contains(value) else {
                throw Fault(field: "version", code: "bad_version")
            }
            event.version = UInt32(value)
        }
        if event.isCancelled { return event }
        event.amount.quantity = try quantity(object, kind)
        event.amount.isRoaming = try flag(object, "roaming")
        event.amount.isDropped = try flag(object, "dropped")
        if let speed = object["speed_mbps"] {
            guard let value = speed.double else { throw Fault(field: "speed_mbps", code: "not_a_number") }
            guard (0...Double(UsageParser.Bounds.speedMax) / 1_000).contains(value) else {
                throw Fault(field: "speed_mbps", code: "out_of_range")
            }
            event.amount.speed = Int64((value * 1_000).rounded())
        }
        if let cell = object["cell"] {
            guard let text = cell.string ?? cell.int.map(String.init) else { throw Fault(field: "cell", code: "json") }
            event.amount.cell = UsagePrint.cell(text) & 63
        }
        return event
    }

    private func quantity(_ object: [String: JSONValue], _ kind: UsageKind) throws -> Int64 {
        let (field, scale, max): (String, Double, Int64) =
            switch kind {
            case .voice: ("duration_s", 1_000, UsageParser.Bounds.voiceMsMax)
            case .data: ("bytes", 1, UsageParser.Bounds.bytesMax)
            case .sms: ("count", 1, UsageParser.Bounds.countMax)
            case .sample: ("", 0, 0)
            }
        guard kind != .sample else { return 0 }
        guard let value = object[field] else {
            if kind == .sms { return 1 }
            throw Fault(field: field, code: "no_quantity")
        }
        guard let number = value.double else { throw Fault(field: field, code: "not_a_number") }
        guard number >= 0, number * scale <= Double(max) else { throw Fault(field: field, code: "out_of_range") }
        return Int64((number * scale).rounded())
    }

    private func flag(_ object: [String: JSONValue], _ field: String) throws -> Bool {
        guard let value = object[field] else { return false }
        guard let flag = value.bool else { throw Fault(field: field, code: "not_a_boolean") }
        return flag
    }

    /// ISO 8601, or seconds or milliseconds since 1970.
    private func day(_ value: JSONValue?) throws -> Int32 {
        guard var text = value?.string ?? value?.int.map(String.init) else { throw Fault(field: "start", code: "no_start") }
        switch text.withUTF8({ UsageTime.day(UsageParser.trimmed($0), nil, zone: zone) }) {
        case .fault(let code): throw Fault(field: "start", code: code)
        case .day(let day):
            guard day >= UsageParser.Bounds.firstDay else { throw Fault(field: "start", code: "too_old") }
            guard day <= bounds.lastDay else { throw Fault(field: "start", code: "in_the_future") }
            return day
        }
    }
}

/// `POST /api/usage/events?source=NAME`: events come in as they happen, one transaction a request.
struct UsageEndpoints: Sendable {
    let service: @Sendable (Tenant) -> UsageService
    /// Rejects that are told in the answer; all are counted.
    static let rejectsShown = 100

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/usage/events", .permission(UsageService.permission), body: .lines, trace: .change, effect: .adds,
                scope: "usage:write"
            ) { try await take($0) }
        ]
    }

    private func take(_ call: Call) async throws -> WebResponse {
        guard case .lines(let bytes) = call.request.body else { throw CRMError.notFound }
        let name = call.request.query["source"] ?? ""
        let naming: LineNaming
        switch call.request.query["lines"] ?? "number" {
        case "number": naming = .number
        case "source": naming = .source(name.trimmed)
        default:
            throw CRMError.invalid(
                "lines", "bad_lines", Words(en: "lines is number or source.", zh: "lines 应为 number 或 source。"))
        }
        let service = service(call.tenant)
        let bounds = service.bounds
        let zone = call.tenant.timeZoneOffsetMinutes
        let lines = UsageLines(
            print: UsagePrint(source: try UsageService.sourceName(name)), bounds: bounds, zone: zone)
        // Reading the lines is no work for the database's thread.
        let chunk = try await OwnThread.run { try lines.read(bytes) }
        return try await call.change { session in
            let source = try service.source(name, session)
            var isRecorded = false
            let outcome = try service.take(
                chunk, source, LineCache(naming, countryCode: call.tenant.countryCode, column: "line"),
                record: {
                    try call.record($0, $1)
                    isRecorded = true
                }, session)
            // That nothing was new is an answer too.
            if !isRecorded {
                try call.record(
                    AuditEntry(
                        "usage.events.take", [UsageService.subject(source)], facts: outcome.counts.facts), session)
            }
            return Self.answer(outcome)
        }
    }

    private static func answer(_ outcome: UsageService.Outcome) -> WebResponse {
        let rejects = outcome.rejects.prefix(rejectsShown).map { reject in
            JSONValue.object([
                "line": .int(Int64(reject.line)), "field": .string(reject.column), "code": .string(reject.code),
                "message": .string(UsageWords.reject(reject.code).en),
            ])
        }
        return .json(.object(["counts": outcome.counts.json, "rejects": .array(rejects)]))
    }
}
