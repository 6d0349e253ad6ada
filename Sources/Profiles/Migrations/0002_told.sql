-- What other domains told of a customer and was counted, so that it can be taken back when what it tells of is (an import that is
-- reverted): for 100 days, as its id in profiles_seen. event: kind, time and attributes (ADR 0051).
CREATE TABLE profiles_told (
  customer_id BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL,
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  event TEXT NOT NULL,
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, fingerprint)
);

CREATE INDEX profiles_told_arrival ON profiles_told (arrived_at);

-- The counter sums billed minutes now, as Usage does; where somebody stored the product's own counters its name still says otherwise.
UPDATE profiles_counter SET title_en = 'Billed minutes', title_zh = '计费分钟'
WHERE name = 'minutes_called' AND title_en = 'Minutes called';
