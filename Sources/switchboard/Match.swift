import App
import ArgumentParser
import Foundation
import Ingest
import Insights
import Kernel
import Matching
import Tabular
import TabularFiles
import Web

/// Finds the records of one person in a file or in two; needs no database.
struct Match: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Link the records of one file to each other, or of two files, without labels.",
        discussion: """
            What the columns hold is told from their headers and values (--column corrects it); the weights are learned from the \
            file itself. The result is one JSON object: pairs (left, right, score 0...1) that are linked, review (the same of \
            doubtful pairs, for a person to decide, the most likely first), clusters of ids, columns with what each was taken \
            for, and seconds.
            Two different identity numbers with right check digits are never linked, and people of one home are kept apart.
            Rows without an id are left out (exit code 2).
            """)
    @OptionGroup var reader: LanguageOption
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String
    @Argument(help: "A second file: its records are linked to those of the first.") var other: String?
    @Option(name: .long, help: "Column that names the record; it is not compared.") var id: String
    @Option(name: .customLong("other-id"), help: "That column in the second file (default: as in the first).")
    var otherID: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(
        name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .customLong("other-sheet"), help: "Sheet of the second file.") var otherSheet: String?
    @Option(name: .customLong("other-skip-rows"), help: "Rows above the heading of the second file.") var otherSkipRows: Int?
    @Option(name: .long, help: "JSON file to write the result to.") var out: String
    @Option(name: .long, help: "JSON file to write the learned weights to.") var model: String?
    @Option(name: .customLong("country-code"), help: "For telephone numbers written without one.") var countryCode =
        "86"

    @Option(
        name: .customLong("column"),
        help: ArgumentHelp(
            """
            What a column is, where the guess is wrong: NAME=KIND, may be repeated, for both files. Kinds: \
            \(Matching.ColumnKind.allCases.map(\.rawValue).joined(separator: ", ")); a column that is nothing is not compared.
            """, valueName: "NAME=KIND")) var columns: [String] = []

    static let rowsMax = 2_000_000

    func validate() throws {
        guard (1...3).contains(countryCode.count), countryCode.allSatisfy(\.isNumber) else {
            throw ValidationError("--country-code must be 1...3 digits, for example 86")
        }
        _ = try told()
        guard other != nil || otherID == nil else { throw ValidationError("--other-id needs a second file") }
    }

    func run() async throws {
        try await Terminal.run {
            for path in [file, other].compactMap({ $0 }) { try FileTrouble.checkFile(path, isRegular: true) }
            for path in [out, model].compactMap({ $0 }) { try FileTrouble.checkOutput(path) }
            for rows in [skipRows, otherSkipRows] { try ImportService.check(skipRows: rows) }
            let say = try Say()
            let clock = ContinuousClock()
            let start = clock.now
            let bar = ProgressBar()
            let left: Records, right: Records?, result: MatchResult
            let told = try told()
            do {
                left = try Records(path: file, id: id, sheet: sheet, skipRows: skipRows, bar)
                right = try other.map { try Records(path: $0, id: otherID ?? id, sheet: otherSheet, skipRows: otherSkipRows, bar) }
                try checkColumns(told, left, right)
                result = Matcher.match(left.source, right?.source, told: told, countryCode: countryCode) {
                    bar.show($0.done, $0.total, say.pick($0.words))
                }
            } catch {
                bar.end()
                throw error
            }
            bar.finish()
            let ids = left.ids + (right?.ids ?? [])
            let spent = (clock.now - start).components
            let seconds = Double(spent.seconds) + Double(spent.attoseconds) / 1e18
            let repeated = [left, right].compactMap { $0 }.filter { $0.repeated.count > 0 }
            try Self.write(Self.json(result, ids, repeated, seconds), to: out)
            if let model { try Self.write(try Self.encoded(result.model), to: model) }
            summarise(result, left, right, say)
            if left.leftOut + (right?.leftOut ?? 0) > 0 { throw ExitCode(2) }
        }
    }

    /// What a column is; in Chinese beside the code that `--column` takes.
    private static func words(_ kind: Matching.ColumnKind, _ say: Say) -> String {
        guard say.language == .zh else { return kind.rawValue }
        let word =
            switch kind {
            case .givenName: "名"
            case .surname: "姓"
            case .fullName: "姓名"
            case .phone: "电话"
            case .email: "邮箱"
            case .birthDate: "出生日期"
            case .date: "日期"
            case .identityNumber: "证件号码"
            case .street: "街道地址"
            case .houseNumber: "门牌号"
            case .suburb: "城区"
            case .postcode: "邮编"
            case .category: "类别"
            case .code: "代码"
            case .number: "数值"
            case .text: "文本"
            case .nothing: "无内容"
            }
        return "\(word)（\(kind.rawValue)）"
    }

    private func summarise(_ result: MatchResult, _ left: Records, _ right: Records?, _ say: Say) {
        for column in result.columns {
            let names = [column.left, column.right].compactMap { $0.map(Terminal.plain) }
            let isOne = names.count == 2 && names[0] == names[1]
            let key = column.isCompared && column.kind != .nothing ? column.isTold ? "told" : "guessed" : "left.out"
            Terminal.out(
                say(
                    "cli.match.column.\(key)",
                    ["name": isOne ? names[0] : names.joined(separator: " = "), "kind": Self.words(column.kind, say)]))
        }
        func counted(_ count: Int, _ key: String) -> String {
            say(count == 1 ? "cli.match.\(key).one" : "cli.match.\(key)", ["count": "\(count)"])
        }
        Terminal.out(
            say(
                "cli.match.summary",
                [
                    "records": counted(left.ids.count + (right?.ids.count ?? 0), "records"),
                    "comparisons": counted(result.comparisons, "comparisons"), "pairs": counted(result.pairs.count, "pairs"),
                    "clusters": counted(result.clusters.count, "clusters"), "review": "\(result.review.count)",
                ]))
        for records in [left, right].compactMap({ $0 }) where records.repeated.count > 0 {
            let repeated = records.repeated
            Terminal.note(
                say(
                    repeated.count == 1 ? "cli.match.repeated.one" : "cli.match.repeated",
                    [
                        "file": Terminal.plain(records.path), "count": "\(repeated.count)", "rows": "\(repeated.rows)",
                        "column": Terminal.plain(records.column), "examples": repeated.words(say),
                    ]))
        }
        for records in [left, right].compactMap({ $0 }) where records.leftOut > 0 {
            Terminal.note(
                say(
                    "cli.match.left",
                    [
                        "file": Terminal.plain(records.path), "rows": "\(records.leftOut)",
                        "reason": records.firstReason.map(say.pick) ?? "",
                    ]))
        }
    }

    private static func json(_ result: MatchResult, _ ids: [String], _ repeated: [Records], _ seconds: Double) -> Data {
        func list(_ pairs: [MatchResult.Pair]) -> JSONValue {
            .array(
                pairs.map { pair in
                    .object([
                        "left": .string(ids[pair.left]), "right": .string(ids[pair.right]),
                        "score": .double((pair.score * 1e6).rounded() / 1e6),
                    ])
                })
        }
        let doubtful = result.review.sorted { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
        let clusters = result.clusters.map { JSONValue.array($0.map { .string(ids[$0]) }) }
        var whole: [String: JSONValue] = [
            "pairs": list(result.pairs), "review": list(doubtful), "clusters": .array(clusters),
            "columns": .array(result.columns.map(column)), "seconds": .double((seconds * 1e3).rounded() / 1e3),
        ]
        if !repeated.isEmpty { whole["repeated_ids"] = .array(repeated.map { $0.repeated.json(file: $0.path) }) }
        return Data((JSONValue.object(whole).encoded() + "\n").utf8)
    }

    /// `{"column": "name", "other": "who", "kind": "full_name", "told": false, "compared": true}`
    private static func column(_ column: TakenColumn) -> JSONValue {
        .object([
            "column": column.left.map(JSONValue.string) ?? .null, "other": column.right.map(JSONValue.string) ?? .null,
            "kind": .string(column.kind.rawValue), "told": .bool(column.isTold),
            "compared": .bool(column.isCompared && column.kind != .nothing),
        ])
    }

    private static func encoded(_ model: LinkageModel) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(model)
    }

    private static func write(_ data: Data, to path: String) throws {
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

extension Match {
    /// One file: its ids, and the columns that are compared.
    struct Records {
        let path: String
        /// The one with the ids.
        let column: String
        let ids: [String]
        /// Ids that more than one row has.
        let repeated: Repeated
        let source: MatchSource
        /// Rows that could not be read, or have no id.
        let leftOut: Int
        let firstReason: Words?

        init(path: String, id: String, sheet: String?, skipRows: Int?, _ bar: ProgressBar) throws {
            let data = try Self.read(path, sheet: sheet, skipRows: skipRows, bar)
            guard let column = data.columns.firstIndex(where: { Self.trimmed($0) == Self.trimmed(id) }) else {
                throw Self.noColumn(path, id, data.columns)
            }
            guard !data.isCut else { throw Self.tooLong(path) }
            let kept = (0..<data.rows).filter { data.cells[column][$0] != nil }
            self.path = path
            self.column = Self.trimmed(data.columns[column])
            ids = kept.map { Self.trimmed(data.cells[column][$0] ?? "") }
            repeated = Repeated(ids, lines: kept.map { data.lines[$0] })
            let others = data.columns.indices.filter { $0 != column }
            source = MatchSource(
                headers: others.map { Self.trimmed(data.columns[$0]) },
                cells: others.map { other in kept.map { data.cells[other][$0] } }, rows: kept.count)
            leftOut = data.rejectCount + data.rows - kept.count
            let withoutID = (0..<data.rows).first { data.cells[column][$0] == nil }
            firstReason =
                data.rejects.first.map { TabularWording.reject($0) }
                ?? withoutID.map {
                    Words(
                        en: "Line \(data.lines[$0]) has no value in \(Self.trimmed(id)).",
                        zh: "第 \(data.lines[$0]) 行的 \(Self.trimmed(id)) 为空。")
                }
        }

        static func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }

        static func noColumn(_ path: String, _ id: String, _ columns: [String]) -> CRMError {
            let names = columns.prefix(30).map(trimmed).joined(separator: ", ")
            return CRMError(
                "no_such_column", status: 422,
                Words(
                    en: "\(path) has no column \(id). Its columns: \(names).", zh: "\(path) 中没有列 \(id)。现有列：\(names)。"))
        }

        private static func tooLong(_ path: String) -> CRMError {
            CRMError(
                "file_too_long", status: 422,
                Words(
                    en: "\(path) holds more than \(Match.rowsMax) rows; match it in parts.",
                    zh: "\(path) 超过 \(Match.rowsMax) 行，请分批匹配。"))
        }

        private static func read(_ path: String, sheet: String?, skipRows: Int?, _ bar: ProgressBar) throws -> TableData {
            do {
                let file = try OpenedFile(path: path, sheet: sheet, skipRows: skipRows)
                let next = try file.source()
                var done = 0
                return try TableData.read(options: file.options(TabularOptions()), rowsMax: Match.rowsMax) {
                    guard let bytes = try next() else { return nil }
                    done += bytes.count
                    bar.show(done, file.size, Words(en: "reading", zh: "读取")[Terminal.language])
                    return bytes
                }
            } catch let error as ContainerError {
                throw error.error(file: path)
            } catch let error as TabularError {
                throw TabularWording.error(error)
            }
        }
    }
}

