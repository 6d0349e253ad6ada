import Kernel
import Platform
import Storage
import Tabular
import Web

/// What the pages of sources and quality show.
struct SourceViews {
    let call: Call
    private var language: Language { call.language }

    func kinds(_ chosen: SourceKind?) -> ViewValue {
        .list(
            SourceKind.allCases.map { kind -> View in
                [
                    "code": .text(kind.rawValue), "label": .text(call.text("sources.kind.\(kind.rawValue)")),
                    "selected": .bool(kind == chosen),
                ]
            })
    }

    func line(
        _ source: IngestSource, _ last: SourceStore.Last?, _ score: QualityStore.Source?, _ waiting: Int, _ trust: Int?
    ) -> View {
        let (tone, fresh) = freshness(source, last?.at)
        return [
            "id": .text("\(source.id)"), "key": .text(source.key), "name": .text(source.name),
            "kind": .text(call.text("sources.kind.\(source.kind.rawValue)")),
            "owner": .text(source.owner.isEmpty ? nil : source.owner), "entity": .text(source.entity),
            "lastAt": .text(last?.at.map(call.time)), "runCount": .text(Numbers.grouped(last?.runs ?? 0)),
            "fresh": .text(fresh), "freshTone": .text(tone), "score": .text(score?.text),
            "rowsRead": .text(score.map { Numbers.grouped($0.rows.checked) }),
            "waiting": .text(waiting > 0 ? Numbers.grouped(waiting) : nil),
            "waitingPath": .text("/quarantine?" + Form([("source", source.key)]).encoded),
            "qualityPath": .text("/quality?" + Form([("source", source.key)]).encoded),
            "trust": .text(trust.map { "\($0 + 1)" }),
        ]
    }

    /// On time, late, or nothing is expected.
    private func freshness(_ source: IngestSource, _ last: Instant?) -> (String, String?) {
        switch source.freshness(last, now: call.tenant.clock.now()) {
        case nil: ("", nil)
        case .never?: ("warn", call.text("sources.fresh.never"))
        case .late?: ("bad", call.text("sources.fresh.late"))
        case .ontime?: ("ok", call.text("sources.fresh.ontime"))
        }
    }

    func form(_ source: IngestSource, _ trust: Int?, _ typed: Form?) -> View {
        let encoding = typed?["encoding"] ?? source.encoding?.rawValue ?? ""
        let delimiter = typed?["delimiter"] ?? source.delimiter
        let names = ["comma", "semicolon", "tab", "pipe"]
        return [
            "typedName": .text(typed?["name"] ?? source.name), "typedOwner": .text(typed?["owner"] ?? source.owner),
            "typedSheet": .text(typed?["sheet"] ?? source.sheet),
            "typedFields": .text(typed?["fields"] ?? source.fields.map(\.line).joined(separator: "\n")),
            "typedFresh": .text(typed?["fresh_hours"] ?? source.freshHours.map { "\($0)" }),
            "typedPriority": .text(typed?["priority"] ?? trust.map { "\($0 + 1)" }),
            "kinds": kinds(typed?["kind"].flatMap(SourceKind.init(rawValue:)) ?? source.kind),
            "encodings": .list(
                TextEncoding.allCases.map { one -> View in
                    [
                        "code": .text(one.rawValue), "label": .text(one.rawValue.uppercased()),
                        "selected": .bool(one.rawValue == encoding),
                    ]
                }),
            "delimiters": .list(
                names.map { name -> View in
                    [
                        "code": .text(name), "label": .text(call.text("ingest.delimiter.\(name)")),
                        "selected": .bool(name == delimiter),
                    ]
                }),
            "schema": .list(
                source.fields.map { field -> View in
                    [
                        "column": .text(field.column), "type": .text(field.type),
                        "codes": .text(field.codes.joined(separator: ", ")), "mask": .text(field.mask),
                    ]
                }),
            "hasSchema": .bool(!source.fields.isEmpty),
        ]
    }

    func run(_ run: SourceStore.Run) -> View {
        [
            "id": .text("\(run.id)"), "file": .text(run.file),
            "state": .text(call.text("ingest.state.\(run.state.rawValue)")),
            "tone": .text(ImportViews.tone(run.state)), "read": .text(Numbers.grouped(run.counts.read)),
            "taken": .text(Numbers.grouped(run.counts.created + run.counts.updated + run.counts.unchanged)),
            "rejected": .text(Numbers.grouped(run.counts.rejected)),
            "quarantined": .text(Numbers.grouped(run.counts.quarantined)),
            "mapping": .text(run.mappingVersion.map { "\($0)" }), "at": .text(run.startedAt.map(call.time)),
        ]
    }

    func version(_ version: SourceStore.Version, _ fields: [ImportField]) -> View {
        let mapped = version.mapping.columns.compactMap { column -> View? in
            guard case .field(let key) = column.target else { return nil }
            return [
                "column": .text(column.column),
                "field": .text(fields.first { $0.key == key }?.words[language] ?? key),
            ]
        }
        return [
            "number": .text("\(version.number)"), "at": .text(call.time(version.madeAt)), "by": .text(version.madeBy),
            "columns": .list(mapped), "columnCount": .text("\(mapped.count)"),
            "matchKey": .text(
                version.mapping.matchKey.map { key in fields.first { $0.key == key }?.words[language] ?? key }),
        ]
    }

