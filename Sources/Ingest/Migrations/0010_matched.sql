-- Customers of an import are matched behind their writing: how far that has come. What was written before this was matched
-- in the same transaction.
ALTER TABLE ingest_run ADD COLUMN matched_chunk BIGINT NOT NULL DEFAULT 0;
UPDATE ingest_run SET matched_chunk = chunk;
