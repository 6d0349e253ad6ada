-- What agreements are made from (TMF651 agreementSpecification): no customer's, few.
CREATE TABLE orders_agreement_specification (
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
);

CREATE INDEX orders_agreement_specification_name ON orders_agreement_specification (name, id);

CREATE INDEX orders_agreement_specification_status ON orders_agreement_specification (status);

CREATE INDEX orders_agreement_specification_updated ON orders_agreement_specification (updated_at, id);

CREATE TABLE orders_agreement_specification_attachment (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  url TEXT,
  mime_type TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE TABLE orders_agreement_specification_characteristic (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (owner_id, place)
);
