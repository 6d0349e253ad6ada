import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Accounts of customers_account, whoever made them: programs, imports.
struct AccountStore: TMFWritingStore {
    /// What programs make has no other source.
    static let source = "api"

    static let update: SQL = """
        UPDATE customers_account SET edition = COALESCE(edition, 0) + 1, kind = $3, parent_number = $4, bill_day = $5
        WHERE customer_id = $1 AND id = $2
        """
    static let close: SQL = """
        UPDATE customers_account SET closed_on = $3 WHERE customer_id = $1 AND id = $2 AND status = 'closed' AND closed_on IS NULL
        """
    static let billed: SQL = "SELECT 1 FROM customers_charge WHERE customer_id = $1 AND account_number = $2 LIMIT 1"
    static let below: SQL = "SELECT 1 FROM customers_account WHERE parent_number = $1 AND source = $2 AND customer_id = $3 LIMIT 1"
    static let related: SQL = "SELECT 1 FROM customers_account_relation WHERE account_id = $1 LIMIT 1"
    static let played: SQL = "SELECT 1 FROM customers_party_role_account WHERE account_id = $1 LIMIT 1"
    static let roleKeys: SQL = """
        DELETE FROM customers_record_key WHERE kind = 'account_roles' AND customer_id = $1 AND record_id IN (
          SELECT id FROM customers_account_role WHERE customer_id = $1 AND holder_id = $2 AND account_id = $3)
        """
    static let roleRows: SQL = "DELETE FROM customers_account_role WHERE holder_id = $1 AND account_id = $2"
    static let keys: SQL = "DELETE FROM customers_record_key WHERE kind = 'accounts' AND customer_id = $1 AND record_id = $2"
    static let editions: SQL = "SELECT edition FROM customers_account WHERE customer_id = $1 AND id = $2"

    let face: AccountFace
    let tenant: Tenant
    let holds: [AccountHold]

