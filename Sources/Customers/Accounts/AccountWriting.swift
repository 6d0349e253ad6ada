import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What a document says of an account, as the rows have it.
struct AccountWriting {
    static let shift: SQL = "SELECT billing_shift FROM customers_bill_cycle WHERE id = $1"
    static let insertRole: SQL = """
        INSERT INTO customers_account_role (customer_id, id, holder_id, account_id, role) VALUES ($1, $2, $3, $4, $5)
        """
    static let deleteRole: SQL = """
        DELETE FROM customers_account_role WHERE customer_id = $1 AND holder_id = $2 AND account_id = $3 AND role = $4
        """

    /// Who is named in an account.
    struct Named {
        /// `nil` = nobody of ours.
        var holder: CustomerID?
        /// Customers with a role that the table of roles knows.
        var roles: [(party: CustomerID, role: AccountRole)] = []
        var others: [JSONValue] = []
        /// All who are ours.
        var ours: Set<CustomerID> = []
    }

    let context: TMFContext
    let session: any SQLSession

    /// - Parameter holder: whose the account is already; `nil` = a new one, whose it is by what the parties' roles say.
    func named(_ document: JSONObject, holder: CustomerID? = nil) throws -> Named {
        let parties = document["relatedParty"]?.array ?? []
        let ids = parties.map { $0["id"]?.string.flatMap { CustomerID($0) } }
        let asked = Array(Set(ids.compactMap { $0 })).filter { $0.rawValue > 0 }.sorted()
        var result = Named()
        for chunk in asked.chunked(Limits.sqlListChunk) {
            result.ours.formUnion(try PartyReach().reachable(chunk, for: context.principal, session))
        }
        let roles = parties.map { $0["role"]?.string?.lowercased() ?? "" }
        func first(_ isMeant: (String) -> Bool) -> CustomerID? {
            zip(ids, roles).first { id, role in id.map(result.ours.contains) == true && isMeant(role) }?.0
        }
        result.holder =
            holder.flatMap { result.ours.contains($0) ? $0 : nil }
            ?? (holder == nil ? first(Self.holding.contains) ?? first { AccountRole(rawValue: $0) == nil } ?? first { _ in true } : nil)
        let lone = try PartyRows.lone(result.ours.sorted(), session)
        var isHeld = false
        for (place, party) in parties.enumerated() {
            guard let id = ids[place], result.ours.contains(id) else {
                result.others.append(party)
                continue
            }
            if let role = AccountRole(rawValue: roles[place]), !lone.contains(id) {
                if !result.roles.contains(where: { $0.party == id && $0.role == role }) { result.roles.append((id, role)) }
            } else if id == result.holder, !isHeld {
                isHeld = true
            } else {
                result.others.append(party)
            }
        }
        return result
    }

    private static let holding: Set<String> = ["customer", "owner", "holder", "account holder", "accountholder", "accountowner"]

    /// The document in the names of `AccountRows`.
    /// - Parameters:
    ///   - old: what it was before; empty for a new one.
    ///   - head: the row as it is; `nil` = there is none yet.
    func stored(
        _ document: JSONObject, from old: JSONObject = [:], _ named: Named, holder: CustomerID, _ head: AccountRows.Head?
    ) throws -> JSONObject {
        var result = document
        result["holder"] = .string(holder.description)
        result["otherParty"] = named.others.isEmpty ? nil : .array(named.others)
        let structure = document["billStructure"]
        func put(_ id: String, _ name: String, _ reference: JSONValue?) {
            guard let reference, reference != .null else { return }
            let isReference = reference["isRef"]?.bool == true || AccountResources.isElsewhere(reference)
            if isReference { result[id] = reference["id"] }
            result[name] = reference["name"]
        }
        if let period = document["validFor"]?.object {
            let zone = context.tenant.timeZoneOffsetMinutes
            result["validFor"] = .object(
                period.mapValues { time in
                    time.string.flatMap { TMFDay.day($0, offsetMinutes: zone) }.map { .string($0.description) } ?? time
                })
        }
        put("cycleId", "cycleName", structure?["cycleSpecification"])
        put("formatId", "formatName", structure?["format"])
        let media = (structure?["presentationMedia"]?.array ?? []).map { one -> JSONValue in
            var kept = one.object ?? [:]
            if one["isRef"]?.bool != true { kept["id"] = nil }
            return .object(kept)
        }
        result["media"] = media.isEmpty ? nil : .array(media)
        if let head, head.name == nil, document["name"] == .string(head.number) { result["name"] = nil }
        if let method = document["defaultPaymentMethod"], method["id"] == method["name"] {
            result["defaultPaymentMethod"] = .object(["name": method["name"] ?? .null])
        }
        // A day of the month that the bills' cycle names goes where imports have it.
        let cycle = structure?["cycleSpecification"]
        let day = head != nil && cycle == old["billStructure"]?["cycleSpecification"] ? head?.billDay : try billDay(cycle)
        result["billDay"] = day.map { .int($0) }
        if let day, result["cycleName"] == .string(AccountDocument.cycleName(day)) { result["cycleName"] = nil }
        result["parentNumber"] = try parent(document, old, head).map { .string($0) }
        return result
    }

