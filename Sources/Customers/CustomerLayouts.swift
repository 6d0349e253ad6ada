import Storage

/// Where this domain's tables lie on PostgreSQL: what belongs to a customer lies beside the customer.
enum CustomerLayouts {
    static let all: [TableLayout] =
        [
            TableLayout("customers_customer", .customers(key: "id")),
            // A customer shares its party's id.
            TableLayout("customers_party", .customer(key: "id")),
            TableLayout("customers_customer_link", .customer(key: "from_id")),
            // Read whole for a customer on every page and kept as long as the customer: months would only cost (ADR 0013).
            TableLayout("customers_change", .customer(key: "customer_id")),
            // Use has no id of its own: its month is what it grows by. Operators bring years of it with them.
            TableLayout(
                "customers_usage_month", .customer(key: "customer_id"),
                growth: Growth(by: .month("month"), .kept, monthsAhead: 1, monthsBehind: 30)),
            // Number -> customer: one node, one index.
            TableLayout("customers_identifier", .lookUp(key: "value")),
            TableLayout("customers_subscription_locator", .lookUp(key: "id")),
            TableLayout("customers_lone_party", .customer(key: "id")),
            TableLayout("customers_record_key", .lookUp(key: "value")),
            // Words of names: asked with what is left of a mistyped one.
            TableLayout("customers_search_word", .lookUp(key: "variant")),
            TableLayout("customers_search_state", .local),
            // Few definitions, joined with the values of every customer.
            TableLayout("customers_attribute", .reference),
            // A key is asked for by itself; pairs lie with the customer of the smaller id.
            TableLayout("customers_match_key", .lookUp(key: "key")),
            TableLayout("customers_match_record", .customer(key: "customer_id")),
            TableLayout("customers_match_pair", .customer(key: "left_id")),
            // Few rows, asked for by either number.
            TableLayout("customers_kept_decision", .local),
            TableLayout("customers_match_model", .local),
            TableLayout("customers_match_setting", .local),
            TableLayout("customers_saved_view", .local),
            TableLayout("customers_value_policy", .local),
        ]
        + TableLayout.all(
            [
                "customers_correction", "customers_contact_medium", "customers_address", "customers_identity_document",
                "customers_subscription", "customers_addon", "customers_subscription_history", "customers_charge",
                "customers_outcome", "customers_relation", "customers_attribute_value", "customers_search",
                "customers_search_text", "customers_search_number", "customers_listing", "customers_account", "customers_account_role",
            ], .customer(key: "customer_id")) + AccountLabels.layouts
}
