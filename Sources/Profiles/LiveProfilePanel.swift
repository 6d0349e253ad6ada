import Kernel
import Platform
import Storage
import Web

/// The counters of a customer over the last days.
struct LiveProfilePanel: Sendable {
    let reader: ProfileReader

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "live-profile", title: "profiles.panel", place: .main, order: 44, permission: ProfilesModule.view
        ) { try begin($0, $1) }
    }

    private func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        guard !request.customers.isEmpty else { return .done(nil) }
        return try reader.asking(request.customers, now: request.now, together: true, session).map { all in
            content(all.map { ($0.counter, $0.values.values.first?.windows) }, request)
        }.staged
    }

    /// No panel for a customer of whom nothing was counted in the longest window.
    private func content(
        _ all: [(counter: CounterDefinition, windows: [LiveWindow]?)], _ request: PanelRequest
    ) -> PanelContent? {
        let rows = all.compactMap { counter, windows -> View? in
            guard let windows, let longest = windows.last, longest.events != 0 || longest.sum != 0 else { return nil }
            let last = longest.lastAt?.displayed(offsetMinutes: reader.zone) ?? longest.lastDay ?? "–"
            var row: View = ["name": .text(counter.title[request.language]), "last": .text(last)]
            for window in windows {
                row = row.merging([
                    "w\(window.days)": .text(Self.main(counter, window)), "s\(window.days)": .text(Self.small(counter, window)),
                ])
            }
            return row
        }
        guard !rows.isEmpty else { return nil }
        return PanelContent(template: "profiles/panel-live", view: ["rows": .list(rows)])
    }

    /// The sum where there is one, else how often.
    private static func main(_ counter: CounterDefinition, _ window: LiveWindow) -> String {
        guard !counter.sumField.isEmpty else { return grouped(window.events) + (counter.distinctField.isEmpty ? "" : " ×") }
        return sum(window.sum) + (counter.unit.isEmpty ? "" : " " + counter.unit)
    }

    private static func small(_ counter: CounterDefinition, _ window: LiveWindow) -> String? {
        guard window.events != 0 else { return nil }
        var parts: [String] = []
        if !counter.sumField.isEmpty { parts.append(grouped(window.events) + " ×") }
        if !counter.distinctField.isEmpty {
            let count = grouped(window.distinct)
            parts.append("≠ " + (window.isDistinctExact ? count : "≈ \(count) ± \(DistinctSketch.errorPercent) %"))
        }
        return parts.isEmpty ? nil : parts.joined(separator: " · ")
    }

    /// Whole numbers from a hundred on, else one place.
    static func sum(_ thousandths: Int64) -> String {
        if thousandths % 1_000 == 0 || thousandths.magnitude >= 100_000 {
            return grouped((thousandths + (thousandths < 0 ? -500 : 500)) / 1_000)
        }
        return Thousandths.text((thousandths + (thousandths < 0 ? -50 : 50)) / 100 * 100)
    }

    static func grouped(_ number: Int64) -> String { Money(minor: number, currency: "JPY").amountText }
}
