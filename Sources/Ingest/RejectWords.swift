import Kernel
import Storage
import Tabular

/// A row that was not taken, and why. Its contents are not kept here: the reject file repeats them from the file.
struct RowReject: Sendable {
    /// Number of the record in the file, from 1.
    let record: Int
    /// Physical line, from 1.
    let line: Int
    /// Index of the column at fault; -1 = the whole row.
    let column: Int
    let code: String
    let words: Words
}

/// Reasons in words. They never hold the value: that stands in the reject file beside them.
enum RejectWords {
    static func words(_ reason: RejectReason) -> Words {
        switch reason {
        case .unclosedQuote:
            Words(en: "A quote begins on this line and never closes.", zh: "本行开始的引号没有闭合。")
        case .textAfterQuote:
            Words(en: "There is text behind a closing quote.", zh: "右引号之后还有文字。")
        case .fieldTooLong(let limit):
            Words(en: "A field is longer than \(limit) bytes.", zh: "某个字段超过 \(limit) 字节。")
        case .recordTooLong(let limit):
            Words(en: "The row is longer than \(limit) bytes.", zh: "该行超过 \(limit) 字节。")
        case .tooManyColumns(let limit):
            Words(en: "The row has more than \(limit) columns.", zh: "该行超过 \(limit) 列。")
        case .nulByte, .nulCharacter:
            Words(en: "The row holds a NUL character.", zh: "该行含有空字符 (NUL)。")
        case .tooFewFields(let expected, let found):
            Words(en: "The row has \(found) fields, the header \(expected).", zh: "该行有 \(found) 个字段，表头有 \(expected) 个。")
        case .tooManyFields(let expected, let found):
            Words(
                en: "The row has \(found) fields, the header \(expected). Is a comma not quoted?",
                zh: "该行有 \(found) 个字段，表头有 \(expected) 个。是否有未加引号的逗号？")
        case .undecodableBytes:
            Words(en: "The row holds bytes that mean nothing in the file's encoding.", zh: "该行含有在文件编码中无意义的字节。")
        case .jsonSyntax(let problem):
            Words(
                en: "The line is not valid JSON (\(problem.rawValue.replacingUnderscores)).",
                zh: "该行不是有效的 JSON（\(problem.chinese)）。")
        case .notAnObject: Words(en: "The line is not a JSON object.", zh: "该行不是 JSON 对象。")
        case .duplicateKey: Words(en: "A key occurs twice in the object.", zh: "对象中有重复的键。")
        case .loneSurrogate: Words(en: "A character is broken (lone surrogate).", zh: "含有损坏的字符（孤立代理码）。")
        case .tooDeep(let limit): Words(en: "The object is nested deeper than \(limit).", zh: "对象嵌套超过 \(limit) 层。")
        case .numberOverflow: Words(en: "A number is too large.", zh: "数值过大。")
        }
    }

