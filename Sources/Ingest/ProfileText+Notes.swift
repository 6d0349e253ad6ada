import Kernel
import Tabular

/// What a person should look at, column by column.
extension ProfileText {
    /// - Parameter isAlone: the column is shown by itself, so that what is told of several columns at once is told of it.
    func notes(_ column: FileProfile.Column, isAlone: Bool = false) -> [String] {
        var found: [String] = []
        // Dates of different days do not name anything.
        if column.isLikelyKey, column.dates == nil || column.type != .text, let repeated = column.keyDuplicates {
            let most = column.top.first.flatMap { $0.count > 1 ? $0 : nil }
            let example = most.map { say(": “\($0.value)” ×\($0.count)", "：“\($0.value)” ×\($0.count)") } ?? ""
            found.append(
                repeated == 0
                    ? say("names a record: no value comes twice", "可作标识：没有重复值")
                    : say(
                        "may name a record, but \(counted(repeated, "value comes", "values come")) again\(example)",
                        "可能是标识，但有 \(Numbers.grouped(repeated)) 个重复值\(example)"))
        }
        if let outliers = column.outliers {
            found.append(
                say(
                    "\(counted(outliers.count, "value", "values")) far outside the others (\(places(outliers.examples)))",
                    "\(Numbers.grouped(outliers.count)) 个离群值（\(places(outliers.examples))）"))
        }
        if let dates = column.dates { found += words(dates, onPage: isAlone) }
        if let broken = column.mojibake {
            let meant = broken.repaired.map { say(", was “\($0)”", "，应为“\($0)”") } ?? ""
            let example = broken.examples.first.map { places([$0]) + meant } ?? ""
            found.append(
                say(
                    "broken text: \(broken.repairable) can be repaired, \(broken.lost) are lost (\(example))",
                    "乱码：\(broken.repairable) 个可修复，\(broken.lost) 个已丢失（\(example)）"))
        }
        if let identities = column.identities { found += words(identities) }
        if let wrong = column.wrongEmails {
            found.append(
                say(
                    "\(counted(wrong.count, "value is", "values are")) no e-mail address (\(places(wrong.examples)))",
                    "\(Numbers.grouped(wrong.count)) 个值不是邮箱地址（\(places(wrong.examples))）"))
        }
        for code in column.missingCodes {
            found.append(
                say(
                    "\(code.value) stands there \(counted(code.count, "time", "times")) and most likely means “missing”: an import takes it as a number unless the mapping replaces it by nothing",
                    "\(code.value) 出现 \(Numbers.grouped(code.count)) 次，很可能表示缺失：除非映射中将其替换为空，导入时按数字处理"))
        }
        let isTold = column.dates.map { $0.impossible > 0 || !["clear"].contains($0.verdict.rawValue) } ?? false
        for notice in column.notices where isAlone || notice.value != "surrounding_spaces" {
            let isOfDates = ["mixed_date_orders", "ambiguous_date_order", "impossible_dates", "swapped_dates"].contains(notice.value)
            if isOfDates, isTold { continue }
            // Told as what they are: dates that do not exist.
            if notice.value == "do_not_fit", notice.count == impossible(column) { continue }
            found.append(words(notice, column))
        }
        return found
    }

    private func impossible(_ column: FileProfile.Column) -> Int {
        column.dates.map(\.impossible) ?? column.notices.first { $0.value == "impossible_dates" }?.count ?? 0
    }

