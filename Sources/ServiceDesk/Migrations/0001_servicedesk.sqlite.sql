-- A contact with the customer, whichever way it came (TMF683). The id carries the time of the contact (its upper bits), so
-- that it sorts by it and falls into the right month. Codes only: what was said is not kept here.
CREATE TABLE servicedesk_interaction (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  channel TEXT NOT NULL,
  direction TEXT NOT NULL,
  topic TEXT NOT NULL,
  outcome TEXT NOT NULL,
  language TEXT,
  case_id BIGINT,
  PRIMARY KEY (customer_id, id)
);

-- A fault, an enquiry, a complaint or a request that somebody works on (TMF621). Its id carries the time it was opened.
CREATE TABLE servicedesk_case (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  topic TEXT NOT NULL,
  status TEXT NOT NULL,
  priority TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  resolved_at BIGINT,
  closed_at BIGINT,
  PRIMARY KEY (customer_id, id)
);

-- The number people quote -> the case.
CREATE TABLE servicedesk_case_number (
  number TEXT NOT NULL PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  case_id BIGINT NOT NULL
);
