-- Contacts in the order in which they were made known (TMF683); of those that an import brought that is when they happened.
CREATE INDEX servicedesk_interaction_created ON servicedesk_interaction ((COALESCE(created_at, happened_at)));
