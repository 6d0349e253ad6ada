-- What taking a large import back would do, counted over all its records by a job (RevertCounting). No row: nobody asked.
CREATE TABLE ingest_forecast (
  run_id BIGINT NOT NULL PRIMARY KEY,
  job_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  counted_at BIGINT,
  result TEXT
);