extension Match {
    /// What --column says, by header.
    /// - Throws: `ValidationError` for what is not `NAME=KIND`, a kind that is none, or a column with two kinds.
    private func told() throws -> [String: Matching.ColumnKind] {
        var told: [String: Matching.ColumnKind] = [:]
        for text in columns {
            // The kind has no sign of equality, a header may.
            guard let sign = text.lastIndex(of: "="), sign > text.startIndex else {
                throw ValidationError("--column is NAME=KIND, for example name=full_name, not “\(text)”")
            }
            let name = Records.trimmed(String(text[..<sign]))
            guard let kind = Matching.ColumnKind(rawValue: String(text[text.index(after: sign)...])) else {
                throw ValidationError(
                    "“\(text[text.index(after: sign)...])” is no kind of column. Kinds: "
                        + Matching.ColumnKind.allCases.map(\.rawValue).joined(separator: ", "))
            }
            guard told[name] == nil || told[name] == kind else {
                throw ValidationError("--column says two kinds of “\(name)”")
            }
            told[name] = kind
        }
        return told
    }

    private func checkColumns(_ told: [String: Matching.ColumnKind], _ left: Records, _ right: Records?) throws {
        for name in told.keys.sorted() {
            let known = left.source.headers + (right?.source.headers ?? [])
            if !known.contains(name) { throw Records.noColumn([file, other].compactMap(\.self).joined(separator: ", "), name, known) }
        }
    }
}
