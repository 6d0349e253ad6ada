-- Which version of an interface a subscription is told in: 4 or 5.
ALTER TABLE tmf_hub ADD COLUMN version BIGINT NOT NULL DEFAULT 4;
