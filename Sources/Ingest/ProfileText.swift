import Foundation
import Kernel
import Platform
import Tabular
import TabularFiles

extension FileProfile {
    /// Reads a file of the machine.
    /// - Throws: `CRMError` that says what is wrong with it.
    package static func read(
        _ path: String, sheet: String?, encoding: TextEncoding?, tick: (Int) throws -> Void = { _ in }
    ) throws -> FileProfile {
        let name = URL(fileURLWithPath: path).lastPathComponent
        do {
            let file = try OpenedFile(path: path, sheet: sheet, encoding: encoding)
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

    private func say(_ en: String, _ zh: String) -> String { language == .zh ? zh : en }

    package var lines: [String] {
        var lines = head
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
        let remarks = columns.flatMap { column in notes(column).map { "\(column.name): \($0)" } }
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
        (kind + head.dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }).joined(separator: " · ")
    }

    private var kind: [String] {
        profile.containers + [profile.sheet.map { say("sheet “\($0)”", "工作表“\($0)”") }].compactMap { $0 }
    }

    private var head: [String] {
        var lines = ["\(profile.file)  \(kind.joined(separator: ", "))"]
        let sure = Int((profile.encodingConfidence * 100).rounded())
        let encoding = profile.containers.isEmpty || ["gzip", "zip"].contains(profile.containers.last)
        lines.append(
            "  " + say("rows", "行数") + " \(Numbers.grouped(profile.rows)), " + say("columns", "列数") + " \(profile.columns.count)"
                + (encoding ? ", \(profile.encoding) (\(sure) %)" : ""))
        if profile.sheets.count > 1 {
            lines.append("  " + say("sheets", "工作表") + " " + profile.sheets.joined(separator: ", "))
        }
        let about = profile.isDuplicateEstimate ? "≈" : ""
        lines.append("  " + say("repeated rows", "重复行") + " \(about)\(profile.duplicateRows)")
        if profile.unreadable > 0 {
            let first = profile.firstUnreadable.map {
                say(" (first: \(place) \($0.line), \($0.value))", "（首个：\(place) \($0.line)，\($0.value)）")
            }
            lines.append("  " + say("rows that cannot be read", "无法读取的行") + " \(profile.unreadable)\(first ?? "")")
        }
        return lines
    }

    private var place: String {
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
        return "\(column.missing) (\(max(1, column.missing * 100 / column.total)) %)"
    }

    func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return String(format: "%.4g", value)
    }

    func notes(_ column: FileProfile.Column) -> [String] {
        var found: [String] = []
        if column.isLikelyKey, let repeated = column.keyDuplicates {
            found.append(
                repeated == 0
                    ? say("names a record: no value comes twice", "可作标识：没有重复值")
                    : say("may name a record, but \(repeated) values come again", "可能是标识，但有 \(repeated) 个重复值"))
        }
        if let outliers = column.outliers {
            let places = outliers.examples.map { "\(place) \($0.line): \($0.value)" }.joined(separator: ", ")
            found.append(
                say("\(outliers.count) values far outside the others (\(places))", "\(outliers.count) 个离群值（\(places)）"))
        }
        if let dates = column.dates, let words = words(dates) { found.append(words) }
        if let broken = column.mojibake {
            let meant = broken.repaired.map { say(", was “\($0)”", "，应为“\($0)”") } ?? ""
            let example = broken.examples.first.map { "\(place) \($0.line): \($0.value)\(meant)" } ?? ""
            found.append(
                say(
                    "broken text: \(broken.repairable) can be repaired, \(broken.lost) are lost (\(example))",
                    "乱码：\(broken.repairable) 个可修复，\(broken.lost) 个已丢失（\(example)）"))
        }
        let known = ["mixed_date_orders", "ambiguous_date_order"]
        found += column.notices.filter { !known.contains($0.value) }.map {
            $0.value.replacingOccurrences(of: "_", with: " ") + ($0.count > 0 ? " \($0.count)" : "")
        }
        return found
    }

    private func words(_ dates: FileProfile.Dates) -> String? {
        let lines = dates.ambiguousLines.prefix(8).map { "\($0)" }.joined(separator: ", ")
        let rows = dates.ambiguousLines.isEmpty ? "" : " (\(place) \(lines)\(dates.ambiguous > 8 ? ", …" : ""))"
        switch dates.verdict {
        case .clear, .dayFirst, .monthFirst: return nil
        case .unknown:
            return say("day or month first cannot be told in \(dates.ambiguous) rows", "\(dates.ambiguous) 行无法判断日月顺序") + rows
        case .mixed:
            return say(
                "dates of both orders (\(dates.dayFirst) day first, \(dates.monthFirst) month first); "
                    + "\(dates.ambiguous) rows are ambiguous",
                "日月顺序混用（日在前 \(dates.dayFirst)，月在前 \(dates.monthFirst)），\(dates.ambiguous) 行有歧义") + rows
        case .swapped:
            return say(
                "\(dates.ambiguous) rows are written year-month-day but only where the day is 12 or less: a program probably took "
                    + "the day for the month; check them against another column",
                "\(dates.ambiguous) 行写成年-月-日，但日均不超过 12：可能被程序误将日当作月，请与其他列核对") + rows
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
