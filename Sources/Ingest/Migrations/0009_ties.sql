-- What went with the customers of an import that was taken back: links to others, those that people had decided, and pairs
-- that waited for a person.
ALTER TABLE ingest_run ADD COLUMN undone_links BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ingest_run ADD COLUMN undone_decisions BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ingest_run ADD COLUMN undone_waiting BIGINT NOT NULL DEFAULT 0;
