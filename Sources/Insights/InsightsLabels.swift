import Platform

/// A label for every column (G31). What is said about a person is confidential; models and totals are not.
enum InsightsLabels {
    static let all: [TableLabels] = [
        .plain(
            "insights_model",
            [
                "id", "version", "state", "job_id", "trained_at", "trained_by", "customers", "labelled", "leavers",
                "features", "folds", "auc", "logloss", "brier", "ece", "lift_at_10", "seed", "card", "titles",
                "blob_id",
                "failure_en", "failure_zh",
            ]),
        TableLabels(
            "insights_churn_score",
            [
                "customer_id": .plain, "model_id": .plain, "probability": .profile, "band": .profile,
                "margin": .profile, "scored_at": .plain,
                // Holds the customer's own values, those of unlabelled attributes among them.
                "reasons": .unlabelled, "region": .profile, "monthly_value": .profile, "currency": .plain,
                "priority": .profile, "listed": .plain, "previous_band": .profile,
            ]),
        TableLabels(
            "insights_score_history",
            [
                "customer_id": .plain, "scored_on": .plain, "model_id": .plain, "probability": .profile,
                "band": .profile,
            ]),
        .plain(
            "insights_scoring_run",
            [
                "id", "job_id", "model_id", "state", "started_at", "finished_at", "after_id", "scored", "skipped",
                "histogram", "drift",
            ]),
        .plain(
            "insights_risk_summary",
            ["scored_on", "region", "band", "customers", "monthly_value", "expected_loss"]),
        TableLabels(
            "insights_contact_plan",
            [
                "customer_id": .plain, "week": .plain, "state": .plain, "outcome": .profile, "note": .profile,
                "actor_id": .plain, "actor_name": .plain, "changed_at": .plain,
            ]),
        TableLabels(
            "insights_recommendation",
            [
                "customer_id": .plain, "id": .plain, "name": .plain, "description": .profile, "recommendation_type": .plain,
                "instant": .plain, "state": .plain, "state_reason": .profile, "valid_from": .plain, "valid_until": .plain,
                "party_id": .identity, "party_role": .plain, "party_name": .name, "party_type": .plain, "model_id": .plain,
                "probability": .profile, "currency": .plain,
            ]),
        TableLabels(
            "insights_recommendation_item",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "column_name": .plain,
                // A value of any column, those of unlabelled attributes among them.
                "value": .unlabelled, "probability": .profile,
            ]),
    ]
}
