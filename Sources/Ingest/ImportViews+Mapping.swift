import Kernel
import Platform
import Storage
import Tabular
import Web

/// The step in which columns meet fields.
extension ImportViews {
    var mapping: View {
        get throws {
            let isClear = try showsFile
            let masking = try call.masking()
            let mapping = run.mapping
            let origins = origins
            let columns = file.inspection.columns.enumerated().map { index, header in
                column(index, mapping.column(header), origins[index], isClear, masking)
            }
            return planReasons(isClear).merging([
                "columns": .list(columns), "matchKeys": .list(matchKeys(mapping)),
                "creates": .bool(mapping.createsNew), "updates": .bool(mapping.updatesExisting),
                "matches": .bool(mapping.matches), "mayMatch": .bool(page.target.takesAttributes),
                "hasMatchKeys": .bool(page.fields.contains(where: \.canMatch)),
                "encodings": .list(encodings), "delimiters": .list(delimiters),
                "isDelimited": .bool(file.inspection.format.kind == .delimited && !file.inspection.format.isPlaced),
                "isText": .bool(unpacked?.layers.last != .xlsx), "sheets": .list(sheets),
                "hasSheets": .bool(sheets.count > 1),
                "isSheet": .bool(file.inspection.format.kind == .delimited), "hasTitle": .bool(unpacked?.summary?.skipped != nil),
                "skipRows": .text(unpacked?.summary?.skipped.map { "\($0)" }),
                "isReady": .bool(run.state == .ready), "seesMasked": .bool(!isClear),
            ])
        }
    }

    /// Where each column's target comes from; a target that differs from the proposal was chosen by a person.
    private var origins: [String] {
        guard let suggestion = page.suggestion else { return file.inspection.columns.map { _ in "" } }
        return file.inspection.columns.enumerated().map { index, header in
            guard suggestion.mapping.columns.indices.contains(index),
                suggestion.mapping.columns[index].target == run.mapping.column(header)?.target
            else { return "chosen" }
            return suggestion.origins[index].rawValue
        }
    }

    private func column(
        _ index: Int, _ chosen: ImportMapping.Column?, _ origin: String, _ isClear: Bool, _ masking: Masking
    ) -> View {
        let profile = file.inspection.profiles.indices.contains(index) ? file.inspection.profiles[index] : nil
        let header = file.inspection.columns[index]
        let mask: MaskKind =
            if case .field(let key)? = chosen?.target { FieldMask.mask(key, page.fields) } else { .full }
        let samples = (profile?.samples ?? []).prefix(3).map { isClear ? $0 : masking.apply(mask, $0) }
        let type = profile?.type ?? .text
        // Reasons of refusal tell people to set these, so every column that is read as a date has them.
        let isRead = chosen?.isReadAsDate(profile, page.fields) ?? false
        let isDate = type == .date || type == .dateTime || isRead
        let order = chosen?.dateOrder
        let code = selected(chosen, profile)
        return [
            "index": .text("\(index)"), "header": .text(header), "samples": .texts(Array(samples)),
            "type": .text(call.text("ingest.type.\(type.rawValue)")),
            "origin": .text(call.text("ingest.origin.\(origin)")),
            "originTone": .text(
                origin == "remembered" || origin == "shipped" ? "ok" : origin == "suggested" ? "info" : ""),
            "missing": .text(share(profile)),
            "notices": .list(
                (profile?.notices ?? []).map {
                    ["words": .text(call.text("ingest.notice.\($0.code)")), "count": .text(Numbers.grouped($0.count))]
                }),
            "options": .list(options(code)),
            "hasOrder": .bool(isDate), "orderAuto": .bool(order == nil), "orderDMY": .bool(order == .dayMonthYear),
            "orderMDY": .bool(order == .monthDayYear), "orderYMD": .bool(order == .yearMonthDay),
            "orderROC": .bool(order == .minguo),
            "hasExcel": .bool(isRead || profile?.mayBeExcelDates ?? false),
            "excel": .bool(chosen?.excelDates ?? false),
        ]
    }

    private func share(_ profile: ColumnInfo?) -> String? {
        guard let profile, profile.missing > 0, profile.total > 0 else { return nil }
        return "\(max(1, profile.missing * 100 / profile.total)) %"
    }

