-- Which row of which import made or changed a customer: what a shown value is traced by. `columns` says which columns of the
-- run's mapping it brought a new value from (bits, hexadecimal), `fixes` what rules repaired. Values are not kept here: the
-- earlier ones stand in the journal of the chunk.
CREATE TABLE ingest_lineage (
  customer_id BIGINT NOT NULL,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  is_new BOOLEAN NOT NULL,
  columns TEXT NOT NULL,
  fixes TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, run_id, record)
);
