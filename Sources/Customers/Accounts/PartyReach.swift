import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Who may stand behind an account or a party role: customers within the caller's reach, and parties that are nobody's customer.
/// Both have ids of one kind, so that what a party has stays with it when it becomes a customer.
struct PartyReach: CustomerReading {
    private let customers = CustomerReader()

    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        let found = try CustomerScope.reachable(ids, principal, session)
        guard found.count < Set(ids).count else { return found }
        return found.union(try PartyRows.reachable(ids.filter { !found.contains($0) }, principal, session))
    }

    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] {
        try customers.cards(ids, for: principal, session)
    }

    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable {
        try customers.table(after: after, limit: limit, session)
    }

    func customerCount(_ session: any SQLSession) throws -> Int { try customers.customerCount(session) }
}

/// Parties as documents refer to them.
struct NamedParties {
    static let select: SQL = """
        SELECT p.id, p.display_name, p.kind, c.id, c.reference FROM customers_party p
        LEFT JOIN customers_customer c ON c.id = p.id WHERE TRUE
        """

    struct Party {
        let name: String
        let isPerson: Bool
        let isCustomer: Bool
    }

    private(set) var known: [CustomerID: Party] = [:]

    init(_ ids: Set<CustomerID>, _ session: any SQLSession) throws {
        for chunk in ids.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.select)
            builder.appendIn("AND p.id", chunk.map { .id($0) })
            for (id, party) in try session.query(builder, { row -> (CustomerID, Party) in
                let name = row.text(1)
                return (
                    row.id(0),
                    Party(
                        name: name.isEmpty ? row.optionalText(4) ?? row.id(0, PartyKind.self).description : name,
                        isPerson: row.text(2) == CustomerKind.individual.rawValue, isCustomer: row.optionalInt(3) != nil)
                )
            }) { known[id] = party }
        }
    }

    /// - Parameter role: `nil` = whose it is.
    func reference(_ id: CustomerID, role: String?, _ masking: Masking) -> JSONObject {
        let party = known[id]
        let type = party.map { $0.isCustomer ? "Customer" : partyType($0) } ?? "Customer"
        return [
            "id": .string(id.description), "name": .string(masking.apply(.name, party?.name ?? id.description)),
            "role": .string(role ?? (party?.isCustomer == false ? "owner" : "customer")), "@referredType": .string(type),
        ]
    }

    /// The party itself, be it a customer or not.
    func engaged(_ id: CustomerID, _ masking: Masking) -> JSONObject {
        let type = known[id].map(partyType) ?? "Individual"
        return [
            "id": .string(id.description), "name": .string(masking.apply(.name, known[id]?.name ?? id.description)),
            "href": .string("\(CustomerResources.parties.base)/\(type == "Individual" ? "individual" : "organization")/\(id)"),
            "@referredType": .string(type),
        ]
    }

    private func partyType(_ party: Party) -> String { party.isPerson ? "Individual" : "Organization" }
}

/// Ways to reach somebody, in the columns that tables of them share.
enum MediumFields {
    static let all: [TMFField] = [
        TMFField("mediumType", "medium_type"), TMFField("preferred", "preferred", .boolean),
        TMFField("characteristic.phoneNumber", "phone", mask: .phone), TMFField("characteristic.emailAddress", "email", mask: .email),
        TMFField("characteristic.faxNumber", "fax", mask: .phone),
        TMFField("characteristic.socialNetworkId", "social_id", mask: .identity),
        TMFField("characteristic.street1", "street1", mask: .address), TMFField("characteristic.street2", "street2", mask: .address),
        TMFField("characteristic.city", "city"), TMFField("characteristic.stateOrProvince", "region"),
        TMFField("characteristic.postCode", "post_code", mask: .address), TMFField("characteristic.country", "country"),
    ]
    static let period: [TMFField] = [
        TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_to", .time),
    ]
}