    private func billDay(_ cycle: JSONValue?) throws -> Int64? {
        var shift = cycle?["billingDateShift"]?.int
        if shift == nil, let cycle, cycle["isRef"]?.bool == true, let id = AccountResources.id(cycle) {
            shift = try session.query(Self.shift, [.int(id)]) { $0.optionalInt(0) }.first.flatMap { $0 }
        }
        return shift.flatMap { (0...30).contains($0) ? $0 + 1 : nil }
    }

    static func isParent(_ relation: JSONValue) -> Bool { relation["relationshipType"]?.string?.lowercased() == "parent" }

    private func parent(_ document: JSONObject, _ old: JSONObject, _ head: AccountRows.Head?) throws -> String? {
        func named(_ document: JSONObject) -> JSONValue? { document["accountRelationship"]?.array?.first(where: Self.isParent) }
        let (before, now) = (named(old), named(document))
        // One that is not here is known by its number only, and not shown.
        if before == now { return head?.parent }
        guard let id = now?["account"].flatMap(AccountResources.id) else { return nil }
        return try AccountRows.heads([id], session)[id]?.number
    }

    // MARK: Checks

    /// What a document newly names, without an address of another system, must be here.
    /// - Parameter own: the id of the account itself.
    func check(_ document: JSONObject, from old: JSONObject, own: Int64?) throws {
        let relations = document["accountRelationship"]?.array ?? []
        if document["accountRelationship"] != old["accountRelationship"] {
            for relation in relations where own != nil && relation["account"].flatMap(AccountResources.id) == own {
                throw AccountResources.refused(
                    "own_parent", 400, "accountRelationship.account",
                    Words(en: "An account cannot be related to itself.", zh: "账户不能与自身建立关联。"))
            }
            try Self.checkAccounts(relations.compactMap { $0["account"] }, "accountRelationship.account", context, session)
        }
        if let financial = document["financialAccount"], financial != old["financialAccount"], !AccountResources.isElsewhere(financial) {
            let id = AccountResources.id(financial)
            let store = FinancialAccountStore(tenant: context.tenant)
            let found = try id.map { try store.documents([$0], context.principal, session) } ?? []
            guard !found.isEmpty else { throw Self.unknown("FinancialAccount", "financialAccount", financial) }
        }
        if document["billStructure"] != old["billStructure"] { try checkStructure(document["billStructure"]) }
    }

    private func checkStructure(_ structure: JSONValue?) throws {
        let references: [(String, String, BillSettingStore, [JSONValue])] = [
            ("BillingCycleSpecification", "billStructure.cycleSpecification", .cycles, [structure?["cycleSpecification"]].compactMap { $0 }),
            ("BillFormat", "billStructure.format", .formats, [structure?["format"]].compactMap { $0 }),
            ("BillPresentationMedia", "billStructure.presentationMedia", .media, structure?["presentationMedia"]?.array ?? []),
        ]
        for (type, place, store, all) in references {
            for one in all where one["isRef"]?.bool == true && !AccountResources.isElsewhere(one) {
                let found = try AccountResources.id(one).map { try store.documents([$0], context.principal, session) } ?? []
                guard !found.isEmpty else { throw Self.unknown(type, place, one) }
            }
        }
    }

    static func checkAccounts(
        _ references: [JSONValue], _ place: String, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        for (number, one) in references.enumerated() where one["id"] != nil && !AccountResources.isElsewhere(one) {
            let store = AccountStore(face: .party, tenant: context.tenant, holds: [])
            let financial = FinancialAccountStore(tenant: context.tenant)
            let isThere =
                try AccountResources.id(one).map { id in
                    try !store.documents([id], context.principal, session).isEmpty
                        || !financial.documents([id], context.principal, session).isEmpty
                } ?? false
            guard isThere else { throw CRMError.unknownReference("Account", one["id"]?.string ?? "", at: "\(place)[\(number)].id") }
        }
    }

    private static func unknown(_ type: String, _ place: String, _ reference: JSONValue) -> CRMError {
        CRMError.unknownReference(type, reference["id"]?.string ?? "", at: place + ".id")
    }

    // MARK: Roles

    /// Brings the roles in an account to what a document says. What the caller cannot see stays.
    /// - Returns: customers whose roles have changed.
    func settle(
        _ roles: [(party: CustomerID, role: AccountRole)], _ place: RecordPlace, seen: [AccountDocument.Role]
    ) throws -> Set<CustomerID> {
        var touched: Set<CustomerID> = []
        for old in seen where !roles.contains(where: { $0.party == old.party && $0.role.rawValue == old.role }) {
            try session.execute(Self.deleteRole, [.id(old.party), .id(place.customer), .int(place.id), .text(old.role)])
            touched.insert(old.party)
        }
        for (party, role) in roles where !seen.contains(where: { $0.party == party && $0.role == role.rawValue }) {
            try session.execute(
                Self.insertRole,
                [.id(party), .id(context.tenant.ids.next(AnyKind.self)), .id(place.customer), .int(place.id), .text(role.rawValue)])
            touched.insert(party)
        }
        return touched
    }
}
