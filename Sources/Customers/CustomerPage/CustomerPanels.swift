import Kernel
import Platform
import Storage

/// What Customers shows of a customer: its own parts of the customer page. Other domains bring theirs.
enum CustomerPanels {
    static func all(_ tenant: Tenant, _ timeline: [any TimelineSource] = []) -> [CustomerPanel] {
        let zone = tenant.timeZoneOffsetMinutes
        @Sendable func today(_ request: PanelRequest) -> LocalDate { request.now.date(offsetMinutes: zone) }
        let view = CustomerPermissions.view
        return [
            CustomerPanel(
                name: "subscriptions", title: "customer-page.panel.subscriptions", place: .main, order: 10,
                permission: view
            ) { try SubscriptionsPanel.begin($0, today: today($0), $1) },
            CustomerPanel(
                name: "accounts", title: "customer-page.panel.accounts", place: .main, order: 15, permission: view
            ) { try AccountsPanel.begin($0, today: today($0), $1) },
            CustomerPanel(
                name: "charges", title: "customer-page.panel.charges", place: .main, order: 30, permission: view
            ) { try ChargesPanel.begin($0, today: today($0), $1) },
            CustomerPanel(
                name: "usage", title: "customer-page.panel.usage", place: .main, order: 40, permission: view
            ) { try UsagePanel.begin($0, today: today($0), $1) },
            CustomerPanel(
                name: "profile", title: "customer-page.panel.profile", place: .side, order: 30, permission: view
            ) { try ProfilePanel.begin($0, $1) },
            CustomerPanel(
                name: "joined", title: "customer-page.panel.joined", place: .side, order: 32, permission: view
            ) { try JoinedPanel.begin($0, zone: zone, $1) },
            CustomerPanel(
                name: "similar", title: "customer-page.panel.similar", place: .side, order: 5,
                permission: CustomerPermissions.decidePairs
            ) { try SimilarPanel.begin($0, $1) },
            CustomerPanel(
                name: "relations", title: "customer-page.panel.relations", place: .side, order: 40, permission: view
            ) { try RelationsPanel.begin($0, $1) },
            CustomerPanel(
                name: "timeline", title: "customer-page.panel.timeline", place: .main, order: 60, permission: view
            ) { try TimelinePanel.begin($0, today: today($0), zone: zone, timeline, $1) },
        ]
    }
}
