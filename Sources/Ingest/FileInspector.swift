import Foundation
import Kernel
import Platform
import Tabular
import TabularFiles

/// Looks into a file: encoding, format, columns, what they hold, and what is wrong with it.
struct FileInspector {
    /// How much is looked at. The dry run reads everything.
    static let bytesMax: Int64 = 32 << 20
    static let rowsMax = 100_000

    let encoding: TextEncoding?
    let delimiter: UInt8?
    /// Name or number of a sheet; `nil` = the first that has rows.
    var sheet: String?
    /// Rows above the heading of a sheet; `nil` = a title is looked for.
    var skipRows: Int?
    /// Known before: that the file grew while it was copied.
    let warnings: [FileInspection.Warning]
    /// What was unpacked before; `nil` = it is unpacked now, if it is in a container.
    var canonical: CanonicalFile?

    init(
        encoding: TextEncoding?, delimiter: UInt8?, sheet: String? = nil, skipRows: Int? = nil,
        warnings: [FileInspection.Warning], canonical: CanonicalFile? = nil
    ) {
        self.encoding = encoding
        self.delimiter = delimiter
        self.sheet = sheet
        self.skipRows = skipRows
        self.warnings = warnings
        self.canonical = canonical
    }

    /// Hears of the records looked at, and of the bytes read for them.
    typealias Tick = @Sendable (_ rows: Int, _ bytes: Int64) async throws -> Void

    /// Looks at the file on a thread of its own: seconds for a large file.
    /// - Parameter tick: looks at the whole file, however large, and tells how far it is, a few times a second.
    /// - Throws: `CRMError` 422 for a file nothing can be read from: empty, no rows, a workbook, a bad header.
    func inspect(
        name: String, size: Int64, blob: String, _ blobs: any BlobStore, whole tick: Tick? = nil
    ) async throws -> FileInspection {
        guard size > 0 else { throw Self.words(.emptyFile, name: name) }
        let inspector = self
        guard let tick else { return try await OwnThread.run { try inspector.open(name, size, blob, blobs, nil) } }
        return try await OwnThread.run(first: (rows: 0, bytes: Int64(0)), report: { try await tick($0.rows, $0.bytes) })
        {
            box in
            try inspector.open(name, size, blob, blobs) { try box.note((rows: $0, bytes: $1)) }
        }
    }

    /// Unpacks the file where it is in a container, and looks into its text.
    private func open(
        _ name: String, _ size: Int64, _ blob: String, _ blobs: any BlobStore, _ note: ((Int, Int64) throws -> Void)?
    ) throws -> FileInspection {
        let text = try canonical ?? unpack(name, size, blob, blobs)
        do {
            return try look(name, text, text?.size ?? size, text?.blobID ?? blob, blobs, note)
        } catch {
            // Nobody knows of what was unpacked here; it must not stay.
            if canonical == nil, let text { try? blobs.delete(text.blobID) }
            throw error
        }
    }

    private func unpack(_ name: String, _ size: Int64, _ blob: String, _ blobs: any BlobStore) throws -> CanonicalFile? {
        let source = ByteSource(size: Int(size)) { offset in
            let reader = try blobs.reader(blob, offset: Int64(offset))
            return { try reader.read(1 << 18) }
        }
        var writer: (any BlobWriter)?
        do {
            let unpacker = Unpacker(
                name: name, sheet: sheet, skipRows: skipRows, encoding: encoding, scratch: { try ScratchFile() })
            let unpacked = try unpacker.unpack(source) { bytes in
                let open = try writer ?? blobs.writer()
                writer = open
                try open.write(bytes)
            }
            guard let unpacked else { return nil }
            guard let stored = try writer?.finish() else { throw Self.words(.emptyFile, name: name) }
            return CanonicalFile(blobID: stored.id, size: stored.size, unpacked: unpacked)
        } catch {
            writer?.discard()
            switch error {
            case let error as ContainerError: throw error.error(file: name)
            case let error as TabularError: throw Self.words(error, name: name)
            default: throw error
            }
        }
    }

