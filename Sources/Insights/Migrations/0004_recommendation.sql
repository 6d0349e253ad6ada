-- What was recommended when somebody asked (TMF680). customer_id: the related party, 0 = none of ours. state_reason: why nothing was.
CREATE TABLE insights_recommendation (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  recommendation_type TEXT,
  instant BOOLEAN,
  state TEXT NOT NULL,
  state_reason TEXT,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  party_id TEXT,
  party_role TEXT,
  party_name TEXT,
  party_type TEXT,
  model_id BIGINT,
  probability DOUBLE PRECISION,
  currency TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX insights_recommendation_id ON insights_recommendation (id);

CREATE INDEX insights_recommendation_name ON insights_recommendation (name);

CREATE INDEX insights_recommendation_state ON insights_recommendation (state);

CREATE INDEX insights_recommendation_from ON insights_recommendation (valid_from);

CREATE INDEX insights_recommendation_party ON insights_recommendation (party_id);

-- What could be offered, the best first: another value of a column, and the probability of leaving that the model gives with it.
CREATE TABLE insights_recommendation_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX insights_recommendation_item_owner ON insights_recommendation_item (owner_id);
