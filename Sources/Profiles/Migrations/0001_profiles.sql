-- What is counted. A counter that is given another meaning begins a new series. No row: the counters of the product.
CREATE TABLE profiles_counter (
  id BIGINT NOT NULL PRIMARY KEY,
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

-- Where events come from. Who changes the revision holds the source till the end of the transaction.
CREATE TABLE profiles_source (
  id BIGINT NOT NULL PRIMARY KEY,
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

-- Ids of events that were accepted, as fingerprints, for 100 days. arrived_day: days since 1970-01-01.
CREATE TABLE profiles_seen (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  arrived_day INTEGER NOT NULL,
  PRIMARY KEY (source_id, fingerprint)
);

CREATE INDEX profiles_seen_arrival ON profiles_seen (arrived_day);

-- Events of customers nobody knows yet, with those of their attributes that a counter looks at.
CREATE TABLE profiles_waiting (
  source_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  naming TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  event TEXT NOT NULL,
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (source_id, fingerprint)
);

CREATE INDEX profiles_waiting_name ON profiles_waiting (naming, customer_name);

CREATE INDEX profiles_waiting_arrival ON profiles_waiting (arrived_at);

-- One day of a customer's counter. day: YYYY-MM-DD in the tenant's zone; amount, last_amount: thousandths;
-- sketch: different values, hashes up to 64, else registers (ADR 0040).
CREATE TABLE profiles_bucket (
  customer_id BIGINT NOT NULL,
  series_id BIGINT NOT NULL,
  day TEXT NOT NULL,
  events BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  last_amount BIGINT NOT NULL,
  sketch BYTEA,
  PRIMARY KEY (customer_id, series_id, day)
);

CREATE INDEX profiles_bucket_day ON profiles_bucket (day);
