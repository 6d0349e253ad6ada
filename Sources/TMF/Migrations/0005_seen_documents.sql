-- What a resource was after one change, as each subscription that is told of it sees it, until it was sent (ADR 0079).
CREATE TABLE tmf_hub_seen (
  -- Of the outbox.
  event_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  -- NULL = it does not meet the conditions, or somebody whom it names was erased, or it has waited too long.
  document TEXT,
  -- Whether it meets the conditions of the subscription.
  meets BIGINT NOT NULL,
  -- A digest of the rights and regions it was read with.
  rights TEXT NOT NULL,
  -- It is let go then in any case.
  keep_until BIGINT NOT NULL,
  PRIMARY KEY (event_id, subscription_id, resource, resource_id)
);

CREATE INDEX tmf_hub_seen_until ON tmf_hub_seen (keep_until);

CREATE INDEX tmf_hub_seen_subscription ON tmf_hub_seen (subscription_id);

-- Which persons, organisations and other things such a document names: what has to go when one of them is erased.
CREATE TABLE tmf_hub_seen_named (
  named_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (named_id, event_id, subscription_id, resource, resource_id)
);

CREATE INDEX tmf_hub_seen_named_of ON tmf_hub_seen_named (event_id, subscription_id, resource, resource_id);

CREATE INDEX tmf_hub_seen_named_subscription ON tmf_hub_seen_named (subscription_id);

-- The event of the outbox with which its document was seen; 0 = it is read when it is sent.
ALTER TABLE tmf_hub_delivery ADD COLUMN seen_with BIGINT NOT NULL DEFAULT 0;
