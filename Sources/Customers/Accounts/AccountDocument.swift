import Kernel
import Platform
import Storage
import TMF
import Web

/// Accounts as documents: what the rows say, with whom they concern and what bills make of them.
struct AccountDocument {
    static let roles: SQL = """
        SELECT account_id, customer_id, role, valid_from, valid_to FROM customers_account_role WHERE TRUE
        """
    /// A cycle of which only the day is known.
    static func cycleName(_ day: Int64) -> String { "Monthly, day \(day)" }

    let tenant: Tenant
    let principal: Principal
    private let masking: Masking

    init(_ tenant: Tenant, _ principal: Principal) {
        self.tenant = tenant
        self.principal = principal
        masking = Masking(principal)
    }

    private func start(_ day: String) -> String { TMFDay.start(day, offsetMinutes: tenant.timeZoneOffsetMinutes) }

    struct Role {
        let account: Int64
        let party: CustomerID
        let role: String
        let from: String?
        let to: String?
    }

    /// Roles that customers within the caller's reach have in these accounts.
    static func roles(_ heads: [AccountRows.Head], _ principal: Principal, _ session: any SQLSession) throws -> [Role] {
        guard !heads.isEmpty else { return [] }
        var found: [Role] = []
        for chunk in heads.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(roles)
            builder.appendIn("AND holder_id", Set(chunk.map(\.holder)).sorted().map { .id($0) })
            builder.appendIn("AND account_id", chunk.map { .int($0.id) })
            builder.append("ORDER BY account_id, id")
            found += try session.query(builder) {
                Role(account: $0.int(0), party: $0.id(1), role: $0.text(2), from: $0.optionalText(3), to: $0.optionalText(4))
            }
        }
        guard principal.scope.regions != nil, !found.isEmpty else { return found }
        let named = Set(found.map(\.party)).sorted()
        let reachable = try named.chunked(Limits.sqlListChunk).reduce(into: Set<CustomerID>()) {
            $0.formUnion(try CustomerScope.reachable($1, principal, session))
        }
        return found.filter { reachable.contains($0.party) }
    }

    func documents(_ ids: [Int64], _ face: AccountFace, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let heads = try AccountRows.heads(ids, session)
        let shown = ids.filter { id in heads[id].map { face.shows($0.kind) } ?? false }
        let own = try AccountRows.accounts.documents(shown, principal, session)
        let all = own.compactMap { heads[$0.id] }
        let roles = Dictionary(grouping: try Self.roles(all, principal, session), by: \.account)
        let parties = try NamedParties(Set(all.map(\.holder) + roles.values.joined().map(\.party)), session)
        let zone = tenant.timeZoneOffsetMinutes
        let bills = try AccountBills(all, today: tenant.clock.now().date(offsetMinutes: zone), zone: zone, session)
        let parents = try parents(of: all, session)
        return own.compactMap { id, document in
            guard let head = heads[id] else { return nil }
            var result = document
            if result["name"] == nil { result["name"] = .string(head.number) }
            if result["accountType"] == nil, let kind = AccountKind(rawValue: head.kind), kind == .household || kind == .service {
                result["accountType"] = .string(kind.rawValue)
            }
            if let name = result["defaultPaymentMethod"]?["name"], result["defaultPaymentMethod"]?["id"] == nil {
                // What the source calls the way of paying is all that is known of it.
                result["defaultPaymentMethod"] = .object(["id": name, "name": name])
            }
            if let period = result["validFor"]?.object {
                result["validFor"] = .object(period.mapValues { .string(start($0.string ?? "")) })
            }
            result["relatedParty"] = .array(related(head, roles[id] ?? [], parties, &result))
            structure(head, &result)
            if let parent = parents[id] { relate(parent, head, &result) }
            if let bill = bills.of(head) {
                result["accountBalance"] = .array(bill.balances)
                result["paymentStatus"] = .string(bill.status)
            }
            let concrete = AccountFace(head.kind)
            if concrete != face {
                result["@type"] = .string(concrete.type)
                result["href"] = .string("\(AccountResources.api.base)/\(concrete.name)/\(id)")
            }
            return (id, result)
        }
    }

    private func related(
        _ head: AccountRows.Head, _ roles: [Role], _ parties: NamedParties, _ document: inout JSONObject
    ) -> [JSONValue] {
        var result: [JSONValue] = [.object(parties.reference(head.holder, role: nil, masking))]
        for role in roles {
            var reference = parties.reference(role.party, role: role.role, masking)
            var period: JSONObject = [:]
            period["startDateTime"] = role.from.map { .string(start($0)) }
            period["endDateTime"] = role.to.map { .string(start($0)) }
            if !period.isEmpty { reference["validFor"] = .object(period) }
            result.append(.object(reference))
        }
        for other in document.removeValue(forKey: "otherParty")?.array ?? [] {
            var other = other.object ?? [:]
            // TMF666 wants a name of everybody; of some only the id was said.
            if other["name"] == nil { other["name"] = other["id"] ?? .string("") }
            if other["@referredType"] == nil { other["@referredType"] = .string("Individual") }
            result.append(.object(other))
        }
        return result
    }

    /// How the bills are made out. The day is all that sources say of it.
    private func structure(_ head: AccountRows.Head, _ document: inout JSONObject) {
        func taken(_ name: String) -> JSONValue? { document.removeValue(forKey: name) }
        func reference(_ id: JSONValue?, _ name: JSONValue?) -> JSONObject? {
            guard id != nil || name != nil else { return nil }
            var result: JSONObject = ["isRef": .bool(id != nil), "name": name ?? id ?? .string("")]
            result["id"] = id
            return result
        }
        var result: JSONObject = [:]
        let cycle = reference(taken("cycleId"), taken("cycleName"))
        if let day = head.billDay, cycle?["id"] == nil {
            var cycle = cycle ?? ["isRef": .bool(false), "name": .string(Self.cycleName(day))]
            cycle["billingDateShift"] = .int(day - 1)
            if cycle["billingPeriod"] == nil { cycle["billingPeriod"] = .string("month") }
            result["cycleSpecification"] = .object(cycle)
        } else if let cycle {
            result["cycleSpecification"] = .object(cycle)
        }
        if let format = reference(taken("formatId"), taken("formatName")) { result["format"] = .object(format) }
        if let media = taken("media")?.array {
            result["presentationMedia"] = .array(media.compactMap { reference($0["id"], $0["name"]).map { .object($0) } })
        }
        if !result.isEmpty { document["billStructure"] = .object(result) }
    }

    /// The account above, by id, of accounts whose source names one by its number.
    private func parents(of heads: [AccountRows.Head], _ session: any SQLSession) throws -> [Int64: AccountRows.Head] {
        let numbers = Set(heads.compactMap(\.parent)).sorted()
        var found: [String: [AccountRows.Head]] = [:]
        for chunk in numbers.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(AccountRows.select)
            builder.appendIn("AND number", chunk.map { .text($0) })
            for head in try session.query(builder, { AccountRows.Head($0) }) { found[head.number, default: []].append(head) }
        }
        return heads.reduce(into: [:]) { result, head in
            guard let number = head.parent, let named = found[number] else { return }
            // Numbers are their source's. One that several sources give means none of them.
            let near = named.filter { $0.source == head.source }
            let all = near.isEmpty ? named : near
            if all.count == 1, all[0].id != head.id { result[head.id] = all[0] }
        }
    }

    private func relate(_ parent: AccountRows.Head, _ head: AccountRows.Head, _ document: inout JSONObject) {
        var relations = document["accountRelationship"]?.array ?? []
        guard !relations.contains(where: AccountWriting.isParent) else { return }
        var period: JSONObject = [:]
        period["startDateTime"] = head.openedOn.map { .string(start($0)) }
        let name = parent.name.map { masking.apply(.name, $0) } ?? parent.number
        relations.append(
            .object([
                "relationshipType": .string("parent"), "account": AccountFace.reference(parent.kind, id: parent.id, name: name),
                "validFor": .object(period),
            ]))
        document["accountRelationship"] = .array(relations)
    }
}

