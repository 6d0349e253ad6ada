-- Quotes (TMF648): what something would cost a customer, until when.
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
);

CREATE INDEX orders_quote_id ON orders_quote (id);

CREATE INDEX orders_quote_external ON orders_quote (external_id);

CREATE INDEX orders_quote_state ON orders_quote (state, id);

CREATE INDEX orders_quote_quoted ON orders_quote (quoted_at, id);

CREATE TABLE orders_quote_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_quote_party_owner ON orders_quote_party (owner_id);

CREATE INDEX orders_quote_party_party ON orders_quote_party (party_id);

CREATE TABLE orders_quote_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_quote_note_owner ON orders_quote_note (owner_id);

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
);

CREATE INDEX orders_quote_item_owner ON orders_quote_item (owner_id);

CREATE INDEX orders_quote_item_offering ON orders_quote_item (offering_id);

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
);

CREATE INDEX orders_quote_item_price_owner ON orders_quote_item_price (owner_id);

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
);

CREATE INDEX orders_quote_total_owner ON orders_quote_total (owner_id);

CREATE TABLE orders_quote_approval (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  state TEXT,
  approved_at BIGINT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_quote_approval_owner ON orders_quote_approval (owner_id);

-- Agreements with customers (TMF651).
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
);

CREATE INDEX orders_agreement_id ON orders_agreement (id);

CREATE INDEX orders_agreement_name ON orders_agreement (name, id);

CREATE INDEX orders_agreement_agreement_type ON orders_agreement (agreement_type, id);

CREATE INDEX orders_agreement_status ON orders_agreement (status);

CREATE INDEX orders_agreement_document_number ON orders_agreement (document_number);

CREATE INDEX orders_agreement_specified ON orders_agreement (specification_id);

CREATE TABLE orders_agreement_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_agreement_party_owner ON orders_agreement_party (owner_id);

CREATE INDEX orders_agreement_party_party ON orders_agreement_party (party_id);

CREATE TABLE orders_agreement_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_agreement_item_owner ON orders_agreement_item (owner_id);

CREATE TABLE orders_agreement_product (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  product_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
);

CREATE INDEX orders_agreement_product_owner ON orders_agreement_product (owner_id);

CREATE INDEX orders_agreement_product_product ON orders_agreement_product (product_id);

CREATE TABLE orders_agreement_offering (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
);

CREATE INDEX orders_agreement_offering_owner ON orders_agreement_offering (owner_id);

CREATE INDEX orders_agreement_offering_offering ON orders_agreement_offering (offering_id);

CREATE TABLE orders_agreement_term (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  term_id TEXT,
  description TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
);

CREATE INDEX orders_agreement_term_owner ON orders_agreement_term (owner_id);

CREATE TABLE orders_agreement_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_agreement_characteristic_owner ON orders_agreement_characteristic (owner_id);

CREATE INDEX orders_agreement_characteristic_name ON orders_agreement_characteristic (name);
