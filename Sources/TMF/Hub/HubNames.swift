import Kernel

/// What the specifications call events: `CustomerCreateEvent`, `TroubleTicketStatusChangeEvent`.
package enum HubNames {
    /// Types whose change of state is called a change of status. Held against all specifications by a test.
    private static let status: Set<String> = [
        "TroubleTicket", "PartyPrivacyAgreement", "PartyPrivacyProfile", "PartyPrivacyProfileSpecification", "PaymentMethod",
        "PartyInteraction",
    ]

    package static func name(_ type: String, _ kind: TMFChanged.Kind) -> String {
        switch kind {
        case .created: type + "CreateEvent"
        case .changed: type + "AttributeValueChangeEvent"
        case .stateChanged: type + (status.contains(type) ? "StatusChangeEvent" : "StateChangeEvent")
        case .removed: type + "DeleteEvent"
        }
    }

    static func all(_ type: String) -> [String] {
        [TMFChanged.Kind.created, .changed, .stateChanged, .removed].map { name(type, $0) }
    }

    /// In words, for people.
    static func title(_ type: String, _ kind: TMFChanged.Kind) -> String {
        switch kind {
        case .created: "\(type) created"
        case .changed: "\(type) changed"
        case .stateChanged: "State of \(type) changed"
        case .removed: "\(type) removed"
        }
    }
}
