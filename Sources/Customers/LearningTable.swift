import Contracts
import Kernel
import Storage

/// Puts together the table that models learn from: one query a table for a run of customers in id order, columns of
/// text. States that are only another name for having left (status, ended lines, the reason) stay out.
struct LearningTable {
    static let heads: SQL = """
        SELECT c.id, p.kind, p.gender, p.senior, p.birth_date, p.language, p.industry, p.size_tier, c.region, c.city,
          c.since, c.payment_method, c.paperless, c.total_charges, c.currency, c.has_left, o.left_on, o.recorded_on
        FROM customers_customer c JOIN customers_party p ON p.id = c.id
        LEFT JOIN customers_outcome o ON o.customer_id = c.id
        WHERE c.id > $1 ORDER BY c.id LIMIT $2
        """
    static let places: SQL = """
        SELECT customer_id, postcode, latitude, longitude FROM customers_address
        WHERE customer_id >= $1 AND customer_id <= $2 ORDER BY customer_id, id
        """
    static let lines: SQL = """
        SELECT customer_id, service, technology, plan, contract_term, contract_end, status, monthly_charge
        FROM customers_subscription WHERE customer_id >= $1 AND customer_id <= $2 ORDER BY customer_id, id
        """
    static let addons: SQL = """
        SELECT customer_id, code FROM customers_addon WHERE customer_id >= $1 AND customer_id <= $2
        """
    static let usage: SQL = """
        SELECT customer_id, month, CAST(SUM(voice_min) AS BIGINT), CAST(SUM(sms) AS BIGINT),
          CAST(SUM(data_mb) AS BIGINT), CAST(SUM(roaming_mb) AS BIGINT), CAST(SUM(calls) AS BIGINT),
          CAST(SUM(dropped_calls) AS BIGINT), AVG(speed_mbps)
        FROM customers_usage_month WHERE customer_id >= $1 AND customer_id <= $2
        GROUP BY customer_id, month ORDER BY customer_id, month
        """
    static let bills: SQL = """
        SELECT customer_id, amount, due_on, COALESCE(paid_on, settled_on) FROM customers_charge
        WHERE customer_id >= $1 AND customer_id <= $2 AND kind = 'bill' ORDER BY customer_id, issued_on, id
        """
    static let attributes: SQL = """
        SELECT customer_id, attribute_id, text_value, int_value, double_value FROM customers_attribute_value
        WHERE customer_id >= $1 AND customer_id <= $2
        """

    private var ids: [CustomerID] = []
    private var place: [CustomerID: Int] = [:]
    private var left: [Bool?] = []
    private var names: [String] = []
    private var titles: [Words] = []
    private var columnOf: [String: Int] = [:]
    private var values: [[String?]] = []
    /// The day to which tenure and contract are counted: the day they left, or today.
    private var until: [LocalDate] = []
    private var currencies: [String] = []

    /// Of so many customers on the rows are read in bulk: COPY costs some round trips, and then the memory of one row.
    static let bulkFrom = 500
    private var isLarge = false

    private func scan(_ sql: SQL, _ range: [SQLValue], _ session: any SQLSession, _ body: (Row) throws -> Void) throws {
        if isLarge { return try session.bulkRead(sql, range, body) }
        try session.forEach(sql, range) { row in
            try body(row)
            return true
        }
    }

    static func read(after: CustomerID?, limit: Int, today: LocalDate, _ session: any SQLSession) throws
        -> CustomerTable
    {
        var table = LearningTable()
        try table.addHeads(after: after, limit: limit, today: today, session)
        if let first = table.ids.first, let last = table.ids.last {
            let range: [SQLValue] = [.id(first), .id(last)]
            table.isLarge = table.ids.count >= bulkFrom
            try table.addPlaces(range, session)
            try table.addLines(range, session)
            try table.addUsage(range, session)
            try table.addBills(range, session)
            try table.addAttributes(range, session)
        }
        return table.finished()
    }

    // MARK: Columns

    private mutating func column(_ name: String, _ title: Words) -> Int {
        if let known = columnOf[name] { return known }
        let index = names.count
        columnOf[name] = index
        names.append(name)
        titles.append(title)
        values.append([String?](repeating: nil, count: ids.count))
        return index
    }

    /// A column whose words are those of the field it comes from.
    private mutating func fieldColumn(_ key: String) -> Int {
        column(key, CustomerFields.byKey[key]?.words ?? Words(en: key, zh: key))
    }

    /// Only columns that hold something, so that a source that knows little makes a narrow table.
    private func finished() -> CustomerTable {
        let kept = names.indices.filter { index in values[index].contains { $0 != nil } }
        return CustomerTable(
            ids: ids, columns: kept.map { names[$0] }, values: kept.map { values[$0] }, titles: kept.map { titles[$0] },
            left: left)
    }

    // MARK: Tables

