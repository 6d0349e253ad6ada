-- All that the search box finds a customer by, as one text of words that Swift makes (SearchText); the first letter of a word
-- tells what kind of thing it is. The index keeps no text of its own
-- and is written beside the table: no trigger may write a virtual table while trusted_schema is off.
CREATE TABLE customers_search_text (
  customer_id BIGINT NOT NULL PRIMARY KEY,
  tokens TEXT NOT NULL
);

CREATE VIRTUAL TABLE customers_search_index USING fts5(tokens, content='customers_search_text', content_rowid='customer_id',
  detail='none', columnsize=0, tokenize='ascii');

-- Words of names in Latin letters, under the hash of each way of leaving letters out: two words with one in common are near.
CREATE TABLE customers_search_word (
  variant BIGINT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (variant, word)
);

-- How far a base that is older than the index has come (SearchFill). No row: there were no customers, nothing is to be filled.
CREATE TABLE customers_search_state (
  id BIGINT NOT NULL PRIMARY KEY,
  step INTEGER NOT NULL,
  seen_to BIGINT NOT NULL,
  since BIGINT NOT NULL
);

INSERT INTO customers_search_state (id, step, seen_to, since)
SELECT 1, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM customers_customer);
