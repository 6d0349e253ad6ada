-- Whether a record is shown with an older one as one customer (a merge is a link): lists, figures and selections have each
-- customer once.
ALTER TABLE customers_listing ADD COLUMN behind BOOLEAN NOT NULL DEFAULT FALSE;
