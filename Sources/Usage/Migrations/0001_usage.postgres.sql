-- Where usage comes from. The revision counts chunks and merges; who changes it holds the source till the end of the transaction.
CREATE TABLE usage_source (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revision BIGINT NOT NULL
);

CREATE UNIQUE INDEX usage_source_name ON usage_source (name);

-- A file of events, or what one request brought. Counts and checkpoint are written with each chunk.
CREATE TABLE usage_run (
  id BIGINT NOT NULL PRIMARY KEY,
  source_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size BIGINT NOT NULL,
  mapping TEXT NOT NULL,
  state TEXT NOT NULL,
  worker TEXT NOT NULL,
  chunk BIGINT NOT NULL,
  records BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  duplicate BIGINT NOT NULL,
  corrected BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  unmatched BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL,
  finished_at BIGINT,
  created_by_name TEXT NOT NULL
);

CREATE INDEX usage_run_file ON usage_run (source_id, digest);

-- The first rejects of a run; what the rows held is not kept. The key is the line of the file.
CREATE TABLE usage_reject (
  run_id BIGINT NOT NULL,
  line BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  code TEXT NOT NULL,
  PRIMARY KEY (run_id, line)
);

-- The ids that were taken within the correction window (ADR 0032). arrived_week: weeks since 1970-01-01.
CREATE TABLE usage_block (
  source_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  arrived_week INTEGER NOT NULL,
  level INTEGER NOT NULL,
  slot BIGINT NOT NULL,
  entries INTEGER NOT NULL,
  bloom BYTEA NOT NULL,
  prints BYTEA NOT NULL,
  payload BYTEA NOT NULL,
  PRIMARY KEY (source_id, id)
);

-- Events of a line nobody knows yet.
CREATE TABLE usage_unmatched (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  naming TEXT NOT NULL,
  line TEXT NOT NULL,
  event BYTEA NOT NULL,
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (source_id, fingerprint)
);

CREATE INDEX usage_unmatched_line ON usage_unmatched (naming, line);

CREATE INDEX usage_unmatched_arrival ON usage_unmatched (arrived_at);

-- One day of a subscription's use, sums only. day: YYYY-MM-DD in the tenant's zone. cells: 64 places, one bit each.
CREATE TABLE usage_day (
  customer_id BIGINT NOT NULL,
  day TEXT NOT NULL,
  subscription_id BIGINT NOT NULL,
  events BIGINT NOT NULL,
  calls BIGINT NOT NULL,
  voice_ms BIGINT NOT NULL,
  billed_minutes BIGINT NOT NULL,
  dropped_calls BIGINT NOT NULL,
  sms BIGINT NOT NULL,
  sessions BIGINT NOT NULL,
  data_bytes BIGINT NOT NULL,
  roaming_bytes BIGINT NOT NULL,
  roaming_ms BIGINT NOT NULL,
  roaming_sms BIGINT NOT NULL,
  speed_sum BIGINT NOT NULL,
  speed_count BIGINT NOT NULL,
  cells BIGINT NOT NULL,
  PRIMARY KEY (customer_id, day, subscription_id)
) PARTITION BY RANGE (day);

-- What no month takes (ADR 0013).
CREATE TABLE usage_day_default PARTITION OF usage_day DEFAULT;
