import Kernel
import Platform
import Storage
import TMF
import Web

/// Contacts as party interactions (TMF683).
enum Interactions {
    static let api = TMFAPI(683, "partyInteraction")
    static let type = "PartyInteraction"

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading) -> TMFResource {
        let store = InteractionStore(customers)
        return TMFResource(
            api, "partyInteraction", type: type, schema: schema, view: ServiceDeskPermissions.viewInteractions,
            edit: ServiceDeskPermissions.editInteractions, subjects: TMFResource.subjects("interaction"), store: { _ in store })
    }
}

/// The rows of contacts as documents.
struct InteractionStore: TMFWritingStore {
    private let rows: TMFRows
    /// Names the column inside of this store; clients see `channel`.
    private static let code = " channel"

    init(_ customers: any CustomerReading) {
        func null(_ column: SQL) -> TMFRows.Hidden { .init(column) { _, _, _ in .null } }
        rows = TMFRows(
            "servicedesk_interaction",
            [
                TMFField("description", "note", mask: .name), TMFField("reason", "topic"), TMFField("direction", "direction"),
                TMFField("status", "status"),
                TMFField("interactionDate.startDateTime", "happened_at", .time, stamp: .created, sorts: true),
                TMFField("interactionDate.endDateTime", "ended_at", .time),
                TMFField("creationDate", "created_at", .time, stamp: .created),
                TMFField("statusChangeDate", "status_changed_at", .time, stamp: .stateChanged),
                TMFField(Self.code, "channel"),
            ],
            items: [.parties("servicedesk_interaction_party", isIndexed: false), .notes("servicedesk_interaction_note")],
            owner: .init(customers),
            hidden: [
                .init("outcome") { document, _, _ in .text(Self.outcome(document).rawValue) }, null("language"), null("case_id"),
                null("survey"), null("score"),
            ],
            more: [
                .parties("servicedesk_interaction", "servicedesk_interaction_party"),
                .time("creationDate", "COALESCE(r.created_at, r.happened_at)", sorts: true),
            ])
    }

    var table: TMFTable { rows.table }

    /// What a contact came to, as far as its state tells.
    private static func outcome(_ document: JSONObject) -> DeskOutcome {
        switch document["status"]?.string?.lowercased() {
        case "abandoned": .abandoned
        case "notreached", "not_reached", "failed": .notReached
        default: document["direction"]?.string?.lowercased() == DeskDirection.outbound.rawValue ? .sent : .answered
        }
    }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session).map { id, document in
            var document = document
            if let code = document[Self.code]?.string {
                let name = DeskChannel(rawValue: code)?.words.en ?? code
                document["channel"] = .array([
                    .object([
                        "id": .string(code), "name": .string(name), "role": .string("interaction channel"),
                        "href": .string("urn:switchboard:channel:\(code)"),
                    ])
                ])
            }
            document[Self.code] = nil
            if document["status"] == nil { document["status"] = .string("completed") }
            if document["creationDate"] == nil { document["creationDate"] = document["interactionDate"]?["startDateTime"] }
            return (id, document)
        }
    }

    /// With the way it took as our rows know it: a code where it is one of ours, the client's word otherwise.
    private static func stored(_ document: JSONObject) -> JSONObject {
        var document = document
        let first = document["channel"]?.array?.first
        let words = [first?["id"]?.string, first?["name"]?.string].compactMap { $0 }
        let known = words.lazy.compactMap { DeskChannel(any: $0)?.rawValue }.first
        document[code] = .string(known ?? words.last ?? words.first ?? "")
        return document
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        // Rows lie in the month in which it happened; a client may bring what is past.
        let sent = document["interactionDate"]?["startDateTime"]?.string.flatMap { TMFTime($0) }
        let made: InteractionID = context.tenant.ids.next()
        var id = made
        if let at = sent.map({ Instant(milliseconds: $0.milliseconds) }), at < context.now {
            var tail = Int(made.rawValue & 0x3F_FFFF)
            repeat {
                id = InteractionID(at: at, tail: tail)
                tail += 1
            } while try session.exists(Self.known, [.id(id)])
        }
        try rows.create(id.rawValue, Self.stored(document), context, session)
        return id.rawValue
    }
    static let known: SQL = "SELECT 1 FROM servicedesk_interaction WHERE id = $1 LIMIT 1"

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try rows.change(id, from: old, to: Self.stored(new), context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }
}
