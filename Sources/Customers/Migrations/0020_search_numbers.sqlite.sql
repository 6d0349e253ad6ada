-- Numbers of which a customer has many, bills and accounts, each with the words it is found by (NumberIndex): an import of bills adds
-- to it and leaves the text of the customer (customers_search_text) as it is.
CREATE TABLE customers_search_number (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  tokens TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX customers_search_number_record ON customers_search_number (id);

CREATE VIRTUAL TABLE customers_search_number_index USING fts5(tokens, content='customers_search_number', content_rowid='id',
  detail='none', columnsize=0, tokenize='ascii');

-- Row 2: how far a base from before has come with the parts of its cards, bills and accounts (NumberFill).
INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 2, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM customers_customer);
