import Kernel
import Storage
import Tabular

/// Columns that are called like a field and hold something else, and cells that went elsewhere.
extension ImportService {
    /// More rows above a heading are no title.
    package static let skipRowsMax = 1_000

    /// - Throws: `CRMError` 422 `skip_rows`.
    package static func check(skipRows: Int?) throws {
        if let skipRows, !(0...skipRowsMax).contains(skipRows) { throw badSkipRows("\(skipRows)") }
    }

    static func badSkipRows(_ text: String) -> CRMError {
        let shown = String(text.prefix(20))
        return .invalid(
            "skip_rows", "skip_rows",
            Words(
                en: "“\(shown)” is no number of rows to skip: 0 to \(skipRowsMax).",
                zh: "“\(shown)”不是可跳过的行数：应为 0 到 \(skipRowsMax)。"))
    }

    func misfits(_ mapping: ImportMapping, _ inspection: FileInspection) -> [FileInspection.Warning] {
        Self.misfits(mapping, inspection, target)
    }

    /// A column whose heading is known and whose values are mostly none of that field: it must not become something else
    /// without a word.
    static func misfits(
        _ mapping: ImportMapping, _ inspection: FileInspection, _ target: any ImportTarget
    ) -> [FileInspection.Warning] {
        let suggester = MappingSuggester(fields: target.fields, inspection: inspection)
        return suggester.misfits(mapping).map { found in
            let name = String(found.column.prefix(60))
            let becomes =
                found.isKept
                ? Words(en: "it becomes a custom attribute of text", zh: "该列将成为自定义文本属性")
                : Words(en: "it is not taken", zh: "该列不会导入")
            return FileInspection.Warning(
                "misfit_column",
                Words(
                    en: "Column “\(name)” is called like “\(found.field.en)”, but most of its values are not: "
                        + "\(found.bad) of \(found.looked) looked at cannot be read as such, so \(becomes.en). Correct the file, or map "
                        + "the column to “\(found.field.en)” to have the rows at fault refused with a reason.",
                    zh: "列“\(name)”的表头对应“\(found.field.zh)”，但多数值不符（查看的 \(found.looked) 个值中有 \(found.bad) 个无法读取），"
                        + "因此\(becomes.zh)。请更正文件，或将该列映射到“\(found.field.zh)”，不符的行会说明原因后拒绝。"))
        }
    }

    /// What was none of the choices and is kept as text.
    func spilled(_ reader: ChunkReader) -> [FileInspection.Warning] {
        reader.spilledCells.map { column, field, count in
            let words = target.fields.first { $0.key == field }?.words ?? Words(en: field, zh: field)
            let name = String(column.prefix(60))
            return FileInspection.Warning(
                "spilled_cells",
                Words(
                    en: "Column “\(name)”: \(Numbers.grouped(count)) values are none of the choices and are kept as text in “\(words.en)”.",
                    zh: "列“\(name)”：有 \(Numbers.grouped(count)) 个值不在可选值中，按文本保存到“\(words.zh)”。"))
        }
    }
}

extension MappingSuggester {
    /// A column that is called like a field and holds something else.
    struct Misfit: Sendable, Equatable {
        let column: String
        let field: Words
        /// Values looked at, and how many of them the field would not take.
        let looked: Int
        let bad: Int
        /// It becomes a custom attribute.
        let isKept: Bool
    }

    func misfits(_ mapping: ImportMapping) -> [Misfit] {
        let mapped = Set(
            mapping.columns.compactMap { column -> String? in
                if case .field(let key) = column.target { key } else { nil }
            })
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let names = fields.map(Self.names)
        return mapping.columns.compactMap { column in
            guard column.kind == nil, !RejectFile.isOwnColumn(column.column), let profile = profiles[column.column] else {
                return nil
            }
            if case .field = column.target { return nil }
            let key = HeaderKey(column.column).text
            let best = fields.indices.compactMap { index in Self.score(key, names[index]).map { (index, $0) } }
                .filter { $0.1 >= Self.scoreOfName }.max { $0.1 < $1.1 }
            guard let field = best.map({ fields[$0.0] }), !mapped.contains(field.key) else { return nil }
            let (good, looked) = fitting(field.kind, profile)
            guard looked > 0, !fits(field.kind, profile) else { return nil }
            return Misfit(
                column: column.column, field: field.words, looked: looked, bad: looked - good,
                isKept: column.target == .attribute)
        }
    }
}
