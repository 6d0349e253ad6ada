-- The last document of a resource that was removed, as each subscription that is told of it sees it, until it was sent (ADR 0072).
CREATE TABLE tmf_hub_last (
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  -- NULL = the person was erased, or it has waited too long: events name the record and no more.
  document TEXT,
  -- Whether it meets the conditions of the subscription.
  meets BIGINT NOT NULL,
  -- A digest of the rights and regions it was read with.
  rights TEXT NOT NULL,
  -- Removals that the hub has not heard of yet.
  pending BIGINT NOT NULL,
  kept_at BIGINT NOT NULL,
  -- The document is let go then in any case.
  keep_until BIGINT NOT NULL,
  PRIMARY KEY (subscription_id, resource, resource_id)
);

CREATE INDEX tmf_hub_last_until ON tmf_hub_last (keep_until);

-- Which persons, organisations and other things a last document names: what has to go when one of them is erased.
CREATE TABLE tmf_hub_last_named (
  named_id BIGINT NOT NULL,
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (named_id, subscription_id, resource, resource_id)
);

CREATE INDEX tmf_hub_last_named_of ON tmf_hub_last_named (subscription_id, resource, resource_id);

-- Whether anything of a resource is still to be sent to a subscription.
CREATE INDEX tmf_hub_delivery_open ON tmf_hub_delivery (resource_id, subscription_id) WHERE state IN ('waiting', 'dead');
