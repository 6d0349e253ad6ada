-- Events and receipts are kept in months (ADR 0013). The table of before becomes the default partition as it is: no row is
-- copied, and its indexes are taken over by those of the whole. Upkeep moves its rows into their months.
ALTER TABLE storage_outbox_event RENAME TO storage_outbox_event_default;

ALTER INDEX storage_outbox_event_pkey RENAME TO storage_outbox_event_default_pkey;

ALTER INDEX storage_outbox_event_due RENAME TO storage_outbox_event_default_due;

ALTER INDEX storage_outbox_event_parked RENAME TO storage_outbox_event_default_parked;

CREATE TABLE storage_outbox_event (LIKE storage_outbox_event_default INCLUDING DEFAULTS) PARTITION BY RANGE (id);

ALTER TABLE storage_outbox_event ADD PRIMARY KEY (id);

CREATE INDEX storage_outbox_event_due ON storage_outbox_event (next_attempt_at, id) WHERE status = 'pending';

CREATE INDEX storage_outbox_event_parked ON storage_outbox_event (id) WHERE status = 'parked';

ALTER TABLE storage_outbox_event ATTACH PARTITION storage_outbox_event_default DEFAULT;

ALTER TABLE storage_outbox_receipt RENAME TO storage_outbox_receipt_default;

ALTER INDEX storage_outbox_receipt_pkey RENAME TO storage_outbox_receipt_default_pkey;

CREATE TABLE storage_outbox_receipt (LIKE storage_outbox_receipt_default INCLUDING DEFAULTS) PARTITION BY RANGE (event_id);

ALTER TABLE storage_outbox_receipt ADD PRIMARY KEY (event_id, handler);

ALTER TABLE storage_outbox_receipt ATTACH PARTITION storage_outbox_receipt_default DEFAULT;
