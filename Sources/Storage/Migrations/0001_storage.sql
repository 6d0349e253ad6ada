-- Node numbers leased by running processes, so that ids made in different processes never meet.
CREATE TABLE storage_node (
  node INTEGER NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);

-- Events appended in the transaction of the change they tell of.
CREATE TABLE storage_outbox_event (
  id BIGINT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT
);

CREATE INDEX storage_outbox_event_due ON storage_outbox_event (next_attempt_at, id) WHERE status = 'pending';

-- (event, handler) is written in the handler's own transaction: at least once becomes once in effect.
CREATE TABLE storage_outbox_receipt (
  event_id BIGINT NOT NULL,
  handler TEXT NOT NULL,
  handled_at BIGINT NOT NULL,
  PRIMARY KEY (event_id, handler)
);

CREATE TABLE storage_job (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  status TEXT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  result TEXT,
  attempts INTEGER NOT NULL,
  attempts_max INTEGER NOT NULL,
  run_at BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT NOT NULL,
  cancel_requested BOOLEAN NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
);

CREATE INDEX storage_job_due ON storage_job (run_at, id) WHERE status = 'queued' OR status = 'running';

CREATE INDEX storage_job_recent ON storage_job (kind, id);

CREATE TABLE storage_schedule (
  name TEXT NOT NULL PRIMARY KEY,
  next_run_at BIGINT NOT NULL
);
