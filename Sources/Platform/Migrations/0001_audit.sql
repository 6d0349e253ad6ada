-- Who did or saw what, when, why and from where. The application never updates or deletes here.
CREATE TABLE platform_audit_event (
  id BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  roles TEXT NOT NULL,
  action TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  unmasked TEXT NOT NULL,
  facts TEXT NOT NULL,
  refused BOOLEAN NOT NULL
);

CREATE INDEX platform_audit_event_actor ON platform_audit_event (actor_id, id);

CREATE INDEX platform_audit_event_action ON platform_audit_event (action, id);

-- The customers (users, imports, ...) an event is about; keyed by the subject, so that it lies beside the customer.
CREATE TABLE platform_audit_subject (
  subject_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  subject_kind TEXT NOT NULL,
  PRIMARY KEY (subject_id, event_id)
);
