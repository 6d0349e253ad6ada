-- Earlier scores are kept in months (ADR 0013). The table of before becomes the default partition as it is: no row is
-- copied. Upkeep moves its rows into their months.
ALTER TABLE insights_score_history RENAME TO insights_score_history_default;

ALTER INDEX insights_score_history_pkey RENAME TO insights_score_history_default_pkey;

CREATE TABLE insights_score_history (LIKE insights_score_history_default INCLUDING DEFAULTS) PARTITION BY RANGE (scored_on);

ALTER TABLE insights_score_history ADD PRIMARY KEY (customer_id, scored_on);

ALTER TABLE insights_score_history ATTACH PARTITION insights_score_history_default DEFAULT;
