import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Customers (TMF629) and parties (TMF632) as programs reach them.
package enum CustomerResources {
    static let customers = TMFAPI(629, "customerManagement")
    static let parties = TMFAPI(632, "party")

    /// The customer's states as the product has them (B4).
    static let states = TMFStates(
        "status", first: CustomerStatus.active.rawValue, initial: ["prospect", "onboarding"],
        next: Dictionary(uniqueKeysWithValues: CustomerStatus.allCases.map { ($0.rawValue, $0.next.map(\.rawValue)) }))

    /// - Parameter holds: what other domains have of customers, who then cannot be removed.
    /// - Parameter accountHolds: what other domains have of accounts.
    static func all(_ schemas: TMFSchemas, _ holds: [CustomerHold], _ accountHolds: [AccountHold]) throws -> [TMFResource] {
        let party = try schemas.schema(parties.number)
        func resource(_ kind: CustomerKind, _ name: String, _ type: String) -> TMFResource {
            var result = TMFResource(
                parties, name, type: type, schema: party, view: CustomerPermissions.view, edit: CustomerPermissions.edit,
                subjects: { id, _ in [.customer(CustomerID(id))] },
                next: TMFFace(
                    [TMFFace.relatedParty, TMFFace.contactMedium, TMFFace.externalReference]
                        + (kind == .individual ? [TMFFace.fullName] : [])),
                store: { PartyResourceStore(kind: kind, tenant: $0) })
            result.isPerson = true
            return result
        }
        return [
            TMFResource(
                customers, "customer", type: "Customer", schema: try schemas.schema(customers.number),
                view: CustomerPermissions.view, edit: CustomerPermissions.edit, states: states,
                subjects: { id, _ in [.customer(CustomerID(id))] },
                next: TMFFace([TMFFace.relatedParty, TMFFace.contactMedium]),
                store: { CustomerResourceStore(tenant: $0, holds: holds) }),
            resource(.individual, "individual", "Individual"), resource(.organisation, "organization", "Organization"), try BillResource.resource(schemas),
            try RateResource.resource(schemas), try PartyRoles.resource(schemas),
        ] + (try AccountResources.all(schemas, accountHolds))
    }

    static var scopes: [APIScope] {
        TMFAccess.scopes(
            customers, Words(en: "customers", zh: "客户"), view: CustomerPermissions.view, edit: CustomerPermissions.edit)
            + TMFAccess.scopes(
                parties, Words(en: "persons and organisations", zh: "个人与机构"), view: CustomerPermissions.view,
                edit: CustomerPermissions.edit) + BillResource.scopes + PartyRoles.scopes + AccountResources.scopes
    }

    static let named: SQL = "SELECT customer_id FROM customers_listing WHERE sort_name = $1"
    static let namedLone: SQL = "SELECT id FROM customers_lone_party WHERE folded_name = $1"
    static let reachedLone: SQL = """
        SELECT m.customer_id FROM customers_contact_medium m
        WHERE m.customer_id IN (SELECT id FROM customers_lone_party) AND m.value = $1
        """

    /// Columns that find people as the search box does; the documents tell who it is.
    static func searched(_ name: String) -> [TMFColumn] {
        func all(
            _ kind: SearchKind, _ path: String, _ mask: MaskKind, stored: @escaping @Sendable (String) -> String = { $0 },
            _ compact: @escaping @Sendable (String) -> String
        ) -> TMFColumn {
            TMFColumn(
                path,
                .searched { values, dialect in
                    values.flatMap { value -> [SQLBuilder] in
                        let term = SearchTerm.token(kind, compact(value))
                        let found = term.isEmpty ? [] : [SearchIndex.within(term, dialect)]
                        return found + [SQLBuilder(reachedLone, [.text(stored(value))])]
                    }
                }, mask: mask) { .text($0) }
        }
        return [
            TMFColumn(
                name,
                .searched { values, _ in
                    values.flatMap { value in
                        let folded = SQLValue.text(Folding.fold(value))
                        return [SQLBuilder(named, [folded]), SQLBuilder(namedLone, [folded])]
                    }
                }, mask: .name) { .text($0) },
            all(
                .number, "contactMedium.characteristic.phoneNumber", .phone, stored: { PhoneNumber($0)?.e164 ?? $0 }
            ) { text in
                String(decoding: SearchText.digits(PhoneNumber(text)?.e164 ?? text).prefix(SearchText.wordMax - 1), as: UTF8.self)
            },
            all(.email, "contactMedium.characteristic.emailAddress", .email) { SearchText.compact($0) },
        ]
    }
}

