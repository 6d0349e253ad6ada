import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// When somebody comes or calls (TMF646).
enum Appointments {
    static let api = TMFAPI(646, "appointment")
    static let type = "Appointment"
    static let name = "appointment"

    /// The states of the specification, which says nothing of what follows what. A visit at which nobody was at home is made anew; what
    /// was called off or done is over.
    static let states = TMFStates(
        "status", first: "initialized", initial: ["confirmed"],
        next: [
            "initialized": ["confirmed", "cancelled", "failed"],
            "confirmed": ["initialized", "completed", "cancelled", "failed"],
            "failed": ["initialized", "confirmed"],
        ])

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = AppointmentStore(customers)
        return TMFResource(
            api, name, type: type, schema: schema, view: ServiceDeskPermissions.viewAppointments,
            edit: ServiceDeskPermissions.editAppointments, states: states,
            subjects: TMFResource.subjects("appointment"),
            store: { _ in store })
    }

    /// Whether it takes somebody's time.
    static func isTaken(_ status: String?) -> Bool { status != "cancelled" && status != "failed" }

    // MARK: Times

    /// A period of a document.
    /// - Throws: 400 when it does not begin, does not end, or ends before it begins.
    static func time(_ period: JSONValue?, _ name: String) throws -> Range<Instant> {
        func instant(_ end: String) throws -> Instant {
            guard let time = period?[end]?.string.flatMap({ TMFTime($0) }) else {
                throw refused(
                    "\(name).\(end)", "missing",
                    Words(en: "“\(name).\(end)” is mandatory.", zh: "“\(name).\(end)”为必填项。"))
            }
            return Instant(milliseconds: time.milliseconds)
        }
        let (start, end) = (try instant("startDateTime"), try instant("endDateTime"))
        guard start < end else {
            throw refused(
                "\(name).endDateTime", "bad_period",
                Words(en: "“\(name)” ends before it begins.", zh: "“\(name)”的结束时间早于开始时间。"))
        }
        return start..<end
    }

    static func refused(_ field: String, _ code: String, _ words: Words) -> CRMError {
        CRMError(code, status: 400, words, fields: [.init(field: field, code: code, message: words)])
    }

    /// A time as clients send it, in the operator's own hours.
    static func text(_ instant: Instant, _ offsetMinutes: Int) -> String {
        let local = instant.adding(seconds: Int64(offsetMinutes) * 60).iso8601
        let minutes = offsetMinutes.magnitude
        func two(_ number: UInt) -> String { (number < 10 ? "0" : "") + String(number) }
        return local.prefix(19) + (offsetMinutes < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60)
    }

    static func period(_ time: Range<Instant>, _ offsetMinutes: Int) -> JSONValue {
        .object([
            "startDateTime": .string(text(time.lowerBound, offsetMinutes)),
            "endDateTime": .string(text(time.upperBound, offsetMinutes)),
        ])
    }
}

/// Rows of appointments as documents; nobody is promised a time that is not free.
struct AppointmentStore: TMFWritingStore {
    /// So many free times are named to those whose time is taken, from so many days.
    static let offered = 5, offeredDays = 31
    static let ticketCustomer: SQL = "SELECT customer_id FROM servicedesk_case WHERE id = $1"

    let rows: TMFRows

