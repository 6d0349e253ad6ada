-- The bytes of a block lie apart from what it is listed by: in a table that is clustered by several columns SQLite reads whole rows
-- where it compares keys, so that every list of blocks read all of them (ADR 0032).
CREATE TABLE usage_block_bytes (
  id BIGINT NOT NULL PRIMARY KEY,
  bloom BYTEA NOT NULL,
  prints BYTEA NOT NULL,
  payload BYTEA NOT NULL
);

INSERT INTO usage_block_bytes (id, bloom, prints, payload) SELECT id, bloom, prints, payload FROM usage_block;

ALTER TABLE usage_block DROP COLUMN payload;

ALTER TABLE usage_block DROP COLUMN prints;

ALTER TABLE usage_block DROP COLUMN bloom;
