import Kernel
import Storage
import TMF
import Web

/// What a kept usage has given, and where: enough to take it back as long as the row is there, also when the ids of the pipeline are
/// long let go.
struct UsageBooking: Sendable, Equatable {
    enum State: String, Sendable {
        case counted
        /// For its line, among the events of unknown lines.
        case waiting
        case none
    }

    var state = State.none
    /// Of what the fold was given last; each booking and each taking back is a version.
    var version: UInt32 = 0
    var line: LineRef?
    var day: Int32?
    var amount: UsageAmount?
    /// How the line was told, while it waits.
    var naming: String?
    var name: String?
    var externalID: String?

    init() {}

    /// Where it stands in the document of a row; no client sees it.
    static let attribute = "$booking"

    static let fields: [TMFField] = [
        TMFField("$booking.external", "external_id"),
        TMFField("$booking.version", "version", .integer, absent: .int(0)),
        TMFField("$booking.state", "booked", absent: .text(State.none.rawValue)),
        TMFField("$booking.customer", "line_customer_id", .id),
        TMFField("$booking.subscription", "subscription_id", .id), TMFField("$booking.day", "day", .integer),
        TMFField("$booking.kind", "kind"), TMFField("$booking.quantity", "quantity", .integer),
        TMFField("$booking.roaming", "is_roaming", .boolean), TMFField("$booking.dropped", "is_dropped", .boolean),
        TMFField("$booking.speed", "speed", .integer), TMFField("$booking.cell", "cell", .integer),
        TMFField("$booking.naming", "naming"), TMFField("$booking.line", "line"),
    ]

    init(_ document: JSONObject) {
        guard let fields = document[Self.attribute] else { return }
        state = fields["state"]?.string.flatMap(State.init) ?? .none
        version = UInt32(clamping: fields["version"]?.int ?? 0)
        externalID = fields["external"]?.string
        naming = fields["naming"]?.string
        name = fields["line"]?.string
        if let customer = fields["customer"]?.string.flatMap({ Int64($0) }),
            let subscription = fields["subscription"]?.string.flatMap({ Int64($0) })
        {
            line = LineRef(customer: CustomerID(customer), subscription: SubscriptionID(subscription))
        }
        day = fields["day"]?.int.map { Int32(clamping: $0) }
        if let kind = fields["kind"]?.string.flatMap({ UsageKind(name: $0) }) {
            amount = UsageAmount(
                kind, quantity: fields["quantity"]?.int ?? 0, isRoaming: fields["roaming"]?.bool ?? false,
                isDropped: fields["dropped"]?.bool ?? false, speed: fields["speed"]?.int ?? 0,
                cell: fields["cell"]?.int.map { UInt8(clamping: $0) })
        }
    }

    var json: JSONValue {
        var fields: JSONObject = ["state": .string(state.rawValue), "version": .int(Int64(version))]
        fields["external"] = externalID.map { .string($0) }
        fields["naming"] = naming.map { .string($0) }
        fields["line"] = name.map { .string($0) }
        fields["customer"] = line.map { .string($0.customer.description) }
        fields["subscription"] = line.map { .string($0.subscription.description) }
        fields["day"] = day.map { .int(Int64($0)) }
        if let amount {
            fields["kind"] = .string(amount.kind.name)
            fields["quantity"] = .int(amount.quantity)
            fields["roaming"] = .bool(amount.isRoaming)
            fields["dropped"] = .bool(amount.isDropped)
            fields["speed"] = .int(amount.speed)
            fields["cell"] = amount.cell.map { .int(Int64($0)) }
        }
        return .object(fields)
    }

    /// As the fold knows it.
    func entry(_ fingerprint: UInt64) -> UsageEntry? {
        switch state {
        case .counted:
            guard let line, let day else { return nil }
            return UsageEntry(fingerprint, version: version, .taken, place: UsagePlace(line, day: day), amount: amount)
        case .waiting: return UsageEntry(fingerprint, version: version, .waiting)
        case .none: return version == 0 ? nil : UsageEntry(fingerprint, version: version, .cancelled)
        }
    }
}
