-- Files kept in the database, where several machines share one: uploads, reject files, models. Known once `finished`.
CREATE TABLE platform_blob (
  id TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  finished BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX platform_blob_unfinished ON platform_blob (created_at) WHERE NOT finished;

-- Pieces of 256 KiB, the last one shorter.
CREATE TABLE platform_blob_part (
  blob_id TEXT NOT NULL,
  part BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (blob_id, part)
);
