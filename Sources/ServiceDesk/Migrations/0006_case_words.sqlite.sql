-- The words of a case's title and subject, as Swift makes them (CaseWords); the index keeps no text of its own and is written beside
-- the table: no trigger may write a virtual table while trusted_schema is off.
CREATE TABLE servicedesk_case_text (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  tokens TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX servicedesk_case_text_id ON servicedesk_case_text (id);

CREATE VIRTUAL TABLE servicedesk_case_text_index USING fts5(tokens, content='servicedesk_case_text', content_rowid='id',
  detail='none', columnsize=0, tokenize='ascii');

-- How far a base that is older than the index has come (CaseFill). No row: nothing is to be filled.
CREATE TABLE servicedesk_case_text_state (
  id BIGINT NOT NULL PRIMARY KEY,
  step INTEGER NOT NULL,
  since BIGINT NOT NULL
);

INSERT INTO servicedesk_case_text_state (id, step, since)
SELECT 1, 0, 0 WHERE EXISTS (SELECT 1 FROM servicedesk_case);