    /// - Parameter note: looks at the whole file; called now and then.
    private func look(
        _ name: String, _ canonical: CanonicalFile?, _ size: Int64, _ blob: String, _ blobs: any BlobStore,
        _ note: ((Int, Int64) throws -> Void)?
    ) throws -> FileInspection {
        let source = try blobs.reader(blob, offset: 0)
        var given: Int64 = 0
        var options = Self.options(name: name, encoding: encoding, delimiter: delimiter)
        canonical?.unpacked.apply(to: &options)
        var reader = TabularReader(options: options) {
            guard let bytes = try source.read(1 << 18) else { return nil }
            given += Int64(bytes.count)
            return bytes
        }
        do {
            guard let header = try reader.header() else { throw Self.words(.emptyFile, name: name) }
            let sample = try sample(&reader, header, note) { given }
            guard let format = reader.format, let guess = reader.encodingGuess else {
                throw Self.words(.emptyFile, name: name)
            }
            guard sample.rows > 0 else { throw Self.noRows(name, columns: header.names.count, canonical?.unpacked) }
            return FileInspection(
                format: format, encodingConfidence: options.encoding == nil ? guess.confidence : 1,
                encodingReason: guess.reason.rawValue, columns: sample.profiler.names,
                profiles: sample.profiler.profiles.map(ColumnInfo.init), rows: sample.rows,
                unreadable: sample.unreadable, bytesRead: sample.isWhole ? size : given, isWhole: sample.isWhole,
                isRejectFile: RejectFile.isOwn(header.names),
                warnings: warnings + self.warnings(header, options.encoding == nil ? guess : nil, sample)
                    + Self.warnings(canonical?.unpacked), encodingOverride: encoding, delimiterOverride: delimiter,
                canonical: canonical)
        } catch let error as TabularError {
            throw Self.words(error, name: name)
        }
    }

    /// The same options for each pass over a file.
    static func options(name: String, encoding: TextEncoding?, delimiter: UInt8?) -> TabularOptions {
        TabularOptions(
            name: name, encoding: encoding, delimiter: delimiter, ragged: .reject, onUndecodable: .reject,
            limits: TabularLimits(columnsMax: 2_000))
    }

    private struct Sample {
        var profiler: TableProfiler
        var rows = 0
        var unreadable = 0
        var firstBad: Reject?
        var isWhole = false
    }

    private func sample(
        _ reader: inout TabularReader, _ header: Header, _ note: ((Int, Int64) throws -> Void)?, _ given: () -> Int64
    ) throws -> Sample {
        var sample = Sample(profiler: TableProfiler(names: header.names))
        while note != nil || (sample.rows < Self.rowsMax && given() <= Self.bytesMax) {
            guard let event = try reader.next() else {
                sample.isWhole = true
                break
            }
            if let note, sample.rows % 10_000 == 9_999 { try note(sample.rows, given()) }
            switch event {
            case .header: break
            case .lateColumns(let names): sample.profiler.add(columns: names)
            case .record(let record):
                sample.rows += 1
                sample.profiler.add(record)
            case .reject(let reject):
                sample.rows += 1
                sample.unreadable += 1
                if sample.firstBad == nil { sample.firstBad = reject }
            }
        }
        return sample
    }

