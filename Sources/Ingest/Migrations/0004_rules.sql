-- Rules that somebody made, and shipped ones that somebody changed (the others are in the code). `fields` is a list with
-- commas, source '' = all sources.
CREATE TABLE ingest_rule (
  key TEXT NOT NULL PRIMARY KEY,
  name_en TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  fields TEXT NOT NULL,
  kind TEXT NOT NULL,
  dimension TEXT NOT NULL,
  severity TEXT NOT NULL,
  parameters TEXT NOT NULL,
  is_on BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
);

-- How often rules looked at a field in a run, and what they found. phase 0 = dry run, 1 = run.
CREATE TABLE ingest_finding (
  run_id BIGINT NOT NULL,
  phase INTEGER NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  checked BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  fixed BIGINT NOT NULL,
  PRIMARY KEY (run_id, phase, rule, field)
);

-- The same by day and source: what scores are made of. rule '' counts whole rows, failed = rejected or held.
CREATE TABLE ingest_quality (
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  day TEXT NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  dimension TEXT NOT NULL,
  checked BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  fixed BIGINT NOT NULL,
  PRIMARY KEY (source, entity, day, rule, field)
);

-- Rows that rules hold back, with their cells as they stand in the file (a JSON list by column) and as a person repaired
-- them. Cells are let go with the retention; the row stays for the counts.
CREATE TABLE ingest_quarantine (
  id BIGINT NOT NULL PRIMARY KEY,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  entity TEXT NOT NULL,
  source TEXT NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  findings TEXT NOT NULL,
  cells TEXT NOT NULL,
  repaired TEXT,
  match_key TEXT NOT NULL,
  key_hash BIGINT,
  state TEXT NOT NULL,
  revision BIGINT NOT NULL,
  replay_run_id BIGINT,
  replay_record BIGINT,
  created_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by_name TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE INDEX ingest_quarantine_state ON ingest_quarantine (state, source, id);

CREATE INDEX ingest_quarantine_run ON ingest_quarantine (run_id, record);

CREATE INDEX ingest_quarantine_replay ON ingest_quarantine (replay_run_id, replay_record);

CREATE INDEX ingest_quarantine_key ON ingest_quarantine (key_hash, state);

ALTER TABLE ingest_run ADD COLUMN quarantined_count BIGINT NOT NULL DEFAULT 0;

ALTER TABLE ingest_run ADD COLUMN skipped_count BIGINT NOT NULL DEFAULT 0;

-- Rows that waited in quarantine, brought again.
ALTER TABLE ingest_run ADD COLUMN is_replay BOOLEAN NOT NULL DEFAULT FALSE;
