-- What learned weights would do beside those in use, tried on the customers they were learned from (JSON of MatchTrial; empty = not tried).
ALTER TABLE customers_match_model ADD COLUMN trial TEXT NOT NULL DEFAULT '';