    private static func warnings(_ unpacked: Unpacked?) -> [FileInspection.Warning] {
        guard let unpacked else { return [] }
        var found: [FileInspection.Warning] = []
        if unpacked.sheets.count > 1, let sheet = unpacked.sheet {
            let others = unpacked.sheets.filter { $0 != sheet }.prefix(5).joined(separator: ", ")
            found.append(
                .init(
                    "sheet_taken",
                    Words(
                        en: "“\(sheet)” is read; the file also holds: \(others).",
                        zh: "读取的是“\(sheet)”；文件中还有：\(others)。")))
        }
        if let summary = unpacked.summary, let skipped = summary.skipped, let title = summary.titles?.first {
            // A row of data that was taken for a title is not to stand in a message.
            let shown = FileProfile.personal("", values: [title]) == nil ? String(title.prefix(60)) : "…"
            let rows =
                skipped == 1
                ? Words(en: "Row 1 stands above the heading and is", zh: "表头上方的第 1 行已跳过")
                : Words(en: "Rows 1 to \(skipped) stand above the heading and are", zh: "表头上方的第 1 至 \(skipped) 行已跳过")
            found.append(
                .init(
                    "title_skipped",
                    Words(
                        en: "\(rows.en) skipped: “\(shown)”. If the heading is another row, say how many rows to skip.",
                        zh: "\(rows.zh)：“\(shown)”。若表头不在下一行，请指定要跳过的行数。")))
        }
        if let summary = unpacked.summary, let count = summary.longNumbers, count > 0 {
            let at = summary.longNumberAt ?? ""
            found.append(
                .init(
                    "digits_lost",
                    Words(
                        en:
                            "\(count == 1 ? "1 cell holds" : "\(Numbers.grouped(count)) cells hold") a number of more than 15 digits, the first is \(at): a spreadsheet keeps 15 digits and loses the others, so these numbers are not taken. Format the column as text in the spreadsheet, enter or export its numbers anew, and bring the file again.",
                        zh:
                            "\(Numbers.grouped(count)) 个单元格是超过 15 位的数值（首个为 \(at)）：电子表格只保留 15 位，其余数字已丢失，这些号码不会导入。请在表格中将该列设为文本格式，重新录入或导出后再导入。"
                    )))
        }
        if let summary = unpacked.summary, summary.mergedRanges > 0 {
            found.append(
                .init(
                    "merged_cells",
                    Words(
                        en: "The sheet has \(summary.mergedRanges) merged ranges: only their first cell holds the value.",
                        zh: "工作表含 \(summary.mergedRanges) 个合并区域，仅第一个单元格有值。")))
        }
        if let summary = unpacked.summary, summary.emptyFormulas > 0 {
            found.append(
                .init(
                    "formulas_without_result",
                    Words(
                        en:
                            "\(summary.emptyFormulas) formulas have no stored result and are read as empty; open the file in Excel and save it.",
                        zh: "\(summary.emptyFormulas) 个公式没有存储结果，按空值读取；请用 Excel 打开并保存。")))
        }
        return found
    }

    /// - Parameter guess: `nil` when the encoding is known.
    private func warnings(_ header: Header, _ guess: EncodingGuess?, _ sample: Sample) -> [FileInspection.Warning] {
        var found: [FileInspection.Warning] = []
        if let guess, guess.confidence < 0.7 {
            found.append(
                .init(
                    "encoding_unsure",
                    guess.reason == .mixedLines
                        ? Words(
                            en:
                                "The encoding is uncertain: some lines are UTF-8 and others are not. Read as UTF-8, the others are rejected; save the file anew in one encoding.",
                            zh: "编码不确定：部分行为 UTF-8，其余不是。按 UTF-8 读取，其余行将被拒绝；请将文件统一保存为一种编码。")
                        : Words(
                            en:
                                "The encoding is uncertain: the file is read as \(guess.encoding.rawValue). Look at the samples and choose another one if the text is unreadable.",
                            zh: "编码不确定：按 \(guess.encoding.rawValue) 读取。请查看样本，若为乱码请改选其他编码。")))
        }
        let broken = header.names.filter(Mojibake.isSuspect)
        if !broken.isEmpty {
            func list(_ comma: String) -> String {
                broken.prefix(5).map { name in Mojibake.repaired(name).map { "“\(name)” (\($0)?)" } ?? "“\(name)”" }.joined(separator: comma)
            }
            found.append(
                .init(
                    "broken_headings",
                    Words(
                        en: "Headings are broken text, read in a wrong encoding before they were saved: \(list(", ")). Export the file anew.",
                        zh: "表头是乱码（保存前已按错误编码读取）：\(list("、"))。请重新导出文件。")))
        }
        if !header.duplicates.isEmpty {
            let names = header.duplicates.prefix(5).joined(separator: ", ")
            found.append(
                .init(
                    "duplicate_headers",
                    Words(
                        en: "Columns of the same name were numbered: \(names).", zh: "同名列已加编号：\(names)。")))
        }
        if !header.unnamed.isEmpty {
            let numbers = header.unnamed.prefix(10).map { String($0 + 1) }.joined(separator: ", ")
            found.append(
                .init(
                    "unnamed_columns",
                    Words(
                        en: "Columns without a name were given one: column \(numbers).",
                        zh: "未命名的列已自动命名：第 \(numbers) 列。")))
        }
        if let bad = sample.firstBad {
            let reason = RejectWords.words(bad.reason)
            found.append(
                .init(
                    "unreadable_rows",
                    Words(
                        en:
                            "\(Numbers.grouped(sample.unreadable)) of \(Numbers.grouped(sample.rows)) rows looked at cannot be read; the first is line \(bad.line): \(reason.en)",
                        zh:
                            "已检查的 \(Numbers.grouped(sample.rows)) 行中有 \(Numbers.grouped(sample.unreadable)) 行无法读取，首个在第 \(bad.line) 行：\(reason.zh)"
                    )))
        }
        return found
    }

