import Kernel
import Storage
import Tabular

/// Which column holds what. Guessed from the header and the first rows, or declared.
package struct UsageMapping: Sendable, Codable, Equatable {
    package enum Field: String, Sendable, Codable, CaseIterable {
        case id, number, line, start, kind
        case seconds, minutes, milliseconds
        case bytes, kilobytes, megabytes, gigabytes
        case count, version, cancel, roaming, country, dropped, speed, cell
    }

    /// Field -> name of the column.
    package var columns: [Field: String]
    /// Of every event; `nil` = the kind column says.
    package var kind: UsageKind?
    package var dateOrder: DateOrder?

    package init(columns: [Field: String], kind: UsageKind? = nil, dateOrder: DateOrder? = nil) {
        self.columns = columns
        self.kind = kind
        self.dateOrder = dateOrder
    }

    private static let names: [(Field, [String])] = [
        (.id, ["id", "eventid", "recordid", "cdrid", "callid", "sessionid", "messageid", "sequence", "话单号", "流水号", "记录编号"]),
        (
            .number,
            [
                "msisdn", "number", "phone", "phonenumber", "anumber", "callingnumber", "servednumber", "servedmsisdn", "号码",
                "手机号", "手机号码", "主叫号码", "用户号码",
                // As events over HTTP call it.
                "line",
            ]
        ),
        (.line, ["userid", "customerid", "subscriberid", "accountid", "lineid", "customer", "subscriber", "用户编号", "客户编号", "用户标识"]),
        (
            .start,
            [
                "start", "starttime", "startedat", "eventtime", "timestamp", "time", "date", "datetime", "calldate", "sessiondate",
                "messagedate", "callstart", "sessionstart", "开始时间", "通话时间", "发生时间", "日期",
            ]
        ),
        (.kind, ["kind", "type", "eventtype", "recordtype", "servicetype", "类型", "业务类型", "话单类型"]),
        (.seconds, ["seconds", "durations", "durationsec", "durationseconds", "callseconds", "duration", "通话时长", "时长"]),
        (.minutes, ["minutes", "durationmin", "durationminutes", "callminutes"]),
        (.milliseconds, ["durationms", "milliseconds"]),
        (.bytes, ["bytes", "volume", "volumebytes", "databytes", "totalbytes"]),
        (.kilobytes, ["kb", "volumekb", "datakb", "kbused"]),
        (.megabytes, ["mb", "mbused", "volumemb", "datamb", "megabytes", "流量", "流量mb"]),
        (.gigabytes, ["gb", "gbused", "volumegb", "datagb"]),
        (.count, ["count", "messages", "smscount", "条数"]),
        (.version, ["version", "revision", "rev", "版本"]),
        (.cancel, ["cancel", "cancelled", "canceled", "iscancelled", "作废", "冲销"]),
        (.roaming, ["roaming", "isroaming", "漫游", "是否漫游"]),
        (.country, ["country", "visitedcountry", "roamingcountry", "countrycode", "国家", "漫游国家"]),
        (.dropped, ["dropped", "isdropped", "drop", "calldropped", "掉话", "是否掉话"]),
        (.speed, ["speed", "speedmbps", "throughput", "throughputmbps", "mbps", "速率", "下行速率"]),
        (.cell, ["cell", "cellid", "ci", "ecgi", "nci", "小区", "小区编号", "基站"]),
    ]

    /// Letters and digits of a header in lower case.
    static func folded(_ name: String) -> String {
        String(String.UnicodeScalarView(Folding.fold(name).unicodeScalars.filter { $0.properties.isAlphabetic || ("0"..."9").contains($0) }))
    }

    /// What the header and the first rows say.
    /// - Parameters:
    ///   - declared: fields somebody named the column of; they win.
    ///   - kind: `nil` = told by the columns.
    package static func guess(
        _ header: [String], rows: [Record], declared: [Field: String] = [:], kind: UsageKind? = nil,
        dateOrder: DateOrder? = nil
    ) throws -> UsageMapping {
        var columns = declared
        for (field, column) in declared where !header.contains(column) {
            throw CRMError.invalid(
                "map", "no_such_column",
                Words(en: "There is no column “\(column)” for \(field.rawValue).", zh: "没有列“\(column)”（\(field.rawValue)）。"))
        }
        for (field, names) in Self.names where columns[field] == nil {
            let taken = Set(columns.values)
            columns[field] = names.lazy.compactMap { name in
                header.first { folded($0) == name && !taken.contains($0) }
            }.first
        }
        var mapping = UsageMapping(columns: columns, kind: kind, dateOrder: dateOrder)
        mapping.settleDuration(header, rows, declared)
        try mapping.settleKind(header)
        if dateOrder == nil { mapping.dateOrder = mapping.order(header, rows) }
        try mapping.check()
        return mapping
    }

    /// A column called `duration` with decimals is in minutes, one of whole numbers in seconds.
    private mutating func settleDuration(_ header: [String], _ rows: [Record], _ declared: [Field: String]) {
        guard declared[.seconds] == nil, let column = columns[.seconds], Self.folded(column) == "duration",
            let index = header.firstIndex(of: column)
        else { return }
        if rows.contains(where: { $0.bytes(index).contains(0x2E) }) {
            columns[.minutes] = column
            columns[.seconds] = nil
        }
    }

    private mutating func settleKind(_ header: [String]) throws {
        if kind != nil {
            columns[.kind] = nil
            return
        }
        if columns[.kind] != nil { return }
        let known = Set(columns.keys)
        func has(_ fields: Set<Field>) -> Bool { !known.isDisjoint(with: fields) }
        let isVoice = has([.seconds, .minutes, .milliseconds])
        let isData = has([.bytes, .kilobytes, .megabytes, .gigabytes])
        guard !(isVoice && isData) else {
            throw CRMError.invalid(
                "kind", "kind_unclear",
                Words(
                    en: "The file has a duration and a volume and no column that tells the kind. Name it with --kind or --map kind=COLUMN.",
                    zh: "文件同时含时长与流量且没有类型列，请用 --kind 或 --map kind=列名 指明。"))
        }
        kind = isVoice ? .voice : isData ? .data : columns[.speed] != nil ? .sample : .sms
    }

    /// `27/12/2018` tells the order; all days up to 12 tell nothing.
    private func order(_ header: [String], _ rows: [Record]) -> DateOrder? {
        guard let index = columns[.start].flatMap({ header.firstIndex(of: $0) }) else { return nil }
        for row in rows {
            let parts = row.field(index).split(whereSeparator: { "/.-".contains($0) })
            guard parts.count >= 3, parts[0].count <= 2, let first = Int(parts[0]), let second = Int(parts[1]) else {
                continue
            }
            if first > 12 { return .dayMonthYear }
            if second > 12 { return .monthDayYear }
        }
        return nil
    }

    private func check() throws {
        let missing: String? =
            columns[.id] == nil
            ? "id" : columns[.start] == nil ? "start" : columns[.number] == nil && columns[.line] == nil ? "number (or line)" : nil
        guard let missing else { return }
        throw CRMError.invalid(
            "map", "column_missing",
            Words(
                en: "No column was found for \(missing). Name it with --map FIELD=COLUMN.",
                zh: "没有找到 \(missing) 对应的列，请用 --map 字段=列名 指明。"))
    }

    /// What a line is called by: its number where there is a column of it.
    package func naming(source: String) -> LineNaming {
        columns[.number] != nil ? .number : .source(source)
    }
}
