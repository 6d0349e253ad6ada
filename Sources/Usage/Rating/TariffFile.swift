import Foundation
import Kernel
import Tabular
import TabularFiles

/// Reads tariffs from a table: one a row, columns found by their names.
package enum TariffFile {
    package static let rowsMax = 1_000

    enum Column: CaseIterable {
        case name, validFrom, plans, currency, fee, minutes, messages, megabytes, gigabytes, perMinute, perMessage, perGigabyte,
            perMegabyte, voiceRounding, dataStep

        /// Letters and digits of the headings that mean it; the first is the one that is written.
        var names: [String] {
            switch self {
            case .name: ["name", "planname", "plan", "tariff", "tariffname", "套餐", "套餐名称", "资费", "资费名称"]
            case .validFrom: ["validfrom", "from", "frommonth", "effectivefrom", "生效月份", "生效日期", "生效时间"]
            case .plans: ["plans", "forplans", "aliases", "alsofor", "适用套餐", "别名"]
            case .currency: ["currency", "币种", "货币"]
            case .fee: ["monthlyfee", "monthlypay", "fee", "monthlycharge", "monthlyrent", "月费", "月租", "月租费"]
            case .minutes: ["minutesincluded", "includedminutes", "包含分钟", "包含分钟数", "套内分钟", "套内语音分钟"]
            case .messages: ["messagesincluded", "smsincluded", "includedmessages", "includedsms", "包含短信", "包含短信条数", "套内短信"]
            case .megabytes:
                ["mbincluded", "mbpermonthincluded", "includedmb", "megabytesincluded", "包含流量mb", "套内流量mb"]
            case .gigabytes: ["gbincluded", "gbpermonthincluded", "includedgb", "gigabytesincluded", "包含流量gb", "套内流量gb"]
            case .perMinute: ["perminute", "priceperminute", "超出每分钟", "每分钟", "每分钟单价"]
            case .perMessage: ["permessage", "persms", "pricepermessage", "pricepersms", "超出每条", "每条", "每条单价"]
            case .perGigabyte: ["pergb", "pricepergb", "pergigabyte", "超出每gb", "每gb", "每gb单价"]
            case .perMegabyte: ["permb", "pricepermb", "permegabyte", "超出每mb", "每mb", "每mb单价"]
            case .voiceRounding: ["voicerounding", "callrounding", "通话取整", "语音取整"]
            case .dataStep: ["datastepmb", "datarounding", "dataroundingmb", "流量取整mb"]
            }
        }
    }

    /// - Parameters:
    ///   - currency: of amounts that name none.
    ///   - sheet: name or number of a sheet; `nil` = the first that has rows.
    ///   - skipRows: rows above the heading; `nil` = a title is looked for.
    /// - Throws: `CRMError` 422 with what cannot be read, `ContainerError`.
    package static func read(
        path: String, currency: String, sheet: String? = nil, skipRows: Int? = nil
    ) throws -> [Tariff] {
        try worded {
            let file = try OpenedFile(path: path, sheet: sheet, skipRows: skipRows)
            var reader = TabularReader(options: file.options(TabularOptions()), source: try file.source())
            return try read(&reader, currency: currency)
        }
    }

    package static func read(text: String, currency: String) throws -> [Tariff] {
        try worded {
            var reader = TabularReader(options: TabularOptions(name: "tariffs.csv"), bytes: Array(text.utf8))
            return try read(&reader, currency: currency)
        }
    }

    private static func worded(_ body: () throws -> [Tariff]) throws -> [Tariff] {
        do { return try body() } catch TabularError.emptyFile { throw nothing } catch let error as TabularError {
            throw CRMError.invalid("tariffs", "unreadable", TabularWording.words(error))
        }
    }

    private static func read(_ reader: inout TabularReader, currency: String) throws -> [Tariff] {
        guard let header = try reader.header() else { throw nothing }
        let columns = try place(header.names, currency)
        var tariffs: [Tariff] = []
        var row = 1
        while let event = try reader.next() {
            switch event {
            case .header, .lateColumns: continue
            case .reject:
                row += 1
                throw wrong(row, "", Words(en: "the row cannot be read", zh: "该行无法读取"))
            case .record(let record):
                row += 1
                guard tariffs.count < rowsMax else {
                    throw CRMError.invalid(
                        "tariffs", "too_many",
                        Words(en: "A file of tariffs has at most \(rowsMax) rows.", zh: "资费文件最多 \(rowsMax) 行。"))
                }
                let fields = record.fields
                tariffs.append(
                    try tariff(row, columns) { place in place < fields.count ? fields[place].trimmed : "" })
            }
        }
        guard !tariffs.isEmpty else { throw nothing }
        var seen: Set<String> = []
        for tariff in tariffs where !seen.insert(Tariff.key(tariff.name) + "\n" + tariff.validFrom).inserted {
            throw CRMError.invalid(
                "name", "twice",
                Words(en: "The tariff “\(tariff.name)” stands there twice.", zh: "资费“\(tariff.name)”出现了两次。"))
        }
        return tariffs
    }

    private struct Columns {
        var places: [Column: Int] = [:]
        var names: [String]
        var currency: String
    }

    /// A heading may begin with the currency of its amounts: `usd_per_gb`.
    private static func place(_ names: [String], _ currency: String) throws -> Columns {
        var found = Columns(names: names, currency: currency)
        for (place, name) in names.enumerated() {
            let folded = UsageMapping.folded(name)
            var column = Column.allCases.first { $0.names.contains(folded) }
            if column == nil, folded.count > 3 {
                column = Column.allCases.first { $0.names.contains(String(folded.dropFirst(3))) }
                if let column, [.fee, .perMinute, .perMessage, .perGigabyte, .perMegabyte].contains(column) {
                    found.currency = folded.prefix(3).uppercased()
                } else {
                    column = nil
                }
            }
            guard let column else {
                throw CRMError.invalid(
                    "tariffs", "unknown_column",
                    Words(
                        en: "The column “\(name)” means nothing for a tariff. Columns are \(shown).",
                        zh: "资费文件中没有“\(name)”这一列。可用的列：\(shown)。"))
            }
            if found.places[column] == nil { found.places[column] = place }
        }
        for needed in [Column.name, .fee] where found.places[needed] == nil {
            throw CRMError.invalid(
                "tariffs", "missing_column",
                Words(
                    en: "A column \(heading(needed)) is needed. Columns are \(shown).",
                    zh: "缺少 \(heading(needed)) 列。可用的列：\(shown)。"))
        }
        return found
    }

    /// The headings as they are written in the documentation.
    static let headings = [
        "name", "valid_from", "plans", "currency", "monthly_fee", "minutes_included", "messages_included", "mb_included",
        "gb_included", "per_minute", "per_message", "per_gb", "per_mb", "voice_rounding", "data_step_mb",
    ]
    private static var shown: String { headings.joined(separator: ", ") }
    private static func heading(_ column: Column) -> String {
        zip(Column.allCases, headings).first { $0.0 == column }?.1 ?? ""
    }

    private static func tariff(_ row: Int, _ columns: Columns, _ value: (Int) -> String) throws -> Tariff {
        func text(_ column: Column) -> String { columns.places[column].map(value) ?? "" }
        func complain(_ column: Column, _ words: Words) -> CRMError {
            wrong(row, columns.places[column].map { columns.names[$0] } ?? heading(column), words)
        }
        let name = text(.name)
        guard !name.isEmpty, name.count <= Tariff.nameMax, !name.contains(where: \.isNewline) else {
            throw complain(.name, Words(en: "a name of 1 to \(Tariff.nameMax) characters is expected", zh: "名称应为 1 至 \(Tariff.nameMax) 个字符"))
        }
        let code = text(.currency).isEmpty ? columns.currency : text(.currency).uppercased()
        guard code.count == 3, code.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            throw complain(.currency, Words(en: "a currency has three letters, such as CNY", zh: "币种为三位字母代码，例如 CNY"))
        }
        var tariff = Tariff(name: name, currency: code)
        let places = Money.exponent(of: code)
        func number(_ column: Column, decimals: Int, max: Int64 = 1_000_000_000_000) throws -> Int64? {
            let text = text(column)
            if text.isEmpty { return nil }
            guard let number = scaled(text, decimals: decimals), number <= max else {
                throw complain(
                    column,
                    decimals == 0
                        ? Words(en: "a whole number is expected, not “\(text)”", zh: "应为整数，而不是“\(text)”")
                        : Words(
                            en: "an amount with at most \(decimals) decimals is expected, not “\(text)”",
                            zh: "应为最多 \(decimals) 位小数的金额，而不是“\(text)”"))
            }
            return number
        }
        let from = text(.validFrom).prefix(7)
        guard from.isEmpty || LocalDate(from + "-01") != nil else {
            throw complain(.validFrom, Words(en: "a month is expected, such as 2026-01", zh: "应为月份，例如 2026-01"))
        }
        tariff.validFrom = String(from)
        tariff.plans = text(.plans).split(whereSeparator: { ";；\n".contains($0) }).map { String($0).trimmed }.filter { !$0.isEmpty }
        guard tariff.plans.count <= Tariff.plansMax else {
            throw complain(.plans, Words(en: "at most \(Tariff.plansMax) plans", zh: "最多 \(Tariff.plansMax) 个套餐"))
        }
        guard let fee = try number(.fee, decimals: places) else {
            throw complain(.fee, Words(en: "a fee is expected; 0 for none", zh: "请填写月费，没有月费时填 0"))
        }
        tariff.fee = fee
        let countMax: Int64 = 1_000_000_000
        tariff.minutes = try number(.minutes, decimals: 0, max: countMax) ?? 0
        tariff.messages = try number(.messages, decimals: 0, max: countMax) ?? 0
        tariff.megabytes =
            try number(.megabytes, decimals: 0, max: countMax)
            ?? gigabytes(text(.gigabytes)) { complain(.gigabytes, $0) } ?? 0
        tariff.perMinute = try number(.perMinute, decimals: places + 3) ?? 0
        tariff.perMessage = try number(.perMessage, decimals: places + 3) ?? 0
        tariff.perGigabyte =
            try number(.perGigabyte, decimals: places + 3) ?? number(.perMegabyte, decimals: places + 3).map { $0 * 1_024 } ?? 0
        if !text(.voiceRounding).isEmpty {
            guard let rounding = Tariff.VoiceRounding(rawValue: text(.voiceRounding).lowercased()) else {
                throw complain(.voiceRounding, Words(en: "call, month or none is expected", zh: "应为 call、month 或 none"))
            }
            tariff.voiceRounding = rounding
        }
        tariff.dataStepMB = try number(.dataStep, decimals: 0, max: 1_048_576) ?? 1_024
        return tariff
    }

    /// `0.5` is 512 MB; what is no whole number of MB is not rounded to one.
    private static func gigabytes(_ text: String, _ complain: (Words) -> CRMError) throws -> Int64? {
        if text.isEmpty { return nil }
        let unit: Int64 = 1_000_000
        guard let millionths = scaled(text, decimals: 6), millionths <= 1_000_000 * unit else {
            throw complain(
                Words(
                    en: "a number of gigabytes up to 1,000,000 is expected, not “\(text)”",
                    zh: "应为不超过 1,000,000 的 GB 数，而不是“\(text)”"))
        }
        guard millionths * 1_024 % unit == 0 else {
            throw complain(
                Words(
                    en: "“\(text)” GB is no whole number of MB (1 GB = 1,024 MB); say it in a column mb_included",
                    zh: "“\(text)”GB 不是整数 MB（1 GB = 1,024 MB），请改用 mb_included 列"))
        }
        return millionths * 1_024 / unit
    }

    /// `0.03` with three decimals is 30; `nil` for what is no such number.
    static func scaled(_ text: String, decimals: Int) -> Int64? {
        let parts = text.replacing(",", with: "").split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !(whole.isEmpty && parts.count == 1), whole.count <= 12 else { return nil }
        var fraction = parts.count > 1 ? parts[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        guard fraction.count <= decimals, (whole + fraction).allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        return Int64(whole + fraction + String(repeating: "0", count: decimals - fraction.count))
    }

    private static func wrong(_ row: Int, _ column: String, _ words: Words) -> CRMError {
        let (en, zh) = column.isEmpty ? ("", "") : (", column “\(column)”", "“\(column)”列")
        return CRMError.invalid(
            "tariffs", "bad_tariff", Words(en: "Row \(row)\(en): \(words.en).", zh: "第 \(row) 行\(zh)：\(words.zh)。"))
    }

    private static let nothing = CRMError.invalid(
        "tariffs", "no_tariffs", Words(en: "There is no tariff in it.", zh: "其中没有资费。"))
}
