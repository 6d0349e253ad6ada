-- An account of a customer, its holder (TMF666): a household account, the one that is billed, the one a service runs on. Its
-- number is that of the source; an account may stand below another one of the same source.
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
  source TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

-- Who else has to do with an account: who pays, who uses it, who looks after it. It lies with that party; the account lies
-- with its holder.
CREATE TABLE customers_account_role (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  holder_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  role TEXT NOT NULL,
  valid_from TEXT,
  valid_to TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX customers_account_role_holder ON customers_account_role (holder_id, account_id);

-- How sources name records of customers: (kind, source, key there) -> where the record lies.
CREATE TABLE customers_record_key (
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  customer_id BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (kind, source, value)
);

CREATE INDEX customers_record_key_customer ON customers_record_key (customer_id);

-- What bills and payments are called at their source, the account they are of, how it was paid, and which bill.
ALTER TABLE customers_charge ADD COLUMN number TEXT;

ALTER TABLE customers_charge ADD COLUMN account_number TEXT;

ALTER TABLE customers_charge ADD COLUMN bill_number TEXT;

ALTER TABLE customers_charge ADD COLUMN method TEXT;

-- physical or esim.
ALTER TABLE customers_subscription ADD COLUMN sim_kind TEXT;
