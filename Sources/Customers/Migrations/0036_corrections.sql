-- What somebody corrected by hand, so that the file of tomorrow, which says what it said before, does not undo it (ADR 0076). Hashes:
-- of what the source had told, and of what stands since.
CREATE TABLE customers_correction (
  customer_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  told BIGINT NOT NULL,
  stands BIGINT NOT NULL,
  PRIMARY KEY (customer_id, field)
);