/// Customers as documents.
struct CustomerResourceStore: TMFWritingStore {
    static let accounts: SQL = "SELECT customer_id, id, number, name, kind FROM customers_account WHERE TRUE"
    static let withLines: SQL = "SELECT 1 FROM customers_subscription WHERE customer_id = $1 LIMIT 1"
    static let withCharges: SQL = "SELECT 1 FROM customers_charge WHERE customer_id = $1 LIMIT 1"
    static let withAccounts: SQL = "SELECT 1 FROM customers_account WHERE customer_id = $1 LIMIT 1"
    private static let listed = TMFTable(
        from: "customers_listing l", id: "l.customer_id",
        columns: [
            .id("id", .own("l.customer_id")), .id("engagedParty.id", .own("l.customer_id")), .text("status", "l.status"),
            .folded("name", "l.sort_name", mask: .name) { Folding.fold($0) },
        ] + CustomerResources.searched("name"),
        scope: { principal, builder in CustomerScope.narrow(&builder, principal, column: "AND l.region") })

    let tenant: Tenant
    let holds: [CustomerHold]
    var table: TMFTable { Self.listed }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let reachable = try ids.chunked(Limits.sqlListChunk).reduce(into: Set<CustomerID>()) {
            $0.formUnion(try CustomerScope.reachable($1.map { CustomerID($0) }, principal, session))
        }
        let known = ids.map { CustomerID($0) }.filter(reachable.contains)
        var accounts: [CustomerID: [JSONValue]] = [:]
        let masking = Masking(principal)
        for chunk in known.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.accounts)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            builder.append("ORDER BY customer_id, id")
            for (customer, account) in try session.query(builder, { row -> (CustomerID, JSONValue) in
                let name = row.optionalText(3).map { masking.apply(.name, $0) } ?? row.text(2)
                return (row.id(0), AccountFace.reference(row.text(4), id: row.int(1), name: name))
            }) { accounts[customer, default: []].append(account) }
        }
        let attributes = try AttributeStore.all(session)
        let shown = PartyDocument(masking: masking, zone: tenant.timeZoneOffsetMinutes, attributes: attributes)
        return try CustomerLoader.listed(known, hasAttributes: !attributes.isEmpty, session).map {
            ($0.id.rawValue, shown.customer($0, accounts: accounts[$0.id] ?? []))
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let engaged = document["engagedParty"]?["id"]?.string ?? ""
        let id = CustomerID(engaged)
        guard let id, let party = try CustomerLoader.parties([id], session).first else {
            throw CRMError.unknownReference("Party", engaged, at: "engagedParty.id")
        }
        guard try PartyRows.reachable([id], context.principal, session).contains(id) else {
            // Of a customer out of reach nothing is told.
            let isSeen = try CustomerScope.reachable([id], context.principal, session).contains(id)
            throw isSeen
                ? Self.refused(
                    "is_customer", 409,
                    Words(en: "The party \(id) is a customer already, by the same id.", zh: "参与方 \(id) 已是客户（同一编号）。"))
                : CRMError.unknownReference("Party", engaged, at: "engagedParty.id")
        }
        var record = party
        record.customer = Customer(currency: tenant.currency, source: "api", createdAt: context.now)
        record.customer.status = document["status"]?.string.flatMap(CustomerStatus.init) ?? .active
        var before = document
        for name in ["name", "statusReason", "validFor", "characteristic", "contactMedium"] { before[name] = nil }
        // Nothing is said of media by one who does not name them.
        if document["contactMedium"] == nil { before["contactMedium"] = document["contactMedium"] }
        try PartyDocument.applyCustomer(
            document, from: before, to: &record, try AttributeStore.all(session), tenant)
        // What says nothing else is of the region that the party was made in.
        if record.customer.region == nil {
            record.customer.region = try PartyRows.region(id, session).map { try CustomerScope.spelled($0, context.principal, session) }
        }
        try PartyRows.remove(id, session)
        try CustomerStore(tenant: tenant).insert(record, by: context.principal, program: "customer", session)
        // Accounts that the party had already are found where the customer is.
        try NumberIndex.moved([id], session)
        try tellParty(from: party, to: record, context, session)
        return id.rawValue
    }

    /// The name and the ways of reaching somebody are the party's: who hears of parties hears that they have changed.
    private func tellParty(
        from old: CustomerRecord, to new: CustomerRecord, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let shown = PartyDocument(masking: Masking(Masking.lifted(context.principal)), zone: tenant.timeZoneOffsetMinutes)
        let isPerson = new.party.kind == .individual
        let (before, after) = isPerson
            ? (shown.individual(old), shown.individual(new)) : (shown.organization(old), shown.organization(new))
        let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        guard !changed.isEmpty else { return }
        try tenant.outbox.append(
            TMFChanged(
                api: CustomerResources.parties.number, resource: isPerson ? "individual" : "organization", id: new.id.rawValue, kinds: [.changed],
                attributes: changed), session)
    }

    private static func refused(_ code: String, _ status: Int, _ words: Words) -> CRMError {
        CRMError(code, status: status, words, fields: [.init(field: "engagedParty", code: code, message: words)])
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        for name in ["engagedParty", "account"] where old[name] != new[name] {
            let words = Words(
                en: "“\(name)” cannot be changed here.", zh: "“\(name)”不能在此修改。")
            throw CRMError("fixed", status: 400, words, fields: [.init(field: name, code: "fixed", message: words)])
        }
        let store = CustomerStore(tenant: tenant)
        let before = try store.read(CustomerID(id), context.principal, session)
        let attributes = try AttributeStore.all(session)
        try store.change(
            CustomerID(id), edition: before.customer.edition, by: context.principal,
            as: CustomerStore.Act(program: "customer"), record: { _ in }, session
        ) { _, after in
            if old["status"] != new["status"], let status = new["status"]?.string.flatMap(CustomerStatus.init) {
                after.customer.status = status
                if before.customer.status == .churned, status == .wonBack { after.setLeft(false, store.context) }
                after.customer.status = status
            }
            try PartyDocument.applyCustomer(new, from: old, to: &after, attributes, tenant)
        }
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let customer = CustomerID(id)
        var found: [Words] = []
        for (statement, words) in [
            (Self.withLines, Words(en: "lines", zh: "号码")), (Self.withCharges, Words(en: "bills or payments", zh: "账单或缴费")),
            (Self.withAccounts, Words(en: "accounts", zh: "账户")),
        ] where try session.exists(statement, [.id(customer)]) { found.append(words) }
        for hold in holds where try hold.holders([customer], session).contains(customer) { found.append(hold.words) }
        guard found.isEmpty else {
            let (en, zh) = (found.map(\.en).joined(separator: ", "), found.map(\.zh).joined(separator: "、"))
            throw CRMError(
                "in_use", status: 409,
                Words(
                    en: "The customer has \(en) and cannot be removed. End the relation by its status instead.",
                    zh: "该客户有\(zh)，不能删除。请改为变更其状态。"))
        }
        guard let record = try CustomerLoader.record(customer, session) else { throw CRMError.notFound }
        try CustomerWriter(ids: tenant.ids, countryCode: tenant.countryCode, session).remove([record], session)
        var party = record
        party.sourceIDs = [:]
        try PartyRows.put(party, region: record.customer.region, session)
        try tenant.outbox.append(CustomersChanged(ids: [customer], fields: [], kind: .removed, program: "customer"), session)
    }
}

