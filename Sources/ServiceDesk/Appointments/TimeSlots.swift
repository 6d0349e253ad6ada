import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Questions for free times (TMF646 searchTimeSlot), answered at once from what is booked.
enum TimeSlots {
    static let type = "SearchTimeSlot"
    static let name = "searchTimeSlot"
    static let upkeepJob = "servicedesk.upkeep"
    static let keptDays: Int64 = 30

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = TimeSlotStore(customers)
        return TMFResource(
            Appointments.api, name, type: type, schema: schema, view: ServiceDeskPermissions.viewAppointments,
            edit: ServiceDeskPermissions.editAppointments, subjects: TMFResource.subjects("slot_search"),
            store: { _ in store })
    }
}

struct TimeSlotStore: TMFWritingStore {
    /// Periods in a question, days that are looked at for all of them, times in an answer.
    static let askedMax = 20, daysMax = 62, answersMax = 200
    /// Where nothing is asked for.
    static let usualDays: Int64 = 14
    static let old: SQL = "SELECT id FROM servicedesk_slot_search WHERE searched_at < $1 ORDER BY id LIMIT 5000"

    let rows: TMFRows

    init(_ customers: any CustomerReading) {
        let period = [
            TMFField("id", "slot_id"), TMFField("validFor.startDateTime", "starts_at", .time),
            TMFField("validFor.endDateTime", "ends_at", .time),
        ]
        rows = TMFRows(
            "servicedesk_slot_search",
            [
                TMFField("searchDate", "searched_at", .time, stamp: .created, sorts: true),
                TMFField("searchResult", "result"),
                TMFField("status", "status"), TMFField("relatedParty.id", "party_id", isIndexed: true),
                TMFField("relatedParty.role", "party_role"), TMFField("relatedParty.name", "party_name", mask: .name),
                TMFField("relatedParty.@referredType", "party_type"),
                TMFField("relatedPlace.id", "place_id", isIndexed: true),
                TMFField("relatedPlace.name", "place_name", mask: .address),
                TMFField("relatedPlace.role", "place_role"),
                TMFField("relatedPlace.@referredType", "place_type"),
            ],
            items: [
                TMFItems("requestedTimeSlot", "servicedesk_slot_asked", period),
                TMFItems(
                    "availableTimeSlot", "servicedesk_slot_free",
                    period + [
                        TMFField("relatedParty.id", "party_id"), TMFField("relatedParty.role", "party_role"),
                        TMFField("relatedParty.@referredType", "party_type"),
                    ]),
            ],
            owner: .init(customers, shown: nil))
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(
        id: Int64, JSONObject
    )] {
        try rows.documents(ids, principal, session).map { id, document in
            var document = document
            // An answer without a free time says so by an empty list.
            if document["availableTimeSlot"] == nil { document["availableTimeSlot"] = .array([]) }
            return (id, document)
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(try answered(document, context, session), context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        // Another question has another answer; a remark on it has not.
        let isAsked = ["requestedTimeSlot", "relatedParty", "relatedPlace"].contains { old[$0] != new[$0] }
        var document = new
        if isAsked {
            document = try answered(new, context, session)
            document["searchDate"] = .string(context.now.iso8601)
        }
        try rows.change(id, from: old, to: document, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }

    /// With the answer.
    private func answered(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> JSONObject
    {
        let asked = document["requestedTimeSlot"]?.array ?? []
        guard asked.count <= Self.askedMax else {
            throw Appointments.refused(
                "requestedTimeSlot", "too_many",
                Words(
                    en: "“requestedTimeSlot”: at most \(Self.askedMax) periods.",
                    zh: "“requestedTimeSlot”：最多 \(Self.askedMax) 个时段。"))
        }
        let room = try VisitRoom(context.tenant.timeZoneOffsetMinutes, session)
        var parties = AppointmentStore.ids(document["relatedParty"])
        var periods = [context.now..<context.now.adding(days: Self.usualDays)]
        if !asked.isEmpty {
            periods = try asked.enumerated().map { place, slot in
                try Appointments.time(slot["validFor"], "requestedTimeSlot[\(place)].validFor")
            }
            parties += asked.flatMap { AppointmentStore.ids($0["relatedParty"]) }
        }
        let calendars = room.calendars.of(place: document["relatedPlace"]?["id"]?.string, parties: parties)
        var days = 0
        var free: [Range<Instant>] = []
        for period in periods where period.upperBound > context.now {
            let period = max(period.lowerBound, context.now)..<period.upperBound
            let more = Int((period.upperBound.milliseconds - period.lowerBound.milliseconds) / 86_400_000) + 2
            days += more - 1
            guard days <= Self.daysMax else {
                throw Appointments.refused(
                    "requestedTimeSlot", "too_long",
                    Words(
                        en: "“requestedTimeSlot”: at most \(Self.daysMax) days in all.",
                        zh: "“requestedTimeSlot”：合计最多 \(Self.daysMax) 天。"))
            }
            for slot in try room.free(in: period, calendars, days: more, limit: Self.answersMax)
            where slot.lowerBound >= context.now && !free.contains(slot) { free.append(slot) }
        }
        free.sort { $0.lowerBound < $1.lowerBound }
        let party = calendars.first { $0.kind == .party }?.reference
        var result = document
        result["availableTimeSlot"] = .array(
            free.prefix(Self.answersMax).enumerated().map { place, slot in
                var one: JSONObject = [
                    "id": .string(String(place + 1)), "validFor": Appointments.period(slot, room.offsetMinutes),
                ]
                if let party {
                    one["relatedParty"] = .object([
                        "id": .string(party), "role": .string("visitor"), "@referredType": .string("Individual"),
                    ])
                }
                return .object(one)
            })
        result["searchResult"] = .string(free.isEmpty ? "fail" : "success")
        result["status"] = .string("done")
        return result
    }

    /// Lets go of questions that nobody asks for any more. What was kept beside them follows by the sweep of the interface.
    static func upkeep(_ tenant: Tenant, _ now: Instant) async throws -> Int {
        try await tenant.database.write { session in
            let ids = try session.query(old, [.time(now.adding(days: -TimeSlots.keptDays))]) { $0.int(0) }
            for chunk in ids.chunked(Limits.sqlListChunk) {
                for (table, key) in [
                    ("servicedesk_slot_asked", "owner_id"), ("servicedesk_slot_free", "owner_id"),
                    ("servicedesk_slot_search", "id"),
                ]
                    as [(SQL, SQL)]
                {
                    var builder = SQLBuilder("DELETE FROM \(table) WHERE TRUE")
                    builder.appendIn("AND \(key)", chunk.map { .int($0) })
                    try session.execute(builder.sql, builder.arguments)
                }
            }
            return ids.count
        }
    }
}
