-- How the keys of a customer were made (MatchStore.form): since form 1 names in Latin letters are found in either order of their words
-- (ADR 0048). Keys of before are among those of now; what is missing is filled in before the next import that matches, or within the hour.
ALTER TABLE customers_match_record ADD COLUMN form INTEGER NOT NULL DEFAULT 0;

UPDATE customers_match_setting SET filled_at = NULL;
