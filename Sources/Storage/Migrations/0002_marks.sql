-- What was done once in this tenant and is not to be done again (the demonstration operator).
CREATE TABLE storage_mark (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  marked_at BIGINT NOT NULL
);

-- How often a job failed by accident; `attempts` is how often it was begun, which a restart of the process raises too.
ALTER TABLE storage_job ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
