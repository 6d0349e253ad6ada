import Kernel
import Platform
import Storage
import Web

/// The customer's accounts, and those of others in which the customer has a role.
enum AccountsPanel {
    static let own: SQL = """
        SELECT customer_id, id, number, kind, name, status, parent_number, opened_on, closed_on, source
        FROM customers_account WHERE TRUE
        """
    static let roles: SQL = """
        SELECT customer_id, holder_id, account_id, role, valid_from, valid_to FROM customers_account_role WHERE TRUE
        """
    static let parties: SQL = """
        SELECT l.customer_id, p.display_name, p.kind, c.reference FROM customers_listing l
        JOIN customers_party p ON p.id = l.customer_id JOIN customers_customer c ON c.id = l.customer_id WHERE TRUE
        """
    static let shownMax = 12

    struct Account: Sendable {
        let holder: CustomerID
        let id: Int64
        let number: String
        let kind: AccountKind?
        let name: String?
        let status: AccountStatus?
        let parent: String?
        let openedOn: String?
        let closedOn: String?
        let source: String

        init(_ row: Row) {
            holder = row.id(0)
            id = row.int(1)
            number = row.text(2)
            kind = AccountKind(rawValue: row.text(3))
            name = row.optionalText(4)
            status = AccountStatus(rawValue: row.text(5))
            parent = row.optionalText(6)
            openedOn = row.optionalText(7)
            closedOn = row.optionalText(8)
            source = row.text(9)
        }
    }

    struct Role: Sendable {
        let party: CustomerID
        let holder: CustomerID
        let account: Int64
        let role: AccountRole?
        let from: LocalDate?
        let to: LocalDate?

        init(_ row: Row) {
            party = row.id(0)
            holder = row.id(1)
            account = row.int(2)
            role = AccountRole(rawValue: row.text(3))
            from = row.optionalDate(4)
            to = row.optionalDate(5)
        }

        func holds(_ today: LocalDate) -> Bool { (from.map { $0 <= today } ?? true) && (to.map { $0 >= today } ?? true) }
    }

    private struct Party: Sendable {
        let name: String
        let isPerson: Bool
        let reference: String?
    }

    static func begin(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        let keys = request.customers.map { SQLValue.id($0) }
        var builder = SQLBuilder(own)
        builder.appendIn("AND customer_id", keys)
        builder.append("ORDER BY kind, number, id LIMIT ?", .int(shownMax + 1))
        let accounts = try session.asking(builder) { Account($0) }
        var mine = SQLBuilder(roles)
        mine.appendIn("AND customer_id", keys)
        mine.append("ORDER BY holder_id, account_id, id LIMIT ?", .int(shownMax))
        let played = try session.asking(mine) { Role($0) }
        return .asked {
            let accounts = try accounts.value()
            let played = try played.value().filter { !request.customers.contains($0.holder) }
            guard !accounts.isEmpty || !played.isEmpty else { return .done(nil) }
            return .done(try content(accounts, played, today, request, session))
        }
    }

    private static func content(
        _ own: [Account], _ played: [Role], _ today: LocalDate, _ request: PanelRequest, _ session: any SQLSession
    ) throws -> PanelContent {
        var others = SQLBuilder(roles)
        others.appendIn("AND holder_id", request.customers.map { .id($0) })
        others.appendIn("AND account_id", own.prefix(shownMax).map { .int($0.id) })
        others.append("ORDER BY id LIMIT ?", .int(shownMax * 4))
        let held = own.isEmpty ? [] : try session.query(others) { Role($0) }
        var foreign: [Account] = []
        if !played.isEmpty {
            var builder = SQLBuilder(Self.own)
            builder.appendIn("AND customer_id", Set(played.map(\.holder)).sorted().map { .id($0) })
            builder.appendIn("AND id", Set(played.map(\.account)).sorted().map { .int($0) })
            foreign = try session.query(builder) { Account($0) }
        }
        let wanted = Set(held.map(\.party) + foreign.map(\.holder)).subtracting(request.customers)
        let parties = try parties(wanted, request, session)
        let masking = request.masking
        let rows =
            own.prefix(shownMax).map { account in
                view(
                    account, held.filter { $0.account == account.id && $0.holder == account.holder }, today, parties,
                    request)
            }
            + played.compactMap { role -> View? in
                guard let account = foreign.first(where: { $0.id == role.account && $0.holder == role.holder }) else {
                    return nil
                }
                return foreignView(account, role, today, parties, request)
            }
        let sawNames =
            masking.shows(.name)
            && (parties.values.contains { $0.isPerson && !$0.name.isEmpty } || own.contains { $0.name != nil })
        return PanelContent(
            template: "customers/panel-accounts",
            view: ["accounts": .list(rows), "hasMore": .bool(own.count > shownMax)],
            unmasked: sawNames ? ["name"] : [], others: parties.keys.sorted())
    }