    /// A value that is not what its field takes.
    static func words(_ failure: ValueFailure, places: Int) -> Words {
        switch failure {
        case .notANumber: Words(en: "not a number", zh: "不是数字")
        case .notAnInteger: Words(en: "a whole number is expected", zh: "应为整数")
        case .outOfRange: Words(en: "the number is too large", zh: "数值超出范围")
        case .scientificNotation:
            Words(
                en: "written in scientific notation: a spreadsheet has dropped digits; export the column as text",
                zh: "科学计数法：电子表格已丢失数字，请将该列以文本格式导出")
        case .tooManyDecimals: Words(en: "more than \(places) decimals", zh: "小数超过 \(places) 位")
        case .percentSign: Words(en: "a percentage, a number is expected", zh: "是百分数，应为数字")
        case .notABoolean: Words(en: "neither yes nor no", zh: "既不是“是”也不是“否”")
        case .notADate, .notAnInstant: Words(en: "not a date", zh: "不是日期")
        case .ambiguousDate:
            Words(
                en: "day and month cannot be told apart; write the day as 2024-05-31, or choose the date order of the column "
                    + "(--date-order dmy or mdy) and import the file again",
                zh: "无法区分日和月；请改写为 2024-05-31 的形式，或为该列选择日期顺序（--date-order dmy 或 mdy）后重新导入")
        case .swappedDate:
            Words(
                en: "day and month may be exchanged: no date of the column with the year in front has a day above 12, and those that have "
                    + "stand with the day in front; map another column that holds this date, correct the file, or, if the dates are "
                    + "right as they stand, choose the date order of the column (--date-order dmy) and import the file again",
                zh: "日和月可能对调：该列年份在前的日期中没有大于 12 的日，而大于 12 的日都写在最前；请改为映射含有该日期的其他列，或更正文件；"
                    + "若日期无误，请为该列选择日期顺序（--date-order dmy）后重新导入")
        case .yearNotFirst:
            Words(
                en: "the year does not stand first, as the date order of the column says; write the day as 2024-05-31",
                zh: "年份不在最前，与该列设定的日期顺序不符；请改写为 2024-05-31 的形式")
        case .ambiguousCalendar:
            Words(
                en: "the column does not tell which number is the year, or of which calendar (it may be of the Republic of China); "
                    + "write the day as 2024-05-31, or choose the date order of the column (--date-order dmy, mdy, ymd or roc) and "
                    + "import the file again",
                zh: "该列无法判断哪个数是年份、属于哪种纪年（可能是民国）；请改写为 2024-05-31 的形式，"
                    + "或为该列选择日期顺序（--date-order dmy、mdy、ymd 或 roc）后重新导入")
        case .noSuchDay: Words(en: "there is no such day", zh: "没有这一天")
        case .excelSerialDate:
            Words(
                en: "looks like an Excel day number; switch on “Excel dates” for the column to convert it",
                zh: "像是 Excel 日期序号；请为该列打开“Excel 日期”以转换")
        case .formula: Words(en: "a spreadsheet formula, a value is expected", zh: "是电子表格公式，应为数值")
        }
    }

    /// A day or a month that was taken for the year may be why.
    static func futureOfShortYear(_ words: Words) -> Words {
        Words(
            en: bare(words).en + "; if the year is not the number it was taken for, choose the date order of the column (--date-order dmy, "
                + "mdy or ymd)",
            zh: bare(words).zh + "；若年份并非所取的数，请为该列选择日期顺序（--date-order dmy、mdy 或 ymd）")
    }

    static let notAPhone = ("not_a_phone", Words(en: "not a telephone number", zh: "不是电话号码"))
    static let notAnEmail = ("not_an_email", Words(en: "not an e-mail address", zh: "不是邮箱地址"))
    static let noMatchKey = (
        "match_key_missing",
        Words(
            en: "the match key is empty, so the record cannot be found again; map the column that holds the number of each record, "
                + "choose another match key (--match-key KEY), or none (--match-key \"\")",
            zh: "匹配键为空，无法对应记录；请映射存放每条记录编号的列，改用其他匹配键（--match-key KEY），或不用匹配键（--match-key \"\"）")
    )

    static let digitsLost = (
        "digits_lost",
        Words(
            en: "a number of more than 15 digits, of which a spreadsheet keeps only 15; format the column as text there and "
                + "enter or export the numbers anew",
            zh: "超过 15 位的数值，电子表格只保留 15 位；请将该列设为文本格式后重新录入或导出")
    )

    static let spreadsheetError = (
        "spreadsheet_error",
        Words(en: "a spreadsheet error (such as #REF!) stands in place of a value", zh: "是电子表格错误（如 #REF!），不是数值")
    )

    static func fails(_ rule: Words) -> Words {
        Words(en: "does not keep the rule “\(rule.en)”", zh: "不符合规则“\(rule.zh)”")
    }

