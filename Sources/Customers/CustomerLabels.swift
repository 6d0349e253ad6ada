import Platform

/// What every column of this domain holds (G31). A tidy test compares this with the migrations.
enum CustomerLabels {
    static let all: [TableLabels] = [
        labelled("customers_lone_party", plain: ["id", "region"], ["folded_name": .name]),
        labelled(
            "customers_party", plain: ["id", "kind"],
            [
                "display_name": .name, "folded_name": .name, "family_name": .name, "given_name": .name,
                "gender": .profile, "birth_date": .birthDate, "senior": .profile, "language": .profile,
                "industry": .plain, "size_tier": .plain,
            ]),
        labelled(
            "customers_customer",
            plain: [
                "id", "reference", "status", "status_reason", "segment", "region", "city", "since", "currency",
                "has_left", "source", "revision", "created_at", "updated_at", "edition",
            ],
            ["payment_method": .profile, "paperless": .profile, "total_charges": .profile]),
        labelled(
            "customers_contact_medium", plain: ["customer_id", "id", "kind", "preferred"],
            ["value": .phone, "folded": .phone]),
        labelled(
            "customers_address", plain: ["customer_id", "id", "city", "region", "country"],
            ["lines": .address, "postcode": .profile, "latitude": .address, "longitude": .address]),
        labelled("customers_identity_document", plain: ["customer_id", "id", "kind"], ["number": .identity]),
        labelled(
            "customers_subscription",
            plain: [
                "customer_id", "id", "service", "technology", "contract_term", "contract_end", "started_on", "ended_on",
                "status", "currency",
            ],
            [
                "plan": .profile, "msisdn": .phone, "monthly_charge": .profile, "iccid": .phone, "imsi": .phone,
                "imei": .phone, "device": .profile, "sim_kind": .profile,
            ]),
        .plain("customers_subscription_locator", ["id", "customer_id"]),
        labelled(
            "customers_addon", plain: ["customer_id", "subscription_id"],
            ["code": .profile, "monthly_charge": .profile]),
        .plain(
            "customers_subscription_history",
            ["customer_id", "id", "subscription_id", "changed_on", "from_status", "to_status", "reason"]),
        labelled(
            "customers_change",
            plain: ["customer_id", "id", "changed_at", "cause", "from_status", "to_status", "fields"],
            ["actor": .name]),
        labelled("customers_correction", plain: ["customer_id", "field", "told", "stands"], [:]),
        labelled(
            "customers_charge",
            plain: [
                "customer_id", "id", "kind", "period", "currency", "issued_on", "due_on", "number", "account_number",
                "bill_number",
            ],
            [
                "amount": .profile, "paid_on": .profile, "method": .profile, "settled": .profile, "settled_on": .profile,
                "overdue_on": .profile,
            ]),
        labelled(
            "customers_account",
            plain: [
                "customer_id", "id", "number", "kind", "status", "parent_number", "opened_on", "closed_on", "source", "account_type",
                "modified_at", "credit_currency", "financial_id", "cycle_id", "cycle_name", "format_id", "format_name", "edition",
            ],
            [
                "name": .name, "bill_day": .profile, "payment_method": .profile, "description": .name, "payment_status": .profile,
                "credit_limit": .profile, "payment_method_id": .profile, "financial_name": .profile,
            ]),
        labelled(
            "customers_account_role",
            plain: ["customer_id", "id", "holder_id", "account_id", "valid_from", "valid_to"], ["role": .profile]),
        labelled(
            "customers_record_key", plain: ["kind", "source", "customer_id", "record_id"], ["value": .identity]),
        labelled(
            "customers_usage_month", plain: ["customer_id", "subscription_id", "month"],
            [
                "voice_min": .profile, "sms": .profile, "data_mb": .profile, "roaming_mb": .profile, "calls": .profile,
                "dropped_calls": .profile, "speed_mbps": .profile,
            ]),
        labelled(
            "customers_outcome", plain: ["customer_id", "id", "reason_code", "recorded_on"],
            ["left_on": .profile, "reason_text": .profile, "competitor": .profile]),
        labelled(
            "customers_relation", plain: ["customer_id", "other_id", "valid_from", "valid_to"], ["role": .profile]),
        .plain(
            "customers_attribute",
            [
                "id", "key", "title_en", "title_zh", "kind", "codes", "mask", "labelled", "created_at", "created_by",
            ]),
        // The mask of a value is that of its attribute; this label stands where the attribute is not known.
        labelled(
            "customers_attribute_value", plain: ["customer_id", "attribute_id"],
            ["text_value": .unlabelled, "int_value": .unlabelled, "double_value": .unlabelled]),
        labelled("customers_identifier", plain: ["kind", "customer_id"], ["value": .identity]),
        .plain("customers_customer_link", ["from_id", "to_id", "valid", "evidence", "linked_at"]),
        labelled("customers_match_key", plain: ["customer_id"], ["key": .identity]),
        labelled("customers_match_record", plain: ["customer_id", "form"], ["record": .identity]),
        labelled(
            "customers_match_pair",
            plain: [
                "left_id", "right_id", "state", "bits", "evidence", "model_id", "made_at", "decided_at",
            ], ["decided_by": .name, "reason": .profile]),
        labelled(
            "customers_kept_decision", plain: ["one_source", "other_source", "state", "decided_at"],
            ["one_number": .identity, "other_number": .identity, "decided_by": .name, "reason": .profile]),
        // Weights, and hashes of values that are frequent.
        .plain("customers_match_model", ["id", "made_at", "made_by", "customers", "pairs", "model", "trial"]),
        .plain("customers_match_setting", ["id", "kept", "filled_at", "model_id", "survivorship", "customers"]),
        labelled("customers_search", plain: ["kind", "customer_id"], ["token": .identity]),
        labelled("customers_search_text", plain: ["customer_id"], ["tokens": .identity]),
        labelled(
            "customers_search_number", plain: ["customer_id", "id", "kind", "number"], ["tokens": .identity]),
        labelled("customers_search_word", plain: ["variant"], ["word": .name]),
        .plain("customers_search_state", ["id", "step", "seen_to", "since"]),
        labelled(
            "customers_listing",
            plain: [
                "customer_id", "kind", "status", "segment", "tier", "region", "city", "service", "plan",
                "contract_term",
                "since", "currency", "band", "leave_reason", "left_on", "risk_scored_at", "behind",
            ],
            [
                "sort_name": .name, "monthly_charge": .profile, "risk": .profile, "value_score": .profile,
                "latitude": .address, "longitude": .address,
            ]),
        .plain("customers_saved_view", ["id", "name", "owner_id", "shared", "filter", "created_at"]),
        .plain(
            "customers_value_policy", ["id", "vip_from", "high_from", "customers", "computed_at", "requested_at"]),
    ] + AccountLabels.all

    private static func labelled(_ table: String, plain: [String], _ others: [String: ColumnLabel]) -> TableLabels {
        let rest = plain.map { ($0, ColumnLabel.plain) }
        return TableLabels(table, others.merging(rest, uniquingKeysWith: { first, _ in first }))
    }
}
