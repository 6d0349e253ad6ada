-- What a person decided about two customers of whom one was taken back with its import: by the sources' own numbers, because a
-- repeated import makes new customers. A row lives from the removal until both are there again. An empty source is a customer
-- that no source knows: the number is our id. The smaller of the two comes first.
CREATE TABLE customers_kept_decision (
  one_source TEXT NOT NULL,
  one_number TEXT NOT NULL,
  other_source TEXT NOT NULL,
  other_number TEXT NOT NULL,
  state TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (one_number, other_number, one_source, other_source)
);

CREATE INDEX customers_kept_decision_other ON customers_kept_decision (other_number);
