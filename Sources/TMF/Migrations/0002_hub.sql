-- Who has asked to be told of changes of resources, what each is to be told, and what became of it (ADR 0057).
CREATE TABLE tmf_hub (
  id BIGINT NOT NULL PRIMARY KEY,
  api BIGINT NOT NULL,
  -- The client's name as the audit has it.
  client TEXT NOT NULL,
  callback TEXT NOT NULL,
  query TEXT NOT NULL,
  -- A digest of client, interface, callback and query: nobody asks for the same twice.
  same TEXT NOT NULL,
  -- What the key of its signatures is derived with.
  salt TEXT NOT NULL,
  -- What stands before the path in addresses of the resources.
  origin TEXT NOT NULL,
  -- active, paused
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  resumed_at BIGINT NOT NULL,
  -- Attempts in a row that failed.
  failures BIGINT NOT NULL,
  -- When the next is to be sent; NULL = nothing waits.
  due_at BIGINT,
  lease_owner TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);

CREATE UNIQUE INDEX tmf_hub_same ON tmf_hub (same);

CREATE INDEX tmf_hub_api ON tmf_hub (api);

CREATE INDEX tmf_hub_due ON tmf_hub (due_at);

-- One event for one subscription. The document is read when it is sent, so nothing of it lies here.
CREATE TABLE tmf_hub_delivery (
  id BIGINT NOT NULL PRIMARY KEY,
  subscription_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  correlation_id BIGINT NOT NULL,
  event_type TEXT NOT NULL,
  kind TEXT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  -- The attribute, where one changed.
  field TEXT NOT NULL,
  event_at BIGINT NOT NULL,
  -- From when on it is counted how long it waits.
  queued_at BIGINT NOT NULL,
  -- waiting, delivered, dead, dropped, dismissed
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  tried_at BIGINT,
  -- Status of the last answer; 0 = there was none.
  answer BIGINT NOT NULL,
  -- Why the last attempt failed, or why it is not sent.
  reason TEXT NOT NULL,
  ended_at BIGINT
);

CREATE INDEX tmf_hub_delivery_lane ON tmf_hub_delivery (subscription_id, state, id);

CREATE INDEX tmf_hub_delivery_log ON tmf_hub_delivery (subscription_id, id);

CREATE INDEX tmf_hub_delivery_state ON tmf_hub_delivery (state, id);

-- Of which resources a subscription that does not hear of all of them was told: it hears of their removal too.
CREATE TABLE tmf_hub_told (
  subscription_id BIGINT NOT NULL,
  resource TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (subscription_id, resource, resource_id)
);
