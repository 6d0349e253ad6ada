-- Lines are listed among the products of customers (TMF637, ADR 0066): in the order of their ids, and by what programs ask for, in the
-- words of the interface (LineBook). The number of a line in service is found in customers_identifier; the last index is for those that
-- have ended.
CREATE INDEX customers_subscription_id ON customers_subscription (id);

CREATE INDEX customers_subscription_status ON customers_subscription
  ((CAST(CASE status WHEN 'pending' THEN 'pendingActive' ELSE status END AS TEXT)), id);

CREATE INDEX customers_subscription_title ON customers_subscription ((CAST(COALESCE(plan, service) AS TEXT)), id);

CREATE INDEX customers_subscription_ended ON customers_subscription (msisdn) WHERE status = 'terminated';
