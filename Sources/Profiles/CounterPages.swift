import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// What the live profile counts: the counters, where events come from, and whose customer is not known yet.
struct CounterPages: Sendable {
    let measures: [DayMeasure]
    static let path = "/counters"
    private static let meaning = ["title_en", "title_zh", "kind", "conditions", "sum_field", "distinct_field", "unit"]
    static let sourcesShown = 50
    static let waitingShown = 50

    var endpoints: [Endpoint] {
        let manage = Route.Access.permission(ProfilesModule.manage)
        return [
            Endpoint(.get, "/counters", manage, trace: .view, purpose: .administration) { call in
                try await page(call, error: nil, status: .ok)
            },
            Endpoint(
                .post, "/counters", manage, body: .form(["name"] + Self.meaning), trace: .change,
                purpose: .administration, effect: .adds, handler: create),
            Endpoint(
                .post, "/counters/{id}", manage, body: .form(["revision"] + Self.meaning), trace: .change,
                purpose: .administration, effect: .overwrites, handler: edit),
            Endpoint(
                .post, "/counters/{id}/removal", manage, body: .form([]), trace: .change, purpose: .administration,
                effect: .acts, handler: remove),
        ]
    }

    // MARK: Changes

    private func create(_ call: Call) async throws -> WebResponse {
        do {
            let key = try call.form.text("name", max: CounterDefinition.nameMax)
            guard CounterDefinition.isName(key) else { throw Self.badName("name") }
            let ids = call.tenant.ids
            var counter = try read(
                call, CounterDefinition(id: ids.next(), key: key, series: ids.next(), title: Words(en: "", zh: ""), kind: ""))
            // What a domain sums is there for the past as well.
            counter.startedAt = isMeasure(counter) ? Instant(milliseconds: 0) : call.tenant.clock.now()
            let (made, by) = (counter, try call.principal().userName)
            return try await call.change { session in
                try ProfileStore.storeShipped(at: call.tenant.clock.now(), session)
                guard try ProfileStore.counters(session).count < CounterDefinition.countersMax else { throw Self.tooMany }
                guard
                    try ProfileStore.put(
                        ProfileStore.insertCounter, made, at: call.tenant.clock.now(), by: by, session) == 1
                else {
                    throw CRMError.invalid(
                        "name", "taken", Words(en: "There is a counter “\(made.key)” already.", zh: "已有计数器“\(made.key)”。"))
                }
                try call.record(
                    AuditEntry("profiles.counter.create", [Self.subject(made.id)], facts: Self.facts(made)), session)
                return .redirect(Self.path).flash("profiles.created")
            }
        } catch let error as CRMError where error.status == 422 || error.status == 409 {
            return try await page(call, error: error, status: .init(code: error.status))
        }
    }

    private func edit(_ call: Call) async throws -> WebResponse {
        let id: CounterID = try call.request.id("id")
        let by = try call.principal().userName
        return try await call.change { session in
            guard let before = try ProfileStore.counters(session).first(where: { $0.id == id }) else { throw CRMError.notFound }
            try call.checkVersion(before.version)
            var after = try read(call, before)
            try ProfileStore.storeShipped(at: call.tenant.clock.now(), session)
            let isSame = after.means(before)
            if !isSame {
                after.series = call.tenant.ids.next()
                after.startedAt = isMeasure(after) ? Instant(milliseconds: 0) : call.tenant.clock.now()
            }
            guard
                try ProfileStore.put(
                    ProfileStore.updateCounter, after, at: call.tenant.clock.now(), by: by, session) == 1
            else { throw CRMError.notFound }
            if !isSame { try call.tenant.jobs.enqueue(ProfileService.sweepJob, payload: "{}", by: by, session) }
            try call.record(
                AuditEntry(
                    "profiles.counter.change", [Self.subject(id)],
                    facts: Self.facts(after).merging(["restarted": .bool(!isSame)]) { mine, _ in mine }), session)
            return .redirect(Self.path).flash(isSame ? "profiles.changed" : "profiles.restarted")
        }
    }

