-- Changes and monthly use are kept in months (ADR 0013). The tables of before become the default partitions as they are: no
-- row is copied. Upkeep moves their rows into their months.
ALTER TABLE customers_change RENAME TO customers_change_default;

ALTER INDEX customers_change_pkey RENAME TO customers_change_default_pkey;

CREATE TABLE customers_change (LIKE customers_change_default INCLUDING DEFAULTS) PARTITION BY RANGE (id);

ALTER TABLE customers_change ADD PRIMARY KEY (customer_id, id);

ALTER TABLE customers_change ATTACH PARTITION customers_change_default DEFAULT;

ALTER TABLE customers_usage_month RENAME TO customers_usage_month_default;

ALTER INDEX customers_usage_month_pkey RENAME TO customers_usage_month_default_pkey;

CREATE TABLE customers_usage_month (LIKE customers_usage_month_default INCLUDING DEFAULTS) PARTITION BY RANGE (month);

ALTER TABLE customers_usage_month ADD PRIMARY KEY (customer_id, subscription_id, month);

ALTER TABLE customers_usage_month ATTACH PARTITION customers_usage_month_default DEFAULT;
