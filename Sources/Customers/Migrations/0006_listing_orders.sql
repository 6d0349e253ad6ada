-- The index of a filter goes on in the order that goes together with it: customers of one plan have much the same charge, those of
-- one band much the same risk, so that a walk of that order from its far end would pass everybody else first.
DROP INDEX customers_listing_status;

CREATE INDEX customers_listing_status ON customers_listing (status, risk, customer_id);

DROP INDEX customers_listing_tier;

CREATE INDEX customers_listing_tier ON customers_listing (tier, value_score, customer_id);

DROP INDEX customers_listing_plan;

CREATE INDEX customers_listing_plan ON customers_listing (plan, monthly_charge, customer_id);

DROP INDEX customers_listing_band;

CREATE INDEX customers_listing_band ON customers_listing (band, risk, customer_id);

DROP INDEX customers_listing_left;

CREATE INDEX customers_listing_left ON customers_listing (leave_reason, risk, customer_id) WHERE leave_reason <> '';

CREATE INDEX customers_listing_kind ON customers_listing (kind, monthly_charge, customer_id);

-- What goes together with the charge and the value too is kept in their indexes, so that a walk that passes many rows need not
-- look at each of them.
DROP INDEX customers_listing_charge;

CREATE INDEX customers_listing_charge ON customers_listing (monthly_charge, customer_id, tier);

DROP INDEX customers_listing_value;

CREATE INDEX customers_listing_value ON customers_listing (value_score, customer_id, kind);
