-- The band before the last pass; NULL after the first pass over a base, 'none' for who was first scored by a later one.
ALTER TABLE insights_churn_score ADD COLUMN previous_band TEXT;
