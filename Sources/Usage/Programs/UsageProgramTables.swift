import Platform
import Storage

/// Labels and layouts of what programs bring and ask (TMF635, TMF677). Values of characteristics may be numbers of people.
enum UsageProgramTables {
    private static let owned: [String: ColumnLabel] = ["customer_id": .plain, "owner_id": .plain, "place": .plain]
    private static let party = owned.merging([
        "party_id": .identity, "role": .plain, "name": .name, "referred_type": .plain,
    ]) { $1 }

    static let labels: [TableLabels] = [
        .plain(
            "usage_specification",
            [
                "id", "name", "description", "version", "lifecycle_status", "is_bundle", "changed_at", "valid_from",
                "valid_until",
            ]),
        TableLabels(
            "usage_record",
            [
                "customer_id": .plain, "id": .plain, "description": .name, "used_at": .profile, "usage_type": .profile,
                "status": .plain, "status_reason": .plain, "specification_id": .plain, "specification_name": .plain,
                "external_id": .plain, "version": .plain, "booked": .plain, "line_customer_id": .plain,
                "subscription_id": .plain,
                "day": .profile, "kind": .profile, "quantity": .profile, "is_roaming": .profile, "is_dropped": .profile,
                "speed": .profile, "cell": .profile, "naming": .plain, "line": .phone,
            ]),
        TableLabels("usage_record_party", party),
        TableLabels(
            "usage_record_characteristic",
            owned.merging(["name": .plain, "value": .phone, "value_type": .plain, "more": .profile]) { $1 }),
        TableLabels(
            "usage_record_rating",
            owned.merging([
                "rated_at": .plain, "tariff_type": .plain, "tag": .plain, "is_billed": .plain, "amount_minor": .profile,
                "currency": .plain, "product_id": .plain, "more": .profile,
            ]) { $1 }),
        .plain("usage_consumption", ["customer_id", "id", "asked_at", "state_reason"]),
        TableLabels("usage_consumption_party", party),
        TableLabels(
            "usage_consumption_bucket",
            owned.merging([
                "subscription_id": .plain, "month": .plain, "number": .phone, "plan": .profile, "tariff": .plain,
                "kind": .plain,
                "used": .profile, "included": .profile, "remaining": .profile, "beyond": .profile, "roaming": .profile,
                "is_month_only": .plain,
            ]) { $1 }),
    ]

    static let layouts: [TableLayout] =
        [TableLayout("usage_record", .customer(key: "customer_id"), growth: growth(by: "id"))]
        + ["usage_record_party", "usage_record_characteristic", "usage_record_rating"].map {
            TableLayout($0, .customer(key: "customer_id"), growth: growth(by: "owner_id"))
        }
        + TableLayout.all(
            ["usage_consumption", "usage_consumption_party", "usage_consumption_bucket"], .customer(key: "customer_id"))
        + [TableLayout("usage_specification", .reference)]

    private static func growth(by column: String) -> Growth {
        Growth(by: .id(column), .dropped(afterDays: UsageRecords.keepDays, except: nil))
    }
}