    private mutating func addHeads(after: CustomerID?, limit: Int, today: LocalDate, _ session: any SQLSession) throws {
        let keys = [
            "kind", "gender", "senior", "age_years", "language", "industry", "size_tier", "region", "city",
            "tenure_months", "payment_method", "paperless", "total_charges",
        ]
        var rows: [[String?]] = []
        try session.forEach(Self.heads, [.int(after?.rawValue ?? 0), .int(limit)]) { row in
            let id = row.id(0, PartyKind.self)
            // A second outcome row of the same customer would repeat the head.
            guard ids.last != id else { return true }
            let hasLeft = row.optionalBool(15)
            let end = hasLeft == true ? row.optionalDate(16) ?? row.optionalDate(17) ?? today : today
            let currency = row.text(14)
            place[id] = ids.count
            ids.append(id)
            left.append(hasLeft)
            until.append(end)
            currencies.append(currency)
            rows.append([
                row.text(1), row.optionalText(2), Self.flag(row.optionalBool(3)),
                row.optionalDate(4).map { String(monthsBetween($0, end) / 12) }, row.optionalText(5),
                row.optionalText(6), row.optionalText(7), row.optionalText(8), row.optionalText(9),
                row.optionalDate(10).map { String(monthsBetween($0, end)) }, row.optionalText(11),
                Self.flag(row.optionalBool(12)), Self.amount(row.optionalInt(13), currency),
            ])
            return true
        }
        let age = Words(en: "Age in years", zh: "年龄")
        for (offset, key) in keys.enumerated() {
            let index = key == "age_years" ? column(key, age) : fieldColumn(key)
            for row in rows.indices { values[index][row] = rows[row][offset] }
        }
    }

    private mutating func addPlaces(_ range: [SQLValue], _ session: any SQLSession) throws {
        let columns = ["postcode", "latitude", "longitude"].map { fieldColumn($0) }
        try scan(Self.places, range, session) { row in
            guard let at = place[row.id(0)], columns.allSatisfy({ values[$0][at] == nil }) else { return }
            values[columns[0]][at] = row.optionalText(1)
            values[columns[1]][at] = row.optionalDouble(2).map { String($0) }
            values[columns[2]][at] = row.optionalDouble(3).map { String($0) }
        }
    }

    private mutating func addLines(_ range: [SQLValue], _ session: any SQLSession) throws {
        let charge = fieldColumn("monthly_charge")
        let term = fieldColumn("contract_term")
        let remaining = column("contract_months_left", Words(en: "Months left in the contract", zh: "合约剩余月数"))
        let plan = fieldColumn("plan")
        let technology = fieldColumn("internet_service")
        let count = column("line_count", Words(en: "Lines", zh: "业务数"))
        let services = ServiceCode.allCases.map { code in
            column("service_\(code.rawValue)", Self.title("Service: ", "业务：", PageWords.of(code)))
        }
        let extras = AddonCode.allCases.map { column("addon_\($0.rawValue)", ServiceWords.addon($0)) }
        let addonCount = column("addon_count", Words(en: "Add-ons", zh: "增值业务数"))
        var counts = [Int](repeating: 0, count: ids.count)
        var charges = [Int64?](repeating: nil, count: ids.count)
        try scan(Self.lines, range, session) { row in
            // Whoever has left had these lines; an ended line of somebody else is history.
            guard let at = place[row.id(0)], row.text(6) != "terminated" || left[at] == true else { return }
            if counts[at] == 0 {
                values[plan][at] = row.optionalText(3)
                values[term][at] = row.optionalInt(4).map { String($0) }
                for index in services + extras { values[index][at] = "no" }
            }
            if let end = row.optionalDate(5), values[remaining][at] == nil {
                values[remaining][at] = String((end.daysSinceEpoch - until[at].daysSinceEpoch) / 30)
            }
            if let service = ServiceCode(rawValue: row.text(1)),
                let index = ServiceCode.allCases.firstIndex(of: service)
            {
                values[services[index]][at] = "yes"
                if service == .broadband { values[technology][at] = row.optionalText(2) ?? "yes" }
            }
            if let amount = row.optionalInt(7) { charges[at] = (charges[at] ?? 0).plus(amount) }
            counts[at] += 1
        }
        for at in ids.indices where counts[at] > 0 {
            values[count][at] = String(counts[at])
            values[charge][at] = Self.amount(charges[at], currencies[at])
            values[technology][at] = values[technology][at] ?? "no"
            values[addonCount][at] = "0"
        }
        try scan(Self.addons, range, session) { row in
            guard let at = place[row.id(0)] else { return }
            let code = row.text(1)
            let index = column("addon_\(code)", Words(en: code, zh: code))
            guard values[index][at] != "yes" else { return }
            values[index][at] = "yes"
            values[addonCount][at] = String((values[addonCount][at].flatMap { Int($0) } ?? 0) + 1)
        }
    }

