-- How far `switchboard copy` came with each table; rows are there only while it copies into this database.
CREATE TABLE storage_copy (
  name TEXT NOT NULL PRIMARY KEY, after_key TEXT, done BIGINT NOT NULL, finished BOOLEAN NOT NULL
);
