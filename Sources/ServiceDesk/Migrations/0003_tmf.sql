-- What a trouble ticket (TMF621) has besides: when it changed, what is promised, where it came from.
ALTER TABLE servicedesk_case ADD COLUMN title TEXT;

ALTER TABLE servicedesk_case ADD COLUMN severity TEXT;

ALTER TABLE servicedesk_case ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

UPDATE servicedesk_case SET updated_at = COALESCE(closed_at, resolved_at, opened_at) WHERE updated_at = 0;

ALTER TABLE servicedesk_case ADD COLUMN status_changed_at BIGINT;

ALTER TABLE servicedesk_case ADD COLUMN status_reason TEXT;

ALTER TABLE servicedesk_case ADD COLUMN expected_at BIGINT;

ALTER TABLE servicedesk_case ADD COLUMN requested_at BIGINT;

ALTER TABLE servicedesk_case ADD COLUMN channel_id TEXT;

ALTER TABLE servicedesk_case ADD COLUMN channel_name TEXT;

-- Tickets are opened by their id alone (customer_id 0 = nobody's yet), and listed by what is asked for most.
CREATE INDEX servicedesk_case_id ON servicedesk_case (id);

CREATE INDEX servicedesk_case_status ON servicedesk_case (status, id);

CREATE INDEX servicedesk_case_opened ON servicedesk_case (opened_at);

CREATE INDEX servicedesk_case_updated ON servicedesk_case (updated_at);

CREATE INDEX servicedesk_case_number_text ON servicedesk_case (number);

-- Everybody who has to do with a case. A case without such rows is its customer's alone.
CREATE TABLE servicedesk_case_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_case_party_owner ON servicedesk_case_party (owner_id);

CREATE INDEX servicedesk_case_party_party ON servicedesk_case_party (party_id);

-- What it is about: a line, an order, a bill.
CREATE TABLE servicedesk_case_entity (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  entity_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_case_entity_owner ON servicedesk_case_entity (owner_id);

CREATE INDEX servicedesk_case_entity_entity ON servicedesk_case_entity (entity_id);

CREATE TABLE servicedesk_case_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_case_note_owner ON servicedesk_case_note (owner_id);

-- The states it went through.
CREATE TABLE servicedesk_case_step (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  status TEXT,
  changed_at BIGINT,
  reason TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_case_step_owner ON servicedesk_case_step (owner_id);

-- What a party interaction (TMF683) has besides.
ALTER TABLE servicedesk_interaction ADD COLUMN ended_at BIGINT;

ALTER TABLE servicedesk_interaction ADD COLUMN created_at BIGINT;

ALTER TABLE servicedesk_interaction ADD COLUMN status TEXT;

ALTER TABLE servicedesk_interaction ADD COLUMN status_changed_at BIGINT;

CREATE INDEX servicedesk_interaction_id ON servicedesk_interaction (id);

CREATE INDEX servicedesk_interaction_happened ON servicedesk_interaction (happened_at);

CREATE TABLE servicedesk_interaction_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_interaction_party_owner ON servicedesk_interaction_party (owner_id);

CREATE INDEX servicedesk_interaction_party_party ON servicedesk_interaction_party (party_id);

CREATE TABLE servicedesk_interaction_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_interaction_note_owner ON servicedesk_interaction_note (owner_id);
