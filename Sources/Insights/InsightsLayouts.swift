import Storage

/// Where this domain's tables lie on PostgreSQL.
enum InsightsLayouts {
    static let all: [TableLayout] =
        [
            TableLayout("insights_churn_score", .customer(key: "customer_id")),
            // Keyed by the day of the score; each pass over the base adds to it.
            TableLayout(
                "insights_score_history", .customer(key: "customer_id"),
                growth: Growth(by: .month("scored_on"), .kept)),
            // Written by hand, a row a call: it does not grow with the base and is changed in its week. No months.
            TableLayout("insights_contact_plan", .customer(key: "customer_id")),
            TableLayout("insights_recommendation", .customer(key: "customer_id")),
            TableLayout("insights_recommendation_item", .customer(key: "customer_id")),
        ] + TableLayout.all(["insights_model", "insights_scoring_run", "insights_risk_summary"], .local)
}
