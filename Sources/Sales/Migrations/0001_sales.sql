-- Sales leads (TMF699). customer_id: the customer who is named, 0 = a prospect who is none yet.
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
);

CREATE INDEX sales_lead_id ON sales_lead (id);

CREATE INDEX sales_lead_name ON sales_lead (name);

CREATE INDEX sales_lead_status ON sales_lead (status);

CREATE INDEX sales_lead_status_changed ON sales_lead (status_changed_at);

CREATE INDEX sales_lead_created ON sales_lead (created_at);

CREATE INDEX sales_lead_priority ON sales_lead (priority);

CREATE INDEX sales_lead_rating ON sales_lead (rating);

CREATE INDEX sales_lead_category ON sales_lead (category_id);

CREATE INDEX sales_lead_channel ON sales_lead (channel_id);

CREATE INDEX sales_lead_campaign ON sales_lead (campaign_id);

CREATE INDEX sales_lead_offering ON sales_lead (offering_id);

CREATE INDEX sales_lead_opportunity ON sales_lead (opportunity_id);

CREATE TABLE sales_lead_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX sales_lead_party_owner ON sales_lead_party (owner_id);

CREATE INDEX sales_lead_party_party ON sales_lead_party (party_id);

CREATE TABLE sales_lead_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX sales_lead_note_owner ON sales_lead_note (owner_id);

-- How a prospect is reached (TMF699 prospectContact).
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
);

CREATE INDEX sales_lead_contact_owner ON sales_lead_contact (owner_id);

CREATE INDEX sales_lead_contact_phone ON sales_lead_contact (phone);

CREATE INDEX sales_lead_contact_email ON sales_lead_contact (email);