    /// The value of the select: a field's key, `ignore`, or `attribute:<kind>`.
    private func selected(_ chosen: ImportMapping.Column?, _ profile: ColumnInfo?) -> String {
        switch chosen?.target {
        case .field(let key)?: key
        case .attribute?: "attribute:" + (chosen?.kind ?? profile?.attributeKind ?? "text")
        case .ignore?, nil: "ignore"
        }
    }

    static let attributeKinds = ["text", "integer", "decimal", "boolean", "date"]

    private func options(_ selected: String) -> [View] {
        func option(_ value: String, _ label: String, _ group: String? = nil) -> View {
            [
                "value": .text(value), "label": .text(label), "selected": .bool(value == selected),
                "group": .text(group),
            ]
        }
        var result = [option("ignore", call.text("ingest.ignore"))]
        for kind in page.target.takesAttributes ? Self.attributeKinds : [] {
            result.append(
                option("attribute:" + kind, call.text("ingest.attribute") + " · " + call.text("ingest.type.\(kind)")))
        }
        return result + page.fields.map { option($0.key, $0.words[language]) }
    }

    private func matchKeys(_ mapping: ImportMapping) -> [View] {
        let none: View = [
            "value": .text("none"), "label": .text(call.text("ingest.match.none")),
            "selected": .bool(mapping.matchKey == nil),
        ]
        return (page.target.needsMatchKey ? [] : [none])
            + page.fields.filter(\.canMatch).map {
                [
                    "value": .text($0.key), "label": .text($0.words[language]),
                    "selected": .bool($0.key == mapping.matchKey),
                ]
            }
    }

    private var unpacked: Unpacked? { file.inspection.canonical?.unpacked }

    /// Sheets of a workbook, lists of a JSON document.
    private var sheets: [View] {
        (unpacked?.sheets ?? []).map {
            ["value": .text($0), "label": .text($0), "selected": .bool($0 == unpacked?.sheet)]
        }
    }

    private var encodings: [View] {
        TextEncoding.allCases.map {
            [
                "value": .text($0.rawValue), "label": .text($0.rawValue.uppercased()),
                "selected": .bool($0 == file.inspection.format.encoding),
            ]
        }
    }

    private var delimiters: [View] {
        ["comma", "semicolon", "tab", "pipe"].map { name in
            [
                "value": .text(name), "label": .text(call.text("ingest.delimiter.\(name)")),
                "selected": .bool(Self.delimiters[name] == file.inspection.format.delimiter),
            ]
        }
    }

    /// The mapping a form describes: columns keep what the form does not tell (replacements).
    /// - Throws: `CRMError` 422 for a form that does not fit the file.
    static func mapping(from form: Form, _ old: ImportMapping) throws -> ImportMapping {
        var mapping = old
        for index in mapping.columns.indices {
            guard let to = form["to.\(index)"] else { continue }
            let parts = to.split(separator: ":", maxSplits: 1).map(String.init)
            switch parts.first {
            case "ignore": mapping.columns[index].target = .ignore
            case "attribute":
                mapping.columns[index].target = .attribute
                let kind = parts.count > 1 ? parts[1] : "text"
                guard attributeKinds.contains(kind) else { throw unknownKind }
                mapping.columns[index].kind = kind
            default: mapping.columns[index].target = .field(to)
            }
            mapping.columns[index].dateOrder = form["order.\(index)"].flatMap(DateOrder.init(rawValue:))
            mapping.columns[index].excelDates = form["excel.\(index)"] == "1"
        }
        let matchKey = try form.optionalText("match_key", max: 60)
        mapping.matchKey = matchKey == "none" ? nil : matchKey
        mapping.createsNew = form["creates"] == "1"
        mapping.updatesExisting = form["updates"] == "1"
        mapping.matches = form["matches"] == "1"
        if let source = try form.optionalText("source", max: 60) { mapping.source = source }
        return mapping
    }

    private static let unknownKind = CRMError.invalid(
        "columns", "unknown_kind", Words(en: "There is no attribute of this kind.", zh: "没有该类型的属性。"))
}
