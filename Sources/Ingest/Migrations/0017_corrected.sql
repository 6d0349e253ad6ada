-- Values that a run left as somebody had corrected them (ADR 0076).
ALTER TABLE ingest_run ADD COLUMN corrected_count BIGINT NOT NULL DEFAULT 0;
