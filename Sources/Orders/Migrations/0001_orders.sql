-- Product orders (TMF622). customer_id 0 = nobody's of ours.
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
);

CREATE INDEX orders_order_id ON orders_order (id);

CREATE INDEX orders_order_external ON orders_order (external_id);

CREATE INDEX orders_order_state ON orders_order (state, id);

CREATE INDEX orders_order_ordered ON orders_order (ordered_at, id);

CREATE INDEX orders_order_billing_account ON orders_order (billing_account_id);

CREATE TABLE orders_order_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_order_party_owner ON orders_order_party (owner_id);

CREATE INDEX orders_order_party_party ON orders_order_party (party_id);

CREATE TABLE orders_order_note (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  note_id TEXT,
  author TEXT,
  written_at BIGINT,
  text TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_order_note_owner ON orders_order_note (owner_id);

CREATE TABLE orders_order_channel (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel_id TEXT,
  name TEXT,
  role TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_order_channel_owner ON orders_order_channel (owner_id);

CREATE INDEX orders_order_channel_channel ON orders_order_channel (channel_id);

CREATE TABLE orders_order_quote (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  quote_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_order_quote_owner ON orders_order_quote (owner_id);

CREATE INDEX orders_order_quote_quote ON orders_order_quote (quote_id);

-- The items of orders. What no column names, and items inside of items, are in more.
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
);

CREATE INDEX orders_item_owner ON orders_item (owner_id);

CREATE INDEX orders_item_state ON orders_item (state);

CREATE INDEX orders_item_product ON orders_item (product_id);

CREATE INDEX orders_item_offering ON orders_item (offering_id);

CREATE TABLE orders_item_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  PRIMARY KEY (customer_id, owner_id, item, place)
);

CREATE INDEX orders_item_characteristic_owner ON orders_item_characteristic (owner_id);

-- Orders that somebody wants cancelled (TMF622 cancelProductOrder), and what came of it.
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
);

CREATE INDEX orders_cancellation_id ON orders_cancellation (id);

CREATE INDEX orders_cancellation_order ON orders_cancellation (order_id);

CREATE INDEX orders_cancellation_state ON orders_cancellation (state, id);

CREATE INDEX orders_cancellation_created ON orders_cancellation (created_at, id);

-- Products that customers have (TMF637).
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
);

CREATE INDEX orders_product_id ON orders_product (id);

CREATE INDEX orders_product_name ON orders_product (name);

CREATE INDEX orders_product_status ON orders_product (status, id);

CREATE INDEX orders_product_serial_number ON orders_product (serial_number);

CREATE INDEX orders_product_offering ON orders_product (offering_id);

CREATE INDEX orders_product_specification ON orders_product (specification_id);

CREATE INDEX orders_product_billing_account ON orders_product (billing_account_id);

CREATE INDEX orders_product_started ON orders_product (started_at);

CREATE TABLE orders_product_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_product_party_owner ON orders_product_party (owner_id);

CREATE INDEX orders_product_party_party ON orders_product_party (party_id);

CREATE TABLE orders_product_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX orders_product_characteristic_owner ON orders_product_characteristic (owner_id);

CREATE INDEX orders_product_characteristic_name ON orders_product_characteristic (name);

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
);

CREATE INDEX orders_product_price_owner ON orders_product_price (owner_id);

CREATE TABLE orders_product_relation (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  relationship_type TEXT,
  product_id TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

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
);

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
);

CREATE INDEX orders_product_service_owner ON orders_product_service (owner_id);

CREATE INDEX orders_product_service_service ON orders_product_service (service_id);

-- The items of orders that made a product what it is.
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
);

CREATE INDEX orders_product_origin_owner ON orders_product_origin (owner_id);

CREATE INDEX orders_product_origin_order ON orders_product_origin (order_id);
