import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// When visits are made and how many at once: everybody's hours, and those of places and people who have their own.
enum VisitHoursPages {
    static let path = "/visit-hours"
    static let referenceMax = 120
    private static let fields =
        ["revision", "kind", "reference", "slot_minutes", "at_once", "closed_days"]
        + WorkingHours.weekdays.map { "day.\($0)" }

    static func endpoints() -> [Endpoint] {
        let manage = Route.Access.permission(ServiceDeskPermissions.manageHours)
        return [
            Endpoint(.get, path, manage, trace: .view, purpose: .administration) { call in
                try await page(call, error: nil, status: .ok)
            },
            Endpoint(
                .post, path, manage, body: .form(fields), trace: .change, purpose: .administration, effect: .overwrites,
                handler: save),
            Endpoint(
                .post, "\(path)/removal", manage, body: .form(["kind", "reference"]), trace: .change,
                purpose: .administration,
                effect: .acts, handler: remove),
        ]
    }

    // MARK: Changes

    private static func save(_ call: Call) async throws -> WebResponse {
        do {
            let calendar = try calendar(call)
            let (now, by) = (call.tenant.clock.now(), try call.principal().userName)
            return try await call.change { session in
                let stored = try VisitCalendars.read(session)
                let present = present(calendar.kind, calendar.reference, stored)
                try call.checkVersion(version(present))
                guard present != nil || stored.own.count < VisitCalendars.most else {
                    throw CRMError.conflict(
                        "too_many",
                        Words(
                            en: "There are \(VisitCalendars.most) of them already.",
                            zh: "已达 \(VisitCalendars.most) 条上限。"))
                }
                try VisitCalendars.write(calendar, at: now, by: by, session)
                try call.record(
                    AuditEntry("servicedesk.hours.set", facts: facts(calendar.kind, calendar.reference)), session)
                return .redirect(path).flash("servicedesk.hours.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            return try await page(call, error: error, status: .unprocessableContent)
        }
    }

    private static func remove(_ call: Call) async throws -> WebResponse {
        let (kind, reference) = try subject(call)
        return try await call.change { session in
            guard try session.execute(VisitCalendars.remove, [.text(kind.rawValue), .text(reference)]) > 0 else {
                throw CRMError.notFound
            }
            try call.record(AuditEntry("servicedesk.hours.remove", facts: facts(kind, reference)), session)
            return .redirect(path).flash("servicedesk.hours.removed")
        }
    }

    /// The id of a party may be a customer's or a person's own number: the audit names the kind alone for those.
    private static func facts(_ kind: VisitCalendar.Kind, _ reference: String) -> [String: JSONValue] {
        kind == .place
            ? ["calendar": .string(kind.rawValue), "place": .string(reference)] : ["calendar": .string(kind.rawValue)]
    }

    private static func present(
        _ kind: VisitCalendar.Kind, _ reference: String, _ stored: VisitCalendars
    ) -> VisitCalendar? {
        kind == .everybody ? stored.everybody : stored.own.first { $0.kind == kind && $0.reference == reference }
    }

    private static func version(_ calendar: VisitCalendar?) -> String {
        guard let calendar else { return RecordVersion.of([]) }
        return RecordVersion.of([
            calendar.hours.stored, String(calendar.slotMinutes), String(calendar.atOnce), days(calendar.closedDays),
        ])
    }

    private static func days(_ days: Set<LocalDate>) -> String {
        days.sorted().map(\.description).joined(separator: " ")
    }

    private static func subject(_ call: Call) throws -> (VisitCalendar.Kind, String) {
        let reference = try call.form.optionalText("reference", max: referenceMax) ?? ""
        guard let kind = VisitCalendar.Kind(rawValue: call.form["kind"] ?? ""),
            (kind == .everybody) == reference.isEmpty
        else {
            throw CRMError.invalid(
                "reference", "missing", Words(en: "Whose hours are these? An id is missing.", zh: "请填写对应的场所或人员编号。"))
        }
        return (kind, reference)
    }

    private static func calendar(_ call: Call) throws -> VisitCalendar {
        let (kind, reference) = try subject(call)
        func number(_ field: String, _ range: ClosedRange<Int>) throws -> Int {
            guard let text = try call.form.optionalText(field, max: 10), let number = Int(text), range.contains(number)
            else {
                throw CRMError.invalid(
                    field, "range",
                    Words(
                        en: "A whole number from \(range.lowerBound) to \(range.upperBound), please.",
                        zh: "请填写 \(range.lowerBound) 到 \(range.upperBound) 的整数。"))
            }
            return number
        }
        let hours = WorkingHours(
            try WorkingHours.weekdays.map { name in
                guard let day = WorkingHours.day(try call.form.optionalText("day.\(name)", max: 200) ?? "") else {
                    throw CRMError.invalid(
                        "day.\(name)", "hours",
                        Words(
                            en: "Hours are written 09:00-12:00, 13:00-17:00, in order; empty is closed.",
                            zh: "时间格式为 09:00-12:00, 13:00-17:00，按先后填写；不填为休息。"))
                }
                return day
            })
        let text = try call.form.optionalText("closed_days", max: 6_000) ?? ""
        let words = text.split { $0 == "," || $0 == "，" || $0 == ";" || $0.isWhitespace }
        let closed = words.compactMap { LocalDate($0) }
        guard closed.count == words.count, closed.count <= VisitCalendar.closedDaysMax else {
            throw CRMError.invalid(
                "closed_days", "day",
                Words(en: "Days are written 2026-10-01, at most 400.", zh: "日期格式为 2026-10-01，最多 400 天。"))
        }
        return VisitCalendar(
            kind: kind, reference: reference, hours: hours,
            slotMinutes: try number("slot_minutes", VisitCalendar.slotRange),
            atOnce: try number("at_once", VisitCalendar.atOnceRange), closedDays: Set(closed))
    }

    // MARK: View

    private static func page(_ call: Call, error: CRMError?, status: HTTPResponse.Status) async throws -> WebResponse {
        let stored = try await call.read { try VisitCalendars.read($0) }
        try await call.recordView(AuditEntry("servicedesk.hours.view"))
        let field = error?.fields.first
        var cards = ([stored.everybody] + stored.own).enumerated().map { card($1, number: $0, isNew: false, call) }
        cards.append(card(VisitCalendar(kind: .place), number: cards.count, isNew: true, call))
        if error != nil {
            // What was typed stands in the form it was typed into.
            let typed = (call.form["kind"] ?? "", call.form["reference"] ?? "")
            let all = [stored.everybody] + stored.own
            let place = all.firstIndex { ($0.kind.rawValue, $0.reference) == typed } ?? cards.count - 1
            cards[place] = retyped(cards[place], call)
        }
        return call.page(
            "servicedesk/visit-hours", title: call.text("servicedesk.hours"), active: path,
            ["problem": .text(field?.message[call.language]), "calendars": .list(cards)], status: status)
    }

    private static func card(_ calendar: VisitCalendar, number: Int, isNew: Bool, _ call: Call) -> View {
        let title =
            isNew
            ? call.text("servicedesk.hours.new")
            : calendar.kind == .everybody
                ? call.text("servicedesk.hours.everybody")
                : "\(call.text("servicedesk.hours.\(calendar.kind.rawValue)")) \(calendar.reference)"
        return [
            "number": .text(String(number)), "title": .text(title), "isNew": .bool(isNew),
            "isOwn": .bool(!isNew && calendar.kind != .everybody), "kind": .text(calendar.kind.rawValue),
            "reference": .text(calendar.reference), "revision": .text(version(isNew ? nil : calendar)),
            "slot": .text(String(calendar.slotMinutes)), "atOnce": .text(String(calendar.atOnce)),
            "closed": .text(days(calendar.closedDays)), "isParty": .bool(calendar.kind == .party),
            "days": .list(
                WorkingHours.weekdays.enumerated().map { place, name in
                    [
                        "day": .text(name), "label": .text(call.text("servicedesk.hours.\(name)")),
                        "hours": .text(WorkingHours.text(calendar.hours.days[place])), "number": .text(String(number)),
                    ]
                }),
        ]
    }

    private static func retyped(_ card: View, _ call: Call) -> View {
        var card = card
        func typed(_ name: String) -> ViewValue { .text(call.form[name] ?? "") }
        card["slot"] = typed("slot_minutes")
        card["atOnce"] = typed("at_once")
        card["closed"] = typed("closed_days")
        card["reference"] = typed("reference")
        card["isParty"] = .bool(call.form["kind"] == VisitCalendar.Kind.party.rawValue)
        guard case .text(let number) = card["number"] else { return card }
        card["days"] = .list(
            WorkingHours.weekdays.map { name in
                [
                    "day": .text(name), "label": .text(call.text("servicedesk.hours.\(name)")),
                    "hours": typed("day.\(name)"),
                    "number": .text(number),
                ]
            })
        return card
    }
}