    /// `1 value`, `2,000 values`.
    private func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(Numbers.grouped(count)) \(count == 1 ? one : many)"
    }

    /// Blanks around values often stand in many columns: they are told once.
    var spaced: String? {
        let columns = profile.columns.compactMap { column in
            column.notices.first { $0.value == "surrounding_spaces" }.map { "\(column.name) \(Numbers.grouped($0.count))" }
        }
        guard !columns.isEmpty else { return nil }
        let list = columns.joined(separator: ", ")
        return say(
            "values with blanks before or behind them, which an import takes away: \(list)",
            "首尾带空格的值（导入时自动去除）：\(list)")
    }

    /// `line 3: x, line 8: y`, `第 3 行：x`.
    func places(_ list: [FileProfile.Place]) -> String {
        list.map { one in say("\(place) \(one.line): \(one.value)", "第 \(one.line) \(place)：\(one.value)") }
            .joined(separator: say(", ", "，"))
    }

    private func lines(_ list: [Int], of count: Int) -> String {
        guard !list.isEmpty else { return "" }
        let shown = list.prefix(8).map { "\($0)" }
        let more = count > shown.count
        return say(
            " (\(place) \(shown.joined(separator: ", "))\(more ? ", …" : ""))",
            "（第 \(shown.joined(separator: "、"))\(more ? "…" : "") \(place)）")
    }

    private func words(_ dates: FileProfile.Dates, onPage: Bool) -> [String] {
        var found: [String] = []
        let rows = lines(dates.ambiguousLines, of: dates.ambiguous)
        let count = Numbers.grouped(dates.ambiguous)
        if dates.verdict == .swapped {
            found.append(
                say(
                    "\(counted(dates.ambiguous, "row is", "rows are")) written year-month-day but only where the day is 12 or less: a program probably took "
                        + "the day for the month; check them against another column",
                    "\(count) 行写成年-月-日，但日均不超过 12：可能被程序误将日当作月，请与其他列核对") + rows)
        } else if let orders = orders(dates) {
            let unclear =
                dates.ambiguous > 0
                ? say("; \(count) can be read both ways", "；\(count) 行两种读法均可") + rows : ""
            found.append(say("dates in several orders: \(orders)", "日期顺序混用：\(orders)") + unclear)
        } else if dates.verdict == .unknown {
            let way =
                onPage
                ? say("; choose the date order in the mapping", "，请在映射中选择日期顺序")
                : say("; --date-order of import says it", "，可用 import 的 --date-order 指定")
            found.append(
                say(
                    "day or month first cannot be told in \(counted(dates.ambiguous, "row", "rows"))",
                    "\(count) 行无法判断日月顺序") + rows + way)
        }
        if dates.impossible > 0 {
            let examples = dates.impossibleExamples.map { one in
                say("\(place) \(one.line) “\(one.value)”", "第 \(one.line) \(place)“\(one.value)”")
            }.joined(separator: say(", ", "、"))
            found.append(
                say(
                    "\(counted(dates.impossible, "impossible date", "impossible dates")), e.g. \(examples)",
                    "\(Numbers.grouped(dates.impossible)) 个不存在的日期，例如\(examples)"))
        }
        return found
    }

    /// `12 day first, 9 month first`; `nil` when there is one order only.
    private func orders(_ dates: FileProfile.Dates) -> String? {
        let all = [
            (dates.dayFirst, say("day first", "日在前")), (dates.monthFirst, say("month first", "月在前")),
            (dates.yearFirst, say("year first", "年在前")),
        ].filter { $0.0 > 0 }
        guard all.count > 1 || all.count == 1 && dates.yearFirst > 0 && dates.verdict == .unknown else { return nil }
        return all.map { say("\(Numbers.grouped($0.0)) \($0.1)", "\($0.1) \(Numbers.grouped($0.0))") }
            .joined(separator: say(", ", "，"))
    }

    private func examples(_ column: FileProfile.Column) -> String {
        let shown = Array(column.exceptions.prefix(3))
        return shown.isEmpty ? "" : say(": ", "：") + places(shown)
    }

    /// Why a row cannot be read, by the code of a `RejectReason`.
    static func unreadable(_ code: String) -> Words {
        switch code {
        case "unclosed_quote": Words(en: "a quote begins there and never closes", zh: "引号没有闭合")
        case "text_after_quote": Words(en: "there is text behind a closing quote", zh: "右引号之后还有文字")
        case "field_too_long", "record_too_long": Words(en: "it is too long", zh: "内容过长")
        case "too_few_fields": Words(en: "it has fewer fields than the header", zh: "字段少于表头")
        case "too_many_fields": Words(en: "it has more fields than the header", zh: "字段多于表头")
        case "undecodable_bytes":
            Words(en: "it holds bytes that mean nothing in the file's encoding", zh: "含有在文件编码中无意义的字节")
        case "nul_byte", "nul_character": Words(en: "it holds a NUL character", zh: "含有空字符 (NUL)")
        case "json_syntax": Words(en: "it is not valid JSON", zh: "不是有效的 JSON")
        default: Words(en: code.replacing("_", with: " "), zh: code)
        }
    }

    /// A finding of the profiler in a sentence.
    private func words(_ notice: FileProfile.Count, _ column: FileProfile.Column) -> String {
        let count = Numbers.grouped(notice.count)
        switch notice.value {
        case "leading_zeros":
            return say(
                "\(counted(notice.count, "number begins", "numbers begin")) with 0: kept as text, or the zeros would be lost", "\(count) 个数字以 0 开头：按文本保留，以免丢失前导零")
        case "long_numbers":
            return say(
                "\(counted(notice.count, "number", "numbers")) of more than 15 digits: kept as text; a spreadsheet would change their last digits",
                "\(count) 个数字超过 15 位：按文本保留，电子表格会改变末尾数字")
        case "scientific_damage":
            return say(
                "\(counted(notice.count, "number", "numbers")) like 1.38E+10: a spreadsheet has cut digits off; export the column as text",
                "\(count) 个数字为 1.38E+10 形式：电子表格已截断数字，请将该列按文本重新导出")
        case "formula_cells":
            return say(
                "\(counted(notice.count, "cell begins", "cells begin")) like a formula: read as text", "\(count) 个单元格以公式符号开头：按文本读取")
        case "thousands_separators":
            return say("\(counted(notice.count, "number", "numbers")) with thousands separators", "\(count) 个数字带千位分隔符")
        case "surrounding_spaces":
            return say(
                "\(counted(notice.count, "value", "values")) with blanks before or behind them, which an import takes away",
                "\(count) 个值首尾带空格，导入时自动去除")
        case "currency_signs": return say("\(counted(notice.count, "amount", "amounts")) with a currency sign", "\(count) 个金额带货币符号")
        case "percent_signs": return say("\(counted(notice.count, "number", "numbers")) with a percent sign", "\(count) 个数字带百分号")
        case "excel_serial_dates":
            return say(
                "\(counted(notice.count, "number is", "numbers are")) most likely Excel's count of days: tick “Excel dates” for this column in the wizard",
                "\(count) 个数字很可能是 Excel 日期序号：请在导入向导中为该列勾选“Excel 日期”")
        case "mixed_date_orders":
            return say("\(count) dates, some day first and some month first", "\(count) 个日期的日月顺序混用")
        case "swapped_dates":
            return say("\(counted(notice.count, "date", "dates")) whose day and month may be exchanged", "\(count) 个日期的日月可能对调")
        case "ambiguous_date_order":
            return say("\(count) dates of which day or month first cannot be told", "\(count) 个日期无法判断日月顺序")
        case "ambiguous_calendar":
            return say(
                "\(counted(notice.count, "date", "dates")) whose year may be of the Republic of China or two digits of another one, and "
                    + "neither the column nor the other dates, characters and numbers of the file tell; "
                    + "--date-order roc, ymd, dmy or mdy of import, or the mapping, says it",
                "\(count) 个日期的年份可能是民国年，也可能是公元年后两位，该列及文件中的其他日期、文字和号码均无法判断，可用 import 的 --date-order roc、ymd、dmy 或 mdy 或在映射中指定")
        case "short_years_column", "short_years_file", "short_years_script":
            let why =
                switch notice.value {
                case "short_years_column": say("other dates of the column show it", "该列的其他日期可以佐证")
                case "short_years_file": say("the other dates of the file have such years", "文件中的其他日期为公元年")
                default: say("nothing in the file is of Taiwan", "文件中没有台湾的文字或号码")
                }
            return say(
                "\(counted(notice.count, "date", "dates")) with years of two digits, taken for 1970 to 2069 because \(why); "
                    + "if they are of the Republic of China: --date-order roc of import, or the mapping",
                "\(count) 个日期的年份为两位，按 1970 至 2069 年读取（\(why)）；若为民国年，请用 import 的 --date-order roc 或在映射中指定")
        case "impossible_dates":
            let examples = examples(column)
            return say(
                counted(notice.count, "date that does not exist", "dates that do not exist"), "\(count) 个不存在的日期") + examples
        case "midnight_only":
            return say("every time of day is midnight: a date in disguise", "时间均为零点：实为日期")
        case "do_not_fit":
            let name = typeName(column.type)
            return say(
                counted(notice.count, "value does", "values do") + " not fit the type (\(name))",
                "\(count) 个值不符合类型（\(name)）") + examples(column)
        default: return notice.value.replacing("_", with: " ") + (notice.count > 0 ? " \(count)" : "")
        }
    }
}
