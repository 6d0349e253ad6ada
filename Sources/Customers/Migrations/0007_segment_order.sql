-- Customers of one segment have much the same charge, as those of one plan have: see 0006.
DROP INDEX customers_listing_segment;

CREATE INDEX customers_listing_segment ON customers_listing (segment, monthly_charge, customer_id);
