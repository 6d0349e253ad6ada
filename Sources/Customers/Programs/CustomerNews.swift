import Contracts
import Kernel
import Platform
import Storage
import TMF

/// What people on pages and imports change of the documents of customers (TMF629), parties (TMF632), bills (TMF678) and accounts (TMF666).
enum CustomerNews {
    static let all = [
        TMFNews("customers", CustomersChanged.self, of: [CustomerResources.customers.number, CustomerResources.parties.number]) {
            try changes($0, $1)
        },
        TMFNews("bills", RecordsChanged.self, of: [BillResource.api.number]) { event, _ in
            guard event.entity == ChargeRecords.bills.entity else { return [] }
            return TMFChanged.records(BillResource.api.number, "customerBill", event)
        },
        TMFNews("accounts", RecordsChanged.self, of: [AccountResources.api.number]) { event, _ in
            guard event.entity == AccountRecords.accounts.entity else { return [] }
            return (event.classes ?? [:]).sorted { $0.key < $1.key }.flatMap { kind, ids in
                TMFChanged.records(AccountResources.api.number, AccountFace(kind).name, event.only(Set(ids)))
            }
        },
    ]

    static let kinds: SQL = "SELECT id, kind FROM customers_party WHERE TRUE"

    /// Fields that only documents of parties have, with their attributes.
    private static let party = [
        "family_name": "familyName", "given_name": "givenName", "gender": "gender", "birth_date": "birthDate", "language": "languageAbility",
        "document_kind": "individualIdentification", "document_number": "individualIdentification", "source_id": "externalReference",
        "industry": "organizationType",
    ]
    /// Fields that only documents of customers have.
    private static let customer = [
        "status": "status", "status_reason": "statusReason", "start_date": "validFor", "left": "validFor", "left_on": "validFor",
        "segment": "characteristic", "payment_method": "characteristic",
    ]
    /// Both have them, under these names in either or not in both alike.
    private static let both: [String: (party: String, customer: String)] = [
        "full_name": ("fullName", "name"), "phone": ("contactMedium", "contactMedium"), "email": ("contactMedium", "contactMedium"),
        "address": ("contactMedium", "contactMedium"), "postcode": ("contactMedium", "contactMedium"),
        "region": ("contactMedium", "characteristic"), "city": ("contactMedium", "characteristic"), "country": ("contactMedium", "contactMedium"),
        "kind": ("", "engagedParty"),
    ]
    static func changes(_ event: CustomersChanged, _ session: any SQLSession) throws -> [TMFChanged] {
        guard event.records == nil else { return [] }
        let (own, theirs) = attributes(event.fields)
        let kinds: [CustomerID: CustomerKind]
        if event.kind == .removed {
            let organisations = Set(event.organisations ?? [])
            kinds = event.ids.reduce(into: [:]) { $0[$1] = organisations.contains($1) ? .organisation : .individual }
        } else {
            kinds = try self.kinds(event.ids, session)
        }
        var result: [TMFChanged] = []
        for id in event.ids {
            func tell(_ api: TMFAPI, _ name: String, _ attributes: Set<String>?, isMoved: Bool) {
                if event.program == name { return }
                if let attributes, attributes.isEmpty, event.kind == .updated { return }
                let told: [TMFChanged.Kind] =
                    switch event.kind {
                    case .created: [.created]
                    case .removed: [.removed]
                    case .updated: isMoved ? (attributes == ["status"] ? [.stateChanged] : [.changed, .stateChanged]) : [.changed]
                    }
                result.append(
                    TMFChanged(api: api.number, resource: name, id: id.rawValue, kinds: told, attributes: (attributes ?? []).sorted()))
            }
            tell(CustomerResources.customers, "customer", own, isMoved: event.fields.contains("status"))
            // By the program's word the customer goes and the party stays.
            if event.program == "customer", event.kind != .updated { continue }
            switch kinds[id] {
            case .individual: tell(CustomerResources.parties, "individual", theirs, isMoved: false)
            case .organisation:
                tell(CustomerResources.parties, "organization", theirs.map { Set($0.map(Self.ofOrganisation)) }, isMoved: false)
            case nil: break
            }
        }
        return result
    }

    private static func ofOrganisation(_ attribute: String) -> String {
        switch attribute {
        case "fullName": "tradingName"
        case "individualIdentification": "organizationIdentification"
        default: attribute
        }
    }

    /// The attributes of customers and of parties that these fields are; `nil` = an import, which tells no fields.
    static func attributes(_ fields: [String]) -> (customer: Set<String>?, party: Set<String>?) {
        guard !fields.isEmpty else { return (nil, nil) }
        var own: Set<String> = []
        var theirs: Set<String> = []
        for field in fields {
            if let name = party[field] {
                theirs.insert(name)
                if field == "family_name" || field == "given_name" { own.insert("name") }
            } else if let name = customer[field] {
                own.insert(name)
            } else if let names = both[field] {
                own.insert(names.customer)
                if !names.party.isEmpty { theirs.insert(names.party) }
            } else if CustomerFields.byKey[field] == nil, !field.hasPrefix("line.") {
                // What operators have defined themselves. Lines and what is known besides are no part of either document.
                own.insert("characteristic")
            }
        }
        return (own, theirs)
    }

    private static func kinds(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: CustomerKind] {
        var result: [CustomerID: CustomerKind] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(kinds)
            builder.appendIn("AND id", chunk.map { .id($0) })
            for (id, kind) in try session.query(builder, { ($0.id(0, PartyKind.self), CustomerKind(rawValue: $0.text(1))) }) {
                result[id] = kind
            }
        }
        return result
    }
}

extension RecordsChanged {
    /// The same of these ids.
    fileprivate func only(_ ids: Set<Int64>) -> RecordsChanged {
        RecordsChanged(
            entity: entity, created: created.filter(ids.contains), changed: changed.filter(ids.contains), moved: moved.filter(ids.contains),
            removed: removed.filter(ids.contains))
    }
}
