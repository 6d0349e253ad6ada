import Kernel
import Storage

/// Lines and months for the domain that counts usage.
package struct CustomerUsage: UsageBase {
    package init() {}

    static let owners: SQL = "SELECT value, customer_id FROM customers_identifier WHERE kind = $1"
    static let lines: SQL = """
        SELECT customer_id, id, msisdn, status, service, plan FROM customers_subscription WHERE TRUE
        """

    static let months: SQL = """
        SELECT m.customer_id, m.subscription_id, m.month, m.voice_min, m.sms, m.data_mb, m.roaming_mb, m.calls,
          m.dropped_calls, s.plan, s.msisdn, c.reference
        FROM customers_usage_month m
        JOIN customers_subscription s ON s.customer_id = m.customer_id AND s.id = m.subscription_id
        JOIN customers_customer c ON c.id = m.customer_id
        WHERE m.month >= $1 AND m.month <= $2
        """

    static let ofSource: SQL = "SELECT 1 FROM customers_identifier WHERE kind = $1 LIMIT 1"
    static let sources: SQL = """
        SELECT DISTINCT kind FROM customers_identifier WHERE kind >= 'source:' AND kind < 'source;' ORDER BY kind
        """
    private static let sourcesShown = 20

    /// - Throws: `CRMError` 422 `unknown_source` naming the sources there are, when no customer has a number of this one.
    package static func checkSource(_ name: String, _ session: any SQLSession) throws {
        let prefix = "source:"
        guard try !session.exists(ofSource, [.text(prefix + name)]) else { return }
        let known = try session.query(sources) { String($0.text(0).dropFirst(prefix.count)) }
        let shown = known.prefix(sourcesShown).joined(separator: ", ") + (known.count > sourcesShown ? ", …" : "")
        throw CRMError.invalid(
            "lines", "unknown_source",
            Words(
                en: "No customer has a number of the source “\(name.prefix(60))”, so no event would find its line. "
                    + (known.isEmpty ? "Import customers first." : "Sources of customers: \(shown)."),
                zh: "没有客户带有来源“\(name.prefix(60))”的编号，因此所有事件都找不到线路。" + (known.isEmpty ? "请先导入客户。" : "客户来源：\(shown)。")))
    }

    package func lines(
        _ names: [String], _ naming: LineNaming, _ session: any SQLSession
    ) throws -> [String: LineRef] {
        let kind =
            switch naming {
            case .number: "msisdn"
            case .source(let name): "source:" + name
            }
        var owners: [String: CustomerID] = [:]
        for piece in names.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.owners, [.text(kind)])
            builder.appendIn("AND value", piece.map { .text($0) })
            for (name, owner) in try session.query(builder, { ($0.text(0), $0.id(1, PartyKind.self)) }) {
                owners[name] = owner
            }
        }
        let known = try lines(of: Set(owners.values).sorted(), session)
        var result: [String: LineRef] = [:]
        for (name, owner) in owners {
            let all = known[owner] ?? []
            result[name] = naming == .number ? Self.numbered(name, all) : UsageLine.only(all)
        }
        return result
    }

    package func lines(of customers: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [UsageLine]] {
        var result: [CustomerID: [UsageLine]] = [:]
        for piece in customers.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.lines)
            builder.appendIn("AND customer_id", piece.map { .id($0) })
            builder.append("ORDER BY customer_id, id")
            for line in try session.query(builder, { row in
                UsageLine(
                    ref: LineRef(customer: row.id(0), subscription: row.id(1)), number: row.optionalText(2),
                    plan: row.optionalText(5), isOver: row.text(3) == SubscriptionStatus.terminated.rawValue,
                    isMobile: row.text(4) == ServiceCode.mobile.rawValue)
            }) {
                result[line.ref.customer, default: []].append(line)
            }
        }
        return result
    }

    /// A number may have been on an ended line before; the one in service is meant.
    private static func numbered(_ number: String, _ lines: [UsageLine]) -> LineRef? {
        let all = lines.filter { $0.number == number }
        return (all.first { !$0.isOver } ?? all.last)?.ref
    }

    package func existing(_ lines: [LineRef], _ session: any SQLSession) throws -> Set<LineRef> {
        let known = try self.lines(of: Set(lines.map(\.customer)).sorted(), session)
        return Set(lines).intersection(known.values.joined().map(\.ref))
    }

    package func months(
        _ question: LineMonthQuestion, for principal: Principal, _ session: any SQLSession
    ) throws -> [LineMonth] {
        var builder = SQLBuilder(Self.months, [.text(question.from), .text(question.through)])
        if let customers = question.customers {
            builder.appendIn("AND m.customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        }
        if let after = question.after {
            builder.append(
                "AND (m.customer_id, m.subscription_id, m.month) > (?, ?, ?)", .id(after.line.customer),
                .id(after.line.subscription), .text(after.month))
        }
        CustomerScope.narrow(&builder, principal, column: "AND c.region")
        builder.append("ORDER BY m.customer_id, m.subscription_id, m.month LIMIT ?", .int(question.limit))
        return try session.query(builder) { row in
            LineMonth(
                total: UsageMonthTotal(
                    line: LineRef(customer: row.id(0), subscription: row.id(1)), month: row.text(2),
                    voiceMinutes: row.int(3), sms: row.int(4), dataMB: row.int(5), roamingMB: row.int(6), calls: row.int(7),
                    droppedCalls: row.int(8), speed: nil),
                plan: row.optionalText(9), number: row.optionalText(10), reference: row.optionalText(11))
        }
    }

    package func store(_ months: [UsageMonthTotal], _ session: any SQLSession) throws {
        try Self.put(months, session)
    }
}
