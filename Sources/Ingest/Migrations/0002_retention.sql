-- When the file, the rejects and the journal of a run were forgotten (retention); null while they are kept.
ALTER TABLE ingest_run ADD COLUMN purged_at BIGINT;
