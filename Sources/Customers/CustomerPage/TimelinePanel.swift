import Kernel
import Platform
import Storage
import Web

/// What happened with the customer, newest first: states of lines, bills and payments, the end, changes of the record.
enum TimelinePanel {
    /// What the chips filter by: our own kinds, then those of other domains.
    static func kinds(_ others: [any TimelineSource]) -> [TimelineKind] {
        [.line, .bill, .payment, .outcome, .record] + others.map(\.kind)
    }

    struct Event: Sendable {
        let kind: TimelineKind
        let on: LocalDate
        /// Colour of the mark: `info`, `ok`, `warn`, `bad` or empty.
        let tone: String
        let title: String
        let note: String
        /// Names of fields that are shown without a mask.
        var unmasked: [String] = []
    }

    static let shownOnCustomerPage = 10

    static func begin(
        _ request: PanelRequest, today: LocalDate, zone: Int, _ others: [any TimelineSource], _ session: any SQLSession
    ) throws -> Staged<PanelContent?> {
        let reader = TimelineReader(request: request, today: today, zone: zone, others: others, session: session)
        return try reader.asking(nil, before: nil, limit: shownOnCustomerPage).map { content($0, request) }.staged
    }

    private static func content(_ page: TimelineReader.Page, _ request: PanelRequest) -> PanelContent {
        var view = view(page.events)
        view["chips"] = .list(chips(request.customers[0], chosen: nil, page.kinds, request.language))
        view["more"] = .text(page.next == nil ? nil : "/customers/\(request.customers[0])/timeline")
        return PanelContent(template: "customers/panel-timeline", view: view, unmasked: page.unmasked)
    }

    /// Events grouped by day.
    static func view(_ events: [Event]) -> View {
        var items: [View] = []
        var day: LocalDate?
        for event in events {
            if event.on != day {
                items.append(["isDay": true, "day": .text(event.on.description)])
                day = event.on
            }
            items.append([
                "isDay": false, "tone": .text(event.tone), "icon": .text(event.kind.icon), "title": .text(event.title),
                "note": .text(event.note), "hasNote": .bool(!event.note.isEmpty),
            ])
        }
        return ["items": .list(items), "isEmpty": .bool(events.isEmpty)]
    }

    /// Links that show one kind only.
    /// - Parameter present: kinds of which there is an event, in order.
    static func chips(_ id: CustomerID, chosen: TimelineKind?, _ present: [TimelineKind], _ language: Language)
        -> [View]
    {
        let kinds = present + [chosen].compactMap { $0 }.filter { !present.contains($0) }
        return kinds.map { kind in
            [
                "href": .text("/customers/\(id)/timeline?show=\(kind.name)"), "label": .text(kind.words[language]),
                "chosen": .bool(kind == chosen),
            ]
        }
    }
}

/// What Customers itself knows.
extension TimelineKind {
    static let line = TimelineKind("line", Words(en: "Lines", zh: "业务"), icon: "sim")
    static let bill = TimelineKind("bill", Words(en: "Bills", zh: "账单"), icon: "bill")
    static let payment = TimelineKind("payment", Words(en: "Payments", zh: "缴费"), icon: "check")
    static let outcome = TimelineKind("outcome", Words(en: "Leaving", zh: "离网"), icon: "logout")
    static let record = TimelineKind("record", Words(en: "Record", zh: "档案"), icon: "edit")
}
