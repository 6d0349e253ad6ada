import Foundation
import Kernel
import Platform
import Tabular
import TabularFiles

extension FileProfile {
    /// Reads a file of the machine.
    /// - Throws: `CRMError` that says what is wrong with it.
    package static func read(
        _ path: String, sheet: String?, skipRows: Int? = nil, encoding: TextEncoding?, tick: (Int) throws -> Void = { _ in }
    ) throws -> FileProfile {
        let name = URL(fileURLWithPath: path).lastPathComponent
        do {
            let file = try OpenedFile(path: path, sheet: sheet, skipRows: skipRows, encoding: encoding)
            var options = TabularOptions(
                encoding: encoding, onUndecodable: .reject, limits: TabularLimits(columnsMax: 2_000))
            options = file.options(options)
            var reader = TabularReader(options: options, source: try file.source())
            var profiler = FileProfiler()
            return try profiler.profile(&reader, name: name, bytes: file.size, unpacked: file.unpacked, tick: tick)
        } catch let error as ContainerError {
            throw error.error(file: name)
        } catch let error as TabularError {
            throw FileInspector.words(error, name: name)
        }
    }
}

/// A profile as a table for a terminal.
package struct ProfileText {
    let profile: FileProfile
    let language: Language

    package init(profile: FileProfile, language: Language) {
        self.profile = profile
        self.language = language
    }

    func say(_ en: String, _ zh: String) -> String { language == .zh ? zh : en }

    package var lines: [String] {
        var lines = head(onPage: false)
        let columns = profile.columns
        let titles = [
            say("column", "列"), say("type", "类型"), say("missing", "缺失"), say("distinct", "不同值"), say("min", "最小"),
            say("median", "中位"), say("max", "最大"), say("mean", "均值"), say("most frequent", "最常见"), say("shape", "形状"),
        ]
        let rows = columns.map { column in
            [
                column.name + (column.personal == nil ? "" : " *"), typeName(column.type), share(column),
                distinct(column), low(column), median(column), high(column), column.mean.map(number) ?? "",
                column.top.prefix(2).map { "\($0.value) ×\($0.count)" }.joined(separator: ", "),
                column.shapes.first?.value ?? "",
            ]
        }
        lines += [""] + Self.table([titles] + rows)
        let remarks = columns.flatMap { column in notes(column).map { "\(column.name): \($0)" } } + [spaced].compactMap { $0 }
        if columns.contains(where: { !$0.shapes.isEmpty }) {
            lines += [
                "",
                say(
                    "shape: A and a = a letter, 9 = a digit, 中 = a Chinese character, + = more of the same",
                    "形状：A、a = 字母，9 = 数字，中 = 汉字，+ = 更多同类字符"),
            ]
        }
        if !remarks.isEmpty { lines += ["", say("To look at:", "需要留意：")] + remarks.map { "  " + $0 } }
        if columns.contains(where: { $0.personal != nil }) {
            lines += ["", say("* personal data, masked; --values shows it", "* 个人信息，已脱敏；使用 --values 显示")]
        }
        return lines
    }

    func distinct(_ column: FileProfile.Column) -> String {
        (column.isDistinctEstimate ? "≈" : "") + Numbers.grouped(column.distinct)
    }
    func low(_ column: FileProfile.Column) -> String { column.minimum.map(number) ?? column.earliest ?? "" }
    func high(_ column: FileProfile.Column) -> String { column.maximum.map(number) ?? column.latest ?? "" }
    func median(_ column: FileProfile.Column) -> String {
        column.quantiles.flatMap { $0.count > 2 ? number($0[2]) : nil } ?? ""
    }

    /// What the whole file is, in one line, without its name.
    var summary: String {
        (kind + head(onPage: true).dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }).joined(separator: " · ")
    }

    private var kind: [String] {
        profile.containers + [profile.sheet.map { say("sheet “\($0)”", "工作表“\($0)”") }].compactMap { $0 }
    }

    /// - Parameter onPage: nobody there can give an option of a command.
    private func head(onPage: Bool) -> [String] {
        var lines = ["\(profile.file)  \(kind.joined(separator: ", "))"]
        let sure = Int((profile.encodingConfidence * 100).rounded())
        let way = onPage ? "" : say("; --encoding names another", "；可用 --encoding 指定")
        let guess = sure >= 100 ? "" : say(" (guessed, \(sure) % sure\(way))", "（推测，把握 \(sure) %\(way)）")
        let encoding = profile.containers.isEmpty || ["gzip", "zip"].contains(profile.containers.last)
        lines.append(
            "  " + say("rows", "行数") + " \(Numbers.grouped(profile.rows)), " + say("columns", "列数") + " \(profile.columns.count)"
                + (encoding ? ", " + say("encoding", "编码") + " \(profile.encoding)\(guess)" : ""))
        if profile.sheets.count > 1 {
            lines.append("  " + say("sheets", "工作表") + " " + profile.sheets.joined(separator: ", "))
        }
        if let skipped = profile.skippedRows {
            lines.append(
                "  " + say("rows above the heading, skipped", "已跳过的表头上方行数") + " \(skipped)")
        }
        if let lost = profile.longNumbers {
            lines.append(
                "  "
                    + say(
                        "numbers of more than 15 digits in cells, whose last digits a spreadsheet loses; format the column as text:",
                        "单元格中超过 15 位的数值（电子表格会丢失末尾数字，请将该列设为文本格式）：") + " \(lost)")
        }
        let about = profile.isDuplicateEstimate ? "≈" : ""
        lines.append("  " + say("repeated rows", "重复行") + " \(about)\(profile.duplicateRows)")
        if profile.unreadable > 0 {
            let first = profile.firstUnreadable.map { one in
                let reason = Self.unreadable(one.value)
                return say(
                    " (first: \(place) \(one.line), \(reason.en))", "（首个：第 \(one.line) \(place)，\(reason.zh)）")
            }
            lines.append("  " + say("rows that cannot be read", "无法读取的行") + " \(profile.unreadable)\(first ?? "")")
        }
        return lines
    }

    var place: String {
        switch profile.place {
        case "row": say("row", "行")
        case "element": say("element", "元素")
        default: say("line", "行")
        }
    }

    func typeName(_ type: ColumnType) -> String {
        switch type {
        case .integer: say("integer", "整数")
        case .decimal: say("decimal", "小数")
        case .boolean: say("yes/no", "是/否")
        case .date: say("date", "日期")
        case .dateTime: say("date and time", "日期时间")
        case .text: say("text", "文本")
        case .empty: say("empty", "空")
        }
    }

    func share(_ column: FileProfile.Column) -> String {
        guard column.missing > 0, column.total > 0 else { return "0" }
        let percent = column.missing * 100 / column.total
        return "\(column.missing) (\(percent == 0 ? "< 1" : "\(percent)") %)"
    }

    func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        switch abs(value) {
        case 1e15...: return String(format: "%.4g", value)
        case 1_000...: return String(format: "%.0f", value)
        case 1...: return String(format: "%.2f", value)
        default: return String(format: "%.4g", value)
        }
    }

    /// Cells side by side; Chinese characters take two columns of a terminal.
    private static func table(_ rows: [[String]]) -> [String] {
        let cells = rows.map { $0.map { TerminalText.cut($0, to: 26) } }
        let widths = rows[0].indices.map { index in cells.map { TerminalText.width($0[index]) }.max() ?? 0 }
        return cells.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - TerminalText.width($0)) }
                .joined(separator: "  ")
            return "  " + String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
