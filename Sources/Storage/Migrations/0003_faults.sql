-- What failed is few among many and is counted by pages and by /readyz.
CREATE INDEX storage_outbox_event_parked ON storage_outbox_event (id) WHERE status = 'parked';

CREATE INDEX storage_job_failed ON storage_job (id) WHERE status = 'failed';