    static func taken(_ rule: Words) -> Words {
        Words(en: "another customer has this value already (rule “\(rule.en)”)", zh: "已有其他客户使用该值（规则“\(rule.zh)”）")
    }

    static func tooLong(_ max: Int) -> (String, Words) {
        ("too_long", Words(en: "longer than \(max) characters", zh: "超过 \(max) 个字符"))
    }

    static let noChoice = "not_a_choice"

    /// Names the choices when there are few.
    static func notAChoice(_ choices: [ImportChoice]) -> (String, Words) {
        // A file may hold the code or a word of either language.
        func some(_ language: Language, _ comma: String) -> String {
            choices.prefix(8).map { choice in
                let other: Language = language == .en ? .zh : .en
                var words = [choice.words[language], choice.words[other]].filter { $0 != choice.code }
                if words.count == 2, words[0] == words[1] { words.removeLast() }
                guard !words.isEmpty else { return choice.code }
                return choice.code + (language == .en ? " (\(words.joined(separator: ", ")))" : "（\(words.joined(separator: "、"))）")
            }.joined(separator: comma) + (choices.count > 8 ? comma + "…" : "")
        }
        return (
            noChoice,
            Words(
                en: "not one of: \(some(.en, ", ")); write one of them, or say in the mapping file what the code stands for (values)",
                zh: "不是可选值：\(some(.zh, "、"))；请改写为其中之一，或在映射文件中说明该代码的含义（values）")
        )
    }

    static func duplicate(firstLine: Int) -> (String, Words) {
        (
            "duplicate_key",
            Words(
                en: "the same key is already in line \(firstLine) of this file\(another.en)",
                zh: "本文件第 \(firstLine) 行已有相同的键\(another.zh)")
        )
    }

    /// The same for many rows, whose first lines differ.
    static let duplicates = Words(
        en: "The same key is already in an earlier line of this file\(another.en).", zh: "本文件前面的行已有相同的键\(another.zh)。")

    private static let another = Words(
        en: "; if the lines are different records, map the column that holds the number of each, or choose another match key or none "
            + "(--match-key KEY, --match-key \"\")",
        zh: "；若各行是不同的记录，请映射存放各自编号的列，或改用其他匹配键、不用匹配键（--match-key KEY，--match-key \"\"）")

    /// `Field “Kind” (case_kind): The kind of case is missing; no column of the file is mapped to it.`
    static func ofField(_ key: String, _ title: Words, _ words: Words) -> Words {
        let (en, zh) = (bare(words).en, bare(words).zh)
        return Words(
            en: "Field “\(title.en)” (\(key)): \(en); no column of the file is mapped to it.",
            zh: "字段“\(title.zh)”（\(key)）：\(zh)；文件中没有列对应该字段。")
    }

    private static func bare(_ words: Words) -> Words {
        Words(
            en: words.en.hasSuffix(".") ? String(words.en.dropLast()) : words.en,
            zh: words.zh.hasSuffix("。") ? String(words.zh.dropLast()) : words.zh)
    }

    /// `Column “Birth”: not a date`.
    static func inColumn(_ name: String, _ words: Words) -> Words {
        let name = String(name.prefix(60))
        let (en, zh) = (bare(words).en, bare(words).zh)
        return Words(en: "Column “\(name)”: \(en).", zh: "列“\(name)”：\(zh)。")
    }
}

extension String {
    var replacingUnderscores: String { replacing("_", with: " ") }
}

extension JSONProblem {
    var chinese: String {
        switch self {
        case .unexpectedEnd: "意外结束"
        case .unexpectedCharacter: "意外字符"
        case .expectedKey: "缺少键"
        case .expectedColon: "缺少冒号"
        case .expectedCommaOrEnd: "缺少逗号或结尾"
        case .badNumber: "数字无效"
        case .badEscape: "转义无效"
        case .controlCharacter: "含控制字符"
        case .trailingText: "结尾后有多余文字"
        }
    }
}
