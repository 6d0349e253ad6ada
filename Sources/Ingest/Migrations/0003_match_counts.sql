-- Of imports that compare customers: new ones that were linked with known ones, and new ones that wait for a person.
ALTER TABLE ingest_run ADD COLUMN linked_count BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ingest_run ADD COLUMN review_count BIGINT NOT NULL DEFAULT 0;
