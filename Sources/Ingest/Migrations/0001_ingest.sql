-- A file to import, as it was when it was inspected. The bytes are in the blob store and never change.
CREATE TABLE ingest_file (
  id BIGINT NOT NULL PRIMARY KEY,
  blob_id TEXT NOT NULL,
  name TEXT NOT NULL,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  inspection TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by BIGINT,
  created_by_name TEXT NOT NULL
);

-- What people decided about a header once is proposed again for the same header, and its columns for others.
CREATE TABLE ingest_mapping (
  entity TEXT NOT NULL,
  signature TEXT NOT NULL,
  name TEXT NOT NULL,
  mapping TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL,
  PRIMARY KEY (entity, signature)
);

CREATE INDEX ingest_mapping_name ON ingest_mapping (entity, name, updated_at);

-- One import. `chunk` and `checkpoint` are where it goes on; they change in the transaction of the rows they tell of.
CREATE TABLE ingest_run (
  id BIGINT NOT NULL PRIMARY KEY,
  file_id BIGINT NOT NULL,
  entity TEXT NOT NULL,
  mapping TEXT NOT NULL,
  state TEXT NOT NULL,
  worker TEXT NOT NULL,
  touched_at BIGINT NOT NULL,
  job_id BIGINT,
  actor TEXT NOT NULL,
  plan TEXT,
  plan_reject_blob_id TEXT,
  reject_blob_id TEXT,
  chunk BIGINT NOT NULL,
  checkpoint TEXT,
  revert_chunk BIGINT,
  rows_read BIGINT NOT NULL,
  created_count BIGINT NOT NULL,
  updated_count BIGINT NOT NULL,
  unchanged_count BIGINT NOT NULL,
  rejected_count BIGINT NOT NULL,
  revert_issue_count BIGINT NOT NULL,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT,
  reverted_at BIGINT,
  created_by BIGINT,
  created_by_name TEXT NOT NULL
);

-- What a chunk of a run did: the revert reads it from the last chunk to the first.
CREATE TABLE ingest_journal (
  run_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (run_id, chunk)
);

-- Rows that were not taken, without their contents: those go into the reject file, made from the file itself.
-- phase 0 = dry run, 1 = run.
CREATE TABLE ingest_reject (
  run_id BIGINT NOT NULL,
  phase INTEGER NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  column_index INTEGER NOT NULL,
  code TEXT NOT NULL,
  words_en TEXT NOT NULL,
  words_zh TEXT NOT NULL,
  PRIMARY KEY (run_id, phase, record)
);

-- What a revert had to leave as it is.
CREATE TABLE ingest_revert_issue (
  run_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  number INTEGER NOT NULL,
  customer_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  reason_en TEXT NOT NULL,
  reason_zh TEXT NOT NULL,
  PRIMARY KEY (run_id, chunk, number)
);
