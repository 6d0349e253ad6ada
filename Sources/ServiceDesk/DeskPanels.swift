import Kernel
import Platform
import Storage
import Web

/// The customer's cases, newest first.
struct CasesPanel: Sendable {
    /// Minutes east of UTC in which times are shown.
    let zone: Int
    static let shown = 6

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "cases", title: "servicedesk.panel.cases", place: .main, order: 20,
            permission: ServiceDeskPermissions.viewCases
        ) { try begin($0, $1) }
    }

    private func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        let asked = try ServiceDeskStore.cases(request.customers, limit: Self.shown + 1, session)
        let coming =
            request.principal.may(ServiceDeskPermissions.viewAppointments)
            ? try ServiceDeskStore.comingAppointments(request.customers, now: request.now, session) : Asked { [] }
        return .asked {
            let (lines, appointments) = (try asked.value(), try coming.value())
            guard lines.count > Self.shown else {
                return .done(content(lines, lines.count { $0.isOpen }, appointments, request))
            }
            let open = try ServiceDeskStore.openCount(request.customers, session)
            return open.map { content(lines, $0, appointments, request) }.staged
        }
    }

    private func content(
        _ lines: [CaseLine], _ open: Int, _ appointments: [AppointmentLine], _ request: PanelRequest
    ) -> PanelContent? {
        guard let first = request.customers.first else { return nil }
        let hasMore = lines.count > Self.shown
        let language = request.language
        // What is for a case stands with it, the rest above.
        func visits(_ line: CaseLine) -> [AppointmentLine] {
            appointments.filter { $0.tickets.contains(line.id.description) || $0.tickets.contains(line.number) }
        }
        let placed = Set(lines.prefix(Self.shown).flatMap { visits($0).map(\.id) })
        func view(_ line: AppointmentLine) -> View {
            [
                "time": .text(line.time(zone)), "state": .text(line.statusWords[language]),
                "tone": .text(line.status?.badge ?? ""),
                "what": .text(FreeText.excerpt(FreeText.shown(line.description, request.masking)) ?? line.category),
            ]
        }
        let hasText = appointments.contains { $0.description != nil } || lines.contains { $0.subject != nil }
        let others = appointments.filter { !placed.contains($0.id) }
        return PanelContent(
            template: "servicedesk/panel-cases",
            view: [
                "hasVisits": .bool(!others.isEmpty), "visits": .list(others.prefix(Self.shown).map(view)),
                "isEmpty": .bool(lines.isEmpty), "hasOpen": .bool(open > 0), "open": .text(String(open)),
                "more": .text(hasMore ? "/customers/\(first)/timeline?show=case" : nil),
                "cases": .list(
                    lines.prefix(Self.shown).map { line in
                        [
                            "lineage": .text(Self.lineage(line.customer, line.id.rawValue, request)),
                            "id": .text(line.id.description), "number": .text(line.number), "kind": .text(line.kind[language]),
                            "own": .list(visits(line).map(view)),
                            "topic": .text(line.topic[language]), "status": .text(line.status[language]),
                            "subject": .text(FreeText.shown(line.subject, request.masking)),
                            "badge": .text(line.badge), "priority": .text(line.priority[language]),
                            "isUrgent": .bool(line.isUrgent && line.isOpen),
                            "opened": .text(line.openedAt.displayed(offsetMinutes: zone)),
                            "ended": .text(line.endedAt?.displayed(offsetMinutes: zone)),
                        ]
                    }),
            ],
            unmasked: request.masking.shows(.name) && hasText ? ["subject"] : [])
    }
}

extension CasesPanel {
    /// The page that tells where the values of a record come from, for those who may see it.
    static func lineage(_ customer: CustomerID, _ record: Int64, _ request: PanelRequest) -> String? {
        request.principal.may(Permission("ingest.lineage")) ? "/customers/\(customer)/lineage/\(record)" : nil
    }
}

/// The last contacts with the customer; older ones stand in the timeline.
struct InteractionsPanel: Sendable {
    /// Minutes east of UTC in which times are shown.
    let zone: Int
    static let shown = 6
    static let days: Int64 = 365

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "interactions", title: "servicedesk.panel.interactions", place: .side, order: 20,
            permission: ServiceDeskPermissions.viewInteractions
        ) { try begin($0, $1) }
    }

    private func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        try ServiceDeskStore.interactions(
            request.customers, since: request.now.adding(days: -Self.days), limit: Self.shown + 1, session
        ).map { content($0, request) }.staged
    }

    private func content(_ lines: [InteractionLine], _ request: PanelRequest) -> PanelContent? {
        guard let first = request.customers.first else { return nil }
        let language = request.language
        return PanelContent(
            template: "servicedesk/panel-interactions",
            view: [
                "isEmpty": .bool(lines.isEmpty),
                "more": .text("/customers/\(first)/timeline?show=interaction"),
                "contacts": .list(
                    lines.prefix(Self.shown).map { line in
                        let note = FreeText.shown(line.note, request.masking)
                        let excerpt = FreeText.excerpt(note)
                        return [
                            "lineage": .text(CasesPanel.lineage(line.customer, line.id.rawValue, request)),
                            "note": .text(excerpt), "hasNote": .bool(note != nil),
                            "whole": .text(note == excerpt ? nil : note),
                            "channel": .text(line.channel[language]), "direction": .text(line.direction[language]),
                            "topic": .text(line.topic[language]), "outcome": .text(line.outcome[language]),
                            "isMissed": .bool(line.isMissed), "survey": .text(line.survey),
                            "score": .text(line.score.map(String.init)),
                            "at": .text(line.happenedAt.displayed(offsetMinutes: zone)),
                        ]
                    }),
            ],
            unmasked: request.masking.shows(.name) && lines.contains { $0.note != nil } ? ["note"] : [])
    }
}
