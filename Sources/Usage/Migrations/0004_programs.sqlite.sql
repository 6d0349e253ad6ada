-- What a usage may be, as clients have said it (TMF635). The kinds that are counted are part of the product and not here: their ids
-- are below 1,000 (UsageSpecifications).
CREATE TABLE usage_specification (
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  version TEXT,
  lifecycle_status TEXT,
  is_bundle BOOLEAN,
  changed_at BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX usage_specification_name ON usage_specification (name);

CREATE INDEX usage_specification_status ON usage_specification (lifecycle_status);

CREATE INDEX usage_specification_changed ON usage_specification (changed_at);

-- A usage that is kept by itself (TMF635), with what it gave to which day, so that it can be corrected and taken back (ADR 0062).
-- customer_id: whose line it was, else the related party, 0 = nobody known. booked: counted, waiting (for its line) or none. Its id tells
-- when it came. naming and line: how the line was told while it waits.
CREATE TABLE usage_record (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  description TEXT,
  used_at BIGINT,
  usage_type TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  specification_id TEXT,
  specification_name TEXT,
  external_id TEXT,
  version BIGINT NOT NULL,
  booked TEXT NOT NULL,
  line_customer_id BIGINT,
  subscription_id BIGINT,
  day BIGINT,
  kind TEXT,
  quantity BIGINT,
  is_roaming BOOLEAN,
  is_dropped BOOLEAN,
  speed BIGINT,
  cell BIGINT,
  naming TEXT,
  line TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX usage_record_id ON usage_record (id);

CREATE INDEX usage_record_used ON usage_record (used_at);

CREATE INDEX usage_record_status ON usage_record (status);

CREATE INDEX usage_record_specification ON usage_record (specification_id);

CREATE INDEX usage_record_external ON usage_record (external_id);

CREATE TABLE usage_record_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX usage_record_party_owner ON usage_record_party (owner_id);

CREATE INDEX usage_record_party_party ON usage_record_party (party_id);

-- value: JSON.
CREATE TABLE usage_record_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX usage_record_characteristic_owner ON usage_record_characteristic (owner_id);

-- What a rating engine made of it.
CREATE TABLE usage_record_rating (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  rated_at BIGINT,
  tariff_type TEXT,
  tag TEXT,
  is_billed BOOLEAN,
  amount_minor BIGINT,
  currency TEXT,
  product_id TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX usage_record_rating_owner ON usage_record_rating (owner_id);

CREATE INDEX usage_record_rating_product ON usage_record_rating (product_id);

-- What was used of allowances when somebody asked (TMF677); let go after days. state_reason: why there is nothing to tell.
CREATE TABLE usage_consumption (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  state_reason TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX usage_consumption_id ON usage_consumption (id);

CREATE INDEX usage_consumption_asked ON usage_consumption (asked_at);

CREATE TABLE usage_consumption_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX usage_consumption_party_owner ON usage_consumption_party (owner_id);

CREATE INDEX usage_consumption_party_party ON usage_consumption_party (party_id);

-- A line's month, a row for calls (milliseconds), messages and data (bytes). What is NULL is not known: no tariff, or no days.
CREATE TABLE usage_consumption_bucket (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  month TEXT NOT NULL,
  number TEXT,
  plan TEXT,
  tariff TEXT,
  kind TEXT NOT NULL,
  used BIGINT NOT NULL,
  included BIGINT,
  remaining BIGINT,
  beyond BIGINT,
  roaming BIGINT,
  is_month_only BOOLEAN NOT NULL,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX usage_consumption_bucket_owner ON usage_consumption_bucket (owner_id);
