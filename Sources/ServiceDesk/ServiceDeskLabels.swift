import Platform

/// A label for every column (G31). That and why somebody called is said about a person, and what was said even more.
enum ServiceDeskLabels {
    static let all: [TableLabels] =
        [
            TableLabels(
                "servicedesk_interaction",
                [
                    "customer_id": .plain, "id": .plain, "happened_at": .profile, "channel": .profile,
                    "direction": .profile, "topic": .profile, "outcome": .profile, "language": .profile,
                    "case_id": .plain, "note": .name, "survey": .plain, "score": .profile, "ended_at": .profile,
                    "created_at": .plain, "status": .profile, "status_changed_at": .plain,
                ]),
            TableLabels(
                "servicedesk_record_key",
                ["kind": .plain, "source": .plain, "value": .identity, "customer_id": .plain, "record_id": .plain]),
            TableLabels(
                "servicedesk_case",
                [
                    "customer_id": .plain, "id": .plain, "number": .plain, "kind": .profile, "topic": .profile,
                    "status": .profile, "priority": .profile, "opened_at": .profile, "resolved_at": .profile,
                    "closed_at": .profile, "subject": .name, "title": .name, "severity": .profile, "updated_at": .plain,
                    "status_changed_at": .plain, "status_reason": .name, "expected_at": .plain, "requested_at": .plain,
                    "channel_id": .plain, "channel_name": .plain,
                ]),
            parties("servicedesk_case_party"), notes("servicedesk_case_note"), parties("servicedesk_interaction_party"),
            notes("servicedesk_interaction_note"),
            TableLabels(
                "servicedesk_case_entity",
                [
                    "customer_id": .plain, "owner_id": .plain, "place": .plain, "entity_id": .identity, "role": .plain,
                    "name": .plain, "referred_type": .plain,
                ]),
            TableLabels(
                "servicedesk_case_step",
                [
                    "customer_id": .plain, "owner_id": .plain, "place": .plain, "status": .profile,
                    "changed_at": .plain,
                    "reason": .name,
                ]),
            TableLabels("servicedesk_case_text", ["customer_id": .plain, "id": .plain, "tokens": .name]),
            .plain("servicedesk_case_text_state", ["id", "step", "since"]),
            .plain("servicedesk_case_number", ["number", "customer_id", "case_id"]),
        ] + appointments

    static func parties(_ table: String) -> TableLabels {
        TableLabels(
            table,
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain,
                "name": .name,
                "referred_type": .plain,
            ])
    }

    static func notes(_ table: String) -> TableLabels {
        TableLabels(
            table,
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "note_id": .plain, "author": .name,
                "written_at": .plain, "text": .name,
            ])
    }
}
