-- The newest of a status: without it all of them are sorted for each page.
CREATE INDEX servicedesk_case_newest ON servicedesk_case (status, opened_at, id);

-- The newest of several, in one order.
DROP INDEX servicedesk_case_opened;

CREATE INDEX servicedesk_case_opened ON servicedesk_case (opened_at, id);
