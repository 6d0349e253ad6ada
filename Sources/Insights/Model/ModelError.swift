/// Why a table cannot be learned from or a model cannot be used; every case is for the person who gave the data.
package enum ModelError: Error, Equatable, Sendable {
    /// The label column is not in the table; `available` are the names that are.
    case labelMissing(column: String, available: [String])
    case identifierMissing(column: String)
    /// The label has more than two values and none was named as the positive one.
    case labelNotBinary(column: String, values: [String])
    /// The label holds only this value.
    case oneClass(column: String, value: String)
    case positiveAbsent(column: String, positive: String, values: [String])
    case tooFewRows(found: Int, needed: Int)
    /// The rarer outcome has fewer rows than there are folds.
    case tooFewOfOutcome(value: String, found: Int, needed: Int)
    case foldsOutOfRange(folds: Int, lowest: Int, highest: Int)
    /// Nothing is left to learn from once identifiers, constants and give-aways are out.
    case noUsableColumns
    /// None of the model's columns is in the table to be scored.
    case noKnownColumns(expected: [String])
    /// Not a stored model, or one written by a newer version.
    case unreadableModel(detail: String)
    /// XGBoost refused; its own words.
    case engine(String)

    /// A stable name for programs.
    package var code: String {
        switch self {
        case .labelMissing: "label_missing"
        case .identifierMissing: "id_missing"
        case .labelNotBinary: "label_not_binary"
        case .oneClass: "one_class"
        case .positiveAbsent: "positive_absent"
        case .tooFewRows: "too_few_rows"
        case .tooFewOfOutcome: "too_few_of_outcome"
        case .foldsOutOfRange: "folds_out_of_range"
        case .noUsableColumns: "no_usable_columns"
        case .noKnownColumns: "no_known_columns"
        case .unreadableModel: "unreadable_model"
        case .engine: "engine"
        }
    }

    package var text: Bilingual {
        switch self {
        case .labelMissing(let column, let available):
            Bilingual(
                zh: "表中没有标签列“\(column)”。现有列：\(Self.list(available, "、"))。",
                en: "There is no label column “\(column)”. The columns are: \(Self.list(available, ", ")).")
        case .identifierMissing(let column):
            Bilingual(zh: "表中没有标识列“\(column)”。", en: "There is no identifier column “\(column)”.")
        case .labelNotBinary(let column, let values):
            Bilingual(
                zh: "标签列“\(column)”有两种以上的值（\(Self.list(values, "、"))），请指明哪个值表示离网。",
                en: "The label column “\(column)” has more than two values (\(Self.list(values, ", "))); "
                    + "say which one is the positive one.")
        case .oneClass(let column, let value):
            Bilingual(
                zh: "标签列“\(column)”只有一种值“\(value)”，需要离网与未离网两类客户才能学习。",
                en: "The label column “\(column)” holds only “\(value)”; learning needs customers of both outcomes.")
        case .positiveAbsent(let column, let positive, let values):
            Bilingual(
                zh: "标签列“\(column)”中没有值“\(positive)”。现有值：\(Self.list(values, "、"))。",
                en: "The label column “\(column)” never holds “\(positive)”. Its values: \(Self.list(values, ", ")).")
        case .tooFewRows(let found, let needed):
            Bilingual(
                zh: "带标签的数据只有 \(found) 行，至少需要 \(needed) 行。",
                en: "Only \(found) rows have a label; at least \(needed) are needed.")
        case .tooFewOfOutcome(let value, let found, let needed):
            Bilingual(
                zh: "标签为“\(value)”的只有 \(found) 行，至少需要 \(needed) 行才能交叉验证；可减少折数或补充数据。",
                en: "Only \(found) rows are labelled “\(value)”; cross-validation needs at least \(needed). "
                    + "Use fewer folds or more data.")
        case .foldsOutOfRange(let folds, let lowest, let highest):
            Bilingual(
                zh: "折数 \(folds) 超出范围（\(lowest)–\(highest)）。",
                en: "\(folds) folds are out of range (\(lowest) to \(highest)).")
        case .noUsableColumns:
            Bilingual(
                zh: "去掉标识列、常量列和泄露答案的列之后，没有可供学习的列。",
                en: "No column is left to learn from once identifiers, constants and give-aways are out.")
        case .noKnownColumns(let expected):
            Bilingual(
                zh: "表中没有模型需要的任何列。模型需要：\(Self.list(expected, "、"))。",
                en: "None of the model's columns is in the table. It needs: \(Self.list(expected, ", ")).")
        case .unreadableModel(let detail):
            Bilingual(zh: "无法读取模型：\(detail)", en: "The model cannot be read: \(detail)")
        case .engine(let words):
            Bilingual(zh: "模型引擎报错：\(words)", en: "The model engine reports: \(words)")
        }
    }

    /// The first few values, so that a message stays one line.
    private static func list(_ values: [String], _ separator: String) -> String {
        let shown = values.prefix(12).map { $0.count > 40 ? $0.prefix(40) + "…" : $0 }.joined(separator: separator)
        return values.count > 12 ? shown + "…" : shown
    }
}

extension ModelError: CustomStringConvertible {
    package var description: String { text.en }
}
