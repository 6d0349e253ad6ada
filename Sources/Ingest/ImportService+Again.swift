import Kernel
import Platform
import Storage

/// A file that is brought a second time.
extension ImportService {
    /// The earlier import of the same bytes whose records this mapping would make once more; `nil` = there is none, or
    /// the match key finds them.
    func repeated(
        _ digest: String, _ mapping: ImportMapping, but run: ImportRunID? = nil, _ session: any SQLSession
    ) throws -> RunStore.Earlier? {
        guard target.doublesWithoutKey, mapping.createsNew,
            let earlier = try RunStore.earlier(digest: digest, entity: target.entity, but: run, session)
        else { return nil }
        guard let key = mapping.matchKey else { return earlier }
        // A key finds what was kept under it; numbers of a source are kept under its name.
        let isKept = earlier.mapping.columns.contains { $0.target == .field(key) }
        return isKept && (key != "source_id" || earlier.mapping.source == mapping.source) ? nil : earlier
    }

    func repeated(_ run: ImportRun, _ session: any SQLSession) throws -> RunStore.Earlier? {
        guard !run.isReplay, let digest = try session.first(RunStore.digest, [.id(run.id)], { $0.text(0) }) else {
            return nil
        }
        return try on(run.entity).repeated(digest, run.mapping, but: run.id, session)
    }

    /// Numbers are claimed by one record only; what has none, or another one, is not known again.
    private static let newAgain = Words(
        en: "Without a match key each row is a new record: whose number is known is refused, all others would be there a second time.",
        zh: "没有匹配键时每行都视为新记录：号码已存在的被拒绝，其余会重复。")

    /// What would come of it. Numbers of records are kept under the name of their source, so under another name a key finds nobody.
    private static func outcome(_ earlier: RunStore.Earlier, _ mapping: ImportMapping) -> Words {
        let (before, now) = (earlier.mapping.source, mapping.source)
        guard let key = mapping.matchKey else { return newAgain }
        guard key == "source_id", before != now, earlier.mapping.columns.contains(where: { $0.target == .field(key) }) else {
            return Words(
                en: "Nothing was kept under this match key then, so it finds nobody: each row would be a new record. Choose one that the earlier import had.",
                zh: "之前的导入未保存该匹配键的值，因此找不到任何记录，每行都将成为新记录。请选择之前导入中已有的匹配键。")
        }
        return Words(
            en: "It came from the source “\(before)” then and would come from “\(now)” now, where these numbers are not known: each row would be a new record. If it is one system, name it “\(before)”.",
            zh: "当时的来源为“\(before)”，现为“\(now)”，后者尚无这些编号，因此每行都将成为新记录。如果是同一系统，请使用来源名“\(before)”。")
    }

    /// For a page, whose reader can tick a box.
    static func importedBefore(_ earlier: RunStore.Earlier, _ mapping: ImportMapping) -> CRMError {
        let (outcome, isKeyed) = (outcome(earlier, mapping), mapping.matchKey != nil)
        return .invalid(
            "again", "imported_before",
            Words(
                en:
                    "The same file was imported before (import \(earlier.id)). \(outcome.en) \(isKeyed ? "Or" : "Choose a match key, or") tick “Import it again all the same”.",
                zh: "该文件此前已导入（导入 \(earlier.id)）。\(outcome.zh)\(isKeyed ? "也可" : "请选择匹配键，或")勾选“仍然再次导入”。"))
    }

    /// For a dry run: what the import will ask for.
    func repeatWarning(_ earlier: RunStore.Earlier, _ mapping: ImportMapping) -> FileInspection.Warning {
        let (told, outcome) = (told(earlier), Self.outcome(earlier, mapping))
        let way =
            mapping.matchKey == nil
            ? Words(en: " A match key finds them again.", zh: "使用匹配键可找到已有记录。") : Words(en: "", zh: "")
        return FileInspection.Warning(
            "imported_before", Words(en: told.en + " " + outcome.en + way.en, zh: told.zh + outcome.zh + way.zh))
    }

