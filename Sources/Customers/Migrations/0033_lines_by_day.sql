-- When lines began and ended, as products (TMF637) are asked for.
CREATE INDEX customers_subscription_started ON customers_subscription (started_on);

CREATE INDEX customers_subscription_ended_on ON customers_subscription (ended_on) WHERE status = 'terminated';
