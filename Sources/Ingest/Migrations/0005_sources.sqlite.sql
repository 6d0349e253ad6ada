-- Systems that files come from. `fields` is the schema that was agreed with them (JSON); encoding, delimiter and sheet are
-- hints for reading; '' = as found.
CREATE TABLE ingest_source (
  id BIGINT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  owner TEXT NOT NULL,
  encoding TEXT NOT NULL,
  delimiter TEXT NOT NULL,
  sheet TEXT NOT NULL,
  fields TEXT NOT NULL,
  fresh_hours BIGINT,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
);

CREATE UNIQUE INDEX ingest_source_key ON ingest_source (key);

-- Every mapping a source was imported with, numbered; a run remembers which.
CREATE TABLE ingest_source_mapping (
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  version BIGINT NOT NULL,
  mapping TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by_name TEXT NOT NULL,
  PRIMARY KEY (source, entity, version)
);

ALTER TABLE ingest_run ADD COLUMN source TEXT NOT NULL DEFAULT '';

ALTER TABLE ingest_run ADD COLUMN mapping_version BIGINT;

-- Runs that began before there was a registry: their sources are registered, their mappings numbered in order.
UPDATE ingest_run SET source = COALESCE(json_extract(mapping, '$.source'), '') WHERE started_at IS NOT NULL;

INSERT INTO ingest_source (id, key, name, kind, entity, owner, encoding, delimiter, sheet, fields, revision, created_at, updated_at, updated_by_name)
SELECT ROW_NUMBER() OVER (ORDER BY source), source, source, 'billing', MIN(entity), '', '', '', '', '[]', 1, MIN(created_at), MIN(created_at), 'migration'
FROM ingest_run WHERE source <> '' GROUP BY source;

INSERT INTO ingest_source_mapping (source, entity, version, mapping, made_at, made_by_name)
SELECT source, entity, ROW_NUMBER() OVER (PARTITION BY source, entity ORDER BY MIN(id)), mapping, MIN(created_at), MIN(created_by_name)
FROM ingest_run WHERE source <> '' GROUP BY source, entity, mapping;

UPDATE ingest_run SET mapping_version = (
  SELECT m.version FROM ingest_source_mapping m
  WHERE m.source = ingest_run.source AND m.entity = ingest_run.entity AND m.mapping = ingest_run.mapping
) WHERE source <> '';

CREATE INDEX ingest_run_source ON ingest_run (source, id);
