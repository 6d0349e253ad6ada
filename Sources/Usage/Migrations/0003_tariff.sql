-- What a month of a plan costs from a month on: a fee, what it includes, what is beyond. plans: names of plans it is for, one a
-- line; * stands for every plan no other is for. Prices beyond in thousandths of a minor unit. valid_from: YYYY-MM, empty = always.
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
);
