CREATE TABLE catalog_catalog (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  catalog_type TEXT,
  status TEXT NOT NULL,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_catalog_name ON catalog_catalog (name, id);

CREATE INDEX catalog_catalog_status ON catalog_catalog (status, id);

CREATE INDEX catalog_catalog_updated ON catalog_catalog (updated_at, id);

CREATE TABLE catalog_catalog_category (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category_id TEXT,
  name TEXT,
  version TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_catalog_category_category ON catalog_catalog_category (category_id);

CREATE TABLE catalog_catalog_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_catalog_party_party ON catalog_catalog_party (party_id);

CREATE TABLE catalog_category (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  status TEXT NOT NULL,
  is_root BOOLEAN,
  parent_id TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_category_name ON catalog_category (name, id);

CREATE INDEX catalog_category_parent ON catalog_category (parent_id);

CREATE INDEX catalog_category_status ON catalog_category (status, id);

CREATE INDEX catalog_category_updated ON catalog_category (updated_at, id);

CREATE TABLE catalog_category_child (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category_id TEXT,
  name TEXT,
  version TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_category_child_category ON catalog_category_child (category_id);

CREATE TABLE catalog_category_offering (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_category_offering_offering ON catalog_category_offering (offering_id);

CREATE TABLE catalog_offering (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  is_bundle BOOLEAN,
  is_sellable BOOLEAN,
  specification_id TEXT,
  specification_name TEXT,
  specification_version TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_name ON catalog_offering (name, id);

CREATE INDEX catalog_offering_specification ON catalog_offering (specification_id);

CREATE INDEX catalog_offering_status ON catalog_offering (status, id);

CREATE INDEX catalog_offering_updated ON catalog_offering (updated_at, id);

CREATE TABLE catalog_offering_bundle (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  status TEXT,
  at_least BIGINT,
  at_most BIGINT,
  at_first BIGINT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_bundle_offering ON catalog_offering_bundle (offering_id);

CREATE TABLE catalog_offering_category (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category_id TEXT,
  name TEXT,
  version TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_category_category ON catalog_offering_category (category_id);

CREATE TABLE catalog_offering_channel (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_channel_channel ON catalog_offering_channel (channel_id);

CREATE TABLE catalog_offering_place (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  place_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_place_place ON catalog_offering_place (place_id);

CREATE TABLE catalog_offering_price (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_price_price ON catalog_offering_price (price_id);

CREATE TABLE catalog_offering_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_relationship_offering ON catalog_offering_relationship (offering_id);

CREATE TABLE catalog_offering_segment (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  segment_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_offering_segment_segment ON catalog_offering_segment (segment_id);

CREATE TABLE catalog_offering_term (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  duration BIGINT,
  units TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE TABLE catalog_price (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  status TEXT NOT NULL,
  price_type TEXT,
  is_bundle BOOLEAN,
  amount_minor BIGINT,
  currency TEXT,
  percentage DOUBLE PRECISION,
  period_type TEXT,
  period_length BIGINT,
  unit_amount DOUBLE PRECISION,
  unit_name TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_price_name ON catalog_price (name, id);

CREATE INDEX catalog_price_price_type ON catalog_price (price_type);

CREATE INDEX catalog_price_status ON catalog_price (status, id);

CREATE INDEX catalog_price_updated ON catalog_price (updated_at, id);

CREATE TABLE catalog_price_bundle (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_price_bundle_price ON catalog_price_bundle (price_id);

CREATE TABLE catalog_price_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_price_relationship_price ON catalog_price_relationship (price_id);

CREATE TABLE catalog_price_tax (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category TEXT,
  rate DOUBLE PRECISION,
  amount_minor BIGINT,
  currency TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE TABLE catalog_promotion (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  promotion_type TEXT,
  status TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_promotion_name ON catalog_promotion (name, id);

CREATE INDEX catalog_promotion_status ON catalog_promotion (status);

CREATE INDEX catalog_promotion_type ON catalog_promotion (promotion_type);

CREATE INDEX catalog_promotion_updated ON catalog_promotion (updated_at, id);

CREATE TABLE catalog_promotion_action (
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  action_id TEXT,
  action_type TEXT,
  action_value TEXT,
  entity_id TEXT,
  PRIMARY KEY (owner_id, item, place)
) WITHOUT ROWID;

CREATE TABLE catalog_promotion_pattern (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  pattern_id TEXT,
  name TEXT,
  description TEXT,
  priority BIGINT,
  logic TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE TABLE catalog_specification (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  brand TEXT,
  product_number TEXT,
  status TEXT NOT NULL,
  is_bundle BOOLEAN,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX catalog_specification_name ON catalog_specification (name, id);

CREATE INDEX catalog_specification_product_number ON catalog_specification (product_number);

CREATE INDEX catalog_specification_status ON catalog_specification (status, id);

CREATE INDEX catalog_specification_updated ON catalog_specification (updated_at, id);

CREATE TABLE catalog_specification_bundle (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  specification_id TEXT,
  name TEXT,
  status TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_specification_bundle_specification ON catalog_specification_bundle (specification_id);

CREATE TABLE catalog_specification_characteristic (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  description TEXT,
  value_type TEXT,
  configurable BOOLEAN,
  is_unique BOOLEAN,
  min_cardinality BIGINT,
  max_cardinality BIGINT,
  regex TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_specification_characteristic_name ON catalog_specification_characteristic (name);

CREATE TABLE catalog_specification_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_specification_party_party ON catalog_specification_party (party_id);

CREATE TABLE catalog_specification_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  specification_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX catalog_specification_relationship_specification ON catalog_specification_relationship (specification_id);

CREATE TABLE catalog_specification_value (
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  value TEXT,
  value_type TEXT,
  is_default BOOLEAN,
  unit TEXT,
  value_from BIGINT,
  value_to BIGINT,
  PRIMARY KEY (owner_id, item, place)
) WITHOUT ROWID;

CREATE TABLE channels_delivery (
  customer_id BIGINT NOT NULL,
  message_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel TEXT NOT NULL,
  purpose TEXT NOT NULL,
  summary TEXT NOT NULL,
  state TEXT NOT NULL,
  rank BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  tries_max BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  taken_by TEXT,
  happened_at BIGINT NOT NULL,
  reason TEXT,
  PRIMARY KEY (customer_id, message_id, place)
) WITHOUT ROWID;

CREATE INDEX channels_delivery_customer ON channels_delivery (customer_id, happened_at);

CREATE INDEX channels_delivery_due ON channels_delivery (due_at) WHERE state IN ('queued', 'sending');

CREATE INDEX channels_delivery_message ON channels_delivery (message_id);

CREATE TABLE channels_message (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  message_type TEXT,
  subject TEXT,
  content TEXT,
  description TEXT,
  priority TEXT,
  log_flag BOOLEAN,
  try_times BIGINT,
  scheduled_at BIGINT,
  sent_at BIGINT,
  completed_at BIGINT,
  state TEXT NOT NULL,
  state_reason TEXT,
  created_at BIGINT NOT NULL,
  sender_id TEXT,
  sender_name TEXT,
  sender_email TEXT,
  sender_phone TEXT,
  sender_party TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX channels_message_id ON channels_message (id);

CREATE INDEX channels_message_scheduled ON channels_message (scheduled_at);

CREATE INDEX channels_message_sent ON channels_message (sent_at);

CREATE INDEX channels_message_state ON channels_message (state);

CREATE INDEX channels_message_type ON channels_message (message_type);

CREATE TABLE channels_message_attachment (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  attachment_id TEXT,
  name TEXT,
  description TEXT,
  attachment_type TEXT,
  mime_type TEXT,
  url TEXT,
  content TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX channels_message_attachment_owner ON channels_message_attachment (owner_id);

CREATE TABLE channels_message_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  value_type TEXT,
  value TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX channels_message_characteristic_name ON channels_message_characteristic (name);

CREATE INDEX channels_message_characteristic_owner ON channels_message_characteristic (owner_id);

CREATE TABLE channels_message_receiver (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  receiver_id TEXT,
  name TEXT,
  phone TEXT,
  email TEXT,
  app_user TEXT,
  ip TEXT,
  party_id TEXT,
  party_role TEXT,
  party_name TEXT,
  party_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX channels_message_receiver_email ON channels_message_receiver (email);

CREATE INDEX channels_message_receiver_owner ON channels_message_receiver (owner_id);

CREATE INDEX channels_message_receiver_party ON channels_message_receiver (party_id);

CREATE INDEX channels_message_receiver_phone ON channels_message_receiver (phone);

CREATE TABLE customers_account (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT,
  status TEXT NOT NULL,
  parent_number TEXT,
  bill_day INTEGER,
  payment_method TEXT,
  opened_on TEXT,
  closed_on TEXT,
  source TEXT NOT NULL, account_type TEXT, description TEXT, payment_status TEXT, modified_at BIGINT, credit_limit BIGINT, credit_currency TEXT, payment_method_id TEXT, financial_id TEXT, financial_name TEXT, cycle_id TEXT, cycle_name TEXT, format_id TEXT, format_name TEXT, edition BIGINT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_account_cycle ON customers_account (cycle_id) WHERE cycle_id IS NOT NULL;

CREATE INDEX customers_account_financial ON customers_account (financial_id) WHERE financial_id IS NOT NULL;

CREATE INDEX customers_account_format ON customers_account (format_id) WHERE format_id IS NOT NULL;

CREATE INDEX customers_account_id ON customers_account (id);

CREATE INDEX customers_account_kind ON customers_account (kind, id);

CREATE INDEX customers_account_kind_name ON customers_account (kind, COALESCE(name, number), id);

CREATE INDEX customers_account_name ON customers_account (COALESCE(name, number), id);

CREATE INDEX customers_account_number ON customers_account (number);

CREATE INDEX customers_account_status ON customers_account (status, kind, id);

CREATE TABLE customers_account_contact (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  contact_type TEXT,
  contact_name TEXT,
  party_role_type TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_contact_owner ON customers_account_contact (owner_id);

CREATE TABLE customers_account_contact_medium (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  medium_type TEXT,
  preferred BOOLEAN,
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
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_contact_medium_owner ON customers_account_contact_medium (owner_id);

CREATE TABLE customers_account_media (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  media_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_media_media ON customers_account_media (media_id);

CREATE INDEX customers_account_media_owner ON customers_account_media (owner_id);

CREATE TABLE customers_account_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_party_owner ON customers_account_party (owner_id);

CREATE INDEX customers_account_party_party ON customers_account_party (party_id);

CREATE TABLE customers_account_plan (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  plan_type TEXT,
  status TEXT,
  frequency TEXT,
  payments BIGINT,
  priority BIGINT,
  amount BIGINT,
  currency TEXT,
  method_id TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_plan_owner ON customers_account_plan (owner_id);

CREATE TABLE customers_account_relation (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  relation TEXT,
  account_id TEXT,
  account_name TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_relation_account ON customers_account_relation (account_id);

CREATE INDEX customers_account_relation_owner ON customers_account_relation (owner_id);

CREATE TABLE customers_account_role (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  holder_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  valid_from TEXT,
  valid_to TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_account_role_holder ON customers_account_role (holder_id, account_id);

CREATE TABLE customers_account_tax (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  jurisdiction TEXT,
  certificate TEXT,
  reason TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_account_tax_owner ON customers_account_tax (owner_id);

CREATE TABLE customers_addon (
  customer_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  code TEXT NOT NULL,
  monthly_charge BIGINT,
  PRIMARY KEY (customer_id, subscription_id, code)
) WITHOUT ROWID;

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
) WITHOUT ROWID;

CREATE TABLE customers_attribute (
  id INTEGER PRIMARY KEY,
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
) WITHOUT ROWID;

CREATE TABLE customers_bill_cycle (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  billing_period TEXT,
  frequency TEXT,
  billing_shift BIGINT,
  charge_offset BIGINT,
  credit_offset BIGINT,
  mailing_offset BIGINT,
  due_offset BIGINT,
  valid_from BIGINT,
  valid_to BIGINT,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX customers_bill_cycle_name ON customers_bill_cycle (name, id);

CREATE TABLE customers_bill_format (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX customers_bill_format_name ON customers_bill_format (name, id);

CREATE TABLE customers_bill_media (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX customers_bill_media_name ON customers_bill_media (name, id);

CREATE TABLE customers_change (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  cause TEXT NOT NULL,
  from_status TEXT,
  to_status TEXT,
  fields TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE TABLE customers_charge (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  period TEXT NOT NULL,
  amount BIGINT NOT NULL,
  currency TEXT NOT NULL,
  issued_on TEXT NOT NULL,
  due_on TEXT,
  paid_on TEXT, number TEXT, account_number TEXT, bill_number TEXT, method TEXT, settled BIGINT, settled_on TEXT, overdue_on TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_charge_due ON customers_charge (due_on)
WHERE kind = 'bill' AND paid_on IS NULL AND settled_on IS NULL AND overdue_on IS NULL;

CREATE INDEX customers_charge_issued ON customers_charge (issued_on) WHERE kind <> 'payment' AND issued_on IS NOT NULL;

CREATE INDEX customers_charge_number ON customers_charge (number) WHERE number IS NOT NULL;

CREATE INDEX customers_charge_rate ON customers_charge (id) WHERE kind <> 'payment';

CREATE INDEX customers_charge_state ON customers_charge ((CASE WHEN kind = 'draft' THEN 'new' WHEN kind = 'disputed' THEN 'onHold'
  WHEN kind IN ('cancelled', 'written_off') THEN 'settled' WHEN paid_on IS NOT NULL OR COALESCE(settled, 0) >= amount THEN 'settled'
  WHEN COALESCE(settled, 0) > 0 THEN 'partiallyPaid' ELSE 'sent' END), id)
  WHERE kind <> 'payment';

CREATE TABLE customers_contact_medium (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  folded TEXT NOT NULL,
  preferred BOOLEAN NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE TABLE customers_correction (
  customer_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  told BIGINT NOT NULL,
  stands BIGINT NOT NULL,
  PRIMARY KEY (customer_id, field)
) WITHOUT ROWID;

CREATE TABLE customers_customer (
  id INTEGER PRIMARY KEY,
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
, edition BIGINT NOT NULL DEFAULT 1);

CREATE TABLE customers_customer_link (
  from_id BIGINT NOT NULL,
  to_id BIGINT NOT NULL,
  valid BOOLEAN NOT NULL,
  evidence TEXT NOT NULL,
  linked_at BIGINT NOT NULL,
  PRIMARY KEY (from_id, to_id)
) WITHOUT ROWID;

CREATE INDEX customers_customer_link_to ON customers_customer_link (to_id);

CREATE TABLE customers_financial_account (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  account_type TEXT,
  description TEXT,
  state TEXT NOT NULL,
  modified_at BIGINT NOT NULL,
  credit_limit BIGINT,
  credit_currency TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_financial_account_id ON customers_financial_account (id);

CREATE INDEX customers_financial_account_name ON customers_financial_account (name, id);

CREATE INDEX customers_financial_account_state ON customers_financial_account (state, id);

CREATE TABLE customers_financial_balance (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  balance_type TEXT,
  amount BIGINT,
  currency TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_financial_balance_owner ON customers_financial_balance (owner_id);

CREATE TABLE customers_identifier (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (kind, value)
) WITHOUT ROWID;

CREATE INDEX customers_identifier_customer ON customers_identifier (customer_id);

CREATE TABLE customers_identity_document (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE TABLE customers_kept_decision (
  one_source TEXT NOT NULL,
  one_number TEXT NOT NULL,
  other_source TEXT NOT NULL,
  other_number TEXT NOT NULL,
  state TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (one_number, other_number, one_source, other_source)
) WITHOUT ROWID;

CREATE INDEX customers_kept_decision_other ON customers_kept_decision (other_number);

CREATE TABLE customers_listing (
  customer_id INTEGER PRIMARY KEY,
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
, risk_scored_at BIGINT NOT NULL DEFAULT 0, behind BOOLEAN NOT NULL DEFAULT FALSE);

CREATE INDEX customers_listing_band ON customers_listing (band, risk, customer_id);

CREATE INDEX customers_listing_charge ON customers_listing (monthly_charge, customer_id, tier);

CREATE INDEX customers_listing_kind ON customers_listing (kind, monthly_charge, customer_id);

CREATE INDEX customers_listing_left ON customers_listing (leave_reason, risk, customer_id) WHERE leave_reason <> '';

CREATE INDEX customers_listing_name ON customers_listing (sort_name, customer_id);

CREATE INDEX customers_listing_plan ON customers_listing (plan, monthly_charge, customer_id);

CREATE INDEX customers_listing_region ON customers_listing (region, customer_id);

CREATE INDEX customers_listing_risk ON customers_listing (risk, customer_id);

CREATE INDEX customers_listing_segment ON customers_listing (segment, monthly_charge, customer_id);

CREATE INDEX customers_listing_since ON customers_listing (since, customer_id);

CREATE INDEX customers_listing_state ON customers_listing (status, customer_id);

CREATE INDEX customers_listing_status ON customers_listing (status, risk, customer_id);

CREATE INDEX customers_listing_tier ON customers_listing (tier, value_score, customer_id);

CREATE INDEX customers_listing_value ON customers_listing (value_score, customer_id, kind);

CREATE TABLE customers_lone_party (
  id INTEGER PRIMARY KEY,
  folded_name TEXT NOT NULL
, region TEXT NOT NULL DEFAULT '');

CREATE INDEX customers_lone_party_name ON customers_lone_party (folded_name);

CREATE TABLE customers_match_key (
  key BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (key, customer_id)
) WITHOUT ROWID;

CREATE TABLE customers_match_model (
  id INTEGER PRIMARY KEY,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  customers BIGINT NOT NULL,
  pairs BIGINT NOT NULL,
  model TEXT NOT NULL
, trial TEXT NOT NULL DEFAULT '');

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
) WITHOUT ROWID;

CREATE INDEX customers_match_pair_right ON customers_match_pair (right_id);

CREATE INDEX customers_match_pair_state ON customers_match_pair (state, bits, left_id, right_id);

CREATE TABLE customers_match_record (
  customer_id INTEGER PRIMARY KEY,
  record TEXT NOT NULL
, form INTEGER NOT NULL DEFAULT 0);

CREATE TABLE customers_match_setting (
  id INTEGER PRIMARY KEY,
  kept BOOLEAN NOT NULL,
  filled_at BIGINT,
  model_id BIGINT,
  survivorship TEXT NOT NULL,
  customers BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE customers_outcome (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  left_on TEXT,
  reason_code TEXT,
  reason_text TEXT,
  competitor TEXT,
  recorded_on TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE TABLE customers_party (
  id INTEGER PRIMARY KEY,
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

CREATE INDEX customers_party_birth ON customers_party (birth_date) WHERE birth_date IS NOT NULL;

CREATE INDEX customers_party_kind ON customers_party (kind, id);

CREATE TABLE customers_party_role (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_id ON customers_party_role (id);

CREATE INDEX customers_party_role_name ON customers_party_role (name, id);

CREATE INDEX customers_party_role_status ON customers_party_role (status, id);

CREATE TABLE customers_party_role_account (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  account_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_account_account ON customers_party_role_account (account_id);

CREATE INDEX customers_party_role_account_owner ON customers_party_role_account (owner_id);

CREATE TABLE customers_party_role_agreement (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  agreement_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_agreement_agreement ON customers_party_role_agreement (agreement_id);

CREATE INDEX customers_party_role_agreement_owner ON customers_party_role_agreement (owner_id);

CREATE TABLE customers_party_role_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_characteristic_owner ON customers_party_role_characteristic (owner_id);

CREATE TABLE customers_party_role_credit (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  profiled_at BIGINT,
  rating BIGINT,
  score BIGINT,
  valid_from BIGINT,
  valid_to BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_credit_owner ON customers_party_role_credit (owner_id);

CREATE TABLE customers_party_role_medium (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  medium_type TEXT,
  preferred BOOLEAN,
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
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_medium_owner ON customers_party_role_medium (owner_id);

CREATE TABLE customers_party_role_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_party_owner ON customers_party_role_party (owner_id);

CREATE INDEX customers_party_role_party_party ON customers_party_role_party (party_id);

CREATE TABLE customers_party_role_payment (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  method_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX customers_party_role_payment_owner ON customers_party_role_payment (owner_id);

CREATE TABLE customers_record_key (
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (kind, source, value)
) WITHOUT ROWID;

CREATE INDEX customers_record_key_customer ON customers_record_key (customer_id);

CREATE TABLE customers_relation (
  customer_id BIGINT NOT NULL,
  other_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  valid_from TEXT,
  valid_to TEXT,
  PRIMARY KEY (customer_id, other_id, role)
) WITHOUT ROWID;

CREATE TABLE customers_saved_view (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  owner_id BIGINT NOT NULL,
  shared BOOLEAN NOT NULL,
  filter TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE customers_search (
  kind INTEGER NOT NULL,
  token TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (kind, token, customer_id)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE customers_search_index USING fts5(tokens, content='customers_search_text', content_rowid='customer_id',
  detail='none', columnsize=0, tokenize='ascii');

CREATE TABLE customers_search_number (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  tokens TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_search_number_record ON customers_search_number (id);

CREATE VIRTUAL TABLE customers_search_number_index USING fts5(tokens, content='customers_search_number', content_rowid='id',
  detail='none', columnsize=0, tokenize='ascii');

CREATE TABLE customers_search_state (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  seen_to BIGINT NOT NULL,
  since BIGINT NOT NULL
);

CREATE TABLE customers_search_text (
  customer_id INTEGER PRIMARY KEY,
  tokens TEXT NOT NULL
);

CREATE TABLE customers_search_word (
  variant BIGINT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (variant, word)
) WITHOUT ROWID;

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
  currency TEXT NOT NULL, iccid TEXT, imsi TEXT, imei TEXT, device TEXT, sim_kind TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX customers_subscription_ended ON customers_subscription (msisdn) WHERE status = 'terminated';

CREATE INDEX customers_subscription_ended_on ON customers_subscription (ended_on) WHERE status = 'terminated';

CREATE INDEX customers_subscription_id ON customers_subscription (id);

CREATE INDEX customers_subscription_started ON customers_subscription (started_on);

CREATE INDEX customers_subscription_status ON customers_subscription
  ((CAST(CASE status WHEN 'pending' THEN 'pendingActive' ELSE status END AS TEXT)), id);

CREATE INDEX customers_subscription_title ON customers_subscription ((CAST(COALESCE(plan, service) AS TEXT)), id);

CREATE TABLE customers_subscription_history (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  changed_on TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  reason TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE TABLE customers_subscription_locator (
  id INTEGER PRIMARY KEY,
  customer_id BIGINT NOT NULL
);

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
) WITHOUT ROWID;

CREATE TABLE customers_value_policy (
  id INTEGER PRIMARY KEY,
  vip_from BIGINT NOT NULL,
  high_from BIGINT NOT NULL,
  customers BIGINT NOT NULL,
  computed_at BIGINT NOT NULL,
  requested_at BIGINT
);

CREATE TABLE identity_bootstrap (
  token_hash TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  role TEXT,
  user_id BIGINT,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE INDEX identity_bootstrap_user ON identity_bootstrap (user_id);

CREATE TABLE identity_client (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  secret_made_at BIGINT NOT NULL,
  old_secret_hash TEXT,
  old_secret_until BIGINT,
  tokens_from BIGINT NOT NULL,
  scopes TEXT NOT NULL,
  addresses TEXT NOT NULL,
  requests_per_second INTEGER NOT NULL,
  scope TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);

CREATE UNIQUE INDEX identity_client_name ON identity_client (folded_name);

CREATE TABLE identity_known_address (
  user_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  last_login_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, address)
) WITHOUT ROWID;

CREATE TABLE identity_session (
  token_hash TEXT NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
);

CREATE INDEX identity_session_expiry ON identity_session (expires_at);

CREATE INDEX identity_session_user ON identity_session (user_id, id);

CREATE TABLE identity_signing_key (
  id INTEGER PRIMARY KEY,
  kid TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  good_until BIGINT
);

CREATE TABLE identity_throttle (
  key TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  next_allowed_at BIGINT NOT NULL,
  failed_at BIGINT NOT NULL
);

CREATE INDEX identity_throttle_age ON identity_throttle (failed_at);

CREATE TABLE identity_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  beginning TEXT NOT NULL,
  scopes TEXT NOT NULL,
  addresses TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);

CREATE INDEX identity_token_user ON identity_token (user_id, id);

CREATE TABLE identity_user (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  password_hash TEXT,
  password_changed_at BIGINT,
  status TEXT NOT NULL,
  language TEXT,
  theme TEXT,
  shortcuts BOOLEAN NOT NULL,
  scope TEXT NOT NULL,
  last_login_at BIGINT,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE INDEX identity_user_listing ON identity_user (folded_name, id);

CREATE TABLE identity_user_name (
  folded_name TEXT NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL
);

CREATE TABLE identity_user_role (
  user_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  given_by BIGINT,
  given_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, role)
) WITHOUT ROWID;

CREATE TABLE ingest_file (
  id INTEGER PRIMARY KEY,
  blob_id TEXT NOT NULL,
  name TEXT NOT NULL,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  inspection TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by BIGINT,
  created_by_name TEXT NOT NULL
);

CREATE TABLE ingest_finding (
  run_id BIGINT NOT NULL,
  phase INTEGER NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  checked BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  fixed BIGINT NOT NULL,
  PRIMARY KEY (run_id, phase, rule, field)
) WITHOUT ROWID;

CREATE TABLE ingest_forecast (
  run_id INTEGER PRIMARY KEY,
  job_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  counted_at BIGINT,
  result TEXT
);

CREATE TABLE ingest_intake (
  source TEXT NOT NULL PRIMARY KEY,
  entity TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  settle_seconds INTEGER NOT NULL,
  url TEXT,
  every_minutes INTEGER NOT NULL,
  next_pull_at BIGINT,
  etag TEXT,
  modified TEXT,
  pulled_at BIGINT,
  looked_at BIGINT,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  pull_en TEXT NOT NULL,
  pull_zh TEXT NOT NULL,
  actor TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
, secret TEXT);

CREATE TABLE ingest_intake_file (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  run_id BIGINT,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  taken_at BIGINT NOT NULL,
  finished_at BIGINT
);

CREATE INDEX ingest_intake_file_source ON ingest_intake_file (source, id);

CREATE INDEX ingest_intake_file_state ON ingest_intake_file (state, id);

CREATE UNIQUE INDEX ingest_intake_file_taking ON ingest_intake_file (source, name) WHERE state = 'taking';

CREATE TABLE ingest_journal (
  run_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (run_id, chunk)
) WITHOUT ROWID;

CREATE TABLE ingest_lineage (
  customer_id BIGINT NOT NULL,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  is_new BOOLEAN NOT NULL,
  columns TEXT NOT NULL,
  fixes TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, run_id, record)
) WITHOUT ROWID;

CREATE TABLE ingest_mapping (
  entity TEXT NOT NULL,
  signature TEXT NOT NULL,
  name TEXT NOT NULL,
  mapping TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL,
  PRIMARY KEY (entity, signature)
) WITHOUT ROWID;

CREATE INDEX ingest_mapping_name ON ingest_mapping (entity, name, updated_at);

CREATE TABLE ingest_quality (
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  day TEXT NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  dimension TEXT NOT NULL,
  checked BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  fixed BIGINT NOT NULL,
  PRIMARY KEY (source, entity, day, rule, field)
) WITHOUT ROWID;

CREATE TABLE ingest_quarantine (
  id INTEGER PRIMARY KEY,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  entity TEXT NOT NULL,
  source TEXT NOT NULL,
  rule TEXT NOT NULL,
  field TEXT NOT NULL,
  findings TEXT NOT NULL,
  cells TEXT NOT NULL,
  repaired TEXT,
  match_key TEXT NOT NULL,
  key_hash BIGINT,
  state TEXT NOT NULL,
  revision BIGINT NOT NULL,
  replay_run_id BIGINT,
  replay_record BIGINT,
  created_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by_name TEXT NOT NULL,
  reason TEXT NOT NULL
, repaired_columns TEXT);

CREATE INDEX ingest_quarantine_key ON ingest_quarantine (key_hash, state);

CREATE INDEX ingest_quarantine_replay ON ingest_quarantine (replay_run_id, replay_record);

CREATE INDEX ingest_quarantine_run ON ingest_quarantine (run_id, record);

CREATE INDEX ingest_quarantine_state ON ingest_quarantine (state, source, id);

CREATE TABLE ingest_record_lineage (
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  run_id BIGINT NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  is_new BOOLEAN NOT NULL,
  columns TEXT NOT NULL,
  fixes TEXT NOT NULL,
  at BIGINT NOT NULL, chunk BIGINT,
  PRIMARY KEY (customer_id, record_id, run_id, record)
) WITHOUT ROWID;

CREATE TABLE ingest_reject (
  run_id BIGINT NOT NULL,
  phase INTEGER NOT NULL,
  record BIGINT NOT NULL,
  line BIGINT NOT NULL,
  column_index INTEGER NOT NULL,
  code TEXT NOT NULL,
  words_en TEXT NOT NULL,
  words_zh TEXT NOT NULL,
  PRIMARY KEY (run_id, phase, record)
) WITHOUT ROWID;

CREATE TABLE ingest_revert_issue (
  run_id BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  number INTEGER NOT NULL,
  customer_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  reason_en TEXT NOT NULL,
  reason_zh TEXT NOT NULL,
  PRIMARY KEY (run_id, chunk, number)
) WITHOUT ROWID;

CREATE TABLE ingest_rule (
  key TEXT NOT NULL PRIMARY KEY,
  name_en TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  fields TEXT NOT NULL,
  kind TEXT NOT NULL,
  dimension TEXT NOT NULL,
  severity TEXT NOT NULL,
  parameters TEXT NOT NULL,
  is_on BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
);

CREATE TABLE ingest_run (
  id INTEGER PRIMARY KEY,
  file_id BIGINT NOT NULL,
  entity TEXT NOT NULL,
  mapping TEXT NOT NULL,
  state TEXT NOT NULL,
  worker TEXT NOT NULL,
  touched_at BIGINT NOT NULL,
  job_id BIGINT,
  actor TEXT NOT NULL,
  plan TEXT,
  plan_reject_blob_id TEXT,
  reject_blob_id TEXT,
  chunk BIGINT NOT NULL,
  checkpoint TEXT,
  revert_chunk BIGINT,
  rows_read BIGINT NOT NULL,
  created_count BIGINT NOT NULL,
  updated_count BIGINT NOT NULL,
  unchanged_count BIGINT NOT NULL,
  rejected_count BIGINT NOT NULL,
  revert_issue_count BIGINT NOT NULL,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT,
  reverted_at BIGINT,
  created_by BIGINT,
  created_by_name TEXT NOT NULL
, purged_at BIGINT, linked_count BIGINT NOT NULL DEFAULT 0, review_count BIGINT NOT NULL DEFAULT 0, quarantined_count BIGINT NOT NULL DEFAULT 0, skipped_count BIGINT NOT NULL DEFAULT 0, is_replay BOOLEAN NOT NULL DEFAULT FALSE, source TEXT NOT NULL DEFAULT '', mapping_version BIGINT, undone_links BIGINT NOT NULL DEFAULT 0, undone_decisions BIGINT NOT NULL DEFAULT 0, undone_waiting BIGINT NOT NULL DEFAULT 0, matched_chunk BIGINT NOT NULL DEFAULT 0, corrected_count BIGINT NOT NULL DEFAULT 0);

CREATE INDEX ingest_run_source ON ingest_run (source, id);

CREATE TABLE ingest_source (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  owner TEXT NOT NULL,
  encoding TEXT NOT NULL,
  delimiter TEXT NOT NULL,
  sheet TEXT NOT NULL,
  fields TEXT NOT NULL,
  fresh_hours BIGINT,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by_name TEXT NOT NULL
);

CREATE UNIQUE INDEX ingest_source_key ON ingest_source (key);

CREATE TABLE ingest_source_mapping (
  source TEXT NOT NULL,
  entity TEXT NOT NULL,
  version BIGINT NOT NULL,
  mapping TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by_name TEXT NOT NULL,
  PRIMARY KEY (source, entity, version)
) WITHOUT ROWID;

CREATE TABLE insights_churn_score (
  customer_id INTEGER PRIMARY KEY,
  model_id BIGINT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  band TEXT NOT NULL,
  margin DOUBLE PRECISION NOT NULL,
  scored_at BIGINT NOT NULL,
  reasons TEXT NOT NULL,
  region TEXT NOT NULL,
  monthly_value BIGINT NOT NULL,
  currency TEXT NOT NULL,
  priority BIGINT NOT NULL,
  listed BOOLEAN NOT NULL
, previous_band TEXT);

CREATE INDEX insights_churn_score_band ON insights_churn_score (band, priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_priority ON insights_churn_score (priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_region ON insights_churn_score (region, priority, customer_id) WHERE listed;

CREATE TABLE insights_contact_plan (
  customer_id BIGINT NOT NULL,
  week TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  note TEXT,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, week)
) WITHOUT ROWID;

CREATE INDEX insights_contact_plan_week ON insights_contact_plan (week, state);

CREATE TABLE insights_model (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  job_id BIGINT,
  trained_at BIGINT NOT NULL,
  trained_by TEXT NOT NULL,
  customers BIGINT NOT NULL,
  labelled BIGINT NOT NULL,
  leavers BIGINT NOT NULL,
  features INTEGER NOT NULL,
  folds INTEGER NOT NULL,
  auc DOUBLE PRECISION NOT NULL,
  logloss DOUBLE PRECISION NOT NULL,
  brier DOUBLE PRECISION NOT NULL,
  ece DOUBLE PRECISION NOT NULL,
  lift_at_10 DOUBLE PRECISION NOT NULL,
  seed BIGINT NOT NULL,
  card TEXT,
  titles TEXT,
  blob_id TEXT,
  failure_en TEXT,
  failure_zh TEXT
);

CREATE INDEX insights_model_job ON insights_model (job_id);

CREATE UNIQUE INDEX insights_model_version ON insights_model (version);

CREATE TABLE insights_recommendation (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  recommendation_type TEXT,
  instant BOOLEAN,
  state TEXT NOT NULL,
  state_reason TEXT,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  party_id TEXT,
  party_role TEXT,
  party_name TEXT,
  party_type TEXT,
  model_id BIGINT,
  probability DOUBLE PRECISION,
  currency TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX insights_recommendation_from ON insights_recommendation (valid_from);

CREATE INDEX insights_recommendation_id ON insights_recommendation (id);

CREATE INDEX insights_recommendation_name ON insights_recommendation (name);

CREATE INDEX insights_recommendation_party ON insights_recommendation (party_id);

CREATE INDEX insights_recommendation_state ON insights_recommendation (state);

CREATE TABLE insights_recommendation_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX insights_recommendation_item_owner ON insights_recommendation_item (owner_id);

CREATE TABLE insights_risk_summary (
  scored_on TEXT NOT NULL,
  region TEXT NOT NULL,
  band TEXT NOT NULL,
  customers BIGINT NOT NULL,
  monthly_value BIGINT NOT NULL,
  expected_loss BIGINT NOT NULL,
  PRIMARY KEY (scored_on, region, band)
) WITHOUT ROWID;

CREATE TABLE insights_score_history (
  customer_id BIGINT NOT NULL,
  scored_on TEXT NOT NULL,
  model_id BIGINT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  band TEXT NOT NULL,
  PRIMARY KEY (customer_id, scored_on)
) WITHOUT ROWID;

CREATE TABLE insights_scoring_run (
  id INTEGER PRIMARY KEY,
  job_id BIGINT,
  model_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT,
  after_id BIGINT NOT NULL,
  scored BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  histogram TEXT,
  drift DOUBLE PRECISION
);

CREATE INDEX insights_scoring_run_model ON insights_scoring_run (model_id, id);

CREATE TABLE orders_agreement (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  agreement_type TEXT NOT NULL,
  status TEXT,
  version TEXT,
  document_number BIGINT,
  begins_at BIGINT,
  period_from BIGINT,
  period_to BIGINT,
  completed_from BIGINT,
  completed_to BIGINT,
  intent TEXT,
  specification_id TEXT,
  specification_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_agreement_type ON orders_agreement (agreement_type, id);

CREATE INDEX orders_agreement_document_number ON orders_agreement (document_number);

CREATE INDEX orders_agreement_id ON orders_agreement (id);

CREATE INDEX orders_agreement_name ON orders_agreement (name, id);

CREATE INDEX orders_agreement_specified ON orders_agreement (specification_id);

CREATE INDEX orders_agreement_status ON orders_agreement (status);

CREATE TABLE orders_agreement_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_characteristic_name ON orders_agreement_characteristic (name);

CREATE INDEX orders_agreement_characteristic_owner ON orders_agreement_characteristic (owner_id);

CREATE TABLE orders_agreement_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_item_owner ON orders_agreement_item (owner_id);

CREATE TABLE orders_agreement_offering (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_offering_offering ON orders_agreement_offering (offering_id);

CREATE INDEX orders_agreement_offering_owner ON orders_agreement_offering (owner_id);

CREATE TABLE orders_agreement_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_party_owner ON orders_agreement_party (owner_id);

CREATE INDEX orders_agreement_party_party ON orders_agreement_party (party_id);

CREATE TABLE orders_agreement_product (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  product_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_product_owner ON orders_agreement_product (owner_id);

CREATE INDEX orders_agreement_product_product ON orders_agreement_product (product_id);

CREATE TABLE orders_agreement_spec (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  version TEXT,
  status TEXT,
  is_bundle BOOLEAN,
  category_id TEXT,
  category_name TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_spec_name ON orders_agreement_spec (name, id);

CREATE INDEX orders_agreement_spec_status ON orders_agreement_spec (status);

CREATE INDEX orders_agreement_spec_updated ON orders_agreement_spec (updated_at, id);

CREATE TABLE orders_agreement_spec_attachment (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  url TEXT,
  mime_type TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE TABLE orders_agreement_spec_characteristic (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE TABLE orders_agreement_term (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  term_id TEXT,
  description TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX orders_agreement_term_owner ON orders_agreement_term (owner_id);

CREATE TABLE orders_cancellation (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  requested_at BIGINT,
  effective_at BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX orders_cancellation_created ON orders_cancellation (created_at, id);

CREATE INDEX orders_cancellation_id ON orders_cancellation (id);

CREATE INDEX orders_cancellation_order ON orders_cancellation (order_id);

CREATE INDEX orders_cancellation_state ON orders_cancellation (state, id);

CREATE TABLE orders_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  item_id TEXT,
  action TEXT,
  state TEXT,
  quantity BIGINT,
  product_id TEXT,
  product_name TEXT,
  offering_id TEXT,
  offering_name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_item_offering ON orders_item (offering_id);

CREATE INDEX orders_item_owner ON orders_item (owner_id);

CREATE INDEX orders_item_product ON orders_item (product_id);

CREATE INDEX orders_item_state ON orders_item (state);

CREATE TABLE orders_item_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX orders_item_characteristic_owner ON orders_item_characteristic (owner_id);

CREATE TABLE orders_order (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  external_id TEXT,
  category TEXT,
  description TEXT,
  priority TEXT,
  state TEXT NOT NULL,
  ordered_at BIGINT NOT NULL,
  requested_start BIGINT,
  requested_at BIGINT,
  expected_at BIGINT,
  completed_at BIGINT,
  cancelled_at BIGINT,
  cancellation_reason TEXT,
  notification_contact TEXT,
  billing_account_id TEXT,
  billing_account_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX orders_order_billing_account ON orders_order (billing_account_id);

CREATE INDEX orders_order_external ON orders_order (external_id);

CREATE INDEX orders_order_id ON orders_order (id);

CREATE INDEX orders_order_ordered ON orders_order (ordered_at, id);

CREATE INDEX orders_order_state ON orders_order (state, id);

CREATE TABLE orders_order_channel (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel_id TEXT,
  name TEXT,
  role TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_order_channel_channel ON orders_order_channel (channel_id);

CREATE INDEX orders_order_channel_owner ON orders_order_channel (owner_id);

CREATE TABLE orders_order_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_order_note_owner ON orders_order_note (owner_id);

CREATE TABLE orders_order_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_order_party_owner ON orders_order_party (owner_id);

CREATE INDEX orders_order_party_party ON orders_order_party (party_id);

CREATE TABLE orders_order_quote (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  quote_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_order_quote_owner ON orders_order_quote (owner_id);

CREATE INDEX orders_order_quote_quote ON orders_order_quote (quote_id);

CREATE TABLE orders_product (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  status TEXT NOT NULL,
  is_bundle BOOLEAN,
  is_visible BOOLEAN,
  serial_number TEXT,
  ordered_at BIGINT,
  started_at BIGINT,
  terminated_at BIGINT,
  offering_id TEXT,
  offering_name TEXT,
  specification_id TEXT,
  specification_name TEXT,
  billing_account_id TEXT,
  billing_account_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX orders_product_billing_account ON orders_product (billing_account_id);

CREATE INDEX orders_product_id ON orders_product (id);

CREATE INDEX orders_product_name ON orders_product (name);

CREATE INDEX orders_product_offering ON orders_product (offering_id);

CREATE INDEX orders_product_serial_number ON orders_product (serial_number);

CREATE INDEX orders_product_specification ON orders_product (specification_id);

CREATE INDEX orders_product_started ON orders_product (started_at);

CREATE INDEX orders_product_status ON orders_product (status, id);

CREATE INDEX orders_product_terminated ON orders_product (terminated_at) WHERE terminated_at IS NOT NULL;

CREATE TABLE orders_product_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_characteristic_name ON orders_product_characteristic (name);

CREATE INDEX orders_product_characteristic_owner ON orders_product_characteristic (owner_id);

CREATE TABLE orders_product_origin (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  order_id TEXT,
  item_id TEXT,
  action TEXT,
  role TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_origin_order ON orders_product_origin (order_id);

CREATE INDEX orders_product_origin_owner ON orders_product_origin (owner_id);

CREATE TABLE orders_product_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_party_owner ON orders_product_party (owner_id);

CREATE INDEX orders_product_party_party ON orders_product_party (party_id);

CREATE TABLE orders_product_price (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  price_type TEXT,
  period TEXT,
  amount_minor BIGINT,
  currency TEXT,
  price_id TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_price_owner ON orders_product_price (owner_id);

CREATE TABLE orders_product_relation (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  relationship_type TEXT,
  product_id TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_relation_owner ON orders_product_relation (owner_id);

CREATE INDEX orders_product_relation_product ON orders_product_relation (product_id);

CREATE TABLE orders_product_resource (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  resource_id TEXT,
  name TEXT,
  value TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_resource_owner ON orders_product_resource (owner_id);

CREATE INDEX orders_product_resource_resource ON orders_product_resource (resource_id);

CREATE INDEX orders_product_resource_value ON orders_product_resource (value);

CREATE TABLE orders_product_service (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  service_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_product_service_owner ON orders_product_service (owner_id);

CREATE INDEX orders_product_service_service ON orders_product_service (service_id);

CREATE TABLE orders_quote (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  external_id TEXT,
  category TEXT,
  description TEXT,
  version TEXT,
  state TEXT NOT NULL,
  quoted_at BIGINT NOT NULL,
  requested_at BIGINT,
  expected_at BIGINT,
  effective_at BIGINT,
  fulfil_at BIGINT,
  instant BOOLEAN,
  valid_from BIGINT,
  valid_to BIGINT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX orders_quote_external ON orders_quote (external_id);

CREATE INDEX orders_quote_id ON orders_quote (id);

CREATE INDEX orders_quote_quoted ON orders_quote (quoted_at, id);

CREATE INDEX orders_quote_state ON orders_quote (state, id);

CREATE TABLE orders_quote_approval (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  state TEXT,
  approved_at BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_approval_owner ON orders_quote_approval (owner_id);

CREATE TABLE orders_quote_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  item_id TEXT,
  action TEXT,
  state TEXT,
  quantity BIGINT,
  product_id TEXT,
  offering_id TEXT,
  offering_name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_item_offering ON orders_quote_item (offering_id);

CREATE INDEX orders_quote_item_owner ON orders_quote_item (owner_id);

CREATE TABLE orders_quote_item_price (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  price_type TEXT,
  period TEXT,
  amount_minor BIGINT,
  currency TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_item_price_owner ON orders_quote_item_price (owner_id);

CREATE TABLE orders_quote_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_note_owner ON orders_quote_note (owner_id);

CREATE TABLE orders_quote_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_party_owner ON orders_quote_party (owner_id);

CREATE INDEX orders_quote_party_party ON orders_quote_party (party_id);

CREATE TABLE orders_quote_total (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  price_type TEXT,
  period TEXT,
  amount_minor BIGINT,
  currency TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX orders_quote_total_owner ON orders_quote_total (owner_id);

CREATE TABLE platform_audit_event (
  id INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  roles TEXT NOT NULL,
  action TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  unmasked TEXT NOT NULL,
  facts TEXT NOT NULL,
  refused BOOLEAN NOT NULL
);

CREATE INDEX platform_audit_event_action ON platform_audit_event (action, id);

CREATE INDEX platform_audit_event_actor ON platform_audit_event (actor_id, id);

CREATE TABLE platform_audit_subject (
  subject_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  subject_kind TEXT NOT NULL,
  PRIMARY KEY (subject_id, event_id)
) WITHOUT ROWID;

CREATE INDEX platform_audit_subject_event ON platform_audit_subject (event_id);

CREATE TABLE platform_blob (
  id TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  finished BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX platform_blob_unfinished ON platform_blob (created_at) WHERE NOT finished;

CREATE TABLE platform_blob_part (
  blob_id TEXT NOT NULL,
  part BIGINT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (blob_id, part)
) WITHOUT ROWID;

CREATE TABLE platform_request (
  id TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  status INTEGER NOT NULL,
  location TEXT,
  flash TEXT,
  etag TEXT,
  content_type TEXT,
  body TEXT
);

CREATE INDEX platform_request_expiry ON platform_request (expires_at);

CREATE TABLE privacy_agreement (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  agreement_type TEXT,
  name TEXT,
  description TEXT,
  document_number BIGINT,
  initial_at BIGINT,
  statement TEXT,
  status TEXT NOT NULL,
  version TEXT,
  period_from BIGINT,
  period_until BIGINT,
  completed_from BIGINT,
  completed_until BIGINT,
  specification_id TEXT,
  specification_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_id ON privacy_agreement (id);

CREATE INDEX privacy_agreement_number ON privacy_agreement (document_number);

CREATE INDEX privacy_agreement_status ON privacy_agreement (status);

CREATE INDEX privacy_agreement_type ON privacy_agreement (agreement_type);

CREATE TABLE privacy_agreement_authorization (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  signed_at BIGINT,
  signature TEXT,
  state TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_authorization_owner ON privacy_agreement_authorization (owner_id);

CREATE TABLE privacy_agreement_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  item_id TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_item_owner ON privacy_agreement_item (owner_id);

CREATE TABLE privacy_agreement_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_party_owner ON privacy_agreement_party (owner_id);

CREATE INDEX privacy_agreement_party_party ON privacy_agreement_party (party_id);

CREATE TABLE privacy_agreement_profile (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  profile_id TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_profile_owner ON privacy_agreement_profile (owner_id);

CREATE INDEX privacy_agreement_profile_profile ON privacy_agreement_profile (profile_id);

CREATE TABLE privacy_agreement_term (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  term_id TEXT,
  description TEXT,
  valid_from BIGINT,
  valid_until BIGINT,
  PRIMARY KEY (customer_id, owner_id, item, place)
) WITHOUT ROWID;

CREATE INDEX privacy_agreement_term_owner ON privacy_agreement_term (owner_id);

CREATE TABLE privacy_consent (
  customer_id BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  topic TEXT NOT NULL,
  decision TEXT NOT NULL,
  since BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  profile_id BIGINT NOT NULL,
  PRIMARY KEY (customer_id, purpose, topic)
) WITHOUT ROWID;

CREATE INDEX privacy_consent_profile ON privacy_consent (profile_id);

CREATE TABLE privacy_consent_evidence (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  topic TEXT NOT NULL,
  decision TEXT NOT NULL,
  step TEXT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  profile_id BIGINT NOT NULL,
  agreed_party TEXT,
  collected_on TEXT,
  specification_id TEXT,
  notice_version TEXT,
  notice_hash TEXT,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX privacy_consent_evidence_profile ON privacy_consent_evidence (profile_id);

CREATE TABLE privacy_profile (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  status TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  agreed_id TEXT,
  agreed_role TEXT,
  agreed_name TEXT,
  agreed_type TEXT,
  applies_id TEXT,
  applies_role TEXT,
  applies_name TEXT,
  applies_type TEXT,
  agreement_id TEXT,
  agreement_name TEXT,
  specification_id TEXT,
  specification_name TEXT,
  collected_on TEXT,
  notice_version TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX privacy_profile_agreed ON privacy_profile (agreed_id);

CREATE INDEX privacy_profile_agreement ON privacy_profile (agreement_id);

CREATE INDEX privacy_profile_applies ON privacy_profile (applies_id);

CREATE INDEX privacy_profile_created ON privacy_profile (created_at);

CREATE INDEX privacy_profile_id ON privacy_profile (id);

CREATE INDEX privacy_profile_specification ON privacy_profile (specification_id);

CREATE INDEX privacy_profile_status ON privacy_profile (status);

CREATE TABLE privacy_profile_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  purpose TEXT,
  value_type TEXT,
  value TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_profile_characteristic_name ON privacy_profile_characteristic (name);

CREATE INDEX privacy_profile_characteristic_owner ON privacy_profile_characteristic (owner_id);

CREATE INDEX privacy_profile_characteristic_purpose ON privacy_profile_characteristic (purpose);

CREATE TABLE privacy_specification (
  id INTEGER PRIMARY KEY,
  name TEXT,
  description TEXT,
  status TEXT NOT NULL,
  version TEXT,
  updated_at BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT
);

CREATE INDEX privacy_specification_name ON privacy_specification (name);

CREATE INDEX privacy_specification_status ON privacy_specification (status);

CREATE INDEX privacy_specification_updated ON privacy_specification (updated_at);

CREATE TABLE privacy_specification_characteristic (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  description TEXT,
  criticality TEXT,
  privacy_type TEXT,
  purpose TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_specification_characteristic_purpose ON privacy_specification_characteristic (purpose);

CREATE TABLE privacy_specification_offering (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_specification_offering_offering ON privacy_specification_offering (offering_id);

CREATE TABLE privacy_specification_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
) WITHOUT ROWID;

CREATE INDEX privacy_specification_party_party ON privacy_specification_party (party_id);

CREATE TABLE privacy_specification_value (
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  value TEXT,
  value_type TEXT,
  is_default BOOLEAN,
  PRIMARY KEY (owner_id, item, place)
) WITHOUT ROWID;

CREATE TABLE profiles_bucket (
  customer_id BIGINT NOT NULL,
  series_id BIGINT NOT NULL,
  day TEXT NOT NULL,
  events BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  last_amount BIGINT NOT NULL,
  sketch BLOB,
  PRIMARY KEY (customer_id, series_id, day)
) WITHOUT ROWID;

CREATE INDEX profiles_bucket_day ON profiles_bucket (day);

CREATE TABLE profiles_counter (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  series_id BIGINT NOT NULL,
  title_en TEXT NOT NULL,
  title_zh TEXT NOT NULL,
  kind TEXT NOT NULL,
  conditions TEXT NOT NULL,
  sum_field TEXT NOT NULL,
  distinct_field TEXT NOT NULL,
  unit TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  changed_by_name TEXT NOT NULL
);

CREATE UNIQUE INDEX profiles_counter_name ON profiles_counter (name);

CREATE TABLE profiles_seen (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  arrived_day INTEGER NOT NULL,
  PRIMARY KEY (source_id, fingerprint)
) WITHOUT ROWID;

CREATE INDEX profiles_seen_arrival ON profiles_seen (arrived_day);

CREATE TABLE profiles_source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  unused BIGINT NOT NULL,
  duplicate BIGINT NOT NULL,
  waited BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  last_at BIGINT
);

CREATE UNIQUE INDEX profiles_source_name ON profiles_source (name);

CREATE TABLE profiles_told (
  customer_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  event TEXT NOT NULL,
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, fingerprint)
) WITHOUT ROWID;

CREATE INDEX profiles_told_arrival ON profiles_told (arrived_at);

CREATE TABLE profiles_waiting (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  naming TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  event TEXT NOT NULL,
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (source_id, fingerprint)
) WITHOUT ROWID;

CREATE INDEX profiles_waiting_arrival ON profiles_waiting (arrived_at);

CREATE INDEX profiles_waiting_name ON profiles_waiting (naming, customer_name);

CREATE TABLE sales_lead (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  lead_type TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  status_changed_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  referred_at BIGINT,
  priority TEXT,
  rating TEXT,
  valid_from BIGINT,
  valid_until BIGINT,
  revenue BIGINT,
  revenue_currency TEXT,
  category_id TEXT,
  category_name TEXT,
  channel_id TEXT,
  channel_name TEXT,
  segment_id TEXT,
  segment_name TEXT,
  campaign_id TEXT,
  campaign_name TEXT,
  product_id TEXT,
  product_name TEXT,
  offering_id TEXT,
  offering_name TEXT,
  specification_id TEXT,
  specification_name TEXT,
  opportunity_id TEXT,
  opportunity_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX sales_lead_campaign ON sales_lead (campaign_id);

CREATE INDEX sales_lead_category ON sales_lead (category_id);

CREATE INDEX sales_lead_channel ON sales_lead (channel_id);

CREATE INDEX sales_lead_created ON sales_lead (created_at);

CREATE INDEX sales_lead_id ON sales_lead (id);

CREATE INDEX sales_lead_name ON sales_lead (name);

CREATE INDEX sales_lead_offering ON sales_lead (offering_id);

CREATE INDEX sales_lead_opportunity ON sales_lead (opportunity_id);

CREATE INDEX sales_lead_priority ON sales_lead (priority);

CREATE INDEX sales_lead_rating ON sales_lead (rating);

CREATE INDEX sales_lead_status ON sales_lead (status);

CREATE INDEX sales_lead_status_changed ON sales_lead (status_changed_at);

CREATE TABLE sales_lead_contact (
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
) WITHOUT ROWID;

CREATE INDEX sales_lead_contact_email ON sales_lead_contact (email);

CREATE INDEX sales_lead_contact_owner ON sales_lead_contact (owner_id);

CREATE INDEX sales_lead_contact_phone ON sales_lead_contact (phone);

CREATE TABLE sales_lead_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX sales_lead_note_owner ON sales_lead_note (owner_id);

CREATE TABLE sales_lead_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX sales_lead_party_owner ON sales_lead_party (owner_id);

CREATE INDEX sales_lead_party_party ON sales_lead_party (party_id);

CREATE TABLE schema_migration (
  module TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL, PRIMARY KEY (module, number));

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
) WITHOUT ROWID;

CREATE INDEX servicedesk_appointment_category ON servicedesk_appointment (category);

CREATE INDEX servicedesk_appointment_created ON servicedesk_appointment (created_at);

CREATE INDEX servicedesk_appointment_external ON servicedesk_appointment (external_id);

CREATE INDEX servicedesk_appointment_id ON servicedesk_appointment (id);

CREATE INDEX servicedesk_appointment_place ON servicedesk_appointment (place_id);

CREATE INDEX servicedesk_appointment_starts ON servicedesk_appointment (starts_at);

CREATE INDEX servicedesk_appointment_status ON servicedesk_appointment (status, id);

CREATE INDEX servicedesk_appointment_updated ON servicedesk_appointment (updated_at);

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
) WITHOUT ROWID;

CREATE INDEX servicedesk_appointment_contact_owner ON servicedesk_appointment_contact (owner_id);

CREATE TABLE servicedesk_appointment_entity (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  entity_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_appointment_entity_entity ON servicedesk_appointment_entity (entity_id);

CREATE INDEX servicedesk_appointment_entity_owner ON servicedesk_appointment_entity (owner_id);

CREATE TABLE servicedesk_appointment_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_appointment_note_owner ON servicedesk_appointment_note (owner_id);

CREATE TABLE servicedesk_appointment_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_appointment_party_owner ON servicedesk_appointment_party (owner_id);

CREATE INDEX servicedesk_appointment_party_party ON servicedesk_appointment_party (party_id);

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
) WITHOUT ROWID;

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
  closed_at BIGINT, subject TEXT, title TEXT, severity TEXT, updated_at BIGINT NOT NULL DEFAULT 0, status_changed_at BIGINT, status_reason TEXT, expected_at BIGINT, requested_at BIGINT, channel_id TEXT, channel_name TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_id ON servicedesk_case (id);

CREATE INDEX servicedesk_case_newest ON servicedesk_case (status, opened_at, id);

CREATE INDEX servicedesk_case_number_text ON servicedesk_case (number);

CREATE INDEX servicedesk_case_opened ON servicedesk_case (opened_at, id);

CREATE INDEX servicedesk_case_status ON servicedesk_case (status, id);

CREATE INDEX servicedesk_case_updated ON servicedesk_case (updated_at);

CREATE TABLE servicedesk_case_entity (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  entity_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_entity_entity ON servicedesk_case_entity (entity_id);

CREATE INDEX servicedesk_case_entity_owner ON servicedesk_case_entity (owner_id);

CREATE TABLE servicedesk_case_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_note_owner ON servicedesk_case_note (owner_id);

CREATE TABLE servicedesk_case_number (
  number TEXT NOT NULL PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  case_id BIGINT NOT NULL
);

CREATE TABLE servicedesk_case_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_party_owner ON servicedesk_case_party (owner_id);

CREATE INDEX servicedesk_case_party_party ON servicedesk_case_party (party_id);

CREATE TABLE servicedesk_case_step (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  status TEXT,
  changed_at BIGINT,
  reason TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_step_owner ON servicedesk_case_step (owner_id);

CREATE TABLE servicedesk_case_text (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  tokens TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX servicedesk_case_text_id ON servicedesk_case_text (id);

CREATE VIRTUAL TABLE servicedesk_case_text_index USING fts5(tokens, content='servicedesk_case_text', content_rowid='id',
  detail='none', columnsize=0, tokenize='ascii');

CREATE TABLE servicedesk_case_text_state (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  since BIGINT NOT NULL
);

CREATE TABLE servicedesk_interaction (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  channel TEXT NOT NULL,
  direction TEXT NOT NULL,
  topic TEXT NOT NULL,
  outcome TEXT NOT NULL,
  language TEXT,
  case_id BIGINT, note TEXT, survey TEXT, score INTEGER, ended_at BIGINT, created_at BIGINT, status TEXT, status_changed_at BIGINT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX servicedesk_interaction_created ON servicedesk_interaction ((COALESCE(created_at, happened_at)));

CREATE INDEX servicedesk_interaction_happened ON servicedesk_interaction (happened_at);

CREATE INDEX servicedesk_interaction_id ON servicedesk_interaction (id);

CREATE TABLE servicedesk_interaction_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_interaction_note_owner ON servicedesk_interaction_note (owner_id);

CREATE TABLE servicedesk_interaction_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX servicedesk_interaction_party_owner ON servicedesk_interaction_party (owner_id);

CREATE INDEX servicedesk_interaction_party_party ON servicedesk_interaction_party (party_id);

CREATE TABLE servicedesk_record_key (
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (kind, source, value)
) WITHOUT ROWID;

CREATE INDEX servicedesk_record_key_customer ON servicedesk_record_key (customer_id);

CREATE TABLE servicedesk_slot_asked (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  slot_id TEXT,
  starts_at BIGINT,
  ends_at BIGINT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

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
) WITHOUT ROWID;

CREATE INDEX servicedesk_slot_free_owner ON servicedesk_slot_free (owner_id);

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
) WITHOUT ROWID;

CREATE INDEX servicedesk_slot_search_id ON servicedesk_slot_search (id);

CREATE INDEX servicedesk_slot_search_party ON servicedesk_slot_search (party_id);

CREATE INDEX servicedesk_slot_search_place ON servicedesk_slot_search (place_id);

CREATE INDEX servicedesk_slot_search_searched ON servicedesk_slot_search (searched_at);

CREATE TABLE storage_copy (
  name TEXT NOT NULL PRIMARY KEY, after_key TEXT, done BIGINT NOT NULL, finished BOOLEAN NOT NULL
);

CREATE TABLE storage_job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  status TEXT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  message_en TEXT NOT NULL,
  message_zh TEXT NOT NULL,
  result TEXT,
  attempts INTEGER NOT NULL,
  attempts_max INTEGER NOT NULL,
  run_at BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT NOT NULL,
  cancel_requested BOOLEAN NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
, failures INTEGER NOT NULL DEFAULT 0);

CREATE INDEX storage_job_due ON storage_job (run_at, id) WHERE status = 'queued' OR status = 'running';

CREATE INDEX storage_job_failed ON storage_job (id) WHERE status = 'failed';

CREATE INDEX storage_job_recent ON storage_job (kind, id);

CREATE TABLE storage_mark (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  marked_at BIGINT NOT NULL
);

CREATE TABLE storage_node (
  node INTEGER NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);

CREATE TABLE storage_outbox_event (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT
);

CREATE INDEX storage_outbox_event_due ON storage_outbox_event (next_attempt_at, id) WHERE status = 'pending';

CREATE INDEX storage_outbox_event_parked ON storage_outbox_event (id) WHERE status = 'parked';

CREATE TABLE storage_outbox_receipt (
  event_id BIGINT NOT NULL,
  handler TEXT NOT NULL,
  handled_at BIGINT NOT NULL,
  PRIMARY KEY (event_id, handler)
) WITHOUT ROWID;

CREATE TABLE storage_schedule (
  name TEXT NOT NULL PRIMARY KEY,
  next_run_at BIGINT NOT NULL
);

CREATE TABLE storage_server (
  holder TEXT NOT NULL PRIMARY KEY,
  alive_until BIGINT NOT NULL
);

CREATE TABLE tmf_hub (
  id INTEGER PRIMARY KEY,
  api BIGINT NOT NULL,
  client TEXT NOT NULL,
  callback TEXT NOT NULL,
  query TEXT NOT NULL,
  same TEXT NOT NULL,
  salt TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  resumed_at BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  due_at BIGINT,
  lease_owner TEXT NOT NULL,
  lease_until BIGINT NOT NULL
, version BIGINT NOT NULL DEFAULT 4);

CREATE INDEX tmf_hub_api ON tmf_hub (api);

CREATE INDEX tmf_hub_due ON tmf_hub (due_at);

CREATE UNIQUE INDEX tmf_hub_same ON tmf_hub (same);

CREATE TABLE tmf_hub_delivery (
  id INTEGER PRIMARY KEY,
  subscription_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  correlation_id BIGINT NOT NULL,
  event_type TEXT NOT NULL,
  kind TEXT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  event_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  tried_at BIGINT,
  answer BIGINT NOT NULL,
  reason TEXT NOT NULL,
  ended_at BIGINT
, seen_with BIGINT NOT NULL DEFAULT 0);

CREATE INDEX tmf_hub_delivery_lane ON tmf_hub_delivery (subscription_id, state, id);

CREATE INDEX tmf_hub_delivery_log ON tmf_hub_delivery (subscription_id, id);

CREATE INDEX tmf_hub_delivery_open ON tmf_hub_delivery (resource_id, subscription_id) WHERE state IN ('waiting', 'dead');

CREATE INDEX tmf_hub_delivery_state ON tmf_hub_delivery (state, id);

CREATE TABLE tmf_hub_last (
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  document TEXT,
  meets BIGINT NOT NULL,
  rights TEXT NOT NULL,
  pending BIGINT NOT NULL,
  kept_at BIGINT NOT NULL,
  keep_until BIGINT NOT NULL,
  PRIMARY KEY (subscription_id, resource, resource_id)
) WITHOUT ROWID;

CREATE INDEX tmf_hub_last_until ON tmf_hub_last (keep_until);

CREATE TABLE tmf_hub_last_named (
  named_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (named_id, subscription_id, resource, resource_id)
) WITHOUT ROWID;

CREATE INDEX tmf_hub_last_named_of ON tmf_hub_last_named (subscription_id, resource, resource_id);

CREATE TABLE tmf_hub_seen (
  event_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  document TEXT,
  meets BIGINT NOT NULL,
  rights TEXT NOT NULL,
  keep_until BIGINT NOT NULL,
  PRIMARY KEY (event_id, subscription_id, resource, resource_id)
) WITHOUT ROWID;

CREATE INDEX tmf_hub_seen_subscription ON tmf_hub_seen (subscription_id);

CREATE INDEX tmf_hub_seen_until ON tmf_hub_seen (keep_until);

CREATE TABLE tmf_hub_seen_named (
  named_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (named_id, event_id, subscription_id, resource, resource_id)
) WITHOUT ROWID;

CREATE INDEX tmf_hub_seen_named_of ON tmf_hub_seen_named (event_id, subscription_id, resource, resource_id);

CREATE INDEX tmf_hub_seen_named_subscription ON tmf_hub_seen_named (subscription_id);

CREATE TABLE tmf_hub_told (
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (subscription_id, resource, resource_id)
) WITHOUT ROWID;

CREATE TABLE tmf_kept (
  resource TEXT NOT NULL,
  id BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (resource, id)
) WITHOUT ROWID;

CREATE TABLE tmf_kept_value (
  resource TEXT NOT NULL,
  path TEXT NOT NULL,
  value TEXT NOT NULL,
  id BIGINT NOT NULL,
  PRIMARY KEY (resource, path, value, id)
) WITHOUT ROWID;

CREATE INDEX tmf_kept_value_id ON tmf_kept_value (resource, id);

CREATE TABLE usage_block (
  source_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  arrived_week INTEGER NOT NULL,
  level INTEGER NOT NULL,
  slot BIGINT NOT NULL,
  entries INTEGER NOT NULL,
  PRIMARY KEY (source_id, id)
) WITHOUT ROWID;

CREATE TABLE usage_block_bytes (
  id INTEGER PRIMARY KEY,
  bloom BLOB NOT NULL,
  prints BLOB NOT NULL,
  payload BLOB NOT NULL
);

CREATE TABLE usage_consumption (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  state_reason TEXT,
  PRIMARY KEY (customer_id, id)
) WITHOUT ROWID;

CREATE INDEX usage_consumption_asked ON usage_consumption (asked_at);

CREATE INDEX usage_consumption_id ON usage_consumption (id);

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
) WITHOUT ROWID;

CREATE INDEX usage_consumption_bucket_owner ON usage_consumption_bucket (owner_id);

CREATE TABLE usage_consumption_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX usage_consumption_party_owner ON usage_consumption_party (owner_id);

CREATE INDEX usage_consumption_party_party ON usage_consumption_party (party_id);

CREATE TABLE usage_day (
  customer_id BIGINT NOT NULL,
  day TEXT NOT NULL,
  subscription_id BIGINT NOT NULL,
  events BIGINT NOT NULL,
  calls BIGINT NOT NULL,
  voice_ms BIGINT NOT NULL,
  billed_minutes BIGINT NOT NULL,
  dropped_calls BIGINT NOT NULL,
  sms BIGINT NOT NULL,
  sessions BIGINT NOT NULL,
  data_bytes BIGINT NOT NULL,
  roaming_bytes BIGINT NOT NULL,
  roaming_ms BIGINT NOT NULL,
  roaming_sms BIGINT NOT NULL,
  speed_sum BIGINT NOT NULL,
  speed_count BIGINT NOT NULL,
  cells BIGINT NOT NULL,
  PRIMARY KEY (customer_id, day, subscription_id)
) WITHOUT ROWID;

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
) WITHOUT ROWID;

CREATE INDEX usage_record_external ON usage_record (external_id);

CREATE INDEX usage_record_id ON usage_record (id);

CREATE INDEX usage_record_specification ON usage_record (specification_id);

CREATE INDEX usage_record_status ON usage_record (status);

CREATE INDEX usage_record_used ON usage_record (used_at);

CREATE TABLE usage_record_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX usage_record_characteristic_owner ON usage_record_characteristic (owner_id);

CREATE TABLE usage_record_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
) WITHOUT ROWID;

CREATE INDEX usage_record_party_owner ON usage_record_party (owner_id);

CREATE INDEX usage_record_party_party ON usage_record_party (party_id);

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
) WITHOUT ROWID;

CREATE INDEX usage_record_rating_owner ON usage_record_rating (owner_id);

CREATE INDEX usage_record_rating_product ON usage_record_rating (product_id);

CREATE TABLE usage_reject (
  run_id BIGINT NOT NULL,
  line BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  code TEXT NOT NULL, event_id TEXT,
  PRIMARY KEY (run_id, line)
) WITHOUT ROWID;

CREATE TABLE usage_run (
  id INTEGER PRIMARY KEY,
  source_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size BIGINT NOT NULL,
  mapping TEXT NOT NULL,
  state TEXT NOT NULL,
  worker TEXT NOT NULL,
  chunk BIGINT NOT NULL,
  records BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  duplicate BIGINT NOT NULL,
  corrected BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  unmatched BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL,
  finished_at BIGINT,
  created_by_name TEXT NOT NULL
);

CREATE INDEX usage_run_file ON usage_run (source_id, digest);

CREATE TABLE usage_source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revision BIGINT NOT NULL
, waiting BIGINT NOT NULL DEFAULT 0);

CREATE UNIQUE INDEX usage_source_name ON usage_source (name);

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
) WITHOUT ROWID;

CREATE INDEX usage_specification_changed ON usage_specification (changed_at);

CREATE INDEX usage_specification_name ON usage_specification (name);

CREATE INDEX usage_specification_status ON usage_specification (lifecycle_status);

CREATE TABLE usage_tariff (
  name TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  plans TEXT NOT NULL,
  currency TEXT NOT NULL,
  fee BIGINT NOT NULL,
  minutes BIGINT NOT NULL,
  messages BIGINT NOT NULL,
  megabytes BIGINT NOT NULL,
  per_minute BIGINT NOT NULL,
  per_message BIGINT NOT NULL,
  per_gigabyte BIGINT NOT NULL,
  voice_rounding TEXT NOT NULL,
  data_step_mb BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  changed_by_name TEXT NOT NULL,
  PRIMARY KEY (name, valid_from)
) WITHOUT ROWID;

CREATE TABLE usage_unmatched (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  naming TEXT NOT NULL,
  line TEXT NOT NULL,
  event BLOB NOT NULL,
  arrived_at BIGINT NOT NULL, run_id BIGINT,
  PRIMARY KEY (source_id, fingerprint)
) WITHOUT ROWID;

CREATE INDEX usage_unmatched_arrival ON usage_unmatched (arrived_at);

CREATE INDEX usage_unmatched_line ON usage_unmatched (naming, line);

CREATE TABLE usage_waiting (
  source_id BIGINT NOT NULL,
  naming TEXT NOT NULL,
  line TEXT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (source_id, naming, line)
) WITHOUT ROWID;

CREATE INDEX usage_waiting_most ON usage_waiting (events, source_id, naming, line);
