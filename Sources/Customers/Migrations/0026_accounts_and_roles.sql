-- What programs say of accounts besides (TMF666). An account that a program has touched has an edition: an import that is taken back
-- leaves it alone.
ALTER TABLE customers_account ADD COLUMN account_type TEXT;

ALTER TABLE customers_account ADD COLUMN description TEXT;

ALTER TABLE customers_account ADD COLUMN payment_status TEXT;

ALTER TABLE customers_account ADD COLUMN modified_at BIGINT;

ALTER TABLE customers_account ADD COLUMN credit_limit BIGINT;

ALTER TABLE customers_account ADD COLUMN credit_currency TEXT;

ALTER TABLE customers_account ADD COLUMN payment_method_id TEXT;

ALTER TABLE customers_account ADD COLUMN financial_id TEXT;

ALTER TABLE customers_account ADD COLUMN financial_name TEXT;

ALTER TABLE customers_account ADD COLUMN cycle_id TEXT;

ALTER TABLE customers_account ADD COLUMN cycle_name TEXT;

ALTER TABLE customers_account ADD COLUMN format_id TEXT;

ALTER TABLE customers_account ADD COLUMN format_name TEXT;

ALTER TABLE customers_account ADD COLUMN edition BIGINT;

CREATE INDEX customers_account_id ON customers_account (id);

CREATE INDEX customers_account_kind ON customers_account (kind, id);

CREATE INDEX customers_account_status ON customers_account (status, kind, id);

CREATE INDEX customers_account_number ON customers_account (number);

-- Sources that name no account give it a number only.
CREATE INDEX customers_account_name ON customers_account (COALESCE(name, number), id);

CREATE INDEX customers_account_kind_name ON customers_account (kind, COALESCE(name, number), id);

CREATE INDEX customers_account_financial ON customers_account (financial_id) WHERE financial_id IS NOT NULL;

CREATE INDEX customers_account_cycle ON customers_account (cycle_id) WHERE cycle_id IS NOT NULL;

CREATE INDEX customers_account_format ON customers_account (format_id) WHERE format_id IS NOT NULL;

-- An account of money that others sum up to (TMF666 financialAccount). customer_id is its party's, 0 = nobody's of ours.
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
);

CREATE INDEX customers_financial_account_id ON customers_financial_account (id);

CREATE INDEX customers_financial_account_name ON customers_financial_account (name, id);

CREATE INDEX customers_financial_account_state ON customers_financial_account (state, id);

-- Parts of accounts of either table: ids are nobody else's. Parties here are those that customers_account_role cannot hold.
CREATE TABLE customers_account_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_account_party_owner ON customers_account_party (owner_id);

CREATE INDEX customers_account_party_party ON customers_account_party (party_id);

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
);

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
);

CREATE INDEX customers_account_contact_medium_owner ON customers_account_contact_medium (owner_id);

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
);

CREATE INDEX customers_account_tax_owner ON customers_account_tax (owner_id);

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
);

CREATE INDEX customers_account_relation_owner ON customers_account_relation (owner_id);

CREATE INDEX customers_account_relation_account ON customers_account_relation (account_id);

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
);

CREATE INDEX customers_account_plan_owner ON customers_account_plan (owner_id);

CREATE TABLE customers_account_media (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  media_id TEXT,
  name TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_account_media_owner ON customers_account_media (owner_id);

CREATE INDEX customers_account_media_media ON customers_account_media (media_id);

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
);

CREATE INDEX customers_financial_balance_owner ON customers_financial_balance (owner_id);

-- How bills are made out: no customer's, few.
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
);

CREATE INDEX customers_bill_cycle_name ON customers_bill_cycle (name, id);

CREATE TABLE customers_bill_format (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (id)
);

CREATE INDEX customers_bill_format_name ON customers_bill_format (name, id);

CREATE TABLE customers_bill_media (
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (id)
);

CREATE INDEX customers_bill_media_name ON customers_bill_media (name, id);

-- Parts that parties play besides being customers (TMF669). customer_id is the party's, who need not be a customer.
CREATE TABLE customers_party_role (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT,
  valid_from BIGINT,
  valid_to BIGINT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX customers_party_role_id ON customers_party_role (id);

CREATE INDEX customers_party_role_name ON customers_party_role (name, id);

CREATE INDEX customers_party_role_status ON customers_party_role (status, id);

CREATE TABLE customers_party_role_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_party_role_party_owner ON customers_party_role_party (owner_id);

CREATE INDEX customers_party_role_party_party ON customers_party_role_party (party_id);

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
);

CREATE INDEX customers_party_role_medium_owner ON customers_party_role_medium (owner_id);

CREATE TABLE customers_party_role_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT,
  value TEXT,
  value_type TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_party_role_characteristic_owner ON customers_party_role_characteristic (owner_id);

-- What a party role names by reference: accounts, agreements, ways to pay.
CREATE TABLE customers_party_role_account (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  account_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_party_role_account_owner ON customers_party_role_account (owner_id);

CREATE INDEX customers_party_role_account_account ON customers_party_role_account (account_id);

CREATE TABLE customers_party_role_agreement (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  agreement_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_party_role_agreement_owner ON customers_party_role_agreement (owner_id);

CREATE INDEX customers_party_role_agreement_agreement ON customers_party_role_agreement (agreement_id);

CREATE TABLE customers_party_role_payment (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  method_id TEXT,
  name TEXT,
  more TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX customers_party_role_payment_owner ON customers_party_role_payment (owner_id);

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
);

CREATE INDEX customers_party_role_credit_owner ON customers_party_role_credit (owner_id);
