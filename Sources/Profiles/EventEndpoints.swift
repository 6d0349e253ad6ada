import Kernel
import Platform
import Storage
import Web

/// `POST /api/events?source=NAME`: events as they happen, one transaction a request. What a source tells twice counts once.
struct EventEndpoints: Sendable {
    let service: @Sendable (Tenant) -> ProfileService

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/events", .permission(ProfileService.send), body: .linesOrArray, trace: .change, effect: .adds,
                scope: "events:write"
            ) { try await take($0) }
        ]
    }

    private func take(_ call: Call) async throws -> WebResponse {
        guard case .lines(let bytes) = call.request.body else { throw CRMError.notFound }
        let source = try ProfileService.sourceName(call.request.query["source"] ?? "")
        let references = try call.request.query["references"].map(ProfileService.sourceName) ?? source
        let service = service(call.tenant)
        let reader = EventReader(
            source: source, references: references, countryCode: call.tenant.countryCode,
            zone: call.tenant.timeZoneOffsetMinutes, now: call.tenant.clock.now())
        // Reading is no work for the database's thread.
        let (events, faults) = try await OwnThread.run { try reader.read(bytes) }
        return try await call.change { session in
            let outcome = try service.take(
                events, rejected: faults.count, source: source, record: { try call.record($0, $1) }, session)
            return Self.answer(outcome, faults)
        }
    }

    private static func answer(_ outcome: ProfileService.Outcome, _ faults: [EventFault]) -> WebResponse {
        func numbers(_ all: [Int]) -> JSONValue { .array(all.map { .int(Int64($0)) }) }
        return .json(
            .object([
                "counts": .object(outcome.counts.json), "duplicate": numbers(outcome.duplicates),
                "waiting": numbers(outcome.waiting), "unused": numbers(outcome.unused),
                "rejected": .array(
                    faults.map { fault in
                        .object([
                            "number": .int(Int64(fault.number)), "id": .string(fault.id), "field": .string(fault.field),
                            "code": .string(fault.code), "message": .string(fault.words.en),
                        ])
                    }),
            ]))
    }
}
