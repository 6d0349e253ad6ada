-- New customers that were linked with known ones, and pairs that wait for a person, of imports that match.
ALTER TABLE ingest_run ADD COLUMN linked_count BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ingest_run ADD COLUMN review_count BIGINT NOT NULL DEFAULT 0;
