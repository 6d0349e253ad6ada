-- The audit log is kept in months (ADR 0013). The tables of before become the default partitions as they are: no row is
-- copied. Upkeep moves their rows into their months.
ALTER TABLE platform_audit_event RENAME TO platform_audit_event_default;

ALTER INDEX platform_audit_event_pkey RENAME TO platform_audit_event_default_pkey;

ALTER INDEX platform_audit_event_actor RENAME TO platform_audit_event_default_actor;

ALTER INDEX platform_audit_event_action RENAME TO platform_audit_event_default_action;

CREATE TABLE platform_audit_event (LIKE platform_audit_event_default INCLUDING DEFAULTS) PARTITION BY RANGE (id);

ALTER TABLE platform_audit_event ADD PRIMARY KEY (id);

CREATE INDEX platform_audit_event_actor ON platform_audit_event (actor_id, id);

CREATE INDEX platform_audit_event_action ON platform_audit_event (action, id);

ALTER TABLE platform_audit_event ATTACH PARTITION platform_audit_event_default DEFAULT;

ALTER TABLE platform_audit_subject RENAME TO platform_audit_subject_default;

ALTER INDEX platform_audit_subject_pkey RENAME TO platform_audit_subject_default_pkey;

ALTER INDEX platform_audit_subject_event RENAME TO platform_audit_subject_default_event;

CREATE TABLE platform_audit_subject (LIKE platform_audit_subject_default INCLUDING DEFAULTS) PARTITION BY RANGE (event_id);

ALTER TABLE platform_audit_subject ADD PRIMARY KEY (subject_id, event_id);

CREATE INDEX platform_audit_subject_event ON platform_audit_subject (event_id);

ALTER TABLE platform_audit_subject ATTACH PARTITION platform_audit_subject_default DEFAULT;
