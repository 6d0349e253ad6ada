import Kernel
import Platform
import Storage
import Web

/// What happened with the customer, newest first: states of lines, bills and payments, the end, changes of the record.
enum TimelinePanel {
    /// What the chips filter by.
    enum Kind: String, Sendable, CaseIterable {
        case line, bill, payment, outcome, record

        var words: Words {
            switch self {
            case .line: Words(en: "Lines", zh: "业务")
            case .bill: Words(en: "Bills", zh: "账单")
            case .payment: Words(en: "Payments", zh: "缴费")
            case .outcome: Words(en: "Leaving", zh: "离网")
            case .record: Words(en: "Record", zh: "档案")
            }
        }

        var icon: String {
            switch self {
            case .line: "sim"
            case .bill: "bill"
            case .payment: "check"
            case .outcome: "logout"
            case .record: "edit"
            }
        }
    }

    struct Event: Sendable {
        let kind: Kind
        let on: LocalDate
        /// Colour of the mark: `info`, `ok`, `warn`, `bad` or empty.
        let tone: String
        let title: String
        let note: String
    }

    static let shownOnCustomerPage = 10

    static func load(_ request: PanelRequest, today: LocalDate, zone: Int, _ session: any SQLSession) throws
        -> PanelContent?
    {
        let reader = TimelineReader(request: request, today: today, zone: zone, session: session)
        let page = try reader.page(nil, before: nil, limit: shownOnCustomerPage)
        var view = view(page.events)
        view["chips"] = .list(chips(request.customers[0], chosen: nil, page.kinds, request.language))
        view["more"] = .text(page.next == nil ? nil : "/customers/\(request.customers[0])/timeline")
        return PanelContent(template: "customers/panel-timeline", view: view)
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

    /// Links that show one kind only; kinds without an event are left out.
    static func chips(_ id: CustomerID, chosen: Kind?, _ present: Set<Kind>, _ language: Language) -> [View] {
        Kind.allCases.filter { present.contains($0) || $0 == chosen }.map { kind in
            [
                "href": .text("/customers/\(id)/timeline?show=\(kind.rawValue)"), "label": .text(kind.words[language]),
                "chosen": .bool(kind == chosen),
            ]
        }
    }
}
