-- Monthly use is kept in months (ADR 0013). The table of before becomes the default partition as it is: no row is copied.
-- Upkeep moves its rows into their months.
ALTER TABLE customers_usage_month RENAME TO customers_usage_month_default;

ALTER INDEX customers_usage_month_pkey RENAME TO customers_usage_month_default_pkey;

CREATE TABLE customers_usage_month (LIKE customers_usage_month_default INCLUDING DEFAULTS) PARTITION BY RANGE (month);

ALTER TABLE customers_usage_month ADD PRIMARY KEY (customer_id, subscription_id, month);

ALTER TABLE customers_usage_month ATTACH PARTITION customers_usage_month_default DEFAULT;
