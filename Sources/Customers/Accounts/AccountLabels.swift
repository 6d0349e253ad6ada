import Platform
import Storage

/// What the tables of accounts and party roles hold (G31), and where they lie.
enum AccountLabels {
    private static let key: [String: ColumnLabel] = ["customer_id": .plain, "owner_id": .plain, "place": .plain]
    private static let period: [String: ColumnLabel] = ["valid_from": .plain, "valid_to": .plain]
    private static let medium: [String: ColumnLabel] = [
        "medium_type": .plain, "preferred": .plain, "phone": .phone, "email": .phone, "fax": .phone, "social_id": .identity,
        "street1": .address, "street2": .address, "city": .plain, "region": .plain, "post_code": .address, "country": .plain,
    ]
    private static let party: [String: ColumnLabel] = [
        "party_id": .identity, "role": .plain, "name": .name, "referred_type": .plain,
    ]
    /// What clients sent and no column knows.
    private static let more: [String: ColumnLabel] = ["more": .profile]

    private static func part(_ table: String, _ columns: [String: ColumnLabel]...) -> TableLabels {
        TableLabels(table, columns.reduce(key) { $0.merging($1) { first, _ in first } })
    }

    static let all: [TableLabels] = [
        TableLabels(
            "customers_financial_account",
            [
                "customer_id": .plain, "id": .plain, "name": .name, "account_type": .plain, "description": .name, "state": .plain,
                "modified_at": .plain, "credit_limit": .profile, "credit_currency": .plain,
            ]),
        part(
            "customers_financial_balance", ["balance_type": .plain, "amount": .profile, "currency": .plain], period, more),
        part("customers_account_party", party),
        part(
            "customers_account_contact", ["contact_type": .plain, "contact_name": .name, "party_role_type": .plain], period, more),
        part("customers_account_contact_medium", ["item": .plain], medium),
        part(
            "customers_account_tax", ["jurisdiction": .plain, "certificate": .identity, "reason": .name], period, more),
        part(
            "customers_account_relation", ["relation": .plain, "account_id": .plain, "account_name": .name], period, more),
        part(
            "customers_account_plan",
            [
                "plan_type": .plain, "status": .plain, "frequency": .plain, "payments": .profile, "priority": .plain, "amount": .profile,
                "currency": .plain, "method_id": .profile,
            ], period, more),
        part("customers_account_media", ["media_id": .plain, "name": .plain]),
        .plain(
            "customers_bill_cycle",
            [
                "id", "name", "description", "billing_period", "frequency", "billing_shift", "charge_offset", "credit_offset",
                "mailing_offset", "due_offset", "valid_from", "valid_to",
            ]),
        .plain("customers_bill_format", ["id", "name", "description"]), .plain("customers_bill_media", ["id", "name", "description"]),
        TableLabels(
            "customers_party_role",
            [
                "customer_id": .plain, "id": .plain, "name": .plain, "status": .plain, "status_reason": .name, "valid_from": .plain,
                "valid_to": .plain,
            ]),
        part("customers_party_role_party", party), part("customers_party_role_medium", medium, more),
        part("customers_party_role_characteristic", ["name": .plain, "value": .unlabelled, "value_type": .plain], more),
        part("customers_party_role_account", ["account_id": .plain, "name": .name], more),
        part("customers_party_role_agreement", ["agreement_id": .plain, "name": .plain], more),
        part("customers_party_role_payment", ["method_id": .profile, "name": .profile], more),
        part("customers_party_role_credit", ["profiled_at": .plain, "rating": .profile, "score": .profile], period, more),
    ]

    static let layouts: [TableLayout] =
        TableLayout.all(
            [
                "customers_financial_account", "customers_financial_balance", "customers_account_party", "customers_account_contact",
                "customers_account_contact_medium", "customers_account_tax", "customers_account_relation", "customers_account_plan",
                "customers_account_media", "customers_party_role", "customers_party_role_party", "customers_party_role_medium",
                "customers_party_role_characteristic", "customers_party_role_account", "customers_party_role_agreement",
                "customers_party_role_payment", "customers_party_role_credit",
            ], .customer(key: "customer_id"))
        // Few rows, named by those of every customer.
        + TableLayout.all(["customers_bill_cycle", "customers_bill_format", "customers_bill_media"], .reference)
}