    private mutating func addUsage(_ range: [SQLValue], _ session: any SQLSession) throws {
        let measures: [(String, Words)] = [
            ("voice_min", Words(en: "Voice minutes", zh: "通话分钟")), ("sms", Words(en: "Text messages", zh: "短信条数")),
            ("data_mb", Words(en: "Data in MB", zh: "流量 MB")),
            ("roaming_mb", Words(en: "Roaming data in MB", zh: "漫游流量 MB")),
        ]
        let last = measures.map { name, words in
            column("\(name)_last_month", Words(en: words.en + ", last month", zh: words.zh + "（上月）"))
        }
        let change = measures.prefix(3).map { name, words in
            column("\(name)_change", Words(en: words.en + ", change", zh: words.zh + "变化"))
        }
        let dropped = column("dropped_call_rate", Words(en: "Share of dropped calls", zh: "掉话率"))
        let speed = column("speed_mbps", Words(en: "Mean speed in Mbit/s", zh: "平均速率 Mbit/s"))
        var at = -1
        var months: [[Int64]] = []
        var speeds: [Double] = []
        func finish() {
            guard at >= 0, let latest = months.last else { return }
            for (offset, index) in last.enumerated() { values[index][at] = String(latest[offset]) }
            let before = months.dropLast().suffix(3)
            for (offset, index) in change.enumerated() where !before.isEmpty {
                let mean = Double(before.reduce(0) { $0 + $1[offset] }) / Double(before.count)
                if mean > 0 { values[index][at] = Self.ratio(Double(latest[offset]) / mean - 1) }
            }
            let recent = months.suffix(3)
            let calls = recent.reduce(0) { $0 + $1[4] }
            if calls > 0 { values[dropped][at] = Self.ratio(Double(recent.reduce(0) { $0 + $1[5] }) / Double(calls)) }
            if let value = speeds.last { values[speed][at] = Self.ratio(value) }
        }
        try scan(Self.usage, range, session) { row in
            guard let here = place[row.id(0)] else { return }
            if here != at {
                finish()
                at = here
                months = []
                speeds = []
            }
            months.append((2...7).map { row.int($0) })
            if let value = row.optionalDouble(8) { speeds.append(value) }
        }
        finish()
    }

    private mutating func addBills(_ range: [SQLValue], _ session: any SQLSession) throws {
        let last = column("bill_last", Words(en: "Last bill", zh: "最近账单"))
        let change = column("bill_change", Words(en: "Change of the last bill", zh: "最近账单变化"))
        let overdue = column("overdue_count", Words(en: "Bills paid late or not at all", zh: "逾期账单数"))
        var at = -1
        var amounts: [Int64] = []
        var late = 0
        func finish() {
            guard at >= 0, let latest = amounts.last else { return }
            values[last][at] = Self.amount(latest, currencies[at])
            values[overdue][at] = String(late)
            let before = amounts.dropLast().suffix(3)
            guard !before.isEmpty else { return }
            let mean = Double(before.reduce(0, +)) / Double(before.count)
            if mean > 0 { values[change][at] = Self.ratio(Double(latest) / mean - 1) }
        }
        try scan(Self.bills, range, session) { row in
            guard let here = place[row.id(0)] else { return }
            if here != at {
                finish()
                at = here
                amounts = []
                late = 0
            }
            amounts.append(row.int(1))
            if let due = row.optionalDate(2), row.optionalDate(3) ?? until[here] > due { late += 1 }
        }
        finish()
    }

    private mutating func addAttributes(_ range: [SQLValue], _ session: any SQLSession) throws {
        var known: [AttributeID: (CustomAttribute, Int)] = [:]
        for attribute in try AttributeStore.all(session) {
            // The key stays when the title is edited: a model goes on finding its column.
            known[attribute.id] = (attribute, column(attribute.fieldKey, attribute.title))
        }
        guard !known.isEmpty else { return }
        try scan(Self.attributes, range, session) { row in
            guard let at = place[row.id(0)], let (attribute, index) = known[row.id(1)] else { return }
            values[index][at] = attribute.raw(CustomerLoader.content(row, 2))
        }
    }

    // MARK: Texts

    private static func flag(_ value: Bool?) -> String? { value.map { $0 ? "yes" : "no" } }

    private static func title(_ en: String, _ zh: String, _ words: Words) -> Words {
        Words(en: en + words.en, zh: zh + words.zh)
    }

    /// Minor units as a decimal number: `1889.5`.
    static func amount(_ minor: Int64?, _ currency: String) -> String? {
        guard let minor else { return nil }
        var scale = 1.0
        for _ in 0..<Money.exponent(of: currency) { scale *= 10 }
        return String(Double(minor) / scale)
    }

    /// Four digits are more than any of these ratios deserves.
    private static func ratio(_ value: Double) -> String { String((value * 10_000).rounded() / 10_000) }
}