    private func remove(_ call: Call) async throws -> WebResponse {
        let id: CounterID = try call.request.id("id")
        let by = try call.principal().userName
        return try await call.change { session in
            let all = try ProfileStore.counters(session)
            guard let counter = all.first(where: { $0.id == id }) else { throw CRMError.notFound }
            guard all.count > 1 else { throw Self.lastOne }
            try ProfileStore.storeShipped(at: call.tenant.clock.now(), session)
            try session.execute(ProfileStore.deleteCounter, [.id(id)])
            try call.tenant.jobs.enqueue(ProfileService.sweepJob, payload: "{}", by: by, session)
            try call.record(
                AuditEntry("profiles.counter.remove", [Self.subject(id)], facts: Self.facts(counter)), session)
            return .redirect(Self.path).flash("profiles.removed")
        }
    }

    /// What the form says of a counter.
    private func read(_ call: Call, _ counter: CounterDefinition) throws -> CounterDefinition {
        var counter = counter
        let en = try call.form.text("title_en", max: 80)
        counter.title = Words(en: en, zh: try call.form.optionalText("title_zh", max: 80) ?? en)
        counter.kind = try call.form.text("kind", max: CounterDefinition.nameMax)
        guard CounterDefinition.isName(counter.kind) else { throw Self.badName("kind") }
        counter.conditions = try CounterCondition.parse(try call.form.optionalText("conditions") ?? "")
        for (field, path) in [("sum_field", \CounterDefinition.sumField), ("distinct_field", \.distinctField)] {
            let name = try call.form.optionalText(field, max: CounterDefinition.nameMax) ?? ""
            guard name.isEmpty || CounterDefinition.isName(name) else { throw Self.badName(field) }
            counter[keyPath: path] = name
        }
        counter.unit = try call.form.optionalText("unit", max: 20) ?? ""
        if counter.kind.hasPrefix("usage.") {
            guard let measure = measures.first(where: { $0.key == counter.kind }) else {
                let known = measures.map(\.key).joined(separator: ", ")
                throw CRMError.invalid(
                    "kind", "unknown_measure", Words(en: "Usage has the kinds \(known).", zh: "使用量类型有 \(known)。"))
            }
            guard counter.conditions.isEmpty, counter.distinctField.isEmpty, ["", "amount"].contains(counter.sumField) else {
                throw CRMError.invalid(
                    "conditions", "measure_only",
                    Words(
                        en: "Usage is known as sums of days: no conditions, no different values, and the sum of “amount” or none.",
                        zh: "使用量只有每日合计：不能设条件或不同值，合计字段只能为 amount 或留空。"))
            }
            if counter.unit.isEmpty, !counter.sumField.isEmpty { counter.unit = measure.unit }
        }
        return counter
    }

    private func isMeasure(_ counter: CounterDefinition) -> Bool { measures.contains { $0.key == counter.kind } }

    private static func badName(_ field: String) -> CRMError {
        CRMError.invalid(
            field, "bad_name",
            Words(
                en: "Names are small letters, digits, _, - and ., beginning with a letter, at most 60: app.login.",
                zh: "名称以小写字母开头，由小写字母、数字、_、-、. 组成，最多 60 个字符：app.login。"))
    }

    private static let tooMany = CRMError.conflict(
        "too_many_counters",
        Words(
            en: "There are \(CounterDefinition.countersMax) counters already; remove one first.",
            zh: "已有 \(CounterDefinition.countersMax) 个计数器，请先移除一个。"))

    private static let lastOne = CRMError.conflict(
        "last_counter",
        Words(
            en: "The last counter cannot be removed; change it instead.", zh: "最后一个计数器不能移除，可以修改它。"))

    private static func subject(_ id: CounterID) -> AuditSubject { AuditSubject(kind: "counter", id: id.rawValue) }

    private static func facts(_ counter: CounterDefinition) -> [String: JSONValue] {
        ["key": .string(counter.key), "kind": .string(counter.kind)]
    }

    // MARK: The page

    private struct Source: Sendable {
        let name: String
        let counted, unused, duplicate, waited, rejected: Int64
        let lastAt: Instant?
        let waits: Int64
    }

    private struct Waiting: Sendable {
        let naming: String
        let name: String
        let count: Int64
        let since: Instant
    }

