import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Cases as trouble tickets (TMF621).
enum Tickets {
    static let api = TMFAPI(621, "troubleTicket")
    static let type = "TroubleTicket"

    /// The states of the specification's life cycle. Nothing follows the end but that a ticket which did not hold is taken up again.
    static let states = TMFStates(
        "status", first: "acknowledged", initial: ["inProgress", "pending", "held"],
        next: [
            "acknowledged": ["inProgress", "pending", "held", "resolved", "rejected", "cancelled"],
            "inProgress": ["pending", "held", "resolved", "cancelled"],
            "pending": ["inProgress", "held", "resolved", "cancelled"],
            "held": ["inProgress", "pending", "resolved", "cancelled"],
            "resolved": ["closed", "inProgress"],
            "rejected": ["closed"],
        ])

    /// Words of the interface that are others in our rows.
    static let statuses = ["acknowledged": CaseStatus.open.rawValue, "inProgress": CaseStatus.inProgress.rawValue]

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = TicketStore(customers)
        return TMFResource(
            api, "troubleTicket", type: type,
            schema: schema.adding([.init("topic", .text)], to: type),
            view: ServiceDeskPermissions.viewCases, edit: ServiceDeskPermissions.editCases, states: states,
            subjects: TMFResource.subjects("case"),
            next: TMFFace([
                TMFFace.relatedParty, TMFFace.relatedEntity, TMFFace.externalIdentifier, TMFFace.statusChange,
            ]), store: { _ in store })
    }
}

/// The rows of cases as documents, and what a change of one means for the desk.
struct TicketStore: TMFWritingStore {
    static let setClosed: SQL = "UPDATE servicedesk_case SET closed_at = $2 WHERE id = $1"
    static let deleteNumber: SQL = "DELETE FROM servicedesk_case_number WHERE case_id = $1"
    static let read: SQL = "SELECT customer_id, kind, topic FROM servicedesk_case WHERE id = $1"

    private let rows: TMFRows

    init(_ customers: any CustomerReading) {
        rows = TMFRows(
            "servicedesk_case",
            [
                TMFField("externalId", "number", isIndexed: true), TMFField("name", "title", mask: .name),
                TMFField("description", "subject", mask: .name), TMFField("ticketType", "kind"), TMFField("topic", "topic"),
                TMFField("severity", "severity"), TMFField("priority", "priority"),
                TMFField("status", "status", .words(Tickets.statuses), isIndexed: true),
                TMFField("creationDate", "opened_at", .time, stamp: .created, sorts: true),
                TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
                TMFField("statusChangeDate", "status_changed_at", .time, stamp: .stateChanged),
                TMFField("statusChangeReason", "status_reason", mask: .name),
                TMFField("expectedResolutionDate", "expected_at", .time),
                TMFField("requestedResolutionDate", "requested_at", .time),
                TMFField("resolutionDate", "resolved_at", .time), TMFField("channel.id", "channel_id"),
                TMFField("channel.name", "channel_name"),
            ],
            items: [
                .parties("servicedesk_case_party", isIndexed: false), .notes("servicedesk_case_note"),
                TMFItems(
                    "relatedEntity", "servicedesk_case_entity",
                    [
                        TMFField("id", "entity_id", isIndexed: true), TMFField("role", "role"), TMFField("name", "name"),
                        TMFField("@referredType", "referred_type"),
                    ]),
                TMFItems(
                    "statusChange", "servicedesk_case_step",
                    [
                        TMFField("status", "status"), TMFField("changeDate", "changed_at", .time),
                        TMFField("changeReason", "reason", mask: .name),
                    ]),
            ],
            owner: .init(customers), hidden: [.init("closed_at") { _, _, _ in .null }],
            more: [.parties("servicedesk_case", "servicedesk_case_party")])
    }

    var table: TMFTable { rows.table }