/// What is still to be paid of accounts, as their bills say (TMF678). Of an account without bills nothing is known, and nothing said.
struct AccountBills {
    static let select: SQL = """
        SELECT customer_id, account_number, kind, amount, currency, settled, paid_on, settled_on, issued_on, due_on
        FROM customers_charge WHERE kind IN ('bill', 'disputed', 'cancelled', 'written_off') AND account_number IS NOT NULL
        """
    static let sharing: SQL = "SELECT customer_id, number FROM customers_account WHERE TRUE"

    struct Known {
        var balances: [JSONValue] = []
        var status = "paid"
    }

    private struct Key: Hashable {
        let customer: CustomerID
        let number: String
    }

    private struct Sum {
        var open: Int64 = 0
        var disputed: Int64 = 0
        var lastDay = ""
    }

    private var known: [Key: Known] = [:]

    init(_ heads: [AccountRows.Head], today: LocalDate, zone: Int, _ session: any SQLSession) throws {
        var sums: [Key: [String: Sum]] = [:]
        var late: Set<Key> = []
        var due: Set<Key> = []
        for chunk in heads.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.select)
            builder.appendIn("AND customer_id", Set(chunk.map(\.holder)).sorted().map { .id($0) })
            builder.appendIn("AND account_number", Set(chunk.map(\.number)).sorted().map { .text($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let key = Key(customer: row.id(0), number: row.text(1))
                let settled = row.optionalInt(5) ?? 0
                let kind = ChargeKind(rawValue: row.text(2)) ?? .bill
                let isOver = row.optionalText(6) != nil || kind == .cancelled || kind == .writtenOff
                let rest = isOver ? 0 : max(0, row.int(3) - settled)
                var sum = sums[key]?[row.text(4)] ?? Sum()
                if kind == .disputed { sum.disputed += rest } else { sum.open += rest }
                for place in 6...8 { sum.lastDay = max(sum.lastDay, row.optionalText(place) ?? "") }
                sums[key, default: [:]][row.text(4)] = sum
                if rest > 0, kind == .bill {
                    due.insert(key)
                    if let day = row.optionalDate(9), day < today { late.insert(key) }
                }
                return true
            }
        }
        let shared = try Self.shared(Array(sums.keys), session)
        for (key, currencies) in sums where !shared.contains(key) {
            var result = Known()
            for (currency, sum) in currencies.sorted(by: { $0.key < $1.key }) {
                let day = TMFDay.start(sum.lastDay, offsetMinutes: zone)
                result.balances.append(Self.balance("receivable balance", sum.open, currency, day))
                if sum.disputed > 0 { result.balances.append(Self.balance("disputed balance", sum.disputed, currency, day)) }
            }
            result.status = late.contains(key) ? "in arrears" : due.contains(key) ? "due" : "paid"
            known[key] = result
        }
    }

    func of(_ head: AccountRows.Head) -> Known? { known[Key(customer: head.holder, number: head.number)] }

    /// Numbers that two accounts of a customer have, from two sources: their bills do not tell whose they are.
    private static func shared(_ keys: [Key], _ session: any SQLSession) throws -> Set<Key> {
        var counts: [Key: Int] = [:]
        for chunk in Set(keys.map(\.customer)).sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(sharing)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            for key in try session.query(builder, { Key(customer: $0.id(0), number: $0.text(1)) }) { counts[key, default: 0] += 1 }
        }
        return Set(counts.filter { $0.value > 1 }.keys)
    }

    private static func balance(_ type: String, _ minor: Int64, _ currency: String, _ day: String) -> JSONValue {
        .object([
            "balanceType": .string(type), "amount": BillResourceStore.money(minor, currency),
            "validFor": .object(["startDateTime": .string(day)]),
        ])
    }
}
