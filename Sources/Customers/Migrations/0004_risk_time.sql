-- When the scoring pass began that the row's risk is of; 0 = not scored, or scored before this was kept.
ALTER TABLE customers_listing ADD COLUMN risk_scored_at BIGINT NOT NULL DEFAULT 0;
