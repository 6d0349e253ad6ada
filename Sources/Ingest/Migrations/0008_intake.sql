-- How files of a source come by themselves: from its drop folder, and from an address that is asked. The folder follows from
-- the installation's setting and the source's key; nobody types a path. actor: for whom its imports run.
CREATE TABLE ingest_intake (
  source TEXT NOT NULL PRIMARY KEY,
  entity TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  settle_seconds INTEGER NOT NULL,
  url TEXT,
  every_minutes INTEGER NOT NULL,
  next_pull_at BIGINT,
  etag TEXT,
  modified TEXT,
  pulled_at BIGINT,
  looked_at BIGINT,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  pull_en TEXT NOT NULL,
  pull_zh TEXT NOT NULL,
  actor TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
);

-- A file that came. taking: it is ours, its run is not there yet. brought: the run is a draft. waiting: a person has to map it.
-- running, done, failed: as the run.
CREATE TABLE ingest_intake_file (
  id BIGINT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  run_id BIGINT,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  taken_at BIGINT NOT NULL,
  finished_at BIGINT
);

CREATE INDEX ingest_intake_file_state ON ingest_intake_file (state, id);

CREATE INDEX ingest_intake_file_source ON ingest_intake_file (source, id);

-- One taker a name, however many processes look.
CREATE UNIQUE INDEX ingest_intake_file_taking ON ingest_intake_file (source, name) WHERE state = 'taking';
