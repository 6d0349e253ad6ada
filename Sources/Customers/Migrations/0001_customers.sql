-- Who they are: a person or an organisation. Names are empty when the source has none.
CREATE TABLE customers_party (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  display_name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  family_name TEXT,
  given_name TEXT,
  gender TEXT,
  birth_date TEXT,
  senior BOOLEAN,
  language TEXT,
  industry TEXT,
  size_tier TEXT
);

-- The party in its role as a customer; same id. The revision counts changes of anything that belongs to the customer.
CREATE TABLE customers_customer (
  id BIGINT NOT NULL PRIMARY KEY,
  reference TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  segment TEXT,
  region TEXT,
  city TEXT,
  since TEXT,
  payment_method TEXT,
  paperless BOOLEAN,
  total_charges BIGINT,
  currency TEXT NOT NULL,
  has_left BOOLEAN,
  source TEXT NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE customers_contact_medium (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  folded TEXT NOT NULL,
  preferred BOOLEAN NOT NULL,
  PRIMARY KEY (customer_id, id)
);

CREATE TABLE customers_address (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  lines TEXT,
  city TEXT,
  region TEXT,
  postcode TEXT,
  country TEXT,
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION,
  PRIMARY KEY (customer_id, id)
);

CREATE TABLE customers_identity_document (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

-- A line or a service of the customer. contract_term: months, 0 = month to month.
CREATE TABLE customers_subscription (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  service TEXT NOT NULL,
  technology TEXT,
  plan TEXT,
  msisdn TEXT,
  contract_term INTEGER,
  contract_end TEXT,
  started_on TEXT,
  ended_on TEXT,
  status TEXT NOT NULL,
  monthly_charge BIGINT,
  currency TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

CREATE TABLE customers_subscription_locator (
  id BIGINT NOT NULL PRIMARY KEY,
  customer_id BIGINT NOT NULL
);

CREATE TABLE customers_addon (
  customer_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  code TEXT NOT NULL,
  monthly_charge BIGINT,
  PRIMARY KEY (customer_id, subscription_id, code)
);

-- Changes of a subscription's status after its start.
CREATE TABLE customers_subscription_history (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  changed_on TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  reason TEXT,
  PRIMARY KEY (customer_id, id)
);

-- Bills, payments, fees. Minor units; a payment is positive. paid_on is set on bills that were paid.
CREATE TABLE customers_charge (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  period TEXT NOT NULL,
  amount BIGINT NOT NULL,
  currency TEXT NOT NULL,
  issued_on TEXT NOT NULL,
  due_on TEXT,
  paid_on TEXT,
  PRIMARY KEY (customer_id, id)
);

-- One month of a subscription's use. month: YYYY-MM.
CREATE TABLE customers_usage_month (
  customer_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  month TEXT NOT NULL,
  voice_min INTEGER NOT NULL,
  sms INTEGER NOT NULL,
  data_mb BIGINT NOT NULL,
  roaming_mb BIGINT NOT NULL,
  calls INTEGER NOT NULL,
  dropped_calls INTEGER NOT NULL,
  speed_mbps DOUBLE PRECISION,
  PRIMARY KEY (customer_id, subscription_id, month)
);

-- That a customer left, when and why.
CREATE TABLE customers_outcome (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  left_on TEXT,
  reason_code TEXT,
  reason_text TEXT,
  competitor TEXT,
  recorded_on TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

-- Somebody who belongs together with the customer: household members, a company and its people. Written in both directions.
CREATE TABLE customers_relation (
  customer_id BIGINT NOT NULL,
  other_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  valid_from TEXT,
  valid_to TEXT,
  PRIMARY KEY (customer_id, other_id, role)
);

-- Typed custom attributes, defined while the product runs. mask is a MaskKind; "full" until somebody labels it.
CREATE TABLE customers_attribute (
  id BIGINT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL,
  title_en TEXT NOT NULL,
  title_zh TEXT NOT NULL,
  kind TEXT NOT NULL,
  codes TEXT NOT NULL,
  mask TEXT NOT NULL,
  labelled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL
);

CREATE UNIQUE INDEX customers_attribute_key ON customers_attribute (key);

CREATE TABLE customers_attribute_value (
  customer_id BIGINT NOT NULL,
  attribute_id BIGINT NOT NULL,
  text_value TEXT,
  int_value BIGINT,
  double_value DOUBLE PRECISION,
  PRIMARY KEY (customer_id, attribute_id)
);

-- Identifier -> customer. kind: source:<name>, msisdn, document.
CREATE TABLE customers_identifier (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (kind, value)
);

CREATE INDEX customers_identifier_customer ON customers_identifier (customer_id);

-- A merge is a link, never a re-keying.
CREATE TABLE customers_customer_link (
  from_id BIGINT NOT NULL,
  to_id BIGINT NOT NULL,
  valid BOOLEAN NOT NULL,
  evidence TEXT NOT NULL,
  linked_at BIGINT NOT NULL,
  PRIMARY KEY (from_id, to_id)
);

CREATE INDEX customers_customer_link_to ON customers_customer_link (to_id);

-- What the search box scans by prefix. kind: 1 name, 2 number reversed, 3 reference, 4 identity document.
CREATE TABLE customers_search (
  kind INTEGER NOT NULL,
  token TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (kind, token, customer_id)
);

-- What lists filter and sort by; one row a customer, written in the transaction of the change. '' and -1 stand for not
-- known, so that row-value paging needs no NULL cases.
CREATE TABLE customers_listing (
  customer_id BIGINT NOT NULL PRIMARY KEY,
  sort_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  segment TEXT NOT NULL,
  tier TEXT NOT NULL,
  region TEXT NOT NULL,
  city TEXT NOT NULL,
  service TEXT NOT NULL,
  plan TEXT NOT NULL,
  contract_term INTEGER NOT NULL,
  since TEXT NOT NULL,
  monthly_charge BIGINT NOT NULL,
  currency TEXT NOT NULL,
  risk DOUBLE PRECISION NOT NULL,
  band TEXT NOT NULL,
  value_score BIGINT NOT NULL,
  leave_reason TEXT NOT NULL,
  left_on TEXT NOT NULL,
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION
);

CREATE INDEX customers_listing_name ON customers_listing (sort_name, customer_id);

CREATE INDEX customers_listing_since ON customers_listing (since, customer_id);

CREATE INDEX customers_listing_charge ON customers_listing (monthly_charge, customer_id);

CREATE INDEX customers_listing_value ON customers_listing (value_score, customer_id);

CREATE INDEX customers_listing_risk ON customers_listing (risk, customer_id);

CREATE INDEX customers_listing_status ON customers_listing (status, customer_id);

CREATE INDEX customers_listing_region ON customers_listing (region, customer_id);

CREATE INDEX customers_listing_segment ON customers_listing (segment, customer_id);

CREATE INDEX customers_listing_tier ON customers_listing (tier, customer_id);

CREATE INDEX customers_listing_plan ON customers_listing (plan, customer_id);

CREATE INDEX customers_listing_band ON customers_listing (band, customer_id);

CREATE INDEX customers_listing_left ON customers_listing (leave_reason, customer_id) WHERE leave_reason <> '';

CREATE TABLE customers_saved_view (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  owner_id BIGINT NOT NULL,
  shared BOOLEAN NOT NULL,
  filter TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- One row (id 1): where the value tiers begin, in minor units, and whether somebody asked for them to be computed anew.
CREATE TABLE customers_value_policy (
  id BIGINT NOT NULL PRIMARY KEY,
  vip_from BIGINT NOT NULL,
  high_from BIGINT NOT NULL,
  customers BIGINT NOT NULL,
  computed_at BIGINT NOT NULL,
  requested_at BIGINT
);