/// Persons or organisations as documents, whether they are customers or not.
struct PartyResourceStore: TMFWritingStore {
    let kind: CustomerKind
    let tenant: Tenant

    private static let individuals = table(.individual, "fullName")
    private static let organisations = table(.organisation, "tradingName")
    var table: TMFTable { kind == .individual ? Self.individuals : Self.organisations }

    private static let reference = "externalReference.name"
    static let referred: SQL = "SELECT customer_id FROM customers_search WHERE kind = $1 AND token = $2"
    static let identified: SQL = """
        SELECT d.customer_id FROM customers_identity_document d
        WHERE d.customer_id IN (SELECT id FROM customers_lone_party) AND d.number = $1
        """
    static let born: SQL = "SELECT b.id FROM customers_party b WHERE b.birth_date IS NOT NULL AND b.birth_date IN ($1, $2, $3)"

    /// Columns that narrow the list; the documents tell whose the value is.
    private static func columns(_ kind: CustomerKind) -> [TMFColumn] {
        let (resource, document) = kind == .individual
            ? ("individual", "individualIdentification") : ("organization", "organizationIdentification")
        let references = TMFColumn(
            reference,
            .searched { values, _ in
                values.flatMap { value in
                    let token = SQLValue.text(Folding.fold(value))
                    return [
                        SQLBuilder(referred, [.int(SearchTokens.Kind.reference.rawValue), token]),
                        TMFTable.kept(resource, reference, value),
                    ]
                }
            }, mask: .identity) { .text($0) }
        let documents = TMFColumn(
            document + ".identificationId",
            .searched { values, dialect in
                values.flatMap { value -> [SQLBuilder] in
                    let term = SearchTerm.token(.document, SearchText.compact(value))
                    return (term.isEmpty ? [] : [SearchIndex.within(term, dialect)]) + [SQLBuilder(identified, [.text(value)])]
                }
            }, mask: .identity) { .text($0) }
        guard kind == .individual else { return [references, documents] }
        // A moment of a client's may be of the day before or the day after where it was written.
        let birth = TMFColumn(
            "birthDate",
            .searched { values, _ in
                values.compactMap { value -> SQLBuilder? in
                    guard let day = TMFDay.day(value, offsetMinutes: 0) else { return nil }
                    return SQLBuilder(born, [-1, 0, 1].map { .text(day.adding(days: $0).description) })
                }
            }, mask: .date) { .text($0) }
        return [references, documents, birth]
    }

