-- Catalogues (TMF620): what is offered, grouped for those who sell it.
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
);

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
);

CREATE INDEX catalog_catalog_category_category ON catalog_catalog_category (category_id);

CREATE TABLE catalog_catalog_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_catalog_party_party ON catalog_catalog_party (party_id);

-- Categories, a tree by parent_id. Ids in references are text: a client may name what lies elsewhere.
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
);

CREATE INDEX catalog_category_name ON catalog_category (name, id);

CREATE INDEX catalog_category_status ON catalog_category (status, id);

CREATE INDEX catalog_category_updated ON catalog_category (updated_at, id);

CREATE INDEX catalog_category_parent ON catalog_category (parent_id);

CREATE TABLE catalog_category_child (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category_id TEXT,
  name TEXT,
  version TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_category_child_category ON catalog_category_child (category_id);

CREATE TABLE catalog_category_offering (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_category_offering_offering ON catalog_category_offering (offering_id);

-- Product specifications: what a product is, by its characteristics.
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
);

CREATE INDEX catalog_specification_name ON catalog_specification (name, id);

CREATE INDEX catalog_specification_status ON catalog_specification (status, id);

CREATE INDEX catalog_specification_updated ON catalog_specification (updated_at, id);

CREATE INDEX catalog_specification_product_number ON catalog_specification (product_number);

CREATE TABLE catalog_specification_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_specification_party_party ON catalog_specification_party (party_id);

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
);

CREATE INDEX catalog_specification_characteristic_name ON catalog_specification_characteristic (name);

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
);

CREATE TABLE catalog_specification_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  specification_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_specification_relationship_specification ON catalog_specification_relationship (specification_id);

CREATE TABLE catalog_specification_bundle (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  specification_id TEXT,
  name TEXT,
  status TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_specification_bundle_specification ON catalog_specification_bundle (specification_id);

-- Prices of offerings: once, again and again, or by use. Amounts in minor units.
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
);

CREATE INDEX catalog_price_name ON catalog_price (name, id);

CREATE INDEX catalog_price_status ON catalog_price (status, id);

CREATE INDEX catalog_price_updated ON catalog_price (updated_at, id);

CREATE INDEX catalog_price_price_type ON catalog_price (price_type);

CREATE TABLE catalog_price_tax (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category TEXT,
  rate DOUBLE PRECISION,
  amount_minor BIGINT,
  currency TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE TABLE catalog_price_bundle (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_price_bundle_price ON catalog_price_bundle (price_id);

CREATE TABLE catalog_price_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_price_relationship_price ON catalog_price_relationship (price_id);

-- Product offerings: what can be sold.
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
);

CREATE INDEX catalog_offering_name ON catalog_offering (name, id);

CREATE INDEX catalog_offering_status ON catalog_offering (status, id);

CREATE INDEX catalog_offering_updated ON catalog_offering (updated_at, id);

CREATE INDEX catalog_offering_specification ON catalog_offering (specification_id);

CREATE TABLE catalog_offering_category (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  category_id TEXT,
  name TEXT,
  version TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_category_category ON catalog_offering_category (category_id);

CREATE TABLE catalog_offering_price (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  price_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_price_price ON catalog_offering_price (price_id);

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
);

CREATE INDEX catalog_offering_bundle_offering ON catalog_offering_bundle (offering_id);

CREATE TABLE catalog_offering_relationship (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  relationship_type TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_relationship_offering ON catalog_offering_relationship (offering_id);

CREATE TABLE catalog_offering_channel (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_channel_channel ON catalog_offering_channel (channel_id);

CREATE TABLE catalog_offering_segment (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  segment_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_segment_segment ON catalog_offering_segment (segment_id);

CREATE TABLE catalog_offering_place (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  place_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX catalog_offering_place_place ON catalog_offering_place (place_id);

CREATE TABLE catalog_offering_term (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  duration BIGINT,
  units TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);
