import Kernel

/// What a file was wrapped in, outermost first.
package enum ContainerKind: String, Sendable, Codable, CaseIterable {
    case gzip, zip, xlsx, xml
    case jsonArray = "json_array"
}

/// Why a file could not be unpacked as a whole. Nothing of it is used then.
package struct ContainerError: Error, Sendable, Equatable {
    /// Stable.
    package let code: String
    /// What, where and what to do; follows the file's name in quotes.
    package let words: Words

    init(_ code: String, _ en: String, _ zh: String) {
        self.code = code
        words = Words(en: en, zh: zh)
    }

    static func truncatedGzip(_ read: Int) -> ContainerError {
        ContainerError(
            "gzip_truncated",
            "is a gzip file that ends too early, behind \(read) bytes. Nothing was used; bring the complete file.",
            "是不完整的 gzip 文件（读到第 \(read) 字节即结束）。未使用任何内容，请重新提供完整文件。")
    }

    static func damagedGzip(_ read: Int, _ isChecksum: Bool) -> ContainerError {
        isChecksum
            ? ContainerError(
                "gzip_checksum",
                "is a gzip file whose checksum does not fit (near byte \(read)). Nothing was used; transfer it again.",
                "的 gzip 校验和不符（约第 \(read) 字节处）。未使用任何内容，请重新传输。")
            : ContainerError(
                "gzip_damaged", "is a gzip file damaged near byte \(read). Nothing was used; transfer it again.",
                "的 gzip 数据在约第 \(read) 字节处损坏。未使用任何内容，请重新传输。")
    }

    static func afterGzip(_ at: Int) -> ContainerError {
        ContainerError(
            "gzip_trailing_bytes",
            "has bytes behind its gzip data that are no gzip (from byte \(at)). Nothing was used; transfer it again.",
            "的 gzip 数据之后（第 \(at) 字节起）有无法识别的内容。未使用任何内容，请重新传输。")
    }

    static func bomb(_ read: Int, _ written: Int) -> ContainerError {
        ContainerError(
            "expands_too_far",
            "expands too far (\(read) bytes became more than \(written)), as a zip bomb does. Unpack it yourself "
                + "if it is honest, and bring what is inside.",
            "解压后过大（\(read) 字节展开超过 \(written) 字节），疑似压缩炸弹。若确为正常文件，请自行解压后再导入。")
    }

    static let nested = ContainerError(
        "nested_archive", "holds an archive within an archive. Unpack it and bring the file inside.",
        "是嵌套的压缩包。请解压后导入其中的文件。")

    static func damagedZip(_ what: String, _ zh: String) -> ContainerError {
        ContainerError(
            "zip_damaged", "is a damaged ZIP archive or workbook: \(what). Nothing was used; transfer or save it again.",
            "是损坏的 ZIP 或工作簿：\(zh)。未使用任何内容，请重新传输或保存。")
    }

    static func encryptedZip(_ entry: String) -> ContainerError {
        ContainerError(
            "encrypted", "is protected by a password (“\(entry)”). Save it without one and bring it again.",
            "受密码保护（“\(entry)”）。请去除密码后再导入。")
    }

    static let encryptedWorkbook = ContainerError(
        "encrypted", "is a workbook protected by a password. Save it without one (File, Info, Protect) and bring it again.",
        "是受密码保护的工作簿。请在 Excel 中去除密码后再导入。")
    static let oldWorkbook = ContainerError(
        "old_workbook", "is an old Excel workbook (.xls). Open it and save it as .xlsx or “CSV UTF-8”, then bring that.",
        "是旧版 Excel 工作簿（.xls）。请打开并另存为 .xlsx 或“CSV UTF-8”后再导入。")

    static func otherOffice(_ what: Words) -> ContainerError {
        ContainerError(
            "other_office_file", "is \(what.en). Save the table as .xlsx or “CSV UTF-8” and bring that.",
            "是\(what.zh)。请将表格另存为 .xlsx 或“CSV UTF-8”后再导入。")
    }

    static func severalFiles(_ names: [String]) -> ContainerError {
        let shown = names.prefix(5).joined(separator: ", ")
        return ContainerError(
            "several_files", "is a ZIP archive of \(names.count) files (\(shown)). Bring them one by one.",
            "是含 \(names.count) 个文件的 ZIP（\(shown)）。请逐个导入。")
    }

    static let noFile = ContainerError(
        "empty_archive", "is an archive without a file. Nothing was imported.", "是空的压缩包。未导入任何内容。")

    static func unknownSheet(_ asked: String, _ names: [String]) -> ContainerError {
        let all = list(names) { _ in true }
        return ContainerError(
            "unknown_sheet", "has no sheet “\(asked)”. Choose one of: \(all).",
            "没有名为“\(asked)”的工作表，可选：\(all)。")
    }

    package static let replaced = ContainerError(
        "file_replaced", "was replaced or changed while it was read. Nothing was used; bring it again when it is complete.",
        "在读取过程中被替换或修改。未使用任何内容，请在文件写完后重新导入。")
    package static let unreadable = ContainerError("file_unreadable", "cannot be read.", "无法读取。")

    /// As the product's one error type.
    package func error(file name: String) -> CRMError {
        .invalid("file", code, Words(en: "“\(name)” \(words.en)", zh: "“\(name)”\(words.zh)"))
    }

    /// - Parameter names: all sheets.
    static func emptySheet(_ name: String, of names: [String]) -> ContainerError {
        let others = list(names) { $0 != name }
        guard !others.isEmpty else {
            return ContainerError(
                "empty_sheet", "has no rows in “\(name)”, its only sheet. Nothing was imported.",
                "唯一的工作表“\(name)”没有数据。未导入任何内容。")
        }
        return ContainerError(
            "empty_sheet", "has no rows in “\(name)”. Choose another sheet: \(others).",
            "的工作表“\(name)”没有数据。请选择其他工作表：\(others)。")
    }

    static func emptyWorkbook(_ names: [String]) -> ContainerError {
        guard names.count > 1 else { return emptySheet(names.first ?? "", of: names) }
        let all = list(names) { _ in true }
        return ContainerError(
            "empty_sheet", "has no rows in any of its sheets (\(all)). Nothing was imported.",
            "的所有工作表（\(all)）均没有数据。未导入任何内容。")
    }

    /// `2 “客户”, 3 “账单”`.
    package static func list(_ names: [String], where isMeant: (String) -> Bool) -> String {
        let meant = names.enumerated().filter { isMeant($0.element) }
        return meant.prefix(30).map { "\($0.offset + 1) “\($0.element)”" }.joined(separator: ", ")
            + (meant.count > 30 ? ", …" : "")
    }

    static let noSheets = ContainerError(
        "no_sheets", "has no sheets to choose from; leave the sheet out.", "没有可选的工作表，请不要指定工作表。")

    /// Text with the ending of a workbook.
    static let textAsWorkbook = ContainerError(
        "not_a_workbook",
        "is no XLSX workbook, whatever its name says: it holds text, as a CSV file does. Rename it to .csv and leave the sheet out, "
            + "or export it as .xlsx again.",
        "虽以 .xlsx 结尾，但不是 XLSX 工作簿，内容为文本（如 CSV）。请改名为 .csv 并不指定工作表，或重新导出为 .xlsx。")

    static let noRowsToSkip = ContainerError(
        "no_rows_to_skip", "is no table with a heading: rows can be skipped in workbooks and text with columns (CSV) only.",
        "不是带表头的表格：只有工作簿和分列文本（CSV）可以跳过表头上方的行。")

    static func tooLarge(_ what: String, _ zh: String) -> ContainerError {
        ContainerError(
            "workbook_too_large", "is too large to be read as a workbook: \(what). Save the sheet as “CSV UTF-8”.",
            "作为工作簿过大：\(zh)。请将工作表另存为“CSV UTF-8”。")
    }

    static func badXML(_ line: Int, _ what: String, _ zh: String) -> ContainerError {
        ContainerError(
            "xml_damaged", "is not well-formed XML: line \(line): \(what). Nothing was used; export it again.",
            "不是格式正确的 XML：第 \(line) 行：\(zh)。未使用任何内容，请重新导出。")
    }

    static func forbiddenXML(_ line: Int) -> ContainerError {
        ContainerError(
            "xml_entities",
            "declares entities (line \(line)), which can make a small file huge or read other files. "
                + "Export it without a document type.",
            "声明了实体（第 \(line) 行），可能造成内容膨胀或读取其他文件。请导出不含 DOCTYPE 的文件。")
    }

    static func tooDeep(_ line: Int, _ limit: Int) -> ContainerError {
        ContainerError(
            "too_deep", "is nested more than \(limit) deep (line \(line)). Export a flatter file.",
            "嵌套超过 \(limit) 层（第 \(line) 行）。请导出结构更简单的文件。")
    }

    static let noRecords = ContainerError(
        "no_records", "is one document without a list of records. A list of objects or repeated elements is expected.",
        "文档中没有记录列表。应包含对象数组或重复元素。")

    static func severalArrays(_ names: [String]) -> ContainerError {
        let all = names.joined(separator: ", ")
        return ContainerError(
            "several_arrays", "holds several lists (\(all)). Name one of them with --sheet.",
            "含有多个列表（\(all)）。请用 --sheet 指定其一。")
    }

    static func badJSON(_ line: Int, _ what: String, _ zh: String) -> ContainerError {
        ContainerError(
            "json_damaged", "is not valid JSON: line \(line): \(what). Nothing was used; export it again.",
            "不是有效的 JSON：第 \(line) 行：\(zh)。未使用任何内容，请重新导出。")
    }

    static func unknownEncoding(_ name: String) -> ContainerError {
        ContainerError(
            "unknown_encoding", "states the encoding “\(name)”, which is not known. Name one with --encoding.",
            "声明的编码“\(name)”无法识别。请用 --encoding 指定。")
    }
}
