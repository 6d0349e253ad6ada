import Kernel
import Platform
import Storage

/// Cases in the timeline of the customer page, at the time they were opened.
struct CaseTimeline: TimelineSource {
    var kind: TimelineKind { TimelineKind("case", Words(en: "Cases", zh: "工单"), icon: "warning") }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(ServiceDeskPermissions.viewCases) else {
            return Asked { [] }
        }
        return try ServiceDeskStore.cases(customers, behind: place, limit: limit, session).map { lines in
            let masking = Masking(principal)
            return lines.map { entry($0, masking) }
        }
    }

    private func entry(_ line: CaseLine, _ masking: Masking) -> TimelineEntry {
        let subject = FreeText.excerpt(FreeText.shown(line.subject, masking))
        return TimelineEntry(
            customer: line.customer, at: line.openedAt, key: RowKey(line.customer, line.id.rawValue).text,
            tone: line.isComplaint ? "bad" : line.isOpen ? "warn" : "",
            title: Words(en: "\(line.kind.en): \(line.topic.en)", zh: "\(line.kind.zh)：\(line.topic.zh)"),
            note: Words(
                en: ["\(line.number) · \(line.status.en)", subject].compactMap { $0 }.joined(separator: " · "),
                zh: ["\(line.number) · \(line.status.zh)", subject].compactMap { $0 }.joined(separator: " · ")),
            unmasked: subject == nil ? [] : ["subject"])
    }
}

/// Contacts in the timeline of the customer page.
struct InteractionTimeline: TimelineSource {
    var kind: TimelineKind { TimelineKind("interaction", Words(en: "Service contacts", zh: "服务接触"), icon: "phone") }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(ServiceDeskPermissions.viewInteractions) else {
            return Asked { [] }
        }
        return try ServiceDeskStore.interactions(customers, behind: place, limit: limit, session).map { lines in
            let masking = Masking(principal)
            return lines.map { entry($0, masking) }
        }
    }

    private func entry(_ line: InteractionLine, _ masking: Masking) -> TimelineEntry {
        let note = FreeText.excerpt(FreeText.shown(line.note, masking))
        return TimelineEntry(
            customer: line.customer, at: line.happenedAt, key: RowKey(line.customer, line.id.rawValue).text,
            tone: line.isMissed ? "warn" : "",
            title: Words(
                en: "\(line.channel.en), \(line.direction.en)", zh: "\(line.channel.zh)，\(line.direction.zh)"),
            note: Words(
                en: [line.answer ?? "\(line.topic.en) · \(line.outcome.en)", note].compactMap { $0 }
                    .joined(separator: " · "),
                zh: [line.answer ?? "\(line.topic.zh) · \(line.outcome.zh)", note].compactMap { $0 }
                    .joined(separator: " · ")), unmasked: note == nil ? [] : ["note"])
    }
}
