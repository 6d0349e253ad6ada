import Kernel

/// What the codes of refused and held rows are called where people read a list of them; the code itself is for programs.
enum RejectTitles {
    /// - Returns: `nil` for a code that has no name here: the key of a rule, or that of a field.
    static func title(_ code: String) -> Words? { all[code] }

    private static let all: [String: Words] = values.merging(rows) { one, _ in one }.merging(records) { one, _ in one }

    /// Of cells (`ValueFailure`, `RejectWords`).
    private static let values: [String: Words] = [
        "not_a_number": Words(en: "Not a number", zh: "不是数字"),
        "not_an_integer": Words(en: "Not a whole number", zh: "不是整数"),
        "out_of_range": Words(en: "Number too large", zh: "数值超出范围"),
        "scientific_notation": Words(en: "Digits lost in scientific notation", zh: "科学计数法丢失数字"),
        "too_many_decimals": Words(en: "Too many decimals", zh: "小数位过多"),
        "percent_sign": Words(en: "A percentage", zh: "百分数"),
        "not_a_boolean": Words(en: "Neither yes nor no", zh: "不是“是/否”"),
        "not_a_date": Words(en: "Not a date", zh: "不是日期"),
        "not_an_instant": Words(en: "Not a time", zh: "不是时间"),
        "ambiguous_date": Words(en: "Day or month first?", zh: "日月顺序不明"),
        "ambiguous_calendar": Words(en: "Which calendar?", zh: "纪年不明"),
        "no_such_day": Words(en: "No such day", zh: "日期不存在"),
        "excel_serial_date": Words(en: "Excel day number", zh: "Excel 日期序号"),
        "swapped_date": Words(en: "Day and month exchanged?", zh: "日月可能对调"),
        "yearNotFirst": Words(en: "Year not first", zh: "年份不在最前"),
        "formula": Words(en: "A formula", zh: "公式"),
        "not_a_phone": Words(en: "Not a telephone number", zh: "不是电话号码"),
        "not_an_email": Words(en: "Not an e-mail address", zh: "不是邮箱地址"),
        "not_a_choice": Words(en: "Unknown code", zh: "未知代码"),
        "too_long": Words(en: "Too long", zh: "内容过长"),
        "digits_lost": Words(en: "Digits lost in a spreadsheet", zh: "电子表格丢失数字"),
        "spreadsheet_error": Words(en: "Spreadsheet error", zh: "电子表格错误"),
        "match_key_missing": Words(en: "Match key missing", zh: "缺少匹配键"),
        "duplicate_key": Words(en: "The same key twice", zh: "键重复"),
    ]

    /// Of rows that cannot be read (`RejectReason`).
    private static let rows: [String: Words] = [
        "unclosed_quote": Words(en: "Quote never closes", zh: "引号未闭合"),
        "text_after_quote": Words(en: "Text behind a quote", zh: "引号后有文字"),
        "field_too_long": Words(en: "Field too long", zh: "字段过长"),
        "record_too_long": Words(en: "Row too long", zh: "行过长"),
        "too_many_columns": Words(en: "Too many columns", zh: "列数过多"),
        "nul_byte": Words(en: "NUL character", zh: "含空字符"),
        "nul_character": Words(en: "NUL character", zh: "含空字符"),
        "too_few_fields": Words(en: "Too few fields", zh: "字段过少"),
        "too_many_fields": Words(en: "Too many fields", zh: "字段过多"),
        "undecodable_bytes": Words(en: "Bytes without meaning", zh: "无法解码"),
        "json_syntax": Words(en: "Not valid JSON", zh: "JSON 无效"),
        "not_an_object": Words(en: "Not a JSON object", zh: "不是 JSON 对象"),
        "lone_surrogate": Words(en: "Broken character", zh: "字符损坏"),
        "too_deep": Words(en: "Nested too deep", zh: "嵌套过深"),
        "number_overflow": Words(en: "Number too large", zh: "数值过大"),
    ]

    /// Of records that were not taken.
    private static let records: [String: Words] = [
        "duplicate_in_file": Words(en: "Twice in the file", zh: "文件内重复"),
        "match_missing": Words(en: "Match key missing", zh: "缺少匹配键"),
        "no_match": Words(en: "Not found", zh: "无匹配记录"),
        "nobody": Words(en: "Nobody is named", zh: "未指明客户"),
        "other_person": Words(en: "Another person's", zh: "属于另一个人"),
        "out_of_scope": Words(en: "Outside your regions", zh: "超出数据范围"),
        "taken": Words(en: "Taken by another customer", zh: "已属于其他客户"),
        "no_customer": Words(en: "No customer is named", zh: "未指明客户"),
        "no_key": Words(en: "Key missing", zh: "缺少记录编号"),
        "other_customer": Words(en: "Another customer's", zh: "属于其他客户"),
        "two_customers": Words(en: "Names two customers", zh: "指向两个客户"),
        "customer_left": Words(en: "The customer has left", zh: "客户已离网"),
        "line_ended": Words(en: "The line has ended", zh: "业务已终止"),
        "unknown_customer": Words(en: "Unknown customer", zh: "客户不存在"),
        "unknown_number": Words(en: "Unknown number", zh: "号码不存在"),
        "unknown_account": Words(en: "Unknown account", zh: "账户不存在"),
        "unknown_case": Words(en: "Unknown case", zh: "工单不存在"),
        "before_start": Words(en: "Ends before it begins", zh: "结束早于开始"),
        "required": Words(en: "Something is missing", zh: "缺少必填内容"),
        "range": Words(en: "Out of range", zh: "超出范围"),
        "future": Words(en: "Lies in the future", zh: "时间在未来"),
        "gone": Words(en: "No longer there", zh: "已不存在"),
        "other_currency": Words(en: "Another currency", zh: "币种不同"),
        "own_parent": Words(en: "Its own parent", zh: "上级为自身"),
        "not_a_month": Words(en: "Not a month", zh: "不是月份"),
        "not_messages": Words(en: "Not a list of messages", zh: "不是消息列表"),
        "not_a_message": Words(en: "Not a message", zh: "不是消息"),
        "garbled": Words(en: "Garbled text", zh: "乱码"),
    ]
}
