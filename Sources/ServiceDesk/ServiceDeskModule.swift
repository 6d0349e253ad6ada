import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum ServiceDeskPermissions {
    static let viewCases = Permission("servicedesk.case.view")
    static let viewInteractions = Permission("servicedesk.interaction.view")
    static let editCases = Permission("servicedesk.case.edit")
    static let editInteractions = Permission("servicedesk.interaction.edit")
    static let viewAppointments = Permission("servicedesk.appointment.view")
    static let editAppointments = Permission("servicedesk.appointment.edit")
    static let manageHours = Permission("servicedesk.hours.manage")
}

/// What customers came with and what became of it: cases and contacts.
package struct ServiceDeskModule: TMFModule {
    /// `nil` = cases are not looked for.
    private let customers: (any CustomerReading)?

    /// What programs reach (TMF621, TMF646, TMF683).
    package let resources: [TMFResource]
    private let rows: [(resource: String, rows: TMFRows)]

    /// Without search and without routes for programs.
    package init(customers: (any CustomerReading)? = nil) {
        self.customers = customers
        resources = []
        rows = []
    }

    /// - Parameters:
    ///   - customers: who the customers of found cases are.
    ///   - schemas: of what programs reach.
    package init(customers: any CustomerReading, schemas: TMFSchemas) throws {
        self.customers = customers
        let appointments = try schemas.schema(Appointments.api.number)
        rows = [
            (Appointments.name, AppointmentStore(customers).rows), (TimeSlots.name, TimeSlotStore(customers).rows),
        ]
        resources = [
            Tickets.resource(try schemas.schema(Tickets.api.number), customers),
            Interactions.resource(try schemas.schema(Interactions.api.number), customers),
            Appointments.resource(appointments, customers), TimeSlots.resource(appointments, customers),
        ]
    }

    package var name: String { "ServiceDesk" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ServiceDeskPermissions.viewCases, Words(en: "See customers' cases", zh: "查看客户工单"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.viewInteractions, Words(en: "See contacts with customers", zh: "查看客户接触记录"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.editCases, Words(en: "Open and change cases", zh: "新建和修改工单"),
                roles: [.agent, .supervisor, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.editInteractions, Words(en: "Write down contacts", zh: "登记客户接触"),
                roles: [.agent, .supervisor, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.viewAppointments, Words(en: "See appointments", zh: "查看预约"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.editAppointments, Words(en: "Make and change appointments", zh: "新建和修改预约"),
                roles: [.agent, .supervisor, .administrator]),
            PermissionGrant(
                ServiceDeskPermissions.manageHours, Words(en: "Set the hours of visits", zh: "设置上门预约时间"),
                roles: [.supervisor, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Tickets.api, Words(en: "trouble tickets", zh: "故障工单"), view: ServiceDeskPermissions.viewCases,
            edit: ServiceDeskPermissions.editCases)
            + TMFAccess.scopes(
                Interactions.api, Words(en: "contacts with customers", zh: "客户接触记录"),
                view: ServiceDeskPermissions.viewInteractions, edit: ServiceDeskPermissions.editInteractions)
            + TMFAccess.scopes(
                Appointments.api, Words(en: "appointments", zh: "预约"), view: ServiceDeskPermissions.viewAppointments,
                edit: ServiceDeskPermissions.editAppointments)
    }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        TMFResource.endpoints(of: resources) + VisitHoursPages.endpoints() + (pages?.endpoints ?? [])
    }

    package var navigation: [NavigationEntry] {
        (pages.map { [$0.navigation] } ?? []) + [
            NavigationEntry(
                key: "servicedesk.hours", icon: "calendar", path: VisitHoursPages.path,
                permission: ServiceDeskPermissions.manageHours, order: 61)
        ]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] {
        [
            JobHandler(kind: TimeSlots.upkeepJob) { _ in
                let gone = try await TimeSlotStore.upkeep(tenant, tenant.clock.now())
                return JSONValue.object(["searches": .int(Int64(gone))]).encoded()
            },
            CaseFill.job(tenant),
        ]
    }

    package var schedules: [Schedule] {
        [
            Schedule(name: "servicedesk.upkeep", jobKind: TimeSlots.upkeepJob, everySeconds: 21_600),
            Schedule(name: "servicedesk.search.hourly", jobKind: CaseFill.jobKind, everySeconds: CaseFill.everySeconds),
        ]
    }

    /// What imports change of cases and contacts.
    package var news: [TMFNews] {
        guard !resources.isEmpty else { return [] }
        return [
            TMFNews("cases", RecordsChanged.self, of: [Tickets.api.number]) { event, _ in
                event.entity == DeskRecords.cases.entity ? TMFChanged.records(Tickets.api.number, "troubleTicket", event) : []
            },
            TMFNews("interactions", RecordsChanged.self, of: [Interactions.api.number]) { event, _ in
                let kinds = [DeskRecords.contacts.entity, DeskRecords.answers.entity]
                return kinds.contains(event.entity) ? TMFChanged.records(Interactions.api.number, "partyInteraction", event) : []
            },
        ]
    }

    private var pages: CasePages? {
        guard let customers, let tickets = resources.first(where: { $0.api == Tickets.api }) else { return nil }
        return CasePages(resource: tickets, customers: customers)
    }

    package var labels: [TableLabels] { ServiceDeskLabels.all }

    package var layouts: [TableLayout] {
        [
            // What operators bring along reaches back two years and more.
            TableLayout(
                "servicedesk_interaction", .customer(key: "customer_id"),
                growth: Growth(by: .id("id"), .kept, monthsBehind: 30)),
            TableLayout("servicedesk_case", .customer(key: "customer_id")),
            TableLayout("servicedesk_case_number", .lookUp(key: "number")),
            TableLayout("servicedesk_record_key", .lookUp(key: "value")),
        ]
            + TableLayout.all(
                [
                    "servicedesk_case_text", "servicedesk_case_party", "servicedesk_case_entity", "servicedesk_case_note",
                    "servicedesk_case_step",
                    "servicedesk_interaction_party", "servicedesk_interaction_note", "servicedesk_appointment",
                    "servicedesk_appointment_party", "servicedesk_appointment_entity", "servicedesk_appointment_note",
                    "servicedesk_appointment_contact", "servicedesk_slot_search", "servicedesk_slot_asked",
                    "servicedesk_slot_free",
                ], .customer(key: "customer_id")) + [
                TableLayout("servicedesk_calendar", .local), TableLayout("servicedesk_case_text_state", .local),
            ]
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        [
            EventHandler(name: "servicedesk.customers.removed", CustomersChanged.self) { [rows] event, session in
                guard event.kind == .removed else { return }
                try ServiceDeskStore.forget(event.ids, session)
                for (resource, rows) in rows { try rows.forget(event.ids, resource: resource, session) }
            }
        ]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [
            CasesPanel(zone: tenant.timeZoneOffsetMinutes).panel(),
            InteractionsPanel(zone: tenant.timeZoneOffsetMinutes).panel(),
        ]
    }

    package func search(_ tenant: Tenant) -> [SearchSource] {
        customers.map { [CaseSearch(customers: $0).source(), ContactSearch(customers: $0).source()] } ?? []
    }

    /// What this domain adds to the timeline of the customer page.
    package var timeline: [any TimelineSource] { [CaseTimeline(), InteractionTimeline(), AppointmentTimeline()] }

    /// Cases, contacts and appointments keep their customer when the import that made it is taken back.
    package var hold: CustomerHold {
        CustomerHold(Words(en: "cases, contacts or appointments", zh: "工单、接触记录或预约")) { ids, session in
            var result: Set<CustomerID> = []
            for statement in [
                ServiceDeskStore.withCases, ServiceDeskStore.withInteractions, ServiceDeskStore.withAppointments,
            ] {
                for chunk in ids.chunked(Limits.sqlListChunk) {
                    var builder = SQLBuilder(statement)
                    builder.appendIn("AND customer_id", chunk.map { .id($0) })
                    result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
                }
            }
            return result
        }
    }

    /// The cases of customers, for those who think of joining them.
    package var caseCount: CustomerCount {
        CustomerCount(Words(en: "Cases", zh: "工单"), permission: ServiceDeskPermissions.viewCases) { ids, session in
            var builder = SQLBuilder(ServiceDeskStore.countCases)
            builder.appendIn("AND customer_id", ids.map { .id($0) })
            return try session.count(builder.sql, builder.arguments)
        }
    }

    /// What can be imported into this domain.
    package static func importTargets(_ tenant: Tenant, naming: any CustomerFinding) -> [any ImportTarget] {
        DeskRecords.all(tenant, naming)
    }

    /// Gives invented customers the cases and contacts that go with their lives.
    package var follower: any DemoFollower { DemoDesk() }
}