    /// What the specification wants of every ticket and cases of other systems may not have.
    private static func filled(_ document: JSONObject) -> JSONObject {
        var document = document
        let priority = document["priority"]?.string.flatMap(CasePriority.init(any:))
        if document["severity"] == nil {
            document["severity"] = .string(priority == .urgent ? "Critical" : priority == .high ? "Major" : "Minor")
        }
        if document["description"] == nil {
            let topic = document["topic"]?.string ?? ""
            document["description"] = document["name"] ?? .string(DeskTopic(rawValue: topic)?.words.en ?? topic)
        }
        return document
    }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session).map { ($0.id, Self.filled($0.1)) }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let id: CaseID = context.tenant.ids.next()
        var document = document
        if document["externalId"] == nil { document["externalId"] = .string(Self.number(id)) }
        if document["priority"] == nil { document["priority"] = .string(CasePriority.normal.rawValue) }
        if document["topic"] == nil { document["topic"] = .string(DeskTopic.other.rawValue) }
        if document["statusChange"] == nil { document["statusChange"] = .array([Self.step(document, context.now)]) }
        try rows.create(id.rawValue, document, context, session)
        let customer = try rows.customer(of: document, context, session) ?? CustomerID(0)
        try session.execute(
            DeskRecords.insertNumber, [.text(document["externalId"]?.string), .id(customer), .id(id)])
        try CaseIndex.refresh([id.rawValue], session)
        try tell(.opened, id.rawValue, at: context.now, context, session)
        return id.rawValue
    }

    /// `TT-` and the id in Crockford's alphabet: no letters that are mistaken for digits when somebody reads them out.
    static func number(_ id: CaseID) -> String {
        let letters = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        var (rest, text) = (id.rawValue, "")
        repeat {
            text = String(letters[Int(rest % 32)]) + text
            rest /= 32
        } while rest > 0
        return "TT-" + text
    }

    private static func step(_ document: JSONObject, _ now: Instant) -> JSONValue {
        var step: JSONObject = ["changeDate": .string(now.iso8601)]
        step["status"] = document["status"]
        step["changeReason"] = document["statusChangeReason"]
        return .object(step)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var document = new
        // What was only filled in is not written down.
        for name in ["severity", "description"] where new[name] == old[name] {
            var bare = old
            bare[name] = nil
            if Self.filled(bare)[name] == new[name] { document[name] = nil }
        }
        // What every case has is what it began with when it is taken away.
        if document["externalId"] == nil { document["externalId"] = .string(Self.number(CaseID(id))) }
        if document["priority"] == nil { document["priority"] = .string(CasePriority.normal.rawValue) }
        if document["topic"] == nil { document["topic"] = .string(DeskTopic.other.rawValue) }
        let status = new["status"]?.string
        let isMoved = old["status"] != new["status"]
        let isEnd = Self.isEnd(status)
        if isMoved {
            if status == "resolved", old["resolutionDate"] == new["resolutionDate"] {
                document["resolutionDate"] = .string(context.now.iso8601)
            }
            if !isEnd { document["resolutionDate"] = nil }
            document["statusChange"] = .array((new["statusChange"]?.array ?? []) + [Self.step(new, context.now)])
        }
        try rows.change(id, from: old, to: document, context, session)
        try CaseIndex.refresh([id], session)
        if old["externalId"] != document["externalId"] || old["relatedParty"] != new["relatedParty"] {
            try session.execute(Self.deleteNumber, [.int(id)])
            let customer = try rows.customer(of: new, context, session) ?? CustomerID(0)
            try session.execute(DeskRecords.insertNumber, [.text(document["externalId"]?.string ?? ""), .id(customer), .int(id)])
        }
        guard isMoved else { return }
        let isClosed = isEnd && status != "resolved"
        try session.execute(Self.setClosed, [.int(id), isClosed ? .time(context.now) : .null])
        let wasEnd = Self.isEnd(old["status"]?.string)
        if isEnd, !wasEnd { try tell(.closed, id, at: context.now, context, session) }
        if wasEnd, !isEnd { try withdraw([.closed], id, context, session) }
    }

    private static func isEnd(_ status: String?) -> Bool {
        CaseStatus(rawValue: Tickets.statuses[status ?? ""] ?? status ?? "")?.isEnd ?? false
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try withdraw([.opened, .closed], id, context, session)
        try session.execute(Self.deleteNumber, [.int(id)])
        try rows.remove(id, document, context, session)
        try CaseIndex.refresh([id], session)
    }

    // MARK: What others are told

    private func read(_ id: Int64, _ session: any SQLSession) throws -> (CustomerID, String, String)? {
        let found = try session.first(Self.read, [.int(id)]) { ($0.id(0, PartyKind.self), $0.text(1), $0.text(2)) }
        guard let found, found.0.rawValue != 0 else { return nil }
        return found
    }

    private func tell(
        _ step: CasesMoved.Step, _ id: Int64, at: Instant, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        guard let (customer, kind, topic) = try read(id, session) else { return }
        let one = CasesMoved.Case(customer: customer, id: id, at: at, kind: kind, topic: topic)
        try DeskRecords.tell(
            opened: step == .opened ? [one] : [], closed: step == .closed ? [one] : [], back: [:], context.tenant, session)
    }

    private func withdraw(
        _ steps: [CasesMoved.Step], _ id: Int64, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        guard let (customer, _, _) = try read(id, session) else { return }
        let place = StepPlace(customer: customer, id: id)
        try DeskRecords.tell(
            opened: [], closed: [], back: Dictionary(uniqueKeysWithValues: steps.map { ($0, [place]) }), context.tenant, session)
    }
}
