import Platform

/// When somebody is at home, and how they are reached then.
extension ServiceDeskLabels {
    static let appointments: [TableLabels] = [
        TableLabels(
            "servicedesk_appointment",
            [
                "customer_id": .plain, "id": .plain, "external_id": .plain, "category": .profile, "description": .name,
                "status": .profile, "starts_at": .profile, "ends_at": .profile, "created_at": .plain,
                "updated_at": .plain,
                "place_id": .plain, "place_name": .address, "place_role": .plain, "place_type": .plain,
                "event_id": .plain,
                "event_name": .name,
            ]),
        parties("servicedesk_appointment_party"), notes("servicedesk_appointment_note"),
        TableLabels(
            "servicedesk_appointment_entity",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "entity_id": .identity, "role": .plain,
                "name": .plain,
                "referred_type": .plain,
            ]),
        TableLabels(
            "servicedesk_appointment_contact",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "medium_type": .plain, "preferred": .plain,
                "contact_type": .plain, "phone": .phone, "email": .email, "fax": .phone, "social_id": .identity,
                "street1": .address, "street2": .address, "city": .profile, "region": .profile, "post_code": .profile,
                "country": .profile, "valid_from": .plain, "valid_until": .plain,
            ]),
        TableLabels(
            "servicedesk_slot_search",
            [
                "customer_id": .plain, "id": .plain, "searched_at": .plain, "result": .plain, "status": .plain,
                "party_id": .identity, "party_role": .plain, "party_name": .name, "party_type": .plain,
                "place_id": .plain,
                "place_name": .address, "place_role": .plain, "place_type": .plain,
            ]),
        .plain("servicedesk_slot_asked", ["customer_id", "owner_id", "place", "slot_id", "starts_at", "ends_at"]),
        .plain(
            "servicedesk_slot_free",
            [
                "customer_id", "owner_id", "place", "slot_id", "starts_at", "ends_at", "party_id", "party_role",
                "party_type",
            ]),
        .plain(
            "servicedesk_calendar",
            ["kind", "reference", "hours", "slot_minutes", "at_once", "closed_days", "updated_at", "updated_by_name"]),
    ]
}
