import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum ChannelsPermissions {
    static let view = Permission("channels.message.view")
    static let edit = Permission("channels.message.edit")
}

/// Messages to customers and the channels they go by.
package struct ChannelsModule: TMFModule {
    private let store: MessageStore
    private let consents: any ConsentReading
    private let adapter: @Sendable (Tenant) -> any ChannelAdapter
    /// What programs reach (TMF681).
    package let resources: [TMFResource]

    /// - Parameters:
    ///   - numbers: whose lines the numbers of receivers are.
    ///   - adapter: who takes a tenant's messages on.
    package init(
        customers: any CustomerReading, consents: any ConsentReading, numbers: NumberOwners = .none, schemas: TMFSchemas,
        adapter: @escaping @Sendable (Tenant) -> any ChannelAdapter
    ) throws {
        store = MessageStore(customers, consents, numbers)
        self.consents = consents
        self.adapter = adapter
        resources = [Messages.resource(try schemas.schema(Messages.api.number), customers, consents, numbers)]
    }

    package var name: String { "Channels" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ChannelsPermissions.view, Words(en: "See messages to customers", zh: "查看发给客户的消息"),
                roles: [.agent, .supervisor, .marketer, .administrator]),
            PermissionGrant(
                ChannelsPermissions.edit, Words(en: "Send messages to customers", zh: "向客户发送消息"),
                roles: [.agent, .supervisor, .marketer, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Messages.api, Words(en: "messages to customers", zh: "客户消息"), view: ChannelsPermissions.view,
            edit: ChannelsPermissions.edit)
    }

    package var labels: [TableLabels] { ChannelsLabels.all }

    package var layouts: [TableLayout] {
        TableLayout.all(
            [
                "channels_message", "channels_message_receiver", "channels_message_characteristic", "channels_message_attachment",
                "channels_delivery",
            ], .customer(key: "customer_id"))
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] { sending(tenant).handlers() }

    func sending(_ tenant: Tenant) -> ChannelJobs {
        ChannelJobs(tenant: tenant, rows: store.rows, consents: consents, adapter: adapter(tenant))
    }

    /// Each message has a job of its own; this finds what a lost job or a dead process left.
    package var schedules: [Schedule] {
        [
            Schedule(name: "channels.send", jobKind: ChannelJobs.kind, everySeconds: 300),
            Schedule(name: "channels.tidy", jobKind: ChannelJobs.tidyKind, everySeconds: 86_400),
        ]
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let rows = store.rows
        return [
            EventHandler(name: "channels.customers.removed", CustomersChanged.self) { event, session in
                guard event.kind == .removed else { return }
                try session.executeMany(DeliveryStore.forget, event.ids.map { [.id($0)] })
                try rows.forget(event.ids, resource: "communicationMessage", session)
            }
        ]
    }

    /// What this domain adds to the timeline of the customer page.
    package var timeline: any TimelineSource { ChannelTimeline() }
}

/// A label for every column (G31).
enum ChannelsLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "channels_message",
            [
                "customer_id": .plain, "id": .plain, "message_type": .plain, "subject": .name, "content": .name,
                "description": .name, "priority": .plain, "log_flag": .plain, "try_times": .plain, "scheduled_at": .plain,
                "sent_at": .plain, "completed_at": .plain, "state": .profile, "state_reason": .plain, "created_at": .plain,
                "sender_id": .plain, "sender_name": .name, "sender_email": .email, "sender_phone": .phone, "sender_party": .identity,
            ]),
        TableLabels(
            "channels_message_receiver",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "receiver_id": .identity, "name": .name, "phone": .phone,
                "email": .email, "app_user": .identity, "ip": .identity, "party_id": .identity, "party_role": .plain,
                "party_name": .name, "party_type": .plain,
            ]),
        TableLabels(
            "channels_message_characteristic",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "characteristic_id": .plain, "name": .plain,
                "value_type": .plain, "value": .profile,
            ]),
        TableLabels(
            "channels_message_attachment",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "attachment_id": .plain, "name": .name,
                "description": .name, "attachment_type": .plain, "mime_type": .plain, "url": .identity, "content": .unlabelled,
            ]),
        TableLabels(
            "channels_delivery",
            [
                "customer_id": .plain, "message_id": .plain, "place": .plain, "channel": .profile, "purpose": .profile,
                "summary": .name, "state": .profile, "rank": .plain, "due_at": .plain, "tries": .plain, "tries_max": .plain,
                "lease_until": .plain, "taken_by": .plain, "happened_at": .profile, "reason": .plain,
            ]),
    ]
}
