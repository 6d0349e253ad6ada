import Kernel
import Platform
import Storage
import Tabular

/// Where a file comes from when nobody says so, and by what its rows may be taken for records that are known.
extension ImportService {
    /// `XTelco_Customer_Churn.csv` -> `xtelco_customer_churn`.
    static func sourceName(_ file: String) -> String {
        let stem = file.split(separator: ".").first.map(String.init) ?? file
        let clean = Folding.fold(stem).map { $0.isLetter || $0.isNumber ? $0 : "_" }
        return String(String(clean).prefix(40))
    }

    /// What two names of one kind of file have in common: `customers_2026_10.csv` and `Customers 11.csv`. Empty for a name of
    /// figures alone, which tells nothing.
    static func stem(_ name: String) -> String { sourceName(name).filter(\.isLetter) }

    enum Origin: Equatable {
        /// The source has sent files of this name with these columns: another month of it.
        case known(String)
        /// Sources whose columns these are, in files of other names.
        case perhaps([String])
        case new
    }

    /// Columns alone do not tell a source: `客户号,姓名,手机号码` is what every system calls them, and taking one system's
    /// numbers for another's overwrites people. The file's name has to be alike too.
    func origin(of file: String, _ columns: [String], _ session: any SQLSession) throws -> Origin {
        let headers = Set(columns.filter { !RejectFile.isOwnColumn($0) }.map { HeaderKey($0) })
        let stem = Self.stem(file)
        var others: [String] = []
        for mapping in try MappingStore.latest(entity: target.entity, session) where !mapping.source.isEmpty {
            let known = Set(mapping.columns.map { HeaderKey($0.column) })
            let shared = known.intersection(headers).count
            guard shared >= MappingSuggester.headersOfSource, shared * 10 >= max(known.count, headers.count) * 7 else { continue }
            let latest = try session.first(
                RunStore.latestOfSource, [.text(mapping.source), .text(target.entity), .int(0)], { $0.text(1) })
            if !stem.isEmpty, [mapping.source, latest ?? ""].contains(where: { Self.stem($0) == stem }) {
                return .known(mapping.source)
            }
            if !others.contains(mapping.source) { others.append(mapping.source) }
        }
        return others.isEmpty ? .new : .perhaps(others)
    }

    static func sourceReused(_ source: String) -> FileInspection.Warning {
        FileInspection.Warning(
            "source_reused",
            Words(
                en: """
                    Name and columns of the file are those of the source “\(source)”, so it is taken to come from it. If it comes \
                    from elsewhere, name its source (--source, or “Source” in the wizard).
                    """,
                zh: "文件名和列与来源“\(source)”一致，因此按该来源处理。若文件来自其他系统，请指定来源名称（--source，或向导中的“来源”）。"))
    }

    /// - Parameter name: what the source is called instead; empty = it is asked for.
    static func sourceDoubtful(_ others: [String], name: String) -> FileInspection.Warning {
        let (en, zh) = (
            others.prefix(5).map { "“\($0)”" }.joined(separator: ", "), others.prefix(5).map { "“\($0)”" }.joined(separator: "、")
        )
        let taken =
            name.isEmpty
            ? Words(en: "Say where this file comes from, in “Source”.", zh: "请在“来源”中指明该文件来自哪个系统。")
            : Words(
                en: "The file's name is another one, so it is taken to come from a source of its own, “\(name)”. If it comes from "
                    + "one of them, name it (--source, or “Source” in the wizard).",
                zh: "文件名不同，因此按独立来源“\(name)”处理。若来自上述来源，请指定（--source，或向导中的“来源”）。")
        return FileInspection.Warning(
            "source_doubtful",
            Words(en: "Files with these columns have come from \(en). \(taken.en)", zh: "来源\(zh)曾有相同列的文件。\(taken.zh)"))
    }

    static let sourceNeeded = CRMError.invalid(
        "source", "source_needed",
        Words(en: "Say where the file comes from: its source is not known.", zh: "请指定文件的来源：无法确定该文件来自哪个系统。"))

    // MARK: Known records

    /// The number under which the source itself knows somebody.
    static let ownKey = "source_id"

    /// When rows are compared with known people, a key that was only guessed must not take them for records of other
    /// sources first: a telephone number is no person. What somebody chose stays.
    func unguessed(_ mapping: ImportMapping) -> ImportMapping {
        guard target.takesAttributes, let key = mapping.matchKey, key != Self.ownKey else { return mapping }
        var mapping = mapping
        mapping.matchKey = nil
        return mapping
    }

    static let matchesAsBeforeCode = "matches_as_before"

    /// Nobody asked for it this time.
    static func matchesAsBefore(_ source: String) -> FileInspection.Warning {
        FileInspection.Warning(
            matchesAsBeforeCode,
            Words(
                en: "New customers are compared with known ones because the last import of these columns from the source "
                    + "“\(source)” did so (--no-match, or the box in the wizard, turns it off).",
                zh: "由于来源“\(source)”上次导入这些列时启用了比对，新客户将与已有客户比对（可用 --no-match 或向导中的选项关闭）。"))
    }

    /// Rows are compared with known people, and no number of the source tells them again.
    func keyless(_ mapping: ImportMapping) -> FileInspection.Warning? {
        guard target.takesAttributes, mapping.matches, mapping.matchKey == nil else { return nil }
        return FileInspection.Warning(
            "matched_without_key",
            Words(
                en: """
                    No column holds the source's own customer number, so every row becomes a record of the source \
                    “\(mapping.source)”, which is linked with the same person or put to review. If a column is that number, map it to \
                    “Customer number”; to change known customers instead, choose the match key (--match-key KEY).
                    """,
                zh: "没有列被用作来源自身的客户编号，因此每行都成为来源“\(mapping.source)”的记录，再与同一人关联或提交人工确认。"
                    + "若某列就是客户编号，请将其映射到“客户编号”；若要更新已有客户，请选择匹配键（--match-key KEY）。"))
    }
}