    /// - Parameter unpacked: a workbook may hold better sheets.
    static func noRows(_ name: String, columns: Int, _ unpacked: Unpacked?) -> CRMError {
        let others = unpacked.map { file in ContainerError.list(file.sheets) { $0 != file.sheet } } ?? ""
        let sheet = unpacked?.sheet.map { Words(en: " in sheet “\($0)”", zh: "的工作表“\($0)”") } ?? Words(en: "", zh: "")
        return .invalid(
            "file", "no_rows",
            Words(
                en: "“\(name)” has a header with \(columns) columns but no rows\(sheet.en). Nothing was imported."
                    + (others.isEmpty ? "" : " Other sheets: \(others)."),
                zh: "“\(name)”\(sheet.zh)只有表头（\(columns) 列），没有数据行。未导入任何内容。"
                    + (others.isEmpty ? "" : "其他工作表：\(others)。")))
    }

    /// What is wrong with a file as a whole, for a person.
    static func words(_ error: TabularError, name: String) -> CRMError {
        func invalid(_ code: String, _ en: String, _ zh: String) -> CRMError {
            .invalid("file", code, Words(en: "“\(name)” \(en)", zh: "“\(name)”\(zh)"))
        }
        switch error {
        case .emptyFile: return invalid("empty_file", "is empty. Nothing was imported.", "是空文件。未导入任何内容。")
        case .notText(let kind):
            let (what, advice) = (kind.words, kind.advice)
            return invalid(
                "not_text", "is \(what.en), not a table. Nothing was imported. \(advice.en)",
                "是\(what.zh)，不是表格。未导入任何内容。\(advice.zh)")
        case .undecodable(let text):
            return invalid(
                "wrong_encoding",
                "is not \(text.encoding.rawValue): line \(text.line) holds bytes that mean nothing in it.",
                "不是 \(text.encoding.rawValue) 编码：第 \(text.line) 行含有无法识别的字节。")
        case .headerUnreadable(let reject):
            let reason = RejectWords.words(reject.reason)
            return invalid(
                "header_unreadable", "has a header line that cannot be read (line \(reject.line)): \(reason.en)",
                "的表头无法读取（第 \(reject.line) 行）：\(reason.zh)")
        case .notJSONLines:
            return invalid(
                "not_json_lines", "is one JSON document. One object a line (JSON Lines) is expected.",
                "是单个 JSON 文档。应为每行一个对象的 JSON Lines。")
        case .badCheckpoint:
            return invalid("bad_checkpoint", "cannot be continued at the stored place.", "无法从保存的位置继续。")
        }
    }
}
