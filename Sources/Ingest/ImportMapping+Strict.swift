import Foundation
import Kernel
import Storage
import Tabular

/// A mapping file is written by hand: a word that nobody reads is a mistake, and is told as one. What the product itself
/// stored is decoded without this.
enum MappingWords {
    static let whole = ["name", "source", "columns", "unlisted", "matchKey", "create", "update", "matches"]
    static let column = ["column", "to", "kind", "dateOrder", "excelDates", "values"]
    static let unlisted = ["attribute", "ignore"]
    static let kinds = ["integer", "decimal", "boolean", "date", "text"]
    static let orders = DateOrder.allCases.map(\.rawValue)
    private static let problemsMax = 5

    /// - Throws: `CRMError` 422 "mapping_file" that names each unknown key and value, where it stands and what is allowed.
    static func check(_ data: Data, name: String) throws {
        // What is no JSON object at all is told by the decoder.
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
        var problems = keys(of: object, among: whole, at: nil)
        if let value = object["unlisted"] {
            problems += self.value(value, "unlisted", among: unlisted, at: nil)
        }
        var seen: [HeaderKey: String] = [:]
        for (index, column) in (object["columns"] as? [[String: Any]] ?? []).enumerated() {
            let heading = column["column"] as? String
            let place = place(index, heading)
            problems += keys(of: column, among: self.column, at: place)
            if let value = column["kind"] { problems += self.value(value, "kind", among: kinds, at: place) }
            if let value = column["dateOrder"] { problems += self.value(value, "dateOrder", among: orders, at: place) }
            if let heading, let other = seen.updateValue(heading, forKey: HeaderKey(heading)) {
                problems.append(
                    Words(en: "\(place.en) is listed already as “\(short(other))”", zh: "\(place.zh)与前面的“\(short(other))”重复"))
            }
        }
        guard !problems.isEmpty else { return }
        let more = problems.count > problemsMax
        let told = problems.prefix(problemsMax)
        throw CRMError.invalid(
            "mapping", "mapping_file",
            Words(
                en: "The mapping “\(name)” cannot be used: \(told.map(\.en).joined(separator: "; "))\(more ? "; …" : "").",
                zh: "映射“\(name)”无法使用：\(told.map(\.zh).joined(separator: "；"))\(more ? "；…" : "")。"))
    }

    private static func place(_ index: Int, _ heading: String?) -> Words {
        let named = heading.map { " “\(short($0))”" } ?? ""
        return Words(en: "column \(index + 1)\(named)", zh: "第 \(index + 1) 列\(named)")
    }

    private static func keys(of object: [String: Any], among known: [String], at place: Words?) -> [Words] {
        object.keys.filter { !known.contains($0) }.sorted().map { key in
            let (meantEN, meantZH) = meant(key, known)
            return Words(
                en: "there is no key “\(short(key))”\(place.map { " in \($0.en)" } ?? "")\(meantEN) (keys: \(known.joined(separator: ", ")))",
                zh: "\(place.map { "\($0.zh)中" } ?? "")没有键“\(short(key))”\(meantZH)（可用：\(known.joined(separator: "、"))）")
        }
    }

    private static func value(_ value: Any, _ key: String, among known: [String], at place: Words?) -> [Words] {
        // `null` is as if the key were not there.
        if value is NSNull { return [] }
        if let text = value as? String, known.contains(text) { return [] }
        let shown = short((value as? String) ?? "\(value)")
        let (meantEN, meantZH) = meant(shown, known)
        return [
            Words(
                en: "“\(key)”\(place.map { " of \($0.en)" } ?? "") is “\(shown)”\(meantEN) (values: \(known.joined(separator: ", ")))",
                zh: "\(place.map { "\($0.zh)的" } ?? "")“\(key)”为“\(shown)”\(meantZH)（可用：\(known.joined(separator: "、"))）")
        ]
    }

    /// `; did you mean “matchKey”?`, or nothing.
    static func meant(_ word: String, _ known: [String]) -> (String, String) {
        guard let near = nearest(word, known) else { return ("", "") }
        return (", did you mean “\(near)”?", "，是否为“\(near)”？")
    }

    /// The known word that is a slip of the pen away: another case, or up to two letters changed, missing, added or exchanged.
    static func nearest(_ word: String, _ known: [String]) -> String? {
        func plain(_ text: String) -> [Character] { Array(text.lowercased().filter { $0.isLetter || $0.isNumber }) }
        let typed = plain(String(word.prefix(60)))
        let ranked = known.map { ($0, distance(typed, plain($0))) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= min(2, best.0.count / 2) else { return nil }
        return best.0
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for row in 1..<(left.count + 1) {
            var line = [row]
            for column in 1..<(right.count + 1) {
                let isSame = left[row - 1] == right[column - 1]
                var cost = min(rows[row - 1][column] + 1, line[column - 1] + 1, rows[row - 1][column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    cost = min(cost, rows[row - 2][column - 2] + 1)
                }
                line.append(cost)
            }
            rows.append(line)
        }
        return rows[left.count][right.count]
    }

    private static func short(_ text: String) -> String { text.count > 60 ? String(text.prefix(60)) + "…" : text }
}

extension FileInspection.Warning {
    /// Codes of what was learned when the file came in, and is not found by looking at it again.
    static let keptCodes = ["file_grew", "source_reused", "source_doubtful", "schema_differs", "columns_absent", "matches_as_before"]
}

extension ImportMapping {
    /// Columns from which something was to become and which the file has not: a heading that was renamed loses its field.
    func absent(from headers: [String]) -> FileInspection.Warning? {
        let known = Set(headers.map { HeaderKey($0) })
        let gone = columns.filter { $0.target != .ignore && !known.contains(HeaderKey($0.column)) }
        guard !gone.isEmpty else { return nil }
        func list(_ comma: String) -> String {
            gone.prefix(20).map { "“\($0.column.prefix(60))” → \($0.code)" }.joined(separator: comma)
                + (gone.count > 20 ? comma + "…" : "")
        }
        return FileInspection.Warning(
            "columns_absent",
            Words(
                en: """
                    The mapping names \(gone.count == 1 ? "a column" : "\(gone.count) columns") that the file has not: \
                    \(list(", ")). Nothing is read for \(gone.count == 1 ? "it" : "them"); was a heading renamed?
                    """,
                zh: "映射中有 \(gone.count) 列在文件中不存在：\(list("、"))。这些字段不会导入，请检查表头是否改名。"))
    }
}
