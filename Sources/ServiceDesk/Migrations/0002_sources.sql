-- What was said or written, as the source has it, and what a customer answered when asked: the survey's name and the score.
ALTER TABLE servicedesk_interaction ADD COLUMN note TEXT;

ALTER TABLE servicedesk_interaction ADD COLUMN survey TEXT;

ALTER TABLE servicedesk_interaction ADD COLUMN score INTEGER;

-- What a case is about, in the words of the source.
ALTER TABLE servicedesk_case ADD COLUMN subject TEXT;

-- How sources name contacts, answers and cases: (kind, source, key there) -> where the record lies.
CREATE TABLE servicedesk_record_key (
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (kind, source, value)
);

CREATE INDEX servicedesk_record_key_customer ON servicedesk_record_key (customer_id);