    init(_ customers: any CustomerReading) {
        rows = TMFRows(
            "servicedesk_appointment",
            [
                TMFField("externalId", "external_id", isIndexed: true),
                TMFField("category", "category", isIndexed: true),
                TMFField("description", "description", mask: .name), TMFField("status", "status", isIndexed: true),
                TMFField("validFor.startDateTime", "starts_at", .time, sorts: true),
                TMFField("validFor.endDateTime", "ends_at", .time),
                TMFField("creationDate", "created_at", .time, stamp: .created, sorts: true),
                TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
                TMFField("relatedPlace.id", "place_id", isIndexed: true),
                TMFField("relatedPlace.name", "place_name", mask: .address),
                TMFField("relatedPlace.role", "place_role"), TMFField("relatedPlace.@referredType", "place_type"),
                TMFField("calendarEvent.id", "event_id"), TMFField("calendarEvent.name", "event_name", mask: .name),
            ],
            items: [
                .parties("servicedesk_appointment_party", isIndexed: false), .notes("servicedesk_appointment_note"),
                TMFItems(
                    "relatedEntity", "servicedesk_appointment_entity",
                    [
                        TMFField("id", "entity_id", isIndexed: true), TMFField("role", "role"),
                        TMFField("name", "name"),
                        TMFField("@referredType", "referred_type"),
                    ]),
                TMFItems(
                    "contactMedium", "servicedesk_appointment_contact",
                    [
                        TMFField("mediumType", "medium_type"), TMFField("preferred", "preferred", .boolean),
                        TMFField("characteristic.contactType", "contact_type"),
                        TMFField("characteristic.phoneNumber", "phone", mask: .phone),
                        TMFField("characteristic.emailAddress", "email", mask: .email),
                        TMFField("characteristic.faxNumber", "fax", mask: .phone),
                        TMFField("characteristic.socialNetworkId", "social_id", mask: .identity),
                        TMFField("characteristic.street1", "street1", mask: .address),
                        TMFField("characteristic.street2", "street2", mask: .address),
                        TMFField("characteristic.city", "city"), TMFField("characteristic.stateOrProvince", "region"),
                        TMFField("characteristic.postCode", "post_code"), TMFField("characteristic.country", "country"),
                        TMFField("validFor.startDateTime", "valid_from", .time),
                        TMFField("validFor.endDateTime", "valid_until", .time),
                    ]),
            ],
            owner: .init(customers), more: [.parties("servicedesk_appointment", "servicedesk_appointment_party")])
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(
        id: Int64, JSONObject
    )] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let time = try Appointments.time(document["validFor"], "validFor")
        let document = try withTicketsCustomer(document, session)
        try check(time, document, but: nil, context, session)
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let time = try Appointments.time(new["validFor"], "validFor")
        let isTaken = Appointments.isTaken(new["status"]?.string)
        // A note about a visit of last week asks for no room.
        let isMoved = ["validFor", "relatedPlace", "relatedParty"].contains {
            Self.needs(old[$0], $0) != Self.needs(new[$0], $0)
        }
        if isTaken, isMoved || !Appointments.isTaken(old["status"]?.string) {
            try check(time, new, but: id, context, session)
        }
        try rows.change(id, from: old, to: new, context, session)
    }

    /// As far as it decides what room is needed: another spelling of a time is the same time.
    private static func needs(_ value: JSONValue?, _ name: String) -> [String] {
        guard name == "validFor" else { return AppointmentStore.ids(value) }
        return ["startDateTime", "endDateTime"].map { end in
            value?[end]?.string.flatMap { TMFTime($0) }.map { String($0.milliseconds) } ?? ""
        }
    }

    static func ids(_ value: JSONValue?) -> [String] {
        (value?.array ?? value.map { [$0] } ?? []).compactMap { $0["id"]?.string }
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }

    /// An appointment for a ticket that names nobody is with the ticket's customer.
    private func withTicketsCustomer(_ document: JSONObject, _ session: any SQLSession) throws -> JSONObject {
        guard document["relatedParty"] == nil else { return document }
        for entity in document["relatedEntity"]?.array ?? [] where entity["@referredType"]?.string == Tickets.type {
            guard let id = entity["id"]?.string.flatMap({ Int64($0) }),
                let customer = try session.first(Self.ticketCustomer, [.int(id)], { $0.id(0, PartyKind.self) }),
                customer.rawValue != 0
            else { continue }
            var document = document
            document["relatedParty"] = .array([TMFRows.Owner.party(customer)])
            return document
        }
        return document
    }

    // MARK: Room

    /// - Throws: 400 for a time that has begun, 409 `closed` or `full` with free times for one at which nobody can come.
    private func check(
        _ time: Range<Instant>, _ document: JSONObject, but: Int64?, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        guard time.lowerBound >= context.now else {
            throw Appointments.refused(
                "validFor.startDateTime", "past", Words(en: "“validFor” has begun already.", zh: "“validFor”的开始时间已过。"))
        }
        let room = try VisitRoom(context.tenant.timeZoneOffsetMinutes, session)
        let calendars = room.calendars.of(
            place: document["relatedPlace"]?["id"]?.string, parties: Self.ids(document["relatedParty"]))
        let isOpen = room.isOpen(time, calendars)
        if isOpen, room.fits(time, among: try room.visits(in: time, but: but), calendars) { return }
        // Free times from that day on, and if it is far away still from that day.
        let midnight = time.lowerBound.date(offsetMinutes: room.offsetMinutes)
        let start = max(
            context.now,
            Instant(milliseconds: Int64(midnight.daysSinceEpoch) * 86_400_000 - Int64(room.offsetMinutes) * 60_000))
        let free = try room.free(
            in: start..<start.adding(days: Int64(Self.offeredDays)), calendars, days: Self.offeredDays,
            limit: Self.offered, but: but
        ).map { slot in
            "\(Appointments.text(slot.lowerBound, room.offsetMinutes))/\(Appointments.text(slot.upperBound, room.offsetMinutes))"
        }
        let list = free.joined(separator: ", ")
        let words = Words(
            en: (isOpen ? "Nobody is free at this time." : "No visits are made at this time.")
                + (free.isEmpty ? " Nothing is free in the next \(Self.offeredDays) days either." : " Free: \(list)."),
            zh: (isOpen ? "该时段已约满。" : "该时段不提供预约。")
                + (free.isEmpty ? "之后 \(Self.offeredDays) 天内也没有空闲时段。" : "可预约：\(list)。"))
        throw CRMError(
            isOpen ? "full" : "closed", status: 409, words,
            fields: [.init(field: "validFor", code: isOpen ? "full" : "closed", message: words)])
    }
}
