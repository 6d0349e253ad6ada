-- Which row of which import made or changed a record of a customer (a bill, a case, a contact, a line): what its shown values are
-- traced by. As ingest_lineage: which columns brought a new value and what rules repaired, and no values.
CREATE TABLE ingest_record_lineage (
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  is_new BOOLEAN NOT NULL,
  columns TEXT NOT NULL,
  fixes TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, record_id, run_id, record)
);
