import Kernel
import Storage
import Web

/// Which headings of a file are understood as which field: the table from which mappings are proposed, for people. The
/// command, the page and docs/imports.md are made of it.
package struct ImportHeadings: Sendable, Codable, Equatable {
    package struct Choice: Sendable, Codable, Equatable {
        package let code: String
        package let en: String
        package let zh: String
    }

    package struct Field: Sendable, Codable, Equatable {
        /// What a mapping file names it by.
        package let key: String
        package let en: String
        package let zh: String
        /// `text`, `integer`, `date`, ...
        package let kind: String
        /// The values a choice may have; empty for other kinds.
        package let choices: [Choice]
        package let required: Bool
        /// Whether it can be the match key.
        package let findsRecords: Bool
        /// Compared without regard to case, spaces, punctuation, width, plural and script.
        package let headings: [String]
    }

    /// As `--entity` has it.
    package let entity: String
    package let en: String
    package let zh: String
    /// Whether columns that are no field become custom attributes; else they are left out.
    package let takesAttributes: Bool
    package let fields: [Field]

    package init(_ target: any ImportTarget) {
        entity = target.entity
        (en, zh) = (target.title.en, target.title.zh)
        takesAttributes = target.takesAttributes
        fields = target.fields.map(Field.init)
    }
}

extension ImportHeadings.Field {
    init(_ field: ImportField) {
        key = field.key
        (en, zh) = (field.words.en, field.words.zh)
        kind = field.kind.name
        if case .choice(let all) = field.kind {
            choices = all.map { ImportHeadings.Choice(code: $0.code, en: $0.words.en, zh: $0.words.zh) }
        } else {
            choices = []
        }
        required = field.required
        findsRecords = field.canMatch
        var seen: Set<HeaderKey> = []
        headings = ([field.words.en, field.words.zh, field.key] + field.synonyms).filter {
            seen.insert(HeaderKey($0)).inserted
        }
    }
}

extension ImportFieldKind {
    /// As reports and documents name it.
    var name: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .decimal: "decimal"
        case .money: "money"
        case .boolean: "boolean"
        case .date: "date"
        case .time: "time"
        case .phone: "phone"
        case .email: "email"
        case .choice: "choice"
        }
    }
}

extension ImportHeadings {
    /// The part of docs/imports.md that is made of the table; a test holds the two against each other.
    package static func markdown(_ all: [ImportHeadings]) -> String {
        func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
        return all.map { kind in
            let rows = kind.fields.map { field in
                let marks = (field.required ? " **needed**" : "") + (field.findsRecords ? " *key*" : "")
                let values = field.choices.map { "`\($0.code)` \($0.zh)" }.joined(separator: ", ")
                return "| `\(field.key)`\(marks) | \(cell(field.en)) \(cell(field.zh)) | \(field.kind)"
                    + (values.isEmpty ? "" : ": " + cell(values)) + " | "
                    + cell(field.headings.joined(separator: ", ")) + " |"
            }
            return "### `\(kind.entity)`: \(kind.en) \(kind.zh)\n\n| field | words | holds | headings |\n|---|---|---|---|\n"
                + rows.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// For a terminal.
    package func lines(_ texts: Texts, _ language: Language) -> [String] {
        let words = Words(en: en, zh: zh)[language]
        return ["\(entity): \(words)"]
            + fields.flatMap { field -> [String] in
                let marks = [
                    field.required ? texts.text("ingest.headings.required", language) : nil,
                    field.findsRecords ? texts.text("ingest.headings.key", language) : nil,
                ].compactMap { $0 }
                let kind = texts.text("ingest.field.\(field.kind)", language)
                let values = field.choices.map { "\($0.code) (\(Words(en: $0.en, zh: $0.zh)[language]))" }
                return [
                    "  \(field.key)  \(Words(en: field.en, zh: field.zh)[language])  [\(([kind] + marks).joined(separator: ", "))]",
                    "      " + field.headings.joined(separator: ", "),
                ] + (values.isEmpty ? [] : ["      = " + values.joined(separator: ", ")])
            }
    }
}

extension ImportService {
    /// The headings that the records of each kind understand, beside their custom attributes.
    package var headings: [ImportHeadings] { targets.map(ImportHeadings.init) }

    /// Columns of the file that nothing becomes of, though they hold something.
    static func notTaken(_ mapping: ImportMapping, _ inspection: FileInspection) -> [String] {
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return mapping.columns.filter { column in
            column.target == .ignore && !RejectFile.isOwnColumn(column.column)
                && !(inspection.isWhole && profiles[column.column]?.type == .empty)
        }.map(\.column)
    }

    /// What is said of them, before and after: an import that leaves something out must not look like one that took all.
    func notTaken(_ run: ImportRun, _ inspection: FileInspection) -> FileInspection.Warning? {
        guard !run.isReplay else { return nil }
        let columns = Self.notTaken(run.mapping, inspection)
        guard !columns.isEmpty else { return nil }
        func list(_ open: String, _ close: String, _ comma: String) -> String {
            columns.prefix(20).map { open + $0 + close }.joined(separator: comma) + (columns.count > 20 ? comma + "…" : "")
        }
        let title = target.title
        let noun = columns.count == 1 ? "1 column is" : "\(Numbers.grouped(columns.count)) columns are"
        return FileInspection.Warning(
            "columns_not_taken",
            Words(
                en: """
                    \(noun) not taken: \(list("“", "”", ", ")). Nothing of “\(title.en)” is mapped to them; a mapping can say \
                    what they are, and the list of headings says what is understood (switchboard import --headings \
                    --entity \(target.entity); in the console “Headings”).
                    """,
                zh: """
                    未导入的列（\(Numbers.grouped(columns.count)) 个）：\(list("“", "”", "、"))。“\(title.zh)”中没有字段与之对应；\
                    可在映射中指定，可识别的表头见“表头说明”（switchboard import --headings --entity \(target.entity)）。
                    """))
    }
}