    /// Those within the reader's scope.
    private static func parties(
        _ ids: Set<CustomerID>, _ request: PanelRequest, _ session: any SQLSession
    ) throws -> [CustomerID: Party] {
        guard !ids.isEmpty else { return [:] }
        var builder = SQLBuilder(parties)
        builder.appendIn("AND l.customer_id", ids.sorted().prefix(Limits.sqlListChunk).map { .id($0) })
        CustomerScope.narrow(&builder, request.principal, column: "AND l.region")
        let found = try session.query(builder) { row in
            (
                row.id(0, PartyKind.self),
                Party(
                    name: row.text(1), isPerson: row.text(2) == CustomerKind.individual.rawValue,
                    reference: row.optionalText(3))
            )
        }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    private static func base(_ account: Account, _ request: PanelRequest) -> View {
        let language = request.language
        let parent = account.parent.map { Words(en: "below \($0)", zh: "隶属 \($0)")[language] }
        let span = [account.openedOn, account.closedOn].compactMap { $0 }
        return [
            "kind": .text(account.kind?.words[language] ?? ""), "number": .text(account.number),
            "name": .text(account.name.map { request.masking.apply(.name, $0) }), "parent": .text(parent),
            "status": .text(account.status?.words[language] ?? ""), "badge": .text(account.status?.badge ?? ""),
            "dates": .text(span.isEmpty ? nil : span.joined(separator: " – ")), "source": .text(account.source),
        ]
    }

    private static func view(
        _ account: Account, _ roles: [Role], _ today: LocalDate, _ parties: [CustomerID: Party], _ request: PanelRequest
    ) -> View {
        let holder: View = [
            "role": .text(Words(en: "Holder", zh: "户主")[request.language]), "isOwn": true, "isOver": false,
        ]
        let others = roles.map { view($0, today, parties[$0.party], $0.party, request) }
        return base(account, request).merging(["parties": .list([holder] + others)])
    }

    private static func foreignView(
        _ account: Account, _ role: Role, _ today: LocalDate, _ parties: [CustomerID: Party], _ request: PanelRequest
    ) -> View {
        let language = request.language
        let own: View = [
            "role": .text(role.role?.words[language] ?? ""), "isOwn": true, "span": .text(dates(role)),
            "isOver": .bool(!role.holds(today)),
        ]
        var holder = party(parties[account.holder], account.holder, request)
        holder["role"] = .text(Words(en: "Holder", zh: "户主")[language])
        holder["isOver"] = false
        return base(account, request).merging(["parties": .list([own, holder])])
    }

    private static func view(
        _ role: Role, _ today: LocalDate, _ known: Party?, _ id: CustomerID, _ request: PanelRequest
    ) -> View {
        let isOwn = request.customers.contains(id)
        var view = isOwn ? ["isOwn": true] : party(known, id, request)
        view["role"] = .text(role.role?.words[request.language] ?? "")
        view["span"] = .text(dates(role))
        view["isOver"] = .bool(!role.holds(today))
        return view
    }

    /// Somebody outside the reader's scope has a role and no name.
    private static func party(_ party: Party?, _ id: CustomerID, _ request: PanelRequest) -> View {
        guard let party else {
            return ["party": .text(Words(en: "another customer", zh: "其他客户")[request.language]), "isOwn": false]
        }
        let name = party.isPerson ? request.masking.apply(.name, party.name) : party.name
        return [
            "party": .text(name.isEmpty ? party.reference ?? "#\(id)" : name), "href": .text("/customers/\(id)"),
            "isOwn": false,
        ]
    }

    private static func dates(_ role: Role) -> String? {
        switch (role.from, role.to) {
        case (nil, nil): nil
        case (let from?, nil): "\(from) –"
        case (nil, let to?): "– \(to)"
        case (let from?, let to?): "\(from) – \(to)"
        }
    }
}
