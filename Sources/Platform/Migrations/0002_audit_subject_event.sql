-- The audit page lists events with whom they are about; the key of the table begins with the subject.
CREATE INDEX platform_audit_subject_event ON platform_audit_subject (event_id);