    /// What brings nothing new: most likely rows that were imported before, whatever their bytes are now (another encoding,
    /// other line ends, another order).
    func nothingNew(_ run: ImportRun, _ counts: RunCounts, isDone: Bool) async throws -> FileInspection.Warning? {
        guard !run.isReplay, counts.unchanged > 0, counts.created + counts.updated + counts.rejected + counts.quarantined == 0
        else { return nil }
        let earlier = try await tenant.database.read { session in
            try session.first(RunStore.latestOfSource, [.text(run.mapping.source), .text(run.entity), .id(run.id)]) {
                (id: $0.id(0) as ImportRunID, name: $0.text(1), at: $0.time(2))
            }
        }
        let rows = Numbers.grouped(counts.unchanged)
        let place = earlier.map { found in
            let day = found.at.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
            return Words(
                en: " The latest import of the source “\(run.mapping.source)” that changed something is \(found.id) of \(day) (“\(found.name)”); was its file brought again?",
                zh: "来源“\(run.mapping.source)”最近一次有变更的导入是 \(day) 的导入 \(found.id)（“\(found.name)”），是否重复提交了该文件？")
        }
        let words =
            isDone
            ? Words(en: "Nothing was changed: all \(rows) rows say what is known already.", zh: "未作任何更改：全部 \(rows) 行与已有记录一致。")
            : Words(en: "Nothing would be changed: all \(rows) rows say what is known already.", zh: "不会有任何更改：全部 \(rows) 行与已有记录一致。")
        return FileInspection.Warning(
            "nothing_new", Words(en: words.en + (place?.en ?? ""), zh: words.zh + (place?.zh ?? "")))
    }

    /// For the command line.
    func importedBefore(_ name: String, _ earlier: RunStore.Earlier, _ mapping: ImportMapping) -> CRMError {
        let (told, outcome) = (told(earlier), Self.outcome(earlier, mapping))
        let key = Words(en: mapping.matchKey == nil ? "--match-key KEY to find them, or " : "", zh: mapping.matchKey == nil ? "--match-key KEY 查找已有记录，或用 " : "")
        let isDone = earlier.state == .succeeded
        let way =
            isDone
            ? Words(
                en: "switchboard import --revert \(earlier.id) takes the earlier one back",
                zh: "switchboard import --revert \(earlier.id) 可撤销之前的导入")
            : Words(
                en: "switchboard import --resume \(earlier.id) goes on with the earlier one",
                zh: "switchboard import --resume \(earlier.id) 可继续之前的导入")
        return .conflict(
            "imported_before",
            Words(
                en: "“\(name)” was not imported. \(told.en) \(outcome.en) Give \(key.en)--again "
                    + "to import the file all the same; \(way.en).",
                zh: "“\(name)”未导入。\(told.zh)\(outcome.zh)请用 \(key.zh)--again 仍然再次导入；\(way.zh)。"))
    }

    private func told(_ earlier: RunStore.Earlier) -> Words {
        let day = earlier.at.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        let (created, updated, rejected) =
            (Numbers.grouped(earlier.created), Numbers.grouped(earlier.updated), Numbers.grouped(earlier.rejected))
        let state = Words(
            en: earlier.state == .succeeded ? "" : ", and did not come to its end",
            zh: earlier.state == .succeeded ? "" : "，且尚未完成")
        return Words(
            en:
                "The same bytes were imported on \(day) as “\(earlier.mapping.source)” (run \(earlier.id): \(created) created, \(updated) updated, \(rejected) rejected\(state.en)).",
            zh: "相同内容已于 \(day) 以来源“\(earlier.mapping.source)”导入（导入 \(earlier.id)：新建 \(created)，更新 \(updated)，拒绝 \(rejected)\(state.zh)）。")
    }
}
