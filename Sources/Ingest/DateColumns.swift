import Kernel
import Tabular

/// Columns of dates that cannot be read with certainty, and others that hold the same dates.
extension ColumnInfo {
    /// Some of its dates cannot be told, or are not what they seem.
    var hasDoubtfulDates: Bool {
        ["swapped_dates", "mixed_date_orders", "ambiguous_date_order", "ambiguous_calendar"].contains { has($0) } || hasOpenYears
    }

    /// Years of two digits throughout, in whatever order; the profile speaks of them only under the heading of a date.
    private var hasOpenYears: Bool {
        type == .text && dateOrder == nil && !samples.isEmpty && samples.allSatisfy { DateReadings.all($0).count > 1 }
    }

    /// Every date of it can be read in one way only.
    private var hasCertainDates: Bool {
        (type == .date || type == .dateTime) && !hasDoubtfulDates && !has("do_not_fit") && !has("impossible_dates")
            && samples.allSatisfy { DateReadings.all($0).count == 1 }
    }

    /// So many values in a row that are the same date are no chance.
    private static let sameMin = 3

    /// Whether the other column has the same dates, none of them in doubt.
    func isOutdone(by other: ColumnInfo) -> Bool {
        guard hasDoubtfulDates, other.name != name, other.hasCertainDates, other.distinct == distinct,
            samples.count == other.samples.count, samples.count >= Self.sameMin
        else { return false }
        return zip(samples, other.samples).allSatisfy { DateReadings.all($0).isSuperset(of: DateReadings.all($1)) }
    }
}

extension MappingSuggester {
    /// A date whose order is in doubt yields to a column that says the same in words, unless a person decided.
    func preferClearDates(_ chosen: inout [Int: (field: Int, score: Int)], _ profiles: [String: ColumnInfo]) {
        for (column, choice) in chosen where choice.score < 1_000 && [.date, .time].contains(fields[choice.field].kind) {
            guard let profile = profiles[inspection.columns[column]] else { continue }
            let better = inspection.columns.indices.first { other in
                chosen[other] == nil && !RejectFile.isOwnColumn(inspection.columns[other])
                    && profiles[inspection.columns[other]].map(profile.isOutdone) == true
            }
            guard let better else { continue }
            chosen[column] = nil
            chosen[better] = choice
        }
    }
}

extension ImportService {
    /// Columns read as dates in which the order is in doubt: what becomes of them, and which column would be better.
    func dateOrders(_ mapping: ImportMapping, _ inspection: FileInspection) -> [FileInspection.Warning] {
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return mapping.columns.compactMap { column in
            guard case .field = column.target, column.isReadAsDate(profiles[column.column], target.fields),
                let profile = profiles[column.column], profile.hasDoubtfulDates
            else { return nil }
            let isMixed = profile.has("swapped_dates") || profile.has("mixed_date_orders")
            // Which order a person chose is no doubt any more; dates that do not keep to any are.
            guard column.dateOrder == nil || isMixed else { return nil }
            let name = String(column.column.prefix(60))
            let better = inspection.profiles.first { profile.isOutdone(by: $0) }.map { String($0.name.prefix(60)) }
            let instead = better.map {
                Words(en: " Column “\($0)” has the same dates without this doubt: map it instead.", zh: "列“\($0)”含有相同且明确的日期，请改用该列。")
            }
            let words =
                isMixed
                ? Words(en: "Column “\(name)”: mixed date orders. ", zh: "列“\(name)”：日期顺序混杂。")
                : Words(en: "Column “\(name)”: the order of its dates cannot be told. ", zh: "列“\(name)”：无法判断日期顺序。")
            let outcome =
                column.dateOrder == nil
                ? Words(
                    en: "Dates that can be read in two ways are not taken (--date-order, or the mapping, says how they are meant).",
                    zh: "有两种读法的日期不予导入（可用 --date-order 或在映射中指定）。")
                : Words(
                    en: "They are read in the order that was chosen; compare some with what is known of them.", zh: "现按所选顺序读取，请抽查核对。")
            return FileInspection.Warning(
                "date_orders",
                Words(en: words.en + outcome.en + (instead?.en ?? ""), zh: words.zh + outcome.zh + (instead?.zh ?? "")))
        }
    }
}
