-- Keys under which customers that may be the same person meet: 64-bit hashes of standardised values (ADR 0034).
CREATE TABLE customers_match_key (
  key BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (key, customer_id)
);

-- What of a customer is compared with others, in one row; written with the customer.
CREATE TABLE customers_match_record (
  customer_id BIGINT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL
);

-- Versions of the weights; the model in use is named by the setting, none = the shipped one.
CREATE TABLE customers_match_model (
  id BIGINT NOT NULL PRIMARY KEY,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  customers BIGINT NOT NULL,
  pairs BIGINT NOT NULL,
  model TEXT NOT NULL
);

-- One row (id 1): whether keys are kept, when those of all customers were there, which model decides, the rules of the joined
-- record ('' = as shipped), and about how many customers there are.
CREATE TABLE customers_match_setting (
  id BIGINT NOT NULL PRIMARY KEY,
  kept BOOLEAN NOT NULL,
  filled_at BIGINT,
  model_id BIGINT,
  survivorship TEXT NOT NULL,
  customers BIGINT NOT NULL DEFAULT 0
);

-- Two customers that were compared and are linked, kept apart, or wait for a person; left_id is the smaller id. The evidence
-- names fields and levels and holds no values.
CREATE TABLE customers_match_pair (
  left_id BIGINT NOT NULL,
  right_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  bits DOUBLE PRECISION NOT NULL,
  evidence TEXT NOT NULL,
  model_id BIGINT,
  made_at BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (left_id, right_id)
);

CREATE INDEX customers_match_pair_right ON customers_match_pair (right_id);

-- The queue: the likeliest first.
CREATE INDEX customers_match_pair_state ON customers_match_pair (state, bits, left_id, right_id);