    private static func table(_ kind: CustomerKind, _ name: String) -> TMFTable {
        TMFTable(
            from: "customers_party p", id: "p.id", columns: [.id("id", .own("p.id"))] + CustomerResources.searched(name) + columns(kind),
            keptPaths: [reference],
            scope: { principal, builder in
                builder.append("AND p.kind = ?", .text(kind.rawValue))
                guard principal.scope.regions != nil else { return }
                builder.append("AND (EXISTS (SELECT 1 FROM customers_listing l WHERE l.customer_id = p.id")
                CustomerScope.narrow(&builder, principal, column: "AND l.region")
                builder.append(") OR EXISTS (SELECT 1 FROM customers_lone_party n WHERE n.id = p.id")
                CustomerScope.narrow(&builder, principal, column: "AND n.region")
                builder.append("))")
            })
    }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        var known = ids.map { CustomerID($0) }
        if principal.scope.regions != nil {
            let reachable = try known.chunked(Limits.sqlListChunk).reduce(into: Set<CustomerID>()) {
                $0.formUnion(try CustomerScope.reachable($1, principal, session))
                $0.formUnion(try PartyRows.reachable($1, principal, session))
            }
            known = known.filter(reachable.contains)
        }
        let shown = PartyDocument(masking: Masking(principal), zone: tenant.timeZoneOffsetMinutes)
        return try CustomerLoader.parties(known, session).filter { $0.party.kind == kind }.map {
            ($0.id.rawValue, kind == .individual ? shown.individual($0) : shown.organization($0))
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        // It is of its maker's region until a customer gives it one; of several, of the first.
        let region = try CustomerScope.own(context.principal, session)
        guard context.principal.scope.regions == nil || region != nil else {
            throw CRMError(
                "out_of_reach", status: 403,
                Words(
                    en: "You work for no region, so a party that you make would be out of your reach.",
                    zh: "您没有任何地区的权限，创建的参与方将无法访问。"))
        }
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: kind, displayName: ""),
            customer: Customer(currency: tenant.currency, source: "api", createdAt: context.now))
        try PartyDocument.apply(document, from: [:], to: &record, tenant)
        // The numbers of sources find customers only.
        record.sourceIDs = [:]
        try PartyRows.put(record, region: region, session)
        return record.id.rawValue
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let party = CustomerID(id)
        func apply(_ record: inout CustomerRecord) throws {
            try PartyDocument.apply(new, from: old, to: &record, tenant)
        }
        if try PartyRows.lone([party], session).contains(party) {
            guard var record = try CustomerLoader.parties([party], session).first else { throw CRMError.notFound }
            try apply(&record)
            record.sourceIDs = [:]
            return try PartyRows.put(record, region: try PartyRows.region(party, session), session)
        }
        let store = CustomerStore(tenant: tenant)
        let before = try store.read(party, context.principal, session)
        let name = kind == .individual ? "individual" : "organization"
        try store.change(
            party, edition: before.customer.edition, by: context.principal, as: CustomerStore.Act(program: name),
            record: { _ in }, session
        ) { _, after in try apply(&after) }
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let party = CustomerID(id)
        guard try PartyRows.lone([party], session).contains(party) else {
            throw CRMError(
                "in_use", status: 409,
                Words(
                    en: "The party is the customer \(party). Remove that first (TMF629).",
                    zh: "该参与方是客户 \(party)，请先删除客户（TMF629）。"))
        }
        let held = try PartyRoles.held(party, session)
        guard held.isEmpty else {
            let (en, zh) = (held.map(\.en).joined(separator: ", "), held.map(\.zh).joined(separator: "、"))
            throw CRMError(
                "in_use", status: 409,
                Words(en: "The party has \(en). Remove those first.", zh: "该参与方有\(zh)，请先删除这些内容。"))
        }
        try PartyRows.remove(party, session)
    }
}
