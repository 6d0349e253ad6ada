-- SIM and device of a line: the card's number (ITU-T E.118), the subscriber identity (E.212), the device's number
-- (3GPP TS 23.003) and what the device is called.
ALTER TABLE customers_subscription ADD COLUMN iccid TEXT;

ALTER TABLE customers_subscription ADD COLUMN imsi TEXT;

ALTER TABLE customers_subscription ADD COLUMN imei TEXT;

ALTER TABLE customers_subscription ADD COLUMN device TEXT;

-- Counts every write of the customer and never goes back: what forms are checked against. The revision goes back when
-- an import is reverted.
ALTER TABLE customers_customer ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;

-- What was changed about a customer, for the timeline. cause: edit, import, departure, return, line. Statuses are set
-- when the lifecycle moved; fields are keys, comma-separated, and hold no values. Of imports only moves of the lifecycle.
CREATE TABLE customers_change (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  cause TEXT NOT NULL,
  from_status TEXT,
  to_status TEXT,
  fields TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);
