-- Appointments (TMF646): when somebody comes or calls. Customer 0 = nobody's.
CREATE TABLE servicedesk_appointment (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  external_id TEXT,
  category TEXT,
  description TEXT,
  status TEXT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  place_id TEXT,
  place_name TEXT,
  place_role TEXT,
  place_type TEXT,
  event_id TEXT,
  event_name TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX servicedesk_appointment_id ON servicedesk_appointment (id);

CREATE INDEX servicedesk_appointment_status ON servicedesk_appointment (status, id);

CREATE INDEX servicedesk_appointment_starts ON servicedesk_appointment (starts_at);

CREATE INDEX servicedesk_appointment_created ON servicedesk_appointment (created_at);

CREATE INDEX servicedesk_appointment_updated ON servicedesk_appointment (updated_at);

CREATE INDEX servicedesk_appointment_place ON servicedesk_appointment (place_id);

CREATE INDEX servicedesk_appointment_external ON servicedesk_appointment (external_id);

CREATE INDEX servicedesk_appointment_category ON servicedesk_appointment (category);

-- Who takes part: the customer, a technician.
CREATE TABLE servicedesk_appointment_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_appointment_party_owner ON servicedesk_appointment_party (owner_id);

CREATE INDEX servicedesk_appointment_party_party ON servicedesk_appointment_party (party_id);

-- What it is for: a ticket, an order.
CREATE TABLE servicedesk_appointment_entity (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  entity_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_appointment_entity_owner ON servicedesk_appointment_entity (owner_id);

CREATE INDEX servicedesk_appointment_entity_entity ON servicedesk_appointment_entity (entity_id);

CREATE TABLE servicedesk_appointment_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_appointment_note_owner ON servicedesk_appointment_note (owner_id);

-- How the customer is reached on the day.
CREATE TABLE servicedesk_appointment_contact (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  medium_type TEXT,
  preferred BOOLEAN,
  contact_type TEXT,
  phone TEXT,
  email TEXT,
  fax TEXT,
  social_id TEXT,
  street1 TEXT,
  street2 TEXT,
  city TEXT,
  region TEXT,
  post_code TEXT,
  country TEXT,
  valid_from BIGINT,
  valid_until BIGINT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_appointment_contact_owner ON servicedesk_appointment_contact (owner_id);

-- Questions for free times (TMF646 searchTimeSlot), kept for some days.
CREATE TABLE servicedesk_slot_search (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  searched_at BIGINT NOT NULL,
  result TEXT,
  status TEXT NOT NULL,
  party_id TEXT,
  party_role TEXT,
  party_name TEXT,
  party_type TEXT,
  place_id TEXT,
  place_name TEXT,
  place_role TEXT,
  place_type TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX servicedesk_slot_search_id ON servicedesk_slot_search (id);

CREATE INDEX servicedesk_slot_search_searched ON servicedesk_slot_search (searched_at);

CREATE INDEX servicedesk_slot_search_party ON servicedesk_slot_search (party_id);

CREATE INDEX servicedesk_slot_search_place ON servicedesk_slot_search (place_id);

CREATE TABLE servicedesk_slot_asked (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  slot_id TEXT,
  starts_at BIGINT,
  ends_at BIGINT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_slot_asked_owner ON servicedesk_slot_asked (owner_id);

CREATE TABLE servicedesk_slot_free (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  slot_id TEXT,
  starts_at BIGINT,
  ends_at BIGINT,
  party_id TEXT,
  party_role TEXT,
  party_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX servicedesk_slot_free_owner ON servicedesk_slot_free (owner_id);

-- When visits are made and how many at once: of everybody (kind and reference empty), of a place, of a party.
CREATE TABLE servicedesk_calendar (
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  hours TEXT NOT NULL,
  slot_minutes BIGINT NOT NULL,
  at_once BIGINT NOT NULL,
  closed_days TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL,
  PRIMARY KEY (kind, reference)
);