    var table: TMFTable {
        let rows = AccountRows.accounts.table
        let face = face
        return TMFTable(
            from: rows.from, id: rows.id, columns: rows.columns, hasClasses: true,
            scope: { _, builder in
                switch face {
                case .party: break
                case .billing: builder.append("AND r.kind = ?", .text(AccountKind.billing.rawValue))
                case .settlement: builder.append("AND r.kind = ?", .text(AccountKind.settlement.rawValue))
                }
            }, needsDocuments: rows.needsDocuments)
    }
    var whole: Set<String> { AccountRows.accounts.whole }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try AccountDocument(tenant, principal).documents(ids, face, session)
    }

    // MARK: Writing

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        if face == .party, let type = document["@type"]?.string,
            let other = AccountFace.allCases.first(where: { $0 != .party && $0.type == type })
        {
            throw elsewhere(other, 400)
        }
        let writing = AccountWriting(context: context, session: session)
        let named = try writing.named(document)
        guard let holder = named.holder else { throw nobody(document, context) }
        try writing.check(document, from: [:], own: nil)
        let id: ID<AnyKind> = tenant.ids.next()
        let number = document["accountNumber"]?.string ?? id.description
        guard try CustomerFinder.accounts([number], Self.source, session).isEmpty else {
            throw AccountResources.refused(
                "number_taken", 409, "accountNumber",
                Words(en: "There is an account of the number “\(number)” already.", zh: "编号为“\(number)”的账户已存在。"))
        }
        var stored = try writing.stored(document, named, holder: holder, nil)
        stored["accountNumber"] = .string(number)
        stored["kind"] = .string(face.kind(document["accountType"]?.string).rawValue)
        if stored["validFor"]?["startDateTime"] == nil {
            var period = stored["validFor"]?.object ?? [:]
            period["startDateTime"] = .string(today(context).description)
            stored["validFor"] = .object(period)
        }
        try AccountRows.accounts.create(id.rawValue, stored, context, session)
        let place = RecordPlace(customer: holder, id: id.rawValue)
        try session.bulkInsert(
            into: CustomerFinder.keys.table, "kind, source, value, customer_id, record_id",
            [[.text(AccountRecords.accounts.entity), .text(Self.source), .text(number), .id(holder), .int(place.id)]])
        try follow(place, before: nil, after: number, session)
        try tell(holder, try writing.settle(named.roles, place, seen: []), by: 1, session)
        return place.id
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let head = try own(id, session)
        let bills = try AccountBills([head], today: today(context), zone: tenant.timeZoneOffsetMinutes, session).of(head)
        for name in ["accountBalance", "paymentStatus"] where bills != nil && old[name] != new[name] {
            let words = Words(
                en: "“\(name)” follows from the bills of the account and cannot be changed.", zh: "“\(name)”由该账户的账单得出，不可修改。")
            throw AccountResources.refused("fixed", 400, name, words)
        }
        let writing = AccountWriting(context: context, session: session)
        let named = try writing.named(new, holder: head.holder)
        guard named.holder == head.holder else {
            throw AccountResources.refused(
                "other_holder", 409, "relatedParty",
                Words(
                    en: "The account is that of \(head.holder), who must stay among its parties. Whoever takes over gets an account of their own.",
                    zh: "该账户属于 \(head.holder)，其必须保留在相关方中。接手者应另开账户。"))
        }
        try writing.check(new, from: old, own: id)
        var (before, after) = (
            try writing.stored(old, from: old, try writing.named(old, holder: head.holder), holder: head.holder, head),
            try writing.stored(new, from: old, named, holder: head.holder, head)
        )
        if bills != nil { (before["paymentStatus"], after["paymentStatus"]) = (nil, nil) }
        let seen = try AccountDocument.roles([head], context.principal, session)
        try AccountRows.accounts.change(id, from: before, to: after, context, session)
        let kind = face == .party ? face.kind(new["accountType"]?.string).rawValue : head.kind
        try session.execute(
            Self.update,
            [
                .id(head.holder), .int(id), .text(kind), .text(after["parentNumber"]?.string),
                after["billDay"]?.int.map { .int($0) } ?? .null,
            ])
        try session.execute(Self.close, [.id(head.holder), .int(id), .date(today(context))])
        try tell(head.holder, try writing.settle(named.roles, head.place, seen: seen), by: 1, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        let head = try own(id, session)
        var uses: [Words] = []
        let text = SQLValue.text(String(id))
        for (statement, arguments, words) in [
            (Self.billed, [.id(head.holder), .text(head.number)], Words(en: "bills or payments", zh: "账单或缴费")),
            (Self.below, [.text(head.number), .text(head.source), .id(head.holder)], Words(en: "accounts below", zh: "下级账户")),
            (Self.related, [text], Words(en: "relations to other accounts", zh: "其他账户的关联")),
            (Self.played, [text], Words(en: "party roles", zh: "参与方角色")),
        ] as [(SQL, [SQLValue], Words)] where try session.exists(statement, arguments) { uses.append(words) }
        for hold in holds { uses += try hold.users(id, session) }
        guard uses.isEmpty else { throw AccountResources.inUse(Words(en: "The account", zh: "该账户"), uses) }
        let everybody = Masking.lifted(.system(tenant: tenant.name, "accounts"))
        let parties = Set(try AccountDocument.roles([head], everybody, session).map(\.party))
        let edition = try session.query(Self.editions, [.id(head.holder), .int(id)]) { $0.optionalInt(0) }.first.flatMap { $0 } ?? 0
        for party in parties { try session.execute(Self.roleKeys, [.id(party), .id(head.holder), .int(id)]) }
        try session.execute(Self.roleRows, [.id(head.holder), .int(id)])
        try session.execute(Self.keys, [.id(head.holder), .int(id)])
        try follow(head.place, before: head.number, after: nil, session)
        try AccountRows.accounts.remove(id, document, context, session)
        // What is no more does not keep a customer whom an import made.
        try tell(head.holder, parties, by: -1 - Int(edition), session)
    }

    // MARK: Helpers

    /// - Throws: 409 for an account that has a more special name.
    private func own(_ id: Int64, _ session: any SQLSession) throws -> AccountRows.Head {
        guard let head = try AccountRows.heads([id], session)[id] else { throw CRMError.notFound }
        let concrete = AccountFace(head.kind)
        guard concrete == face else { throw elsewhere(concrete, 409) }
        return head
    }

    private func elsewhere(_ other: AccountFace, _ status: Int) -> CRMError {
        let words = Words(
            en: "This is a \(other.type); make, change and remove it as \(other.name).", zh: "这是 \(other.type)，请通过 \(other.name) 创建、修改或删除。")
        return AccountResources.refused("other_resource", status, "@type", words)
    }

    private func nobody(_ document: JSONObject, _ context: TMFContext) -> CRMError {
        if context.principal.scope.regions != nil {
            return AccountResources.refused(
                "out_of_reach", 403, "relatedParty.id",
                Words(en: "“relatedParty.id” must name a customer of your regions.", zh: "“relatedParty.id”必须是您负责区域内的客户。"))
        }
        return AccountResources.refused(
            "unknown_party", 400, "relatedParty",
            Words(
                en: "“relatedParty” names no customer and no party of ours. Make it first (TMF632, TMF629) and name its id.",
                zh: "“relatedParty”中没有已知的客户或参与方。请先通过 TMF632、TMF629 创建并引用其 id。"))
    }

    private func today(_ context: TMFContext) -> LocalDate { context.now.date(offsetMinutes: tenant.timeZoneOffsetMinutes) }

    /// The account is found by its number.
    private func follow(_ place: RecordPlace, before: String?, after: String?, _ session: any SQLSession) throws {
        func values(_ number: String?) -> [String: SQLValue]? { number.map { ["number": .text($0)] } }
        try NumberIndex.follow(.accounts)([RecordChange(place: place, before: values(before), after: values(after))], tenant, session)
    }

    /// A holder with an account more is no longer as an import left them, and pages and others hear of it.
    private func tell(_ holder: CustomerID, _ parties: Set<CustomerID>, by count: Int, _ session: any SQLSession) throws {
        let others = parties.subtracting([holder]).sorted()
        try CustomerRevision.move([(holder, count)] + others.map { ($0, count > 0 ? 1 : -1) }, session)
        let lone = try PartyRows.lone([holder], session)
        let customers = [holder].filter { !lone.contains($0) } + others
        for chunk in customers.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(CustomersChanged(ids: chunk, fields: [], kind: .updated), session)
        }
    }
}