    private func page(_ call: Call, error: CRMError?, status: HTTPResponse.Status) async throws -> WebResponse {
        let (counters, sources, waiting, waits) = try await call.read { session in
            (
                try ProfileStore.counters(session),
                try session.query(ProfileStore.sources, [.int(Self.sourcesShown)]) { row in
                    Source(
                        name: row.text(0), counted: row.int(1), unused: row.int(2), duplicate: row.int(3),
                        waited: row.int(4), rejected: row.int(5), lastAt: row.optionalTime(6), waits: row.int(7))
                },
                try session.query(ProfileStore.waitingShown, [.int(Self.waitingShown)]) { row in
                    Waiting(naming: row.text(0), name: row.text(1), count: row.int(2), since: row.time(3))
                }, try session.count(ProfileStore.waitingCount)
            )
        }
        let masking = try call.masking()
        let shown = masking.shows(.phone) && !waiting.isEmpty ? ["customer_name"] : []
        try await call.recordView(
            AuditEntry(
                "profiles.counters.view", [], facts: ["waiting": .int(Int64(waiting.count))], unmasked: shown))
        let typed = error == nil ? nil : call.form
        return call.page(
            "profiles/counters", title: call.text("nav.counters"), active: Self.path,
            [
                "count": .text(String(counters.count)), "problem": .text(error?.message[call.language]),
                "typedName": .text(typed?["name"]), "typedEn": .text(typed?["title_en"]),
                "typedZh": .text(typed?["title_zh"]), "typedKind": .text(typed?["kind"]),
                "typedConditions": .text(typed?["conditions"]), "typedSum": .text(typed?["sum_field"]),
                "typedDistinct": .text(typed?["distinct_field"]), "typedUnit": .text(typed?["unit"]),
                "kinds": .list(
                    (measures.map(\.key) + ProfilesModule.ownKinds).map { ["kind": .text($0)] }),
                "counters": .list(counters.map { row($0, call) }), "anySource": .bool(!sources.isEmpty),
                "sources": .list(sources.map { row($0, call) }), "anyWaiting": .bool(!waiting.isEmpty),
                "waits": .text(LiveProfilePanel.grouped(Int64(waits))),
                "waiting": .list(waiting.map { row($0, masking, call) }),
            ], status: status)
    }

    private func row(_ counter: CounterDefinition, _ call: Call) -> View {
        let since =
            counter.startedAt.milliseconds == 0 ? call.text("profiles.always") : call.time(counter.startedAt)
        return [
            "id": .text("\(counter.id)"), "name": .text(counter.key), "title": .text(counter.title[call.language]),
            "titleEn": .text(counter.title.en), "titleZh": .text(counter.title.zh), "kind": .text(counter.kind),
            "conditions": .text(counter.conditionsText), "sum": .text(counter.sumField),
            "conditionsShown": .text(counter.conditions.isEmpty ? nil : counter.conditions.map(\.text).joined(separator: " · ")),
            "distinct": .text(counter.distinctField), "unit": .text(counter.unit), "since": .text(since),
            "hasSum": .bool(!counter.sumField.isEmpty), "hasDistinct": .bool(!counter.distinctField.isEmpty),
            "revision": .text(counter.version),
        ]
    }

    private func row(_ source: Source, _ call: Call) -> View {
        func number(_ value: Int64) -> ViewValue { .text(LiveProfilePanel.grouped(value)) }
        return [
            "name": .text(source.name), "counted": number(source.counted), "unused": number(source.unused),
            "duplicate": number(source.duplicate), "waits": number(source.waits), "rejected": number(source.rejected),
            "last": .text(source.lastAt.map(call.time) ?? "–"),
        ]
    }

    private func row(_ waiting: Waiting, _ masking: Masking, _ call: Call) -> View {
        let isNumber = waiting.naming == "number"
        return [
            "name": .text(isNumber ? masking.apply(.phone, waiting.name) : waiting.name),
            "naming": .text(
                isNumber ? call.text("profiles.waiting.number") : String(waiting.naming.dropFirst("source:".count))),
            "count": .text(LiveProfilePanel.grouped(waiting.count)), "since": .text(call.time(waiting.since)),
        ]
    }
}