    // MARK: Scores

    /// Score of each day, over all and by dimension.
    func plot(_ days: [QualityStore.Day]) -> View {
        let labels = Array(Set(days.map(\.day))).sorted()
        func values(_ score: ([QualityStore.Day]) -> Double?) -> JSONValue {
            .array(
                labels.map { label in
                    score(days.filter { $0.day == label }).map { .double(($0 * 100).rounded(.down) / 100) } ?? .null
                })
        }
        var series: [JSONValue] = [
            .object([
                "name": .string(call.text("quality.all")), "tone": .string("accent"),
                "values": values { Self.tallies($0).score },
            ])
        ]
        for (offset, dimension) in RuleDimension.allCases.enumerated()
        where days.contains(where: { $0.dimension == dimension.rawValue }) {
            series.append(
                .object([
                    "name": .string(call.text("rules.dimension.\(dimension.rawValue)")),
                    "tone": .string("c\(offset + 2)"), "values": values { day in day.first { $0.dimension == dimension.rawValue }?.tally.score },
                ]))
        }
        let chart = JSONValue.object([
            "labels": .array(labels.map { .string($0) }), "series": .array(series),
            "x": .object(["title": .string(call.text("quality.day"))]),
            "y": .object([
                "title": .string(call.text("quality.score")), "format": .string("decimal"), "fromZero": .bool(false),
            ]),
            "summary": .string(call.text("quality.plot")),
        ])
        return ["plot": .text(chart.encoded()), "hasPlot": .bool(!labels.isEmpty)]
    }

    /// Checks and rows of these days, and the score of both.
    private static func tallies(
        _ days: [QualityStore.Day]
    ) -> (checks: QualityStore.Tally, rows: QualityStore.Tally, score: Double?) {
        var (checks, rows) = (QualityStore.Tally(), QualityStore.Tally())
        for day in days { if day.isRows { rows.add(day.tally) } else { checks.add(day.tally) } }
        return (checks, rows, QualityStore.score(checks: checks, rows: rows))
    }

    func tiles(_ days: [QualityStore.Day]) -> View {
        let all = Self.tallies(days)
        var tiles: [View] = [
            [
                "label": .text(call.text("quality.all")), "value": .text(all.score.map(QualityStore.text) ?? "–"),
                "note": .text(call.text("quality.both")),
            ],
            tile(call.text("quality.rows"), all.rows, "quality.stopped.note"),
            tile(call.text("quality.checks"), all.checks),
        ]
        for dimension in RuleDimension.allCases {
            var tally = QualityStore.Tally()
            for day in days where day.dimension == dimension.rawValue { tally.add(day.tally) }
            if tally.checked > 0 { tiles.append(tile(call.text("rules.dimension.\(dimension.rawValue)"), tally)) }
        }
        return ["tiles": .list(tiles)]
    }

    private func tile(_ label: String, _ tally: QualityStore.Tally, _ fault: String = "quality.fail") -> View {
        [
            "label": .text(label), "value": .text(tally.text ?? "–"),
            "note": .text("\(Numbers.grouped(tally.failed)) / \(Numbers.grouped(tally.checked)) \(call.text(fault))"),
        ]
    }

    /// Words of fields: two kinds of records may call different things by one key.
    struct Fields: Sendable {
        private let byEntity: [String: [String: Words]]
        private let all: [String: Words]

        init(_ fields: [(entity: String, fields: [ImportField])]) {
            byEntity = Dictionary(
                fields.map { kind in
                    (kind.entity, Dictionary(kind.fields.map { ($0.key, $0.words) }, uniquingKeysWith: { first, _ in first }))
                }, uniquingKeysWith: { first, _ in first })
            all = Dictionary(
                fields.flatMap { $0.fields.map { ($0.key, $0.words) } }, uniquingKeysWith: { first, _ in first })
        }

        func words(_ key: String, entity: String?) -> Words? { entity.flatMap { byEntity[$0]?[key] } ?? all[key] }
    }

    func weak(
        _ weak: QualityStore.Weak, _ rules: [QualityRule], _ fields: Fields, _ waiting: [QuarantineStore.Waiting]
    ) -> View {
        let rule = rules.first { $0.key == weak.rule }
        let held = waiting.first { $0.rule == weak.rule && $0.source == weak.source }?.count
        return [
            "source": .text(weak.source), "rule": .text(RuleViews.name(weak.rule, rules, call)),
            "rulePath": .text(RuleViews.path(weak.rule, rules)),
            "field": .text(fields.words(weak.field, entity: rule?.entity)?[language] ?? weak.field),
            "dimension": .text(call.text("rules.dimension.\(weak.dimension)")),
            "checked": .text(Numbers.grouped(weak.tally.checked)), "failed": .text(Numbers.grouped(weak.tally.failed)),
            "fixed": .text(Numbers.grouped(weak.fixed)), "score": .text(weak.tally.text ?? "–"),
            "tone": .text((weak.tally.score ?? 100) < 95 ? "bad" : (weak.tally.score ?? 100) < 99 ? "warn" : ""),
            "held": .text(held.map { Numbers.grouped($0) }),
            "heldPath": .text("/quarantine?" + Form([("source", weak.source), ("rule", weak.rule)]).encoded),
        ]
    }
}
